//! A return that did not arrive in time gets one pending claim, and no other return gets one. A claim that is due soon is warned
//! of once.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::{World, claim_with, in_a_minute};
use robnu_tenancy::SellerId;
use sweep::claims::{BATCH, Report};
use tokio::time::Instant;

/// The tables that a claim sweep may change; everything else must stay as it is.
const WRITTEN: [&str; 5] = ["returns", "return_events", "claims", "claim_events", "audit_events"];

async fn sweep(world: &World) -> Report {
    claim_with(&world.context, in_a_minute()).await
}

const PAST: &str = "now() - interval '1 second'";
const FUTURE: &str = "now() + interval '1 hour'";
const NOTHING: &str = "reason = null";

/// The pending claims of a seller: return, status of the claim and of the return.
async fn pending(world: &World, seller: SellerId) -> String {
    world
        .text(&format!(
            "select coalesce(string_agg(concat_ws(' ', r.external_return_id, c.status, r.internal_status), '; '
               order by r.external_return_id), '')
             from robnu.claims c join robnu.returns r on r.seller_id = c.seller_id and r.id = c.return_id
             where c.seller_id = '{seller}' and c.status = 'PENDING'"
        ))
        .await
}

#[tokio::test]
async fn a_return_that_did_not_arrive_in_time_gets_a_pending_claim_with_all_its_events() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.put_return(ours.ajio, "LATE", PAST, NOTHING).await;
    world.put_return(theirs.amazon, "LATE", PAST, "currency = null, status = 'DELIVERED'").await;
    world.put_return(theirs.ajio, "EARLY", FUTURE, NOTHING).await;
    let report = sweep(&world).await;
    assert_eq!(report, Report { returns_found: 2, claims_made: 2, ..Report::default() });
    for seller in [ours.id, theirs.id] {
        assert_eq!(pending(&world, seller).await, "LATE PENDING CLAIM_PENDING");
    }
    let told = |sql: &str| sql.replace("$ours", &format!("'{}'", ours.id));
    let claim = "select concat_ws(' ', c.reason, c.currency, c.filed_at is null, c.account_id = r.account_id, c.claimed_amount is null)
        from robnu.claims c join robnu.returns r on r.id = c.return_id where c.seller_id = $ours and r.external_return_id = 'LATE'";
    assert_eq!(world.text(&told(claim)).await, "NOT_RECEIVED INR t t t");
    let steps = "select string_agg(concat_ws(' ', e.from_status, e.to_status, e.actor_kind, e.actor_id), '; ')
        from robnu.claim_events e join robnu.claims c on c.id = e.claim_id and c.status = 'PENDING' where e.seller_id = $ours";
    assert_eq!(world.text(&told(steps)).await, "PENDING SYSTEM");
    let events =
        "select string_agg(concat_ws(' ', e.event, e.from_status, e.to_status, e.actor_kind, e.actor_id), '; ')
        from robnu.return_events e join robnu.returns r on r.id = e.return_id where e.seller_id = $ours and r.external_return_id = 'LATE'";
    assert_eq!(world.text(&told(events)).await, "CLAIM_PENDING EXPECTED CLAIM_PENDING SYSTEM");
    let audited =
        "select string_agg(concat_ws(' ', action, actor_kind, actor_id, shown ->> 'status'), '; ' order by id)
        from robnu.audit_events where seller_id = $ours and action like 'claim.%' and shown ->> 'status' = 'PENDING'";
    assert_eq!(world.text(&told(audited)).await, "claim.created SYSTEM PENDING");
}

#[tokio::test]
async fn a_second_sweep_changes_nothing() {
    let world = World::without_lanes().await;
    world.put_return(world.sellers.ours.ajio, "LATE", PAST, NOTHING).await;
    assert_eq!(sweep(&world).await.claims_made, 1);
    let before = world.fingerprint(&WRITTEN).await;
    assert_eq!(sweep(&world).await, Report::default());
    assert_eq!(world.fingerprint(&WRITTEN).await, before);
}

#[tokio::test]
async fn a_return_that_arrived_is_cancelled_is_claimed_or_is_not_due_is_left_alone() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for seller in [ours, theirs] {
        world
            .put_return(seller.ajio, "CAME", PAST, "received_at = now(), internal_status = 'RECEIVED'")
            .await;
        world.put_return(seller.ajio, "CANCELLED", PAST, "status = 'CANCELLED'").await;
        world.put_return(seller.ajio, "EARLY", FUTURE, NOTHING).await;
    }
    // The fixture's returns are overdue and have a claim; whatever its status, there is only one claim.
    for status in ["FILED", "ACKNOWLEDGED", "RESOLVED_LOST", "CANCELLED", "PENDING"] {
        world.arrange(&format!("update robnu.claims set status = '{status}', status_reason = 'so'")).await;
        let before = world.fingerprint(&WRITTEN).await;
        assert_eq!(sweep(&world).await, Report::default(), "{status}");
        assert_eq!(world.fingerprint(&WRITTEN).await, before, "{status}");
    }
}

