//! Cursors mark where a list continues. They are opaque to clients, and valid only for the seller, list and filters that
//! made them.
//!
//! A cursor holds a position and a digest over that position and its list. The digest is a check against accidents and
//! mix-ups, not a signature: forging a cursor reveals nothing, because row level security guards what a list shows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use robnu_tenancy::SellerId;
use uuid::Uuid;

use crate::problem::ApiError;

const VERSION: u8 = 1;
const POSITION_LEN: usize = 1 + 8 + 16;
const CHECK_LEN: usize = 8;
/// Length of a cursor, in characters.
pub const CURSOR_LEN: usize = (POSITION_LEN + CHECK_LEN) * 4 / 3;
/// Microseconds of the years 1 to 9999; the database rejects times far outside.
pub const TIMES: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// The row after which a page begins: its time in microseconds, where the list has one, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Microseconds since 1970.
    pub micros: i64,
    /// Id of the row.
    pub id: Uuid,
}

/// A list, as far as its cursors care.
#[derive(Debug)]
pub struct List {
    /// Name, seller and filters in one text that no other list has.
    identity: String,
}

impl List {
    /// The list `name` of a seller, narrowed by `filters`.
    pub fn new(name: &'static str, seller: SellerId, filters: &impl std::fmt::Debug) -> Self {
        Self { identity: format!("{name}|{seller}|{filters:?}") }
    }

    /// The list `name` over all sellers, which only staff can read.
    pub fn of_staff(name: &'static str, filters: &impl std::fmt::Debug) -> Self {
        Self { identity: format!("{name}|staff|{filters:?}") }
    }

    /// The cursor for the rows after `position`.
    pub fn cursor(&self, position: Position) -> String {
        let mut bytes = Vec::with_capacity(POSITION_LEN + CHECK_LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(&position.micros.to_be_bytes());
        bytes.extend_from_slice(position.id.as_bytes());
        let check = self.check(&bytes);
        bytes.extend_from_slice(&check);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a cursor that this list made.
    pub fn position(&self, cursor: &str) -> Result<Position, ApiError> {
        self.read(cursor).ok_or(ApiError::InvalidCursor)
    }

    fn read(&self, cursor: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (position, check) = bytes.split_at_checked(POSITION_LEN)?;
        if position[0] != VERSION || check != self.check(position) {
            return None;
        }
        let micros = i64::from_be_bytes(position[1..9].try_into().ok()?);
        TIMES.contains(&micros).then_some(Position { micros, id: Uuid::from_slice(&position[9..]).ok()? })
    }

    fn check(&self, position: &[u8]) -> [u8; CHECK_LEN] {
        let whole = digest(&SHA256, &[position, self.identity.as_bytes()].concat());
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&whole.as_ref()[..CHECK_LEN]);
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Position = Position { micros: -5, id: Uuid::from_u128(7) };

    #[test]
    fn a_cursor_is_good_only_for_its_own_list() {
        let (ours, theirs) = (SellerId::new(), SellerId::new());
        let list = List::new("orders", ours, &("PENDING", 1));
        let cursor = list.cursor(POSITION);
        assert_eq!(list.position(&cursor).unwrap(), POSITION);
        assert_eq!(cursor.len(), CURSOR_LEN);
        assert!(List::new("orders", theirs, &("PENDING", 1)).position(&cursor).is_err(), "another seller");
        assert!(List::new("orders", ours, &("PACKED", 1)).position(&cursor).is_err(), "another filter");
        assert!(List::new("runs", ours, &("PENDING", 1)).position(&cursor).is_err(), "another list");
    }

    #[test]
    fn a_forged_time_outside_the_calendar_is_refused() {
        let list = List::new("orders", SellerId::new(), &());
        for micros in [i64::MIN, i64::MAX, TIMES.start - 1, TIMES.end] {
            assert!(list.position(&list.cursor(Position { micros, ..POSITION })).is_err(), "{micros}");
        }
    }

    #[test]
    fn no_changed_character_goes_unnoticed() {
        let list = List::new("orders", SellerId::new(), &());
        let cursor = list.cursor(POSITION);
        for at in 0..cursor.len() {
            for other in ['A', '_', '%'] {
                let mut changed = cursor.clone();
                changed.replace_range(at..=at, &other.to_string());
                assert!(changed == cursor || list.position(&changed).is_err(), "{changed}");
            }
        }
        for garbage in ["", "A", &cursor[1..], &format!("{cursor}AAAA")] {
            assert!(list.position(garbage).is_err(), "{garbage}");
        }
    }
}
