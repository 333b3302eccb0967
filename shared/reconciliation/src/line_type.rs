//! What a line of a payout is. The list is that of `robnu_marketplace`; a test in that crate compares the two.

/// Makes the enum, its texts, the words for sentences, and the list of all.
macro_rules! line_types {
    ($($name:ident = $text:literal, $words:literal;)*) => {
        /// The type of a line, as `payout_lines.line_type` has it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "`words` says what each is")]
        pub enum LineType {
            $($name,)*
        }

        /// Every type.
        pub const LINE_TYPES: &[LineType] = &[$(LineType::$name,)*];

        impl LineType {
            /// The text stored in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What a person calls it, in the middle of a sentence.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

line_types! {
    Sale = "SALE", "sale";
    SaleTax = "SALE_TAX", "GST on the sale";
    Refund = "REFUND", "refund";
    RefundTax = "REFUND_TAX", "GST on the refund";
    ShippingCredit = "SHIPPING_CREDIT", "shipping paid by the customer";
    Promotion = "PROMOTION", "promotion";
    Commission = "COMMISSION", "commission";
    FixedFee = "FIXED_FEE", "fixed fee";
    CollectionFee = "COLLECTION_FEE", "collection fee";
    FulfilmentFee = "FULFILMENT_FEE", "fulfilment fee";
    ShippingFee = "SHIPPING_FEE", "shipping fee";
    ReverseShippingFee = "REVERSE_SHIPPING_FEE", "reverse shipping fee";
    WeightAdjustment = "WEIGHT_ADJUSTMENT", "weight adjustment";
    StorageFee = "STORAGE_FEE", "storage fee";
    ReturnFee = "RETURN_FEE", "return fee";
    Penalty = "PENALTY", "penalty";
    Ads = "ADS", "advertising";
    ServiceFee = "SERVICE_FEE", "service fee";
    OtherFee = "OTHER_FEE", "other fee";
    FeeRebate = "FEE_REBATE", "rebate of fees";
    FeeTax = "FEE_TAX", "GST on fees";
    Tcs = "TCS", "TCS";
    Tds = "TDS", "TDS";
    ProtectionFund = "PROTECTION_FUND", "protection fund";
    Claim = "CLAIM", "claim";
    Compensation = "COMPENSATION", "compensation";
    Recovery = "RECOVERY", "recovery";
    Referral = "REFERRAL", "referral reward";
    Reserve = "RESERVE", "reserve";
    Transfer = "TRANSFER", "transfer to the bank";
    Other = "OTHER", "other amount";
}

impl LineType {
    /// The type with a text of the database; `None` for a text that is no type.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        LINE_TYPES.iter().copied().find(|one| one.as_str() == text)
    }

    /// Whether a rate card can say what it should be.
    #[must_use]
    pub fn is_fee(self) -> bool {
        matches!(
            self,
            Self::Commission
                | Self::FixedFee
                | Self::CollectionFee
                | Self::FulfilmentFee
                | Self::ShippingFee
                | Self::ReverseShippingFee
                | Self::StorageFee
                | Self::ReturnFee
                | Self::ServiceFee
                | Self::OtherFee
        )
    }

    /// Whether it is charged for goods that come back, once for each return.
    #[must_use]
    pub fn is_return_fee(self) -> bool {
        matches!(self, Self::ReverseShippingFee | Self::ReturnFee)
    }

    /// Whether it is part of a payout's sum: the transfer to the bank is not.
    #[must_use]
    pub fn is_in_sum(self) -> bool {
        self != Self::Transfer
    }

    /// The type that it is compared as: GST on goods together with the goods, because some sources state it apart and some do not.
    #[must_use]
    pub fn family(self) -> Self {
        match self {
            Self::SaleTax => Self::Sale,
            Self::RefundTax => Self::Refund,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_back_from_its_text() {
        for one in LINE_TYPES {
            assert_eq!(LineType::parse(one.as_str()), Some(*one));
        }
        assert_eq!(LineType::parse("COMMISSIONS"), None);
    }
}
