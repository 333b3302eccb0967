//! Reads the rules and checks whether a database keeps them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tokio_postgres::Client;

/// The folder of rules, lists and golden files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue")
}

/// The rules, by file name.
pub(crate) fn rules() -> BTreeMap<String, String> {
    fs::read_dir(folder().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Prepares a superuser's connection for the rules: with the reviewed lists, and with names qualified as the rules compare them.
pub(crate) async fn prepare(client: &Client) {
    client.batch_execute("set search_path = pg_catalog").await.unwrap();
    client.batch_execute(&fs::read_to_string(folder().join("lists.sql")).unwrap()).await.unwrap();
}

/// Returns the rows of a query that has one column of text.
pub(crate) async fn sentences(client: &Client, name: &str, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("rule {name}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Returns a sentence per fault, each after the name of its rule.
pub(crate) async fn faults(client: &Client) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, sql) in rules() {
        faults
            .extend(sentences(client, &name, &sql).await.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    faults
}
