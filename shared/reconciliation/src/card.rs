//! Rate cards: what a marketplace charges, as dated rows. A row that leaves a condition blank holds for every value of it; two rows that
//! could both apply to one thing are refused when the card is made, so a lookup finds one row or none.

mod overlap;
mod read;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use self::read::CardError;
use crate::line_type::LineType;
use crate::money::{percent_of, to_paisa};

/// What a fee is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Occasion {
    /// Goods that are sold, whatever becomes of them later.
    Sale,
    /// Goods that the customer sends back.
    Return,
    /// Goods that never reach the customer.
    Rto,
}

impl Occasion {
    /// The text in a card.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "SALE",
            Self::Return => "RETURN",
            Self::Rto => "RTO",
        }
    }
}

/// What a percentage is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PercentOf {
    /// The price with GST.
    Price,
    /// The price without GST.
    Taxable,
}

/// What a fixed amount is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedPer {
    /// Each unit.
    Unit,
    /// The order's line, whatever its quantity.
    Line,
}

/// A row of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRow {
    /// The line of the file that it stands in, counted from 1.
    pub row: u64,
    /// The marketplace's code.
    pub marketplace: String,
    /// The fee.
    pub line_type: LineType,
    /// What it is charged for.
    pub occasion: Occasion,
    /// The category.
    pub category: Option<String>,
    /// The price of one unit, GST included: at least this much.
    pub price_from: Option<Decimal>,
    /// The price of one unit, GST included: less than this much.
    pub price_below: Option<Decimal>,
    /// The weight of the line: more than this much.
    pub weight_above_grams: Option<u32>,
    /// The weight of the line: at most this much.
    pub weight_to_grams: Option<u32>,
    /// The shipping zone.
    pub zone: Option<String>,
    /// Who fulfils the order.
    pub fulfilment: Option<String>,
    /// Percent of the price.
    pub percent: Decimal,
    /// What they are of.
    pub percent_of: PercentOf,
    /// A fixed amount, added to the percentage.
    pub fixed: Decimal,
    /// What it is charged for.
    pub fixed_per: FixedPer,
    /// The fee is at least this much.
    pub minimum: Option<Decimal>,
    /// The fee is at most this much.
    pub maximum: Option<Decimal>,
    /// The GST rate on the fee.
    pub gst_percent: Decimal,
    /// Whether the marketplace states the fee with its GST, in one line.
    pub gst_included: bool,
    /// Whether the customer's return gives it back, for the units that come back.
    pub given_back: bool,
    /// The first day, in India.
    pub valid_from: NaiveDate,
    /// The last day, in India; `None`: without end.
    pub valid_to: Option<NaiveDate>,
}

/// What is looked up in a card, and what is missing when nothing is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The marketplace's code.
    pub marketplace: String,
    /// The fee.
    pub line_type: LineType,
    /// What it is charged for.
    pub occasion: Occasion,
    /// The category, if it is known.
    pub category: Option<String>,
    /// The price of one unit, GST included.
    pub unit_price: Decimal,
    /// The weight, if it is known.
    pub weight_grams: Option<u32>,
    /// The zone, if it is known.
    pub zone: Option<String>,
    /// Who fulfils it, if that is known.
    pub fulfilment: Option<String>,
    /// The day of the order, in India.
    pub day: NaiveDate,
}

/// A set of rows of which never two apply to one thing.
#[derive(Debug, Clone, Default)]
pub struct RateCard {
    rows: Vec<RateRow>,
    places: BTreeMap<String, BTreeMap<(LineType, Occasion), Vec<usize>>>,
}

