//! How a corrected file differs from the one that it corrects.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{Error, ImportId, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::{ChangeName, ImportedStream};
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::routes::paging::{Direction, Start, next_cursor};

const CHANGES: &str = include_str!("../../sql/imports/changes.sql");

/// A field whose value differs.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field, by its name in `get_order` or `get_return`; a line's or a shipment's has its id before it, such as
    /// `lines[4711].quantity`.
    field: String,
    /// Its value in the earlier file; null when that states none.
    before: Option<String>,
    /// Its value in the corrected file; null when that states none.
    after: Option<String>,
}

/// An order, a return or a part of a payout that differs.
#[derive(Serialize, ToSchema)]
pub struct ImportChange {
    #[serde(skip)]
    number: i32,
    stream: ImportedStream,
    /// The marketplace's number of the order or return, or the name of the payout's part.
    external_id: String,
    change: ChangeName,
    /// The fields that changed; none of a record that was added or is missing.
    fields: Vec<FieldChange>,
    /// How many more fields changed.
    fields_left_out: i32,
}

/// A page of a corrected file's differences.
#[derive(Serialize, ToSchema)]
pub struct ImportChanges {
    changes: Vec<ImportChange>,
    next_cursor: Option<String>,
}

/// How a corrected file differs from the earlier one
///
/// Orders, returns and parts of payouts of the import's file, compared with the file that it corrects, as both state them; customers'
/// data is not shown, and payouts only to those who may read payouts. MISSING are those that only the earlier file names: they stay as they are, because a file does not say that they are gone.
/// The first 10,000 are listed; `difference` of `get_import` counts all. Records that could not be read are in `list_quarantine`
/// instead. Empty for an import that corrects none.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/imports/{importId}/changes", operation_id = "list_import_changes", tag = "imports",
    params(("change" = Option<ChangeName>, Query, description = "Records of this change only."), Page),
    responses((status = 200, body = ImportChanges))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(import): PathId<ImportId>,
    mut query: QueryParams,
) -> Result<Json<ImportChanges>, ApiError> {
    let change =
        query.read("change", "is not one of these changes", ChangeName::parse).map(ChangeName::as_str);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("import_changes", member.scope.seller_id(), &(import, change));
    let after = Start::new(&list, cursor.as_deref(), Direction::Up)?.numbers(None, None).above;
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let rows = context.database.read(&member.scope, CHANGES, &[&import, &after, &fetch, &change]).await?;
    if rows.is_empty() {
        return Err(ApiError::NotFound(Missing::Import));
    }
    let mut changes =
        rows.iter().filter_map(|row| ImportChange::read(row).transpose()).collect::<Result<_, _>>()?;
    let position = |last: &ImportChange| Position { micros: i64::from(last.number), id: Uuid::max() };
    let next_cursor = next_cursor(&list, &mut changes, limit, position);
    Ok(Json(ImportChanges { changes, next_cursor }))
}

impl ImportChange {
    /// The change in a row; `None` when the row says that there are none.
    fn read(row: &Row) -> Result<Option<Self>, Error> {
        let Some(number) = row.try_get("number")? else { return Ok(None) };
        let fields: &str = row.try_get("fields")?;
        Ok(Some(Self {
            number,
            stream: ImportedStream::read(row, "stream")?,
            external_id: row.try_get("external_id")?,
            change: ChangeName::read(row, "change")?,
            fields: serde_json::from_str(fields).map_err(|_| Error::RowShape)?,
            fields_left_out: row.try_get("fields_left_out")?,
        }))
    }
}
