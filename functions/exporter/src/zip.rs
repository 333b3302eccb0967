//! ZIP, written from front to back: each file's sizes come after its bytes, and the directory comes last. Everything that a file's
//! directory entry needs is an [`Entry`], so that whoever knows the entries can go on.
//!
//! A file's bytes are deflated chunk by chunk. Each chunk ends at a byte and refers to nothing before it, so nothing but the
//! checksum and the sizes is carried from one to the next. Sizes have 32 bits: nothing here needs more (`archive.rs` sees to it).

use std::io::{self, Write};

use chrono::{DateTime, Datelike, Timelike, Utc};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

/// The sizes follow the bytes (bit 3), and names are UTF-8 (bit 11).
const FLAGS: u16 = (1 << 3) | (1 << 11);
const DEFLATED: u16 = 8;
const VERSION: u16 = 20;
/// The end of deflated data: a last block that is empty.
const END_OF_DATA: [u8; 2] = [0x03, 0x00];

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it begins in the archive.
    at: u32,
    /// The checksum of its content so far.
    crc: u32,
    /// The size of its content so far.
    pub size: u32,
    /// The size of its deflated content so far.
    packed: u32,
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
}

impl Entry {
    /// Begins a file at a place of the archive, and returns the bytes before its content.
    pub fn begin(name: String, at: u32, begun_at: DateTime<Utc>) -> (Self, Vec<u8>) {
        let entry = Self { name, at, crc: 0, size: 0, packed: 0, begun_at };
        let mut bytes = Vec::with_capacity(64);
        put_u32(&mut bytes, 0x0403_4b50);
        put_u16(&mut bytes, VERSION);
        entry.put_common(&mut bytes, [0; 3]);
        bytes.extend(entry.name.as_bytes());
        (entry, bytes)
    }

    /// Adds a chunk of its content, and returns the bytes for it.
    pub fn add(&mut self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut checksum = crc32fast::Hasher::new_with_initial_len(self.crc, self.size.into());
        checksum.update(content);
        let mut deflated = DeflateEncoder::new(Vec::with_capacity(content.len() / 4), Compression::fast());
        deflated.write_all(content)?;
        deflated.flush()?;
        let bytes = std::mem::take(deflated.get_mut());
        self.crc = checksum.finalize();
        self.size = grown(self.size, content.len())?;
        self.packed = grown(self.packed, bytes.len())?;
        Ok(bytes)
    }

    /// Ends it, and returns the bytes after its content.
    pub fn end(&mut self) -> io::Result<Vec<u8>> {
        self.packed = grown(self.packed, END_OF_DATA.len())?;
        let mut bytes = END_OF_DATA.to_vec();
        put_u32(&mut bytes, 0x0807_4b50);
        self.put_sizes(&mut bytes);
        Ok(bytes)
    }

    /// What the header and the directory say of it alike.
    fn put_common(&self, bytes: &mut Vec<u8>, sizes: [u32; 3]) {
        let at = self.begun_at;
        let year = u16::try_from(at.year() - 1980).unwrap_or_default();
        let of = |number: u32| u16::try_from(number).unwrap_or_default();
        put_u16(bytes, FLAGS);
        put_u16(bytes, DEFLATED);
        put_u16(bytes, (of(at.hour()) << 11) | (of(at.minute()) << 5) | (of(at.second()) / 2));
        put_u16(bytes, (year << 9) | (of(at.month()) << 5) | of(at.day()));
        for size in sizes {
            put_u32(bytes, size);
        }
        put_u16(bytes, u16::try_from(self.name.len()).unwrap_or_default());
        put_u16(bytes, 0);
    }

    fn put_sizes(&self, bytes: &mut Vec<u8>) {
        for size in [self.crc, self.packed, self.size] {
            put_u32(bytes, size);
        }
    }

    fn put_in_directory(&self, bytes: &mut Vec<u8>) {
        put_u32(bytes, 0x0201_4b50);
        put_u16(bytes, VERSION);
        put_u16(bytes, VERSION);
        self.put_common(bytes, [self.crc, self.packed, self.size]);
        // No comment, the first disk, no attributes.
        bytes.extend([0; 10]);
        put_u32(bytes, self.at);
        bytes.extend(self.name.as_bytes());
    }
}

/// The end of the archive, whose directory begins at this place.
pub fn directory<'a>(entries: impl Iterator<Item = &'a Entry>, at: u32) -> Vec<u8> {
    let (mut bytes, mut count) = (Vec::new(), 0);
    for entry in entries {
        entry.put_in_directory(&mut bytes);
        count += 1;
    }
    let size = u32::try_from(bytes.len()).unwrap_or_default();
    put_u32(&mut bytes, 0x0605_4b50);
    // This disk and the one with the directory.
    bytes.extend([0; 4]);
    put_u16(&mut bytes, count);
    put_u16(&mut bytes, count);
    put_u32(&mut bytes, size);
    put_u32(&mut bytes, at);
    put_u16(&mut bytes, 0);
    bytes
}

fn grown(size: u32, by: usize) -> io::Result<u32> {
    let by = u32::try_from(by).ok();
    by.and_then(|by| size.checked_add(by)).ok_or_else(|| io::Error::other("a file with more than 4 GiB"))
}

fn put_u16(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend(number.to_le_bytes());
}

fn put_u32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend(number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn an_independent_reader_finds_every_file_as_it_was_written() {
        let now = "2026-11-30T05:06:08Z".parse().unwrap();
        let long = "one line after another\r\n".repeat(20_000);
        let files: [(&str, Vec<&str>); 3] = [
            ("a.csv", vec![&long[..50_000], &long[50_000..], "₹"]),
            ("empty.csv", vec![]),
            ("b.json", vec!["{}"]),
        ];
        let (mut archive, mut entries) = (Vec::new(), Vec::new());
        for (name, chunks) in &files {
            let at = u32::try_from(archive.len()).unwrap();
            let (mut entry, bytes) = Entry::begin((*name).to_owned(), at, now);
            archive.extend(bytes);
            for chunk in chunks {
                archive.extend(entry.add(chunk.as_bytes()).unwrap());
                // Another attempt goes on with what was stored of it.
                entry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
            }
            archive.extend(entry.end().unwrap());
            entries.push(entry);
        }
        let at = u32::try_from(archive.len()).unwrap();
        archive.extend(directory(entries.iter(), at));

        let mut found = zip::ZipArchive::new(Cursor::new(&archive)).unwrap();
        assert_eq!(found.len(), files.len());
        for (name, chunks) in files {
            let mut file = found.by_name(name).unwrap();
            let mut text = String::new();
            // The reader compares the checksum.
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, chunks.concat(), "{name}");
            let at = file.last_modified().unwrap();
            assert_eq!((at.year(), at.month(), at.hour(), at.second()), (2026, 11, 5, 8), "{name}");
        }
        assert!(archive.len() < long.len() / 10, "it is deflated");
    }
}
