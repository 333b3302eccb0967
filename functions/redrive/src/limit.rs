//! Changing how many runs of a marketplace may be under way at once.

use robnu_tenancy::{Error, Params, SystemScope};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::Limit;

const LIMIT_MARKETPLACE: &str = include_str!("sql/limit_marketplace.sql");

/// What was changed, or in a dry run would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limited {
    /// Whether this request changed anything, or in a dry run would.
    pub changed: bool,
    /// The limit before.
    pub before: i32,
    /// Runs that are under way, at most as many as the limit before.
    pub under_way: i64,
}

/// Changes a marketplace's limit. Runs that are under way go on; the sweeps obey from their next look on.
pub(crate) async fn limit(context: &Context, request: &Limit) -> Result<Limited, RedriveError> {
    let Limit { marketplace, runs_at_once, operator, reason, dry_run } = request;
    let params: Params<'_> = &[marketplace, runs_at_once, operator, reason, dry_run];
    let session = context.database.session(&SystemScope::Redrive).await.map_err(RedriveError::Hold)?;
    let answers = session.commit_with(&[(LIMIT_MARKETPLACE, params)]).await.map_err(RedriveError::Hold)?;
    let read = || {
        let row = answers.iter().flatten().next().ok_or(Error::RowCount { found: 0 })?;
        let before: i32 = row.try_get("runs_at_once")?;
        Ok(Limited { changed: before != *runs_at_once, before, under_way: row.try_get("under_way")? })
    };
    let limited = read().map_err(RedriveError::Hold)?;
    if limited.changed && !dry_run {
        let before = limited.before;
        tracing::info!(marketplace, operator, before, runs_at_once, "a limit was changed");
    }
    Ok(limited)
}
