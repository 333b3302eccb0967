//! `GET /v1/sellers/{sellerId}/usage`: orders per Indian day, compared with the free allowance.
//!
//! A day's orders are those that customers placed on that day, whenever they were read: orders of a backfill count on the
//! days on which they were placed. Nothing stops above the free allowance; the response only shows it, and says since when a nightly
//! sweep has noted the day, of which the owners get a mail.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, Utc};
use robnu_tenancy::{Error, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::Member;
use crate::problem::{ApiError, FieldProblem};
use crate::query::QueryParams;
use crate::route_permissions::Read;

const USAGE: &str = include_str!("../sql/usage/show.sql");

/// The longest span of one request, in days.
const MAX_DAYS: i64 = 92;
const DEFAULT_DAYS: u64 = 30;
/// India has one time zone and no summer time.
const IST_SECONDS: i32 = 5 * 3600 + 30 * 60;

/// A seller's usage.
#[derive(Serialize, ToSchema)]
pub struct Usage {
    from: NaiveDate,
    to: NaiveDate,
    /// Orders of all days.
    orders: i64,
    /// Orders above the free allowance of each day, over all days.
    above: i64,
    /// Every day of the span, oldest first.
    days: Vec<UsageDay>,
    /// Today so far, even when the span does not include it.
    today: UsageDay,
}

/// A day by the Indian clock.
#[derive(Serialize, ToSchema)]
struct UsageDay {
    day: NaiveDate,
    orders: i64,
    /// Orders a day that are free.
    free: i64,
    /// Orders above the free allowance.
    above: i64,
    /// When a sweep last noted that the day was above the free allowance, or corrected its note; it does so on the night after the
    /// day, and again when the day's orders change. `null` while the day has never been noted.
    noted_at: Option<DateTime<Utc>>,
}

/// Orders per day, compared with the free allowance
///
/// Days begin and end by the Indian clock. An order counts on the day on which the customer placed it. Without a span, the
/// last 30 days are returned. A span has at most 92 days.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/usage", operation_id = "get_usage", tag = "usage",
    params(
        ("from" = Option<NaiveDate>, Query, description = "First day; 29 days before the last one if left out."),
        ("to" = Option<NaiveDate>, Query, description = "Last day; today if left out.")
    ),
    responses((status = 200, body = Usage))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Usage>, ApiError> {
    let mut day = |name| {
        query.read(name, "must be a day such as 2026-01-31", |text| {
            text.parse().ok().filter(|day| is_near(*day))
        })
    };
    let (from, to): (Option<NaiveDate>, Option<NaiveDate>) = (day("from"), day("to"));
    query.finish()?;
    let today = today();
    let to = to.unwrap_or(today);
    let from = from.unwrap_or(to - Days::new(DEFAULT_DAYS - 1));
    check(from, to).map_err(|problem| ApiError::InvalidQuery(vec![problem]))?;
    let statements: [(&str, Params<'_>); 2] = [(USAGE, &[&from, &to]), (USAGE, &[&today, &today])];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&statements).await?;
    let days = answers[0].iter().map(UsageDay::try_from).collect::<Result<Vec<_>, _>>()?;
    let today = answers[1].first().ok_or(Error::RowCount { found: 0 })?;
    let today = UsageDay::try_from(today)?;
    let (orders, above) = days.iter().fold((0, 0), |sum, day| (sum.0 + day.orders, sum.1 + day.above));
    Ok(Json(Usage { from, to, orders, above, days, today }))
}

/// Whether a day is within the range of the database and of calendars.
fn is_near(day: NaiveDate) -> bool {
    (1..=9998).contains(&day.year())
}

fn today() -> NaiveDate {
    let india = FixedOffset::east_opt(IST_SECONDS).expect("less than a day");
    Utc::now().with_timezone(&india).date_naive()
}

/// Refuses a span that ends before it begins or is too long.
fn check(from: NaiveDate, to: NaiveDate) -> Result<(), FieldProblem> {
    if (0..MAX_DAYS).contains(&(to - from).num_days()) {
        return Ok(());
    }
    Err(FieldProblem::new("to", format!("must be from 0 to {} days after from", MAX_DAYS - 1)))
}

impl TryFrom<&Row> for UsageDay {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let orders: i64 = row.try_get("orders")?;
        let free: i64 = row.try_get("free")?;
        let above = (orders - free).max(0);
        Ok(Self { day: row.try_get("day")?, orders, free, above, noted_at: row.try_get("noted_at")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_to_ninety_two_days() {
        let fits = |from: &str, to: &str| check(from.parse().unwrap(), to.parse().unwrap()).is_ok();
        assert!(fits("2026-02-28", "2026-03-01"));
        assert!(fits("2026-01-01", "2026-01-01"));
        assert!(fits("2026-01-01", "2026-04-02"));
        assert!(!fits("2026-01-01", "2026-04-03"));
        assert!(!fits("2026-01-02", "2026-01-01"));
    }
}
