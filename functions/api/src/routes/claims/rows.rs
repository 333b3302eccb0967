//! Claims and their steps: read from their rows, and shown to clients.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, ClaimId, Error, ReturnId, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{ActorKind, ClaimReason, ClaimStatus};
use crate::routes::money::Amount;

/// A claim without its steps.
#[derive(Serialize, ToSchema)]
pub struct Claim {
    #[schema(value_type = Uuid)]
    pub claim_id: ClaimId,
    #[schema(value_type = Uuid)]
    return_id: ReturnId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    pub status: ClaimStatus,
    reason: ClaimReason,
    /// Until when it can be filed, or could be when it was filed. Null while that is unknown: the marketplace has not said that the
    /// return is complete, or its deadline is not known.
    file_by: Option<DateTime<Utc>>,
    note: Option<String>,
    /// The number of the marketplace's ticket.
    marketplace_reference: Option<String>,
    currency: String,
    claimed_amount: Option<Amount>,
    /// The amount that the marketplace paid for a won claim.
    recovered_amount: Option<Amount>,
    /// Why the claim was lost, cancelled or reopened.
    status_reason: Option<String>,
    filed_at: Option<DateTime<Utc>>,
    acknowledged_at: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A step of a claim.
#[derive(Serialize, ToSchema)]
pub struct ClaimEvent {
    from_status: Option<ClaimStatus>,
    to_status: ClaimStatus,
    reason: Option<String>,
    /// The amount recovered: in the step that won the claim, and in the step that reversed the win.
    recovered_amount: Option<Amount>,
    actor_kind: ActorKind,
    actor_id: Option<Uuid>,
    /// The impersonation session in which staff did it for the seller.
    impersonation_session_id: Option<Uuid>,
    occurred_at: DateTime<Utc>,
}

impl TryFrom<&Row> for Claim {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            claim_id: row.try_get("id")?,
            return_id: row.try_get("return_id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            status: ClaimStatus::read(row, "status")?,
            reason: ClaimReason::read(row, "reason")?,
            file_by: row.try_get("file_by")?,
            note: row.try_get("note")?,
            marketplace_reference: row.try_get("marketplace_reference")?,
            currency: row.try_get("currency")?,
            claimed_amount: row.try_get::<_, Option<Decimal>>("claimed_amount")?.map(Amount::from),
            recovered_amount: row.try_get::<_, Option<Decimal>>("recovered_amount")?.map(Amount::from),
            status_reason: row.try_get("status_reason")?,
            filed_at: row.try_get("filed_at")?,
            acknowledged_at: row.try_get("acknowledged_at")?,
            resolved_at: row.try_get("resolved_at")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl TryFrom<&Row> for ClaimEvent {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            from_status: ClaimStatus::read_optional(row, "from_status")?,
            to_status: ClaimStatus::read(row, "to_status")?,
            reason: row.try_get("reason")?,
            recovered_amount: row.try_get::<_, Option<Decimal>>("recovered_amount")?.map(Amount::from),
            actor_kind: ActorKind::read(row, "actor_kind")?,
            actor_id: row.try_get("actor_id")?,
            impersonation_session_id: row.try_get("impersonation_session_id")?,
            occurred_at: row.try_get("occurred_at")?,
        })
    }
}
