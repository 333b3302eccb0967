//! Hides the staff's routes from everybody else.
//!
//! The database refuses who is not staff, but only once a request gets there. One that is refused before, for its body,
//! would tell a stranger more than that; so before such a refusal goes out the database is asked as well. That a route does
//! not take a method is no secret: the document lists them all.

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

/// Answers `route_not_found` to strangers in the place of every other refusal of a staff's route.
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
        // Without a token every route refuses alike.
        Err(_) => response,
    }
}

async fn refuse_strangers(database: &Database, staff: &Staff) -> Result<(), ApiError> {
    database.read(&staff.scope, AM_I_STAFF, &[]).await?;
    Ok(())
}
