//! What handlers share, and the router.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use robnu_dispatch::Publisher;
use robnu_marketplace::registry::Registry;
use robnu_storage::{DigestKey, KeyService};
use robnu_tenancy::Database;

use crate::mail::Mailer;
use crate::openapi;
use crate::problem::ApiError;
use crate::request_log::log_request;
use crate::routes::routes;
use crate::staff_only::hide_from_others;

/// Longest accepted request body in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// What handlers share.
#[derive(Debug)]
pub struct App {
    /// The database, as the API's own login role.
    pub database: Database,
    /// Makes and unwraps the sellers' data keys.
    pub keys: KeyService,
    /// Recognises user names over all sellers.
    pub digests: DigestKey,
    /// The marketplaces that accounts can be connected to.
    pub registry: Registry,
    /// Where marketplaces send sellers back to from their consent pages: a page of the platform's own.
    pub oauth_redirect_uri: String,
    /// Sends mail.
    pub mailer: Mailer,
    /// Publishes runs to lanes.
    pub publisher: Publisher,
    /// Sends lane requests to the lanes function.
    pub sqs: aws_sdk_sqs::Client,
    /// Where those requests go.
    pub lane_requests_queue_url: String,
}

/// The application as axum hands it to handlers.
pub type SharedApp = Arc<App>;

/// The whole API over `app`.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
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
        .layer(from_fn_with_state(Arc::clone(&app), hide_from_others))
        .layer(from_fn(log_request))
        .with_state(app)
}
