//! The calls of the Reports API, and the download of a report's document.
//!
//! The document's URL is a capability: whoever has it can read the document. It is used at once, without our token, and is
//! never stored, logged or shown.

use std::io::Read;

use chrono::{DateTime, SecondsFormat, Utc};
use flate2::read::MultiGzDecoder;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use crate::amazon_in::kept;
use crate::error::AdapterError;
use crate::fields::Id;
use crate::http::{MEBIBYTE, join, secret_header};
use crate::pace::Operation;
use crate::raw::RawPage;
use crate::records::{RawRecords, parse_answer, parse_page, parse_record};
use crate::shared_token::AccessToken;

use super::{AmazonClient, MARKETPLACE_ID, READ_PAYOUTS, READ_RETURNS, accept, operation};

const REPORTS_PATH: [&str; 3] = ["reports", "2021-06-30", "reports"];
const DOCUMENTS_PATH: [&str; 3] = ["reports", "2021-06-30", "documents"];

/// The calls that Amazon counts.
const CREATE_REPORT: Operation = operation("createReport", 0.0167, 15);
const GET_REPORT: Operation = operation("getReport", 2.0, 15);
const GET_REPORTS: Operation = operation("getReports", 0.0222, 10);
const GET_DOCUMENT: Operation = operation("getReportDocument", 0.0167, 15);

/// Reports on a page of the list. The ids of their documents travel in a run's position.
const REPORTS_PAGE: &str = "20";

/// How errors name the list of reports.
const LIST: &str = "list of reports";

/// The largest document, packed or not. That is more than 100,000 returned lines.
const MAX_DOCUMENT_BYTES: usize = 64 * MEBIBYTE;

