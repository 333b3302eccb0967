//! An account's ordered runs are worked on one at a time, whichever queue brings their messages: those that come too early wait for their
//! turn, get it after one slice, and are published by whoever ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_dispatch::{
    Job, JobMessage, Lease, NotTaken, TakeLease, Taken, continue_later, fail, lock_turns, next_in_turn,
};
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{Database, SellerScope};
use simulators::{AjioConfig, SimulatorConfig};
use support::{Stand, acknowledged, eventually, failed};

fn ajio(orders: usize) -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    config
}

fn scope(job: &Job) -> SellerScope {
    SellerScope::for_job(job.seller_id, job.account_id)
}

/// Takes a lease of a minute, as the adapter does.
async fn take(database: &Database, job: &Job) -> Taken {
    let lease = TakeLease::new(job, Duration::from_mins(1));
    let session = database.session(&scope(job)).await.unwrap();
    let lock = (lock_turns(job).unwrap(), &[&job.account_id as _][..]);
    let rows = session.commit_with(&[lock, (TakeLease::SQL, &lease.params())]).await.unwrap();
    Taken::from_rows(&rows[1], job).unwrap()
}

async fn taken(database: &Database, job: &Job) -> Lease {
    match take(database, job).await {
        Taken::Ours(lease) => lease,
        Taken::Not(why) => panic!("{why:?}"),
    }
}

async fn must_wait(database: &Database, job: &Job) {
    let taken = take(database, job).await;
    assert!(matches!(taken, Taken::Not(NotTaken::NotItsTurn)), "{taken:?}");
}

/// The lane of our account is the parallel queue.
async fn share(stand: &Stand) {
    let sql = "update robnu.marketplace_accounts set lane_kind = 'SHARED', lane_shared = true, lane_mapping_id = null, lane_queue_url = $2
        where id = $1";
    stand.superuser.execute(sql, &[&stand.sellers.ours.ajio, &stand.parallel_queue]).await.unwrap();
}

async fn published(stand: &Stand) -> Option<Job> {
    let message = stand.receive(&stand.parallel_queue).await?;
    Some(JobMessage::parse(message.body().unwrap()).unwrap().into_job())
}

fn shared_event(stand: &Stand, job: &Job) -> serde_json::Value {
    stand.parallel_event(&[&JobMessage::new(job.clone()).to_body()])
}

