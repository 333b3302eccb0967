//! Refusals of runs and checks are counted over all sellers. The count limits checks, but not runs that read orders.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::kind::RunKind;
use robnu_storage::DigestKey;
use robnu_testkit::LambdaProcess;
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{DIGEST_SECRET, Stand, acknowledged};

async fn count(stand: &Stand, condition: &str) -> i64 {
    let sql = format!("select count(*) from robnu.credential_checks where {condition}");
    stand.superuser.query_one(&sql, &[]).await.unwrap().get(0)
}

/// Runs a check to its end and returns its state and error.
async fn check(stand: &Stand, function: &LambdaProcess) -> (String, Option<String>) {
    let job = stand.queue(Ajio, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    (run.state, run.error_code)
}

fn asked(stand: &Stand) -> u64 {
    stand.simulator.ledger().lines.iter().map(|line| line.requests).sum()
}

#[tokio::test]
async fn an_account_that_was_refused_five_times_is_not_asked_about_for_a_while() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "", FaultKind::RejectCredentials));
    for _ in 0..5 {
        let refused = ("FAILED".to_owned(), Some("credentials_refused".to_owned()));
        assert_eq!(check(&stand, &function).await, refused);
    }
    stand.simulator.clear_faults();
    let waits = ("FAILED".to_owned(), Some("too_many_refused_checks".to_owned()));
    assert_eq!(check(&stand, &function).await, waits);
    assert_eq!(asked(&stand), 5, "the sixth is not asked");
    let later = "update robnu.credential_checks set created_at = created_at - interval '16 minutes'";
    stand.superuser.batch_execute(later).await.unwrap();
    assert_eq!(check(&stand, &function).await, ("SUCCEEDED".to_owned(), None));
    assert_eq!(count(&stand, "outcome = 'ACCEPTED'").await, 1);
}

#[tokio::test]
async fn a_refused_run_counts_for_its_user_name_and_a_run_in_good_standing_is_never_delayed() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let digest = DigestKey::new(DIGEST_SECRET).unwrap().login("AJIO", "DV1");
    // Strangers have used up the guesses for the user name, from other sellers.
    let strangers =
        "insert into robnu.credential_checks (marketplace_code, login_digest, account_id, actor_id, outcome)
                     select 'AJIO', $1, uuidv7(), uuidv7(), 'REFUSED' from generate_series(1, 300)";
    stand.superuser.execute(strangers, &[&digest.as_slice()]).await.unwrap();
    let run = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, run.clone()).await;
    assert_eq!(stand.run(run.run_id).await.state, "SUCCEEDED");
    // The account's own check is not delayed either.
    stand
        .superuser
        .batch_execute("update robnu.credential_checks set created_at = created_at - interval '61 minutes'")
        .await
        .unwrap();
    assert_eq!(check(&stand, &function).await, ("SUCCEEDED".to_owned(), None));

    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "", FaultKind::RejectCredentials));
    stand.simulator.expire_tokens(Marketplace::Ajio, None);
    let run = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, run.clone()).await;
    assert_eq!(stand.run(run.run_id).await.error_code.as_deref(), Some("credentials_refused"));
    let ours = format!("account_id = '{}' and outcome = 'REFUSED'", stand.account(Ajio));
    assert_eq!(count(&stand, &ours).await, 1);
    let counted =
        "select login_digest from robnu.credential_checks where account_id = $1 and outcome = 'REFUSED'";
    let counted: Vec<u8> = stand.superuser.query_one(counted, &[&stand.account(Ajio)]).await.unwrap().get(0);
    assert_eq!(counted, digest);
}
