//! The lanes that exist at AWS, whatever the database says: found by the names of their queues, and by those queues' mappings.

use std::collections::BTreeMap;

use robnu_dispatch::lane_account;
use robnu_tenancy::AccountId;

use crate::context::Context;
use crate::error::LaneError;
use crate::mappings;
use crate::queues::{self, Owner};

/// Results on a page: the most that each list gives at once.
const QUEUES_ON_A_PAGE: i32 = 1_000;

/// A lane at AWS, or what is left of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The queue's URL, if there is a queue.
    pub(crate) queue_url: Option<String>,
    /// Ids of its mappings that are not being deleted yet.
    pub(crate) mappings: Vec<String>,
}

/// The account and the generation that a lane's name holds; `None` for a queue that is no lane of this stage.
pub(crate) fn read_name(context: &Context, name: &str) -> Option<(AccountId, i32)> {
    let head = name.strip_prefix(&context.config.queue_prefix)?.strip_suffix(".fifo")?;
    let generation = head.rsplit_once('-')?.1.parse().ok()?;
    Some((lane_account(name)?, generation))
}

/// The queues of this stage's lanes, by name.
pub(crate) async fn queues(context: &Context) -> Result<BTreeMap<String, Found>, LaneError> {
    let list = context.sqs.list_queues().queue_name_prefix(&context.config.queue_prefix);
    let mut pages = list.max_results(QUEUES_ON_A_PAGE).into_paginator().send();
    let mut lanes = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| LaneError::queue("listed", error.into_service_error()))?;
        for url in page.queue_urls.unwrap_or_default() {
            let name = url.rsplit('/').next().unwrap_or_default();
            if read_name(context, name).is_some() {
                lanes.insert(name.to_owned(), Found { queue_url: Some(url), ..Found::default() });
            }
        }
    }
    Ok(lanes)
}

/// The lanes of this stage that have a mapping on a page, by the queues' names, and where the next page begins. A mapping may outlive its
/// queue. Nothing says which functions mappings of earlier configurations feed, so those of the whole AWS account are read.
pub(crate) async fn with_mappings(
    context: &Context,
    queues: &BTreeMap<String, Found>,
    marker: Option<String>,
) -> Result<(BTreeMap<String, Found>, Option<String>), LaneError> {
    let page = mappings::page(context, marker).await?;
    let mut lanes = BTreeMap::new();
    for (queue_arn, mapping) in page.mappings {
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        if read_name(context, name).is_some() {
            let queue = || queues.get(name).cloned().unwrap_or_default();
            let lane: &mut Found = lanes.entry(name.to_owned()).or_insert_with(queue);
            lane.mappings.extend((!mapping.is_leaving()).then_some(mapping.id));
        }
    }
    Ok((lanes, page.next))
}

/// Deletes the mappings, then the queue, so that nothing polls a deleted queue. Leaves a queue alone whose tag names another stage or
/// none: one that somebody else has made.
pub(crate) async fn remove(context: &Context, name: &str, lane: &Found) -> Result<Owner, LaneError> {
    if let Some(url) = &lane.queue_url {
        match queues::owner(&context.sqs, &context.config, url).await? {
            Owner::Ours => {}
            other => return Ok(other),
        }
    }
    for id in &lane.mappings {
        mappings::delete_one(context, id).await?;
    }
    if let Some(url) = &lane.queue_url {
        queues::delete(&context.sqs, url).await?;
        tracing::info!(queue = name, "a lane without a use was removed");
    }
    Ok(Owner::Ours)
}
