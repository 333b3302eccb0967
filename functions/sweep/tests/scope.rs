//! What the sweep may not see or do, next to what it may.

mod kit;

use kit::World;
use robnu_tenancy::{Error, SystemScope};

macro_rules! refused {
    ($world:expr, $($sql:literal),+ $(,)?) => {$(
        let answer = $world.context.database.read(&SystemScope::Sweep, $sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{}: {answer:?}", $sql);
    )+};
}

#[tokio::test]
async fn the_sweep_finds_ids_and_times_of_both_sellers() {
    let world = World::new().await;
    let sql = "select seller_id, id, account_id, state, queued_at, next_attempt_at from robnu.sync_runs";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 2);
    let sql = "select id, status, lane_queue_url from robnu.marketplace_accounts";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 8);
    let sql = "select seller_id, suspended_at from robnu.sellers";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 2);
    let sql = "select seller_id, id, kms_key_id, lease_expires_at from robnu.seller_keys";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_sweep_cannot_read_business_data_people_or_secrets() {
    let world = World::new().await;
    refused!(
        world,
        "select id from robnu.orders",
        "select id from robnu.order_items",
        "select id from robnu.shipments",
        "select id from robnu.quarantined_records",
        "select id from robnu.raw_pages",
        "select page_enc from robnu.raw_pages",
        "select robnu.take_raw_pages(1, 1)",
        "select orders from robnu.order_days",
        "select orders from robnu.usage_notices",
        "select robnu.usage_news(gen_random_uuid())",
        "select robnu.note_usage()",
        "select password_enc from robnu.ajio_account_details",
        "select client_id from robnu.amazon_account_details",
        "select refresh_token_enc from robnu.flipkart_account_details",
        "select supplier_id from robnu.meesho_account_details",
        "select id from robnu.credential_events",
        "select wrapped_key from robnu.seller_keys",
        "update robnu.seller_keys set kms_key_id = 'other'",
        "update robnu.seller_keys set lease_expires_at = now()",
        "select name from robnu.sellers",
        "select id from robnu.members",
        "select email from robnu.people",
        "select error_message from robnu.sync_runs",
        "select page_position from robnu.sync_runs",
        "select quarantined from robnu.sync_runs",
        "select added from robnu.sync_run_counts",
        "select complete_until from robnu.watermarks",
        "select external_account_id from robnu.marketplace_accounts",
        "select display_name from robnu.marketplace_accounts",
        "select lane_mapping_id from robnu.marketplace_accounts",
    );
}

#[tokio::test]
async fn the_sweep_cannot_change_other_data() {
    let world = World::new().await;
    refused!(
        world,
        "update robnu.marketplace_accounts set status = 'ACTIVE'",
        "update robnu.marketplace_accounts set lane_queue_url = null",
        "update robnu.schedules set enabled = true",
        "update robnu.schedules set every_minutes = 1",
        "update robnu.sync_runs set attempt = 9",
        "update robnu.sync_runs set error_code = 'X'",
        "update robnu.sync_runs set step = 9",
        "delete from robnu.sync_runs",
        "delete from robnu.schedules",
        "delete from robnu.marketplace_accounts",
        "truncate robnu.sync_runs",
        "select robnu.enter_job(gen_random_uuid(), gen_random_uuid())",
        "select set_config('role', 'robnu_owner', true)",
        "select set_config('role', 'robnu_tenant', true)",
    );
}

#[tokio::test]
async fn the_sweep_cannot_enter_the_scope_of_lanes() {
    let world = World::new().await;
    let answer = world.context.database.read(&SystemScope::Lanes, "select 1", &[]).await;
    assert!(matches!(answer, Err(Error::Forbidden)), "{answer:?}");
}

#[tokio::test]
async fn without_a_scope_the_login_sees_nothing() {
    let world = World::new().await;
    let raw = world.test.raw("robnu_sweep").await;
    for table in ["schedules", "sync_runs", "marketplace_accounts", "orders"] {
        let error = raw.query(&format!("select seller_id from robnu.{table}"), &[]).await.unwrap_err();
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{table}");
    }
}

