//! ZIP, written from front to back: each file's sizes come after its bytes, and the directory comes last. What is still to be written
//! of an unfinished file is its [`Entry`], and of the finished ones the [`Directory`], so that whoever knows both can go on.
//!
//! A file's bytes are deflated chunk by chunk. Each chunk ends at a byte and refers to nothing before it, so nothing but the
//! checksum and the sizes is carried from one to the next. A file has 4 GiB at most (`archive.rs` sees to it); the archive may be
//! larger, and then the directory says so as ZIP64 does.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Timelike, Utc};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use crate::error::ExportError;

/// The sizes follow the bytes (bit 3), and names are UTF-8 (bit 11).
const FLAGS: u16 = (1 << 3) | (1 << 11);
const DEFLATED: u16 = 8;
const VERSION: u16 = 20;
/// The version that reads places of 64 bits.
const VERSION_64: u16 = 45;
/// The place or number that says: see the field of 64 bits.
const ELSEWHERE: u32 = u32::MAX;
/// The files that a directory counts in 16 bits; one more would say that the number is elsewhere.
const MAX_FILES: u16 = u16::MAX - 1;
/// The end of deflated data: a last block that is empty.
const END_OF_DATA: [u8; 2] = [0x03, 0x00];

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it begins in the archive.
    at: u64,
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
    pub fn begin(name: String, at: u64, begun_at: DateTime<Utc>) -> (Self, Vec<u8>) {
        let entry = Self { name, at, crc: 0, size: 0, packed: 0, begun_at };
        let mut bytes = Vec::with_capacity(64);
        put_u32(&mut bytes, 0x0403_4b50);
        put_u16(&mut bytes, VERSION);
        entry.put_common(&mut bytes, [0; 3], 0);
        bytes.extend(entry.name.as_bytes());
        (entry, bytes)
    }

    /// Adds a chunk of its content, and returns the bytes for it. Content that is compressed already takes
    /// [`Compression::none`].
    pub fn add(&mut self, content: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
        let mut checksum = crc32fast::Hasher::new_with_initial_len(self.crc, self.size.into());
        checksum.update(content);
        let expected = if compression == Compression::none() { content.len() } else { content.len() / 4 };
        let mut deflated = DeflateEncoder::new(Vec::with_capacity(expected), compression);
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
    fn put_common(&self, bytes: &mut Vec<u8>, sizes: [u32; 3], extra: u16) {
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
        put_u16(bytes, extra);
    }

    fn put_sizes(&self, bytes: &mut Vec<u8>) {
        for size in [self.crc, self.packed, self.size] {
            put_u32(bytes, size);
        }
    }

    fn put_in_directory(&self, bytes: &mut Vec<u8>) {
        let near = near(self.at);
        put_u32(bytes, 0x0201_4b50);
        put_u16(bytes, VERSION);
        put_u16(bytes, if near.is_some() { VERSION } else { VERSION_64 });
        self.put_common(bytes, [self.crc, self.packed, self.size], if near.is_some() { 0 } else { 12 });
        // No comment, the first disk, no attributes.
        bytes.extend([0; 10]);
        put_u32(bytes, near.unwrap_or(ELSEWHERE));
        bytes.extend(self.name.as_bytes());
        if near.is_none() {
            put_u16(bytes, 1);
            put_u16(bytes, 8);
            put_u64(bytes, self.at);
        }
    }
}

/// The directory so far: what it says of each file that is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    count: u16,
    #[serde(with = "as_base64")]
    entries: Vec<u8>,
}

impl Directory {
    /// Whether there is room for another file, and for one more after it.
    pub fn has_room(&self) -> bool {
        self.count < MAX_FILES - 1
    }

    /// Adds a file that is whole.
    pub fn add(&mut self, entry: &Entry) -> Result<(), ExportError> {
        if self.count >= MAX_FILES {
            return Err(ExportError::TooLarge);
        }
        self.count += 1;
        entry.put_in_directory(&mut self.entries);
        Ok(())
    }

    /// The end of the archive, whose directory begins at this place.
    pub fn end(&self, at: u64) -> Vec<u8> {
        let mut bytes = self.entries.clone();
        let size = bytes.len() as u64;
        if near(at).is_none() {
            let record_at = at + size;
            put_u32(&mut bytes, 0x0606_4b50);
            // What follows of this record has 44 bytes.
            put_u64(&mut bytes, 44);
            put_u16(&mut bytes, VERSION_64);
            put_u16(&mut bytes, VERSION_64);
            // This disk and the one with the directory.
            bytes.extend([0; 8]);
            for number in [self.count.into(), self.count.into(), size, at] {
                put_u64(&mut bytes, number);
            }
            put_u32(&mut bytes, 0x0706_4b50);
            put_u32(&mut bytes, 0);
            put_u64(&mut bytes, record_at);
            put_u32(&mut bytes, 1);
        }
        put_u32(&mut bytes, 0x0605_4b50);
        bytes.extend([0; 4]);
        put_u16(&mut bytes, self.count);
        put_u16(&mut bytes, self.count);
        put_u32(&mut bytes, u32::try_from(size).unwrap_or(ELSEWHERE));
        put_u32(&mut bytes, near(at).unwrap_or(ELSEWHERE));
        put_u16(&mut bytes, 0);
        bytes
    }
}

