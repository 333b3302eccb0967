//! One book, read twice: through the API, and from the reports that the panel hands out. The records are equal in everything that
//! both state. A report numbers no lines and knows no packages of Amazon's, and each source has its own words for a status.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;
use std::io::Write as _;

use kit::{connect_to, run, run_of};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::PageRequest;
use robnu_marketplace::files::ImportFile;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{AmountBasis, Customer, OrderItemRecord, OrderRecord, Records, ReturnRecord};
use simulators::{
    AjioAccount, AmazonAccount, MeeshoColumns, OrderBook, Quota, Simulator, SimulatorConfig, meesho_orders,
    meesho_returns,
};
use tempfile::NamedTempFile;

const USERNAME: &str = "DV1";
const AMAZON: &str = "A1DEMOSELLER";

fn simulator() -> Simulator {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio.accounts.push(AjioAccount {
        username: USERNAME.to_owned(),
        password: Some(kit::PASSWORD.to_owned()),
        orders: Some(360),
    });
    config.amazon.search_orders = Quota { rate: 1_000.0, burst: 1_000 };
    config.amazon.accounts.push(AmazonAccount {
        account: AMAZON.to_owned(),
        refresh_token: kit::REFRESH_TOKEN.to_owned(),
        client_id: None,
        client_secret: Some(kit::CLIENT_SECRET.to_owned()),
        orders: OrderBook::sample().unwrap(),
    });
    Simulator::start(&config).unwrap()
}

fn imported(report: &str) -> (Vec<OrderRecord>, Vec<ReturnRecord>) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(report.as_bytes()).unwrap();
    let file = ImportFile::open(file.path(), None).unwrap();
    let (mut orders, mut returns, mut at) = (Vec::new(), Vec::new(), Some(0));
    while let Some(start) = at {
        let page = file.page(start).unwrap();
        assert!(page.quarantined.is_empty(), "{:?}", page.quarantined);
        match page.records {
            Records::Orders(more) => orders.extend(more),
            Records::Returns(more) => returns.extend(more),
            Records::Payouts(_) => panic!("a report of orders or returns holds payouts"),
        }
        at = page.next;
    }
    (orders, returns)
}

/// Of the customer, a report states the postal code only, which the API may withhold.
fn customer_as_reported(order: &OrderRecord, report: &OrderRecord) -> Option<Customer> {
    let postal_code = order.customer.as_ref().and_then(|customer| customer.postal_code.clone());
    match postal_code {
        None => report.customer.clone(),
        postal_code => Some(Customer { postal_code, ..Customer::default() }),
    }
}

/// Leaves out of an order from the API what its report does not state.
fn as_reported(order: &OrderRecord, report: &OrderRecord) -> OrderRecord {
    let items =
        order.items.iter().zip(&report.items).map(|(item, reported)| item_as_reported(item, reported));
    OrderRecord {
        marketplace_status: report.marketplace_status.clone(),
        payment_method: None,
        ship_postal_prefix: order.ship_postal_prefix.clone().or_else(|| report.ship_postal_prefix.clone()),
        customer: customer_as_reported(order, report),
        items: items.collect(),
        shipments: report.shipments.clone(),
        notes: report.notes.clone(),
        ..order.clone()
    }
}

/// After pendency, AJIO's API states what AJIO pays, and the report what the customer pays.
fn item_as_reported(item: &OrderItemRecord, reported: &OrderItemRecord) -> OrderItemRecord {
    let is_other_price = item.amount_basis != reported.amount_basis;
    let (amount, tax) = if is_other_price {
        assert_eq!(
            (item.amount_basis, reported.amount_basis),
            (AmountBasis::Purchase, AmountBasis::Customer)
        );
        (reported.line_amount, reported.tax_amount)
    } else {
        (item.line_amount, item.tax_amount)
    };
    OrderItemRecord {
        external_item_id: reported.external_item_id.clone(),
        size: None,
        hsn: item.hsn.clone().or_else(|| reported.hsn.clone()),
        line_amount: amount,
        tax_amount: tax,
        amount_basis: reported.amount_basis,
        ..item.clone()
    }
}

fn compare(api: &BTreeMap<&str, &OrderRecord>, reported: &[OrderRecord]) {
    assert_eq!(reported.len(), api.len());
    for report in reported {
        let order = api[report.external_order_id.as_str()];
        assert_eq!(order.items.len(), report.items.len(), "{}", order.external_order_id);
        assert_eq!(*report, as_reported(order, report));
    }
}

