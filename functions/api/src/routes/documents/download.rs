//! Downloading and deleting a document. A download of a customer's data is written to the audit trail.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_storage::objects::Download;
use robnu_tenancy::{Error, ObjectId, Params};
use serde::Serialize;
use utoipa::ToSchema;

use super::DOCUMENT;
use super::rows::Document;
use crate::context::SharedContext;
use crate::identity::{Member, PathId};
use crate::known_text::DocumentState;
use crate::problem::{ApiError, Missing};
use crate::route_permissions::{DocumentsWrite, Read};

const OPEN: &str = include_str!("../../sql/documents/open.sql");
const REMOVE: &str = include_str!("../../sql/documents/remove.sql");

/// Where to fetch a document. Whoever has the URL can read it.
#[derive(Serialize, ToSchema)]
pub struct DocumentDownload {
    url: String,
    /// Until when it can be fetched.
    expires_at: DateTime<Utc>,
}

/// A URL to download a document
///
/// The URL is valid for five minutes and gives an attachment. A document that holds a customer's data (`holds_customer`) needs the
/// permission `pii.read`, and each request for its URL is written to the audit trail.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/documents/{documentId}/download", operation_id = "download_document", tag = "documents",
    responses((status = 200, body = DocumentDownload))
)]
pub async fn download(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ObjectId>,
) -> Result<Json<DocumentDownload>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 2] = [(OPEN, &[&id]), (DOCUMENT, &[&id])];
    let answers = session.commit_with(&statements).await?;
    let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Document))?;
    let document = Document::try_from(row)?;
    if document.state != DocumentState::STORED {
        return Err(ApiError::NotFound(Missing::Document));
    }
    let version: Option<&str> = row.try_get("version_id").map_err(Error::from)?;
    let (media, file_name) = (document.content()?, document.name()?);
    let wanted = Download { version, content: media, file_name: &file_name };
    let signed = context.objects.for_scope(&member.scope)?.presign_download(&document.key()?, wanted).await?;
    Ok(Json(DocumentDownload { url: signed.url, expires_at: signed.expires_at }))
}

/// Deletes a document
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/documents/{documentId}", operation_id = "delete_document", tag = "documents",
    responses((status = 204, description = "The document is deleted"))
)]
pub async fn remove(
    State(context): State<SharedContext>,
    member: Member<DocumentsWrite>,
    PathId(id): PathId<ObjectId>,
) -> Result<StatusCode, ApiError> {
    let rows = context.database.read(&member.scope, DOCUMENT, &[&id]).await?;
    let document = Document::try_from(rows.first().ok_or(ApiError::NotFound(Missing::Document))?)?;
    // The object goes first: if the row cannot be changed after that, the request can be sent again.
    context.objects.for_scope(&member.scope)?.delete(&document.key()?, None).await?;
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 1] = [(REMOVE, &[&id])];
    let answers = session.commit_with(&statements).await?;
    if answers[0].is_empty() {
        return Err(ApiError::NotFound(Missing::Document));
    }
    Ok(StatusCode::NO_CONTENT)
}
