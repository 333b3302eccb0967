//! Holding the runs of an account or of a marketplace, and letting them go on.
//!
//! A hold is a column beside the seller's own status. While it stands, no schedule makes a run, nobody publishes one, and a message that
//! is on its way is turned away (`is_held` in the migrations). The runs' rows stay as they are, so that nothing is lost or doubled.

use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::{Hold, InputError};

const HOLD_ACCOUNT: &str = include_str!("sql/hold_account.sql");
const HOLD_MARKETPLACE: &str = include_str!("sql/hold_marketplace.sql");
const EFFECT: &str = include_str!("sql/hold_effect.sql");
const RELEASE_RUNS: &str = include_str!("sql/release_runs.sql");
const RELEASE_SCHEDULES: &str = include_str!("sql/release_schedules.sql");
const HURRY_RUNS: &str = include_str!("sql/hurry_runs.sql");

/// Rows that are let go in one transaction, so that none holds many locks.
const BATCH: i64 = 1_000;

/// What was done, or in a dry run would be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Whether this request changed anything, or in a dry run would.
    pub changed: bool,
    /// Whether the account or marketplace was held before.
    pub was_held: bool,
    /// Whether it is held now.
    pub held: bool,
    /// Of an account: 1 if its marketplace is held as well. Of a marketplace: how many of its accounts are held themselves.
    pub also_held: i64,
    /// The accounts that it concerns.
    pub accounts: i64,
    /// Those of them that take runs as far as their sellers are concerned.
    pub active_accounts: i64,
    /// Their live runs.
    pub live_runs: i64,
    /// Those of them that wait until their marketplace answers again. Whoever resumes, also what was not held, lets them try at once; then
    /// it is how many do.
    pub waiting_runs: i64,
}

/// Holds runs (`hold`) or lets them go on.
pub(crate) async fn hold(
    context: &Context,
    request: &Hold,
    hold: bool,
    deadline: Instant,
) -> Result<Result<Held, InputError>, RedriveError> {
    let before = effect(context, request).await.map_err(RedriveError::Hold)?;
    if request.account_id.is_some() && before.accounts == 0 {
        return Ok(Err(InputError::new("account_id", "is the id of no account")));
    }
    if request.dry_run {
        let changed = before.held != hold || (!hold && before.waiting_runs > 0);
        return Ok(Ok(Held { changed, was_held: before.held, ..before }));
    }
    let change = change(context, request, hold).await.map_err(RedriveError::Hold)?;
    if let Some(change) = &change {
        tracing::info!(
            account.id = request.account_id.map(tracing::field::display),
            marketplace = request.marketplace,
            operator = request.operator,
            hold,
            accounts = before.accounts,
            live_runs = before.live_runs,
            "a hold was changed"
        );
        if let Some(since) = change.held_since {
            release(context, request, since, change.at, deadline).await.map_err(RedriveError::Hold)?;
        }
    }
    let mut after = effect(context, request).await.map_err(RedriveError::Hold)?;
    if !hold {
        after.waiting_runs = hurry(context, request, deadline).await.map_err(RedriveError::Hold)?;
    }
    let changed = change.is_some() || (!hold && after.waiting_runs > 0);
    Ok(Ok(Held { changed, was_held: before.held, ..after }))
}

/// A change of a hold.
struct Change {
    /// Since when it was held, if it was.
    held_since: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

async fn change(context: &Context, request: &Hold, hold: bool) -> Result<Option<Change>, Error> {
    let Hold { account_id, marketplace, operator, reason, .. } = request;
    let session = context.database.session(&SystemScope::Redrive).await?;
    let answers = match account_id {
        Some(account) => session.commit_with(&[(HOLD_ACCOUNT, &[account, &hold, operator, reason])]).await?,
        None => session.commit_with(&[(HOLD_MARKETPLACE, &[marketplace, &hold, operator, reason])]).await?,
    };
    let Some(row) = answers.iter().flatten().next() else { return Ok(None) };
    Ok(Some(Change { held_since: row.try_get("held_since")?, at: row.try_get("changed_at")? }))
}

/// Lets what rested during a hold go on now. Without it, too, everything goes on: schedules at their next time, and runs when the
/// scheduling sweep finds that nobody has answered. So it may end early.
async fn release(
    context: &Context,
    request: &Hold,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    deadline: Instant,
) -> Result<(), Error> {
    let (account, marketplace) = (&request.account_id, &request.marketplace);
    in_batches(context, (RELEASE_RUNS, &[account, marketplace, &until, &BATCH]), deadline).await?;
    in_batches(context, (RELEASE_SCHEDULES, &[account, marketplace, &since, &until, &BATCH]), deadline)
        .await?;
    Ok(())
}

/// Lets runs try at once that wait until their marketplace answers again. Returns how many.
async fn hurry(context: &Context, request: &Hold, deadline: Instant) -> Result<i64, Error> {
    let Hold { account_id, marketplace, operator, .. } = request;
    let params: Params<'_> = &[account_id, marketplace, &BATCH];
    let hurried = in_batches(context, (HURRY_RUNS, params), deadline).await?;
    if hurried > 0 {
        tracing::info!(
            account.id = account_id.map(tracing::field::display),
            marketplace,
            operator,
            runs = hurried,
            "runs that waited for their marketplace try at once"
        );
    }
    Ok(hurried)
}

/// Repeats a statement until it lets no more rows go. Returns how many it did.
async fn in_batches(
    context: &Context,
    statement: (&'static str, Params<'_>),
    deadline: Instant,
) -> Result<i64, Error> {
    let mut all = 0;
    while Instant::now() < deadline {
        let session = context.database.session(&SystemScope::Redrive).await?;
        let answers = session.commit_with(&[statement]).await?;
        let row = answers.iter().flatten().next().ok_or(Error::RowCount { found: 0 })?;
        let released: i64 = row.try_get("released")?;
        all += released;
        if released < BATCH {
            return Ok(all);
        }
    }
    tracing::warn!("not everything was let go at once; the rest goes on with the next sweeps");
    Ok(all)
}

/// What the request concerns, as it stands.
async fn effect(context: &Context, request: &Hold) -> Result<Held, Error> {
    let params: Params<'_> = &[&request.account_id, &request.marketplace];
    let rows = context.database.read(&SystemScope::Redrive, EFFECT, params).await?;
    let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
    Ok(Held {
        changed: false,
        was_held: false,
        held: row.try_get("held")?,
        also_held: row.try_get("also_held")?,
        accounts: row.try_get("accounts")?,
        active_accounts: row.try_get("active_accounts")?,
        live_runs: row.try_get("live_runs")?,
        waiting_runs: row.try_get("waiting_runs")?,
    })
}
