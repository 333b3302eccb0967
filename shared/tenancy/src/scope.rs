//! Scopes: on whose behalf statements run. Each scope names its entry function (`enter_…` in `migrations/0014_enter.sql`), with
//! which the database admits or refuses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::types::ToSql;

use crate::Request;
use crate::ids::{AccountId, ExportId, ImpersonationId, SellerId};
use crate::permission::{Access, Permission};

/// The `sub` of a token that API Gateway's authorizer has verified.
///
/// It is built only where the authorizer's claims are read.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Takes the subject from verified claims. Returns `None` when it is empty or too long.
    #[must_use]
    pub fn from_verified_claim(sub: &str) -> Option<Self> {
        (!sub.is_empty() && sub.len() <= 200).then(|| Self(sub.to_owned()))
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject(..)")
    }
}

/// A person's request. Its first transaction counts it and may be refused by the rate limit; later transactions are not, so
/// that a request that has begun can end.
#[derive(Debug, Clone)]
struct Caller {
    subject: Subject,
    counted: Arc<AtomicBool>,
}

/// A transaction of a person's request.
#[derive(Debug)]
struct Visit {
    subject: Subject,
    is_first: bool,
}

impl Caller {
    fn new(subject: Subject) -> Self {
        Self { subject, counted: Arc::default() }
    }

    fn visit(&self) -> Visit {
        Visit { subject: self.subject.clone(), is_first: !self.counted.swap(true, Ordering::Relaxed) }
    }
}

/// One seller's data, for a member, for a staff member who acts for the seller, for a job, for an export, or for a sweep.
#[derive(Debug, Clone)]
#[must_use]
pub struct SellerScope {
    seller: SellerId,
    actor: Actor,
    /// Whether the database has admitted this scope; shared by its clones.
    admitted: Arc<AtomicBool>,
}

#[derive(Debug, Clone)]
enum Actor {
    Member(Caller, Needs),
    Staff(Caller, ImpersonationId, Needs),
    Job(AccountId),
    Export(ExportId, Needs),
    Exporter(ExportId),
    Sweep,
}

/// What a person's request needs.
#[derive(Debug, Clone, Copy)]
struct Needs {
    permission: &'static str,
    writes: bool,
}

impl Needs {
    fn new(permission: Permission, access: Access) -> Self {
        Self { permission: permission.as_str(), writes: access == Access::Write }
    }
}

impl SellerScope {
    /// A person's view of a seller, for a request that needs `permission`. The database checks membership, permission,
    /// suspension and rate when the scope is entered.
    pub fn for_member(subject: Subject, seller: SellerId, permission: Permission, access: Access) -> Self {
        Self::of(seller, Actor::Member(Caller::new(subject), Needs::new(permission, access)))
    }

    /// A staff member's view of a seller. At scope entry the database checks that the session is live and belongs to the
    /// staff member and the seller.
    pub fn for_impersonation(
        subject: Subject,
        session: ImpersonationId,
        seller: SellerId,
        permission: Permission,
        access: Access,
    ) -> Self {
        Self::of(seller, Actor::Staff(Caller::new(subject), session, Needs::new(permission, access)))
    }

    /// A job's view of the seller that owns its account. The database checks the ownership, and admits only the adapter's
    /// login role.
    pub fn for_job(seller: SellerId, account: AccountId) -> Self {
        Self::of(seller, Actor::Job(account))
    }

    /// The view of the member who asked for an export, as far as the export may read: what their role allows without customers'
    /// data. At each entry the database checks that the export is running, and that the member still has the right. It
    /// admits only the exporter's login role.
    pub fn for_export(seller: SellerId, export: ExportId) -> Self {
        Self::of(seller, Actor::Export(export, Needs::new(Permission::Read, Access::Read)))
    }

    /// The exporter's view of one export: its row, and nothing else of the seller.
    pub fn for_exporter(seller: SellerId, export: ExportId) -> Self {
        Self::of(seller, Actor::Exporter(export))
    }

    /// The same actor, who needs another permission.
    pub fn needing(&self, permission: Permission, access: Access) -> Self {
        let needs = Needs::new(permission, access);
        let actor = match self.actor.clone() {
            Actor::Member(caller, _) => Actor::Member(caller, needs),
            Actor::Staff(caller, session, _) => Actor::Staff(caller, session, needs),
            Actor::Export(export, _) => Actor::Export(export, needs),
            itself @ (Actor::Job(_) | Actor::Exporter(_) | Actor::Sweep) => itself,
        };
        Self::of(self.seller, actor)
    }

    /// A sweep's view of a seller that it found work in, which lets it do very little. The database admits only the sweep's
    /// login role, and nobody while the seller is suspended.
    pub fn for_sweep(seller: SellerId) -> Self {
        Self::of(seller, Actor::Sweep)
    }

    fn of(seller: SellerId, actor: Actor) -> Self {
        Self { seller, actor, admitted: Arc::default() }
    }

    /// The seller.
    #[must_use]
    pub fn seller_id(&self) -> SellerId {
        self.seller
    }

