//! An import whose notice was lost is begun once, whatever sweeps run at the same time, and no import before its time.

mod kit;

use std::time::Duration;

use kit::{World, sweep_with, try_sweep};
use robnu_dispatch::JobMessage;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::ImportId;
use robnu_testkit::Seller;
use tokio::time::Instant;

/// An import of `seller`'s AJIO account that was announced so long ago.
async fn announce(world: &World, seller: &Seller, ago: &str) -> ImportId {
    let sql = format!(
        "with object as (
           insert into robnu.storage_objects
             (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key, file_name)
           select $1, uuidv7(interval '-{ago}'), $2, 'IMPORT', 'AJIO', 'bucket', 'text/csv', 3, sha256('csv'), 'key', 'orders.csv'
           returning seller_id, id, account_id)
         insert into robnu.imports (seller_id, id, account_id) select seller_id, id, account_id from object returning id"
    );
    world.row(&sql, &[&seller.id, &seller.ajio]).await.get(0)
}

/// The state of an import's run, if it has one.
async fn run_of(world: &World, import: ImportId) -> Option<String> {
    let sql = "select r.kind || ' ' || r.state || ' ' || (r.sent_at is not null)
      from robnu.imports i left join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id where i.id = $1";
    world.row(sql, &[&import]).await.get(0)
}

#[tokio::test]
async fn an_import_whose_notice_was_lost_is_begun_once_and_no_other_is() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("delete from robnu.import_changes", &[]).await;
    world.run_sql("delete from robnu.imports", &[]).await;
    let queue = standard_queue(&world).await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let lost = announce(&world, ours, "31 minutes").await;
    let awaited = announce(&world, ours, "29 minutes").await;
    let suspended = announce(&world, theirs, "31 minutes").await;
    world.suspend(theirs.id).await;
    let (one, other) = (world.context_with_parallel(&queue).await, world.context_with_parallel(&queue).await);
    let (one, other) = tokio::join!(sweep_with(&one), sweep_with(&other));
    assert_eq!((one.imports_begun + other.imports_begun, one.published + other.published), (1, 1));
    assert_eq!(run_of(&world, lost).await.as_deref(), Some("FILE_IMPORT QUEUED true"));
    assert_eq!((run_of(&world, awaited).await, run_of(&world, suspended).await), (None, None));
    let heard = world.sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await;
    let messages = heard.expect("the queue can be read").messages.unwrap_or_default();
    assert_eq!(messages.len(), 1);
    let job = JobMessage::parse(messages[0].body().expect("a body")).expect("a job").into_job();
    assert_eq!((job.kind, job.seller_id, job.account_id), (RunKind::FileImport, ours.id, ours.ajio));
    world.resume(theirs.id).await;
    let report = sweep_with(&world.context_with_parallel(&queue).await).await;
    assert_eq!((report.imports_begun, report.published), (1, 1), "the other seller's waited for its seller");
}

#[tokio::test]
async fn an_import_of_a_held_account_is_begun_after_the_hold() {
    let world = World::new().await;
    world.nothing_is_due().await;
    let queue = standard_queue(&world).await;
    world.run_sql("delete from robnu.import_changes", &[]).await;
    world.run_sql("delete from robnu.imports", &[]).await;
    let import = announce(&world, &world.sellers.ours, "31 minutes").await;
    let hold = "update robnu.marketplace_accounts set held_at = now(), hold_reason = 'a fault' where id = $1";
    world.run_sql(hold, &[&world.sellers.ours.ajio]).await;
    let context = world.context_with_parallel(&queue).await;
    assert_eq!(sweep_with(&context).await.imports_begun, 0);
    assert_eq!(run_of(&world, import).await, None);
    let let_go = "update robnu.marketplace_accounts set held_at = null, hold_reason = null where id = $1";
    world.run_sql(let_go, &[&world.sellers.ours.ajio]).await;
    let report = sweep_with(&context).await;
    assert_eq!((report.imports_begun, report.published), (1, 1));
}

#[tokio::test]
async fn an_import_that_could_not_be_published_is_published_later() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("delete from robnu.import_changes", &[]).await;
    world.run_sql("delete from robnu.imports", &[]).await;
    let import = announce(&world, &world.sellers.ours, "31 minutes").await;
    // There is no queue at all.
    let report = sweep_with(&world.another_context().await).await;
    assert_eq!((report.imports_begun, report.published, report.send_failures), (1, 0, 1));
    assert_eq!(run_of(&world, import).await.as_deref(), Some("FILE_IMPORT QUEUED false"));
    world
        .run_sql(
            "update robnu.sync_runs set queued_at = now() - interval '1 minute' where kind = 'FILE_IMPORT'",
            &[],
        )
        .await;
    let queue = standard_queue(&world).await;
    let report = sweep_with(&world.context_with_parallel(&queue).await).await;
    assert_eq!((report.imports_begun, report.republished, report.send_failures), (0, 1, 0));
    assert_eq!(run_of(&world, import).await.as_deref(), Some("FILE_IMPORT QUEUED true"));
}

/// The marketplace's parallel queue.
async fn standard_queue(world: &World) -> String {
    let name = format!("robnu-test-{}-ajio-parallel", ImportId::new());
    let made = world.sqs.create_queue().queue_name(name).send().await;
    made.expect("the local cloud makes queues").queue_url.expect("a queue has a URL")
}

#[tokio::test]
async fn a_sweep_that_stays_because_runs_are_held_back_looks_for_imports_once() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("delete from robnu.import_changes", &[]).await;
    world.run_sql("delete from robnu.imports", &[]).await;
    let queue = standard_queue(&world).await;
    let context = world.context_with_parallel(&queue).await;
    world
        .run_sql(
            "update robnu.schedules set next_due_at = now() where account_id = $1",
            &[&world.sellers.ours.ajio],
        )
        .await;
    // The other seller's run takes the only place.
    world.run_sql("update robnu.marketplaces set runs_at_once = 1", &[]).await;
    let theirs = &world.sellers.theirs;
    let busy = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, lease_expires_at)
        values ($1, $2, 'AJIO', 'RETURNS', 'SCHEDULE', 'RUNNING', now() + interval '1 hour')";
    world.run_sql(busy, &[&theirs.id, &theirs.ajio]).await;
    let late = async {
        // The sweep has looked once when the schedule has its run.
        while world.count("select count(*) from robnu.sync_runs where trigger = 'SCHEDULE' and state = 'QUEUED' and sent_at is null").await == 0 {
            tokio::task::yield_now().await;
        }
        announce(&world, &world.sellers.ours, "31 minutes").await
    };
    let deadline = Instant::now() + Duration::from_secs(12);
    let (report, lost) = tokio::join!(try_sweep(&context, "scheduling", deadline), late);
    let Ok(sweep::Report::Scheduling(report)) = report else { panic!("{report:?}") };
    assert!(report.held_back, "it stayed");
    assert_eq!((report.imports_begun, run_of(&world, lost).await), (0, None));
    world.run_sql("update robnu.marketplaces set runs_at_once = 100", &[]).await;
    assert_eq!(sweep_with(&context).await.imports_begun, 1);
}
