//! Moving an account to the other kind of lane.
//!
//! The account's row says which kind it is to have; the lanes function, asked by a lane request, makes it so. If the request is lost, the
//! next reconcile does it.

use robnu_dispatch::LaneRequest;
use robnu_marketplace::kind::RunKind;
use robnu_observe::chain;
use robnu_tenancy::{Error, Params, SellerId, SystemScope};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::{InputError, Move};

const MOVE_ACCOUNT: &str = include_str!("sql/move_account.sql");

/// What was changed, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Whether this request changed anything, or in a dry run would.
    pub changed: bool,
    /// The kind of lane before: `DEDICATED` or `SHARED`.
    pub before: String,
    /// `REQUESTED`, `ACTIVE`, `PAUSED` or `RETIRED`.
    pub lane_state: String,
    /// Live runs that go through the lane.
    pub live_runs: i64,
    /// Whether the lanes function was asked to do it at once; if not, its next reconcile does it.
    pub asked: bool,
}

/// Moves an account, whichever lane it has or is to have. Its runs go on.
pub(crate) async fn relocate(
    context: &Context,
    request: &Move,
) -> Result<Result<Moved, InputError>, RedriveError> {
    let Move { account_id, to, operator, reason, dry_run } = request;
    let kinds = RunKind::Orders.takes_turns_with();
    let to = to.as_str();
    let params: Params<'_> = &[account_id, &to, operator, reason, dry_run, &kinds];
    let session = context.database.session(&SystemScope::Redrive).await.map_err(RedriveError::Hold)?;
    let answers = session.commit_with(&[(MOVE_ACCOUNT, params)]).await.map_err(RedriveError::Hold)?;
    let Some(row) = answers.iter().flatten().next() else {
        return Ok(Err(InputError::new("account_id", "is the id of no account")));
    };
    let read = || {
        let before: String = row.try_get("lane_kind")?;
        let changed = before != to;
        let (lane_state, live_runs) = (row.try_get("lane_state")?, row.try_get("live_runs")?);
        let seller: SellerId = row.try_get("seller_id")?;
        Ok::<_, Error>((seller, Moved { changed, before, lane_state, live_runs, asked: false }))
    };
    let (seller_id, mut moved) = read().map_err(RedriveError::Hold)?;
    if !moved.changed || *dry_run {
        return Ok(Ok(moved));
    }
    tracing::info!(account.id = %account_id, operator, to, live_runs = moved.live_runs, "an account was moved");
    moved.asked = ask(context, LaneRequest { seller_id, account_id: *account_id }).await;
    Ok(Ok(moved))
}

/// Whether the queue of lane requests took the request.
async fn ask(context: &Context, request: LaneRequest) -> bool {
    let message = context.sqs.send_message().queue_url(&context.queues.lane_requests);
    let outcome = message.message_body(request.to_body()).send().await;
    if let Err(error) = &outcome {
        tracing::warn!(account.id = %request.account_id, error = chain(error), "the lane was not asked for; the next reconcile moves the account");
    }
    outcome.is_ok()
}
