//! Files become records: whole orders, page by page, with what cannot be mapped set aside by sheet, row and column.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::files::{
    DateOrder, FileError, FilePage, ImportError, ImportFile, map_again, stream_of,
};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{
    AmountBasis, OrderRecord, OrderStatus, Records, ReturnRecord, ReturnStatus, ReturnType,
};
use tempfile::NamedTempFile;

const HEADER: &str = "Reason for Credit Entry,Sub Order No,Order Date,SKU,Quantity,Supplier Discounted Price (Incl GST and Commision),Packet Id";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../files/tests/data").join(name)
}

fn written(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn orders(rows: &str) -> ImportFile {
    ImportFile::open(written(&format!("{HEADER}\n{rows}")).path(), None).unwrap()
}

fn orders_of(page: FilePage) -> Vec<OrderRecord> {
    let Records::Orders(orders) = page.records else { panic!("a page of returns") };
    orders
}

fn returns_of(name: &str) -> Vec<ReturnRecord> {
    let page = ImportFile::open(&sample(name), None).unwrap().page(0).unwrap();
    assert!(page.quarantined.is_empty(), "{:?}", page.quarantined);
    let Records::Returns(returns) = page.records else { panic!("a page of orders") };
    returns
}

/// All orders of a file, and why the others were set aside.
fn all(file: &ImportFile) -> (Vec<OrderRecord>, Vec<String>) {
    let (mut orders, mut reasons, mut at) = (Vec::new(), Vec::new(), Some(0));
    while let Some(start) = at {
        let mut page = file.page(start).unwrap();
        at = page.next;
        reasons.extend(page.quarantined.drain(..).map(|record| record.reason));
        orders.extend(orders_of(page));
    }
    (orders, reasons)
}

#[test]
fn an_order_comes_out_whole_though_its_sub_orders_lie_apart() {
    for name in ["meesho_orders_classic.csv", "meesho_orders_newer.csv"] {
        let file = ImportFile::open(&sample(name), None).unwrap();
        assert_eq!((file.marketplace(), file.records()), (MarketplaceCode::Meesho, 4));
        let (orders, reasons) = all(&file);
        assert_eq!(reasons, [""; 0]);
        let first = &orders[0];
        assert_eq!(first.external_order_id, "500000000000000001");
        let ids: Vec<&str> = first.items.iter().map(|item| item.external_item_id.as_str()).collect();
        assert_eq!(ids, ["500000000000000001_1", "500000000000000001_2"]);
        assert_eq!(first.status, OrderStatus::PartiallyShipped);
        assert_eq!(first.marketplace_status, "DELIVERED / READY_TO_SHIP");
        assert_eq!(first.placed_at.to_rfc3339(), "2026-08-04T18:30:00+00:00");
        // The price is that of one unit, and the discounted one counts.
        let amounts: Vec<String> =
            first.items.iter().map(|item| item.line_amount.unwrap().to_string()).collect();
        assert_eq!(amounts, ["488", "646"]);
        assert_eq!(first.total_amount.unwrap().to_string(), "1134");
        assert_eq!(first.shipments.len(), 1, "both sub-orders are in one packet");
        let statuses: Vec<OrderStatus> = orders[1..].iter().map(|order| order.status).collect();
        assert_eq!(statuses, [OrderStatus::Undelivered, OrderStatus::Cancelled, OrderStatus::Pending]);
        assert_eq!(orders[2].items[0].quantity_cancelled, 1);
        assert!(orders.iter().all(|order| order.notes.is_empty()));
    }
}

#[test]
fn every_status_of_meesho_is_known() {
    for (text, expected) in [
        ("PENDING", OrderStatus::Pending),
        ("READY_TO_SHIP", OrderStatus::ReadyToDispatch),
        ("SHIPPED", OrderStatus::Shipped),
        ("OUT_FOR_DELIVERY", OrderStatus::Shipped),
        ("DELIVERED", OrderStatus::Delivered),
        ("DOOR_STEP_EXCHANGED", OrderStatus::Delivered),
        ("RETURNED", OrderStatus::Delivered),
        ("CANCELLED", OrderStatus::Cancelled),
        ("RTO_INITIATED", OrderStatus::Undelivered),
        ("RTO_OFD", OrderStatus::Undelivered),
        ("RTO_DELIVERY_FAILED", OrderStatus::Undelivered),
        ("RTO_LOCKED", OrderStatus::Undelivered),
        ("RTO_COMPLETE", OrderStatus::Undelivered),
        ("LOST", OrderStatus::Undelivered),
        ("SHIPMENT_LOST", OrderStatus::Undelivered),
        ("SOMETHING_NEW", OrderStatus::Unknown),
    ] {
        let order = all(&orders(&format!("{text},1_1,2026-08-05,A,1,5,\n"))).0.remove(0);
        assert_eq!((order.status, order.marketplace_status.as_str()), (expected, text));
        assert_eq!(order.notes.is_empty(), expected != OrderStatus::Unknown, "{:?}", order.notes);
    }
}

#[test]
fn a_return_has_the_same_id_in_the_files_of_all_of_delivered_and_of_lost_returns() {
    let all = returns_of("meesho_returns.csv");
    let of = |returned: &ReturnRecord| {
        (returned.external_return_id.clone(), returned.status, returned.return_type)
    };
    let expected = [
        ("500000000000000001_1-20260820".to_owned(), ReturnStatus::InTransit, ReturnType::Customer),
        ("500000000000000001_2-20260821".to_owned(), ReturnStatus::Delivered, ReturnType::Customer),
        ("500000000000000002_1-20260818".to_owned(), ReturnStatus::Cancelled, ReturnType::Rto),
    ];
    assert_eq!(all.iter().map(of).collect::<Vec<_>>(), expected);
    assert_eq!(all[0].external_order_id.as_deref(), Some("500000000000000001"));
    assert_eq!(all[0].items[0].external_order_item_id.as_deref(), Some("500000000000000001_1"));
    assert_eq!(all[0].tracking_number.as_deref(), Some("1490000000000001"));
    let delivered = returns_of("meesho_returns_delivered.csv").remove(0);
    assert_eq!(of(&delivered), expected[1]);
    assert_eq!(delivered.delivered_at.unwrap().to_rfc3339(), "2026-08-28T18:30:00+00:00");
    assert_eq!(of(&returns_of("meesho_returns_lost.csv")[0]), expected[2]);
}

#[test]
fn what_cannot_be_mapped_is_set_aside_by_row_and_column_and_the_rest_goes_on() {
    let file = orders(
        "PENDING,1_1,2026-08-05,A,1,5,\n\
         PENDING,1.8E+17,2026-08-05,A,1,5,\n\
         PENDING,2_1,2026-08-05,A,some,5,\n\
         PENDING,2_2,2026-08-05,A,1,5,\n\
         PENDING,3_1,soon,A,1,5,\n\
         PENDING,4_1,2026-08-05,A,1,\"5,50\",\n\
         PENDING,5_1,2026-08-05,A,1,5,,beyond\n\
         PENDING,,2026-08-05,A,1,5,\n\
         PENDING,6_1,2026-08-05,A,1,5,\n",
    );
    let (good, reasons) = all(&file);
    let ids: Vec<&str> = good.iter().map(|order| order.external_order_id.as_str()).collect();
    assert_eq!(ids, ["1", "6"]);
    assert_eq!(
        reasons,
        [
            "row 3, column Sub Order No was rounded by a spreadsheet program to a number such as 1.8E+17; download the file again, and upload it without opening it",
            "row 9, column Sub Order No is blank",
            "row 4, column Quantity is not a whole number of units",
            "row 6, column Order Date is not a date as the file's other dates are written",
            "row 7, column Supplier Discounted Price (Incl GST and Commission) is not a decimal number",
            "row 8 has more cells than the header has columns",
        ]
    );
}

#[test]
fn a_kept_record_is_mapped_again_as_it_was() {
    let page = orders("PENDING,2_1,05/08/2026,A,some,5,\nPENDING,2_2,25/08/2026,A,1,5,\n").page(0).unwrap();
    let kept = &page.quarantined[0];
    assert_eq!(kept.external_id.as_deref(), Some("2"));
    assert_eq!(stream_of(&kept.raw), Some(RunKind::Orders));
    assert_eq!(stream_of(r#"{"order_id":"FN1"}"#), None);
    let again = map_again(RunKind::Orders, &[kept.raw.clone(), kept.raw.replace("some", "3")]);
    assert_eq!(
        again.problems,
        [Some("row 2, column Quantity is not a whole number of units".to_owned()), None]
    );
    let Records::Orders(orders) = &again.records else { panic!("returns") };
    assert_eq!((orders[0].items.len(), orders[0].items[0].quantity), (2, 3));
    assert_eq!(orders[0].placed_at.to_rfc3339(), "2026-08-04T18:30:00+00:00");
    let other = map_again(RunKind::Returns, std::slice::from_ref(&kept.raw));
    assert_eq!(other.problems, [Some("record is not from a file of this kind".to_owned())]);
}

#[test]
fn pages_go_on_where_they_stopped() {
    let rows: String = (0..2)
        .flat_map(|part| (0..350).map(move |at| format!("PENDING,{at}_{part},2026-08-05,A,1,5,\n")))
        .collect();
    let file = orders(&rows);
    let (everything, _) = all(&file);
    assert_eq!((file.records(), everything.len()), (350, 350));
    assert!(everything.iter().all(|order| order.items.len() == 2));
    let again = orders(&rows);
    for start in [0, 1, 99, 100, 255, 256, 257, 349] {
        let page = orders_of(again.page(start).unwrap());
        let from = usize::try_from(start).unwrap();
        assert_eq!(page, everything[from..(from + 100).min(350)], "{start}");
    }
    let beyond = again.page(350).unwrap();
    assert!(beyond.next.is_none() && orders_of(beyond).is_empty());
}

#[test]
fn a_file_that_does_not_show_its_order_of_day_and_month_asks_for_it() {
    let file = written(&format!("{HEADER}\nPENDING,1_1,03/04/2026,A,1,5,\n"));
    let error = ImportFile::open(file.path(), None).unwrap_err();
    assert!(matches!(error, ImportError::File(FileError::AmbiguousDates { row: 2 })), "{error}");
    let placed = |order| {
        let file = ImportFile::open(file.path(), Some(order)).unwrap();
        all(&file).0[0].placed_at.to_rfc3339()
    };
    assert_eq!(placed(DateOrder::DayFirst), "2026-04-02T18:30:00+00:00");
    assert_eq!(placed(DateOrder::MonthFirst), "2026-03-03T18:30:00+00:00");
}

#[test]
fn reports_that_are_known_and_not_imported_are_named() {
    let error = ImportFile::open(&sample("headers/MEESHO_TCS_SALES.csv"), None).unwrap_err().to_string();
    assert!(error.contains("Meesho GST sales") && error.contains("not imported"), "{error}");
}

#[test]
fn of_two_rows_of_one_line_nobody_knows_which_counts() {
    let (orders, reasons) = all(&orders("PENDING,1_1,2026-08-05,A,1,5,\nSHIPPED,1_1,2026-08-05,A,1,5,\n"));
    assert!(orders.is_empty());
    assert_eq!(reasons, ["row 2, column Sub Order No is there twice in the file"]);
}

#[test]
fn ajios_reports_give_whole_orders_and_returns() {
    let (orders, reasons) = all(&ImportFile::open(&sample("ajio_orders.csv"), None).unwrap());
    assert_eq!(reasons, [""; 0]);
    let ids: Vec<&str> = orders.iter().map(|order| order.external_order_id.as_str()).collect();
    assert_eq!(ids, ["7000000009", "FN9000000001", "FN9000000002", "FN9000000003"]);
    let [delivered, shipped, short, new] = orders.as_slice() else { panic!("four orders") };
    assert_eq!(delivered.status, OrderStatus::Delivered);
    assert_eq!(shipped.items[0].line_amount.unwrap().to_string(), "1049.5");
    assert_eq!(shipped.placed_at.to_rfc3339(), "2026-08-14T11:13:42+00:00");
    // A cancelled line does not count, and two of three were sent.
    assert_eq!((short.status, short.items.len()), (OrderStatus::Shipped, 2));
    let cancelled: Vec<i32> = short.items.iter().map(|item| item.quantity_cancelled).collect();
    assert_eq!(cancelled, [1, 1]);
    assert_eq!(short.items[0].amount_basis, AmountBasis::Purchase);
    assert_eq!(short.items[0].line_amount.unwrap().to_string(), "1397.99");
    assert_eq!((new.status, new.shipments.len()), (OrderStatus::Pending, 0));
    let returns = returns_of("ajio_returns.csv");
    assert_eq!(returns[0].status, ReturnStatus::Delivered);
    assert_eq!(returns[0].document.as_ref().unwrap().number, "CN-1");
    assert_eq!((returns[1].return_type, returns[1].status), (ReturnType::Rto, ReturnStatus::Unknown));
}

#[test]
fn amazons_report_gives_whole_orders_of_amazon_in() {
    let (orders, reasons) = all(&ImportFile::open(&sample("amazon_orders.txt"), None).unwrap());
    assert_eq!(reasons, ["row 7, column sales-channel is not Amazon.in"]);
    let statuses: Vec<OrderStatus> = orders.iter().map(|order| order.status).collect();
    let expected =
        [OrderStatus::Delivered, OrderStatus::Shipped, OrderStatus::Cancelled, OrderStatus::Pending];
    assert_eq!(statuses, expected);
    assert_eq!(orders[0].items[0].title.as_deref(), Some("\"5 inch\" pan, plain"));
    let ids: Vec<&str> = orders[1].items.iter().map(|item| item.external_item_id.as_str()).collect();
    assert_eq!(ids, ["file:CUP-1-1", "file:CUP-1-2"]);
    assert_eq!(orders[1].total_amount.unwrap().to_string(), "1497");
    assert_eq!(orders[1].fulfilled_by.as_deref(), Some("MARKETPLACE"));
    assert_eq!((orders[3].total_amount, orders[3].items[0].line_amount), (None, None));
}

proptest! {
    // Each case writes files.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_reason_repeats_a_cell(cells in prop::collection::vec("[a-z]{9,14}", 4)) {
        let [number, date, units, price] = cells.as_slice() else { unreachable!() };
        for row in [
            format!("PENDING,{number}_1,{date},A,1,5,\n"),
            format!("PENDING,{number}_1,2026-08-05,A,{units},5,\n"),
            format!("PENDING,{number}_1,2026-08-05,A,1,{price},\n"),
        ] {
            let (orders, reasons) = all(&orders(&row));
            prop_assert_eq!((orders.len(), reasons.len()), (0, 1));
            prop_assert!(cells.iter().all(|cell| !reasons[0].contains(cell.as_str())), "{}", reasons[0]);
        }
    }

    #[test]
    fn rows_in_any_order_give_the_same_orders(keys in prop::collection::vec(any::<u32>(), 24)) {
        let mut rows: Vec<(u32, String)> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| (*key, format!("SHIPPED,{}_{},2026-08-05,A,1,{at},\n", at % 5, at / 5)))
            .collect();
        let sorted: String = rows.iter().map(|(_, row)| row.as_str()).collect();
        rows.sort();
        let shuffled: String = rows.iter().map(|(_, row)| row.as_str()).collect();
        let whole = |text: &str| {
            let mut orders = all(&orders(text)).0;
            for order in &mut orders {
                order.items.sort_by(|one, other| one.external_item_id.cmp(&other.external_item_id));
            }
            orders
        };
        prop_assert_eq!(whole(&shuffled), whole(&sorted));
    }
}
