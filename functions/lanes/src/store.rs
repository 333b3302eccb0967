//! The account's row: takes its lease, stores the lane's new state, and releases the lease.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use robnu_dispatch::{LOCK_TURNS, OutboxMessage};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, Database, Error, Params, Row, SellerId, SystemScope};

use crate::error::LaneError;
use crate::lane::{LaneKind, LaneState, Standing};

const TAKE_LEASE: &str = include_str!("sql/take_lease.sql");
const STORE_LANE: &str = include_str!("sql/store_lane.sql");
const STORE_STATE: &str = include_str!("sql/store_state.sql");
const RELEASE_LEASE: &str = include_str!("sql/release_lease.sql");
const REQUEUE_RUNS: &str = include_str!("sql/requeue_runs.sql");
const QUEUED_RUNS: &str = include_str!("sql/queued_runs.sql");
const FIND_DIFFERING: &str = include_str!("sql/find_differing.sql");
const TAKE_CHECKS: &str = include_str!("sql/take_checks.sql");
const FIND_GENERATIONS: &str = include_str!("sql/find_generations.sql");
const FORGET_LANES: &str = include_str!("sql/forget_lanes.sql");
const COUNT_LANES: &str = include_str!("sql/count_lanes.sql");

/// The lease in seconds: at least the function's own timeout, so that the work never outlives the lease.
const LEASE_SECONDS: f64 = 60.0;

/// Which account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountKey {
    pub seller: SellerId,
    pub account: AccountId,
}

/// An account's lane under our lease.
#[derive(Debug)]
pub struct Lease {
    pub key: AccountKey,
    pub marketplace: String,
    pub standing: Standing,
    pub generation: i32,
    pub queue_url: Option<String>,
    pub mapping_id: Option<String>,
    until: DateTime<Utc>,
}

/// A lane's new state.
#[derive(Debug)]
pub struct Lane<'a> {
    pub state: LaneState,
    pub generation: i32,
    pub kind: LaneKind,
    pub queue_url: Option<&'a str>,
    pub mapping_id: Option<&'a str>,
}

impl Lane<'_> {
    /// Nothing exists, and the next queue gets another name.
    pub fn none(lease: &Lease, state: LaneState) -> Self {
        let generation = lease.generation.saturating_add(1);
        Lane { state, generation, kind: LaneKind::Dedicated, queue_url: None, mapping_id: None }
    }
}

/// Takes the lease on the lane; `None` while somebody else holds it.
pub async fn take_lease(database: &Database, key: AccountKey) -> Result<Option<Lease>, LaneError> {
    let rows = run(database, TAKE_LEASE, &[&key.seller, &key.account, &LEASE_SECONDS]).await?;
    let row = rows.first().ok_or(LaneError::UnknownAccount)?;
    if row.try_get::<_, Option<&str>>("wanted").map_err(Error::from)?.is_none() {
        return Ok(None);
    }
    Ok(Some(read_lease(row, key)?))
}

fn read_standing(row: &Row) -> Result<Standing, Error> {
    Ok(Standing {
        wanted: LaneState::parse(row.try_get("wanted")?)?,
        state: LaneState::parse(row.try_get("lane_state")?)?,
        wanted_kind: LaneKind::parse(row.try_get("lane_kind")?)?,
        kind: if row.try_get("lane_shared")? { LaneKind::Shared } else { LaneKind::Dedicated },
    })
}

fn read_lease(row: &Row, key: AccountKey) -> Result<Lease, Error> {
    Ok(Lease {
        key,
        standing: read_standing(row)?,
        marketplace: row.try_get("marketplace_code")?,
        generation: row.try_get("lane_generation")?,
        queue_url: row.try_get("lane_queue_url")?,
        mapping_id: row.try_get("lane_mapping_id")?,
        until: row.try_get("lane_lease_until")?,
    })
}

/// Stores queue, mapping, kind and generation.
pub async fn store_lane(database: &Database, lease: &Lease, lane: &Lane<'_>) -> Result<(), LaneError> {
    store(database, lease, lane, &[]).await
}

/// Stores that the account has left its lane, whose messages are lost, and lets the runs that were sent there count as unsent.
pub async fn leave_lane(database: &Database, lease: &Lease) -> Result<(), LaneError> {
    let AccountKey { seller, account } = lease.key;
    let kinds = RunKind::Orders.takes_turns_with();
    let lane = Lane::none(lease, LaneState::Requested);
    store(database, lease, &lane, &[(REQUEUE_RUNS, &[&seller, &account, &kinds])]).await
}

