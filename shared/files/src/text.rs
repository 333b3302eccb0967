//! Text tables: their encoding, their delimiter, and their rows.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::blob::{Blob, BlobReader};
use crate::error::FileError;
use crate::limits::{HEADER_ROWS, MAX_COLUMNS, MAX_ROW};
use crate::spool::RawRow;

const CHUNK: usize = 1 << 16;

/// In the order in which they win when they divide the header equally well.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// A text table.
#[derive(Debug, Clone)]
pub struct TextTable {
    /// The text without its byte order mark.
    blob: Blob,
    encoding: &'static Encoding,
    delimiter: u8,
}

impl TextTable {
    /// Finds out how a text is written.
    pub fn detect(blob: &Blob) -> Result<Self, FileError> {
        let (encoding, mark) = encoding(blob)?;
        let blob = blob.part(mark, u64::MAX);
        let mut head = Vec::new();
        decoded(&blob, encoding).take(CHUNK as u64).read_to_end(&mut head)?;
        Ok(Self { blob, encoding, delimiter: delimiter(&head) })
    }

    pub fn rows(&self) -> TextRows {
        let allowance = Arc::new(AtomicUsize::new(0));
        let text = Lines::new(decoded(&self.blob, self.encoding));
        let text = Metered { text, allowance: Arc::clone(&allowance) };
        // Marketplaces do not quote cells between tabs, so that a title may begin with a quotation mark.
        let quoting = self.delimiter != b'\t';
        let reader = builder(self.delimiter, quoting).buffer_capacity(CHUNK).from_reader(text);
        TextRows { reader, allowance, unquote: !quoting }
    }
}

fn builder(delimiter: u8, quoting: bool) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).quoting(quoting).has_headers(false).flexible(true);
    builder
}

/// A text's encoding, and the length of its byte order mark. Text that is not UTF-8 was written by a program of Windows.
fn encoding(blob: &Blob) -> Result<(&'static Encoding, u64), FileError> {
    let head = blob.head(3)?;
    if let Some((encoding, mark)) = Encoding::for_bom(&head) {
        return Ok((encoding, mark as u64));
    }
    let mut reader = blob.reader();
    let (mut chunk, mut kept, mut is_first) = (vec![0; CHUNK], 0, true);
    loop {
        let read = reader.read(&mut chunk[kept..])?;
        let filled = &chunk[..kept + read];
        if is_first && filled.contains(&0) {
            return Err(FileError::NotATable {
                found: "not text",
                advice: "upload the report as CSV, XLSX or ZIP",
            });
        }
        is_first = false;
        let valid = match std::str::from_utf8(filled) {
            Ok(_) => filled.len(),
            Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
            Err(_) => return Ok((WINDOWS_1252, 0)),
        };
        if read == 0 {
            return Ok((UTF_8, 0));
        }
        kept = filled.len() - valid;
        chunk.copy_within(valid..valid + kept, 0);
    }
}

fn decoded(blob: &Blob, encoding: &'static Encoding) -> Decoded {
    let is_utf8 = encoding == UTF_8;
    debug_assert!([UTF_8, UTF_16LE, UTF_16BE, WINDOWS_1252].contains(&encoding));
    Decoded {
        from: blob.reader(),
        decoder: (!is_utf8).then(|| encoding.new_decoder_without_bom_handling()),
        raw: Vec::new(),
        text: String::new(),
        given: 0,
        is_at_end: false,
    }
}

/// A text as UTF-8.
struct Decoded {
    from: BlobReader,
    /// `None` for a text that is UTF-8 already.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    text: String,
    /// How much of `text` was handed out.
    given: usize,
    is_at_end: bool,
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else { return self.from.read(buffer) };
        while self.given == self.text.len() && !self.is_at_end {
            self.raw.resize(CHUNK, 0);
            let read = self.from.read(&mut self.raw)?;
            self.is_at_end = read == 0;
            self.text.clear();
            self.given = 0;
            self.text.reserve(decoder.max_utf8_buffer_length(read).unwrap_or(CHUNK * 4));
            // The text has room for whatever the bytes may become, so nothing is left over.
            let _ = decoder.decode_to_string(&self.raw[..read], &mut self.text, self.is_at_end);
        }
        let rest = &self.text.as_bytes()[self.given..];
        let given = rest.len().min(buffer.len());
        buffer[..given].copy_from_slice(&rest[..given]);
        self.given += given;
        Ok(given)
    }
}

