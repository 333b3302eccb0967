//! The statuses of an order.

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
