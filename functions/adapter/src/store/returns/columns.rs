//! Turns returns into columns, the form in which a page is sent to the database: one array per column, one element per row.
//! `newest` in `store/batch.rs` has sorted the returns, each id once.

use chrono::{DateTime, Utc};
use robnu_marketplace::record::ReturnRecord;
use rust_decimal::Decimal;

/// Columns of `returns`.
#[derive(Default)]
pub struct ReturnColumns<'a> {
    pub external_return_id: Vec<&'a str>,
    pub external_order_id: Vec<Option<&'a str>>,
    pub external_shipment_id: Vec<Option<&'a str>>,
    pub return_type: Vec<&'a str>,
    pub status: Vec<Option<&'a str>>,
    pub marketplace_status: Vec<&'a str>,
    pub reason: Vec<Option<&'a str>>,
    pub carrier: Vec<Option<&'a str>>,
    pub tracking_number: Vec<Option<&'a str>>,
    pub currency: Vec<Option<&'a str>>,
    pub document_kind: Vec<Option<&'a str>>,
    pub document_number: Vec<Option<&'a str>>,
    pub initiated_at: Vec<DateTime<Utc>>,
    pub expected_at: Vec<Option<DateTime<Utc>>>,
    pub delivered_at: Vec<Option<DateTime<Utc>>>,
    pub marketplace_updated_at: Vec<Option<DateTime<Utc>>>,
    /// The fields that could not be read, one per line; null when all were read.
    pub notes: Vec<Option<String>>,
}

impl<'a> ReturnColumns<'a> {
    pub fn new(returns: &[&'a ReturnRecord]) -> Self {
        let mut columns = Self::default();
        for record in returns {
            columns.external_return_id.push(&record.external_return_id);
            columns.external_order_id.push(record.external_order_id.as_deref());
            columns.external_shipment_id.push(record.external_shipment_id.as_deref());
            columns.return_type.push(record.return_type.as_str());
            columns.status.push(record.status.known());
            columns.marketplace_status.push(&record.marketplace_status);
            columns.reason.push(record.reason.as_deref());
            columns.carrier.push(record.carrier.as_deref());
            columns.tracking_number.push(record.tracking_number.as_deref());
            columns.currency.push(record.currency.as_deref());
            columns.document_kind.push(record.document.as_ref().map(|document| document.kind.as_str()));
            columns.document_number.push(record.document.as_ref().map(|document| document.number.as_str()));
            columns.initiated_at.push(record.initiated_at);
            columns.expected_at.push(record.expected_at);
            columns.delivered_at.push(record.delivered_at);
            columns.marketplace_updated_at.push(record.marketplace_updated_at);
            columns.notes.push((!record.notes.is_empty()).then(|| record.notes.join("\n")));
        }
        columns
    }
}

/// Columns of `return_items`, with their return's id, status and stamp.
#[derive(Default)]
pub struct ItemColumns<'a> {
    pub external_return_id: Vec<&'a str>,
    pub return_status: Vec<Option<&'a str>>,
    pub return_updated_at: Vec<Option<DateTime<Utc>>>,
    pub external_item_id: Vec<&'a str>,
    pub external_order_item_id: Vec<Option<&'a str>>,
    pub sku: Vec<Option<&'a str>>,
    pub title: Vec<Option<&'a str>>,
    pub size: Vec<Option<&'a str>>,
    pub quantity: Vec<i32>,
    pub quantity_cancelled: Vec<i32>,
    pub refund_amount: Vec<Option<Decimal>>,
    pub reason: Vec<Option<&'a str>>,
}

impl<'a> ItemColumns<'a> {
    pub fn new(returns: &[&'a ReturnRecord]) -> Self {
        let mut columns = Self::default();
        for record in returns {
            for item in &record.items {
                columns.external_return_id.push(&record.external_return_id);
                columns.return_status.push(record.status.known());
                columns.return_updated_at.push(record.marketplace_updated_at);
                columns.external_item_id.push(&item.external_item_id);
                columns.external_order_item_id.push(item.external_order_item_id.as_deref());
                columns.sku.push(item.sku.as_deref());
                columns.title.push(item.title.as_deref());
                columns.size.push(item.size.as_deref());
                columns.quantity.push(item.quantity);
                columns.quantity_cancelled.push(item.quantity_cancelled);
                columns.refund_amount.push(item.refund_amount);
                columns.reason.push(item.reason.as_deref());
            }
        }
        columns
    }
}
