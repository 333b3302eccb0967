//! `POST /v1/sellers/{sellerId}/invitations`: invites somebody to join.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{Error, Params, Row};
use serde::Deserialize;
use utoipa::ToSchema;

use super::mailing::{Sender, mail};
use super::{INVITER, Invitation};
use crate::context::SharedContext;
use crate::email::{email, email_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::Member;
use crate::known_text::Role;
use crate::one_time_token::OneTimeToken;
use crate::problem::refusals::{INVITATION_EXISTS, TOO_MANY_INVITATIONS};
use crate::problem::{ApiError, FieldProblem};
use crate::route_permissions::MembersManage;

const INVITE: &str = include_str!("../../sql/invitations/invite.sql");

/// How many invitations of a seller may be open at once.
const MAX_OPEN: i64 = 100;

/// The invited person, and the offered role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    #[schema(schema_with = email_schema)]
    email: String,
    /// Null or left out for a member who may only scan returns.
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    scan_returns: bool,
}

/// Invites somebody by mail
///
/// The response is the same whether or not the address has an account. `sent` says whether the mail was handed over; if not,
/// the invitation stays and can be sent again. An admin cannot invite owners or admins. Within 24 hours a seller can send at
/// most 200 mails, 5 of them to one address, and a person at most 100 over all their sellers, 5 of them to one address.
/// Invitations that are sent again count too. One address gets only a few mails, whoever sends them and however it is
/// spelled.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/invitations", operation_id = "invite", tag = "team",
    responses((status = 201, description = "The invitation", body = Invitation))
)]
pub async fn invite(
    State(context): State<SharedContext>,
    member: Member<MembersManage>,
    KeyedJson(body, idempotency): KeyedJson<Invite>,
) -> Result<Reply<Invitation>, ApiError> {
    let address = check(&body).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let token = OneTimeToken::generate().map_err(|_| ApiError::NoRandomness)?;
    let role = body.role.map(Role::as_str);
    let invitation: Params<'_> = &[&address, &role, &body.scan_returns, &token.hash(), &MAX_OPEN];
    let mut sender = None;
    let read = |answers: &[Vec<Row>]| {
        let row = answers[1].first().ok_or(ApiError::Refused(&TOO_MANY_INVITATIONS))?;
        sender = Some(Sender::from_rows(&answers[0])?);
        Ok((StatusCode::CREATED, Invitation::try_from(row)?))
    };
    let statements = [(INVITER, &[] as Params<'_>), (INVITE, invitation)];
    let reply =
        idempotency.run(&context.database, &member.scope, &statements, read).await.map_err(exists_or)?;
    mail(&context, &member.scope, &idempotency, reply, sender, &token).await
}

/// The address, if the invitation offers any right.
fn check(body: &Invite) -> Result<String, FieldProblem> {
    if body.role.is_none() && !body.scan_returns {
        return Err(FieldProblem::new("role", "may be left out only with scan_returns"));
    }
    email("email", &body.email)
}

fn exists_or(error: ApiError) -> ApiError {
    match error {
        ApiError::Database(Error::Exists { constraint }) if constraint == "invitations_one_open" => {
            ApiError::Refused(&INVITATION_EXISTS)
        }
        other => other,
    }
}
