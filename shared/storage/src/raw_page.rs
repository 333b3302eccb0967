//! Raw pages: where their ciphertext is, and the lines of their objects.

use std::io::Write;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use uuid::Uuid;

use crate::Place;

/// The table of raw pages, to which their encryption is bound.
pub const RAW_PAGES: &str = "raw_pages";

/// The place of a raw page's ciphertext.
#[must_use]
pub fn raw_page_place(row: Uuid) -> Place {
    Place { table: RAW_PAGES, column: "page_enc", row }
}

/// What a line says of its page, before the page itself. The fields are columns of the table that queries see.
#[derive(Debug, Serialize)]
pub struct RawPageHead<'a> {
    /// The seller.
    pub seller_id: Uuid,
    /// The account that was read.
    pub account_id: Uuid,
    /// The run that read it first.
    pub run_id: Uuid,
    /// What that run reads, such as `ORDERS`.
    pub kind: &'a str,
    /// The run's page, from 1.
    pub page: i32,
    /// The response of that page, from 1.
    pub part: i32,
    /// When it was read, in RFC 3339.
    pub fetched_at: String,
}

/// An object of raw pages: JSON lines in one gzip stream.
#[derive(Debug)]
pub struct RawPageLines {
    packed: GzEncoder<Vec<u8>>,
    lines: usize,
}

impl Default for RawPageLines {
    fn default() -> Self {
        Self { packed: GzEncoder::new(Vec::new(), Compression::default()), lines: 0 }
    }
}

impl RawPageLines {
    /// Adds a line. `packed` is the page's JSON, without line breaks, in gzip. The page is unpacked piece by piece.
    pub fn push(&mut self, head: &RawPageHead<'_>, packed: &[u8]) -> std::io::Result<()> {
        // The last byte closes the object; the page comes before it.
        let head = serde_json::to_vec(head)?;
        self.packed.write_all(head.strip_suffix(b"}").unwrap_or(&head))?;
        self.packed.write_all(b",\"body\":")?;
        std::io::copy(&mut GzDecoder::new(packed), &mut self.packed)?;
        self.packed.write_all(b"}\n")?;
        self.lines += 1;
        Ok(())
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// The object's bytes.
    pub fn finish(self) -> std::io::Result<Vec<u8>> {
        self.packed.finish()
    }
}
