//! The retention sweep: deletes expired bookkeeping rows, and customers whose marketplace's time is over. It never deletes other business
//! data: the sweep's role cannot see these rows and may only call `forget`, which knows the tables and the age at which their rows are no longer needed.
//!
//! Rows are claimed with SKIP LOCKED and deleted in the same statement, batch by batch. Two concurrent sweeps share the work.

use std::time::Duration;

use robnu_tenancy::{Error, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;

/// Rows deleted in one transaction.
pub const BATCH: usize = 1_000;

/// No batch begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one retention sweep: the rows that it deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Stored responses to members' requests that carried an idempotency key.
    pub idempotency_keys: usize,
    /// Stored responses to requests of persons and staff.
    pub person_idempotency_keys: usize,
    /// Expired authorizations.
    pub account_authorizations: usize,
    /// Counts of members' requests.
    pub request_counts: usize,
    /// Counts of persons' requests.
    pub person_requests: usize,
    /// Counts of mails.
    pub mail_counts: usize,
    /// Openings of lanes.
    pub lane_openings: usize,
    /// Records that could not be read.
    pub quarantined_records: usize,
    /// Digests of raw pages that were not read again.
    pub raw_pages: usize,
    /// Customers of orders whose marketplace's time is over.
    pub customers: usize,
    /// Counts of sign-ups.
    pub sign_up_counts: usize,
    /// Checks of credentials.
    pub credential_checks: usize,
    /// Dead letters that were redriven or discarded.
    pub dead_letters: usize,
    /// Jobs' events of the audit trail.
    pub job_events: usize,
    /// All other events of the audit trail.
    pub audit_events: usize,
    /// Whether time ran out before everything was deleted; the next sweep goes on.
    pub time_short: bool,
}

/// Sweeps until no expired row is left or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    let tables: [(&'static str, &mut usize); 15] = [
        (include_str!("sql/forget_idempotency_keys.sql"), &mut report.idempotency_keys),
        (include_str!("sql/forget_person_idempotency_keys.sql"), &mut report.person_idempotency_keys),
        (include_str!("sql/forget_account_authorizations.sql"), &mut report.account_authorizations),
        (include_str!("sql/forget_request_counts.sql"), &mut report.request_counts),
        (include_str!("sql/forget_person_requests.sql"), &mut report.person_requests),
        (include_str!("sql/forget_mail_counts.sql"), &mut report.mail_counts),
        (include_str!("sql/forget_lane_openings.sql"), &mut report.lane_openings),
        (include_str!("sql/forget_quarantined_records.sql"), &mut report.quarantined_records),
        (include_str!("sql/forget_raw_pages.sql"), &mut report.raw_pages),
        (include_str!("sql/forget_customers.sql"), &mut report.customers),
        (include_str!("sql/forget_sign_up_counts.sql"), &mut report.sign_up_counts),
        (include_str!("sql/forget_credential_checks.sql"), &mut report.credential_checks),
        (include_str!("sql/forget_dead_letters.sql"), &mut report.dead_letters),
        (include_str!("sql/forget_job_events.sql"), &mut report.job_events),
        (include_str!("sql/forget_audit_events.sql"), &mut report.audit_events),
    ];
    let mut time_short = false;
    for (forget, deleted) in tables {
        time_short |= !empty(context, forget, deleted, stop_at).await.map_err(SweepError::Forget)?;
    }
    report.time_short = time_short;
    tracing::info!(
        sweep = "retention",
        idempotency_keys = report.idempotency_keys,
        person_idempotency_keys = report.person_idempotency_keys,
        account_authorizations = report.account_authorizations,
        request_counts = report.request_counts,
        person_requests = report.person_requests,
        mail_counts = report.mail_counts,
        lane_openings = report.lane_openings,
        quarantined_records = report.quarantined_records,
        raw_pages = report.raw_pages,
        customers = report.customers,
        sign_up_counts = report.sign_up_counts,
        credential_checks = report.credential_checks,
        dead_letters = report.dead_letters,
        job_events = report.job_events,
        audit_events = report.audit_events,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// Deletes batches until one is not full, and counts the rows; returns whether there was time for that.
async fn empty(
    context: &Context,
    forget: &'static str,
    deleted: &mut usize,
    stop_at: Instant,
) -> Result<bool, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    loop {
        if Instant::now() >= stop_at {
            return Ok(false);
        }
        let session = context.database.session(&SystemScope::Retention).await?;
        let answers = session.commit_with(&[(forget, &[&limit])]).await?;
        let forgotten: Option<i32> =
            answers.first().and_then(|rows| rows.first()).map(|row| row.try_get(0)).transpose()?;
        let batch = usize::try_from(forgotten.unwrap_or_default()).unwrap_or_default();
        *deleted += batch;
        if batch < BATCH {
            return Ok(true);
        }
    }
}
