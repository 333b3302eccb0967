//! Attempts by message: garbled messages, unknown kinds and versions, one seller's id with another seller's account, and notices of files
//! in another seller's folder. They go
//! to the insider's lane, to the victim's lane, to the lanes function and to the marketplace's parallel queue.

use serde_json::{Value, json};

use super::attempt::Attempt;
use super::random::{Random, half};
use super::test_bed::TestBed;

const QUEUES: [&str; 4] = ["the insider's lane", "the victim's lane", "lane requests", "the parallel queue"];
/// Where the queues of lane requests and of parallel runs stand among them.
const LANE_REQUESTS: usize = 2;
const PARALLEL: usize = 3;
const VERSIONS: [&str; 8] = ["1", "1", "1", "1", "1", "1", "2", "0"];
const KINDS: [(usize, &str); 8] = [
    (44, "ORDERS"),
    (6, "FILE_IMPORT"),
    (20, "CREDENTIAL_CHECK"),
    (6, "RETURNS"),
    (6, "PAYOUTS"),
    (6, "LISTINGS"),
    (6, "INVENTORY"),
    (6, "no such kind"),
];
const MARKETPLACES: [&str; 6] = ["AJIO", "AJIO", "AJIO", "AJIO", "AMAZON_IN", "NOWHERE"];

/// Makes one attempt.
pub async fn attempt(test_bed: &TestBed, random: &mut Random, attempt: &mut Attempt) {
    let queue = random.below(QUEUES.len());
    let (form, body) =
        if queue == LANE_REQUESTS { lane_request(test_bed, random) } else { job_message(test_bed, random) };
    attempt.label(QUEUES[queue], form);
    attempt.shown = format!("{}: {body}", QUEUES[queue]);
    let mut message = json!({"QueueUrl": test_bed.queues[queue], "MessageBody": body});
    if queue != LANE_REQUESTS {
        message["MessageGroupId"] =
            json!(random.pick(&[&test_bed.insider.account, &test_bed.victim.account]));
    }
    if queue != LANE_REQUESTS && queue != PARALLEL {
        message["MessageDeduplicationId"] = json!(random.uuid());
    }
    // The queue itself refuses some messages, such as an empty body.
    let taken = test_bed.aws.json("sqs", "AmazonSQS.SendMessage", &message).await;
    attempt.answered(if taken.is_ok() { "taken" } else { "refused" });
}

fn job_message(test_bed: &TestBed, random: &mut Random) -> (&'static str, String) {
    let (seller, account, form) = match random.below(3) {
        0 => (&test_bed.insider.seller, &test_bed.victim.account, "insider's seller, victim's account"),
        1 => (&test_bed.victim.seller, &test_bed.insider.account, "victim's seller, insider's account"),
        _ => (&test_bed.insider.seller, &test_bed.insider.account, "insider's own, victim's run"),
    };
    let run = match test_bed.victim.ids.get("sync_runs") {
        Some(runs) if random.percent(70) && !runs.is_empty() => random.pick(runs).clone(),
        _ => random.uuid(),
    };
    let mut body = json!({
        "version": random.pick(&VERSIONS),
        "job": {
            "run_id": run,
            "step": random.below(3),
            "generation": random.below(3),
            "seller_id": seller,
            "account_id": account,
            "marketplace": random.pick(&MARKETPLACES),
            "kind": random.weighted(&KINDS),
        },
        "trace_parent": "00-00000000000000000000000000000001-0000000000000001-01",
    });
    if random.percent(20) {
        let field = *random.pick(&["seller_id", "account_id", "run_id", "step", "kind"]);
        body["job"][field] = json!(random.payload());
        return ("a field garbled", body.to_string());
    }
    if random.percent(15) {
        return ("garbage", garbage(&body, random));
    }
    if random.percent(15) {
        return ("a notice of another's file", notice(test_bed, random, seller, account));
    }
    (form, body.to_string())
}

/// What S3 sends for a file, with a key that mixes two sellers.
fn notice(test_bed: &TestBed, random: &mut Random, seller: &str, account: &str) -> String {
    let import = match test_bed.victim.ids.get("imports") {
        Some(imports) if random.percent(70) && !imports.is_empty() => random.pick(imports).clone(),
        _ => random.uuid(),
    };
    let key = match random.below(5) {
        0 => format!("imports/{seller}/{account}/../{import}/AJIO"),
        1 => format!("documents/{seller}/{account}/{import}/AJIO"),
        _ => format!("imports/{seller}/{account}/{import}/{}", random.pick(&MARKETPLACES)),
    };
    json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}}]}).to_string()
}

fn lane_request(test_bed: &TestBed, random: &mut Random) -> (&'static str, String) {
    let (seller, account, form) = match random.below(2) {
        0 => (&test_bed.insider.seller, &test_bed.victim.account, "insider's seller, victim's account"),
        _ => (&test_bed.victim.seller, &test_bed.insider.account, "victim's seller, insider's account"),
    };
    let body = json!({"version": "1", "seller_id": seller, "account_id": account});
    if random.percent(10) {
        return ("garbage", garbage(&body, random));
    }
    (form, body.to_string())
}

fn garbage(body: &Value, random: &mut Random) -> String {
    let text = body.to_string();
    match random.below(4) {
        0 => half(&text),
        1 => format!("[{text}]"),
        2 => "{}".to_owned(),
        _ => "not even JSON".to_owned(),
    }
}
