//! Customers are stored encrypted, once, and stay when the marketplace withholds them later.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use adapter::store::raw_pages::RawPages;
use adapter::store::store_page;
use chrono::{DateTime, Utc};
use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn, Flipkart};
use robnu_marketplace::record::{
    AmountBasis, Customer, CustomerText, OrderItemRecord, OrderRecord, OrderStatus, Records,
};
use robnu_storage::Place;
use robnu_tenancy::{AccountId, Database, OrderId, RunId};
use robnu_testkit::Seller;
use simulators::{AmazonCustomer, Fault, FaultKind, Malformation, Marketplace, OrderBook, SimulatorConfig};
use support::Stand;

const COLUMNS: [&str; 5] =
    ["customer_name_enc", "customer_phone_enc", "customer_email_enc", "address_enc", "postal_code_enc"];

/// Name, phone, email, address and postal code.
type Opened = [Option<String>; 5];

/// So many orders that every kind of odd customer is among them.
fn book() -> OrderBook {
    let mut csv = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                   line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n"
        .to_owned();
    for number in 0..60 {
        writeln!(
            csv,
            "405-{number:07}-{number:07},2026-11-01,Unshipped,Merchant,Standard,Shirt,Cash,M,Unshipped,10.00,1,INR,PUNE,411001,false"
        )
        .unwrap();
    }
    OrderBook::from_csv("generated", &csv).unwrap()
}

/// The customers of an account's orders, opened with the seller's data key.
async fn customers(stand: &Stand, seller: &Seller, account: AccountId) -> BTreeMap<String, Opened> {
    let sql = format!(
        "select o.external_order_id, o.id, {} from robnu.orders o join robnu.order_pii c on c.order_id = o.id
         where o.account_id = $1",
        COLUMNS.map(|column| format!("c.{column}")).join(", ")
    );
    let rows = stand.superuser.query(&sql, &[&account]).await.unwrap();
    let open = |row: &tokio_postgres::Row| {
        let order: OrderId = row.get(1);
        COLUMNS.map(|column| {
            let sealed: Option<Vec<u8>> = row.get(column);
            let place = Place { table: "order_pii", column, row: *order.as_uuid() };
            sealed.map(|sealed| {
                String::from_utf8(stand.cipher(seller.id).open(place, &sealed).unwrap().to_vec()).unwrap()
            })
        })
    };
    rows.iter().map(|row| (row.get(0), open(row))).collect()
}

/// What is stored of a served customer.
fn expected(served: AmazonCustomer) -> Opened {
    [
        served.name.filter(|name| name.len() <= 2_000),
        served.phone,
        served.email,
        served.street.map(|street| street.replace(char::is_control, " ")),
        Some("411001".to_owned()),
    ]
}

#[tokio::test]
async fn every_order_has_its_own_customer_and_a_full_second_read_rewrites_none() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let of_book = |order: &simulators::Order| (order.order_id.clone(), expected(AmazonCustomer::of(order)));
    let expected: BTreeMap<String, Opened> = book().orders().iter().map(of_book).collect();
    assert_eq!(customers(&stand, ours, ours.amazon).await, expected);
    assert!(customers(&stand, theirs, theirs.amazon).await.is_empty());
    let clear = "select count(*) filter (where ship_city = 'PUNE' and ship_state = 'MAHARASHTRA' and ship_postal_prefix = '411')
        from robnu.orders where account_id = $1";
    let clear: i64 = stand.superuser.query_one(clear, &[&ours.amazon]).await.unwrap().get(0);
    assert_eq!(clear, 60);

    let before = stand.fingerprint().await;
    stand.superuser.execute("delete from robnu.watermarks", &[]).await.unwrap();
    let again = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, again.clone()).await;
    assert_eq!(stand.run(again.run_id).await.orders_unchanged, 60);
    assert!(stand.fingerprint().await == before, "a customer was written again");
}

