//! What a scope costs: the same reads without a scope, as a job, as a member whose requests are counted, and as that member with
//! a round trip for every statement. All readers take turns in one run, each on one warm connection. On another machine, only
//! ratios mean something.
//!
//! Run it with `TEST_DATABASE_URL=… cargo bench --package robnu-testkit --bench reads`. The figures are in the README of tenancy.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

mod delay;
mod reader;

use std::time::{Duration, Instant};

use delay::delay;
use reader::{Read, Reader};
use robnu_testkit::{TestDatabase, TwoSellers};

/// Orders of each of the two sellers.
const ORDERS: i32 = 100_000;
const ROUNDS: usize = 7;

const ONE: Read = Read {
    name: "one order",
    scoped: "select id, external_order_id, status, placed_at from robnu.orders where id = $1",
    raw: "select id, external_order_id, status, placed_at from robnu.orders where id = $1 and seller_id = $2",
};
const LIST: Read = Read {
    name: "50 newest of 100,000",
    scoped: "select id, external_order_id, status, placed_at from robnu.orders where id <> $1
             order by placed_at desc, id desc limit 50",
    raw: "select id, external_order_id, status, placed_at from robnu.orders where id <> $1 and seller_id = $2
          order by placed_at desc, id desc limit 50",
};

#[tokio::main]
async fn main() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    fill(&test).await;
    println!("median µs of {ROUNDS} rounds (throughput as a part of the raw read's)\n");
    println!("{:<30}{:>16}{:>16}{:>16}{:>16}", "", "raw", "job", "member", "member, naive");
    for (added, reads, away) in [(Duration::ZERO, 500, ""), (Duration::from_millis(1), 150, ", 1 ms away")] {
        let direct = test.config("robnu_api");
        let port = delay(direct.host, direct.port, added).await;
        for read in [&ONE, &LIST] {
            let readers = Reader::all(&test, port, &sellers.ours, read).await;
            let medians = measure(&readers, read, reads).await;
            let cells = medians.map(|median| format!("{median:.0} ({:.2})", medians[0] / median));
            let name = format!("{}{away}", read.name);
            println!("{name:<30}{:>16}{:>16}{:>16}{:>16}", cells[0], cells[1], cells[2], cells[3]);
        }
    }
}

/// Copies the fixture's order of each seller, and removes the rate limits.
async fn fill(test: &TestDatabase) {
    let sql = format!(
        "set session_replication_role = replica;
         update robnu.sellers set requests_per_window = 1000000000;
         update robnu.orgs set person_requests_per_window = 1000000000, person_requests_per_day = 1000000000;
         insert into robnu.orders
         select (jsonb_populate_record(o, jsonb_build_object(
           'id', uuidv7(), 'external_order_id', 'B' || n, 'placed_at', o.placed_at - n * interval '1 minute'))).*
         from robnu.orders o, generate_series(1, {ORDERS}) n;
         analyze"
    );
    test.superuser().await.batch_execute(&sql).await.unwrap();
}

/// Returns the median time of a read by each reader, in microseconds. They take turns, so that other load on the machine affects
/// all of them.
async fn measure<const N: usize>(readers: &[Reader; N], read: &Read, reads: u32) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..=ROUNDS {
        for turn in 0..N {
            let reader = (round + turn) % N;
            let begun = Instant::now();
            for _ in 0..reads {
                readers[reader].read(read).await;
            }
            // The first round prepares statements and warms caches.
            if round > 0 {
                times[reader].push(begun.elapsed().as_secs_f64() * 1e6 / f64::from(reads));
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
