//! What is stuck: work of sellers that does not go on by itself, in one list, oldest first.
//!
//! Each statement looks for one sort through an index that holds little else, and returns at most [`MOST`] rows. What waits for a
//! reason that is listed itself, such as a run of a paused account, is not listed twice.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Params, Row, SellerId, SystemScope};
use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::Stuck;

const ACCOUNTS: &str = include_str!("sql/stuck_accounts.sql");
const SELLERS: &str = include_str!("sql/stuck_sellers.sql");
const RUNS: &str = include_str!("sql/stuck_runs.sql");
const SCHEDULES: &str = include_str!("sql/stuck_schedules.sql");
const IMPORTS: &str = include_str!("sql/stuck_imports.sql");
const EXPORTS: &str = include_str!("sql/stuck_exports.sql");
const LETTERS: &str = include_str!("sql/stuck_letters.sql");

/// Things in a list unless the request says otherwise.
const USUAL_LIMIT: usize = 100;
/// Things of one sort that are looked at. Of more, the list says "at least".
const MOST: i64 = 1_000;
/// Attempts without progress after which a run or an export counts as stuck: about ten minutes of waits, and five crashes.
const ATTEMPTS: i32 = 5;
/// How long, in seconds, a queued run or export may wait to be taken. The scheduling sweep has published it a second time by then.
const TAKEN_SECONDS: f64 = 2_700.0;
/// How long, in seconds, a lease, the end of a wait, a schedule or a lane may be overdue: three rounds of the scheduling sweep.
const OVERDUE_SECONDS: f64 = 900.0;
/// How long, in seconds, an announced import may be without a run. The scheduling sweep begins one after half an hour.
const BEGUN_SECONDS: f64 = 3_000.0;

/// Something that is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StuckThing {
    /// What: `RUN_FAILING`, `RUN_NOT_TAKEN`, `SCHEDULE_OVERDUE`, `ACCOUNT_PAUSED`, `ACCOUNT_NEEDS_RECONNECT`, `LANE_MISSING`,
    /// `ACCOUNT_HELD`, `MARKETPLACE_HELD`, `SELLER_SUSPENDED`, `IMPORT_NOT_TAKEN`, `EXPORT_FAILING`, `EXPORT_NOT_TAKEN` or `DEAD_LETTER`.
    pub what: String,
    /// The marketplace, or the source of a dead letter. None of sellers and exports.
    pub marketplace: Option<String>,
    /// The seller. A dead letter may name none, and a marketplace has none.
    pub seller_id: Option<SellerId>,
    /// The account.
    pub account_id: Option<AccountId>,
    /// The id of the run, schedule, account, seller, import or export, or of the oldest dead letter. None of
    /// a marketplace.
    pub id: Option<Uuid>,
    /// The kind of run, the list of an export, or the form of a dead letter that is no run's.
    pub kind: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why: a code.
    pub why: String,
    /// How many dead letters the row stands for; 1 of everything else.
    pub count: i64,
}

/// What is stuck, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StuckThings {
    /// The oldest.
    pub stuck: Vec<StuckThing>,
    /// How many more there are.
    pub left_out: usize,
    /// Whether there are still more than that.
    pub at_least: bool,
}

/// Looks for what is stuck.
pub(crate) async fn stuck(context: &Context, request: &Stuck) -> Result<StuckThings, RedriveError> {
    let answers = look(context, request).await.map_err(RedriveError::Overview)?;
    let full = usize::try_from(MOST).unwrap_or(usize::MAX);
    let at_least = answers.iter().any(|rows| rows.len() >= full);
    let things = answers.iter().flatten().map(StuckThing::from_row).collect::<Result<Vec<_>, _>>();
    let mut stuck = things.map_err(RedriveError::Overview)?;
    let letters: i64 =
        stuck.iter().filter(|thing| thing.what == "DEAD_LETTER").map(|thing| thing.count).sum();
    let at_least = at_least || letters >= MOST;
    stuck.sort_by_key(|thing| (thing.since, thing.id));
    let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL_LIMIT);
    let left_out = stuck.len().saturating_sub(limit);
    stuck.truncate(limit);
    Ok(StuckThings { stuck, left_out, at_least })
}

async fn look(context: &Context, request: &Stuck) -> Result<Vec<Vec<Row>>, Error> {
    let [marketplace, seller, account] = request.filter.params();
    let of_all: Params<'_> = &[marketplace, seller, account, &MOST];
    let overdue: Params<'_> = &[marketplace, seller, account, &MOST, &OVERDUE_SECONDS];
    let begun: Params<'_> = &[marketplace, seller, account, &MOST, &BEGUN_SECONDS];
    let worked_on: Params<'_> =
        &[marketplace, seller, account, &MOST, &ATTEMPTS, &TAKEN_SECONDS, &OVERDUE_SECONDS];
    let session = context.database.session(&SystemScope::Redrive).await?;
    let statements = [
        (ACCOUNTS, overdue),
        (SELLERS, of_all),
        (RUNS, worked_on),
        (SCHEDULES, overdue),
        (IMPORTS, begun),
        (EXPORTS, worked_on),
        (LETTERS, of_all),
    ];
    session.commit_with(&statements).await
}

impl StuckThing {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            what: row.try_get("what")?,
            marketplace: row.try_get("marketplace")?,
            seller_id: row.try_get("seller_id")?,
            account_id: row.try_get("account_id")?,
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            since: row.try_get("since")?,
            why: row.try_get("why")?,
            count: row.try_get("count")?,
        })
    }
}
