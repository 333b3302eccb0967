//! `POST /v1/sellers/{sellerId}/accounts`: connects a marketplace account.
//!
//! The marketplace is asked before anything is stored: refused credentials make no account. Secrets are sealed with the
//! seller's data key before they are sent to the database. Account, details, events and schedule are stored in one
//! transaction. The lane request to the lanes function follows it; the reconciliation repairs a lost one.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::{Credentials, DetailsSpec};
use robnu_marketplace::registry::Registry;
use robnu_storage::WrappedKey;
use robnu_tenancy::{Error, Params, Row, SellerScope, ToSql};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::check::{self, Beginning, END_CHECK, Outcome};
use super::lane::ask_for_lane;
use super::sealed::{Column, seal};
use super::{ACCOUNT, Account, MAX_DISPLAY_NAME};
use crate::context::{Context, SharedContext};
use crate::details_schema::with_details;
use crate::fields::{label, label_schema};
use crate::idempotency::{Before, Idempotency, KeyedJson, Reply};
use crate::identity::Member;
use crate::known_text::{AccountIdSource, MarketplaceStatus};
use crate::problem::refusals::CREDENTIALS_OF_ANOTHER_ACCOUNT;
use crate::problem::{ApiError, FieldProblem};
use crate::route_permissions::AccountsManage;

const CONNECT_TERMS: &str = include_str!("../../sql/accounts/connect_terms.sql");
const INSERT_ACCOUNT: &str = include_str!("../../sql/accounts/insert.sql");
const INSERT_EVENT: &str = include_str!("../../sql/accounts/insert_credential_event.sql");
const INSERT_SCHEDULE: &str = include_str!("../../sql/accounts/insert_schedule.sql");

pub(super) const MAX_EXTERNAL_ID: usize = 100;

/// The request. It holds secrets, so it is never printed.
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

/// A new account as it is stored, with every field checked.
pub(super) struct Stored {
    pub marketplace: MarketplaceCode,
    pub spec: &'static DetailsSpec,
    pub external_account_id: String,
    pub display_name: String,
    pub credentials: Credentials,
    /// Who gave the id, unless the check confirms it.
    pub source: AccountIdSource,
}

/// What the database returns before anything is written.
pub(super) struct Terms {
    pub key: WrappedKey,
}

/// Connects an account whose credentials the marketplace accepts; its lane follows within moments
///
/// The marketplace is asked before anything is stored. Refused credentials are counted over all sellers: 429 says how long
/// to wait. A seller can connect at most 100 accounts within 24 hours, by consent or with details.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts", operation_id = "connect_account", tag = "accounts",
    responses((status = 201, description = "The account", body = Account))
)]
pub async fn connect(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    KeyedJson(body, idempotency): KeyedJson<ConnectAccount>,
) -> Result<Reply<Account>, ApiError> {
    let (wanted, scope, begun) = (body.check(&context.registry)?, &member.scope, Beginning::new());
    let code = wanted.marketplace.as_str();
    let login = check::login_digest(&context, code, wanted.spec, &wanted.credentials);
    let hash = idempotency.key_hash();
    let params: Params<'_> =
        &[&code, &wanted.external_account_id, &begun.check, &login, &begun.account, &hash];
    let terms = match idempotency.before(&context.database, scope, &[(CONNECT_TERMS, params)]).await? {
        Before::Answered(reply) => return Ok(reply),
        Before::Rows(answers) => Terms::read(answers[0].first())?,
    };
    let adapter = context.registry.adapter(wanted.marketplace);
    let conversation = async {
        let connection = adapter.connect(
            *begun.account.as_uuid(),
            wanted.credentials.clone(),
            check::conversation_ends().into(),
        )?;
        check::ask(connection.as_ref(), &[], &CREDENTIALS_OF_ANOTHER_ACCOUNT).await
    };
    let outcome = check::hold(&context, scope, begun.check, conversation).await?;
    let reply = insert(&context, scope, &idempotency, &wanted, &terms, (begun, outcome)).await?;
    if let Some(account) = reply.done() {
        ask_for_lane(&context, scope, account.account_id).await;
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
                let source = AccountIdSource::SELLER;
                Ok(Stored { marketplace, spec, external_account_id, display_name, credentials, source })
            }
            _ => Err(ApiError::InvalidBody(problems)),
        }
    }
}

