//! What is stuck: each thing once, whose, since when and why, and nothing that goes on or rests.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use redrive::{Answer, StuckThings};
use robnu_marketplace::kind::RunKind;
use robnu_testkit::Seller;
use serde_json::{Value, json};

async fn stuck(world: &World, request: Value) -> StuckThings {
    match world.ask("stuck", request).await {
        Answer::Stuck(things) => things,
        other => panic!("{other:?}"),
    }
}

/// What, kind and why of everything that is stuck, oldest first.
async fn said(world: &World, request: Value) -> Vec<String> {
    let things = stuck(world, request).await;
    let kind = |kind: Option<String>| kind.unwrap_or_else(|| "-".to_owned());
    things
        .stuck
        .into_iter()
        .map(|thing| format!("{} {} {}", thing.what, kind(thing.kind), thing.why))
        .collect()
}

/// A run of the seller's AJIO account with these SQL values.
async fn run(world: &World, seller: &Seller, kind: RunKind, columns: &str, values: &str) {
    world.unsent_run(seller, kind, columns, values).await;
}

/// Changes the seller's account at this marketplace.
async fn account(world: &World, seller: &Seller, marketplace: &str, change: &str) {
    let sql = format!(
        "update robnu.marketplace_accounts set {change} where seller_id = $1 and marketplace_code = $2"
    );
    world.sql(&sql, &[&seller.id, &marketplace]).await;
}

async fn schedule(world: &World, seller: &Seller, age: &str) {
    let sql = format!(
        "update robnu.schedules set next_due_at = now() - interval '{age}' where seller_id = $1 and account_id = $2"
    );
    world.sql(&sql, &[&seller.id, &seller.ajio]).await;
}

/// An announced import of the seller's AJIO account without a run.
async fn import(world: &World, seller: &Seller, age: &str) {
    let sql = format!(
        "with file as (
           insert into robnu.storage_objects (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key,
             file_name, state)
           values ($1, uuidv7(- interval '{age}'), $2, 'IMPORT', 'AJIO', 'bucket', 'text/csv', 3, sha256('{age}'), 'alias/key', 'o.csv', 'AWAITED')
           returning id)
         insert into robnu.imports (seller_id, id, account_id) select $1, id, $2 from file"
    );
    world.sql(&sql, &[&seller.id, &seller.ajio]).await;
}

async fn export(world: &World, seller: &Seller, change: &str) {
    let sql = format!("update robnu.exports set {change} where id = $1");
    world.sql(&sql, &[&seller.export]).await;
}

#[tokio::test]
async fn nothing_is_stuck_that_goes_on() {
    let world = World::new().await;
    for seller in [&world.sellers.ours, &world.sellers.theirs] {
        let ago = "now() - interval '40 minutes', now() - interval '20 minutes'";
        run(&world, seller, RunKind::Orders, "queued_at, sent_at", ago).await;
        let values = "'RUNNING', now() + interval '1 minute', now() - interval '5 hours', 4";
        let columns = "state, lease_expires_at, queued_at, fruitless_attempts";
        run(&world, seller, RunKind::Listings, columns, values).await;
        let values = "'WAITING', now() + interval '5 hours', now() - interval '5 hours', 'rate_limited'";
        run(&world, seller, RunKind::Returns, "state, next_attempt_at, queued_at, error_code", values).await;
        let values = "now() - interval '5 hours', now(), 'rate_limited'";
        run(&world, seller, RunKind::Payouts, "queued_at, sent_at, error_code", values).await;
        schedule(&world, seller, "10 minutes").await;
        account(
            &world,
            seller,
            "AMAZON_IN",
            "lane_state = 'REQUESTED', status_since = now() - interval '3 days', lane_checked_at = now()",
        )
        .await;
        import(&world, seller, "40 minutes").await;
        export(
            &world,
            seller,
            "state = 'QUEUED', lease_expires_at = null, queued_at = now() - interval '5 hours'",
        )
        .await;
    }
    assert_eq!(stuck(&world, json!({})).await, StuckThings::default());
}

