//! Files for tests: texts, archives and workbooks, written byte by byte so that they can be wrong.
#![allow(dead_code, reason = "each test file uses a part of the kit")]
#![allow(clippy::format_push_string, reason = "XML reads best as it will stand")]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use robnu_files::{FileError, Kind, Recognised, Row, Table, Upload, open, recognise};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file in `tests/data`.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A file with these bytes.
pub fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Opens a file with these bytes.
pub fn opened(bytes: &[u8]) -> Result<Upload, FileError> {
    open(file(bytes).path())
}

/// The message with which these bytes are refused.
pub fn refusal(bytes: &[u8]) -> String {
    opened(bytes).expect_err("the file was opened").to_string()
}

/// The only table of a file.
pub fn only(upload: &Upload) -> (Recognised, Table) {
    let mut found = recognise(upload).unwrap();
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    let table = Table::new(upload, &found);
    (found, table)
}

/// The good rows of a table.
pub fn rows(table: &Table) -> Vec<Row> {
    table.rows().map(|row| row.unwrap().unwrap()).collect()
}

/// The kinds of a file's tables.
pub fn kinds(upload: &Upload) -> Vec<Kind> {
    recognise(upload).unwrap().iter().map(|found| found.kind).collect()
}

/// An archive with these members.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook whose sheets have this XML between `<sheetData>` and its end.
pub fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    let bodies: Vec<String> = sheets.iter().map(|(_, cells)| sheet_xml(cells)).collect();
    let bodies: Vec<(&str, &str)> =
        sheets.iter().zip(&bodies).map(|((name, _), xml)| (*name, xml.as_str())).collect();
    workbook_of(&bodies, "")
}

/// A sheet's XML. The size that it states for itself is wrong, as that of a marketplace's is.
pub fn sheet_xml(cells: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1"/><sheetData>{cells}</sheetData></worksheet>"#
    )
}

/// A workbook whose sheets have this XML, and whose texts are these.
pub fn workbook_of(sheets: &[(&str, &str)], texts: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut listed, mut related, mut members) = (String::new(), String::new(), Vec::new());
    for (place, (name, xml)) in sheets.iter().enumerate() {
        let id = place + 1;
        listed += &format!(r#"<sheet name="{name}" sheetId="{id}" r:id="rId{id}"/>"#);
        related += &format!(
            r#"<Relationship Id="rId{id}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{id}.xml"/>"#
        );
        members.push((format!("xl/worksheets/sheet{id}.xml"), (*xml).to_owned()));
    }
    related +=
        &format!(r#"<Relationship Id="rId98" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>"#);
    related += &format!(r#"<Relationship Id="rId99" Type="{OFFICE}/styles" Target="styles.xml"/>"#);
    let styles = r#"<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#;
    members.push((
        "xl/workbook.xml".to_owned(),
        format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>"#),
    ));
    members.push((
        "xl/_rels/workbook.xml.rels".to_owned(),
        format!(r#"<Relationships xmlns="{RELATIONS}">{related}</Relationships>"#),
    ));
    members
        .push(("xl/styles.xml".to_owned(), format!(r#"<styleSheet xmlns="{MAIN}">{styles}</styleSheet>"#)));
    members.push(("xl/sharedStrings.xml".to_owned(), format!(r#"<sst xmlns="{MAIN}">{texts}</sst>"#)));
    members.push(("_rels/.rels".to_owned(), format!(r#"<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#)));
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    archive(&members)
}

/// A row of inline texts.
pub fn text_row(number: usize, cells: &[&str]) -> String {
    let mut row = format!(r#"<row r="{number}">"#);
    for (place, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
        row += &format!(r#"<c r="{}{number}" t="inlineStr"><is><t>{cell}</t></is></c>"#, letters(place));
    }
    row + "</row>"
}

/// A column's letters.
pub fn letters(place: usize) -> String {
    let letter = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap());
    if place < 26 {
        letter(place).to_string()
    } else {
        format!("{}{}", letter(place / 26 - 1), letter(place))
    }
}

/// The columns of Meesho's orders without which they are not known.
pub const HEADER: [&str; 6] = [
    "Reason for Credit Entry",
    "Sub Order No",
    "Order Date",
    "SKU",
    "Quantity",
    "Supplier Discounted Price (Incl GST and Commision)",
];

/// Meesho's orders as text, with these rows.
pub fn orders(rows: &str) -> String {
    format!("{}\n{rows}", HEADER.join(","))
}
