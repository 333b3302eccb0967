//! Lanes after everything has come to rest: each account has the one that its row names, and nothing is left of those it had before.

use std::collections::BTreeSet;

use robnu_dispatch::lane_account;

use crate::aws::arn;
use crate::compare::Difference;
use crate::world::World;

const LANES: &str = "select external_account_id, marketplace_code, lane_shared, coalesce(lane_queue_url, '')
    from robnu.marketplace_accounts where display_name = external_account_id";

/// What is wrong with lanes.
pub async fn differences(world: &World) -> anyhow::Result<Vec<Difference>> {
    let mut found = Vec::new();
    let mut note = |kind: &str, what: &str| {
        found.push(Difference { kind: kind.to_owned(), what: what.to_owned() });
    };
    let mut own = BTreeSet::new();
    for row in world.superuser.query(LANES, &[]).await? {
        let (name, code, is_shared, url): (String, String, bool, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if !is_shared {
            own.insert(arn(&url));
        } else if world.queues.iter().all(|of| of.code.as_str() != code || of.parallel != url) {
            note("wrong lane", &format!("{name} shares {url}"));
        }
    }
    let mapped: BTreeSet<String> = world.mappings.queues().into_iter().collect();
    let listed = world.aws.sqs.list_queues().queue_name_prefix(&world.aws.prefix).max_results(1000);
    let listed = listed.send().await?.queue_urls.unwrap_or_default();
    let there: BTreeSet<String> =
        listed.iter().filter(|url| lane_account(url).is_some()).map(|url| arn(url)).collect();
    for lane in own.iter().filter(|lane| !mapped.contains(*lane) || !there.contains(*lane)) {
        note("lane without a queue or a mapping", lane);
    }
    for lane in there.union(&mapped).filter(|lane| !own.contains(*lane)) {
        note("lane left behind", lane);
    }
    Ok(found)
}
