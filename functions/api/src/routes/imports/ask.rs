//! Uploading a file to be imported: its row is made, and the client sends the bytes to the bucket. What follows begins by itself.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::objects::{ContentType, FileName, MarketplaceFolder, ObjectKey, Objects, Sha256, Upload};
use robnu_tenancy::{AccountId, Error, ImportId, Params, Row, SellerScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::Import;
use crate::context::SharedContext;
use crate::fields::label_schema;
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::kinds::not_offered;
use crate::known_text::{DateOrderName, ImportState};
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::SyncPayouts;
use crate::upload::{Announced, MAX_NAME, UploadRequest};
use crate::variants;
use crate::whole::Whole;

const ASK: &str = include_str!("../../sql/imports/ask.sql");
const LAST_OF_FILE: &str = variants::LAST_IMPORT_OF_FILE.text;

/// The largest file, in bytes.
const MAX_SIZE: i32 = 100 * 1024 * 1024;
/// What a file may be. Its content decides how it is read.
const CONTENT_TYPES: [ContentType; 5] =
    [ContentType::Csv, ContentType::Tsv, ContentType::Text, ContentType::Xlsx, ContentType::Zip];

/// A file to be uploaded and imported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskImport {
    /// For people only: a file is recognised by its header. The ending is replaced unless it fits the content type.
    #[schema(schema_with = label_schema::<MAX_NAME>)]
    file_name: String,
    /// A text, an XLSX workbook, or a ZIP archive of these.
    #[schema(schema_with = content_type_schema)]
    content_type: String,
    /// The exact number of bytes.
    #[schema(value_type = i64, minimum = 1, maximum = 104_857_600)]
    size_bytes: Whole,
    /// The SHA-256 digest of the bytes, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// How to read dates that could have the day or the month first. Needed only when no row of the file tells.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = false, value_type = DateOrderName)]
    date_order: Option<DateOrderName>,
    /// The earlier import of the account whose file this one corrects. `list_import_changes` then shows how the two files differ.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = false, value_type = Uuid)]
    corrects: Option<ImportId>,
}

/// An import, and how to send its file.
#[derive(Serialize, ToSchema)]
pub struct AskedImport {
    #[serde(flatten)]
    import: Import,
    /// The request with which to send the bytes; null when the file is here already.
    upload: Option<UploadRequest>,
}

/// Begins the import of a marketplace's file
///
/// Send the bytes with the request in `upload` within 15 minutes; the import then begins by itself, and `get_import` shows how far
/// it is. Reports of orders, returns and payments are imported; who may only ask for payouts can only import payments. A file that the account has imported before, or is importing, imports
/// nothing: its import is returned with 200. A corrected file overwrites what came from the earlier one; name that one in `corrects`
/// to see how they differ.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/imports", operation_id = "ask_import", tag = "imports",
    responses(
        (status = 201, description = "A new import, and how to send its file", body = AskedImport),
        (status = 200, description = "The import of the same file", body = AskedImport)
    )
)]
pub async fn ask(
    State(context): State<SharedContext>,
    member: Member<SyncPayouts>,
    PathId(account): PathId<AccountId>,
    KeyedJson(body, idempotency): KeyedJson<AskImport>,
) -> Result<Reply<AskedImport>, ApiError> {
    let (media, sha256, name) = body.check()?;
    let (id, digest) = (ImportId::new(), sha256.as_bytes());
    let (bucket, kms_key) = (context.objects.bucket(), context.objects.kms_key(member.scope.seller_id()));
    let (content_type, name) = (media.as_str(), name.as_str());
    let size = i64::from(body.size_bytes.0);
    let date_order = body.date_order.map(DateOrderName::as_str);
    let made: Params<'_> = &[
        &id,
        &account,
        &bucket,
        &content_type,
        &size,
        &digest,
        &kms_key,
        &name,
        &date_order,
        &body.corrects,
    ];
    let effect: [(&str, Params<'_>); 2] = [(ASK, made), (LAST_OF_FILE, &[&account, &digest])];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Account))?;
        if let Some(refusal) = not_offered(row)? {
            return Err(refusal);
        }
        if !row.try_get::<_, bool>("is_active").map_err(Error::from)? {
            return Err(ApiError::AccountNotActive);
        }
        if !row.try_get::<_, bool>("has_earlier").map_err(Error::from)? {
            let problem =
                FieldProblem::new("corrects", "is not an import of this account that has succeeded");
            return Err(ApiError::InvalidBody(vec![problem]));
        }
        let is_new: bool = row.try_get("is_new").map_err(Error::from)?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Import::try_from(answers[1].first().ok_or(Error::RowCount { found: 0 })?)?))
    };
    // The stored response holds no URL, because that is a secret; it is made again from the row.
    let reply = idempotency.run(&context.database, &member.scope, &effect, read).await?;
    reply.completed(async |import| with_upload(&context.objects, &member.scope, import).await).await
}

impl AskImport {
    /// Checks what no schema of one field expresses.
    fn check(&self) -> Result<(ContentType, Sha256, FileName), ApiError> {
        let announced = Announced {
            file_name: &self.file_name,
            content: ContentType::parse(&self.content_type).filter(|one| CONTENT_TYPES.contains(one)),
            other_content: "is not one of a file that can be imported",
            size: i64::from(self.size_bytes.0),
            size_field: "size_bytes",
            max_size: i64::from(MAX_SIZE),
            sha256: &self.sha256,
        };
        announced.check()
    }
}

fn content_type_schema() -> Object {
    let all = CONTENT_TYPES.map(ContentType::as_str);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(all)).build()
}

/// Adds how to send the file of an import that awaits it.
async fn with_upload(
    objects: &Objects,
    scope: &SellerScope,
    import: Import,
) -> Result<AskedImport, ApiError> {
    if import.state != ImportState::AWAITING_FILE {
        return Ok(AskedImport { import, upload: None });
    }
    let code: MarketplaceCode = import.marketplace.parse().map_err(|_| Error::RowShape)?;
    let marketplace = MarketplaceFolder::new(code.as_str()).ok_or(Error::RowShape)?;
    let key = ObjectKey::ImportSource { account: import.account_id, import: import.import_id, marketplace };
    let upload = Upload {
        content: ContentType::parse(&import.content_type).ok_or(Error::RowShape)?,
        size: u64::try_from(import.size_bytes).map_err(|_| Error::RowShape)?,
        sha256: import.sha256.parse().map_err(|_| Error::RowShape)?,
        from: import.created_at,
    };
    let request = objects.for_scope(scope)?.presign_upload(&key, upload).await?;
    Ok(AskedImport { import, upload: Some(request.into()) })
}
