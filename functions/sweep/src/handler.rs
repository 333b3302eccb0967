//! One invocation: runs the sweep that a schedule names, and returns its report. Another sweep needs a module and a variant.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;
use crate::{claims, retention, scheduling};

/// The event that a schedule sends.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Name of the sweep.
    pub sweep: String,
}

/// The report of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// The scheduling sweep's report.
    Scheduling(scheduling::Report),
    /// The claim sweep's report.
    Claims(claims::Report),
    /// The retention sweep's report.
    Retention(retention::Report),
}

impl Report {
    /// Whether a nightly sweep left work behind. The scheduling sweep runs again within minutes and has a report of its own.
    fn nightly_work_left(&self) -> bool {
        match self {
            Self::Scheduling(_) => false,
            Self::Claims(report) => report.time_short || report.sellers_failed > 0,
            Self::Retention(report) => report.time_short,
        }
    }
}

/// Runs the requested sweep. It returns before the deadline, finished or not.
pub async fn handle(request: &Request, context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let (outcome, nightly) = match request.sweep.as_str() {
        "scheduling" => (scheduling::sweep(context, deadline).await.map(Report::Scheduling), false),
        "claims" => (claims::sweep(context, deadline).await.map(Report::Claims), true),
        "retention" => (retention::sweep(context, deadline).await.map(Report::Retention), true),
        other => (Err(SweepError::UnknownSweep { name: other.to_owned() }), false),
    };
    let work_left = nightly && outcome.as_ref().map_or(true, Report::nightly_work_left);
    if work_left {
        // An alarm counts these lines: there are few sweeps a night, and a failure in each of them does not repair itself.
        tracing::warn!(sweep = request.sweep, "the nightly sweep left work behind");
    }
    outcome
}
