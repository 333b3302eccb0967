//! One invocation: which sweep a schedule asks for, and what it reports. A further sweep is a module and a variant.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;
use crate::{claims, retention, scheduling};

/// What a schedule sends.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Name of the sweep.
    pub sweep: String,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of the scheduling sweep.
    Scheduling(scheduling::Report),
    /// Of the claim sweep.
    Claims(claims::Report),
    /// Of the retention sweep.
    Retention(retention::Report),
}

impl Report {
    /// Whether a sweep of the night left work behind. The scheduling sweep comes round in minutes and tells by itself.
    fn nightly_work_left(&self) -> bool {
        match self {
            Self::Scheduling(_) => false,
            Self::Claims(report) => report.time_short || report.sellers_failed > 0,
            Self::Retention(report) => report.time_short,
        }
    }
}

/// Runs the sweep that was asked for. It returns before the deadline, done or not.
pub async fn handle(request: &Request, context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let (outcome, nightly) = match request.sweep.as_str() {
        "scheduling" => (scheduling::sweep(context, deadline).await.map(Report::Scheduling), false),
        "claims" => (claims::sweep(context, deadline).await.map(Report::Claims), true),
        "retention" => (retention::sweep(context, deadline).await.map(Report::Retention), true),
        other => (Err(SweepError::UnknownSweep { name: other.to_owned() }), false),
    };
    let work_left = nightly && outcome.as_ref().map_or(true, Report::nightly_work_left);
    if work_left {
        // An alarm counts these lines: a night has few sweeps, and failing at each of them is nothing that mends itself.
        tracing::warn!(sweep = request.sweep, "the nightly sweep left work behind");
    }
    outcome
}
