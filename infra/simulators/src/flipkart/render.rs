//! A shipment in the shape of the seller API. Amounts are numbers with the digits of the book.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::book::{Item, LOCATION, Shipment};
use crate::page_fault::Malformation;

/// A shipment to be sent.
#[derive(Serialize)]
pub(super) struct Rendered {
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(rename = "orderItems", skip_serializing_if = "Option::is_none")]
    items: Option<Vec<RenderedItem>>,
}

#[derive(Serialize)]
struct RenderedItem {
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(rename = "priceComponents")]
    prices: Option<Box<RawValue>>,
}

impl Rendered {
    pub(super) fn of(shipment: &Shipment) -> Self {
        let sub_shipment = |part: usize| {
            json!({
                "subShipmentId": format!("SS-{part}"),
                "packages": [{ "id": format!("pkg{part}"), "name": format!("Parcel {part}") }],
            })
        };
        let fields = json!({
            "shipmentId": shipment.id,
            "dispatchByDate": instant(shipment.dispatch_by),
            "dispatchAfterDate": instant(shipment.dispatch_after),
            "updatedAt": instant(shipment.updated_at),
            "locationId": LOCATION,
            "hold": shipment.hold,
            "mps": shipment.sub_shipments > 1,
            "packagingPolicy": "DEFAULT",
            "subShipments": (1..=shipment.sub_shipments).map(sub_shipment).collect::<Vec<Value>>(),
            "forms": [],
            "shipmentType": shipment.kind,
        });
        let items = shipment.items.iter().map(|item| RenderedItem::of(shipment, item)).collect();
        Self { fields: object(fields), items: Some(items) }
    }

    pub(super) fn malform(&mut self, malformation: &Malformation) {
        let prices = |amount: &str| RawValue::from_string(format!(r#"{{"customerPrice":"{amount}"}}"#)).ok();
        let items = self.items.iter_mut().flatten();
        match malformation {
            Malformation::OddCustomer | Malformation::WithheldCustomer => {}
            Malformation::BadAmount => items.for_each(|item| item.prices = prices("12.3.4")),
            Malformation::FiveDecimals => items.for_each(|item| item.prices = prices("648.37125")),
            Malformation::MissingField { field } => {
                let field = field.as_deref().unwrap_or("orderDate");
                items.for_each(|item| drop(item.fields.remove(field)));
                self.fields.remove(field);
                if field == "orderItems" {
                    self.items = None;
                }
            }
        }
    }
}

impl RenderedItem {
    fn of(shipment: &Shipment, item: &Item) -> Self {
        let mut fields = json!({
            "orderItemId": item.order_item_id,
            "orderId": shipment.order_id,
            "cancellationGroupId": format!("grp{}", item.order_item_id),
            "orderDate": instant(shipment.ordered_at),
            "paymentType": item.payment_type,
            "status": item.status,
            "courierReturn": item.courier_return,
            "quantity": item.quantity,
            "sku": escaped(&item.sku),
            "title": escaped(&item.title),
            "packageIds": (1..=shipment.sub_shipments).map(|part| format!("pkg{part}")).collect::<Vec<String>>(),
            "serviceProfile": item.service_profile,
            "is_replacement": shipment.is_replacement,
        });
        if let Some(by) = &item.cancellation {
            fields["cancellationDate"] = json!(instant(shipment.updated_at));
            fields["cancellationReason"] = json!(by);
        }
        Self { fields: object(fields), prices: prices(item.amount) }
    }
}

/// What the customer pays is the book's amount; Flipkart's own discount of ten rupees comes on top.
fn prices(paid: Decimal) -> Option<Box<RawValue>> {
    let before = paid + Decimal::TEN;
    let text = format!(
        r#"{{"sellingPrice":{before},"totalPrice":{before},"shippingCharge":0,"customerPrice":{paid},"flipkartDiscount":10}}"#
    );
    RawValue::from_string(text).ok()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Flipkart's texts are escaped as for a web page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
