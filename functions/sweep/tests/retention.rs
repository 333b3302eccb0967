//! Expired bookkeeping rows are deleted, for all sellers and persons; young rows and everything else stay.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{World, forget_with, in_a_minute};
use robnu_tenancy::{Error, SystemScope};
use sweep::retention::{BATCH, Report};
use tokio::time::Instant;

/// The swept tables, their age column, and how long a row is kept.
const SWEPT: [(&str, &str, &str); 12] = [
    ("idempotency_keys", "created_at", "25 hours"),
    ("person_idempotency_keys", "created_at", "25 hours"),
    ("account_authorizations", "expires_at", "1 hour"),
    ("request_counts", "window_start", "1 hour"),
    ("person_requests", "window_start", "25 hours"),
    ("mail_counts", "latest_at", "25 hours"),
    ("lane_openings", "opened_at", "25 hours"),
    ("sign_up_counts", "began_at", "25 hours"),
    ("credential_checks", "created_at", "192 hours"),
    ("quarantined_records", "last_seen_at", "30 days"),
    ("raw_pages", "last_seen_at", "30 days"),
    ("dead_letters", "closed_at", "90 days"),
];

async fn sweep(world: &World) -> Report {
    forget_with(&world.context, in_a_minute()).await
}

/// Fills the swept tables with `each` rows for each seller, or twice as many for persons, all of one age: the time that a
/// row is kept plus `more`. Every second authorization was used.
async fn rows_of_age(world: &World, each: usize, more: &str) {
    let tables = SWEPT.map(|(table, _, _)| format!("delete from robnu.{table}")).join("; ");
    let twice = 2 * each;
    world
        .arrange(&format!(
            "{tables};
             insert into robnu.idempotency_keys (seller_id, actor_id, key_hash, request_digest, status, body, created_at)
               select seller_id, uuidv7(), sha256(n::text::bytea), sha256('r'), 201, '{{}}', now() - interval '25 hours' - interval '{more}'
               from robnu.sellers, generate_series(1, {each}) n;
             insert into robnu.person_idempotency_keys (subject, key_hash, request_digest, status, body, created_at)
               select 'somebody', sha256(n::text::bytea), sha256('r'), 201, '{{}}', now() - interval '25 hours' - interval '{more}'
               from generate_series(1, {twice}) n;
             insert into robnu.account_authorizations (seller_id, actor_id, state_hash, marketplace_code, display_name, created_at, expires_at, used_at)
               select seller_id, uuidv7(), sha256(n::text::bytea), 'AMAZON_IN', 'x', now() - interval '2 days',
                 now() - interval '1 hour' - interval '{more}', case when n % 2 = 0 then now() - interval '2 hours' end
               from robnu.sellers, generate_series(1, {each}) n;
             insert into robnu.request_counts (seller_id, person_id, window_start, requests)
               select seller_id, uuidv7(), now() - interval '1 hour' - interval '{more}', 1 from robnu.sellers, generate_series(1, {each});
             insert into robnu.person_requests (subject, window_start, requests)
               select 'person ' || n, now() - interval '25 hours' - interval '{more}', 1 from generate_series(1, {twice}) n;
             insert into robnu.mail_counts (kind, key_hash, mailed_at, latest_at)
               select 'PERSON', sha256(n::text::bytea), '{{}}', now() - interval '25 hours' - interval '{more}'
               from generate_series(1, {twice}) n;
             insert into robnu.lane_openings (seller_id, account_id, is_repeated, opened_at)
               select seller_id, id, n > 2, now() - interval '25 hours' - interval '{more}'
               from robnu.marketplace_accounts, generate_series(1, {each}) n where marketplace_code = 'AJIO';
             insert into robnu.sign_up_counts (digest, began_at, sign_ups)
               select sha256(n::text::bytea), now() - interval '25 hours' - interval '{more}', 1 from generate_series(1, {twice}) n;
             insert into robnu.credential_checks (marketplace_code, account_id, actor_id, created_at)
               select 'AJIO', uuidv7(), uuidv7(), now() - interval '192 hours' - interval '{more}' from generate_series(1, {twice});
             insert into robnu.quarantined_records (seller_id, account_id, run_id, reason, record_enc, record_digest, last_seen_at)
               select seller_id, account_id, id, 'x', '', sha256(n::text::bytea), now() - interval '30 days' - interval '{more}'
               from robnu.sync_runs, generate_series(1, {each}) n;
             insert into robnu.raw_pages (seller_id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder,
                 page_digest, object_id, stored_at, last_seen_at)
               select seller_id, account_id, 'AJIO', id, 'ORDERS', 1, 1, now(), '2026-01-01/00', sha256(n::text::bytea), uuidv7(), now(),
                 now() - interval '30 days' - interval '{more}'
               from robnu.sync_runs, generate_series(1, {each}) n;
             insert into robnu.dead_letters (queue, message_id, source, form, body, body_bytes, reason, sent_at, state, outcome, closed_at,
                 closed_by)
               select 'q', n::text, 'AJIO', 'UNREADABLE', 'x', 1, 'garbage', now() - interval '1 year', 'REDRIVEN', 'MOVED_ON',
                 now() - interval '90 days' - interval '{more}', 'asha'
               from generate_series(1, {twice}) n"
        ))
        .await;
}

