//! The lists that can be exported. Each is read by its own handler, so that a list and its export can never differ: the
//! same filters, the same statements, the same rows and the same right.

mod columns;

use std::collections::BTreeMap;
use std::future::Future;

use axum::Json;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use robnu_storage::objects::ContentType;
use robnu_tenancy::{Permission, SellerScope};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::identity::Member;
use crate::lists::Lists;
use crate::problem::ApiError;
use crate::query::QueryParams;
use crate::route_permissions::Right;
use crate::routes;

/// Rows of one page of an export: enough to make round trips cheap, and few enough to stay small in memory. Statements look
/// at 2,000 rows at most.
pub const PAGE_ROWS: i64 = 1_000;

/// The export that is no list, but an archive of all of them.
pub const EVERYTHING: &str = "everything";

/// The content type of an export's file, and what its name ends with.
fn form(list: &str) -> (ContentType, &'static str) {
    if list == EVERYTHING { (ContentType::Zip, "zip") } else { (ContentType::Csv, "csv") }
}

/// The content type of an export's file.
#[must_use]
pub fn media_type(list: &str) -> ContentType {
    form(list).0
}

/// The name of an export's file: the list and the day on which it was asked for, in UTC.
#[must_use]
pub fn file_name(list: &str, requested_at: DateTime<Utc>) -> String {
    format!("{list}-{}.{}", requested_at.format("%Y-%m-%d"), form(list).1)
}

/// Filters by name, as they would be in the list's query string.
pub type Filters = BTreeMap<String, String>;

/// A list that can be exported.
#[derive(Debug)]
pub struct Exportable {
    /// Its name.
    pub name: &'static str,
    /// The columns of its file: the fields of its rows, and those inside them after a dot.
    pub columns: &'static [&'static str],
    /// The field of a page that holds the rows.
    rows: &'static str,
    right: fn() -> Permission,
    read: fn(Lists, SellerScope, QueryParams) -> BoxFuture<'static, Result<Value, ApiError>>,
}

/// A page of an export.
#[derive(Debug)]
pub struct ExportPage {
    /// The rows, as the list would show them.
    pub rows: Vec<Map<String, Value>>,
    /// Where the next page begins; `None` after the last.
    pub next_cursor: Option<String>,
}

macro_rules! exportable {
    ($($name:ident: $list:path, $rows:literal;)+) => {
        /// Every list that can be exported.
        pub const EXPORTABLE: &[Exportable] = &[$(Exportable {
            name: stringify!($name),
            columns: columns::$name,
            rows: $rows,
            right: || right_of($list),
            read: |lists, scope, query| Box::pin(read($list, lists, scope, query)),
        }),+];
    };
}

exportable! {
    orders: routes::orders::list, "orders";
    shipments: routes::shipments::list, "shipments";
    returns: routes::returns::list, "returns";
    claims: routes::claims::list, "claims";
    payouts: routes::payouts::list, "payouts";
    listings: routes::listings::list, "listings";
    inventory: routes::inventory::list, "inventory";
    runs: routes::runs::list, "runs";
    quarantine: routes::quarantine::list, "records";
    audit: routes::audit::list, "events";
    accounts: routes::accounts::list, "accounts";
    members: routes::members::list, "members";
    documents: routes::documents::list, "documents";
    imports: routes::imports::list, "imports";
}

impl Exportable {
    /// The list of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        EXPORTABLE.iter().find(|list| list.name == name)
    }

    /// The permission that the list's own route needs.
    #[must_use]
    pub fn right(&self) -> Permission {
        (self.right)()
    }

    /// Refuses filters that the list would refuse, with its own words.
    pub async fn check(&self, scope: &SellerScope, filters: &Filters) -> Result<(), ApiError> {
        self.page(Lists::without_rows(), scope, filters, None).await.map(|_| ())
    }

    /// Reads the page that begins at `cursor`, in the name of `scope`'s actor, who must hold the list's own right.
    ///
    /// # Errors
    /// As the list's route.
    pub async fn page(
        &self,
        lists: Lists,
        scope: &SellerScope,
        filters: &Filters,
        cursor: Option<&str>,
    ) -> Result<ExportPage, ApiError> {
        let query = QueryParams::of_export(filters, cursor, PAGE_ROWS);
        let mut page = (self.read)(lists, scope.clone(), query).await?;
        let rows = page[self.rows].take();
        let Value::Array(rows) = rows else { return Err(ApiError::AnswerUnreadable) };
        let object = |row| if let Value::Object(fields) = row { Some(fields) } else { None };
        Ok(ExportPage {
            rows: rows.into_iter().filter_map(object).collect(),
            next_cursor: page["next_cursor"].as_str().map(str::to_owned),
        })
    }
}

