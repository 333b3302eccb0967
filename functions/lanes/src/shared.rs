//! Lanes that accounts share: the parallel queue of their marketplace, which the template makes.
//!
//! Such a lane is an address in the account's row and nothing else, so nothing here makes, changes or deletes that queue or its mapping.

use robnu_marketplace::code::MarketplaceCode;
use tokio::time::Instant;

use crate::config::Target;
use crate::context::Context;
use crate::error::LaneError;
use crate::lane::{LaneKind, LaneState};
use crate::settle::{Outcome, delete, publish};
use crate::store::{self, Lane, Lease};

/// Gives the account the address of its marketplace's parallel queue, and publishes the runs that waited.
pub async fn open(
    context: &Context,
    lease: &Lease,
    target: &Target,
    deadline: Instant,
) -> Result<Outcome, LaneError> {
    let Some(url) = parallel_queue(context, lease) else { return Ok(Outcome::WithoutTarget) };
    if lease.standing.kind == LaneKind::Dedicated {
        // A queue of its own may have been made but not stored in the row, before the account was moved.
        delete(context, lease, target).await?;
    }
    store_active(context, lease, url).await?;
    publish(context, lease.key, deadline).await;
    Ok(Outcome::Opened)
}

/// Checks that the row has the address of the present deployment's queue.
pub async fn check(context: &Context, lease: &Lease) -> Result<Outcome, LaneError> {
    let Some(url) = parallel_queue(context, lease) else { return Ok(Outcome::WithoutTarget) };
    if lease.queue_url.as_deref() == Some(url) {
        return Ok(Outcome::Unchanged);
    }
    store_active(context, lease, url).await?;
    Ok(Outcome::Repaired)
}

async fn store_active(context: &Context, lease: &Lease, url: &str) -> Result<(), LaneError> {
    let lane = Lane {
        state: LaneState::Active,
        generation: lease.generation,
        kind: LaneKind::Shared,
        queue_url: Some(url),
        mapping_id: None,
    };
    store::store_lane(&context.database, lease, &lane).await
}

/// The URL of the queue, unless this deployment has none for the account's marketplace.
pub fn parallel_queue<'a>(context: &'a Context, lease: &Lease) -> Option<&'a str> {
    let code: MarketplaceCode = lease.marketplace.parse().ok()?;
    let url = context.parallel_queues.url(code);
    if url.is_none() {
        tracing::warn!(marketplace = lease.marketplace, "PARALLEL_QUEUES names no queue of this marketplace");
    }
    url
}
