//! `/v1/sellers/{sellerId}/accounts/{accountId}/schedules`: what is read of an account automatically, and how often.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, Error, Params, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::ACCOUNT_EXISTS;
use crate::context::SharedContext;
use crate::identity::{Member, PathId};
use crate::json::JsonBody;
use crate::kinds::{KindName, ScheduledKind, not_offered};
use crate::known_text::AccountStatus;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::{Read, SyncRun};
use crate::versions::{IfMatch, Tagged, Versioned};
use crate::whole::Whole;

const SCHEDULES: &str = include_str!("../sql/schedules/list.sql");
const SCHEDULE: &str = include_str!("../sql/schedules/show.sql");
const SET: &str = include_str!("../sql/schedules/set.sql");
const REMOVE: &str = include_str!("../sql/schedules/remove.sql");
const WHY_NOT: &str = include_str!("../sql/schedules/account.sql");

/// A week, in minutes.
const LONGEST: i32 = 7 * 24 * 60;
/// The shortest interval of checks, in minutes: each logs in at the marketplace, which watches how often that happens.
const SHORTEST_OF_CHECKS: i32 = 60;

/// A kind that is read automatically, and how often.
#[derive(Serialize, ToSchema)]
pub struct Schedule {
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    kind: KindName,
    every_minutes: i32,
    enabled: bool,
    next_due_at: DateTime<Utc>,
    version: i32,
}

/// An account's schedules.
#[derive(Serialize, ToSchema)]
pub struct Schedules {
    schedules: Vec<Schedule>,
}

/// How often to read, and whether the schedule is enabled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSchedule {
    #[schema(value_type = i32, minimum = 1, maximum = 10080)]
    every_minutes: Whole,
    enabled: bool,
}

impl Versioned for Schedule {
    fn version(&self) -> i32 {
        self.version
    }
}

/// An account's schedules
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/accounts/{accountId}/schedules", operation_id = "list_schedules",
    tag = "schedules", responses((status = 200, body = Schedules))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(account): PathId<AccountId>,
) -> Result<Json<Schedules>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 2] = [(ACCOUNT_EXISTS, &[&account]), (SCHEDULES, &[&account])];
    let answers = session.commit_with(&statements).await?;
    if answers[0].is_empty() {
        return Err(ApiError::NotFound(Missing::Account));
    }
    let schedules = answers[1].iter().map(Schedule::try_from).collect::<Result<_, Error>>()?;
    Ok(Json(Schedules { schedules }))
}

/// Creates or changes a schedule
#[utoipa::path(
    put, path = "/v1/sellers/{sellerId}/accounts/{accountId}/schedules/{kind}", operation_id = "set_schedule",
    tag = "schedules", responses((status = 200, body = Schedule))
)]
pub async fn set(
    State(context): State<SharedContext>,
    member: Member<SyncRun>,
    PathId(account): PathId<AccountId>,
    PathId(kind): PathId<ScheduledKind>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<SetSchedule>,
) -> Result<Tagged<Schedule>, ApiError> {
    let shortest = if kind.0 == RunKind::CredentialCheck { SHORTEST_OF_CHECKS } else { 1 };
    if !(shortest..=LONGEST).contains(&body.every_minutes.0) {
        let problem = FieldProblem::new("every_minutes", format!("must be from {shortest} to {LONGEST}"));
        return Err(ApiError::InvalidBody(vec![problem]));
    }
    let kind = kind.0.as_str();
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 3] = [
        (SET, &[&account, &kind, &body.every_minutes.0, &body.enabled, &if_match.0]),
        (SCHEDULE, &[&account, &kind]),
        (WHY_NOT, &[&account, &kind]),
    ];
    let answers = session.commit_with(&statements).await?;
    if answers[0].is_empty() {
        return Err(why_not(answers[2].first())?);
    }
    let row = answers[1].first().ok_or(Error::RowCount { found: 0 })?;
    Ok(Tagged(Schedule::try_from(row)?))
}

/// Why no schedule was created or changed.
fn why_not(account: Option<&Row>) -> Result<ApiError, ApiError> {
    let Some(account) = account else { return Ok(ApiError::NotFound(Missing::Account)) };
    if let Some(refusal) = not_offered(account)? {
        return Ok(refusal);
    }
    match AccountStatus::read(account, "status")? {
        AccountStatus::DISCONNECTED => Ok(ApiError::AccountNotActive),
        _ => Ok(ApiError::VersionMismatch),
    }
}

/// Removes a schedule
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/accounts/{accountId}/schedules/{kind}", operation_id = "remove_schedule",
    tag = "schedules", responses((status = 204, description = "The schedule is removed"))
)]
pub async fn remove(
    State(context): State<SharedContext>,
    member: Member<SyncRun>,
    PathId(account): PathId<AccountId>,
    PathId(kind): PathId<ScheduledKind>,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    let kind = kind.0.as_str();
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 2] =
        [(REMOVE, &[&account, &kind, &if_match.0]), (SCHEDULE, &[&account, &kind])];
    let answers = session.commit_with(&statements).await?;
    match (answers[0].is_empty(), answers[1].is_empty()) {
        (false, _) => Ok(StatusCode::NO_CONTENT),
        (true, true) => Err(ApiError::NotFound(Missing::Schedule)),
        (true, false) => Err(ApiError::VersionMismatch),
    }
}

impl TryFrom<&Row> for Schedule {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account_id: row.try_get("account_id")?,
            kind: KindName::read(row, "kind")?,
            every_minutes: row.try_get("every_minutes")?,
            enabled: row.try_get("enabled")?,
            next_due_at: row.try_get("next_due_at")?,
            version: row.try_get("version")?,
        })
    }
}
