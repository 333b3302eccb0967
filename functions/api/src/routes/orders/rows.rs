//! Orders, lines and shipments: read from their rows, and shown to clients.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, OrderId, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{AmountBasisName, FulfilledBy, OrderStatusName};
use crate::routes::money::Amount;

/// An order without its lines.
#[derive(Serialize, ToSchema)]
pub struct Order {
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    external_order_id: String,
    status: OrderStatusName,
    marketplace_status: String,
    pub placed_at: DateTime<Utc>,
    marketplace_updated_at: Option<DateTime<Utc>>,
    /// The time by which it must be dispatched.
    pub dispatch_by: Option<DateTime<Utc>>,
    /// The time from which something of it may be dispatched; null means at any time.
    dispatch_after: Option<DateTime<Utc>>,
    /// Whether the marketplace holds back everything that is still to be dispatched: nothing of it may be packed yet.
    on_hold: bool,
    /// Whether it replaces goods that the customer sent back.
    is_replacement: bool,
    fulfilled_by: Option<FulfilledBy>,
    payment_method: Option<String>,
    currency: String,
    total_amount: Option<Amount>,
    ship_city: Option<String>,
    ship_state: Option<String>,
    /// The first three digits of the postal code. The whole code is part of the customer's data.
    ship_postal_prefix: Option<String>,
}

/// A line of an order. Two lines may be equal in everything but their ids.
#[derive(Serialize, ToSchema)]
pub struct Line {
    line_id: Uuid,
    external_item_id: String,
    sku: Option<String>,
    title: Option<String>,
    size: Option<String>,
    quantity: i32,
    quantity_cancelled: i32,
    line_amount: Amount,
    amount_basis: AmountBasisName,
    tax_amount: Option<Amount>,
    hsn: Option<String>,
}

/// A shipment of an order.
#[derive(Serialize, ToSchema)]
pub struct Shipment {
    shipment_id: Uuid,
    external_shipment_id: String,
    status: String,
    marketplace_status: Option<String>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    /// How it travels, in the marketplace's own word, such as SELF when the seller delivers it.
    shipment_type: Option<String>,
    /// The time from which it may be dispatched; null means at any time.
    dispatch_after: Option<DateTime<Utc>>,
    /// The time by which it must be dispatched.
    dispatch_by: Option<DateTime<Utc>>,
    /// Whether the marketplace holds it back: it may not be packed yet.
    on_hold: bool,
    /// How many parcels it consists of, if the marketplace says so.
    package_count: Option<i32>,
}

impl TryFrom<&Row> for Order {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            order_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_order_id: row.try_get("external_order_id")?,
            status: OrderStatusName::read(row, "status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            placed_at: row.try_get("placed_at")?,
            marketplace_updated_at: row.try_get("marketplace_updated_at")?,
            dispatch_by: row.try_get("dispatch_by")?,
            dispatch_after: row.try_get("dispatch_after")?,
            on_hold: row.try_get("on_hold")?,
            is_replacement: row.try_get("is_replacement")?,
            fulfilled_by: FulfilledBy::read_optional(row, "fulfilled_by")?,
            payment_method: row.try_get("payment_method")?,
            currency: row.try_get("currency")?,
            total_amount: row.try_get::<_, Option<Decimal>>("total_amount")?.map(Amount::from),
            ship_city: row.try_get("ship_city")?,
            ship_state: row.try_get("ship_state")?,
            ship_postal_prefix: row.try_get("ship_postal_prefix")?,
        })
    }
}

impl TryFrom<&Row> for Line {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            line_id: row.try_get("id")?,
            external_item_id: row.try_get("external_item_id")?,
            sku: row.try_get("sku")?,
            title: row.try_get("title")?,
            size: row.try_get("size")?,
            quantity: row.try_get("quantity")?,
            quantity_cancelled: row.try_get("quantity_cancelled")?,
            line_amount: Amount::from(row.try_get::<_, Decimal>("line_amount")?),
            amount_basis: AmountBasisName::read(row, "amount_basis")?,
            tax_amount: row.try_get::<_, Option<Decimal>>("tax_amount")?.map(Amount::from),
            hsn: row.try_get("hsn")?,
        })
    }
}

impl TryFrom<&Row> for Shipment {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            shipment_id: row.try_get("id")?,
            external_shipment_id: row.try_get("external_shipment_id")?,
            status: row.try_get("status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            carrier: row.try_get("carrier")?,
            tracking_number: row.try_get("tracking_number")?,
            shipment_type: row.try_get("shipment_type")?,
            dispatch_after: row.try_get("dispatch_after")?,
            dispatch_by: row.try_get("dispatch_by")?,
            on_hold: row.try_get("on_hold")?,
            package_count: row.try_get("package_count")?,
        })
    }
}
