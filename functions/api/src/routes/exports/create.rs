//! `POST …/exports`: asks for an export.
//!
//! The row is written first and then announced to the exporter. If the message is lost, the exporter's sweep sends another.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_dispatch::ExportMessage;
use robnu_tenancy::{ExportId, Params, Row, SellerScope};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EXPORT, Export};
use crate::context::{Context, SharedContext};
use crate::exportable::{EVERYTHING, Exportable, Filters};
use crate::idempotency::{Idempotency, KeyedJson, Reply};
use crate::identity::Member;
use crate::known_text::ExportListName;
use crate::problem::{ApiError, FieldProblem};
use crate::route_permissions::ExportsCreate;

const INSERT: &str = include_str!("../../sql/exports/insert.sql");

/// The most filters of an export; no list has as many.
const MAX_FILTERS: usize = 20;

/// The list to export.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateExport {
    list: ExportListName,
    /// The list's query parameters, with the values that they have in its query string; all but `limit` and `cursor`.
    #[serde(default)]
    #[schema(required = false)]
    filters: Filters,
}

/// Asks for a list as a CSV file
///
/// The file holds every row of the list with these filters, in the list's order, without any limit. It needs the permission
/// of the list itself as well. The member gets a mail when it is ready. At most three exports of a seller can be unfinished,
/// and 50 can be asked for within 24 hours.
///
/// The file is UTF-8 with a byte order mark, separated by commas as in RFC 4180, with a header. Its columns are the fields of
/// the list's rows; a field inside another has a dot in its name, and lists of values are in one cell. A cell that a
/// spreadsheet would run as a formula, or digits that it would shorten, begin with an apostrophe. There is no customers' data
/// in it.
///
/// `everything` is a ZIP archive with a file of each list, every document and imported file as it was uploaded, and `manifest.json`
/// with rows, sizes and SHA-256 digests, the times as of which the lists were read, and what is left out. Documents and imported
/// files can name customers. Only owners may ask for it, and it has no filters.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/exports", operation_id = "create_export", tag = "exports",
    responses((status = 202, body = Export))
)]
pub async fn create(
    State(context): State<SharedContext>,
    member: Member<ExportsCreate>,
    KeyedJson(body, idempotency): KeyedJson<CreateExport>,
) -> Result<Reply<Export>, ApiError> {
    if body.filters.len() > MAX_FILTERS {
        let problem = FieldProblem::new("filters", "must be at most 20 filters");
        return Err(ApiError::InvalidBody(vec![problem]));
    }
    let list = body.list.as_str();
    if list == EVERYTHING {
        if !body.filters.is_empty() {
            let problem = FieldProblem::new("filters", "must be empty: an export of everything has none");
            return Err(ApiError::InvalidBody(vec![problem]));
        }
    } else {
        let list = Exportable::named(list).ok_or(ApiError::RouteNotFound)?;
        list.check(&member.scope, &body.filters).await?;
    }
    let filters = serde_json::to_string(&body.filters).expect("texts always serialize");
    store(&context, &member.scope, list, &filters, &idempotency).await
}

async fn store(
    context: &Context,
    scope: &SellerScope,
    list: &str,
    filters: &str,
    idempotency: &Idempotency,
) -> Result<Reply<Export>, ApiError> {
    let id = ExportId::new();
    let effect: [(&str, Params<'_>); 2] = [(INSERT, &[&id, &list, &filters]), (EXPORT, &[&id])];
    let read = |answers: &[Vec<Row>]| Ok((StatusCode::ACCEPTED, Export::of(&answers[1])?));
    let reply = idempotency.run(&context.database, scope, &effect, read).await?;
    if reply.done().is_some() {
        announce(context, ExportMessage { seller_id: scope.seller_id(), export_id: id }).await;
    }
    Ok(reply)
}

/// Sends the export's first message.
pub(in crate::routes) async fn announce(context: &Context, message: ExportMessage) {
    let sent = context
        .sqs
        .send_message()
        .queue_url(&context.exports_queue_url)
        .message_body(message.to_body())
        .send()
        .await;
    if let Err(error) = sent {
        tracing::warn!(
            seller.id = %message.seller_id,
            export.id = %message.export_id,
            error = robnu_observe::chain(&error.into_service_error()),
            "the export was not announced; its sweep will announce it"
        );
    }
}
