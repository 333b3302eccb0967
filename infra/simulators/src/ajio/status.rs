//! The statuses of an order and of a return.

use serde::{Deserialize, Serialize};

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AjioStatus {
    /// Not yet acknowledged: on pendency and not among the orders. Responses never contain this value.
    Pendency,
    /// Cancelled by the customer or the seller.
    Cancelled,
    /// Acknowledged.
    Confirmed,
    /// Packed. Carrier and tracking number exist from this status on.
    Packed,
    /// Waiting for the courier.
    ReadyToDispatch,
    /// With the courier.
    Dispatched,
    /// With the customer.
    Delivered,
}

/// The status of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AjioReturnStatus {
    /// The customer asked for it, or the parcel could not be delivered.
    #[serde(rename = "RETURN_INITIATED")]
    Initiated,
    /// The return order exists.
    #[serde(rename = "RETURN_CREATED")]
    Created,
    /// Back at the seller.
    #[serde(rename = "RETURN_DELIVERED")]
    Delivered,
    /// Checked and settled.
    #[serde(rename = "RETURN_PROCESSED")]
    Processed,
    /// It will not come.
    #[serde(rename = "RETURN_CANCELLED")]
    Cancelled,
}
