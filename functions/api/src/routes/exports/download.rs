//! `GET …/exports/{exportId}/download`: a URL of the file, for some minutes.
//!
//! It is a GET, because responses to POSTs are kept with their idempotency keys, and a URL is a secret while it lives.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_storage::objects::{Download, FileName, ObjectKey};
use robnu_tenancy::{ExportId, Params};
use serde::Serialize;
use utoipa::ToSchema;

use super::{EXPORT, Export};
use crate::context::SharedContext;
use crate::exportable::{file_name, media_type};
use crate::identity::{Member, PathId};
use crate::known_text::ExportState;
use crate::problem::ApiError;
use crate::problem::refusals::{EXPORT_EXPIRED, EXPORT_NOT_READY};
use crate::route_permissions::ExportsCreate;

const OPEN: &str = include_str!("../../sql/exports/open.sql");

/// Where the file is.
#[derive(Serialize, ToSchema)]
pub struct ExportDownload {
    /// A URL that needs no token. Whoever has it can read the file.
    url: String,
    /// Until when it works.
    expires_at: DateTime<Utc>,
}

/// A URL from which the file can be downloaded for some minutes
///
/// Each download is in the audit trail (`export.opened`).
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/exports/{exportId}/download", operation_id = "download_export", tag = "exports",
    responses((status = 200, body = ExportDownload))
)]
pub async fn download(
    State(context): State<SharedContext>,
    member: Member<ExportsCreate>,
    PathId(id): PathId<ExportId>,
) -> Result<Json<ExportDownload>, ApiError> {
    let statements: [(&str, Params<'_>); 2] = [(EXPORT, &[&id]), (OPEN, &[&id])];
    let answers = context.database.session(&member.scope).await?.commit_with(&statements).await?;
    let objects = context.objects.for_scope(&member.scope)?;
    let export = Export::of(&answers[0])?;
    if export.state != ExportState::SUCCEEDED {
        return Err(ApiError::Refused(&EXPORT_NOT_READY));
    }
    if export.expires_at.is_none_or(|end| end <= Utc::now()) {
        return Err(ApiError::Refused(&EXPORT_EXPIRED));
    }
    let key = ObjectKey::Export { date: export.requested_at.date_naive(), export: id };
    let (list, media) = (export.list.as_str(), media_type(export.list.as_str()));
    let name = FileName::clean(&file_name(list, export.requested_at), media);
    let download = Download { version: None, content: media, file_name: &name };
    let file = objects.presign_download(&key, download).await?;
    Ok(Json(ExportDownload { url: file.url, expires_at: file.expires_at }))
}
