//! One invocation: runs the sweep that a schedule names, and returns its report. Another sweep needs a module and a variant.

use robnu_tenancy::SellerId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;
use crate::{claims, closing, keys, raw_pages, reseal, retention, scheduling, usage};

/// The event that a schedule sends.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Name of the sweep.
    pub sweep: String,
    /// For the reseal sweep: only this seller, which gets a new data key whatever the age of the present one.
    #[serde(default)]
    pub seller_id: Option<SellerId>,
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
    /// The key sweep's report.
    Keys(keys::Report),
    /// The reseal sweep's report.
    Reseal(reseal::Report),
    /// The closing sweep's report.
    Closing(closing::Report),
    /// The report of the sweep of raw pages.
    RawPages(raw_pages::Report),
    /// The usage sweep's report.
    Usage(usage::Report),
}

impl Report {
    /// Whether a nightly sweep left work behind. The scheduling sweep runs again within minutes and has a report of its own; the
    /// sweeps of keys run every hour and fail when they leave something behind; an alarm watches the age of the
    /// oldest raw page.
    fn nightly_work_left(&self) -> bool {
        match self {
            Self::Scheduling(_) | Self::Keys(_) | Self::Reseal(_) | Self::RawPages(_) => false,
            Self::Claims(report) => report.time_short || report.sellers_failed > 0,
            Self::Retention(report) => report.time_short,
            Self::Usage(report) => report.time_short || report.sellers_failed > 0,
            Self::Closing(report) => report.time_short || report.sellers_failed > 0,
        }
    }
}

/// Runs the requested sweep. It returns before the deadline, finished or not.
pub async fn handle(request: &Request, context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let (outcome, nightly) = match request.sweep.as_str() {
        "scheduling" => (scheduling::sweep(context, deadline).await.map(Report::Scheduling), false),
        "claims" => (claims::sweep(context, deadline).await.map(Report::Claims), true),
        "retention" => (retention::sweep(context, deadline).await.map(Report::Retention), true),
        "keys" => (keys::sweep(context, deadline).await.map(Report::Keys), false),
        "reseal" => {
            let outcome = Box::pin(reseal::sweep(context, request.seller_id, deadline)).await;
            (outcome.map(Report::Reseal), false)
        }
        "closing" => (Box::pin(closing::sweep(context, deadline)).await.map(Report::Closing), true),
        "raw_pages" => (Box::pin(raw_pages::sweep(context, deadline)).await.map(Report::RawPages), false),
        "usage" => (Box::pin(usage::sweep(context, deadline)).await.map(Report::Usage), true),
        other => (Err(SweepError::UnknownSweep { name: other.to_owned() }), false),
    };
    let work_left = nightly && outcome.as_ref().map_or(true, Report::nightly_work_left);
    if work_left {
        // An alarm counts these lines: there are few sweeps a night, and a failure in each of them does not repair itself.
        tracing::warn!(sweep = request.sweep, "the nightly sweep left work behind");
    }
    outcome
}
