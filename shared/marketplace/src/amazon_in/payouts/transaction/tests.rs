//! Transactions as parts of payouts.

use serde_json::{Value, json};

use super::*;
use crate::record::PayoutLine;

fn money(amount: &str) -> Value {
    json!({ "currencyAmount": amount.parse::<serde_json::Number>().unwrap(), "currencyCode": "INR" })
}

fn node(word: &str, amount: &str, below: &Value) -> Value {
    json!({ "breakdownType": word, "breakdownAmount": money(amount), "breakdowns": below })
}

/// An order of two units that is paid with the settlement 770.
fn shipment() -> Value {
    let fees = json!([
        node("AmazonFees", "-220.0", &json!([])),
        node("TCS", "-8.64", &json!(null)),
        node("TDS", "-1.73", &json!([]))
    ]);
    json!({
        "sellingPartnerMetadata": { "sellingPartnerId": "A1", "accountType": "Standard Orders", "marketplaceId": "A21TJRUUN4KGV" },
        "transactionType": "Shipment", "transactionId": "TX1", "transactionStatus": "RELEASED",
        "description": "Order Payment", "postedDate": "2026-06-29T00:00:10Z", "totalAmount": money("1807.63"),
        "relatedIdentifiers": [
            { "relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "404-0000001-0000077" },
            { "relatedIdentifierName": "FINANCIAL_EVENT_GROUP_ID", "relatedIdentifierValue": "Group1" },
            { "relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": 770 },
        ],
        "breakdowns": [
            node("Sales", "2038.0", &json!([
                node("ProductCharges", "1693.22", &json!([])), node("Shipping", "33.9", &json!([])), node("Tax", "310.88", &json!([])),
            ])),
            node("Expenses", "-230.37", &fees),
        ],
        "items": [{
            "description": "Shoe", "totalAmount": money("1807.63"), "breakdowns": null,
            "contexts": [{ "contextType": "ProductContext", "asin": "B0", "sku": "SKU-B-02", "quantityShipped": 2 }],
        }],
    })
}

/// The transaction with other values at these pointers.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut transaction = shipment();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = transaction.pointer_mut(parent).unwrap();
        match name.parse::<usize>() {
            Ok(place) => parent[place] = value.clone(),
            Err(_) => parent[name] = value.clone(),
        }
    }
    transaction
}

fn read(transaction: &Value) -> Result<PayoutPart, String> {
    let raw = RawValue::from_string(transaction.to_string()).unwrap();
    part(&raw).map_err(RecordProblem::into_reason)
}

fn lines(entry: &PayoutEntry) -> Vec<String> {
    let line =
        |line: &PayoutLine| format!("{} {} {}", line.line_type.as_str(), line.marketplace_type, line.amount);
    entry.lines.iter().map(line).collect()
}

fn payout(part: &PayoutPart) -> Option<&str> {
    part.payout.as_ref().map(|head| head.external_payout_id.as_str())
}

#[test]
fn a_released_transaction_is_an_entry_of_its_settlement_with_amazons_own_words() {
    let part = read(&shipment()).unwrap();
    assert_eq!((part.external_part_id.as_str(), payout(&part)), ("transactions/TX1", Some("770")));
    assert_eq!((part.source, part.currency.as_str()), (PayoutSource::AmazonTransactions, "INR"));
    assert_eq!((part.subject.as_deref(), part.expected_at), (Some("transactions/TX1"), None));
    let [entry] = part.entries.as_slice() else { panic!("one entry: {:?}", part.entries) };
    assert_eq!(entry.external_order_id.as_deref(), Some("404-0000001-0000077"));
    assert_eq!((entry.sku.as_deref(), entry.quantity), (Some("SKU-B-02"), Some(2)));
    assert_eq!(entry.posted_at.unwrap().to_rfc3339(), "2026-06-29T00:00:10+00:00");
    assert_eq!(
        (entry.stated_amount, entry.amount()),
        (Some(Decimal::new(180_763, 2)), Decimal::new(180_763, 2))
    );
    let other: Vec<_> = entry.other.iter().map(|(name, text)| format!("{name} {text}")).collect();
    assert_eq!(other, ["FINANCIAL_EVENT_GROUP_ID Group1", "description Order Payment"]);
    let expected = [
        "SALE Sales / ProductCharges 1693.22",
        "SHIPPING_CREDIT Sales / Shipping 33.9",
        "SALE_TAX Sales / Tax 310.88",
        "OTHER_FEE Expenses / AmazonFees -220",
        "TCS Expenses / TCS -8.64",
        "TDS Expenses / TDS -1.73",
    ];
    assert_eq!(lines(entry), expected);
    assert_eq!(part.notes, [""; 0]);
}

