//! What the catalogue of the migrated database must look like, for relations present and future.
//!
//! Each file in `catalogue/rules/` is a rule: a query that answers a sentence per fault. The reviewed exceptions are
//! lists in `catalogue/lists.sql`. `catalogue/*.txt` hold the grants and policies as they are, to be reviewed like code.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use robnu_testkit::TestDatabase;
use tokio_postgres::Client;

#[path = "catalogue/offences.rs"]
mod offences;

use offences::OFFENCES;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue")
}

/// The rules, by file name.
fn rules() -> BTreeMap<String, String> {
    fs::read_dir(folder().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// A superuser on a database that the migrations made, not a clone of one: a clone's own grants are the test kit's.
async fn catalogue() -> (TestDatabase, Client) {
    let test = TestDatabase::empty().await;
    let mut master = test.raw("robnu_master").await;
    robnu_schema::apply(&mut master, robnu_schema::MIGRATIONS).await.unwrap();
    let client = test.superuser().await;
    client.batch_execute("set search_path = pg_catalog").await.unwrap();
    client.batch_execute(&fs::read_to_string(folder().join("lists.sql")).unwrap()).await.unwrap();
    (test, client)
}

async fn sentences(client: &Client, name: &str, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("rule {name}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_migrated_database_keeps_every_rule() {
    let (_test, client) = catalogue().await;
    let mut faults = Vec::new();
    for (name, sql) in rules() {
        faults.extend(
            sentences(&client, &name, &sql).await.into_iter().map(|fault| format!("{name}: {fault}")),
        );
    }
    assert!(faults.is_empty(), "the catalogue breaks rules:\n{}", faults.join("\n"));
}

#[tokio::test]
async fn every_rule_names_the_object_that_breaks_it() {
    let (_test, mut client) = catalogue().await;
    let rules = rules();
    let mut toothless = Vec::new();
    for offence in OFFENCES {
        let sql = &rules[offence.rule];
        let transaction = client.transaction().await.unwrap();
        let made = transaction.batch_execute(offence.sql).await;
        made.unwrap_or_else(|error| panic!("{}: {error:?}", offence.sql));
        transaction.batch_execute("set local search_path = pg_catalog").await.unwrap();
        let named = sentences(transaction.client(), offence.rule, sql).await;
        transaction.rollback().await.unwrap();
        if !named.iter().any(|fault| fault == offence.fault) {
            toothless.push(format!("{}: {:?} is not among {named:?}", offence.rule, offence.fault));
        }
    }
    assert!(toothless.is_empty(), "rules that do not bite:\n{}", toothless.join("\n"));
    for rule in rules.keys() {
        assert!(
            OFFENCES.iter().any(|offence| offence.rule == rule),
            "no offence shows that rule {rule} bites"
        );
    }
}

#[tokio::test]
async fn the_grants_are_those_that_were_reviewed() {
    compare_with_golden("grants").await;
}

#[tokio::test]
async fn the_policies_are_those_that_were_reviewed() {
    compare_with_golden("policies").await;
}

async fn compare_with_golden(name: &str) {
    let (_test, client) = catalogue().await;
    let sql = fs::read_to_string(folder().join(format!("{name}.sql"))).unwrap();
    let lines = sentences(&client, name, &sql).await;
    robnu_testkit::assert_golden(&folder().join(format!("{name}.txt")), &lines);
}
