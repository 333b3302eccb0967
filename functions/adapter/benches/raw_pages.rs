//! What keeping raw pages costs: the time of a page's transaction without them, with a page that is new and with one that is known,
//! measured in turn, and the bytes and the processor time of each page.
//!
//! `cargo bench --package adapter` prints a table. It needs the variables of the tests.
#![allow(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{Duration, Instant};

use adapter::store::raw_pages::RawPages;
use adapter::store::store_page;
use chrono::Utc;
use flate2::read::GzDecoder;
use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart};
use robnu_marketplace::contract::{Page, PagePosition, PageRequest};
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::Records;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, RunId, SellerScope};
use robnu_testkit::{TestDatabase, TwoSellers};
use simulators::{AjioConfig, Simulator, SimulatorConfig};
use uuid::Uuid;

/// Transactions of each kind.
const TIMES: usize = 300;
/// AJIO's orders after those on pendency, where pages are full.
const AJIO_START: &str = r#"{"phase":"orders","page":0,"steps_back":0,"rereads":0}"#;

#[tokio::main]
async fn main() {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders: 200, ..config.ajio };
    config.amazon.search_orders.burst = 1_000;
    let simulator = Simulator::start(&config).unwrap();
    let url = |text: &str| Some(text.to_owned());
    let registry = Registry::new(&MarketplaceConfig {
        ajio_base_url: url(simulator.ajio_base_url()),
        amazon_in_base_url: url(simulator.amazon_base_url()),
        amazon_in_auth_url: url(simulator.amazon_base_url()),
        flipkart_base_url: url(simulator.flipkart_base_url()),
        ..MarketplaceConfig::default()
    })
    .unwrap();
    println!(
        "{:<12}{:>8}{:>9}{:>9}{:>9}{:>12}{:>12}{:>12}{:>10}",
        "page", "orders", "kept kB", "row kB", "seal us", "without ms", "new ms", "known ms", "p95 new"
    );
    for code in [Ajio, AmazonIn, Flipkart] {
        let page = read(&registry, code).await;
        measure(code, &page).await;
    }
}

/// The largest of a run's first pages.
async fn read(registry: &Registry, code: MarketplaceCode) -> Page {
    let fields: &[(&str, &str)] = match code {
        Ajio => &[("username", "DV1"), ("password", "correct horse")],
        AmazonIn => {
            &[("client_id", "client"), ("client_secret", "battery-staple"), ("refresh_token", "Atzr|1")]
        }
        _ => &[("app_id", "app"), ("app_secret", "dishwasher")],
    };
    let details: BTreeMap<String, String> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let adapter = registry.adapter(code);
    let credentials = adapter.details().parse(&details).unwrap();
    let connection = adapter.connect(Uuid::now_v7(), credentials, Deadline::NONE.into()).unwrap();
    let mut position = (code == Ajio).then(|| PagePosition::new(AJIO_START.to_owned()));
    let mut largest: Option<Page> = None;
    for _ in 0..40 {
        let request = PageRequest { position: position.take(), ..PageRequest::default() };
        let page = connection.page(RunKind::Orders, &request).await.unwrap();
        position.clone_from(&page.next);
        if largest.as_ref().is_none_or(|known| orders(known) < orders(&page)) {
            largest = Some(page);
        }
        if position.is_none() {
            break;
        }
    }
    largest.unwrap()
}

fn orders(page: &Page) -> usize {
    match &page.records {
        Records::Orders(orders) => orders.len(),
        Records::Returns(returns) => returns.len(),
        Records::Payouts(parts) => parts.len(),
    }
}

async fn measure(code: MarketplaceCode, page: &Page) {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let (database, ours) = (test.login("robnu_adapter").await, &sellers.ours);
    let account_id = match code {
        Ajio => ours.ajio,
        AmazonIn => ours.amazon,
        _ => ours.flipkart,
    };
    let run_id = RunId::new();
    let sql = "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger) values ($1, $2, $3, $4, 'ORDERS', 'API')";
    superuser.execute(sql, &[&ours.id, &run_id, &account_id, &code.as_str()]).await.unwrap();
    let kind = RunKind::Orders;
    let job = Job { run_id, step: 0, generation: 0, seller_id: ours.id, account_id, marketplace: code, kind };
    let cipher = SellerCipher::new(ours.id, Uuid::now_v7(), &[7; 32]).unwrap();
    let scope = SellerScope::for_job(ours.id, account_id);
    let none = RawPages::default();
    let forget = "delete from robnu.raw_pages where page_enc is not null";
    let (mut without, mut new, mut known, mut sealing) = (vec![], vec![], vec![], Duration::ZERO);
    for _ in 0..TIMES {
        without.push(store(&database, &scope, &cipher, &job, page, &none).await);
        superuser.batch_execute(forget).await.unwrap();
        let began = Instant::now();
        let raw = RawPages::new(&cipher, &page.raw, Utc::now()).unwrap();
        sealing += began.elapsed();
        new.push(store(&database, &scope, &cipher, &job, page, &raw).await);
        known.push(store(&database, &scope, &cipher, &job, page, &raw).await);
    }
    let (mut kept, mut row) = (0, 0);
    for raw in &page.raw {
        let mut unpacked = Vec::new();
        GzDecoder::new(raw.packed()).read_to_end(&mut unpacked).unwrap();
        kept += unpacked.len();
        row += raw.packed().len();
    }
    println!(
        "{:<12}{:>8}{:>9.1}{:>9.1}{:>9}{:>12.2}{:>12.2}{:>12.2}{:>10.2}",
        code.as_str(),
        orders(page),
        kept as f64 / 1e3,
        row as f64 / 1e3,
        sealing.as_micros() / TIMES as u128,
        at(&mut without, 50),
        at(&mut new, 50),
        at(&mut known, 50),
        at(&mut new, 95),
    );
}

/// How long a page's transaction takes, in milliseconds.
async fn store(
    database: &Database,
    scope: &SellerScope,
    cipher: &SellerCipher,
    job: &Job,
    page: &Page,
    raw: &RawPages,
) -> f64 {
    let began = Instant::now();
    let mut session = database.session(scope).await.unwrap();
    store_page(&mut session, cipher, job, &page.records, &page.quarantined, raw).await.unwrap();
    session.commit().await.unwrap();
    began.elapsed().as_secs_f64() * 1e3
}

fn at(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * percent / 100]
}
