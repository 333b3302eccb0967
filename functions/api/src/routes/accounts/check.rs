//! Asking the marketplace whether it takes credentials, before they count as an account's.
//!
//! A check is counted in the database before the marketplace is asked (`begin_credential_check`, with the statement that reads what
//! there is to know), and ended when it has answered: with what is stored where it took them, by [`settle`] where it did not. No
//! connection to the database is held in between. A check that nobody ends counts as a refused one.

use std::time::{Duration, SystemTime};

use robnu_marketplace::contract::Connection;
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::details::{Credentials, DetailsSpec};
use robnu_marketplace::error::AdapterError;
use robnu_tenancy::{AccountId, Error, Row, SellerScope};
use tokio::time::timeout;
use uuid::Uuid;

use crate::context::Context;
use crate::problem::refusals::{
    CREDENTIALS_REFUSED, MARKETPLACE_NOT_CONFIGURED, NOT_PERMITTED, NOT_SELLING_HERE,
};
use crate::problem::{ApiError, Refusal};

/// Ends a check: `$1` check, `$2` one of [`Outcome`]'s texts.
pub(super) const END_CHECK: &str = include_str!("../../sql/accounts/end_credential_check.sql");

/// All calls to the marketplace together. API Gateway gives a request up after 30 seconds.
const CONVERSATION: Duration = Duration::from_secs(18);

/// When a conversation that begins now must be over, so that no call of it goes on alone.
pub(super) fn conversation_ends() -> Deadline {
    Deadline::at(SystemTime::now() + CONVERSATION)
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The marketplace takes the credentials.
    Accepted,
    /// There is nothing that it could be asked; the account lives on files.
    Uncheckable,
    /// It does not take them.
    Refused,
    /// Nothing was found out.
    Unanswered,
}

impl Outcome {
    /// What the database calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Uncheckable => "UNCHECKABLE",
            Self::Refused => "REFUSED",
            Self::Unanswered => "UNANSWERED",
        }
    }

    /// Whether the marketplace took the credentials.
    pub fn is_verified(self) -> bool {
        self == Self::Accepted
    }
}

/// Why credentials become no account's, and how that counts.
pub(super) struct Trouble {
    pub counts: Outcome,
    pub error: ApiError,
}

impl Trouble {
    /// Nothing was found out about the credentials, or nothing that would be a guess at them.
    pub fn unanswered(error: ApiError) -> Self {
        Self { counts: Outcome::Unanswered, error }
    }

    /// The marketplace does not take them.
    pub fn refused(refusal: &'static Refusal) -> Self {
        Self { counts: Outcome::Refused, error: ApiError::Refused(refusal) }
    }
}

impl From<AdapterError> for Trouble {
    fn from(error: AdapterError) -> Self {
        let reason = robnu_observe::chain(&error);
        match error {
            AdapterError::Unauthorized => Self::refused(&CREDENTIALS_REFUSED),
            AdapterError::Rejected { .. } => {
                tracing::warn!(error = reason, "the marketplace rejects a check of credentials");
                Self::refused(&CREDENTIALS_REFUSED)
            }
            AdapterError::RateLimited { retry_after } | AdapterError::Unavailable { retry_after, .. } => {
                tracing::warn!(error = reason, "the marketplace could not be asked");
                Self::unanswered(ApiError::MarketplaceUnavailable { retry_after })
            }
            AdapterError::Configuration { .. } => {
                tracing::error!(error = reason, "the marketplace cannot be asked by this deployment");
                Self::unanswered(ApiError::Refused(&MARKETPLACE_NOT_CONFIGURED))
            }
            AdapterError::NotPermitted { .. } => {
                tracing::warn!(error = reason, "the marketplace does not permit what a check asks");
                Self::unanswered(ApiError::Refused(&NOT_PERMITTED))
            }
            AdapterError::Malformed { .. }
            | AdapterError::Garbled { .. }
            | AdapterError::OutOfTime
            | AdapterError::RepeatedPage
            | AdapterError::Unsupported { .. } => {
                tracing::error!(error = reason, "the marketplace could not be asked");
                Self::unanswered(ApiError::MarketplaceUnavailable { retry_after: None })
            }
        }
    }
}

