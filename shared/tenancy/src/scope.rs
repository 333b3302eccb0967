//! Scopes: on whose behalf statements run. Each names the door (`enter_…` in the migrations) through which the
//! database lets it in, or does not.

use tokio_postgres::types::ToSql;

use crate::ids::{AccountId, SellerId};

/// The `sub` of a token that API Gateway's authorizer has verified.
///
/// Built where the authorizer's claims are read, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Takes the subject from verified claims. Returns `None` for an empty or overlong one.
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

/// One seller's data, for a member or for a job.
#[derive(Debug, Clone)]
#[must_use]
pub struct SellerScope {
    seller: SellerId,
    actor: Actor,
}

#[derive(Debug, Clone)]
enum Actor {
    Member(Subject),
    Job(AccountId),
}

impl SellerScope {
    /// A person's view of a seller. The database checks the membership when the scope is entered.
    pub fn for_member(subject: Subject, seller: SellerId) -> Self {
        Self { seller, actor: Actor::Member(subject) }
    }

    /// A job's view of the seller that owns its account. The database checks that it does, and lets only the
    /// adapter's login role through this door.
    pub fn for_job(seller: SellerId, account: AccountId) -> Self {
        Self { seller, actor: Actor::Job(account) }
    }

    /// The seller.
    #[must_use]
    pub fn seller_id(&self) -> SellerId {
        self.seller
    }
}

/// A person who has not chosen a seller: `me`, sign-up.
#[derive(Debug, Clone)]
#[must_use]
pub struct PersonScope {
    subject: Subject,
}

impl PersonScope {
    /// The person behind a verified token.
    pub fn new(subject: Subject) -> Self {
        Self { subject }
    }
}

/// The platform's own work across sellers. It finds ids and times; its column grants hold nothing else.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub enum SystemScope {
    /// Finds due schedules and runs to ring.
    Sweep,
    /// Keeps the accounts' queues.
    Lanes,
}

impl SystemScope {
    fn role(self) -> &'static str {
        match self {
            Self::Sweep => "robnu_system_sweep",
            Self::Lanes => "robnu_system_lanes",
        }
    }
}

/// The statement that enters a scope, with its parameters. Opaque outside this crate.
#[derive(Debug)]
pub struct Door(Key);

#[derive(Debug)]
enum Key {
    Member(Subject, SellerId),
    Job(SellerId, AccountId),
    Person(Subject),
    System(&'static str),
}

impl Door {
    pub(crate) fn sql(&self) -> &'static str {
        match self.0 {
            Key::Member(..) => "select robnu.enter_member($1, $2)",
            Key::Job(..) => "select robnu.enter_job($1, $2)",
            Key::Person(..) => "select robnu.enter_person($1)",
            Key::System(..) => "select robnu.enter_system($1)",
        }
    }

    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        match &self.0 {
            Key::Member(subject, seller) => vec![&subject.0, seller],
            Key::Job(seller, account) => vec![seller, account],
            Key::Person(subject) => vec![&subject.0],
            Key::System(role) => vec![role],
        }
    }
}

mod sealed {
    /// Keeps [`super::Scope`] to this crate.
    pub trait Sealed {}
    impl Sealed for super::SellerScope {}
    impl Sealed for super::PersonScope {}
    impl Sealed for super::SystemScope {}
}

/// Anything a session can be opened for. Sealed: the scopes above are all there are.
pub trait Scope: sealed::Sealed {
    /// How the database lets this scope in.
    fn door(&self) -> Door;
}

impl Scope for SellerScope {
    fn door(&self) -> Door {
        Door(match &self.actor {
            Actor::Member(subject) => Key::Member(subject.clone(), self.seller),
            Actor::Job(account) => Key::Job(self.seller, *account),
        })
    }
}

impl Scope for PersonScope {
    fn door(&self) -> Door {
        Door(Key::Person(self.subject.clone()))
    }
}

impl Scope for SystemScope {
    fn door(&self) -> Door {
        Door(Key::System(self.role()))
    }
}
