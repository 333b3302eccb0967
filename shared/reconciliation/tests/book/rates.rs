//! The rates of the example card once more, in integers: what a marketplace would compute, in paise. Every amount is positive.

use chrono::NaiveDate;
use robnu_reconciliation::facts::{Item, Order};
use robnu_reconciliation::money::india_day;
use rust_decimal::prelude::ToPrimitive;

/// Divides, half up.
pub fn half_up(numerator: i64, denominator: i64) -> i64 {
    (numerator * 2 + denominator) / (denominator * 2)
}

/// Hundredths of a percent of an amount.
pub fn bp(amount: i64, points: i64) -> i64 {
    half_up(amount * points, 10_000)
}

/// GST of 18 %.
pub fn gst(fee: i64) -> i64 {
    bp(fee, 1_800)
}

/// The numbers of a line of an order.
#[derive(Clone, Copy)]
pub struct Numbers {
    pub price: i64,
    pub tax: i64,
    pub quantity: i64,
    pub unit: i64,
    pub grams: u32,
    pub is_kitchen: bool,
    pub is_local: bool,
    pub from_april: bool,
}

pub fn numbers(order: &Order, item: &Item) -> Numbers {
    let paise =
        |amount: rust_decimal::Decimal| (amount * rust_decimal::Decimal::ONE_HUNDRED).to_i64().unwrap();
    let quantity = i64::from(item.quantity);
    let april = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
    Numbers {
        price: paise(item.price),
        tax: paise(item.tax.unwrap()),
        quantity,
        unit: half_up(paise(item.price), quantity),
        grams: item.weight_grams.unwrap(),
        is_kitchen: item.category.as_deref() == Some("kitchen"),
        is_local: item.zone.as_deref() == Some("LOCAL"),
        from_april: india_day(order.placed_at) >= april,
    }
}

impl Numbers {
    pub fn amazon_commission(&self) -> i64 {
        match (self.is_kitchen, self.from_april) {
            (true, _) => bp(self.price, 900).clamp(500, 25_000),
            (false, false) => bp(self.price, 1_350),
            (false, true) => bp(self.price, 1_400),
        }
    }

    pub fn amazon_closing(&self) -> i64 {
        let per_unit = match self.unit {
            ..50_000 => 600,
            50_000..100_000 => 1_100,
            _ => 2_600,
        };
        per_unit * self.quantity
    }

    pub fn amazon_shipping(&self) -> i64 {
        [4_300, 6_100, 9_800][self.slab()]
    }

    pub fn flipkart_commission(&self) -> i64 {
        bp(self.price - self.tax, if self.unit < 50_000 { 950 } else { 1_200 })
    }

    pub fn flipkart_collection(&self) -> i64 {
        bp(self.price, 200).clamp(1_000, 6_000)
    }

    pub fn flipkart_shipping(&self) -> i64 {
        let slabs = if self.is_local { [3_800, 5_200, 7_900] } else { [6_500, 9_100, 13_300] };
        slabs[self.slab()]
    }

    pub fn meesho_commission(&self) -> i64 {
        let fee = bp(self.price, 150);
        fee + gst(fee)
    }

    /// The slab of the weight: to 500 g, to 1 kg, above.
    pub fn slab(&self) -> usize {
        match self.grams {
            ..=500 => 0,
            501..=1_000 => 1,
            _ => 2,
        }
    }
}