/// The first bytes of everything that is packed with gzip; no text begins with them.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// How far Amazon has come with a report.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// It waits or is being prepared.
    Working,
    /// There is nothing to report.
    Cancelled,
    /// Amazon gave it up.
    Fatal,
    /// It can be read from this document.
    Done(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    report_id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stated {
    processing_status: String,
    report_document_id: Option<Id>,
}

/// A page of the list of reports.
#[derive(Debug)]
pub struct ReportsPage {
    pub reports: RawRecords,
    pub next_token: Option<String>,
    /// What is kept of the response.
    pub raw: RawPage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    reports: RawRecords,
    next_token: Option<String>,
}

impl ReportsPage {
    /// The documents of the reports that are ready, in the list's order. The others are listed again by a later run.
    ///
    /// # Errors
    /// [`AdapterError::Malformed`] naming the field of a report that does not follow the contract.
    pub fn documents(&self) -> Result<Vec<String>, AdapterError> {
        let mut documents = Vec::new();
        for report in self.reports.iter() {
            let stated: Stated = parse_record(report).map_err(|problem| AdapterError::Malformed {
                what: format!("{LIST}: {}", problem.into_reason()),
            })?;
            documents.extend(
                stated.report_document_id.filter(|_| stated.processing_status == "DONE").map(|id| id.0),
            );
        }
        Ok(documents)
    }
}

#[derive(Deserialize)]
struct Located {
    url: String,
}

impl AmazonClient {
    /// Asks for a report about a span of time, and returns the report's id.
    pub async fn create_report(
        &self,
        report_type: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<String, AdapterError> {
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let order = json!({
            "reportType": report_type, "marketplaceIds": [MARKETPLACE_ID],
            "dataStartTime": instant(from), "dataEndTime": instant(until),
        });
        let url = join(&self.service.base_url, &REPORTS_PATH);
        let call = async |token: AccessToken| {
            let header = secret_header(token.expose())?;
            let request = self.http.post(url.clone()).header("x-amz-access-token", header).json(&order);
            accept(self.http.send_paced(&CREATE_REPORT, request).await?, READ_RETURNS)
        };
        let body = self.service.tokens.authorized(&self.owner, || self.fetch_token(), call).await?;
        parse_answer::<Created>(&body, "created report").map(|created| created.report_id.0)
    }

    /// Asks how far a report is.
    pub async fn report(&self, id: &str) -> Result<Report, AdapterError> {
        let body = self.get(&GET_REPORT, self.url(&REPORTS_PATH, id), READ_RETURNS).await?;
        let stated: Stated = parse_answer(&body, "report")?;
        let malformed = |what: &str| AdapterError::Malformed { what: format!("report: {what}") };
        match stated.processing_status.as_str() {
            "IN_QUEUE" | "IN_PROGRESS" => Ok(Report::Working),
            "CANCELLED" => Ok(Report::Cancelled),
            "FATAL" => Ok(Report::Fatal),
            "DONE" => stated
                .report_document_id
                .map(|id| Report::Done(id.0))
                .ok_or_else(|| malformed("reportDocumentId is missing")),
            _ => Err(malformed("processingStatus is none of those that the contract lists")),
        }
    }

    /// Lists reports of a type that Amazon has made since then. A token is only valid alone.
    pub async fn reports(
        &self,
        report_type: &str,
        since: DateTime<Utc>,
        token: Option<&str>,
    ) -> Result<ReportsPage, AdapterError> {
        let mut url = join(&self.service.base_url, &REPORTS_PATH);
        match token {
            Some(token) => url.query_pairs_mut().append_pair("nextToken", token),
            None => url
                .query_pairs_mut()
                .append_pair("reportTypes", report_type)
                .append_pair("marketplaceIds", MARKETPLACE_ID)
                .append_pair("pageSize", REPORTS_PAGE)
                .append_pair("createdSince", &since.to_rfc3339_opts(SecondsFormat::Secs, true)),
        };
        let body = self.get(&GET_REPORTS, url, READ_PAYOUTS).await?;
        let (listed, bad_bytes): (Listed, _) = parse_page(&body, LIST)?;
        if !listed.reports.is_stated {
            return Err(AdapterError::Malformed { what: format!("{LIST}: reports is missing") });
        }
        if listed.next_token.as_deref().is_some_and(|token| bad_bytes.are_in(token)) {
            return Err(AdapterError::Garbled { what: format!("{LIST} holds a token that is not UTF-8") });
        }
        let Listed { reports, next_token } = listed;
        Ok(ReportsPage { reports, next_token, raw: RawPage::new(&body, &kept::REPORTS) })
    }

    /// Reads a report's document, unpacked. `what` is how errors name what it is needed for.
    pub async fn document(&self, id: &str, what: &'static str) -> Result<Vec<u8>, AdapterError> {
        let body = self.get(&GET_DOCUMENT, self.url(&DOCUMENTS_PATH, id), what).await?;
        let located: Located = parse_answer(&body, "report document")?;
        unpacked(self.download(document_url(&located.url, &self.service.base_url)?).await?)
    }

    fn url(&self, path: &[&str], id: &str) -> Url {
        let path: Vec<&str> = path.iter().copied().chain([id]).collect();
        join(&self.service.base_url, &path)
    }

    /// Downloads from a URL that opens the document by itself. A refusal says nothing about the account; the next attempt gets a
    /// new URL.
    async fn download(&self, url: Url) -> Result<Vec<u8>, AdapterError> {
        let reply = self.http.send_for(self.http.get(url), MAX_DOCUMENT_BYTES).await?;
        reply.accept(|_| None).map_err(|error| match error {
            AdapterError::Rejected { status, .. } => {
                let what = format!("status {status} instead of a report's document");
                AdapterError::Unavailable { what, retry_after: None }
            }
            other => other,
        })
    }
}

/// Reads a document's URL. Only HTTPS is used, except where the API itself speaks plain HTTP, as stand-in servers do; the
/// document must then be on the same host.
fn document_url(text: &str, base_url: &Url) -> Result<Url, AdapterError> {
    let is_stand_in =
        |url: &Url| url.scheme() == "http" && base_url.scheme() == "http" && url.host() == base_url.host();
    Url::parse(text)
        .ok()
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.scheme() == "https" || is_stand_in(url))
        .ok_or_else(|| AdapterError::Malformed {
            what: "report document: url is not an HTTPS URL".to_owned(),
        })
}

/// Unpacks a document. The bytes tell whether it is packed; the field `compressionAlgorithm` does not when the HTTP client has
/// unpacked it already.
fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, AdapterError> {
    if !body.starts_with(&GZIP) {
        return Ok(body);
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(body.as_slice())
        .take(MAX_DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|_| AdapterError::Garbled { what: "report document cannot be unpacked".to_owned() })?;
    if text.len() > MAX_DOCUMENT_BYTES {
        let what = format!("report document is larger than {} MiB", MAX_DOCUMENT_BYTES / MEBIBYTE);
        return Err(AdapterError::Malformed { what });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_and_plain_documents_read_the_same_also_in_several_parts() {
        assert_eq!(unpacked(b"Order ID\tASIN".to_vec()).unwrap(), b"Order ID\tASIN");
        assert_eq!(unpacked(packed(b"Order ID\tASIN")).unwrap(), b"Order ID\tASIN");
        let parts = [packed(b"Order ID"), packed(b"\tASIN")].concat();
        assert_eq!(unpacked(parts).unwrap(), b"Order ID\tASIN");
    }

    #[test]
    fn a_document_that_is_cut_off_is_garbled() {
        let whole = packed(b"Order ID\tASIN");
        for length in 2..whole.len() {
            let error = unpacked(whole[..length].to_vec()).unwrap_err();
            assert!(matches!(error, AdapterError::Garbled { .. }), "{length} bytes: {error}");
        }
    }

    #[test]
    fn a_document_grows_to_sixty_four_mebibytes_and_no_further() {
        let of = |length: usize| unpacked(packed(&vec![b'a'; length])).map(|text| text.len());
        assert_eq!(of(MAX_DOCUMENT_BYTES), Ok(MAX_DOCUMENT_BYTES));
        let what = "report document is larger than 64 MiB".to_owned();
        assert_eq!(of(MAX_DOCUMENT_BYTES + 1), Err(AdapterError::Malformed { what }));
    }

    #[test]
    fn a_document_is_read_over_https_or_beside_a_stand_in() {
        let at = |base: &str, url: &str| document_url(url, &Url::parse(base).unwrap()).is_ok();
        let (amazon, stand_in) = ("https://sellingpartnerapi-eu.amazon.com", "http://127.0.0.1:9700/amazon");
        assert!(at(amazon, "https://documents.s3.eu-west-1.amazonaws.com/1?X-Amz-Signature=2"));
        assert!(at(stand_in, "http://127.0.0.1:9701/documents/1"));
        assert!(at(stand_in, "https://documents.s3.eu-west-1.amazonaws.com/1"));
        for url in [
            "http://127.0.0.1:9700/documents/1",
            "http://documents.s3.eu-west-1.amazonaws.com/1",
            "file:///etc/passwd",
            "https://user:word@documents.s3.eu-west-1.amazonaws.com/1",
            "/documents/1",
            "",
        ] {
            assert!(!at(amazon, url), "{url}");
        }
        assert!(!at(stand_in, "http://169.254.169.254/latest"));
    }
}
