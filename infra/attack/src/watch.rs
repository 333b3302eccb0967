//! Counts and digests what the victim has, before and after.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::test_bed::TestBed;

/// Columns in which the platform itself notes when it last looked at a lane.
const OF_THE_PLATFORM: &str = "- 'lane_checked_at' - 'lane_lease_until'";
/// How long messages may take to be worked off, on the way and in the end.
const DRAIN: [Duration; 2] = [Duration::from_secs(15), Duration::from_mins(1)];
/// How long the lanes function may take for what it has in hand.
const SETTLES: Duration = Duration::from_secs(1);

/// The victim's rows as they were.
#[derive(Debug)]
pub struct Watch {
    /// Number and digest of the rows, by relation.
    pub before: BTreeMap<String, (i64, String)>,
    /// How often they were compared.
    pub looks: usize,
}

impl Watch {
    /// Takes the first look.
    pub async fn begin(bed: &TestBed) -> anyhow::Result<Self> {
        Ok(Self { before: look(bed).await?, looks: 0 })
    }

    /// Compares with the first look, after what was sent to the queues is worked off; says what differs.
    pub async fn look(&mut self, bed: &TestBed, last: bool) -> anyhow::Result<Vec<String>> {
        drain(bed, DRAIN[usize::from(last)]).await?;
        self.looks += 1;
        let now = look(bed).await?;
        let mut differences = Vec::new();
        for (relation, (rows, digest)) in &now {
            match self.before.get(relation) {
                Some((before, _)) if before != rows => {
                    differences.push(format!("the victim had {before} rows in {relation} and has {rows}"));
                }
                Some((_, before)) if before != digest => {
                    differences.push(format!("the victim's rows in {relation} have changed"));
                }
                _ => {}
            }
        }
        Ok(differences)
    }
}

async fn look(bed: &TestBed) -> anyhow::Result<BTreeMap<String, (i64, String)>> {
    let victim = &bed.victim.seller;
    let mut found = BTreeMap::new();
    let tables = bed.catalogue.relations.iter().filter(|relation| !relation.is_view);
    let mut selects: Vec<(String, String)> = tables
        .map(|relation| {
            let name = &relation.name;
            (name.clone(), format!("robnu.{name} t where seller_id = '{victim}'"))
        })
        .collect();
    // What belongs to no seller, as far as the insider has no part in it.
    let team = bed.victim.ids["people"].join("','");
    selects.push(("people".to_owned(), format!("robnu.people t where id in ('{team}')")));
    for table in ["staff", "marketplaces", "orgs"] {
        selects.push((table.to_owned(), format!("robnu.{table} t")));
    }
    for (name, from) in selects {
        let row = format!("(to_jsonb(t) {OF_THE_PLATFORM})::text");
        let sql =
            format!("select count(*), md5(coalesce(string_agg({row}, ',' order by {row}), '')) from {from}");
        let row = bed.superuser.query_one(&sql, &[]).await.with_context(|| format!("digest {name}"))?;
        found.insert(name, (row.get(0), row.get(1)));
    }
    Ok(found)
}

/// Waits until the queues are empty, with a bound.
async fn drain(bed: &TestBed, patience: Duration) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        let mut waiting = 0;
        for queue in &bed.queues {
            waiting += waiting_in(bed, queue).await?;
        }
        if waiting == 0 || since.elapsed() > patience {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // What the lanes function has just taken.
    tokio::time::sleep(SETTLES).await;
    Ok(())
}

/// Messages that wait in a queue or, in a lane, are worked on. A lane request that fails stays taken for minutes.
async fn waiting_in(bed: &TestBed, queue: &str) -> anyhow::Result<u64> {
    let mut names = vec!["ApproximateNumberOfMessages"];
    if *queue != bed.queues[2] {
        names.push("ApproximateNumberOfMessagesNotVisible");
    }
    let body = json!({"QueueUrl": queue, "AttributeNames": names});
    let answer = bed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &body).await?;
    let number = |name: &str| answer["Attributes"][name].as_str()?.parse::<u64>().ok();
    Ok(names.into_iter().filter_map(number).sum())
}
