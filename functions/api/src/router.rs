//! The router: every route, the document, and the layers that they share.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use crate::context::Context;
use crate::openapi;
use crate::problem::ApiError;
use crate::request_log::log_request;
use crate::routes::routes;
use crate::staff_only::hide_from_others;

/// Longest accepted request body in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// The whole API over `context`.
pub fn router(context: Context) -> Router {
    let context = Arc::new(context);
    let mut router = Router::new();
    for route in routes() {
        let path = route.path().to_owned();
        router = router.route(&path, route.handler);
    }
    router
        .route("/v1/openapi.json", get(openapi::serve_json))
        .route("/v1/docs", get(openapi::serve_page))
        .fallback(async || ApiError::RouteNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(&context), hide_from_others))
        .layer(from_fn(log_request))
        .with_state(context)
}