async fn counts(world: &World) -> [i64; 12] {
    let mut counts = [0; 12];
    for (count, (table, _, _)) in counts.iter_mut().zip(SWEPT) {
        *count = world.count(&format!("select count(*) from robnu.{table}")).await;
    }
    counts
}

fn all(rows: usize) -> Report {
    Report {
        idempotency_keys: rows,
        person_idempotency_keys: rows,
        account_authorizations: rows,
        request_counts: rows,
        person_requests: rows,
        mail_counts: rows,
        lane_openings: rows,
        quarantined_records: rows,
        raw_pages: rows,
        dead_letters: rows,
        customers: 0,
        sign_up_counts: rows,
        credential_checks: rows,
        job_events: 0,
        audit_events: 0,
        time_short: false,
    }
}

#[tokio::test]
async fn expired_rows_are_deleted_for_both_sellers_and_a_second_sweep_changes_nothing() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 3, "1 second").await;
    assert_eq!(sweep(&world).await, all(6));
    assert_eq!(counts(&world).await, [0; 12]);
    assert_eq!(sweep(&world).await, all(0));
}

#[tokio::test]
async fn young_rows_stay_as_they_are() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 3, "-1 minute").await;
    let swept = SWEPT.map(|(table, _, _)| table);
    let before = world.fingerprint(&swept).await;
    assert_eq!(sweep(&world).await, all(0));
    assert_eq!(world.fingerprint(&swept).await, before);
    assert_eq!(counts(&world).await, [6; 12]);
}

#[tokio::test]
async fn nothing_else_is_touched() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 3, "300 days").await;
    world.arrange("update robnu.invitations set created_at = '2020-01-01', expires_at = '2020-01-02'").await;
    let others = world.tables_but(&SWEPT.map(|(table, _, _)| table)).await;
    assert!(others.len() > 25, "{others:?}");
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let before = world.fingerprint(&others).await;
    assert_eq!(sweep(&world).await, all(6));
    assert_eq!(
        world.fingerprint(&others).await,
        before,
        "an expired invitation is history, and so is the trail"
    );
}

/// What the role itself may do without the sweep's statements, at the instant at which rows are exactly `more` too old.
async fn behind_the_entry(world: &World, more: &str, sql: &str) -> Result<u64, String> {
    let age = |(table, column, serves): (&str, &str, &str)| {
        format!("update robnu.{table} set {column} = now() - interval '{serves}' - interval '{more}'")
    };
    let begin = format!(
        "begin; set local session_replication_role = replica; {}; set local session_replication_role = origin;
         set local session authorization robnu_sweep; select robnu.enter_system('robnu_system_retention')",
        SWEPT.map(age).join("; ")
    );
    world.superuser.batch_execute(&begin).await.unwrap();
    let outcome = world.superuser.execute(sql, &[]).await;
    world.superuser.batch_execute("rollback").await.unwrap();
    outcome.map_err(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
}

#[tokio::test]
async fn the_database_deletes_no_young_row() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 2, "0").await;
    for (table, _, _) in SWEPT {
        for (more, rows) in [("0", 0), ("-1 microsecond", 0), ("1 microsecond", 4)] {
            let sql = format!("select from generate_series(1, robnu.forget('{table}', 100))");
            assert_eq!(behind_the_entry(&world, more, &sql).await, Ok(rows), "{more}: {sql}");
        }
    }
}

#[tokio::test]
async fn the_sweep_reads_nothing_writes_nothing_and_names_no_other_table() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 2, "0").await;
    let not_allowed = Err("42501".to_owned());
    let columns = "select table_name::text, column_name::text from information_schema.columns where table_schema = 'robnu' and is_generated = 'NEVER'";
    for row in world.superuser.query(columns, &[]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        for sql in [
            format!("select {column} from robnu.{table}"),
            format!("update robnu.{table} set {column} = null"),
            format!("delete from robnu.{table}"),
        ] {
            assert_eq!(behind_the_entry(&world, "1 day", &sql).await, not_allowed, "{sql}");
        }
        if SWEPT.iter().all(|(name, _, _)| *name != table) {
            let forget = format!("select robnu.forget('{table}', 100)");
            assert_eq!(behind_the_entry(&world, "1 day", &forget).await, Err("20000".to_owned()), "{forget}");
        }
    }
    let insert = "insert into robnu.person_requests (subject, window_start, requests) values ('x', now(), 1)";
    let answer = world.context.database.read(&SystemScope::Retention, insert, &[]).await;
    assert!(matches!(answer, Err(Error::Forbidden)), "{answer:?}");
}

