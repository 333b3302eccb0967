//! Maps a return of the report, which is the list of its rows, to ours.
//!
//! The columns about SAFE-T claims have no place in our records yet, and are not read.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::amazon_in::money::Currency;
use crate::fields::{Id, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{
    ReturnItemRecord, ReturnRecord, ReturnStatus, ReturnType, UNKNOWN_RETURN_STATUS_NOTE, UNKNOWN_STATUS,
};
use crate::records::{RecordProblem, parse_record};

use super::cells::{CellAmount, Day, folded};
use super::table::{BEYOND, RMA_ID};

const ORDER_ID: &str = "Order ID";
const STATUS: &str = "Return request status";
const CURRENCY: &str = "Currency code";
const RETURN_TYPE: &str = "Return type";

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "Amazon RMA ID")]
    rma_id: Id,
    #[serde(rename = "Return request date")]
    requested_on: Day,
    #[serde(rename = "Return quantity")]
    quantity: Quantity,
    #[serde(rename = "Refunded Amount")]
    refunded: Option<CellAmount>,
    #[serde(default, rename = "Order ID")]
    order_id: Lenient<Id>,
    #[serde(default, rename = "Order Item ID")]
    order_item_id: Lenient<Id>,
    #[serde(default, rename = "Return request status")]
    status: Lenient<Text>,
    #[serde(default, rename = "Return delivery date")]
    delivered_on: Lenient<Day>,
    #[serde(default, rename = "Return type")]
    return_type: Lenient<Text>,
    #[serde(default, rename = "Return Reason")]
    reason: Lenient<Text>,
    #[serde(default, rename = "Return carrier")]
    carrier: Lenient<Text>,
    #[serde(default, rename = "Tracking ID")]
    tracking_id: Lenient<Text>,
    #[serde(default, rename = "Currency code")]
    currency: Lenient<Currency>,
    #[serde(default, rename = "Merchant SKU")]
    sku: Lenient<Text>,
    #[serde(default, rename = "ASIN")]
    asin: Lenient<Text>,
    #[serde(default, rename = "Item Name")]
    title: Lenient<Text>,
    #[serde(rename = "cells beyond the header")]
    beyond: Option<IgnoredAny>,
}

/// A row's part of what belongs to the return as a whole, and its line.
struct Line {
    order_id: Option<String>,
    delivered_at: Option<DateTime<Utc>>,
    status: Option<String>,
    return_type: Option<String>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    currency: Option<String>,
    item: ReturnItemRecord,
}

#[derive(Deserialize)]
struct OnlyId {
    #[serde(rename = "Amazon RMA ID")]
    rma_id: Id,
}

/// Returns a record's RMA id, if at least that can be read.
pub fn return_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<Vec<OnlyId>>(raw.get()).ok()?.into_iter().next().map(|row| row.rma_id.0)
}

/// Maps a return. Without its RMA id a return cannot be told from others, so it is set aside.
///
/// # Errors
/// Names the column that cannot be read.
pub fn returned(raw: &RawValue) -> Result<ReturnRecord, RecordProblem> {
    let rows: Vec<Row> = parse_record(raw)?;
    if rows.iter().any(|row| row.beyond.is_some()) {
        return Err(RecordProblem::at("row", &format!("has {BEYOND}")));
    }
    let one = rows.first().ok_or_else(|| RecordProblem::at(RMA_ID, "is missing"))?;
    let rma_id = one.rma_id.0.clone();
    let initiated_at = rows.iter().map(|row| row.requested_on.0).fold(one.requested_on.0, Ord::min);
    let mut notes = Notes::default();
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let line = line(row, index, &lines, &mut notes);
        lines.push(line);
    }
    let first = |field: fn(&Line) -> Option<&String>| lines.iter().find_map(field).cloned();
    let delivered_at = lines.iter().filter_map(|line| line.delivered_at).max();
    let marketplace_status = first(|line| line.status.as_ref());
    Ok(ReturnRecord {
        external_return_id: rma_id,
        external_order_id: the_same(&lines, ORDER_ID, |line| line.order_id.as_ref())?,
        external_shipment_id: None,
        return_type: return_type(first(|line| line.return_type.as_ref()).as_deref(), &mut notes),
        status: status(marketplace_status.as_deref(), delivered_at.is_some(), &mut notes),
        marketplace_status: marketplace_status.unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        reason: first(|line| line.item.reason.as_ref()),
        carrier: first(|line| line.carrier.as_ref()),
        tracking_number: first(|line| line.tracking_number.as_ref()),
        currency: the_same(&lines, CURRENCY, |line| line.currency.as_ref())?,
        document: None,
        initiated_at,
        expected_at: None,
        delivered_at,
        marketplace_updated_at: None,
        items: lines.into_iter().map(|line| line.item).collect(),
        notes: notes.into_vec(),
    })
}

