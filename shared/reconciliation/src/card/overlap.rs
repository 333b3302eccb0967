//! Refuses rows of which two could apply to one thing.

use super::{CardError, RateRow};

/// Compares rows of one marketplace, fee and occasion with each other.
pub(super) fn refuse_overlaps(rows: &[RateRow], places: &[usize]) -> Result<(), CardError> {
    for (nth, first) in places.iter().enumerate() {
        for second in &places[nth + 1..] {
            let (first, second) = (&rows[*first], &rows[*second]);
            if could_both_apply(first, second) {
                return Err(CardError::Overlap { first: first.row, second: second.row });
            }
        }
    }
    Ok(())
}

fn could_both_apply(one: &RateRow, other: &RateRow) -> bool {
    let words_meet = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    words_meet(&one.category, &other.category)
        && words_meet(&one.zone, &other.zone)
        && words_meet(&one.fulfilment, &other.fulfilment)
        && starts_before_end(one.price_from, other.price_below)
        && starts_before_end(other.price_from, one.price_below)
        && starts_before_end(one.weight_above_grams, other.weight_to_grams)
        && starts_before_end(other.weight_above_grams, one.weight_to_grams)
        && other.valid_to.is_none_or(|last| one.valid_from <= last)
        && one.valid_to.is_none_or(|last| other.valid_from <= last)
}

/// Whether a range of which one end is excluded begins before another ends.
fn starts_before_end<T: PartialOrd>(start: Option<T>, end: Option<T>) -> bool {
    match (start, end) {
        (Some(start), Some(end)) => start < end,
        _ => true,
    }
}
