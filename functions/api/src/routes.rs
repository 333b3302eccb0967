//! The routes: one module per noun, one list for all.

#![allow(clippy::struct_field_names, reason = "answers have the API's own field names")]

mod accounts;
mod marketplaces;
mod me;
mod money;
mod orders;
mod runs;
mod sellers;
mod sync;

use axum::http::Method;
use axum::routing::{MethodRouter, get, post, put};

use crate::app::SharedApp;

/// One route.
pub struct Route {
    /// The method it takes.
    pub method: Method,
    /// Its path, with names in braces for what varies.
    pub path: &'static str,
    /// What answers.
    pub handler: MethodRouter<SharedApp>,
}

/// Every route there is. The tests take their list of cross-tenant cases to be as long as this.
#[must_use]
pub fn routes() -> Vec<Route> {
    let route = |method, path, handler| Route { method, path, handler };
    let (read, write) = (Method::GET, Method::POST);
    vec![
        route(read.clone(), "/v1/me", get(me::show)),
        route(write.clone(), "/v1/sellers", post(sellers::sign_up)),
        route(read.clone(), "/v1/sellers/{sellerId}", get(sellers::show)),
        route(read.clone(), "/v1/marketplaces", get(marketplaces::list)),
        route(write.clone(), "/v1/sellers/{sellerId}/accounts", post(accounts::connect)),
        route(read.clone(), "/v1/sellers/{sellerId}/accounts", get(accounts::list)),
        route(Method::PUT, "/v1/sellers/{sellerId}/accounts/{accountId}/credentials", put(accounts::rotate)),
        route(write, "/v1/sellers/{sellerId}/accounts/{accountId}/sync", post(sync::request)),
        route(read.clone(), "/v1/sellers/{sellerId}/runs", get(runs::list)),
        route(read.clone(), "/v1/sellers/{sellerId}/runs/{runId}", get(runs::show)),
        route(read.clone(), "/v1/sellers/{sellerId}/orders", get(orders::list)),
        route(read, "/v1/sellers/{sellerId}/orders/{orderId}", get(orders::show)),
    ]
}

/// Cuts a list that was read one row too far. Answers its last row when more follow.
fn cut<T>(rows: &mut Vec<T>, limit: i64) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more_follow = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more_follow)
}
