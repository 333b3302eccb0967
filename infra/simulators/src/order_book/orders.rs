//! The orders of a book and their lines.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// Who sends the goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fulfilment {
    /// The seller.
    Merchant,
    /// Amazon.
    Amazon,
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// An id made of the order id and the row's ordinal in the order, so that it is unique in the book and stable.
    pub order_item_id: String,
    /// The export's own status text.
    pub status: String,
    /// Who sends the goods.
    pub fulfilment: Fulfilment,
    /// `Standard`, `Expedited`, …
    pub ship_service_level: String,
    /// Kind of product.
    pub category: String,
    /// The export's own text.
    pub payment_method: String,
    /// Size of the product.
    pub size: String,
    /// The export's own text. It is read but not served, because the orders API has no field for it.
    pub courier_status: String,
    /// The line's amount, with the digits of the file.
    pub amount: Decimal,
    /// The quantity; 0 if the line was cancelled before shipping.
    pub quantity: u32,
    /// ISO 4217 code; `INR` where the cell is empty.
    pub currency: String,
    /// Place of delivery.
    pub ship_city: String,
    /// Place of delivery.
    pub ship_postal_code: String,
    /// Whether a business bought it.
    pub b2b: bool,
}

/// An order with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Amazon's order id.
    pub order_id: String,
    /// 00:00 in India on the purchase date of its first row.
    pub created_at: DateTime<Utc>,
    /// Equal to `created_at` until a control call changes the order.
    pub updated_at: DateTime<Utc>,
    /// Its lines in the order of the rows; never empty.
    pub lines: Vec<Line>,
}

impl Order {
    /// Sum of the lines' amounts.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

/// The orders of one selling partner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderBook {
    orders: Vec<Order>,
    index: HashMap<String, usize>,
}

impl OrderBook {
    /// The orders, sorted by their first rows.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The number of lines of all orders.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.orders.iter().map(|order| order.lines.len()).sum()
    }

    /// Sum of all lines' amounts.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.orders.iter().map(Order::total).sum()
    }

    /// The order with this id. An id that the book does not have yet gets an order without lines.
    pub(super) fn order_or_new(&mut self, order_id: &str, created_at: DateTime<Utc>) -> &mut Order {
        let at = *self.index.entry(order_id.to_owned()).or_insert_with(|| {
            let lines = Vec::new();
            self.orders.push(Order {
                order_id: order_id.to_owned(),
                created_at,
                updated_at: created_at,
                lines,
            });
            self.orders.len() - 1
        });
        &mut self.orders[at]
    }

    pub(crate) fn order(&self, order_id: &str) -> Option<&Order> {
        self.index.get(order_id).map(|&at| &self.orders[at])
    }

    /// Gives every line of an order a new status text. False if there is no such order.
    pub(crate) fn set_status(&mut self, order_id: &str, status: &str, updated_at: DateTime<Utc>) -> bool {
        let Some(&at) = self.index.get(order_id) else { return false };
        let order = &mut self.orders[at];
        for line in &mut order.lines {
            status.clone_into(&mut line.status);
        }
        order.updated_at = updated_at;
        true
    }
}
