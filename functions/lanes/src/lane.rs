//! What an account's status wants of its lane.

use robnu_tenancy::Error;

/// An account's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Works.
    Active,
    /// The seller paused it.
    Paused,
    /// The marketplace refuses its credentials.
    NeedsReconnect,
    /// The seller disconnected it.
    Disconnected,
}

/// What exists of a lane.
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

impl Status {
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "ACTIVE" => Self::Active,
            "PAUSED" => Self::Paused,
            "NEEDS_RECONNECT" => Self::NeedsReconnect,
            "DISCONNECTED" => Self::Disconnected,
            _ => return Err(Error::RowShape),
        })
    }
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

/// The next step towards what the status wants; `None` when the lane is what it should be. An account that must be
/// reconnected keeps its lane, because its credentials can still be tested there; sweeps send it nothing else. One that is
/// paused before it ever had a lane gets one when it is active again. The statement `find_differing.sql` and its index
/// say the same in SQL.
pub fn next_step(status: Status, state: LaneState) -> Option<Step> {
    match (status, state) {
        (Status::Active | Status::NeedsReconnect, LaneState::Active)
        | (Status::Paused, LaneState::Requested | LaneState::Paused | LaneState::Retired)
        | (Status::Disconnected, LaneState::Retired) => None,
        (
            Status::Active | Status::NeedsReconnect,
            LaneState::Requested | LaneState::Paused | LaneState::Retired,
        ) => Some(Step::Open),
        (Status::Paused, LaneState::Active) => Some(Step::Pause),
        (Status::Disconnected, LaneState::Requested | LaneState::Active | LaneState::Paused) => {
            Some(Step::Retire)
        }
    }
}
