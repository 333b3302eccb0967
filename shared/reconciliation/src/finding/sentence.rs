//! Says a finding in one plain sentence with its numbers, for a person at a marketplace's help desk as much as for the seller.

use super::{Detail, Finding, Subject};
use crate::line_type::LineType;
use crate::money::rupees;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// The sentence.
pub(super) fn sentence(finding: &Finding) -> String {
    let text = unfinished(finding);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The sentence, perhaps with a small first letter.
fn unfinished(finding: &Finding) -> String {
    let subject = &finding.key.subject;
    let what = name(subject);
    let fee = subject.line_type.map_or("fee", LineType::words);
    match &finding.detail {
        Detail::NotSettled { due, days_late, net, price, .. } => {
            let amount = match net {
                Some(net) => format!("{} for its price of {}", rupees(*net), rupees(*price)),
                None => format!("its price of {} less fees", rupees(*price)),
            };
            format!(
                "{what} was delivered, and {amount} should have been paid by {due}, {}.",
                late(*days_late)
            )
        }
        Detail::SaleMissing { price, settled: None } => {
            format!("Fees were taken for {what}, but its sale of {} was not paid.", rupees(*price))
        }
        Detail::SaleMissing { price, settled: Some(settled) } => {
            format!("The sale of {what} took {} instead of paying {}.", rupees(*settled), rupees(*price))
        }
        Detail::SaleShort { price, settled } => {
            let less = rupees(*price - *settled);
            format!(
                "{what} was settled at {}, {less} less than its price of {}.",
                rupees(*settled),
                rupees(*price)
            )
        }
        Detail::SettledTwice { times, price } => format!(
            "{what} was settled {times} times at {} without a refund between; expect {} to be taken back.",
            rupees(*price),
            rupees(finding.at_stake)
        ),
        Detail::RefundWithoutReturn { refunded, units_returned: 0 } => {
            format!("{} was taken as a refund for {what}, but nothing came back.", rupees(*refunded))
        }
        Detail::RefundWithoutReturn { refunded, units_returned } => format!(
            "{} was taken as a further refund for {what}, of which {units_returned} came back and had been refunded.",
            rupees(*refunded)
        ),
        Detail::RefundTooHigh { expected, refunded } => format!(
            "{} was taken as a refund for {what}, {} more than the {} that came back.",
            rupees(*refunded),
            rupees(*refunded - *expected),
            rupees(*expected)
        ),
        Detail::TaxOff { percent, expected, deducted, .. } => {
            let percent = percent.normalize();
            let (is, should) = (signed(*deducted), signed(*expected));
            format!("{fee} of {what} is {is}, but {percent} % of its price without GST is {should}.")
        }
        Detail::ClaimNotCredited { agreed, credited, days } => {
            let back = subject.external_return.as_deref().unwrap_or("unknown");
            let came =
                if credited.is_zero() { "nothing".to_owned() } else { format!("only {}", rupees(*credited)) };
            format!(
                "The claim for return {back} of {what} was approved at {} {days} days ago, and {came} was credited.",
                rupees(*agreed)
            )
        }
        Detail::UnknownOrder { entries, net } => {
            let names = if *entries == 1 { "entry names" } else { "entries name" };
            format!("{entries} payout {names} {what} with {} in all, but it is not known here.", signed(*net))
        }
        Detail::PayoutTotalOff { stated, sum } => format!(
            "Payout {} states {} but its entries add up to {}, a difference of {}.",
            subject.payout.as_deref().unwrap_or("unknown"),
            signed(*stated),
            signed(*sum),
            rupees(*stated - *sum)
        ),
        Detail::DeferredOverdue { due, days_late, announced, .. } => format!(
            "{} announced for {what} should have been released by {due}, {}.",
            signed(*announced),
            late(*days_late)
        ),
        charge => charged(charge, &what, fee),
    }
}

/// Sentences about what was charged.
fn charged(detail: &Detail, what: &str, fee: &str) -> String {
    match detail {
        Detail::DoubleReturnFee { times, units, excess, gst } => format!(
            "{what} was charged its {fee} {times} times for {units} that came back, {} too much.",
            with_gst(*excess, *gst)
        ),
        Detail::FeeAboveCard { expected, charged, gst, card_row: Some(row) } => format!(
            "{what} was charged a {fee} of {}, but row {row} of the rate card says {}, so {} too much was taken.",
            rupees(*charged),
            rupees(*expected),
            with_gst(*charged - *expected, *gst)
        ),
        Detail::FeeAboveCard { expected, charged, gst, card_row: None } => format!(
            "{what} was charged a {fee} of {}, which the rate card does not have for what happened to it, so {} too much was taken.",
            rupees(*charged),
            with_gst(*charged - *expected, *gst)
        ),
        Detail::FeeNotGivenBack { expected, gst } => {
            format!("{what} came back, but its {fee} of {} was not given back.", with_gst(*expected, *gst))
        }
        Detail::WeightSlabTooHigh { own_grams, charged_grams, expected, charged, gst } => {
            let slab =
                charged_grams.map_or_else(|| "a heavier slab".to_owned(), |grams| format!("{grams} g"));
            format!(
                "{what} weighs {own_grams} g but its {fee} was charged for {slab}: {} instead of {}, {} too much.",
                rupees(*charged),
                rupees(*expected),
                with_gst(*charged - *expected, *gst)
            )
        }
        Detail::FeeTaxOff { expected, charged } => format!(
            "GST of {} was charged on the fees of {what}, but their GST is {}.",
            rupees(*charged),
            rupees(*expected)
        ),
        Detail::PenaltyWithoutCause { charged, dispatch_by, dispatched_at } => format!(
            "{what} was charged a penalty of {}, but it left on {}, by its deadline of {}, and was not cancelled by the seller.",
            rupees(*charged),
            instant(*dispatched_at),
            instant(*dispatch_by)
        ),
        _ => what.to_owned(),
    }
}

fn name(subject: &Subject) -> String {
    match (&subject.order, &subject.item) {
        (Some(order), Some(item)) if order != item => format!("order {order} (item {item})"),
        (Some(order), _) => format!("order {order}"),
        (None, _) => "no order in particular".to_owned(),
    }
}

fn late(days: i64) -> String {
    match days {
        0 => "less than a day ago".to_owned(),
        1 => "1 day ago".to_owned(),
        _ => format!("{days} days ago"),
    }
}

fn signed(amount: Decimal) -> String {
    if amount < Decimal::ZERO { format!("-{}", rupees(amount)) } else { rupees(amount) }
}

fn with_gst(amount: Decimal, gst: Decimal) -> String {
    if gst.is_zero() { rupees(amount) } else { format!("{} and {} GST", rupees(amount), rupees(gst)) }
}

/// Day and minute in India.
fn instant(instant: DateTime<Utc>) -> String {
    let zone = chrono::FixedOffset::east_opt(19_800);
    zone.map_or_else(
        || instant.format("%Y-%m-%d %H:%M UTC").to_string(),
        |zone| instant.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
    )
}
