//! Amazon's unified payments of Seller Central: a row for each transaction with its components in sums, and its total.
//!
//! The same money is in the settlement report, which says more and so counts, once it is read. Deferred transactions are announced
//! only; so is what belongs to no settlement yet.

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::PayoutLineType::{
    Ads, Commission, FulfilmentFee, Other, OtherFee, Promotion, Refund, RefundTax, Sale, SaleTax, ServiceFee,
    ShippingCredit, ShippingFee, Tcs, Tds, Transfer,
};
use crate::record::{PayoutEntry, PayoutHead, PayoutLineType, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

use super::settlement::add_order;

const SETTLEMENT: &str = "settlement id";
const TYPE: &str = "type";
const TOTAL: &str = "total";

/// The file is that of India.
const CURRENCY: &str = "INR";

/// Transactions are known by all that tells them apart. Equal ones are genuine, and are entries of one part.
pub const PAYMENT_KEY: Key = Key::all(SETTLEMENT, NAMES);

/// The columns that name a part within its settlement.
const NAMES: &[&str] = &["order id", TYPE, "date/time", "Sku", "description"];

/// Maps a transaction, and others that are equal in what names them.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn payment(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let is_deferred =
        first.cell("Transaction Status").is_some_and(|status| status.eq_ignore_ascii_case("deferred"));
    let settlement = first.id(SETTLEMENT)?.filter(|_| !is_deferred);
    let released_at = first.optional_date("Transaction Release Date", &mut notes);
    let names: Vec<String> = NAMES.iter().filter_map(|column| first.plain(column)).collect();
    let entries =
        record.rows.iter().map(|row| entry(record, row, &mut notes)).collect::<Result<Vec<_>, _>>()?;
    Ok(PayoutPart {
        external_part_id: format!(
            "payments/{}/{}",
            settlement.as_deref().unwrap_or("deferred"),
            names.join("/")
        ),
        source: PayoutSource::AmazonPayments,
        subject: subject(first),
        payout: settlement.map(|id| PayoutHead {
            external_payout_id: id,
            marketplace_status: None,
            period_start: None,
            period_end: None,
            settled_at: None, // the file says when things happened, not when they were paid
            paid_at: None,
            bank_reference: None,
            stated_amount: None,
        }),
        currency: CURRENCY.to_owned(),
        expected_at: released_at,
        entries,
        notes: notes.into_vec(),
    })
}

/// What a deferred transaction and the released one have in common: they state the same total for the same article of the same order.
fn subject(row: &FileRow) -> Option<String> {
    let order = row.plain("order id")?;
    let (article, total) = (row.plain("Sku").unwrap_or_default(), row.plain(TOTAL).unwrap_or_default());
    Some(format!("{order}/{article}/{total}"))
}

fn entry(record: &FileRecord, row: &FileRow, notes: &mut Notes) -> Result<PayoutEntry, RecordProblem> {
    let kind = row.text(TYPE, notes).unwrap_or_default();
    let total = row.amount(TOTAL)?.ok_or_else(|| row.problem(Some(TOTAL), "is blank"))?;
    let mut entry = PayoutEntry {
        sku: row.optional_id("Sku", notes),
        quantity: row.optional_units("quantity", notes),
        posted_at: row.optional_date("date/time", notes),
        stated_amount: Some(total),
        place: Some(row.place(None)),
        other: record.other_cells(row),
        ..PayoutEntry::default()
    };
    add_order(&mut entry, row.optional_id("order id", notes));
    if kind.eq_ignore_ascii_case("transfer") {
        entry.stated_amount = None;
        entry.add(Transfer, TOTAL, Some(total));
    } else {
        for (column, line_type) in components(&kind, row.cell("description").unwrap_or_default()) {
            entry.add(line_type, column, row.amount(column)?);
        }
    }
    entry.marketplace_type = kind;
    Ok(entry)
}

/// The columns of money, and what each is in a transaction of this type.
fn components(kind: &str, description: &str) -> [(&'static str, PayoutLineType); 13] {
    let is_refund = kind.eq_ignore_ascii_case("refund");
    // What such a transaction is about, whichever of the two columns it stands in.
    let charge = match kind.to_ascii_lowercase().as_str() {
        _ if description.to_ascii_lowercase().contains("advertising") => Some(Ads),
        "shipping services" => Some(ShippingFee),
        "service fee" => Some(ServiceFee),
        _ => None,
    };
    [
        ("product sales", if is_refund { Refund } else { Sale }),
        ("shipping credits", if is_refund { Refund } else { ShippingCredit }),
        ("gift wrap credits", if is_refund { Refund } else { ShippingCredit }),
        ("promotional rebates", Promotion),
        ("Total sales tax liable(GST before adjusting TCS)", if is_refund { RefundTax } else { SaleTax }),
        ("TCS-CGST", Tcs),
        ("TCS-SGST", Tcs),
        ("TCS-IGST", Tcs),
        ("TDS (Section 194-O)", Tds),
        ("selling fees", Commission),
        ("fba fees", FulfilmentFee),
        ("other transaction fees", charge.unwrap_or(OtherFee)),
        ("other", charge.unwrap_or(Other)),
    ]
}
