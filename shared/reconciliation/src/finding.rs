//! What is wrong with the money, one value for each thing that somebody could act on.

mod detail;
mod sentence;

use std::fmt;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

pub use self::detail::{AgeBand, Detail};
use crate::facts::EntryId;
use crate::line_type::LineType;

/// Makes the enum of kinds, their texts, and the list of all.
macro_rules! finding_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of thing is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FindingKind {
            $($(#[$doc])* $name,)*
        }

        /// Every kind.
        pub const FINDING_KINDS: &[FindingKind] = &[$(FindingKind::$name,)*];

        impl FindingKind {
            /// The text stored in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

finding_kinds! {
    /// A delivered order was not paid in time.
    NotSettled = "NOT_SETTLED",
    /// Fees of a delivered order were taken and its sale was not paid, or the sale itself is negative.
    SaleMissing = "SALE_MISSING",
    /// The sale was settled below the order's price.
    SaleShort = "SALE_SHORT",
    /// The same goods were settled twice, without a refund between.
    SettledTwice = "SETTLED_TWICE",
    /// A refund was taken and nothing came back for it.
    RefundWithoutReturn = "REFUND_WITHOUT_RETURN",
    /// A refund took more than what came back is worth.
    RefundTooHigh = "REFUND_TOO_HIGH",
    /// A return was charged twice.
    DoubleReturnFee = "DOUBLE_RETURN_FEE",
    /// A fee is above the card.
    FeeAboveCard = "FEE_ABOVE_CARD",
    /// A return gives a fee back, and it was kept.
    FeeNotGivenBack = "FEE_NOT_GIVEN_BACK",
    /// Shipping was charged for a heavier slab.
    WeightSlabTooHigh = "WEIGHT_SLAB_TOO_HIGH",
    /// GST on fees is above the rate.
    FeeTaxOff = "FEE_TAX_OFF",
    /// A penalty, and the seller was in time.
    PenaltyWithoutCause = "PENALTY_WITHOUT_CAUSE",
    /// TCS is not what the rate says.
    TcsOff = "TCS_OFF",
    /// TDS is not what the rate says.
    TdsOff = "TDS_OFF",
    /// An approved claim was not credited.
    ClaimNotCredited = "CLAIM_NOT_CREDITED",
    /// A payout names an order that is not held.
    UnknownOrder = "UNKNOWN_ORDER",
    /// A payout's stated total is not the sum of its entries.
    PayoutTotalOff = "PAYOUT_TOTAL_OFF",
    /// Announced money is past its date.
    DeferredOverdue = "DEFERRED_OVERDUE",
}

/// What identifies a finding of an account. No amount and no entry is in it: a payout that is read again, corrected or replaced by a better
/// source leaves the key as it is, and with it what a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingKey {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// What it is about.
    pub subject: Subject,
}

/// What a finding is about, by the marketplace's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The order.
    pub order: Option<String>,
    /// The order's line; `None`: the whole order.
    pub item: Option<String>,
    /// The type of line.
    pub line_type: Option<LineType>,
    /// The return, for a claim.
    pub external_return: Option<String>,
    /// The payout.
    pub payout: Option<String>,
    /// The announced entry, if it names no order.
    pub entry: Option<EntryId>,
}

impl fmt::Display for FindingKey {
    /// One text for each key, and for each key another one.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subject { order, item, line_type, external_return, payout, entry } = &self.subject;
        to.write_str(self.kind.as_str())?;
        for (name, id) in [("order", order), ("item", item), ("return", external_return), ("payout", payout)]
        {
            if let Some(id) = id {
                write!(to, "/{name}={}", id.replace('~', "~0").replace('/', "~1"))?;
            }
        }
        if let Some(line_type) = line_type {
            write!(to, "/line={}", line_type.as_str())?;
        }
        entry.map_or(Ok(()), |entry| write!(to, "/entry={:032x}", entry.0))
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What identifies it.
    pub key: FindingKey,
    /// The numbers.
    pub detail: Detail,
    /// How much money it is about; never negative.
    pub at_stake: Decimal,
    /// Whether the marketplace can be asked for it now. Tax that was withheld is claimed from the tax office instead, and money that came
    /// twice goes back.
    pub is_recoverable: bool,
    /// Until when it can be asked for; `None`: unknown.
    pub file_by: Option<DateTime<Utc>>,
    /// The entries that show it.
    pub evidence: Vec<EntryId>,
}

impl Finding {
    /// What is wrong, in one sentence with the numbers.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence::sentence(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_whatever_ids_hold() {
        let key = |order: &str, item: Option<&str>| FindingKey {
            kind: FindingKind::SaleShort,
            subject: Subject {
                order: Some(order.to_owned()),
                item: item.map(str::to_owned),
                ..Subject::default()
            },
        };
        let texts = [key("a", Some("b")), key("a/item=b", None), key("a~1item=b", None), key("a", None)];
        let told: std::collections::BTreeSet<String> = texts.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), texts.len());
        assert_eq!(texts[0].to_string(), "SALE_SHORT/order=a/item=b");
    }
}
