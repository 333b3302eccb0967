//! Questions that are dear: each filter of each list, with values that match nothing or all, of a seller with many rows.
//! The time is what the answer takes longer than the same one for a seller without rows, at best of several.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use super::budgets::{Count, SLOWEST_FILTER};
use super::ground::Ground;
use super::growth::Grown;
use crate::openapi::{Document, Parameter};
use crate::random::Random;

/// Rows of the lists that grow fastest.
const ROWS: u64 = 200_000;
/// As long as it looks too slow, it is asked again: on a busy machine the best of a few is not good enough.
const MOST_TRIES: usize = 60;
/// What is that many times too slow after so many times is too slow.
const SLOW: (usize, u32) = (5, 4);

/// Fills the seller, and asks.
pub async fn run(ground: &Ground<'_>, grown: &Grown, seed: u64) -> anyhow::Result<Vec<Count>> {
    fill(ground, &grown.seller).await.context("fill a seller with rows")?;
    let without_rows = ground.seller(&grown.owner).await?;
    let document = ground.http.get(format!("{}/v1/openapi.json", ground.api_url));
    let document: Value = document.bearer_auth(&grown.owner.token).send().await?.json().await?;
    let document = Document::parse(document)?;
    let mut slowest = SLOWEST_FILTER.count(0, 0);
    let mut random = Random::new(seed, 0);
    for operation in &document.operations {
        let is_list = operation.method == "GET" && operation.path.matches('{').count() == 1;
        let filters = operation.parameters.iter().filter(|parameter| parameter.place == "query");
        if !is_list || !operation.path.starts_with("/v1/sellers/{sellerId}/") {
            continue;
        }
        for (filter, value) in filters.flat_map(|filter| values(&document, filter, &mut random)) {
            let path = |seller: &str| {
                let limit = if has(operation, "limit") && filter != "limit" { "&limit=1" } else { "" };
                format!("{}?{filter}={value}{limit}", operation.path.replace("{sellerId}", seller))
            };
            let paths = [path(&grown.seller), path(&without_rows)];
            slowest.tried += 1;
            let more = difference(ground, grown, &paths).await?;
            let scaled = u64::try_from(more.as_micros())? * 1_000_000 / ROWS / 1_000;
            if scaled > slowest.reached {
                slowest.reached = scaled;
                let ms = more.as_secs_f64() * 1_000.0;
                slowest.worst =
                    vec![format!("{}?{filter}={value}, {ms:.1} ms for {ROWS} rows", operation.path)];
            }
        }
    }
    Ok(vec![slowest])
}

fn has(operation: &crate::openapi::Operation, name: &str) -> bool {
    operation.parameters.iter().any(|parameter| parameter.name == name)
}

/// What a filter is asked with: each of its words, or something that nothing has.
fn values(document: &Document, filter: &Parameter, random: &mut Random) -> Vec<(String, String)> {
    let words = document.words(&filter.schema);
    let values = match filter.name.as_str() {
        "cursor" | "limit" => Vec::new(),
        _ if !words.is_empty() => words,
        _ if filter.schema.to_string().contains("date") => vec!["2030-01-01T00:00:00Z".to_owned()],
        _ if filter.schema.to_string().contains("uuid") => vec![random.uuid()],
        _ if filter.schema.to_string().contains("boolean") => vec!["true".to_owned(), "false".to_owned()],
        _ => vec!["nothing-of-this-name".to_owned()],
    };
    values.into_iter().map(|value| (filter.name.clone(), value)).collect()
}

/// How much longer the first takes than the second, each at its best; they take turns.
async fn difference(ground: &Ground<'_>, grown: &Grown, paths: &[String; 2]) -> anyhow::Result<Duration> {
    let allowed = Duration::from_micros(SLOWEST_FILTER.most * 1_000 * ROWS / 1_000_000);
    let (mut best, mut more) = ([Duration::MAX; 2], Duration::MAX);
    for tries in 1..=MOST_TRIES {
        for (best, path) in best.iter_mut().zip(paths) {
            *best = (*best).min(time(ground, grown, path).await?);
        }
        more = best[0].saturating_sub(best[1]);
        if more <= allowed || (tries >= SLOW.0 && more > SLOW.1 * allowed) {
            break;
        }
    }
    Ok(more)
}

async fn time(ground: &Ground<'_>, grown: &Grown, path: &str) -> anyhow::Result<Duration> {
    let request = ground.http.get(format!("{}{path}", ground.api_url)).bearer_auth(&grown.owner.token);
    let since = Instant::now();
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    if status >= 500 {
        ground.found(format!("GET {path} was answered {status}"));
    }
    Ok(since.elapsed())
}

/// Copies one order and one event of the trail often, with times of their own.
async fn fill(ground: &Ground<'_>, seller: &str) -> anyhow::Result<()> {
    ground.superuser.batch_execute("begin; set local session_replication_role = replica").await?;
    for (table, text, time) in
        [("orders", "external_order_id", "placed_at"), ("audit_events", "", "occurred_at")]
    {
        let sql = "select string_agg(attname, ', ') from pg_attribute
            where attrelid = ('robnu.' || $1)::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: String = ground.superuser.query_one(sql, &[&table]).await?.get(0);
        let values: Vec<String> = columns
            .split(", ")
            .map(|column| match column {
                "id" => "uuidv7(number * interval '-1 second')".to_owned(),
                _ if column == text => format!("{column} || '-' || number"),
                _ if column == time => format!("{column} - number * interval '1 second'"),
                _ => column.to_owned(),
            })
            .collect();
        let copy = format!(
            "insert into robnu.{table} ({columns})
             select {} from (select * from robnu.{table} where seller_id = '{seller}' limit 1) one, generate_series(1, {ROWS}) number",
            values.join(", ")
        );
        ground.superuser.batch_execute(&copy).await?;
    }
    ground.superuser.batch_execute("commit; analyze robnu.orders, robnu.audit_events").await?;
    Ok(())
}
