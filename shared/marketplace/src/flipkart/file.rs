//! Flipkart's settled transactions: a row for each item and transfer (NEFT). An item comes again in other transfers when it comes back, or
//! when the protection fund pays for it; such a row may state nothing else.
//!
//! Amounts have three decimals. The taxes are those that the row states: TDS may be 0.1 % or 5 %, and is never computed.

use rust_decimal::Decimal;

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::PayoutLineType::{
    Ads, CollectionFee, Commission, FeeRebate, FeeTax, FixedFee, FulfilmentFee, OtherFee, Penalty, Promotion,
    ProtectionFund, Recovery, Refund, ReverseShippingFee, Sale, ServiceFee, ShippingCredit, ShippingFee, Tcs,
    Tds,
};
use crate::record::{PayoutEntry, PayoutHead, PayoutLineType, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

const NEFT: &str = "NEFT ID";
const ITEM: &str = "Order item ID";

/// Flipkart sells in India only and names no currency.
const CURRENCY: &str = "INR";

/// Settlements are known by item and transfer.
pub const SETTLED_KEY: Key = Key::all(ITEM, &[NEFT, "Order ID"]);

/// The columns of the transaction that stand alone.
const SUMMARY: &[(&str, PayoutLineType)] = &[
    ("Sale Amount (Rs.)", Sale),
    ("Total Offer Amount (Rs.)", Promotion),
    ("My share (Rs.)", Promotion),
    ("Customer Add-ons Amount (Rs.)", ShippingCredit),
    ("Offer Adjustments (Rs.)", Promotion),
    ("Protection Fund (Rs.)", ProtectionFund),
    ("Refund (Rs.)", Refund),
];

/// What the column `Marketplace Fee (Rs.)` is the sum of.
const FEES: &[(&str, PayoutLineType)] = &[
    ("Commission (Rs.)", Commission),
    ("Fixed Fee (Rs.)", FixedFee),
    ("Collection Fee (Rs.)", CollectionFee),
    ("Pick And Pack Fee (Rs.)", FulfilmentFee),
    ("Shipping Fee (Rs.)", ShippingFee),
    ("Reverse Shipping Fee (Rs.)", ReverseShippingFee),
    ("No Cost Emi Fee Reimbursement(Rs.)", FeeRebate),
    ("Installation Fee (Rs.)", ServiceFee),
    ("Tech Visit Fee (Rs.)", ServiceFee),
    ("Uninstallation & Packaging Fee (Rs.)", ServiceFee),
    ("Customer Add-ons Amount Recovery (Rs.)", Recovery),
    ("Franchise Fee (Rs.)", OtherFee),
    ("Shopsy Marketing Fee (Rs.)", Ads),
    ("Product Cancellation Fee (Rs.)", Penalty),
];

/// What the column `Taxes (Rs.)` is the sum of.
const TAXES: &[(&str, PayoutLineType)] =
    &[("TCS (Rs.)", Tcs), ("TDS (Rs.)", Tds), ("GST on MP Fees (Rs.)", FeeTax)];

/// Maps what one transfer says about an item.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn settled(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let neft = first.required_id(NEFT)?;
    let order = first.required_id("Order ID")?;
    let item = first.required_id(ITEM)?;
    let paid_at = first.required_date("Payment Date")?;
    let entries = record.rows.iter().map(|row| entry(record, row, (&order, &item), &mut notes));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    for entry in &mut entries {
        entry.posted_at = Some(paid_at);
    }
    Ok(PayoutPart {
        external_part_id: format!("{neft}/{order}/{item}"),
        source: PayoutSource::FlipkartSettled,
        payout: Some(PayoutHead {
            external_payout_id: neft.clone(),
            marketplace_status: None,
            period_start: None,
            period_end: None,
            settled_at: Some(paid_at),
            paid_at: Some(paid_at),
            bank_reference: Some(neft),
            stated_amount: None, // only its rows state amounts
        }),
        subject: None,
        currency: CURRENCY.to_owned(),
        expected_at: None,
        entries,
        notes: notes.into_vec(),
    })
}

fn entry(
    record: &FileRecord,
    row: &FileRow,
    (order, item): (&str, &str),
    notes: &mut Notes,
) -> Result<PayoutEntry, RecordProblem> {
    let mut entry = PayoutEntry {
        marketplace_type: row.text("Neft Type", notes).unwrap_or_default(),
        external_order_id: Some(order.to_owned()),
        external_item_id: Some(item.to_owned()),
        sku: row.optional_id("Seller SKU", notes).map(|sku| unwrapped(&sku)),
        quantity: row.optional_units("Quantity", notes),
        posted_at: None,
        stated_amount: row.amount("Bank Settlement Value (Rs.)")?,
        place: Some(row.place(None)),
        other: record.other_cells(row),
        lines: Vec::new(),
    };
    add(&mut entry, row, SUMMARY)?;
    let fees = add(&mut entry, row, FEES)?;
    let taxes = add(&mut entry, row, TAXES)?;
    check_sum(row, "Marketplace Fee (Rs.)", fees, notes)?;
    check_sum(row, "Taxes (Rs.)", taxes, notes)?;
    Ok(entry)
}

/// Adds a row's components; returns their sum.
fn add(
    entry: &mut PayoutEntry,
    row: &FileRow,
    columns: &[(&str, PayoutLineType)],
) -> Result<Decimal, RecordProblem> {
    let mut sum = Decimal::ZERO;
    for (column, line_type) in columns {
        let amount = row.amount(column)?;
        sum += amount.unwrap_or_default();
        entry.add(*line_type, column, amount);
    }
    Ok(sum)
}

/// Notes that a row's own subtotal is another than that of its components. These count.
fn check_sum(row: &FileRow, column: &str, sum: Decimal, notes: &mut Notes) -> Result<(), RecordProblem> {
    if row.amount(column)?.is_some_and(|stated| stated != sum) {
        notes.push(row.problem(Some(column), "is not the sum of its components, which count"));
    }
    Ok(())
}

/// Flipkart writes `SKU:` before an article, and its own quotation marks around both.
fn unwrapped(sku: &str) -> String {
    let bare = sku.trim_matches('"');
    bare.strip_prefix("SKU:").map_or_else(|| bare.to_owned(), |bare| bare.trim().to_owned())
}
