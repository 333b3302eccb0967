//! Every kind is recognised by its header, however it is written, and what is not recognised is named.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::HashSet;

use kit::{only, opened, orders, rows, sample};
use proptest::prelude::*;
use robnu_files::{FileError, Kind, kind, open, recognise};

#[test]
fn every_kind_has_a_sample_that_is_recognised() {
    let mut seen = HashSet::new();
    for entry in std::fs::read_dir(sample("headers")).unwrap() {
        let path = entry.unwrap().path();
        let expected = Kind::from_code(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        let found =
            recognise(&open(&path).unwrap()).map(|found| found.iter().map(|it| it.kind).collect::<Vec<_>>());
        assert_eq!(found.map_err(|error| error.to_string()), Ok(vec![expected]), "{}", path.display());
        seen.insert(expected);
    }
    for (name, expected, generation) in [
        ("meesho_orders_classic.csv", Kind::MeeshoOrders, "classic"),
        ("meesho_orders_newer.csv", Kind::MeeshoOrders, "newer"),
        ("meesho_returns.csv", Kind::MeeshoReturns, "all"),
        ("meesho_returns_delivered.csv", Kind::MeeshoReturns, "delivered"),
        ("meesho_returns_lost.csv", Kind::MeeshoReturns, "lost"),
        ("ajio_orders.csv", Kind::AjioOrders, "only"),
        ("ajio_returns.csv", Kind::AjioReturns, "only"),
        ("amazon_orders.txt", Kind::AmazonOrders, "only"),
    ] {
        let (found, _) = only(&open(&sample(name)).unwrap());
        assert_eq!((found.kind, found.generation), (expected, generation), "{name}");
        seen.insert(expected);
    }
    let unseen: Vec<&str> =
        kind::all().filter(|spec| !seen.contains(&spec.kind)).map(|spec| spec.code).collect();
    assert!(unseen.is_empty(), "no sample for {unseen:?}");
}

#[test]
fn payments_are_told_apart_by_generation() {
    let header = std::fs::read_to_string(sample("headers/MEESHO_PAYMENTS.csv")).unwrap();
    let generation = |text: &str| only(&opened(text.as_bytes()).unwrap()).0.generation;
    assert_eq!(generation(&header), "43 columns");
    let middle = header.replace("Catalog ID,Order source,", "");
    assert_eq!(generation(&middle), "41 columns");
    assert_eq!(generation(&middle.replace("(Incl. GST)", "(Excl. GST)")), "without GST");
}

#[test]
fn the_second_column_of_a_name_is_another_column_and_formulas_are_skipped() {
    let header = std::fs::read_to_string(sample("headers/MEESHO_PAYMENTS.csv")).unwrap();
    let columns = header.lines().nth(1).unwrap().split(',').count();
    let names: Vec<&str> = header.lines().nth(1).unwrap().split(',').collect();
    let mut row = vec!["0"; columns];
    row[0] = "500000000000000001_1";
    let places: Vec<usize> = (0..columns).filter(|at| names[*at] == "Fixed Fee (Incl. GST)").collect();
    (row[places[0]], row[places[1]]) = ("5.0", "-7.5");
    let upload = opened(format!("{header}{}\n", row.join(",")).as_bytes()).unwrap();
    let rows = rows(&only(&upload).1);
    assert_eq!(rows.len(), 1, "the row of formulas is no payment");
    assert_eq!(rows[0].get("Fixed Fee (Incl. GST)"), Some("5.0"));
    assert_eq!(rows[0].nth("Fixed Fee (Incl. GST)", 1), Some("-7.5"));
    assert_eq!(rows[0].nth("Fixed Fee (Incl. GST)", 2), None);
}

#[test]
fn what_is_not_recognised_is_compared_with_what_comes_closest() {
    let text = orders("PENDING,secret_1,2026-08-05,secret,1,5\n").replace("SKU,", "Article,");
    let error = recognise(&opened(text.as_bytes()).unwrap()).unwrap_err();
    let FileError::Unrecognised { closest: Some(closest) } = &error else { panic!("{error}") };
    assert_eq!((closest.kind, closest.missing.as_slice()), (Kind::MeeshoOrders, &["SKU"][..]));
    let said = error.to_string();
    assert!(
        said.contains("Meesho orders") && said.contains("missing: SKU") && !said.contains("secret"),
        "{said}"
    );
    let error = recognise(&opened(b"a,b\n1,2\n").unwrap()).unwrap_err().to_string();
    assert!(error.contains("known are AJIO order report"), "{error}");
}

#[test]
fn a_header_is_looked_for_in_the_first_rows_only() {
    let with_preamble =
        |lines: usize| format!("{}{}", "x\n".repeat(lines), orders("PENDING,1_1,2026-08-05,A,1,5\n"));
    assert_eq!(only(&opened(with_preamble(19).as_bytes()).unwrap()).0.header_row, 20);
    assert!(recognise(&opened(with_preamble(20).as_bytes()).unwrap()).is_err());
}

#[test]
fn a_header_that_comes_again_and_blank_rows_are_no_rows() {
    let row = "PENDING,1_1,2026-08-05,A,1,5\n";
    let text = format!("{}{}{row},,,,,\n", orders(row), orders(""));
    assert_eq!(rows(&only(&opened(text.as_bytes()).unwrap()).1).len(), 2);
}

#[test]
fn a_row_with_cells_beyond_the_header_is_bad_and_the_rest_goes_on() {
    let text = orders("PENDING,1_1,2026-08-05,A, B,1,5\nPENDING,2_1,2026-08-05,C,1,5\n");
    let upload = opened(text.as_bytes()).unwrap();
    let read: Vec<_> = only(&upload).1.rows().map(Result::unwrap).collect();
    let error = read[0].as_ref().unwrap_err().to_string();
    assert_eq!(error, "row 2 has more cells than the header has columns");
    assert_eq!(read[1].as_ref().unwrap().get("SKU"), Some("C"));
}

/// How a header's name may be written.
fn decorated() -> impl Strategy<Value = fn(&str) -> String> {
    prop_oneof![
        Just((|name: &str| name.to_owned()) as fn(&str) -> String),
        Just((|name: &str| name.to_uppercase()) as fn(&str) -> String),
        Just((|name: &str| name.to_lowercase().replace(' ', "_")) as fn(&str) -> String),
        Just((|name: &str| format!("  {}\u{a0}*", name.replace(' ', "  "))) as fn(&str) -> String),
        Just((|name: &str| name.replace(' ', "\r\n")) as fn(&str) -> String),
        Just(
            (|name: &str| name.replace(['(', ')', '.', '-'], "").replace("mmission", "mmision"))
                as fn(&str) -> String
        ),
        Just((|name: &str| format!("{name}\n= SUM(J:R)")) as fn(&str) -> String),
    ]
}

proptest! {
    #[test]
    fn any_order_of_columns_and_any_spelling_is_recognised(
        at in 0..kind::all().count(),
        seed in prop::collection::vec((any::<u32>(), decorated()), 40),
        unknown in 0..5_usize,
        delimiter in prop_oneof![Just(b','), Just(b';')],
    ) {
        let spec = kind::all().nth(at).unwrap();
        let mut columns: Vec<String> = spec.required.iter().map(|name| (*name).to_owned()).collect();
        columns.extend((0..unknown).map(|at| format!("Unknown {at}")));
        let mut cells: Vec<(u32, String, String)> = columns
            .iter()
            .zip(&seed)
            .map(|(name, (order, decorate))| (*order, decorate(name), format!("cell of {name}")))
            .collect();
        cells.sort();
        let mut writer = csv_writer(delimiter);
        writer.write_record(cells.iter().map(|(_, name, _)| name)).unwrap();
        writer.write_record(cells.iter().map(|(.., cell)| cell)).unwrap();
        let upload = opened(&writer.into_inner().unwrap()).unwrap();
        let (found, table) = only(&upload);
        prop_assert_eq!(found.kind, spec.kind);
        let row = rows(&table).remove(0);
        for name in spec.required {
            let expected = format!("cell of {name}");
            prop_assert_eq!(row.get(name), Some(expected.as_str()));
        }
    }
}

fn csv_writer(delimiter: u8) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new())
}
