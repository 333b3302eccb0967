//! Every statement in a `.sql` file: it prepares on the migrated schema as its function's login role, may run in one of that
//! login's scopes, leaves transactions and settings alone, and reaches big tables through their indexes.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::fs;
use std::path::{Path, PathBuf};

use robnu_testkit::lists::derived;
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use tokio_postgres::Client;

/// A login role and one of its entry functions.
#[derive(Clone, Copy)]
enum Entry {
    Member,
    Person,
    Staff,
    Job,
    Sweep,
    SweepInside,
    Retention,
    Closing,
    Lanes,
    Export,
    /// The member who asked for an export, as far as the export may read.
    ExportRead,
    Exports,
    Redrive,
}

impl Entry {
    fn login(self) -> &'static str {
        match self {
            Self::Member | Self::Person | Self::Staff => "robnu_api",
            Self::Job => "robnu_adapter",
            Self::Sweep | Self::SweepInside | Self::Retention | Self::Closing => "robnu_sweep",
            Self::Lanes => "robnu_lanes",
            Self::Export | Self::ExportRead | Self::Exports => "robnu_exporter",
            Self::Redrive => "robnu_redrive",
        }
    }

    fn sql(self, seller: &Seller) -> String {
        let id = seller.id;
        match self {
            Self::Member => format!("select robnu.enter_member('OWNER@{id}', '{id}', '', true)"),
            Self::Staff => "select robnu.enter_staff('STAFF')".to_owned(),
            Self::Person => format!("select robnu.enter_person('OWNER@{id}')"),
            Self::Job => format!("select robnu.enter_job('{id}', '{}')", seller.ajio),
            Self::Sweep => "select robnu.enter_system('robnu_system_sweep')".to_owned(),
            Self::SweepInside => format!("select robnu.enter_sweep('{id}')"),
            Self::Retention => "select robnu.enter_system('robnu_system_retention')".to_owned(),
            Self::Closing => "select robnu.enter_system('robnu_system_closing')".to_owned(),
            Self::Lanes => "select robnu.enter_system('robnu_system_lanes')".to_owned(),
            Self::Export => format!("select robnu.enter_exporter('{id}', '{}')", seller.export),
            Self::ExportRead => format!("select robnu.enter_export('{id}', '{}', 'pii.read')", seller.export),
            Self::Exports => "select robnu.enter_system('robnu_system_exports')".to_owned(),
            Self::Redrive => "select robnu.enter_system('robnu_system_redrive')".to_owned(),
        }
    }
}

/// The entry functions after which the statements of a folder may run.
fn entries(file: &Path) -> &'static [Entry] {
    let folder = file.strip_prefix(root()).unwrap().iter().take(2).collect::<PathBuf>();
    match folder.to_str().unwrap() {
        "functions/api" => &[Entry::Member, Entry::Person, Entry::Staff],
        "functions/adapter" => &[Entry::Job],
        "functions/sweep" => match file.file_stem().unwrap().to_str().unwrap() {
            "claim_overdue"
            | "warn_due_soon"
            | "lease_data_key"
            | "store_wrapped_key"
            | "data_keys"
            | "add_data_key"
            | "sealed_by_older_keys"
            | "seal_anew"
            | "seal_records_anew"
            | "drop_data_key"
            | "take_raw_pages"
            | "keep_raw_pages"
            | "note_usage" => &[Entry::SweepInside],
            name if name.starts_with("forget_") => &[Entry::Retention],
            "find_closings" | "close_again" | "advance_closing" => &[Entry::Closing],
            _ => &[Entry::Sweep],
        },
        "functions/lanes" => &[Entry::Lanes],
        "functions/redrive" => &[Entry::Redrive],
        "functions/exporter" => match file.file_stem().unwrap().to_str().unwrap() {
            "republish" => &[Entry::Exports],
            "stored_files" => &[Entry::ExportRead],
            _ => &[Entry::Export],
        },
        // The run ledger serves members who ask for a run and jobs that work on one; sweeps and lanes publish. Members write
        // credentials of marketplaces, and jobs read them.
        "shared/dispatch" | "shared/marketplace" => &[Entry::Member, Entry::Job],
        other => panic!("state here after which entry functions the statements of {other} run"),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every `.sql` file of functions and shared crates but the kit's own fixture, with its text, and every statement of the API that is
/// made of another one's file, as if it had its own.
fn statements() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![];
    for parent in ["functions", "shared"] {
        let crates = fs::read_dir(root().join(parent)).unwrap();
        folders.extend(crates.map(|entry| entry.unwrap().path().join("src")));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "sql")
                && !path.ends_with("fixture.sql")
                && !path.ends_with("lists.sql")
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    let folder = root().join("functions/api/src/sql");
    found.extend(derived().map(|(name, text)| (folder.join(name).with_extension("sql"), text.to_owned())));
    found.sort();
    found
}

