//! The words of breakdowns, and what they are here. The Finances API writes them as one word (`FixedClosingFee`), reports as several; the
//! list of the reports' words serves both.

use crate::amazon_in::settlement::words::{by_description, by_kind, of_price};
use crate::record::PayoutLineType::{
    self, Ads, Claim, FeeRebate, FeeTax, Other, OtherFee, Promotion, Tcs, Tds,
};

/// Words by which a breakdown is known to be about what the customer paid or gets back.
const PRICES: &[&str] = &["sales", "refunds", "product charges", "principal", "item price", "our price"];

/// Outermost words that are about the customer's payment when they stand alone.
const PRICES_ALONE: &[&str] = &["tax", "shipping", "gift wrap"];

/// Words by which a breakdown is known to be about Amazon's fees, wherever it stands.
const FEES: &[&str] = &["fee", "expenses", "commission"];

/// What the last one of a path of breakdowns is. The path begins with the outermost one, each in Amazon's own word.
pub fn line_type(transaction: &str, path: &[&str]) -> PayoutLineType {
    let path: Vec<String> = path.iter().map(|word| spaced(word)).collect();
    let transaction = spaced(transaction);
    let says = |words: &[&str]| path.iter().any(|step| words.iter().any(|word| step.contains(word)));
    let last = path.last().map_or("", String::as_str);
    let is_alone = path.first().is_some_and(|first| PRICES_ALONE.contains(&first.as_str()));
    if says(&["tcs", "collected at source"]) {
        Tcs
    } else if says(&["tds", "deducted at source"]) {
        Tds
    } else if says(&["promo"]) {
        Promotion
    } else if says(FEES) {
        of_fee(&path, last)
    } else if says(PRICES) || is_alone {
        of_price(transaction.contains("refund") || says(&["refund"]), &path.join(" "))
    } else {
        of_neither(&transaction, &path)
    }
}

/// What is neither a price nor a fee is known by its own words, and otherwise by its transaction's.
fn of_neither(transaction: &str, path: &[String]) -> PayoutLineType {
    // The reports write some of these words as one.
    let transaction = transaction.replace(' ', "");
    let steps = || path.iter().rev();
    let described = steps().find_map(|step| by_description(step).filter(|_| !step.contains("reimbursement")));
    if transaction.replace('-', "").contains("safet") {
        Claim
    } else if transaction.contains("productads") {
        Ads
    } else {
        let by_step = described.or_else(|| steps().find_map(|step| by_kind(step)));
        by_step.or_else(|| by_kind(&transaction)).unwrap_or(Other)
    }
}

/// A fee has its name, and below it what it consists of: a base, a tax, a discount.
fn of_fee(path: &[String], last: &str) -> PayoutLineType {
    if last == "tax" || last.contains("gst") || last.ends_with(" tax") {
        FeeTax
    } else if last.contains("discount") || last.contains("rebate") {
        FeeRebate
    } else {
        path.iter().rev().find_map(|step| by_description(step)).unwrap_or(OtherFee)
    }
}

/// `FixedClosingFee` as `fixed closing fee`, and `FBAPickAndPackFee` as `fba pick and pack fee`.
fn spaced(word: &str) -> String {
    let signs: Vec<char> = word.chars().collect();
    let mut text = String::with_capacity(word.len() + 8);
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| signs.get(before));
        let begins = sign.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || (before.is_uppercase() && signs.get(at + 1).is_some_and(|next| next.is_lowercase()))
            });
        if begins {
            text.push(' ');
        }
        text.extend(sign.to_lowercase().map(|sign| if sign == '_' { ' ' } else { sign }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PayoutLineType::{
        Commission, Compensation, FixedFee, FulfilmentFee, Recovery, Refund, RefundTax, Reserve, ReturnFee,
        Sale, SaleTax, ServiceFee, ShippingCredit, ShippingFee, StorageFee,
    };

    #[test]
    fn a_path_of_words_has_its_type() {
        for (transaction, path, expected) in [
            ("Shipment", "Sales/ProductCharges", Sale),
            ("Shipment", "Sales/ProductCharges/Principal", Sale),
            ("Shipment", "ProductCharges/OurPricePrincipal", Sale),
            ("Shipment", "ProductCharges/OurPriceTax", SaleTax),
            ("Shipment", "Sales/Tax", SaleTax),
            ("Shipment", "Sales/Shipping", ShippingCredit),
            ("Shipment", "Shipping", ShippingCredit),
            ("Shipment", "Tax", SaleTax),
            ("Shipment", "Sales/GiftWrap", ShippingCredit),
            ("Shipment", "Sales/PromotionalRebates", Promotion),
            ("Refund", "Sales/ProductCharges", Refund),
            ("Refund", "Sales/Tax", RefundTax),
            ("Adjustment", "Refunds/ProductCharges/Principal", Refund),
            ("Shipment", "Expenses/AmazonFees", OtherFee),
            ("Shipment", "Expenses/AmazonFees/Commission/Base", Commission),
            ("Shipment", "Expenses/AmazonFees/Commission/Tax", FeeTax),
            ("Shipment", "Expenses/AmazonFees/FixedClosingFee/Base", FixedFee),
            ("Shipment", "Expenses/AmazonFees/FixedClosingFee/IGST", FeeTax),
            ("Shipment", "Expenses/FBAFees/FBAPick&PackFee", FulfilmentFee),
            ("Shipment", "Expenses/FBAFees/FBAWeightHandlingFee/Base", ShippingFee),
            ("Shipment", "Expenses/AmazonFees/EasyShipFee/Discount", FeeRebate),
            ("Refund", "Expenses/AmazonFees/RefundCommission/Base", ReturnFee),
            ("Refund", "Refunds/AmazonFees/Commission/Base", Commission),
            ("Shipment", "Expenses/AmazonEasyShipCharges", ShippingFee),
            ("Shipment", "Expenses/TCS", Tcs),
            ("Shipment", "TaxCollectedAtSource/IGST", Tcs),
            ("Shipment", "Expenses/ItemTDS", Tds),
            ("ServiceFee", "Expenses/FBAStorageFee", StorageFee),
            ("ProductAdsPayment", "Advertising", Ads),
            ("ServiceFee", "Something", ServiceFee),
            ("FBAInventoryReimbursement", "FBAInventoryReimbursement/WAREHOUSE_DAMAGE", Compensation),
            ("SAFE-TReimbursement", "Anything", Claim),
            ("SAFETReimbursement", "Anything", Claim),
            ("ProductAdsPayment", "Charge", Ads),
            ("DebtRecovery", "Anything", Recovery),
            ("Other", "CurrentReserveAmount", Reserve),
            ("Adjustment", "SomethingNew", Other),
        ] {
            let words: Vec<&str> = path.split('/').collect();
            assert_eq!(line_type(transaction, &words), expected, "{transaction}: {path}");
        }
    }

    #[test]
    fn words_are_told_apart_by_their_capitals() {
        for (word, expected) in [
            ("FixedClosingFee", "fixed closing fee"),
            ("FBAPerUnitFee", "fba per unit fee"),
            ("TCS-IGST", "tcs-igst"),
            ("WAREHOUSE_DAMAGE", "warehouse damage"),
            ("Product Charges", "product charges"),
            ("", ""),
        ] {
            assert_eq!(spaced(word), expected);
        }
    }
}
