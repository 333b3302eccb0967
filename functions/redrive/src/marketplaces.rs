//! How each marketplace is doing, and which accounts keep it busy. It shows a marketplace that is down, and a seller who floods.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Params, Row, RunId, SellerId, SystemScope};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;

const MARKETPLACES: &str = include_str!("sql/marketplaces.sql");
const BUSIEST: &str = include_str!("sql/busiest.sql");

/// Accounts that are named as the busiest.
const MOST_BUSY: i64 = 10;

/// All marketplaces, and the busiest accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundMarketplaces {
    /// The marketplaces, by their codes.
    pub marketplaces: Vec<FoundMarketplace>,
    /// The accounts with the most live runs, those of the busiest seller first.
    pub busiest: Vec<BusyAccount>,
}

/// A marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundMarketplace {
    /// Its code.
    pub marketplace: String,
    /// Since when operators hold it, if they do.
    pub held_at: Option<DateTime<Utc>>,
    /// Its accounts that are not disconnected.
    pub accounts: i64,
    /// Those that take runs as far as their sellers are concerned.
    pub active_accounts: i64,
    /// Those whose credentials are refused.
    pub accounts_to_reconnect: i64,
    /// Live runs that wait to be taken.
    pub queued: i64,
    /// Live runs that an adapter works on.
    pub running: i64,
    /// Live runs that wait for an instant, for example after an error.
    pub waiting: i64,
    /// Live runs whose last attempt failed.
    pub runs_with_error: i64,
    /// The error that most of those have.
    pub commonest_error: Option<String>,
    /// The run that has waited longest of those that could go on.
    pub oldest_waiting: Option<OldestRun>,
    /// Runs made in the last hour.
    pub made: i64,
    /// Those of them that succeeded.
    pub succeeded: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// The error that most of the failed ones have.
    pub failed_of: Option<String>,
    /// Open dead letters.
    pub dead_letters: i64,
}

/// A run that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OldestRun {
    /// Its id.
    pub run_id: RunId,
    /// The seller.
    pub seller_id: SellerId,
    /// The account.
    pub account_id: AccountId,
    /// What it reads.
    pub kind: String,
    /// Since when it waits.
    pub since: DateTime<Utc>,
    /// Why its last attempt failed, if it did.
    pub error_code: Option<String>,
}

/// An account with live runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusyAccount {
    /// The marketplace's code.
    pub marketplace: String,
    /// The seller.
    pub seller_id: SellerId,
    /// The account.
    pub account_id: AccountId,
    /// Its live runs.
    pub live_runs: i64,
    /// Those of them that read files.
    pub of_files: i64,
    /// The live runs of all accounts of the seller.
    pub live_runs_of_seller: i64,
    /// Since when the oldest of the account's runs waits that nobody works on.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Finds all marketplaces and the busiest accounts.
pub(crate) async fn marketplaces(context: &Context) -> Result<FoundMarketplaces, RedriveError> {
    read(context).await.map_err(RedriveError::Overview)
}

async fn read(context: &Context) -> Result<FoundMarketplaces, Error> {
    let (all, most): (Params<'_>, Params<'_>) = (&[], &[&MOST_BUSY]);
    let session = context.database.session(&SystemScope::Redrive).await?;
    let answers = session.commit_with(&[(MARKETPLACES, all), (BUSIEST, most)]).await?;
    let [marketplaces, busiest] = answers.as_slice() else { return Err(Error::RowCount { found: 0 }) };
    Ok(FoundMarketplaces {
        marketplaces: marketplaces.iter().map(FoundMarketplace::from_row).collect::<Result<_, _>>()?,
        busiest: busiest.iter().map(BusyAccount::from_row).collect::<Result<_, _>>()?,
    })
}

impl FoundMarketplace {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            marketplace: row.try_get("marketplace")?,
            held_at: row.try_get("held_at")?,
            accounts: row.try_get("accounts")?,
            active_accounts: row.try_get("active_accounts")?,
            accounts_to_reconnect: row.try_get("accounts_to_reconnect")?,
            queued: row.try_get("queued")?,
            running: row.try_get("running")?,
            waiting: row.try_get("waiting")?,
            runs_with_error: row.try_get("runs_with_error")?,
            commonest_error: row.try_get("commonest_error")?,
            oldest_waiting: OldestRun::from_row(row)?,
            made: row.try_get("made")?,
            succeeded: row.try_get("succeeded")?,
            failed: row.try_get("failed")?,
            failed_of: row.try_get("failed_of")?,
            dead_letters: row.try_get("dead_letters")?,
        })
    }
}

impl OldestRun {
    fn from_row(row: &Row) -> Result<Option<Self>, Error> {
        let Some(run_id) = row.try_get("oldest_run")? else { return Ok(None) };
        Ok(Some(Self {
            run_id,
            seller_id: row.try_get("oldest_seller")?,
            account_id: row.try_get("oldest_account")?,
            kind: row.try_get("oldest_kind")?,
            since: row.try_get("oldest_since")?,
            error_code: row.try_get("oldest_error")?,
        }))
    }
}

impl BusyAccount {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            marketplace: row.try_get("marketplace")?,
            seller_id: row.try_get("seller_id")?,
            account_id: row.try_get("account_id")?,
            live_runs: row.try_get("live_runs")?,
            of_files: row.try_get("of_files")?,
            live_runs_of_seller: row.try_get("live_runs_of_seller")?,
            oldest_waiting: row.try_get("oldest_waiting")?,
        })
    }
}
