//! Returns, their lines and their events: read from their rows, and shown to clients.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, OrderId, ReturnId, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{
    ActorKind, ParcelCondition, ReceiptStatus, ReturnDocumentKind, ReturnEventName, ReturnStatus, ReturnType,
};
use crate::routes::money::Amount;

/// A return without its lines.
#[derive(Serialize, ToSchema)]
pub struct Return {
    #[schema(value_type = Uuid)]
    pub return_id: ReturnId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// The marketplace's number of the return.
    pub external_return_id: String,
    /// Null until the order is known here.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    external_order_id: Option<String>,
    /// The marketplace's number of the outbound parcel.
    external_shipment_id: Option<String>,
    return_type: ReturnType,
    pub status: ReturnStatus,
    marketplace_status: String,
    pub internal_status: ReceiptStatus,
    reason: Option<String>,
    carrier: Option<String>,
    /// The air waybill of the parcel that comes back.
    tracking_number: Option<String>,
    pub initiated_at: DateTime<Utc>,
    expected_at: Option<DateTime<Utc>>,
    /// When the return arrived, according to the marketplace.
    delivered_at: Option<DateTime<Utc>>,
    /// From when it counts as lost if nothing arrives.
    pub missing_at: DateTime<Utc>,
    /// Until when a claim can be filed: one that it was not received, or after its receipt the first of those about what arrived.
    /// Null while that is unknown: the marketplace has not said that the return is complete, or its deadline is not known.
    pub file_by: Option<DateTime<Utc>>,
    /// When the seller was warned that `file_by` is near and no claim was filed.
    warned_at: Option<DateTime<Utc>>,
    /// When the return was first scanned as received.
    received_at: Option<DateTime<Utc>>,
    /// The person who first scanned it.
    received_by: Option<Uuid>,
    /// The condition that a scan stated last.
    condition: Option<ParcelCondition>,
    condition_reason: Option<String>,
    /// How many articles that is about.
    condition_quantity: Option<i32>,
}

/// The document that settles a return.
#[derive(Serialize, ToSchema)]
pub struct ReturnDocument {
    kind: ReturnDocumentKind,
    number: String,
}

impl ReturnDocument {
    /// The document in a return's row, if there is one.
    pub fn read(row: &Row) -> Result<Option<Self>, Error> {
        let kind = ReturnDocumentKind::read_optional(row, "document_kind")?;
        let number: Option<String> = row.try_get("document_number")?;
        Ok(kind.zip(number).map(|(kind, number)| Self { kind, number }))
    }
}

/// A line of a return.
#[derive(Serialize, ToSchema)]
pub struct ReturnLine {
    line_id: Uuid,
    external_item_id: String,
    /// The line of the order, if it is known here.
    order_line_id: Option<Uuid>,
    sku: Option<String>,
    title: Option<String>,
    size: Option<String>,
    quantity: i32,
    quantity_cancelled: i32,
    refund_amount: Option<Amount>,
    reason: Option<String>,
}

/// An event of a return.
#[derive(Serialize, ToSchema)]
pub struct ReturnEvent {
    event: ReturnEventName,
    from_status: Option<String>,
    to_status: Option<String>,
    /// The condition that was stated then.
    condition: Option<ParcelCondition>,
    condition_reason: Option<String>,
    condition_quantity: Option<i32>,
    actor_kind: ActorKind,
    actor_id: Option<Uuid>,
    /// The impersonation session in which staff did it for the seller.
    impersonation_session_id: Option<Uuid>,
    occurred_at: DateTime<Utc>,
}

impl TryFrom<&Row> for Return {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            return_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_return_id: row.try_get("external_return_id")?,
            order_id: row.try_get("order_id")?,
            external_order_id: row.try_get("external_order_id")?,
            external_shipment_id: row.try_get("external_shipment_id")?,
            return_type: ReturnType::read(row, "return_type")?,
            status: ReturnStatus::read(row, "status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            internal_status: ReceiptStatus::read(row, "internal_status")?,
            reason: row.try_get("reason")?,
            carrier: row.try_get("carrier")?,
            tracking_number: row.try_get("tracking_number")?,
            initiated_at: row.try_get("initiated_at")?,
            expected_at: row.try_get("expected_at")?,
            delivered_at: row.try_get("delivered_at")?,
            missing_at: row.try_get("missing_at")?,
            file_by: row.try_get("file_by")?,
            warned_at: row.try_get("warned_at")?,
            received_at: row.try_get("received_at")?,
            received_by: row.try_get("received_by")?,
            condition: ParcelCondition::read_optional(row, "condition")?,
            condition_reason: row.try_get("condition_reason")?,
            condition_quantity: row.try_get("condition_quantity")?,
        })
    }
}

impl TryFrom<&Row> for ReturnLine {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            line_id: row.try_get("id")?,
            external_item_id: row.try_get("external_item_id")?,
            order_line_id: row.try_get("order_item_id")?,
            sku: row.try_get("sku")?,
            title: row.try_get("title")?,
            size: row.try_get("size")?,
            quantity: row.try_get("quantity")?,
            quantity_cancelled: row.try_get("quantity_cancelled")?,
            refund_amount: row.try_get::<_, Option<Decimal>>("refund_amount")?.map(Amount::from),
            reason: row.try_get("reason")?,
        })
    }
}

impl TryFrom<&Row> for ReturnEvent {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            event: ReturnEventName::read(row, "event")?,
            from_status: row.try_get("from_status")?,
            to_status: row.try_get("to_status")?,
            condition: ParcelCondition::read_optional(row, "condition")?,
            condition_reason: row.try_get("condition_reason")?,
            condition_quantity: row.try_get("condition_quantity")?,
            actor_kind: ActorKind::read(row, "actor_kind")?,
            actor_id: row.try_get("actor_id")?,
            impersonation_session_id: row.try_get("impersonation_session_id")?,
            occurred_at: row.try_get("occurred_at")?,
        })
    }
}
