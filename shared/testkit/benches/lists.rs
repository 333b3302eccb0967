//! What every list costs the database with its hardest filters, when a seller has 1,000,000 rows of everything beside another
//! seller's 50,000: median and longest time of a statement, from sending it to its last row.
//!
//! `TEST_DATABASE_URL=… cargo bench --package robnu-testkit --bench lists` first fills a database for some minutes; after `--`,
//! `--rows N` fills less. The figures are in the README of the API.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

use std::time::{Duration, Instant};

use robnu_testkit::lists::{ListCase, Reader, cases, fill, prepared};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use tokio_postgres::Client;

const ROWS: u32 = 1_000_000;
const ROUNDS: usize = 21;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rows =
        arguments.windows(2).find(|pair| pair[0] == "--rows").map_or(ROWS, |pair| pair[1].parse().unwrap());
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    superuser.batch_execute(&fill([&sellers.ours, &sellers.theirs], rows, rows / 20)).await.unwrap();
    superuser.batch_execute("vacuum analyze").await.unwrap();
    let login = test.raw("robnu_api").await;
    println!(
        "{rows} rows of each list; ms of {ROUNDS} times\n\n{:<32}{:<44}{:>9}{:>9}",
        "", "", "median", "longest"
    );
    let mut worst = Duration::ZERO;
    for case in cases(&sellers.ours) {
        let times = measure(&login, &sellers.ours, &case).await;
        let (median, longest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        worst = worst.max(median);
        println!("{:<32}{:<44}{:>9.2}{:>9.2}", case.statement, case.filter, ms(median), ms(longest));
    }
    println!("\nworst median: {:.2} ms", ms(worst));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Returns the times of a statement in its reader's scope, the shortest first. The first two runs warm the cache and do not count.
async fn measure(login: &Client, seller: &Seller, case: &ListCase) -> Vec<Duration> {
    let entry = match case.reader {
        Reader::Member => {
            format!("select robnu.enter_member('OWNER@{0}', '{0}', '', false, false)", seller.id)
        }
        Reader::Staff => "select robnu.enter_staff('STAFF', false)".to_owned(),
        Reader::Person => format!("select robnu.enter_person('OWNER@{}', false)", seller.id),
    };
    login.batch_execute(&format!("begin; {entry}; {}", prepared(case.statement))).await.unwrap();
    let execute = match case.parameters.as_str() {
        "" => "execute tried".to_owned(),
        parameters => format!("execute tried ({parameters})"),
    };
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + 2 {
        let begun = Instant::now();
        login.simple_query(&execute).await.unwrap_or_else(|error| panic!("{case:?}: {error:?}"));
        if round >= 2 {
            times.push(begun.elapsed());
        }
    }
    login.batch_execute("rollback; deallocate tried").await.unwrap();
    times.sort();
    times
}