#[test]
fn what_is_deferred_is_announced_with_its_day_and_its_release_has_the_same_subject() {
    let contexts = json!([{ "contextType": "DeferredContext", "deferralReason": "DD7", "maturityDate": "2026-07-14T00:00:00Z" }]);
    for word in ["DEFERRED", "Deferred"] {
        let announced =
            read(&with(&[("/transactionStatus", json!(word)), ("/contexts", contexts.clone())])).unwrap();
        assert_eq!(
            (announced.external_part_id.as_str(), payout(&announced)),
            ("transactions/announced/TX1", None)
        );
        assert_eq!(announced.expected_at.unwrap().to_rfc3339(), "2026-07-14T00:00:00+00:00");
        assert_eq!(
            (announced.entries.len(), announced.entries[0].other["deferralReason"].as_str()),
            (1, "DD7")
        );
        assert_eq!(announced.subject.as_deref(), Some("transactions/TX1"));
    }
    let same =
        read(&with(&[("/transactionStatus", json!("DEFERRED_RELEASED")), ("/contexts", contexts)])).unwrap();
    assert_eq!((same.subject.as_deref(), payout(&same)), (Some("transactions/TX1"), Some("770")));
    assert_eq!(same.expected_at, None, "it is paid");
    // A release of its own names what it releases, which then announces nothing any more.
    let deferred =
        json!({ "relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "TX0" });
    let own = read(&with(&[("/relatedIdentifiers/1", deferred)])).unwrap();
    assert_eq!(
        (own.external_part_id.as_str(), own.subject.as_deref()),
        ("transactions/TX1", Some("transactions/TX0"))
    );
    let release =
        json!({ "relatedIdentifierName": "RELEASE_TRANSACTION_ID", "relatedIdentifierValue": "TX2" });
    let released = [("/relatedIdentifiers/1", release), ("/transactionStatus", json!("DEFERRED_RELEASED"))];
    let former = read(&with(&released)).unwrap();
    assert_eq!((former.external_part_id.as_str(), payout(&former)), ("transactions/announced/TX1", None));
    assert_eq!(former.entries, [], "its money is that of TX2");
}

#[test]
fn what_is_released_without_a_settlement_is_neither_announced_nor_paid() {
    let part = read(&with(&[("/relatedIdentifiers", json!(null))])).unwrap();
    assert_eq!((part.external_part_id.as_str(), part.entries.len()), ("transactions/announced/TX1", 0));
    let odd = with(&[("/relatedIdentifiers/2/relatedIdentifierValue", json!({ "hush": 1 }))]);
    assert_eq!(
        read(&odd).unwrap_err(),
        "relatedIdentifiers[2].relatedIdentifierValue is not an identifier",
        "a settlement that cannot be read is no reason to leave money out"
    );
}

fn item(sku: &str, total: &str, breakdowns: &Value) -> Value {
    json!({ "totalAmount": money(total), "breakdowns": breakdowns, "contexts": [{ "contextType": "ProductContext", "sku": sku, "quantityShipped": 1 }] })
}

#[test]
fn items_that_state_all_of_the_money_are_entries_and_equal_ones_both_count() {
    let sold = || item("A", "903.815", &json!([node("ProductCharges", "903.815", &json!([]))]));
    let part = read(&with(&[("/items", json!([sold(), sold()]))])).unwrap();
    assert_eq!(part.entries.len(), 2);
    assert_eq!(part.entries[0], part.entries[1], "equal lines are genuine");
    assert_eq!(part.entries.iter().map(PayoutEntry::amount).sum::<Decimal>(), Decimal::new(180_763, 2));
    assert!(part.entries.iter().all(|entry| entry.sku.as_deref() == Some("A") && entry.quantity == Some(1)));
    // Items that state less than the whole leave the word to the transaction.
    let part = read(&with(&[("/items", json!([sold()]))])).unwrap();
    assert_eq!((part.entries.len(), part.entries[0].lines.len()), (1, 6));
}

#[test]
fn a_total_that_is_not_the_sum_of_the_breakdowns_is_stored_with_what_is_missing() {
    let breakdowns = json!([node("Sales", "90", &json!([])), node("Tax", "9.99", &json!([]))]);
    let entry = |transaction: &Value| read(transaction).unwrap().entries.remove(0);
    let whole = entry(&with(&[("/totalAmount", money("100")), ("/breakdowns", breakdowns.clone())]));
    assert_eq!((whole.stated_amount, whole.amount()), (Some(Decimal::from(100)), Decimal::new(9_999, 2)));
    let items = json!([item("A", "100", &breakdowns)]);
    let of_item = entry(&with(&[("/totalAmount", money("100")), ("/items", items)]));
    assert_eq!((of_item.stated_amount, of_item.amount()), (Some(Decimal::from(100)), Decimal::new(9_999, 2)));
}

#[test]
fn a_transaction_without_breakdowns_is_one_line_and_a_transfer_no_part_of_the_sum() {
    let bare = |kind: &str| {
        let changes =
            [("/transactionType", json!(kind)), ("/breakdowns", json!(null)), ("/items", json!(null))];
        read(&with(&changes)).unwrap().entries.remove(0)
    };
    assert_eq!(lines(&bare("FBAInventoryReimbursement")), ["COMPENSATION FBAInventoryReimbursement 1807.63"]);
    assert_eq!(lines(&bare("SomethingNew")), ["OTHER SomethingNew 1807.63"]);
    let transfer = bare("Transfer");
    assert_eq!(lines(&transfer), ["TRANSFER Transfer 1807.63"]);
    assert_eq!((transfer.amount(), transfer.stated_amount), (Decimal::ZERO, None));
}

#[test]
fn what_money_needs_is_required_and_everything_else_costs_only_itself() {
    for (pointer, value, reason) in [
        ("/transactionId", json!(null), "transactionId is not an identifier"),
        ("/totalAmount", json!(null), "totalAmount does not have the type that the contract gives it"),
        ("/totalAmount/currencyAmount", json!("12,50"), "totalAmount.currencyAmount is not a decimal number"),
        (
            "/totalAmount/currencyAmount",
            json!(1.23456),
            "totalAmount.currencyAmount has more than 4 decimals",
        ),
        (
            "/totalAmount/currencyCode",
            json!("rupees"),
            "totalAmount.currencyCode is not an ISO 4217 currency code",
        ),
        (
            "/items/0/totalAmount/currencyCode",
            json!("USD"),
            "items[0].totalAmount has another currency than the transaction",
        ),
        ("/transactionStatus", json!("SOON"), "transactionStatus is none of those that the contract lists"),
    ] {
        assert_eq!(read(&with(&[(pointer, value)])).unwrap_err(), reason);
    }
    let odd = [
        ("/postedDate", json!("hush")),
        ("/items/0/contexts/0/quantityShipped", json!("hush")),
        ("/description", json!(["hush"])),
        ("/relatedIdentifiers/0/relatedIdentifierValue", json!("FBA15OURS001")),
    ];
    let part = read(&with(&odd)).unwrap();
    let entry = &part.entries[0];
    assert_eq!(part.notes.len(), 3, "{:?}", part.notes);
    assert!(part.notes.iter().all(|note| !note.contains("hush")), "{:?}", part.notes);
    assert_eq!((&entry.external_order_id, entry.other["order-id"].as_str()), (&None, "FBA15OURS001"));
    assert_eq!((entry.posted_at, entry.quantity), (None, None));
}
