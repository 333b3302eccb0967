//! How long a statement may take, by what the request does.

use robnu_tenancy::{Access, Error, Permission};

use super::TestBed;

#[tokio::test]
async fn what_only_reads_has_two_seconds_for_a_statement_and_what_writes_has_ten() {
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
