//! `POST /v1/sellers/{sellerId}/accounts`: connects a marketplace account.
//!
//! Secrets are sealed with the seller's data key before they go near the database. Account, details, event and schedule
//! are one transaction; the doorbell to the lanes function follows it, and a lost one is found by the reconciliation.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::{Credentials, DetailsSpec};
use robnu_marketplace::registry::Registry;
use robnu_storage::{SellerCipher, WrappedKey};
use robnu_tenancy::{AccountId, Error, Params, Row, SellerScope, ToSql};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::lane::ask_for_lane;
use super::sealed::{Column, seal};
use super::{ACCOUNT, Account, MAX_DISPLAY_NAME};
use crate::app::{App, SharedApp};
use crate::details_schema::with_details;
use crate::fields::{label, label_schema};
use crate::idempotency::{Idempotency, KeyedJson, Reply};
use crate::identity::Member;
use crate::known_text::MarketplaceStatus;
use crate::problem::{ApiError, FieldProblem};
use crate::rights::AccountsManage;

const CONNECT_TERMS: &str = include_str!("../../sql/connect_terms.sql");
const INSERT_ACCOUNT: &str = include_str!("../../sql/insert_account.sql");
const INSERT_EVENT: &str = include_str!("../../sql/insert_credential_event.sql");
const INSERT_SCHEDULE: &str = include_str!("../../sql/insert_schedule.sql");

pub(super) const MAX_EXTERNAL_ID: usize = 100;

/// The request. Holds secrets, so it is never printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectAccount {
    marketplace: String,
    external_account_id: String,
    display_name: String,
    details: BTreeMap<String, String>,
}

impl PartialSchema for ConnectAccount {
    fn schema() -> RefOr<Schema> {
        let external_account_id = label_schema::<MAX_EXTERNAL_ID>().into();
        let display_name = label_schema::<MAX_DISPLAY_NAME>().into();
        with_details(&[("external_account_id", external_account_id), ("display_name", display_name)]).into()
    }
}

impl ToSchema for ConnectAccount {}

/// What is stored of a new account, every field checked.
pub(super) struct Stored {
    pub marketplace: MarketplaceCode,
    pub spec: &'static DetailsSpec,
    pub external_account_id: String,
    pub display_name: String,
    pub credentials: Credentials,
}

/// What the database says before anything is written.
struct Terms {
    key: WrappedKey,
    orders_every_minutes: i32,
}

/// Connects an account; its lane follows within moments
///
/// 100 accounts of a seller within 24 hours at most, by consent or with details.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts", operation_id = "connect_account", tag = "accounts",
    responses((status = 201, description = "The account", body = Account))
)]
pub async fn connect(
    State(app): State<SharedApp>,
    member: Member<AccountsManage>,
    KeyedJson(body, idempotency): KeyedJson<ConnectAccount>,
) -> Result<Reply<Account>, ApiError> {
    let wanted = body.check(&app.registry)?;
    let terms = terms(&app, &member.scope, wanted.marketplace).await?;
    let cipher = app.keys.cipher(member.scope.seller_id(), &terms.key).await?;
    let every = terms.orders_every_minutes;
    let reply = insert(&app, &member.scope, &idempotency, &wanted, every, &cipher).await?;
    if let Some(account) = reply.done() {
        ask_for_lane(&app, &member.scope, account.account_id).await;
    }
    Ok(reply)
}

