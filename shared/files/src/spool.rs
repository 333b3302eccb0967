//! Rows in a temporary file: what a workbook's sheets become, and what is sorted.
//!
//! A row is its number, its count of cells, and each cell with its length before it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};

use csv::StringRecord;

use crate::blob::{Blob, BlobReader};

/// A row as it stands in a file.
#[derive(Debug, Clone, Default)]
pub struct RawRow {
    /// The line or row in the file, from 1.
    pub number: u64,
    /// The cells.
    pub cells: StringRecord,
}

/// Appends the bytes of a row.
pub fn encode(number: u64, cells: &StringRecord, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&length(cells.len()));
    for cell in cells {
        out.extend_from_slice(&length(cell.len()));
        out.extend_from_slice(cell.as_bytes());
    }
}

/// A length as it is written. Rows are shorter than [`crate::limits::MAX_ROW`], so it always fits.
fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).unwrap_or(u32::MAX).to_le_bytes()
}

/// Reads a row; `false` at the end.
pub fn decode(from: &mut impl Read, row: &mut RawRow, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut number = [0; 8];
    if !read_or_end(from, &mut number)? {
        return Ok(false);
    }
    row.number = u64::from_le_bytes(number);
    row.cells.clear();
    for _ in 0..read_length(from)? {
        buffer.resize(read_length(from)?, 0);
        from.read_exact(buffer)?;
        row.cells.push_field(std::str::from_utf8(buffer).map_err(|_| io::ErrorKind::InvalidData)?);
    }
    Ok(true)
}

/// Fills a buffer; `false` when nothing at all is left.
pub fn read_or_end(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 if filled == 0 => return Ok(false),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(true)
}

/// Reads a length.
pub fn read_length(from: &mut impl Read) -> io::Result<usize> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    usize::try_from(u32::from_le_bytes(length)).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A temporary file that is being written. It has no name, and is gone once nobody has it open.
pub struct Spool {
    file: BufWriter<File>,
    written: u64,
}

impl Spool {
    pub fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 16, tempfile::tempfile()?), written: 0 })
    }

    /// How many bytes have been written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Ends writing.
    pub fn into_blob(self) -> io::Result<Blob> {
        Blob::whole(self.file.into_inner().map_err(io::IntoInnerError::into_error)?)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads spooled rows.
pub struct SpoolReader {
    from: BufReader<BlobReader>,
    buffer: Vec<u8>,
}

impl SpoolReader {
    pub fn new(blob: &Blob) -> Self {
        Self { from: BufReader::with_capacity(1 << 16, blob.reader()), buffer: Vec::new() }
    }

    /// Reads a row; `false` at the end.
    pub fn read(&mut self, row: &mut RawRow) -> io::Result<bool> {
        decode(&mut self.from, row, &mut self.buffer)
    }
}
