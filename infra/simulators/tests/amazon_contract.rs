//! Checks responses against the published models of the orders API, version 2026-01-01, of the reports API, version 2021-06-30, and of the
//! finances API, version 2024-06-19: required fields, allowed fields and closed sets of values, for every object that the simulator can serve.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::{Value, json};
use support::{amazon_token, config, search, send, start};

const ALL_DATASETS: &str = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS";

/// The name of a shape, its required fields and its other fields. `field:Shape` is a field with its own shape,
/// and `field:[Shape]` is a list of them.
const SHAPES: &[(&str, &str, &str)] = &[
    ("SearchOrdersResponse", "orders:[Order]", "pagination:Pagination lastUpdatedBefore createdBefore"),
    ("Pagination", "", "nextToken"),
    (
        "Order",
        "orderId createdTime lastUpdatedTime salesChannel:SalesChannel orderItems:[OrderItem]",
        "orderAliases programs associatedOrders buyer:Buyer recipient:Recipient proceeds:OrderProceeds \
         payment:OrderPayment tax fulfillment:OrderFulfillment packages:[OrderPackage] fulfillmentOrders",
    ),
    ("SalesChannel", "channelName", "marketplaceId marketplaceName"),
    ("Buyer", "", "buyerName buyerEmail buyerCompanyName buyerPurchaseOrderNumber"),
    ("Recipient", "", "deliveryAddress:CustomerAddress deliveryPreference"),
    (
        "CustomerAddress",
        "",
        "name companyName addressLine1 addressLine2 addressLine3 city districtOrCounty stateOrRegion municipality \
         postalCode countryCode phone extendedFields addressType",
    ),
    ("OrderProceeds", "", "grandTotal:Money breakdowns:[ProceedsBreakdown]"),
    ("ProceedsBreakdown", "type subtotal:Money", "status detailedBreakdowns"),
    ("Money", "amount currencyCode", ""),
    ("OrderPayment", "", "paymentExecutions:[PaymentExecution]"),
    ("PaymentExecution", "", "paymentMethod paymentAmount:Money acquirerId cardBrand authorizationCode"),
    (
        "OrderFulfillment",
        "fulfillmentStatus",
        "fulfilledBy fulfillmentServiceLevel shipByWindow deliverByWindow labelPrintingWindow",
    ),
    (
        "OrderItem",
        "orderItemId quantityOrdered product:ItemProduct",
        "measurement associatedOrderItems programs proceeds:ItemProceeds expense promotion \
         cancellation:ItemCancellation fulfillment:ItemFulfillment tax",
    ),
    (
        "ItemProduct",
        "",
        "asin title sellerSku condition:ItemCondition price:ItemPrice serialNumbers customization",
    ),
    ("ItemCondition", "", "conditionType conditionSubtype conditionNote"),
    ("ItemPrice", "", "unitPrice:Money priceDesignation"),
    ("ItemProceeds", "", "proceedsTotal:Money breakdowns:[ProceedsBreakdown]"),
    ("ItemCancellation", "", "cancellationRequest cancellationExecution:CancellationExecution"),
    ("CancellationExecution", "", "cancelledBy cancelReason"),
    ("ItemFulfillment", "", "quantityFulfilled quantityUnfulfilled picking packing shipping"),
    (
        "OrderPackage",
        "packageReferenceId",
        "createdTime packageStatus:PackageStatus carrier shipTime shippingService trackingNumber shipFromAddress \
         packageItems:[PackageItem]",
    ),
    ("PackageStatus", "status", "detailedStatus"),
    ("PackageItem", "orderItemId quantity", "transparencyCodes"),
    ("CreateReportResponse", "reportId", ""),
    (
        "Report",
        "reportId reportType createdTime processingStatus",
        "marketplaceIds dataStartTime dataEndTime reportScheduleId processingStartTime processingEndTime reportDocumentId",
    ),
    ("ReportDocument", "reportDocumentId url", "compressionAlgorithm"),
    ("GetReportsResponse", "reports:[Report]", "nextToken"),
    ("ListTransactionsResponse", "", "payload:TransactionsPayload"),
    ("TransactionsPayload", "", "nextToken transactions:[Transaction]"),
    (
        "Transaction",
        "",
        "sellingPartnerMetadata:SellingPartnerMetadata relatedIdentifiers:[RelatedIdentifier] transactionType transactionId \
         transactionStatus description postedDate totalAmount:Currency marketplaceDetails:MarketplaceDetails items:[Item] \
         contexts:[Context] breakdowns:[Breakdown]",
    ),
    ("SellingPartnerMetadata", "", "sellingPartnerId accountType marketplaceId"),
    ("RelatedIdentifier", "", "relatedIdentifierName relatedIdentifierValue"),
    ("Currency", "", "currencyCode currencyAmount"),
    ("MarketplaceDetails", "", "marketplaceId marketplaceName"),
    (
        "Item",
        "",
        "description relatedIdentifiers:[ItemRelatedIdentifier] totalAmount:Currency breakdowns:[Breakdown] contexts:[Context]",
    ),
    ("ItemRelatedIdentifier", "", "itemRelatedIdentifierName itemRelatedIdentifierValue"),
    ("Breakdown", "", "breakdownType breakdownAmount:Currency breakdowns:[Breakdown]"),
    (
        "Context",
        "contextType",
        "asin sku quantityShipped fulfillmentNetwork storeName orderType channel paymentType paymentMethod paymentReference \
         paymentDate deferralReason maturityDate startTime endTime",
    ),
];

