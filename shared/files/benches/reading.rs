//! How fast one core reads and sorts files, and how much memory that takes: text of 1, 10 and 100 MB, and a workbook.
//!
//! `cargo bench --package robnu-files` prints a table; after `--`, `--megabytes N` reads texts of up to so many. Each file is read
//! in a process of its own, so that its peak is that file's.
#![allow(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use robnu_files::{Table, open, recognise};
use tempfile::NamedTempFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const HEADER: &str = "Reason for Credit Entry,Sub Order No,Order Date,Customer State,Product Name,SKU,Size,Quantity,Supplier Listed Price (Incl. GST + Commission),Supplier Discounted Price (Incl GST and Commision),Packet Id";
const SHEET_ROWS: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some([_, path]) = arguments.windows(2).find(|pair| pair[0] == "--read") {
        return measure(Path::new(path));
    }
    let most = arguments
        .windows(2)
        .find(|pair| pair[0] == "--megabytes")
        .map_or(100, |pair| pair[1].parse().unwrap());
    println!(
        "{:<22}{:>10}{:>12}{:>14}{:>12}{:>12}{:>12}",
        "", "MB", "rows", "read MB/s", "rows/min", "sorted ms", "peak MB"
    );
    for megabytes in [1, 10, 100].into_iter().filter(|size| *size <= most) {
        let file = text(megabytes << 20);
        report(&format!("text of {megabytes} MB"), file.path());
    }
    report("workbook", workbook(SHEET_ROWS).path());
    report("workbook, 10 times less", workbook(SHEET_ROWS / 10).path());
}

fn report(name: &str, path: &Path) {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--read")
        .arg(path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    print!("{name:<24}{}", String::from_utf8(output.stdout).unwrap());
}

fn measure(path: &Path) {
    let bytes = std::fs::metadata(path).unwrap().len();
    let begun = core_seconds();
    let upload = open(path).unwrap();
    let found = recognise(&upload).unwrap();
    let table = Table::new(&upload, &found[0]);
    let rows = table.rows().filter(|row| matches!(row, Ok(Ok(row)) if row.get("SKU").is_some())).count();
    let read = core_seconds() - begun;
    let begun = core_seconds();
    let (groups, _) = table.group(None, |row| row.get("Sub Order No").map(str::to_owned)).unwrap();
    assert!(!groups.is_empty());
    let sorted = core_seconds() - begun;
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{megabytes:>8.1}{rows:>12}{:>14.0}{:>12.0}{:>12.0}{:>12.1}",
        megabytes / read,
        rows as f64 / read * 60.0,
        sorted * 1e3,
        peak_megabytes()
    );
}

/// How long the process has had a core, so that other processes do not count.
fn core_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The most memory that the process has had, as the kernel counts it.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1e3
}

fn row(at: usize) -> [String; 11] {
    let order = 500_000_000_000_000_000_u64 + (at as u64).wrapping_mul(7_919) % 1_000_000_007;
    let cells = [
        "DELIVERED",
        &format!("{order}_1"),
        &format!("2026-08-{:02}", at % 28 + 1),
        "Uttar Pradesh",
        "Plain cotton saree with blouse, daily wear",
        &format!("SAREE-{}", at % 97),
        "Free Size",
        "1",
        "499.0",
        "488.0",
        &format!("TPX{at:010}"),
    ];
    cells.map(str::to_owned)
}

fn text(bytes: usize) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let mut writer = BufWriter::new(file.as_file());
    writeln!(writer, "{HEADER}").unwrap();
    let (mut written, mut at) = (0, 0);
    while written < bytes {
        let line = format!("\"{}\"\n", row(at).join("\",\""));
        writer.write_all(line.as_bytes()).unwrap();
        written += line.len();
        at += 1;
    }
    writer.flush().unwrap();
    drop(writer);
    file
}

/// A workbook of inline texts, as Meesho writes them.
fn workbook(rows: usize) -> NamedTempFile {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let file = NamedTempFile::new().unwrap();
    let mut zip = ZipWriter::new(file.as_file());
    let mut member = |name: &str| zip.start_file(name, SimpleFileOptions::default()).unwrap();
    member("xl/workbook.xml");
    write!(zip, r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>"#).unwrap();
    zip.start_file("xl/_rels/workbook.xml.rels", SimpleFileOptions::default()).unwrap();
    write!(zip, r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#).unwrap();
    zip.start_file("_rels/.rels", SimpleFileOptions::default()).unwrap();
    write!(zip, r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#).unwrap();
    zip.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default()).unwrap();
    write!(zip, r#"<worksheet xmlns="{MAIN}"><dimension ref="A1"/><sheetData>"#).unwrap();
    let header: Vec<String> = HEADER.split(',').map(str::to_owned).collect();
    let body = (0..rows).map(|at| row(at).to_vec());
    for (number, cells) in std::iter::once(header).chain(body).enumerate() {
        let mut xml = format!(r#"<row r="{}">"#, number + 1);
        for (place, cell) in cells.iter().enumerate() {
            let letter = char::from(b'A' + u8::try_from(place).unwrap());
            write!(xml, r#"<c r="{letter}{}" t="inlineStr"><is><t>{cell}</t></is></c>"#, number + 1).unwrap();
        }
        zip.write_all((xml + "</row>").as_bytes()).unwrap();
    }
    write!(zip, "</sheetData></worksheet>").unwrap();
    zip.finish().unwrap();
    file
}
