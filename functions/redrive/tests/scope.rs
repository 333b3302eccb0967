//! What the redrive function may not see or do, next to what it may.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use robnu_tenancy::{Error, SystemScope};

macro_rules! refused {
    ($world:expr, $($sql:literal),+ $(,)?) => {$(
        let answer = $world.context.database.read(&SystemScope::Redrive, $sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{}: {answer:?}", $sql);
    )+};
}

#[tokio::test]
async fn the_redrive_finds_runs_of_both_sellers_by_ids_and_states() {
    let world = World::new().await;
    let sql = "select seller_id, id, state, step, generation from robnu.sync_runs";
    let rows = world.context.database.read(&SystemScope::Redrive, sql, &[]).await;
    assert_eq!(rows.expect("it may").len(), 2);
}

#[tokio::test]
async fn the_redrive_reads_no_business_data_people_or_secrets() {
    let world = World::new().await;
    refused!(
        world,
        "select id from robnu.orders",
        "select id from robnu.returns",
        "select order_id from robnu.order_pii",
        "select id from robnu.quarantined_records",
        "select password_enc from robnu.ajio_account_details",
        "select wrapped_key from robnu.seller_keys",
        "select name from robnu.sellers",
        "select id from robnu.members",
        "select email from robnu.people",
        "select recognised_as from robnu.imports",
        "select file_name from robnu.storage_objects",
        "select filters from robnu.exports",
        "select requested_by from robnu.exports",
        "select complete_until from robnu.watermarks",
        "select id from robnu.audit_events",
        "select page_position from robnu.sync_runs",
        "select error_message from robnu.sync_runs",
        "select complete_until from robnu.sync_runs",
        "select external_account_id from robnu.marketplace_accounts",
        "select display_name from robnu.marketplace_accounts",
    );
}

#[tokio::test]
async fn the_redrive_changes_no_other_data() {
    let world = World::new().await;
    refused!(
        world,
        "update robnu.marketplace_accounts set status = 'ACTIVE'",
        "update robnu.marketplaces set status = 'ACTIVE'",
        "select hold_reason from robnu.marketplace_accounts",
        "update robnu.hold_actions set operator = 'x'",
        "delete from robnu.hold_actions",
        "update robnu.sellers set suspended_at = null",
        "update robnu.schedules set enabled = false",
        "update robnu.imports set run_id = null",
        "update robnu.exports set state = 'QUEUED'",
        "update robnu.sync_run_counts set added = 9",
        "update robnu.sync_runs set step = 9",
        "update robnu.sync_runs set attempt = 9",
        "update robnu.sync_runs set page_position = null",
        "update robnu.dead_letters set body = 'x'",
        "update robnu.dead_letters set seller_id = null",
        "update robnu.dead_letter_actions set operator = 'x'",
        "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
           select seller_id, id, marketplace_code, 'ORDERS', 'API' from robnu.marketplace_accounts",
        "delete from robnu.sync_runs",
        "delete from robnu.dead_letters",
        "delete from robnu.dead_letter_actions",
        "truncate robnu.dead_letters",
        "select robnu.forget('dead_letters', 1)",
        "select robnu.enter_job(gen_random_uuid(), gen_random_uuid())",
        "select set_config('role', 'robnu_owner', true)",
        "select set_config('role', 'robnu_tenant', true)",
        "select set_config('role', 'robnu_system_sweep', true)",
    );
}

#[tokio::test]
async fn no_seller_sees_a_dead_letter() {
    let world = World::new().await;
    let api = world.test.login("robnu_api").await;
    for sql in [
        "select id from robnu.dead_letters",
        "select id from robnu.dead_letter_actions",
        "select id from robnu.dead_letter_prospects(null, null, null, null, null, null, null, null)",
    ] {
        let answer = api.read(&world.sellers.ours.scope("OWNER"), sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{sql}: {answer:?}");
    }
}
