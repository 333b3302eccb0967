//! Sends the mail of a stored invitation, and notes that it was handed over.
//!
//! The mail goes out after COMMIT, so that no mail names an invitation that does not exist. After any failure here the
//! invitation stays unsent; its seller sees that and can send it again.

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
    /// From the row of the inviter's statement.
    pub fn from_rows(rows: &[Row]) -> Result<Self, Error> {
        let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
        Ok(Self { seller_name: row.try_get("seller_name")?, email: row.try_get("inviter")? })
    }
}

/// Mails an invitation that was made now; the invitation of a repeated response was mailed before.
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
    // The database keeps microseconds only.
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
