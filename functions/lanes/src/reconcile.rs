//! A round of all lanes: every lane whose state differs from what its account wants, then queues that no row has, then some lanes
//! that have waited longest for a check.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde::Serialize;
use tokio::time::Instant;

use crate::by_itself::{AT_ONCE, by_itself};
use crate::context::Context;
use crate::error::LaneError;
use crate::orphans::remove_orphans;
use crate::settle::{Care, Outcome, settle};
use crate::store::{self, AccountKey};

/// The most accounts with differing lanes that one round reads: more than it can work on.
const DIFFERING: i64 = 10_000;
/// Lanes taken for a check at once: only as many as can be worked on, because a taken lane must then wait for its next turn.
const FEW: usize = AT_ONCE * 4;
/// Lanes checked in one round: what the pace of calls lets it do in half a minute, so that rounds with nothing else to do end in time.
const CHECKS: usize = 100;
/// The shortest time between two checks of a lane, in seconds.
const UNSEEN_SECONDS: f64 = 3_600.0;
/// No work goes on with less time left than this.
const RESERVE: Duration = Duration::from_secs(5);
/// How long before that the last lane begins. A lane that is cut off keeps its lease, and its calls are made again.
const ONE_LANE: Duration = Duration::from_secs(3);

/// The report of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Accounts whose lane differed from its wanted state.
    pub differing: usize,
    /// Active lanes whose queue and mapping were checked.
    pub checked: usize,
    /// Lanes made or enabled.
    pub opened: usize,
    /// Lanes disabled.
    pub paused: usize,
    /// Lanes deleted.
    pub retired: usize,
    /// Lanes that differed from their row and were repaired.
    pub repaired: usize,
    /// Queues that no account's row has, removed.
    pub orphans: usize,
    /// Lanes of marketplaces without a deployed adapter.
    pub without_target: usize,
    /// Lanes that another invocation was working on.
    pub busy: usize,
    /// Lanes that could not be brought to their wanted state; each was logged.
    pub failed: usize,
    /// Lanes that are polled when the round is over: each costs money, used or not.
    pub lanes: i64,
    /// Whether time ran out; the next round goes on.
    pub time_short: bool,
}

impl Report {
    /// Whether the round changed anything: another one right after it may then go on with the rest.
    pub(crate) fn has_moved(&self) -> bool {
        self.opened + self.paused + self.retired + self.repaired + self.orphans > 0
    }
}

/// Does one round.
pub async fn reconcile(context: &Context, deadline: Instant) -> Result<Report, LaneError> {
    let stop_at = deadline.checked_sub(RESERVE + ONE_LANE).unwrap_or(deadline);
    let mut report = Report::default();
    settle_differing(context, stop_at, &mut report).await?;
    if !out_of_time(stop_at, &mut report) {
        let orphans = remove_orphans(context, stop_at).await?;
        report.orphans = orphans.removed;
        report.failed += orphans.failed;
        report.time_short |= orphans.time_short;
    }
    check_some(context, stop_at, &mut report).await?;
    report.lanes = store::count_lanes(&context.database).await?;
    tracing::info!(
        sweep = "lane-reconcile",
        differing = report.differing,
        checked = report.checked,
        opened = report.opened,
        paused = report.paused,
        retired = report.retired,
        repaired = report.repaired,
        orphans = report.orphans,
        without_target = report.without_target,
        busy = report.busy,
        failed = report.failed,
        lanes = report.lanes,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

async fn settle_differing(context: &Context, stop_at: Instant, report: &mut Report) -> Result<(), LaneError> {
    if out_of_time(stop_at, report) {
        return Ok(());
    }
    let differing = store::find_differing(&context.database, DIFFERING).await?;
    report.differing = differing.len();
    for few in differing.chunks(FEW) {
        if out_of_time(stop_at, report) {
            return Ok(());
        }
        work(context, few.to_vec(), Care::PassingBy, stop_at, report).await;
    }
    Ok(())
}

async fn check_some(context: &Context, stop_at: Instant, report: &mut Report) -> Result<(), LaneError> {
    while report.checked < CHECKS && !out_of_time(stop_at, report) {
        let few = i64::try_from(FEW).unwrap_or(1);
        let lanes = store::take_checks(&context.database, few, UNSEEN_SECONDS).await?;
        if lanes.is_empty() {
            return Ok(());
        }
        report.checked += lanes.len();
        work(context, lanes, Care::Checking, stop_at, report).await;
    }
    Ok(())
}

fn out_of_time(stop_at: Instant, report: &mut Report) -> bool {
    let is_over = Instant::now() >= stop_at;
    report.time_short |= is_over;
    is_over
}

async fn work(context: &Context, lanes: Vec<AccountKey>, care: Care, stop_at: Instant, report: &mut Report) {
    let mut answers = stream::iter(lanes)
        .map(|key| async move {
            if Instant::now() >= stop_at {
                return (key, Err(LaneError::OutOfTime));
            }
            let cut_at = stop_at + ONE_LANE;
            (key, by_itself(cut_at, Box::pin(settle(context, key, care, cut_at))).await)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((key, answer)) = answers.next().await {
        count(key, answer, report);
    }
}

fn count(key: AccountKey, answer: Result<Outcome, LaneError>, report: &mut Report) {
    match answer {
        Ok(Outcome::Unchanged) => {}
        Ok(Outcome::Opened) => report.opened += 1,
        Ok(Outcome::Paused) => report.paused += 1,
        Ok(Outcome::Retired) => report.retired += 1,
        Ok(Outcome::Repaired) => report.repaired += 1,
        Ok(Outcome::WithoutTarget) => report.without_target += 1,
        Err(LaneError::Busy) => report.busy += 1,
        Err(LaneError::OutOfTime) => report.time_short = true,
        Err(error) => {
            report.failed += 1;
            tracing::error!(
                seller.id = %key.seller,
                account.id = %key.account,
                error = robnu_observe::chain(&error),
                "the lane could not be brought in order"
            );
        }
    }
}
