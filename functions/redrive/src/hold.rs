//! Holding the runs of an account or of a marketplace, and letting them go on.
//!
//! A hold is a column beside the seller's own status. While it stands, no schedule makes a run, nobody publishes one, and a message that
//! is on its way is turned away (`is_held` in the migrations). The runs' rows stay as they are, so that nothing is lost or doubled.

use robnu_tenancy::{Error, SystemScope};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::{Hold, InputError};

const HOLD_ACCOUNT: &str = include_str!("sql/hold_account.sql");
const HOLD_MARKETPLACE: &str = include_str!("sql/hold_marketplace.sql");
const EFFECT: &str = include_str!("sql/hold_effect.sql");

/// What was done, or in a dry run would be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Whether this request changed anything, or in a dry run would.
    pub changed: bool,
    /// Whether the account or marketplace is held now.
    pub held: bool,
    /// The accounts that it concerns.
    pub accounts: i64,
    /// Those of them that take runs as far as their sellers are concerned.
    pub active_accounts: i64,
    /// Their live runs.
    pub live_runs: i64,
}

/// Holds runs (`hold`) or lets them go on.
pub(crate) async fn hold(
    context: &Context,
    request: &Hold,
    hold: bool,
) -> Result<Result<Held, InputError>, RedriveError> {
    let before = effect(context, request).await.map_err(RedriveError::Hold)?;
    if request.account_id.is_some() && before.accounts == 0 {
        return Ok(Err(InputError::new("account_id", "is the id of no account")));
    }
    if request.dry_run {
        return Ok(Ok(Held { changed: before.held != hold, ..before }));
    }
    let changed = change(context, request, hold).await.map_err(RedriveError::Hold)?;
    if changed {
        tracing::info!(
            account.id = request.account_id.map(tracing::field::display),
            marketplace = request.marketplace,
            operator = request.operator,
            hold,
            accounts = before.accounts,
            live_runs = before.live_runs,
            "a hold was changed"
        );
    }
    Ok(Ok(Held { changed, ..effect(context, request).await.map_err(RedriveError::Hold)? }))
}

async fn change(context: &Context, request: &Hold, hold: bool) -> Result<bool, Error> {
    let Hold { account_id, marketplace, operator, reason, .. } = request;
    let session = context.database.session(&SystemScope::Redrive).await?;
    let answers = match account_id {
        Some(account) => session.commit_with(&[(HOLD_ACCOUNT, &[account, &hold, operator, reason])]).await?,
        None => session.commit_with(&[(HOLD_MARKETPLACE, &[marketplace, &hold, operator, reason])]).await?,
    };
    let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
    Ok(row.try_get::<_, i64>("changed")? > 0)
}

/// What the request concerns, as it stands.
async fn effect(context: &Context, request: &Hold) -> Result<Held, Error> {
    let params: robnu_tenancy::Params<'_> = &[&request.account_id, &request.marketplace];
    let rows = context.database.read(&SystemScope::Redrive, EFFECT, params).await?;
    let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
    Ok(Held {
        changed: false,
        held: row.try_get("held")?,
        accounts: row.try_get("accounts")?,
        active_accounts: row.try_get("active_accounts")?,
        live_runs: row.try_get("live_runs")?,
    })
}