/// Returns the plan of a statement in a scope, for any parameters.
async fn plan(
    login: &Client,
    entry: Entry,
    seller: &Seller,
    sql: &str,
) -> Result<String, tokio_postgres::Error> {
    login.batch_execute(&format!("begin; {}", entry.sql(seller))).await?;
    let rows = login.simple_query(&format!("explain (generic_plan) {sql}")).await;
    login.batch_execute("rollback").await?;
    let lines = rows?.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn every_statement_prepares_as_its_login_and_may_run_in_its_scope() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let mut faults = Vec::new();
    for (file, sql) in statements() {
        let mut refusals = Vec::new();
        let entries = entries(&file);
        for entry in entries {
            let login = test.raw(entry.login()).await;
            if let Err(error) = login.prepare(&sql).await {
                faults.push(format!("{} does not prepare: {error:?}", file.display()));
            }
            refusals.extend(plan(&login, *entry, &sellers.ours, &sql).await.err());
        }
        if refusals.len() == entries.len() {
            faults.push(format!("{} may run in no scope: {refusals:?}", file.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns the fault of a statement file: more than one statement, no comment, or a statement that touches what a session is
/// responsible for.
fn fault(text: &str) -> Option<&'static str> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let code = code.trim().trim_end_matches(';').to_lowercase();
    let verb = code.split_whitespace().next().unwrap_or_default();
    if !text.starts_with("-- ") {
        return Some("does not begin with a comment");
    }
    if code.contains(';') {
        return Some("holds more than one statement");
    }
    if !["select", "insert", "update", "delete", "with"].contains(&verb) {
        return Some("is not a query: transactions and settings belong to the session");
    }
    // A session-level setting or lock would outlive the transaction and meet the connection's next user.
    let outliving =
        ["set_config", "pg_advisory_lock", "pg_try_advisory_lock", "enter_", "dblink", "query_to_xml"];
    outliving.iter().any(|word| code.contains(word)).then_some("calls what outlives or bypasses the scope")
}

#[test]
fn no_statement_touches_transactions_settings_or_roles() {
    let faults: Vec<String> = statements()
        .iter()
        .filter_map(|(file, text)| fault(text).map(|fault| format!("{} {fault}", file.display())))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn statements_that_touch_transactions_settings_or_roles_are_named() {
    assert_eq!(fault("-- Reads one.\nselect 1"), None);
    assert_eq!(fault("select 1"), Some("does not begin with a comment"));
    assert_eq!(fault("-- Two.\nselect 1; select 2"), Some("holds more than one statement"));
    for text in ["-- x\ncommit", "-- x\nset role robnu_owner", "-- x\nlisten somebody", "-- x\ndiscard all"] {
        assert_eq!(
            fault(text),
            Some("is not a query: transactions and settings belong to the session"),
            "{text}"
        );
    }
    for text in ["-- x\nselect set_config('role', 'robnu_owner', false)", "-- x\nselect pg_advisory_lock(1)"]
    {
        assert_eq!(fault(text), Some("calls what outlives or bypasses the scope"), "{text}");
    }
}

/// 5,000 orders of two lines and a shipment for each seller, a tenth of them open, and as many rows of every other growing table.
const MANY: &str = "
    set session_replication_role = replica;
    insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, dispatch_by, currency)
    select a.seller_id, a.id, 'M' || n, case when n % 10 = 0 then 'PENDING' else 'DELIVERED' end, 'NEW', now() - n * interval '1 minute',
      case when n % 3 > 0 then now() - n * interval '1 minute' end, 'INR'
    from robnu.marketplace_accounts a, generate_series(1, 5000) n where a.marketplace_code = 'AJIO';
    insert into robnu.order_items (seller_id, order_id, external_item_id, sku, quantity, line_amount, amount_basis)
    select seller_id, id, line, 'S' || line, 1, 10, 'CUSTOMER' from robnu.orders, unnest(array['1', '2']) line where external_order_id ~ '^M';
    insert into robnu.order_pii (seller_id, order_id, digest) select seller_id, id, sha256('x') from robnu.orders where external_order_id ~ '^M';
    insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, tracking_number)
    select seller_id, id, '1', 'PENDING', 'T' || external_order_id from robnu.orders where external_order_id ~ '^M';
    insert into robnu.returns (seller_id, account_id, external_return_id, order_id, tracking_number, return_type, status, marketplace_status,
      initiated_at, delivered_at, missing_after_days, file_by_days, missing_at, file_by, pending_at)
    select seller_id, account_id, 'R' || external_order_id, id, 'B' || external_order_id, 'RTO', 'DELIVERED', 'x', placed_at, placed_at, 60,
      array_fill(7, array[6]), placed_at, placed_at + interval '7 days', placed_at
    from robnu.orders where external_order_id ~ '^M';
    insert into robnu.return_items (seller_id, return_id, external_item_id, quantity) select seller_id, id, '1', 1 from robnu.returns
      where external_return_id ~ '^RM';
    insert into robnu.return_events (seller_id, return_id) select seller_id, id from robnu.returns where external_return_id ~ '^RM';
    insert into robnu.claims (seller_id, return_id, account_id, reason, created_at) select seller_id, id, account_id, 'DAMAGED', initiated_at
      from robnu.returns where external_return_id ~ '^RM';
    insert into robnu.claim_events (seller_id, claim_id, to_status, actor_kind) select seller_id, id, 'FILED', 'MEMBER' from robnu.claims
      where reason = 'DAMAGED';
    insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, settled_at, currency)
    select seller_id, account_id, 'Y' || external_order_id, 'AJIO_PAYMENTS', 1, placed_at, 'INR' from robnu.orders
      where external_order_id ~ '^M';
    insert into robnu.payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, subject, currency, marketplace_type,
      external_order_id, amount, digest)
    select seller_id, account_id, external_payout_id, 1, id, 'AJIO_PAYMENTS', external_payout_id, 'INR', 'x', substr(external_payout_id, 2), 10, 'x'
      from robnu.payouts where external_payout_id ~ '^YM';
    insert into robnu.payout_lines (seller_id, entry_id, number, line_type, marketplace_type, amount)
    select seller_id, id, 1, 'SALE', 'x', 10 from robnu.payout_entries where external_part_id ~ '^YM';
    insert into robnu.payout_changes (seller_id, payout_id, run_id, external_part_id, number, change, after)
    select seller_id, payout_id, uuidv7(), external_part_id, 1, 'ADDED', '{}' from robnu.payout_entries
      where external_part_id ~ '^YM';
    insert into robnu.listings (seller_id, account_id, external_listing_id, sku, status, marketplace_status, currency, updated_at)
    select seller_id, account_id, 'L' || external_order_id, 'S' || external_order_id, 'ACTIVE', 'x', 'INR', placed_at from robnu.orders
      where external_order_id ~ '^M';
    insert into robnu.inventory (seller_id, account_id, sku, available, reported_at)
    select seller_id, account_id, 'S' || external_order_id, 1, placed_at from robnu.orders where external_order_id ~ '^M';
    insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
    select a.seller_id, a.id, 'AJIO', 'ORDERS', 'SCHEDULE', 'SUCCEEDED'
    from robnu.marketplace_accounts a, generate_series(1, 5000) where a.marketplace_code = 'AJIO';
    analyze";
const BIG: [&str; 15] = [
    "orders",
    "order_items",
    "order_pii",
    "shipments",
    "returns",
    "return_items",
    "return_events",
    "claims",
    "claim_events",
    "payouts",
    "payout_entries",
    "payout_lines",
    "payout_changes",
    "listings",
    "inventory",
];

/// Returns the steps of a plan that read a big table from end to end, or all of a seller's rows in it.
fn long_reads(plan: &str) -> Vec<&str> {
    let steps = plan.split("->  ").filter(|step| BIG.iter().any(|table| scans(step, table)));
    steps.filter(|step| !step.lines().any(narrows)).collect()
}

fn scans(step: &str, table: &str) -> bool {
    let title = step.lines().next().unwrap_or_default();
    let on = title.split_once(" on ").map(|(_, on)| on.split_whitespace().next().unwrap_or_default());
    title.contains("Scan") && on == Some(table)
}

/// Whether an index condition narrows the rows by more than the seller.
fn narrows(line: &str) -> bool {
    let line = line.trim_start();
    let condition = line.strip_prefix("Index Cond:").or_else(|| line.strip_prefix("Recheck Cond:"));
    condition.is_some_and(|condition| condition.contains(" AND ") || !condition.contains("seller_id"))
}

#[tokio::test]
async fn no_statement_reads_a_whole_big_table() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    test.superuser().await.batch_execute(MANY).await.unwrap();
    let mut faults = Vec::new();
    for (file, sql) in statements() {
        for entry in entries(&file) {
            let login = test.raw(entry.login()).await;
            let Ok(plan) = plan(&login, *entry, &sellers.ours, &sql).await else { continue };
            if plan.contains("Seq Scan on sync_runs") || !long_reads(&plan).is_empty() {
                faults.push(format!("{}:\n{plan}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    // An operator that is not leakproof must wait for row security, so no index serves it.
    let login = test.raw(Entry::Member.login()).await;
    for (sql, long) in [
        ("select id from robnu.order_items where lower(external_item_id) = $1", 1),
        ("select id from robnu.orders where marketplace_status = $1", 1),
        ("select id from robnu.orders where external_order_id like $1", 1),
        ("select id from robnu.orders where external_order_id ~>=~ $1 and external_order_id ~<~ $2", 0),
        ("select id from robnu.orders where id = $1", 0),
    ] {
        let plan = plan(&login, Entry::Member, &sellers.ours, sql).await.unwrap();
        assert_eq!(long_reads(&plan).len(), long, "{plan}");
    }
}
