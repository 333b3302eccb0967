//! What there is to attack in the database, read from its catalogue, so that new relations and functions are attacked without
//! being named here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use tokio_postgres::Client;

/// A relation that belongs to sellers.
#[derive(Debug, Default)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column, and what a seller's scope may do with it.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of the catalogue")]
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Whether the scope may read it.
    pub selects: bool,
    /// Whether the scope may insert it.
    pub inserts: bool,
    /// Whether the scope may update it.
    pub updates: bool,
    /// The foreign keys to other relations of sellers that it is part of.
    pub foreign_keys: Vec<String>,
    /// Whether it is part of any foreign key.
    pub refers: bool,
    /// Whether the database computes it.
    pub generated: bool,
}

/// A function or procedure.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Whether CALL runs it.
    pub is_procedure: bool,
    /// Types of its parameters.
    pub types: Vec<String>,
    /// Names of its parameters.
    pub names: Vec<String>,
}

/// Everything that there is to attack.
#[derive(Debug)]
pub struct Catalogue {
    /// Relations.
    pub relations: Vec<Relation>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Unique indexes that span all sellers.
    pub shared_indexes: BTreeSet<String>,
}

impl Catalogue {
    /// Reads the catalogue.
    pub async fn read(superuser: &Client) -> anyhow::Result<Self> {
        let mut relations: Vec<Relation> = Vec::new();
        for row in superuser.query(include_str!("sql/relations.sql"), &[]).await.context("list relations")? {
            let name: String = row.get("relation");
            if relations.last().is_none_or(|relation| relation.name != name) {
                relations.push(Relation { name, is_view: row.get("is_view"), columns: Vec::new() });
            }
            let column = Column {
                name: row.get("name"),
                kind: row.get("type"),
                selects: row.get("selects"),
                inserts: row.get("inserts"),
                updates: row.get("updates"),
                foreign_keys: row.get("foreign_keys"),
                refers: row.get("refers"),
                generated: row.get("generated"),
            };
            relations.last_mut().context("a relation was just added")?.columns.push(column);
        }
        let functions =
            superuser.query(include_str!("sql/functions.sql"), &[]).await.context("list functions")?;
        let functions = functions.iter().map(|row| Function {
            name: row.get("name"),
            is_procedure: row.get("is_procedure"),
            types: row.get("types"),
            names: row.get("names"),
        });
        let indexes = superuser.query(include_str!("sql/indexes.sql"), &[]).await.context("list indexes")?;
        Ok(Self {
            relations,
            functions: functions.collect(),
            shared_indexes: indexes.iter().map(|row| row.get(0)).collect(),
        })
    }
}

impl Relation {
    /// The names of the columns that `wanted` accepts.
    pub fn names(&self, wanted: impl Fn(&Column) -> bool) -> Vec<&str> {
        self.columns.iter().filter(|column| wanted(column)).map(|column| column.name.as_str()).collect()
    }

    /// The foreign keys to other relations of sellers, each with its columns besides `seller_id`.
    pub fn foreign_keys(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for column in &self.columns {
            for key in &column.foreign_keys {
                keys.entry(key).or_default().push(&column.name);
            }
        }
        keys
    }
}

/// A text as an SQL literal.
pub fn quote(text: &str) -> String {
    let text = text.replace('\0', "");
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
