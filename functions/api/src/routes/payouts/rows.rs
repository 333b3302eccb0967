//! Payouts, their entries and lines: read from their rows, and shown to clients.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, OrderId, PayoutId, Row};
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{PayoutLineType, PayoutSourceName, PayoutStatus};
use crate::routes::money::Amount;

/// A payout without its entries.
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
    /// The marketplace's own word, if it has one.
    marketplace_status: Option<String>,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    /// When the payout was paid or, until then, when the marketplace closed it; as long as nothing says that, when an entry of it was
    /// booked, or read.
    pub settled_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    bank_reference: Option<String>,
    currency: String,
    /// The total that the marketplace states. Null: it states none, only its entries do.
    stated_amount: Option<Amount>,
    /// The sum of the entries.
    net_amount: Amount,
    /// What the entries lack of the stated total: zero in a payout that balances.
    difference: Amount,
    /// How many entries it has.
    entries: i32,
    /// How many of these are not the sum of their lines. `list_payout_entries` with `unbalanced=true` shows them.
    unbalanced_entries: i32,
    source: PayoutSourceName,
    /// 1, and one more for each later run that changed its entries; `list_payout_changes` shows what these changed.
    revision: i32,
    /// The net amount in minor units, by which the list is sorted.
    #[serde(skip)]
    pub net_minor: i64,
}

/// The totals of a payout's lines of one type.
#[derive(Serialize, ToSchema)]
pub struct PayoutTotal {
    line_type: PayoutLineType,
    lines: i64,
    amount: Amount,
}

/// An amount that the marketplace states as a whole, with its lines. Two entries may be equal in everything but their ids.
#[derive(Serialize, ToSchema)]
pub struct PayoutEntry {
    pub entry_id: Uuid,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    currency: String,
    /// The marketplace's own words for what it is.
    marketplace_type: String,
    /// Null for entries without an order, and until the order is known here.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    external_order_id: Option<String>,
    external_item_id: Option<String>,
    sku: Option<String>,
    quantity: Option<i32>,
    posted_at: Option<DateTime<Utc>>,
    /// When the marketplace expects to pay it.
    expected_at: Option<DateTime<Utc>>,
    /// The amount that the marketplace states for the entry. Null: it states only lines.
    stated_amount: Option<Amount>,
    /// The sum of the lines. A TRANSFER is no part of it.
    amount: Amount,
    /// What the lines lack of the stated amount.
    difference: Amount,
    /// Where it stands in its file, such as a sheet and a row.
    place: Option<String>,
    /// Filled columns of the file that have no meaning here yet, by name, as they came.
    other: BTreeMap<String, String>,
    /// Which fields could not be read, and what was wrong with them.
    notes: Vec<String>,
    lines: Vec<PayoutLine>,
}

/// A component of an entry.
#[derive(Serialize, ToSchema)]
pub struct PayoutLine {
    line_type: PayoutLineType,
    /// The marketplace's own words.
    marketplace_type: String,
    /// Negative when it is taken from the seller.
    amount: Amount,
}

/// A line as the statement writes it.
#[derive(Deserialize)]
struct RawLine {
    line_type: String,
    marketplace_type: String,
    amount: Decimal,
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
        let stated: Option<Decimal> = row.try_get("stated_amount")?;
        let net: Decimal = row.try_get("net_amount")?;
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
            stated_amount: stated.map(Amount::from),
            net_amount: Amount::from(net),
            difference: Amount::from(stated.unwrap_or(net) - net),
            entries: row.try_get("entries")?,
            unbalanced_entries: row.try_get("unbalanced_entries")?,
            source: PayoutSourceName::read(row, "source")?,
            revision: row.try_get("revision")?,
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
            amount: amount(row, "amount")?,
        })
    }
}

impl TryFrom<&Row> for PayoutEntry {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let lines: Vec<RawLine> = json(row, "lines")?;
        Ok(Self {
            entry_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            currency: row.try_get("currency")?,
            marketplace_type: row.try_get("marketplace_type")?,
            order_id: row.try_get("order_id")?,
            external_order_id: row.try_get("external_order_id")?,
            external_item_id: row.try_get("external_item_id")?,
            sku: row.try_get("sku")?,
            quantity: row.try_get("quantity")?,
            posted_at: row.try_get("posted_at")?,
            expected_at: row.try_get("expected_at")?,
            stated_amount: optional_amount(row, "stated_amount")?,
            amount: amount(row, "amount")?,
            difference: amount(row, "difference")?,
            place: row.try_get("place")?,
            other: json(row, "other")?,
            notes: row.try_get("notes")?,
            lines: lines.into_iter().map(PayoutLine::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<RawLine> for PayoutLine {
    type Error = Error;

    fn try_from(line: RawLine) -> Result<Self, Error> {
        Ok(Self {
            line_type: PayoutLineType::parse(&line.line_type).ok_or(Error::RowShape)?,
            marketplace_type: line.marketplace_type,
            amount: Amount::from(line.amount),
        })
    }
}

/// Reads a column of JSON text.
fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|_| Error::RowShape)
}
