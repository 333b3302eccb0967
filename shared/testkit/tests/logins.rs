//! What SQL in a session of a login role could do to others. Forbidden statements are refused. A setting that a login makes for itself
//! does not reach the connection that a function opens next.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_tenancy::Limits;
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

const LOGINS: [&str; 6] =
    ["robnu_api", "robnu_adapter", "robnu_sweep", "robnu_lanes", "robnu_exporter", "robnu_redrive"];
/// Lock modes stronger than those of a scope's own INSERT and UPDATE.
const STRONG: [&str; 5] =
    ["share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive"];

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn no_login_and_no_scope_locks_a_table() {
    let test = TestDatabase::new().await;
    let superuser = test.superuser().await;
    let tables = "select oid::regclass::text from pg_class where relnamespace = 'robnu'::regnamespace and relkind in ('r', 'p', 'v')";
    let tables = texts(&superuser, tables).await;
    assert!(tables.len() > 30, "{tables:?}");
    let roles = "select rolname::text from pg_roles where rolname ~ '^robnu_' and rolname not in ('robnu_owner', 'robnu_master')";
    let roles = texts(&superuser, roles).await;
    assert!(roles.len() >= 11, "{roles:?}");
    for role in roles {
        for table in &tables {
            for mode in STRONG.iter().chain(&["row exclusive", "row share"]) {
                let sql = format!("begin; set local role {role}; lock table {table} in {mode} mode");
                let refused = superuser.batch_execute(&sql).await.expect_err(&sql);
                assert_eq!(refused.code().unwrap().code(), "42501", "{sql}");
                superuser.batch_execute("rollback").await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_setting_that_a_login_makes_for_itself_does_not_reach_a_function() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let database = test.name();
    // The settings are for this database only, because roles belong to the whole cluster.
    for (name, value) in [
        ("statement_timeout", "1"),
        ("transaction_timeout", "1"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("search_path", "pg_temp"),
        ("default_transaction_read_only", "on"),
        ("default_transaction_isolation", "serializable"),
        ("row_security", "off"),
        ("plan_cache_mode", "force_custom_plan"),
        ("enable_bitmapscan", "on"),
        ("enable_seqscan", "on"),
        ("role", "robnu_staff"),
    ] {
        // The login could do this itself. A superuser's session does it here, because some settings would stop the login's session.
        let sql = format!(
            "begin; set local role robnu_api; alter role robnu_api in database {database} set {name} = '{value}'; commit"
        );
        superuser.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let api = test.login("robnu_api").await;
    let scope = sellers.ours.scope("OWNER");
    let mut session = api.session(&scope).await.unwrap();
    session.query("update robnu.sellers set name = 'renamed'", &[]).await.unwrap();
    for (name, value) in Limits::of_login("robnu_api").settings() {
        // The scope sets its own role for the transaction.
        if name == "role" {
            continue;
        }
        let held = "select setting from pg_settings where name = $1";
        let held: String = session.query_one(held, &[&name]).await.unwrap().get(0);
        assert_eq!(held, value, "{name}");
    }
    session.commit().await.unwrap();
}

#[tokio::test]
async fn the_roles_have_the_same_limits_as_the_functions() {
    let test = TestDatabase::new().await;
    for login in LOGINS {
        let client = test.raw(login).await;
        for (name, value) in Limits::of_login(login).settings() {
            // pg_settings does not list `role`.
            let sql =
                "select coalesce((select setting from pg_settings where name = $1), current_setting($1))";
            let by_hand: String = client.query_one(sql, &[&name]).await.unwrap().get(0);
            assert_eq!(by_hand, value, "{login}: {name}");
        }
    }
}

/// Statements that no login may run, whatever role it becomes.
const CLOSED: [&str; 11] = [
    "create temporary table shadow (id integer)",
    "create table robnu.shadow (id integer)",
    "create schema shadow",
    "create function robnu.shadow() returns integer language sql return 1",
    "alter role robnu_adapter password 'x'",
    "alter role robnu_owner set search_path = public",
    "alter role robnu_api connection limit 0",
    "alter database postgres set search_path = public",
    "set session_replication_role = replica",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    "select pg_read_file('PG_VERSION')",
];

#[tokio::test]
async fn a_login_reaches_no_other_role_or_file_and_creates_nothing() {
    let test = TestDatabase::new().await;
    let client = test.raw("robnu_api").await;
    for role in ["none", "robnu_tenant", "robnu_person", "robnu_staff"] {
        for sql in CLOSED {
            client.batch_execute(&format!("begin; set local role {role}")).await.unwrap();
            let refused = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(refused.code().unwrap().code(), "42501", "{role}: {sql}: {refused:?}");
            client.batch_execute("rollback").await.unwrap();
        }
    }
}

#[tokio::test]
async fn admitting_tells_a_login_no_more_than_entering() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    // Only logins that may enter a scope may execute its admit function, so no scope can ask about others.
    let sql = "select p.proname || ': ' || r.rolname from pg_proc p cross join pg_roles r
        where p.pronamespace = 'robnu'::regnamespace and p.proname ~ '^admit_' and r.rolname ~ '^robnu_'
          and r.rolname not in ('robnu_owner', 'robnu_master') and has_function_privilege(r.oid, p.oid, 'execute')
          and not exists (
            select from pg_proc e where e.pronamespace = p.pronamespace
              and e.proname = replace(p.proname, 'admit_', 'enter_') and has_function_privilege(r.oid, e.oid, 'execute'))";
    assert_eq!(texts(&superuser, sql).await, [""; 0]);
    let api = test.raw("robnu_api").await;
    let admit =
        format!("select robnu.admit_member('OWNER@{0}', '{0}', 'read', false, true)", sellers.theirs.id);
    api.batch_execute(&format!("begin; {admit}")).await.unwrap();
    let refused = api.batch_execute("select from robnu.orders").await.expect_err("no role was entered");
    assert_eq!(refused.code().unwrap().code(), "42501");
}
