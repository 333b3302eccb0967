//! A seller is warned once, in time, of each return for which a claim must still be filed, and of no other.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{World, claim_with, in_a_minute};
use robnu_tenancy::{AccountId, ReturnId, SellerId};
use sweep::claims::Report;

/// Completion so many hours ago, on a marketplace where a claim can be filed for seven days: the warning is due after 112 hours, a third of
/// the time before the end at 168.
const DUE: u32 = 113;
const NOT_DUE: u32 = 111;
const TOO_LATE: u32 = 169;

/// Adds a return that was completed so many hours ago, as a run stores it, with its triggers, and then changes it as `set` says.
async fn completed(world: &World, account: AccountId, number: &str, hours: u32, set: &str) -> ReturnId {
    let id = ReturnId::new();
    let sql = format!(
        "insert into robnu.returns (seller_id, id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at,
           delivered_at)
         select seller_id, '{id}', id, '{number}', 'CUSTOMER', 'DELIVERED', 'x', now() - interval '20 days', now() - interval '{hours} hours'
         from robnu.marketplace_accounts where id = '{account}'"
    );
    world.superuser.batch_execute(&sql).await.unwrap();
    world.arrange(&format!("update robnu.returns set {set} where id = '{id}'")).await;
    id
}

const NOTHING: &str = "reason = null";
/// It was received, so that the sweep makes no pending claim.
const RECEIVED: &str = "received_at = now(), internal_status = 'RECEIVED'";

async fn claim_for(world: &World, id: ReturnId, status: &str, filed_at: &str) {
    let sql = format!(
        "insert into robnu.claims (seller_id, return_id, account_id, reason, status, status_reason, filed_at)
         select seller_id, id, account_id, 'NOT_RECEIVED', '{status}', 'so', {filed_at} from robnu.returns where id = '{id}'"
    );
    world.arrange(&sql).await;
}

/// Returns of a seller with a warning, each with the number of its warnings and who gave them.
async fn warned(world: &World, seller: SellerId) -> String {
    let sql = "select coalesce(string_agg(told, '; ' order by told), '') from (
        select concat_ws(' ', r.external_return_id, count(*), min(e.actor_kind), bool_and(r.warned_at = e.occurred_at)) as told
        from robnu.return_events e join robnu.returns r on r.id = e.return_id
        where e.event = 'CLAIM_DUE_SOON' and e.seller_id = ";
    world.text(&format!("{sql}'{seller}' group by r.id, r.external_return_id) of_return")).await
}

async fn sweep(world: &World) -> Report {
    claim_with(&world.context, in_a_minute()).await
}

#[tokio::test]
async fn a_return_that_must_still_be_claimed_for_is_warned_of_once_before_its_deadline() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    completed(&world, ours.amazon, "DUE", DUE, RECEIVED).await;
    completed(
        &world,
        theirs.meesho,
        "DUE",
        DUE,
        "received_at = now(), internal_status = 'RECEIVED', condition = 'BAD'",
    )
    .await;
    completed(&world, ours.amazon, "NOT DUE", NOT_DUE, RECEIVED).await;
    completed(&world, ours.amazon, "TOO LATE", TOO_LATE, RECEIVED).await;
    // AJIO's deadline is unknown, and Flipkart's is after fourteen days.
    completed(&world, ours.ajio, "UNKNOWN", DUE, RECEIVED).await;
    completed(&world, ours.flipkart, "FOURTEEN", DUE, RECEIVED).await;
    let report = sweep(&world).await;
    assert_eq!(report, Report { due_soon_found: 2, warnings_given: 2, ..Report::default() });
    for seller in [ours.id, theirs.id] {
        assert_eq!(warned(&world, seller).await, "DUE 1 SYSTEM t");
    }
    let before = world.fingerprint(&["returns", "return_events"]).await;
    assert_eq!(sweep(&world).await, Report::default());
    assert_eq!(world.fingerprint(&["returns", "return_events"]).await, before);
    // Also when the marketplace corrects the completion afterwards.
    let correct = "set app.rights = 'ingest'; update robnu.returns set delivered_at = delivered_at + interval '1 minute'
        where external_return_id = 'DUE'; reset app.rights";
    world.superuser.batch_execute(correct).await.unwrap();
    assert_eq!(sweep(&world).await, Report::default());
}

