//! The same table reads the same in every form, encoding and line end.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{
    archive, file, kinds, letters, only, opened, orders, rows, sample, text_row, workbook, workbook_of,
};
use robnu_files::{Kind, open};

/// The cells of the sample's rows, by column.
fn cells(bytes: &[u8]) -> Vec<Vec<(String, String)>> {
    let upload = opened(bytes).unwrap();
    let (_, table) = only(&upload);
    rows(&table)
        .iter()
        .map(|row| row.cells().map(|(column, cell)| (column, cell.to_owned())).collect())
        .collect()
}

fn text() -> String {
    std::fs::read_to_string(sample("meesho_orders_classic.csv")).unwrap()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn encodings_and_line_ends_cost_nothing() {
    let text = text().replace("Plain Kurti", "Plain Kürti");
    let expected = cells(text.as_bytes());
    assert_eq!(expected.len(), 5);
    assert!(expected[3].iter().any(|(_, cell)| cell == "Plain Kürti"));
    let latin = text.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    let written: [Vec<u8>; 7] = [
        format!("\u{feff}{text}").into_bytes(),
        utf16(&text, u16::to_le_bytes),
        utf16(&text, u16::to_be_bytes),
        latin,
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
    ];
    for bytes in written {
        assert_eq!(cells(&bytes), expected);
    }
}

#[test]
fn rows_have_the_numbers_that_an_editor_shows() {
    let body = "\nPENDING,1_1,2026-08-05,\"A\nB\",1,5\n\n\nPENDING,2_1,2026-08-05,C,1,5\nPENDING,3_1,2026-08-05,D,1,5";
    for end in ["\n", "\r\n", "\r\r\n"] {
        let upload = opened(orders(body).replace('\n', end).as_bytes()).unwrap();
        let numbers: Vec<u64> = rows(&only(&upload).1).iter().map(robnu_files::Row::number).collect();
        // CR CR LF is one line end.
        assert_eq!(numbers, [3, 7, 8], "{end:?}");
    }
}

#[test]
fn delimiters_are_found_by_the_header() {
    let rows = "PENDING,1_1,2026-08-05,A,1,5\n";
    let expected = cells(orders(rows).as_bytes());
    for delimiter in ["\t", ";", "|"] {
        assert_eq!(cells(orders(rows).replace(',', delimiter).as_bytes()), expected, "{delimiter:?}");
    }
}

#[test]
fn quotation_marks_hold_delimiters_and_lines_and_mean_nothing_between_tabs() {
    let quoted = cells(orders("PENDING,1_1,2026-08-05,\"a, \"\"b\"\"\nc\",1,5\n").as_bytes());
    assert_eq!(quoted[0][3].1, "a, \"b\"\nc");
    let upload = open(&sample("amazon_orders.txt")).unwrap();
    let rows = rows(&only(&upload).1);
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0].get("product-name"), Some("\"5 inch\" pan, plain"));
}

#[test]
fn a_workbook_reads_as_the_text_does() {
    let text = text();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let plain = |line: &&Vec<&str>| !line.iter().any(|cell| cell.contains('"'));
    let lines: Vec<&Vec<&str>> = lines.iter().filter(plain).collect();
    let joined: Vec<String> = lines.iter().map(|line| line.join(",")).collect();
    let cells_xml: String = lines.iter().enumerate().map(|(at, line)| text_row(at + 1, line)).collect();
    let expected = cells(joined.join("\n").as_bytes());
    assert!(!expected.is_empty());
    let book = workbook(&[("Notes", &text_row(1, &["nothing"])), ("Orders", &cells_xml)]);
    assert_eq!(cells(&book), expected);
    assert_eq!(cells(&archive(&[("any name/../x.tmp", &book)])), expected);
}

#[test]
fn cells_of_every_type_are_text() {
    let header = text_row(1, &[&kit::HEADER[..], &["Seventh", "Eighth"]].concat());
    let values = [
        r#"<c r="A2" t="s"><v>0</v></c>"#,
        r#"<c r="B2"><v>324074730393034001</v></c>"#,
        r#"<c r="C2" s="1"><v>46248</v></c>"#,
        r#"<c r="D2" t="b"><v>1</v></c>"#,
        r#"<c r="E2"><f>WEBSERVICE("http://localhost/")</f><v>3</v></c>"#,
        r#"<c r="F2"><v>488.50000000000006</v></c>"#,
        r#"<c r="G2" t="str"><f>A1</f><v>a &amp; b</v></c>"#,
        r#"<c r="H2" t="inlineStr"><is><r><t xml:space="preserve">rich </t></r><r><t>text</t></r></is></c>"#,
    ];
    let sheet = kit::sheet_xml(&format!(r#"{header}<row r="2">{}</row>"#, values.concat()));
    let upload = opened(&workbook_of(&[("Orders", &sheet)], "<si><t>PENDING</t></si>")).unwrap();
    let row = rows(&only(&upload).1).remove(0);
    let read: Vec<String> = row.cells().map(|(_, cell)| cell.to_owned()).collect();
    let expected =
        ["PENDING", "3.24074730393034E+17", "2026-08-14", "TRUE", "3", "488.5", "a & b", "rich text"];
    assert_eq!(read, expected);
}

#[test]
fn every_recognised_member_of_an_archive_is_a_table_of_its_own() {
    let [orders, returns] =
        ["meesho_orders_newer.csv", "meesho_returns.csv"].map(|name| std::fs::read(sample(name)).unwrap());
    let upload = opened(&archive(&[
        ("orders.csv", &orders),
        ("photo.png", b"\x89PNG\r\n\x1a\n"),
        ("read me.txt", b"hello"),
        ("returns.csv", &returns),
    ]))
    .unwrap();
    assert_eq!(kinds(&upload), [Kind::MeeshoOrders, Kind::MeeshoReturns]);
    let labels: Vec<&str> = upload.sheets().iter().map(robnu_files::Sheet::label).collect();
    assert_eq!(labels, ["file 1", "file 3", "file 4"]);
}

#[test]
fn a_name_means_nothing() {
    let text = text();
    let named = file(text.as_bytes());
    let path = named.path().with_extension("xlsx");
    std::fs::copy(named.path(), &path).unwrap();
    let upload = open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(rows(&only(&upload).1).len(), 5);
    assert_eq!(letters(27), "AB");
}
