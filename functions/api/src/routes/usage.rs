//! `GET /v1/sellers/{sellerId}/usage`: orders per Indian day, against what is free.
//!
//! A day's orders are those that customers placed on it, whenever they were read: a backfill counts on its own days. Nothing
//! stops above what is free; the seller is told.

use axum::Json;
use axum::extract::State;
use chrono::{Datelike, Days, FixedOffset, NaiveDate, Utc};
use robnu_tenancy::{Error, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::SharedApp;
use crate::identity::Member;
use crate::problem::{ApiError, FieldProblem};
use crate::query::QueryParams;
use crate::rights::Read;

const USAGE: &str = include_str!("../sql/usage.sql");

/// Orders a day that cost nothing.
const FREE_ORDERS_A_DAY: i64 = 25;
/// Longest span that is answered at once, in days.
const MAX_DAYS: u64 = 92;
const DEFAULT_DAYS: u64 = 30;
/// India knows one time zone and no summer time.
const IST_SECONDS: i32 = 5 * 3600 + 30 * 60;

/// What a seller has used.
#[derive(Serialize, ToSchema)]
pub struct Usage {
    from: NaiveDate,
    to: NaiveDate,
    /// Orders of all days.
    orders: i64,
    /// Orders above what is free, of all days.
    above: i64,
    /// Every day of the span, oldest first.
    days: Vec<UsageDay>,
    /// The present day so far, whether or not the span holds it.
    today: UsageDay,
}

/// A day by the Indian clock.
#[derive(Serialize, ToSchema)]
struct UsageDay {
    day: NaiveDate,
    orders: i64,
    /// Orders a day that cost nothing.
    free: i64,
    /// Orders above that.
    above: i64,
}

/// Orders per day, against the free ones
///
/// Days begin and end by the Indian clock. An order counts on the day on which the customer placed it. Without a span: the
/// last 30 days; a span has 92 days at most.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/usage", operation_id = "get_usage", tag = "usage",
    params(
        ("from" = Option<NaiveDate>, Query, description = "First day; 29 days before the last one if left out."),
        ("to" = Option<NaiveDate>, Query, description = "Last day; today if left out.")
    ),
    responses((status = 200, body = Usage))
)]
pub async fn show(
    State(app): State<SharedApp>,
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
    let days = days(from, to).map_err(|problem| ApiError::InvalidQuery(vec![problem]))?;
    let statements: [(&str, Params<'_>); 2] = [(USAGE, &[&from, &to]), (USAGE, &[&today, &today])];
    let session = app.database.session(&member.scope).await?;
    let answers = session.commit_with(&statements).await?;
    let days = count(days, &answers[0])?;
    let today = count(vec![today], &answers[1])?.pop().ok_or(Error::RowShape)?;
    let (orders, above) = days.iter().fold((0, 0), |sum, day| (sum.0 + day.orders, sum.1 + day.above));
    Ok(Json(Usage { from, to, orders, above, days, today }))
}

/// Whether a day is one that databases and calendars know.
fn is_near(day: NaiveDate) -> bool {
    (1..=9998).contains(&day.year())
}

fn today() -> NaiveDate {
    let india = FixedOffset::east_opt(IST_SECONDS).expect("less than a day");
    Utc::now().with_timezone(&india).date_naive()
}

/// The days of a span, if it is one.
fn days(from: NaiveDate, to: NaiveDate) -> Result<Vec<NaiveDate>, FieldProblem> {
    let length = u64::try_from((to - from).num_days() + 1).unwrap_or(0);
    if !(1..=MAX_DAYS).contains(&length) {
        return Err(FieldProblem::new("to", format!("must be from 0 to {} days after from", MAX_DAYS - 1)));
    }
    Ok((0..length).map(|after| from + Days::new(after)).collect())
}

/// Days with their counts, of which the rows leave out those without orders.
fn count(days: Vec<NaiveDate>, rows: &[Row]) -> Result<Vec<UsageDay>, Error> {
    let mut counted = rows.iter().map(|row| Ok((row.try_get("day")?, row.try_get("orders")?))).peekable();
    let mut usage = Vec::with_capacity(days.len());
    for day in days {
        let found: Option<Result<(NaiveDate, i64), Error>> =
            counted.next_if(|next| next.as_ref().map_or(true, |(counted_day, _)| *counted_day == day));
        let orders = found.transpose()?.map_or(0, |(_, orders)| orders);
        let above = (orders - FREE_ORDERS_A_DAY).max(0);
        usage.push(UsageDay { day, orders, free: FREE_ORDERS_A_DAY, above });
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_has_one_to_ninety_two_days() {
        assert_eq!(
            days(day("2026-02-28"), day("2026-03-01")).unwrap(),
            [day("2026-02-28"), day("2026-03-01")]
        );
        assert_eq!(days(day("2026-01-01"), day("2026-01-01")).unwrap().len(), 1);
        assert_eq!(days(day("2026-01-01"), day("2026-04-02")).unwrap().len(), 92);
        assert!(days(day("2026-01-01"), day("2026-04-03")).is_err());
        assert!(days(day("2026-01-02"), day("2026-01-01")).is_err());
    }
}