#[tokio::test]
async fn two_sweeps_at_once_share_the_work() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 600, "1 hour").await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(forget_with(&one, in_a_minute()), forget_with(&two, in_a_minute()));
    assert_eq!(counts(&world).await, [0; 12]);
    assert_eq!(one.idempotency_keys + two.idempotency_keys, 1_200);
    assert_eq!(one.person_requests + two.person_requests, 1_200);
}

#[tokio::test]
async fn a_row_that_is_in_use_is_left() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 2, "1 hour").await;
    let mut member = world.test.superuser().await;
    let request = member.transaction().await.unwrap();
    let again = "update robnu.idempotency_keys set created_at = now() where ctid = (select min(ctid) from robnu.idempotency_keys)";
    request.execute(again, &[]).await.unwrap();
    assert_eq!(sweep(&world).await.idempotency_keys, 3);
    request.commit().await.unwrap();
    assert_eq!(sweep(&world).await.idempotency_keys, 0, "the row is needed again");
    assert_eq!(counts(&world).await, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn more_than_one_batch_is_swept_in_one_invocation() {
    let world = World::without_lanes().await;
    rows_of_age(&world, BATCH + 1, "1 hour").await;
    assert_eq!(sweep(&world).await, all(2 * BATCH + 2));
    assert_eq!(counts(&world).await, [0; 12]);
}

#[tokio::test]
async fn a_sweep_without_time_left_says_so_and_the_next_one_goes_on() {
    let world = World::without_lanes().await;
    rows_of_age(&world, 3, "1 hour").await;
    let report = forget_with(&world.context, Instant::now()).await;
    assert_eq!(report, Report { time_short: true, ..all(0) });
    assert_eq!(counts(&world).await, [6; 12]);
    assert_eq!(sweep(&world).await, all(6));
}

#[tokio::test]
async fn the_trail_is_kept_for_nine_years_and_openings_by_jobs_for_400_days() {
    let world = World::without_lanes().await;
    // The fixture's other events are old.
    sweep(&world).await;
    world
        .arrange(
            "insert into robnu.audit_events (seller_id, actor_kind, action, occurred_at)
             select s.seller_id, kind, 'of ' || age, now() - age::interval + interval '1 minute' * young
             from robnu.sellers s, unnest(array['MEMBER', 'STAFF', 'PERSON', 'SYSTEM', 'JOB']) kind,
               unnest(array['400 days', '9 years']) age, unnest(array[-1, 1]) young",
        )
        .await;
    let others = "select count(*) from robnu.audit_events where action !~ '^of'";
    let before = world.count(others).await;
    assert_eq!(sweep(&world).await, Report { job_events: 2 * 3, audit_events: 2 * 4, ..Report::default() });
    for (kept, rows) in [
        ("actor_kind <> 'JOB' and action = 'of 400 days'", 2 * 4 * 2),
        ("actor_kind <> 'JOB' and action = 'of 9 years'", 2 * 4),
        ("actor_kind = 'JOB' and action = 'of 400 days'", 2),
        ("actor_kind = 'JOB' and action = 'of 9 years'", 0),
    ] {
        assert_eq!(
            world.count(&format!("select count(*) from robnu.audit_events where {kept}")).await,
            rows,
            "{kept}"
        );
    }
    assert_eq!(world.count(others).await, before, "the fixture's own");
    assert_eq!(sweep(&world).await, Report::default());
}

#[tokio::test]
async fn nobody_but_that_sweep_deletes_from_the_trail() {
    let world = World::without_lanes().await;
    let refused = Err("42501".to_owned());
    for sql in [
        "delete from robnu.audit_events",
        "update robnu.audit_events set occurred_at = now() - interval '10 years'",
        "select occurred_at from robnu.audit_events",
    ] {
        assert_eq!(behind_the_entry(&world, "0", sql).await, refused, "{sql}");
    }
    let may = "select string_agg(r.rolname, ' ' order by r.rolname) from pg_roles r
               where r.rolname ~ '^robnu_' and r.rolname not in ('robnu_owner', 'robnu_master')
                 and has_function_privilege(r.oid, 'robnu.forget(text, bigint)', 'execute')";
    let may: Option<String> = world.superuser.query_one(may, &[]).await.unwrap().get(0);
    assert_eq!(may.as_deref(), Some("robnu_system_retention"));
}
