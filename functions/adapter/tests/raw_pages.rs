//! Raw pages: each is kept once with its page, or not at all, under the seller's key, whatever becomes of S3.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::io::Read;

use flate2::read::GzDecoder;
use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart};
use robnu_marketplace::kind::RunKind::{self, Orders, Returns};
use robnu_storage::raw_page::raw_page_place;
use robnu_testkit::{LambdaProcess, Seller};
use serde_json::Value;
use simulators::{AjioConfig, Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{Stand, acknowledged, kill_in_transaction};
use uuid::Uuid;

fn ajio(orders: usize) -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    config
}

/// A stand on which nothing was read before.
async fn stand(config: SimulatorConfig) -> Stand {
    let stand = Stand::new(config).await;
    stand.superuser.batch_execute("delete from robnu.raw_pages").await.unwrap();
    stand
}

async fn run(
    stand: &Stand,
    function: &LambdaProcess,
    seller: &Seller,
    of: (MarketplaceCode, RunKind),
) -> Job {
    let job = stand.queue_for(seller, of.0, of.1).await;
    stand.run_to_end(function, job).await
}

/// The pages that wait, as they open with the seller's key.
async fn opened(stand: &Stand, seller: &Seller) -> Vec<Value> {
    let sql = "select id, page_enc from robnu.raw_pages where seller_id = $1 and page_enc is not null order by page, part";
    let rows = stand.superuser.query(sql, &[&seller.id]).await.unwrap();
    let open = |row: &tokio_postgres::Row| {
        let (id, sealed): (Uuid, Vec<u8>) = (row.get(0), row.get(1));
        let packed = stand.cipher(seller.id).open(raw_page_place(id), &sealed).unwrap();
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    rows.iter().map(open).collect()
}

async fn count(stand: &Stand) -> i64 {
    stand.superuser.query_one("select count(*) from robnu.raw_pages", &[]).await.unwrap().get(0)
}

/// Every row with its xmin, which changes with any write.
async fn rows(stand: &Stand) -> Vec<String> {
    let sql = "select p.xmin || ' ' || p.id from robnu.raw_pages p order by 1";
    stand.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_page_is_kept_with_its_run_and_page_and_a_page_read_twice_is_kept_once() {
    let stand = stand(ajio(120)).await;
    let function = stand.start(Ajio).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let first = run(&stand, &function, ours, (Ajio, Orders)).await;
    let pages = stand.run(first.run_id).await.pages;
    let sql = "select array_agg(page order by page), bool_and(run_id = $1 and account_id = $2 and kind = 'ORDERS' and marketplace_code = 'AJIO'
          and time_folder = to_char(fetched_at at time zone 'UTC', 'YYYY-MM-DD/HH24') and fetched_at > now() - interval '10 minutes')
        from robnu.raw_pages where seller_id = $3";
    let row = stand.superuser.query_one(sql, &[&first.run_id, &first.account_id, &ours.id]).await.unwrap();
    assert_eq!(row.get::<_, Vec<i32>>(0), (1..=pages).collect::<Vec<_>>(), "one response per page");
    assert!(row.get::<_, bool>(1));
    let orders: usize =
        opened(&stand, ours).await.iter().map(|page| page["orders"].as_array().unwrap().len()).sum();
    assert_eq!(orders, 120, "what was served is in them");

    let before = rows(&stand).await;
    run(&stand, &function, ours, (Ajio, Orders)).await;
    assert_eq!(
        rows(&stand).await,
        before,
        "a page that is read again is not kept again, and no row is touched"
    );
    // Another seller's equal pages are pages of its own, and nothing shows that they are equal.
    run(&stand, &function, theirs, (Ajio, Orders)).await;
    let sql = "select count(*), count(distinct page_digest) from robnu.raw_pages";
    let row = stand.superuser.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
    assert!(row.get::<_, i64>(0) > i64::from(pages));
}

#[tokio::test]
async fn a_page_is_noted_as_seen_once_a_day_and_is_kept_anew_before_its_object_expires() {
    let stand = stand(ajio(20)).await;
    let function = stand.start(Ajio).await;
    let ours = &stand.sellers.ours;
    run(&stand, &function, ours, (Ajio, Orders)).await;
    let seen = "select count(*) from robnu.raw_pages where last_seen_at > now() - interval '1 hour'";
    for (age, expected) in [("2 days", true), ("361 days", false)] {
        let past = format!(
            "update robnu.raw_pages set last_seen_at = now() - interval '2 days', fetched_at = now() - interval '{age}'"
        );
        stand.superuser.batch_execute(&past).await.unwrap();
        run(&stand, &function, ours, (Ajio, Orders)).await;
        let seen: i64 = stand.superuser.query_one(seen, &[]).await.unwrap().get(0);
        assert_eq!(seen > 0, expected, "{age}");
    }
}

#[tokio::test]
async fn a_page_that_takes_several_calls_is_kept_with_each_of_them() {
    let stand = stand(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Flipkart).await;
    run(&stand, &function, &stand.sellers.ours, (Flipkart, Orders)).await;
    let sql =
        "select count(*) filter (where part = 1), count(*) filter (where part = 2) from robnu.raw_pages";
    let row = stand.superuser.query_one(sql, &[]).await.unwrap();
    assert!(row.get::<_, i64>(0) > 0 && row.get::<_, i64>(1) > 0, "{row:?}");
    let function = stand.start(AmazonIn).await;
    run(&stand, &function, &stand.sellers.ours, (AmazonIn, Orders)).await;
    let pages = opened(&stand, &stand.sellers.ours).await;
    let of_amazon = pages.iter().find(|page| page["orders"][0]["orderItems"].is_array()).unwrap();
    assert!(of_amazon["pagination"].is_null() && of_amazon["orders"][0]["buyer"].is_null(), "{of_amazon}");
}

#[tokio::test]
async fn an_attempt_killed_in_the_pages_transaction_leaves_neither_page_nor_raw_page_and_the_next_keeps_both_once()
 {
    let stand = stand(ajio(40)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    // Raw pages are written after the orders and before the run's progress.
    kill_in_transaction(&stand, function, &job, "raw_pages").await;
    assert_eq!(
        (count(&stand).await, stand.stored(job.account_id).await.0),
        (0, 1),
        "only the fixture's order"
    );
    stand
        .superuser
        .batch_execute("update robnu.sync_runs set lease_expires_at = now() - interval '1 second' where state = 'RUNNING'")
        .await
        .unwrap();
    let function = stand.start(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), count(&stand).await), ("SUCCEEDED", i64::from(run.pages)), "{run:?}");
}

