//! `/v1/sellers/{sellerId}/orders/{orderId}/customer`: who ordered. Every read is written to the audit trail.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_storage::{KeyRing, Place, StorageError};
use robnu_tenancy::{Error, OrderId, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::{Member, PathId};
use crate::problem::{ApiError, Missing};
use crate::route_permissions::PiiRead;

const OPEN: &str = include_str!("../../sql/orders/open_customer.sql");
const CUSTOMER: &str = include_str!("../../sql/orders/customer.sql");
const EXPIRY: &str = include_str!("../../sql/orders/customer_expiry.sql");
const KEY: &str = include_str!("../../sql/sellers/key.sql");

/// Who ordered, as far as the marketplace has said.
#[derive(Serialize, ToSchema)]
pub struct Customer {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// Company and street, a line each. City and state are fields of the order.
    address: Option<String>,
    postal_code: Option<String>,
    /// When it was deleted, because the marketplace permits to keep it only for some time after delivery. All other fields are null then.
    expired_at: Option<DateTime<Utc>>,
}

impl Customer {
    fn expired(order_id: OrderId, expired_at: DateTime<Utc>) -> Self {
        Self {
            order_id,
            name: None,
            phone: None,
            email: None,
            address: None,
            postal_code: None,
            expired_at: Some(expired_at),
        }
    }
}

/// The customer of an order
///
/// Every read is written to the audit trail. A customer that was deleted because the marketplace's time is over has `expired_at` and no
/// values; a customer of whom nothing was ever stored is a 404.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/orders/{orderId}/customer", operation_id = "get_customer", tag = "orders",
    responses((status = 200, body = Customer))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<PiiRead>,
    PathId(order): PathId<OrderId>,
) -> Result<Json<Customer>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 4] =
        [(OPEN, &[&order]), (EXPIRY, &[&order]), (CUSTOMER, &[&order]), (KEY, &[])];
    let answers = session.commit_with(&statements).await?;
    let Some(expiry) = answers[1].first() else { return Err(ApiError::NotFound(Missing::Order)) };
    if let Some(expired_at) = expiry.try_get("customer_expired_at").map_err(Error::from)? {
        return Ok(Json(Customer::expired(order, expired_at)));
    }
    let row = answers[2].first().ok_or(ApiError::NotFound(Missing::Customer))?;
    let ring = context.keys.ring_from_rows(member.scope.seller_id(), &answers[3])?;
    let ring = ring.ok_or(ApiError::NoDataKey)?;
    let open = async |column: &'static str| clear(&ring, order, column, row).await;
    Ok(Json(Customer {
        order_id: order,
        name: open("customer_name_enc").await?,
        phone: open("customer_phone_enc").await?,
        email: open("customer_email_enc").await?,
        address: open("address_enc").await?,
        postal_code: open("postal_code_enc").await?,
        expired_at: None,
    }))
}

/// A column's text, if there is one.
async fn clear(
    ring: &KeyRing<'_>,
    order: OrderId,
    column: &'static str,
    row: &Row,
) -> Result<Option<String>, ApiError> {
    let sealed: Option<Vec<u8>> = row.try_get(column).map_err(Error::from)?;
    let Some(sealed) = sealed else { return Ok(None) };
    let place = Place { table: "order_pii", column, row: *order.as_uuid() };
    let text = ring.open(place, &sealed).await?;
    let text = std::str::from_utf8(&text).map_err(|_| StorageError::Sealed { table: place.table, column })?;
    Ok(Some(text.to_owned()))
}
