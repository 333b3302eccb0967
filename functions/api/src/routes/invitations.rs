//! `/v1/sellers/{sellerId}/invitations`: the seller's invitations. `/v1/invitations/accept`: joining.
//!
//! An invitation's token is made here, hashed for the database and put into one mail. No response and no log line holds it.

pub mod accept;
pub mod invite;
mod mailing;
pub mod resend;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, InvitationId, Row};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::{InvitationState, Role};
use crate::problem::refusals::INVITATION_CLOSED;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::{MembersManage, ToRead};

const INVITATIONS: &str = include_str!("../sql/invitations/list.sql");
const INVITATION: &str = include_str!("../sql/invitations/show.sql");
const REVOKE_INVITATION: &str = include_str!("../sql/invitations/revoke.sql");
const INVITER: &str = include_str!("../sql/invitations/inviter.sql");

/// An invitation. Its token is only in the mail.
#[derive(Clone, Serialize, ToSchema)]
pub struct Invitation {
    #[schema(value_type = Uuid)]
    invitation_id: InvitationId,
    email: String,
    /// The role that it gives; null when it only allows scanning returns.
    role: Option<Role>,
    scan_returns: bool,
    state: InvitationState,
    /// Whether the latest mail was handed over; if not, send it again.
    sent: bool,
    sent_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// A page of invitations.
#[derive(Serialize, ToSchema)]
pub struct Invitations {
    invitations: Vec<Invitation>,
    next_cursor: Option<String>,
}

/// The seller's invitations, newest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/invitations", operation_id = "list_invitations", tag = "team",
    params(Page), responses((status = 200, body = Invitations))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<ToRead<MembersManage>>,
    mut query: QueryParams,
) -> Result<Json<Invitations>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("invitations", member.scope.seller_id(), &());
    let before = cursor.map(|cursor| list.position(&cursor)).transpose()?.map_or(Uuid::max(), |at| at.id);
    // One row more than the limit shows whether there is a next page.
    let rows = context.database.read(&member.scope, INVITATIONS, &[&before, &(limit + 1)]).await?;
    let mut invitations = rows.iter().map(Invitation::try_from).collect::<Result<Vec<_>, _>>()?;
    let next_cursor = super::paging::cut(&mut invitations, limit)
        .map(|last| list.cursor(Position { micros: 0, id: *last.invitation_id.as_uuid() }));
    Ok(Json(Invitations { invitations, next_cursor }))
}

/// Revokes an invitation
///
/// Revoking an invitation twice changes nothing.
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/invitations/{invitationId}", operation_id = "revoke_invitation", tag = "team",
    responses((status = 204, description = "The invitation is revoked"))
)]
pub async fn revoke(
    State(context): State<SharedContext>,
    member: Member<MembersManage>,
    PathId(id): PathId<InvitationId>,
) -> Result<StatusCode, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(REVOKE_INVITATION, &[&id]), (INVITATION, &[&id])]).await?;
    let found = answers[1].first().ok_or(ApiError::NotFound(Missing::Invitation))?;
    match Invitation::try_from(found)?.state {
        InvitationState::REVOKED => Ok(StatusCode::NO_CONTENT),
        InvitationState::ACCEPTED => Err(ApiError::Refused(&INVITATION_CLOSED)),
        // It is still open, so the caller's role does not reach it.
        _ => Err(ApiError::Forbidden),
    }
}

impl TryFrom<&Row> for Invitation {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let sent_at: Option<DateTime<Utc>> = row.try_get("sent_at")?;
        Ok(Self {
            invitation_id: row.try_get("id")?,
            email: row.try_get("email")?,
            role: Role::read_optional(row, "role")?,
            scan_returns: row.try_get("scan_returns")?,
            state: InvitationState::read(row, "state")?,
            sent: sent_at.is_some(),
            sent_at,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            accepted_at: row.try_get("accepted_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}
