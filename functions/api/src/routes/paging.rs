//! Keyset pages of lists that are sorted by a time or a number and then by an id, upwards or downwards.

use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Row, ToSql};
use uuid::Uuid;

use crate::both_ways::BothWays;
use crate::cursor::{List, Position, TIMES};
use crate::known_text::TimeSort;
use crate::problem::ApiError;

/// The direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From small to large.
    Up,
    /// From large to small.
    Down,
}

impl Direction {
    /// The direction of a list that is sorted by time.
    pub fn by_time(sort: TimeSort) -> Self {
        if sort == TimeSort::oldest { Self::Up } else { Self::Down }
    }

    /// The statement for this direction.
    pub fn of(self, list: &BothWays) -> &'static str {
        match self {
            Self::Up => list.up,
            Self::Down => list.down,
        }
    }
}

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    given: Option<Position>,
    direction: Direction,
}

/// The two keys between which a page lies, whichever way the list goes. Neither key belongs to the page: a statement says
/// `(o.placed_at, o.id) < ($1, $2) and (o.placed_at, o.id) > ($3, $4)`, which one index scan can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<T> {
    /// The time or number below which the page lies.
    pub below: T,
    /// The id below which it lies, among rows of that time or number.
    pub below_id: Uuid,
    /// The time or number above which the page lies.
    pub above: T,
    /// The id above which it lies, among rows of that time or number.
    pub above_id: Uuid,
}

impl<T: ToSql + Sync> Window<T> {
    /// The first four parameters of a statement.
    pub fn params(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.below, &self.below_id, &self.above, &self.above_id]
    }
}

impl Start {
    /// The start that the cursor gives, or the list's own start without a cursor.
    pub fn new(list: &List, cursor: Option<&str>, direction: Direction) -> Result<Self, ApiError> {
        Ok(Self { given: cursor.map(|cursor| list.position(cursor)).transpose()?, direction })
    }

