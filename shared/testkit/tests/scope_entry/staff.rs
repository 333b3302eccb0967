//! What staff see of sellers, and the sessions that they open.

use robnu_tenancy::{Error, StaffScope, Subject};
use uuid::Uuid;

use super::{TestBed, staff, stranger};

#[tokio::test]
async fn staff_see_sellers_names_and_suspend_them_and_nothing_else() {
    let bed = TestBed::new().await;
    let scope = StaffScope::new(staff());
    let read = async |sql| bed.database.read(&scope, sql, &[]).await;
    assert_eq!(read("select name from robnu.sellers").await.unwrap().len(), 2);
    for table in
        ["orders", "members", "marketplace_accounts", "people", "audit_events", "seller_keys", "invitations"]
    {
        let sql: &'static str = Box::leak(format!("select 1 from robnu.{table}").into_boxed_str());
        let refused = read(sql).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{table}: {refused:?}");
    }
    for sql in [
        "update robnu.sellers set name = 'x'",
        "delete from robnu.sellers",
        "update robnu.staff set removed_at = null",
    ] {
        let refused = read(sql).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{sql}: {refused:?}");
    }
    for subject in [stranger(), bed.sellers.ours.subject("OWNER")] {
        let refused = bed.database.read(&StaffScope::new(subject), "select 1", &[]).await;
        assert!(matches!(refused, Err(Error::NotStaff)), "{refused:?}");
    }
}

#[tokio::test]
async fn staff_open_sessions_only_in_their_own_name_and_end_only_their_own() {
    let bed = TestBed::new().await;
    bed.arrange("insert into robnu.staff (subject) values ('another')").await;
    let open = "insert into robnu.impersonation_sessions (seller_id, staff_id, reason, role, expires_at)
        select $1, id, 'a reason', 'VIEWER', now() + interval '1 hour' from robnu.staff where subject = $2
        returning 1";
    // A staff member sees only themselves, so naming another opens nothing.
    let scope = StaffScope::new(staff());
    for (subject, opened) in [("STAFF", 1), ("another", 0)] {
        let rows = bed.database.read(&scope, open, &[&bed.sellers.ours.id, &subject]).await.unwrap();
        assert_eq!(rows.len(), opened, "{subject}");
    }
    let other: Uuid = bed
        .superuser
        .query_one("select id from robnu.staff where subject = 'another'", &[])
        .await
        .unwrap()
        .get(0);
    let forged = "insert into robnu.impersonation_sessions (seller_id, staff_id, reason, role, expires_at)
        values ($1, $2, 'a reason', 'VIEWER', now() + interval '1 hour')";
    let refused = bed.database.read(&scope, forged, &[&bed.sellers.ours.id, &other]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let end = "update robnu.impersonation_sessions set ended_at = now() returning 1";
    let another = StaffScope::new(Subject::from_verified_claim("another").unwrap());
    assert_eq!(bed.database.read(&another, end, &[]).await.unwrap().len(), 0);
    assert_eq!(bed.database.read(&scope, end, &[]).await.unwrap().len(), 3);
}
