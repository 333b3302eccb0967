//! `POST /v1/sellers/{sellerId}/accounts/authorizations/complete`: makes an account from the parameters that a consent page
//! sent back.
//!
//! There are three steps, and no connection to the database is held while the marketplace is asked. First the state is used
//! up and committed. Then the code is exchanged and the marketplace is asked whose account it opens. Last, account, sealed
//! secrets, event and schedule are stored in one transaction. A failure in between leaves no account, not even half of one;
//! the seller consents again.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::Credentials;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::oauth::{CallbackError, STATE};
use robnu_storage::WrappedKey;
use robnu_tenancy::{AccountId, Error, Params, Row, SellerScope, ToSql};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::check::{self, Beginning, END_CHECK, Outcome, Trouble};
use super::connect::{self, Stored, Terms};
use super::lane::ask_for_lane;
use super::rotate::RECONNECT_ACCOUNT;
use super::sealed::{Column, seal};
use super::{ACCOUNT, Account};
use crate::context::{Context, SharedContext};
use crate::idempotency::{Before, Idempotency, KeyedJson, Reply};
use crate::identity::Member;
use crate::known_text::AccountIdSource;
use crate::one_time_token::OneTimeToken;
use crate::problem::refusals::{
    CONSENT_DENIED, CONSENT_NOT_CONFIGURED, CONSENT_OF_ANOTHER_ACCOUNT, CONSENT_REFUSED, NOT_SUPPORTED,
};
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::AccountsManage;

const USE: &str = include_str!("../../sql/accounts/use_authorization.sql");

/// The parameters with which the marketplace sent the browser back.
// It holds a code that is worth as much as credentials, so it is never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteAuthorization {
    /// The query parameters that the platform's page received, unchanged.
    #[schema(schema_with = parameters_schema)]
    parameters: BTreeMap<String, String>,
}

/// The account for which the consent was requested.
struct Pending {
    marketplace: MarketplaceCode,
    /// The account that the consent must be for, if it is known.
    external_account_id: Option<String>,
    target: Target,
    terms: Terms,
    /// The newest stored orders of an existing account; the consent must open the account that has them.
    newest_orders: Vec<String>,
}

enum Target {
    New { display_name: String },
    Again(AccountId),
}

