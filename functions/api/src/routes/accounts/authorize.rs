//! `POST /v1/sellers/{sellerId}/accounts/authorizations`: sends a seller to a marketplace's consent page.
//!
//! The address holds a `state` of 32 bytes; the database keeps its hash. The state ties the returned parameters to this
//! seller and this person, once, for ten minutes. It is derived from the authorization's id with a key that is not in the
//! database. So a response stored for an idempotency key need not hold it: the address is made again when that response is
//! repeated.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_marketplace::oauth::OAuth;
use robnu_marketplace::registry::Registry;
use robnu_tenancy::{AccountId, Error, Params, Row, SellerId, SellerScope};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::connect::{MAX_EXTERNAL_ID, not_connectable};
use super::{ACCOUNT, MAX_DISPLAY_NAME};
use crate::context::{Context, SharedContext};
use crate::details_schema::to_authorize;
use crate::fields::label;
use crate::idempotency::{Idempotency, KeyedJson, Reply};
use crate::identity::Member;
use crate::json::present;
use crate::one_time_token::OneTimeToken;
use crate::problem::refusals::{CONSENT_NOT_CONFIGURED, NOT_SUPPORTED};
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::AccountsManage;

const START: &str = include_str!("../../sql/accounts/start_authorization.sql");
const RESTART: &str = include_str!("../../sql/accounts/restart_authorization.sql");

/// The account to connect: a new one or an existing one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeAccount {
    #[serde(default, deserialize_with = "present")]
    marketplace: Option<String>,
    #[serde(default, deserialize_with = "present")]
    external_account_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    account_id: Option<AccountId>,
}

impl PartialSchema for AuthorizeAccount {
    fn schema() -> RefOr<Schema> {
        to_authorize::<MAX_EXTERNAL_ID, MAX_DISPLAY_NAME>().into()
    }
}

impl ToSchema for AuthorizeAccount {}

/// Where to send the seller's browser.
#[derive(Serialize, ToSchema)]
pub struct Authorization {
    authorization_id: Uuid,
    /// The marketplace's page. It sends the browser back with the parameters for `complete_authorization`.
    authorization_url: String,
    /// The time until which the seller may come back.
    expires_at: DateTime<Utc>,
}

/// The request, every field checked.
enum Wanted {
    New { marketplace: MarketplaceCode, external_account_id: Option<String>, display_name: String },
    Again(AccountId),
}

/// Starts to connect an account by consent on the marketplace's own page
///
/// Open `authorization_url` in the seller's browser. The marketplace sends the browser back to the platform's page with
/// parameters; send them to `complete_authorization` within ten minutes, as the same person. An existing account is named by
/// its `account_id` alone.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/authorizations", operation_id = "authorize_account",
    tag = "accounts", responses((status = 201, description = "Where to send the seller", body = Authorization))
)]
pub async fn start(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    KeyedJson(body, idempotency): KeyedJson<AuthorizeAccount>,
) -> Result<Reply<Authorization>, ApiError> {
    let (id, seller) = (Uuid::now_v7(), member.scope.seller_id());
    let state = state(&context, seller, id);
    let reply = match body.check(&context.registry)? {
        Wanted::New { marketplace, external_account_id, display_name } => {
            if pages(&context, &state, &[marketplace]).is_empty() {
                return Err(ApiError::Refused(&CONSENT_NOT_CONFIGURED));
            }
            let (hash, code) = (state.hash(), marketplace.as_str());
            let params: Params<'_> = &[&seller, &id, &hash, &code, &external_account_id, &display_name];
            let read = |answers: &[Vec<Row>]| {
                let refused = || ApiError::InvalidBody(vec![not_connectable()]);
                kept(answers[0].first().ok_or_else(refused)?, id)
            };
            idempotency.run(&context.database, &member.scope, &[(START, params)], read).await?
        }
        Wanted::Again(account) => again(&context, &member.scope, (id, &state), account, &idempotency).await?,
    };
    Ok(match reply {
        Reply::Done(status, kept) => Reply::Done(status, kept.show(&context, seller)?),
        Reply::Replayed(status, text) => {
            let kept: Kept = serde_json::from_str(&text).map_err(|_| Error::RowShape)?;
            let shown = kept.show(&context, seller)?;
            Reply::Replayed(status, serde_json::to_string(&shown).expect("responses always serialize"))
        }
    })
}

/// The part of a response that is stored: enough to make it again, but worth nothing by itself.
#[derive(Serialize, Deserialize)]
struct Kept {
    authorization_id: Uuid,
    marketplace: String,
    expires_at: DateTime<Utc>,
}

impl Kept {
    /// The answer.
    fn show(&self, context: &Context, seller: SellerId) -> Result<Authorization, ApiError> {
        let marketplace = self.marketplace.parse().map_err(|_| Error::RowShape)?;
        let pages = pages(context, &state(context, seller, self.authorization_id), &[marketplace]);
        let page = pages.into_values().next().ok_or(ApiError::Refused(&CONSENT_NOT_CONFIGURED))?;
        let Self { authorization_id, expires_at, .. } = *self;
        Ok(Authorization { authorization_id, authorization_url: page, expires_at })
    }
}

/// The state of an authorization.
fn state(context: &Context, seller: SellerId, authorization: Uuid) -> OneTimeToken {
    OneTimeToken::of(context.digests.consent_state(seller, authorization))
}