#[tokio::test]
async fn a_customer_who_is_withheld_later_stays() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    let ours = &stand.sellers.ours;
    let before = customers(&stand, ours, ours.amazon).await;
    // The account's orders change, and Amazon withholds the customer of one and serves another as no text.
    for (malformation, record) in [(Malformation::WithheldCustomer, 8), (Malformation::OddCustomer, 9)] {
        stand.superuser.execute("delete from robnu.watermarks", &[]).await.unwrap();
        let kind = FaultKind::Malformed { malformation, record };
        let path = "/orders/2026-01-01/orders";
        stand.simulator.add_fault(Fault::new(Marketplace::Amazon, path, kind).times(1));
        let again = stand.queue_run(AmazonIn).await;
        stand.run_to_end(&function, again.clone()).await;
        let run = stand.run(again.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0));
        assert_eq!(customers(&stand, ours, ours.amazon).await, before);
    }
    let noted =
        "select array_to_string(notes, '; ') from robnu.orders where account_id = $1 and notes <> '{}'
        and external_order_id = '405-0000009-0000009'";
    let noted: String = stand.superuser.query_one(noted, &[&ours.amazon]).await.unwrap().get(0);
    assert!(noted.contains("deliveryAddress.name is not text") && !noted.contains("Asha"), "{noted}");
}

#[tokio::test]
async fn marketplaces_that_name_no_customer_store_none() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    for marketplace in [Ajio, Flipkart] {
        let before: i64 = count(&stand).await;
        let function = stand.start(marketplace).await;
        let job = stand.queue_run(marketplace).await;
        stand.run_to_end(&function, job.clone()).await;
        assert!(stand.run(job.run_id).await.orders_new > 0, "{marketplace:?}");
        assert_eq!(count(&stand).await, before, "{marketplace:?}");
    }
}

async fn count(stand: &Stand) -> i64 {
    stand.superuser.query_one("select count(*) from robnu.order_pii", &[]).await.unwrap().get(0)
}

fn order(minute: u32, name: &str, phone: Option<&str>) -> OrderRecord {
    let text = |text: &str| Some(CustomerText::new(text.to_owned()));
    let at = |minute: u32| format!("2026-11-20T10:{minute:02}:00Z").parse::<DateTime<Utc>>().unwrap();
    OrderRecord {
        external_order_id: "O1".to_owned(),
        status: OrderStatus::Confirmed,
        marketplace_status: "UNSHIPPED".to_owned(),
        placed_at: at(0),
        marketplace_updated_at: Some(at(minute)),
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
        customer: Some(Customer { name: text(name), phone: phone.and_then(text), ..Customer::default() }),
        items: vec![OrderItemRecord {
            external_item_id: "1".to_owned(),
            sku: None,
            title: None,
            size: None,
            quantity: 1,
            quantity_cancelled: 0,
            line_amount: None,
            amount_basis: AmountBasis::Customer,
            tax_amount: None,
            hsn: None,
        }],
        shipments: Vec::new(),
        notes: Vec::new(),
    }
}

/// Stores a page as a run of our Amazon account does.
async fn store(stand: &Stand, database: &Database, page: Vec<OrderRecord>) {
    let ours = &stand.sellers.ours;
    let job = Job {
        run_id: RunId::new(),
        step: 0,
        generation: 0,
        seller_id: ours.id,
        account_id: ours.amazon,
        marketplace: AmazonIn,
        kind: robnu_marketplace::kind::RunKind::Orders,
    };
    let mut session = database.session(&ours.job_scope()).await.unwrap();
    let records = Records::Orders(page);
    let stored = store_page(&mut session, stand.cipher(ours.id), &job, &records, &[], &RawPages::default())
        .await
        .unwrap();
    let last = stored.customers.request();
    let last: Vec<_> = last.iter().map(|(sql, params)| (*sql, params.as_slice())).collect();
    session.commit_with(&last).await.unwrap();
}

