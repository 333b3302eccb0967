//! What lists, searches and scans read with their hardest filters, when a seller has 20,000 rows of everything beside another
//! seller's 5,000. The test counts rows and keeps the plans in a reviewed file. It does not measure time; the benchmark `lists`
//! does, among 1,000,000 rows.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::path::Path;

use robnu_testkit::lists::{ListCase, Reader, cases, derived, fill, prepared};
use robnu_testkit::{Seller, TestDatabase, TwoSellers, assert_golden};
use tokio_postgres::{Client, SimpleQueryMessage};

const BIG: [&str; 26] = [
    "orders",
    "order_items",
    "order_days",
    "shipments",
    "returns",
    "return_items",
    "return_events",
    "unmatched_scans",
    "claims",
    "claim_events",
    "payouts",
    "payout_entries",
    "payout_lines",
    "payout_changes",
    "listings",
    "inventory",
    "audit_events",
    "sync_runs",
    "quarantined_records",
    "storage_objects",
    "import_changes",
    "credential_events",
    "members",
    "people",
    "invitations",
    "impersonation_sessions",
];

/// Returns how many rows of big tables a statement may read, whatever is asked for.
fn most(case: &ListCase) -> usize {
    match (case.statement, case.filter) {
        ("runs/show" | "documents/show" | "imports/show" | "imports/last_of_file", _) => 1,
        // What a page shows, and a row more; where each row is looked up elsewhere, that too.
        (
            "orders/newest"
            | "orders/oldest"
            | "returns/newest"
            | "returns/oldest"
            | "claims/newest"
            | "payouts/newest"
            | "listings/newest"
            | "inventory/newest"
            | "audit/list"
            | "payouts/changes"
            | "dispatch/list"
            | "dispatch/undated"
            | "runs/list"
            | "runs/of_account"
            | "quarantine/list"
            | "quarantine/of_account"
            | "imports/list"
            | "imports/of_account"
            | "imports/changes"
            | "documents/list"
            | "documents/of_account"
            | "invitations/list"
            | "scans/list"
            | "orders/newest_of_accounts"
            | "returns/newest_of_accounts"
            | "claims/newest_of_accounts"
            | "listings/newest_of_accounts"
            | "accounts/credential_events",
            "-" | "account" | "last page",
        ) => 52,
        ("shipments/newest" | "shipments/oldest", "-") => 2 * 52,
        // An entry with its order and its line.
        ("payouts/entries" | "payouts/announced", "-") | ("members/list", _) => 3 * 52,
        // Fifty accounts (four here), each with its last successful run, its watermark, and the quarantined records that are counted.
        ("accounts/list" | "accounts/show", _) => 8 + 101,
        ("usage/show", _) => 92,
        // Eight kinds of numbers, and the order of each shipment that is found.
        ("search/search", _) => 10 * 20,
        // The person, who is looked up twice, the membership, and the fixture's two sellers.
        ("me/show", _) => 5,
        ("admin/impersonations", _) => 2,
        ("schedules/list", _) => 0,
        // All differences that are kept of one import.
        ("dispatch/summary" | "imports/changes", _) => 10_000,
        ("returns/events" | "claims/events", _) => 10_201,
        // 1,000 shipments with their orders; for a number, 1,000 more that tell whether it is rare.
        (name, _) if name.starts_with("shipments") => 3_000,
        // 2,000 rows of the list; for an article, 2,000 more that tell whether it is rare, and as many lines looked up.
        (name, _) if name.contains("of_sku") => 6_000,
        // 2,000 rows, each with its claim or a line.
        ("orders/dispatch", "article without any")
        | ("returns/file_by", _)
        | ("payouts/entries", "type without any") => 4_010,
        _ => 2_010,
    }
}

async fn lines(client: &Client, sql: &str) -> String {
    let rows = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let line = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    rows.into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

const EXPLAIN: &str = "explain (analyze, timing off, summary off, costs off, buffers off)";

/// Returns the big table that a line of a plan scans, if any.
fn scanned(line: &str) -> Option<&'static str> {
    let (title, on) = line.split_once(" on ")?;
    let table = on.split_whitespace().next()?;
    BIG.into_iter().find(|big| *big == table && title.contains("Scan"))
}