pub(super) fn not_connectable() -> FieldProblem {
    FieldProblem::new("marketplace", "is not a marketplace that can be connected")
}

/// Refuses a marketplace that accepts no accounts now, by its `status` in the row: neither new accounts nor new credentials
/// of others.
pub(super) fn require_connectable(row: &Row) -> Result<(), ApiError> {
    match MarketplaceStatus::read(row, "status")? {
        MarketplaceStatus::ACTIVE => Ok(()),
        _ => Err(ApiError::InvalidBody(vec![not_connectable()])),
    }
}

/// The marketplace's id of an account, as it was sent in `field`.
pub(super) fn external_account_id(field: &str, text: &str) -> Result<String, ApiError> {
    label(field, text, MAX_EXTERNAL_ID).map_err(|problem| ApiError::InvalidBody(vec![problem]))
}

impl Terms {
    /// Reads what connecting needs to know. A refusal comes before any call to KMS or the marketplace.
    fn read(row: Option<&Row>) -> Result<Self, ApiError> {
        let row = row.ok_or_else(|| ApiError::InvalidBody(vec![not_connectable()]))?;
        require_connectable(row)?;
        let get = Error::from;
        let key = WrappedKey::from_row(row)?.ok_or(ApiError::NoDataKey)?;
        if row.try_get::<_, bool>("is_connected").map_err(get)? {
            return Err(ApiError::AccountExists);
        }
        check::require_begun(row)?;
        Ok(Self { key })
    }
}

/// Seals the secrets and writes account, details, events, schedule and the check's end in one transaction and one round trip.
pub(super) async fn insert(
    context: &Context,
    scope: &SellerScope,
    idempotency: &Idempotency,
    wanted: &Stored,
    terms: &Terms,
    (Beginning { check, account }, outcome): (Beginning, Outcome),
) -> Result<Reply<Account>, ApiError> {
    let stored = async {
        let cipher = context.keys.cipher(scope.seller_id(), &terms.key).await?;
        let seller = scope.seller_id();
        let columns = seal(wanted.spec, &wanted.credentials, account, &cipher)?;
        let mut details: Vec<&(dyn ToSql + Sync)> = vec![&seller, &account];
        details.extend(columns.iter().map(Column::as_param));
        let is_confirmed =
            outcome.is_verified() && wanted.spec.confirms(&wanted.credentials, &wanted.external_account_id);
        let source = if is_confirmed { AccountIdSource::MARKETPLACE } else { wanted.source }.as_str();
        let (code, verified) = (wanted.marketplace.as_str(), outcome.is_verified());
        let (id, name) = (&wanted.external_account_id, &wanted.display_name);
        let row: Params<'_> = &[&seller, &account, &code, id, name, &source, &verified];
        let effect: [(&str, Params<'_>); 6] = [
            (INSERT_ACCOUNT, row),
            (wanted.spec.insert, &details),
            (INSERT_EVENT, &[&seller, &account]),
            (INSERT_SCHEDULE, &[&seller, &account]),
            (END_CHECK, &[&check, &outcome.as_str()]),
            (ACCOUNT, &[&account]),
        ];
        let read = |answers: &[Vec<Row>]| {
            let inserted = answers[5].first().ok_or(Error::RowCount { found: 0 })?;
            Ok((StatusCode::CREATED, Account::try_from(inserted)?))
        };
        idempotency.run(&context.database, scope, &effect, read).await.map_err(exists_or)
    };
    check::unless_stored(context, scope, check, stored.await, |reply| reply.done().is_some()).await
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
