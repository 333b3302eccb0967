//! Hides the staff routes from everybody else.
//!
//! The database rejects anyone who is not staff, but only once a request gets that far. A request that is refused earlier,
//! for its body, would show a stranger that the route exists. So before such a refusal is sent, the database is asked as
//! well. A refused method is no secret: the document lists all methods.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use robnu_tenancy::Database;

use crate::context::SharedContext;
use crate::identity::Staff;
use crate::problem::ApiError;

const PREFIX: &str = "/v1/admin/";
const AM_I_STAFF: &str = include_str!("sql/admin/am_i_staff.sql");

/// Sends strangers `route_not_found` in place of every other refusal of a staff route.
pub async fn hide_from_others(
    State(context): State<SharedContext>,
    staff: Result<Staff, ApiError>,
    request: Request,
    next: Next,
) -> Response {
    let is_hidden = request.uri().path().starts_with(PREFIX);
    let response = next.run(request).await;
    let is_refused =
        response.status().is_client_error() && response.status() != StatusCode::METHOD_NOT_ALLOWED;
    if !is_hidden || !is_refused {
        return response;
    }
    match staff {
        Ok(staff) => refuse_strangers(&context.database, &staff)
            .await
            .map_or_else(IntoResponse::into_response, |()| response),
        // Without a token, every route refuses in the same way.
        Err(_) => response,
    }
}

async fn refuse_strangers(database: &Database, staff: &Staff) -> Result<(), ApiError> {
    database.read(&staff.scope, AM_I_STAFF, &[]).await?;
    Ok(())
}
