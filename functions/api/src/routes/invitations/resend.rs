//! `POST /v1/sellers/{sellerId}/invitations/{invitationId}/resend`: a new mail with a new token and a new term.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{Error, InvitationId, Params, Row};

use super::mailing::{Sender, mail};
use super::{INVITATION, INVITER, Invitation};
use crate::context::SharedContext;
use crate::idempotency::{KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::known_text::InvitationState;
use crate::one_time_token::OneTimeToken;
use crate::problem::refusals::{INVITATION_CLOSED, INVITATION_JUST_SENT};
use crate::problem::{ApiError, Missing};
use crate::route_permissions::MembersManage;

const RESEND_INVITATION: &str = include_str!("../../sql/invitations/resend.sql");

/// Sends an invitation again
///
/// The mail has a new token that is valid for seven days; the tokens of earlier mails are void. At most one mail a minute,
/// and five mails for an invitation in all.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/invitations/{invitationId}/resend", operation_id = "resend_invitation",
    tag = "team", responses((status = 200, description = "The invitation", body = Invitation))
)]
pub async fn resend(
    State(context): State<SharedContext>,
    member: Member<MembersManage>,
    PathId(id): PathId<InvitationId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Invitation>, ApiError> {
    let token = OneTimeToken::generate().map_err(|_| ApiError::NoRandomness)?;
    let hash = token.hash();
    let statements: [(&str, Params<'_>); 3] =
        [(INVITER, &[]), (RESEND_INVITATION, &[&id, &hash]), (INVITATION, &[&id])];
    let mut sender = None;
    let read = |answers: &[Vec<Row>]| {
        let Some(row) = answers[1].first() else { return Err(why_not(answers[2].first())?) };
        sender = Some(Sender::from_rows(&answers[0])?);
        Ok((StatusCode::OK, Invitation::try_from(row)?))
    };
    let reply = idempotency.run(&context.database, &member.scope, &statements, read).await?;
    mail(&context, &member.scope, &idempotency, reply, sender, &token).await
}

/// Why an invitation got no new token: it is gone, closed or was sent a moment ago, or the caller's role does not reach it.
fn why_not(found: Option<&Row>) -> Result<ApiError, Error> {
    let Some(row) = found else { return Ok(ApiError::NotFound(Missing::Invitation)) };
    let was_just_sent: Option<bool> = row.try_get("was_just_sent")?;
    Ok(match Invitation::try_from(row)?.state {
        InvitationState::ACCEPTED | InvitationState::REVOKED => ApiError::Refused(&INVITATION_CLOSED),
        _ if was_just_sent == Some(true) => ApiError::Refused(&INVITATION_JUST_SENT),
        _ => ApiError::Forbidden,
    })
}
