//! Rounding, and amounts as people read them.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

/// To the paisa; half a paisa goes away from zero, as marketplaces' own files do.
#[must_use]
pub fn to_paisa(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// So many percent of an amount, to the paisa.
#[must_use]
pub fn percent_of(amount: Decimal, percent: Decimal) -> Decimal {
    to_paisa(amount * percent / Decimal::ONE_HUNDRED)
}

/// `amount × part / whole`, to the paisa; zero when the whole is.
#[must_use]
pub fn share(amount: Decimal, part: u32, whole: u32) -> Decimal {
    if whole == 0 { Decimal::ZERO } else { to_paisa(amount * Decimal::from(part) / Decimal::from(whole)) }
}

/// The amount without its sign and with the digits grouped as in India, such as `₹1,23,456.50`.
#[must_use]
pub fn rupees(amount: Decimal) -> String {
    let text = format!("{:.2}", to_paisa(amount.abs()));
    let (whole, paise) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left >= 3 && left % 2 == 1 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("₹{grouped}.{paise}")
}

/// The day that an instant falls on in India.
#[must_use]
pub fn india_day(instant: DateTime<Utc>) -> NaiveDate {
    const HALF_PAST_FIVE: i32 = 19_800;
    FixedOffset::east_opt(HALF_PAST_FIVE)
        .map_or_else(|| instant.date_naive(), |zone| instant.with_timezone(&zone).date_naive())
}

/// So many days later; the instant itself if that would be beyond the calendar.
#[must_use]
pub fn days_after(instant: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    instant.checked_add_days(Days::new(u64::from(days))).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_paisa_goes_away_from_zero() {
        assert_eq!(to_paisa(Decimal::new(1_005, 3)), Decimal::new(101, 2));
        assert_eq!(to_paisa(Decimal::new(-1_005, 3)), Decimal::new(-101, 2));
        assert_eq!(percent_of(Decimal::new(11_333, 2), Decimal::new(5, 0)), Decimal::new(567, 2));
    }

    #[test]
    fn amounts_are_grouped_as_in_india() {
        for (paise, text) in [
            (5, "₹0.05"),
            (99_900, "₹999.00"),
            (-100_000, "₹1,000.00"),
            (12_345_650, "₹1,23,456.50"),
            (1_234_567_890, "₹1,23,45,678.90"),
        ] {
            assert_eq!(rupees(Decimal::new(paise, 2)), text);
        }
    }

    #[test]
    fn a_day_begins_at_half_past_six_in_the_evening_before_in_utc() {
        let late = "2026-04-30T18:30:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(india_day(late).to_string(), "2026-05-01");
    }
}
