//! Brings the lines of entries together to components, and components together with what is expected.

use rust_decimal::Decimal;

use crate::facts::{Entry, Line};
use crate::line_type::LineType;

/// Lines of one entry that are one amount: those of one family of types, such as a sale with its GST. A line whose marketplace type
/// the component has already begins another one, because two equal charges are two charges.
pub(crate) struct Component<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) family: LineType,
    pub(crate) lines: Vec<&'a Line>,
    pub(crate) amount: Decimal,
}

/// The components of entries, in the entries' order.
pub(crate) fn components<'a>(entries: &[&'a Entry]) -> Vec<Component<'a>> {
    let mut made: Vec<Component<'a>> = Vec::new();
    for &entry in entries {
        let first = made.len();
        let mut lines: Vec<&Line> = entry.lines.iter().collect();
        lines.sort_by_key(|line| line.number);
        for line in lines {
            match made[first..].iter_mut().find(|one| one.takes(line)) {
                Some(component) => component.add(line),
                None => made.push(Component {
                    entry,
                    family: line.line_type.family(),
                    lines: vec![line],
                    amount: line.amount,
                }),
            }
        }
    }
    made
}

impl<'a> Component<'a> {
    fn takes(&self, line: &Line) -> bool {
        let is_tax = matches!(self.family, LineType::FeeTax | LineType::Tcs | LineType::Tds);
        self.family == line.line_type.family()
            && (is_tax || self.lines.iter().all(|own| own.marketplace_type != line.marketplace_type))
    }

    fn add(&mut self, line: &'a Line) {
        self.lines.push(line);
        self.amount += line.amount;
    }
}

/// How a component fits what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the expected amount with this place.
    Meets(usize),
    /// All components together are what is expected.
    InSum,
    /// It stands for the expected amount with this place, and is another.
    Instead(usize),
    /// Nothing is expected that it could be.
    Surplus,
}

/// Components of one family beside what is expected of it.
pub(crate) struct Fitted {
    /// How each component fits.
    pub(crate) fits: Vec<Fit>,
    /// What is expected and not there.
    pub(crate) unmet: Vec<usize>,
}

/// Fits components to expected amounts: those that are equal; else all in sum; else those of the same sign, in order.
/// `tolerance` is for each line.
pub(crate) fn fit(components: &[&Component<'_>], expected: &[Decimal], tolerance: Decimal) -> Fitted {
    let lines: usize = components.iter().map(|one| one.lines.len()).sum();
    let sum: Decimal = components.iter().map(|one| one.amount).sum();
    let due: Decimal = expected.iter().copied().sum();
    let mut open: Vec<usize> = (0..expected.len()).collect();
    let mut fits = vec![Fit::Surplus; components.len()];
    for (fit, component) in fits.iter_mut().zip(components) {
        let equal = |at: &usize| is_near(component.amount, expected[*at], tolerance, component.lines.len());
        if let Some(place) = open.iter().position(equal) {
            *fit = Fit::Meets(open.remove(place));
        }
    }
    if fits.contains(&Fit::Surplus) && is_near(sum, due, tolerance, lines) {
        return Fitted { fits: vec![Fit::InSum; components.len()], unmet: Vec::new() };
    }
    for (fit, component) in fits.iter_mut().zip(components) {
        let same_sign = |at: &usize| expected[*at].is_sign_negative() == component.amount.is_sign_negative();
        if *fit == Fit::Surplus
            && let Some(place) = open.iter().position(same_sign)
        {
            *fit = Fit::Instead(open.remove(place));
        }
    }
    Fitted { fits, unmet: open }
}

/// Whether two amounts are the same but for the rounding of so many lines.
pub(crate) fn is_near(one: Decimal, other: Decimal, tolerance: Decimal, lines: usize) -> bool {
    (one - other).abs() <= tolerance * Decimal::from(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EntryId;

    fn entry(amounts: &[i64]) -> Entry {
        let line = |(nth, paise): (usize, &i64)| Line {
            number: u32::try_from(nth).unwrap() + 1,
            line_type: LineType::Commission,
            marketplace_type: "Commission".to_owned(),
            amount: Decimal::new(*paise, 2),
        };
        let lines = amounts.iter().enumerate().map(line).collect();
        Entry {
            id: EntryId(1),
            payout: None,
            external_item_id: None,
            sku: None,
            posted_at: None,
            expected_at: None,
            charged_weight_grams: None,
            lines,
        }
    }

    fn fits(amounts: &[i64], expected: &[i64]) -> (Vec<Fit>, Vec<usize>) {
        let entry = entry(amounts);
        let components = components(&[&entry]);
        let components: Vec<&Component<'_>> = components.iter().collect();
        let expected: Vec<Decimal> = expected.iter().map(|paise| Decimal::new(*paise, 2)).collect();
        let fitted = fit(&components, &expected, Decimal::new(1, 2));
        (fitted.fits, fitted.unmet)
    }

    #[test]
    fn equal_charges_are_two_components() {
        assert_eq!(fits(&[-500, -500], &[-500]), (vec![Fit::Meets(0), Fit::Surplus], vec![]));
    }

    #[test]
    fn amounts_that_are_right_together_are_right() {
        assert_eq!(fits(&[-300, -200], &[-500]).0, [Fit::InSum; 2]);
        assert_eq!(fits(&[-500, 500, -500], &[-500]).0, [Fit::InSum; 3]);
        assert_eq!(fits(&[-500, 500], &[]).0, [Fit::InSum; 2]);
    }

    #[test]
    fn an_amount_stands_for_one_of_its_sign_only() {
        assert_eq!(fits(&[-600], &[-500, 500]), (vec![Fit::Instead(0)], vec![1]));
        assert_eq!(fits(&[600], &[-500]), (vec![Fit::Surplus], vec![0]));
    }

    #[test]
    fn a_paisa_for_each_line_is_rounding() {
        assert_eq!(fits(&[-501], &[-500]).0, [Fit::Meets(0)]);
        assert_eq!(fits(&[-502], &[-500]).0, [Fit::Instead(0)]);
    }
}