/// Connects the account that the seller consented to, or connects it again
///
/// The parameters are valid once, within ten minutes, for the person who began. After any refusal, begin again with
/// `authorize_account`.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/authorizations/complete", operation_id = "complete_authorization",
    tag = "accounts",
    responses(
        (status = 201, description = "The new account", body = Account),
        (status = 200, description = "The account, connected again", body = Account)
    )
)]
pub async fn complete(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    KeyedJson(body, idempotency): KeyedJson<CompleteAuthorization>,
) -> Result<Reply<Account>, ApiError> {
    let (scope, parameters) = (&member.scope, body.parameters);
    let missing = || ApiError::InvalidBody(vec![FieldProblem::new("parameters.state", "is required")]);
    let state = OneTimeToken::parse(parameters.get(STATE).ok_or_else(missing)?);
    let unknown = ApiError::NotFound(Missing::Authorization);
    let Some(hash) = state.map(|state| state.hash()) else { return Err(unknown) };
    let begun = Beginning::new();
    let statements: [(&str, Params<'_>); 1] =
        [(USE, &[&hash, &idempotency.key_hash(), &begun.check, &begun.account])];
    let pending = match idempotency.before(&context.database, scope, &statements).await? {
        Before::Answered(reply) => return Ok(reply),
        Before::Rows(answers) => Pending::read(answers[0].first().ok_or(unknown)?)?,
    };
    let account = match &pending.target {
        Target::New { .. } => begun.account,
        Target::Again(account) => *account,
    };
    let conversation = consented(&context, &pending, &parameters, account);
    let consented = check::hold(&context, scope, begun.check, conversation).await?;
    let begun = Beginning { account, ..begun };
    let reply = match pending.target {
        Target::New { display_name } => {
            let stored = Stored {
                marketplace: pending.marketplace,
                spec: context.registry.adapter(pending.marketplace).details(),
                external_account_id: consented.external_account_id,
                display_name,
                credentials: consented.credentials,
                source: consented.source,
            };
            connect::insert(
                &context,
                scope,
                &idempotency,
                &stored,
                &pending.terms,
                (begun, Outcome::Accepted),
            )
            .await?
        }
        Target::Again(_) => {
            let replaced =
                replace(&context, scope, &idempotency, &pending, &begun, &consented.credentials).await;
            check::unless_stored(&context, scope, begun.check, replaced, |reply| reply.done().is_some())
                .await?
        }
    };
    if let Some(account) = reply.done() {
        ask_for_lane(&context, scope, account.account_id).await;
    }
    Ok(reply)
}

/// The account that a consent opens.
struct Consented {
    credentials: Credentials,
    external_account_id: String,
    /// Who confirmed that id.
    source: AccountIdSource,
}

/// Exchanges the code and uses the result to ask whether the account sells here and, when an account is connected again,
/// whether it is the account whose orders are stored. The browser's own claims about it prove nothing.
async fn consented(
    context: &Context,
    pending: &Pending,
    parameters: &BTreeMap<String, String>,
    account: AccountId,
) -> Result<Consented, Trouble> {
    let consented = exchange(context, pending, parameters).await?;
    let adapter = context.registry.adapter(pending.marketplace);
    let asked = async {
        let connection = adapter.connect(
            *account.as_uuid(),
            consented.credentials.clone(),
            check::conversation_ends().into(),
        )?;
        check::ask(connection.as_ref(), &pending.newest_orders, &CONSENT_OF_ANOTHER_ACCOUNT).await
    };
    match asked.await {
        Ok(_) => Ok(consented),
        // The state is used up, so after any error the seller must consent again.
        Err(trouble) if trouble.counts == Outcome::Refused => Err(Trouble::refused(&CONSENT_REFUSED)),
        Err(trouble) => Err(trouble),
    }
}

/// The credentials that the code was exchanged for, and the account that they are said to open.
async fn exchange(
    context: &Context,
    pending: &Pending,
    parameters: &BTreeMap<String, String>,
) -> Result<Consented, Trouble> {
    let early = Trouble::unanswered;
    let oauth = context.registry.adapter(pending.marketplace).oauth();
    let oauth = oauth.ok_or_else(|| early(ApiError::Refused(&NOT_SUPPORTED)))?;
    let consent = oauth.read_callback(parameters).map_err(|error| match error {
        CallbackError::Denied => early(ApiError::Refused(&CONSENT_DENIED)),
        CallbackError::Parameter { parameter } => {
            let field = format!("parameters.{parameter}");
            early(ApiError::InvalidBody(vec![FieldProblem::new(field, "is missing or malformed")]))
        }
    })?;
    // The account that the browser named comes first; if it named none, the expected account is used.
    let (external_account_id, source) = match (&consent.external_account_id, &pending.external_account_id) {
        (Some(told), Some(expected)) if told != expected => {
            return Err(early(ApiError::Refused(&CONSENT_OF_ANOTHER_ACCOUNT)));
        }
        (Some(told), _) => {
            let id = connect::external_account_id("parameters.selling_partner_id", told).map_err(early)?;
            (id, AccountIdSource::BROWSER)
        }
        (None, Some(expected)) => (expected.clone(), AccountIdSource::SELLER),
        (None, None) => return Err(early(Error::RowShape.into())),
    };
    let exchanged = oauth.exchange_code(&consent, &context.oauth_redirect_uri).await;
    let credentials = exchanged.map_err(|error| unexchanged(pending.marketplace, &error))?;
    Ok(Consented { credentials, external_account_id, source })
}

/// The seller's response when a code was not exchanged. Operators read the reason in the log.
fn unexchanged(marketplace: MarketplaceCode, error: &AdapterError) -> Trouble {
    let reason = robnu_observe::chain(error);
    let retry_after = error.retry_after();
    match error {
        AdapterError::Unauthorized => return Trouble::refused(&CONSENT_REFUSED),
        AdapterError::Configuration { .. } => {
            tracing::error!(marketplace = %marketplace, error = reason, "the platform's application does not work");
            return Trouble::unanswered(ApiError::Refused(&CONSENT_NOT_CONFIGURED));
        }
        AdapterError::RateLimited { .. } | AdapterError::Unavailable { .. } => {
            tracing::warn!(marketplace = %marketplace, error = reason, "a code could not be exchanged");
        }
        _ => tracing::error!(marketplace = %marketplace, error = reason, "a code could not be exchanged"),
    }
    Trouble::unanswered(ApiError::MarketplaceUnavailable { retry_after })
}

/// Replaces the details of an existing account, as new credentials do.
async fn replace(
    context: &Context,
    scope: &SellerScope,
    idempotency: &Idempotency,
    pending: &Pending,
    Beginning { check, account }: &Beginning,
    credentials: &Credentials,
) -> Result<Reply<Account>, ApiError> {
    let cipher = context.keys.cipher(scope.seller_id(), &pending.terms.key).await?;
    let spec = context.registry.adapter(pending.marketplace).details();
    let columns = seal(spec, credentials, *account, &cipher)?;
    let mut details: Vec<&(dyn ToSql + Sync)> = vec![account];
    details.extend(columns.iter().map(Column::as_param));
    let effect: [(&str, Params<'_>); 4] = [
        (spec.update, &details),
        (RECONNECT_ACCOUNT, &[account]),
        (END_CHECK, &[check, &Outcome::Accepted.as_str()]),
        (ACCOUNT, &[account]),
    ];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[3].first().ok_or(Error::RowCount { found: 0 })?;
        Ok((StatusCode::OK, Account::try_from(row)?))
    };
    idempotency.run(&context.database, scope, &effect, read).await
}

impl Pending {
    fn read(row: &Row) -> Result<Self, ApiError> {
        connect::require_connectable(row)?;
        let get = Error::from;
        let code: &str = row.try_get("marketplace_code").map_err(get)?;
        let name: Option<String> = row.try_get("display_name").map_err(get)?;
        let account: Option<AccountId> = row.try_get("account_id").map_err(get)?;
        let target = match (name, account) {
            (Some(display_name), None) => Target::New { display_name },
            (None, Some(account)) => Target::Again(account),
            _ => return Err(Error::RowShape.into()),
        };
        let key = WrappedKey::from_row(row)?.ok_or(ApiError::NoDataKey)?;
        check::require_begun(row)?;
        Ok(Self {
            marketplace: code.parse().map_err(|_| Error::RowShape)?,
            external_account_id: row.try_get("external_account_id").map_err(get)?,
            target,
            terms: Terms { key },
            newest_orders: row.try_get("newest_orders").map_err(get)?,
        })
    }
}

/// Any parameters that the marketplace adds are accepted; the state is required.
fn parameters_schema() -> Object {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let object = ObjectBuilder::new().schema_type(Type::Object);
    object.property(STATE, text()).required(STATE).additional_properties(Some(text())).build()
}
