//! The control endpoints: faults, ledger, clock, tokens, accounts and orders over HTTP.
//!
//! They are for tests and for operators of a local cloud. The real marketplaces have nothing like them.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ajio::{AjioOrderSummary, AjioReturnStatus, AjioStatus};
use crate::config::{AjioAccount, AmazonAccount, FlipkartAccount, MeeshoAccount, OAuthApp};
use crate::error::ChangeError;
use crate::faults::Fault;
use crate::flipkart::FlipkartChange;
use crate::ledger::LedgerReport;
use crate::marketplace::Marketplace;
use crate::order_book::{OrderBook, OrderBookError};
use crate::quota::Quota;
use crate::state::State;

type Answer = Result<Json<Value>, ControlError>;

pub(crate) fn routes(state: State) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/ledger", get(ledger).delete(reset_ledger))
        .route("/tokens/expire", post(expire_tokens))
        .route("/clock", get(clock).post(advance_clock))
        .route("/ajio/accounts", post(register_ajio))
        .route("/ajio/orders", get(ajio_orders).post(change_ajio_order))
        .route("/ajio/returns", get(ajio_returns).post(change_ajio_return))
        .route("/ajio/quota", put(set_ajio_quota))
        .route("/amazon/accounts", post(register_amazon))
        .route("/amazon/orders", post(change_amazon_order))
        .route("/amazon/quota", put(set_search_orders_quota))
        .route("/amazon/reports", put(set_report_looks))
        .route("/amazon/settlements", get(amazon_settlements))
        .route("/amazon/apps", post(register_amazon_app))
        .route("/flipkart/apps", post(register_flipkart_app))
        .route("/flipkart/accounts", post(register_flipkart))
        .route("/flipkart/orders", get(flipkart_orders).post(change_flipkart_order))
        .route("/flipkart/returns", get(flipkart_returns).post(change_flipkart_return))
        .route("/flipkart/cancellations", put(refuse_flipkart_cancellations))
        .route("/meesho/accounts", post(register_meesho))
        .with_state(state)
}

enum ControlError {
    Change(ChangeError),
    Book(OrderBookError),
}

