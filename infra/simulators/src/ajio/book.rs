//! The orders, returns and stock of one user name, and how an order changes its status.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::status::{AjioReturnStatus, AjioStatus};
use crate::error::ChangeError;

/// A summary of an order, for tests that need one in a certain status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AjioOrderSummary {
    /// AJIO's order id.
    pub order_id: String,
    /// Its current status.
    pub status: AjioStatus,
    /// How many lines it has.
    pub lines: usize,
    /// `total_amount` as on the wire.
    pub total_amount: Decimal,
}

/// A product, which every call shows in the same form.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) item_code: String,
    pub(super) ean: String,
    pub(super) name: &'static str,
    pub(super) color: &'static str,
    pub(super) size: &'static str,
}

/// A line of an order. Amounts are per unit.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) order_item_id: String,
    pub(super) ordered: u32,
    pub(super) customer_cancelled: u32,
    pub(super) seller_cancelled: u32,
    pub(super) mrp: Decimal,
    pub(super) unit_price: Decimal,
    pub(super) seller_discount: Decimal,
    pub(super) b2b_base_price: Decimal,
    pub(super) b2b_tax: Decimal,
    /// Whether the sale is within one state (CGST and SGST) or across states (IGST).
    pub(super) within_state: bool,
    /// Whether pendency spells `listing_price ` with a blank at the end.
    pub(super) blank_in_key: bool,
    pub(super) item: Item,
}

impl Line {
    /// The quantity that neither the customer nor the seller has cancelled.
    pub(super) fn kept(&self) -> u32 {
        self.ordered - self.customer_cancelled - self.seller_cancelled
    }
}

/// The purchase order, which exists after the seller has confirmed.
#[derive(Debug, Clone)]
pub(super) struct PurchaseOrder {
    pub(super) number: String,
    pub(super) date: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) order_id: String,
    /// Epoch seconds.
    pub(super) order_date: i64,
    pub(super) status: AjioStatus,
    pub(super) payment_method: &'static str,
    pub(super) carrier: &'static str,
    pub(super) tracking_number: String,
    pub(super) purchase_order: Option<PurchaseOrder>,
    pub(super) lines: Vec<Line>,
}

impl Order {
    /// The amount that the customer ordered, even if it was cancelled later.
    pub(super) fn total_amount(&self) -> Decimal {
        self.lines.iter().map(|line| line.unit_price * Decimal::from(line.ordered)).sum()
    }

    /// Carrier and tracking number, which exist after packing.
    pub(super) fn tracking(&self) -> Option<(&str, &str)> {
        match self.status {
            AjioStatus::Pendency | AjioStatus::Cancelled | AjioStatus::Confirmed => None,
            AjioStatus::Packed
            | AjioStatus::ReadyToDispatch
            | AjioStatus::Dispatched
            | AjioStatus::Delivered => Some((self.carrier, &self.tracking_number)),
        }
    }

    /// The seller confirms the order. Its purchase order is dated an hour after the order.
    pub(super) fn confirm(&mut self) {
        self.status = AjioStatus::Confirmed;
        let digits = self.order_id.trim_start_matches(|sign: char| !sign.is_ascii_digit());
        let number = format!("45{digits}");
        self.purchase_order = Some(PurchaseOrder { number, date: self.order_date + 3_600 });
    }

    pub(super) fn cancel_by_seller(&mut self) {
        self.status = AjioStatus::Cancelled;
        for line in &mut self.lines {
            line.seller_cancelled = line.ordered - line.customer_cancelled;
        }
    }

    fn cancel_by_customer(&mut self) {
        self.status = AjioStatus::Cancelled;
        for line in &mut self.lines {
            line.customer_cancelled = line.ordered;
            line.seller_cancelled = 0;
        }
    }

    fn restore(&mut self) {
        self.purchase_order = None;
        for line in &mut self.lines {
            line.customer_cancelled = 0;
            line.seller_cancelled = 0;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReturnKind {
    ReturnToOrigin,
    Customer,
}

#[derive(Debug, Clone)]
pub(super) struct Return {
    pub(super) return_order_id: String,
    pub(super) return_date: i64,
    pub(super) kind: ReturnKind,
    pub(super) status: AjioReturnStatus,
    /// Index of the order in the book.
    pub(super) order: usize,
}

/// Everything of one user name.
#[derive(Default)]
pub(super) struct Book {
    pub(super) orders: Vec<Order>,
    pub(super) returns: Vec<Return>,
    /// The last reported stock by product and variant.
    pub(super) inventory: BTreeMap<(String, String), u64>,
    index: HashMap<String, usize>,
}

impl Book {
    pub(super) fn new(orders: Vec<Order>, returns: Vec<Return>) -> Self {
        let index = orders.iter().enumerate().map(|(at, order)| (order.order_id.clone(), at)).collect();
        Self { orders, returns, inventory: BTreeMap::new(), index }
    }

    pub(super) fn order_mut(&mut self, order_id: &str) -> Option<&mut Order> {
        self.index.get(order_id).map(|&at| &mut self.orders[at])
    }

    pub(super) fn summaries(&self) -> Vec<AjioOrderSummary> {
        let summary = |order: &Order| AjioOrderSummary {
            order_id: order.order_id.clone(),
            status: order.status,
            lines: order.lines.len(),
            total_amount: order.total_amount(),
        };
        self.orders.iter().map(summary).collect()
    }

    pub(super) fn cancel_by_customer(&mut self, order_id: &str) -> Result<(), ChangeError> {
        let order = self.order_mut(order_id).ok_or(ChangeError::UnknownOrder)?;
        if order.status != AjioStatus::Pendency {
            return Err(ChangeError::NotPending);
        }
        order.cancel_by_customer();
        Ok(())
    }

    /// The returns' ids with their statuses.
    pub(super) fn return_statuses(&self) -> Vec<(String, AjioReturnStatus)> {
        self.returns.iter().map(|returned| (returned.return_order_id.clone(), returned.status)).collect()
    }

    pub(super) fn set_return_status(
        &mut self,
        return_order_id: &str,
        to: AjioReturnStatus,
    ) -> Result<(), ChangeError> {
        let mut returns = self.returns.iter_mut();
        let returned = returns.find(|returned| returned.return_order_id == return_order_id);
        returned.ok_or(ChangeError::UnknownReturn)?.status = to;
        Ok(())
    }

    /// Moves an order to any status, with the quantities and the purchase order that belong to it.
    pub(super) fn set_status(&mut self, order_id: &str, to: AjioStatus) -> Result<(), ChangeError> {
        let order = self.order_mut(order_id).ok_or(ChangeError::UnknownOrder)?;
        match to {
            AjioStatus::Pendency => order.restore(),
            AjioStatus::Cancelled => order.cancel_by_seller(),
            _ if order.purchase_order.is_none() || order.status == AjioStatus::Cancelled => {
                order.restore();
                order.confirm();
            }
            _ => {}
        }
        order.status = to;
        Ok(())
    }
}
