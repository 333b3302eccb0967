//! Payouts, normalised: every marketplace's money has this form here.
//!
//! A payout can have hundreds of thousands of lines, so it comes in parts. A part is what a source says together about one thing within one
//! payout: the settlement of an order's line, a document, or a charge that belongs to no order. A part has entries, one for each amount
//! that the source states as a whole, such as a row of a report; an entry has lines, one for each component. Amounts have the sign
//! of the money: what is taken from the seller is negative.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::decimal::check_amount;
use crate::records::RecordProblem;

/// Makes the enum of line types, their texts, and the list of all.
macro_rules! line_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a line of a payout is: one list for all marketplaces. The marketplace's own words are kept beside it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum PayoutLineType {
            $($(#[$doc])* $name,)*
        }

        /// Every type of line.
        pub const PAYOUT_LINE_TYPES: &[PayoutLineType] = &[$(PayoutLineType::$name,)*];

        impl PayoutLineType {
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

line_types! {
    /// The price of goods sold, with or without GST, as the marketplace states it.
    Sale = "SALE",
    /// GST on goods sold that the marketplace passes on, where it is stated apart from the price.
    SaleTax = "SALE_TAX",
    /// What goes back to the customer for goods that came back.
    Refund = "REFUND",
    /// GST on goods that came back, where it is stated apart.
    RefundTax = "REFUND_TAX",
    /// What the customer paid for shipping, wrapping or add-ons.
    ShippingCredit = "SHIPPING_CREDIT",
    /// The seller's share of an offer, a discount or a promotion.
    Promotion = "PROMOTION",
    /// The marketplace's commission or referral fee.
    Commission = "COMMISSION",
    /// A fixed or closing fee of an item.
    FixedFee = "FIXED_FEE",
    /// A fee for collecting the customer's payment.
    CollectionFee = "COLLECTION_FEE",
    /// Picking, packing and other work of the marketplace's warehouse.
    FulfilmentFee = "FULFILMENT_FEE",
    /// The way to the customer, weight handling included.
    ShippingFee = "SHIPPING_FEE",
    /// The way back from the customer.
    ReverseShippingFee = "REVERSE_SHIPPING_FEE",
    /// A later correction of a parcel's weight or size.
    WeightAdjustment = "WEIGHT_ADJUSTMENT",
    /// Keeping goods in the marketplace's warehouse.
    StorageFee = "STORAGE_FEE",
    /// A fee for a return besides its way: a refund commission or a return premium.
    ReturnFee = "RETURN_FEE",
    /// A punishment: for a cancellation, a late dispatch or a lost document.
    Penalty = "PENALTY",
    /// Advertising.
    Ads = "ADS",
    /// A subscription, a programme or a service of the platform.
    ServiceFee = "SERVICE_FEE",
    /// A fee that is none of the above.
    OtherFee = "OTHER_FEE",
    /// A part of fees that is given back: a rebate, a waiver, a reward.
    FeeRebate = "FEE_REBATE",
    /// GST on the marketplace's fees.
    FeeTax = "FEE_TAX",
    /// Tax collected at source under the GST Act.
    Tcs = "TCS",
    /// Tax deducted at source under section 194-O.
    Tds = "TDS",
    /// What a protection fund pays for goods that came back damaged or not at all.
    ProtectionFund = "PROTECTION_FUND",
    /// An approved claim of the seller.
    Claim = "CLAIM",
    /// Compensation or reimbursement that no claim of the seller asked for.
    Compensation = "COMPENSATION",
    /// Money that the marketplace takes back.
    Recovery = "RECOVERY",
    /// A reward for referring other sellers.
    Referral = "REFERRAL",
    /// Money held back for later, or released from an earlier payout.
    Reserve = "RESERVE",
    /// The transfer to the bank itself, where a report lists it among the lines. It is no part of the payout's sum.
    Transfer = "TRANSFER",
    /// Anything that the list has no word for. It is kept, summed and shown.
    Other = "OTHER",
}

/// Makes the enum of sources, their texts and their ranks.
macro_rules! payout_sources {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $rank:literal,)*) => {
        /// What a part of a payout was read from. The same payout may be read from several sources of one marketplace; then its parts are
        /// those of the source with the highest rank, never a mixture.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PayoutSource {
            $($(#[$doc])* $name,)*
        }

        /// Every source.
        pub const PAYOUT_SOURCES: &[PayoutSource] = &[$(PayoutSource::$name,)*];

        impl PayoutSource {
            /// The text stored in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Which of two sources of one payout counts: the one with the higher rank.
            #[must_use]
            pub fn rank(self) -> i16 {
                match self {
                    $(Self::$name => $rank,)*
                }
            }
        }
    };
}

payout_sources! {
    /// AJIO's payment report.
    AjioPayments = "AJIO_PAYMENTS", 1,
    /// Amazon's payments file of Seller Central: components in sums, as far as its period reaches.
    AmazonPayments = "AMAZON_PAYMENTS", 1,
    /// Amazon's Finances API: complete, 48 hours late.
    AmazonTransactions = "AMAZON_TRANSACTIONS", 2,
    /// Amazon's settlement report V2: complete when it appears, with every component.
    AmazonSettlement = "AMAZON_SETTLEMENT", 3,
    /// Flipkart's settled transactions, as a file or by its report API.
    FlipkartSettled = "FLIPKART_SETTLED", 1,
    /// Meesho's payments file, all its sheets.
    MeeshoPayments = "MEESHO_PAYMENTS", 1,
}

/// A part of a payout.
#[derive(Debug, Clone, PartialEq)]
pub struct PayoutPart {
    /// Names the part within the account, the same whenever the same source states it again; at most 500 characters.
    pub external_part_id: String,
    /// What it was read from.
    pub source: PayoutSource,
    /// The payout that it belongs to; `None` for money that is announced and not paid yet.
    pub payout: Option<PayoutHead>,
    /// What an announcement and its payment have in common, where their part ids differ: a paid part takes the place of the announced
    /// ones with its subject, and an announced part does not come back beside it.
    pub subject: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// When the marketplace expects to pay it.
    pub expected_at: Option<DateTime<Utc>>,
    /// What it consists of, in the source's order. A stored entry that is not here is removed. A part that only states its payout has none.
    pub entries: Vec<PayoutEntry>,
    /// Fields that could not be read. Each note names a field and what is wrong with it, never its value.
    pub notes: Vec<String>,
}

/// The payout that a part belongs to. A field that is `None` stays as another part stated it.
#[derive(Debug, Clone, PartialEq)]
pub struct PayoutHead {
    /// The marketplace's id of the settlement or transfer, unique within the account.
    pub external_payout_id: String,
    /// The marketplace's own status text.
    pub marketplace_status: Option<String>,
    /// The first instant that it accounts for.
    pub period_start: Option<DateTime<Utc>>,
    /// The last instant that it accounts for.
    pub period_end: Option<DateTime<Utc>>,
    /// When it was paid or, until then, when the marketplace closed it. A payout needs one; a part that knows none leaves it to the others.
    pub settled_at: Option<DateTime<Utc>>,
    /// When it was paid, if that is known apart.
    pub paid_at: Option<DateTime<Utc>>,
    /// The bank's reference of the transfer.
    pub bank_reference: Option<String>,
    /// The total of the whole payout, where the source states one.
    pub stated_amount: Option<Decimal>,
}

/// An amount that the source states as a whole, with its components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PayoutEntry {
    /// The marketplace's own words for what it is, such as `Order`, `Refund` or a document's type.
    pub marketplace_type: String,
    /// The marketplace's id of the order.
    pub external_order_id: Option<String>,
    /// The marketplace's id of the order's line.
    pub external_item_id: Option<String>,
    /// The seller's article code, as the source writes it but without its wrapping.
    pub sku: Option<String>,
    /// Units.
    pub quantity: Option<i32>,
    /// When the marketplace booked it.
    pub posted_at: Option<DateTime<Utc>>,
    /// The amount that the source states for the whole entry; `None` where it states only components.
    pub stated_amount: Option<Decimal>,
    /// Where it stands in the source, such as `sheet Order Payments, row 5`. A part that moves within its file has not changed.
    pub place: Option<String>,
    /// Filled columns that no mapping knows, by name, as they came: kept and shown, never guessed.
    pub other: BTreeMap<String, String>,
    /// The components. Zero amounts are left out.
    pub lines: Vec<PayoutLine>,
}