/// Sends the seller to the consent page for an existing account.
async fn again(
    context: &Context,
    scope: &SellerScope,
    (id, state): (Uuid, &OneTimeToken),
    account: AccountId,
    idempotency: &Idempotency,
) -> Result<Reply<Kept>, ApiError> {
    let pages = pages(context, state, MARKETPLACE_CODES);
    let (hash, codes) = (state.hash(), pages.keys().copied().collect::<Vec<_>>());
    let effect: [(&str, Params<'_>); 2] =
        [(RESTART, &[&id, &hash, &account, &codes]), (ACCOUNT, &[&account])];
    let read = |answers: &[Vec<Row>]| {
        let account = answers[1].first().ok_or(ApiError::NotFound(Missing::Account))?;
        match answers[0].first() {
            Some(row) => kept(row, id),
            None => Err(no_page(&context.registry, account, &pages)?),
        }
    };
    idempotency.run(&context.database, scope, &effect, read).await
}

impl AuthorizeAccount {
    fn check(self, registry: &Registry) -> Result<Wanted, ApiError> {
        let only_again =
            self.marketplace.is_none() && self.external_account_id.is_none() && self.display_name.is_none();
        match self.account_id {
            Some(account) if only_again => return Ok(Wanted::Again(account)),
            Some(_) => {
                let problem = "must be the only field: an existing account has the others";
                return Err(ApiError::InvalidBody(vec![FieldProblem::new("account_id", problem)]));
            }
            None => {}
        }
        let mut problems = Vec::new();
        let required = |field: &'static str| FieldProblem::new(field, "is required");
        let marketplace = self.marketplace.ok_or_else(|| required("marketplace"));
        let marketplace = marketplace.and_then(|code| with_consent(registry, &code));
        let display_name = self.display_name.ok_or_else(|| required("display_name"));
        let display_name = display_name.and_then(|name| label("display_name", &name, MAX_DISPLAY_NAME));
        let names_account = marketplace.as_ref().ok().map(|(_, oauth)| oauth.names_account());
        let external_account_id = match (self.external_account_id, names_account) {
            (Some(id), Some(false)) => label("external_account_id", &id, MAX_EXTERNAL_ID).map(Some),
            (None, Some(false)) => Err(required("external_account_id")),
            (Some(_), Some(true)) => {
                Err(FieldProblem::new("external_account_id", "is supplied by the marketplace itself"))
            }
            _ => Ok(None),
        };
        let marketplace = marketplace.map_err(|problem| problems.push(problem));
        let display_name = display_name.map_err(|problem| problems.push(problem));
        let external_account_id = external_account_id.map_err(|problem| problems.push(problem));
        match (marketplace, display_name, external_account_id) {
            (Ok((marketplace, _)), Ok(display_name), Ok(external_account_id)) => {
                Ok(Wanted::New { marketplace, external_account_id, display_name })
            }
            _ => Err(ApiError::InvalidBody(problems)),
        }
    }
}

/// The marketplace of this code, if its accounts are connected by consent.
fn with_consent<'a>(
    registry: &'a Registry,
    code: &str,
) -> Result<(MarketplaceCode, &'a dyn OAuth), FieldProblem> {
    let code = code.parse::<MarketplaceCode>().map_err(|_| not_connectable())?;
    let oauth = registry.adapter(code).oauth();
    let without = || FieldProblem::new("marketplace", "has no consent page; connect with its details");
    oauth.map(|oauth| (code, oauth)).ok_or_else(without)
}

/// The consent pages of the marketplaces at which this deployment has an application, by code. A missing application is the
/// only possible error here, and it is not a fault.
fn pages(
    context: &Context,
    state: &OneTimeToken,
    codes: &[MarketplaceCode],
) -> BTreeMap<&'static str, String> {
    let state = state.text();
    let page = |code: &MarketplaceCode| {
        let url =
            context.registry.adapter(*code).oauth()?.authorization_url(&state, &context.oauth_redirect_uri);
        url.ok().map(|url| (code.as_str(), url))
    };
    codes.iter().filter_map(page).collect()
}

fn kept(row: &Row, authorization_id: Uuid) -> Result<(StatusCode, Kept), ApiError> {
    let get = Error::from;
    let marketplace = row.try_get("marketplace_code").map_err(get)?;
    let expires_at = row.try_get("expires_at").map_err(get)?;
    Ok((StatusCode::CREATED, Kept { authorization_id, marketplace, expires_at }))
}

/// Why an account has no consent page.
fn no_page(
    registry: &Registry,
    account: &Row,
    pages: &BTreeMap<&'static str, String>,
) -> Result<ApiError, ApiError> {
    let code: &str = account.try_get("marketplace_code").map_err(Error::from)?;
    if pages.contains_key(code) {
        // The page exists, so the marketplace accepts no accounts now.
        return Ok(ApiError::InvalidBody(vec![not_connectable()]));
    }
    let code: MarketplaceCode = code.parse().map_err(|_| Error::RowShape)?;
    let offers = registry.adapter(code).oauth().is_some();
    Ok(ApiError::Refused(if offers { &CONSENT_NOT_CONFIGURED } else { &NOT_SUPPORTED }))
}
