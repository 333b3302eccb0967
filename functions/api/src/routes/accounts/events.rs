//! The events of an account's credentials: given, replaced, accepted or refused by the marketplace, deleted.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ACCOUNT_EXISTS;
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::CredentialEventName;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::routes::paging::cut;

const EVENTS: &str = include_str!("../../sql/accounts/credential_events.sql");

/// An event of an account's credentials.
#[derive(Serialize, ToSchema)]
pub struct CredentialEvent {
    event_id: Uuid,
    event: CredentialEventName,
    occurred_at: DateTime<Utc>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub struct CredentialEvents {
    events: Vec<CredentialEvent>,
    next_cursor: Option<String>,
}

/// The events of an account's credentials, newest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/accounts/{accountId}/events", operation_id = "list_credential_events",
    tag = "accounts", params(Page), responses((status = 200, body = CredentialEvents))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(account): PathId<AccountId>,
    mut query: QueryParams,
) -> Result<Json<CredentialEvents>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("credential_events", member.scope.seller_id(), &account);
    let before = cursor.map(|cursor| list.position(&cursor)).transpose()?.map_or(Uuid::max(), |at| at.id);
    let session = context.database.session(&member.scope).await?;
    // One row more than the limit shows whether there is a next page.
    let statements: [(&str, Params<'_>); 2] =
        [(ACCOUNT_EXISTS, &[&account]), (EVENTS, &[&account, &before, &(limit + 1)])];
    let answers = session.commit_with(&statements).await?;
    if answers[0].is_empty() {
        return Err(ApiError::NotFound(Missing::Account));
    }
    let mut events = answers[1].iter().map(CredentialEvent::try_from).collect::<Result<Vec<_>, _>>()?;
    let next_cursor =
        cut(&mut events, limit).map(|last| list.cursor(Position { micros: 0, id: last.event_id }));
    Ok(Json(CredentialEvents { events, next_cursor }))
}

impl TryFrom<&Row> for CredentialEvent {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            event_id: row.try_get("id")?,
            event: CredentialEventName::read(row, "event")?,
            occurred_at: row.try_get("occurred_at")?,
        })
    }
}
