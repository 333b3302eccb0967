//! A check of an account's credentials: the marketplace's response is stored with the account and as an event, the run ends,
//! and the other seller is not affected.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart, Meesho};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_testkit::LambdaProcess;
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{Stand, acknowledged};

async fn stand() -> Stand {
    Stand::new(SimulatorConfig::sample().unwrap()).await
}

fn stand_in(code: MarketplaceCode) -> Marketplace {
    match code {
        Ajio => Marketplace::Ajio,
        AmazonIn => Marketplace::Amazon,
        Flipkart => Marketplace::Flipkart,
        Meesho => Marketplace::Meesho,
    }
}

fn down(code: MarketplaceCode) -> Fault {
    Fault::new(stand_in(code), "", FaultKind::Status { status: 503, retry_after: None })
}

async fn check(stand: &Stand, function: &LambdaProcess, code: MarketplaceCode) -> Job {
    let job = stand.queue(code, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    job
}

/// The state of the run and its account: state, error; status, last validation; events in order.
async fn standing(stand: &Stand, job: &Job) -> (String, Option<String>, String, Option<String>, Vec<String>) {
    let run = stand.run(job.run_id).await;
    let sql = "select a.status, a.last_validation,
                 array(select e.event from robnu.credential_events e
                       where e.account_id = a.id and e.event <> 'CONNECTED' order by e.id)
               from robnu.marketplace_accounts a
               where a.id = $1 and (a.last_validation is null) = (a.last_validated_at is null)";
    let row = stand.superuser.query_one(sql, &[&job.account_id]).await.unwrap();
    (run.state, run.error_code, row.get(0), row.get(1), row.get(2))
}

fn stands(
    run: (&str, Option<&str>),
    account: (&str, Option<&str>),
    events: &[&str],
) -> (String, Option<String>, String, Option<String>, Vec<String>) {
    (
        run.0.to_owned(),
        run.1.map(str::to_owned),
        account.0.to_owned(),
        account.1.map(str::to_owned),
        events.iter().map(|event| (*event).to_owned()).collect(),
    )
}

/// Acts as if the sweep had published a waiting run.
async fn republish(stand: &Stand, job: &Job) -> Job {
    let sql = "update robnu.sync_runs set state = 'QUEUED', generation = generation + 1 where id = $1 and state = 'WAITING'";
    assert_eq!(stand.superuser.execute(sql, &[&job.run_id]).await.unwrap(), 1, "the run waits");
    Job { generation: stand.run(job.run_id).await.generation, ..job.clone() }
}

#[tokio::test]
async fn good_credentials_of_every_marketplace_are_noted_as_such() {
    let stand = stand().await;
    let theirs = stand.theirs().await;
    for code in MARKETPLACE_CODES {
        let function = stand.start(*code).await;
        let job = check(&stand, &function, *code).await;
        let good = stands(("SUCCEEDED", None), ("ACTIVE", Some("OK")), &["VALIDATED"]);
        assert_eq!(standing(&stand, &job).await, good, "{code}");
        acknowledged(function.invoke(stand.event(&job)).await);
        assert_eq!(standing(&stand, &job).await, good, "{code}: a message that comes again changes nothing");
    }
    assert_eq!(stand.theirs().await, theirs);
}

#[tokio::test]
async fn refused_credentials_stop_the_account_and_a_later_good_check_lets_it_work_again() {
    let stand = stand().await;
    for code in MARKETPLACE_CODES {
        let function = stand.start(*code).await;
        stand.simulator.add_fault(Fault::new(stand_in(*code), "", FaultKind::RejectCredentials));
        let refused = ("FAILED", Some("credentials_refused"));
        let job = check(&stand, &function, *code).await;
        let stopped = stands(refused, ("NEEDS_RECONNECT", Some("REFUSED")), &["REFUSED"]);
        assert_eq!(standing(&stand, &job).await, stopped, "{code}");
        let job = check(&stand, &function, *code).await;
        let again = stands(refused, ("NEEDS_RECONNECT", Some("REFUSED")), &["REFUSED", "REFUSED"]);
        assert_eq!(standing(&stand, &job).await, again, "{code}: it can be checked all the same");
        stand.simulator.clear_faults();
        let job = check(&stand, &function, *code).await;
        let events = ["REFUSED", "REFUSED", "VALIDATED"];
        let good = stands(("SUCCEEDED", None), ("ACTIVE", Some("OK")), &events);
        assert_eq!(standing(&stand, &job).await, good, "{code}");
    }
}

#[tokio::test]
async fn a_marketplace_that_does_not_respond_is_asked_five_times() {
    let stand = stand().await;
    for code in [Flipkart, Ajio] {
        let function = stand.start(code).await;
        stand.simulator.add_fault(down(code));
        let mut job = check(&stand, &function, code).await;
        let why = Some("marketplace_unavailable");
        for _ in 1..5 {
            let waits = stands(("WAITING", why), ("ACTIVE", Some("UNREACHABLE")), &[]);
            assert_eq!(standing(&stand, &job).await, waits, "{code}");
            job = republish(&stand, &job).await;
            acknowledged(function.invoke(stand.event(&job)).await);
        }
        let failed = stands(("FAILED", why), ("ACTIVE", Some("UNREACHABLE")), &["UNREACHABLE"]);
        assert_eq!(standing(&stand, &job).await, failed, "{code}");
        let asked = stand.simulator.ledger().lines.iter().map(|line| line.requests).sum::<u64>();
        assert_eq!(asked, 5, "{code}");
        stand.simulator.reset_ledger();
    }
}

#[tokio::test]
async fn a_throttled_check_waits_and_then_succeeds() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let busy = FaultKind::Status { status: 429, retry_after: Some(60) };
    stand.simulator.add_fault(Fault::new(Marketplace::Meesho, "", busy).times(1));
    let job = check(&stand, &function, Meesho).await;
    assert_eq!(stand.run(job.run_id).await.state, "WAITING");
    let job = republish(&stand, &job).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let good = stands(("SUCCEEDED", None), ("ACTIVE", Some("OK")), &["VALIDATED"]);
    assert_eq!(standing(&stand, &job).await, good);
}

