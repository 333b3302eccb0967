//! The export's row: taken with an attempt number and a lease, and written only by the attempt that holds it.

use std::time::Duration;

use api::exportable::{Filters, media_type};
use chrono::{DateTime, Utc};
use robnu_dispatch::ExportMessage;
use robnu_storage::objects::{ObjectKey, SellerObjects, UploadedPart};
use robnu_tenancy::{Error, Params, Row, SellerScope};

use crate::context::Context;
use crate::error::ExportError;

const BEGIN: &str = include_str!("sql/begin.sql");
const STATE: &str = include_str!("sql/state.sql");
const BEGIN_UPLOAD: &str = include_str!("sql/begin_upload.sql");
const ADVANCE: &str = include_str!("sql/advance.sql");
const RENEW: &str = include_str!("sql/renew.sql");
const LEAVE: &str = include_str!("sql/leave.sql");
const FAIL: &str = include_str!("sql/fail.sql");
const FORGET_UPLOAD: &str = include_str!("sql/forget_upload.sql");
const FINISH: &str = include_str!("sql/finish.sql");

/// An export that this attempt holds.
#[derive(Debug)]
pub struct Export {
    /// The seller and the export.
    pub message: ExportMessage,
    /// The seller's files.
    pub objects: SellerObjects,
    /// The list's name.
    pub list: String,
    /// The list's filters.
    pub filters: Filters,
    /// The fencing token.
    pub attempt: i32,
    /// Attempts since a part was stored, with this one.
    pub fruitless: i32,
    /// Where the next page begins; `None` at the beginning, and after the last page.
    pub cursor: Option<String>,
    /// Whether the last page is in a stored part.
    pub read_to_end: bool,
    /// Bytes of the stored parts.
    pub bytes: i64,
    /// The upload, once it has begun.
    pub upload: Option<String>,
    /// The stored parts.
    pub parts: Vec<UploadedPart>,
    /// What was noted with the last part, for an archive.
    pub progress: Option<String>,
    /// When it was asked for; the day is part of the file's key.
    pub queued_at: DateTime<Utc>,
}

/// Where an export goes on after a part.
#[derive(Debug)]
pub struct Place {
    /// Where the next page begins; `None` at the beginning of a list, and at the end.
    pub next: Option<String>,
    /// Whether the part is the last.
    pub is_last: bool,
    /// What else the next part needs to know.
    pub progress: Option<String>,
}

/// Whom to mail that a file is ready, and until when it can be had.
#[derive(Debug)]
pub struct News {
    /// The address of the member who asked for it.
    pub to: String,
    /// Until when it can be had.
    pub until: DateTime<Utc>,
}

/// An export without a file whose upload must be aborted.
#[derive(Debug)]
pub struct Leftover {
    /// The seller's files.
    pub objects: SellerObjects,
    /// The upload.
    pub upload: String,
    /// The file's key.
    pub key: ObjectKey,
}

/// What a message's export needs.
#[derive(Debug)]
pub enum Begun {
    /// It is ours.
    Taken(Box<Export>),
    /// It is finished without a file, and its upload is still there.
    Abort(Leftover),
    /// Nothing: it is finished, or another attempt holds it.
    Nothing,
}

/// The key of an export's file.
fn key(message: ExportMessage, queued_at: DateTime<Utc>) -> ObjectKey {
    ObjectKey::Export { date: queued_at.date_naive(), export: message.export_id }
}

fn scope(message: ExportMessage) -> SellerScope {
    SellerScope::for_exporter(message.seller_id, message.export_id)
}

