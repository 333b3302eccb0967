//! Turns records into columns, the form in which a page is sent to the database: one array per column, one element per row.
//!
//! `newest` in `store/batch.rs` has sorted the orders, each id once.

use chrono::{DateTime, Utc};
use robnu_marketplace::record::OrderRecord;
use rust_decimal::Decimal;

/// Columns of `orders`.
#[derive(Default)]
pub struct OrderColumns<'a> {
    pub external_order_id: Vec<&'a str>,
    pub status: Vec<Option<&'a str>>,
    pub marketplace_status: Vec<&'a str>,
    pub placed_at: Vec<DateTime<Utc>>,
    pub marketplace_updated_at: Vec<Option<DateTime<Utc>>>,
    pub dispatch_by: Vec<Option<DateTime<Utc>>>,
    pub fulfilled_by: Vec<Option<&'a str>>,
    pub payment_method: Vec<Option<&'a str>>,
    pub currency: Vec<Option<&'a str>>,
    pub total_amount: Vec<Option<Decimal>>,
    pub ship_city: Vec<Option<&'a str>>,
    pub ship_state: Vec<Option<&'a str>>,
    pub ship_postal_prefix: Vec<Option<&'a str>>,
    /// The fields that could not be read, one per line; null when all were read.
    pub notes: Vec<Option<String>>,
    pub dispatch_after: Vec<Option<DateTime<Utc>>>,
    pub on_hold: Vec<bool>,
    pub is_replacement: Vec<bool>,
    /// Whether the order is from a report that numbers no lines.
    pub is_numbered_here: Vec<bool>,
}

impl<'a> OrderColumns<'a> {
    pub fn new(orders: &[&'a OrderRecord]) -> Self {
        let mut columns = Self::default();
        for order in orders {
            columns.external_order_id.push(&order.external_order_id);
            columns.status.push(order.status.known());
            columns.marketplace_status.push(&order.marketplace_status);
            columns.placed_at.push(order.placed_at);
            columns.marketplace_updated_at.push(order.marketplace_updated_at);
            columns.dispatch_by.push(order.dispatch_by);
            columns.fulfilled_by.push(order.fulfilled_by.as_deref());
            columns.payment_method.push(order.payment_method.as_deref());
            columns.currency.push(order.currency.as_deref());
            columns.total_amount.push(order.total_amount);
            columns.ship_city.push(order.ship_city.as_deref());
            columns.ship_state.push(order.ship_state.as_deref());
            columns.ship_postal_prefix.push(order.ship_postal_prefix.as_deref());
            columns.notes.push((!order.notes.is_empty()).then(|| order.notes.join("\n")));
            columns.dispatch_after.push(order.dispatch_after);
            columns.on_hold.push(order.on_hold);
            columns.is_replacement.push(order.is_replacement);
            columns.is_numbered_here.push(order.is_numbered_here());
        }
        columns
    }
}

/// Columns of `order_items`, with their order's id, status and stamp.
#[derive(Default)]
pub struct ItemColumns<'a> {
    pub external_order_id: Vec<&'a str>,
    pub order_status: Vec<Option<&'a str>>,
    pub order_updated_at: Vec<Option<DateTime<Utc>>>,
    pub external_item_id: Vec<&'a str>,
    pub sku: Vec<Option<&'a str>>,
    pub title: Vec<Option<&'a str>>,
    pub size: Vec<Option<&'a str>>,
    pub quantity: Vec<i32>,
    pub quantity_cancelled: Vec<i32>,
    pub line_amount: Vec<Option<Decimal>>,
    pub amount_basis: Vec<&'a str>,
    pub tax_amount: Vec<Option<Decimal>>,
    pub hsn: Vec<Option<&'a str>>,
}

impl<'a> ItemColumns<'a> {
    pub fn new(orders: &[&'a OrderRecord]) -> Self {
        let mut columns = Self::default();
        for order in orders {
            for item in &order.items {
                columns.external_order_id.push(&order.external_order_id);
                columns.order_status.push(order.status.known());
                columns.order_updated_at.push(order.marketplace_updated_at);
                columns.external_item_id.push(&item.external_item_id);
                columns.sku.push(item.sku.as_deref());
                columns.title.push(item.title.as_deref());
                columns.size.push(item.size.as_deref());
                columns.quantity.push(item.quantity);
                columns.quantity_cancelled.push(item.quantity_cancelled);
                columns.line_amount.push(item.line_amount);
                columns.amount_basis.push(item.amount_basis.as_str());
                columns.tax_amount.push(item.tax_amount);
                columns.hsn.push(item.hsn.as_deref());
            }
        }
        columns
    }
}

/// Columns of `shipments`, with their order's id, status and stamp.
#[derive(Default)]
pub struct ShipmentColumns<'a> {
    pub external_order_id: Vec<&'a str>,
    pub order_status: Vec<Option<&'a str>>,
    pub order_updated_at: Vec<Option<DateTime<Utc>>>,
    pub external_shipment_id: Vec<&'a str>,
    pub status: Vec<&'a str>,
    pub marketplace_status: Vec<Option<&'a str>>,
    pub carrier: Vec<Option<&'a str>>,
    pub tracking_number: Vec<Option<&'a str>>,
    pub shipment_type: Vec<Option<&'a str>>,
    pub dispatch_after: Vec<Option<DateTime<Utc>>>,
    pub dispatch_by: Vec<Option<DateTime<Utc>>>,
    pub on_hold: Vec<bool>,
    pub package_count: Vec<Option<i32>>,
}

impl<'a> ShipmentColumns<'a> {
    pub fn new(orders: &[&'a OrderRecord]) -> Self {
        let mut columns = Self::default();
        for order in orders {
            for shipment in &order.shipments {
                columns.external_order_id.push(&order.external_order_id);
                columns.order_status.push(order.status.known());
                columns.order_updated_at.push(order.marketplace_updated_at);
                columns.external_shipment_id.push(&shipment.external_shipment_id);
                columns.status.push(&shipment.status);
                columns.marketplace_status.push(shipment.marketplace_status.as_deref());
                columns.carrier.push(shipment.carrier.as_deref());
                columns.tracking_number.push(shipment.tracking_number.as_deref());
                columns.shipment_type.push(shipment.shipment_type.as_deref());
                columns.dispatch_after.push(shipment.dispatch_after);
                columns.dispatch_by.push(shipment.dispatch_by);
                columns.on_hold.push(shipment.on_hold);
                columns.package_count.push(shipment.package_count);
            }
        }
        columns
    }
}
