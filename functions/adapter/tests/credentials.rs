//! Credentials that cannot be decrypted, and credentials that the marketplace refuses: waiting does not help, so the run
//! fails at once. Only the account's present credentials stop it when they are refused. The audit trail notes opened
//! credentials only when a job has used them.
#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_dispatch::{Job, Lease, TakeLease, Taken, fail_refused};
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::kind::RunKind;
use robnu_storage::KeyService;
use robnu_tenancy::{Database, SellerScope, ToSql};
use robnu_testkit::local_aws;
use simulators::SimulatorConfig;
use support::{Stand, acknowledged, returned};

#[tokio::test]
async fn a_secret_that_does_not_open_ends_the_run_at_once_and_frees_the_account() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let spoil = "update robnu.ajio_account_details set password_enc = set_byte(password_enc, 40, get_byte(password_enc, 40) # 1)
                 where account_id = $1";
    assert_eq!(stand.superuser.execute(spoil, &[&job.account_id]).await.unwrap(), 1);
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!(
        (run.state.as_str(), run.error_code.as_deref()),
        ("FAILED", Some("credentials_unreadable")),
        "{run:?}"
    );
}

async fn take_lease(database: &Database, scope: &SellerScope, job: &Job) -> Lease {
    let session = database.session(scope).await.unwrap();
    let take = TakeLease::new(job, Duration::from_mins(1));
    let answers = session.commit_with(&[(TakeLease::SQL, &take.params())]).await.unwrap();
    match Taken::from_rows(&answers[0], job).unwrap() {
        Taken::Ours(lease) => lease,
        Taken::Not(why) => panic!("no lease: {why:?}"),
    }
}

/// State and error of the run, status of the account, and the number of its refusal events.
async fn standing(stand: &Stand, job: &Job) -> (String, Option<String>, String, i64) {
    let sql = "select a.status, (select count(*) from robnu.credential_events e where e.account_id = a.id and e.event = 'REFUSED')
               from robnu.marketplace_accounts a where a.id = $1";
    let row = stand.superuser.query_one(sql, &[&job.account_id]).await.unwrap();
    let run = stand.run(job.run_id).await;
    (run.state, run.error_code, row.get(0), row.get(1))
}

#[tokio::test]
async fn only_the_attempt_that_holds_the_run_with_the_accounts_present_credentials_stops_the_account() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let database = Database::new(&stand.test.config("robnu_adapter")).await.unwrap();
    let job = stand.queue_run(Ajio).await;
    let scope = SellerScope::for_job(job.seller_id, job.account_id);
    let code = "credentials_refused";
    let refused = async |job: &Job, lease: &Lease| {
        fail_refused(&database, &scope, job, lease, code, "refused").await.unwrap();
        standing(&stand, job).await
    };
    let active = |state: &str, error: Option<&str>| {
        (state.to_owned(), error.map(str::to_owned), "ACTIVE".to_owned(), 0)
    };

    let late = take_lease(&database, &scope, &job).await;
    let lapse = "update robnu.sync_runs set lease_expires_at = now() - interval '1 second' where id = $1";
    stand.superuser.execute(lapse, &[&job.run_id]).await.unwrap();
    let holder = take_lease(&database, &scope, &job).await;
    assert_eq!(refused(&job, &late).await, active("RUNNING", None), "a late attempt changes nothing");

    let replaced = "update robnu.marketplace_accounts set credentials_generation = credentials_generation + 1 where id = $1";
    stand.superuser.execute(replaced, &[&job.account_id]).await.unwrap();
    assert_eq!(
        refused(&job, &holder).await,
        active("FAILED", Some(code)),
        "old credentials end only their run"
    );

    let next = stand.queue_run(Ajio).await;
    let holder = take_lease(&database, &scope, &next).await;
    let stopped = ("FAILED".to_owned(), Some(code.to_owned()), "NEEDS_RECONNECT".to_owned(), 1);
    assert_eq!(refused(&next, &holder).await, stopped);
    assert_eq!(refused(&next, &holder).await, stopped, "and is noted once");
}

/// The number of audit events for opened credentials of the account.
async fn openings(stand: &Stand) -> i64 {
    let sql = "select count(*) from robnu.audit_events where action = 'credentials.opened'";
    stand.superuser.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_trail_notes_opened_credentials_when_a_job_works_with_them_and_only_then() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;

    let held = "update robnu.sync_runs set state = 'RUNNING', attempt = 1, lease_expires_at = now() + interval '1 hour' where id = $1";
    stand.superuser.execute(held, &[&job.run_id]).await.unwrap();
    returned(function.invoke(stand.event(&job)).await);
    assert_eq!(openings(&stand).await, 0, "another attempt holds the run");

    let lapse = "update robnu.sync_runs set lease_expires_at = now() - interval '1 second' where id = $1";
    stand.superuser.execute(lapse, &[&job.run_id]).await.unwrap();
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(openings(&stand).await, 1);

    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(openings(&stand).await, 1, "the step is over");

    let check = stand.queue(Ajio, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(stand.event(&check)).await);
    assert_eq!(openings(&stand).await, 2);

    let paused = stand.queue_run(Ajio).await;
    let pause = "update robnu.marketplace_accounts set status = $2 where id = $1";
    for (status, tried) in [("PAUSED", RunKind::CredentialCheck), ("NEEDS_RECONNECT", RunKind::Orders)] {
        stand.superuser.execute(pause, &[&paused.account_id, &status]).await.unwrap();
        let job = if tried == RunKind::Orders { paused.clone() } else { stand.queue(Ajio, tried).await };
        acknowledged(function.invoke(stand.event(&job)).await);
        let run = stand.run(job.run_id).await;
        assert_eq!(run.error_code.as_deref(), Some("account_not_active"), "{status}");
        assert_eq!(openings(&stand).await, 2, "the run was given up: the account is {status}");
    }

    stand.superuser.execute(pause, &[&paused.account_id, &"ACTIVE"]).await.unwrap();
    let tired = stand.queue_run(Ajio).await;
    let tire = "update robnu.sync_runs set fruitless_attempts = 20 where id = $1";
    stand.superuser.execute(tire, &[&tired.run_id]).await.unwrap();
    acknowledged(function.invoke(stand.event(&tired)).await);
    assert_eq!(stand.run(tired.run_id).await.error_code.as_deref(), Some("gave_up"));
    assert_eq!(openings(&stand).await, 2, "the run was given up");
}

#[tokio::test]
async fn credentials_that_an_older_data_key_sealed_still_open() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let seller = stand.sellers.ours.id;
    let kms = aws_sdk_kms::Client::new(&local_aws().await);
    let newer = KeyService::new(kms, stand.platform_key.clone()).generate(seller).await.unwrap().wrapped;
    let insert =
        "insert into robnu.seller_keys (seller_id, id, wrapped_key, kms_key_id) values ($1, $2, $3, $4)";
    let key: [&(dyn ToSql + Sync); 4] = [&seller, &newer.id, &newer.ciphertext, &newer.kms_key_id];
    assert_eq!(stand.superuser.execute(insert, &key).await.unwrap(), 1);
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!(run.state, "SUCCEEDED", "{run:?}");
}
