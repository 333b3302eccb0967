//! What the entry functions refuse and set (permissions, suspension, rate limits, impersonation, staff), and what follows from the
//! actor that they set: the audit trail, the last owner, invitations.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_tenancy::{
    Access, Database, Error, ImpersonationId, Permission, PersonScope, SellerScope, StaffScope, Subject,
};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

#[path = "scope_entry/changes.rs"]
mod changes;
#[path = "scope_entry/invitations.rs"]
mod invitations;
#[path = "scope_entry/logins_of_accounts.rs"]
mod logins_of_accounts;
#[path = "scope_entry/rates.rs"]
mod rates;
#[path = "scope_entry/staff.rs"]
mod staff;
#[path = "scope_entry/time.rs"]
mod time;

const ORDERS: &str = "select id from robnu.orders";
const RENAME: &str = "update robnu.sellers set name = 'renamed'";
const ROLES: [&str; 6] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER"];

struct TestBed {
    sellers: TwoSellers,
    database: Database,
    superuser: Client,
    test: TestDatabase,
}

impl TestBed {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let (database, superuser) = (test.login("robnu_api").await, test.superuser().await);
        Self { sellers, database, superuser, test }
    }

    async fn arrange(&self, sql: &str) {
        self.superuser.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    async fn count(&self, sql: &str) -> i64 {
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn read(&self, scope: &SellerScope, sql: &'static str) -> Result<usize, Error> {
        Ok(self.database.read(scope, sql, &[]).await?.len())
    }

    async fn write(&self, scope: &SellerScope, sql: &'static str) -> Result<(), Error> {
        self.database.session(scope).await?.commit_with(&[(sql, &[])]).await.map(|_| ())
    }

    /// Returns the fixture's impersonation session of our seller with a role, and its scope.
    async fn impersonation(&self, role: &str, access: Access) -> (ImpersonationId, SellerScope) {
        let ours = self.sellers.ours.id;
        self.arrange(&format!("update robnu.impersonation_sessions set role = '{role}'")).await;
        let sql = "select id from robnu.impersonation_sessions where seller_id = $1";
        let session: ImpersonationId = self.superuser.query_one(sql, &[&ours]).await.unwrap().get(0);
        let scope = SellerScope::for_impersonation(staff(), session, ours, Permission::Membership, access);
        (session, scope)
    }
}

fn staff() -> Subject {
    Subject::from_verified_claim("STAFF").unwrap()
}

fn stranger() -> Subject {
    Subject::from_verified_claim("a stranger").unwrap()
}

/// The table of permissions, written independently, and what is granted to members one by one.
fn may(role: &str, permission: Permission) -> bool {
    use Permission::*;
    match permission {
        Membership => true,
        Read => role != "SCANNER",
        SellerClose => role == "OWNER",
        SellerUpdate | AccountsManage | MembersManage | AuditRead => matches!(role, "OWNER" | "ADMIN"),
        SyncRun | PiiRead => matches!(role, "OWNER" | "ADMIN" | "OPERATOR"),
        SyncPayouts | ClaimsFile | DocumentsWrite => {
            matches!(role, "OWNER" | "ADMIN" | "OPERATOR" | "FINANCE")
        }
        ReturnsScan => role != "VIEWER",
        ClaimsResolve | ExportsCreate => matches!(role, "OWNER" | "ADMIN" | "FINANCE"),
        PayoutsRead => matches!(role, "OWNER" | "ADMIN" | "FINANCE" | "VIEWER"),
    }
}

#[tokio::test]
async fn scope_entry_refuses_each_role_what_the_permission_table_does_not_allow() {
    let bed = TestBed::new().await;
    for role in ROLES {
        for permission in Permission::ALL {
            let scope = bed.sellers.ours.scope_for(role, permission, Access::Read);
            let entered = bed.read(&scope, "select 1").await;
            if may(role, permission) {
                assert_eq!(entered.unwrap(), 1, "{role} {permission:?}");
            } else {
                assert!(matches!(entered, Err(Error::Forbidden)), "{role} {permission:?}: {entered:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_member_who_may_only_scan_reads_nothing_else_even_past_the_entry() {
    let bed = TestBed::new().await;
    let scanner = bed.sellers.ours.scope("SCANNER");
    for sql in [
        ORDERS,
        "select id from robnu.order_items",
        "select id from robnu.shipments",
        "select id from robnu.sync_runs",
        "select id from robnu.audit_events",
        "select id from robnu.invitations",
        "select id from robnu.seller_keys",
        "select id from robnu.schedules",
    ] {
        assert_eq!(bed.read(&scanner, sql).await.unwrap(), 0, "{sql}");
    }
    assert_eq!(bed.read(&scanner, "select seller_id from robnu.sellers").await.unwrap(), 1);
}

#[tokio::test]
async fn a_suspended_seller_reads_and_its_writes_and_jobs_are_refused() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id";
    bed.arrange(&format!("{suspend} = '{}'", ours.id)).await;
    let reads = ours.scope_for("OWNER", Permission::Read, Access::Read);
    assert_eq!(bed.read(&reads, ORDERS).await.unwrap(), 1);
    let refused = bed.write(&ours.scope("OWNER"), RENAME).await;
    assert!(matches!(refused, Err(Error::Suspended)), "{refused:?}");
    // A scope that states that it only reads cannot write either.
    let disguised = bed.write(&reads, RENAME).await;
    let renamed = "select count(*) from robnu.sellers where name = 'renamed'";
    assert!(matches!(disguised, Ok(()) | Err(Error::Forbidden)), "{disguised:?}");
    assert_eq!(bed.count(renamed).await, 0);
    let adapter = bed.test.login("robnu_adapter").await;
    let job = adapter.read(&ours.job_scope(), ORDERS, &[]).await;
    assert!(matches!(job, Err(Error::Suspended)), "{job:?}");
    // The other seller is not affected.
    bed.write(&theirs.scope("OWNER"), RENAME).await.unwrap();
    assert_eq!(adapter.read(&theirs.job_scope(), ORDERS, &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_staff_member_acts_for_the_seller_of_a_live_session_and_every_event_says_so() {
    let bed = TestBed::new().await;
    let (session, scope) = bed.impersonation("ADMIN", Access::Write).await;
    let admin_scope = "select 1 where robnu.app_is_admin_scope()";
    assert_eq!(bed.read(&scope, admin_scope).await.unwrap(), 1);
    assert_eq!(bed.read(&bed.sellers.ours.scope("OWNER"), admin_scope).await.unwrap(), 0);
    bed.write(&scope, RENAME).await.unwrap();
    let sql = "select e.seller_id = $1 from robnu.audit_events e join robnu.staff a on a.id = e.actor_id
        where e.action = 'seller.changed' and e.actor_kind = 'STAFF' and e.impersonation_session_id = $2";
    let events = bed.superuser.query(sql, &[&bed.sellers.ours.id, &session]).await.unwrap();
    assert_eq!(events.iter().map(|row| row.get(0)).collect::<Vec<bool>>(), [true]);
    assert_eq!(bed.count("select count(*) from robnu.sellers where name = 'renamed'").await, 1);
}

#[tokio::test]
async fn an_impersonation_gives_no_more_than_its_role_and_never_customers_data() {
    let bed = TestBed::new().await;
    let (session, viewer) = bed.impersonation("VIEWER", Access::Write).await;
    let renamed = bed.write(&viewer, RENAME).await;
    assert_eq!(
        bed.count("select count(*) from robnu.sellers where name = 'renamed'").await,
        0,
        "{renamed:?}"
    );
    for (role, permission, allowed) in [
        ("VIEWER", Permission::Read, true),
        ("VIEWER", Permission::AccountsManage, false),
        ("ADMIN", Permission::AccountsManage, true),
        ("ADMIN", Permission::PiiRead, false),
        ("ADMIN", Permission::SellerClose, false),
        // A member made in a session would outlive it.
        ("ADMIN", Permission::MembersManage, false),
        // So would a file.
        ("ADMIN", Permission::ExportsCreate, false),
    ] {
        bed.arrange(&format!("update robnu.impersonation_sessions set role = '{role}'")).await;
        let ours = bed.sellers.ours.id;
        let scope = SellerScope::for_impersonation(staff(), session, ours, permission, Access::Read);
        let entered = bed.read(&scope, "select 1").await;
        assert_eq!(entered.is_ok(), allowed, "{role} {permission:?}: {entered:?}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_or_of_another_staff_member_or_seller_admits_nobody() {
    let bed = TestBed::new().await;
    let (session, scope) = bed.impersonation("ADMIN", Access::Read).await;
    let (ours, theirs) = (bed.sellers.ours.id, bed.sellers.theirs.id);
    let enter = |subject, seller| {
        SellerScope::for_impersonation(subject, session, seller, Permission::Membership, Access::Read)
    };
    let unknown =
        SellerScope::for_impersonation(staff(), ImpersonationId::new(), ours, Permission::Read, Access::Read);
    let owner = bed.sellers.ours.subject("OWNER");
    for scope in [enter(staff(), theirs), enter(stranger(), ours), enter(owner, ours), unknown] {
        let refused = bed.read(&scope, ORDERS).await;
        assert!(matches!(refused, Err(Error::ImpersonationOver)), "{refused:?}");
    }
    assert_eq!(bed.read(&scope, ORDERS).await.unwrap(), 1);
    for end in [
        "update robnu.impersonation_sessions set ended_at = now()",
        "update robnu.impersonation_sessions set ended_at = null, started_at = now() - interval '2 hours', expires_at = now() - interval '1 second'",
        "update robnu.impersonation_sessions set expires_at = now() + interval '1 hour';
         update robnu.staff set removed_at = now()",
    ] {
        bed.arrange(end).await;
        let refused = bed.read(&scope, ORDERS).await;
        assert!(matches!(refused, Err(Error::ImpersonationOver)), "{end}: {refused:?}");
    }
}

#[tokio::test]
async fn the_last_owner_stays_even_when_two_step_down_at_once() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let owner = ours.scope("OWNER");
    for sql in [
        "update robnu.members set role = 'VIEWER' where role = 'OWNER'",
        "select robnu.remove_member(id, null) from robnu.members where role = 'OWNER'",
    ] {
        let refused = bed.write(&owner, sql).await;
        assert!(matches!(refused, Err(Error::LastOwner)), "{sql}: {refused:?}");
    }
    bed.arrange(&format!(
        "update robnu.members set role = 'OWNER' where role = 'ADMIN' and seller_id = '{}'",
        ours.id
    ))
    .await;
    let step_down = "update robnu.members m set role = 'VIEWER' from robnu.people p
        where p.id = m.person_id and p.subject = robnu.app_current_subject()";
    let (first, second) = (ours.scope("OWNER"), ours.scope("ADMIN"));
    let (first, second) = tokio::join!(bed.write(&first, step_down), bed.write(&second, step_down));
    assert_eq!([&first, &second].iter().filter(|left| left.is_ok()).count(), 1, "{first:?} {second:?}");
    assert!([first, second].iter().any(|left| matches!(left, Err(Error::LastOwner))));
}

#[tokio::test]
async fn an_admin_can_neither_change_nor_make_owners_and_admins() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let admin = ours.scope("ADMIN");
    let changed = async |sql| bed.database.read(&admin, sql, &[]).await;
    for sql in [
        "update robnu.members set scan_returns = true where role in ('OWNER', 'ADMIN') returning 1",
        "select robnu.remove_member(id, null) from robnu.members where role in ('OWNER', 'ADMIN')",
    ] {
        assert_eq!(changed(sql).await.unwrap().len(), 0, "{sql}");
    }
    for sql in [
        "update robnu.members set role = 'ADMIN' where role = 'VIEWER'",
        "update robnu.members set role = 'OWNER' where role is null",
        "insert into robnu.invitations (seller_id, email, role, token_hash) select robnu.app_current_seller_id(), 'a@b', 'ADMIN', sha256('x')",
    ] {
        let refused = changed(sql).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{sql}: {refused:?}");
    }
    assert_eq!(
        changed("update robnu.members set role = 'FINANCE' where role = 'VIEWER' returning 1")
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        changed("select robnu.remove_member(id, null) from robnu.members where role = 'OPERATOR'")
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_job_reads_credentials_only_after_it_was_recorded() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    let adapter = bed.test.login("robnu_adapter").await;
    let details = "select account_id from robnu.ajio_account_details";
    assert_eq!(adapter.read(&ours.job_scope(), details, &[]).await.unwrap().len(), 0);
    let open = "select robnu.open_credentials($1, 'a test')";
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let rows = session.commit_with(&[(open, &[&ours.ajio]), (details, &[])]).await.unwrap();
    assert_eq!(rows[1].len(), 1);
    let events =
        "select count(*) from robnu.audit_events where action = 'credentials.opened' and actor_kind = 'JOB'";
    assert_eq!(bed.count(events).await, 1);
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let foreign = session.commit_with(&[(open, &[&theirs.ajio]), (details, &[])]).await;
    assert!(matches!(foreign, Err(Error::ForeignAccount)), "{foreign:?}");
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let another = session.commit_with(&[(open, &[&ours.amazon])]).await;
    assert!(matches!(another, Err(Error::ForeignAccount)), "not the job's own account: {another:?}");
    let amazon = "select account_id from robnu.amazon_account_details";
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let rows = session.commit_with(&[(open, &[&ours.ajio]), (amazon, &[])]).await.unwrap();
    assert_eq!(rows[1].len(), 0, "only what was opened");
    let session = bed.database.session(&ours.scope("OWNER")).await.unwrap();
    let member = session.commit_with(&[(open, &[&ours.ajio]), (details, &[])]).await;
    assert!(matches!(member, Err(Error::Forbidden)), "{member:?}");
    assert_eq!(bed.count(events).await, 2);
}

#[tokio::test]
async fn an_idempotency_key_is_the_actors_own_and_taken_once_in_a_day() {
    let bed = TestBed::new().await;
    let claim = "select robnu.claim_idempotency_key(sha256('a key'), sha256('a request'))";
    let ours = &bed.sellers.ours;
    for role in ["OWNER", "ADMIN"] {
        bed.write(&ours.scope(role), claim).await.unwrap();
        assert!(matches!(bed.write(&ours.scope(role), claim).await, Err(Error::KeyUsed)), "{role}");
        let seen = bed
            .read(&ours.scope(role), "select 1 from robnu.idempotency_keys where key_hash = sha256('a key')")
            .await;
        assert_eq!(seen.unwrap(), 1, "{role} sees only their own");
    }
    bed.write(&bed.sellers.theirs.scope("OWNER"), claim).await.unwrap();
    bed.arrange("update robnu.idempotency_keys set created_at = now() - interval '25 hours'").await;
    bed.write(&ours.scope("OWNER"), claim).await.unwrap();
    let person = PersonScope::new(ours.subject("OWNER"));
    for used in [false, true] {
        let session = bed.database.session(&person).await.unwrap();
        assert_eq!(session.commit_with(&[(claim, &[])]).await.is_err(), used);
    }
}

#[tokio::test]
async fn the_trail_names_member_and_change_and_cannot_be_altered() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.write(&ours.scope("ADMIN"), RENAME).await.unwrap();
    bed.write(&ours.scope("ADMIN"), RENAME).await.unwrap();
    let sql = "select e.changed, e.shown::text from robnu.audit_events e join robnu.people p on p.id = e.actor_id
        where e.action = 'seller.changed' and e.actor_kind = 'MEMBER' and p.subject = 'ADMIN@' || e.seller_id";
    let events = bed.superuser.query(sql, &[]).await.unwrap();
    assert_eq!(events.len(), 1, "a change of nothing makes no event");
    assert_eq!(events[0].get::<_, Vec<String>>(0), ["name"]);
    assert!(events[0].get::<_, &str>(1).contains(r#""name": "renamed""#));
    for sql in [
        "insert into robnu.audit_events (seller_id, actor_kind, action) select robnu.app_current_seller_id(), 'MEMBER', 'x'",
        "update robnu.audit_events set action = 'x'",
        "delete from robnu.audit_events",
        "select robnu.write_audit_event(robnu.app_current_seller_id(), 'x', null, '{}', '{}')",
    ] {
        let refused = bed.write(&ours.scope("OWNER"), sql).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{sql}: {refused:?}");
    }
}