/// The delimiter that divides one of the first rows into the most cells.
fn delimiter(head: &[u8]) -> u8 {
    let most_cells = |delimiter: u8| {
        let mut reader = builder(delimiter, delimiter != b'\t').from_reader(head);
        let rows = reader.byte_records().take(HEADER_ROWS).map_while(Result::ok);
        rows.map(|row| row.iter().filter(|cell| !cell.trim_ascii().is_empty()).count()).max().unwrap_or(0)
    };
    let mut best = (DELIMITERS[0], 0);
    for delimiter in DELIMITERS {
        let cells = most_cells(delimiter);
        if cells > best.1 {
            best = (delimiter, cells);
        }
    }
    best.0
}

/// Ends every line with one LF, whether the text has LF, CR LF, CR CR LF or CR, and ends the last one too.
struct Lines<R> {
    text: R,
    /// Whether the text so far ends with CR.
    after_cr: bool,
    /// Whether the text so far ends with a whole line.
    is_whole: bool,
}

impl<R: Read> Lines<R> {
    fn new(text: R) -> Self {
        Self { text, after_cr: false, is_whole: true }
    }

    /// Drops CRs from what was read, in place; the first byte is free when a line end is still owed.
    fn clean(&mut self, buffer: &mut [u8], start: usize, end: usize) -> usize {
        if !self.after_cr && !buffer[start..end].contains(&b'\r') {
            return end;
        }
        let mut kept = 0;
        for at in start..end {
            let byte = buffer[at];
            if byte == b'\r' {
                self.after_cr = true;
                continue;
            }
            if std::mem::take(&mut self.after_cr) {
                buffer[kept] = b'\n';
                kept += 1;
                if byte == b'\n' {
                    continue;
                }
            }
            buffer[kept] = byte;
            kept += 1;
        }
        kept
    }
}

impl<R: Read> Read for Lines<R> {
    /// The buffer must have room for two bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let start = usize::from(self.after_cr);
            let read = self.text.read(&mut buffer[start..])?;
            if read == 0 {
                let owed = std::mem::take(&mut self.after_cr) || !self.is_whole;
                self.is_whole = true;
                buffer[0] = b'\n';
                return Ok(usize::from(owed));
            }
            let kept = self.clean(buffer, start, start + read);
            if kept > 0 {
                self.is_whole = buffer[kept - 1] == b'\n';
                return Ok(kept);
            }
        }
    }
}

/// Ends the text when one row takes more than it may.
struct Metered {
    text: Lines<Decoded>,
    allowance: Arc<AtomicUsize>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.load(Ordering::Relaxed);
        if left < 2 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(left);
        let read = self.text.read(&mut buffer[..most])?;
        self.allowance.store(left - read, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads a text table's rows.
pub struct TextRows {
    reader: csv::Reader<Metered>,
    allowance: Arc<AtomicUsize>,
    /// Whether cells between quotation marks are freed of them here.
    unquote: bool,
}

impl TextRows {
    /// Reads a row; `false` at the end.
    pub fn read(&mut self, row: &mut RawRow) -> Result<bool, FileError> {
        self.allowance.store(MAX_ROW + CHUNK, Ordering::Relaxed);
        let start = self.reader.position().line();
        let more = self.reader.read_record(&mut row.cells).map_err(|error| problem(error, start))?;
        // Blank lines before a row are skipped with it, so the row is found from its end.
        let inner = row.cells.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
        row.number = self.reader.position().line().saturating_sub(inner + 1).max(1);
        if row.cells.len() > MAX_COLUMNS {
            return Err(too_wide(String::new(), row.number));
        }
        if self.unquote && row.cells.iter().any(|cell| cell.starts_with('"')) {
            row.cells = row.cells.iter().map(unquoted).collect::<StringRecord>();
        }
        Ok(more)
    }
}

/// The refusal of a row with too many cells.
pub fn too_wide(sheet: String, row: u64) -> FileError {
    FileError::Row {
        sheet,
        row,
        problem: "has more than 1,000 cells; upload the report as the panel gives it",
    }
}

fn problem(error: csv::Error, row: u64) -> FileError {
    match error.into_kind() {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => FileError::Row {
            sheet: String::new(),
            row,
            problem: "is longer than 1 MB; look for a quotation mark that is not closed",
        },
        ErrorKind::Io(error) => FileError::Io(error),
        _ => FileError::Damaged { what: "text that is not UTF-8" },
    }
}

/// A cell without the quotation marks around it. Inside them, each one of the text's own is written twice.
fn unquoted(cell: &str) -> String {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => inner.replace("\"\"", "\""),
        _ => cell.to_owned(),
    }
}
