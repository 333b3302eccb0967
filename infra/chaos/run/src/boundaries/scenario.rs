//! The pieces of work in which a function is killed.

use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;

/// The function that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The adapter of the account's marketplace.
    Adapter,
    /// The sweeps.
    Sweep,
    /// The function that makes lanes.
    Lanes,
}

/// How the work begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// A member has asked for a run, whose row is written and whose message is not sent.
    Asked(RunKind),
    /// A schedule is due.
    Due(RunKind),
    /// A file lies in the bucket, and its notice in the queue.
    Uploaded,
    /// An account without a lane has a run, and its lane was asked for.
    Connected,
    /// An account with a lane was disconnected.
    Disconnected,
}

/// A piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Who is killed.
    pub subject: Subject,
    /// The account's marketplace.
    pub code: MarketplaceCode,
    /// How it begins.
    pub beginning: Beginning,
}

impl Scenario {
    /// Whether it is about the account's lane, and not about its runs.
    pub fn is_of_lane(&self) -> bool {
        matches!(self.beginning, Beginning::Connected | Beginning::Disconnected)
    }
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    use Beginning::{Asked, Connected, Disconnected, Due, Uploaded};
    use MarketplaceCode::{Ajio, Meesho};
    let scenario = |name, subject, code, beginning| Scenario { name, subject, code, beginning };
    vec![
        scenario("orders", Subject::Adapter, Ajio, Asked(RunKind::Orders)),
        scenario("returns", Subject::Adapter, Ajio, Asked(RunKind::Returns)),
        scenario("check", Subject::Adapter, Ajio, Asked(RunKind::CredentialCheck)),
        scenario("import", Subject::Adapter, Meesho, Uploaded),
        scenario("publish", Subject::Sweep, Ajio, Due(RunKind::Orders)),
        scenario("lane-opens", Subject::Lanes, Ajio, Connected),
        scenario("lane-retires", Subject::Lanes, Ajio, Disconnected),
    ]
}