/// Calls a list's handler in the name of `scope`'s actor, with the right that its signature names.
async fn read<R, T, F>(
    handler: impl Fn(Lists, Member<R>, QueryParams) -> F,
    lists: Lists,
    scope: SellerScope,
    query: QueryParams,
) -> Result<Value, ApiError>
where
    R: Right,
    T: Serialize,
    F: Future<Output = Result<Json<T>, ApiError>>,
{
    let Json(page) = handler(lists, Member::for_export(&scope), query).await?;
    serde_json::to_value(page).map_err(|_| ApiError::AnswerUnreadable)
}

fn right_of<R: Right, F>(_: impl Fn(Lists, Member<R>, QueryParams) -> F) -> Permission {
    R::PERMISSION
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The fields of a schema, and those inside objects after a dot.
    fn fields(document: &Value, schema: &Value, prefix: &str, found: &mut BTreeSet<String>) {
        let schema = resolved(document, schema);
        let Some(properties) = schema["properties"].as_object() else {
            found.insert(prefix.trim_end_matches('.').to_owned());
            return;
        };
        for (name, field) in properties {
            fields(document, field, &format!("{prefix}{name}."), found);
        }
    }

    /// The schema behind a reference, alone or beside null.
    fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
        let mut alternatives = schema["oneOf"].as_array().into_iter().flatten();
        let inner = alternatives.rfind(|one| one["type"] != "null").unwrap_or(schema);
        match inner["$ref"].as_str() {
            Some(reference) => {
                let named = document.pointer(reference.trim_start_matches('#'));
                resolved(document, named.expect("a reference names a schema"))
            }
            None => inner,
        }
    }

    #[test]
    fn a_file_has_a_column_for_every_field_of_its_list_and_no_other() {
        let document = crate::openapi::json();
        for list in EXPORTABLE {
            let page = &document["paths"][format!("/v1/sellers/{{sellerId}}/{}", list.name)]["get"];
            let page = &page["responses"]["200"]["content"]["application/json"]["schema"];
            let rows = &resolved(&document, page)["properties"][list.rows]["items"];
            let mut expected = BTreeSet::new();
            fields(&document, rows, "", &mut expected);
            let columns: BTreeSet<String> = list.columns.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(columns, expected, "{}", list.name);
            assert_eq!(columns.len(), list.columns.len(), "{}: a column twice", list.name);
        }
    }

    #[tokio::test]
    async fn filters_are_checked_by_the_list_itself() {
        let scope = SellerScope::for_export(robnu_tenancy::SellerId::new(), robnu_tenancy::ExportId::new());
        let orders = Exportable::named("orders").unwrap();
        let filters = |pairs: &[(&str, &str)]| -> Filters {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        orders.check(&scope, &filters(&[("status", "PENDING"), ("sort", "oldest")])).await.unwrap();
        let wrong = [
            (filters(&[("status", "LOST")]), "status", "is not an order status"),
            (filters(&[("reason", "x")]), "reason", "is not a parameter of this list"),
            (filters(&[("limit", "5")]), "limit", "is not a filter: an export has every row"),
            (filters(&[("cursor", "x")]), "cursor", "is not a filter: an export has every row"),
        ];
        for (filters, field, problem) in wrong {
            let Err(ApiError::InvalidQuery(found)) = orders.check(&scope, &filters).await else {
                panic!("{filters:?} passes")
            };
            assert_eq!(found, [crate::problem::FieldProblem::new(field, problem)], "{filters:?}");
        }
    }
}
