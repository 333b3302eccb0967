//! What the server says and what a session makes of it: each SQLSTATE that a caller acts on has its own error.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_tenancy::{Database, DatabaseConfig, Error};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};

/// Fails as it is told, for whoever asks.
const SAY: &str = "create function robnu.say(code text, detail text, constraint_name text) returns void
    language plpgsql as $$ begin
      raise exception 'on purpose' using errcode = code, detail = detail, constraint = constraint_name;
    end $$;
    grant execute on function robnu.say to public";

/// Each SQLSTATE with a detail of seven seconds and a constraint's name, and whether the same call may succeed later.
const SAID: &[(&str, &str, bool)] = &[
    ("RB001", "NoMembership", false),
    ("RB002", "ForeignAccount", false),
    ("RB003", "NoScope", false),
    ("RB004", "LeaseLost", false),
    ("RB005", "Suspended", false),
    ("RB006", "RateLimited { retry_after: 7s }", false),
    ("RB007", "KeyUsed", false),
    ("RB008", "LastOwner", false),
    ("RB009", "ImpersonationOver", false),
    ("RB010", "NotStaff", false),
    ("RB011", "TooManySellers", false),
    ("RB012", "TooManyChanges", false),
    ("RB016", "OverBound { bound: \"a_bound\", retry_after: 7s }", false),
    ("42501", "Forbidden", false),
    ("23505", "Exists { constraint: \"a_bound\" }", false),
    ("23514", "Violates { constraint: \"a_bound\" }", false),
    ("23503", "Violates { constraint: \"a_bound\" }", false),
    ("25P02", "Aborted", false),
    ("25P03", "Busy", true),
    ("25P04", "Busy", true),
    ("40001", "Busy", true),
    ("40P01", "Busy", true),
    ("55P03", "Busy", true),
    ("57014", "Busy", true),
];

#[tokio::test]
async fn each_sqlstate_that_a_caller_acts_on_has_its_own_error() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    test.superuser().await.batch_execute(SAY).await.unwrap();
    let database = test.login("robnu_api").await;
    let say = "select robnu.say($1, $2, $3)";
    for seller in [&sellers.ours, &sellers.theirs] {
        let scope = seller.scope("OWNER");
        for (code, expected, is_transient) in SAID {
            let error = database.read(&scope, say, &[code, &"7", &"a_bound"]).await.unwrap_err();
            assert_eq!(format!("{error:?}"), *expected, "{code}");
            assert_eq!(error.is_transient(), *is_transient, "{code}");
        }
        let error = database.read(&scope, say, &[&"RB006", &"no number", &""]).await.unwrap_err();
        assert_eq!(format!("{error:?}"), "RateLimited { retry_after: 1s }");
        let error = database.read(&scope, say, &[&"22012", &"7", &""]).await.unwrap_err();
        assert!(matches!(error, Error::Statement(_)) && !error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_cannot_be_had_is_worth_another_try() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let mut config = test.config("robnu_api");
    let database = Database::new(&config).await.unwrap();
    let mut session = database.session(&sellers.ours.scope("OWNER")).await.unwrap();
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    test.superuser().await.execute("select pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    let broken = session.query("select 1", &[]).await.unwrap_err();
    assert!(matches!(broken, Error::Statement(_)) && broken.is_transient(), "{broken:?}");

    // Bound and let go: nobody listens there.
    config.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Database::new(&config).await.unwrap();
    let unreachable = nobody.read(&sellers.theirs.scope("OWNER"), "select 1", &[]).await.unwrap_err();
    assert!(matches!(unreachable, Error::Unreachable(_)) && unreachable.is_transient(), "{unreachable:?}");
}

async fn backend(database: &Database, seller: &Seller) -> i32 {
    let rows = database.read(&seller.scope("OWNER"), "select pg_backend_pid()", &[]).await;
    rows.unwrap()[0].get(0)
}

#[tokio::test]
async fn a_connection_that_was_idle_too_long_is_not_used_again() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let (ours, theirs) = (&sellers.ours, &sellers.theirs);
    let patient = test.login("robnu_api").await;
    let max_idle = Duration::from_millis(300);
    let hasty = DatabaseConfig { max_idle, ..test.config("robnu_api") };
    let hasty = Database::new(&hasty).await.unwrap();
    let before = (backend(&patient, ours).await, backend(&hasty, ours).await);
    tokio::time::sleep(2 * max_idle).await;
    // As after a night in a frozen environment, in which nothing tells the pool that the server has given the connection up.
    let after = (backend(&patient, theirs).await, backend(&hasty, theirs).await);
    assert_eq!(before.0, after.0, "a connection that was used lately is used again");
    assert_ne!(before.1, after.1);
}