#[tokio::test]
async fn a_run_does_not_ask_s3_for_anything_and_ends_while_it_hangs() {
    let stand = stand(ajio(60)).await;
    let config = stand.test.config("robnu_adapter");
    let hangs = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut environment = stand.environment(Ajio, config.host, config.port);
    environment.push(("AWS_ENDPOINT_URL_S3", format!("http://{}", hangs.local_addr().unwrap())));
    let bound = std::time::Duration::from_mins(1);
    let function = LambdaProcess::start(env!("CARGO_BIN_EXE_adapter"), &environment, bound).await;
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), count(&stand).await), ("SUCCEEDED", i64::from(run.pages)), "{run:?}");
    let asked = tokio::time::timeout(std::time::Duration::from_millis(100), hangs.accept()).await;
    assert!(asked.is_err(), "the run asked S3");
}

#[tokio::test]
async fn with_20_000_pages_waiting_a_run_goes_on_without_raw_pages_and_says_so() {
    let stand = stand(ajio(20)).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let fill = "insert into robnu.raw_pages (seller_id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder,
          page_digest, page_enc)
        select $1, $2, 'AJIO', uuidv7(), 'ORDERS', 1, 1, now() - interval '1 hour', '2026-11-20/09', sha256(int8send(n)), 'x'
        from generate_series(1, 20001) n";
    stand.superuser.execute(fill, &[&ours.id, &ours.ajio]).await.unwrap();
    let function = stand.start(Ajio).await;
    let job = run(&stand, &function, ours, (Ajio, Orders)).await;
    assert_eq!((stand.run(job.run_id).await.state.as_str(), count(&stand).await), ("SUCCEEDED", 20_001));
    let said = || function.log().iter().filter(|line| line.contains("raw pages were not kept")).count();
    assert!(said() > 0, "the log says so");
    // Another seller's pages are kept.
    run(&stand, &function, theirs, (Ajio, Orders)).await;
    assert!(count(&stand).await > 20_001);
    // And ours are, once there is room.
    let room = "delete from robnu.raw_pages where page_enc = 'x' and page_digest = sha256(int8send(1))";
    stand.superuser.batch_execute(room).await.unwrap();
    let before = count(&stand).await;
    run(&stand, &function, ours, (Ajio, Orders)).await;
    assert!(count(&stand).await > before);
}

#[tokio::test]
async fn a_response_that_is_no_page_and_a_run_without_responses_keep_nothing() {
    let stand = stand(ajio(20)).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", FaultKind::Garbage).times(1));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!((stand.run(job.run_id).await.state.as_str(), count(&stand).await), ("WAITING", 0));
    let function = stand.start(AmazonIn).await;
    let job = stand.queue(AmazonIn, Returns).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!((stand.run(job.run_id).await.pages, count(&stand).await), (1, 0), "a report was asked for");
}
