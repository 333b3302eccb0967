//! The errors of a session, sorted by what a caller does about them.

use std::time::Duration;

use deadpool_postgres::{CreatePoolError, PoolError};
use tokio_postgres::error::SqlState;

/// SQLSTATEs raised by the migrations' own functions.
const NO_MEMBERSHIP: &str = "RB001";
const FOREIGN_ACCOUNT: &str = "RB002";
const NO_SCOPE: &str = "RB003";
const LEASE_LOST: &str = "RB004";
const SUSPENDED: &str = "RB005";
const RATE_LIMITED: &str = "RB006";
const KEY_USED: &str = "RB007";
const LAST_OWNER: &str = "RB008";
const IMPERSONATION_OVER: &str = "RB009";
const NOT_STAFF: &str = "RB010";
const TOO_MANY_SELLERS: &str = "RB011";
const TOO_MANY_CHANGES: &str = "RB012";
const OVER_BOUND: &str = "RB016";

/// Why a session failed. Texts never hold parameters or rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is not a member of the seller, or the seller does not exist: the two look alike on purpose.
    #[error("no membership of this seller")]
    NoMembership,
    /// A job names an account that does not belong to the seller.
    #[error("the account does not belong to the seller")]
    ForeignAccount,
    /// The database refused this to the scope.
    #[error("the database refuses this to the current scope")]
    Forbidden,
    /// A statement needed a scope that was not entered.
    #[error("no scope was entered")]
    NoScope,
    /// Another attempt holds the run.
    #[error("another attempt has taken the run over")]
    LeaseLost,
    /// The seller is suspended: it can be read and not changed.
    #[error("the seller is suspended")]
    Suspended,
    /// The seller sends more requests than it may.
    #[error("the seller sends too many requests; the next are answered in {retry_after:?}")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    KeyUsed,
    /// The seller would be left without an owner.
    #[error("a seller keeps at least one owner")]
    LastOwner,
    /// The impersonation session has ended, or never belonged to this seller and staff member.
    #[error("no live impersonation session of this seller")]
    ImpersonationOver,
    /// The person is not staff.
    #[error("not staff")]
    NotStaff,
    /// The person has signed up as many sellers as a person may.
    #[error("the person has signed up as many sellers as a person may")]
    TooManySellers,
    /// A bound within a period is reached.
    #[error("the bound {bound} is reached for {retry_after:?}")]
    OverBound {
        /// The bound's name.
        bound: String,
        /// How long until there is room again.
        retry_after: Duration,
    },
    /// The person has made as many changes today as a person may, in all or to this object.
    #[error("the person has made as many changes today as a person may")]
    TooManyChanges,
    /// A unique constraint is violated.
    #[error("a row with this key exists (constraint {constraint})")]
    Exists {
        /// The constraint's name.
        constraint: String,
    },
    /// A check or foreign key is violated.
    #[error("the row violates constraint {constraint}")]
    Violates {
        /// The constraint's name.
        constraint: String,
    },
    /// A statement, lock or transaction timed out, deadlocked or failed to serialize; another try may succeed.
    #[error("the database was too busy")]
    Busy,
    /// The transaction had failed before, so nothing was committed.
    #[error("the transaction had already failed; nothing was committed")]
    Aborted,
    /// A single row was expected.
    #[error("the statement returned {found} rows where one was expected")]
    RowCount {
        /// How many rows came.
        found: usize,
    },
    /// A row holds something that this build does not know.
    #[error("a row holds a value that this build does not know")]
    RowShape,
    /// No connection could be had.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection's configuration is wrong.
    #[error("the database connection is misconfigured: {what}")]
    Configuration {
        /// Which part is wrong.
        what: String,
    },
    /// Any other error of the driver or the server.
    #[error("a statement failed")]
    Statement(#[source] tokio_postgres::Error),
}

impl Error {
    /// Whether the same call may succeed later without a change on our side.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy | Self::Unreachable(_) => true,
            Self::Statement(_) => self.is_dead_connection(),
            _ => false,
        }
    }

    /// Whether the connection was gone, closed by the server or by something on the way.
    pub(crate) fn is_dead_connection(&self) -> bool {
        let Self::Statement(error) = self else { return false };
        let gone = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];
        error.is_closed() || error.code().is_some_and(|code| gone.contains(code))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database_error) = error.as_db_error() else {
            return Self::Statement(error);
        };
        let constraint = || database_error.constraint().unwrap_or_default().to_owned();
        match database_error.code().code() {
            NO_MEMBERSHIP => return Self::NoMembership,
            FOREIGN_ACCOUNT => return Self::ForeignAccount,
            NO_SCOPE => return Self::NoScope,
            LEASE_LOST => return Self::LeaseLost,
            SUSPENDED => return Self::Suspended,
            RATE_LIMITED => return Self::RateLimited { retry_after: seconds(database_error.detail()) },
            KEY_USED => return Self::KeyUsed,
            LAST_OWNER => return Self::LastOwner,
            IMPERSONATION_OVER => return Self::ImpersonationOver,
            NOT_STAFF => return Self::NotStaff,
            TOO_MANY_SELLERS => return Self::TooManySellers,
            OVER_BOUND => {
                return Self::OverBound {
                    bound: constraint(),
                    retry_after: seconds(database_error.detail()),
                };
            }
            TOO_MANY_CHANGES => return Self::TooManyChanges,
            // transaction_timeout (25P04) has no constant in the driver yet.
            "25P04" => return Self::Busy,
            _ => {}
        }
        match *database_error.code() {
            SqlState::INSUFFICIENT_PRIVILEGE => Self::Forbidden,
            SqlState::UNIQUE_VIOLATION => Self::Exists { constraint: constraint() },
            SqlState::CHECK_VIOLATION | SqlState::FOREIGN_KEY_VIOLATION => {
                Self::Violates { constraint: constraint() }
            }
            SqlState::IN_FAILED_SQL_TRANSACTION => Self::Aborted,
            SqlState::QUERY_CANCELED
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Self::Busy,
            _ => Self::Statement(error),
        }
    }
}

/// Returns the seconds in an error's detail, or one second.
fn seconds(detail: Option<&str>) -> Duration {
    Duration::from_secs(detail.and_then(|detail| detail.parse().ok()).unwrap_or(1))
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        Self::Unreachable(Box::new(error))
    }
}

impl From<CreatePoolError> for Error {
    fn from(error: CreatePoolError) -> Self {
        Self::Configuration { what: error.to_string() }
    }
}