    /// The seller, once the database has admitted this scope: a statement in it was answered. Whatever is outside the database
    /// and belongs to a seller is opened only for this seller.
    #[must_use]
    pub fn admitted_seller(&self) -> Option<SellerId> {
        self.admitted.load(Ordering::Relaxed).then_some(self.seller)
    }
}

/// A person who has not chosen a seller: `me`, sign-up.
#[derive(Debug, Clone)]
#[must_use]
pub struct PersonScope {
    caller: Caller,
}

impl PersonScope {
    /// The person behind a verified token.
    pub fn new(subject: Subject) -> Self {
        Self { caller: Caller::new(subject) }
    }
}

/// A staff member who acts for no seller: suspension, impersonation sessions.
#[derive(Debug, Clone)]
#[must_use]
pub struct StaffScope {
    caller: Caller,
}

impl StaffScope {
    /// The person behind a verified token. The database checks that they are staff.
    pub fn new(subject: Subject) -> Self {
        Self { caller: Caller::new(subject) }
    }
}

/// The platform's own work across sellers. It finds ids and times, or deletes expired rows; its column grants allow nothing
/// else.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub enum SystemScope {
    /// Finds due schedules, runs to publish, overdue returns and claims that are due soon.
    Sweep,
    /// Deletes expired bookkeeping rows.
    Retention,
    /// Closes sellers.
    Closing,
    /// Keeps the accounts' queues.
    Lanes,
    /// Finds exports that need a message.
    Exports,
    /// Keeps dead letters, and marks and requeues their runs.
    Redrive,
}

impl SystemScope {
    fn role(self) -> &'static str {
        match self {
            Self::Sweep => "robnu_system_sweep",
            Self::Retention => "robnu_system_retention",
            Self::Closing => "robnu_system_closing",
            Self::Lanes => "robnu_system_lanes",
            Self::Exports => "robnu_system_exports",
            Self::Redrive => "robnu_system_redrive",
        }
    }
}

/// The statement that enters a scope, with its parameters. Opaque outside this crate.
#[derive(Debug)]
pub struct ScopeEntry(Key, Option<Arc<AtomicBool>>);

