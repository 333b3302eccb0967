//! `POST …/accounts/{accountId}/quarantine/retry`: asks for records that were set aside to be read again.
//!
//! The records are marked in the transaction that asks for a run, and the run reads them before it reads the marketplace.

use axum::extract::State;
use robnu_tenancy::{AccountId, Error, Params, QuarantinedRecordId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::kinds::RetriedKind;
use crate::problem::ApiError;
use crate::route_permissions::SyncRun;
use crate::routes::sync::{SyncAnswer, Wanted, ask};

const RETRY: &str = include_str!("../../sql/quarantine/retry.sql");

/// The records to read again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryQuarantine {
    /// Records of this kind of run; `FILE_IMPORT` for rows of files.
    kind: RetriedKind,
    /// Only this record; without it, all records of the account and kind.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Uuid, required = false)]
    record_id: Option<QuarantinedRecordId>,
}

/// The number of records that will be read again, and the run that reads them.
#[derive(Serialize, ToSchema)]
pub struct Retry {
    /// How many records; 0 when the account has none.
    records: i32,
    #[serde(flatten)]
    run: SyncAnswer,
}

/// Reads records that were set aside again
///
/// Use this after a mapping was improved. A record that can be read now is stored and leaves the list; any other stays with
/// its reason. An older version never replaces a newer one. The new run, or the live one, reads the records when it starts
/// or continues; records that come too late for it are read by the next run.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/quarantine/retry", operation_id = "retry_quarantine", tag = "runs",
    responses(
        (status = 202, description = "A new run", body = Retry),
        (status = 200, description = "The live run of the same account and kind", body = Retry)
    )
)]
pub async fn retry(
    State(context): State<SharedContext>,
    member: Member<SyncRun>,
    PathId(account): PathId<AccountId>,
    KeyedJson(body, idempotency): KeyedJson<RetryQuarantine>,
) -> Result<Reply<Retry>, ApiError> {
    let kind = body.kind.0;
    let wanted = Wanted { kind, full: false, window: None };
    let marked: Params<'_> = &[&account, &kind.as_str(), &body.record_id];
    let further = [(RETRY, marked)];
    ask(&context, &member.scope, account, wanted, &further, &idempotency, |run, rows| {
        let row = rows[0].first().ok_or(Error::RowCount { found: 0 })?;
        Ok(Retry { records: row.try_get("records").map_err(Error::from)?, run })
    })
    .await
}
