//! Pages of lists that are sorted by a time or a number and an id, upwards or downwards.

use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Row};
use uuid::Uuid;

use crate::cursor::{List, Position};
use crate::problem::ApiError;

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From small to large.
    Up,
    /// From large to small.
    Down,
}

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    given: Option<Position>,
    direction: Direction,
}

impl Start {
    /// Where the cursor says, if there is one, or else where the list does.
    pub fn new(list: &List, cursor: Option<&str>, direction: Direction) -> Result<Self, ApiError> {
        Ok(Self { given: cursor.map(|cursor| list.position(cursor)).transpose()?, direction })
    }

    /// The instant after which the page begins.
    pub fn instant(&self) -> Result<DateTime<Utc>, ApiError> {
        match (self.given, self.direction) {
            (Some(at), _) => DateTime::from_timestamp_micros(at.micros).ok_or(ApiError::InvalidCursor),
            (None, Direction::Down) => Ok(DateTime::<Utc>::MAX_UTC),
            // Older than any marketplace, and not too old for the database.
            (None, Direction::Up) => Ok(DateTime::UNIX_EPOCH),
        }
    }

    /// The number after which the page begins.
    pub fn number(&self) -> i64 {
        match (self.given, self.direction) {
            (Some(at), _) => at.micros,
            (None, Direction::Down) => i64::MAX,
            (None, Direction::Up) => i64::MIN,
        }
    }

    /// The id after which the page begins, among rows of the same instant or number.
    pub fn id(&self) -> Uuid {
        match (self.given, self.direction) {
            (Some(at), _) => at.id,
            (None, Direction::Down) => Uuid::max(),
            (None, Direction::Up) => Uuid::nil(),
        }
    }
}

/// Cuts a list that was read one row too far, and answers the cursor of the next page when there is one.
pub fn next_cursor<T>(
    list: &List,
    rows: &mut Vec<T>,
    limit: i64,
    position: impl Fn(&T) -> Position,
) -> Option<String> {
    cut(rows, limit).map(|last| list.cursor(position(last)))
}

/// A page of a list whose statement looks at so many rows and no more: what matched, and the cursor of the next page.
///
/// The statement answers one match more than asked for, when there is one, and the last row that it looked at, with
/// `ends_scan`, when it has looked at as many as it may. So a page can hold less than was asked for, or nothing, and still
/// be followed by another: the list has ended only where there is no cursor.
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

/// How many rows there are in all, of which the newest were read: each says so in its column `total`.
pub fn total(newest: &[Row]) -> Result<i64, Error> {
    newest.first().map_or(Ok(0), |row| Ok(row.try_get("total")?))
}

/// The position of a row with this instant and id.
pub fn at(instant: DateTime<Utc>, id: Uuid) -> Position {
    Position { micros: instant.timestamp_micros(), id }
}

/// Cuts a list that was read one row too far. Answers its last row when more follow.
pub fn cut<T>(rows: &mut Vec<T>, limit: i64) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more_follow = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more_follow)
}
