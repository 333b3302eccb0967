//! `Idempotency-Key`: a POST that is sent again with the same key has its effect once and gets the same response.
//!
//! The key is claimed in the transaction of the effect, before the effect, and the response is stored with the COMMIT:
//! either both exist or neither. A second request that comes while the first is at work waits for the first's claim. Only
//! successes are stored; a refused request changed nothing and may be sent again. The database keeps a hash of the key, and
//! a digest of the request keyed with it, so that nobody can guess a body's secrets from the stored row. Bodies of responses
//! hold no secrets.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ring::{digest, hmac};
use robnu_tenancy::{Database, Error, Params, PersonScope, Row, Scope, SellerScope, StaffScope, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::json::{parse, read_body, require_json};
use crate::problem::ApiError;
use crate::signature::{Describe, Notes};
use crate::versions::tag_of;

const CLAIM: &str = include_str!("sql/idempotency/claim_key.sql");

pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that marks a repeated response.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const MAX_KEY: usize = 255;
const PATTERN: &str = "^[!-~]{1,255}$";

/// A scope whose responses are kept, and the statements for it.
pub trait Keyed: Scope {
    /// Stores a response: `$1` hash of the key, `$2` status, `$3` body.
    const STORE: &'static str;
    /// Reads a response, and whether it belongs to this request: `$1` hash of the key, `$2` digest of the request.
    const STORED: &'static str;
}

impl Keyed for SellerScope {
    const STORE: &'static str = include_str!("sql/idempotency/store_answer.sql");
    const STORED: &'static str = include_str!("sql/idempotency/stored_answer.sql");
}

impl Keyed for PersonScope {
    const STORE: &'static str = include_str!("sql/idempotency/store_person_answer.sql");
    const STORED: &'static str = include_str!("sql/idempotency/stored_person_answer.sql");
}

impl Keyed for StaffScope {
    const STORE: &'static str = PersonScope::STORE;
    const STORED: &'static str = PersonScope::STORED;
}

/// A POST's JSON body, and its key if it has one.
pub struct KeyedJson<T>(pub T, pub Idempotency);

/// A POST that needs no body, and its key if it has one.
pub struct KeyedPost(pub Idempotency);

/// Runs a request's effect once per key.
pub struct Idempotency(Option<Claim>);

/// The key and its request as the database stores them.
struct Claim {
    key_hash: Vec<u8>,
    request_digest: Vec<u8>,
}

/// A new response, or the one that was sent before.
pub enum Reply<T> {
    /// The effect has happened now.
    Done(StatusCode, T),
    /// The effect happened before; this was its response.
    Replayed(StatusCode, String),
}

impl Idempotency {
    /// Runs the statements of the effect in one transaction and returns what `read` makes of their rows: one round trip, or
    /// two when there is a key.
    ///
    /// `read` may refuse only when the statements have changed nothing (no row matched, say): without a key they are
    /// committed before it looks. The HTTP tests compare every error response with what was committed.
    pub async fn run<S: Keyed, T: Serialize>(
        &self,
        database: &Database,
        scope: &S,
        effect: &[(&'static str, Params<'_>)],
        read: impl FnOnce(&[Vec<Row>]) -> Result<(StatusCode, T), ApiError>,
    ) -> Result<Reply<T>, ApiError> {
        let Some(claim) = &self.0 else {
            let answers = database.session(scope).await?.commit_with(effect).await?;
            let (status, body) = read(&answers)?;
            return Ok(Reply::Done(status, body));
        };
        let mut session = database.session(scope).await?;
        let mut statements: Vec<(&'static str, Params<'_>)> = Vec::with_capacity(effect.len() + 1);
        let claim_params: Params<'_> = &[&claim.key_hash, &claim.request_digest];
        statements.push((CLAIM, claim_params));
        statements.extend_from_slice(effect);
        let answers = match session.pipeline(&statements).await {
            Ok(answers) => answers,
            Err(error) => {
                session.rollback().await?;
                return match error {
                    Error::KeyUsed => claim.replay(database, scope).await,
                    other => Err(other.into()),
                };
            }
        };
        let (status, body) = match read(&answers[1..]) {
            Ok(answer) => answer,
            Err(refused) => {
                session.rollback().await?;
                return Err(refused);
            }
        };
        let text = serde_json::to_string(&body).expect("responses always serialize");
        session.commit_with(&[(S::STORE, &[&claim.key_hash, &i32::from(status.as_u16()), &text])]).await?;
        Ok(Reply::Done(status, body))
    }
}

/// The result of the statements before an effect that depends on a call elsewhere.
pub enum Before<T> {
    /// The rows of the statements.
    Rows(Vec<Vec<Row>>),
    /// The whole request was done before, with this response.
    Answered(Reply<T>),
}

impl Idempotency {
    /// The hash that the database keeps of the key.
    pub fn key_hash(&self) -> Option<&[u8]> {
        self.0.as_ref().map(|claim| claim.key_hash.as_slice())
    }

    /// Commits the statements before an effect, when a call elsewhere comes between the two. If the whole request was done
    /// before, the first statement must change nothing and return no row; it recognises this by [`Idempotency::key_hash`].
    /// One round trip.
    pub async fn before<S: Keyed, T>(
        &self,
        database: &Database,
        scope: &S,
        statements: &[(&'static str, Params<'_>)],
    ) -> Result<Before<T>, ApiError> {
        let mut all = statements.to_vec();
        let stored: Option<[&(dyn ToSql + Sync); 2]> =
            self.0.as_ref().map(|claim| [&claim.key_hash as &(dyn ToSql + Sync), &claim.request_digest]);
        if let Some(stored) = &stored {
            all.push((S::STORED, stored));
        }
        let mut answers = database.session(scope).await?.commit_with(&all).await?;
        let stored = answers.drain(statements.len()..).flatten().next();
        match stored.filter(|_| answers[0].is_empty()) {
            Some(row) => Ok(Before::Answered(replayed(&row)?)),
            None => Ok(Before::Rows(answers)),
        }
    }

    /// Runs statements that follow the effect, and replaces the stored response: for results that are known only after the
    /// effect was committed. One round trip.
    pub async fn amend<S: Keyed, T: Serialize>(
        &self,
        database: &Database,
        scope: &S,
        statements: &[(&'static str, Params<'_>)],
        status: StatusCode,
        body: &T,
    ) -> Result<(), Error> {
        let (status, text) =
            (i32::from(status.as_u16()), serde_json::to_string(body).expect("responses always serialize"));
        let mut all = statements.to_vec();
        let answer: Option<[&(dyn ToSql + Sync); 3]> =
            self.0.as_ref().map(|claim| [&claim.key_hash as &(dyn ToSql + Sync), &status, &text]);
        if let Some(answer) = &answer {
            all.push((S::STORE, answer));
        }
        database.session(scope).await?.commit_with(&all).await.map(|_| ())
    }
}

impl Claim {
    fn new(key: &str, parts: &Parts, body: &[u8]) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        for part in [parts.method.as_str().as_bytes(), b"\n", parts.uri.path().as_bytes(), b"\n", body] {
            context.update(part);
        }
        Self {
            key_hash: digest::digest(&digest::SHA256, key.as_bytes()).as_ref().to_vec(),
            request_digest: context.sign().as_ref().to_vec(),
        }
    }

    async fn replay<S: Keyed, T>(&self, database: &Database, scope: &S) -> Result<Reply<T>, ApiError> {
        let rows = database.read(scope, S::STORED, &[&self.key_hash, &self.request_digest]).await?;
        // The key's day has just ended: the next try claims the key anew.
        replayed(rows.first().ok_or(ApiError::Database(Error::Busy))?)
    }
}

