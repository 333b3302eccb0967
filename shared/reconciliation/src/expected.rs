//! What an order should come to, by type of line: the order, its returns, the card and the statutory rates say it. Where the card says
//! nothing, the answer is [`NoCard`] with what was looked for, never a guess.
//!
//! Rounding: a share of a price for some of its units is rounded to the paisa, half away from zero; then each fee as
//! [`RateRow::charge`] says; what is given back of a fee is a share of it; each tax is rounded for itself.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::card::{CardRow, Occasion, PercentOf, Question, RateRow};
use crate::facts::{Order, OrderFacts};
use crate::line_type::LineType;
use crate::money::{india_day, percent_of, rupees, share};
use crate::rules::Rules;
use crate::statutory::{StatutoryRate, Tax, rate_on};
use crate::unit::{Lot, lots};

/// An amount that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// What it is.
    pub line_type: LineType,
    /// What it is for.
    pub occasion: Occasion,
    /// The amount, with the sign of the money.
    pub amount: Decimal,
    /// The row of the card that says so.
    pub card_row: Option<CardRow>,
}

/// What a line of an order should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    /// The marketplace's id of the line.
    pub external_item_id: String,
    /// The amounts.
    pub amounts: Vec<Expected>,
    /// What the card does not say.
    pub no_card: Vec<NoCard>,
}

impl Breakdown {
    /// The sum, if the card says everything.
    #[must_use]
    pub fn net(&self) -> Option<Decimal> {
        self.no_card.is_empty().then(|| self.amounts.iter().map(|one| one.amount).sum())
    }

    /// The sum of one type.
    #[must_use]
    pub fn of_type(&self, line_type: LineType) -> Decimal {
        self.amounts.iter().filter(|one| one.line_type == line_type).map(|one| one.amount).sum()
    }
}

/// No row of the card says what a fee should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoCard {
    /// What was looked for.
    pub question: Question,
    /// There is a row, but it takes a percentage of the price without GST, and the GST is unknown.
    pub needs_tax: bool,
}

impl fmt::Display for NoCard {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question {
            marketplace,
            line_type,
            occasion,
            category,
            unit_price,
            weight_grams,
            zone,
            fulfilment,
            day,
        } = &self.question;
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        let weight = weight_grams.map_or_else(|| "unknown".to_owned(), |grams| format!("{grams} g"));
        let (fee, occasion) = (line_type.as_str(), occasion.as_str());
        let why =
            if self.needs_tax { "the GST is not known that the card needs" } else { "no row of the card" };
        write!(
            to,
            "{why} for {fee} of {marketplace} on {occasion}, {day}: category {}, unit price {}, weight {weight}, zone {}, fulfilment {}",
            word(category),
            rupees(*unit_price),
            word(zone),
            word(fulfilment)
        )
    }
}

/// What each line of an order should come to; nothing for an order that is not held.
#[must_use]
pub fn expected_amounts(facts: &OrderFacts, rules: &Rules) -> Vec<Breakdown> {
    let Some(order) = &facts.order else {
        return Vec::new();
    };
    let of_lot = |lot: &Lot<'_>| breakdown(&facts.marketplace, order, lot, rules);
    lots(facts, order).iter().map(of_lot).collect()
}

/// What one lot should come to.
pub(crate) fn breakdown(marketplace: &str, order: &Order, lot: &Lot<'_>, rules: &Rules) -> Breakdown {
    let mut made = Breakdown {
        external_item_id: lot.item.external_item_id.clone(),
        amounts: Vec::new(),
        no_card: Vec::new(),
    };
    if order.is_replacement {
        return made;
    }
    if lot.sold() > 0 {
        made.add(LineType::Sale, Occasion::Sale, lot.price_of(lot.sold()), None);
    }
    if lot.returned > 0 {
        made.add(LineType::Refund, Occasion::Return, -lot.refund, None);
    }
    for (line_type, occasion) in rules.card.fees_of(marketplace) {
        let units = match occasion {
            Occasion::Sale => lot.sold(),
            Occasion::Return => lot.returned,
            Occasion::Rto => lot.rto,
        };
        if units > 0 {
            let question = question(marketplace, order, lot, line_type, occasion);
            made.add_fee(rules, question, lot, units);
        }
    }
    made.add_tax(rules, marketplace, order, lot, Tax::Tcs);
    made.add_tax(rules, marketplace, order, lot, Tax::Tds);
    made
}