#[tokio::test]
async fn the_sweep_finds_overdue_returns_of_both_sellers_by_their_ids() {
    let world = World::without_lanes().await;
    world.put_return(world.sellers.ours.ajio, "EARLY", "now() + interval '1 day'", "reason = null").await;
    world
        .put_return(world.sellers.ours.ajio, "CANCELLED", "now() - interval '1 day'", "status = 'CANCELLED'")
        .await;
    let sql = "select seller_id, id, status, internal_status, condition, pending_at, file_by, warn_at, warned_at from robnu.returns";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 2);
    let sql = "select seller_id, return_id, status, filed_at from robnu.claims";
    assert_eq!(world.context.database.read(&SystemScope::Sweep, sql, &[]).await.unwrap().len(), 2);
    refused!(
        world,
        "select external_return_id from robnu.returns",
        "select order_id from robnu.returns",
        "select tracking_number from robnu.returns",
        "select reason from robnu.claims",
        "select claimed_amount from robnu.claims",
        "select id from robnu.return_events",
        "update robnu.returns set internal_status = 'CLAIM_PENDING'",
        "update robnu.returns set warned_at = now()",
        "insert into robnu.claims (seller_id, return_id, status, reason) select seller_id, id, 'PENDING', 'NOT_RECEIVED' from robnu.returns",
        "delete from robnu.claims",
        "select robnu.enter_sweep(gen_random_uuid())",
        "delete from robnu.idempotency_keys",
    );
}

