//! What TCS and TDS are computed from: the goods of an entry without their GST.

use rust_decimal::Decimal;

use crate::component::{Component, components};
use crate::expected::tax_day;
use crate::facts::{EntryId, OrderFacts};
use crate::line_type::LineType;
use crate::statutory::{Deduction, Tax};
use crate::unit::{Unit, units};

/// Whether an entry has a sale or a refund.
pub(crate) fn has_goods(components: &[Component<'_>], entry: EntryId) -> bool {
    let goods = [LineType::Sale, LineType::Refund];
    components.iter().any(|one| one.entry.id == entry && goods.contains(&one.family))
}

/// What an entry's sales and refunds, shipping included, come to without GST: without the GST that the entry states or, if it states
/// none, without the part that the order says. `None`: the order does not say it.
pub(crate) fn taxable(
    unit: &Unit<'_>,
    components: &[Component<'_>],
    entry: EntryId,
    with_refunds: bool,
) -> Option<Decimal> {
    let mut goods = Decimal::ZERO;
    let mut has_tax_apart = false;
    for line in components.iter().filter(|one| one.entry.id == entry).flat_map(|one| &one.lines) {
        match line.line_type {
            LineType::Sale | LineType::ShippingCredit => goods += line.amount,
            LineType::Refund if with_refunds => goods += line.amount,
            LineType::SaleTax | LineType::RefundTax => has_tax_apart = true,
            _ => {}
        }
    }
    if has_tax_apart {
        return Some(goods);
    }
    let price: Decimal = unit.lots.iter().map(|lot| lot.item.price).sum();
    let tax: Option<Decimal> = unit.lots.iter().map(|lot| lot.item.tax).sum();
    let tax = tax.filter(|_| !price.is_zero())?;
    Some(goods * (price - tax) / price)
}

/// What was deducted from an order's sales, for [`implied_rates`](crate::statutory::implied_rates): one for each tax of an entry that pays
/// for goods. What stands alone in an entry, and what is given back, implies nothing.
#[must_use]
pub fn deductions(facts: &OrderFacts) -> Vec<Deduction> {
    let Some(order) = &facts.order else {
        return Vec::new();
    };
    let mut made = Vec::new();
    for unit in &units(facts, order) {
        let components = components(&unit.paid);
        for component in &components {
            let tax = match component.family {
                LineType::Tcs => Tax::Tcs,
                LineType::Tds => Tax::Tds,
                _ => continue,
            };
            let taxable = taxable(unit, &components, component.entry.id, true);
            if let Some(taxable) = taxable.filter(|amount| *amount > Decimal::ZERO) {
                made.push(Deduction { tax, day: tax_day(order), taxable, amount: -component.amount });
            }
        }
    }
    made
}