#[tokio::test]
async fn each_thing_that_is_stuck_is_listed_once_and_the_oldest_first() {
    let world = World::new().await;
    let seller = &world.sellers.ours;
    account(
        &world,
        seller,
        "FLIPKART",
        "status = 'NEEDS_RECONNECT', refused_since = now() - interval '9 days'",
    )
    .await;
    account(&world, seller, "MEESHO", "status = 'PAUSED'").await;
    account(&world, seller, "MEESHO", "status_since = now() - interval '8 days'").await;
    let lost = "verified_at = now() - interval '9 days', lane_state = 'RETIRED', status_since = now() - interval '7 days'";
    account(&world, seller, "AMAZON_IN", lost).await;
    let failing = "'WAITING', now() + interval '1 hour', now() - interval '6 days', 5, 'http_500'";
    let columns = "state, next_attempt_at, queued_at, fruitless_attempts, error_code";
    run(&world, seller, RunKind::Orders, columns, failing).await;
    let crashing = "now() - interval '5 days', now(), 7";
    run(&world, seller, RunKind::Returns, "queued_at, sent_at, fruitless_attempts", crashing).await;
    run(&world, seller, RunKind::Listings, "queued_at, sent_at", "now() - interval '4 days', now()").await;
    run(&world, seller, RunKind::Processing, "queued_at", "now() - interval '3 days'").await;
    run(&world, seller, RunKind::Payouts, "state, next_attempt_at", "'WAITING', now() - interval '2 days'")
        .await;
    let left = "'RUNNING', now() - interval '30 hours'";
    run(&world, seller, RunKind::CredentialCheck, "state, lease_expires_at", left).await;
    schedule(&world, seller, "10 hours").await;
    import(&world, seller, "9 hours").await;
    let waits = "state = 'QUEUED', started_at = null, lease_expires_at = null, queued_at = now() - interval '8 hours'";
    export(&world, seller, waits).await;
    let expected = [
        "ACCOUNT_NEEDS_RECONNECT - credentials_refused",
        "ACCOUNT_PAUSED - paused_by_seller",
        "LANE_MISSING - lane_retired",
        "RUN_FAILING ORDERS http_500",
        "RUN_FAILING RETURNS no_progress",
        "RUN_NOT_TAKEN LISTINGS not_received",
        "RUN_NOT_TAKEN PROCESSING not_published",
        "RUN_NOT_TAKEN PAYOUTS not_published",
        "RUN_NOT_TAKEN CREDENTIAL_CHECK lease_expired",
        "SCHEDULE_OVERDUE ORDERS not_claimed",
        "IMPORT_NOT_TAKEN FILE_IMPORT not_begun",
        "EXPORT_NOT_TAKEN orders not_received",
    ];
    assert_eq!(said(&world, json!({})).await, expected);
    // Two of its marketplace are under way.
    let limit = "update robnu.marketplaces set runs_at_once = 1 where code = 'AJIO'";
    world.sql(limit, &[]).await;
    let expected = expected.map(|line| line.replace("not_published", "limit_reached"));
    assert_eq!(said(&world, json!({})).await, expected);
    let things = stuck(&world, json!({})).await;
    assert!(things.stuck.iter().all(|thing| thing.seller_id == Some(seller.id)), "{things:?}");
    let since: Vec<i64> =
        things.stuck.iter().map(|thing| (chrono::Utc::now() - thing.since).num_hours()).collect();
    assert_eq!(since, [216, 192, 168, 144, 120, 96, 72, 48, 30, 10, 9, 8]);
}

#[tokio::test]
async fn an_export_that_fails_over_and_over_or_was_left_is_stuck() {
    let world = World::new().await;
    export(&world, &world.sellers.ours, "fruitless_attempts = 5").await;
    export(&world, &world.sellers.theirs, "lease_expires_at = now() - interval '20 minutes'").await;
    let mut said = said(&world, json!({})).await;
    said.sort();
    assert_eq!(said, ["EXPORT_FAILING orders no_progress", "EXPORT_NOT_TAKEN orders lease_expired"]);
}

#[tokio::test]
async fn what_rests_for_a_listed_reason_is_not_listed_again() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for seller in [ours, theirs] {
        let old = "now() - interval '3 days', 9";
        run(&world, seller, RunKind::Orders, "queued_at, fruitless_attempts", old).await;
        schedule(&world, seller, "3 days").await;
        import(&world, seller, "3 days").await;
    }
    account(&world, ours, "AJIO", "status = 'PAUSED'").await;
    let sql =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    world.sql(sql, &[&theirs.id]).await;
    assert_eq!(
        said(&world, json!({})).await,
        ["ACCOUNT_PAUSED - paused_by_seller", "SELLER_SUSPENDED - suspended"]
    );
}

