//! Attempts by message: garbled, of unknown kinds and versions, and with one seller's id beside another's account, to the
//! insider's lane, to the victim's and to the lanes function.

use serde_json::{Value, json};

use super::Attempt;
use super::dice::{Dice, half};
use super::stage::Stage;

const QUEUES: [&str; 3] = ["the insider's lane", "the victim's lane", "lane requests"];
const VERSIONS: [&str; 8] = ["1", "1", "1", "1", "1", "1", "2", "0"];
const KINDS: [(usize, &str); 7] = [
    (50, "ORDERS"),
    (20, "CREDENTIAL_CHECK"),
    (6, "RETURNS"),
    (6, "PAYOUTS"),
    (6, "LISTINGS"),
    (6, "INVENTORY"),
    (6, "no such kind"),
];
const MARKETPLACES: [&str; 6] = ["AJIO", "AJIO", "AJIO", "AJIO", "AMAZON_IN", "NOWHERE"];

/// Makes one attempt.
pub async fn attempt(stage: &Stage, dice: &mut Dice, attempt: &mut Attempt) {
    let queue = dice.below(QUEUES.len());
    let (form, body) = if queue == 2 { lane_request(stage, dice) } else { envelope(stage, dice) };
    attempt.label(QUEUES[queue], form);
    attempt.shown = format!("{}: {body}", QUEUES[queue]);
    let mut message = json!({"QueueUrl": stage.queues[queue], "MessageBody": body});
    if queue != 2 {
        message["MessageGroupId"] = json!(dice.pick(&[&stage.insider.account, &stage.victim.account]));
        message["MessageDeduplicationId"] = json!(dice.uuid());
    }
    // What the queue itself refuses, such as an empty body, has come no further.
    let taken = stage.aws.json("sqs", "AmazonSQS.SendMessage", &message).await;
    attempt.answered(if taken.is_ok() { "taken" } else { "refused" });
}

fn envelope(stage: &Stage, dice: &mut Dice) -> (&'static str, String) {
    let (seller, account, form) = match dice.below(3) {
        0 => (&stage.insider.seller, &stage.victim.account, "insider's seller, victim's account"),
        1 => (&stage.victim.seller, &stage.insider.account, "victim's seller, insider's account"),
        _ => (&stage.insider.seller, &stage.insider.account, "insider's own, victim's run"),
    };
    let run = match stage.victim.ids.get("sync_runs") {
        Some(runs) if dice.percent(70) && !runs.is_empty() => dice.pick(runs).clone(),
        _ => dice.uuid(),
    };
    let mut body = json!({
        "version": dice.pick(&VERSIONS),
        "job": {
            "run_id": run,
            "step": dice.below(3),
            "generation": dice.below(3),
            "seller_id": seller,
            "account_id": account,
            "marketplace": dice.pick(&MARKETPLACES),
            "kind": dice.weighted(&KINDS),
        },
        "trace_parent": "00-00000000000000000000000000000001-0000000000000001-01",
    });
    if dice.percent(20) {
        let field = *dice.pick(&["seller_id", "account_id", "run_id", "step", "kind"]);
        body["job"][field] = json!(dice.payload());
        return ("a field garbled", body.to_string());
    }
    if dice.percent(15) {
        return ("garbage", garbage(&body, dice));
    }
    (form, body.to_string())
}

fn lane_request(stage: &Stage, dice: &mut Dice) -> (&'static str, String) {
    let (seller, account, form) = match dice.below(2) {
        0 => (&stage.insider.seller, &stage.victim.account, "insider's seller, victim's account"),
        _ => (&stage.victim.seller, &stage.insider.account, "victim's seller, insider's account"),
    };
    let body = json!({"seller_id": seller, "account_id": account});
    if dice.percent(10) {
        return ("garbage", garbage(&body, dice));
    }
    (form, body.to_string())
}

fn garbage(body: &Value, dice: &mut Dice) -> String {
    let text = body.to_string();
    match dice.below(4) {
        0 => half(&text),
        1 => format!("[{text}]"),
        2 => "{}".to_owned(),
        _ => "not even JSON".to_owned(),
    }
}
