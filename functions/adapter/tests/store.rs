//! Storing pages, compared with a model: for any pages in any order, the tables match the rules to the last decimal, and the
//! other seller's rows stay unchanged.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::collections::BTreeMap;

use adapter::store::raw_pages::RawPages;
use adapter::store::store_page;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, QuarantinedRecord, Records, ShipmentRecord,
};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, RunId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use rust_decimal::Decimal;
use tokio_postgres::Client;
use uuid::Uuid;

/// Orders by id.
type Model = BTreeMap<String, Known>;

/// An order as it is stored.
struct Known {
    status: OrderStatus,
    stamp: Option<DateTime<Utc>>,
    /// A status that went back, and the run that read it.
    backward: Option<(OrderStatus, RunId)>,
    /// Line id → amount and basis.
    lines: BTreeMap<String, (Decimal, AmountBasis)>,
}

/// Order, its status, line, its amount and basis; an order without lines has a row without a line.
type FlatRow = (String, String, Option<String>, Option<Decimal>, Option<String>);

const STATUSES: [OrderStatus; 3] = [OrderStatus::Pending, OrderStatus::Confirmed, OrderStatus::Cancelled];
const BASES: [AmountBasis; 2] = [AmountBasis::Customer, AmountBasis::Purchase];

fn pages() -> impl Strategy<Value = Vec<Vec<OrderRecord>>> {
    let item = (0_u8..3, prop::option::of(0_i64..1_000_000), prop::sample::select(BASES.to_vec()))
        .prop_map(|(id, units, basis)| item(id, units, basis));
    let stamp = prop::option::of(0_i64..4);
    let order = (0_u8..5, prop::sample::select(STATUSES.to_vec()), stamp, prop::collection::vec(item, 0..4))
        .prop_map(|(id, status, stamp, items)| order(id, status, stamp, items));
    prop::collection::vec(prop::collection::vec(order, 0..7), 1..6)
}

fn item(id: u8, units: Option<i64>, basis: AmountBasis) -> OrderItemRecord {
    OrderItemRecord {
        external_item_id: format!("I{id}"),
        sku: None,
        title: None,
        size: None,
        quantity: 1,
        quantity_cancelled: 0,
        line_amount: units.map(|units| Decimal::new(units, 4)),
        amount_basis: basis,
        tax_amount: None,
        hsn: None,
    }
}

fn order(id: u8, status: OrderStatus, stamp: Option<i64>, items: Vec<OrderItemRecord>) -> OrderRecord {
    // A line id occurs once in an order; the adapters ensure that.
    let items: BTreeMap<String, OrderItemRecord> =
        items.into_iter().map(|item| (item.external_item_id.clone(), item)).collect();
    OrderRecord {
        external_order_id: format!("O{id}"),
        status,
        marketplace_status: status.as_str().to_lowercase(),
        placed_at: DateTime::UNIX_EPOCH,
        marketplace_updated_at: stamp.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        dispatch_by: None,
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: None,
        payment_method: None,
        currency: Some("INR".to_owned()),
        total_amount: None,
        ship_city: None,
        ship_state: None,
        ship_postal_prefix: None,
        customer: None,
        items: items.into_values().collect(),
        shipments: Vec::new(),
        notes: Vec::new(),
    }
}

/// The progress of an order's status.
fn progress(status: OrderStatus) -> usize {
    STATUSES.iter().position(|known| *known == status).unwrap()
}

