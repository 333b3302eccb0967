//! Files that clients send to the bucket themselves: the checks of what they announce, and the request with which they send it.

use chrono::{DateTime, Utc};
use robnu_storage::objects::{ContentType, FileName, PresignedUpload, Sha256};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::label;
use crate::problem::{ApiError, FieldProblem};

/// The longest file name, in characters.
pub const MAX_NAME: usize = 200;

/// What a client announces of a file.
pub struct Announced<'a> {
    /// The file's name.
    pub file_name: &'a str,
    /// The content type, if the file may have it.
    pub content: Option<ContentType>,
    /// What is wrong when it may not.
    pub other_content: &'static str,
    /// The number of bytes.
    pub size: i64,
    /// What the body calls the number of bytes.
    pub size_field: &'static str,
    /// The largest number of bytes.
    pub max_size: i64,
    /// The digest of the bytes.
    pub sha256: &'a str,
}

impl Announced<'_> {
    /// Checks what no schema of one field expresses, and names every field that is wrong.
    pub fn check(&self) -> Result<(ContentType, Sha256, FileName), ApiError> {
        let mut problems = Vec::new();
        let name =
            label("file_name", self.file_name, MAX_NAME).map_err(|problem| problems.push(problem)).ok();
        if self.content.is_none() {
            problems.push(FieldProblem::new("content_type", self.other_content));
        }
        if !(1..=self.max_size).contains(&self.size) {
            problems
                .push(FieldProblem::new(self.size_field, format!("must be between 1 and {}", self.max_size)));
        }
        let sha256 = self.sha256.parse::<Sha256>().ok();
        if sha256.is_none() {
            problems.push(FieldProblem::new("sha256", "must be 64 lower-case hexadecimal digits"));
        }
        match (name, self.content, sha256) {
            (Some(name), Some(content), Some(sha256)) if problems.is_empty() => {
                Ok((content, sha256, FileName::clean(&name, content)))
            }
            _ => Err(ApiError::InvalidBody(problems)),
        }
    }
}

/// A header of an upload.
#[derive(Serialize, ToSchema)]
pub struct UploadHeader {
    name: String,
    value: String,
}

/// The request with which the client sends the bytes. Whoever has it can send them.
#[derive(Serialize, ToSchema)]
pub struct UploadRequest {
    method: String,
    url: String,
    /// All of them are signed, so the request is valid only with them. Browsers set `content-length` themselves.
    headers: Vec<UploadHeader>,
    /// Until when the request may be sent.
    expires_at: DateTime<Utc>,
}

impl From<PresignedUpload> for UploadRequest {
    fn from(request: PresignedUpload) -> Self {
        let headers = request.headers.into_iter().map(|(name, value)| UploadHeader { name, value }).collect();
        Self { method: request.method.to_owned(), url: request.url, headers, expires_at: request.expires_at }
    }
}
