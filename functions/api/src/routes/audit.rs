//! `GET /v1/sellers/{sellerId}/audit`: who did what, from the audit trail that the database writes.

use axum::Json;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, Row};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::paging::{Direction, Start, at, page};
use crate::cursor::List;
use crate::identity::Member;
use crate::known_text::ActorKind;
use crate::lists::Lists;
use crate::problem::ApiError;
use crate::query::{Page, QueryParams, query_label_schema};
use crate::route_permissions::AuditRead;

const AUDIT_EVENTS: &str = include_str!("../sql/audit/list.sql");
const OF_OBJECT: &str = include_str!("../sql/audit/of_object.sql");
const OF_ACTOR: &str = include_str!("../sql/audit/of_actor.sql");
const OF_ACTION: &str = include_str!("../sql/audit/of_action.sql");

/// An event of the audit trail.
#[derive(Serialize, ToSchema)]
pub struct AuditEvent {
    event_id: Uuid,
    occurred_at: DateTime<Utc>,
    actor: AuditActor,
    /// The impersonation session in which staff did it for the seller.
    impersonation_session_id: Option<Uuid>,
    /// A noun and a verb, such as `account.changed`.
    action: String,
    object_id: Option<Uuid>,
    /// The fields that were changed.
    changed: Vec<String>,
    /// The new values of fields that are not sensitive.
    #[schema(value_type = Object)]
    shown: Value,
}

/// The actor.
#[derive(Serialize, ToSchema)]
struct AuditActor {
    kind: ActorKind,
    /// The id of the person, the staff member or the account, as `kind` says.
    id: Option<Uuid>,
    /// A member's role at that time.
    email: Option<String>,
}

/// A page of the trail.
#[derive(Serialize, ToSchema)]
pub struct AuditEvents {
    events: Vec<AuditEvent>,
    next_cursor: Option<String>,
}

/// The list's filters; for its description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read one by one")]
struct AuditFilters {
    /// Events of this actor only.
    actor_id: Option<Uuid>,
    /// Actions that begin with this text, such as `account.`
    #[param(schema_with = query_label_schema, required = false)]
    action: Option<String>,
    /// Events of this object only.
    object_id: Option<Uuid>,
    /// Events at or after this instant.
    from: Option<DateTime<Utc>>,
    /// Events before this instant.
    to: Option<DateTime<Utc>>,
}

/// Who did what, newest first
///
/// The trail holds each change by members, staff and invited people, and each time that a job opened an account's
/// credentials (`credentials.opened`).
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/audit", operation_id = "list_audit_events", tag = "audit",
    params(AuditFilters, Page),
    responses((status = 200, body = AuditEvents))
)]
pub async fn list(
    lists: Lists,
    member: Member<AuditRead>,
    mut query: QueryParams,
) -> Result<Json<AuditEvents>, ApiError> {
    let actor: Option<Uuid> = query.id("actor_id");
    let action = query.label("action");
    let object: Option<Uuid> = query.id("object_id");
    let (from, to) = (query.instant("from"), query.instant("to"));
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("audit", member.scope.seller_id(), &(actor, &action, object, from, to));
    let window = Start::new(&list, cursor.as_deref(), Direction::Down)?.times(from, to)?;
    let [below, below_id, above, above_id] = window.params();
    let sql = match (object, actor, &action) {
        (Some(_), _, _) => OF_OBJECT,
        (None, Some(_), _) => OF_ACTOR,
        (None, None, Some(_)) => OF_ACTION,
        (None, None, None) => AUDIT_EVENTS,
    };
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let params: Params<'_> = &[below, below_id, above, above_id, &fetch, &actor, &action, &object];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (events, next_cursor) =
        page(&list, &rows, limit, |last: &AuditEvent| at(last.occurred_at, last.event_id))?;
    Ok(Json(AuditEvents { events, next_cursor }))
}

impl TryFrom<&Row> for AuditEvent {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let shown: &str = row.try_get("shown")?;
        Ok(Self {
            event_id: row.try_get("id")?,
            occurred_at: row.try_get("occurred_at")?,
            actor: AuditActor {
                kind: ActorKind::read(row, "actor_kind")?,
                id: row.try_get("actor_id")?,
                email: row.try_get("actor_email")?,
            },
            impersonation_session_id: row.try_get("impersonation_session_id")?,
            action: row.try_get("action")?,
            object_id: row.try_get("object_id")?,
            changed: row.try_get("changed")?,
            shown: serde_json::from_str(shown).map_err(|_| Error::RowShape)?,
        })
    }
}
