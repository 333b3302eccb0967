//! What the lanes function may not see or do, next to what it may.

mod kit;

use kit::World;
use robnu_tenancy::{Error, SystemScope};

macro_rules! refused {
    ($world:expr, $($sql:literal),+ $(,)?) => {$(
        let answer = $world.context.database.read(&SystemScope::Lanes, $sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{}: {answer:?}", $sql);
    )+};
}

#[tokio::test]
async fn lanes_finds_accounts_and_runs_of_both_sellers() {
    let world = World::new().await;
    let sql = "select seller_id, id, status, lane_state, lane_mapping_id from robnu.marketplace_accounts";
    assert_eq!(world.context.database.read(&SystemScope::Lanes, sql, &[]).await.unwrap().len(), 8);
    let sql = "select id, state, step, generation, sent_at from robnu.sync_runs";
    assert_eq!(world.context.database.read(&SystemScope::Lanes, sql, &[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn lanes_cannot_read_business_data_people_or_secrets() {
    let world = World::new().await;
    refused!(
        world,
        "select id from robnu.orders",
        "select id from robnu.order_items",
        "select id from robnu.shipments",
        "select id from robnu.quarantined_records",
        "select password_enc from robnu.ajio_account_details",
        "select client_id from robnu.amazon_account_details",
        "select refresh_token_enc from robnu.flipkart_account_details",
        "select supplier_id from robnu.meesho_account_details",
        "select id from robnu.credential_events",
        "select wrapped_key from robnu.seller_keys",
        "select name from robnu.sellers",
        "select id from robnu.members",
        "select email from robnu.people",
        "select id from robnu.schedules",
        "select error_message from robnu.sync_runs",
        "select page_position from robnu.sync_runs",
        "select quarantined from robnu.sync_runs",
        "select added from robnu.sync_run_counts",
        "select external_account_id from robnu.marketplace_accounts",
        "select display_name from robnu.marketplace_accounts",
        "select complete_until from robnu.watermarks",
    );
}

#[tokio::test]
async fn lanes_cannot_change_other_data() {
    let world = World::new().await;
    refused!(
        world,
        "update robnu.marketplace_accounts set status = 'ACTIVE'",
        "update robnu.watermarks set complete_until = now()",
        "update robnu.marketplace_accounts set display_name = 'x'",
        "update robnu.sync_runs set state = 'QUEUED'",
        "update robnu.sync_runs set step = 9",
        "update robnu.sync_runs set queued_at = now()",
        "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
           select seller_id, id, marketplace_code, 'ORDERS', 'API' from robnu.marketplace_accounts",
        "delete from robnu.sync_runs",
        "delete from robnu.marketplace_accounts",
        "truncate robnu.marketplace_accounts",
        "select robnu.enter_job(gen_random_uuid(), gen_random_uuid())",
        "select set_config('role', 'robnu_owner', true)",
        "select set_config('role', 'robnu_tenant', true)",
    );
}

#[tokio::test]
async fn lanes_cannot_enter_the_scope_of_the_sweep() {
    let world = World::new().await;
    let answer = world.context.database.read(&SystemScope::Sweep, "select 1", &[]).await;
    assert!(matches!(answer, Err(Error::Forbidden)), "{answer:?}");
}

#[tokio::test]
async fn without_a_scope_the_login_sees_nothing() {
    let world = World::new().await;
    let raw = world.test.raw("robnu_lanes").await;
    for table in ["schedules", "sync_runs", "marketplace_accounts", "orders"] {
        let error = raw.query(&format!("select seller_id from robnu.{table}"), &[]).await.unwrap_err();
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{table}");
    }
}
