//! Asks the marketplace whether it accepts credentials, before they become an account's.
//!
//! A check is counted in the database before the marketplace is asked (`begin_credential_check`, in the statement that reads
//! the terms). It is ended after the response: together with the stored account if the credentials were accepted, by
//! [`settle`] if not. No connection to the database is held in between. A check that is never ended counts as refused.

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

/// The bound of all calls to the marketplace together. API Gateway gives up on a request after 30 seconds.
const CONVERSATION: Duration = Duration::from_secs(18);

/// When a conversation that begins now must be over, so that none of its calls goes on unattended.
pub(super) fn conversation_ends() -> Deadline {
    Deadline::at(SystemTime::now() + CONVERSATION)
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The marketplace accepts the credentials.
    Accepted,
    /// The marketplace has nothing to ask; the account lives on uploaded files.
    Uncheckable,
    /// The marketplace refuses them.
    Refused,
    /// The check found nothing out.
    Unanswered,
}

impl Outcome {
    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Uncheckable => "UNCHECKABLE",
            Self::Refused => "REFUSED",
            Self::Unanswered => "UNANSWERED",
        }
    }

    /// Whether the marketplace accepted the credentials.
    pub fn is_verified(self) -> bool {
        self == Self::Accepted
    }
}

/// Why credentials were not stored, and how the check counts.
pub(super) struct Trouble {
    pub counts: Outcome,
    pub error: ApiError,
}

impl Trouble {
    /// The check found nothing out about the credentials, or nothing that would help to guess them.
    pub fn unanswered(error: ApiError) -> Self {
        Self { counts: Outcome::Unanswered, error }
    }

    /// The marketplace refuses them.
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
            | AdapterError::RateLimitReached { .. }
            | AdapterError::TokenPending { .. }
            | AdapterError::RepeatedPage
            | AdapterError::Unsupported { .. } => {
                tracing::error!(error = reason, "the marketplace could not be asked");
                Self::unanswered(ApiError::MarketplaceUnavailable { retry_after: None })
            }
        }
    }
}

/// Refuses a check that the database did not begin: the row's `wait_seconds` says how long to wait. Null means that it was
/// not asked to begin one, for a reason that is reported first.
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

/// The digest by which checks of these credentials are counted, if they have a user name.
pub(super) fn login_digest(
    context: &Context,
    marketplace: &str,
    spec: &DetailsSpec,
    credentials: &Credentials,
) -> Option<Vec<u8>> {
    spec.login_of(credentials).map(|login| context.digests.login(marketplace, login).to_vec())
}

/// Asks the marketplace whether it accepts the credentials, whether the account sells here, and whether the newest orders
/// are this account's. If they are not, the result is `of_another`.
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

/// Bounds the time of a conversation with the marketplace, and ends the check when the conversation fails.
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

/// Takes the count back when accepted credentials were not stored after all, for example because the account exists already
/// or the request was done before.
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

/// Ends a check of which nothing is stored. If ending it fails, it counts as refused: that is the safe side.
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
