//! The next step for a lane, by its wanted state and its present one.

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

/// The next step for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make the missing queue and mapping, and enable the mapping.
    Open,
    /// Disable the mapping. The queue keeps its messages.
    Pause,
    /// Delete both.
    Retire,
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
pub fn next_step(wanted: LaneState, state: LaneState) -> Option<Step> {
    match (wanted, state) {
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