#[tokio::test]
async fn a_hold_is_listed_and_what_it_holds_is_not() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for seller in [ours, theirs] {
        let old = "now() - interval '3 days', 9";
        run(&world, seller, RunKind::Orders, "queued_at, fruitless_attempts", old).await;
        import(&world, seller, "3 days").await;
    }
    account(&world, ours, "AMAZON_IN", "held_at = now() - interval '1 day', hold_reason = 'a fault'").await;
    let sql = "update robnu.marketplaces set held_at = now(), hold_reason = 'Asha asked' where code = 'AJIO'";
    world.sql(sql, &[]).await;
    let (account, marketplace) = ("ACCOUNT_HELD - held_by_operator", "MARKETPLACE_HELD - held_by_operator");
    assert_eq!(said(&world, json!({})).await, [account, marketplace]);
    let of = |seller: &Seller| json!({"filter": {"seller_id": seller.id}});
    assert_eq!(said(&world, of(theirs)).await, [marketplace]);
    assert_eq!(said(&world, json!({"filter": {"account_id": ours.amazon}})).await, [account]);
    let text = serde_json::to_string(&stuck(&world, json!({})).await).unwrap();
    assert!(!text.contains("Asha"), "{text}");
    let Answer::Lanes(lanes) = world.ask("lanes", of(ours)).await else { panic!("lanes") };
    let held: Vec<_> = lanes.lanes.iter().filter(|lane| lane.is_held).map(|lane| lane.account_id).collect();
    assert_eq!(held.len(), 2);
    assert!(held.contains(&ours.ajio) && held.contains(&ours.amazon));
}

#[tokio::test]
async fn dead_letters_are_counted_by_account_kind_and_reason() {
    let world = World::new().await;
    let mut first = None;
    for seller in [&world.sellers.ours, &world.sellers.theirs] {
        let (job, letter) = world.dead_run(seller, RunKind::Orders, "").await;
        first = first.or(Some(letter));
        world.letter(&job).await;
        world.dead_run(seller, RunKind::Returns, "").await;
    }
    let things = stuck(&world, json!({})).await;
    let rows: Vec<_> =
        things.stuck.iter().map(|thing| (thing.seller_id, thing.kind.as_deref(), thing.count)).collect();
    let (ours, theirs) = (Some(world.sellers.ours.id), Some(world.sellers.theirs.id));
    let (orders, returns) = (Some("ORDERS"), Some("RETURNS"));
    assert_eq!(rows, [(ours, orders, 2), (ours, returns, 1), (theirs, orders, 2), (theirs, returns, 1)]);
    assert_eq!(things.stuck[0].id.map(|id| id.to_string()), first.map(|id| id.to_string()));
    assert!(things.stuck.iter().all(|thing| thing.why == "TOO_MANY_RECEIVES" && thing.what == "DEAD_LETTER"));
}

#[tokio::test]
async fn what_is_stuck_is_found_by_its_seller_its_account_and_its_marketplace() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for seller in [ours, theirs] {
        run(&world, seller, RunKind::Orders, "queued_at", "now() - interval '3 days'").await;
        schedule(&world, seller, "3 days").await;
        import(&world, seller, "3 days").await;
        world.dead_run(seller, RunKind::Listings, "").await;
        account(&world, seller, "AMAZON_IN", "status = 'PAUSED'").await;
        export(&world, seller, "fruitless_attempts = 5").await;
    }
    assert_eq!(stuck(&world, json!({})).await.stuck.len(), 12);
    let of_seller = stuck(&world, json!({"filter": {"seller_id": theirs.id}})).await;
    assert_eq!(of_seller.stuck.len(), 6);
    assert!(of_seller.stuck.iter().all(|thing| thing.seller_id == Some(theirs.id)), "{of_seller:?}");
    let of_account = stuck(&world, json!({"filter": {"account_id": ours.ajio}})).await;
    assert_eq!(of_account.stuck.len(), 4);
    assert!(of_account.stuck.iter().all(|thing| thing.account_id == Some(ours.ajio)), "{of_account:?}");
    let of_amazon = said(&world, json!({"filter": {"marketplace": "AMAZON_IN"}})).await;
    assert_eq!(of_amazon, ["ACCOUNT_PAUSED - paused_by_seller"; 2]);
}

#[tokio::test]
async fn a_long_list_is_cut_and_says_how_much_it_leaves_out() {
    let world = World::new().await;
    for seller in [&world.sellers.ours, &world.sellers.theirs] {
        for marketplace in ["AJIO", "AMAZON_IN", "FLIPKART", "MEESHO"] {
            account(&world, seller, marketplace, "status = 'PAUSED'").await;
        }
    }
    account(&world, &world.sellers.theirs, "MEESHO", "status_since = now() - interval '1 day'").await;
    let things = stuck(&world, json!({"limit": 3})).await;
    assert_eq!((things.stuck.len(), things.left_out, things.at_least), (3, 5, false));
    assert_eq!(things.stuck[0].seller_id, Some(world.sellers.theirs.id));
}

#[tokio::test]
async fn more_than_a_thousand_things_of_a_sort_are_not_counted() {
    let world = World::new().await;
    let sql =
        "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, queued_at)
        select $1, $2, 'AJIO', 'FILE_IMPORT', 'FILE', now() - interval '1 day' from generate_series(1, 1001)";
    world.sql(sql, &[&world.sellers.ours.id, &world.sellers.ours.ajio]).await;
    let things = stuck(&world, json!({})).await;
    assert_eq!((things.stuck.len(), things.left_out, things.at_least), (100, 900, true));
}
