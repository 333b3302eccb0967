//! The objects to try: tables, columns, grants and a row of each seller, all read from the database.

use std::collections::{BTreeMap, BTreeSet};

use robnu_tenancy::SellerId;
use tokio_postgres::Client;

/// A tenant table, with what `robnu_tenant` may do to it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) deletes: bool,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    kind: String,
    pub(crate) selects: bool,
    pub(crate) inserts: bool,
    pub(crate) updates: bool,
    foreign_keys: Vec<String>,
}

/// A row's values as SQL literals, by column.
pub(crate) type Literals = BTreeMap<String, String>;

impl Table {
    /// Every tenant table.
    pub(crate) async fn all(superuser: &Client) -> Vec<Self> {
        let rows = superuser.query(include_str!("tables.sql"), &[]).await.unwrap();
        let mut tables: Vec<Self> = Vec::new();
        for row in rows {
            let name: String = row.get("table_name");
            if tables.last().is_none_or(|table| table.name != name) {
                tables.push(Self { name, deletes: row.get("deletes"), ..Self::default() });
            }
            tables.last_mut().unwrap().columns.push(Column {
                name: row.get("column_name"),
                kind: row.get("column_type"),
                selects: row.get("selects"),
                inserts: row.get("inserts"),
                updates: row.get("updates"),
                foreign_keys: row.get("foreign_keys"),
            });
        }
        tables
    }

    /// Returns the names of the columns that `wanted` picks.
    pub(crate) fn names(&self, wanted: impl Fn(&Column) -> bool) -> Vec<&str> {
        self.columns.iter().filter(|column| wanted(column)).map(|column| column.name.as_str()).collect()
    }

    /// Returns the foreign keys to tenant tables, each with its columns other than `seller_id`.
    pub(crate) fn foreign_keys(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for column in &self.columns {
            for key in &column.foreign_keys {
                keys.entry(key).or_default().insert(&column.name);
            }
        }
        keys
    }

    /// Returns the first row of `seller` in this table.
    pub(crate) async fn row_of(&self, superuser: &Client, seller: SellerId) -> Option<Literals> {
        let values: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("quote_nullable({}::text) || '::{}'", column.name, column.kind))
            .collect();
        let sql = format!(
            "select {} from robnu.{} where seller_id = '{seller}' order by ctid limit 1",
            values.join(", "),
            self.name
        );
        let row = superuser.query_opt(&sql, &[]).await.unwrap()?;
        let names = self.columns.iter().map(|column| column.name.clone());
        Some(names.enumerate().map(|(index, name)| (name, row.get(index))).collect())
    }
}

/// A statement that digests all rows of a seller. The digest changes when any row is written, moved or removed.
pub(crate) fn fingerprint(tables: &[Table], seller: SellerId) -> String {
    let each: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "(select coalesce(string_agg(md5(t::text) || t.xmin || t.ctid, ',' order by t.ctid), '') \
                 from robnu.{} t where seller_id = '{seller}')",
                table.name
            )
        })
        .collect();
    format!("select md5({})", each.join(" || ';' || "))
}
