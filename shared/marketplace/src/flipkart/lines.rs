//! An order's lines, gathered from its shipments. Flipkart splits a line over several shipments and cancels units of it, and
//! states each part by itself under the line's one id.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::decimal::{Amount, check_amount};
use crate::fields::{Flag, Id, Instant, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{AmountBasis, OrderItemRecord, OrderStatus};
use crate::records::RecordProblem;

use super::text::unescape;

/// A part of a line, as a shipment states it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub order_item_id: Id,
    #[serde(default)]
    pub order_id: Lenient<Id>,
    #[serde(default)]
    pub order_date: Lenient<Instant>,
    #[serde(default)]
    pub payment_type: Lenient<Text>,
    #[serde(default)]
    pub status: Lenient<Text>,
    #[serde(default)]
    pub courier_return: Lenient<Flag>,
    #[serde(default)]
    pub service_profile: Lenient<Text>,
    #[serde(default, rename = "is_replacement")]
    pub replacement: Lenient<Flag>,
    /// Flipkart's notifications spell it so.
    #[serde(default)]
    pub is_replacement: Lenient<Flag>,
    quantity: Quantity,
    #[serde(default)]
    sku: Lenient<Text>,
    #[serde(default)]
    title: Lenient<Text>,
    #[serde(default)]
    hsn: Lenient<Text>,
    price_components: Option<PriceComponents>,
}

/// The prices of the whole part, not of one unit.
#[derive(Default, Deserialize)]
struct PriceComponents {
    #[serde(rename = "customerPrice")]
    customer: Option<Amount>,
    #[serde(rename = "totalPrice")]
    total: Option<Amount>,
    #[serde(rename = "sellingPrice")]
    selling: Option<Amount>,
}

impl PriceComponents {
    /// What the customer pays for the goods: after Flipkart's own discount, and without shipping.
    fn amount(&self) -> Option<Decimal> {
        self.customer.or(self.total).or(self.selling).map(|amount| amount.0)
    }
}

struct Line {
    record: OrderItemRecord,
    /// Whether a part that is not cancelled states no price.
    is_unpriced: bool,
}

/// The lines so far, in the order in which they were seen.
#[derive(Default)]
pub struct Lines(Vec<Line>);

impl Lines {
    /// Adds a part to its line.
    ///
    /// # Errors
    /// Names what makes the line impossible.
    pub fn add(
        &mut self,
        item: Item,
        status: OrderStatus,
        path: &str,
        notes: &mut Notes,
    ) -> Result<(), RecordProblem> {
        let is_cancelled = status == OrderStatus::Cancelled;
        let amount = item.price_components.as_ref().and_then(PriceComponents::amount);
        let sku = item.sku.text(&format!("{path}.sku"), notes).map(|sku| unescape(&sku));
        let title = item.title.text(&format!("{path}.title"), notes).map(|title| unescape(&title));
        let hsn = item.hsn.text(&format!("{path}.hsn"), notes);
        let line = self.line(item.order_item_id.0);
        let record = &mut line.record;
        let units = item.quantity.0;
        let sum = |so_far: i32, more: i32| {
            let too_many =
                || RecordProblem::at(&format!("{path}.quantity"), "makes too many units for the line");
            so_far.checked_add(more).ok_or_else(too_many)
        };
        record.quantity = sum(record.quantity, units)?;
        record.quantity_cancelled = sum(record.quantity_cancelled, if is_cancelled { units } else { 0 })?;
        if let Some(amount) = amount {
            let total = record.line_amount.unwrap_or(Decimal::ZERO).checked_add(amount);
            let total = total.and_then(|total| check_amount(total).ok()).ok_or_else(|| {
                RecordProblem::at(
                    &format!("{path}.priceComponents"),
                    "makes too large an amount for the line",
                )
            })?;
            record.line_amount = Some(total);
        }
        line.is_unpriced |= amount.is_none() && !is_cancelled && units > 0;
        record.sku = record.sku.take().or(sku);
        record.title = record.title.take().or(title);
        record.hsn = record.hsn.take().or(hsn);
        Ok(())
    }

    /// Returns the lines of an order with this status.
    pub fn into_records(self, status: OrderStatus) -> Vec<OrderItemRecord> {
        let finish = |Line { mut record, is_unpriced }: Line| {
            if is_unpriced {
                record.line_amount = None;
            } else if record.quantity == 0 && status != OrderStatus::Cancelled {
                record.line_amount = record.line_amount.or(Some(Decimal::ZERO));
            }
            record
        };
        self.0.into_iter().map(finish).collect()
    }

    fn line(&mut self, id: String) -> &mut Line {
        let at = self.0.iter().position(|line| line.record.external_item_id == id).unwrap_or_else(|| {
            self.0.push(Line {
                record: OrderItemRecord {
                    external_item_id: id,
                    sku: None,
                    title: None,
                    size: None,
                    quantity: 0,
                    quantity_cancelled: 0,
                    line_amount: None,
                    amount_basis: AmountBasis::Customer,
                    tax_amount: None,
                    hsn: None,
                },
                is_unpriced: false,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
