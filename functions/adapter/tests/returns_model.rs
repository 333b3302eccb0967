//! Storing pages of returns and of orders in any order, compared with a model: versions, lines, and which return is joined to
//! which order.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::collections::{BTreeMap, BTreeSet};

use adapter::store::raw_pages::RawPages;
use adapter::store::store_page;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, Records, ReturnItemRecord, ReturnRecord,
    ReturnStatus, ReturnType,
};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, RunId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use tokio_postgres::Client;
use uuid::Uuid;

const STATUSES: [ReturnStatus; 5] = [
    ReturnStatus::Initiated,
    ReturnStatus::InTransit,
    ReturnStatus::Delivered,
    ReturnStatus::Cancelled,
    ReturnStatus::Unknown,
];

/// A page of one of the two streams.
#[derive(Debug, Clone)]
enum Page {
    Returns(Vec<ReturnRecord>),
    Orders(Vec<OrderRecord>),
}

fn pages() -> impl Strategy<Value = Vec<Page>> {
    let lines = || prop::collection::btree_set(0_u8..3, 0..3);
    let status = prop::sample::select(STATUSES.to_vec());
    let returned = (0_u8..6, status, prop::option::of(0_i64..4), any::<bool>(), lines())
        .prop_map(|(id, status, stamp, says_order, lines)| returned(id, status, stamp, says_order, &lines));
    let order = (0_u8..3, lines()).prop_map(|(id, lines)| order(id, &lines));
    let page = prop_oneof![
        prop::collection::vec(returned, 0..6).prop_map(Page::Returns),
        prop::collection::vec(order, 0..4).prop_map(Page::Orders),
    ];
    prop::collection::vec(page, 1..8)
}

/// Returns 0 to 3 belong to orders 0 to 3, of which the last never comes; the others never say to which.
fn returned(
    id: u8,
    status: ReturnStatus,
    stamp: Option<i64>,
    says_order: bool,
    lines: &BTreeSet<u8>,
) -> ReturnRecord {
    let item = |line: &u8| ReturnItemRecord {
        external_item_id: format!("L{line}"),
        external_order_item_id: Some(format!("I{line}")),
        sku: None,
        title: None,
        size: None,
        quantity: 1,
        quantity_cancelled: 0,
        refund_amount: None,
        reason: None,
    };
    ReturnRecord {
        external_return_id: format!("R{id}"),
        external_order_id: (says_order && id < 4).then(|| format!("O{id}")),
        external_shipment_id: None,
        return_type: ReturnType::Customer,
        status,
        marketplace_status: "as it is".to_owned(),
        reason: None,
        carrier: None,
        tracking_number: None,
        currency: None,
        document: None,
        initiated_at: DateTime::UNIX_EPOCH,
        expected_at: None,
        delivered_at: None,
        marketplace_updated_at: stamp.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        items: lines.iter().map(item).collect(),
        notes: Vec::new(),
    }
}

fn order(id: u8, lines: &BTreeSet<u8>) -> OrderRecord {
    let item = |line: &u8| OrderItemRecord {
        external_item_id: format!("I{line}"),
        sku: None,
        title: None,
        size: None,
        quantity: 1,
        quantity_cancelled: 0,
        line_amount: None,
        amount_basis: AmountBasis::Customer,
        tax_amount: None,
        hsn: None,
    };
    OrderRecord {
        external_order_id: format!("O{id}"),
        status: OrderStatus::Delivered,
        marketplace_status: "as it is".to_owned(),
        placed_at: DateTime::UNIX_EPOCH,
        marketplace_updated_at: None,
        dispatch_by: None,
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: None,
        payment_method: None,
        currency: None,
        total_amount: None,
        ship_city: None,
        ship_state: None,
        ship_postal_prefix: None,
        customer: None,
        items: lines.iter().map(item).collect(),
        shipments: Vec::new(),
        notes: Vec::new(),
    }
}

/// A return as it is stored.
struct Known {
    status: ReturnStatus,
    stamp: Option<DateTime<Utc>>,
    order: Option<String>,
    lines: BTreeSet<String>,
}

#[derive(Default)]
struct Model {
    returns: BTreeMap<String, Known>,
    orders: BTreeMap<String, BTreeSet<String>>,
}

/// Delivered and cancelled end a return; either may turn out to be the other.
fn progress(status: ReturnStatus) -> u8 {
    match status {
        ReturnStatus::Initiated => 0,
        ReturnStatus::PickedUp => 1,
        ReturnStatus::InTransit => 2,
        _ => 3,
    }
}

