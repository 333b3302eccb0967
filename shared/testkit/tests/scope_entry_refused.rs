//! An entry function keeps nothing that was set before it, and its transaction leaves nothing behind. A caller whom it refuses, or who
//! became a role without it, sees nothing.
//!
//! The tests use raw connections, so that they see the work of the entry functions and none of the pool's.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

const SETTINGS: [&str; 6] = [
    "app.current_seller_id",
    "app.current_subject",
    "app.rights",
    "app.actor_kind",
    "app.actor_id",
    "app.impersonation_session",
];

/// Every entry function, with its login.
async fn entries(sellers: &TwoSellers, superuser: &Client) -> Vec<(&'static str, String)> {
    let (seller, account, export) = (sellers.ours.id, sellers.ours.ajio, sellers.ours.export);
    let sql = "select id::text from robnu.impersonation_sessions where seller_id = $1";
    let session: String = superuser.query_one(sql, &[&seller]).await.unwrap().get(0);
    vec![
        ("robnu_api", format!("select robnu.enter_member('OWNER@{seller}', '{seller}', '', true)")),
        (
            "robnu_api",
            format!("select robnu.enter_impersonation('STAFF', '{session}', '{seller}', '', false)"),
        ),
        ("robnu_api", "select robnu.enter_person('somebody')".to_owned()),
        ("robnu_api", "select robnu.enter_staff('STAFF')".to_owned()),
        ("robnu_adapter", format!("select robnu.enter_job('{seller}', '{account}')")),
        ("robnu_sweep", "select robnu.enter_system('robnu_system_sweep')".to_owned()),
        ("robnu_sweep", "select robnu.enter_system('robnu_system_retention')".to_owned()),
        ("robnu_sweep", "select robnu.enter_system('robnu_system_closing')".to_owned()),
        ("robnu_sweep", format!("select robnu.enter_sweep('{seller}')")),
        ("robnu_lanes", "select robnu.enter_system('robnu_system_lanes')".to_owned()),
        ("robnu_exporter", "select robnu.enter_system('robnu_system_exports')".to_owned()),
        ("robnu_redrive", "select robnu.enter_system('robnu_system_redrive')".to_owned()),
        ("robnu_exporter", format!("select robnu.enter_exporter('{seller}', '{export}')")),
        ("robnu_exporter", format!("select robnu.enter_export('{seller}', '{export}', 'read')")),
    ]
}

async fn setting(client: &Client, name: &str) -> String {
    let row = client.query_one("select coalesce(current_setting($1, true), '')", &[&name]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn no_scope_entry_leaves_anything_behind() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    for (login, entry) in entries(&sellers, &test.superuser().await).await {
        let client = test.raw(login).await;
        for end in ["commit", "rollback"] {
            client.batch_execute(&format!("begin; {entry}")).await.unwrap();
            let entered: String = client.query_one("select current_user::text", &[]).await.unwrap().get(0);
            assert_ne!(entered, login, "{entry} changes the role");
            client.batch_execute(end).await.unwrap();
            let left: String = client.query_one("select current_user::text", &[]).await.unwrap().get(0);
            assert_eq!(left, login, "{entry} leaves its role behind after {end}");
            for name in SETTINGS {
                assert_eq!(setting(&client, name).await, "", "{entry} leaves {name} behind after {end}");
            }
        }
    }
}

#[tokio::test]
async fn a_scope_entry_clears_earlier_settings() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let forged = "00000000-0000-7000-8000-000000000bad";
    for (login, entry) in entries(&sellers, &test.superuser().await).await {
        let client = test.raw(login).await;
        client.batch_execute("begin").await.unwrap();
        for name in SETTINGS {
            client.execute("select set_config($1, $2, true)", &[&name, &forged]).await.unwrap();
        }
        client.batch_execute(&entry).await.unwrap();
        for name in SETTINGS {
            assert_ne!(setting(&client, name).await, forged, "{entry} keeps the earlier {name}");
        }
        client.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn no_other_scope_can_be_entered_inside_a_scope() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let entries = entries(&sellers, &test.superuser().await).await;
    for (login, entry) in &entries {
        let client = test.raw(login).await;
        for (_, other) in &entries {
            client.batch_execute(&format!("begin; {entry}")).await.unwrap();
            let refused = client.batch_execute(other).await.expect_err(other);
            assert_eq!(
                refused.code().map(tokio_postgres::error::SqlState::code),
                Some("42501"),
                "{entry}, then {other}"
            );
            client.batch_execute("rollback").await.unwrap();
        }
    }
}

/// The subjects with whose settings, which anybody can make, a session of `robnu_api` becomes the staff role without entering: a
/// member, a stranger, and a former staff member.
const NOT_STAFF: [&str; 3] = ["OWNER@", "a stranger", "FORMER"];

#[tokio::test]
async fn a_session_that_takes_the_staff_role_without_being_staff_sees_and_changes_nothing() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let former = "insert into robnu.staff (subject, removed_at) values ('FORMER', now())";
    test.superuser().await.batch_execute(former).await.unwrap();
    let client = test.raw("robnu_api").await;
    let as_staff = async |subject: &str, sql: &str| {
        let subject = subject.replace('@', &format!("@{}", sellers.ours.id));
        let enter = format!("set local role robnu_staff; set local app.current_subject = '{subject}'");
        client.batch_execute(&format!("begin; {enter}")).await.unwrap();
        let answer = client.execute(sql, &[]).await;
        client.batch_execute("rollback").await.unwrap();
        answer.map_err(|error| error.code().unwrap().code().to_owned())
    };
    for sql in [
        "select seller_id from robnu.sellers",
        "select seller_id from robnu.impersonation_sessions",
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'no reason'",
        "update robnu.impersonation_sessions set ended_at = now()",
        "insert into robnu.impersonation_sessions (seller_id, staff_id, reason, role, expires_at)
         select s.seller_id, a.id, 'no reason', 'ADMIN', now() + interval '1 hour' from robnu.sellers s, robnu.staff a",
    ] {
        for subject in NOT_STAFF {
            assert_eq!(as_staff(subject, sql).await, Ok(0), "{subject} gets through: {sql}");
        }
        assert_eq!(as_staff("", sql).await, Err("RB003".to_owned()), "nobody gets through: {sql}");
        assert_eq!(as_staff("STAFF", sql).await, Ok(2), "{sql}");
    }
}

