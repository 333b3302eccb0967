//! Reading and sorting a file takes as much memory for 40 MB as for 5 MB. `cargo bench` measures up to 100 MB.
//!
//! The test is alone in its file, because it measures its whole process.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::io::{BufWriter, Write};
use std::path::Path;

use robnu_files::{Table, open, recognise};
use tempfile::NamedTempFile;

/// Rows of Meesho's file of orders, of so many megabytes; the rows of an order lie far apart.
fn orders(megabytes: usize) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let mut writer = BufWriter::new(file.as_file());
    let header = "Reason for Credit Entry,Sub Order No,Order Date,Product Name,SKU,Quantity,Supplier Discounted Price (Incl GST and Commission)\n";
    writer.write_all(header.as_bytes()).unwrap();
    let (mut written, mut at) = (0, 0_u64);
    while written < megabytes << 20 {
        let order = 500_000_000_u64 + at.wrapping_mul(7_919) % 1_000_003;
        let title = "Plain cotton saree with blouse, for every day ".repeat(16);
        let row = format!("DELIVERED,{order}_{at},2026-08-05,\"{title}\",SAREE-{},1,488.0\n", at % 97);
        writer.write_all(row.as_bytes()).unwrap();
        written += row.len();
        at += 1;
    }
    writer.flush().unwrap();
    drop(writer);
    file
}

/// Reads a file as an import does, group by group, and returns how many rows it has.
fn read(path: &Path) -> usize {
    let upload = open(path).unwrap();
    let found = recognise(&upload).unwrap();
    let key = |row: &robnu_files::Row| row.get("Sub Order No")?.split('_').next().map(str::to_owned);
    let (groups, _) = Table::new(&upload, &found[0]).group(None, key).unwrap();
    let (mut at, mut rows) = (0, 0);
    loop {
        let page = groups.read(at, 100).unwrap();
        if page.is_empty() {
            return rows;
        }
        at += page.len() as u64;
        rows += page.iter().map(|group| group.rows.len()).sum::<usize>();
    }
}

/// The most memory that reading a file takes, in kilobytes, as the kernel counts it.
fn peak(path: &Path) -> (usize, u64) {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let rows = read(path);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    (rows, line.split_whitespace().nth(1).unwrap().parse().unwrap())
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let (small, large) = (orders(5), orders(40));
    let (few, least) = peak(small.path());
    let (many, most) = peak(large.path());
    assert!(many > 7 * few, "{many} rows and {few}");
    // What is sorted at once is 16 MB, which 5 MB of text do not fill.
    assert!(most < least + (20 << 10), "{most} kB for 40 MB, {least} kB for 5 MB");
}
