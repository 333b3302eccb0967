//! The Reports API: a client asks for a report, looks until it is ready, and downloads its document from a URL of its own. Reports that
//! nobody can ask for are listed.

use std::collections::HashMap;
use std::io::Write as _;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::{failure, refusal};
use super::query::{MARKETPLACE_ID, choices, instant, invalid};
use super::returned::{self, Row};
use super::settlements;
use crate::call::{Call, Reply};
use crate::config::AmazonConfig;
use crate::order_book::OrderBook;
use crate::page_fault::PageFault;
use crate::quota::Quota;

const REPORTS_PATH: &str = "/reports/2021-06-30/reports";
const DOCUMENTS_PATH: &str = "/reports/2021-06-30/documents";
/// Where documents are downloaded. At Amazon this is another host.
const DOWNLOADS_PATH: &str = "/report-documents";

const RETURNS: &str = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE";
const LONGEST_SPAN: TimeDelta = TimeDelta::days(60);
/// How long reports and their documents are kept.
const REPORT_LIFE: TimeDelta = TimeDelta::days(90);
/// How long the URL of a document can be used.
const URL_LIFE: TimeDelta = TimeDelta::minutes(5);

/// A call of the Reports API.
pub(super) enum Operation<'a> {
    Create,
    List,
    Get(&'a str),
    Document(&'a str),
}

impl<'a> Operation<'a> {
    pub(super) fn of(call: &'a Call) -> Option<Self> {
        match (&call.method, call.path.as_str()) {
            (&Method::POST, REPORTS_PATH) => Some(Self::Create),
            (&Method::GET, REPORTS_PATH) => Some(Self::List),
            (&Method::GET, path) => below(path, REPORTS_PATH)
                .map(Self::Get)
                .or_else(|| below(path, DOCUMENTS_PATH).map(Self::Document)),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Create => "createReport",
            Self::List => "getReports",
            Self::Get(_) => "getReport",
            Self::Document(_) => "getReportDocument",
        }
    }
}

/// The path in the ledger, for a path of this API; calls that differ only in an id share a line.
pub(super) fn ledger_path(path: &str) -> Option<String> {
    let of = |prefix: &str, id: &str| below(path, prefix).map(|_| format!("{prefix}/{{{id}}}"));
    of(REPORTS_PATH, "reportId")
        .or_else(|| of(DOCUMENTS_PATH, "reportDocumentId"))
        .or_else(|| of(DOWNLOADS_PATH, "document"))
}

/// The key of a download, for the path of one.
pub(super) fn download_key(path: &str) -> Option<&str> {
    below(path, DOWNLOADS_PATH)
}

fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)?.strip_prefix('/')
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Specification {
    report_type: String,
    marketplace_ids: Vec<String>,
    data_start_time: DateTime<Utc>,
    data_end_time: DateTime<Utc>,
}

struct Report {
    account: String,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// How often the client has looked.
    looks: u32,
    result: Option<Ended>,
}

/// How a report ended.
enum Ended {
    Cancelled,
    Fatal,
    Done { document: String, rows: Vec<Row> },
}

/// A URL that was given out.
struct Download {
    account: String,
    file: File,
    made_at: DateTime<Utc>,
}

/// What is downloaded.
enum File {
    /// The document of a report that was asked for, by the report's id.
    Returns(String),
    /// A settlement report, and whether it is packed.
    Settlement(Vec<settlements::Row>, bool),
}

/// A page of a list of reports.
#[derive(Clone)]
struct ListPage {
    account: String,
    since: DateTime<Utc>,
    statuses: Vec<String>,
    size: usize,
    /// The first report of the page, and what the list's previous page began with and led to.
    from: usize,
    previous: Option<(usize, String)>,
    issued_at: DateTime<Utc>,
}

/// Reports and downloads of all accounts.
pub(super) struct Reports {
    create: Quota,
    list: Quota,
    get: Quota,
    document: Quota,
    /// Looks at a report before it is ready.
    looks: u32,
    /// From when returns are dated.
    started_at: DateTime<Utc>,
    asked_for: HashMap<String, Report>,
    downloads: HashMap<String, Download>,
    /// Pages of lists, by their tokens.
    pages: HashMap<String, ListPage>,
}

impl Reports {
    pub(super) fn new(config: &AmazonConfig, started_at: DateTime<Utc>) -> Self {
        Self {
            create: config.create_report,
            list: config.get_reports,
            get: config.get_report,
            document: config.get_report_document,
            looks: config.report_looks,
            started_at,
            asked_for: HashMap::new(),
            downloads: HashMap::new(),
            pages: HashMap::new(),
        }
    }

    pub(super) fn set_looks(&mut self, looks: u32) {
        self.looks = looks;
    }

    pub(super) fn quota(&self, operation: &Operation<'_>) -> Quota {
        match operation {
            Operation::Create => self.create,
            Operation::List => self.list,
            Operation::Get(_) => self.get,
            Operation::Document(_) => self.document,
        }
    }

