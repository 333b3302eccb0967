//! A settlement report that was downloaded. It goes through the same code as an uploaded one, so both give equal records.

use std::io::{self, Write};

use tempfile::NamedTempFile;

use crate::error::AdapterError;
use crate::files::{DateOrder, FileError, ImportError, ImportFile, Kind};
use crate::record::{PayoutPart, QuarantinedRecord, Records};

/// How many records a page holds at least, if there are as many. Each page loads the document anew, and Amazon allows 15 loads at once.
const PAGE_SIZE: u64 = 2_000;

/// A page of a report.
#[derive(Debug, Default)]
pub struct ReportPage {
    pub parts: Vec<PayoutPart>,
    pub quarantined: Vec<QuarantinedRecord>,
    /// The record with which the next page begins; `None` when this was the last.
    pub next: Option<u64>,
}

/// Reads a page of a document, given as it was downloaded and unpacked.
///
/// # Errors
/// [`AdapterError::Garbled`] when the document is something else. A report whose layout or dates cannot be read is a record that is set
/// aside, because it would otherwise hold up every other report.
pub async fn page(id: &str, body: Vec<u8>, from: u64) -> Result<ReportPage, AdapterError> {
    let id = id.to_owned();
    // Sorting a large report keeps a processor busy for seconds.
    let read = tokio::task::spawn_blocking(move || read(&id, &body, from)).await;
    read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn read(id: &str, body: &[u8], from: u64) -> Result<ReportPage, AdapterError> {
    let file = match opened(body) {
        Ok(file) => file,
        Err(ImportError::File(FileError::Io(error))) => return Err(unavailable(&error)),
        Err(ImportError::File(
            FileError::NotATable { .. }
            | FileError::Empty
            | FileError::Damaged { .. }
            | FileError::Unrecognised { closest: None },
        )) => {
            return Err(AdapterError::Garbled { what: "settlement report is no table".to_owned() });
        }
        Err(error) => return Ok(set_aside(id, &error.to_string())),
    };
    if file.tables().iter().any(|table| table.kind != Kind::AmazonSettlement) {
        return Ok(set_aside(id, "it is a report of another kind"));
    }
    let mut read = ReportPage { next: Some(from), ..ReportPage::default() };
    while let Some(start) = read.next.filter(|start| *start < from + PAGE_SIZE) {
        let page = file.page(start).map_err(|error| match error {
            FileError::Io(error) => unavailable(&error),
            _ => AdapterError::Garbled { what: "settlement report cannot be read to its end".to_owned() },
        })?;
        if let Records::Payouts(parts) = page.records {
            read.parts.extend(parts);
        }
        read.quarantined.extend(page.quarantined);
        read.next = page.next;
    }
    Ok(read)
}

/// Opens the report. Where all of its dates can be read both ways, Amazon.in has written the day first.
fn opened(body: &[u8]) -> Result<ImportFile, ImportError> {
    let mut copy = NamedTempFile::new().map_err(FileError::Io)?;
    copy.write_all(body).and_then(|()| copy.flush()).map_err(FileError::Io)?;
    match ImportFile::open(copy.path(), None) {
        Err(ImportError::File(FileError::AmbiguousDates { .. })) => {
            ImportFile::open(copy.path(), Some(DateOrder::DayFirst))
        }
        opened => opened,
    }
}

/// A page of a report that is set aside as a whole.
pub fn set_aside(id: &str, why: &str) -> ReportPage {
    let record = QuarantinedRecord {
        external_id: Some(id.to_owned()),
        reason: format!("settlement report cannot be read: {why}"),
        raw: serde_json::json!({ "reportDocumentId": id }).to_string(),
    };
    ReportPage { quarantined: vec![record], ..ReportPage::default() }
}

/// The message of an I/O error names no content.
fn unavailable(error: &io::Error) -> AdapterError {
    AdapterError::Unavailable { what: format!("temporary file: {}", error.kind()), retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "settlement-id\tsettlement-start-date\tdeposit-date\ttotal-amount\tcurrency\ttransaction-type\torder-id\tamount-type\tamount-description\tamount\tposted-date";

    fn of(rows: &[&str]) -> Vec<u8> {
        format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes()
    }

    #[test]
    fn a_report_of_many_events_is_read_page_by_page() {
        let rows: Vec<String> = (0..4_500)
            .map(|n| format!("770\t\t\t\t\tOrder\t405-1111111-{n:07}\tItemPrice\tPrincipal\t10\t23.07.2026"))
            .collect();
        let body = of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut ids, mut sizes, mut at) = (Vec::new(), Vec::new(), Some(0));
        while let Some(from) = at {
            let page = read("D1", &body, from).unwrap();
            sizes.push(page.parts.len());
            ids.extend(page.parts.into_iter().map(|part| part.external_part_id));
            at = page.next;
        }
        assert_eq!(sizes, [2_000, 2_000, 500]);
        ids.dedup();
        assert_eq!(ids.len(), 4_500);
    }

    #[test]
    fn amounts_in_another_format_of_numbers_are_set_aside_by_their_row() {
        let body = of(&[
            "770\t01.07.2026\t03.07.2026\t1234.56\tINR\t\t\t\t\t\t",
            "770\t\t\t\t\tOrder\t405-1111111-0000001\tItemPrice\tPrincipal\t1.234,56\t02.07.2026",
        ]);
        let page = read("D1", &body, 0).unwrap();
        assert_eq!(page.quarantined.len(), 1);
        assert_eq!(page.quarantined[0].reason, "row 3, column amount is not a decimal number");
        let head = page.parts[0].payout.as_ref().unwrap();
        // Nobody is there to say whether 03.07. is in March or July.
        assert_eq!(head.paid_at.unwrap().to_rfc3339(), "2026-07-02T18:30:00+00:00");
    }

    #[test]
    fn a_report_that_cannot_be_read_is_one_record_set_aside_and_no_report_at_all_is_garbled() {
        for (text, reason) in [
            (HEADER.replace("\tamount\t", "\tsum\t") + "\n770\n", "settlement report cannot be read: no table of the file is a report"),
            (
                "amazon-order-id\tpurchase-date\torder-status\tfulfillment-channel\tproduct-name\tsku\tasin\titem-status\tquantity\tcurrency\titem-price\nx\n".to_owned(),
                "settlement report cannot be read: it is a report of another kind",
            ),
            (
                String::from_utf8(of(&["770\t\t31.07.2026\t1\tINR\t\t\t\t\t\t", "770\t\t07.31.2026\t1\tINR\t\t\t\t\t\t"])).unwrap(),
                "settlement report cannot be read: ",
            ),
        ] {
            let page = read("D1", text.as_bytes(), 0).unwrap();
            let [record] = page.quarantined.as_slice() else { panic!("{page:?}") };
            assert!(record.reason.starts_with(reason), "{}", record.reason);
            assert_eq!((record.external_id.as_deref(), page.next), (Some("D1"), None));
        }
        for text in ["", "<html>upstream says no</html>", "{\"errors\":[]}"] {
            let error = read("D1", text.as_bytes(), 0).unwrap_err();
            assert!(matches!(error, AdapterError::Garbled { .. }), "{text}: {error}");
        }
    }
}