impl RateCard {
    /// Makes a card of rows.
    ///
    /// # Errors
    /// [`CardError::Overlap`] names two rows that could both apply to one thing.
    pub fn new(rows: Vec<RateRow>) -> Result<Self, CardError> {
        let mut places: BTreeMap<String, BTreeMap<_, Vec<usize>>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let of_marketplace = places.entry(row.marketplace.clone()).or_default();
            of_marketplace.entry((row.line_type, row.occasion)).or_default().push(at);
        }
        for same in places.values().flat_map(BTreeMap::values) {
            overlap::refuse_overlaps(&rows, same)?;
        }
        Ok(Self { rows, places })
    }

    /// Reads a card from CSV; see the crate's README for its columns.
    ///
    /// # Errors
    /// The first thing that is wrong, by row and column.
    pub fn from_csv(text: &str) -> Result<Self, CardError> {
        Self::new(read::read_rows(text)?)
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[RateRow] {
        &self.rows
    }

    /// The row that applies. A row with a condition on something that is unknown does not.
    #[must_use]
    pub fn find(&self, question: &Question) -> Option<&RateRow> {
        let key = (question.line_type, question.occasion);
        let places = self.places.get(&question.marketplace)?.get(&key)?;
        places.iter().map(|at| &self.rows[*at]).find(|row| row.applies_to(question))
    }

    /// The fees that the card knows of a marketplace, each with the occasions it is charged for.
    pub fn fees_of(&self, marketplace: &str) -> impl Iterator<Item = (LineType, Occasion)> {
        self.places.get(marketplace).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// The rows of one fee of a marketplace.
    pub(crate) fn rows_of(&self, marketplace: &str, line_type: LineType) -> impl Iterator<Item = &RateRow> {
        let occasions = (line_type, Occasion::Sale)..=(line_type, Occasion::Rto);
        let places = self.places.get(marketplace).map(|of| of.range(occasions));
        places.into_iter().flatten().flat_map(|(_, places)| places).map(|at| &self.rows[*at])
    }

    /// The rows that would apply if the goods were heavier than the end of their slab, the lighter ones first.
    pub(crate) fn heavier(&self, question: &Question, than: Option<u32>) -> Vec<&RateRow> {
        let key = (question.line_type, question.occasion);
        let places = self.places.get(&question.marketplace).and_then(|of| of.get(&key));
        let mut rows: Vec<&RateRow> = places
            .into_iter()
            .flatten()
            .map(|at| &self.rows[*at])
            .filter(|row| {
                than.is_some() && row.weight_above_grams >= than && row.applies_apart_from_weight(question)
            })
            .collect();
        rows.sort_by_key(|row| row.weight_above_grams);
        rows
    }
}

impl RateRow {
    /// The fee, as a positive amount, and the GST on it. The percentage is rounded to the paisa; fixed amounts are added; the sum is
    /// brought between minimum and maximum; GST is computed from that and rounded to the paisa.
    #[must_use]
    pub fn charge(&self, price: Decimal, taxable: Decimal, units: u32) -> Charge {
        let base = match self.percent_of {
            PercentOf::Price => price,
            PercentOf::Taxable => taxable,
        };
        let fixed = match self.fixed_per {
            FixedPer::Unit => self.fixed * Decimal::from(units),
            FixedPer::Line => self.fixed,
        };
        let sum = percent_of(base, self.percent) + to_paisa(fixed);
        let at_least = self.minimum.map_or(sum, |minimum| sum.max(minimum));
        let fee = self.maximum.map_or(at_least, |maximum| at_least.min(maximum));
        Charge { fee, gst: percent_of(fee, self.gst_percent) }
    }

    /// What a comparison keeps of it.
    #[must_use]
    pub fn brief(&self) -> CardRow {
        let gst_percent_apart = if self.gst_included { Decimal::ZERO } else { self.gst_percent };
        CardRow { row: self.row, gst_percent_apart }
    }

    fn applies_to(&self, question: &Question) -> bool {
        let weight_fits = match question.weight_grams {
            None => self.weight_above_grams.is_none() && self.weight_to_grams.is_none(),
            Some(weight) => {
                self.weight_above_grams.is_none_or(|above| weight > above)
                    && self.weight_to_grams.is_none_or(|to| weight <= to)
            }
        };
        weight_fits && self.applies_apart_from_weight(question)
    }

    fn applies_apart_from_weight(&self, question: &Question) -> bool {
        let holds = |own: &Option<String>, asked: &Option<String>| own.is_none() || own == asked;
        holds(&self.category, &question.category)
            && holds(&self.zone, &question.zone)
            && holds(&self.fulfilment, &question.fulfilment)
            && self.price_from.is_none_or(|from| question.unit_price >= from)
            && self.price_below.is_none_or(|below| question.unit_price < below)
            && self.valid_from <= question.day
            && self.valid_to.is_none_or(|last| question.day <= last)
    }
}

/// What a comparison keeps of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardRow {
    /// The line of the file that it stands in.
    pub row: u64,
    /// The rate of GST that is stated apart from the fee; zero if none is.
    pub gst_percent_apart: Decimal,
}

/// What a row of a card comes to, both amounts positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The fee without GST.
    pub fee: Decimal,
    /// The GST on it.
    pub gst: Decimal,
}
