//! Orphans: queues of lanes that no account's row has. A call that ended between the queue and the row leaves one, and so does a
//! database that was restored from a backup. A mapping polls each, which costs money.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::config::Target;
use crate::context::Context;
use crate::error::LaneError;
use crate::found::{self, Found};
use crate::queues::Owner;
use crate::{mappings, store};

/// Accounts that one statement looks up.
const LOOKED_UP: usize = 500;
/// Orphans removed in one round.
const ORPHANS: usize = 100;

/// What became of the orphans.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    pub(crate) removed: usize,
    /// Those that could not be removed; each was logged.
    pub(crate) failed: usize,
    /// Whether time ran out before all queues had been looked at.
    pub(crate) time_short: bool,
}

/// Removes orphans. One that cannot be removed holds up no other.
pub(crate) async fn remove_orphans(context: &Context, stop_at: Instant) -> Result<Orphans, LaneError> {
    let mut outcome = Orphans::default();
    // Any target will do: it only says how the ARNs of this AWS account begin.
    let Some(target) = context.config.targets.values().next() else { return Ok(outcome) };
    // Queues are listed before rows are read: a queue of a row's next generation is not taken for an orphan.
    let lanes: Vec<(String, Found)> = found::queues(context).await?.into_iter().collect();
    for some in lanes.chunks(LOOKED_UP) {
        for (name, lane) in without_row(context, some).await? {
            if outcome.removed == ORPHANS || Instant::now() >= stop_at {
                outcome.time_short = true;
                return Ok(outcome);
            }
            match remove(context, target, name, lane).await {
                Ok(owner) => outcome.removed += usize::from(owner == Owner::Ours),
                Err(error) => {
                    outcome.failed += 1;
                    let error = robnu_observe::chain(&error);
                    tracing::error!(queue = name, error, "lanes are left that could not be removed");
                }
            }
        }
    }
    Ok(outcome)
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

async fn remove(context: &Context, target: &Target, name: &str, lane: &Found) -> Result<Owner, LaneError> {
    let found = mappings::list(context, &target.queue_arn(name)).await?;
    let mappings = found.into_iter().filter(|mapping| !mapping.is_leaving()).map(|mapping| mapping.id);
    found::remove(context, name, &Found { mappings: mappings.collect(), ..lane.clone() }).await
}