#[tokio::test]
async fn the_sweep_writes_nothing_but_claims_their_returns_and_their_traces() {
    let world = World::without_lanes().await;
    world.put_return(world.sellers.ours.ajio, "LATE", PAST, NOTHING).await;
    let others = world.tables_but(&WRITTEN).await;
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let before = world.fingerprint(&others).await;
    let returns = "select md5(string_agg(t::text || t.xmin, ',' order by id)) from robnu.returns t where external_return_id <> 'LATE'";
    let returns_before = world.text(returns).await;
    assert_eq!(sweep(&world).await.claims_made, 1);
    assert_eq!(world.fingerprint(&others).await, before);
    assert_eq!(world.text(returns).await, returns_before);
}

/// Runs both statements of a sweep in the transaction that lets a return fall due at `due`, and returns how many returns
/// they find and how many claims they make.
async fn at_the_boundary(due: &str) -> (usize, usize) {
    let world = World::without_lanes().await;
    let ours = &world.sellers.ours;
    let id = world.put_return(ours.ajio, "EDGE", FUTURE, NOTHING).await;
    let begin = format!(
        "begin; set local session_replication_role = replica; update robnu.returns set missing_at = {due}, pending_at = {due} where id = '{id}';
         set local session_replication_role = origin"
    );
    world.superuser.batch_execute(&begin).await.unwrap();
    let enter =
        |entry: &str| format!("reset role; set local session authorization robnu_sweep; select {entry}");
    world.superuser.batch_execute(&enter("robnu.enter_system('robnu_system_sweep')")).await.unwrap();
    let start = std::time::SystemTime::UNIX_EPOCH;
    let found = world.superuser.query(sweep::claims::FIND, &[&start, &ours.id, &id, &10_i64]).await.unwrap();
    let entry = format!("robnu.enter_sweep('{}')", ours.id);
    world.superuser.batch_execute(&enter(&entry)).await.unwrap();
    let claimed = world.superuser.query(sweep::claims::CLAIM, &[&vec![id]]).await.unwrap();
    world.superuser.batch_execute("rollback").await.unwrap();
    (found.len(), claimed.len())
}

#[tokio::test]
async fn a_return_is_overdue_from_the_instant_after_it_fell_due_on() {
    assert_eq!(at_the_boundary("now()").await, (0, 0));
    assert_eq!(at_the_boundary("now() - interval '1 microsecond'").await, (1, 1));
}

#[tokio::test]
async fn the_returns_of_a_suspended_seller_rest_until_it_is_resumed() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.put_return(ours.ajio, "LATE", PAST, NOTHING).await;
    world.put_return(theirs.ajio, "LATE", PAST, NOTHING).await;
    world.suspend(ours.id).await;
    assert_eq!(sweep(&world).await, Report { returns_found: 1, claims_made: 1, ..Report::default() });
    assert_eq!(pending(&world, ours.id).await, "");
    world.resume(ours.id).await;
    assert_eq!(sweep(&world).await, Report { returns_found: 1, claims_made: 1, ..Report::default() });
    assert_eq!(pending(&world, ours.id).await, "LATE PENDING CLAIM_PENDING");
}

#[tokio::test]
async fn a_paused_account_loses_no_claim() {
    let world = World::without_lanes().await;
    for status in ["PAUSED", "NEEDS_RECONNECT", "DISCONNECTED"] {
        world.run_sql("update robnu.marketplace_accounts set status = $1", &[&status]).await;
        world.put_return(world.sellers.ours.ajio, status, PAST, NOTHING).await;
        assert_eq!(sweep(&world).await.claims_made, 1, "{status}");
    }
}

#[tokio::test]
async fn two_sweeps_at_once_make_one_claim_for_each_return() {
    let world = World::without_lanes().await;
    many(&world, 300).await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(claim_with(&one, in_a_minute()), claim_with(&two, in_a_minute()));
    assert_eq!((one.sellers_failed, two.sellers_failed), (0, 0));
    // A sweep leaves a return that the other has locked; a third sweep finds any that both left.
    let rest = sweep(&world).await;
    assert_eq!(one.claims_made + two.claims_made + rest.claims_made, 600);
    assert_eq!(world.count("select count(*) from robnu.claims where status = 'PENDING'").await, 600);
    let events = "select count(*) from robnu.return_events where event = 'CLAIM_PENDING'";
    assert_eq!(world.count(events).await, 600);
}

