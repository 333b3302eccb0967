//! The next step for a lane, by its wanted state and kind and its present ones.

use robnu_tenancy::Error;

/// A state of a lane: one that it has, or one that the database's `lane_wanted` says it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneState {
    /// Nothing exists yet.
    Requested,
    /// Queue and mapping, enabled.
    Active,
    /// Queue and mapping, disabled.
    Paused,
    /// Nothing exists any more.
    Retired,
}

/// What a lane is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// A FIFO queue of the account's own, with its mapping.
    Dedicated,
    /// The marketplace's parallel queue. Nothing is made, paused or deleted for the account.
    Shared,
}

impl LaneKind {
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "DEDICATED" => Ok(Self::Dedicated),
            "SHARED" => Ok(Self::Shared),
            _ => Err(Error::RowShape),
        }
    }
}

/// How a lane stands, and how it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub wanted: LaneState,
    pub state: LaneState,
    pub wanted_kind: LaneKind,
    /// The kind of what exists. It says nothing while nothing exists.
    pub kind: LaneKind,
}

/// The next step for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make the missing queue and mapping, and enable the mapping.
    Open,
    /// Disable the mapping. The queue keeps its messages.
    Pause,
    /// Delete both.
    Retire,
    /// Delete both, because the account moves to the other kind of lane.
    Leave,
}

impl LaneState {
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "REQUESTED" => Self::Requested,
            "ACTIVE" => Self::Active,
            "PAUSED" => Self::Paused,
            "RETIRED" => Self::Retired,
            _ => return Err(Error::RowShape),
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Retired => "RETIRED",
        }
    }
}

/// The next step towards the wanted state; `None` when the lane has it. An account whose credentials never worked needs no
/// lane, and none was made for it. An account that is paused before it had a lane gets one when it is active again. The
/// statement `find_differing.sql` and its indexes express the same rule in SQL.
pub fn next_step(standing: Standing) -> Option<Step> {
    let exists = matches!(standing.state, LaneState::Active | LaneState::Paused);
    let stays = matches!(standing.wanted, LaneState::Active | LaneState::Paused);
    if exists && stays && standing.kind != standing.wanted_kind {
        return Some(Step::Leave);
    }
    match (standing.wanted, standing.state) {
        (LaneState::Active, LaneState::Active)
        | (LaneState::Paused, LaneState::Requested | LaneState::Paused | LaneState::Retired)
        | (LaneState::Requested, LaneState::Requested | LaneState::Retired)
        | (LaneState::Retired, LaneState::Retired) => None,
        (LaneState::Active, LaneState::Requested | LaneState::Paused | LaneState::Retired) => {
            Some(Step::Open)
        }
        (LaneState::Paused, LaneState::Active) => Some(Step::Pause),
        // For a lane that was REQUESTED, a queue may have been made but not stored in the row.
        (LaneState::Retired, LaneState::Requested | LaneState::Active | LaneState::Paused)
        | (LaneState::Requested, LaneState::Active | LaneState::Paused) => Some(Step::Retire),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_of_the_other_kind_is_left_unless_there_is_none_or_will_be_none() {
        use LaneState::{Active, Paused, Requested, Retired};
        let step = |wanted, state| {
            let kinds = [(LaneKind::Shared, LaneKind::Dedicated), (LaneKind::Dedicated, LaneKind::Shared)];
            let steps =
                kinds.map(|(wanted_kind, kind)| next_step(Standing { wanted, state, wanted_kind, kind }));
            assert_eq!(steps[0], steps[1], "both ways are alike");
            steps[0]
        };
        for (wanted, state) in [(Active, Active), (Active, Paused), (Paused, Active), (Paused, Paused)] {
            assert_eq!(step(wanted, state), Some(Step::Leave), "{wanted:?}, {state:?}");
        }
        assert_eq!(step(Active, Requested), Some(Step::Open));
        assert_eq!(step(Paused, Requested), None, "it gets its lane when it is active again");
        assert_eq!(step(Retired, Active), Some(Step::Retire));
        assert_eq!(step(Requested, Paused), Some(Step::Retire));
    }
}