    /// The account that a URL was given to.
    pub(super) fn owner(&self, key: &str) -> Option<&str> {
        self.downloads.get(key).map(|download| download.account.as_str())
    }

    pub(super) fn answer(
        &mut self,
        operation: &Operation<'_>,
        call: &Call,
        account: &str,
        book: &OrderBook,
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        self.asked_for.retain(|_, report| now - report.created_at < REPORT_LIFE);
        match operation {
            Operation::Create => self.create(call, account, now),
            Operation::List => self.list(call, (account, book), now, page_fault),
            Operation::Get(id) => self.get(id, account, book, now, page_fault),
            Operation::Document(id) => self.document(id, call, (account, book), now),
        }
    }

    fn create(&mut self, call: &Call, account: &str, now: DateTime<Utc>) -> Reply {
        let Ok(given) = serde_json::from_slice::<Specification>(&call.body) else {
            return invalid("give reportType, marketplaceIds, dataStartTime and dataEndTime");
        };
        if given.report_type != RETURNS {
            return invalid("this simulator does not know the reportType");
        }
        if given.marketplace_ids != [MARKETPLACE_ID] {
            return invalid("marketplaceIds must be that of Amazon.in");
        }
        let (from, until) = (given.data_start_time, given.data_end_time);
        if until > now || from > until || until - from > LONGEST_SPAN {
            return invalid("the span must end in the past and be at most 60 days long");
        }
        let id = format!("{}", 50_000_000_000 + self.asked_for.len());
        let account = account.to_owned();
        let report = Report { account, from, until, created_at: now, looks: 0, result: None };
        self.asked_for.insert(id.clone(), report);
        Reply::json(StatusCode::ACCEPTED, &json!({ "reportId": id }))
    }

    fn get(
        &mut self,
        id: &str,
        account: &str,
        book: &OrderBook,
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        let (looks, started_at) = (self.looks, self.started_at);
        let Some(report) = self.asked_for.get_mut(id).filter(|report| report.account == account) else {
            return failure(StatusCode::NOT_FOUND);
        };
        if report.result.is_none() {
            if *page_fault == PageFault::FatalReport {
                report.result = Some(Ended::Fatal);
            } else if report.looks >= looks {
                // The document states what is known now, and never changes.
                let rows = returned::rows(book, started_at, report.from..=report.until, now);
                let document = format!("amzn1.spdoc.1.4.eu.{}", Uuid::now_v7());
                report.result =
                    Some(if rows.is_empty() { Ended::Cancelled } else { Ended::Done { document, rows } });
            }
            report.looks = report.looks.saturating_add(1);
        }
        Reply::json(StatusCode::OK, &stated(id, report))
    }

    /// Answers getReports. Of all types of reports it lists settlement reports, which are the ones that cannot be asked for.
    fn list(
        &mut self,
        call: &Call,
        (account, book): (&str, &OrderBook),
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        let mut page = match self.list_page(call, account, now) {
            Ok(page) => page,
            Err(refused) => return refused,
        };
        let again = page.previous.clone().filter(|_| *page_fault == PageFault::Repeat);
        page.from = again.as_ref().map_or(page.from, |(from, _)| *from);
        let oldest = page.since.max(now - REPORT_LIFE);
        let all: Vec<Value> = settlements::reported(account, book, self.started_at, now)
            .iter()
            .rev()
            .filter(|settlement| settlement.reported_at() >= oldest)
            .map(|settlement| settlements::stated(settlement, MARKETPLACE_ID, now))
            .filter(|report| {
                page.statuses.is_empty()
                    || page.statuses.iter().any(|wanted| report["processingStatus"] == **wanted)
            })
            .collect();
        let mut shown: Vec<Value> = all.iter().skip(page.from).take(page.size).cloned().collect();
        let mut next = (all.len() > page.from + page.size).then_some(page.from + page.size);
        if *page_fault == PageFault::Empty && !shown.is_empty() {
            next = Some(page.from);
        }
        page_fault.apply(&mut shown, |report, _| report["reportId"] = Value::Null);
        let token = match again {
            Some((_, token)) => Some(token),
            None => next.map(|next| self.lead_to(&page, next, now)),
        };
        let mut body = json!({ "reports": shown });
        if let Some(token) = token {
            body["nextToken"] = json!(token);
        }
        Reply::json(StatusCode::OK, &body)
    }

