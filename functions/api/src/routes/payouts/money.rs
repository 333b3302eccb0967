//! `GET /v1/sellers/{sellerId}/money`: was the money right this month?

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveDate, NaiveTime, Utc};
use robnu_tenancy::{Error, Params, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::Member;
use crate::problem::ApiError;
use crate::query::QueryParams;
use crate::route_permissions::PayoutsRead;
use crate::routes::money::Amount;

const MONEY: &str = include_str!("../../sql/payouts/money.sql");
const ANNOUNCED: &str = include_str!("../../sql/payouts/announced_amounts.sql");

/// India has one time zone and no summer time.
const IST_SECONDS: i32 = 5 * 3600 + 30 * 60;

/// A month's money.
#[derive(Serialize, ToSchema)]
pub struct Money {
    /// The month's first day.
    month: NaiveDate,
    /// By marketplace and currency.
    marketplaces: Vec<MarketplaceMoney>,
}

/// A month's money of one marketplace in one currency.
#[derive(Serialize, ToSchema)]
struct MarketplaceMoney {
    marketplace: String,
    currency: String,
    payouts: i64,
    /// The sum of the month's payouts.
    settled: Amount,
    /// How many of these do not add up: an entry is not the sum of its lines, or the payout not that of its entries.
    unbalanced_payouts: i64,
    /// What the entries of these lack of the payouts' stated totals.
    difference: Amount,
    /// What is announced and not paid yet, whenever it was announced. `list_announced_entries` lists it.
    announced: Amount,
    announced_entries: i64,
    /// The weeks with payouts.
    weeks: Vec<MoneyWeek>,
}

/// What the payouts of one week brought, as far as the week is in the month.
#[derive(Serialize, ToSchema)]
struct MoneyWeek {
    /// The week's Monday by the Indian clock.
    monday: NaiveDate,
    payouts: i64,
    settled: Amount,
}

/// Was the money right this month?
///
/// What the payouts of a month brought, by marketplace and week; which of them do not add up; and what is still announced. Months and
/// weeks are Indian ones.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/money", operation_id = "get_money", tag = "payouts",
    params(("month" = Option<String>, Query, description = "The month, such as 2026-01; this one if left out.")),
    responses((status = 200, body = Money))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<PayoutsRead>,
    mut query: QueryParams,
) -> Result<Json<Money>, ApiError> {
    let month = query.read("month", "must be a month such as 2026-01", parse_month);
    query.finish()?;
    let month = month.unwrap_or_else(this_month);
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    let (from, until) = (begin(month)?, begin(next)?);
    let statements: [(&str, Params<'_>); 2] = [(MONEY, &[&from, &until]), (ANNOUNCED, &[])];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&statements).await?;
    let mut sums: Vec<Sums> = Vec::new();
    for row in &answers[0] {
        of_marketplace(&mut sums, row)?.add_week(row)?;
    }
    for row in &answers[1] {
        of_marketplace(&mut sums, row)?.add_announced(row)?;
    }
    sums.sort_by(|one, other| (&one.marketplace, &one.currency).cmp(&(&other.marketplace, &other.currency)));
    Ok(Json(Money { month, marketplaces: sums.into_iter().map(MarketplaceMoney::from).collect() }))
}

/// The sums of one marketplace in one currency, as long as they grow.
#[derive(Default)]
struct Sums {
    marketplace: String,
    currency: String,
    payouts: i64,
    settled: Decimal,
    unbalanced: i64,
    difference: Decimal,
    announced: Decimal,
    announced_entries: i64,
    weeks: Vec<MoneyWeek>,
}

/// The sums that a row belongs to.
fn of_marketplace<'a>(sums: &'a mut Vec<Sums>, row: &Row) -> Result<&'a mut Sums, Error> {
    let (marketplace, currency): (String, String) =
        (row.try_get("marketplace_code")?, row.try_get("currency")?);
    let known = sums.iter().position(|sums| sums.marketplace == marketplace && sums.currency == currency);
    let place = known.unwrap_or_else(|| {
        sums.push(Sums { marketplace, currency, ..Sums::default() });
        sums.len() - 1
    });
    Ok(&mut sums[place])
}

impl Sums {
    fn add_week(&mut self, row: &Row) -> Result<(), Error> {
        let (payouts, settled): (i64, Decimal) = (row.try_get("payouts")?, row.try_get("settled")?);
        self.payouts += payouts;
        self.settled += settled;
        self.unbalanced += row.try_get::<_, i64>("unbalanced")?;
        self.difference += row.try_get::<_, Decimal>("difference")?;
        self.weeks.push(MoneyWeek { monday: row.try_get("week")?, payouts, settled: settled.into() });
        Ok(())
    }

    fn add_announced(&mut self, row: &Row) -> Result<(), Error> {
        self.announced = row.try_get("amount")?;
        self.announced_entries = row.try_get("entries")?;
        Ok(())
    }
}

impl From<Sums> for MarketplaceMoney {
    fn from(sums: Sums) -> Self {
        Self {
            marketplace: sums.marketplace,
            currency: sums.currency,
            payouts: sums.payouts,
            settled: sums.settled.into(),
            unbalanced_payouts: sums.unbalanced,
            difference: sums.difference.into(),
            announced: sums.announced.into(),
            announced_entries: sums.announced_entries,
            weeks: sums.weeks,
        }
    }
}

/// The first day of a month such as `2026-01`, within the range of calendars.
fn parse_month(text: &str) -> Option<NaiveDate> {
    let day: NaiveDate = format!("{text}-01").parse().ok()?;
    (text.len() == 7 && (1..=9998).contains(&day.year())).then_some(day)
}

fn this_month() -> NaiveDate {
    let today = Utc::now().with_timezone(&india()).date_naive();
    today.with_day(1).unwrap_or(today)
}

/// When a day begins in India.
fn begin(day: NaiveDate) -> Result<DateTime<Utc>, Error> {
    let local = day.and_time(NaiveTime::MIN).and_local_timezone(india()).single();
    local.map(|at| at.to_utc()).ok_or(Error::RowShape)
}

fn india() -> FixedOffset {
    FixedOffset::east_opt(IST_SECONDS).expect("less than a day")
}