#[tokio::test]
async fn ajios_order_report_is_equal_to_its_lists() {
    let simulator = simulator();
    let api = run(connect_to(simulator.ajio_base_url(), MarketplaceCode::Ajio).as_ref()).await.unwrap();
    let (reported, _) = imported(&simulator.ajio_order_report(USERNAME).unwrap());
    compare(&api.by_id(), &reported);
    let parcels = |orders: &mut dyn Iterator<Item = &OrderRecord>| -> BTreeMap<String, Option<String>> {
        orders
            .flat_map(|order| &order.shipments)
            .map(|it| (it.external_shipment_id.clone(), it.tracking_number.clone()))
            .collect()
    };
    assert_eq!(parcels(&mut reported.iter()), parcels(&mut api.by_id().into_values()));
    // Without the customer's price, what AJIO pays is read by the same code and is the same to the paisa.
    let report = simulator.ajio_order_report(USERNAME).unwrap();
    let unpriced: String = report
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 0 { format!("{line}\n") } else { without_price(line) })
        .collect();
    let (unpriced, _) = imported(&unpriced);
    let bought = api.by_id();
    for order in unpriced.iter().filter(|order| {
        bought[order.external_order_id.as_str()].items[0].amount_basis == AmountBasis::Purchase
    }) {
        let amounts = |order: &OrderRecord| {
            order.items.iter().map(|item| (item.line_amount, item.tax_amount)).collect::<Vec<_>>()
        };
        assert_eq!(amounts(order), amounts(bought[order.external_order_id.as_str()]));
    }
}

/// A row without its Selling Price.
fn without_price(row: &str) -> String {
    let mut cells: Vec<&str> = row.split(',').collect();
    cells[15] = "";
    cells.join(",") + "\n"
}

#[tokio::test]
async fn ajios_rtv_report_is_equal_to_its_list_of_returns() {
    let simulator = simulator();
    let connection = connect_to(simulator.ajio_base_url(), MarketplaceCode::Ajio);
    let api = run_of(connection.as_ref(), RunKind::Returns, PageRequest::default()).await.unwrap().returns;
    let (_, reported) = imported(&simulator.ajio_rtv_report(USERNAME).unwrap());
    assert_eq!(reported.len(), api.len());
    for report in reported {
        let mut expected =
            api.iter().find(|it| it.external_return_id == report.external_return_id).unwrap().clone();
        assert_eq!(expected.items.len(), report.items.len());
        for (item, reported) in expected.items.iter_mut().zip(&report.items) {
            item.external_item_id.clone_from(&reported.external_item_id);
            (item.external_order_item_id, item.title, item.size) = (None, None, None);
        }
        assert_eq!(report, expected);
    }
}

#[tokio::test]
async fn amazons_order_report_is_equal_to_its_api() {
    let simulator = simulator();
    let connection = connect_to(simulator.amazon_base_url(), MarketplaceCode::AmazonIn);
    let api = run(connection.as_ref()).await.unwrap();
    let (reported, _) = imported(&simulator.amazon_order_report(AMAZON).unwrap());
    compare(&api.by_id(), &reported);
    for report in &reported {
        assert_eq!(
            report.marketplace_status,
            api.by_id()[report.external_order_id.as_str()].marketplace_status
        );
    }
}

#[test]
fn meeshos_files_of_a_book_hold_its_lines_to_the_paisa() {
    let book = OrderBook::sample().unwrap();
    let (orders, _) = imported(&meesho_orders(&book, MeeshoColumns::Newer));
    assert_eq!(orders, imported(&meesho_orders(&book, MeeshoColumns::Classic)).0);
    assert_eq!(orders.len(), book.orders().len());
    for order in book.orders() {
        let number = order.order_id.replace('-', "");
        let imported = orders.iter().find(|it| it.external_order_id == number).unwrap();
        let amounts = |amount: &dyn Fn(usize) -> rust_decimal::Decimal| -> Vec<_> {
            (0..order.lines.len()).map(|at| amount(at).normalize()).collect()
        };
        // A row states the price of one unit; a line without units has no money.
        let of_units = |at: usize| {
            let units = rust_decimal::Decimal::from(order.lines[at].quantity);
            if units.is_zero() { units } else { (order.lines[at].amount / units).round_dp(4) * units }
        };
        let of_import = |at: usize| imported.items[at].line_amount.unwrap();
        assert_eq!(amounts(&of_import), amounts(&of_units), "{number}");
    }
    let (_, returns) = imported(&meesho_returns(&book));
    let types: Vec<_> = returns.iter().map(|it| it.return_type.as_str()).collect();
    assert_eq!((types.len(), types.contains(&"RTO"), types.contains(&"CUSTOMER")), (2, true, true));
}
