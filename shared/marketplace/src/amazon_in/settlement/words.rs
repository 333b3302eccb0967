//! Amazon's words for components, and what they are here. Amazon publishes no list; these were seen in reports.

use crate::record::PayoutLineType;
use crate::record::PayoutLineType::{
    Ads, Claim, Commission, Compensation, FeeRebate, FeeTax, FixedFee, FulfilmentFee, Other, OtherFee,
    Promotion, Recovery, Refund, RefundTax, Reserve, ReturnFee, ReverseShippingFee, Sale, SaleTax,
    ServiceFee, ShippingCredit, ShippingFee, StorageFee, Tcs, Tds, Transfer, WeightAdjustment,
};

/// Words that a component's description holds, and its type. The first that fits counts.
const DESCRIPTIONS: &[(&str, PayoutLineType)] = &[
    ("tcs", Tcs),
    ("tds", Tds),
    ("igst", FeeTax),
    ("cgst", FeeTax),
    ("sgst", FeeTax),
    ("utgst", FeeTax),
    ("tax on fee", FeeTax),
    ("discount on fee", FeeRebate),
    ("reserve", Reserve),
    ("advertising", Ads),
    ("refund commission", ReturnFee),
    ("commission", Commission),
    ("referral", Commission),
    ("closing fee", FixedFee),
    ("weight handling", ShippingFee),
    ("easy ship", ShippingFee),
    ("postage", ShippingFee),
    ("weight adjustment", WeightAdjustment),
    ("return shipping", ReverseShippingFee),
    ("storage", StorageFee),
    ("pick & pack", FulfilmentFee),
    ("fba", FulfilmentFee),
    ("subscription", ServiceFee),
];

/// Words that a component's kind (`amount-type`) or its transaction holds.
const KINDS: &[(&str, PayoutLineType)] = &[
    ("safe-t", Claim),
    ("reimbursement", Compensation),
    ("advertising", Ads),
    ("promotion", Promotion),
    ("recovery", Recovery),
    ("fba", FulfilmentFee),
    ("itemfees", OtherFee),
    ("servicefee", ServiceFee),
    ("transfer", Transfer),
];

/// What a component is.
pub fn line_type(transaction: &str, kind: &str, description: &str) -> PayoutLineType {
    let [transaction, kind, description] = [transaction, kind, description].map(str::to_lowercase);
    if kind == "itemprice" {
        return of_price(transaction.contains("refund"), &description);
    }
    if kind == "promotion" {
        return Promotion;
    }
    let by_description = find(DESCRIPTIONS, &description)
        // Newer fees carry their name as the kind, and what of them a row is as the description.
        .or_else(|| find(DESCRIPTIONS, &kind).filter(|_| !kind.contains("reimbursement")));
    by_description.or_else(|| find(KINDS, &kind)).or_else(|| find(KINDS, &transaction)).unwrap_or(Other)
}

/// What a component is by its description alone, in small letters.
pub fn by_description(description: &str) -> Option<PayoutLineType> {
    find(DESCRIPTIONS, description)
}

/// What a component is by its kind or its transaction alone, in small letters.
pub fn by_kind(kind: &str) -> Option<PayoutLineType> {
    find(KINDS, kind)
}

/// The type of the first word that a text holds.
fn find(words: &[(&str, PayoutLineType)], text: &str) -> Option<PayoutLineType> {
    words.iter().find(|(word, _)| text.contains(word)).map(|(_, line_type)| *line_type)
}

/// What the customer paid, or gets back; the description is in small letters.
pub fn of_price(is_refund: bool, description: &str) -> PayoutLineType {
    match (
        is_refund,
        description.contains("tax"),
        description.contains("shipping") || description.contains("wrap"),
    ) {
        (false, false, false) => Sale,
        (false, true, _) => SaleTax,
        (false, false, true) => ShippingCredit,
        (true, false, _) => Refund,
        (true, true, _) => RefundTax,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_seen_have_their_types() {
        for (transaction, kind, description, expected) in [
            ("Order", "ItemPrice", "Principal", Sale),
            ("Order", "ItemPrice", "Product Tax", SaleTax),
            ("Order", "ItemPrice", "Shipping", ShippingCredit),
            ("Order", "ItemPrice", "ShippingTax", SaleTax),
            ("Refund", "ItemPrice", "Principal", Refund),
            ("Refund", "ItemPrice", "Product Tax", RefundTax),
            ("Order", "ItemFees", "Commission", Commission),
            ("Order", "ItemFees", "Commission IGST", FeeTax),
            ("Order", "ItemFees", "Fixed closing fee", FixedFee),
            ("Order", "ItemFees", "FBA Weight Handling Fee", ShippingFee),
            ("Order", "ItemFees", "FBA Pick & Pack Fee", FulfilmentFee),
            ("Order", "ItemFees", "Amazon Easy Ship Charges", ShippingFee),
            ("Order", "ItemFees", "Something new", OtherFee),
            ("Refund", "ItemFees", "Refund commission", ReturnFee),
            ("Order", "ItemWithheldTax", "TCS-IGST", Tcs),
            ("other-transaction", "other-transaction", "TDS - Section 194-O", Tds),
            ("other-transaction", "other-transaction", "Current Reserve Amount", Reserve),
            ("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_DAMAGE", Compensation),
            ("FBAFees", "FBA Inbound Placement Service Fee", "Base fee", FulfilmentFee),
            ("FBAFees", "FBA Inbound Placement Service Fee", "Tax on fee", FeeTax),
            ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", Ads),
            ("Order", "Promotion", "Principal", Promotion),
            ("other-transaction", "other-transaction", "Something new", Other),
        ] {
            assert_eq!(
                line_type(transaction, kind, description),
                expected,
                "{transaction} {kind} {description}"
            );
        }
    }
}
