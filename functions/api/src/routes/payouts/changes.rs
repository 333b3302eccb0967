//! What later runs changed in a payout.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, PayoutId, Row, RunId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::EXISTS;
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::PayoutChangeName;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::PayoutsRead;
use crate::routes::paging::{Direction, Start, next_cursor};

const CHANGES: &str = include_str!("../../sql/payouts/changes.sql");

/// An entry that a later run changed.
#[derive(Serialize, ToSchema)]
pub struct PayoutChange {
    change_id: Uuid,
    /// The run that changed it.
    #[schema(value_type = Uuid)]
    run_id: RunId,
    change: PayoutChangeName,
    /// What the source states together, and the entry's place in it, from 1.
    external_part_id: String,
    number: i32,
    /// The entry with its lines as it was; null when it was added.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// The entry with its lines as it became; null when it was removed.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    changed_at: DateTime<Utc>,
}

/// A page of changes.
#[derive(Serialize, ToSchema)]
pub struct PayoutChanges {
    changes: Vec<PayoutChange>,
    next_cursor: Option<String>,
}

/// What later runs changed in a payout, latest first
///
/// A file or transaction that is read again changes nothing. A corrected one raises the payout's `revision`, and its differences are here.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/payouts/{payoutId}/changes", operation_id = "list_payout_changes", tag = "payouts",
    params(Page),
    responses((status = 200, body = PayoutChanges))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<PayoutsRead>,
    PathId(payout): PathId<PayoutId>,
    mut query: QueryParams,
) -> Result<Json<PayoutChanges>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("payout_changes", member.scope.seller_id(), &payout);
    let below = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    let params: Params<'_> = &[&payout, &below, &(limit + 1)];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(EXISTS, &[&payout]), (CHANGES, params)]).await?;
    if answers[0].is_empty() {
        return Err(ApiError::NotFound(Missing::Payout));
    }
    let mut changes = answers[1].iter().map(PayoutChange::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &PayoutChange| Position { micros: 0, id: last.change_id };
    let next_cursor = next_cursor(&list, &mut changes, limit, position);
    Ok(Json(PayoutChanges { changes, next_cursor }))
}

impl TryFrom<&Row> for PayoutChange {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            change_id: row.try_get("id")?,
            run_id: row.try_get("run_id")?,
            change: PayoutChangeName::read(row, "change")?,
            external_part_id: row.try_get("external_part_id")?,
            number: row.try_get("number")?,
            before: content(row, "before")?,
            after: content(row, "after")?,
            changed_at: row.try_get("changed_at")?,
        })
    }
}

fn content(row: &Row, column: &str) -> Result<Option<Value>, Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| serde_json::from_str(text).map_err(|_| Error::RowShape)).transpose()
}
