//! How each marketplace is doing: one that is down and a seller who floods are seen in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use redrive::{Answer, FoundMarketplace, FoundMarketplaces};
use robnu_marketplace::kind::RunKind;
use serde_json::json;

/// A world without runs.
async fn empty_world() -> World {
    let world = World::new().await;
    world.sql("alter table robnu.sync_runs disable trigger all", &[]).await;
    world.sql("delete from robnu.sync_runs", &[]).await;
    world
}

async fn marketplaces(world: &World) -> FoundMarketplaces {
    match world.ask("marketplaces", json!({})).await {
        Answer::Marketplaces(found) => found,
        other => panic!("{other:?}"),
    }
}

async fn ajio(world: &World) -> FoundMarketplace {
    let found = marketplaces(world).await.marketplaces;
    found.into_iter().find(|found| found.marketplace == "AJIO").unwrap()
}

#[tokio::test]
async fn every_marketplace_is_listed_with_its_accounts_also_when_nothing_happens() {
    let world = empty_world().await;
    let sql = "update robnu.marketplace_accounts set status = $2 where id = $1";
    world.sql(sql, &[&world.sellers.ours.ajio, &"NEEDS_RECONNECT"]).await;
    world.sql(sql, &[&world.sellers.theirs.meesho, &"DISCONNECTED"]).await;
    let found = marketplaces(&world).await;
    let accounts: Vec<_> = found
        .marketplaces
        .iter()
        .map(|m| (m.marketplace.as_str(), m.accounts, m.active_accounts, m.accounts_to_reconnect))
        .collect();
    let expected = [("AJIO", 2, 1, 1), ("AMAZON_IN", 2, 2, 0), ("FLIPKART", 2, 2, 0), ("MEESHO", 1, 1, 0)];
    assert_eq!(accounts, expected);
    assert!(found.busiest.is_empty() && found.marketplaces.iter().all(|m| m.oldest_waiting.is_none()));
}

#[tokio::test]
async fn a_marketplace_that_is_down_shows_its_error_and_the_run_that_waits_longest() {
    let world = empty_world().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let columns = "state, next_attempt_at, queued_at, error_code";
    let wait = |age: &str, error: &str| format!("'WAITING', now(), now() - interval '{age}', '{error}'");
    let oldest = world.unsent_run(theirs, RunKind::Orders, columns, &wait("70 minutes", "http_503")).await;
    world.unsent_run(ours, RunKind::Orders, columns, &wait("60 minutes", "http_503")).await;
    world.unsent_run(ours, RunKind::Returns, columns, &wait("2 minutes", "rate_limited")).await;
    let running = "'RUNNING', now() + interval '1 minute', now() - interval '9 hours'";
    world.unsent_run(ours, RunKind::Listings, "state, lease_expires_at, queued_at", running).await;
    world.unsent_run(ours, RunKind::Payouts, "queued_at", "now()").await;
    world.dead_run(ours, RunKind::Processing, "").await;
    for (state, error) in
        [("FAILED", "'not_permitted'"), ("FAILED", "'not_permitted'"), ("SUCCEEDED", "null")]
    {
        let values = format!("'{state}', {error}, now()");
        world.unsent_run(theirs, RunKind::Returns, "state, error_code, finished_at", &values).await;
    }
    let ajio = ajio(&world).await;
    assert_eq!((ajio.queued, ajio.running, ajio.waiting, ajio.dead_letters), (1, 1, 3, 1));
    assert_eq!((ajio.runs_with_error, ajio.commonest_error.as_deref()), (3, Some("http_503")));
    assert_eq!((ajio.succeeded, ajio.failed, ajio.failed_of.as_deref()), (1, 2, Some("not_permitted")));
    assert_eq!(ajio.made, 9);
    let waiting = ajio.oldest_waiting.unwrap();
    assert_eq!((waiting.run_id, waiting.account_id), (oldest.run_id, theirs.ajio));
    assert_eq!((waiting.kind.as_str(), waiting.error_code.as_deref()), ("ORDERS", Some("http_503")));
}

#[tokio::test]
async fn a_run_that_rests_is_not_the_oldest_that_waits() {
    let world = empty_world().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.unsent_run(ours, RunKind::Orders, "queued_at", "now() - interval '9 days'").await;
    world.unsent_run(theirs, RunKind::Orders, "queued_at", "now() - interval '1 minute'").await;
    let waiting = async || ajio(&world).await.oldest_waiting.map(|oldest| oldest.account_id);
    assert_eq!(waiting().await, Some(ours.ajio));
    let paused = "update robnu.marketplace_accounts set status = 'PAUSED' where id = $1";
    world.sql(paused, &[&ours.ajio]).await;
    assert_eq!(waiting().await, Some(theirs.ajio));
    let suspended =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    world.sql(suspended, &[&theirs.id]).await;
    assert_eq!(waiting().await, None);
    let sql = "update robnu.marketplaces set held_at = now(), hold_reason = 'a fault' where code = 'AJIO'";
    world.sql(sql, &[]).await;
    assert!(ajio(&world).await.held_at.is_some());
}

#[tokio::test]
async fn the_account_that_floods_stands_first_among_the_busiest() {
    let world = empty_world().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.unsent_run(ours, RunKind::Orders, "queued_at", "now() - interval '9 hours'").await;
    let flood =
        "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, queued_at)
        select $1, $2, 'AJIO', 'FILE_IMPORT', 'FILE', now() - interval '1 hour' from generate_series(1, 40)";
    world.sql(flood, &[&theirs.id, &theirs.ajio]).await;
    world.unsent_run(theirs, RunKind::Orders, "queued_at", "now()").await;
    let busiest = marketplaces(&world).await.busiest;
    let counts: Vec<_> =
        busiest.iter().map(|b| (b.account_id, b.live_runs, b.of_files, b.live_runs_of_seller)).collect();
    assert_eq!(counts, [(theirs.ajio, 41, 40, 41), (ours.ajio, 1, 0, 1)]);
    assert!(busiest.iter().all(|account| account.oldest_waiting.is_some()));
}
