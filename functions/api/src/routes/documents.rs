//! `/v1/sellers/{sellerId}/documents`: invoices, labels, photos and the like, of orders, shipments, returns and claims.
//!
//! The API holds the row. The bytes go from the client to the bucket and back with presigned requests.

pub mod download;
pub mod rows;
pub mod upload;

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, ClaimId, ObjectId, OrderId, ReturnId, ShipmentId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paging::{Direction, Start, next_cursor};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::lists::Lists;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::variants;

use rows::Document;

const DOCUMENTS: &str = include_str!("../sql/documents/list.sql");
const DOCUMENT: &str = variants::DOCUMENT.text;

/// A page of documents.
#[derive(Serialize, ToSchema)]
pub struct Documents {
    documents: Vec<Document>,
    next_cursor: Option<String>,
}

/// A filter: its name, its id and its statement.
type Filter = (&'static str, Uuid, &'static str);

/// The seller's documents, newest first
///
/// At most one filter can be given. The documents of an order include those of its shipments, returns and claims.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/documents", operation_id = "list_documents", tag = "documents",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Documents of this account only."),
        ("order_id" = Option<Uuid>, Query, description = "Documents of this order only."),
        ("shipment_id" = Option<Uuid>, Query, description = "Documents of this shipment only."),
        ("return_id" = Option<Uuid>, Query, description = "Documents of this return only."),
        ("claim_id" = Option<Uuid>, Query, description = "The evidence of this claim only."),
        Page
    ),
    responses((status = 200, body = Documents))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Documents>, ApiError> {
    let filter = filter(&mut query)?;
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let named = filter.map(|(name, id, _)| (name, id));
    let list = List::new("documents", member.scope.seller_id(), &named);
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    let fetch = limit + 1;
    let rows = match &filter {
        None => lists.read(&member.scope, DOCUMENTS, &[&before, &fetch]).await?,
        Some((_, id, sql)) => lists.read(&member.scope, sql, &[&before, &fetch, id]).await?,
    };
    let mut documents = rows.iter().map(Document::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &Document| Position { micros: 0, id: *last.document_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut documents, limit, position);
    Ok(Json(Documents { documents, next_cursor }))
}

fn filter(query: &mut QueryParams) -> Result<Option<Filter>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let order: Option<OrderId> = query.id("order_id");
    let shipment: Option<ShipmentId> = query.id("shipment_id");
    let of_return: Option<ReturnId> = query.id("return_id");
    let claim: Option<ClaimId> = query.id("claim_id");
    let mut given = [
        ("claim", claim.map(|id| *id.as_uuid()), variants::DOCUMENTS_OF_CLAIM.text),
        ("return", of_return.map(|id| *id.as_uuid()), variants::DOCUMENTS_OF_RETURN.text),
        ("shipment", shipment.map(|id| *id.as_uuid()), variants::DOCUMENTS_OF_SHIPMENT.text),
        ("order", order.map(|id| *id.as_uuid()), variants::DOCUMENTS_OF_ORDER.text),
        ("account", account.map(|id| *id.as_uuid()), variants::DOCUMENTS_OF_ACCOUNT.text),
    ]
    .into_iter()
    .filter_map(|(name, id, sql)| id.map(|id| (name, id, sql)));
    let first = given.next();
    if given.next().is_some() {
        let problem = FieldProblem::new("query", "must have at most one of the filters");
        return Err(ApiError::InvalidQuery(vec![problem]));
    }
    Ok(first)
}

/// A document
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/documents/{documentId}", operation_id = "get_document", tag = "documents",
    responses((status = 200, body = Document))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ObjectId>,
) -> Result<Json<Document>, ApiError> {
    let rows = context.database.read(&member.scope, DOCUMENT, &[&id]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Document))?;
    Ok(Json(Document::try_from(row)?))
}