#[tokio::test]
async fn what_needs_no_claim_is_not_warned_of_and_a_pending_claim_is_no_reason_to_be_silent() {
    let world = World::without_lanes().await;
    let ours = &world.sellers.ours;
    let good = "received_at = now(), internal_status = 'RECEIVED', condition = 'GOOD'";
    completed(&world, ours.amazon, "GOOD", DUE, good).await;
    completed(&world, ours.amazon, "CANCELLED", DUE, "status = 'CANCELLED'").await;
    for (number, status, filed_at) in [
        ("FILED", "FILED", "now()"),
        ("LOST", "RESOLVED_LOST", "now()"),
        ("DROPPED", "CANCELLED", "null"),
        ("PENDING", "PENDING", "null"),
        ("CAME", "REOPENED_WITH_EVIDENCE", "null"),
    ] {
        let id = completed(&world, ours.amazon, number, DUE, RECEIVED).await;
        claim_for(&world, id, status, filed_at).await;
    }
    assert_eq!(sweep(&world).await, Report { due_soon_found: 2, warnings_given: 2, ..Report::default() });
    assert_eq!(warned(&world, ours.id).await, "CAME 1 SYSTEM t; PENDING 1 SYSTEM t");
}

#[tokio::test]
async fn what_the_marketplace_calls_delivered_and_is_not_here_gets_its_pending_claim_before_the_deadline() {
    let world = World::without_lanes().await;
    let ours = &world.sellers.ours;
    completed(&world, ours.amazon, "NOT DUE", NOT_DUE, NOTHING).await;
    completed(&world, ours.amazon, "DUE", DUE, NOTHING).await;
    completed(&world, ours.amazon, "TOO LATE", TOO_LATE, NOTHING).await;
    let report = sweep(&world).await;
    let expected = Report {
        returns_found: 1,
        claims_made: 1,
        due_soon_found: 1,
        warnings_given: 1,
        ..Report::default()
    };
    assert_eq!(report, expected);
    let states = "select string_agg(concat_ws(' ', r.external_return_id, r.internal_status, c.status, c.file_by = r.file_by), '; ' order by r.external_return_id)
        from robnu.returns r left join robnu.claims c on c.return_id = r.id where r.external_return_id in ('NOT DUE', 'DUE', 'TOO LATE')";
    assert_eq!(world.text(states).await, "DUE CLAIM_PENDING PENDING t; NOT DUE EXPECTED; TOO LATE EXPECTED");
    assert_eq!(warned(&world, ours.id).await, "DUE 1 SYSTEM t");
    assert_eq!(sweep(&world).await, Report::default());
}

#[tokio::test]
async fn a_suspended_seller_is_not_warned_and_two_sweeps_at_once_warn_once() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for number in 0..50 {
        completed(&world, ours.amazon, &format!("A{number}"), DUE, RECEIVED).await;
    }
    completed(&world, theirs.amazon, "DUE", DUE, RECEIVED).await;
    world.suspend(theirs.id).await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(claim_with(&one, in_a_minute()), claim_with(&two, in_a_minute()));
    assert_eq!((one.sellers_failed, two.sellers_failed), (0, 0));
    let rest = sweep(&world).await;
    assert_eq!(one.warnings_given + two.warnings_given + rest.warnings_given, 50);
    let events = "select count(*) from robnu.return_events where event = 'CLAIM_DUE_SOON'";
    assert_eq!(world.count(events).await, 50);
    assert_eq!(warned(&world, theirs.id).await, "");
    world.resume(theirs.id).await;
    assert_eq!(sweep(&world).await.warnings_given, 1);
}

/// The sweep's role can mark a warning only where the table gives one, and changes nothing with it.
#[tokio::test]
async fn inside_a_seller_the_sweep_gives_no_warning_that_is_not_due() {
    let world = World::without_lanes().await;
    let ours = &world.sellers.ours;
    completed(&world, ours.amazon, "NOT DUE", NOT_DUE, RECEIVED).await;
    completed(&world, ours.amazon, "DUE", DUE, NOTHING).await;
    let filed = completed(&world, ours.amazon, "FILED", DUE, RECEIVED).await;
    claim_for(&world, filed, "FILED", "now()").await;
    completed(&world, world.sellers.theirs.amazon, "DUE", DUE, RECEIVED).await;
    for (sql, rows) in [
        ("update robnu.returns set warned_at = now(), internal_status = 'CLAIM_PENDING'", 0),
        ("update robnu.returns set warned_at = '2020-01-01Z'", 1),
        ("update robnu.returns set warned_at = now()", 0),
    ] {
        let raw = world.test.raw("robnu_sweep").await;
        raw.batch_execute(&format!("begin; select robnu.enter_sweep('{}')", ours.id)).await.unwrap();
        // The return that is due is overdue too, and the sweep may mark it so: alone.
        let sql = format!("{sql} where warn_at is not null");
        assert_eq!(raw.execute(&sql, &[]).await.unwrap(), rows, "{sql}");
        raw.batch_execute("commit").await.unwrap();
    }
    assert_eq!(warned(&world, ours.id).await, "DUE 1 SYSTEM t", "dated by the table");
    assert_eq!(warned(&world, world.sellers.theirs.id).await, "");
}