const CLOSED_SETS: &[(&str, &str, &str)] = &[
    (
        "OrderFulfillment",
        "fulfillmentStatus",
        "PENDING_AVAILABILITY PENDING UNSHIPPED PARTIALLY_SHIPPED SHIPPED CANCELLED UNFULFILLABLE",
    ),
    ("OrderFulfillment", "fulfilledBy", "AMAZON MERCHANT"),
    (
        "OrderFulfillment",
        "fulfillmentServiceLevel",
        "EXPEDITED FREE_ECONOMY NEXT_DAY PRIORITY SAME_DAY SECOND_DAY SCHEDULED STANDARD",
    ),
    ("PackageStatus", "status", "PENDING IN_TRANSIT SHIPPED DELIVERED CANCELLED UNDELIVERABLE"),
    ("SalesChannel", "channelName", "AMAZON NON_AMAZON"),
    ("ProceedsBreakdown", "type", "ITEM SHIPPING GIFT_WRAP COD_FEE TAX DISCOUNT DELIVERY_TIP OTHER"),
    ("CustomerAddress", "addressType", "RESIDENTIAL COMMERCIAL PICKUP_POINT"),
    ("Report", "processingStatus", "CANCELLED DONE FATAL IN_PROGRESS IN_QUEUE"),
    ("ReportDocument", "compressionAlgorithm", "GZIP"),
    ("Transaction", "transactionStatus", "DEFERRED RELEASED DEFERRED_RELEASED"),
    (
        "RelatedIdentifier",
        "relatedIdentifierName",
        "ORDER_ID SHIPMENT_ID FINANCIAL_EVENT_GROUP_ID REFUND_ID INVOICE_ID DISBURSEMENT_ID TRANSFER_ID \
         DEFERRED_TRANSACTION_ID RELEASE_TRANSACTION_ID SETTLEMENT_ID",
    ),
];

const WHOLE_NUMBERS: &[&str] =
    &["quantityOrdered", "quantityFulfilled", "quantityUnfulfilled", "quantity", "quantityShipped"];
const INSTANTS: &[&str] = &[
    "createdTime",
    "lastUpdatedTime",
    "shipTime",
    "createdBefore",
    "lastUpdatedBefore",
    "dataStartTime",
    "dataEndTime",
    "processingEndTime",
    "postedDate",
    "maturityDate",
];
const LISTS_OF_TEXTS: &[&str] = &["programs", "marketplaceIds"];

fn check(shape: &str, value: &Value) {
    let (_, required, optional) = SHAPES.iter().find(|(name, ..)| *name == shape).unwrap();
    let fields = value.as_object().unwrap_or_else(|| panic!("{shape} is no object: {value}"));
    for field in required.split_whitespace() {
        let name = field.split(':').next().unwrap();
        assert!(fields.contains_key(name), "{shape} lacks {name}");
    }
    for (name, value) in fields {
        let known = required.split_whitespace().chain(optional.split_whitespace());
        let field =
            known.map(|field| field.split_once(':').unwrap_or((field, ""))).find(|(known, _)| known == name);
        let (_, inner) = field.unwrap_or_else(|| panic!("{shape} has no field {name}"));
        match inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => value.as_array().unwrap().iter().for_each(|one| check(inner, one)),
            None if inner.is_empty() => check_plain(shape, name, value),
            None => check(inner, value),
        }
    }
}

fn check_plain(shape: &str, name: &str, value: &Value) {
    if WHOLE_NUMBERS.contains(&name) {
        assert!(value.is_u64(), "{shape}.{name} is no whole number: {value}");
        return;
    }
    if name == "currencyAmount" {
        assert!(value.is_number(), "{shape}.{name} is no number: {value}");
        return;
    }
    if LISTS_OF_TEXTS.contains(&name) {
        assert!(value.as_array().unwrap().iter().all(Value::is_string), "{shape}.{name}");
        return;
    }
    let text = value.as_str().unwrap_or_else(|| panic!("{shape}.{name} is no text: {value}"));
    if INSTANTS.contains(&name) {
        chrono::DateTime::parse_from_rfc3339(text).unwrap();
    }
    if let Some((.., set)) = CLOSED_SETS.iter().find(|(owner, field, _)| (*owner, *field) == (shape, name)) {
        assert!(set.split_whitespace().any(|allowed| allowed == text), "{shape}.{name} may not be {text}");
    }
}

