//! The rules for the catalogue of the migrated database, for present and future relations.
//!
//! Each file in `catalogue/rules/` is a rule: a query that returns a sentence per fault. The reviewed exceptions are lists in
//! `catalogue/lists.sql`. `catalogue/*.txt` hold the present grants and policies, to be reviewed like code.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeSet;
use std::fs;

use robnu_testkit::TestDatabase;
use tokio_postgres::Client;

#[path = "catalogue/offences.rs"]
mod offences;
#[path = "catalogue/rulebook.rs"]
mod rulebook;

use offences::OFFENCES;
use rulebook::{folder, rules, sentences};

/// A superuser on a database that the migrations made. It is not a clone, because the test kit sets a clone's own grants.
async fn catalogue() -> (TestDatabase, Client) {
    let test = TestDatabase::empty().await;
    let mut master = test.raw("robnu_master").await;
    robnu_schema::apply(&mut master, robnu_schema::MIGRATIONS).await.unwrap();
    let client = test.superuser().await;
    rulebook::prepare(&client).await;
    (test, client)
}

#[tokio::test]
async fn the_migrated_database_keeps_every_rule() {
    let (_test, client) = catalogue().await;
    let faults = rulebook::faults(&client).await;
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
    assert!(toothless.is_empty(), "rules that find nothing:\n{}", toothless.join("\n"));
    for rule in rules.keys() {
        assert!(
            OFFENCES.iter().any(|offence| offence.rule == rule),
            "no offence shows that the rule {rule} finds a fault"
        );
    }
}

#[tokio::test]
async fn the_grants_are_the_reviewed_ones() {
    compare_with_golden("grants").await;
}

#[tokio::test]
async fn the_policies_are_the_reviewed_ones() {
    compare_with_golden("policies").await;
}

#[tokio::test]
async fn the_readme_says_what_is_live_for_which_marketplace() {
    let (_test, client) = catalogue().await;
    let rows = client
        .query(
            "select m.display_name, k.code, coalesce(s.support, 'NOT_YET')
             from robnu.marketplaces m cross join robnu.run_kinds k
             left join robnu.marketplace_kinds s on (s.marketplace_code, s.kind) = (m.code, k.code)",
            &[],
        )
        .await
        .unwrap();
    let registry: BTreeSet<[String; 3]> =
        rows.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect();
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let told = grid(&readme);
    let of = |one: &BTreeSet<_>, other| one.difference(other).cloned().collect::<Vec<[String; 3]>>();
    let (missing, wrong) = (of(&registry, &told), of(&told, &registry));
    assert!(missing.is_empty() && wrong.is_empty(), "README.md lacks {missing:?} and says {wrong:?}");
}

/// Reads the README's table of what is live for each marketplace and kind of run.
fn grid(readme: &str) -> BTreeSet<[String; 3]> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let mut lines = readme.lines().skip_while(|line| !line.starts_with("| marketplace |"));
    let kinds = cells(lines.next().unwrap_or_default());
    let mut told = BTreeSet::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let row = cells(line);
        for (kind, support) in kinds.iter().zip(&row).skip(1) {
            told.insert([row[0].clone(), kind.clone(), support.clone()]);
        }
    }
    told
}

async fn compare_with_golden(name: &str) {
    let (_test, client) = catalogue().await;
    let sql = fs::read_to_string(folder().join(format!("{name}.sql"))).unwrap();
    let lines = sentences(&client, name, &sql).await;
    robnu_testkit::assert_golden(&folder().join(format!("{name}.txt")), &lines);
}
