//! The manifest of an archive: what each file holds, as of when, and what is left out.

use chrono::{DateTime, Utc};
use robnu_tenancy::{ExportId, SellerId};
use serde::Serialize;

use crate::archive::ListFile;
use crate::contents::{Contents, Counted};
use crate::error::ExportError;
use crate::store::Export;

/// Says how the files fit together.
const NOTE: &str = "Each file was read page by page from read_from to read_until, while work went on: rows that changed \
                    meanwhile are as they were when their page was read. Cells are written as in single exports. \
                    Times are UTC. Documents and imported files were added afterwards; those \
                    that are counted as incomplete are missing or cut off: they were no longer in the bucket (imported files \
                    leave it after 90 days), their bytes were not those of their SHA-256, or the archive was full.";

/// What an archive leaves out, and where it can be had.
const LEFT_OUT: [LeftOut; 5] = [
    LeftOut {
        what: "customers",
        why: "Names, addresses and telephone numbers of customers are in no list. Members with pii.read see them order by \
              order (GET /orders/{orderId}/customer), until the marketplace's term for them is over. Invoices, labels and \
              imported files are as they were uploaded, and may name customers.",
    },
    LeftOut {
        what: "lines and events",
        why: "The lines of orders, shipments, returns and payouts, and the steps of returns and claims, are not in the lists. \
              Each order, shipment, return, claim and payout shows its own.",
    },
    LeftOut {
        what: "differences of corrected files",
        why: "imports.csv counts them. GET /imports/{importId}/changes names each.",
    },
    LeftOut {
        what: "pages as marketplaces sent them",
        why: "They are kept to examine faults, without customers, and hold what the lists show.",
    },
    LeftOut {
        what: "credentials and keys",
        why: "Nobody can read the credentials of marketplaces and the keys that encrypt them.",
    },
];

/// What an archive leaves out.
#[derive(Debug, Serialize)]
struct LeftOut {
    what: &'static str,
    why: &'static str,
}

/// A file of the archive.
#[derive(Debug, Serialize)]
struct File<'a> {
    name: &'a str,
    list: &'a str,
    rows: u64,
    bytes: u32,
    sha256: String,
    read_from: DateTime<Utc>,
    read_until: DateTime<Utc>,
}

/// The documents or the imported files of the archive.
#[derive(Debug, Serialize)]
struct Content<'a> {
    /// Their names, before the ending.
    named: &'static str,
    /// The list that has the name, size and SHA-256 of each.
    described_in: &'static str,
    #[serde(flatten)]
    counted: &'a Counted,
}

/// The manifest of an archive.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    format: &'static str,
    seller_id: SellerId,
    export_id: ExportId,
    requested_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    note: &'static str,
    files: Vec<File<'a>>,
    contents: [Content<'a>; 2],
    left_out: &'static [LeftOut],
}

impl<'a> Manifest<'a> {
    /// The manifest of an archive with these files of lists and these contents.
    pub fn of(
        export: &Export,
        files: &'a [ListFile],
        contents: &'a Contents,
        now: DateTime<Utc>,
    ) -> Result<Self, ExportError> {
        let describe = |file: &'a ListFile| {
            Ok(File {
                name: &file.entry.name,
                list: &file.list,
                rows: file.rows,
                bytes: file.entry.size,
                sha256: file.digest.hex()?,
                read_from: file.entry.begun_at,
                read_until: file.read_until,
            })
        };
        Ok(Self {
            format: "robnu-everything-2",
            seller_id: export.message.seller_id,
            export_id: export.message.export_id,
            requested_at: export.queued_at,
            finished_at: now,
            note: NOTE,
            files: files.iter().map(describe).collect::<Result<_, ExportError>>()?,
            contents: [
                Content {
                    named: "documents/{document_id}",
                    described_in: "documents.csv",
                    counted: &contents.documents,
                },
                Content {
                    named: "imports/{import_id}",
                    described_in: "imports.csv",
                    counted: &contents.imports,
                },
            ],
            left_out: &LEFT_OUT,
        })
    }

    /// The manifest as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("texts and numbers always serialize")
    }
}
