//! The one list of kinds of runs: what an account's marketplace can be asked for. The table `run_kinds` has the same.

use serde::{Deserialize, Serialize};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// Reads orders with their lines and shipments.
    Orders,
    /// Reads returns.
    Returns,
    /// Reads payouts with their lines.
    Payouts,
    /// Reads listings.
    Listings,
    /// Sends stock.
    InventoryPush,
    /// Confirms orders and books their shipments.
    Processing,
    /// Asks the marketplace whether it accepts the account's credentials.
    CredentialCheck,
    /// Imports a file that a member has uploaded. It asks the marketplace for nothing.
    FileImport,
}

/// Every kind of run.
pub const RUN_KINDS: &[RunKind] = &[
    RunKind::Orders,
    RunKind::Returns,
    RunKind::Payouts,
    RunKind::Listings,
    RunKind::InventoryPush,
    RunKind::Processing,
    RunKind::CredentialCheck,
    RunKind::FileImport,
];

impl RunKind {
    /// The text in the database, in messages and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "ORDERS",
            Self::Returns => "RETURNS",
            Self::Payouts => "PAYOUTS",
            Self::Listings => "LISTINGS",
            Self::InventoryPush => "INVENTORY_PUSH",
            Self::Processing => "PROCESSING",
            Self::CredentialCheck => "CREDENTIAL_CHECK",
            Self::FileImport => "FILE_IMPORT",
        }
    }

    /// Returns the kind that a text stands for.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        RUN_KINDS.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// Whether runs of this kind may overtake each other and an account's other runs. They go through the marketplace's Standard
    /// queue; all other runs go through their account's FIFO lane.
    #[must_use]
    pub const fn is_parallel(self) -> bool {
        matches!(self, Self::Returns | Self::Payouts | Self::FileImport)
    }

    /// The kinds whose runs of the same account keep a run of this kind back while they are worked on: all that may not overtake each
    /// other. None for a kind that may run beside any other.
    #[must_use]
    pub fn takes_turns_with(self) -> Vec<&'static str> {
        if self.is_parallel() {
            return Vec::new();
        }
        RUN_KINDS.iter().filter(|kind| !kind.is_parallel()).map(|kind| kind.as_str()).collect()
    }

    /// Whether runs of this kind need the account's credentials, and so wait until it has a lane. A file is read without them.
    #[must_use]
    pub const fn needs_credentials(self) -> bool {
        !matches!(self, Self::FileImport)
    }

    /// Whether a schedule can ask for runs of this kind. An import begins with its file.
    #[must_use]
    pub const fn is_schedulable(self) -> bool {
        !matches!(self, Self::FileImport)
    }

    /// Whether a member can ask for a run of this kind by its name. A check has a route of its own, and an import begins with its
    /// file.
    #[must_use]
    pub const fn is_requestable(self) -> bool {
        !matches!(self, Self::CredentialCheck | Self::FileImport)
    }

    /// Whether a run of this kind reads records, and so may set some aside.
    #[must_use]
    pub const fn sets_records_aside(self) -> bool {
        !matches!(self, Self::CredentialCheck)
    }

    /// Whether a run of this kind can read a window of time instead of what has changed.
    #[must_use]
    pub const fn has_windows(self) -> bool {
        matches!(self, Self::Orders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orders_can_be_read_by_a_window_of_time() {
        let with_windows: Vec<RunKind> =
            RUN_KINDS.iter().copied().filter(|kind| kind.has_windows()).collect();
        assert_eq!(with_windows, [RunKind::Orders]);
    }

    #[test]
    fn what_only_reads_beside_the_orders_may_run_in_parallel() {
        let parallel: Vec<RunKind> = RUN_KINDS.iter().copied().filter(|kind| kind.is_parallel()).collect();
        assert_eq!(parallel, [RunKind::Returns, RunKind::Payouts, RunKind::FileImport]);
    }

    #[test]
    fn runs_that_must_not_overtake_take_turns_with_each_other_and_with_no_other() {
        for kind in RUN_KINDS {
            let others: Vec<RunKind> =
                kind.takes_turns_with().into_iter().filter_map(RunKind::from_stored).collect();
            for other in RUN_KINDS {
                let take_turns = !kind.is_parallel() && !other.is_parallel();
                assert_eq!(others.contains(other), take_turns, "{kind:?} and {other:?}");
            }
        }
    }

    #[test]
    fn checks_and_imports_are_not_asked_for_by_name_and_only_imports_need_no_credentials() {
        let all = RUN_KINDS.iter().copied();
        let not_requestable: Vec<RunKind> = all.clone().filter(|kind| !kind.is_requestable()).collect();
        assert_eq!(not_requestable, [RunKind::CredentialCheck, RunKind::FileImport]);
        let not_schedulable: Vec<RunKind> = all.clone().filter(|kind| !kind.is_schedulable()).collect();
        assert_eq!(not_schedulable, [RunKind::FileImport]);
        let without_credentials: Vec<RunKind> = all.filter(|kind| !kind.needs_credentials()).collect();
        assert_eq!(without_credentials, [RunKind::FileImport]);
    }

    #[test]
    fn kinds_have_the_same_text_in_messages_and_in_the_database() {
        for kind in RUN_KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(RunKind::from_stored(kind.as_str()), Some(*kind));
        }
    }
}