#[tokio::test]
async fn credentials_replaced_while_they_are_checked_are_not_judged_by_the_old_ones() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    for kind in [FaultKind::RejectCredentials, FaultKind::Hang { millis: 0 }] {
        stand.simulator.clear_faults();
        stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "", FaultKind::Hang { millis: 1_500 }));
        stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "", kind));
        let job = stand.queue(Ajio, RunKind::CredentialCheck).await;
        let answer = function.send(stand.event(&job)).await;
        support::eventually("the marketplace is asked", async || {
            stand.simulator.ledger().in_flight(Marketplace::Ajio, "/authToken") == 1
        })
        .await;
        let replaced = "update robnu.marketplace_accounts set credentials_generation = credentials_generation + 1 where id = $1";
        stand.superuser.execute(replaced, &[&job.account_id]).await.unwrap();
        acknowledged(answer.await.unwrap());
        let (state, _, status, validation, events) = standing(&stand, &job).await;
        assert!(state == "FAILED" || state == "SUCCEEDED", "{state}");
        assert_eq!((status.as_str(), validation, events), ("ACTIVE", None, Vec::new()));
    }
}

#[tokio::test]
async fn a_kind_that_the_marketplace_does_not_support_ends_the_run_as_not_supported() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let orders = stand.queue_run(Meesho).await;
    acknowledged(function.invoke(stand.event(&orders)).await);
    let unsupported = stands(("FAILED", Some("not_supported")), ("ACTIVE", None), &[]);
    assert_eq!(standing(&stand, &orders).await, unsupported);
    let keyless = "update robnu.meesho_account_details set api_key_enc = null, api_secret_enc = null where account_id = $1";
    stand.superuser.execute(keyless, &[&stand.account(Meesho)]).await.unwrap();
    let job = check(&stand, &function, Meesho).await;
    assert_eq!(standing(&stand, &job).await, unsupported);
}

#[tokio::test]
async fn a_check_of_a_paused_or_disconnected_account_asks_nobody() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    for status in ["PAUSED", "DISCONNECTED"] {
        let sql = "update robnu.marketplace_accounts set status = $2 where id = $1";
        stand.superuser.execute(sql, &[&stand.account(Ajio), &status]).await.unwrap();
        let job = check(&stand, &function, Ajio).await;
        let ended = stands(("FAILED", Some("account_not_active")), (status, None), &[]);
        assert_eq!(standing(&stand, &job).await, ended);
    }
    assert!(stand.simulator.ledger().lines.is_empty());
}

