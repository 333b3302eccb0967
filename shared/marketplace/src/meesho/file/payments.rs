//! Meesho's payments of orders: a row for each sub-order and transfer. A sub-order comes again in a later transfer when it comes back,
//! or when a claim is approved.
//!
//! Rows without a transaction are upcoming: their amounts are estimates, and the row of the transfer takes their place.

use rust_decimal::Decimal;

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::PayoutLineType::{
    Claim, Commission, Compensation, FeeTax, FixedFee, OtherFee, Recovery, Refund, ReverseShippingFee, Sale,
    ServiceFee, ShippingCredit, ShippingFee, StorageFee, Tcs, Tds,
};
use crate::record::{PayoutEntry, PayoutHead, PayoutLineType, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

use super::{CURRENCY, order_number};

const SUB_ORDER: &str = "Sub Order No";
const TRANSACTION: &str = "Transaction ID";

/// Payments are known by sub-order and transfer.
pub const PAYMENT_KEY: Key = Key::all(SUB_ORDER, &[TRANSACTION]);

/// The columns of money. Customers' fees stand under revenue, and Meesho's own of the same name under deductions, as the second.
const COMPONENTS: &[(&str, PayoutLineType)] = &[
    ("Total Sale Amount (Incl. Shipping & GST)", Sale),
    ("Total Sale Return Amount (Incl. Shipping & GST)", Refund),
    ("Fixed Fee (Incl. GST)", ShippingCredit),
    ("Warehousing fee (inc Gst)", ShippingCredit),
    ("Return premium (incl GST)", ShippingCredit),
    ("Return premium (incl GST) of Return", Refund),
    ("Meesho Commission (Incl. GST)", Commission),
    ("Meesho Commission (Excl. GST)", Commission),
    ("Meesho gold platform fee (Incl. GST)", ServiceFee),
    ("Meesho gold platform fee (Excl. GST)", ServiceFee),
    ("Meesho mall platform fee (Incl. GST)", ServiceFee),
    ("Meesho mall platform fee (Excl. GST)", ServiceFee),
    ("Return Shipping Charge (Incl. GST)", ReverseShippingFee),
    ("Return Shipping Charge (Excl. GST)", ReverseShippingFee),
    ("GST Compensation (PRP Shipping)", Compensation),
    ("Shipping Charge (Incl. GST)", ShippingFee),
    ("Shipping Charge (Excl. GST)", ShippingFee),
    ("Net Other Support Service Charges (Excl. GST)", OtherFee),
    ("TCS", Tcs),
    ("TDS", Tds),
    ("Compensation", Compensation),
    ("Claims", Claim),
    ("Recovery", Recovery),
];

/// Columns that Meesho's own formula for the settlement leaves out, although the sheet carries them. Whether they count is seen in each
/// row that has one.
const UNCERTAIN: &[(&str, PayoutLineType)] = &[
    ("Fixed Fee (Incl. GST) (2)", FixedFee),
    ("Fixed Fee (Excl. GST)", FixedFee),
    ("Warehousing fee (Incl. GST)", StorageFee),
    ("Warehousing fee (Excl. GST)", StorageFee),
    ("GST on Net Other Support Service Charges", FeeTax),
];

/// Maps what one transfer, or the announcement of one, says about a sub-order.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn payment(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let sub_order = first.required_id(SUB_ORDER)?;
    let transaction = first.id(TRANSACTION)?;
    let entries = record.rows.iter().map(|row| entry(record, row, &sub_order, &mut notes));
    let entries = entries.collect::<Result<_, _>>()?;
    let payout = transaction.as_ref().map(|id| head(first, id)).transpose()?;
    Ok(PayoutPart {
        external_part_id: format!("{}/{sub_order}", transaction.as_deref().unwrap_or("upcoming")),
        source: PayoutSource::MeeshoPayments,
        payout,
        subject: Some(sub_order),
        currency: CURRENCY.to_owned(),
        expected_at: None,
        entries,
        notes: notes.into_vec(),
    })
}

fn head(row: &FileRow, transaction: &str) -> Result<PayoutHead, RecordProblem> {
    let paid_at = row.required_date("Payment Date")?;
    Ok(PayoutHead {
        external_payout_id: transaction.to_owned(),
        marketplace_status: None,
        period_start: None,
        period_end: None,
        settled_at: Some(paid_at),
        paid_at: Some(paid_at),
        bank_reference: Some(transaction.to_owned()),
        stated_amount: None, // only its rows state amounts
    })
}

fn entry(
    record: &FileRecord,
    row: &FileRow,
    sub_order: &str,
    notes: &mut Notes,
) -> Result<PayoutEntry, RecordProblem> {
    let mut entry = PayoutEntry {
        marketplace_type: row.text("Live Order Status", notes).unwrap_or_default(),
        external_order_id: Some(order_number(sub_order).to_owned()),
        external_item_id: Some(sub_order.to_owned()),
        sku: row.optional_id("Supplier SKU", notes),
        quantity: row.optional_units("Quantity", notes),
        posted_at: None,
        stated_amount: row.amount("Final Settlement Amount")?,
        place: Some(row.place(None)),
        other: record.other_cells(row),
        lines: Vec::new(),
    };
    for (column, line_type) in COMPONENTS {
        entry.add(*line_type, column, row.amount(column)?);
    }
    add_uncertain(&mut entry, row, notes)?;
    Ok(entry)
}

/// Adds the columns that may count, unless the row's own sum shows that they do not.
fn add_uncertain(entry: &mut PayoutEntry, row: &FileRow, notes: &mut Notes) -> Result<(), RecordProblem> {
    let mut amounts = Vec::new();
    for (column, line_type) in UNCERTAIN {
        if let Some(amount) = row.amount(column)?.filter(|amount| !amount.is_zero()) {
            amounts.push((*column, *line_type, amount));
        }
    }
    let sum: Decimal = amounts.iter().map(|(_, _, amount)| amount).sum();
    let count = sum.is_zero() || entry.stated_amount != Some(entry.amount());
    for (column, line_type, amount) in amounts {
        if count {
            entry.add(line_type, column, Some(amount));
        } else {
            notes
                .push(row.problem(Some(column), "is not part of the row's settlement, by the row's own sum"));
            entry.other.insert(column.to_owned(), amount.to_string());
        }
    }
    Ok(())
}
