//! Orders, normalised: every marketplace's orders have this form here.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::Customer;

/// The marketplace's status text of an order that came without one.
pub(crate) const UNKNOWN_STATUS: &str = "UNKNOWN";

/// How ids of lines begin that a report left to us to number. A marketplace's own id replaces such a number in the store, where
/// `is_numbered_here` knows the same beginning.
pub const NUMBERED_HERE: &str = "file:";

/// The note on an order whose status is not known.
pub(crate) const UNKNOWN_STATUS_NOTE: &str =
    "is none of the statuses that the contract lists, so the order keeps the one it had, or is pending";

/// Our order statuses; the marketplace's own text is kept beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Placed, not yet confirmed to the marketplace; the customer can still cancel.
    Pending,
    /// Confirmed, to be packed.
    Confirmed,
    /// Packed.
    Packed,
    /// Ready for the carrier, but not handed over yet.
    ReadyToDispatch,
    /// Some of its items have left.
    PartiallyShipped,
    /// With the carrier.
    Shipped,
    /// With the customer.
    Delivered,
    /// Came back, or is on its way back, undelivered.
    Undelivered,
    /// Cancelled by anybody.
    Cancelled,
    /// A status that we have no word for. The order keeps its stored status; a new one is pending, which promises least.
    Unknown,
}

impl OrderStatus {
    /// The text stored in the database; an unknown status is not stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Packed => "PACKED",
            Self::ReadyToDispatch => "READY_TO_DISPATCH",
            Self::PartiallyShipped => "PARTIALLY_SHIPPED",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Undelivered => "UNDELIVERED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The text stored in the database; `None` for an unknown status.
    #[must_use]
    pub fn known(self) -> Option<&'static str> {
        (self != Self::Unknown).then(|| self.as_str())
    }
}

/// Which price a line's amount is based on. A purchase price never replaces a customer price that is already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountBasis {
    /// What the customer pays for the line.
    Customer,
    /// What the marketplace pays the seller for it, tax included (AJIO's B2B purchase order).
    Purchase,
}

impl AmountBasis {
    /// The text stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Purchase => "PURCHASE",
        }
    }
}

/// A complete order with its lines and shipments: a stored line that is not in it is removed.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRecord {
    /// The marketplace's order id, unique within the account.
    pub external_order_id: String,
    /// Our status.
    pub status: OrderStatus,
    /// The marketplace's own status text.
    pub marketplace_status: String,
    /// When the customer ordered.
    pub placed_at: DateTime<Utc>,
    /// When the marketplace last changed it.
    pub marketplace_updated_at: Option<DateTime<Utc>>,
    /// When it must be dispatched.
    pub dispatch_by: Option<DateTime<Utc>>,
    /// From when something of it may be dispatched; `None` means at any time.
    pub dispatch_after: Option<DateTime<Utc>>,
    /// Whether the marketplace holds back everything that is still to be dispatched: nothing may be packed yet.
    pub on_hold: bool,
    /// Whether it replaces goods that the customer sent back.
    pub is_replacement: bool,
    /// `SELLER` or `MARKETPLACE` (who ships).
    pub fulfilled_by: Option<String>,
    /// The marketplace's own word, such as `COD`.
    pub payment_method: Option<String>,
    /// ISO 4217 code; `None` when the source names none, as Amazon does for orders without an amount.
    pub currency: Option<String>,
    /// The order's total as the marketplace states it, or the sum of the lines where it never states one.
    pub total_amount: Option<Decimal>,
    /// City of the delivery address.
    pub ship_city: Option<String>,
    /// State of the delivery address.
    pub ship_state: Option<String>,
    /// First three digits of the delivery address's postal code.
    pub ship_postal_prefix: Option<String>,
    /// Who ordered; `None` when the source says nothing of it, or does not any more.
    pub customer: Option<Customer>,
    /// Lines; two may be equal in everything but their id.
    pub items: Vec<OrderItemRecord>,
    /// Packages.
    pub shipments: Vec<ShipmentRecord>,
    /// Fields that could not be read. Each note names a field and what is wrong with it, never its value.
    pub notes: Vec<String>,
}