/// The response in a stored row, if it belongs to this request.
fn replayed<T>(row: &Row) -> Result<Reply<T>, ApiError> {
    let get = Error::from;
    if !row.try_get::<_, bool>("is_same").map_err(get)? {
        return Err(ApiError::KeyReused);
    }
    let status = u16::try_from(row.try_get::<_, i32>("status").map_err(get)?).ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).ok_or(Error::RowShape)?;
    Ok(Reply::Replayed(status, row.try_get("body").map_err(get)?))
}

impl<T> Reply<T> {
    /// The response, if the effect has happened now: follow-up work is done only then.
    pub fn done(&self) -> Option<&T> {
        match self {
            Self::Done(_, body) => Some(body),
            Self::Replayed(..) => None,
        }
    }
}

impl<T: DeserializeOwned> Reply<T> {
    /// Adds what may not be stored, such as a URL that is a secret. It is made anew for a response that is replayed.
    pub async fn completed<U: Serialize>(
        self,
        complete: impl AsyncFnOnce(T) -> Result<U, ApiError>,
    ) -> Result<Reply<U>, ApiError> {
        match self {
            Self::Done(status, body) => Ok(Reply::Done(status, complete(body).await?)),
            Self::Replayed(status, text) => {
                let body = serde_json::from_str(&text).map_err(|_| ApiError::AnswerUnreadable)?;
                let text = serde_json::to_string(&complete(body).await?);
                Ok(Reply::Replayed(status, text.map_err(|_| ApiError::AnswerUnreadable)?))
            }
        }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let (status, text, replayed) = match self {
            Self::Done(status, body) => {
                (status, serde_json::to_string(&body).expect("responses always serialize"), None)
            }
            Self::Replayed(status, text) => (status, text, Some([(REPLAYED, "true")])),
        };
        (status, [(CONTENT_TYPE, "application/json")], tag_of(&text), replayed, text).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for KeyedJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let (idempotency, body) = take(request, state).await?;
        Ok(Self(parse(&body)?, idempotency))
    }
}

impl<S: Send + Sync> FromRequest<S> for KeyedPost {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(Self(take(request, state).await?.0))
    }
}

async fn take<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<(Idempotency, axum::body::Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let body = read_body(Request::from_parts(parts.clone(), body), state).await?;
    let claim = key(&parts)?.map(|key| Claim::new(key, &parts, &body));
    Ok((Idempotency(claim), body))
}

fn key(parts: &Parts) -> Result<Option<&str>, ApiError> {
    let mut values = parts.headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let plain = |value: &&HeaderValue| {
        (1..=MAX_KEY).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let key = Some(value).filter(plain).filter(|_| values.next().is_none());
    key.and_then(|value| value.to_str().ok()).map(Some).ok_or(ApiError::InvalidHeader {
        name: "idempotency-key",
        problem: "must be one key of 1 to 255 printable ASCII characters without blanks",
    })
}

impl<T: ToSchema> Describe for KeyedJson<T> {
    fn describe(notes: &mut Notes) {
        notes.json_body::<T>();
        describe_key(notes);
    }
}

impl Describe for KeyedPost {
    fn describe(notes: &mut Notes) {
        describe_key(notes);
        notes.refuse(&[413]);
    }
}

fn describe_key(notes: &mut Notes) {
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN));
    let text =
        "For a day, the same request with the same key has its effect once and gets the same response.";
    notes.header("idempotency-key", text, schema);
    notes.refuse(&[400, 422]);
}