/// The rules, written a second time in another way. Returns the number of orders on the page.
fn apply(model: &mut Model, run: RunId, page: &[OrderRecord]) -> i32 {
    let mut newest: Vec<&OrderRecord> = Vec::new();
    for order in page {
        match newest.iter_mut().find(|known| known.external_order_id == order.external_order_id) {
            Some(known) if known.marketplace_updated_at <= order.marketplace_updated_at => *known = order,
            Some(_) => {}
            None => newest.push(order),
        }
    }
    for order in &newest {
        let fresh = || Known { status: order.status, stamp: None, backward: None, lines: BTreeMap::new() };
        let known = model.entry(order.external_order_id.clone()).or_insert_with(fresh);
        match (order.marketplace_updated_at, known.stamp) {
            (Some(read), Some(stored)) if read < stored => continue,
            (Some(_), Some(_)) => {}
            _ if progress(order.status) >= progress(known.status) => {}
            // A status that goes back is stored when another run reads the same one.
            _ => match known.backward {
                Some((status, by)) if status == order.status && by != run => {}
                Some((status, _)) if status == order.status => continue,
                _ => {
                    known.backward = Some((order.status, run));
                    continue;
                }
            },
        }
        known.status = order.status;
        known.stamp = order.marketplace_updated_at.or(known.stamp);
        known.backward = None;
        let kept = |item: &OrderItemRecord| match known.lines.get(&item.external_item_id) {
            Some((amount, AmountBasis::Customer)) if item.amount_basis == AmountBasis::Purchase => {
                (*amount, AmountBasis::Customer)
            }
            Some(known) if item.line_amount.is_none() => *known,
            _ => (item.line_amount.unwrap_or_default(), item.amount_basis),
        };
        known.lines = order.items.iter().map(|item| (item.external_item_id.clone(), kept(item))).collect();
    }
    i32::try_from(newest.len()).unwrap()
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
        let superuser = test.superuser().await;
        let cipher = SellerCipher::new(sellers.ours.id, Uuid::now_v7(), &[7; 32]).unwrap();
        Self {
            database: test.login("robnu_adapter").await,
            seller: sellers.ours,
            superuser,
            cipher,
            _test: test,
        }
    }

    async fn clear(&self) {
        let sql = "delete from robnu.orders where account_id = $1";
        self.superuser.execute(sql, &[&self.seller.amazon]).await.unwrap();
    }

    async fn store(&self, run_id: RunId, page: &[OrderRecord]) -> [StreamCounts; 2] {
        let job = Job {
            run_id,
            step: 0,
            generation: 0,
            seller_id: self.seller.id,
            account_id: self.seller.amazon,
            marketplace: MarketplaceCode::AmazonIn,
            kind: RunKind::Orders,
        };
        let mut session = self.database.session(&self.seller.job_scope()).await.unwrap();
        let records = Records::Orders(page.to_vec());
        let stored =
            store_page(&mut session, &self.cipher, &job, &records, &[], &RawPages::default()).await.unwrap();
        session.commit().await.unwrap();
        stored.counts.try_into().unwrap()
    }

    async fn stored(&self) -> Vec<FlatRow> {
        let sql = "select o.external_order_id, o.status, i.external_item_id, i.line_amount, i.amount_basis
                   from robnu.orders o left join robnu.order_items i on i.seller_id = o.seller_id and i.order_id = o.id
                   where o.account_id = $1 order by 1, 3";
        let rows = self.superuser.query(sql, &[&self.seller.amazon]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))).collect()
    }
}

fn flat(model: &Model) -> Vec<FlatRow> {
    let mut rows = Vec::new();
    for (order, Known { status, lines, .. }) in model {
        let status = status.as_str().to_owned();
        if lines.is_empty() {
            rows.push((order.clone(), status.clone(), None, None, None));
        }
        for (line, (amount, basis)) in lines {
            rows.push((
                order.clone(),
                status.clone(),
                Some(line.clone()),
                Some(*amount),
                Some(basis.as_str().to_owned()),
            ));
        }
    }
    rows
}