    /// The page that a call asks for, by its token alone or by its filters.
    fn list_page(&self, call: &Call, account: &str, now: DateTime<Utc>) -> Result<ListPage, Reply> {
        if let Some(token) = call.parameter("nextToken") {
            if call.query.len() > 1 {
                return Err(invalid("nextToken must be the only parameter"));
            }
            let known = self.pages.get(token).filter(|page| page.account == account);
            return known.cloned().ok_or_else(|| invalid("the nextToken is unknown or too old"));
        }
        if call.list("reportTypes") != [settlements::REPORT_TYPE] {
            return Err(invalid("this simulator lists settlement reports (V2) only"));
        }
        let statuses =
            choices(call, "processingStatuses", &["CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"])?;
        let size = call.parameter("pageSize").map_or(Ok(10), str::parse);
        let Ok(size @ 1..=100) = size else { return Err(invalid("pageSize must be between 1 and 100")) };
        let since = instant(call, "createdSince")?.unwrap_or(now - REPORT_LIFE);
        let account = account.to_owned();
        Ok(ListPage { account, since, statuses, size, from: 0, previous: None, issued_at: now })
    }

    fn lead_to(&mut self, page: &ListPage, next: usize, now: DateTime<Utc>) -> String {
        self.pages.retain(|_, old| now - old.issued_at < TimeDelta::hours(24));
        let token = format!("{}+/{}==", self.pages.len(), Uuid::now_v7().simple());
        let previous = Some((page.from, token.clone()));
        self.pages.insert(token.clone(), ListPage { from: next, previous, issued_at: now, ..page.clone() });
        token
    }

    fn document(
        &mut self,
        id: &str,
        call: &Call,
        (account, book): (&str, &OrderBook),
        now: DateTime<Utc>,
    ) -> Reply {
        let is_packed = settlements::is_packed(id);
        let settlement = settlements::document(id, account, book, self.started_at, now);
        let is_asked_for =
            |report: &Report| matches!(&report.result, Some(Ended::Done { document, .. }) if document == id);
        let file = if let Some(rows) = settlement {
            File::Settlement(rows, is_packed)
        } else {
            let mut reports = self.asked_for.iter();
            let found = reports.find(|(_, report)| report.account == account && is_asked_for(report));
            let Some((report, _)) = found else { return failure(StatusCode::NOT_FOUND) };
            File::Returns(report.clone())
        };
        let mut body = json!({ "reportDocumentId": id });
        if matches!(file, File::Returns(_) | File::Settlement(_, true)) {
            body["compressionAlgorithm"] = json!("GZIP");
        }
        let key = Uuid::now_v7().simple().to_string();
        let download = Download { account: account.to_owned(), file, made_at: now };
        self.downloads.retain(|_, old| now - old.made_at < URL_LIFE);
        self.downloads.insert(key.clone(), download);
        let host = call.header("host").unwrap_or_default();
        body["url"] = json!(format!("http://{host}/amazon{DOWNLOADS_PATH}/{key}"));
        Reply::json(StatusCode::OK, &body)
    }

    /// Answers a download. A client that sends its token to the host of the documents is refused, so that a test notices.
    pub(super) fn download(
        &self,
        call: &Call,
        key: &str,
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        if call.header(super::ACCESS_TOKEN_HEADER).is_some() || call.header("authorization").is_some() {
            return refusal(StatusCode::BAD_REQUEST, "TokenSent", "a document's URL takes no token");
        }
        let live = self.downloads.get(key).filter(|download| now - download.made_at < URL_LIFE);
        match live.map(|download| &download.file) {
            Some(File::Settlement(rows, is_packed)) => {
                let mut rows = rows.clone();
                page_fault.apply(&mut rows, settlements::malform);
                file(&settlements::text(&rows), *is_packed, rows.len())
            }
            Some(File::Returns(report)) => {
                let result = self.asked_for.get(report).and_then(|report| report.result.as_ref());
                let Some(Ended::Done { rows, .. }) = result else { return failure(StatusCode::FORBIDDEN) };
                let mut rows = rows.clone();
                page_fault.apply(&mut rows, returned::malform);
                file(&returned::text(&rows), true, rows.len())
            }
            None => failure(StatusCode::FORBIDDEN),
        }
    }
}

fn file(text: &str, is_packed: bool, rows: usize) -> Reply {
    let body = if is_packed { pack(text.as_bytes()) } else { text.as_bytes().to_vec() };
    Reply { body, ..Reply::text(StatusCode::OK, String::new()) }
        .with_header("content-type", "text/plain")
        .with_orders(rows)
}

fn stated(id: &str, report: &Report) -> Value {
    let instant = |at: DateTime<Utc>| json!(at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let mut body = json!({
        "reportId": id, "reportType": RETURNS, "marketplaceIds": [MARKETPLACE_ID],
        "dataStartTime": instant(report.from), "dataEndTime": instant(report.until),
        "createdTime": instant(report.created_at),
    });
    body["processingStatus"] = json!(match &report.result {
        None if report.looks <= 1 => "IN_QUEUE",
        None => "IN_PROGRESS",
        Some(Ended::Cancelled) => "CANCELLED",
        Some(Ended::Fatal) => "FATAL",
        Some(Ended::Done { document, .. }) => {
            body["reportDocumentId"] = json!(document);
            "DONE"
        }
    });
    body
}

/// Writing to memory cannot fail; if it did, clients would see an empty document.
fn pack(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}