impl From<ChangeError> for ControlError {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Change(error @ ChangeError::NotPending) => (StatusCode::CONFLICT, error.to_string()),
            Self::Change(error) => (StatusCode::NOT_FOUND, error.to_string()),
            Self::Book(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn list_faults(Shared(state): Shared<State>) -> Json<Vec<Fault>> {
    Json(state.faults())
}

async fn add_fault(Shared(state): Shared<State>, Json(fault): Json<Fault>) -> Json<Vec<Fault>> {
    state.add_fault(fault);
    Json(state.faults())
}

async fn clear_faults(Shared(state): Shared<State>) -> Json<Vec<Fault>> {
    state.clear_faults();
    Json(state.faults())
}

async fn ledger(Shared(state): Shared<State>) -> Json<LedgerReport> {
    Json(state.ledger())
}

async fn reset_ledger(Shared(state): Shared<State>) -> Json<LedgerReport> {
    state.reset_ledger();
    Json(state.ledger())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpireTokens {
    marketplace: Marketplace,
    account: Option<String>,
}

async fn expire_tokens(Shared(state): Shared<State>, Json(order): Json<ExpireTokens>) -> Json<Value> {
    state.expire_tokens(order.marketplace, order.account.as_deref());
    Json(json!({ "expired": true }))
}

async fn clock(Shared(state): Shared<State>) -> Json<Value> {
    Json(json!({ "now": state.now() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceClock {
    advance_seconds: u64,
}

async fn advance_clock(Shared(state): Shared<State>, Json(order): Json<AdvanceClock>) -> Json<Value> {
    state.advance_clock(Duration::from_secs(order.advance_seconds));
    Json(json!({ "now": state.now() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterAjio {
    username: String,
    password: Option<String>,
    orders: Option<usize>,
}

async fn register_ajio(Shared(state): Shared<State>, Json(order): Json<RegisterAjio>) -> Answer {
    let RegisterAjio { username, password, orders } = order;
    state.register_ajio(AjioAccount { username: username.clone(), password, orders });
    Ok(Json(json!({ "username": username, "orders": state.ajio_orders(&username)?.len() })))
}

#[derive(Deserialize)]
struct OfAjio {
    username: String,
}

async fn ajio_orders(
    Shared(state): Shared<State>,
    Query(of): Query<OfAjio>,
) -> Result<Json<Vec<AjioOrderSummary>>, ControlError> {
    Ok(Json(state.ajio_orders(&of.username)?))
}

#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum AjioChange {
    CustomerCancel { username: String, order_id: String },
    SetStatus { username: String, order_id: String, status: AjioStatus },
}

async fn change_ajio_order(Shared(state): Shared<State>, Json(change): Json<AjioChange>) -> Answer {
    match change {
        AjioChange::CustomerCancel { username, order_id } => state.cancel_ajio_order(&username, &order_id)?,
        AjioChange::SetStatus { username, order_id, status } => {
            state.set_ajio_status(&username, &order_id, status)?;
        }
    }
    Ok(Json(json!({ "changed": true })))
}

async fn ajio_returns(Shared(state): Shared<State>, Query(of): Query<OfAjio>) -> Answer {
    let summary = |(id, status)| json!({ "return_order_id": id, "status": status });
    Ok(Json(state.ajio_returns(&of.username)?.into_iter().map(summary).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AjioReturnChange {
    username: String,
    return_order_id: String,
    status: AjioReturnStatus,
}

async fn change_ajio_return(Shared(state): Shared<State>, Json(change): Json<AjioReturnChange>) -> Answer {
    let AjioReturnChange { username, return_order_id, status } = change;
    state.set_ajio_return_status(&username, &return_order_id, status)?;
    Ok(Json(json!({ "changed": true })))
}

async fn set_ajio_quota(Shared(state): Shared<State>, Json(quota): Json<Option<Quota>>) -> Json<Value> {
    state.set_ajio_quota(quota);
    Json(json!({ "quota": quota }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterAmazon {
    account: String,
    refresh_token: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    orders_csv: Option<String>,
}

async fn register_amazon(Shared(state): Shared<State>, Json(order): Json<RegisterAmazon>) -> Answer {
    let book = match &order.orders_csv {
        Some(text) => OrderBook::from_csv("orders_csv", text),
        None => OrderBook::sample(),
    };
    let orders = book.map_err(ControlError::Book)?;
    let answer =
        json!({ "account": order.account, "orders": orders.orders().len(), "lines": orders.line_count() });
    let RegisterAmazon { account, refresh_token, client_id, client_secret, .. } = order;
    state.register_amazon(AmazonAccount { account, refresh_token, client_id, client_secret, orders });
    Ok(Json(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeAmazonOrder {
    account: String,
    order_id: String,
    status: String,
    updated_at: Option<DateTime<Utc>>,
}

async fn change_amazon_order(Shared(state): Shared<State>, Json(change): Json<ChangeAmazonOrder>) -> Answer {
    state.set_amazon_status(&change.account, &change.order_id, &change.status, change.updated_at)?;
    Ok(Json(json!({ "changed": true })))
}

#[derive(Deserialize)]
struct OfAmazon {
    account: String,
}

async fn amazon_settlements(Shared(state): Shared<State>, Query(of): Query<OfAmazon>) -> Answer {
    Ok(Json(json!(state.amazon_settlements(&of.account)?)))
}

async fn set_search_orders_quota(Shared(state): Shared<State>, Json(quota): Json<Quota>) -> Json<Value> {
    state.set_search_orders_quota(quota);
    Json(json!({ "quota": quota }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportLooks {
    looks: u32,
}

async fn set_report_looks(Shared(state): Shared<State>, Json(order): Json<ReportLooks>) -> Json<Value> {
    state.set_amazon_report_looks(order.looks);
    Json(json!({ "looks": order.looks }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterApp {
    application_id: Option<String>,
    client_id: String,
    client_secret: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

impl From<RegisterApp> for OAuthApp {
    fn from(order: RegisterApp) -> Self {
        let RegisterApp { application_id, client_id, client_secret, redirect_uris } = order;
        let application_id = application_id.unwrap_or_else(|| client_id.clone());
        Self { application_id, client_id, client_secret, redirect_uris }
    }
}

async fn register_amazon_app(Shared(state): Shared<State>, Json(order): Json<RegisterApp>) -> Json<Value> {
    let answer = json!({ "client_id": order.client_id });
    state.register_amazon_app(order.into());
    Json(answer)
}

async fn register_flipkart_app(Shared(state): Shared<State>, Json(order): Json<RegisterApp>) -> Json<Value> {
    let answer = json!({ "client_id": order.client_id });
    state.register_flipkart_app(order.into());
    Json(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterFlipkart {
    account: String,
    app_id: String,
    app_secret: String,
    orders_csv: Option<String>,
}

async fn register_flipkart(Shared(state): Shared<State>, Json(order): Json<RegisterFlipkart>) -> Answer {
    let RegisterFlipkart { account, app_id, app_secret, orders_csv } = order;
    let orders = orders_csv.map(|text| OrderBook::from_csv("orders_csv", &text));
    let orders = orders.transpose().map_err(ControlError::Book)?;
    let answer = json!({ "account": account });
    state.register_flipkart(FlipkartAccount { account, app_id, app_secret, orders });
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct ChangeFlipkartOrder {
    account: String,
    order_id: String,
    shipment_id: Option<String>,
    updated_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    action: FlipkartAction,
}

#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum FlipkartAction {
    SetStatus { status: String },
    Hold { hold: bool },
    Cancel { by: String },
}

async fn change_flipkart_order(
    Shared(state): Shared<State>,
    Json(order): Json<ChangeFlipkartOrder>,
) -> Answer {
    let change = match order.action {
        FlipkartAction::SetStatus { status } => FlipkartChange::Status(status),
        FlipkartAction::Hold { hold } => FlipkartChange::Hold(hold),
        FlipkartAction::Cancel { by } => FlipkartChange::Cancelled(by),
    };
    let shipment_id = order.shipment_id.as_deref();
    state.change_flipkart_order(&order.account, &order.order_id, shipment_id, &change, order.updated_at)?;
    Ok(Json(json!({ "changed": true })))
}

#[derive(Deserialize)]
struct OfFlipkart {
    account: String,
}

async fn flipkart_orders(Shared(state): Shared<State>, Query(of): Query<OfFlipkart>) -> Answer {
    let summary = |id| json!({ "order_id": id });
    Ok(Json(state.flipkart_orders(&of.account)?.into_iter().map(summary).collect()))
}

async fn flipkart_returns(Shared(state): Shared<State>, Query(of): Query<OfFlipkart>) -> Answer {
    let summary = |(id, status)| json!({ "return_id": id, "status": status });
    Ok(Json(state.flipkart_returns(&of.account)?.into_iter().map(summary).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlipkartReturnChange {
    account: String,
    return_id: String,
    order_item_id: Option<String>,
    status: String,
    updated_at: Option<DateTime<Utc>>,
}

async fn change_flipkart_return(
    Shared(state): Shared<State>,
    Json(change): Json<FlipkartReturnChange>,
) -> Answer {
    let item = change.order_item_id.as_deref();
    state.set_flipkart_return_status(
        &change.account,
        &change.return_id,
        item,
        &change.status,
        change.updated_at,
    )?;
    Ok(Json(json!({ "changed": true })))
}

async fn refuse_flipkart_cancellations(
    Shared(state): Shared<State>,
    Json(status): Json<Option<u16>>,
) -> Json<Value> {
    state.refuse_flipkart_cancellations(status);
    Json(json!({ "status": status }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterMeesho {
    supplier_id: String,
    api_key: String,
    api_secret: String,
}

async fn register_meesho(Shared(state): Shared<State>, Json(order): Json<RegisterMeesho>) -> Json<Value> {
    let RegisterMeesho { supplier_id, api_key, api_secret } = order;
    let answer = json!({ "supplier_id": supplier_id });
    state.register_meesho(MeeshoAccount { supplier_id, api_key, api_secret });
    Json(answer)
}
