//! Turns among an account's runs that must not overlap: who keeps whom back, and who goes next.

use crate::defect::Rules;
use crate::ledger::{Publication, Run, State};

/// Whether another run goes before the one at this place, and the place in line that it would get then.
#[must_use]
pub fn must_wait<'a>(rules: Rules, rows: impl Iterator<Item = &'a Run> + Clone, run: usize) -> Option<u8> {
    let turn = rows.clone().nth(run)?.turn;
    let mut others = rows.clone().enumerate().filter(|&(place, _)| place != run);
    others.any(|(_, other)| other.keeps_back(rules, turn)).then(|| last_place(rows))
}

/// The place in line behind all that wait for their turn, if any does.
#[must_use]
pub fn behind<'a>(rows: impl Iterator<Item = &'a Run> + Clone) -> Option<u8> {
    rows.clone().any(Run::waits_for_turn).then(|| last_place(rows))
}

fn last_place<'a>(rows: impl Iterator<Item = &'a Run>) -> u8 {
    rows.map(|row| row.turn).max().unwrap_or_default() + 1
}

/// `next_in_turn.sql`: the run that has waited longest is queued again, unless one is at work or operators hold the account's runs. Returns
/// its place and what to publish.
pub fn next_in_turn<'a>(
    rows: impl Iterator<Item = &'a mut Run>,
    is_held: bool,
) -> Option<(usize, Publication)> {
    let mut first: Option<(usize, &mut Run)> = None;
    for (place, row) in rows.enumerate() {
        if is_held || (row.state == State::Running && !row.is_over) {
            return None;
        }
        let is_first = first.as_ref().is_none_or(|(_, other)| row.turn < other.turn);
        if row.waits_for_turn() && is_first {
            first = Some((place, row));
        }
    }
    let (place, row) = first?;
    Some((place, row.take_turn()?))
}

/// Numbers those that wait from 1 on, so that states which differ only in numbers are one.
pub fn renumber<'a>(rows: impl Iterator<Item = &'a mut Run>) {
    let mut waiting: Vec<&mut Run> = rows.filter(|row| row.turn > 0).collect();
    waiting.sort_by_key(|row| (row.state.has_ended(), row.turn));
    for (place, row) in (1..).zip(waiting) {
        row.turn = if row.state.has_ended() { 0 } else { place };
    }
}
