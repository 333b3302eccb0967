//! The errors between an adapter and its marketplace, sorted by what the engine does about them.

use std::time::Duration;

/// Why a marketplace call returned no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The marketplace throttles the account: the run waits.
    #[error("the marketplace is throttling this account")]
    RateLimited {
        /// How long the marketplace asks to wait.
        retry_after: Option<Duration>,
    },
    /// Our own count of calls (rate limit) holds this one back, so the marketplace was not asked: the run waits.
    #[error("this account's calls are held back so that they keep the marketplace's rate limit")]
    RateLimitReached {
        /// When the next call may begin.
        retry_after: Duration,
    },
    /// Another function is asking the marketplace for the account's next token: the run waits.
    #[error("another run of this account is signing in at the marketplace")]
    TokenPending {
        /// When that function's lease ends at the latest, unless it extends it.
        retry_after: Duration,
    },
    /// The marketplace is down, times out or answers 5xx: the run waits.
    #[error("the marketplace is unavailable: {what}")]
    Unavailable {
        /// The status or the kind of transport failure; never a URL or body.
        what: String,
        /// How long the marketplace asks to wait.
        retry_after: Option<Duration>,
    },
    /// The marketplace refuses the credentials, also after one refresh: the account must be reconnected.
    #[error("the marketplace refuses this account's credentials")]
    Unauthorized,
    /// The marketplace says that the request is wrong: the run fails.
    #[error("the marketplace rejected the request with status {status}{}", code.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The marketplace's error code, if it gave one.
        code: Option<String>,
    },
    /// The token is good, but the account or its application lacks a permission: the run fails, and nobody has to connect
    /// again. A marketplace that refuses a token which it has just issued means this.
    #[error(
        "the marketplace does not permit this account to {what}; check the permissions (roles) granted there"
    )]
    NotPermitted {
        /// What the call was meant to do.
        what: &'static str,
    },
    /// The response is not JSON, or is cut off, as when a proxy answers instead of the marketplace: the run waits.
    #[error("the marketplace's response cannot be read: {what}")]
    Garbled {
        /// Which response, without its content.
        what: String,
    },
    /// Too little of the function's time is left to begin a call: the remaining work becomes the next step.
    #[error("there is too little time left to ask the marketplace")]
    OutOfTime,
    /// The page as a whole is JSON but does not follow the contract: the run fails.
    #[error("the marketplace's response does not follow its contract: {what}")]
    Malformed {
        /// Which part, without its content.
        what: String,
    },
    /// The same page or token came twice: the run fails instead of looping.
    #[error("the marketplace repeated a page")]
    RepeatedPage,
    /// The adapter cannot do this for the account: the run fails.
    #[error("this marketplace account cannot be asked for {what}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// Details, the base URL or the platform's own application are missing, malformed or refused.
    #[error("the account or deployment is not configured: {what}")]
    Configuration {
        /// The missing piece's name.
        what: &'static str,
    },
}

impl AdapterError {
    /// Returns how long the marketplace or we ourselves ask to wait, if anybody does.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::RateLimitReached { retry_after } | Self::TokenPending { retry_after } => Some(*retry_after),
            Self::Unauthorized
            | Self::Rejected { .. }
            | Self::NotPermitted { .. }
            | Self::Garbled { .. }
            | Self::OutOfTime
            | Self::Malformed { .. }
            | Self::RepeatedPage
            | Self::Unsupported { .. }
            | Self::Configuration { .. } => None,
        }
    }
}