/// The entry functions: login, name and arguments without a default. They are read from the catalogue, so that a future one is tried too.
const ENTRIES: &str = "select l.rolname::text, p.proname::text, p.proargnames[1:p.pronargs - p.pronargdefaults]
    from pg_proc p join pg_roles l on l.rolcanlogin and l.rolname ~ '^robnu_' and has_function_privilege(l.oid, p.oid, 'execute')
    where p.pronamespace = 'robnu'::regnamespace and p.proname ~ '^enter_'
      and l.rolname <> 'robnu_master'
    order by 1, 2";

#[tokio::test]
async fn no_scope_is_entered_with_a_null_argument() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let (seller, account, export) = (sellers.ours.id, sellers.ours.ajio, sellers.ours.export);
    let sql = "select id::text from robnu.impersonation_sessions where seller_id = $1";
    let session: String = superuser.query_one(sql, &[&seller]).await.unwrap().get(0);
    let good = |login: &str, entry: &str, name: &str| match name {
        "subject" if ["enter_staff", "enter_impersonation"].contains(&entry) => "'STAFF'".to_owned(),
        "subject" => format!("'OWNER@{seller}'"),
        "seller" => format!("'{seller}'"),
        "account" => format!("'{account}'"),
        "export" => format!("'{export}'"),
        "session" => format!("'{session}'"),
        "needs" => "'read'".to_owned(),
        "writes" => "false".to_owned(),
        "system_role" if login == "robnu_lanes" => "'robnu_system_lanes'".to_owned(),
        "system_role" if login == "robnu_exporter" => "'robnu_system_exports'".to_owned(),
        "system_role" if login == "robnu_redrive" => "'robnu_system_redrive'".to_owned(),
        "system_role" => "'robnu_system_sweep'".to_owned(),
        other => panic!("state here a valid {other}"),
    };
    let mut tried = 0;
    for row in superuser.query(ENTRIES, &[]).await.unwrap() {
        let (login, entry, names): (String, String, Vec<String>) = (row.get(0), row.get(1), row.get(2));
        let client = test.raw(&login).await;
        let enter = async |unknown: Option<&String>| {
            let value = |name| match unknown {
                Some(unknown) if unknown == name => "null".to_owned(),
                _ => good(&login, &entry, name),
            };
            let arguments: Vec<String> =
                names.iter().map(|name| format!("{name} => {}", value(name))).collect();
            let sql = format!("begin; select robnu.{entry}({})", arguments.join(", "));
            let entered = client.batch_execute(&sql).await;
            client.batch_execute("rollback").await.unwrap();
            entered
        };
        enter(None).await.unwrap_or_else(|error| panic!("{login}: {entry}: {error:?}"));
        for name in &names {
            let refused = enter(Some(name)).await;
            assert!(refused.is_err(), "{login}: {entry} opens when {name} is null");
            tried += 1;
        }
    }
    assert!(tried >= 16, "{tried} arguments were tried");
}
