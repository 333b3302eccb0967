//! The pace of an account's calls, kept in the database as token buckets (rate limits): so it holds over all functions that work for
//! the account, and over restarts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use robnu_marketplace::pace::{GrantedRates, Operation, Pace, Rate};
use robnu_observe::chain;
use robnu_tenancy::{AccountId, Database, Error, Params, SellerScope};

const TAKE_CALL: &str = include_str!("sql/take_call.sql");
const PAUSED_CALL: &str = include_str!("sql/paused_call.sql");
const EMPTY_BUCKET: &str = include_str!("sql/empty_bucket.sql");

/// The longest wait that a marketplace can impose.
const LONGEST_WAIT: f64 = 86_400.0;

/// The pace of one account.
#[derive(Debug)]
pub struct AccountPace {
    /// The database.
    pub database: Database,
    /// The job's scope.
    pub scope: SellerScope,
    /// The account.
    pub account: AccountId,
    /// Rates that the deployment was granted.
    pub granted: Arc<GrantedRates>,
}

impl AccountPace {
    async fn ask(&self, operation: &Operation) -> Result<f64, Error> {
        let name = operation.name;
        let session = self.database.session(&self.scope).await?;
        let answers = match self.granted.rate_of(operation) {
            Some(rate) => {
                let (refill, calls) = bucket(rate);
                session.commit_with(&[(TAKE_CALL, &[&self.account, &name, &refill, &calls])]).await?
            }
            None => session.commit_with(&[(PAUSED_CALL, &[&self.account, &name])]).await?,
        };
        let row = answers.iter().flatten().next();
        row.map_or(Ok(0.0), |row| Ok(row.try_get("wait_seconds")?))
    }

    async fn empty(&self, operation: &Operation, pause: Duration) -> Result<(), Error> {
        let (refill, calls) = self.granted.rate_of(operation).map_or((0.0, 1.0), bucket);
        let full_after = pause.as_secs_f64().min(LONGEST_WAIT) + refill * (calls - 1.0);
        let params: Params<'_> = &[&self.account, &operation.name, &full_after];
        self.database.session(&self.scope).await?.commit_with(&[(EMPTY_BUCKET, params)]).await.map(drop)
    }
}

/// The seconds in which one call is refilled, and the calls that the bucket holds. Calls reach the marketplace a little closer together
/// than they were taken here, so one call stays in reserve.
fn bucket(rate: Rate) -> (f64, f64) {
    let calls = rate.burst.saturating_sub(1).max(1);
    ((1.0 / rate.per_second).clamp(0.0, LONGEST_WAIT), f64::from(calls))
}

#[async_trait]
impl Pace for AccountPace {
    /// Without a database no call is held back: the page could not be stored either, and the run ends there.
    async fn take(&self, operation: &Operation) -> Duration {
        match self.ask(operation).await {
            Ok(wait) if wait > 0.0 => Duration::from_secs_f64(wait.min(LONGEST_WAIT)),
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the pace of calls is unknown");
                Duration::ZERO
            }
        }
    }

    async fn refused(&self, operation: &Operation, pause: Duration) {
        tracing::info!(
            operation = operation.name,
            pause.seconds = pause.as_secs_f64(),
            "the marketplace throttles"
        );
        if let Err(error) = self.empty(operation, pause).await {
            tracing::warn!(error = chain(&error), "the pause could not be shared");
        }
    }
}
