//! Amazon's customers: each order brings its own, whatever is odd about it costs only itself, and no text of it is shown.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::fmt::Write as _;

use kit::{Run, connect_to, run};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::record::{Customer, CustomerText, OrderRecord};
use simulators::{
    AmazonCustomer, Fault, FaultKind, Malformation, Marketplace, Order, OrderBook, Simulator, SimulatorConfig,
};

const ORDERS: &str = "/orders/2026-01-01/orders";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// So many orders that every kind of odd customer is among them.
fn book() -> OrderBook {
    let mut csv = format!("{HEADER}\n");
    for number in 0..90 {
        let ships = if number % 4 == 0 { "Amazon" } else { "Merchant" };
        writeln!(
            csv,
            "405-{number:07}-{number:07},2026-04-30,Shipped,{ships},Standard,Shirt,Cash,M,Shipped,10.00,1,INR,PUNE,411001,false"
        )
        .unwrap();
    }
    OrderBook::from_csv("generated", &csv).unwrap()
}

async fn read(malformation: Option<Malformation>) -> Run {
    let simulator = Simulator::start(&SimulatorConfig::new(book())).unwrap();
    if let Some(malformation) = malformation {
        let kind = FaultKind::Malformed { malformation, record: 7 };
        simulator.add_fault(Fault::new(Marketplace::Amazon, ORDERS, kind));
    }
    run(connect_to(simulator.amazon_base_url(), MarketplaceCode::AmazonIn).as_ref()).await.unwrap()
}

/// What is stored of a served customer: a name that is too long is left out, and a street has no control characters.
fn expected(served: AmazonCustomer) -> Customer {
    let text = |text: Option<String>| text.map(CustomerText::new);
    Customer {
        name: text(served.name.filter(|name| name.len() <= 2_000)),
        phone: text(served.phone),
        email: text(served.email),
        address: text(served.street.map(|street| street.replace(char::is_control, " "))),
        postal_code: text(Some("411001".to_owned())),
    }
}

fn place(order: &OrderRecord) -> [Option<&str>; 3] {
    [&order.ship_city, &order.ship_state, &order.ship_postal_prefix].map(Option::as_deref)
}

#[tokio::test]
async fn each_order_brings_its_customer_and_odd_texts_are_noted_by_name() {
    let run = read(None).await;
    let book = book();
    assert_eq!((run.orders.len(), run.quarantined.len()), (book.orders().len(), 0));
    let (mut long, mut controls) = (0, 0);
    for (order, booked) in run.orders.iter().zip(book.orders()) {
        let served = AmazonCustomer::of(booked);
        let is_long = served.name.as_ref().is_some_and(|name| name.len() > 2_000);
        let has_controls = served.street.as_ref().is_some_and(|street| street.contains(char::is_control));
        (long, controls) = (long + usize::from(is_long), controls + usize::from(has_controls));
        assert_eq!(order.customer, Some(expected(served)));
        assert_eq!(place(order), [Some("PUNE"), Some("MAHARASHTRA"), Some("411")]);
        // The long name is that of the buyer and of the recipient.
        assert_eq!(
            order.notes.len(),
            2 * usize::from(is_long) + usize::from(has_controls),
            "{:?}",
            order.notes
        );
    }
    assert!(long > 0 && controls > 0, "{long} {controls}");
    let shown = format!("{run:?}");
    for hidden in ["Asha", "Planted", "example.invalid", "411001", "+91"] {
        assert!(!shown.contains(hidden), "{hidden} is shown");
    }
}

/// The order whose customer is spoilt, and how it is without that.
async fn spoilt(malformation: Malformation) -> (OrderRecord, Order) {
    let mut run = read(Some(malformation)).await;
    assert_eq!((run.orders.len(), run.quarantined.len()), (90, 0));
    (run.orders.remove(7), book().orders()[7].clone())
}

#[tokio::test]
async fn what_is_no_text_costs_itself_and_is_noted() {
    let (order, booked) = spoilt(Malformation::OddCustomer).await;
    let postal_code = expected(AmazonCustomer::of(&booked)).postal_code;
    assert_eq!(order.customer, Some(Customer { postal_code, ..Customer::default() }));
    let paths: Vec<&str> = order.notes.iter().map(|note| note.split(' ').next().unwrap()).collect();
    assert_eq!(paths, ["recipient.deliveryAddress.name", "recipient.deliveryAddress.addressLine1"]);
}

#[tokio::test]
async fn a_customer_whom_amazon_withholds_is_none_and_not_odd() {
    let (order, _) = spoilt(Malformation::WithheldCustomer).await;
    assert_eq!((order.customer, order.notes.len()), (None, 0));
    assert_eq!((order.ship_city.as_deref(), order.ship_postal_prefix), (Some("PUNE"), None));
}