impl ConnectAccount {
    fn check(self, registry: &Registry) -> Result<Stored, ApiError> {
        let mut problems = Vec::new();
        let external_account_id = label("external_account_id", &self.external_account_id, MAX_EXTERNAL_ID)
            .map_err(|problem| problems.push(problem));
        let display_name = label("display_name", &self.display_name, MAX_DISPLAY_NAME)
            .map_err(|problem| problems.push(problem));
        let marketplace =
            self.marketplace.parse::<MarketplaceCode>().map_err(|_| problems.push(not_connectable()));
        let details = marketplace.and_then(|code| {
            let spec = registry.adapter(code).details();
            match spec.parse(&self.details) {
                Ok(credentials) => Ok((code, spec, credentials)),
                Err(errors) => {
                    problems.extend(errors.into_iter().map(FieldProblem::from));
                    Err(())
                }
            }
        });
        match (external_account_id, display_name, details) {
            (Ok(external_account_id), Ok(display_name), Ok((marketplace, spec, credentials))) => {
                Ok(Stored { marketplace, spec, external_account_id, display_name, credentials })
            }
            _ => Err(ApiError::InvalidBody(problems)),
        }
    }
}

pub(super) fn not_connectable() -> FieldProblem {
    FieldProblem::new("marketplace", "is not a marketplace that can be connected")
}

/// Refuses a marketplace, whose `status` is in the row, that takes no accounts now: neither new ones nor credentials of others.
pub(super) fn require_connectable(row: &Row) -> Result<(), ApiError> {
    match MarketplaceStatus::read(row, "status")? {
        MarketplaceStatus::ACTIVE => Ok(()),
        _ => Err(ApiError::InvalidBody(vec![not_connectable()])),
    }
}

/// The marketplace's id of an account, as it came from outside in `field`.
pub(super) fn external_account_id(field: &str, text: &str) -> Result<String, ApiError> {
    label(field, text, MAX_EXTERNAL_ID).map_err(|problem| ApiError::InvalidBody(vec![problem]))
}

/// Reads what connecting needs to know; the door refuses who may not connect before KMS is asked for anything.
async fn terms(app: &App, scope: &SellerScope, marketplace: MarketplaceCode) -> Result<Terms, ApiError> {
    let rows = app.database.read(scope, CONNECT_TERMS, &[&marketplace.as_str()]).await?;
    let row = rows.first().ok_or_else(|| ApiError::InvalidBody(vec![not_connectable()]))?;
    require_connectable(row)?;
    let get = Error::from;
    let id = row.try_get::<_, Option<_>>("key_id").map_err(get)?.ok_or(ApiError::NoDataKey)?;
    Ok(Terms {
        key: WrappedKey { id, ciphertext: row.try_get("wrapped_key").map_err(get)? },
        orders_every_minutes: row.try_get("orders_every_minutes").map_err(get)?,
    })
}

/// Writes account, details, event and schedule in one transaction and one flight.
pub(super) async fn insert(
    app: &App,
    scope: &SellerScope,
    idempotency: &Idempotency,
    wanted: &Stored,
    orders_every_minutes: i32,
    cipher: &SellerCipher,
) -> Result<Reply<Account>, ApiError> {
    let (seller, account) = (scope.seller_id(), AccountId::new());
    let columns = seal(wanted.spec, &wanted.credentials, account, cipher)?;
    let mut details: Vec<&(dyn ToSql + Sync)> = vec![&seller, &account];
    details.extend(columns.iter().map(Column::as_param));
    let code = wanted.marketplace.as_str();
    let row: Params<'_> = &[&seller, &account, &code, &wanted.external_account_id, &wanted.display_name];
    let effect: [(&str, Params<'_>); 5] = [
        (INSERT_ACCOUNT, row),
        (wanted.spec.insert, &details),
        (INSERT_EVENT, &[&seller, &account]),
        (INSERT_SCHEDULE, &[&seller, &account, &orders_every_minutes]),
        (ACCOUNT, &[&account]),
    ];
    let read = |answers: &[Vec<Row>]| {
        let inserted = answers[4].first().ok_or(Error::RowCount { found: 0 })?;
        Ok((StatusCode::CREATED, Account::try_from(inserted)?))
    };
    idempotency.run(&app.database, scope, &effect, read).await.map_err(exists_or)
}

fn exists_or(error: ApiError) -> ApiError {
    match error {
        ApiError::Database(Error::Exists { constraint })
            if constraint.starts_with("marketplace_accounts_") =>
        {
            ApiError::AccountExists
        }
        other => other,
    }
}
