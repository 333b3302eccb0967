//! Amazon's payouts are read by the real function: every settlement adds up, a file and the API give equal rows, and nothing counts twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::AmazonIn;
use robnu_marketplace::kind::RunKind;
use robnu_testkit::{LambdaProcess, Seller};
use simulators::{AmazonAccount, AmazonSettlement, OrderBook, SimulatorConfig};
use support::uploads::import_file;
use support::{Stand, again, kill_in_transaction};

const OURS: &str = "A1OURS";
const THEIRS: &str = "A2THEIRS";

/// Delivered orders, one bought on each of these days; every fifth comes back.
fn book(prefix: u32, days_ago: std::ops::Range<i64>) -> OrderBook {
    let mut csv = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                   line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n"
        .to_owned();
    for days in days_ago {
        let date = (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%d");
        writeln!(csv, "{prefix}-0000001-{days:07},{date},Shipped - Delivered to Buyer,Merchant,Standard,Shirt,Cash,M,,499.505,1,INR,PUNE,411001,false").unwrap();
    }
    OrderBook::from_csv("sold", &csv).unwrap()
}

async fn stand() -> Stand {
    let mut config = SimulatorConfig::sample().unwrap();
    config.amazon.list_transactions.burst = 1_000;
    config.amazon.get_reports.burst = 1_000;
    config.amazon.get_report_document.burst = 1_000;
    for (account, token, prefix, days) in [(OURS, "Atzr|1", 405, 5..155), (THEIRS, "Atzr|2", 408, 5..30)] {
        config.amazon.accounts.push(AmazonAccount {
            account: account.to_owned(),
            refresh_token: token.to_owned(),
            client_id: None,
            client_secret: None,
            orders: book(prefix, days),
        });
    }
    let mut stand = Stand::new(config).await;
    stand.call_rates = "listTransactions:1000:1000,getReports:1000:1000,getReportDocument:1000:1000";
    stand
}

async fn texts(stand: &Stand, seller: &Seller, sql: &str) -> Vec<String> {
    stand.superuser.query(sql, &[&seller.amazon]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Reads the seller's payouts to the end.
async fn read(stand: &Stand, function: &LambdaProcess, seller: &Seller) -> Job {
    let job = stand.queue_for(seller, AmazonIn, RunKind::Payouts).await;
    stand.run_to_end(function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.quarantined, &run.error_code), ("SUCCEEDED", 0, &None));
    job
}

const PAYOUTS: &str = "select concat_ws(' ', external_payout_id, source, coalesce(trim_scale(stated_amount)::text, '-'), trim_scale(net_amount), unbalanced_entries)
    from robnu.payouts where account_id = $1 and external_payout_id <> 'PN1' order by 1";
const SETTLED: &str = "select concat_ws(' ', p.external_payout_id, p.period_start, p.period_end, p.paid_at, p.settled_at, e.external_part_id, e.number, e.marketplace_type,
      e.external_order_id, e.external_item_id, e.sku, e.quantity, e.posted_at, e.amount, e.place, e.other, e.digest,
      (select string_agg(concat_ws(' ', l.line_type, l.marketplace_type, l.amount), ',' order by l.number) from robnu.payout_lines l where l.entry_id = e.id))
    from robnu.payout_entries e join robnu.payouts p on p.id = e.payout_id
    where e.account_id = $1 and e.source = 'AMAZON_SETTLEMENT' order by 1";
const ANNOUNCED: &str = "select concat_ws(' ', count(*), count(expected_at), coalesce((select trim_scale(a.amount) || ' ' || a.entries from robnu.announced_amounts a
      where a.account_id = $1), '0 0')) from robnu.payout_entries where account_id = $1 and payout_id is null";
const ROWS: &str = "select p.xmin || p::text from robnu.payouts p where account_id = $1
    union all select e.xmin || e::text from robnu.payout_entries e where account_id = $1
    union all select l.xmin || l::text from robnu.payout_lines l join robnu.payout_entries e on e.id = l.entry_id where e.account_id = $1
    order by 1";

fn told(stand: &Stand, account: &str) -> Vec<AmazonSettlement> {
    stand.simulator.amazon_settlements(account).unwrap()
}

/// What is stored of a settlement whose report was read.
fn reported(settlement: &AmazonSettlement) -> String {
    let total = settlement.total.normalize();
    format!("{} AMAZON_SETTLEMENT {total} {total} 0", settlement.id)
}