#[tokio::test]
async fn the_runs_of_a_suspended_seller_stay_as_they_are() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    stand.superuser.execute(suspend, &[&stand.sellers.ours.id]).await.unwrap();
    let mut jobs = Vec::new();
    for kind in [RunKind::Orders, RunKind::CredentialCheck] {
        let job = stand.queue(Ajio, kind).await;
        acknowledged(function.invoke(stand.event(&job)).await);
        let untouched = stands(("QUEUED", None), ("ACTIVE", None), &[]);
        assert_eq!(standing(&stand, &job).await, untouched);
        jobs.push(job);
    }
    assert!(stand.simulator.ledger().lines.is_empty());
    let resume =
        "update robnu.sellers set suspended_at = null, suspension_reason = null where seller_id = $1";
    stand.superuser.execute(resume, &[&stand.sellers.ours.id]).await.unwrap();
    for job in jobs {
        stand.run_to_end(&function, job.clone()).await;
        assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    }
}

#[tokio::test]
async fn a_seller_suspended_in_the_middle_of_a_run_keeps_the_pages_that_are_in() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let hang = Fault::new(Marketplace::Ajio, "/orders", FaultKind::Hang { millis: 1_500 });
    stand.simulator.add_fault(hang.after(1));
    let job = stand.queue_run(Ajio).await;
    let answer = function.send(stand.event(&job)).await;
    support::eventually("one page is in", async || stand.run(job.run_id).await.pages == 1).await;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    stand.superuser.execute(suspend, &[&stand.sellers.ours.id]).await.unwrap();
    acknowledged(answer.await.unwrap());
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.pages), ("RUNNING", 1), "its lease ends, and the sweep finds it");
}

#[tokio::test]
async fn a_message_whose_kind_is_not_its_runs_is_refused() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::CredentialCheck).await;
    let body = JobMessage::new(Job { kind: RunKind::Orders, ..job.clone() }).to_body();
    acknowledged(function.invoke(stand.raw_event(job.account_id, &body)).await);
    let letter = stand.receive(&stand.dead_letter_queue).await.expect("a dead letter");
    let attributes = letter.message_attributes().unwrap();
    assert_eq!(attributes["refusal"].string_value(), Some("unknown_run"));
    assert!(stand.simulator.ledger().lines.is_empty());
}

#[tokio::test]
async fn a_run_that_read_orders_notes_that_the_credentials_are_good() {
    let stand = stand().await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(standing(&stand, &job).await, stands(("SUCCEEDED", None), ("ACTIVE", Some("OK")), &[]));
}

#[tokio::test]
async fn each_opening_of_credentials_is_in_the_audit_trail_with_its_purpose() {
    let stand = stand().await;
    let function = stand.start(Flipkart).await;
    let job = check(&stand, &function, Flipkart).await;
    let sql = "select shown ->> 'purpose' from robnu.audit_events
               where seller_id = $1 and action = 'credentials.opened' and object_id = $2";
    let rows = stand.superuser.query(sql, &[&stand.sellers.ours.id, &job.account_id]).await.unwrap();
    let purposes: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(purposes, ["CREDENTIAL_CHECK"]);
}

#[tokio::test]
async fn the_registry_table_names_the_kinds_of_runs_that_each_adapter_can_do() {
    let stand = stand().await;
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let sql = "select code, status, array(select kind from robnu.marketplace_kinds where marketplace_code = code and support = 'LIVE' order by kind)
               from robnu.marketplaces order by code";
    let rows = stand.superuser.query(sql, &[]).await.unwrap();
    let mut codes: Vec<&str> = MARKETPLACE_CODES.iter().map(|code| code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), codes);
    for row in &rows {
        let code: MarketplaceCode = row.get::<_, &str>(0).parse().unwrap();
        let adapter = registry.adapter(code);
        let mut offered: Vec<&str> = adapter.live_kinds().iter().map(|kind| kind.as_str()).collect();
        offered.sort_unstable();
        assert_eq!((row.get::<_, &str>(1), row.get::<_, Vec<&str>>(2)), ("ACTIVE", offered), "{code}");
    }
}