fn line(row: Row, index: usize, before: &[Line], notes: &mut Notes) -> Line {
    let path = |column: &str| format!("[{index}].{column}");
    let sku = row.sku.text(&path("Merchant SKU"), notes);
    let asin = row.asin.text(&path("ASIN"), notes);
    let order_id = row.order_id.read(&path(ORDER_ID), notes).map(|id| id.0);
    let order_item_id = row.order_item_id.read(&path("Order Item ID"), notes).map(|id| id.0);
    Line {
        order_id: order_id.filter(|id| {
            let known = is_order_id(id);
            if !known {
                notes.add(&path(ORDER_ID), "does not have the form 3-7-7");
            }
            known
        }),
        delivered_at: row.delivered_on.read(&path("Return delivery date"), notes).map(|day| day.0),
        status: row.status.text(&path(STATUS), notes),
        return_type: row.return_type.text(&path(RETURN_TYPE), notes),
        carrier: row.carrier.text(&path("Return carrier"), notes),
        tracking_number: row.tracking_id.text(&path("Tracking ID"), notes),
        currency: row.currency.read(&path(CURRENCY), notes).map(|currency| currency.0),
        item: ReturnItemRecord {
            external_item_id: line_id(sku.as_deref().or(asin.as_deref()), before),
            external_order_item_id: order_item_id,
            sku,
            title: row.title.text(&path("Item Name"), notes),
            size: None,
            quantity: row.quantity.0,
            quantity_cancelled: 0,
            refund_amount: row.refunded.map(|amount| amount.0),
            reason: row.reason.text(&path("Return Reason"), notes),
        },
    }
}

/// The report does not number lines. Ours are numbered by their order among the return's lines of the same article, so that
/// two equal rows are two lines.
fn line_id(article: Option<&str>, before: &[Line]) -> String {
    let article = article.unwrap_or("line");
    let of_article = |line: &&Line| {
        line.item.external_item_id.rsplit_once('-').is_some_and(|(earlier, _)| earlier == article)
    };
    format!("{article}-{}", before.iter().filter(of_article).count() + 1)
}

/// Returns what the rows of a return agree on.
fn the_same(
    lines: &[Line],
    column: &str,
    field: fn(&Line) -> Option<&String>,
) -> Result<Option<String>, RecordProblem> {
    let mut texts = lines.iter().filter_map(field);
    let first = texts.next();
    if texts.any(|text| Some(text) != first) {
        return Err(RecordProblem::at(column, "differs between the rows of one RMA"));
    }
    Ok(first.cloned())
}

fn is_order_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [3, 7, 7] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Amazon names customers' returns `C-Returns`. Parcels that the customer rejected or that could not be delivered never reached
/// the customer. Any other type counts as a customer's return, which is the more common one.
fn return_type(given: Option<&str>, notes: &mut Notes) -> ReturnType {
    let kind = given.map(folded).unwrap_or_default();
    if ["creturn", "customerreturn"].iter().any(|beginning| kind.starts_with(beginning)) {
        return ReturnType::Customer;
    }
    if ["reject", "undeliver", "rto", "returntoorigin"].iter().any(|part| kind.contains(part)) {
        return ReturnType::Rto;
    }
    notes.add(RETURN_TYPE, "is neither a customer's return nor RTO, so the return counts as a customer's");
    ReturnType::Customer
}

/// The date of delivery counts more than the status, which is about the request. A closed request does not say whether the
/// goods came back, so it promises as little as an open one.
fn status(given: Option<&str>, is_delivered: bool, notes: &mut Notes) -> ReturnStatus {
    let ours = given.map_or(ReturnStatus::Unknown, |text| match folded(text).as_str() {
        "approved" | "authorized" | "pending" | "pendingapproval" | "closed" | "completed" => {
            ReturnStatus::Initiated
        }
        "cancelled" | "canceled" | "denied" | "declined" | "rejected" => ReturnStatus::Cancelled,
        _ => ReturnStatus::Unknown,
    });
    if is_delivered {
        return ReturnStatus::Delivered;
    }
    if ours == ReturnStatus::Unknown {
        notes.add(STATUS, UNKNOWN_RETURN_STATUS_NOTE);
    }
    ours
}

#[cfg(test)]
mod tests;
