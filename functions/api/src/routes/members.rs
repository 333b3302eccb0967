//! `/v1/sellers/{sellerId}/members`: the team, and the rights of each member.
//!
//! The database decides who may change whom: an ADMIN can neither change nor make OWNER and ADMIN members, and the last
//! OWNER stays. A change here takes effect with the member's next request, because every request enters its scope anew.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, MemberId, Params, PersonId, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::json::{JsonBody, present};
use crate::known_text::Role;
use crate::lists::Lists;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::{MembersManage, Read};
use crate::versions::{IfMatch, Tagged, Versioned};

const MEMBERS: &str = include_str!("../sql/members/list.sql");
const MEMBER: &str = include_str!("../sql/members/show.sql");
const UPDATE_MEMBER: &str = include_str!("../sql/members/update.sql");
const REMOVE_MEMBER: &str = include_str!("../sql/members/remove.sql");

/// A member of the team.
#[derive(Serialize, ToSchema)]
pub struct TeamMember {
    #[schema(value_type = Uuid)]
    member_id: MemberId,
    #[schema(value_type = Uuid)]
    person_id: PersonId,
    email: String,
    /// Null for a member who may only scan returns.
    role: Option<Role>,
    /// Whether the member may scan returns, whatever the role allows.
    scan_returns: bool,
    /// Whether this is the caller.
    is_you: bool,
    version: i32,
    since: DateTime<Utc>,
}

/// A page of the team.
#[derive(Serialize, ToSchema)]
pub struct TeamMembers {
    members: Vec<TeamMember>,
    next_cursor: Option<String>,
}

/// A change of a member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "left out, null and a value are three things")]
pub struct UpdateMember {
    /// Null removes the role; `scan_returns` must then be true.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Role>, required = false)]
    role: Option<Option<Role>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    scan_returns: Option<bool>,
}

/// The seller's members, oldest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/members", operation_id = "list_members", tag = "team",
    params(Page), responses((status = 200, body = TeamMembers))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<TeamMembers>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("members", member.scope.seller_id(), &());
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?.map_or(Uuid::nil(), |at| at.id);
    // One row more than the limit shows whether there is a next page.
    let rows = lists.read(&member.scope, MEMBERS, &[&after, &(limit + 1)]).await?;
    let mut members = rows.iter().map(TeamMember::try_from).collect::<Result<Vec<_>, _>>()?;
    let next_cursor = super::paging::cut(&mut members, limit)
        .map(|last| list.cursor(Position { micros: 0, id: *last.member_id.as_uuid() }));
    Ok(Json(TeamMembers { members, next_cursor }))
}

/// A member
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/members/{memberId}", operation_id = "get_member", tag = "team",
    responses((status = 200, body = TeamMember))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<MemberId>,
) -> Result<Tagged<TeamMember>, ApiError> {
    let rows = context.database.read(&member.scope, MEMBER, &[&id]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Member))?;
    Ok(Tagged(TeamMember::try_from(row)?))
}

/// Changes a member's rights
///
/// An admin can change only members who are neither owner nor admin, and cannot give either role.
#[utoipa::path(
    patch, path = "/v1/sellers/{sellerId}/members/{memberId}", operation_id = "update_member", tag = "team",
    responses((status = 200, description = "The member as it is now", body = TeamMember))
)]
pub async fn update(
    State(context): State<SharedContext>,
    member: Member<MembersManage>,
    PathId(id): PathId<MemberId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<UpdateMember>,
) -> Result<Tagged<TeamMember>, ApiError> {
    let (is_role_given, role) = (body.role.is_some(), body.role.flatten().map(Role::as_str));
    let change: Params<'_> = &[&id, &if_match.0, &is_role_given, &role, &body.scan_returns];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(UPDATE_MEMBER, change), (MEMBER, &[&id])]).await;
    let answers = answers.map_err(without_rights_or)?;
    let found = answers[1].first().map(TeamMember::try_from).transpose()?;
    if answers[0].is_empty() {
        return Err(why_not(found, if_match));
    }
    Ok(Tagged(found.ok_or(ApiError::NotFound(Missing::Member))?))
}

/// Removes a member
///
/// The member's access ends with their next request. An admin can remove only members who are neither owner nor admin.
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/members/{memberId}", operation_id = "remove_member", tag = "team",
    responses((status = 204, description = "Removed"))
)]
pub async fn remove(
    State(context): State<SharedContext>,
    member: Member<MembersManage>,
    PathId(id): PathId<MemberId>,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(REMOVE_MEMBER, &[&id, &if_match.0]), (MEMBER, &[&id])]).await?;
    if answers[0].is_empty() {
        let found = answers[1].first().map(TeamMember::try_from).transpose()?;
        return Err(why_not(found, if_match));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Why a member was not changed: it is gone, it has changed meanwhile, or the caller's role does not reach it.
fn why_not(found: Option<TeamMember>, if_match: IfMatch) -> ApiError {
    match (found, if_match.0) {
        (None, _) => ApiError::NotFound(Missing::Member),
        (Some(member), Some(seen)) if member.version != seen => ApiError::VersionMismatch,
        (Some(_), _) => ApiError::Forbidden,
    }
}

fn without_rights_or(error: Error) -> ApiError {
    match error {
        Error::Violates { constraint } if constraint == "members_check" => {
            ApiError::InvalidBody(vec![FieldProblem::new(
                "role",
                "may be null only for a member with scan_returns",
            )])
        }
        other => other.into(),
    }
}

impl Versioned for TeamMember {
    fn version(&self) -> i32 {
        self.version
    }
}

impl TryFrom<&Row> for TeamMember {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            member_id: row.try_get("id")?,
            person_id: row.try_get("person_id")?,
            email: row.try_get("email")?,
            role: Role::read_optional(row, "role")?,
            scan_returns: row.try_get("scan_returns")?,
            is_you: row.try_get("is_you")?,
            version: row.try_get("version")?,
            since: row.try_get("created_at")?,
        })
    }
}