/// Runs `sql` in our seller's scope, as a sweep, and returns the number of rows that it touched, or the SQLSTATE.
async fn inside(world: &World, sql: &str) -> Result<u64, String> {
    let raw = world.test.raw("robnu_sweep").await;
    let entry = format!("begin; select robnu.enter_sweep('{}')", world.sellers.ours.id);
    raw.batch_execute(&entry).await.expect("the sweep's own entry");
    let outcome = raw.execute(sql, &[]).await;
    outcome.map_err(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
}

#[tokio::test]
async fn inside_a_seller_the_sweep_makes_pending_claims_for_overdue_returns_and_nothing_else() {
    let world = World::without_lanes().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for seller in [ours, theirs] {
        world.put_return(seller.ajio, "LATE", "now() - interval '1 day'", "reason = null").await;
    }
    let early = world.put_return(ours.ajio, "EARLY", "now() + interval '1 day'", "reason = null").await;
    let came = "received_at = now(), internal_status = 'RECEIVED'";
    let came = world.put_return(ours.ajio, "CAME", "now() - interval '1 day'", came).await;
    let mark = "update robnu.returns set internal_status = 'CLAIM_PENDING'";
    assert_eq!(inside(&world, mark).await, Ok(2), "ours that are overdue: LATE and the fixture's");
    let claim = |seller: &str, id: &str, status: &str, reason: &str| {
        format!(
            "insert into robnu.claims (seller_id, return_id, status, reason) values ({seller}, '{id}', '{status}', '{reason}')"
        )
    };
    let late = |seller: robnu_tenancy::SellerId| {
        format!(
            "select id::text from robnu.returns where external_return_id = 'LATE' and seller_id = '{seller}'"
        )
    };
    let (our_late, their_late) = (world.text(&late(ours.id)).await, world.text(&late(theirs.id)).await);
    let us = format!("'{}'", ours.id);
    let pending = claim(&us, &our_late, "PENDING", "NOT_RECEIVED");
    assert_eq!(inside(&world, &pending).await, Ok(1));
    let (not_allowed, check) = (Err("42501".to_owned()), Err("23514".to_owned()));
    for (sql, outcome) in [
        (claim(&us, &our_late, "FILED", "NOT_RECEIVED"), &not_allowed),
        // The table's trigger rejects that before row level security does.
        (claim(&us, &our_late, "PENDING", "DAMAGED"), &check),
        (claim(&us, &early.to_string(), "PENDING", "NOT_RECEIVED"), &check),
        (claim(&us, &came.to_string(), "PENDING", "NOT_RECEIVED"), &check),
        (claim(&format!("'{}'", theirs.id), &their_late, "PENDING", "NOT_RECEIVED"), &not_allowed),
    ] {
        assert_eq!(&inside(&world, &sql).await, outcome, "{sql}");
    }
    let theirs_too = claim(&us, &their_late, "PENDING", "NOT_RECEIVED");
    assert!(inside(&world, &theirs_too).await.is_err(), "another seller's return");
    for sql in [
        "update robnu.returns set internal_status = 'EXPECTED'",
        "update robnu.returns set received_at = now()",
        "update robnu.returns set file_by = now()",
        "update robnu.returns set condition = 'GOOD'",
        "select id from robnu.unmatched_scans",
        "select id from robnu.seller_claim_terms",
        "update robnu.claims set status = 'FILED'",
        "insert into robnu.claims (seller_id, return_id, status, reason, claimed_amount) select seller_id, id, 'PENDING', 'NOT_RECEIVED', 1 from robnu.returns",
        "delete from robnu.claims",
        "delete from robnu.returns",
        "select order_id from robnu.returns",
        "select reason from robnu.claims",
        "select name from robnu.sellers",
        "select id from robnu.orders",
        "select id from robnu.members",
        "select id from robnu.people",
        "select id from robnu.marketplace_accounts",
        "select password_enc from robnu.ajio_account_details",
        "select id from robnu.audit_events",
        "select page_enc from robnu.raw_pages",
        "update robnu.raw_pages set page_enc = null",
        "insert into robnu.storage_objects (seller_id) select seller_id from robnu.sellers",
        "insert into robnu.return_events (seller_id, return_id) select seller_id, id from robnu.returns",
        "select created_at from robnu.seller_keys",
        "update robnu.seller_keys set id = gen_random_uuid()",
        "delete from robnu.seller_keys",
        "insert into robnu.seller_keys (seller_id, wrapped_key, kms_key_id) select seller_id, '\\x00', 'other' from robnu.sellers",
        "select robnu.enter_system('robnu_system_sweep')",
    ] {
        assert_eq!(inside(&world, sql).await, Err("42501".to_owned()), "{sql}");
    }
    let wrap =
        "update robnu.seller_keys set wrapped_key = '\\x01', kms_key_id = 'other', lease_expires_at = now()";
    assert_eq!(inside(&world, wrap).await, Ok(1), "only our data key");
    for (table, rows) in [("returns", 4), ("claims", 1), ("sellers", 1), ("seller_keys", 1)] {
        let sql = format!("select seller_id from robnu.{table}");
        assert_eq!(inside(&world, &sql).await, Ok(rows), "only ours: {table}");
    }
}

#[tokio::test]
async fn the_scope_entry_for_one_seller_is_for_the_sweep_and_needs_a_seller_that_is_not_suspended() {
    let world = World::without_lanes().await;
    let ours = world.sellers.ours.id;
    let enter = async |login: &str, seller: &str| {
        let raw = world.test.raw(login).await;
        let outcome = raw.batch_execute(&format!("begin; select robnu.enter_sweep({seller})")).await;
        outcome.map_err(|error| error.code().unwrap().code().to_owned())
    };
    let us = format!("'{ours}'");
    assert_eq!(enter("robnu_sweep", &us).await, Ok(()));
    for login in ["robnu_api", "robnu_adapter", "robnu_lanes"] {
        assert_eq!(enter(login, &us).await, Err("42501".to_owned()), "{login}");
        let raw = world.test.raw(login).await;
        for role in ["robnu_tenant_sweep", "robnu_system_retention"] {
            let error = raw.batch_execute(&format!("set role {role}")).await.unwrap_err();
            assert_eq!(error.code().unwrap().code(), "42501", "{login} becomes {role}");
        }
    }
    for nobody in ["null", "gen_random_uuid()"] {
        assert_eq!(enter("robnu_sweep", nobody).await, Err("RB003".to_owned()), "{nobody}");
    }
    world.suspend(ours).await;
    assert_eq!(enter("robnu_sweep", &us).await, Err("RB005".to_owned()));
    let theirs = format!("'{}'", world.sellers.theirs.id);
    assert_eq!(enter("robnu_sweep", &theirs).await, Ok(()));
}
