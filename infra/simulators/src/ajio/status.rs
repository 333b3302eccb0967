//! The statuses of an order.

use serde::{Deserialize, Serialize};

/// Where an order is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AjioStatus {
    /// Not yet acknowledged: on pendency, and not among the orders. Never on the wire.
    Pendency,
    /// Cancelled by the customer or the seller.
    Cancelled,
    /// Acknowledged.
    Confirmed,
    /// Packed; carrier and tracking number exist from here on.
    Packed,
    /// Waiting for the courier.
    ReadyToDispatch,
    /// With the courier.
    Dispatched,
    /// With the customer.
    Delivered,
}
