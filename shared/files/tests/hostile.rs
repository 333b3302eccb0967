//! Files that are built to do harm cost a message, and never memory, time or a panic.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::io::{Cursor, Write};

use kit::{
    archive, file, only, opened, orders, refusal, rows, sample, sheet_xml, text_row, workbook, workbook_of,
};
use proptest::prelude::*;
use robnu_files::{Table, open, recognise};
use zip::unstable::write::FileOptionsExt as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[test]
fn files_that_are_no_tables_are_named_with_what_to_do() {
    for (bytes, found, advice) in [
        (&b"%PDF-1.7"[..], "a PDF", "upload the report as"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old form (XLS)", "remove the password"),
        (b"\x1F\x8B\x08", "GZIP", "unpack it"),
        (b"\xEF\xBB\xBF <html><table>", "HTML", "save it as XLSX"),
        (b"{\"errors\":[]}", "JSON", "upload the report as"),
        (b"", "empty", "download it again"),
        (b"\n\n", "empty", "download it again"),
        (b"a\0b\0c", "not text", "upload the report as"),
        (b"PK\x03\x04 and then nothing", "damaged", "download it again"),
        (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "without members", "download it again"),
    ] {
        let said = refusal(bytes);
        assert!(said.contains(found) && said.contains(advice), "{said}");
    }
}

#[test]
fn an_archive_that_unpacks_to_far_more_than_its_size_is_refused() {
    let zeros = vec![b'a'; 20 << 20];
    let said = refusal(&archive(&[("orders.csv", &zeros)]));
    assert!(said.contains("250 times its size"), "{said}");
    let many: Vec<String> = (0..1_001).map(|at| format!("{at}.csv")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"a,b"[..])).collect();
    assert!(refusal(&archive(&many)).contains("1,000 members"));
}

#[test]
fn a_bomb_inside_a_workbook_is_refused_before_it_is_parsed() {
    let long = "a".repeat(20 << 20);
    let said = refusal(&workbook_of(&[("Orders", &sheet_xml(""))], &format!("<si><t>{long}</t></si>")));
    assert!(said.contains("250 times its size"), "{said}");
    let said = refusal(&archive(&[(
        "book.xlsx",
        &workbook_of(&[("Orders", &sheet_xml(&text_row(1, &[&long])))], ""),
    )]));
    assert!(said.contains("512 kB"), "{said}");
}