#[tokio::test]
async fn of_two_messages_at_once_exactly_one_takes_the_lease() {
    let stand = Stand::new(ajio(1)).await;
    let orders = stand.queue(Ajio, RunKind::Orders).await;
    let check = stand.queue(Ajio, RunKind::CredentialCheck).await;
    let (one, other) = (stand.test.login("robnu_adapter").await, stand.test.login("robnu_adapter").await);
    let mut first = one.session(&scope(&orders)).await.unwrap();
    let lease = TakeLease::new(&orders, Duration::from_mins(1));
    let lock = (lock_turns(&orders).unwrap(), &[&orders.account_id as _][..]);
    let rows = first.pipeline(&[lock, (TakeLease::SQL, &lease.params())]).await.unwrap();
    assert!(matches!(Taken::from_rows(&rows[1], &orders).unwrap(), Taken::Ours(_)));

    let second = tokio::spawn(async move { take(&other, &check).await });
    let waits = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where d.datname = current_database() and l.locktype = 'advisory' and not l.granted";
    eventually("the second waits or is done", async || {
        second.is_finished() || stand.superuser.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    first.commit().await.unwrap();
    let second = second.await.unwrap();
    assert!(matches!(second, Taken::Not(NotTaken::NotItsTurn)), "{second:?}");
}

#[tokio::test]
async fn a_function_whose_lease_has_just_ended_may_still_be_storing_a_page_and_keeps_others_back() {
    let stand = Stand::new(ajio(1)).await;
    let database = stand.test.login("robnu_adapter").await;
    let orders = stand.queue(Ajio, RunKind::Orders).await;
    let check = stand.queue(Ajio, RunKind::CredentialCheck).await;
    taken(&database, &orders).await;
    let ended = async |ago: &str| {
        let sql = format!(
            "update robnu.sync_runs set lease_expires_at = now() - interval '{ago}' where id = '{}'",
            orders.run_id
        );
        stand.superuser.batch_execute(&sql).await.unwrap();
    };
    ended("50 seconds").await;
    must_wait(&database, &check).await;
    assert!(next_in_turn(&database, &scope(&check), &check).await.unwrap().is_none());
    ended("70 seconds").await;
    let next = next_in_turn(&database, &scope(&check), &check).await.unwrap().unwrap();
    taken(&database, &next.job).await;
}

#[tokio::test]
async fn a_run_that_comes_too_early_rests_and_starts_after_one_slice() {
    let stand = Stand::new(ajio(1)).await;
    share(&stand).await;
    let database = stand.test.login("robnu_adapter").await;
    let function = stand.start(Ajio).await;
    let backfill = stand.queue(Ajio, RunKind::Orders).await;
    let lease = taken(&database, &backfill).await;

    let check = stand.queue(Ajio, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(shared_event(&stand, &check)).await);
    let rests = stand.run(check.run_id).await;
    assert_eq!((rests.state.as_str(), rests.attempt), ("WAITING", 0), "no attempt is counted");
    assert_eq!(rests.error_code.as_deref(), Some("waits_for_turn"));
    assert!(published(&stand).await.is_none(), "nothing is published while another one is at work");

    let (next, lane) =
        continue_later(&database, &scope(&backfill), &backfill, &lease).await.unwrap().unwrap();
    assert_eq!((next.run_id, next.generation), (check.run_id, 1), "whoever waits goes first");
    assert_eq!(lane.as_deref(), Some(stand.parallel_queue.as_str()));
    let behind = stand.run(backfill.run_id).await;
    assert_eq!((behind.state.as_str(), behind.step), ("WAITING", 1), "the backfill waits behind it");
    let unsent = Job { step: 1, ..backfill.clone() };
    assert!(matches!(take(&database, &unsent).await, Taken::Not(NotTaken::Passed)), "it has no message yet");

    acknowledged(function.invoke(shared_event(&stand, &next)).await);
    assert_eq!(stand.run(check.run_id).await.state, "SUCCEEDED");
    let resumed = published(&stand).await.expect("the check's function publishes the backfill");
    assert_eq!((resumed.run_id, resumed.step, resumed.generation), (backfill.run_id, 1, 1));
    acknowledged(function.invoke(shared_event(&stand, &resumed)).await);
    assert_eq!(stand.run(backfill.run_id).await.state, "SUCCEEDED");
}

#[tokio::test]
async fn nobody_overtakes_a_run_whose_turn_it_is_unless_its_message_is_lost() {
    let stand = Stand::new(ajio(1)).await;
    share(&stand).await;
    let database = stand.test.login("robnu_adapter").await;
    let orders = stand.queue(Ajio, RunKind::Orders).await;
    let lease = taken(&database, &orders).await;
    let check = stand.queue(Ajio, RunKind::CredentialCheck).await;
    must_wait(&database, &check).await;
    let next = fail(&database, &scope(&orders), &orders, &lease, "gave_up", "no").await.unwrap().unwrap();
    assert_eq!(next.job.run_id, check.run_id);

    let push = stand.queue(Ajio, RunKind::InventoryPush).await;
    must_wait(&database, &push).await;
    let again = next_in_turn(&database, &scope(&push), &push).await.unwrap();
    assert!(again.is_none(), "the message of the first is on its way");

    let lost = "update robnu.sync_runs set next_attempt_at = now() - interval '1 second',
        queued_at = queued_at - interval '1 minute' where id = $1";
    stand.superuser.execute(lost, &[&check.run_id]).await.unwrap();
    let again = next_in_turn(&database, &scope(&push), &push).await.unwrap().unwrap();
    assert_eq!((again.job.run_id, again.job.generation), (check.run_id, 2));
    stand.superuser.execute(lost, &[&check.run_id]).await.unwrap();
    let push = Job { generation: stand.run(push.run_id).await.generation, ..push };
    let queued = "update robnu.sync_runs set state = 'QUEUED' where id = $1";
    stand.superuser.execute(queued, &[&push.run_id]).await.unwrap();
    taken(&database, &push).await;
}

#[tokio::test]
async fn other_accounts_and_runs_of_parallel_kinds_keep_nobody_back() {
    let stand = Stand::new(ajio(1)).await;
    let database = stand.test.login("robnu_adapter").await;
    let returns = stand.queue(Ajio, RunKind::Returns).await;
    let session = database.session(&scope(&returns)).await.unwrap();
    let lease = TakeLease::new(&returns, Duration::from_mins(1));
    let rows = session.commit_with(&[(TakeLease::SQL, &lease.params())]).await.unwrap();
    assert!(matches!(Taken::from_rows(&rows[0], &returns).unwrap(), Taken::Ours(_)));
    assert!(lock_turns(&returns).is_none(), "it takes no turns");
    let theirs = stand.queue_for(&stand.sellers.theirs, Ajio, RunKind::Orders).await;
    taken(&database, &theirs).await;
    let ours = stand.queue(Ajio, RunKind::Orders).await;
    taken(&database, &ours).await;
}

#[tokio::test]
async fn a_run_of_a_paused_account_in_a_shared_lane_waits_for_the_account() {
    let stand = Stand::new(ajio(1)).await;
    share(&stand).await;
    let function = stand.start(Ajio).await;
    let orders = stand.queue(Ajio, RunKind::Orders).await;
    let status = "update robnu.marketplace_accounts set status = $2 where id = $1";
    stand.superuser.execute(status, &[&orders.account_id, &"PAUSED"]).await.unwrap();
    acknowledged(function.invoke(shared_event(&stand, &orders)).await);
    assert_eq!(stand.run(orders.run_id).await.state, "QUEUED", "it neither fails nor burns an attempt");
    stand.superuser.execute(status, &[&orders.account_id, &"ACTIVE"]).await.unwrap();
    acknowledged(function.invoke(shared_event(&stand, &orders)).await);
    assert_eq!(stand.run(orders.run_id).await.state, "SUCCEEDED");
}

/// Accounts in shared lanes, each with two ordered runs.
const ACCOUNTS: i64 = 100;
/// Adapters at once.
const FUNCTIONS: usize = 3;

/// Gives our seller many accounts in shared lanes, and each a run of both kinds. A trigger notes every lease that overlaps with another
/// one of its account.
async fn many(stand: &Stand) {
    let ours = &stand.sellers.ours;
    let accounts = "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at,
        lane_state, lane_kind, lane_shared, lane_queue_url)
        select $1, 'AJIO', 'SHARED' || n, 'shared', now(), 'ACTIVE', 'SHARED', true, $2 from generate_series(1, $3::bigint) n";
    stand.superuser.execute(accounts, &[&ours.id, &stand.parallel_queue, &ACCOUNTS]).await.unwrap();
    let sql = "select id from robnu.marketplace_accounts where external_account_id like 'SHARED%'";
    for (number, row) in stand.superuser.query(sql, &[]).await.unwrap().iter().enumerate() {
        stand.seal_more(ours.id, row.get(0), &format!("DV{}", 100 + number)).await;
    }
    let watch = "create table public.overlaps (account_id uuid);
        create function public.watch() returns trigger language plpgsql security definer as $$
        begin
          insert into public.overlaps select new.account_id from robnu.sync_runs o
          where o.account_id = new.account_id and o.id <> new.id and o.state = 'RUNNING' and o.lease_expires_at >= now();
          return null;
        end $$;
        create trigger watch after update on robnu.sync_runs for each row
          when (new.state = 'RUNNING' and old.attempt <> new.attempt) execute function public.watch();
        insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, sent_at)
        select a.seller_id, a.id, 'AJIO', kind, 'API', now()
        from robnu.marketplace_accounts a, unnest(array['ORDERS', 'CREDENTIAL_CHECK']) kind where a.external_account_id like 'SHARED%'";
    stand.superuser.batch_execute(watch).await.unwrap();
    let runs = "select id, account_id, kind from robnu.sync_runs where account_id in
        (select id from robnu.marketplace_accounts where external_account_id like 'SHARED%')";
    for row in stand.superuser.query(runs, &[]).await.unwrap() {
        let job = Job {
            run_id: row.get(0),
            step: 0,
            generation: 0,
            seller_id: ours.id,
            account_id: row.get(1),
            marketplace: Ajio,
            kind: RunKind::from_stored(row.get(2)).unwrap(),
        };
        send(stand, &JobMessage::new(job).to_body()).await;
    }
}

