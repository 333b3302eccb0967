//! Finding dead letters: a page of them, or one with everything that is known of it.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, DeadLetterId, Error, Row, RunId, SellerId, SystemScope, ToSql};
use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::{List, Show};

const LIST: &str = include_str!("sql/list.sql");
const SHOW: &str = include_str!("sql/show.sql");

/// Dead letters of a page unless the request says otherwise.
const USUAL_PAGE: i64 = 50;

/// A page of dead letters, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The dead letters.
    pub dead_letters: Vec<FoundLetter>,
    /// Where the next page begins (`after`); null after the last.
    pub next: Option<DeadLetterId>,
}

/// A dead letter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// `OPEN`, `REDRIVEN` or `DISCARDED`.
    pub state: String,
    /// What became of a redriven one.
    pub outcome: Option<String>,
    /// A marketplace's code, `LANE_REQUESTS` or `EXPORTS`.
    pub source: String,
    /// What the message is.
    pub form: String,
    /// Why it is dead.
    pub reason: String,
    /// SQS's time of the message.
    pub sent_at: DateTime<Utc>,
    /// When it was collected.
    pub recorded_at: DateTime<Utc>,
    /// The seller that it names.
    pub seller_id: Option<SellerId>,
    /// The account that it names.
    pub account_id: Option<AccountId>,
    /// The run that it names.
    pub run_id: Option<RunId>,
    /// The run's kind.
    pub kind: Option<String>,
    /// When it was redriven or discarded.
    pub closed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Why.
    pub close_reason: Option<String>,
    /// When its message was sent again. A message that its queue did not take is sent later.
    pub published_at: Option<DateTime<Utc>>,
}

/// Everything that is known of one dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As in a list.
    #[serde(flatten)]
    pub letter: FoundLetter,
    /// The dead-letter queue.
    pub queue: String,
    /// The queue that it died in, if it is known.
    pub from_queue: Option<String>,
    /// SQS's id of the message.
    pub message_id: String,
    /// The body as it is sent again, or its beginning.
    pub body: String,
    /// How long the body was.
    pub body_bytes: i32,
    /// The message's step of the run.
    pub step: Option<i32>,
    /// The message's generation of the step.
    pub generation: Option<i32>,
    /// What a redrive would do now, if it is open.
    pub prospect: Option<String>,
    /// The run's state now.
    pub run_state: Option<String>,
    /// The run's step now.
    pub run_step: Option<i32>,
    /// The generation of the run's step now.
    pub run_generation: Option<i32>,
    /// The row in `dead_letter_actions` of whoever closed it.
    pub action_id: Option<Uuid>,
}

/// A page of dead letters.
pub(crate) async fn list(context: &Context, request: &List) -> Result<Found, RedriveError> {
    let state = match request.state.as_deref() {
        None => Some("OPEN"),
        Some("ALL") => None,
        state => state,
    };
    let limit = request.limit.unwrap_or(USUAL_PAGE);
    // One row more than the page shows whether there is a next one.
    let fetch = limit + 1;
    let mut params = request.filter.params().to_vec();
    let more: [&(dyn ToSql + Sync); 3] = [&state, &request.after, &fetch];
    params.extend(more);
    let rows = context.database.read(&SystemScope::Redrive, LIST, &params).await;
    let rows = rows.map_err(RedriveError::Find)?;
    let page = rows.iter().take(usize::try_from(limit).unwrap_or_default());
    let dead_letters: Vec<FoundLetter> =
        page.map(FoundLetter::from_row).collect::<Result<_, _>>().map_err(RedriveError::Find)?;
    let next = dead_letters.last().filter(|_| rows.len() > dead_letters.len()).map(|last| last.id);
    Ok(Found { dead_letters, next })
}

/// One dead letter.
pub(crate) async fn show(context: &Context, request: &Show) -> Result<Option<Shown>, RedriveError> {
    let rows = context.database.read(&SystemScope::Redrive, SHOW, &[&request.id]).await;
    let rows = rows.map_err(RedriveError::Find)?;
    rows.first().map(Shown::from_row).transpose().map_err(RedriveError::Find)
}

impl FoundLetter {
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get("id")?,
            state: row.try_get("state")?,
            outcome: row.try_get("outcome")?,
            source: row.try_get("source")?,
            form: row.try_get("form")?,
            reason: row.try_get("reason")?,
            sent_at: row.try_get("sent_at")?,
            recorded_at: row.try_get("recorded_at")?,
            seller_id: row.try_get("seller_id")?,
            account_id: row.try_get("account_id")?,
            run_id: row.try_get("run_id")?,
            kind: row.try_get("kind")?,
            closed_at: row.try_get("closed_at")?,
            closed_by: row.try_get("closed_by")?,
            close_reason: row.try_get("close_reason")?,
            published_at: row.try_get("published_at")?,
        })
    }
}

impl Shown {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            letter: FoundLetter::from_row(row)?,
            queue: row.try_get("queue")?,
            from_queue: row.try_get("from_queue")?,
            message_id: row.try_get("message_id")?,
            body: row.try_get("body")?,
            body_bytes: row.try_get("body_bytes")?,
            step: row.try_get("step")?,
            generation: row.try_get("generation")?,
            prospect: row.try_get("prospect")?,
            run_state: row.try_get("run_state")?,
            run_step: row.try_get("run_step")?,
            run_generation: row.try_get("run_generation")?,
            action_id: row.try_get("action_id")?,
        })
    }
}
