//! Uploading a document in three steps: its row is made, the client sends the bytes to the bucket, and the upload is checked.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_storage::StorageError;
use robnu_storage::objects::{ContentType, DocumentType, FileName, ObjectHead, Objects, Sha256, Upload};
use robnu_tenancy::{ObjectId, Params, Row, SellerScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use uuid::Uuid;

use super::DOCUMENT;
use super::rows::Document;
use crate::context::SharedContext;
use crate::fields::label_schema;
use crate::idempotency::{KeyedJson, KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::known_text::{DocumentParentName, DocumentState, DocumentTypeName};
use crate::problem::refusals::{DOCUMENT_DIFFERS, DOCUMENT_NOT_UPLOADED};
use crate::problem::{ApiError, Missing};
use crate::route_permissions::DocumentsWrite;
use crate::upload::{Announced, MAX_NAME, UploadRequest};

const START: &str = include_str!("../../sql/documents/start.sql");
const COMPLETE: &str = include_str!("../../sql/documents/complete.sql");

/// The largest document of any type, in bytes.
const MAX_SIZE: i64 = 500 * 1024 * 1024;

/// A document to be uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartDocument {
    /// What it belongs to.
    parent: DocumentParentName,
    /// The id of the order, shipment, return or claim.
    #[schema(value_type = Uuid)]
    parent_id: ParentId,
    document_type: DocumentTypeName,
    /// Its ending is replaced unless it fits the content type.
    #[schema(schema_with = label_schema::<MAX_NAME>)]
    file_name: String,
    /// Papers are PDF, JPEG or PNG; photos JPEG, PNG, WebP or HEIC; films MP4 or `QuickTime`.
    #[schema(schema_with = content_type_schema)]
    content_type: String,
    /// The exact number of bytes. Papers have at most 10 MiB, photos 20 MiB, films 500 MiB.
    #[schema(minimum = 1, maximum = 524_288_000)]
    size: i64,
    /// The SHA-256 digest of the bytes, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

/// The id of what a document belongs to.
#[derive(Clone, Copy)]
struct ParentId(Uuid);

impl<'de> Deserialize<'de> for ParentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Any kind of id has the same spelling.
        ObjectId::deserialize(deserializer).map(|id| Self(*id.as_uuid()))
    }
}

/// A document whose bytes are awaited.
#[derive(Serialize, ToSchema)]
pub struct StartedDocument {
    #[serde(flatten)]
    document: Document,
    upload: UploadRequest,
}

/// Begins the upload of a document
///
/// Send the bytes with the request in `upload` within 15 minutes, and then call `complete_document`. The same request with the
/// same key returns an `upload` of the same document, which expires at the same time.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/documents", operation_id = "start_document", tag = "documents",
    responses((status = 201, description = "The document, and how to send its bytes", body = StartedDocument))
)]
pub async fn start(
    State(context): State<SharedContext>,
    member: Member<DocumentsWrite>,
    KeyedJson(body, idempotency): KeyedJson<StartDocument>,
) -> Result<Reply<StartedDocument>, ApiError> {
    let (media, sha256, name) = body.check()?;
    let id = ObjectId::new();
    let (document_type, parent) = (body.document_type.as_str(), body.parent.as_str());
    let (bucket, kms_key) = (context.objects.bucket(), context.objects.kms_key(member.scope.seller_id()));
    let (content_type, digest, name) = (media.as_str(), sha256.as_bytes(), name.as_str());
    let made: Params<'_> = &[
        &id,
        &document_type,
        &parent,
        &body.parent_id.0,
        &bucket,
        &content_type,
        &body.size,
        &digest,
        &kms_key,
        &name,
    ];
    let effect: [(&str, Params<'_>); 2] = [(START, made), (DOCUMENT, &[&id])];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[1].first().ok_or(ApiError::NotFound(body.missing()))?;
        Ok((StatusCode::CREATED, Document::try_from(row)?))
    };
    // The stored response holds no URL, because that is a secret; it is made again from the row.
    let reply = idempotency.run(&context.database, &member.scope, &effect, read).await?;
    reply.completed(async |document| with_upload(&context.objects, &member.scope, document).await).await
}

impl StartDocument {
    /// Checks what no schema of one field expresses.
    fn check(&self) -> Result<(ContentType, Sha256, FileName), ApiError> {
        let document_type = DocumentType::parse(self.document_type.as_str());
        let content = ContentType::parse(&self.content_type)
            .filter(|one| document_type.is_some_and(|of| of.content_types().contains(one)));
        let max_size = document_type.and_then(|one| i64::try_from(one.max_size()).ok()).unwrap_or(MAX_SIZE);
        let announced = Announced {
            file_name: &self.file_name,
            content,
            other_content: "is not one that this type of document has",
            size: self.size,
            size_field: "size",
            max_size,
            sha256: &self.sha256,
        };
        announced.check()
    }

    fn missing(&self) -> Missing {
        match self.parent {
            DocumentParentName::SHIPMENT => Missing::Shipment,
            DocumentParentName::RETURN => Missing::Return,
            DocumentParentName::CLAIM => Missing::Claim,
            _ => Missing::Order,
        }
    }
}

fn content_type_schema() -> Object {
    let mut all: Vec<&str> =
        DocumentType::ALL.iter().flat_map(|one| one.content_types()).map(|one| one.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(all)).build()
}

async fn with_upload(
    objects: &Objects,
    scope: &SellerScope,
    document: Document,
) -> Result<StartedDocument, ApiError> {
    let upload = Upload {
        content: document.content()?,
        size: u64::try_from(document.size).unwrap_or_default(),
        sha256: document.digest()?,
        from: document.created_at,
    };
    let request = objects.for_scope(scope)?.presign_upload(&document.key()?, upload).await?;
    Ok(StartedDocument { document, upload: request.into() })
}

/// Completes the upload of a document
///
/// The bucket is asked whether the bytes are there, with the size, digest, content type and encryption that were announced. A
/// document that is complete stays as it is.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/documents/{documentId}/complete", operation_id = "complete_document", tag = "documents",
    responses((status = 200, description = "The document as it is now", body = Document))
)]
pub async fn complete(
    State(context): State<SharedContext>,
    member: Member<DocumentsWrite>,
    PathId(id): PathId<ObjectId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Document>, ApiError> {
    let rows = context.database.read(&member.scope, DOCUMENT, &[&id]).await?;
    let document = Document::try_from(rows.first().ok_or(ApiError::NotFound(Missing::Document))?)?;
    let mut version = None;
    if document.state == DocumentState::AWAITED {
        let found = context.objects.for_scope(&member.scope)?.head(&document.key()?).await;
        let head = found.map_err(|error| match error {
            StorageError::Object { fault, .. } if fault.may_be_missing() => {
                ApiError::Refused(&DOCUMENT_NOT_UPLOADED)
            }
            other => other.into(),
        })?;
        if !is_announced(&head, &document)? {
            return Err(ApiError::Refused(&DOCUMENT_DIFFERS));
        }
        version = head.version;
    }
    let effect: [(&str, Params<'_>); 2] = [(COMPLETE, &[&id, &version]), (DOCUMENT, &[&id])];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Document))?;
        Ok((StatusCode::OK, Document::try_from(row)?))
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

/// Whether an object is the one that was announced.
fn is_announced(head: &ObjectHead, document: &Document) -> Result<bool, ApiError> {
    Ok(i64::try_from(head.size).is_ok_and(|size| size == document.size)
        && head.sha256 == Some(document.digest()?)
        && head.content_type.as_deref() == Some(document.content()?.as_str())
        && head.is_kms_encrypted)
}