#[tokio::test]
async fn reports_that_are_read_and_uploaded_give_equal_rows_and_each_settlement_adds_up() {
    let stand = stand().await;
    let function = stand.start(AmazonIn).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let before = texts(&stand, theirs, ROWS).await;
    read(&stand, &function, ours).await;
    assert_eq!(texts(&stand, theirs, ROWS).await, before, "the other seller's money is their own");
    let payouts = texts(&stand, ours, PAYOUTS).await;
    let kept = Utc::now() - TimeDelta::days(89);
    let recent: Vec<_> = told(&stand, OURS).into_iter().filter(|one| one.reported_at > kept).collect();
    assert!(recent.len() >= 5, "{payouts:?}");
    for settlement in &recent {
        assert!(payouts.contains(&reported(settlement)), "{} of {payouts:?}", settlement.id);
    }
    for settlement in told(&stand, OURS).iter().filter(|one| one.reported_at <= kept) {
        let expected = format!("{} AMAZON_TRANSACTIONS - {} 0", settlement.id, settlement.total.normalize());
        assert!(payouts.contains(&expected), "{expected} of {payouts:?}");
    }
    for settlement in &recent {
        import_file(&stand, &function, theirs, AmazonIn, &settlement.report).await;
    }
    let (by_api, by_file) = (texts(&stand, ours, SETTLED).await, texts(&stand, theirs, SETTLED).await);
    assert!(by_api.len() > 200, "{}", by_api.len());
    assert_eq!(by_api, by_file);
    let stored = texts(&stand, ours, ROWS).await;
    read(&stand, &function, ours).await;
    assert_eq!(texts(&stand, ours, ROWS).await, stored, "what is read again is the same");
}

#[tokio::test]
async fn what_was_announced_or_known_from_transactions_becomes_the_settlement_that_is_reported_later() {
    let stand = stand().await;
    let function = stand.start(AmazonIn).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    for seller in [ours, theirs] {
        read(&stand, &function, seller).await;
        let announced = texts(&stand, seller, ANNOUNCED).await.remove(0);
        let numbers: Vec<&str> = announced.split(' ').collect();
        assert!(numbers[0] != "0" && numbers[0] == numbers[1] && numbers[0] == numbers[3], "{announced}");
    }
    let open = "select external_payout_id from robnu.payouts where account_id = $1 and source = 'AMAZON_TRANSACTIONS'
        and settled_at > now() - interval '30 days'";
    assert!(!texts(&stand, ours, open).await.is_empty(), "money is known before its report");
    stand.simulator.advance_clock(Duration::from_hours(40 * 24));
    read(&stand, &function, ours).await;
    let payouts = texts(&stand, ours, PAYOUTS).await;
    let after: Vec<_> = told(&stand, OURS);
    assert_eq!(payouts.len(), after.len(), "no settlement is there twice");
    let kept = Utc::now() - TimeDelta::days(89);
    for settlement in after.iter().filter(|one| one.reported_at > kept) {
        assert!(payouts.contains(&reported(settlement)), "{} of {payouts:?}", settlement.id);
    }
    let announced = texts(&stand, ours, ANNOUNCED).await;
    assert!(announced[0].starts_with("0 0 0"), "{announced:?}");
    let announced = texts(&stand, theirs, ANNOUNCED).await;
    assert!(!announced[0].starts_with("0 "), "the other seller's is still announced: {announced:?}");
}

#[tokio::test]
async fn a_run_that_is_killed_as_it_stores_each_table_leaves_what_an_undisturbed_one_does() {
    let stand = stand().await;
    let ours = &stand.sellers.ours;
    let mut job = stand.queue_for(ours, AmazonIn, RunKind::Payouts).await;
    for table in ["payouts", "payout_entries", "payout_lines"] {
        kill_in_transaction(&stand, stand.start(AmazonIn).await, &job, table).await;
        job = again(&stand, job).await;
    }
    let function = stand.start(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    let payouts = texts(&stand, ours, PAYOUTS).await;
    let kept = Utc::now() - TimeDelta::days(89);
    for settlement in told(&stand, OURS).iter().filter(|one| one.reported_at > kept) {
        assert!(payouts.contains(&reported(settlement)), "{} of {payouts:?}", settlement.id);
    }
    let stored = texts(&stand, ours, ROWS).await;
    read(&stand, &function, ours).await;
    assert_eq!(texts(&stand, ours, ROWS).await, stored);
}
