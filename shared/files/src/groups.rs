//! Brings the rows of one order or return together, wherever they stand in the file, in bounded memory.
//!
//! Rows are sorted by key and then by row: pieces that fit the memory are sorted there and written to a temporary file, and
//! the pieces are merged into another. A place is kept for every 256th group, so that reading can begin anywhere.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{BufReader, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use csv::StringRecord;

use crate::blob::{Blob, BlobReader};
use crate::error::FileError;
use crate::limits::{MAX_GROUP, MAX_GROUP_ROWS, SORT_MEMORY};
use crate::rows::{Row, TableInfo};
use crate::spool::{RawRow, Spool, decode, encode, read_length, read_or_end};

/// Every so many groups the place of one is kept.
const MARKED: u64 = 256;

/// Rows with one key, in the file's order.
#[derive(Debug)]
pub struct Group {
    /// The rows; the first ones, when there are too many.
    pub rows: Vec<Row>,
    /// Whether there are more rows than one order can have.
    pub is_too_large: bool,
}

/// All groups of a table.
#[derive(Debug)]
pub struct Groups {
    table: Arc<TableInfo>,
    sorted: Blob,
    marks: Vec<u64>,
    count: u64,
}

impl Groups {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Reads groups from one on, at most so many, and fewer when they are large. The order is the same for every reading
    /// of a file. Returns none only at the end.
    ///
    /// # Errors
    /// Fails when the temporary file cannot be read.
    pub fn read(&self, from: u64, most: usize) -> Result<Vec<Group>, FileError> {
        let mark = usize::try_from(from / MARKED).unwrap_or(usize::MAX);
        let Some(place) = self.marks.get(mark) else { return Ok(Vec::new()) };
        let mut entries = Entries::new(&self.sorted.part(*place, u64::MAX));
        let mut groups: Vec<Group> = Vec::new();
        let (mut at, mut bytes, mut group_bytes) = (from - from % MARKED, 0, 0);
        let (mut key, mut is_first) = (Vec::new(), true);
        while entries.advance()? {
            if is_first || entries.key != key {
                at += u64::from(!is_first);
                if at >= from && (groups.len() == most || bytes > MAX_GROUP) {
                    break;
                }
                key.clone_from(&entries.key);
                group_bytes = 0;
                is_first = false;
                if at >= from {
                    groups.push(Group { rows: Vec::new(), is_too_large: false });
                }
            }
            let Some(group) = groups.last_mut() else { continue };
            group_bytes += entries.row.len();
            if group.rows.len() >= MAX_GROUP_ROWS || group_bytes > MAX_GROUP {
                group.is_too_large = true;
                continue;
            }
            bytes += entries.row.len();
            group.rows.push(self.row(&entries.row)?);
        }
        Ok(groups)
    }

    fn row(&self, mut bytes: &[u8]) -> Result<Row, FileError> {
        let (mut row, mut buffer) = (RawRow::default(), Vec::new());
        decode(&mut bytes, &mut row, &mut buffer)?;
        Ok(Row { table: Arc::clone(&self.table), number: row.number, cells: row.cells })
    }
}

/// Collects rows and sorts them. An entry is the key and the row, each with its length before it.
pub(crate) struct Sorter {
    /// How much is sorted in memory at once.
    memory: usize,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    spool: Spool,
    pieces: Vec<Range<u64>>,
}

/// An entry of the piece in memory.
struct Entry {
    key: Range<usize>,
    row: Range<usize>,
    number: u64,
}

impl Sorter {
    pub(crate) fn new() -> Result<Self, FileError> {
        Self::with_memory(SORT_MEMORY)
    }

    fn with_memory(memory: usize) -> Result<Self, FileError> {
        Ok(Self { memory, bytes: Vec::new(), entries: Vec::new(), spool: Spool::new()?, pieces: Vec::new() })
    }