#[test]
fn any_sequence_of_pages_leaves_what_the_rules_say_and_a_repeated_page_changes_nothing() {
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
            let mut model = Model::new();
            for page in &pages {
                let run = RunId::new();
                let size = apply(&mut model, run, page);
                let [orders, lines] = stand.store(run, page).await;
                prop_assert_eq!(orders.added + orders.changed + orders.unchanged, size);
                prop_assert_eq!(stand.stored().await, flat(&model));
                let read = lines.added + lines.changed + lines.unchanged;
                let again = stand.store(run, page).await;
                let nothing =
                    |stream, unchanged| StreamCounts { stream, added: 0, changed: 0, unchanged, removed: 0 };
                prop_assert_eq!(
                    again,
                    [nothing("ORDERS", size), nothing("ORDER_LINES", read)],
                    "the page again"
                );
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

/// A stored order with its one line and its packages, as text.
async fn shown(stand: &Stand) -> String {
    let sql = "select concat_ws(' ', o.status, o.currency, trim_scale(o.total_amount), o.notes, i.quantity, trim_scale(i.line_amount),
                 (select string_agg(s.external_shipment_id || ':' || s.status, ',' order by s.external_shipment_id)
                  from robnu.shipments s where s.order_id = o.id))
               from robnu.orders o join robnu.order_items i on i.seller_id = o.seller_id and i.order_id = o.id
               where o.account_id = $1";
    stand.superuser.query_one(sql, &[&stand.seller.amazon]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_older_version_replaces_nothing_and_a_replaced_package_is_withdrawn() {
    let stand = Stand::new().await;
    stand.clear().await;
    let package = |id: &str| ShipmentRecord {
        external_shipment_id: id.to_owned(),
        status: "PENDING".to_owned(),
        marketplace_status: None,
        carrier: None,
        tracking_number: Some(format!("AWB{id}")),
        shipment_type: None,
        dispatch_after: None,
        dispatch_by: None,
        on_hold: false,
        package_count: None,
    };
    let version = |stamp, status, units: i32, amount: i64, packages: &[&str]| {
        let line =
            OrderItemRecord { quantity: units, ..item(0, Some(amount * 10_000), AmountBasis::Customer) };
        OrderRecord {
            total_amount: Some(Decimal::from(amount)),
            shipments: packages.iter().map(|id| package(id)).collect(),
            ..order(0, status, Some(stamp), vec![line])
        }
    };
    let store = async |page: &[OrderRecord]| {
        stand.store(RunId::new(), page).await;
        shown(&stand).await
    };
    let first = version(1, OrderStatus::Confirmed, 2, 20, &["1"]);
    let second = version(2, OrderStatus::Pending, 1, 10, &["2"]);
    assert_eq!(store(std::slice::from_ref(&first)).await, "CONFIRMED INR 20 {} 2 20 1:PENDING");
    let newer = "PENDING INR 10 {} 1 10 1:WITHDRAWN,2:PENDING";
    assert_eq!(
        store(std::slice::from_ref(&second)).await,
        newer,
        "the newer one counts, though its status goes back"
    );
    for page in [vec![first.clone()], vec![second.clone(), first.clone()], vec![first, second]] {
        assert_eq!(store(&page).await, newer);
    }
    let unknown = version(3, OrderStatus::Unknown, 1, 10, &["2"]);
    assert_eq!(store(&[unknown]).await, newer, "an unmapped status changes nothing");
    let mut none = version(4, OrderStatus::Pending, 0, 0, &["1"]);
    none.items[0].line_amount = None;
    none.notes = vec!["dispatch_by is no date".to_owned()];
    let expected = "PENDING INR 0 {\"dispatch_by is no date\"} 0 0 1:PENDING,2:WITHDRAWN";
    assert_eq!(store(&[none]).await, expected, "zero units carry no money");
    // This holds for any price of zero. A known currency is never replaced.
    let mut foreign = version(5, OrderStatus::Confirmed, 1, 30, &["1"]);
    foreign.currency = Some("USD".to_owned());
    let dollars = "CONFIRMED USD 30 {} 1 30 1:PENDING,2:WITHDRAWN";
    assert_eq!(store(&[foreign]).await, dollars);
    let mut unpriced = version(6, OrderStatus::Confirmed, 0, 0, &["1"]);
    unpriced.currency = None;
    unpriced.items[0].amount_basis = AmountBasis::Purchase;
    assert_eq!(store(&[unpriced]).await, "CONFIRMED USD 0 {} 0 0 1:PENDING,2:WITHDRAWN");
}

/// Whether a stored order and its packages are held back, from when and by when they must leave, and what else is known of them.
async fn held(stand: &Stand) -> String {
    let sql = "select concat_ws(' ', o.status, o.on_hold, extract(day from o.dispatch_after), extract(day from o.dispatch_by), o.is_replacement,
                 (select string_agg(concat_ws(':', s.external_shipment_id, s.status, s.on_hold, extract(day from s.dispatch_after),
                    extract(day from s.dispatch_by), s.shipment_type, s.package_count), ',' order by s.external_shipment_id)
                  from robnu.shipments s where s.order_id = o.id))
               from robnu.orders o where o.account_id = $1";
    stand.superuser.query_one(sql, &[&stand.seller.amazon]).await.unwrap().get(0)
}

#[tokio::test]
async fn what_is_held_back_is_stored_and_freed_and_a_part_may_leave_before_the_rest() {
    let stand = Stand::new().await;
    stand.clear().await;
    let day = |day: u32| format!("2026-11-{day:02}T10:00:00Z").parse::<DateTime<Utc>>().unwrap();
    let parcel = |id: &str, status: &str, held: bool, after: Option<u32>, by: u32| ShipmentRecord {
        external_shipment_id: id.to_owned(),
        status: status.to_owned(),
        marketplace_status: None,
        carrier: None,
        tracking_number: None,
        shipment_type: Some("SELF".to_owned()),
        dispatch_after: after.map(day),
        dispatch_by: Some(day(by)),
        on_hold: held,
        package_count: Some(2),
    };
    let version =
        |stamp, status, on_hold, after: Option<u32>, by: u32, shipments: Vec<ShipmentRecord>| OrderRecord {
            dispatch_after: after.map(day),
            dispatch_by: Some(day(by)),
            on_hold,
            is_replacement: true,
            shipments,
            ..order(0, status, Some(stamp), vec![item(0, Some(10), AmountBasis::Customer)])
        };
    let store = async |page: OrderRecord| {
        stand.store(RunId::new(), &[page]).await;
        held(&stand).await
    };
    let waiting =
        || vec![parcel("1", "CONFIRMED", true, Some(5), 7), parcel("2", "CONFIRMED", true, Some(6), 8)];
    let first = store(version(1, OrderStatus::Confirmed, true, Some(5), 7, waiting())).await;
    assert_eq!(first, "CONFIRMED t 5 7 t 1:CONFIRMED:t:5:7:SELF:2,2:CONFIRMED:t:6:8:SELF:2");
    // The first parcel has left; the second may be packed at any time.
    let parted = vec![parcel("1", "SHIPPED", false, Some(5), 7), parcel("2", "CONFIRMED", false, None, 8)];
    let second = store(version(2, OrderStatus::PartiallyShipped, false, None, 8, parted)).await;
    let expected = "PARTIALLY_SHIPPED f 8 t 1:SHIPPED:f:5:7:SELF:2,2:CONFIRMED:f:8:SELF:2";
    assert_eq!(second, expected);
    let older = store(version(1, OrderStatus::Confirmed, true, Some(5), 7, waiting())).await;
    assert_eq!(older, expected, "an older version holds nothing back");
}

#[tokio::test]
async fn a_bad_record_is_one_row_per_seller_and_no_two_sellers_rows_look_alike() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let database = test.login("robnu_adapter").await;
    let bad = || QuarantinedRecord {
        external_id: Some("B1".to_owned()),
        reason: "no date".to_owned(),
        raw: r#"{"id":"B1"}"#.to_owned(),
    };
    for seller in [&sellers.ours, &sellers.theirs, &sellers.ours] {
        // The key is the same on purpose, so that only the seller differs.
        let cipher = SellerCipher::new(seller.id, Uuid::from_u128(1), &[7; 32]).unwrap();
        let job = Job {
            run_id: seller.run,
            step: 0,
            generation: 0,
            seller_id: seller.id,
            account_id: seller.ajio,
            marketplace: MarketplaceCode::Ajio,
            kind: RunKind::Orders,
        };
        let mut session = database.session(&seller.job_scope()).await.unwrap();
        let none = Records::Orders(Vec::new());
        let stored = store_page(&mut session, &cipher, &job, &none, &[bad(), bad()], &RawPages::default())
            .await
            .unwrap();
        session.commit().await.unwrap();
        assert_eq!(stored.quarantined, 1, "a record twice on a page is one record");
    }
    let kept = "select seen, count(*) over (partition by record_digest) from robnu.quarantined_records
                where external_id = 'B1' order by seller_id = $1 desc";
    let rows = test.superuser().await.query(kept, &[&sellers.ours.id]).await.unwrap();
    let rows: Vec<(i32, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(2, 1), (1, 1)]);
}
