//! AJIO's order report and RTV report. Their rows become the fields of the list of orders and of the list of returns, which
//! the same code maps as the API's, so that a status or an amount cannot mean two things.
//!
//! The reports number no lines. A column of line ids counts where a raw dump has one; otherwise lines are numbered by article.
//! Statuses get the words of the list of orders, so that it does not matter which of both an order came from.

use rust_decimal::Decimal;

use crate::decimal::Amount;
use crate::fields::{EpochSeconds, Id, Quantity, Text};
use crate::files::{FileRecord, FileRow, line_id, whole};
use crate::lenient::{Lenient, Notes};
use crate::record::{OrderRecord, OrderStatus, ReturnRecord, UNKNOWN_STATUS, UNKNOWN_STATUS_NOTE};
use crate::records::{RecordProblem, distinct, first_repeat};

use super::mapping::{self, AjioLine, AjioOrder, ItemDetails, TaxSummary};
use super::returns::{self, AjioReturn, AjioReturnItem};

const ORDER: &str = "Cust Order No";
const STATUS: &str = "Status";

/// The columns that stand for fields of a line.
const COLUMNS: [(&str, &str); 6] = [
    ("ordered_quantity", "Order Qty"),
    ("unit_price", "Selling Price"),
    ("item_base_price", "Base Price"),
    ("tax_summary", "IGST_AMOUNT"),
    ("item_details.item_code", "Seller SKU"),
    ("item_details.name", "Description"),
];

fn column(field: &str) -> &str {
    COLUMNS.iter().find(|(known, _)| *known == field).map_or(field, |(_, column)| column)
}

/// Maps an order of the order report.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn order(record: &FileRecord) -> Result<OrderRecord, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let mut lines: Vec<AjioLine> = Vec::with_capacity(record.rows.len());
    let mut statuses = Vec::with_capacity(record.rows.len());
    for row in &record.rows {
        let (status, text) = status(row, &mut notes);
        statuses.push((status, text));
        let before = lines.iter().map(|line| line.order_item_id.0.as_str());
        let line = line(row, status, before, &mut notes)?;
        lines.push(line);
    }
    if first_repeat(lines.iter().map(|line| line.order_item_id.0.as_str())).is_some() {
        return Err(first.problem(Some("Order Item ID"), "is also that of another line of the order"));
    }
    let dispatch_by =
        record.rows.iter().filter_map(|row| row.optional_date("Estimated Dispatch Date", &mut notes)).min();
    let order = AjioOrder {
        order_id: Id(first.required_id(ORDER)?),
        order_date: EpochSeconds(first.required_date("Cust Order Date")?),
        status: Lenient::default(),
        payment_method: Lenient::default(),
        carrier: Some(Text(record.common("FWD Carrier", &mut notes))).into(),
        tracking_number: Some(Text(tracking_number(record, &mut notes))).into(),
        total_amount: None,
        order_lines: lines,
    };
    let place = |index: usize, field: &str| record.rows[index].place(Some(column(field)));
    let mapped = mapping::assemble(order, whole_status(&statuses), &place, notes)?;
    Ok(OrderRecord { dispatch_by, total_amount: customer_total(&mapped), ..mapped })
}

/// AJIO ships an order whole, so its lines have one air waybill.
fn tracking_number(record: &FileRecord, notes: &mut Notes) -> Option<String> {
    record.rows.iter().find_map(|row| row.optional_id("FWD AWB", notes))
}

/// The report states no total. As in the list of orders on pendency, it is what the customer ordered.
fn customer_total(order: &OrderRecord) -> Option<Decimal> {
    let is_customers = |basis| basis == crate::record::AmountBasis::Customer;
    order.items.iter().map(|item| item.line_amount.filter(|_| is_customers(item.amount_basis))).sum()
}

fn line<'a>(
    row: &FileRow,
    status: OrderStatus,
    before: impl Iterator<Item = &'a str>,
    notes: &mut Notes,
) -> Result<AjioLine, RecordProblem> {
    let ordered = row.required_units("Order Qty")?;
    let (customer, seller) = cancelled(row, ordered, status)?;
    let amount = |column| row.amount(column).map(|amount| amount.map(Amount));
    let sku = row.optional_id("Seller SKU", notes);
    let article = sku.clone().or_else(|| row.optional_id("JioCode", notes));
    let id = row.id("Order Item ID")?.unwrap_or_else(|| line_id(article.as_deref(), before));
    Ok(AjioLine {
        order_item_id: Id(id),
        ordered_quantity: Some(Quantity(ordered)),
        quantity: Some(Quantity((ordered - customer - seller).max(0))),
        customer_cancelled_qty: Some(Quantity(customer)),
        seller_cancelled_qty: Some(Quantity(seller)),
        seller_short_picked_qty: None,
        unit_price: amount("Selling Price")?,
        listing_price: None,
        listing_price_blank: None,
        item_base_price: amount("Base Price")?,
        b2b_base_price: None,
        b2b_tax: None,
        hsn: Some(Text(row.text("HSN", notes))).into(),
        tax_summary: Some(TaxSummary {
            cgst_percentage: amount("CGST_PERCENTAGE")?,
            sgst_percentage: amount("SGST_PERCENTAGE")?,
            igst_percentage: amount("IGST_PERCENTAGE")?,
            cgst_amount: amount("CGST_AMOUNT")?,
            sgst_amount: amount("SGST_AMOUNT")?,
            igst_amount: amount("IGST_AMOUNT")?,
            cess_amount: None,
        }),
        item_details: Some(ItemDetails {
            item_code: Some(Text(sku)).into(),
            name: Some(Text(row.text("Description", notes))).into(),
            size: Lenient::default(),
        })
        .into(),
    })
}