#[tokio::test]
async fn a_return_that_is_being_scanned_is_left_to_the_scan() {
    let world = World::without_lanes().await;
    let id = world.put_return(world.sellers.ours.ajio, "NOW", PAST, NOTHING).await;
    world.put_return(world.sellers.ours.ajio, "LATE", PAST, NOTHING).await;
    let mut scanner = world.test.superuser().await;
    let scan = scanner.transaction().await.unwrap();
    scan.execute("select from robnu.returns where id = $1 for no key update", &[&id]).await.unwrap();
    assert_eq!(sweep(&world).await, Report { returns_found: 2, claims_made: 1, ..Report::default() });
    scan.rollback().await.unwrap();
    assert_eq!(sweep(&world).await.claims_made, 1, "the scan was rolled back");
}

#[tokio::test]
async fn a_claim_that_is_filed_at_the_same_moment_stays_and_so_does_its_return() {
    let world = World::without_lanes().await;
    let ours = &world.sellers.ours;
    let id = world.put_return(ours.ajio, "NOW", PAST, NOTHING).await;
    let mut member = world.test.superuser().await;
    let filing = member.transaction().await.unwrap();
    let file = "insert into robnu.claims (seller_id, return_id, account_id, reason) values ($1, $2, $3, 'NOT_RECEIVED')";
    filing.execute(file, &[&ours.id, &id, &ours.ajio]).await.unwrap();
    let commit = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        filing.commit().await.unwrap();
    };
    let (report, ()) = tokio::join!(sweep(&world), commit);
    assert_eq!(report, Report { returns_found: 1, ..Report::default() });
    let left = format!(
        "select internal_status || (select status from robnu.claims where return_id = r.id) from robnu.returns r where id = '{id}'"
    );
    assert_eq!(world.text(&left).await, "EXPECTEDFILED");
}

#[tokio::test]
async fn one_sellers_failure_does_not_hold_up_the_others() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.put_return(ours.ajio, "LATE", PAST, NOTHING).await;
    world.put_return(theirs.ajio, "LATE", PAST, NOTHING).await;
    let broken = format!("alter table robnu.claims add check (seller_id <> '{}') not valid", ours.id);
    world.superuser.batch_execute(&broken).await.unwrap();
    let report = sweep(&world).await;
    assert_eq!(report, Report { returns_found: 2, claims_made: 1, sellers_failed: 1, ..Report::default() });
    assert_eq!(pending(&world, theirs.id).await, "LATE PENDING CLAIM_PENDING");
    let left = "select internal_status from robnu.returns where external_return_id = 'LATE' and seller_id = ";
    assert_eq!(world.text(&format!("{left}'{}'", ours.id)).await, "EXPECTED", "all or nothing");
}

#[tokio::test]
async fn more_than_one_batch_is_swept_in_one_invocation() {
    let world = World::without_lanes().await;
    let each = i64::try_from(BATCH).unwrap() + 100;
    many(&world, each).await;
    let report = sweep(&world).await;
    let all = usize::try_from(2 * each).unwrap();
    assert_eq!(report, Report { returns_found: all, claims_made: all, ..Report::default() });
}

#[tokio::test]
async fn a_sweep_without_time_left_says_so_and_claims_nothing() {
    let world = World::without_lanes().await;
    world.put_return(world.sellers.ours.ajio, "LATE", PAST, NOTHING).await;
    let report = claim_with(&world.context, Instant::now()).await;
    assert_eq!(report, Report { time_short: true, ..Report::default() });
    assert_eq!(sweep(&world).await.claims_made, 1, "the next sweep does the rest");
}

#[tokio::test]
async fn work_that_found_no_time_is_done_by_the_next_invocations() {
    let world = World::without_lanes().await;
    many(&world, 600).await;
    // A moment more than the reserve: time for a batch or two, or for at least one on a slow machine.
    let (mut sweeps, mut made, mut moment) = (0, 0, 60);
    loop {
        let report = claim_with(&world.context, Instant::now() + Duration::from_millis(8_000 + moment)).await;
        (sweeps, made) = (sweeps + 1, made + report.claims_made);
        if !report.time_short {
            break;
        }
        if report.claims_made == 0 {
            moment += 20;
        }
        assert!(sweeps < 500, "no progress: {report:?}");
    }
    assert!(sweeps > 1, "time was too short at least once");
    assert_eq!(made, 1_200);
    assert_eq!(world.count("select count(*) from robnu.claims where status = 'PENDING'").await, 1_200);
}

/// Adds overdue returns, the same number for each seller.
async fn many(world: &World, each: i64) {
    world
        .arrange(&format!(
            "insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status,
               currency, initiated_at, missing_after_days, file_by_days, missing_at, pending_at)
             select seller_id, id, 'M' || n, 'RTO', 'IN_TRANSIT', 'x', 'INR', now() - interval '61 days', 60,
               array_fill(null::integer, array[6]), now() - interval '1 day', now() - interval '1 day'
             from robnu.marketplace_accounts, generate_series(1, {each}) n where marketplace_code = 'AJIO'"
        ))
        .await;
}
