//! Orphans: queues of lanes that no account's row has. A call that ended between the queue and the row leaves one, and so does a
//! database that was restored from a backup. A mapping polls each, which costs money.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::context::Context;
use crate::error::LaneError;
use crate::found::{self, Found};
use crate::queues::Owner;
use crate::{mappings, store};

/// Accounts that one statement looks up.
const LOOKED_UP: usize = 500;
/// Orphans removed in one round.
const ORPHANS: usize = 100;

/// Removes orphans. Returns how many, and whether time ran out before all queues had been looked at.
pub(crate) async fn remove_orphans(context: &Context, stop_at: Instant) -> Result<(usize, bool), LaneError> {
    // Queues are listed before rows are read: a queue of a row's next generation is not taken for an orphan.
    let lanes: Vec<(String, Found)> = found::queues(context).await?.into_iter().collect();
    let mut removed = 0;
    for some in lanes.chunks(LOOKED_UP) {
        for (name, lane) in without_row(context, some).await? {
            if removed == ORPHANS || Instant::now() >= stop_at {
                return Ok((removed, true));
            }
            removed += usize::from(remove(context, name, lane).await? == Owner::Ours);
        }
    }
    Ok((removed, false))
}

/// The lanes whose account does not exist or has another generation. One of the present generation belongs to the row, even if the
/// row does not have it yet: whoever opens or retires the lane finds it by its name.
async fn without_row<'a>(
    context: &Context,
    lanes: &'a [(String, Found)],
) -> Result<Vec<&'a (String, Found)>, LaneError> {
    let read = |lane: &'a (String, Found)| Some((found::read_name(context, &lane.0)?, lane));
    let named: Vec<_> = lanes.iter().filter_map(read).collect();
    let accounts: Vec<_> = named.iter().map(|((account, _), _)| *account).collect();
    let present: HashMap<_, _> = store::find_generations(&context.database, &accounts).await?;
    let orphans =
        named.into_iter().filter(|((account, generation), _)| present.get(account) != Some(generation));
    Ok(orphans.map(|(_, lane)| lane).collect())
}

async fn remove(context: &Context, name: &str, lane: &Found) -> Result<Owner, LaneError> {
    let target = context.config.targets.values().next();
    let queue_arn = target.map(|target| target.queue_arn(name)).unwrap_or_default();
    let found = mappings::list(context, &queue_arn).await?;
    let mappings = found.into_iter().filter(|mapping| !mapping.is_leaving()).map(|mapping| mapping.id);
    found::remove(context, name, &Found { mappings: mappings.collect(), ..lane.clone() }).await
}