async fn send(stand: &Stand, body: &str) {
    stand.sqs.send_message().queue_url(&stand.parallel_queue).message_body(body).send().await.unwrap();
}

/// Delivers messages of the parallel queue to a function, five at a time, until all runs have ended.
async fn deliver(stand: &Stand) {
    let function = stand.start(Ajio).await;
    let left =
        "select count(*) from robnu.sync_runs r join robnu.marketplace_accounts a on a.id = r.account_id
        where a.external_account_id like 'SHARED%' and r.state in ('QUEUED', 'RUNNING', 'WAITING')";
    while stand.superuser.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        let receive = stand.sqs.receive_message().queue_url(&stand.parallel_queue).max_number_of_messages(5);
        let messages = receive.wait_time_seconds(1).send().await.unwrap().messages.unwrap_or_default();
        if messages.is_empty() {
            continue;
        }
        let bodies: Vec<&str> = messages.iter().filter_map(|message| message.body()).collect();
        let event = stand.parallel_event(&bodies);
        let back = failed(function.invoke(event).await);
        assert!(back.is_empty(), "no message goes back: {back:?}");
        for message in &messages {
            let delete = stand.sqs.delete_message().queue_url(&stand.parallel_queue);
            delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_hundred_accounts_share_a_lane_and_each_keeps_its_order() {
    let mut stand = Stand::new(ajio(4)).await;
    stand.slice_seconds = 0;
    many(&stand).await;
    let functions: Vec<_> = (0..FUNCTIONS).map(|_| deliver(&stand)).collect();
    tokio::time::timeout(Duration::from_mins(5), futures_util::future::join_all(functions))
        .await
        .expect("all runs end without a sweep");
    let ended = "select count(*) filter (where state = 'SUCCEEDED'), count(*), (select count(*) from public.overlaps),
          count(*) filter (where generation > 0)
        from robnu.sync_runs r join robnu.marketplace_accounts a on a.id = r.account_id where a.external_account_id like 'SHARED%'";
    let row = stand.superuser.query_one(ended, &[]).await.unwrap();
    let count = |place| row.get::<_, i64>(place);
    assert_eq!((count(0), count(1)), (2 * ACCOUNTS, 2 * ACCOUNTS), "all runs have succeeded");
    assert_eq!(count(2), 0, "no two runs of an account were worked on at once");
    assert!(count(3) > 0, "some had to wait for their turn");
    let stored = "select count(*), count(distinct (o.account_id, o.external_order_id)) from robnu.orders o
        join robnu.marketplace_accounts a on a.id = o.account_id where a.external_account_id like 'SHARED%'";
    let row = stand.superuser.query_one(stored, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, i64>(1)),
        (4 * ACCOUNTS, 4 * ACCOUNTS),
        "each order is stored once"
    );
}
