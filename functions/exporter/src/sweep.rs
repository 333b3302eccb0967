//! The sweep of exports: sends a message for each export whose last message has brought nothing about, and for each finished one
//! whose upload must still be aborted. So any message may be lost.

use std::time::Duration;

use robnu_dispatch::ExportMessage;
use robnu_tenancy::SystemScope;
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::ExportError;
use crate::slice::send;

const REPUBLISH: &str = include_str!("sql/republish.sql");

/// Exports in one sweep; the next sweep goes on.
const BATCH: i64 = 500;
/// The time, in seconds, after which a message that nobody has acted on counts as lost.
const UNANSWERED_SECONDS: f64 = 600.0;
/// How long, in seconds, a lease must be overdue before its holder counts as gone.
const OVERDUE_LEASE_SECONDS: f64 = 60.0;
/// Nothing is sent with less time left than this.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Exports that were announced again.
    pub republished: usize,
    /// Messages that could not be sent; a later sweep sends them.
    pub send_failures: usize,
}

/// Sweeps once.
pub(crate) async fn sweep(context: &Context, deadline: Instant) -> Result<Report, ExportError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let session = context.database.session(&SystemScope::Exports).await?;
    let params: robnu_tenancy::Params<'_> = &[&BATCH, &UNANSWERED_SECONDS, &OVERDUE_LEASE_SECONDS];
    let answers = session.commit_with(&[(REPUBLISH, params)]).await?;
    let mut report = Report::default();
    for row in answers.iter().flatten() {
        let message = ExportMessage {
            seller_id: row.try_get("seller_id").map_err(robnu_tenancy::Error::from)?,
            export_id: row.try_get("id").map_err(robnu_tenancy::Error::from)?,
        };
        if Instant::now() < stop_at && send(context, message, Duration::ZERO).await.is_ok() {
            report.republished += 1;
        } else {
            report.send_failures += 1;
        }
    }
    tracing::info!(
        sweep = "exports",
        republished = report.republished,
        send_failures = report.send_failures,
        "sweep done"
    );
    Ok(report)
}