/// Refuses a check that the database did not begin: the row's `wait_seconds` says for how long. Null means that it was not asked
/// to, for a reason that is to be told before.
pub(super) fn require_begun(row: &Row) -> Result<(), ApiError> {
    match row.try_get::<_, Option<i32>>("wait_seconds").map_err(Error::from)? {
        Some(0) => Ok(()),
        Some(seconds) => {
            let retry_after = Duration::from_secs(u64::try_from(seconds).unwrap_or(1));
            Err(ApiError::TooManyRefusedChecks { retry_after })
        }
        None => Err(Error::RowShape.into()),
    }
}

/// The digest by which checks of these credentials are counted, where they have a user name.
pub(super) fn login_digest(
    context: &Context,
    marketplace: &str,
    spec: &DetailsSpec,
    credentials: &Credentials,
) -> Option<Vec<u8>> {
    spec.login_of(credentials).map(|login| context.digests.login(marketplace, login).to_vec())
}

/// Asks what there is to ask about credentials: whether they are taken, whether the account sells here, and whether it is the one
/// whose newest orders these are; if it is not, `of_another` is the answer.
pub(super) async fn ask(
    connection: &dyn Connection,
    newest_orders: &[String],
    of_another: &'static Refusal,
) -> Result<Outcome, Trouble> {
    match connection.check_credentials().await {
        Err(AdapterError::Unsupported { .. }) => return Ok(Outcome::Uncheckable),
        answer => answer?,
    }
    if !connection.sells_here().await? {
        return Err(Trouble::unanswered(ApiError::Refused(&NOT_SELLING_HERE)));
    }
    if !newest_orders.is_empty() && connection.owns_any(newest_orders).await? == Some(false) {
        return Err(Trouble::unanswered(ApiError::Refused(of_another)));
    }
    Ok(Outcome::Accepted)
}

/// Lets a conversation with the marketplace take its time, but not too much; where it comes to nothing, ends the check.
pub(super) async fn hold<T>(
    context: &Context,
    scope: &SellerScope,
    check: Uuid,
    conversation: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, ApiError> {
    let late = || Err(Trouble::unanswered(ApiError::MarketplaceUnavailable { retry_after: None }));
    match timeout(CONVERSATION, conversation).await.unwrap_or_else(|_| late()) {
        Ok(answer) => Ok(answer),
        Err(trouble) => {
            settle(context, scope, check, trouble.counts).await;
            Err(trouble.error)
        }
    }
}

/// Takes the count back when what the marketplace took was not stored after all, because the account is there already, say, or the
/// request was answered before.
pub(super) async fn unless_stored<T>(
    context: &Context,
    scope: &SellerScope,
    check: Uuid,
    stored: Result<T, ApiError>,
    is_stored: impl Fn(&T) -> bool,
) -> Result<T, ApiError> {
    if !stored.as_ref().is_ok_and(is_stored) {
        settle(context, scope, check, Outcome::Unanswered).await;
    }
    stored
}

/// Ends a check of which nothing is stored. Where that fails, it counts as refused: that is the safe side.
pub(super) async fn settle(context: &Context, scope: &SellerScope, check: Uuid, outcome: Outcome) {
    let ended = async {
        let session = context.database.session(scope).await?;
        session.commit_with(&[(END_CHECK, &[&check, &outcome.as_str()])]).await
    };
    if let Err(error) = ended.await {
        tracing::warn!(
            seller.id = %scope.seller_id(),
            error = robnu_observe::chain(&error),
            "a check of credentials was not ended and counts as refused"
        );
    }
}

/// The check's own account and id, made before anything is stored.
pub(super) struct Beginning {
    pub check: Uuid,
    pub account: AccountId,
}

impl Beginning {
    pub fn new() -> Self {
        Self { check: Uuid::now_v7(), account: AccountId::new() }
    }
}
