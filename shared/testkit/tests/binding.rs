//! An answer binds later commits. A write that entered before its seller was suspended, its member removed or its impersonation
//! ended is committed before that is answered, or never.
//!
//! Each case has a writer in the middle of its transaction and an ender who takes its access away. The ender must wait for the
//! writer. A writer who arrives meanwhile must wait for the ender and be refused.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_testkit::{TestDatabase, TwoSellers};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

/// The outcome of a transaction: the SQLSTATE that refused it, if one did.
type Outcome = Result<(), String>;

struct Case {
    name: &'static str,
    /// The writer's login, its scope entry, and its statement.
    login: &'static str,
    enter: String,
    write: String,
    /// The ender's login, scope entry and statement.
    ender: &'static str,
    end: String,
    /// The refusal of a writer who comes too late.
    refusal: &'static str,
}

const RENAME: &str = "update robnu.sellers set name = 'written'";
const SUSPEND: &str = include_str!("../../../functions/api/src/sql/admin/suspend_seller.sql");
const END: &str = include_str!("../../../functions/api/src/sql/admin/end_impersonation.sql");

fn with(sql: &str, values: &[&str]) -> String {
    let mut sql = sql.to_owned();
    for (index, value) in values.iter().enumerate() {
        sql = sql.replace(&format!("${}", index + 1), &format!("'{value}'"));
    }
    sql
}

async fn cases(superuser: &Client, sellers: &TwoSellers) -> Vec<Case> {
    let ours = sellers.ours.id;
    let text = async |sql: &str| -> String { superuser.query_one(sql, &[]).await.unwrap().get(0) };
    let session =
        text(&format!("select id::text from robnu.impersonation_sessions where seller_id = '{ours}'")).await;
    let admin = text(&format!(
        "select m.id::text from robnu.members m join robnu.people p on p.id = m.person_id where p.subject = 'ADMIN@{ours}'"
    ))
    .await;
    superuser
        .batch_execute(&format!(
            "update robnu.impersonation_sessions set role = 'ADMIN';
             update robnu.invitations set accepted_at = now() where seller_id = '{ours}' and accepted_at is null;
             insert into robnu.invitations (seller_id, email, role, token_hash, invited_by)
             select seller_id, 'new@example.invalid', 'VIEWER', sha256('token'), person_id from robnu.members where id = '{admin}'"
        ))
        .await
        .unwrap();
    let invitation = text("select id::text from robnu.invitations where email = 'new@example.invalid'").await;
    let member = |role: &str| format!("select robnu.enter_member('{role}@{ours}', '{ours}', '', true)");
    let staff = "select robnu.enter_staff('STAFF')";
    let remove_admin = format!("{}; select robnu.remove_member('{admin}', null)", member("OWNER"));
    let suspend = format!("{staff}; {}", with(SUSPEND, &[&ours.to_string(), "unpaid"]));
    let impersonate = format!("select robnu.enter_impersonation('STAFF', '{session}', '{ours}', '', true)");
    let job = format!("select robnu.enter_job('{ours}', '{}')", sellers.ours.ajio);
    let job_writes = "update robnu.sync_runs set pages = pages".to_owned();
    let person = "select robnu.enter_person('newcomer')".to_owned();
    let accept = "select 1 / count(*) from robnu.accept_invitation(sha256('token'), 'new@example.invalid')";
    let case = |name, login, enter: &str, write: &str, end: &str, refusal| Case {
        name,
        login,
        enter: enter.to_owned(),
        write: write.to_owned(),
        ender: "robnu_api",
        end: end.to_owned(),
        refusal,
    };
    // An offer that is no longer valid returns no row.
    let no_offer = "22012";
    vec![
        case("a member who is removed", "robnu_api", &member("ADMIN"), RENAME, &remove_admin, "RB001"),
        case(
            "a member who loses their role",
            "robnu_api",
            &format!("select robnu.enter_member('ADMIN@{ours}', '{ours}', 'seller.update', true)"),
            RENAME,
            &format!("{}; update robnu.members set role = 'VIEWER' where id = '{admin}'", member("OWNER")),
            "42501",
        ),
        case("a member of a suspended seller", "robnu_api", &member("OWNER"), RENAME, &suspend, "RB005"),
        case("a job of a suspended seller", "robnu_adapter", &job, &job_writes, &suspend, "RB005"),
        case(
            "a sweep in a suspended seller",
            "robnu_sweep",
            &format!("select robnu.enter_sweep('{ours}')"),
            "select count(*) from robnu.claims",
            &suspend,
            "RB005",
        ),
        case(
            "an impersonation that is ended",
            "robnu_api",
            &impersonate,
            RENAME,
            &format!("{staff}; {}", with(END, &[&session])),
            "RB009",
        ),
        case("an impersonation of a suspended seller", "robnu_api", &impersonate, RENAME, &suspend, "RB005"),
        case("an invitation whose inviter is removed", "robnu_api", &person, accept, &remove_admin, no_offer),
        case("an invitation of a suspended seller", "robnu_api", &person, accept, &suspend, no_offer),
        case(
            "an invitation that is revoked",
            "robnu_api",
            &person,
            accept,
            &format!(
                "{}; update robnu.invitations set revoked_at = now() where id = '{invitation}'",
                member("OWNER")
            ),
            no_offer,
        ),
    ]
}

