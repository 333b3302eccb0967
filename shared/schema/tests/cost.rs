//! Computes what one person with a free account can make the platform pay in a month, from the bounds in the migrations. A
//! change that raises a bound, or adds something that people can have made for nothing, sees here what it costs, and in the
//! README what is promised.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fmt::Write as _;
use std::path::Path;

/// The promised maximum, in dollars a month.
const PROMISED: f64 = 1.0;
const DAYS: f64 = 30.0;

/// List prices of ap-south-1 in US dollars, as of 2025. A deployment checks them against its own bill.
const KMS_CALL: f64 = 0.03 / 10_000.0;
const DATABASE_GIGABYTE_MONTH: f64 = 0.12;
const MAIL: f64 = 0.10 / 1_000.0;
/// A request to API Gateway, its invocation, 100 ms of a function with 256 MB, and a kilobyte of its log.
const REQUEST: f64 = (1.05 + 0.20 + 0.33 + 0.67) / 1_000_000.0;
const GIGABYTE_ANSWERED: f64 = 0.11;
const FIFO_REQUEST: f64 = 0.50 / 1_000_000.0;
/// A lane has five pollers, and each asks every 20 seconds.
const POLLS_OF_A_LANE: f64 = 5.0 * 3.0 * 60.0 * 24.0 * DAYS;

/// Bytes in the database with indexes, rounded up from `pg_column_size` of the largest rows that the API accepts.
const BYTES_OF_A_SELLER: f64 = 8_192.0;
const BYTES_OF_AN_ACCOUNT: f64 = 16_384.0;
/// An audit event, or a response that is kept for an idempotency key.
const BYTES_OF_AN_EVENT: f64 = 2_048.0;
/// A request's audit events, and the response that is kept for its idempotency key. Signing up and connecting leave the most, one
/// for each of a few rows.
const EVENTS_OF_A_REQUEST: f64 = 10.0;

struct Row {
    what: &'static str,
    how_many: f64,
    each: f64,
}

/// Returns the number in a file of the repository at the place where `text` has `{}`.
fn bound(file: &str, text: &str) -> f64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let source = std::fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("{}").expect("a place for the number");
    let mut places = source.match_indices(before).filter_map(|(at, _)| {
        let rest = &source[at + before.len()..];
        let end = rest.find(|other: char| !other.is_ascii_digit() && other != '_').unwrap_or(rest.len());
        rest[end..].starts_with(after).then(|| rest[..end].replace('_', "").parse::<f64>().ok()).flatten()
    });
    let number = places.next().unwrap_or_else(|| panic!("{file} no longer says {text:?}"));
    assert!(places.next().is_none(), "{file} says {text:?} twice");
    number
}

/// What a newcomer can have whose marketplace accounts never worked. A working account is a customer's, and may have a lane and
/// orders.
fn rows() -> Vec<Row> {
    let requests_a_day =
        bound("migrations/0003_tenancy.sql", "newcomer_requests_per_day integer not null default {} check");
    let sellers = bound("migrations/0003_tenancy.sql", "where signed_up_by = person) >= {} then");
    let accounts_a_day = bound(
        "migrations/0008_accounts.sql",
        "where connected_by = new.connected_by and created_at > now() - interval '1 day') >= {} then",
    );
    let mails_a_day =
        bound("migrations/0005_team.sql", "count_mail('PERSON', person, {}, 'mail_counts_of_person')");
    let events_a_day =
        bound("migrations/0004_audit.sql", "if so_far > {} then").min(requests_a_day * EVENTS_OF_A_REQUEST);
    let largest_answer = bound("functions/api/tests/http/bounds.rs", "const LARGEST_ANSWER: usize = {};");
    let gigabytes = |bytes: f64| bytes / 1e9 * DATABASE_GIGABYTE_MONTH;
    vec![
        Row { what: "requests answered", how_many: requests_a_day * DAYS, each: REQUEST },
        Row {
            what: "largest responses",
            how_many: requests_a_day * DAYS,
            each: largest_answer / 1e9 * GIGABYTE_ANSWERED,
        },
        Row {
            what: "lanes of accounts whose credentials never worked",
            how_many: 0.0,
            each: POLLS_OF_A_LANE * FIFO_REQUEST,
        },
        Row { what: "invitations mailed", how_many: mails_a_day * DAYS, each: MAIL },
        Row { what: "sellers' data keys made", how_many: sellers, each: KMS_CALL },
        Row { what: "sellers' rows kept", how_many: sellers, each: gigabytes(BYTES_OF_A_SELLER) },
        Row {
            what: "accounts' rows kept",
            how_many: accounts_a_day * DAYS,
            each: gigabytes(BYTES_OF_AN_ACCOUNT),
        },
        Row { what: "audit events kept", how_many: events_a_day * DAYS, each: gigabytes(BYTES_OF_AN_EVENT) },
        Row { what: "accounts' secrets encrypted", how_many: accounts_a_day * DAYS, each: KMS_CALL },
    ]
}

/// The table of the README.
fn table() -> String {
    let mut table = "| in a month | at most | each, USD | together, USD |\n|---|---|---|---|\n".to_owned();
    for Row { what, how_many, each } in rows() {
        writeln!(table, "| {what} | {how_many} | {each:.7} | {:.4} |", how_many * each).unwrap();
    }
    writeln!(table, "| all | | | {:.4} |", total()).unwrap();
    table
}

fn total() -> f64 {
    rows().iter().map(|row| row.how_many * row.each).sum()
}

#[test]
fn one_free_person_costs_less_than_promised() {
    assert!(total() < PROMISED, "it costs more than {PROMISED} USD now:\n{}", table());
}

#[test]
fn an_account_whose_credentials_never_worked_has_no_lane() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/0008_accounts.sql");
    let source = std::fs::read_to_string(path).unwrap();
    assert!(
        source.contains("when verified_at is null then 'REQUESTED'"),
        "an account without an accepted check may have a lane"
    );
    const { assert!(POLLS_OF_A_LANE * FIFO_REQUEST > 0.3) };
}

#[test]
fn the_readme_has_the_computed_table() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    assert!(readme.contains(&table()), "the README should say:\n{}", table());
}
