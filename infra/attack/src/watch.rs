//! Counts and digests the victim's rows, before and after.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::test_bed::TestBed;

/// Columns in which the platform records when it last checked a lane.
const OF_THE_PLATFORM: &str = "- 'lane_checked_at' - 'lane_lease_until'";
/// How long the queues may take to become empty, after a round and at the end.
const DRAIN: [Duration; 2] = [Duration::from_secs(15), Duration::from_mins(1)];
/// How long the lanes function may take for a request that it has received.
const SETTLES: Duration = Duration::from_secs(1);

/// The victim's rows before the attack.
#[derive(Debug)]
pub struct Watch {
    /// Number and digest of the rows, by relation.
    pub before: BTreeMap<String, (i64, String)>,
    /// How often the rows were compared.
    pub looks: usize,
}

impl Watch {
    /// Counts and digests the rows for the first time.
    pub async fn begin(test_bed: &TestBed) -> anyhow::Result<Self> {
        Ok(Self { before: look(test_bed).await?, looks: 0 })
    }

    /// Waits until the queues are empty and compares the rows with the first time. Returns the differences.
    pub async fn look(&mut self, test_bed: &TestBed, last: bool) -> anyhow::Result<Vec<String>> {
        drain(test_bed, DRAIN[usize::from(last)]).await?;
        self.looks += 1;
        let now = look(test_bed).await?;
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

async fn look(test_bed: &TestBed) -> anyhow::Result<BTreeMap<String, (i64, String)>> {
    let victim = &test_bed.victim.seller;
    let mut found = BTreeMap::new();
    let tables = test_bed.catalogue.relations.iter().filter(|relation| !relation.is_view);
    let mut selects: Vec<(String, String)> = tables
        .map(|relation| {
            let name = &relation.name;
            (name.clone(), format!("robnu.{name} t where seller_id = '{victim}'"))
        })
        .collect();
    // Rows that belong to no seller, and that the insider may not change.
    let team = test_bed.victim.ids["people"].join("','");
    selects.push(("people".to_owned(), format!("robnu.people t where id in ('{team}')")));
    for table in ["staff", "marketplaces", "orgs"] {
        selects.push((table.to_owned(), format!("robnu.{table} t")));
    }
    for (name, from) in selects {
        let row = format!("(to_jsonb(t) {OF_THE_PLATFORM})::text");
        let sql =
            format!("select count(*), md5(coalesce(string_agg({row}, ',' order by {row}), '')) from {from}");
        let row = test_bed.superuser.query_one(&sql, &[]).await.with_context(|| format!("digest {name}"))?;
        found.insert(name, (row.get(0), row.get(1)));
    }
    Ok(found)
}

/// Waits until the queues are empty, but not longer than `patience`.
async fn drain(test_bed: &TestBed, patience: Duration) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        let mut waiting = 0;
        for queue in &test_bed.queues {
            waiting += waiting_in(test_bed, queue).await?;
        }
        if waiting == 0 || since.elapsed() > patience {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // The lanes function may have just received a request.
    tokio::time::sleep(SETTLES).await;
    Ok(())
}

/// How many messages wait in a queue. In a lane, messages in flight count too. In the queue of lane requests they do not,
/// because a failing request stays in flight for minutes.
async fn waiting_in(test_bed: &TestBed, queue: &str) -> anyhow::Result<u64> {
    let mut names = vec!["ApproximateNumberOfMessages"];
    if *queue != test_bed.queues[2] {
        names.push("ApproximateNumberOfMessagesNotVisible");
    }
    let body = json!({"QueueUrl": queue, "AttributeNames": names});
    let answer = test_bed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &body).await?;
    let number = |name: &str| answer["Attributes"][name].as_str()?.parse::<u64>().ok();
    Ok(names.into_iter().filter_map(number).sum())
}