/// A component of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct PayoutLine {
    /// What it is.
    pub line_type: PayoutLineType,
    /// The marketplace's own words, such as a column's name.
    pub marketplace_type: String,
    /// The amount, at most four decimals.
    pub amount: Decimal,
}

/// The longest name of a part and the longest subject, in characters. An index has room for as many.
const LONGEST_NAME: usize = 500;

impl PayoutPart {
    /// Checks that the part can be stored.
    ///
    /// # Errors
    /// Names what is too long or too large.
    pub(crate) fn check_names_and_sums(&self) -> Result<(), RecordProblem> {
        let place = self.entries.first().and_then(|entry| entry.place.as_deref()).unwrap_or("record");
        let mut names = std::iter::once(&self.external_part_id).chain(&self.subject);
        if names.any(|name| name.chars().count() > LONGEST_NAME) {
            return Err(RecordProblem::at(place, "is named by longer texts than can be stored"));
        }
        for entry in &self.entries {
            let place = entry.place.as_deref().unwrap_or("record");
            let sum = entry.amount();
            let difference = entry.stated_amount.unwrap_or(sum) - sum;
            if check_amount(sum).and(check_amount(difference)).is_err() {
                return Err(RecordProblem::at(place, "makes too large a sum"));
            }
        }
        Ok(())
    }
}

