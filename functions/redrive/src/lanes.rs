//! Finding accounts with their lanes, as the accounts' rows state them.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Row, SellerId, SystemScope, ToSql};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::Lanes;

const LANES: &str = include_str!("sql/lanes.sql");

/// Accounts of a page unless the request says otherwise.
const USUAL_PAGE: i64 = 100;

/// A page of accounts, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundLanes {
    /// The accounts with their lanes.
    pub lanes: Vec<FoundLane>,
    /// Where the next page begins (`after`); null after the last.
    pub next: Option<AccountId>,
}

/// An account and its lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundLane {
    /// The account.
    pub account_id: AccountId,
    /// The marketplace's code.
    pub marketplace: String,
    /// The seller.
    pub seller_id: SellerId,
    /// `ACTIVE`, `PAUSED`, `NEEDS_RECONNECT` or `DISCONNECTED`.
    pub status: String,
    /// Since when it has this status.
    pub status_since: DateTime<Utc>,
    /// Whether operators hold its runs, or those of its marketplace.
    pub is_held: bool,
    /// `REQUESTED`, `ACTIVE`, `PAUSED` or `RETIRED`.
    pub lane_state: String,
    /// Which kind of lane the account is to have: `DEDICATED` or `SHARED`.
    pub lane_kind: String,
    /// Whether its lane is still of the other kind.
    pub is_moving: bool,
    /// Whether the row names a queue.
    pub has_queue: bool,
    /// When the lanes function last looked at it.
    pub lane_checked_at: Option<DateTime<Utc>>,
    /// Live runs, without those of files, which do not go through the lane.
    pub live_runs: i64,
    /// Since when the oldest of those waits that nobody works on.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// When each kind was last read, of those that are scheduled or were ever read to the end.
    pub reads: Vec<LastRead>,
}

/// How fresh what an account has of one kind is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRead {
    /// The kind, such as `ORDERS`.
    pub kind: String,
    /// When a run last read all of it, as far as that was new; null: never.
    pub read_at: Option<DateTime<Utc>>,
    /// How often the account's schedule has it read; null: it has none that is enabled.
    pub every_minutes: Option<i32>,
}

/// A page of accounts with their lanes.
pub(crate) async fn lanes(context: &Context, request: &Lanes) -> Result<FoundLanes, RedriveError> {
    let limit = request.limit.unwrap_or(USUAL_PAGE);
    // One row more than the page shows whether there is a next one.
    let fetch = limit + 1;
    let mut params = request.filter.params().to_vec();
    let more: [&(dyn ToSql + Sync); 2] = [&request.after, &fetch];
    params.extend(more);
    let rows = context.database.read(&SystemScope::Redrive, LANES, &params).await;
    let rows = rows.map_err(RedriveError::Overview)?;
    let page = rows.iter().take(usize::try_from(limit).unwrap_or_default());
    let lanes: Vec<FoundLane> =
        page.map(FoundLane::from_row).collect::<Result<_, _>>().map_err(RedriveError::Overview)?;
    let next = lanes.last().filter(|_| rows.len() > lanes.len()).map(|last| last.account_id);
    Ok(FoundLanes { lanes, next })
}

impl FoundLane {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace")?,
            seller_id: row.try_get("seller_id")?,
            status: row.try_get("status")?,
            status_since: row.try_get("status_since")?,
            is_held: row.try_get("is_held")?,
            lane_state: row.try_get("lane_state")?,
            lane_kind: row.try_get("lane_kind")?,
            is_moving: row.try_get("is_moving")?,
            has_queue: row.try_get("has_queue")?,
            lane_checked_at: row.try_get("lane_checked_at")?,
            live_runs: row.try_get("live_runs")?,
            oldest_waiting: row.try_get("oldest_waiting")?,
            reads: LastRead::from_row(row)?,
        })
    }
}

impl LastRead {
    /// The statement returns three arrays, whose elements belong together.
    fn from_row(row: &Row) -> Result<Vec<Self>, Error> {
        let kinds: Vec<String> = row.try_get("kinds")?;
        let read_at: Vec<Option<DateTime<Utc>>> = row.try_get("read_at")?;
        let every_minutes: Vec<Option<i32>> = row.try_get("every_minutes")?;
        let reads = kinds.into_iter().zip(read_at).zip(every_minutes);
        Ok(reads.map(|((kind, read_at), every_minutes)| Self { kind, read_at, every_minutes }).collect())
    }
}
