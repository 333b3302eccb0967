//! The numbers of each kind of finding.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::FindingKind;
use crate::statutory::Tax;

/// How late money is, in whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBand {
    /// Up to a week.
    UpTo7,
    /// More than a week.
    From8To15,
    /// More than half a month.
    From16To30,
    /// More than a month.
    Over30,
}

impl AgeBand {
    /// The band of so many days.
    #[must_use]
    pub fn of_days(days: i64) -> Self {
        match days {
            ..=7 => Self::UpTo7,
            8..=15 => Self::From8To15,
            16..=30 => Self::From16To30,
            _ => Self::Over30,
        }
    }

    /// The text stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpTo7 => "0-7",
            Self::From8To15 => "8-15",
            Self::From16To30 => "16-30",
            Self::Over30 => "30+",
        }
    }
}

/// The numbers. Amounts are positive unless a field says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// [`FindingKind::NotSettled`].
    NotSettled {
        /// The day in India on which it should have been paid.
        due: NaiveDate,
        /// Whole days since.
        days_late: i64,
        /// Their band.
        band: AgeBand,
        /// What should come after all deductions; `None`: the card does not say.
        net: Option<Decimal>,
        /// The price.
        price: Decimal,
    },
    /// [`FindingKind::SaleMissing`].
    SaleMissing {
        /// The price.
        price: Decimal,
        /// The sale as it is settled, with its sign; `None`: there is none.
        settled: Option<Decimal>,
    },
    /// [`FindingKind::SaleShort`].
    SaleShort {
        /// The price.
        price: Decimal,
        /// What was settled.
        settled: Decimal,
    },
    /// [`FindingKind::SettledTwice`].
    SettledTwice {
        /// How many times.
        times: usize,
        /// The price.
        price: Decimal,
    },
    /// [`FindingKind::RefundWithoutReturn`].
    RefundWithoutReturn {
        /// What was taken without a return.
        refunded: Decimal,
        /// Units that did come back, and have their refund already.
        units_returned: u32,
    },
    /// [`FindingKind::RefundTooHigh`].
    RefundTooHigh {
        /// What came back is worth this.
        expected: Decimal,
        /// What was taken.
        refunded: Decimal,
    },
    /// [`FindingKind::DoubleReturnFee`].
    DoubleReturnFee {
        /// How often it was charged.
        times: usize,
        /// For how many units that came back.
        units: u32,
        /// What was charged too much, without GST that is stated apart.
        excess: Decimal,
        /// The GST on it.
        gst: Decimal,
    },
    /// [`FindingKind::FeeAboveCard`].
    FeeAboveCard {
        /// What the card says.
        expected: Decimal,
        /// What was charged, without GST that is stated apart.
        charged: Decimal,
        /// The GST on the difference.
        gst: Decimal,
        /// The row of the card; `None`: it says nothing is due.
        card_row: Option<u64>,
    },
    /// [`FindingKind::FeeNotGivenBack`].
    FeeNotGivenBack {
        /// What should have come back.
        expected: Decimal,
        /// The GST on it.
        gst: Decimal,
    },
    /// [`FindingKind::WeightSlabTooHigh`].
    WeightSlabTooHigh {
        /// The weight as the seller ships it.
        own_grams: u32,
        /// The weight that was charged for; `None`: it is not stated.
        charged_grams: Option<u32>,
        /// The fee for the own weight.
        expected: Decimal,
        /// What was charged, a later adjustment included.
        charged: Decimal,
        /// The GST on the difference.
        gst: Decimal,
    },
    /// [`FindingKind::FeeTaxOff`].
    FeeTaxOff {
        /// The GST on the fees that were charged.
        expected: Decimal,
        /// What was charged.
        charged: Decimal,
    },
    /// [`FindingKind::PenaltyWithoutCause`].
    PenaltyWithoutCause {
        /// What was charged.
        charged: Decimal,
        /// Until when the order had to leave.
        dispatch_by: DateTime<Utc>,
        /// When it left.
        dispatched_at: DateTime<Utc>,
    },
    /// [`FindingKind::TcsOff`] and [`FindingKind::TdsOff`].
    TaxOff {
        /// The tax.
        tax: Tax,
        /// The rate, in percent.
        percent: Decimal,
        /// What should have been deducted; negative: given back.
        expected: Decimal,
        /// What was deducted; negative: given back.
        deducted: Decimal,
    },
    /// [`FindingKind::ClaimNotCredited`].
    ClaimNotCredited {
        /// What was agreed.
        agreed: Decimal,
        /// What came.
        credited: Decimal,
        /// Whole days since it was agreed.
        days: i64,
    },
    /// [`FindingKind::UnknownOrder`].
    UnknownOrder {
        /// Entries that name it.
        entries: usize,
        /// What they come to, with its sign.
        net: Decimal,
    },
    /// [`FindingKind::PayoutTotalOff`].
    PayoutTotalOff {
        /// The stated total, with its sign.
        stated: Decimal,
        /// The sum of the entries, with its sign.
        sum: Decimal,
    },
    /// [`FindingKind::DeferredOverdue`].
    DeferredOverdue {
        /// The day in India on which it should have been released.
        due: NaiveDate,
        /// Whole days since.
        days_late: i64,
        /// Their band.
        band: AgeBand,
        /// What was announced, with its sign.
        announced: Decimal,
    },
}

impl Detail {
    /// The kind that it belongs to.
    #[must_use]
    pub fn kind(&self) -> FindingKind {
        match self {
            Self::NotSettled { .. } => FindingKind::NotSettled,
            Self::SaleMissing { .. } => FindingKind::SaleMissing,
            Self::SaleShort { .. } => FindingKind::SaleShort,
            Self::SettledTwice { .. } => FindingKind::SettledTwice,
            Self::RefundWithoutReturn { .. } => FindingKind::RefundWithoutReturn,
            Self::RefundTooHigh { .. } => FindingKind::RefundTooHigh,
            Self::DoubleReturnFee { .. } => FindingKind::DoubleReturnFee,
            Self::FeeAboveCard { .. } => FindingKind::FeeAboveCard,
            Self::FeeNotGivenBack { .. } => FindingKind::FeeNotGivenBack,
            Self::WeightSlabTooHigh { .. } => FindingKind::WeightSlabTooHigh,
            Self::FeeTaxOff { .. } => FindingKind::FeeTaxOff,
            Self::PenaltyWithoutCause { .. } => FindingKind::PenaltyWithoutCause,
            Self::TaxOff { tax: Tax::Tcs, .. } => FindingKind::TcsOff,
            Self::TaxOff { tax: Tax::Tds, .. } => FindingKind::TdsOff,
            Self::ClaimNotCredited { .. } => FindingKind::ClaimNotCredited,
            Self::UnknownOrder { .. } => FindingKind::UnknownOrder,
            Self::PayoutTotalOff { .. } => FindingKind::PayoutTotalOff,
            Self::DeferredOverdue { .. } => FindingKind::DeferredOverdue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_end_after_7_15_and_30_days() {
        let bands = [0, 7, 8, 15, 16, 30, 31].map(|days| AgeBand::of_days(days).as_str());
        assert_eq!(bands, ["0-7", "0-7", "8-15", "8-15", "16-30", "16-30", "30+"]);
    }
}