/// Returns how many rows of big tables a plan has read: those that a scan returned and those that its filter removed.
fn rows_read(plan: &str) -> usize {
    let number = |line: &str, after: &str| -> f64 {
        let rest = line.split_once(after).map(|(_, rest)| rest).unwrap_or_default();
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        rest[..end].parse().unwrap_or_default()
    };
    let mut read = 0.0;
    let mut loops = None;
    for line in plan.lines() {
        if line.contains("(actual") || line.contains("(never executed)") {
            loops = scanned(line).map(|_| number(line, "loops="));
            read += loops.map_or(0.0, |loops| loops * number(line, "rows="));
        } else if let Some(loops) = loops.filter(|_| line.contains("Rows Removed by")) {
            read += loops * number(line, ": ");
        }
    }
    assert!(read.is_finite() && read >= 0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let rows = read.ceil() as usize;
    rows
}

#[tokio::test]
async fn lists_searches_dispatch_and_scans_read_only_what_they_show() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    superuser.batch_execute(&fill([&sellers.ours, &sellers.theirs], 20_000, 5_000)).await.unwrap();
    let login = test.raw("robnu_api").await;
    let mut faults = Vec::new();
    let mut shapes: Vec<String> = Vec::new();
    let cases = cases(&sellers.ours);
    for (name, _) in derived() {
        assert!(cases.iter().any(|case| case.statement == name), "{name} is not looked at");
    }
    for case in cases {
        let plan = plan(&login, &sellers.ours, &case).await;
        let read = rows_read(&plan);
        if read > most(&case) {
            faults.push(format!("{case:?}: {read} rows where {} are enough\n{plan}", most(&case)));
        }
        let shape = format!("{}: {}", case.statement, shape(&plan));
        // Two indexes serve these equally well, and the planner takes either.
        let has_equals = matches!(case.statement, "members/list" | "me/show");
        if !has_equals && !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    faults.extend(codes_that_read_too_much(&superuser, &sellers.ours).await);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    shapes.sort();
    assert_golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans.txt"), &shapes);
}

/// Returns the plan with which the API's login ran a case.
async fn plan(login: &Client, seller: &Seller, case: &ListCase) -> String {
    let entry = match case.reader {
        Reader::Member => {
            format!("select robnu.enter_member('OWNER@{0}', '{0}', '', true, false)", seller.id)
        }
        Reader::Staff => "select robnu.enter_staff('STAFF', false)".to_owned(),
        Reader::Person => format!("select robnu.enter_person('OWNER@{}', false)", seller.id),
    };
    let begin = format!("begin; {entry}; {}", prepared(case.statement));
    login.batch_execute(&begin).await.unwrap_or_else(|error| panic!("{case:?}: {error:?}"));
    let parameters = match case.parameters.as_str() {
        "" => String::new(),
        parameters => format!("({parameters})"),
    };
    let plan = lines(login, &format!("{EXPLAIN} execute tried {parameters}")).await;
    login.batch_execute("rollback; deallocate tried").await.unwrap();
    plan
}

/// Returns how a plan reaches big tables: its scans of them, and its sorts.
fn shape(plan: &str) -> String {
    let step = |line: &str| {
        let title =
            line.trim_start().trim_start_matches("->").trim_start().split(" (actual").next()?.to_owned();
        let title = title.split(" (never").next()?.to_owned();
        (scanned(&title).is_some() || title == "Sort" || title.starts_with("Incremental Sort")).then(|| {
            let name = title.split(" on ").next().unwrap_or_default();
            scanned(&title).map_or(title.clone(), |table| format!("{name} on {table}"))
        })
    };
    let mut steps: Vec<String> = plan.lines().filter_map(step).collect();
    steps.dedup();
    steps.join(", ")
}

/// Explains the body of a function as its owner runs it, because its plan does not show in the caller's.
async fn plan_inside(superuser: &Client, ours: &Seller, rights: &str, body: &str) -> String {
    let enter = format!(
        "begin; set local role robnu_owner; set local search_path = robnu;
         set local app.rights = '{rights}'; set local app.current_seller_id = '{}'",
        ours.id
    );
    superuser.batch_execute(&enter).await.unwrap();
    let plan = lines(superuser, &format!("{EXPLAIN} {body}")).await;
    superuser.batch_execute("rollback").await.unwrap();
    plan
}

async fn body(superuser: &Client, function: &str) -> String {
    superuser.query_one("select prosrc from pg_proc where proname = $1", &[&function]).await.unwrap().get(0)
}

async fn codes_that_read_too_much(superuser: &Client, ours: &Seller) -> Vec<String> {
    let body = body(superuser, "returns_of_code").await.replace("= seller", &format!("= '{}'", ours.id));
    let mut faults = Vec::new();
    for code in ["TM040000", "PM040000", "BM040000", "RM040000", "NOTHING"] {
        let body = body.replace("= code", &format!("= '{code}'"));
        let plan = plan_inside(superuser, ours, "returns.scan", &body).await;
        if plan.contains("Seq Scan") || rows_read(&plan) > 4 {
            faults.push(format!("{code}: {} rows\n{plan}", rows_read(&plan)));
        }
    }
    faults
}
