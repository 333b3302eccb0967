//! How long a statement may take, for a request that reads and for one that writes.

use robnu_tenancy::{Access, Error, Permission};

use super::TestBed;

#[tokio::test]
async fn a_statement_has_two_seconds_in_a_reading_request_and_ten_in_a_writing_one() {
    let bed = TestBed::new().await;
    let held = "select setting from pg_settings where name = 'statement_timeout'";
    for (access, millis) in [(Access::Read, "2000"), (Access::Write, "10000")] {
        let member = bed.sellers.ours.scope_for("OWNER", Permission::Membership, access);
        let (_, staff) = bed.impersonation("ADMIN", access).await;
        for scope in [member, staff] {
            let mut session = bed.database.session(&scope).await.unwrap();
            let statement: String = session.query_one(held, &[]).await.unwrap().get(0);
            assert_eq!(statement, millis, "{access:?}");
            let long = session.query("select pg_sleep(2.2)", &[]).await;
            match access {
                Access::Read => assert!(matches!(long, Err(Error::Busy)), "{long:?}"),
                Access::Write => assert!(long.is_ok(), "{long:?}"),
            }
        }
    }
}
