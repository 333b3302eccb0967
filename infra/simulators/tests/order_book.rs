//! Order books: exact reading, and the binary's errors for an invalid file.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use simulators::OrderBook;
use support::{book, csv, row, send};

/// A file that is removed after the test.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("simulators-{}-{name}.csv", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn refusal(text: &str) -> String {
    OrderBook::from_csv("b.csv", text).unwrap_err().to_string()
}

fn good() -> String {
    row("402-1000001-0000001", "Shipped", "10.5", "1")
}

#[test]
fn the_sample_book_has_what_its_readme_promises() {
    let sample = OrderBook::sample().unwrap();
    assert_eq!((sample.orders().len(), sample.line_count()), (16, 24));
    assert_eq!(sample.total().to_string(), "10023030.6483");
}

#[test]
fn rows_of_one_order_are_gathered_and_numbered_wherever_they_are() {
    let (first, other) = (row("402-1000001-0000001", "Shipped", "1", "1"), row("X", "Shipped", "", "0"));
    let book = book(&[&first, &other, &first, &other]);
    let ids: Vec<_> =
        book.orders().iter().flat_map(|o| &o.lines).map(|line| line.order_item_id.as_str()).collect();
    assert_eq!(ids, ["40210000010000001001", "40210000010000001002", "X-001", "X-002"]);
    assert_eq!(book.orders()[1].total().to_string(), "0");
}

#[test]
fn a_purchase_date_begins_at_midnight_in_india() {
    let book = book(&[&good()]);
    assert_eq!(book.orders()[0].created_at.to_rfc3339(), "2026-05-31T18:30:00+00:00");
}

#[test]
fn columns_may_be_in_any_order_and_others_are_ignored() {
    let text = csv(&[&good()]);
    let reversed = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.reverse();
        cells.insert(0, "extra");
        cells.join(",")
    };
    let lines: Vec<String> = text.lines().map(reversed).collect();
    let shuffled = format!("\u{feff}{}\r\n", lines.join("\r\n"));
    assert_eq!(
        OrderBook::from_csv("b.csv", &shuffled).unwrap(),
        OrderBook::from_csv("b.csv", &text).unwrap()
    );
}

#[test]
fn every_error_names_file_line_and_column() {
    let with = |from: &str, to: &str| refusal(&csv(&[&good(), &good().replacen(from, to, 1)]));
    let cases = [
        (with("10.5", "ten"), "b.csv: line 3, column line_amount: \"ten\" is not a decimal number"),
        (with("10.5", "1e3"), "b.csv: line 3, column line_amount: \"1e3\" is not a decimal number"),
        (with("10.5", "1_000"), "b.csv: line 3, column line_amount: \"1_000\" is not a decimal number"),
        (
            with("10.5", "\"1,000.00\""),
            "b.csv: line 3, column line_amount: \"1,000.00\" is not a decimal number",
        ),
        (with("10.5", "10."), "b.csv: line 3, column line_amount: \"10.\" is not a decimal number"),
        (with("10.5", " 10.5"), "b.csv: line 3, column line_amount: \" 10.5\" is not a decimal number"),
        (with("10.5", "NaN"), "b.csv: line 3, column line_amount: \"NaN\" is not a decimal number"),
        (with("10.5", "9".repeat(40).as_str()), "b.csv: line 3, column line_amount: "),
        (
            with("10.5", "0.00001"),
            "b.csv: line 3, column line_amount: \"0.00001\" has more than four decimals",
        ),
        (
            with("10.5", "1.50000"),
            "b.csv: line 3, column line_amount: \"1.50000\" has more than four decimals",
        ),
        (with(",1,INR", ",-1,INR"), "b.csv: line 3, column quantity: \"-1\" is not a quantity"),
        (with(",1,INR", ",,INR"), "b.csv: line 3, column quantity: \"\" is not a quantity"),
        (with(",1,INR", ",1.0,INR"), "b.csv: line 3, column quantity: \"1.0\" is not a quantity"),
        (
            with("2026-06-01", "2026-02-30"),
            "b.csv: line 3, column purchase_date: \"2026-02-30\" is not a date",
        ),
        (with("2026-06-01", "01-06-26"), "b.csv: line 3, column purchase_date: \"01-06-26\" is not a date"),
        (with("402-1000001-0000001", " "), "b.csv: line 3, column order_id: the cell is empty"),
        (with("Merchant", "Merchent"), "b.csv: line 3, column fulfilment: \"Merchent\" is unknown"),
        (with("false", "no"), "b.csv: line 3, column b2b: \"no\" is neither true nor false"),
        (with("INR", "USD"), "b.csv: line 3, column currency: \"USD\" differs"),
        (with(",false", ""), "b.csv: line 3, column b2b: the row has 14 fields and the header 15"),
        (with("false", "false,"), "b.csv: line 3, column number 16: the row has 16 fields and the header 15"),
        (
            refusal(&csv(&[]).replace("quantity", "qty")),
            "b.csv: line 1, column quantity: the column is missing",
        ),
        (refusal(&csv(&[]).replace(",size", ",b2b")), "b.csv: line 1, column size: the column is missing"),
        (
            refusal(&csv(&[]).replace(",b2b", ",b2b,size")),
            "b.csv: line 1, column size: the column appears twice",
        ),
        (refusal(""), "b.csv: line 1, column order_id: the column is missing"),
    ];
    for (message, expected) in cases {
        assert!(message.starts_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn a_line_number_counts_the_lines_of_the_file_and_not_the_records() {
    let two_lines = good().replace("PUNE", "\"NEW\nTOWN\"");
    let message = refusal(&csv(&[&two_lines, &good().replace("10.5", "x")]));
    assert!(message.starts_with("b.csv: line 4, column line_amount"), "{message}");
}

#[test]
fn the_binary_refuses_a_bad_file_with_exit_code_two() {
    let file = TemporaryFile::new("bad", csv(&[&good(), &good().replace("10.5", "1.23456")]).as_bytes());
    let missing = PathBuf::from("/nonexistent/orders.csv");
    let latin1 = TemporaryFile::new(
        "latin1",
        csv(&[&good()]).replace("PUNE", "P~NE").replace('~', "\u{1}").as_bytes(),
    );
    std::fs::write(
        &latin1.0,
        std::fs::read(&latin1.0).unwrap().iter().map(|b| if *b == 1 { 0xFC } else { *b }).collect::<Vec<_>>(),
    )
    .unwrap();
    let cases = [
        (&file.0, "line 3, column line_amount"),
        (&missing, "cannot be read"),
        (&latin1.0, "line 2, column ship_city: the cell is not UTF-8"),
    ];
    for (path, expected) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_simulators"))
            .args(["--port", "0", "--orders"])
            .arg(path)
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(output.stdout.is_empty());
        assert!(message.contains(path.to_str().unwrap()) && message.contains(expected), "{message}");
    }
}

#[test]
fn the_binary_prints_its_address_as_one_line_of_json() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_simulators"))
        .args(["--port", "0", "--ajio-orders", "5"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addresses: Value = serde_json::from_str(&line).unwrap();
    assert!(addresses["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    let health = send("GET", &format!("{}/health", addresses["control_url"].as_str().unwrap()), &[], "");
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(health.status, 200);
}

#[test]
fn the_binary_explains_its_arguments() {
    let output = Command::new(env!("CARGO_BIN_EXE_simulators")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in ["--port", "--orders", "--amazon-rate", "--amazon-burst", "--ajio-orders"] {
        assert!(help.contains(flag), "{flag}");
    }
    let wrong =
        Command::new(env!("CARGO_BIN_EXE_simulators")).args(["--amazon-rate", "fast"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