/// What to ask the card about a fee of a lot.
pub(crate) fn question(
    marketplace: &str,
    order: &Order,
    lot: &Lot<'_>,
    line_type: LineType,
    occasion: Occasion,
) -> Question {
    Question {
        marketplace: marketplace.to_owned(),
        line_type,
        occasion,
        category: lot.item.category.clone(),
        unit_price: lot.price_of(1),
        weight_grams: lot.item.weight_grams,
        zone: lot.item.zone.clone(),
        fulfilment: order.fulfilment.clone(),
        day: india_day(order.placed_at),
    }
}

/// The rate of a tax for an order: that of the day on which it left.
pub(crate) fn tax_rate<'a>(
    rules: &'a Rules,
    marketplace: &str,
    order: &Order,
    tax: Tax,
) -> Option<&'a StatutoryRate> {
    rate_on(&rules.statutory, marketplace, tax, tax_day(order))
}

/// The day that decides an order's tax rates, in India.
pub(crate) fn tax_day(order: &Order) -> NaiveDate {
    india_day(order.dispatched_at.unwrap_or(order.placed_at))
}

/// What a row charges for so many units of a lot, as the line has it, and the GST that is stated apart. Both are negative. `None`: the
/// row needs a tax that is unknown.
pub(crate) fn fee_by_row(row: &RateRow, lot: &Lot<'_>, units: u32) -> Option<(Decimal, Decimal)> {
    let taxable = match row.percent_of {
        PercentOf::Price => Decimal::ZERO,
        PercentOf::Taxable => lot.taxable_of(units)?,
    };
    let charge = row.charge(lot.price_of(units), taxable, units);
    Some(if row.gst_included {
        (-charge.fee - charge.gst, Decimal::ZERO)
    } else {
        (-charge.fee, -charge.gst)
    })
}

impl Breakdown {
    fn add(&mut self, line_type: LineType, occasion: Occasion, amount: Decimal, card_row: Option<CardRow>) {
        self.amounts.push(Expected { line_type, occasion, amount, card_row });
    }

    fn add_fee(&mut self, rules: &Rules, question: Question, lot: &Lot<'_>, units: u32) {
        let Some(row) = rules.card.find(&question) else {
            self.no_card.push(NoCard { question, needs_tax: false });
            return;
        };
        let Some((fee, gst)) = fee_by_row(row, lot, units) else {
            self.no_card.push(NoCard { question, needs_tax: true });
            return;
        };
        let card_row = Some(row.brief());
        self.add(question.line_type, question.occasion, fee, card_row);
        if !gst.is_zero() {
            self.add(LineType::FeeTax, question.occasion, gst, card_row);
        }
        if row.given_back && lot.returned > 0 {
            let back = |amount| -share(amount, lot.returned, units);
            self.add(question.line_type, Occasion::Return, back(fee), card_row);
            if !gst.is_zero() {
                self.add(LineType::FeeTax, Occasion::Return, back(gst), card_row);
            }
        }
    }

    fn add_tax(&mut self, rules: &Rules, marketplace: &str, order: &Order, lot: &Lot<'_>, tax: Tax) {
        let line_type = match tax {
            Tax::Tcs => LineType::Tcs,
            Tax::Tds => LineType::Tds,
        };
        let Some((rate, taxable)) = tax_rate(rules, marketplace, order, tax).zip(lot.taxable_of(lot.sold()))
        else {
            return;
        };
        if lot.sold() > 0 {
            self.add(line_type, Occasion::Sale, -percent_of(taxable, rate.percent), None);
        }
        if let Some(back) = lot.taxable_of(lot.returned).filter(|_| rate.given_back && lot.returned > 0) {
            self.add(line_type, Occasion::Return, percent_of(back, rate.percent), None);
        }
    }
}