impl PayoutEntry {
    /// The sum of the lines. A transfer is no part of it.
    #[must_use]
    pub fn amount(&self) -> Decimal {
        self.lines
            .iter()
            .filter(|line| line.line_type != PayoutLineType::Transfer)
            .map(|line| line.amount)
            .sum()
    }

    /// Adds a component, unless it is zero.
    pub fn add(&mut self, line_type: PayoutLineType, marketplace_type: &str, amount: Option<Decimal>) {
        if let Some(amount) = amount.filter(|amount| !amount.is_zero()) {
            self.lines.push(PayoutLine { line_type, marketplace_type: marketplace_type.to_owned(), amount });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line_type: PayoutLineType, amount: i64) -> PayoutLine {
        PayoutLine { line_type, marketplace_type: "x".to_owned(), amount: Decimal::new(amount, 2) }
    }

    #[test]
    fn the_sum_of_an_entry_leaves_out_the_transfer_itself() {
        let lines = vec![
            line(PayoutLineType::Sale, 10_000),
            line(PayoutLineType::Transfer, -9_000),
            line(PayoutLineType::Tcs, -50),
        ];
        let entry = PayoutEntry { lines, ..PayoutEntry::default() };
        assert_eq!(entry.amount(), Decimal::new(9_950, 2));
    }

    #[test]
    fn zero_amounts_make_no_lines() {
        let mut entry = PayoutEntry::default();
        entry.add(PayoutLineType::Tcs, "TCS", Some(Decimal::ZERO));
        entry.add(PayoutLineType::Tds, "TDS", None);
        entry.add(PayoutLineType::Sale, "Sale", Some(Decimal::ONE));
        assert_eq!(entry.lines.len(), 1);
    }

    #[test]
    fn texts_are_told_apart() {
        let texts: std::collections::BTreeSet<_> = PAYOUT_LINE_TYPES.iter().map(|one| one.as_str()).collect();
        assert_eq!(texts.len(), PAYOUT_LINE_TYPES.len());
        let sources: std::collections::BTreeSet<_> = PAYOUT_SOURCES.iter().map(|one| one.as_str()).collect();
        assert_eq!(sources.len(), PAYOUT_SOURCES.len());
    }
}
