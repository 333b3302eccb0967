//! Ages on the command line, such as `90m`, `12h` and `3d`.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// How long ago something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(TimeDelta);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected a number and one of s, m, h and d, such as 90m or 3d".to_owned();
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(expected)?;
        let number: u32 = number.parse().map_err(|_| expected())?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(expected()),
        };
        Ok(Self(TimeDelta::seconds(i64::from(number) * seconds)))
    }
}

impl Age {
    /// The instant so long before `now`, as the function reads it.
    #[must_use]
    pub fn before(self, now: DateTime<Utc>) -> String {
        (now - self.0).to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// How long ago an instant of a response was, in its largest unit.
#[must_use]
pub fn ago(instant: &str, now: DateTime<Utc>) -> String {
    let Ok(instant) = DateTime::parse_from_rfc3339(instant) else { return instant.to_owned() };
    let seconds = (now - instant.to_utc()).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, instant) in [
            ("30s", "2026-03-01T11:59:30Z"),
            ("90m", "2026-03-01T10:30:00Z"),
            ("12h", "2026-03-01T00:00:00Z"),
            ("1d", "2026-02-28T12:00:00Z"),
        ] {
            assert_eq!(text.parse().map(|age: Age| age.before(noon())), Ok(instant.to_owned()), "{text}");
        }
        for text in ["", "m", "3", "3w", "-3d", "3.5h", "3 d", "é", "99999999999d"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_instant_is_shown_by_its_age() {
        for (instant, age) in [
            ("2026-03-01T11:59:01Z", "59s"),
            ("2026-03-01T10:30:00.5Z", "89m"),
            ("2026-02-28T12:00:00Z", "24h"),
            ("2026-02-01T12:00:00Z", "28d"),
            ("2026-03-01T13:00:00Z", "0s"),
            ("soon", "soon"),
        ] {
            assert_eq!(ago(instant, noon()), age, "{instant}");
        }
    }
}