/// Units that the customer and that the seller cancelled. A report without the two columns has their sum. A line that is
/// cancelled as a whole may come without numbers.
fn cancelled(row: &FileRow, ordered: i32, status: OrderStatus) -> Result<(i32, i32), RecordProblem> {
    let units = |column| row.units(column).map(|units| units.map(|units| units.0));
    let (customer, seller) = (units("Customer Cancelled QTY")?, units("Seller Cancelled QTY")?);
    let (customer, seller) = match (customer, seller) {
        (None, None) => (units("Cancelled Qty")?.unwrap_or(0), 0),
        (customer, seller) => (customer.unwrap_or(0), seller.unwrap_or(0)),
    };
    Ok(if customer + seller == 0 && status == OrderStatus::Cancelled {
        (0, ordered)
    } else {
        (customer, seller)
    })
}

/// Reads a line's status: the report's own words, or those of the list of orders. Returns it with the list's word for it.
fn status(row: &FileRow, notes: &mut Notes) -> (OrderStatus, Option<String>) {
    let text = row.text(STATUS, notes);
    let ours = text.as_deref().and_then(parse_status).unwrap_or_else(|| {
        notes.push(row.problem(Some(STATUS), UNKNOWN_STATUS_NOTE));
        OrderStatus::Unknown
    });
    (ours, mapping::word(ours).map(str::to_owned).or(text))
}

fn parse_status(text: &str) -> Option<OrderStatus> {
    let word: String = text.to_ascii_uppercase().split([' ', '_', '-']).collect::<Vec<_>>().join("_");
    Some(match word.as_str() {
        "NEW" => OrderStatus::Pending,
        "PO_CREATED" => OrderStatus::Confirmed,
        "READY_TO_SHIP" | "READY_TO_SHIPPED" => OrderStatus::ReadyToDispatch,
        "SHIPPED" => OrderStatus::Shipped,
        other => return mapping::parse_status(other),
    })
}

fn whole_status(lines: &[(OrderStatus, Option<String>)]) -> (OrderStatus, String) {
    let status = whole(lines.iter().map(|(status, _)| *status));
    let is_told = |of: OrderStatus| of != OrderStatus::Cancelled || status == OrderStatus::Cancelled;
    let texts = lines.iter().filter(|(of, _)| is_told(*of)).filter_map(|(_, text)| text.as_deref());
    (status, distinct(texts).unwrap_or_else(|| UNKNOWN_STATUS.to_owned()))
}

/// Maps a return of the RTV report.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn returned(record: &FileRecord) -> Result<ReturnRecord, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let mut items: Vec<AjioReturnItem> = Vec::with_capacity(record.rows.len());
    for row in &record.rows {
        let before = items.iter().map(|item| item.return_item_id.0.as_str());
        let item = return_item(row, before, &mut notes)?;
        items.push(item);
    }
    if first_repeat(items.iter().map(|item| item.return_item_id.0.as_str())).is_some() {
        return Err(first.problem(Some("Return Item ID"), "is also that of another line of the return"));
    }
    let delivered_at =
        record.rows.iter().filter_map(|row| row.optional_date("Return Delivered Date", &mut notes)).max();
    let mut common = |column| Lenient::from(Some(Text(record.common(column, &mut notes))));
    let (return_status, return_type) = (common("Return Status"), common("Return Type"));
    let (carrier, reason) = (common("Return Carrier Name"), common("Cust Return Reason"));
    let credit_note_number = common("Credit Note Number");
    let awb = record.rows.iter().find_map(|row| row.optional_id("Return AWB No", &mut notes));
    let given = AjioReturn {
        return_order_id: Id(first.required_id("Return Order Number")?),
        return_date: EpochSeconds(first.required_date("Return Created Date")?),
        order_id: first.optional_id(ORDER, &mut notes).map(Id).into(),
        return_status,
        return_type,
        carrier,
        tracking_number: Some(Text(awb)).into(),
        reason,
        credit_note_number,
        rsi_number: Lenient::default(),
        debit_note_number: Lenient::default(),
        return_order_items: Some(items),
    };
    let place = |index: usize, field: &str| record.rows[index].place(Some(column(field)));
    Ok(ReturnRecord { delivered_at, ..returns::assemble(given, &place, notes) })
}

fn return_item<'a>(
    row: &FileRow,
    before: impl Iterator<Item = &'a str>,
    notes: &mut Notes,
) -> Result<AjioReturnItem, RecordProblem> {
    let quantity = row.required_units("Return QTY")?;
    // The report does not count what will not come. Of a return that is cancelled, that is everything.
    let is_cancelled = row.cell("Return Status") == Some("RETURN_CANCELLED");
    let sku = row.optional_id("Seller SKU", notes);
    let article = sku.clone().or_else(|| row.optional_id("JioCode", notes));
    let id = row.id("Return Item ID")?.unwrap_or_else(|| line_id(article.as_deref(), before));
    Ok(AjioReturnItem {
        return_item_id: Id(id),
        return_quantity: Quantity(quantity),
        cancelled_return_quantity: is_cancelled.then_some(Quantity(quantity)),
        order_item_id: row.optional_id("Order Item ID", notes).map(Id).into(),
        reason: Some(Text(row.text("Cust Return Reason", notes))).into(),
        item_details: Some(ItemDetails { item_code: Some(Text(sku)).into(), ..ItemDetails::default() })
            .into(),
    })
}
