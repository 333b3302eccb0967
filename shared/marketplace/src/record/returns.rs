//! Returns, normalised: every marketplace's returns have this form here.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// The note on a return whose status is not known.
pub(crate) const UNKNOWN_RETURN_STATUS_NOTE: &str =
    "is none of the statuses that the contract lists, so the return keeps the one it had, or is initiated";

/// Why goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnType {
    /// The customer sends them back.
    Customer,
    /// Return to origin: the parcel never reached the customer.
    Rto,
}

impl ReturnType {
    /// The text stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Rto => "RTO",
        }
    }
}

/// Our return statuses; the marketplace's own text is kept beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnStatus {
    /// Asked for, nothing on its way yet.
    Initiated,
    /// With the carrier, taken from the customer.
    PickedUp,
    /// On its way to the seller.
    InTransit,
    /// Back at the seller, as the marketplace says.
    Delivered,
    /// It will not come.
    Cancelled,
    /// A status that we have no word for. The return keeps its stored status; a new one is initiated, which promises least.
    Unknown,
}

impl ReturnStatus {
    /// The text stored in the database; `None` for an unknown status.
    #[must_use]
    pub fn known(self) -> Option<&'static str> {
        Some(match self {
            Self::Initiated => "INITIATED",
            Self::PickedUp => "PICKED_UP",
            Self::InTransit => "IN_TRANSIT",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => return None,
        })
    }
}

/// The document by which a marketplace that buys from the seller settles a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnDocument {
    /// Which kind of document it is.
    pub kind: ReturnDocumentKind,
    /// The document's number.
    pub number: String,
}

/// The kinds of documents; which one applies is agreed between marketplace and seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnDocumentKind {
    /// Issued by the seller.
    CreditNote,
    /// Return sales invoice, issued by the marketplace.
    Rsi,
    /// Issued by the marketplace.
    DebitNote,
}

impl ReturnDocumentKind {
    /// The text stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreditNote => "CREDIT_NOTE",
            Self::Rsi => "RSI",
            Self::DebitNote => "DEBIT_NOTE",
        }
    }
}

/// A complete return with its lines: a stored line that is not in it is removed.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnRecord {
    /// The marketplace's return id, unique within the account.
    pub external_return_id: String,
    /// The marketplace's id of the order.
    pub external_order_id: Option<String>,
    /// The marketplace's id of the parcel that went out.
    pub external_shipment_id: Option<String>,
    /// Why it comes back.
    pub return_type: ReturnType,
    /// Our status.
    pub status: ReturnStatus,
    /// The marketplace's own status text.
    pub marketplace_status: String,
    /// The customer's reason, in the marketplace's words.
    pub reason: Option<String>,
    /// Carrier's name.
    pub carrier: Option<String>,
    /// Air waybill of the way back.
    pub tracking_number: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// The document that settles it.
    pub document: Option<ReturnDocument>,
    /// When it was asked for, or when the parcel turned back.
    pub initiated_at: DateTime<Utc>,
    /// When it should arrive.
    pub expected_at: Option<DateTime<Utc>>,
    /// When it reached the seller, as the marketplace says: its completion, from which *file by* counts. A delivered return
    /// without it counts from when it was first read as delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the marketplace last changed it.
    pub marketplace_updated_at: Option<DateTime<Utc>>,
    /// Lines.
    pub items: Vec<ReturnItemRecord>,
    /// Fields that could not be read. Each note names a field and what is wrong with it, never its value.
    pub notes: Vec<String>,
}

/// One line of a return.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnItemRecord {
    /// The marketplace's id of the return's line, unique within the return.
    pub external_item_id: String,
    /// The marketplace's id of the order's line.
    pub external_order_item_id: Option<String>,
    /// The seller's article code.
    pub sku: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Size, as the marketplace writes it.
    pub size: Option<String>,
    /// Units that come back.
    pub quantity: i32,
    /// Units of these that will not come after all.
    pub quantity_cancelled: i32,
    /// What the marketplace gives back to the customer for the line, in the return's currency, at most four decimals.
    pub refund_amount: Option<Decimal>,
    /// The customer's reason, in the marketplace's words.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_type_and_document_has_the_text_that_the_database_checks() {
        let statuses = [
            ReturnStatus::Initiated,
            ReturnStatus::PickedUp,
            ReturnStatus::InTransit,
            ReturnStatus::Delivered,
            ReturnStatus::Cancelled,
            ReturnStatus::Unknown,
        ];
        let texts = statuses.map(ReturnStatus::known);
        let known = ["INITIATED", "PICKED_UP", "IN_TRANSIT", "DELIVERED", "CANCELLED"].map(Some);
        assert_eq!((&texts[..5], texts[5]), (&known[..], None));
        assert_eq!([ReturnType::Customer, ReturnType::Rto].map(ReturnType::as_str), ["CUSTOMER", "RTO"]);
        let documents =
            [ReturnDocumentKind::CreditNote, ReturnDocumentKind::Rsi, ReturnDocumentKind::DebitNote];
        assert_eq!(documents.map(ReturnDocumentKind::as_str), ["CREDIT_NOTE", "RSI", "DEBIT_NOTE"]);
    }
}