/// Takes the export that a message names.
pub async fn begin(context: &Context, message: ExportMessage) -> Result<Begun, ExportError> {
    let (id, lease) = (message.export_id, context.lease.as_secs_f64());
    let scope = scope(message);
    let statements: [(&str, Params<'_>); 2] = [(BEGIN, &[&id, &lease]), (STATE, &[&id])];
    let answers = context.database.session(&scope).await?.commit_with(&statements).await?;
    let objects = context.objects.for_scope(&scope)?;
    if let Some(row) = answers[0].first() {
        return Ok(Begun::Taken(Box::new(Export::read(message, objects, row)?)));
    }
    let row = answers[1].first().ok_or(Error::RowCount { found: 0 })?;
    let (state, upload): (&str, Option<String>) =
        (row.try_get("state").map_err(Error::from)?, row.try_get("upload_id").map_err(Error::from)?);
    let queued_at = row.try_get("queued_at").map_err(Error::from)?;
    match upload {
        Some(upload) if matches!(state, "FAILED" | "CANCELLED") => {
            Ok(Begun::Abort(Leftover { objects, upload, key: key(message, queued_at) }))
        }
        _ => Ok(Begun::Nothing),
    }
}

/// Aborts an upload that leads nowhere, and notes it. Aborting it again does no harm.
pub async fn abort(
    context: &Context,
    message: ExportMessage,
    leftover: &Leftover,
) -> Result<(), ExportError> {
    leftover.objects.abort_upload(&leftover.key, &leftover.upload).await?;
    let session = context.database.session(&scope(message)).await?;
    session.commit_with(&[(FORGET_UPLOAD, &[&message.export_id])]).await?;
    Ok(())
}

impl Export {
    fn read(message: ExportMessage, objects: SellerObjects, row: &Row) -> Result<Self, ExportError> {
        let get = Error::from;
        let filters: &str = row.try_get("filters").map_err(get)?;
        let parts: Vec<String> = row.try_get("parts").map_err(get)?;
        let parts: Option<Vec<UploadedPart>> = parts.iter().map(|part| part.parse().ok()).collect();
        Ok(Self {
            message,
            objects,
            list: row.try_get("list").map_err(get)?,
            filters: serde_json::from_str(filters).map_err(|_| Error::RowShape)?,
            attempt: row.try_get("attempt").map_err(get)?,
            fruitless: row.try_get("fruitless_attempts").map_err(get)?,
            cursor: row.try_get("page_cursor").map_err(get)?,
            read_to_end: row.try_get("read_to_end").map_err(get)?,
            bytes: row.try_get("byte_count").map_err(get)?,
            upload: row.try_get("upload_id").map_err(get)?,
            parts: parts.ok_or(Error::RowShape)?,
            progress: row.try_get("progress").map_err(get)?,
            queued_at: row.try_get("queued_at").map_err(get)?,
        })
    }

    /// The file's key.
    pub fn key(&self) -> ObjectKey {
        key(self.message, self.queued_at)
    }

    /// Notes the upload before its first part.
    pub async fn note_upload(&mut self, context: &Context, upload: String) -> Result<(), ExportError> {
        let params: Params<'_> = &[&self.message.export_id, &self.attempt, &upload];
        self.write(context, BEGIN_UPLOAD, params).await?;
        self.upload = Some(upload);
        Ok(())
    }

    /// Notes a stored part, and the cursor after it.
    pub async fn advance(
        &mut self,
        context: &Context,
        part: UploadedPart,
        place: Place,
        rows: i64,
        bytes: i64,
    ) -> Result<(), ExportError> {
        let (text, lease) = (part.to_string(), context.lease.as_secs_f64());
        let (id, Place { next, is_last, progress }) = (&self.message.export_id, &place);
        let params: Params<'_> = &[id, &self.attempt, &lease, &text, next, is_last, &rows, &bytes, progress];
        self.write(context, ADVANCE, params).await?;
        self.parts.push(part);
        self.bytes += bytes;
        (self.cursor, self.read_to_end) = (place.next, place.is_last);
        Ok(())
    }

    /// Shows that the attempt is alive.
    pub async fn renew(&self, context: &Context) -> Result<(), ExportError> {
        let lease = context.lease.as_secs_f64();
        self.write(context, RENEW, &[&self.message.export_id, &self.attempt, &lease]).await
    }

    /// Leaves the export to the next message.
    pub async fn leave(&self, context: &Context) -> Result<(), ExportError> {
        self.write(context, LEAVE, &[&self.message.export_id, &self.attempt]).await
    }

    /// Ends it without a file.
    pub async fn fail(&self, context: &Context, code: &str) -> Result<(), ExportError> {
        self.write(context, FAIL, &[&self.message.export_id, &self.attempt, &code]).await
    }

    /// Ends it with its file. Returns whom to mail.
    pub async fn finish(
        &self,
        context: &Context,
        version: Option<&str>,
        file_name: &str,
    ) -> Result<Option<News>, ExportError> {
        let digest = UploadedPart::digest_of_all(&self.parts);
        let (bucket, kms_key) = (context.objects.bucket(), context.objects.kms_key(self.message.seller_id));
        let params: Params<'_> = &[
            &self.message.export_id,
            &self.attempt,
            &bucket,
            &kms_key,
            &version,
            &digest.as_bytes(),
            &file_name,
            &media_type(&self.list).as_str(),
        ];
        let session = context.database.session(&scope(self.message)).await?;
        let answers = session.commit_with(&[(FINISH, params)]).await?;
        let row = answers.iter().flatten().next().ok_or(Error::RowCount { found: 0 })?;
        let to: Option<String> = row.try_get("mail_to").map_err(Error::from)?;
        let until = row.try_get("until").map_err(Error::from)?;
        Ok(to.map(|to| News { to, until }))
    }

    /// Runs a statement that returns a row only for the attempt that holds the export.
    async fn write(
        &self,
        context: &Context,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<(), ExportError> {
        let session = context.database.session(&scope(self.message)).await?;
        let answers = session.commit_with(&[(sql, params)]).await?;
        if answers.iter().flatten().next().is_none() {
            return Err(Error::LeaseLost.into());
        }
        Ok(())
    }
}

/// How often a lease is renewed: three times before it ends.
pub fn renewal(context: &Context) -> Duration {
    context.lease / 3
}
