//! What follows once an invitation stands: its mail, and the note that it was handed over.
//!
//! The mail goes out after COMMIT, so that no mail speaks of an invitation that is not there. Whatever goes wrong here leaves
//! an invitation that is not sent, which its seller sees and can send again.

use chrono::{DateTime, SubsecRound, Utc};
use robnu_tenancy::{Error, Row, SellerScope};

use super::Invitation;
use crate::context::Context;
use crate::idempotency::{Idempotency, Reply};
use crate::mail::InvitationMail;
use crate::one_time_token::OneTimeToken;
use crate::problem::ApiError;

const NOTE_INVITATION_SENT: &str = include_str!("../../sql/invitations/note_sent.sql");

/// Who invites.
pub struct Sender {
    seller_name: String,
    email: String,
}

impl Sender {
    /// As the statement of the inviter answers it.
    pub fn from_rows(rows: &[Row]) -> Result<Self, Error> {
        let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
        Ok(Self { seller_name: row.try_get("seller_name")?, email: row.try_get("inviter")? })
    }
}

/// Mails an invitation that was made now; what was answered before was mailed before.
pub async fn mail(
    context: &Context,
    scope: &SellerScope,
    idempotency: &Idempotency,
    reply: Reply<Invitation>,
    sender: Option<Sender>,
    token: &OneTimeToken,
) -> Result<Reply<Invitation>, ApiError> {
    let (Reply::Done(status, invitation), Some(sender)) = (&reply, sender) else { return Ok(reply) };
    let mail = InvitationMail {
        to: &invitation.email,
        seller_name: &sender.seller_name,
        inviter: &sender.email,
        token,
    };
    if let Err(error) = context.mailer.invite(&mail).await {
        warn(scope, invitation, &error, "the invitation was not mailed; it can be sent again");
        return Ok(reply);
    }
    // The database keeps microseconds.
    let sent_at: DateTime<Utc> = Utc::now().trunc_subsecs(6);
    let sent = Invitation { sent: true, sent_at: Some(sent_at), ..invitation.clone() };
    let note: [(&str, robnu_tenancy::Params<'_>); 1] =
        [(NOTE_INVITATION_SENT, &[&invitation.invitation_id, &sent_at])];
    if let Err(error) = idempotency.amend(&context.database, scope, &note, *status, &sent).await {
        warn(scope, invitation, &error, "the invitation was mailed and this was not noted");
    }
    Ok(Reply::Done(*status, sent))
}

fn warn(scope: &SellerScope, invitation: &Invitation, error: &dyn std::error::Error, message: &str) {
    tracing::warn!(
        seller.id = %scope.seller_id(),
        invitation.id = %invitation.invitation_id,
        error = robnu_observe::chain(error),
        "{message}"
    );
}
