//! Amazon's returns of orders that the seller ships, read from reports.
//!
//! Amazon prepares a report in minutes. So a page of a run is one step: ask for a report, look whether it is ready, or read a
//! part of it. Between looks the run waits and holds no function. A crash between a request and its page costs one report.
//!
//! Reports select by the date on which a return was asked for, while its delivery and refund come weeks later. So every run
//! reads eight weeks again, which one report holds, and so covers almost the whole of a claim window of 60 days.

pub(super) mod cells;
mod mapping;
mod position;
mod table;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::bytes::BadBytes;
use crate::contract::{Page, PageRequest};
use crate::error::AdapterError;
use crate::raw::RawPage;
use crate::record::{QuarantinedRecord, Records, ReturnRecord};
use crate::records::map_records;

use super::client::{AmazonClient, READ_RETURNS, Report};
use super::kept;

pub use mapping::returned;
use position::{Position, Step};
use table::Table;

/// How far behind the watermark a run reads.
pub const OVERLAP: Duration = Duration::from_hours(56 * 24);

const REPORT_TYPE: &str = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE";

/// How many returns a page holds at most. Each page loads the document anew, and Amazon allows 15 loads at once.
const PAGE_SIZE: usize = 2_000;

/// Bounds of the pause between two looks at a report; it grows with the report's age.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// A report that is not ready after this time counts as an outage: the run waits longer and longer, looks again each time, and
/// fails in the end.
const PATIENCE: Duration = Duration::from_hours(3);

/// Takes the next step of a run.
pub async fn page(client: &AmazonClient, request: &PageRequest) -> Result<Page, AdapterError> {
    let position = Position::read(request, Utc::now())?;
    match &position.step {
        Step::Ask => ask(client, &position).await,
        Step::Look { report, asked_at } => look(client, &position, report, *asked_at).await,
        Step::Read { document, from } => read(client, &position, document, *from).await,
    }
}

async fn ask(client: &AmazonClient, position: &Position) -> Result<Page, AdapterError> {
    let (from, until) = position.window();
    let report = client.create_report(REPORT_TYPE, from, until).await?;
    let look = position.at(Step::Look { report, asked_at: Utc::now() });
    waiting(&look, FIRST_PAUSE)
}

async fn look(
    client: &AmazonClient,
    position: &Position,
    report: &str,
    asked_at: DateTime<Utc>,
) -> Result<Page, AdapterError> {
    match client.report(report).await {
        Ok(Report::Working) => {
            let age = (Utc::now() - asked_at).to_std().unwrap_or_default();
            if age > PATIENCE {
                let hours = PATIENCE.as_secs() / 3_600;
                let what = format!("a report is still not ready after {hours} hours");
                return Err(AdapterError::Unavailable { what, retry_after: None });
            }
            waiting(position, (age / 2).clamp(FIRST_PAUSE, LONGEST_PAUSE))
        }
        // Amazon cancels a report when there is nothing to report. If a person cancelled it, a later run reads the same span again.
        Ok(Report::Cancelled) => ended(position, Vec::new(), Vec::new()),
        Ok(Report::Done(document)) => {
            onward(&position.at(Step::Read { document, from: 0 }), Vec::new(), Vec::new())
        }
        Ok(Report::Fatal) => {
            let failed = AdapterError::Rejected { status: 200, code: Some("FATAL".to_owned()) };
            waiting(&position.asked_again().ok_or(failed)?, FIRST_PAUSE)
        }
        Err(error) => forgotten(position, error),
    }
}

async fn read(
    client: &AmazonClient,
    position: &Position,
    document: &str,
    from: usize,
) -> Result<Page, AdapterError> {
    let body = match client.document(document, READ_RETURNS).await {
        Ok(body) => body,
        Err(error) => return forgotten(position, error),
    };
    let (text, bad_bytes) = BadBytes::decode(&body);
    let table = Table::read(&text)?;
    let raw = table.records(from, PAGE_SIZE)?;
    let mapped = map_records(&raw, bad_bytes, mapping::return_id, returned);
    let read = RawPage::new(&serde_json::to_vec(&raw).unwrap_or_default(), &kept::RETURNS);
    let next = from + raw.len();
    if next < table.returns() {
        let rest = position.at(Step::Read { document: document.to_owned(), from: next });
        let page = onward(&rest, mapped.records, mapped.quarantined)?;
        return Ok(Page { raw: vec![read], ..page });
    }
    let page = ended(position, mapped.records, mapped.quarantined)?;
    Ok(Page { raw: vec![read], ..page })
}

/// When Amazon no longer knows a report or its document, the report is asked for again, once.
fn forgotten(position: &Position, error: AdapterError) -> Result<Page, AdapterError> {
    match (&error, position.asked_again()) {
        (AdapterError::Rejected { status: 404, .. }, Some(again)) => onward(&again, Vec::new(), Vec::new()),
        _ => Err(error),
    }
}

/// A page without records, after which the run waits.
fn waiting(next: &Position, pause: Duration) -> Result<Page, AdapterError> {
    Ok(Page { ready_in: Some(pause), ..onward(next, Vec::new(), Vec::new())? })
}

/// The last page of a window. The last page of all vouches for the whole span, by our clock when the run began.
fn ended(
    position: &Position,
    records: Vec<ReturnRecord>,
    quarantined: Vec<QuarantinedRecord>,
) -> Result<Page, AdapterError> {
    match position.next_window() {
        Some(next) => onward(&next, records, quarantined),
        None => Ok(Page {
            records: Records::Returns(records),
            quarantined,
            raw: Vec::new(),
            next: None,
            ready_in: None,
            complete_until: Some(position.until),
        }),
    }
}

fn onward(
    next: &Position,
    records: Vec<ReturnRecord>,
    quarantined: Vec<QuarantinedRecord>,
) -> Result<Page, AdapterError> {
    Ok(Page {
        records: Records::Returns(records),
        quarantined,
        raw: Vec::new(),
        next: Some(next.write()?),
        ready_in: None,
        complete_until: None,
    })
}
