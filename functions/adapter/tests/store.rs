//! Storing pages against a model: whatever pages come, in whatever order, the tables hold what the rules say, to the last
//! decimal, and the neighbour's rows stay as they were.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::collections::BTreeMap;

use adapter::store::store_page;
use chrono::DateTime;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{
    AmountBasis, OrderItemRecord, OrderRecord, OrderStatus, QuarantinedRecord, Records,
};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, RunId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use rust_decimal::Decimal;
use tokio_postgres::Client;
use uuid::Uuid;

/// Order id → status and lines; line id → amount and basis.
type Model = BTreeMap<String, (OrderStatus, BTreeMap<String, (Decimal, AmountBasis)>)>;

/// Order, its status, line, its amount and basis; an order without lines has a row without a line.
type FlatRow = (String, String, Option<String>, Option<Decimal>, Option<String>);

const STATUSES: [OrderStatus; 3] = [OrderStatus::Pending, OrderStatus::Confirmed, OrderStatus::Cancelled];
const BASES: [AmountBasis; 2] = [AmountBasis::Customer, AmountBasis::Purchase];

fn pages() -> impl Strategy<Value = Vec<Vec<OrderRecord>>> {
    let item = (0_u8..3, prop::option::of(0_i64..1_000_000), prop::sample::select(BASES.to_vec()))
        .prop_map(|(id, units, basis)| item(id, units, basis));
    let order = (0_u8..5, prop::sample::select(STATUSES.to_vec()), prop::collection::vec(item, 0..4))
        .prop_map(|(id, status, items)| order(id, status, items));
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

fn order(id: u8, status: OrderStatus, items: Vec<OrderItemRecord>) -> OrderRecord {
    // A line id occurs once in an order; the adapters see to that.
    let items: BTreeMap<String, OrderItemRecord> =
        items.into_iter().map(|item| (item.external_item_id.clone(), item)).collect();
    OrderRecord {
        external_order_id: format!("O{id}"),
        status,
        marketplace_status: status.as_str().to_lowercase(),
        placed_at: DateTime::UNIX_EPOCH,
        marketplace_updated_at: None,
        dispatch_by: None,
        fulfilled_by: None,
        payment_method: None,
        currency: "INR".to_owned(),
        total_amount: None,
        ship_city: None,
        ship_postal_code: None,
        items: items.into_values().collect(),
        shipments: Vec::new(),
    }
}

/// The rules, said a second time in another way. Answers how many orders the page holds.
fn apply(model: &mut Model, page: &[OrderRecord]) -> i32 {
    let last: BTreeMap<&str, &OrderRecord> =
        page.iter().map(|order| (order.external_order_id.as_str(), order)).collect();
    for (id, order) in &last {
        let (status, lines) = model.entry((*id).to_owned()).or_insert((order.status, BTreeMap::new()));
        if order.status == OrderStatus::Pending && *status != OrderStatus::Pending {
            continue;
        }
        *status = order.status;
        let kept = |item: &OrderItemRecord| match lines.get(&item.external_item_id) {
            Some((amount, AmountBasis::Customer)) if item.amount_basis == AmountBasis::Purchase => {
                (*amount, AmountBasis::Customer)
            }
            Some(known) if item.line_amount.is_none() => *known,
            _ => (item.line_amount.unwrap_or_default(), item.amount_basis),
        };
        *lines = order.items.iter().map(|item| (item.external_item_id.clone(), kept(item))).collect();
    }
    i32::try_from(last.len()).unwrap()
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

    async fn store(&self, page: &[OrderRecord]) -> [StreamCounts; 2] {
        let job = Job {
            run_id: RunId::new(),
            step: 0,
            generation: 0,
            seller_id: self.seller.id,
            account_id: self.seller.amazon,
            marketplace: MarketplaceCode::AmazonIn,
            kind: RunKind::Orders,
        };
        let mut session = self.database.session(&self.seller.job_scope()).await.unwrap();
        let records = Records::Orders(page.to_vec());
        let stored = store_page(&mut session, &self.cipher, &job, &records, &[]).await.unwrap();
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
    for (order, (status, lines)) in model {
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
                let size = apply(&mut model, page);
                let [orders, lines] = stand.store(page).await;
                prop_assert_eq!(orders.added + orders.changed + orders.unchanged, size);
                prop_assert_eq!(stand.stored().await, flat(&model));
                let read = lines.added + lines.changed + lines.unchanged;
                let again = stand.store(page).await;
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
        // The key is the same on purpose: the seller alone makes the difference.
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
        let stored = store_page(&mut session, &cipher, &job, &none, &[bad(), bad()]).await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(stored.quarantined, 1, "a record twice on a page is one record");
    }
    let kept = "select seen, count(*) over (partition by record_digest) from robnu.quarantined_records
                where external_id = 'B1' order by seller_id = $1 desc";
    let rows = test.superuser().await.query(kept, &[&sellers.ours.id]).await.unwrap();
    let rows: Vec<(i32, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(2, 1), (1, 1)]);
}
