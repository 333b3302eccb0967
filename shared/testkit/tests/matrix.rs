//! Every grant × verb × relation of a seller's scope, tried by the wrong tenant, with the right tenant's success beside it.
//!
//! Tables, grants and rows are read from the database, so a future table is tried without any change here. It only needs a row
//! of each seller in the fixture. `matrix/observed_rights.txt` records who could do what; the table of permissions itself is
//! `app_role_rights` in `migrations/0002_scopes.sql`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::path::Path;

use robnu_testkit::{TestDatabase, TwoSellers, assert_golden};

#[path = "matrix/probe.rs"]
mod probe;
#[path = "matrix/tables.rs"]
mod tables;

use probe::Probe;
use tables::Table;

#[tokio::test]
async fn no_grant_reaches_another_sellers_rows_and_each_serves_its_own() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let tables = Table::all(&superuser).await;
    let mut probe = Probe::new(&superuser, &sellers, &tables).await;
    for table in &tables {
        probe.table(table).await;
    }
    assert!(probe.problems.is_empty(), "{}", probe.problems.join("\n"));
    let rights: Vec<String> = probe
        .rights
        .iter()
        .map(|((table, verb), actors)| format!("{table} | {verb} | {}", actors.join(" ")))
        .collect();
    assert_golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/observed_rights.txt"), &rights);
}

/// A future table, with more rights than any should have: every column may be written.
const NOTES: &str = "
    set role robnu_owner; set search_path = robnu;
    create table notes (
      seller_id uuid not null, id uuid not null default uuidv7(), order_id uuid not null, number text not null,
      primary key (seller_id, id), unique (seller_id, number),
      constraint notes_order foreign key (seller_id, order_id) references orders (seller_id, id));
    call protect_tenant_table('notes');
    grant select, insert, update, delete on notes to robnu_tenant;
    insert into notes (seller_id, order_id, number) select seller_id, id, '7' from orders;
    reset role;";

/// Returns what the matrix reports about [`NOTES`] after `change`.
async fn problems_after(change: &str) -> Vec<String> {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    superuser.batch_execute(NOTES).await.unwrap();
    superuser.batch_execute(change).await.unwrap();
    let tables = Table::all(&superuser).await;
    let mut probe = Probe::new(&superuser, &sellers, &tables).await;
    probe.table(tables.iter().find(|table| table.name == "notes").unwrap()).await;
    probe.problems
}

async fn assert_noticed(change: &str, expected: &[&str]) {
    let problems = problems_after(change).await;
    for sentence in expected {
        assert!(
            problems.iter().any(|problem| problem.starts_with(sentence)),
            "{sentence:?} is not said of {change:?}, only {problems:#?}"
        );
    }
}

#[tokio::test]
async fn a_protected_future_table_passes() {
    assert_eq!(problems_after("").await, [""; 0]);
}

#[tokio::test]
async fn a_policy_that_shows_everything_is_noticed() {
    assert_noticed(
        "alter policy tenant on notes using (true)",
        &["OWNER reaches their rows: Rows(1): select", "OWNER reaches their rows: TheirsChanged: delete"],
    )
    .await;
}

#[tokio::test]
async fn a_policy_that_lets_everything_be_written_is_noticed() {
    assert_noticed(
        "alter policy tenant on notes with check (true)",
        &[
            "JOB is not refused: Refused(\"23505\"): insert",
            "JOB moves a row over to them by seller_id: Refused(\"23505\")",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_table_without_row_security_is_noticed() {
    assert_noticed(
        "alter table notes disable row level security",
        &[
            "VIEWER reaches their rows",
            "VIEWER changes their rows: update",
            "VIEWER changes their rows: delete",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_plain_foreign_key_is_noticed() {
    assert_noticed(
        "alter table orders add unique (id); alter table notes drop constraint notes_order,
           add constraint notes_order foreign key (order_id) references orders (id)",
        &[
            "OWNER makes a child of their parent by notes_order",
            "OWNER moves a row over to them by notes_order",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_key_over_all_sellers_is_noticed() {
    assert_noticed(
        "update notes set number = seller_id::text; alter table notes add unique (number)",
        &["OWNER learns of their keys: Refused(\"23505\")"],
    )
    .await;
}

#[tokio::test]
async fn a_grant_of_truncate_is_noticed() {
    assert_noticed(
        "grant truncate on notes to robnu_tenant",
        &["OWNER is not refused: TheirsChanged: truncate"],
    )
    .await;
}

#[tokio::test]
async fn a_table_that_cannot_be_tried_is_noticed() {
    assert_noticed("delete from notes", &["notes has no row of each seller: add one to the fixture"]).await;
    assert_noticed(
        "call require_right_to_write('notes', 'no.such.right', 'insert')",
        &["notes may insert by its grant, and no actor can"],
    )
    .await;
}
