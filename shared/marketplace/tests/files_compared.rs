//! A corrected file is compared with the one that it corrects: what it adds, changes and does not name.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use robnu_marketplace::files::{Change, ComparedUntil, Difference, FieldChange, ImportFile, compare};
use robnu_marketplace::kind::RunKind;
use tempfile::NamedTempFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const ORDERS: &str = "Reason for Credit Entry,Sub Order No,Order Date,Customer State,SKU,Quantity,Supplier Discounted Price (Incl GST and Commision),Packet Id";

fn file(bytes: &[u8]) -> ImportFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    ImportFile::open(file.path(), None).unwrap()
}

fn orders(rows: &str) -> ImportFile {
    file(format!("{ORDERS}\n{rows}").as_bytes())
}

/// All differences, read part by part.
fn all(earlier: &ImportFile, corrected: &ImportFile) -> Vec<Difference> {
    let (mut all, mut at) = (Vec::new(), Some(ComparedUntil::nothing(earlier, corrected)));
    while let Some(from) = at {
        let compared = compare(earlier, corrected, &from).unwrap();
        all.extend(compared.differences);
        // A place is written into the run and read from there.
        at = compared.next.map(|next| ComparedUntil::parse(&next.to_string(), earlier, corrected).unwrap());
    }
    all
}

fn summary(differences: &[Difference]) -> Vec<(&str, &str)> {
    differences.iter().map(|one| (one.external_id.as_str(), one.change.as_str())).collect()
}

fn changed(field: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
    FieldChange { field: field.to_owned(), before, after }
}

#[test]
fn what_differs_is_named_field_by_field() {
    let earlier = orders(
        "SHIPPED,1_1,2026-08-05,Goa,A,1,400.0,P1\nSHIPPED,1_2,2026-08-05,Goa,B,1,10,P1\nSHIPPED,2_1,2026-08-05,Goa,A,1,5,\nPENDING,4_1,2026-08-05,Goa,A,1,5,\n",
    );
    // Lines stand elsewhere, and the same money is written otherwise.
    let corrected = orders(
        "PENDING,3_1,2026-08-06,Goa,A,1,7,\nSHIPPED,1_3,2026-08-05,Goa,C,2,3,P1\nDELIVERED,1_1,2026-08-05,Goa,A,1,450,P1\nPENDING,4_1,2026-08-05,Goa,A,1,5.00,\n",
    );
    let differences = all(&earlier, &corrected);
    assert_eq!(summary(&differences), [("1", "CHANGED"), ("2", "MISSING"), ("3", "ADDED")]);
    assert!(differences.iter().all(|one| one.stream == RunKind::Orders && one.fields_left_out == 0));
    assert!(differences[1..].iter().all(|one| one.fields.is_empty()));
    let has = |field: &str, before: Option<&str>, after: Option<&str>| {
        let expected = changed(field, before, after);
        assert!(differences[0].fields.contains(&expected), "{expected:?} in {:#?}", differences[0].fields);
    };
    has("marketplace_status", Some("SHIPPED"), Some("SHIPPED / DELIVERED"));
    has("lines[1_1].line_amount", Some("400"), Some("450"));
    has("lines[1_2].quantity", Some("1"), None);
    has("lines[1_3].quantity", None, Some("2"));
    has("total_amount", Some("410"), Some("456"));
    assert!(!differences[0].fields.iter().any(|one| one.before == one.after));
    assert_eq!(all(&corrected, &corrected), []);
}

#[test]
fn a_record_that_could_not_be_read_is_not_missing() {
    let good = orders("SHIPPED,1_1,2026-08-05,Goa,A,1,5,\n");
    let bad = orders("SHIPPED,1_1,2026-08-05,Goa,A,,5,\nSHIPPED,,2026-08-05,Goa,A,1,5,\n");
    assert_eq!(all(&good, &bad), []);
    assert_eq!(all(&bad, &good), []);
}

fn sample(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../files/tests/data");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_return_is_the_same_though_its_date_is_written_otherwise() {
    let text = sample("meesho_returns.csv");
    let day_first = ["05", "06", "07", "18", "20", "21", "29"]
        .into_iter()
        .fold(text.clone(), |text, day| text.replace(&format!("2026-08-{day}"), &format!("{day}/08/2026")));
    assert_ne!(text, day_first);
    let earlier = file(text.as_bytes());
    assert_eq!(all(&earlier, &file(day_first.as_bytes())), []);
    let (without_last, _) = day_first.trim_end().rsplit_once('\n').unwrap();
    let differences = all(&earlier, &file(without_last.as_bytes()));
    assert_eq!(differences.len(), 1);
    assert_eq!((differences[0].stream, differences[0].change), (RunKind::Returns, Change::Missing));
}