/// A place that has 32 bits.
fn near(at: u64) -> Option<u32> {
    u32::try_from(at).ok().filter(|&at| at != ELSEWHERE)
}

/// Bytes as text in JSON.
mod as_base64 {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, Engine, STANDARD};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
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

fn put_u64(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend(number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Seek, SeekFrom};

    use super::*;

    /// As another attempt finds it, which goes on with what was noted.
    fn noted<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
        serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
    }

    fn file(name: &str, at: u64, content: &[u8]) -> (Entry, Vec<u8>) {
        let (mut entry, mut bytes) =
            Entry::begin(name.to_owned(), at, "2026-11-30T05:06:08Z".parse().unwrap());
        bytes.extend(entry.add(content, Compression::none()).unwrap());
        bytes.extend(entry.end().unwrap());
        (entry, bytes)
    }

    #[test]
    fn an_independent_reader_finds_every_file_as_it_was_written() {
        let now = "2026-11-30T05:06:08Z".parse().unwrap();
        let long = "one line after another\r\n".repeat(20_000);
        let files: [(&str, Vec<&str>, Compression); 4] = [
            ("a.csv", vec![&long[..50_000], &long[50_000..], "₹"], Compression::fast()),
            ("empty.csv", vec![], Compression::fast()),
            ("as-it-is.pdf", vec![&long[..70_000], "", "end"], Compression::none()),
            ("b.json", vec!["{}"], Compression::fast()),
        ];
        let (mut archive, mut directory) = (Vec::new(), Directory::default());
        for (name, chunks, compression) in &files {
            let (mut entry, bytes) = Entry::begin((*name).to_owned(), archive.len() as u64, now);
            archive.extend(bytes);
            for chunk in chunks {
                archive.extend(entry.add(chunk.as_bytes(), *compression).unwrap());
                entry = noted(&entry);
            }
            archive.extend(entry.end().unwrap());
            directory.add(&entry).unwrap();
            directory = noted(&directory);
        }
        let deflated = archive.len() - 70_000;
        archive.extend(directory.end(archive.len() as u64));

        let mut found = zip::ZipArchive::new(Cursor::new(&archive)).unwrap();
        assert_eq!(found.len(), files.len());
        for (name, chunks, _) in files {
            let mut file = found.by_name(name).unwrap();
            let mut text = String::new();
            // The reader compares the checksum.
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, chunks.concat(), "{name}");
            let at = file.last_modified().unwrap();
            assert_eq!((at.year(), at.month(), at.hour(), at.second()), (2026, 11, 5, 8), "{name}");
        }
        assert!(deflated < long.len() / 10, "it is deflated");
    }

    /// Two pieces of an archive, and zeros between them that are in no memory.
    struct Sparse {
        front: Vec<u8>,
        back: Vec<u8>,
        back_at: u64,
        at: u64,
    }

    impl Read for Sparse {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = if self.at >= self.back_at {
                self.back.get(usize::try_from(self.at - self.back_at).unwrap()..).unwrap_or_default()
            } else {
                usize::try_from(self.at).ok().and_then(|at| self.front.get(at..)).unwrap_or(&[0; 64])
            };
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            self.at += length as u64;
            Ok(length)
        }
    }

    impl Seek for Sparse {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(by) => (self.back_at + self.back.len() as u64).checked_add_signed(by).unwrap(),
                SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
            };
            Ok(self.at)
        }
    }

    #[test]
    fn an_archive_beyond_4_gib_says_where_its_files_are() {
        for back_at in [u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 32, 40 << 30] {
            let (first, front) = file("first.txt", 0, b"the first");
            let (last, mut back) = file("last.txt", back_at, b"the last");
            let mut directory = Directory::default();
            directory.add(&first).unwrap();
            directory.add(&last).unwrap();
            back.extend(directory.end(back_at + back.len() as u64));
            let mut found = zip::ZipArchive::new(Sparse { front, back, back_at, at: 0 }).unwrap();
            for (name, content) in [("first.txt", "the first"), ("last.txt", "the last")] {
                let mut text = String::new();
                found.by_name(name).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, content, "{name} of an archive with {back_at} bytes");
            }
        }
    }

    #[test]
    fn a_directory_refuses_more_files_than_it_can_count() {
        let (entry, _) = file("a", 0, b"");
        let mut full = Directory { count: MAX_FILES - 2, entries: Vec::new() };
        assert!(full.has_room());
        full.add(&entry).unwrap();
        assert!(!full.has_room(), "the last place is the manifest's");
        full.add(&entry).unwrap();
        assert!(matches!(full.add(&entry), Err(ExportError::TooLarge)));
    }
}
