//! A report and the API's response about the same order give equal records, to the paisa, in everything that both state.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::io::Write as _;

use proptest::prelude::*;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::files::ImportFile;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{OrderRecord, Records, ReturnRecord};
use robnu_marketplace::registry::Registry;
use tempfile::NamedTempFile;

/// Maps a record as the API returns it.
fn by_api(code: MarketplaceCode, kind: RunKind, record: &str) -> Records {
    let registry = Registry::new(&kit::config("http://127.0.0.1:9")).unwrap();
    let mapped = registry.adapter(code).map_again(kind, &[record.to_owned()]);
    assert_eq!(mapped.problems, [None]);
    mapped.records
}

/// Maps a report.
fn by_file(text: &str) -> Records {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let page = ImportFile::open(file.path(), None).unwrap().page(0).unwrap();
    assert!(page.quarantined.is_empty(), "{:?}", page.quarantined);
    page.records
}

fn order(records: Records) -> OrderRecord {
    let Records::Orders(mut orders) = records else { panic!("returns") };
    assert_eq!(orders.len(), 1);
    orders.remove(0)
}

fn returned(records: Records) -> ReturnRecord {
    let Records::Returns(mut returns) = records else { panic!("orders") };
    assert_eq!(returns.len(), 1);
    returns.remove(0)
}

const AJIO: &str = "Cust Order No,Cust Order Date,Status,Seller SKU,Order Item ID,Description,HSN,Order Qty,Customer Cancelled QTY,Seller Cancelled QTY,Selling Price,Base Price,IGST_PERCENTAGE,IGST_AMOUNT,FWD Carrier,FWD AWB";

proptest! {
    #[test]
    fn ajios_purchase_orders_are_equal_to_the_paisa(
        units in 1..5_u32,
        cancelled in 0..5_u32,
        paise in 1..500_000_u32,
        tax in 0..50_000_u32,
        state in prop::sample::select(vec![("CONFIRMED", "PO created"), ("DISPATCHED", "Shipped"), ("CANCELLED", "Cancelled"), ("DELIVERED", "Delivered")]),
    ) {
        let (base, tax) = (format!("{}.{:02}", paise / 100, paise % 100), format!("{}.{:02}", tax / 100, tax % 100));
        let cancelled = cancelled.min(units);
        let (in_api, in_file) = state;
        let json = format!(
            r#"{{"order_id":"FN1","order_date":1786706022,"status":"{in_api}","carrier":"X","tracking_number":"T1","order_lines":[
            {{"order_item_id":"7","ordered_quantity":{units},"quantity":{},"customer_cancelled_qty":{cancelled},"item_base_price":{base},
            "hsn":"61099090","tax_summary":{{"igst_percentage":5,"igst_amount":{tax}}},"item_details":{{"item_code":"SKU-1","name":"Kurta"}}}}]}}"#,
            if cancelled == 0 && in_api == "CANCELLED" { 0 } else { units - cancelled }
        );
        let file = format!("{AJIO}\nFN1,Fri Aug 14 16:43:42 IST 2026,{in_file},SKU-1,7,Kurta,61099090,{units},{cancelled},0,,{base},5,{tax},X,T1\n");
        let api = order(by_api(MarketplaceCode::Ajio, RunKind::Orders, &json));
        prop_assert_eq!(order(by_file(&file)), api);
    }

    #[test]
    fn ajios_new_orders_are_equal_to_the_paisa(units in 1..5_u32, paise in 1..500_000_u32) {
        let price = format!("{}.{:02}", paise / 100, paise % 100);
        let total = u64::from(paise) * u64::from(units);
        let json = format!(
            r#"{{"order_id":"FN1","order_date":1786706022,"total_amount":{}.{:02},"order_lines":[{{"order_item_id":"7",
            "ordered_quantity":{units},"unit_price":{price},"item_details":{{"item_code":"SKU-1","name":"Kurta"}}}}]}}"#,
            total / 100, total % 100
        );
        let file = format!("{AJIO}\nFN1,2026-08-14 16:43:42,New,SKU-1,7,Kurta,,{units},0,0,{price},1.00,,,,\n");
        let api = order(by_api(MarketplaceCode::Ajio, RunKind::Orders, &json));
        prop_assert_eq!(order(by_file(&file)), api);
    }

    #[test]
    fn amazons_orders_are_equal_to_the_paisa(
        units in 1..5_u32,
        paise in 1..500_000_u32,
        state in prop::sample::select(vec![("UNSHIPPED", "Unshipped"), ("PENDING", "Pending"), ("SHIPPED", "Shipped"), ("CANCELLED", "Cancelled")]),
    ) {
        let price = format!("{}.{:02}", paise / 100, paise % 100);
        let (in_api, in_file) = state;
        let money = format!(r#"{{"amount":"{price}","currencyCode":"INR"}}"#);
        let json = format!(
            r#"{{"orderId":"404-1234567-1234567","createdTime":"2026-08-14T11:13:42Z","lastUpdatedTime":"2026-08-15T00:00:00Z",
            "proceeds":{{"grandTotal":{money}}},"fulfillment":{{"fulfillmentStatus":"{in_api}","fulfilledBy":"MERCHANT"}},
            "recipient":{{"deliveryAddress":{{"city":"KOCHI","postalCode":"682001"}}}},
            "orderItems":[{{"orderItemId":"7","quantityOrdered":{units},"product":{{"title":"Cup","sellerSku":"CUP-1"}},
            "proceeds":{{"proceedsTotal":{money}}}}}]}}"#
        );
        let file = format!(
            "amazon-order-id\torder-item-id\tpurchase-date\tlast-updated-date\torder-status\tfulfillment-channel\tsku\tproduct-name\tquantity\tcurrency\titem-price\tship-city\tship-postal-code\n\
             404-1234567-1234567\t7\t2026-08-14T11:13:42+00:00\t2026-08-15T00:00:00+00:00\t{in_file}\tMerchant\tCUP-1\tCup\t{units}\tINR\t{price}\tKOCHI\t682001\n"
        );
        let api = order(by_api(MarketplaceCode::AmazonIn, RunKind::Orders, &json));
        let mut imported = order(by_file(&file));
        imported.marketplace_status.clone_from(&api.marketplace_status);
        prop_assert_eq!(imported, api);
    }
}

#[test]
fn ajios_returns_are_equal() {
    for (status, kind, cancelled) in
        [("RETURN_INITIATED", "RTO", 0), ("RETURN_DELIVERED", "CR", 0), ("RETURN_CANCELLED", "CR", 2)]
    {
        let json = format!(
            r#"{{"return_order_id":"RT1","return_date":1786706022,"order_id":"FN1","return_status":"{status}","return_type":"{kind}",
            "carrier":"X","tracking_number":"R1","reason":"Size","credit_note_number":"CN-1","return_order_items":[{{"return_item_id":"1",
            "order_item_id":"7","return_quantity":2,"cancelled_return_quantity":{cancelled},"reason":"Size","item_details":{{"item_code":"SKU-1"}}}}]}}"#
        );
        let file = format!(
            "RETURN ORDER NUMBER,Return_Status,Return Created Date,Return QTY,Cust Order No,Return Item ID,Order Item ID,Seller SKU,Return Type,Return Carrier Name,Return AWB No,Cust Return Reason,Credit Note Number\n\
             RT1,{status},Fri Aug 14 16:43:42 IST 2026,2,FN1,1,7,SKU-1,{kind},X,R1,Size,CN-1\n"
        );
        let api = returned(by_api(MarketplaceCode::Ajio, RunKind::Returns, &json));
        assert_eq!(returned(by_file(&file)), api);
    }
}