impl OrderRecord {
    /// Whether the order is from a report that numbers no lines, and so perhaps lacks some.
    #[must_use]
    pub fn is_numbered_here(&self) -> bool {
        self.items.iter().any(|item| item.external_item_id.starts_with(NUMBERED_HERE))
    }

    /// Adds a note when the total is not the sum of the lines, as far as both say what the customer pays. Marketplaces add charges
    /// to a total, or leave cancelled lines in it.
    pub(crate) fn note_unequal_total(&mut self) {
        let amounts = self
            .items
            .iter()
            .map(|item| item.line_amount.filter(|_| item.amount_basis == AmountBasis::Customer));
        let (Some(total), Some(sum)) = (self.total_amount, amounts.sum::<Option<Decimal>>()) else { return };
        if total != sum {
            let difference = (total - sum).normalize();
            self.notes.push(format!("total_amount differs from the sum of the lines by {difference}"));
        }
    }
}

/// One order line.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItemRecord {
    /// The marketplace's line id, unique within the order.
    pub external_item_id: String,
    /// The seller's article code.
    pub sku: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Size, as the marketplace writes it.
    pub size: Option<String>,
    /// Units ordered.
    pub quantity: i32,
    /// Units cancelled by anybody.
    pub quantity_cancelled: i32,
    /// Amount of the whole line in the order's currency, at most four decimals; `None` when the marketplace states none yet
    /// or, as for cancelled orders, no longer. A line without units has no money: its amount is 0.
    pub line_amount: Option<Decimal>,
    /// What `line_amount` is based on.
    pub amount_basis: AmountBasis,
    /// Tax within the line.
    pub tax_amount: Option<Decimal>,
    /// Harmonised System code.
    pub hsn: Option<String>,
}

/// One package.
#[derive(Debug, Clone, PartialEq)]
pub struct ShipmentRecord {
    /// The marketplace's package id, unique within the order.
    pub external_shipment_id: String,
    /// The marketplace's package status.
    pub status: String,
    /// The marketplace's more detailed status text.
    pub marketplace_status: Option<String>,
    /// Carrier's name.
    pub carrier: Option<String>,
    /// Air waybill.
    pub tracking_number: Option<String>,
    /// How it travels, in the marketplace's own word, such as `SELF` when the seller delivers it.
    pub shipment_type: Option<String>,
    /// From when it may be dispatched; `None` means at any time.
    pub dispatch_after: Option<DateTime<Utc>>,
    /// When it must be dispatched.
    pub dispatch_by: Option<DateTime<Utc>>,
    /// Whether the marketplace holds it back: it may not be packed yet.
    pub on_hold: bool,
    /// How many parcels it consists of, if the marketplace says so.
    pub package_count: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_text_and_only_an_unknown_one_says_nothing() {
        let texts = [
            (OrderStatus::Pending, "PENDING"),
            (OrderStatus::Confirmed, "CONFIRMED"),
            (OrderStatus::Packed, "PACKED"),
            (OrderStatus::ReadyToDispatch, "READY_TO_DISPATCH"),
            (OrderStatus::PartiallyShipped, "PARTIALLY_SHIPPED"),
            (OrderStatus::Shipped, "SHIPPED"),
            (OrderStatus::Delivered, "DELIVERED"),
            (OrderStatus::Undelivered, "UNDELIVERED"),
            (OrderStatus::Cancelled, "CANCELLED"),
        ];
        for (status, text) in texts {
            assert_eq!((status.as_str(), status.known()), (text, Some(text)));
        }
        assert_eq!((OrderStatus::Unknown.as_str(), OrderStatus::Unknown.known()), ("UNKNOWN", None));
    }
}