#[tokio::test]
async fn a_field_that_is_withheld_stays_and_an_older_version_replaces_no_customer() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    let database = stand.test.login("robnu_adapter").await;
    let ours = &stand.sellers.ours;
    let shown = async || {
        let [name, phone, ..] = customers(&stand, ours, ours.amazon).await.remove("O1").unwrap();
        format!("{} {}", name.unwrap(), phone.unwrap_or_default())
    };
    for (page, expected) in [
        (vec![order(1, "Asha", Some("1"))], "Asha 1"),
        (vec![order(2, "Asha", None)], "Asha 1"),
        (vec![order(3, "Ravi", None)], "Ravi 1"),
        (vec![order(2, "Asha", Some("2"))], "Ravi 1"),
        (vec![order(4, "Older", None), order(5, "Newer", Some("3"))], "Newer 3"),
        (vec![OrderRecord { customer: None, ..order(6, "", None) }], "Newer 3"),
    ] {
        store(&stand, &database, page).await;
        assert_eq!(shown().await, expected);
    }
}

#[tokio::test]
async fn equal_customers_of_two_orders_have_different_digests() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    let database = stand.test.login("robnu_adapter").await;
    let another = OrderRecord { external_order_id: "O2".to_owned(), ..order(1, "Asha", None) };
    store(&stand, &database, vec![order(1, "Asha", None), another]).await;
    let digests = "select count(distinct digest) from robnu.order_pii join robnu.orders o on o.id = order_id where account_id = $1";
    let digests: i64 =
        stand.superuser.query_one(digests, &[&stand.sellers.ours.amazon]).await.unwrap().get(0);
    assert_eq!(digests, 2);
}

#[tokio::test]
async fn an_expired_customer_does_not_come_back_and_one_whose_time_is_over_is_never_stored() {
    let stand = Stand::new(SimulatorConfig::new(book())).await;
    let database = stand.test.login("robnu_adapter").await;
    let ours = &stand.sellers.ours;
    let now = Utc::now();
    let version = |id: &str, status, days: i64, hours: i64| OrderRecord {
        external_order_id: id.to_owned(),
        status,
        marketplace_updated_at: Some(now - chrono::TimeDelta::days(days) + chrono::TimeDelta::hours(hours)),
        ..order(1, &format!("{id} {hours}"), None)
    };
    let (delivered, cancelled, open) =
        (OrderStatus::Delivered, OrderStatus::Cancelled, OrderStatus::Confirmed);
    let page = |hours| {
        vec![
            version("young", delivered, 29, hours),
            version("old", delivered, 31, hours),
            version("old and cancelled", cancelled, 31, hours),
            version("old and open", open, 300, hours),
            version("expired", delivered, 29, hours),
        ]
    };
    store(&stand, &database, page(0)).await;
    let stored = async || customers(&stand, ours, ours.amazon).await.into_keys().collect::<Vec<String>>();
    assert_eq!(stored().await, ["expired", "old and open", "young"]);
    let expire = "with gone as (delete from robnu.order_pii using robnu.orders o
          where o.id = order_id and o.external_order_id = 'expired' returning order_id)
        update robnu.orders set customer_expired_at = now() from gone where id = order_id";
    assert_eq!(stand.superuser.execute(expire, &[]).await.unwrap(), 1);
    store(&stand, &database, page(1)).await;
    assert_eq!(stored().await, ["old and open", "young"], "a newer version with another name");
    // The clock of a delivered order stands still, whatever the marketplace changes later.
    store(&stand, &database, vec![version("old", delivered, 0, -1), version("young", delivered, 0, -1)])
        .await;
    assert_eq!(stored().await, ["old and open", "young"]);
    let clock = "select bool_and(extract(epoch from now() - delivered_at) between 28 * 86400 and 32 * 86400) from robnu.orders
        where external_order_id in ('young', 'old', 'expired') and account_id = $1";
    let stands: bool = stand.superuser.query_one(clock, &[&ours.amazon]).await.unwrap().get(0);
    assert!(stands, "the first delivery counts");
}