#[test]
fn archives_in_archives_and_archives_with_a_password_are_refused() {
    let inner = archive(&[("orders.csv", orders("").as_bytes())]);
    assert!(refusal(&archive(&[("inner.zip", &inner)])).contains("another archive"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("orders.csv", options.with_deprecated_encryption(b"secret").unwrap()).unwrap();
    zip.write_all(orders("").as_bytes()).unwrap();
    let said = refusal(&zip.finish().unwrap().into_inner());
    assert!(said.contains("password") && said.contains("unpack it"), "{said}");
}

#[test]
fn macros_and_entities_are_refused_and_links_are_not_followed() {
    let with = |name: &str, xml: &str| {
        let cells = sheet_xml(&text_row(1, &["a"]));
        archive(&[
            ("xl/workbook.xml", b"<workbook/>"),
            ("xl/worksheets/sheet1.xml", cells.as_bytes()),
            (name, xml.as_bytes()),
        ])
    };
    assert!(refusal(&with("xl/vbaProject.bin", "x")).contains("macros"));
    let entities = r#"<!DOCTYPE sst [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]><sst>&c;</sst>"#;
    assert!(refusal(&with("xl/sharedStrings.xml", entities)).contains("no spreadsheet program writes"));
    let utf16: String = "<sst/>".chars().flat_map(|sign| [sign, '\0']).collect();
    assert!(refusal(&with("xl/sharedStrings.xml", &utf16)).contains("no spreadsheet program writes"));
    let header = text_row(1, &kit::HEADER);
    let linked = r#"<row r="2"><c r="B2"><f>[1]Sheet1!A1</f><v>7</v></c></row>"#;
    let upload = opened(&workbook(&[("Orders", &format!("{header}{linked}"))])).unwrap();
    assert_eq!(rows(&only(&upload).1)[0].get("Sub Order No"), Some("7"));
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_found_before_it_takes_the_file() {
    let text = orders(&format!(
        "PENDING,1_1,2026-08-05,\"A,1,5\n{}",
        "PENDING,2_1,2026-08-05,B,1,5\n".repeat(60_000)
    ));
    let said = recognise(&opened(text.as_bytes()).unwrap()).unwrap_err().to_string();
    assert!(said.starts_with("row 2 is longer than 1 MB"), "{said}");
    assert!(said.contains("quotation mark that is not closed"), "{said}");
}

#[test]
fn rows_and_cells_far_apart_take_no_memory() {
    let header = text_row(1, &kit::HEADER);
    let far = format!(r#"{header}<row r="1048576"><c r="B1048576"><v>7</v></c></row>"#);
    let upload = opened(&workbook(&[("Orders", &far)])).unwrap();
    assert_eq!(rows(&only(&upload).1)[0].number(), 1_048_576);
    let wide = format!(r#"{header}<row r="2"><c r="XFD2"><v>7</v></c></row>"#);
    assert!(refusal(&workbook(&[("Orders", &wide)])).contains("1,000 cells"));
    let backwards = r#"<row r="2"><c r="A2"><v>7</v></c></row><row r="1"><c r="A1"><v>7</v></c></row>"#;
    assert!(refusal(&workbook(&[("Orders", backwards)])).contains("order of the rows"));
}

/// Reads a file to its end, whatever it is.
fn read_through(bytes: &[u8]) {
    let file = file(bytes);
    let Ok(upload) = open(file.path()) else { return };
    let Ok(found) = recognise(&upload) else { return };
    for found in found {
        let table = Table::new(&upload, &found);
        for row in table.rows() {
            let Ok(row) = row else { break };
            let _ = row.map(|row| row.cells().count());
        }
        if let Ok((groups, _)) = table.group(None, |row| row.get("SKU").map(str::to_owned)) {
            let _ = groups.read(0, 10);
        }
    }
}

/// How files begin that are looked into.
const STARTS: &[&[u8]] = &[
    b"",
    b"PK\x03\x04",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\xEF\xBB\xBF",
    b"Sub Order No,Reason for Credit Entry,Order Date,SKU,Quantity,Supplier Discounted Price (Incl GST and Commission)\n",
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(STARTS),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r')], 0..600),
    ) {
        read_through(&[start, &bytes].concat());
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let text = std::fs::read(sample("meesho_orders_classic.csv")).unwrap();
        let book = workbook(&[("Orders", &(text_row(1, &kit::HEADER) + &text_row(2, &["PENDING", "1_1", "2026-08-05"])))]);
        let mut bytes = match which {
            0 => text,
            1 => book,
            2 => archive(&[("a.csv", &text), ("b.xlsx", &book)]),
            _ => stored(&book),
        };
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_through(&bytes);
    }

    #[test]
    fn no_xml_in_a_sheet_makes_it_panic(cells in "(<c[ a-z=\"0-9A-Z]{0,12}>|<v>|</v>|</c>|<row r=\"[0-9]{0,9}\">|</row>|<is>|<t>|</t>|</is>|&[a-z#0-9]{0,6};|[a-z0-9.eE+-]{0,8}){0,40}") {
        read_through(&workbook(&[("Orders", &cells)]));
    }
}

/// The workbook's members without compression, so that damage reaches the parser.
fn stored(book: &[u8]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut member = from.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        to.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
            .unwrap();
        std::io::copy(&mut member, &mut to).unwrap();
    }
    to.finish().unwrap().into_inner()
}
