//! What is to be done about a lane, by what is wanted and what is there.

use robnu_tenancy::Error;

/// A state of a lane: one that it has, or one that the database's `lane_wanted` says it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneState {
    /// Nothing yet.
    Requested,
    /// Queue and mapping, enabled.
    Active,
    /// Queue and mapping, disabled.
    Paused,
    /// Nothing any more.
    Retired,
}

/// What is to be done about a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make what is missing of queue and mapping, and enable the mapping.
    Open,
    /// Disable the mapping. What is in the queue stays.
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

/// The next step towards what is wanted; `None` when the lane is what it should be. An account whose credentials never
/// worked wants nothing, and nothing was made for it. One that is paused before it ever had a lane gets one when it is
/// active again. The statement `find_differing.sql` and its indexes say the same in SQL.
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
        // A queue may have been made for one that was REQUESTED, and not noted.
        (LaneState::Retired, LaneState::Requested | LaneState::Active | LaneState::Paused)
        | (LaneState::Requested, LaneState::Active | LaneState::Paused) => Some(Step::Retire),
    }
}
