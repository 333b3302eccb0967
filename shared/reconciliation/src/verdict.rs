//! What is said of each line of a payout. The amounts of the three verdicts add up to the payout, to the last decimal.

use rust_decimal::Decimal;

use crate::expected::NoCard;
use crate::facts::{Entry, EntryId, Line};
use crate::line_type::LineType;

/// What is said of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it should be.
    Explained(Reason),
    /// It is something else than it should be.
    Differs {
        /// What should be there instead of the component that the line belongs to.
        expected: Decimal,
        /// The component: the lines of one entry and one type, GST on goods included.
        actual: Decimal,
        /// Why it should be something else.
        because: Because,
    },
    /// Nobody can say what it should be.
    Unexplained(Gap),
}

/// Why a line is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The order or its return says so.
    Order,
    /// A row of the card says so.
    Card(u64),
    /// It and others of its type are right together.
    InSum,
    /// It and its opposite take each other back.
    TakenBack,
    /// The rate of the tax says so.
    TaxRate,
    /// It is the GST on the fees beside it.
    FeesBeside,
    /// The seller was late or cancelled.
    OwnEvent,
    /// A claim was approved.
    ApprovedClaim,
    /// Only the marketplace can know it: advertising, subscriptions, storage, referral rewards, what the customer paid for shipping,
    /// promotions. It is shown and summed as it is stated.
    AsStated,
    /// Money that is held back or released; it adds up to nothing over time.
    Reserve,
    /// The transfer to the bank, which is no part of the sum.
    Transfer,
    /// A credit that takes nothing from the seller.
    Credit,
}

/// Why a line should be something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The order's price is another.
    Price,
    /// The sale of the same goods was settled before.
    SettledTwice,
    /// The goods were cancelled or came back undelivered.
    NotSold,
    /// A sale takes money from the seller.
    NegativeSale,
    /// Nothing came back.
    NoReturn,
    /// A row of the card says another amount.
    Card(u64),
    /// The card knows the fee, but not for what happened to this order.
    NotDue,
    /// It was charged before for the same goods.
    ChargedAgain,
    /// It is the fee of a heavier slab.
    HeavierSlab,
    /// The seller was in time and cancelled nothing.
    NoLateEvent,
    /// The rate of the tax says another amount.
    TaxRate,
    /// The GST on the fees beside it is another.
    FeesBeside,
    /// The approved claim says another amount.
    ApprovedClaim,
}

/// Why nobody can say what a line should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The card has no row for it.
    NoCard(Box<NoCard>),
    /// The card does not know such a fee at all.
    FeeNotInCard,
    /// The order is not held.
    NoOrder,
    /// The order replaces goods, and no card says what that costs.
    Replacement,
    /// It is not known when the order had to leave, when it left, or who cancelled it.
    OwnEventUnknown,
    /// The weight is not known, or the card's fee for it.
    NoWeight,
    /// Something came back, and it is not known what.
    UnplacedReturn,
    /// There is no rate of the tax for the day, or the goods' GST is unknown.
    NoTaxRate,
    /// The GST rate of a charge beside it is not known.
    NoFeeTaxRate,
    /// No approved claim says so.
    NoClaim,
    /// Money is taken back, and nothing that is known says why.
    NothingSaysWhy,
}

/// The verdict on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineVerdict {
    /// The entry.
    pub entry: EntryId,
    /// The line's place in it.
    pub number: u32,
    /// What it is.
    pub line_type: LineType,
    /// Its amount.
    pub amount: Decimal,
    /// What is said of it.
    pub verdict: Verdict,
}

impl LineVerdict {
    pub(crate) fn new(entry: &Entry, line: &Line, verdict: Verdict) -> Self {
        let (number, line_type, amount) = (line.number, line.line_type, line.amount);
        Self { entry: entry.id, number, line_type, amount, verdict }
    }
}

/// Amounts by verdict. Transfers are in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of explained lines.
    pub explained: Decimal,
    /// Of differing lines, as they are.
    pub differing: Decimal,
    /// Of unexplained lines.
    pub unexplained: Decimal,
}

impl Sums {
    /// The sums of verdicts.
    #[must_use]
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a LineVerdict>) -> Self {
        let mut sums = Self::default();
        for one in verdicts {
            sums.add(one);
        }
        sums
    }

    /// Adds a line.
    pub fn add(&mut self, line: &LineVerdict) {
        if !line.line_type.is_in_sum() {
            return;
        }
        match line.verdict {
            Verdict::Explained(_) => self.explained += line.amount,
            Verdict::Differs { .. } => self.differing += line.amount,
            Verdict::Unexplained(_) => self.unexplained += line.amount,
        }
    }

    /// All of it: what the payout comes to.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.explained + self.differing + self.unexplained
    }
}

/// The rule for lines that no order, card or law explains. `None`: there is one elsewhere, or the line needs an order.
pub(crate) fn by_nature(line_type: LineType, amount: Decimal) -> Option<Verdict> {
    use LineType as T;
    Some(match line_type {
        T::Transfer => Verdict::Explained(Reason::Transfer),
        T::Reserve => Verdict::Explained(Reason::Reserve),
        T::Ads | T::ServiceFee | T::StorageFee | T::Referral | T::ShippingCredit | T::Promotion => {
            Verdict::Explained(Reason::AsStated)
        }
        T::FeeRebate | T::Compensation | T::ProtectionFund if amount > Decimal::ZERO => {
            Verdict::Explained(Reason::Credit)
        }
        T::FeeRebate | T::Compensation | T::ProtectionFund | T::Recovery | T::Other => {
            Verdict::Unexplained(Gap::NothingSaysWhy)
        }
        _ => return None,
    })
}
