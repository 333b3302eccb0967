//! The access token of an account, kept in the database under a lease: so only one of all functions that work for the account asks the
//! marketplace for a new one (single-flight refresh).
//!
//! The token is sealed with the seller's data key. One that does not open counts as refused: the next one takes its place, so a damaged
//! row stops nobody. Without a database no token is fetched, because no page could be stored either.

mod stored;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::shared_token::{AccessToken, SharedTokens, StoredToken, TokenTimes, Turn};
use robnu_observe::chain;
use robnu_storage::{Place, SellerCipher};
use robnu_tenancy::{AccountId, Database, Error, Params, Row, SellerScope};
use uuid::Uuid;

pub use stored::SealedToken;

/// Reads the stored token beside the credentials.
pub(crate) const STORED_TOKEN: &str = include_str!("sql/stored_token.sql");
const ASK_TOKEN: &str = include_str!("sql/ask_token.sql");
const EXTEND_RENEWAL: &str = include_str!("sql/extend_renewal.sql");
const STORE_TOKEN: &str = include_str!("sql/store_token.sql");
const END_RENEWAL: &str = include_str!("sql/end_renewal.sql");
const REPLACE_TOKEN: &str = include_str!("sql/replace_token.sql");

/// How long a lease lasts unless its holder extends it: so long do the others wait for one that was killed or frozen.
pub const LEASE: Duration = Duration::from_secs(5);

/// For how long refused credentials are believed to be so. The run that met the refusal stops the account within that time; a check
/// that is accepted ends it at once.
const REFUSED_FOR: Duration = Duration::from_mins(1);
/// For how long others are told of throttling that stated no time, and of any other trouble.
const THROTTLED_FOR: Duration = Duration::from_secs(30);
const UNAVAILABLE_FOR: Duration = Duration::from_secs(2);
/// The longest that others are told of one failure.
const LONGEST_FAILURE: Duration = Duration::from_hours(1);

/// The tokens of one account, as one job of it shares them.
#[derive(Debug)]
pub struct AccountTokens {
    /// The database.
    pub database: Database,
    /// The job's scope.
    pub scope: SellerScope,
    /// The account.
    pub account: AccountId,
    /// The generation of the credentials that the job has.
    pub generation: i32,
    /// Seals tokens.
    pub cipher: Arc<SellerCipher>,
    /// How long a renewal's lease lasts unless it is extended.
    pub lease: Duration,
    /// The token that was stored when the job opened its credentials. It saves the first question.
    pub found: Mutex<Option<SealedToken>>,
}

impl AccountTokens {
    fn place(&self) -> Place {
        Place { table: "access_tokens", column: "token", row: *self.account.as_uuid() }
    }

    async fn run(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let session = self.database.session(&self.scope).await?;
        Ok(session.commit_with(&[(sql, params)]).await?.into_iter().flatten().collect())
    }

    /// Takes the token that the job found, unless it is to be renewed or was refused.
    fn take_found(&self, refused: Option<Uuid>) -> Option<StoredToken> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let is_right = found.generation == self.generation && Some(found.id) != refused;
        let stored = found.aged().filter(|_| is_right)?.open(&self.cipher, self.place()).ok()?;
        (!stored.times.renew_in.is_zero()).then_some(stored)
    }

    async fn question(&self, refused: Option<Uuid>) -> Result<Answer, Error> {
        let renewal = Uuid::now_v7();
        let params: Params<'_> =
            &[&self.account, &self.generation, &refused, &renewal, &self.lease.as_secs_f64()];
        let session = self.database.session(&self.scope).await?;
        // Waiting for a connection does not count: a token that came meanwhile is a new one.
        let asked_at = SystemTime::now();
        let answers = session.commit_with(&[(ASK_TOKEN, params)]).await?;
        let rows: Vec<Row> = answers.into_iter().flatten().collect();
        let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
        let sealed = SealedToken::from_row(row, self.generation, asked_at)?.and_then(SealedToken::aged);
        let unreadable = sealed.as_ref().map(|sealed| sealed.id);
        let living = match sealed.map(|sealed| sealed.open(&self.cipher, self.place())).transpose() {
            Ok(living) => living,
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "the stored token cannot be read, so a new one is fetched"
                );
                None
            }
        };
        Ok(Answer {
            renewal: row.try_get::<_, bool>("is_taken")?.then_some(renewal),
            is_current: row.try_get("is_current")?,
            unreadable: unreadable.filter(|_| living.is_none()),
            living,
            lease_left: seconds(row.try_get("lease_left")?),
            failure: row.try_get("failure")?,
            failed_for: seconds(row.try_get::<_, Option<f64>>("failed_for")?.unwrap_or_default()),
        })
    }

    fn seal(&self, token: &AccessToken) -> Option<Vec<u8>> {
        let sealed = self.cipher.seal(self.place(), token.expose().as_bytes());
        sealed.inspect_err(|error| tracing::warn!(error = chain(error), "the token cannot be sealed")).ok()
    }
}