async fn store(
    database: &Database,
    lease: &Lease,
    lane: &Lane<'_>,
    also: &[(&'static str, Params<'_>)],
) -> Result<(), LaneError> {
    let shared = lane.kind == LaneKind::Shared;
    let params: Params<'_> = &[
        &lease.key.seller,
        &lease.key.account,
        &lease.until,
        &lease.generation,
        &lane.state.as_str(),
        &lane.generation,
        &lane.queue_url,
        &lane.mapping_id,
        &shared,
    ];
    // No slice of the account ends meanwhile: what such a slice queues has either the old queue's address, and is queued anew here, or none.
    let account: Params<'_> = &[&lease.key.account];
    let mut session = database.session(&SystemScope::Lanes).await?;
    let stored = session.pipeline(&[(LOCK_TURNS, account), (STORE_LANE, params)]).await?;
    if stored.iter().flatten().nth(1).is_none() {
        session.rollback().await?;
        return Err(LaneError::LeaseLost);
    }
    session.commit_with(also).await?;
    Ok(())
}

/// Stores only the state.
pub async fn store_state(database: &Database, lease: &Lease, state: LaneState) -> Result<(), LaneError> {
    let params: Params<'_> =
        &[&lease.key.seller, &lease.key.account, &lease.until, &lease.generation, &state.as_str()];
    let stored = run(database, STORE_STATE, params).await?;
    stored.first().map(|_| ()).ok_or(LaneError::LeaseLost)
}

/// Releases the lease and returns how the lane stands now.
pub async fn release(database: &Database, lease: &Lease) -> Result<Standing, LaneError> {
    let rows = run(database, RELEASE_LEASE, &[&lease.key.seller, &lease.key.account, &lease.until]).await?;
    Ok(read_standing(rows.first().ok_or(LaneError::LeaseLost)?)?)
}

/// The account's queued runs.
pub async fn queued_runs(database: &Database, key: AccountKey) -> Result<Vec<OutboxMessage>, Error> {
    let rows = database.read(&SystemScope::Lanes, QUEUED_RUNS, &[&key.seller, &key.account]).await?;
    rows.iter().filter_map(|row| OutboxMessage::from_row(row).transpose()).collect()
}

/// Accounts whose lane differs from its wanted state; sellers take turns.
pub async fn find_differing(database: &Database, limit: i64) -> Result<Vec<AccountKey>, Error> {
    read_keys(&database.read(&SystemScope::Lanes, FIND_DIFFERING, &[&limit]).await?)
}

/// Takes the active lanes that have waited longest for a check, for at least this many seconds.
pub async fn take_checks(
    database: &Database,
    limit: i64,
    unseen_seconds: f64,
) -> Result<Vec<AccountKey>, LaneError> {
    Ok(read_keys(&run(database, TAKE_CHECKS, &[&limit, &unseen_seconds]).await?)?)
}

/// The number of lanes that are polled.
pub async fn count_lanes(database: &Database) -> Result<i64, Error> {
    let rows = database.read(&SystemScope::Lanes, COUNT_LANES, &[]).await?;
    Ok(rows.first().ok_or(Error::RowCount { found: 0 })?.try_get("lanes")?)
}

/// The present generations of these accounts' lanes, without accounts that do not exist.
pub async fn find_generations(
    database: &Database,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, i32>, Error> {
    let rows = database.read(&SystemScope::Lanes, FIND_GENERATIONS, &[&accounts]).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("lane_generation")?))).collect()
}

/// Forgets at most so many lanes that are removed with their stack, and returns how many.
pub async fn forget_lanes(database: &Database, limit: i64) -> Result<usize, LaneError> {
    Ok(run(database, FORGET_LANES, &[&limit]).await?.len())
}

fn read_keys(rows: &[Row]) -> Result<Vec<AccountKey>, Error> {
    rows.iter()
        .map(|row| Ok(AccountKey { seller: row.try_get("seller_id")?, account: row.try_get("id")? }))
        .collect()
}

async fn run(database: &Database, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, LaneError> {
    let session = database.session(&SystemScope::Lanes).await?;
    Ok(session.commit_with(&[(sql, params)]).await?.swap_remove(0))
}
