//! Takes a date apart, in whatever order its parts stand.

use chrono::{FixedOffset, NaiveDate, NaiveTime};

const INDIA: Option<FixedOffset> = FixedOffset::east_opt(5 * 3600 + 1800);
const UTC: Option<FixedOffset> = FixedOffset::east_opt(0);

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Longer texts are no dates.
const MAX_TEXT: usize = 60;

/// A date, its time and its zone.
pub struct Parts {
    pub day: Day,
    pub time: NaiveTime,
    pub zone: FixedOffset,
}

/// A day.
pub enum Day {
    /// It can be read in one way only.
    Known(NaiveDate),
    /// Two numbers of which one is the month, and the year.
    Numbers(u32, u32, i32),
}

impl Parts {
    /// Takes a text apart; `None` when it is no date.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('\'');
        if text.len() > MAX_TEXT || !text.is_ascii() {
            return None;
        }
        let mut words = Words::default();
        // ISO 8601 has `T` before the time, and names of days and months have commas after them.
        let spaced = match text.split_at_checked(10) {
            Some((day, time)) if time.starts_with(['T', 't']) => format!("{day} {}", &time[1..]),
            _ => text.replace(',', " "),
        };
        for word in spaced.split_whitespace() {
            words.add(word)?;
        }
        let zone = words.zone.or(INDIA)?;
        let time = words.time.unwrap_or(NaiveTime::MIN);
        Some(Self { day: words.day()?, time, zone })
    }
}

/// The words of a date, each told by its form.
#[derive(Default)]
struct Words {
    whole: Option<Day>,
    month: Option<u32>,
    numbers: Vec<u32>,
    time: Option<NaiveTime>,
    zone: Option<FixedOffset>,
}

impl Words {
    fn add(&mut self, word: &str) -> Option<()> {
        if word.contains(':') && !word.starts_with(['+', '-']) {
            return self.add_time(word);
        }
        if let Ok(number) = word.parse::<u32>()
            && !word.starts_with('+')
        {
            self.numbers.push(number);
            return (self.numbers.len() <= 2).then_some(());
        }
        let lower = word.to_ascii_lowercase();
        if let Some(zone) = zone(&lower) {
            return set(&mut self.zone, zone);
        }
        if matches!(lower.as_str(), "am" | "pm") {
            self.time = Some(twelve_hours(self.time?, lower == "pm")?);
            return Some(());
        }
        if let Some(month) = month(&lower) {
            return set(&mut self.month, month);
        }
        if WEEKDAYS.iter().any(|day| lower.starts_with(day))
            && lower.bytes().all(|byte| byte.is_ascii_lowercase())
        {
            return Some(());
        }
        set(&mut self.whole, whole_day(&lower)?)
    }

    /// A time, with a zone right after it or not: `16:43:42`, `16:43:42.000Z`, `16:43:42+05:30`.
    fn add_time(&mut self, word: &str) -> Option<()> {
        let end = word.find(|sign: char| !sign.is_ascii_digit() && sign != ':' && sign != '.');
        let (time, zone_text) = word.split_at(end.unwrap_or(word.len()));
        match zone_text.to_ascii_lowercase().as_str() {
            "" => {}
            half @ ("am" | "pm") => return set(&mut self.time, twelve_hours(clock(time)?, half == "pm")?),
            other => set(&mut self.zone, zone(other)?)?,
        }
        set(&mut self.time, clock(time)?)
    }

    fn day(self) -> Option<Day> {
        match (self.whole, self.month, self.numbers.as_slice()) {
            (Some(day), None, []) => Some(day),
            (None, Some(month), [first, second]) => {
                // `14 Aug 2026`, `Aug 14 2026`: the year is the longer one.
                let (day, given) = if *second > 31 { (*first, *second) } else { (*second, *first) };
                NaiveDate::from_ymd_opt(year(given)?, month, day).map(Day::Known)
            }
            _ => None,
        }
    }
}

/// Sets a part that may be there only once.
fn set<T>(part: &mut Option<T>, value: T) -> Option<()> {
    part.replace(value).is_none().then_some(())
}

fn month(word: &str) -> Option<u32> {
    let index = MONTHS.iter().position(|month| word.starts_with(month))?;
    let full = ["january", "february", "march", "april", "may", "june", "july", "august", "september"];
    let is_whole = word.len() == 3
        || full.get(index).is_some_and(|full| *full == word)
        || matches!(word, "sept" | "october" | "november" | "december");
    is_whole.then(|| u32::try_from(index + 1).ok()).flatten()
}

fn zone(word: &str) -> Option<FixedOffset> {
    match word {
        "ist" => return INDIA,
        "z" | "utc" | "gmt" => return UTC,
        _ => {}
    }
    let (sign, rest) = match word.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = rest.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

fn clock(text: &str) -> Option<NaiveTime> {
    let (whole, _fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut numbers = whole.split(':').map(str::parse::<u32>);
    let (hour, minute) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let second = numbers.next().unwrap_or(Ok(0)).ok()?;
    if numbers.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)
}

fn twelve_hours(time: NaiveTime, is_afternoon: bool) -> Option<NaiveTime> {
    use chrono::Timelike;
    if !(1..=12).contains(&time.hour()) {
        return None;
    }
    time.with_hour(time.hour() % 12 + if is_afternoon { 12 } else { 0 })
}

/// A day in one word: `2026-08-14`, `14-aug-2026`, `14/08/2026`, `23.07.2026`, `08/26/26`.
fn whole_day(word: &str) -> Option<Day> {
    let mut parts = word.split(['-', '/', '.']);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let number = |text: &str| {
        let is_short = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_short.then(|| text.parse::<u32>().ok()).flatten()
    };
    if first.len() == 4 {
        let year = i32::try_from(number(first)?).ok()?;
        return NaiveDate::from_ymd_opt(year, number(second)?, number(third)?).map(Day::Known);
    }
    if let Some(month) = month(second) {
        return NaiveDate::from_ymd_opt(year(number(third)?)?, month, number(first)?).map(Day::Known);
    }
    Some(Day::Numbers(number(first)?, number(second)?, year(number(third)?)?))
}

/// A year of two digits is one of this century.
fn year(given: u32) -> Option<i32> {
    let year = if given < 100 { given + 2000 } else { given };
    i32::try_from(year).ok().filter(|_| !(100..1_000).contains(&given))
}
