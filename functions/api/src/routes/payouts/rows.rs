//! Payouts and their lines: read from their rows, and shown to clients.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, OrderId, PayoutId, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{PayoutLineType, PayoutStatus};
use crate::routes::money::Amount;

/// A payout without its lines.
#[derive(Serialize, ToSchema)]
pub struct Payout {
    #[schema(value_type = Uuid)]
    pub payout_id: PayoutId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// The marketplace's id of the settlement, transfer or statement.
    external_payout_id: String,
    status: PayoutStatus,
    marketplace_status: String,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    /// When the payout was paid or, until then, when the marketplace closed it.
    pub settled_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    bank_reference: Option<String>,
    currency: String,
    gross_amount: Option<Amount>,
    net_amount: Amount,
    /// The net amount in minor units, by which the list is sorted.
    #[serde(skip)]
    pub net_minor: i64,
}

/// The totals of a payout's lines of one type.
#[derive(Serialize, ToSchema)]
pub struct PayoutTotal {
    line_type: PayoutLineType,
    lines: i64,
    net_amount: Amount,
}

/// A line of a payout. Two lines may be equal in everything but their ids.
#[derive(Serialize, ToSchema)]
pub struct PayoutLine {
    pub line_id: Uuid,
    external_line_id: String,
    line_type: PayoutLineType,
    marketplace_type: String,
    description: Option<String>,
    /// Null for lines without an order, and until the order is known here.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    external_order_id: Option<String>,
    external_item_id: Option<String>,
    sku: Option<String>,
    quantity: Option<i32>,
    posted_at: Option<DateTime<Utc>>,
    gross_amount: Option<Amount>,
    /// The marketplace's fees; negative when they are taken from the seller, like the next three.
    fee_amount: Option<Amount>,
    /// GST on the fees.
    fee_tax_amount: Option<Amount>,
    tcs_amount: Option<Amount>,
    tds_amount: Option<Amount>,
    net_amount: Amount,
}

fn amount(row: &Row, column: &str) -> Result<Amount, Error> {
    Ok(Amount::from(row.try_get::<_, Decimal>(column)?))
}

fn optional_amount(row: &Row, column: &str) -> Result<Option<Amount>, Error> {
    Ok(row.try_get::<_, Option<Decimal>>(column)?.map(Amount::from))
}

impl TryFrom<&Row> for Payout {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            payout_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_payout_id: row.try_get("external_payout_id")?,
            status: PayoutStatus::read(row, "status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            period_start: row.try_get("period_start")?,
            period_end: row.try_get("period_end")?,
            settled_at: row.try_get("settled_at")?,
            paid_at: row.try_get("paid_at")?,
            bank_reference: row.try_get("bank_reference")?,
            currency: row.try_get("currency")?,
            gross_amount: optional_amount(row, "gross_amount")?,
            net_amount: amount(row, "net_amount")?,
            net_minor: row.try_get("net_minor")?,
        })
    }
}

impl TryFrom<&Row> for PayoutTotal {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            line_type: PayoutLineType::read(row, "line_type")?,
            lines: row.try_get("lines")?,
            net_amount: amount(row, "net_amount")?,
        })
    }
}

impl TryFrom<&Row> for PayoutLine {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            line_id: row.try_get("id")?,
            external_line_id: row.try_get("external_line_id")?,
            line_type: PayoutLineType::read(row, "line_type")?,
            marketplace_type: row.try_get("marketplace_type")?,
            description: row.try_get("description")?,
            order_id: row.try_get("order_id")?,
            external_order_id: row.try_get("external_order_id")?,
            external_item_id: row.try_get("external_item_id")?,
            sku: row.try_get("sku")?,
            quantity: row.try_get("quantity")?,
            posted_at: row.try_get("posted_at")?,
            gross_amount: optional_amount(row, "gross_amount")?,
            fee_amount: optional_amount(row, "fee_amount")?,
            fee_tax_amount: optional_amount(row, "fee_tax_amount")?,
            tcs_amount: optional_amount(row, "tcs_amount")?,
            tds_amount: optional_amount(row, "tds_amount")?,
            net_amount: amount(row, "net_amount")?,
        })
    }
}
