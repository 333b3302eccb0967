//! Brings one account's lane to its wanted state.

use std::time::Duration;

use robnu_dispatch::{lane_account, lane_queue_name, mark_sent};
use robnu_tenancy::SystemScope;
use tokio::time::{Instant, sleep};

use crate::config::Target;
use crate::context::Context;
use crate::error::LaneError;
use crate::lane::{LaneKind, LaneState, Step, next_step};
use crate::queues::Condition;
use crate::store::{AccountKey, Lane, Lease};
use crate::{mappings, queues, shared, store};

/// The rounds after which an account counts as one that keeps changing.
const ROUNDS: usize = 6;
/// How long to wait for another invocation to finish with a lane, and how often to ask.
const PATIENCE: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_millis(150);

/// How thoroughly to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// A lane request: wait for the lease holder.
    Asked,
    /// A round of all lanes: skip a lane whose lease somebody holds.
    PassingBy,
    /// A round that does not trust the row: check queue and mapping.
    Checking,
}

/// The result of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The lane was already as wanted.
    Unchanged,
    /// It was made, or its mapping enabled.
    Opened,
    /// Its mapping was disabled.
    Paused,
    /// It was deleted.
    Retired,
    /// It differed from its row and was repaired.
    Repaired,
    /// No adapter is deployed for the account's marketplace.
    WithoutTarget,
}

/// Works on one lane until it has the wanted state, even if that changes meanwhile.
pub async fn settle(
    context: &Context,
    key: AccountKey,
    care: Care,
    deadline: Instant,
) -> Result<Outcome, LaneError> {
    let mut total = Outcome::Unchanged;
    let mut checked = false;
    for _ in 0..ROUNDS {
        let lease = wait_for_lease(context, key, care).await?;
        let worked = match next_step(lease.standing) {
            Some(step) => take_step(context, &lease, step, deadline).await,
            None if care == Care::Checking && !checked && lease.standing.state == LaneState::Active => {
                checked = true;
                check(context, &lease).await
            }
            None => Ok(Outcome::Unchanged),
        };
        let released = store::release(&context.database, &lease).await;
        total = add(total, worked?);
        if total == Outcome::WithoutTarget || next_step(released?).is_none() {
            return Ok(total);
        }
    }
    Err(LaneError::Unsettled)
}

/// A repair takes several rounds and is reported as a repair; otherwise the last step counts.
fn add(total: Outcome, next: Outcome) -> Outcome {
    match (total, next) {
        (Outcome::Repaired, _) | (_, Outcome::Unchanged) => total,
        (_, done) => done,
    }
}

async fn wait_for_lease(context: &Context, key: AccountKey, care: Care) -> Result<Lease, LaneError> {
    let patience_ends = Instant::now() + PATIENCE;
    loop {
        if let Some(lease) = store::take_lease(&context.database, key).await? {
            return Ok(lease);
        }
        if care != Care::Asked || Instant::now() >= patience_ends {
            return Err(LaneError::Busy);
        }
        sleep(ASK_EVERY).await;
    }
}

async fn take_step(
    context: &Context,
    lease: &Lease,
    step: Step,
    deadline: Instant,
) -> Result<Outcome, LaneError> {
    let Some(target) = context.config.targets.get(&lease.marketplace) else {
        tracing::warn!(
            seller.id = %lease.key.seller,
            account.id = %lease.key.account,
            marketplace = lease.marketplace,
            "no adapter is deployed for this marketplace; the lane stays as it is"
        );
        return Ok(Outcome::WithoutTarget);
    };
    let is_shared = lease.standing.kind == LaneKind::Shared;
    match step {
        Step::Open if lease.standing.wanted_kind == LaneKind::Shared => {
            shared::open(context, lease, target, deadline).await
        }
        Step::Open => open(context, lease, target, deadline).await,
        // Its queue goes on for the other accounts. The runs of a paused account are not taken there (take_lease.sql of dispatch).
        Step::Pause if is_shared => {
            store::store_state(&context.database, lease, LaneState::Paused).await?;
            Ok(Outcome::Paused)
        }
        Step::Pause => {
            mappings::pause(context, &target.queue_arn(&queue_name(context, lease))).await?;
            store::store_state(&context.database, lease, LaneState::Paused).await?;
            Ok(Outcome::Paused)
        }
        Step::Retire => {
            if !is_shared {
                delete(context, lease, target).await?;
            }
            let lane = Lane::none(lease, LaneState::Retired);
            store::store_lane(&context.database, lease, &lane).await?;
            Ok(Outcome::Retired)
        }
        // The account keeps its lane when it could not have the other one.
        Step::Leave
            if lease.standing.wanted_kind == LaneKind::Shared
                && shared::parallel_queue(context, lease).is_none() =>
        {
            Ok(Outcome::WithoutTarget)
        }
        Step::Leave => {
            if !is_shared {
                delete(context, lease, target).await?;
            }
            store::leave_lane(&context.database, lease).await?;
            Ok(Outcome::Retired)
        }
    }
}