#[derive(Debug)]
enum Key {
    Member(Visit, SellerId, Needs),
    Impersonation(Visit, ImpersonationId, SellerId, Needs),
    Job(SellerId, AccountId, bool),
    Export(SellerId, ExportId, &'static str),
    Exporter(SellerId, ExportId),
    Sweep(SellerId),
    Person(Visit),
    Staff(Visit),
    System(&'static str),
}

impl ScopeEntry {
    /// Begins the transaction. A job that only reads holds no lock against a suspension, so its transaction is read-only. So
    /// is that of an export, which only reads.
    pub(crate) fn begin(&self) -> Request<'static> {
        match self.0 {
            Key::Job(.., false) | Key::Export(..) => ("begin read only", &[]),
            _ => ("begin", &[]),
        }
    }

    pub(crate) fn sql(&self) -> &'static str {
        match self.0 {
            Key::Member(..) => "select robnu.enter_member($1, $2, $3, $4, $5)",
            Key::Impersonation(..) => "select robnu.enter_impersonation($1, $2, $3, $4, $5, $6)",
            Key::Job(..) => "select robnu.enter_job($1, $2, $3)",
            Key::Export(..) => "select robnu.enter_export($1, $2, $3)",
            Key::Exporter(..) => "select robnu.enter_exporter($1, $2)",
            Key::Sweep(..) => "select robnu.enter_sweep($1)",
            Key::Person(..) => "select robnu.enter_person($1, $2)",
            Key::Staff(..) => "select robnu.enter_staff($1, $2)",
            Key::System(..) => "select robnu.enter_system($1)",
        }
    }

    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        match &self.0 {
            Key::Member(visit, seller, needs) => {
                vec![&visit.subject.0, seller, &needs.permission, &needs.writes, &visit.is_first]
            }
            Key::Impersonation(visit, session, seller, needs) => {
                vec![&visit.subject.0, session, seller, &needs.permission, &needs.writes, &visit.is_first]
            }
            Key::Job(seller, account, writes) => vec![seller, account, writes],
            Key::Export(seller, export, needs) => vec![seller, export, needs],
            Key::Exporter(seller, export) => vec![seller, export],
            Key::Sweep(seller) => vec![seller],
            Key::Person(visit) | Key::Staff(visit) => vec![&visit.subject.0, &visit.is_first],
            Key::System(role) => vec![role],
        }
    }

    /// Notes that the database has admitted the scope.
    pub(crate) fn note_admitted(&self) {
        if let Some(admitted) = &self.1 {
            admitted.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the count to send when this is a request's first transaction.
    pub(crate) fn request_count(&self) -> Option<RequestCount> {
        let (visit, seller) = match &self.0 {
            Key::Member(visit, seller, _) => (visit, Some(*seller)),
            Key::Impersonation(visit, ..) | Key::Person(visit) | Key::Staff(visit) => (visit, None),
            Key::Job(..) | Key::Export(..) | Key::Exporter(..) | Key::Sweep(_) | Key::System(_) => {
                return None;
            }
        };
        visit.is_first.then(|| RequestCount { subject: visit.subject.clone(), seller })
    }
}

/// Counts a request, in a transaction of its own, so that requests of one seller never wait for each other's work. It is sent
/// after the COMMIT or ROLLBACK of the request's first transaction, and nobody waits for its answer.
#[derive(Debug)]
pub(crate) struct RequestCount {
    subject: Subject,
    seller: Option<SellerId>,
}

impl RequestCount {
    pub(crate) const SQL: &'static str = "select robnu.count_request($1, $2)";

    pub(crate) fn params(&self) -> [&(dyn ToSql + Sync); 2] {
        [&self.subject.0, &self.seller]
    }
}

mod sealed {
    /// Prevents implementations of [`super::Scope`] outside this crate.
    pub trait Sealed {}
    impl Sealed for super::SellerScope {}
    impl Sealed for super::PersonScope {}
    impl Sealed for super::StaffScope {}
    impl Sealed for super::SystemScope {}
}

/// Anything a session can be opened for. The trait is sealed: the scopes above are all there are.
pub trait Scope: sealed::Sealed {
    /// Returns how this scope is entered, for a transaction that may write or only reads.
    fn entry(&self, access: Access) -> ScopeEntry;
}

impl Scope for SellerScope {
    fn entry(&self, access: Access) -> ScopeEntry {
        let key = match &self.actor {
            Actor::Member(caller, needs) => Key::Member(caller.visit(), self.seller, *needs),
            Actor::Staff(caller, session, needs) => {
                Key::Impersonation(caller.visit(), *session, self.seller, *needs)
            }
            Actor::Job(account) => Key::Job(self.seller, *account, access == Access::Write),
            Actor::Export(export, needs) => Key::Export(self.seller, *export, needs.permission),
            Actor::Exporter(export) => Key::Exporter(self.seller, *export),
            Actor::Sweep => Key::Sweep(self.seller),
        };
        ScopeEntry(key, Some(Arc::clone(&self.admitted)))
    }
}

impl Scope for PersonScope {
    fn entry(&self, _: Access) -> ScopeEntry {
        ScopeEntry(Key::Person(self.caller.visit()), None)
    }
}

impl Scope for StaffScope {
    fn entry(&self, _: Access) -> ScopeEntry {
        ScopeEntry(Key::Staff(self.caller.visit()), None)
    }
}

impl Scope for SystemScope {
    fn entry(&self, _: Access) -> ScopeEntry {
        ScopeEntry(Key::System(self.role()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> Subject {
        Subject::from_verified_claim(text).unwrap()
    }

    #[test]
    fn a_subject_is_neither_empty_nor_overlong_and_is_not_printed() {
        assert_eq!(Subject::from_verified_claim(""), None);
        assert_eq!(Subject::from_verified_claim(&"a".repeat(201)), None);
        assert_ne!(Subject::from_verified_claim(&"a".repeat(200)), None);
        assert_eq!(subject("hush").0, "hush");
        assert_eq!(format!("{:?}", subject("hush")), "Subject(..)");
    }

    #[test]
    fn a_request_is_counted_with_its_first_transaction_for_the_seller_whose_member_makes_it() {
        let (ours, theirs) = (SellerId::new(), SellerId::new());
        let member = |seller| {
            SellerScope::for_member(subject("a member"), seller, Permission::Membership, Access::Read)
        };
        for (scope, seller) in [(member(ours), ours), (member(theirs), theirs)] {
            assert_eq!(scope.seller_id(), seller);
            let count = scope.entry(Access::Read).request_count().expect("the first is counted");
            assert_eq!((count.subject, count.seller), (subject("a member"), Some(seller)));
            assert!(scope.entry(Access::Write).request_count().is_none(), "those that follow are not");
            assert!(scope.clone().entry(Access::Read).request_count().is_none(), "nor those of a clone");
        }
        let count = PersonScope::new(subject("a person")).entry(Access::Read).request_count().unwrap();
        assert_eq!((count.subject, count.seller), (subject("a person"), None));
        let job = SellerScope::for_job(ours, AccountId::new());
        assert!(job.entry(Access::Write).request_count().is_none(), "a job is nobody's request");
    }

    #[test]
    fn only_a_job_that_reads_is_kept_from_writing() {
        let job = SellerScope::for_job(SellerId::new(), AccountId::new());
        assert_eq!(job.entry(Access::Read).begin().0, "begin read only");
        assert_eq!(job.entry(Access::Write).begin().0, "begin");
        assert_eq!(SellerScope::for_sweep(SellerId::new()).entry(Access::Read).begin().0, "begin");
    }

    #[test]
    fn each_part_of_the_platforms_own_work_has_a_role_of_its_own() {
        let scopes = [
            SystemScope::Sweep,
            SystemScope::Retention,
            SystemScope::Closing,
            SystemScope::Lanes,
            SystemScope::Exports,
            SystemScope::Redrive,
        ];
        let roles = [
            "robnu_system_sweep",
            "robnu_system_retention",
            "robnu_system_closing",
            "robnu_system_lanes",
            "robnu_system_exports",
            "robnu_system_redrive",
        ];
        assert_eq!(scopes.map(SystemScope::role), roles);
    }
}
