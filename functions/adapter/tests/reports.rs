//! A run that reads reports: it waits while the marketplace prepares them, holds no function meanwhile, and goes on later.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode::AmazonIn;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::AccountId;
use robnu_testkit::LambdaProcess;
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{LEASE_SECONDS, Stand, acknowledged, eventually};

const REPORTS: &str = "/reports/2021-06-30/reports";
const DOCUMENTS: &str = "/reports/2021-06-30/documents";

/// State, error code and seconds until the next attempt of a run.
async fn standing(stand: &Stand, job: &Job) -> (String, Option<String>, Option<f64>) {
    let sql = "select state, error_code, extract(epoch from next_attempt_at - now())::float8 from robnu.sync_runs where id = $1";
    let row = stand.superuser.query_one(sql, &[&job.run_id]).await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// Whether a run waits for its report, and for at most ten seconds.
async fn waits(stand: &Stand, job: &Job) -> bool {
    let (state, code, seconds) = standing(stand, job).await;
    (state.as_str(), code.as_deref()) == ("WAITING", Some("not_ready"))
        && seconds.is_some_and(|seconds| (5.0..=10.0).contains(&seconds))
}

/// Acts as the sweep does when a wait is over.
async fn republish(stand: &Stand, job: &Job) -> Job {
    let sql =
        "update robnu.sync_runs set state = 'QUEUED', generation = generation + 1, next_attempt_at = null
        where id = $1 and state = 'WAITING'";
    assert_eq!(stand.superuser.execute(sql, &[&job.run_id]).await.unwrap(), 1, "the run waits");
    let run = stand.run(job.run_id).await;
    Job { step: run.step, generation: run.generation, ..job.clone() }
}

/// Goes on with a run until it waits no longer; returns in how many slices.
async fn to_end(stand: &Stand, function: &LambdaProcess, mut job: Job) -> usize {
    for slices in 0..50 {
        if standing(stand, &job).await.0 != "WAITING" {
            return slices;
        }
        job = republish(stand, &job).await;
        acknowledged(function.invoke(stand.event(&job)).await);
    }
    panic!("the run never ends: {:?}", standing(stand, &job).await)
}

/// Returns and returned lines that an account has now.
async fn stored(stand: &Stand, account: AccountId) -> (i64, i64) {
    let sql = "select count(distinct r.id), count(i.id) from robnu.returns r
        left join robnu.return_items i on i.return_id = r.id where r.account_id = $1 and r.external_return_id like 'D%RRMA'";
    let row = stand.superuser.query_one(sql, &[&account]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_run_waits_for_its_report_without_a_function_and_goes_on_later_beside_another_sellers() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let our_job = stand.queue(AmazonIn, RunKind::Returns).await;
    let their_job = stand.queue_for(theirs, AmazonIn, RunKind::Returns).await;
    let bodies = [&our_job, &their_job].map(|job| JobMessage::new(job.clone()).to_body());
    acknowledged(function.invoke(stand.parallel_event(&bodies.each_ref().map(String::as_str))).await);
    assert_eq!((waits(&stand, &our_job).await, waits(&stand, &their_job).await), (true, true));
    let ledger = stand.simulator.ledger();
    assert!(ledger.in_flight.is_empty(), "nobody waits at the marketplace");
    assert_eq!(ledger.requests_with_status(Marketplace::Amazon, REPORTS, 202), 2);

    let our_slices = to_end(&stand, &function, our_job.clone()).await;
    assert_eq!(standing(&stand, &our_job).await.0, "SUCCEEDED");
    assert_eq!(stored(&stand, ours.amazon).await, (3, 4));
    assert_eq!(stored(&stand, theirs.amazon).await, (0, 0), "the other seller's report is still prepared");
    assert!(waits(&stand, &their_job).await);
    // Three reports are prepared one after the other, each found unfinished twice. The first wait of the run was over before.
    assert_eq!(our_slices, 9);
    to_end(&stand, &function, their_job.clone()).await;
    assert_eq!(standing(&stand, &their_job).await.0, "SUCCEEDED");
    assert_eq!(stored(&stand, theirs.amazon).await, (3, 4));
    let watermarks = "select count(*) from robnu.watermarks where kind = 'RETURNS' and account_id in ($1, $2)
        and complete_until between now() - interval '10 minutes' and now() - interval '5 minutes'";
    let row = stand.superuser.query_one(watermarks, &[&ours.amazon, &theirs.amazon]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn a_report_that_amazon_gives_up_twice_fails_the_run_and_the_next_run_reads_everything_once() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    let fatal = Fault::new(Marketplace::Amazon, REPORTS, FaultKind::FatalReport).for_method("GET").times(2);
    stand.simulator.add_fault(fatal);
    let job = stand.queue(AmazonIn, RunKind::Returns).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    to_end(&stand, &function, job.clone()).await;
    let (state, code, _) = standing(&stand, &job).await;
    assert_eq!((state.as_str(), code.as_deref()), ("FAILED", Some("marketplace_rejects")));
    stand.simulator.set_amazon_report_looks(0);
    for changed in [(3, 0), (0, 3)] {
        let job = stand.queue(AmazonIn, RunKind::Returns).await;
        acknowledged(function.invoke(stand.event(&job)).await);
        to_end(&stand, &function, job.clone()).await;
        assert_eq!(standing(&stand, &job).await.0, "SUCCEEDED");
        let counts =
            "select added, unchanged from robnu.sync_run_counts where run_id = $1 and stream = 'RETURNS'";
        let row = stand.superuser.query_one(counts, &[&job.run_id]).await.unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, i32>(1)), changed);
        let older =
            "update robnu.watermarks set complete_until = now() - interval '200 days' where account_id = $1";
        stand.superuser.execute(older, &[&job.account_id]).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_killed_while_it_loads_a_report_goes_on_with_the_same_report() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    stand.simulator.set_amazon_report_looks(0);
    let function = stand.start(AmazonIn).await;
    let job = stand.queue(AmazonIn, RunKind::Returns).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert!(waits(&stand, &job).await);
    stand
        .simulator
        .add_fault(Fault::new(Marketplace::Amazon, DOCUMENTS, FaultKind::Hang { millis: 30_000 }).times(1));
    let job = republish(&stand, &job).await;
    let _never = function.send(stand.event(&job)).await;
    let is_loading = |line: &simulators::InFlight| line.path.starts_with(DOCUMENTS);
    eventually("the document is asked for", async || {
        stand.simulator.ledger().in_flight.iter().any(is_loading)
    })
    .await;
    function.kill().await;
    stand.simulator.clear_faults();
    tokio::time::sleep(Duration::from_secs(LEASE_SECONDS) + Duration::from_millis(200)).await;
    let function = stand.start(AmazonIn).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    to_end(&stand, &function, job.clone()).await;
    assert_eq!(standing(&stand, &job).await.0, "SUCCEEDED");
    assert_eq!(stored(&stand, job.account_id).await, (3, 4));
    let reports = stand.simulator.ledger().requests_with_status(Marketplace::Amazon, REPORTS, 202);
    assert_eq!(reports, 3, "one report a window, and none again for the kill");
}
