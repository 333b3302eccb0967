//! `/v1/sellers/{sellerId}/search`: orders, shipments, returns and records that were set aside, by a number or its beginning.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, Error, OrderId, Row};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use uuid::Uuid;

use crate::context::SharedContext;
use crate::identity::Member;
use crate::known_text::{HitField, HitKind};
use crate::problem::{ApiError, FieldProblem};
use crate::query::QueryParams;
use crate::route_permissions::Read;

const SEARCH: &str = include_str!("../sql/search/search.sql");

/// The most results for each kind of number.
const MOST: i64 = 20;
/// The shortest and the longest text that can be searched for, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=100;
/// No blank and no control character.
const PATTERN: &str = "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]+$";

/// The results of a search.
#[derive(Serialize, ToSchema)]
pub struct Found {
    /// At most 20 for each kind of number, exact matches first.
    hits: Vec<Hit>,
}

/// An order, a shipment, a return, or a record that was set aside.
#[derive(Serialize, ToSchema)]
pub struct Hit {
    kind: HitKind,
    /// The id of the order, shipment, return or record, as `kind` says.
    id: Uuid,
    /// Null for a return or a record whose order is not known here.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// The number that matched.
    field: HitField,
    value: String,
    /// Whether the whole number matches, not only its beginning.
    exact: bool,
    status: String,
}

/// The texts that can be searched for, for the description.
pub struct SearchText;

impl utoipa::PartialSchema for SearchText {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN));
        text.min_length(Some(*LENGTHS.start())).max_length(Some(*LENGTHS.end())).into()
    }
}

impl ToSchema for SearchText {}

/// Finds orders, shipments and returns by a number
///
/// Searches the marketplace's order, shipment and return numbers and the air waybills of both ways, for the whole number or
/// its beginning. A return is also found by the numbers of its order and of the outbound parcel. A record that could not be
/// read is found by the marketplace's number of it.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/search", operation_id = "search", tag = "search",
    params(("q" = inline(SearchText), Query, description = "The number, or its first characters.")),
    responses((status = 200, body = Found))
)]
pub async fn search(
    State(context): State<SharedContext>,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Found>, ApiError> {
    let number = query.read("q", "must be 3 to 100 characters without blanks", |text| {
        let plain = |letter: char| !letter.is_whitespace() && !letter.is_control();
        (LENGTHS.contains(&text.chars().count()) && text.chars().all(plain)).then(|| text.to_owned())
    });
    query.finish()?;
    let number = number.ok_or_else(|| ApiError::InvalidQuery(vec![FieldProblem::new("q", "is required")]))?;
    let rows = context.database.read(&member.scope, SEARCH, &[&number, &MOST]).await?;
    Ok(Json(Found { hits: rows.iter().map(Hit::try_from).collect::<Result<_, _>>()? }))
}

impl TryFrom<&Row> for Hit {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kind: HitKind::read(row, "kind")?,
            id: row.try_get("id")?,
            order_id: row.try_get("order_id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            field: HitField::read(row, "field")?,
            value: row.try_get("value")?,
            exact: row.try_get("exact")?,
            status: row.try_get("status")?,
        })
    }
}