/// Makes the missing parts, enables the mapping, and publishes the runs that waited. When SQS refuses the name, the next
/// round tries the next one.
async fn open(
    context: &Context,
    lease: &Lease,
    target: &Target,
    deadline: Instant,
) -> Result<Outcome, LaneError> {
    let name = queue_name(context, lease);
    // Lambda's calls are scarce, and a queue that does not exist yet has no mapping to look for.
    let existed = queues::find(&context.sqs, &name).await?.is_some();
    let made = queues::make(&context.sqs, &context.config, target, &name, lease.key).await?;
    let Some(queue_url) = made else {
        move_on(context, lease).await?;
        return Ok(Outcome::Unchanged);
    };
    let queue_arn = target.queue_arn(&name);
    let mapping_id = mappings::open(context, &queue_arn, &target.function_arn, existed).await?;
    store_active(context, lease, &queue_url, &mapping_id).await?;
    publish(context, lease.key, deadline).await;
    Ok(Outcome::Opened)
}

/// Deletes the lane's own mapping and queue. The mapping goes first, so that nothing polls a deleted queue.
pub(crate) async fn delete(context: &Context, lease: &Lease, target: &Target) -> Result<(), LaneError> {
    let name = queue_name(context, lease);
    mappings::delete(context, &target.queue_arn(&name)).await?;
    // A queue may have been made but not stored in the row.
    let queue_url = match &lease.queue_url {
        Some(url) if lane_account(url) == Some(lease.key.account) => Some(url.clone()),
        _ => queues::find(&context.sqs, &name).await?,
    };
    if let Some(url) = queue_url {
        queues::delete(&context.sqs, &url).await?;
    }
    Ok(())
}

/// Checks an active lane's queue and mapping, and repairs what differs from the row.
async fn check(context: &Context, lease: &Lease) -> Result<Outcome, LaneError> {
    let Some(target) = context.config.targets.get(&lease.marketplace) else {
        return Ok(Outcome::WithoutTarget);
    };
    if lease.standing.kind == LaneKind::Shared {
        return shared::check(context, lease).await;
    }
    let queue_arn = target.queue_arn(&queue_name(context, lease));
    let condition = match &lease.queue_url {
        Some(url) => queues::inspect(&context.sqs, &context.config, target, url).await?,
        None => Condition::Gone,
    };
    let (Some(queue_url), true) = (&lease.queue_url, condition != Condition::Gone) else {
        mappings::delete(context, &queue_arn).await?;
        move_on(context, lease).await?;
        return Ok(Outcome::Repaired);
    };
    if condition == Condition::Differs {
        queues::adjust(&context.sqs, &context.config, target, queue_url).await?;
    }
    let found = mappings::list(context, &queue_arn).await?;
    let noted = found.iter().find(|mapping| Some(&mapping.id) == lease.mapping_id.as_ref());
    if noted.is_some_and(|mapping| mapping.feeds(&target.function_arn)) {
        return Ok(if condition == Condition::Sound { Outcome::Unchanged } else { Outcome::Repaired });
    }
    let mapping_id = mappings::open(context, &queue_arn, &target.function_arn, true).await?;
    store_active(context, lease, queue_url, &mapping_id).await?;
    Ok(Outcome::Repaired)
}

/// Asks for the lane anew under the next name.
async fn move_on(context: &Context, lease: &Lease) -> Result<(), LaneError> {
    store::store_lane(&context.database, lease, &Lane::none(lease, LaneState::Requested)).await
}

async fn store_active(
    context: &Context,
    lease: &Lease,
    queue_url: &str,
    mapping_id: &str,
) -> Result<(), LaneError> {
    let lane = Lane {
        state: LaneState::Active,
        generation: lease.generation,
        kind: LaneKind::Dedicated,
        queue_url: Some(queue_url),
        mapping_id: Some(mapping_id),
    };
    store::store_lane(&context.database, lease, &lane).await
}

/// Publishes the runs that waited for the lane. The next sweep publishes any run that fails here.
pub(crate) async fn publish(context: &Context, key: AccountKey, deadline: Instant) {
    let outcome = async {
        let messages = store::queued_runs(&context.database, key).await?;
        let sent = context.publisher.publish_all(messages, deadline).await;
        mark_sent(&context.database, &SystemScope::Lanes, &sent.sent).await?;
        Ok::<_, robnu_tenancy::Error>(sent.complaint())
    };
    let complaint = outcome.await.unwrap_or_else(|error| Some(robnu_observe::chain(&error)));
    if let Some(complaint) = complaint {
        tracing::warn!(seller.id = %key.seller, account.id = %key.account, complaint, "the runs of the new lane were not published; the next sweep will publish them");
    }
}

fn queue_name(context: &Context, lease: &Lease) -> String {
    lane_queue_name(&context.config.queue_prefix, lease.key.account, lease.generation)
}
