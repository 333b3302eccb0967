//! `/v1/sellers/{sellerId}/imports`: files of marketplaces that members upload, and what became of them.

pub mod ask;
pub mod changes;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_storage::objects::Sha256;
use robnu_tenancy::{AccountId, Error, ImportId, Row, RunId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paging::{Direction, Start, next_cursor};
use super::runs::{RunError, StreamCounts};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::ImportState;
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::variants;

const IMPORT: &str = variants::IMPORT.text;
const IMPORTS: &str = include_str!("../sql/imports/list.sql");
const ACCOUNT_IMPORTS: &str = variants::IMPORTS_OF_ACCOUNT.text;

/// How many orders, returns and parts of payouts of a corrected file differ from the earlier one. `list_import_changes` names them.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Only the corrected file has them.
    added: i32,
    /// Both have them, with other values.
    changed: i32,
    /// Only the earlier file has them. They stay as they are.
    missing: i32,
}

/// A file that was uploaded, or is to be, and what became of its rows.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Import {
    #[schema(value_type = Uuid)]
    import_id: ImportId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// As the member named the file.
    file_name: String,
    content_type: String,
    size_bytes: i64,
    sha256: String,
    /// Whether the file has arrived, and then the state of the run that reads it.
    state: ImportState,
    /// What the file turned out to be, such as `MEESHO_ORDERS`; null until it was recognised.
    recognised_as: Option<String>,
    /// The run that reads the file; null until the file has arrived.
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// The import whose file this one corrects.
    #[schema(value_type = Option<Uuid>)]
    corrects: Option<ImportId>,
    /// How the two files differ; null without an earlier file, and until the first records were compared.
    difference: Option<Difference>,
    /// Rows that could not be read and were set aside: `list_quarantine` says why.
    quarantined: i32,
    /// What the file has done so far to each stream of stored rows.
    counts: Vec<StreamCounts>,
    error: Option<RunError>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A page of imports.
#[derive(Serialize, ToSchema)]
pub struct Imports {
    imports: Vec<Import>,
    next_cursor: Option<String>,
}

/// The seller's imports, newest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/imports", operation_id = "list_imports", tag = "imports",
    params(("account_id" = Option<Uuid>, Query, description = "Imports of this account only."), Page),
    responses((status = 200, body = Imports))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Imports>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("imports", member.scope.seller_id(), &account);
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let rows = match &account {
        Some(account) => lists.read(&member.scope, ACCOUNT_IMPORTS, &[&before, &fetch, account]).await?,
        None => lists.read(&member.scope, IMPORTS, &[&before, &fetch]).await?,
    };
    let mut imports = rows.iter().map(Import::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &Import| Position { micros: 0, id: *last.import_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut imports, limit, position);
    Ok(Json(Imports { imports, next_cursor }))
}

/// An import
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/imports/{importId}", operation_id = "get_import", tag = "imports",
    responses((status = 200, body = Import))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(import): PathId<ImportId>,
) -> Result<Json<Import>, ApiError> {
    let rows = context.database.read(&member.scope, IMPORT, &[&import]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Import))?;
    Ok(Json(Import::try_from(row)?))
}

impl Difference {
    fn read(row: &Row) -> Result<Option<Self>, Error> {
        let Some(added) = row.try_get("records_added")? else { return Ok(None) };
        let (changed, missing) = (row.try_get("records_changed")?, row.try_get("records_missing")?);
        Ok(Some(Self { added, changed, missing }))
    }
}

impl TryFrom<&Row> for Import {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let checksum = Sha256::from_bytes(row.try_get("checksum")?).map_err(|_| Error::RowShape)?;
        Ok(Self {
            import_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            file_name: row.try_get("file_name")?,
            content_type: row.try_get("content_type")?,
            size_bytes: row.try_get("size")?,
            sha256: checksum.to_string(),
            state: ImportState::read(row, "state")?,
            recognised_as: row.try_get("recognised_as")?,
            run_id: row.try_get("run_id")?,
            corrects: row.try_get("corrects")?,
            difference: Difference::read(row)?,
            quarantined: row.try_get("quarantined")?,
            counts: StreamCounts::list(row)?,
            error: RunError::read(row)?,
            created_at: row.try_get("created_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}
