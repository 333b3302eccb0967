//! `/v1/sellers/{sellerId}/orders/{orderId}/customer`: who ordered. Every read is written to the audit trail.

use axum::Json;
use axum::extract::State;
use robnu_storage::{Place, SellerCipher, StorageError, WrappedKey};
use robnu_tenancy::{Error, OrderId, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::{Member, PathId};
use crate::problem::{ApiError, Missing};
use crate::route_permissions::PiiRead;

const OPEN: &str = include_str!("../../sql/orders/open_customer.sql");
const CUSTOMER: &str = include_str!("../../sql/orders/customer.sql");
const EXISTS: &str = include_str!("../../sql/orders/exists.sql");
const KEY: &str = include_str!("../../sql/sellers/key.sql");

/// Who ordered, as far as the marketplace has said.
#[derive(Serialize, ToSchema)]
pub struct Customer {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    address: Option<String>,
}

/// The customer of an order
///
/// Every read is written to the audit trail.
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
        [(OPEN, &[&order]), (EXISTS, &[&order]), (CUSTOMER, &[&order]), (KEY, &[])];
    let answers = session.commit_with(&statements).await?;
    if answers[1].is_empty() {
        return Err(ApiError::NotFound(Missing::Order));
    }
    let row = answers[2].first().ok_or(ApiError::NotFound(Missing::Customer))?;
    let key = wrapped_key(answers[3].first().ok_or(ApiError::NoDataKey)?)?;
    let cipher = context.keys.cipher(member.scope.seller_id(), &key).await?;
    let open = |column: &'static str| clear(&cipher, order, column, row);
    Ok(Json(Customer {
        order_id: order,
        name: open("customer_name_enc")?,
        phone: open("customer_phone_enc")?,
        email: open("customer_email_enc")?,
        address: open("address_enc")?,
    }))
}

fn wrapped_key(row: &Row) -> Result<WrappedKey, Error> {
    Ok(WrappedKey { id: row.try_get("id")?, ciphertext: row.try_get("wrapped_key")? })
}

/// A column's text, if there is one.
fn clear(
    cipher: &SellerCipher,
    order: OrderId,
    column: &'static str,
    row: &Row,
) -> Result<Option<String>, ApiError> {
    let sealed: Option<Vec<u8>> = row.try_get(column).map_err(Error::from)?;
    let Some(sealed) = sealed else { return Ok(None) };
    let place = Place { table: "order_pii", column, row: *order.as_uuid() };
    let text = cipher.open(place, &sealed)?;
    let text = std::str::from_utf8(&text).map_err(|_| StorageError::Sealed { table: place.table, column })?;
    Ok(Some(text.to_owned()))
}