    pub(crate) fn add(
        &mut self,
        key: Option<&str>,
        number: u64,
        cells: &StringRecord,
    ) -> Result<(), FileError> {
        let start = self.bytes.len();
        if let Some(key) = key {
            self.bytes.push(b'k');
            self.bytes.extend_from_slice(key.as_bytes());
        } else {
            // Numbers with their highest byte first sort as numbers do.
            self.bytes.push(b'-');
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
        let middle = self.bytes.len();
        encode(number, cells, &mut self.bytes);
        self.entries.push(Entry { key: start..middle, row: middle..self.bytes.len(), number });
        if self.bytes.len() + self.entries.len() * size_of::<Entry>() > self.memory {
            self.end_piece()?;
        }
        Ok(())
    }

    fn end_piece(&mut self) -> Result<(), FileError> {
        let bytes = &self.bytes;
        self.entries.sort_unstable_by(|one, other| {
            (&bytes[one.key.clone()], one.number).cmp(&(&bytes[other.key.clone()], other.number))
        });
        let start = self.spool.written();
        for entry in self.entries.drain(..) {
            write_entry(&mut self.spool, &bytes[entry.key], &bytes[entry.row])?;
        }
        self.pieces.push(start..self.spool.written());
        self.bytes.clear();
        Ok(())
    }

    pub(crate) fn into_groups(mut self, table: Arc<TableInfo>) -> Result<Groups, FileError> {
        self.end_piece()?;
        let pieces = self.pieces;
        let blob = self.spool.into_blob()?;
        let (mut marks, mut count, mut last_key) = (Vec::new(), 0, None::<Vec<u8>>);
        let mut begin = |key: &[u8], place: u64| {
            if last_key.as_deref() != Some(key) {
                if count % MARKED == 0 {
                    marks.push(place);
                }
                count += 1;
                last_key = Some(key.to_vec());
            }
        };
        let mut readers = Vec::new();
        for piece in &pieces {
            readers.push(Entries::new(&blob.part(piece.start, piece.end - piece.start)));
        }
        if let [only] = readers.as_mut_slice() {
            let mut place = 0;
            while only.advance()? {
                begin(&only.key, place);
                place += only.len();
            }
            return Ok(Groups { table, sorted: blob, marks, count });
        }
        let mut sorted = Spool::new()?;
        let mut waiting = BinaryHeap::new();
        for (piece, reader) in readers.iter_mut().enumerate() {
            if reader.advance()? {
                waiting.push(Reverse((reader.key.clone(), piece)));
            }
        }
        // Pieces are in the file's order, so of equal keys the one of the earlier piece comes first.
        while let Some(Reverse((key, piece))) = waiting.pop() {
            begin(&key, sorted.written());
            let reader = &mut readers[piece];
            write_entry(&mut sorted, &key, &reader.row)?;
            if reader.advance()? {
                waiting.push(Reverse((reader.key.clone(), piece)));
            }
        }
        Ok(Groups { table, sorted: sorted.into_blob()?, marks, count })
    }
}

fn write_entry(spool: &mut Spool, key: &[u8], row: &[u8]) -> Result<(), FileError> {
    for part in [key, row] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX); // limits keep both far shorter
        spool.write_all(&length.to_le_bytes())?;
        spool.write_all(part)?;
    }
    Ok(())
}

/// Reads entries.
struct Entries {
    from: BufReader<BlobReader>,
    key: Vec<u8>,
    row: Vec<u8>,
}

impl Entries {
    fn new(blob: &Blob) -> Self {
        let from = BufReader::with_capacity(1 << 16, blob.reader());
        Self { from, key: Vec::new(), row: Vec::new() }
    }

    fn advance(&mut self) -> Result<bool, FileError> {
        let mut length = [0; 4];
        if !read_or_end(&mut self.from, &mut length)? {
            return Ok(false);
        }
        self.key.resize(u32::from_le_bytes(length) as usize, 0);
        self.from.read_exact(&mut self.key)?;
        self.row.resize(read_length(&mut self.from)?, 0);
        self.from.read_exact(&mut self.row)?;
        Ok(true)
    }

    /// The bytes of the entry that was read last.
    fn len(&self) -> u64 {
        8 + (self.key.len() + self.row.len()) as u64
    }
}

#[cfg(test)]
mod tests;