/// Runs a script in the background, up to and with COMMIT.
fn run(client: Client, script: String) -> JoinHandle<Outcome> {
    tokio::spawn(async move {
        let outcome = client.batch_execute(&format!("begin; {script}; commit")).await;
        outcome.map_err(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
    })
}

/// Whether the task waits for a lock. Returns false when it has ended.
async fn waits(superuser: &Client, task: &JoinHandle<Outcome>) -> bool {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..500 {
        if superuser.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            return true;
        }
        if task.is_finished() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it neither waits nor ends");
}

/// Returns a database with the case of this number, if there is one.
async fn bed(number: usize) -> Option<(TestDatabase, Client, Case)> {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let case = cases(&superuser, &sellers).await.into_iter().nth(number)?;
    Some((test, superuser, case))
}

#[tokio::test]
async fn ending_a_writers_access_waits_for_the_writer() {
    let mut number = 0;
    while let Some((test, superuser, case)) = bed(number).await {
        let name = case.name;
        let writer = test.raw(case.login).await;
        let write = async || {
            writer.batch_execute(&case.write).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        };
        writer.batch_execute(&format!("begin; {}", case.enter)).await.unwrap();
        // An invitation gives no access before it is accepted. All other writers have entered and not written yet.
        let accepts = case.enter.contains("enter_person");
        if accepts {
            write().await;
        }
        let end = run(test.raw(case.ender).await, case.end);
        assert!(waits(&superuser, &end).await, "{name}: was answered before the writer had ended");
        if !accepts {
            write().await;
        }
        writer.batch_execute("commit").await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(end.await.unwrap(), Ok(()), "{name}");
        number += 1;
    }
    assert!(number >= 10, "{number} cases");
}

#[tokio::test]
async fn a_writer_who_arrives_while_access_is_ended_waits_and_is_refused() {
    let mut number = 0;
    while let Some((test, superuser, case)) = bed(number).await {
        let name = case.name;
        let ender = test.raw(case.ender).await;
        ender.batch_execute(&format!("begin; {}", case.end)).await.unwrap();
        let writer = run(test.raw(case.login).await, format!("{}; {}", case.enter, case.write));
        assert!(waits(&superuser, &writer).await, "{name}: does not wait");
        ender.batch_execute("commit").await.unwrap();
        assert_eq!(writer.await.unwrap(), Err(case.refusal.to_owned()), "{name}");
        number += 1;
    }
    assert!(number >= 10, "{number} cases");
}

#[tokio::test]
async fn a_read_waits_for_nobody() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let ours = &sellers.ours;
    let ender = test.raw("robnu_api").await;
    let suspend = with(SUSPEND, &[&ours.id.to_string(), "unpaid"]);
    ender.batch_execute(&format!("begin; select robnu.enter_staff('STAFF'); {suspend}")).await.unwrap();
    let orders = "select id from robnu.orders";
    let needs = (robnu_tenancy::Permission::Read, robnu_tenancy::Access::Read);
    let (api, adapter) = (test.login("robnu_api").await, test.login("robnu_adapter").await);
    let viewer = ours.scope_for("VIEWER", needs.0, needs.1);
    let read = api.read(&viewer, orders, &[]);
    assert_eq!(tokio::time::timeout(Duration::from_secs(3), read).await.unwrap().unwrap().len(), 1);
    let scope = ours.job_scope();
    let read = adapter.read(&scope, orders, &[]);
    assert_eq!(tokio::time::timeout(Duration::from_secs(3), read).await.unwrap().unwrap().len(), 1);
    // A job that states that it only reads holds no lock, and so may not write.
    let write = adapter.read(&scope, "update robnu.sync_runs set pages = pages returning 1", &[]).await;
    assert!(write.is_err(), "{write:?}");
}