#[test]
fn a_full_response_has_the_shapes_of_the_model() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let parameters = [("createdAfter", "2020-01-01T00:00:00Z"), ("includedData", ALL_DATASETS)];
    let body = search(&simulator, &token, &parameters).json();
    check("SearchOrdersResponse", &body);
    for order in body["orders"].as_array().unwrap() {
        assert!(!order["packages"].as_array().unwrap().is_empty(), "a status text was lost");
    }
}

#[test]
fn a_data_set_that_was_not_asked_for_is_absent() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let after = ("lastUpdatedAfter", "2020-01-01T00:00:00Z");
    let bare = search(&simulator, &token, &[after]).json();
    check("SearchOrdersResponse", &bare);
    for order in bare["orders"].as_array().unwrap() {
        let names: Vec<&String> = order.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            ["createdTime", "lastUpdatedTime", "orderId", "orderItems", "programs", "salesChannel"]
        );
        for item in order["orderItems"].as_array().unwrap() {
            let names: Vec<&String> = item.as_object().unwrap().keys().collect();
            assert_eq!(names, ["orderItemId", "product", "quantityOrdered"]);
        }
    }
    let asked =
        search(&simulator, &token, &[after, ("includedData", "PACKAGES"), ("includedData", "BUYER")]).json();
    assert!(asked["orders"][0]["packages"].is_array() && asked["orders"][0]["buyer"].is_object());
    assert!(asked["orders"][0]["proceeds"].is_null());
}

#[test]
fn a_search_without_results_is_an_empty_page() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let body = search(&simulator, &token, &[("createdAfter", "2026-07-01T00:00:00Z")]).json();
    check("SearchOrdersResponse", &body);
    assert_eq!(body["orders"], serde_json::json!([]));
    assert!(body["pagination"].is_null());
}

#[test]
fn reports_have_the_shapes_of_the_model() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let call = |method: &str, path: &str, body: &str| {
        let url = format!("{}/reports/2021-06-30/{path}", simulator.amazon_base_url());
        send(method, &url, &[("x-amz-access-token", &token)], body).json()
    };
    let mut statuses = Vec::new();
    for days in [60, 120, 180] {
        let at = |days: i64| (chrono::Utc::now() - chrono::TimeDelta::days(days)).to_rfc3339();
        let order = json!({
            "reportType": "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", "marketplaceIds": ["A21TJRUUN4KGV"],
            "dataStartTime": at(days), "dataEndTime": at(days - 59),
        });
        let created = call("POST", "reports", &order.to_string());
        check("CreateReportResponse", &created);
        let path = format!("reports/{}", created["reportId"].as_str().unwrap());
        for _ in 0..3 {
            let report = call("GET", &path, "");
            check("Report", &report);
            statuses.push(report["processingStatus"].as_str().unwrap().to_owned());
            if let Some(document) = report["reportDocumentId"].as_str() {
                check("ReportDocument", &call("GET", &format!("documents/{document}"), ""));
            }
        }
    }
    for status in ["IN_QUEUE", "IN_PROGRESS", "DONE"] {
        assert!(statuses.iter().any(|seen| seen == status), "{status} is missing");
    }
}

#[test]
fn transactions_and_the_list_of_settlement_reports_have_the_shapes_of_the_models() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let get = |path: &str| {
        let url = format!("{}{path}", simulator.amazon_base_url());
        send("GET", &url, &[("x-amz-access-token", &token)], "").json()
    };
    let since = (chrono::Utc::now() - chrono::TimeDelta::days(179)).format("%Y-%m-%dT%H:%M:%SZ");
    let transactions = get(&format!("/finances/2024-06-19/transactions?postedAfter={since}"));
    check("ListTransactionsResponse", &transactions);
    let all = transactions["payload"]["transactions"].as_array().unwrap();
    let kinds: std::collections::BTreeSet<&str> =
        all.iter().map(|one| one["transactionType"].as_str().unwrap()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Refund", "Shipment"]);
    let list = get("/reports/2021-06-30/reports?reportTypes=GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2");
    check("GetReportsResponse", &list);
    for report in list["reports"].as_array().unwrap() {
        let document = report["reportDocumentId"].as_str().unwrap();
        check("ReportDocument", &get(&format!("/reports/2021-06-30/documents/{document}")));
    }
    assert!(!list["reports"].as_array().unwrap().is_empty());
}