    /// The window of a list by time: the rows after this start, at or after `from` and before `to`.
    pub fn times(
        &self,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<Window<DateTime<Utc>>, ApiError> {
        let micros = |instant: DateTime<Utc>| instant.timestamp_micros();
        // Older than any marketplace, but within the database's range.
        let all = (TIMES.start, micros(DateTime::<Utc>::MAX_UTC));
        let window = self.window(all, from.map(micros), to.map(micros));
        let instant = |micros| DateTime::from_timestamp_micros(micros).ok_or(ApiError::InvalidCursor);
        Ok(Window {
            below: instant(window.below)?,
            below_id: window.below_id,
            above: instant(window.above)?,
            above_id: window.above_id,
        })
    }

    /// The window of a list by number: the rows after this start, from `least` to `most`.
    pub fn numbers(&self, least: Option<i64>, most: Option<i64>) -> Window<i64> {
        // No row is above the largest number.
        let too_much = most.and_then(|most| most.checked_add(1));
        self.window((i64::MIN, i64::MAX), least, too_much)
    }

    /// In a list by id, the id below which the page lies and the id above which it lies.
    pub fn ids(&self) -> (Uuid, Uuid) {
        match self.direction {
            Direction::Down => (self.id(), Uuid::nil()),
            Direction::Up => (Uuid::max(), self.id()),
        }
    }

    /// The id after which the page begins, in a list by id.
    pub fn id(&self) -> Uuid {
        match (self.given, self.direction) {
            (Some(at), _) => at.id,
            (None, Direction::Down) => Uuid::max(),
            (None, Direction::Up) => Uuid::nil(),
        }
    }

    /// The keys from `all.0` to `all.1` after this start, at or after `from` and before `to`. No row has the lowest or the
    /// highest id, so these mark where an instant begins and ends.
    fn window(&self, all: (i64, i64), from: Option<i64>, to: Option<i64>) -> Window<i64> {
        let mut below = to.map_or(Position { micros: all.1, id: Uuid::max() }, begin);
        let mut above = begin(from.unwrap_or(all.0));
        match (self.given, self.direction) {
            (Some(at), Direction::Down) => below = below.min(at),
            (Some(at), Direction::Up) => above = above.max(at),
            (None, _) => {}
        }
        Window { below: below.micros, below_id: below.id, above: above.micros, above_id: above.id }
    }
}

/// The key before all rows of an instant or number.
fn begin(micros: i64) -> Position {
    Position { micros, id: Uuid::nil() }
}

/// Cuts a list that was read one row too far, and returns the cursor of the next page when there is one.
pub fn next_cursor<T>(
    list: &List,
    rows: &mut Vec<T>,
    limit: i64,
    position: impl Fn(&T) -> Position,
) -> Option<String> {
    cut(rows, limit).map(|last| list.cursor(position(last)))
}

/// A page of a list whose statement looks at a limited number of rows: the matches, and the cursor of the next page.
///
/// The statement returns one match more than the limit, when there is one. When it has looked at as many rows as it may, it
/// also returns the last of them, with `ends_scan`. So a page can hold fewer rows than the limit, or none, and still be
/// followed by another: the list has ended only when there is no cursor.
pub fn page<'a, T: TryFrom<&'a Row, Error = Error>>(
    list: &List,
    rows: &'a [Row],
    limit: i64,
    position: impl Fn(&T) -> Position,
) -> Result<(Vec<T>, Option<String>), Error> {
    let mut found = Vec::with_capacity(rows.len());
    let mut scanned_to = None;
    for row in rows {
        let item = T::try_from(row)?;
        if row.try_get("ends_scan")? {
            scanned_to = Some(position(&item));
        }
        if row.try_get("matches")? {
            found.push(item);
        }
    }
    let more_found = cut(&mut found, limit).map(position);
    Ok((found, more_found.or(scanned_to).map(|at| list.cursor(at))))
}

/// The number of all rows, of which only the newest were read: each row has it in its column `total`.
pub fn total(newest: &[Row]) -> Result<i64, Error> {
    newest.first().map_or(Ok(0), |row| Ok(row.try_get("total")?))
}

/// The position of a row with this instant and id.
pub fn at(instant: DateTime<Utc>, id: Uuid) -> Position {
    Position { micros: instant.timestamp_micros(), id }
}

/// Cuts a list that was read one row too far. Returns its last row when more follow.
pub fn cut<T>(rows: &mut Vec<T>, limit: i64) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more_follow = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more_follow)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a window includes a row, by the statements' own condition.
    fn within<T: Ord>(window: &Window<T>, place: &T, id: Uuid) -> bool {
        (place, id) < (&window.below, window.below_id) && (place, id) > (&window.above, window.above_id)
    }

    fn instant(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    /// Two rows for each value.
    fn rows() -> impl Iterator<Item = Position> + Clone {
        (0..4).flat_map(|micros| [1, 2].map(|id| Position { micros, id: Uuid::from_u128(id) }))
    }

    fn bounds() -> impl Iterator<Item = Option<i64>> + Clone {
        (-1..6).map(Some).chain([None])
    }

    /// Every start of a list of these rows, with the rows that follow it.
    fn starts() -> impl Iterator<Item = (Start, Vec<Position>)> {
        let cursors = rows().map(Some).chain([None]);
        cursors.flat_map(|given| {
            let follows = |direction: Direction| {
                move |row: &Position| match (given, direction) {
                    (None, _) => true,
                    (Some(last), Direction::Up) => *row > last,
                    (Some(last), Direction::Down) => *row < last,
                }
            };
            [Direction::Up, Direction::Down]
                .map(|direction| (Start { given, direction }, rows().filter(follows(direction)).collect()))
        })
    }

    #[test]
    fn a_window_holds_only_rows_after_the_cursor_and_within_the_filter() {
        for (start, following) in starts() {
            for (low, high) in bounds().flat_map(|low| bounds().map(move |high| (low, high))) {
                let times = start.times(low.map(instant), high.map(instant)).unwrap();
                let numbers = start.numbers(low, high);
                for row in rows() {
                    let (follows, place) = (following.contains(&row), row.micros);
                    let not_below = low.is_none_or(|low| place >= low);
                    let in_time = follows && not_below && high.is_none_or(|to| place < to);
                    let in_range = follows && not_below && high.is_none_or(|most| place <= most);
                    let case = format!("{start:?} {low:?} {high:?} {row:?}");
                    assert_eq!(within(&times, &instant(place), row.id), in_time, "{case}");
                    assert_eq!(within(&numbers, &place, row.id), in_range, "{case}");
                }
            }
        }
    }

    #[test]
    fn a_list_without_cursor_and_filter_is_whole() {
        for direction in [Direction::Up, Direction::Down] {
            let start = Start { given: None, direction };
            let (times, numbers) = (start.times(None, None).unwrap(), start.numbers(None, None));
            let id = Uuid::from_u128(1);
            for micros in [TIMES.start, -1, TIMES.end] {
                assert!(within(&times, &instant(micros), id), "{direction:?} {micros}");
            }
            for number in [i64::MIN, 0, i64::MAX] {
                assert!(within(&numbers, &number, id), "{direction:?} {number}");
                assert!(
                    within(&start.numbers(Some(number), Some(number)), &number, id),
                    "{direction:?} {number}"
                );
            }
            assert_eq!(start.ids(), (Uuid::max(), Uuid::nil()));
        }
    }

    #[test]
    fn times_that_the_database_cannot_tell_apart_do_not_narrow_a_filter() {
        let start = Start { given: None, direction: Direction::Down };
        let between = instant(7) + chrono::TimeDelta::nanoseconds(500);
        let id = Uuid::from_u128(1);
        assert!(within(&start.times(Some(between), None).unwrap(), &instant(7), id));
        assert!(!within(&start.times(None, Some(between)).unwrap(), &instant(7), id));
    }
}
