//! The fields of records as texts by name, so that two versions of a record can be compared and shown.
//!
//! A field that the source does not state has no entry. Customers are left out, because differences are kept in clear. An amount is
//! written without trailing zeros, so that equal money is an equal text. The names are those of the API.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

use super::{
    OrderItemRecord, OrderRecord, PayoutEntry, PayoutPart, ReturnItemRecord, ReturnRecord, ShipmentRecord,
};

/// The fields of one record.
pub type Fields = BTreeMap<String, String>;

/// Collects fields, each under a prefix.
struct Writer<'a> {
    fields: &'a mut Fields,
    prefix: String,
}

impl Writer<'_> {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.fields.insert(format!("{}{name}", self.prefix), value.to_owned());
        }
    }

    fn time(&mut self, name: &str, value: Option<DateTime<Utc>>) {
        self.text(name, value.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).as_deref());
    }

    fn amount(&mut self, name: &str, value: Option<Decimal>) {
        self.text(name, value.map(|amount| amount.normalize().to_string()).as_deref());
    }

    fn number(&mut self, name: &str, value: Option<i32>) {
        self.text(name, value.map(|number| number.to_string()).as_deref());
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.text(name, Some(if value { "true" } else { "false" }));
    }
}

/// The fields of an order, its lines and its shipments.
pub(super) fn of_order(order: &OrderRecord) -> Fields {
    let mut fields = Fields::new();
    let mut own = Writer { fields: &mut fields, prefix: String::new() };
    own.text("status", order.status.known());
    own.text("marketplace_status", Some(&order.marketplace_status));
    own.time("placed_at", Some(order.placed_at));
    own.time("dispatch_by", order.dispatch_by);
    own.time("dispatch_after", order.dispatch_after);
    own.flag("on_hold", order.on_hold);
    own.flag("is_replacement", order.is_replacement);
    own.text("fulfilled_by", order.fulfilled_by.as_deref());
    own.text("payment_method", order.payment_method.as_deref());
    own.text("currency", order.currency.as_deref());
    own.amount("total_amount", order.total_amount);
    own.text("ship_city", order.ship_city.as_deref());
    own.text("ship_state", order.ship_state.as_deref());
    own.text("ship_postal_prefix", order.ship_postal_prefix.as_deref());
    for item in &order.items {
        add_order_line(&mut fields, item);
    }
    for shipment in &order.shipments {
        add_shipment(&mut fields, shipment);
    }
    fields
}

fn add_order_line(fields: &mut Fields, item: &OrderItemRecord) {
    let mut line = Writer { fields, prefix: format!("lines[{}].", item.external_item_id) };
    line.text("sku", item.sku.as_deref());
    line.text("title", item.title.as_deref());
    line.text("size", item.size.as_deref());
    line.number("quantity", Some(item.quantity));
    line.number("quantity_cancelled", Some(item.quantity_cancelled));
    line.amount("line_amount", item.line_amount);
    line.text("amount_basis", Some(item.amount_basis.as_str()));
    line.amount("tax_amount", item.tax_amount);
    line.text("hsn", item.hsn.as_deref());
}

fn add_shipment(fields: &mut Fields, shipment: &ShipmentRecord) {
    let mut one = Writer { fields, prefix: format!("shipments[{}].", shipment.external_shipment_id) };
    one.text("status", Some(&shipment.status));
    one.text("marketplace_status", shipment.marketplace_status.as_deref());
    one.text("carrier", shipment.carrier.as_deref());
    one.text("tracking_number", shipment.tracking_number.as_deref());
    one.text("shipment_type", shipment.shipment_type.as_deref());
    one.time("dispatch_after", shipment.dispatch_after);
    one.time("dispatch_by", shipment.dispatch_by);
    one.flag("on_hold", shipment.on_hold);
    one.number("package_count", shipment.package_count);
}

/// The fields of a return and its lines.
pub(super) fn of_return(returned: &ReturnRecord) -> Fields {
    let mut fields = Fields::new();
    let mut own = Writer { fields: &mut fields, prefix: String::new() };
    own.text("external_order_id", returned.external_order_id.as_deref());
    own.text("external_shipment_id", returned.external_shipment_id.as_deref());
    own.text("return_type", Some(returned.return_type.as_str()));
    own.text("status", returned.status.known());
    own.text("marketplace_status", Some(&returned.marketplace_status));
    own.text("reason", returned.reason.as_deref());
    own.text("carrier", returned.carrier.as_deref());
    own.text("tracking_number", returned.tracking_number.as_deref());
    own.text("currency", returned.currency.as_deref());
    let document = returned.document.as_ref();
    own.text("document_kind", document.map(|document| document.kind.as_str()));
    own.text("document_number", document.map(|document| document.number.as_str()));
    own.time("initiated_at", Some(returned.initiated_at));
    own.time("expected_at", returned.expected_at);
    own.time("delivered_at", returned.delivered_at);
    for item in &returned.items {
        add_return_line(&mut fields, item);
    }
    fields
}

fn add_return_line(fields: &mut Fields, item: &ReturnItemRecord) {
    let mut line = Writer { fields, prefix: format!("lines[{}].", item.external_item_id) };
    line.text("external_order_item_id", item.external_order_item_id.as_deref());
    line.text("sku", item.sku.as_deref());
    line.text("title", item.title.as_deref());
    line.text("size", item.size.as_deref());
    line.number("quantity", Some(item.quantity));
    line.number("quantity_cancelled", Some(item.quantity_cancelled));
    line.amount("refund_amount", item.refund_amount);
    line.text("reason", item.reason.as_deref());
}

/// The fields of a part of a payout. Components with one name within an entry are told apart by their order.
pub(super) fn of_payout_part(part: &PayoutPart) -> Fields {
    let mut fields = Fields::new();
    let mut own = Writer { fields: &mut fields, prefix: String::new() };
    own.text("source", Some(part.source.as_str()));
    own.text("currency", Some(&part.currency));
    own.time("expected_at", part.expected_at);
    let head = part.payout.as_ref();
    own.text("external_payout_id", head.map(|head| head.external_payout_id.as_str()));
    own.text("payout_status", head.and_then(|head| head.marketplace_status.as_deref()));
    own.time("settled_at", head.and_then(|head| head.settled_at));
    own.amount("payout_amount", head.and_then(|head| head.stated_amount));
    for (number, entry) in (1..).zip(&part.entries) {
        add_payout_entry(&mut fields, number, entry);
    }
    fields
}

fn add_payout_entry(fields: &mut Fields, number: usize, entry: &PayoutEntry) {
    let mut one = Writer { fields, prefix: format!("entries[{number}].") };
    one.text("marketplace_type", Some(&entry.marketplace_type));
    one.text("external_order_id", entry.external_order_id.as_deref());
    one.text("external_item_id", entry.external_item_id.as_deref());
    one.text("sku", entry.sku.as_deref());
    one.number("quantity", entry.quantity);
    one.time("posted_at", entry.posted_at);
    one.amount("stated_amount", entry.stated_amount);
    for (name, value) in &entry.other {
        one.text(&format!("other[{name}]"), Some(value));
    }
    for (place, line) in (1..).zip(&entry.lines) {
        one.amount(&format!("lines[{place} {}]", line.marketplace_type), Some(line.amount));
    }
}