impl Model {
    /// The rules, written a second time in another way.
    fn apply(&mut self, page: &Page) {
        match page {
            Page::Orders(orders) => {
                for order in orders {
                    let lines = order.items.iter().map(|item| item.external_item_id.clone()).collect();
                    self.orders.insert(order.external_order_id.clone(), lines);
                }
            }
            Page::Returns(returns) => {
                let mut newest: BTreeMap<&str, &ReturnRecord> = BTreeMap::new();
                for record in returns {
                    let known = newest.entry(&record.external_return_id).or_insert(record);
                    if known.marketplace_updated_at <= record.marketplace_updated_at {
                        *known = record;
                    }
                }
                for record in newest.into_values() {
                    self.read(record);
                }
            }
        }
    }

    fn read(&mut self, record: &ReturnRecord) {
        let fresh =
            || Known { status: ReturnStatus::Initiated, stamp: None, order: None, lines: BTreeSet::new() };
        let known = self.returns.entry(record.external_return_id.clone()).or_insert_with(fresh);
        let is_older = match (record.marketplace_updated_at, known.stamp) {
            (Some(read), Some(stored)) => read < stored,
            _ => record.status != ReturnStatus::Unknown && progress(record.status) < progress(known.status),
        };
        if is_older {
            return;
        }
        if record.status != ReturnStatus::Unknown {
            known.status = record.status;
        }
        known.stamp = record.marketplace_updated_at.or(known.stamp);
        known.order = record.external_order_id.clone().or_else(|| known.order.take());
        known.lines = record.items.iter().map(|item| item.external_item_id.clone()).collect();
    }

    /// Each return's id, status, whether its order is joined, and its lines with whether theirs is.
    fn flat(&self) -> Vec<String> {
        let of_return = |(id, known): (&String, &Known)| {
            let order = known.order.as_ref().and_then(|order| self.orders.get(order));
            let line = |line: &String| {
                let joined = order.is_some_and(|lines| lines.contains(&line.replace('L', "I")));
                format!(" {line}:{joined}")
            };
            let lines: String = known.lines.iter().map(line).collect();
            format!("{id} {} {}{lines}", known.status.known().unwrap(), order.is_some())
        };
        self.returns.iter().map(of_return).collect()
    }
}

struct Stand {
    _test: TestDatabase,
    seller: Seller,
    database: Database,
    superuser: Client,
    cipher: SellerCipher,
}

impl Stand {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let cipher = SellerCipher::new(sellers.ours.id, Uuid::now_v7(), &[7; 32]).unwrap();
        Self {
            superuser: test.superuser().await,
            database: test.login("robnu_adapter").await,
            seller: sellers.ours,
            cipher,
            _test: test,
        }
    }

    async fn clear(&self) {
        for table in ["returns", "orders"] {
            let sql = format!("delete from robnu.{table} where account_id = $1");
            self.superuser.execute(&sql, &[&self.seller.amazon]).await.unwrap();
        }
    }

    async fn store(&self, page: &Page) -> Vec<StreamCounts> {
        let (records, kind) = match page.clone() {
            Page::Returns(returns) => (Records::Returns(returns), RunKind::Returns),
            Page::Orders(orders) => (Records::Orders(orders), RunKind::Orders),
        };
        let job = Job {
            run_id: RunId::new(),
            step: 0,
            generation: 0,
            seller_id: self.seller.id,
            account_id: self.seller.amazon,
            marketplace: MarketplaceCode::AmazonIn,
            kind,
        };
        let mut session = self.database.session(&self.seller.job_scope()).await.unwrap();
        let stored =
            store_page(&mut session, &self.cipher, &job, &records, &[], &RawPages::default()).await.unwrap();
        session.commit().await.unwrap();
        stored.counts
    }

    async fn stored(&self) -> Vec<String> {
        let sql = "select concat(r.external_return_id, ' ', r.status, ' ', (o.id is not null)::text,
              string_agg(concat(' ', i.external_item_id, ':', (l.id is not null)::text), '' order by i.external_item_id)
              filter (where i.id is not null))
            from robnu.returns r
            left join robnu.orders o on o.id = r.order_id and o.external_order_id = r.external_order_id
            left join robnu.return_items i on i.return_id = r.id
            left join robnu.order_items l on l.id = i.order_item_id and l.order_id = o.id
            where r.account_id = $1 group by r.external_return_id, r.status, o.id order by r.external_return_id";
        let rows = self.superuser.query(sql, &[&self.seller.amazon]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

#[test]
fn any_sequence_of_pages_of_both_streams_leaves_what_the_rules_say_and_a_repeated_page_changes_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stand = runtime.block_on(Stand::new());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&pages(), |pages| {
        runtime.block_on(async {
            stand.clear().await;
            let mut model = Model::default();
            for page in &pages {
                model.apply(page);
                stand.store(page).await;
                prop_assert_eq!(stand.stored().await, model.flat());
                let again = stand.store(page).await;
                let is_quiet = |of: &StreamCounts| (of.added, of.changed, of.removed) == (0, 0, 0);
                prop_assert!(again.iter().all(is_quiet), "the page again: {:?}", again);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}
