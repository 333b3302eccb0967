//! What scope entry costs the database. pgbench reads one order in one pipeline: past row level security, as a job, and as a member
//! for whom every refusal is checked. One client waits for each answer; several keep the server's core busy, so that the ratio is
//! that of its processor time. The benchmark also shows what our own client adds to the same reads. All readers take turns within
//! one run, with the server's and the client's processes on a core each if `taskset` can pin them. On another machine, only ratios
//! mean something.
//!
//! `TEST_DATABASE_URL=… cargo bench --package robnu-testkit --bench entry`; see the README of tenancy for figures.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

mod pgbench;

use std::time::{Duration, Instant};

use pgbench::{Pgbench, pin};
use robnu_tenancy::{Database, SellerScope};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

/// Orders of each of the two sellers.
const ORDERS: i32 = 20_000;
const ROUNDS: usize = 7;
const SECONDS: u32 = 2;
const CLIENTS: [usize; 2] = [1, 4];
/// The least throughput of each reader, as a fraction of the raw read's.
const TARGETS: [(&str, f64); 3] = [("raw", 1.0), ("job", 0.60), ("member", 0.45)];

const READ: &str = "select id, external_order_id, status, placed_at from robnu.orders where id =";

#[tokio::main]
async fn main() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    superuser.batch_execute(&fill()).await.unwrap();
    let seller = &sellers.ours;
    let (id, account, order) = (seller.id, seller.ajio, seller.order);
    // This is how the fixture names its members.
    let viewer = format!("VIEWER@{id}");
    let enter_job = format!("select robnu.enter_job('{id}', '{account}', false)");
    let enter_member = format!("select robnu.enter_member('{viewer}', '{id}', 'read', false)");
    let user: String = superuser.query_one("select current_user::text", &[]).await.unwrap().get(0);
    let raw = format!("{READ} '{order}' and seller_id = '{id}'");
    let scoped = format!("{READ} '{order}'");
    let config = test.config(&user);
    let bench = |user: &str, statements: &[&str]| Pgbench::new(&config, user, statements);
    let variants = [
        bench(&user, &[&raw]),
        bench("robnu_adapter", &["begin", &enter_job, &scoped, "commit"]),
        bench("robnu_api", &["begin", &enter_member, &scoped, "commit"]),
        bench("robnu_api", &[&format!("select robnu.count_request('{viewer}', '{id}')")]),
    ];
    let ours = Ours::new(&test, &user, &raw, seller.job_scope()).await;
    println!(
        "{}",
        if pgbench::can_pin() { "server on core 0, client on core 1" } else { "not pinned: no taskset" }
    );
    let mut rates: [[Vec<f64>; 4]; 2] = Default::default();
    let mut times: [Vec<f64>; 2] = Default::default();
    for round in 0..=ROUNDS {
        for turn in 0..variants.len() {
            let variant = (round + turn) % variants.len();
            // A member enters while counts of this window exist, as in production.
            for who in [&viewer, &format!("OWNER@{id}")] {
                superuser.execute("select robnu.count_request($1, $2)", &[who, &id]).await.unwrap();
            }
            for (clients, rates) in CLIENTS.into_iter().zip(&mut rates) {
                let rate = variants[variant].run(&superuser, clients, SECONDS).await;
                if round > 0 {
                    rates[variant].push(rate);
                }
            }
        }
        for (way, times) in times.iter_mut().enumerate() {
            let time = ours.time(way, &order).await;
            if round > 0 {
                times.push(time);
            }
        }
    }
    let rates = rates.map(|rates| rates.map(median));
    for (clients, rates) in CLIENTS.into_iter().zip(&rates) {
        println!("\nclients: {clients}");
        report(rates);
    }
    println!();
    for ((name, rate), time) in ["raw", "job"].iter().zip(rates[0]).zip(times.map(median)) {
        println!("our client, {name}: {time:.1} µs, {:+.1} µs over pgbench", time - 1e6 / rate);
    }
}

fn report(rates: &[f64; 4]) {
    println!("{:<10}{:>12}{:>10}{:>10}{:>10}", "", "reads/s", "µs", "ratio", "target");
    for ((name, target), rate) in TARGETS.iter().zip(rates) {
        let verdict = if rate / rates[0] < *target { "missed" } else { "" };
        println!(
            "{name:<10}{rate:>12.0}{:>10.1}{:>10.2}{target:>10.2} {verdict}",
            1e6 / rate,
            rate / rates[0]
        );
    }
    println!(
        "{:<10}{:>12.0}{:>10.1}   a request's count, after its response",
        "count",
        rates[3],
        1e6 / rates[3]
    );
}

/// The same reads through our own client, on one connection each.
struct Ours {
    raw: Client,
    statement: tokio_postgres::Statement,
    job: Database,
    scope: SellerScope,
}

impl Ours {
    async fn new(test: &TestDatabase, user: &str, raw: &str, scope: SellerScope) -> Self {
        let client = test.raw(user).await;
        let statement = client.prepare(raw).await.unwrap();
        let own = Self { raw: client, statement, job: test.login("robnu_adapter").await, scope };
        let pid = "select pg_backend_pid()";
        pin(own.raw.query_one(pid, &[]).await.unwrap().get(0), 0);
        pin(own.job.read(&own.scope, pid, &[]).await.unwrap()[0].get(0), 0);
        own
    }

    /// Returns the median µs of a read.
    async fn time(&self, way: usize, order: &robnu_tenancy::OrderId) -> f64 {
        const SCOPED: &str =
            "select id, external_order_id, status, placed_at from robnu.orders where id = $1";
        let begun = Instant::now();
        let mut times = Vec::new();
        while begun.elapsed() < Duration::from_secs(SECONDS.into()) {
            let start = Instant::now();
            if way == 0 {
                self.raw.query(&self.statement, &[]).await.unwrap();
            } else {
                self.job.read(&self.scope, SCOPED, &[order]).await.unwrap();
            }
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        median(times)
    }
}

/// Copies the fixture's order of each seller, and removes the rate limits.
fn fill() -> String {
    format!(
        "set session_replication_role = replica;
         update robnu.sellers set requests_per_window = 1000000000;
         update robnu.orgs set person_requests_per_window = 1000000000, person_requests_per_day = 1000000000;
         insert into robnu.orders
         select (jsonb_populate_record(o, jsonb_build_object(
           'id', uuidv7(), 'external_order_id', 'B' || n, 'placed_at', o.placed_at - n * interval '1 minute'))).*
         from robnu.orders o, generate_series(1, {ORDERS}) n;
         set session_replication_role = origin;
         analyze"
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
