//! One invocation: which sweep a schedule asks for, and what it reports. A further sweep is a module and a variant.

use robnu_dispatch::Bell;
use robnu_tenancy::Database;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::SweepError;
use crate::scheduling;

/// What a schedule sends.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Name of the sweep.
    pub sweep: String,
}

/// What lives as long as the process.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database, as the sweep's login role.
    pub database: Database,
    /// Rings lanes.
    pub bell: Bell,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of the scheduling sweep.
    Scheduling(scheduling::Report),
}

/// Runs the sweep that was asked for. It returns before the deadline, done or not.
pub async fn handle(request: &Request, context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    match request.sweep.as_str() {
        "scheduling" => scheduling::sweep(context, deadline).await.map(Report::Scheduling),
        other => Err(SweepError::UnknownSweep { name: other.to_owned() }),
    }
}