/// What the database says to a question for a token.
struct Answer {
    renewal: Option<Uuid>,
    is_current: bool,
    unreadable: Option<Uuid>,
    living: Option<StoredToken>,
    lease_left: Duration,
    failure: Option<String>,
    failed_for: Duration,
}

impl Answer {
    fn turn(self, lease: Duration) -> Result<Turn, AdapterError> {
        if let Some(renewal) = self.renewal {
            return Ok(Turn::Renew { renewal, extend_every: lease / 4, living: self.living });
        }
        let retry_after = Some(self.failed_for);
        let failure = match self.failure.as_deref() {
            None => None,
            Some("REFUSED") => return Err(AdapterError::Unauthorized),
            Some("THROTTLED") => Some(AdapterError::RateLimited { retry_after }),
            // Without a time, so that the run is put off. Nobody waits in place for a marketplace that gives no token.
            Some(_) => Some(AdapterError::Unavailable {
                what: "another run of the account was given no token".to_owned(),
                retry_after: None,
            }),
        };
        match (self.living, failure) {
            (Some(stored), _) => Ok(Turn::Use(stored)),
            (None, Some(error)) => Err(error),
            // The job's credentials were replaced, or the account was disconnected. It is put off; if its run still goes on, it opens the
            // new ones.
            (None, None) if !self.is_current => {
                Err(AdapterError::TokenPending { retry_after: Duration::ZERO })
            }
            (None, None) => Ok(Turn::Wait(self.lease_left)),
        }
    }
}

#[async_trait]
impl SharedTokens for AccountTokens {
    async fn ask(&self, refused: Option<Uuid>) -> Result<Turn, AdapterError> {
        if let Some(found) = self.take_found(refused) {
            return Ok(Turn::Use(found));
        }
        let mut answer = self.question(refused).await;
        if let Ok(Answer { renewal: None, unreadable: Some(unreadable), .. }) = answer {
            answer = self.question(Some(unreadable)).await;
        }
        match answer {
            Ok(answer) => answer.turn(self.lease),
            Err(error) => {
                tracing::warn!(error = chain(&error), "the account's token is unknown");
                Err(AdapterError::TokenPending { retry_after: Duration::ZERO })
            }
        }
    }

    async fn extend(&self, renewal: Uuid) {
        let params: Params<'_> = &[&self.account, &renewal, &self.lease.as_secs_f64()];
        note(self.run(EXTEND_RENEWAL, params).await.map(drop), "a token's lease could not be extended");
    }

    async fn store(&self, renewal: Uuid, token: &AccessToken, times: TokenTimes) -> bool {
        let Some(sealed) = self.seal(token) else { return true };
        let (renew_in, expires_in) = (times.renew_in.as_secs_f64(), times.expires_in.as_secs_f64());
        let params: Params<'_> = &[&self.account, &renewal, &sealed, &renew_in, &expires_in];
        match self.run(STORE_TOKEN, params).await {
            Ok(stored) => !stored.is_empty(),
            Err(error) => {
                // The lease ends by itself, and the others fetch a token of their own.
                tracing::warn!(error = chain(&error), "the token could not be stored");
                true
            }
        }
    }

    async fn end(&self, renewal: Uuid, error: &AdapterError) {
        let (failure, told_for) = failure(error);
        let told_for = told_for.min(LONGEST_FAILURE).as_secs_f64();
        let params: Params<'_> = &[&self.account, &renewal, &failure, &told_for];
        note(self.run(END_RENEWAL, params).await.map(drop), "a token's lease could not be ended");
    }

    async fn replace(&self, token: &AccessToken, times: TokenTimes) -> Uuid {
        let id = Uuid::now_v7();
        if let Some(sealed) = self.seal(token) {
            let (renew_in, expires_in) = (times.renew_in.as_secs_f64(), times.expires_in.as_secs_f64());
            let params: Params<'_> = &[&self.account, &self.generation, &id, &sealed, &renew_in, &expires_in];
            note(self.run(REPLACE_TOKEN, params).await.map(drop), "a check's token could not be stored");
        }
        id
    }
}

/// What the account's other functions are told of a failure, and for how long.
fn failure(error: &AdapterError) -> (Option<&'static str>, Duration) {
    match error {
        AdapterError::Unauthorized => (Some("REFUSED"), REFUSED_FOR),
        AdapterError::RateLimited { retry_after } => {
            (Some("THROTTLED"), retry_after.unwrap_or(THROTTLED_FOR))
        }
        AdapterError::RateLimitReached { retry_after } => (Some("THROTTLED"), *retry_after),
        // This function's trouble alone.
        AdapterError::OutOfTime | AdapterError::TokenPending { .. } => (None, Duration::ZERO),
        other => (Some("UNAVAILABLE"), other.retry_after().unwrap_or(UNAVAILABLE_FOR)),
    }
}

fn note(done: Result<(), Error>, trouble: &str) {
    if let Err(error) = done {
        tracing::warn!(error = chain(&error), "{trouble}");
    }
}

/// A span of time from the database. One that is over is zero.
fn seconds(span: f64) -> Duration {
    Duration::try_from_secs_f64(span.max(0.0)).unwrap_or(Duration::MAX)
}
