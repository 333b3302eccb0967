//! `/v1/sellers/{sellerId}/closing`: an owner asks for the seller's closing, or takes that back.
//!
//! Asking changes nothing but the dates that the seller shows; the closing sweep does the rest when the time is over.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use robnu_dispatch::ExportMessage;
use robnu_tenancy::{Error, ExportId, Params, Row};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MAX_NAME, SELLER, Seller};
use crate::context::{Context, SharedContext};
use crate::fields::{label, label_schema};
use crate::identity::Member;
use crate::json::{JsonBody, present};
use crate::mail::ClosingMail;
use crate::problem::refusals::CLOSING_TOO_LATE;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::SellerClose;
use crate::routes::admin::sellers::MAX_REASON;
use crate::routes::exports::create::announce;
use crate::versions::Tagged;

const ASK: &str = include_str!("../../sql/sellers/ask_closing.sql");
const OWNERS: &str = include_str!("../../sql/sellers/owners.sql");
const TAKE_BACK: &str = include_str!("../../sql/sellers/take_closing_back.sql");

/// Asks for a seller's closing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskClosing {
    /// The seller's name, exactly as the seller has it, so that nobody closes a seller by accident.
    #[schema(schema_with = label_schema::<MAX_NAME>)]
    name: String,
    /// Why; the other owners see it.
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_REASON>, required = false)]
    reason: Option<String>,
    /// Whether everything is exported first, as with `create_export`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false, default = false)]
    export_first: Option<bool>,
}

/// Asks for the seller's closing
///
/// Only owners may. Every owner gets a mail. Until `closes_at`, 30 days later, everything works as before and an owner can take
/// this back. Then the seller is gone for its members: its accounts are disconnected, its customers' data, its keys and its files
/// are deleted, and nothing brings them back. A seller that is suspended cannot be closed, and a suspension takes the asking
/// back. Asking again changes nothing and mails nobody.
///
/// With `export_first` an export of everything is asked for as well, in the name of the owner, who gets a mail when it is ready. The
/// closing waits for each export of everything that was asked for before it was due: until it is ready and for three days after
/// that, or until it has failed, but for seven days at most if it is never ready.
#[utoipa::path(
    put, path = "/v1/sellers/{sellerId}/closing", operation_id = "ask_closing", tag = "sellers",
    responses((status = 200, description = "The seller with the dates of its closing", body = Seller))
)]
pub async fn ask(
    State(context): State<SharedContext>,
    member: Member<SellerClose>,
    JsonBody(body): JsonBody<AskClosing>,
) -> Result<Tagged<Seller>, ApiError> {
    let (name, reason) = check(&body).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let session = context.database.session(&member.scope).await?;
    let export_first = body.export_first.unwrap_or_default().then(ExportId::new);
    let ask: Params<'_> = &[&name, &reason, &export_first];
    let answers = session.commit_with(&[(ASK, ask), (OWNERS, &[]), (SELLER, &[])]).await?;
    match outcome(&answers[0])? {
        "OTHER_NAME" => {
            let problem =
                FieldProblem::new("name", "must be the seller's name, exactly as the seller has it");
            return Err(ApiError::InvalidBody(vec![problem]));
        }
        // After COMMIT, so that no mail tells of what did not happen.
        "ASKED" => {
            if let Some(export_id) = export_first {
                announce(&context, ExportMessage { seller_id: member.scope.seller_id(), export_id }).await;
            }
            mail_owners(&context, &member, &answers[1]).await?;
        }
        _ => {}
    }
    let row = answers[2].first().ok_or(ApiError::NotFound(Missing::Seller))?;
    Ok(Tagged(Seller::try_from(row)?))
}

/// Takes back that the seller is to be closed
///
/// Taking back what nobody asked for changes nothing.
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/closing", operation_id = "take_closing_back", tag = "sellers",
    responses((status = 204, description = "The seller stays"))
)]
pub async fn take_back(
    State(context): State<SharedContext>,
    member: Member<SellerClose>,
) -> Result<StatusCode, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(TAKE_BACK, &[])]).await?;
    match outcome(&answers[0])? {
        "TOO_LATE" => Err(ApiError::Refused(&CLOSING_TOO_LATE)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// The name and the reason, if they can be a seller's.
fn check(body: &AskClosing) -> Result<(String, Option<String>), FieldProblem> {
    let name = label("name", &body.name, MAX_NAME)?;
    let reason = body.reason.as_deref().map(|reason| label("reason", reason, MAX_REASON)).transpose()?;
    Ok((name, reason))
}

fn outcome(rows: &[Row]) -> Result<&str, Error> {
    Ok(rows.first().ok_or(Error::RowCount { found: 0 })?.try_get("outcome")?)
}

/// Mails every owner. A mail that cannot be handed over is logged: the asking stands, and the seller shows its dates.
async fn mail_owners(context: &Context, member: &Member<SellerClose>, rows: &[Row]) -> Result<(), Error> {
    let mut mails = Vec::with_capacity(rows.len());
    for row in rows {
        let closes_at: DateTime<Utc> = row.try_get("closes_at")?;
        let (to, seller_name, asker) =
            (row.try_get("owner")?, row.try_get("seller_name")?, row.try_get("asker")?);
        mails.push(ClosingMail { to, seller_name, asker, closes_at });
    }
    for sent in join_all(mails.iter().map(|mail| context.mailer.closing(mail))).await {
        if let Err(error) = sent {
            tracing::warn!(
                seller.id = %member.scope.seller_id(),
                error = robnu_observe::chain(&error),
                "an owner was not told by mail that the seller is to be closed"
            );
        }
    }
    Ok(())
}
