//! Amazon's payouts: settlement reports, which say everything about a settlement once it is closed, and before that the transactions of the
//! Finances API, among them those that are announced and not paid yet.
//!
//! Settlement reports cannot be asked for. Amazon makes them, and a run reads those that have appeared since the last one. A page of a run is
//! one step: a page of the list of reports, a part of one report, or a page of transactions.

mod breakdown;
mod position;
mod report;
mod transaction;
mod walk;
mod words;

use chrono::{DateTime, Utc};

use crate::contract::{Page, PageRequest};
use crate::error::AdapterError;
use crate::files;
use crate::kind::RunKind;
use crate::record::{MappedAgain, Records};
use crate::records::{self, map_records};

use super::client::{AmazonClient, READ_PAYOUTS};

pub use position::OVERLAP;
use position::{Position, Step};
use walk::Walk;

const REPORT_TYPE: &str = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2";

/// Takes the next step of a run.
pub async fn page(client: &AmazonClient, request: &PageRequest) -> Result<Page, AdapterError> {
    let position = Position::read(request, Utc::now())?;
    match &position.step {
        Step::Reports(walk) => reports(client, &position, walk).await,
        Step::Documents { ids, from, then } => document(client, &position, (ids, *from), then.as_ref()).await,
        Step::Transactions { from, walk } => transactions(client, &position, *from, walk).await,
    }
}

async fn reports(client: &AmazonClient, position: &Position, walk: &Walk) -> Result<Page, AdapterError> {
    let listed = match client.reports(REPORT_TYPE, position.reports_since, walk.token()).await {
        Ok(listed) => listed,
        Err(error) => return restarted(position, walk, error, Step::Reports),
    };
    let then = walk.after(&listed.reports, listed.next_token.as_deref())?;
    let next = position.documents(listed.documents()?, then);
    Ok(Page { raw: vec![listed.raw], ..onward(&next)? })
}

async fn document(
    client: &AmazonClient,
    position: &Position,
    (ids, from): (&[String], u64),
    then: Option<&Walk>,
) -> Result<Page, AdapterError> {
    let Some((id, others)) = ids.split_first() else {
        return onward(&position.documents(Vec::new(), then.cloned()));
    };
    let behind = position.documents(others.to_vec(), then.cloned());
    let read = match client.document(id, READ_PAYOUTS).await {
        Ok(body) => report::page(id, body, from).await?,
        Err(AdapterError::Rejected { status: 404, .. }) => {
            tracing::info!("Amazon no longer keeps a settlement report");
            return onward(&behind);
        }
        // Such as one that is too large. It would hold up every other report, and can still be uploaded.
        Err(AdapterError::Malformed { what }) => report::set_aside(id, &what),
        Err(error) => return Err(error),
    };
    let next = match read.next {
        Some(from) => position.at(Step::Documents { ids: ids.to_vec(), from, then: then.cloned() }),
        None => behind,
    };
    Ok(Page { records: Records::Payouts(read.parts), quarantined: read.quarantined, ..onward(&next)? })
}

async fn transactions(
    client: &AmazonClient,
    position: &Position,
    from: DateTime<Utc>,
    walk: &Walk,
) -> Result<Page, AdapterError> {
    let until = position.window_end(from);
    if until <= from {
        return Ok(vouched(position, nothing()));
    }
    let listed = match client.transactions(from, until, walk.token()).await {
        Ok(listed) => listed,
        Err(error) => return restarted(position, walk, error, |walk| Step::Transactions { from, walk }),
    };
    let mapped =
        map_records(&listed.transactions, listed.bad_bytes, transaction::transaction_id, transaction::part);
    let next = match walk.after(&listed.transactions, listed.next_token.as_deref())? {
        Some(walk) => Some(position.at(Step::Transactions { from, walk })),
        None => position.next_window(from),
    };
    let page = Page {
        records: Records::Payouts(mapped.records),
        quarantined: mapped.quarantined,
        raw: vec![listed.raw],
        ..nothing()
    };
    match next {
        Some(next) => Ok(Page { next: Some(next.write()?), ..page }),
        None => Ok(vouched(position, page)),
    }
}

/// The last page of a run. It vouches for the whole span, by our clock when the run began.
fn vouched(position: &Position, page: Page) -> Page {
    Page { complete_until: Some(position.until), ..page }
}

/// A page token expires. An empty page then leads back to the list's start.
fn restarted(
    position: &Position,
    walk: &Walk,
    error: AdapterError,
    step: impl Fn(Walk) -> Step,
) -> Result<Page, AdapterError> {
    let start = walk.restart_after(&error).ok_or(error)?;
    tracing::info!("page token no longer accepted, reading the list again from its start");
    onward(&position.at(step(start)))
}

fn onward(next: &Position) -> Result<Page, AdapterError> {
    Ok(Page { next: Some(next.write()?), ..nothing() })
}

/// A page without records, and without another one behind it.
fn nothing() -> Page {
    Page {
        records: Records::Payouts(Vec::new()),
        quarantined: Vec::new(),
        raw: Vec::new(),
        next: None,
        ready_in: None,
        complete_until: None,
    }
}

/// Maps records again that were set aside: rows of reports, and transactions.
pub fn map_again(kept: &[String]) -> MappedAgain {
    let (mut parts, mut problems) = (Vec::new(), Vec::with_capacity(kept.len()));
    for text in kept {
        let one = std::slice::from_ref(text);
        let again = match files::stream_of(text) {
            Some(_) => files::map_again(RunKind::Payouts, one),
            None => records::map_again(one, transaction::part),
        };
        if let Records::Payouts(more) = again.records {
            parts.extend(more);
        }
        problems.extend(again.problems);
    }
    MappedAgain { records: Records::Payouts(parts), problems }
}
