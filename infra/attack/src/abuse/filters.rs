//! Expensive filters: each filter of each list, with values that match nothing or everything, for a seller with many rows.
//! The time of a filter is how much longer the request takes than the same request for a seller without rows. The best of
//! several tries counts.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use super::budgets::{Count, SLOWEST_FILTER};
use super::environment::Environment;
use super::growth::SeededSeller;
use crate::openapi::{Document, Parameter};
use crate::random::Random;

/// Rows in the lists that grow fastest.
const ROWS: u64 = 200_000;
/// A filter that seems too slow is tried again this often at most: on a busy machine, a few tries are not enough.
const MOST_TRIES: usize = 60;
/// After this many tries, a filter that is still this many times too slow is not tried again.
const SLOW: (usize, u32) = (5, 4);

/// Fills the seller with rows and measures each filter.
pub async fn run(
    environment: &Environment<'_>,
    seeded: &SeededSeller,
    seed: u64,
) -> anyhow::Result<Vec<Count>> {
    fill(environment, &seeded.seller).await.context("fill a seller with rows")?;
    let without_rows = environment.seller(&seeded.owner).await?;
    let document = environment.http.get(format!("{}/v1/openapi.json", environment.api_url));
    let document: Value = document.bearer_auth(&seeded.owner.token).send().await?.json().await?;
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
            let paths = [path(&seeded.seller), path(&without_rows)];
            slowest.tried += 1;
            let more = difference(environment, seeded, &paths).await?;
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

/// The values to try for a filter: each word that it accepts, or a value that matches nothing.
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

/// How much longer the first path takes than the second. The two take turns, and the best time of each counts.
async fn difference(
    environment: &Environment<'_>,
    seeded: &SeededSeller,
    paths: &[String; 2],
) -> anyhow::Result<Duration> {
    let allowed = Duration::from_micros(SLOWEST_FILTER.most * 1_000 * ROWS / 1_000_000);
    let (mut best, mut more) = ([Duration::MAX; 2], Duration::MAX);
    for tries in 1..=MOST_TRIES {
        for (best, path) in best.iter_mut().zip(paths) {
            *best = (*best).min(time(environment, seeded, path).await?);
        }
        more = best[0].saturating_sub(best[1]);
        if more <= allowed || (tries >= SLOW.0 && more > SLOW.1 * allowed) {
            break;
        }
    }
    Ok(more)
}

async fn time(environment: &Environment<'_>, seeded: &SeededSeller, path: &str) -> anyhow::Result<Duration> {
    let request =
        environment.http.get(format!("{}{path}", environment.api_url)).bearer_auth(&seeded.owner.token);
    let since = Instant::now();
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    if status >= 500 {
        environment.found(format!("GET {path} was answered {status}"));
    }
    Ok(since.elapsed())
}

/// Copies one order and one audit event many times, each copy with its own time.
async fn fill(environment: &Environment<'_>, seller: &str) -> anyhow::Result<()> {
    environment.superuser.batch_execute("begin; set local session_replication_role = replica").await?;
    for (table, text, time) in
        [("orders", "external_order_id", "placed_at"), ("audit_events", "", "occurred_at")]
    {
        let sql = "select string_agg(attname, ', ') from pg_attribute
            where attrelid = ('robnu.' || $1)::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: String = environment.superuser.query_one(sql, &[&table]).await?.get(0);
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
        environment.superuser.batch_execute(&copy).await?;
    }
    environment.superuser.batch_execute("commit; analyze robnu.orders, robnu.audit_events").await?;
    Ok(())
}
