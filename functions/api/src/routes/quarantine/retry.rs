//! `POST …/accounts/{accountId}/quarantine/retry`: records that were set aside are read again.
//!
//! The records are marked in the transaction that asks for a run, and the run takes them up before it reads the marketplace.

use axum::extract::State;
use robnu_tenancy::{AccountId, Error, Params, QuarantinedRecordId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::kinds::RequestableKind;
use crate::problem::ApiError;
use crate::route_permissions::SyncRun;
use crate::routes::sync::{SyncAnswer, Wanted, ask};

const RETRY: &str = include_str!("../../sql/quarantine/retry.sql");

/// Which records to read again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryQuarantine {
    /// Records that runs of this kind have read.
    kind: RequestableKind,
    /// This one only; all of the account when it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Uuid, required = false)]
    record_id: Option<QuarantinedRecordId>,
}

/// Records that will be read again, and the run that does it.
#[derive(Serialize, ToSchema)]
pub struct Retry {
    /// How many; 0 when the account has none such.
    records: i32,
    #[serde(flatten)]
    run: SyncAnswer,
}

/// Reads records again that were set aside
///
/// For when a mapping has learned to read what it could not: a record that can be read now is stored and goes from the list, any
/// other stays with its reason. An older version replaces no newer one. The run that is made, or the live one, takes the records up when
/// it begins or goes on; those that come too late for it, the next run takes.
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