#[test]
fn another_generation_of_the_report_is_no_change() {
    let [classic, newer] = ["meesho_orders_classic.csv", "meesho_orders_newer.csv"].map(sample);
    assert_eq!(all(&file(classic.as_bytes()), &file(newer.as_bytes())), []);
}

#[test]
fn of_an_address_only_what_everybody_may_see_is_told() {
    let text = sample("amazon_orders.txt");
    let moved = text.replace("682001", "560087");
    assert_ne!(text, moved);
    let differences = all(&file(text.as_bytes()), &file(moved.as_bytes()));
    assert!(!differences.is_empty());
    for difference in differences {
        assert_eq!(difference.fields, [changed("ship_postal_prefix", Some("682"), Some("560"))]);
    }
}

#[test]
fn an_archives_tables_are_compared_together() {
    let archive = |tables: &[&str]| {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (number, rows) in tables.iter().enumerate() {
            zip.start_file(format!("{number}.csv"), SimpleFileOptions::default()).unwrap();
            zip.write_all(format!("{ORDERS}\n{rows}").as_bytes()).unwrap();
        }
        file(&zip.finish().unwrap().into_inner())
    };
    let (one, two) = ("SHIPPED,1_1,2026-08-05,Goa,A,1,5,\n", "SHIPPED,2_1,2026-08-05,Goa,A,1,5,\n");
    // The same orders, in one table, in two, and in two that stand the other way round.
    assert_eq!(all(&archive(&[one, two]), &archive(&[two, one])), []);
    assert_eq!(all(&archive(&[one, two]), &orders(&format!("{two}{one}"))), []);
    // Of one order in two tables the later counts, as it does in the store.
    let newer = "DELIVERED,1_1,2026-08-05,Goa,A,1,5,\n";
    assert_eq!(all(&archive(&[one, newer]), &orders(newer)), []);
    assert_eq!(summary(&all(&archive(&[one, newer]), &orders(one))), [("1", "CHANGED")]);
}

#[test]
fn an_order_of_many_lines_tells_the_first_fields_and_counts_the_rest() {
    let many = |sku: &str| {
        let rows = (0..200).fold(String::new(), |mut text, line| {
            writeln!(text, "SHIPPED,1_{line},2026-08-05,Goa,{sku}{line},1,5,").unwrap();
            text
        });
        orders(&rows)
    };
    let differences = all(&many("A"), &many("B"));
    assert_eq!((differences[0].fields.len(), differences[0].fields_left_out), (50, 150));
}

#[test]
fn a_place_of_other_files_is_refused() {
    let one = orders("SHIPPED,1_1,2026-08-05,Goa,A,1,5,\n");
    for text in ["", "0", "0,x", "0,0,0", "-1,0"] {
        assert_eq!(ComparedUntil::parse(text, &one, &one), None, "{text}");
    }
}

/// Orders by number: status, price, and whether a row cannot be read.
type Book = BTreeMap<u16, (bool, u8, bool)>;

fn book() -> impl Strategy<Value = Book> {
    prop::collection::btree_map(0..2_000_u16, (any::<bool>(), 1..3_u8, prop::bool::weighted(0.05)), 0..1_200)
}

fn written(book: &Book) -> ImportFile {
    let rows = book.iter().rev().fold(String::new(), |mut rows, (number, (is_shipped, price, is_bad))| {
        let status = if *is_shipped { "SHIPPED" } else { "DELIVERED" };
        let quantity = if *is_bad { "" } else { "1" };
        writeln!(rows, "{status},{number}_1,2026-08-05,Goa,A,{quantity},{price},").unwrap();
        rows
    });
    orders(&rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// More orders than one part compares, in files whose parts end at different orders.
    #[test]
    fn every_difference_is_told_once(earlier in book(), corrected in book()) {
        prop_assume!(!earlier.is_empty() && !corrected.is_empty());
        let mut expected = Vec::new();
        for number in 0..2_000 {
            match (earlier.get(&number), corrected.get(&number)) {
                (Some((.., true)), _) | (_, Some((.., true))) | (None, None) => {}
                (Some(_), None) => expected.push((number.to_string(), "MISSING")),
                (None, Some(_)) => expected.push((number.to_string(), "ADDED")),
                (Some(before), Some(after)) if before != after => expected.push((number.to_string(), "CHANGED")),
                _ => {}
            }
        }
        expected.sort();
        let told = all(&written(&earlier), &written(&corrected));
        let told: Vec<_> = told.iter().map(|one| (one.external_id.clone(), one.change.as_str())).collect();
        prop_assert_eq!(told, expected);
    }
}
