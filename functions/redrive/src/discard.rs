//! Giving dead letters up. A run that was waiting for its redrive ends FAILED.

use robnu_tenancy::{Error, SystemScope, ToSql};
use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::error::RedriveError;
use crate::redrive::{USUAL_LIMIT, prospects};
use crate::request;

const DISCARD: &str = include_str!("sql/discard.sql");

/// The report of one invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Discarded {
    /// Dead letters given up.
    pub discarded: i64,
    /// Runs that ended with them.
    pub runs_ended: i64,
    /// Dead letters that another call gives up.
    pub remaining: i64,
}

/// Gives dead letters up, or in a dry run counts them.
pub(crate) async fn discard(
    context: &Context,
    request: &request::Discard,
) -> Result<Discarded, RedriveError> {
    let mut report = Discarded::default();
    if !request.dry_run {
        report = give_up(context, request).await.map_err(RedriveError::Discard)?;
        tracing::info!(
            operator = request.operator,
            discarded = report.discarded,
            runs_ended = report.runs_ended,
            "dead letters discarded"
        );
    }
    report.remaining = prospects(context, request.choice()).await?.prospects.values().sum();
    Ok(report)
}

async fn give_up(context: &Context, request: &request::Discard) -> Result<Discarded, Error> {
    let choice = request.choice();
    let limit = i64::try_from(request.limit.unwrap_or(USUAL_LIMIT)).unwrap_or(i64::MAX);
    let (action, asked) = (Uuid::now_v7(), choice.asked());
    let mut params = choice.params();
    let more: [&(dyn ToSql + Sync); 5] = [&limit, &request.operator, &request.reason, &action, &asked];
    params.extend(more);
    let session = context.database.session(&SystemScope::Redrive).await?;
    let answers = session.commit_with(&[(DISCARD, &params)]).await?;
    let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
    Ok(Discarded {
        discarded: row.try_get("discarded")?,
        runs_ended: row.try_get("runs_ended")?,
        remaining: 0,
    })
}
