//! A transaction of the Finances API as a part of a payout.
//!
//! What is deferred is announced. When it is released, Amazon either changes the status of the same transaction, or makes another one that
//! names it. The payment has another part id than the announcement and the same subject, so it takes the announcement's place even where a
//! settlement report counts more and the payment itself is left out.

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::amazon_in::settlement::add_order;
use crate::fields::{Id, Instant, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::PayoutLineType::Transfer;
use crate::record::{PayoutEntry, PayoutHead, PayoutPart, PayoutSource};
use crate::records::{RecordProblem, parse_record};

use super::breakdown::{Breakdowns, Money, OneCurrency};
use super::words::line_type;

/// Related identifiers that have a meaning of their own here; the others are kept beside the entry.
const ORDER: &str = "ORDER_ID";
const SETTLEMENT: &str = "SETTLEMENT_ID";
const DEFERRED: &str = "DEFERRED_TRANSACTION_ID";
const RELEASE: &str = "RELEASE_TRANSACTION_ID";

/// More related identifiers than these are not kept of a transaction.
const MOST_IDENTIFIERS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    #[serde(rename = "transactionId")]
    id: Id,
    #[serde(rename = "transactionType", default)]
    kind: Lenient<Text>,
    #[serde(rename = "transactionStatus", default)]
    status: Lenient<Text>,
    #[serde(default)]
    description: Lenient<Text>,
    #[serde(default)]
    posted_date: Lenient<Instant>,
    total_amount: Money,
    #[serde(default, deserialize_with = "or_empty")]
    related_identifiers: Vec<Related>,
    #[serde(default, deserialize_with = "or_empty")]
    items: Vec<Item>,
    #[serde(default)]
    breakdowns: Breakdowns,
    #[serde(default)]
    contexts: Lenient<Vec<Context>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Related {
    #[serde(default)]
    related_identifier_name: Lenient<Text>,
    #[serde(default)]
    related_identifier_value: Lenient<Id>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    total_amount: Option<Money>,
    #[serde(default)]
    breakdowns: Breakdowns,
    #[serde(default)]
    contexts: Lenient<Vec<Context>>,
}

/// The fields that are read of contexts of any type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    sku: Lenient<Text>,
    #[serde(default)]
    quantity_shipped: Lenient<Quantity>,
    #[serde(default)]
    deferral_reason: Lenient<Text>,
    #[serde(default)]
    maturity_date: Lenient<Instant>,
}

/// What contexts say together.
#[derive(Debug, Default)]
struct Said {
    sku: Option<String>,
    quantity: Option<i32>,
    deferral_reason: Option<String>,
    matures: Option<Instant>,
}

/// An item as far as it is understood.
struct ReadItem {
    total: Option<Decimal>,
    breakdowns: Breakdowns,
    said: Said,
}

/// Amazon writes null for an empty list.
fn or_empty<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A transaction's id, even if nothing else of it can be read.
pub fn transaction_id(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        transaction_id: Id,
    }
    parse_record::<Named>(raw).ok().map(|named| named.transaction_id.0)
}

/// Maps a transaction.
///
/// # Errors
/// Names the field that cannot be read.
pub fn part(raw: &RawValue) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    let transaction: Transaction = parse_record(raw)?;
    let id = transaction.id.0;
    let status = status(transaction.status)?;
    let related = related(transaction.related_identifiers)?;
    let find = |wanted| related.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let (currency, total) = OneCurrency::of(&transaction.total_amount);

    let own = said(transaction.contexts, "contexts", &mut notes);
    let items = items(transaction.items, &currency, &mut notes)?;
    let expected_at = own.matures.or_else(|| items.iter().find_map(|item| item.said.matures));
    let reason = own.deferral_reason.clone();
    let mut template = PayoutEntry {
        marketplace_type: transaction.kind.text("transactionType", &mut notes).unwrap_or_default(),
        posted_at: transaction.posted_date.read("postedDate", &mut notes).map(|instant| instant.0),
        ..PayoutEntry::default()
    };
    add_order(&mut template, find(ORDER));
    let described = transaction.description.text("description", &mut notes);
    let told = [("description", described), ("deferralReason", reason)];
    template.other.extend(told.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))));
    let others = related.iter().filter(|(name, _)| name != ORDER && name != SETTLEMENT);
    template.other.extend(others.take(MOST_IDENTIFIERS).cloned());

    // What is released but belongs to no settlement, or to a release of its own, is no longer announced, and its money is booked when that is read.
    let settlement = find(SETTLEMENT).filter(|_| status == Status::Paid && find(RELEASE).is_none());
    let is_booked = settlement.is_some() || status == Status::Deferred;
    let entries = if is_booked {
        entries(&template, (total, transaction.breakdowns, own), items, &currency)?
    } else {
        Vec::new()
    };
    Ok(PayoutPart {
        external_part_id: match settlement {
            Some(_) => format!("transactions/{id}"),
            None => format!("transactions/announced/{id}"),
        },
        source: PayoutSource::AmazonTransactions,
        subject: Some(format!("transactions/{}", find(DEFERRED).unwrap_or(id))),
        payout: settlement.map(head),
        currency: currency.into_code(),
        expected_at: expected_at.filter(|_| status == Status::Deferred).map(|instant| instant.0),
        entries,
        notes: notes.into_vec(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Deferred,
    Paid,
}

/// The contract writes `DEFERRED_RELEASED` in its text and `Released` in its example. Transactions from before deferral have no status.
fn status(stated: Lenient<Text>) -> Result<Status, RecordProblem> {
    const FIELD: &str = "transactionStatus";
    let text = stated.required_readable(FIELD)?.and_then(|text| text.0).unwrap_or_default();
    match text.to_ascii_uppercase().replace([' ', '-'], "_").as_str() {
        "DEFERRED" => Ok(Status::Deferred),
        "" | "RELEASED" | "DEFERRED_RELEASED" => Ok(Status::Paid),
        _ => Err(RecordProblem::at(FIELD, "is none of those that the contract lists")),
    }
}

/// The payout that a settlement is. Only its report says when it is paid, and how much.
fn head(settlement: String) -> PayoutHead {
    PayoutHead {
        external_payout_id: settlement,
        marketplace_status: None,
        period_start: None,
        period_end: None,
        settled_at: None,
        paid_at: None,
        bank_reference: None,
        stated_amount: None,
    }
}

/// Names and values. One that cannot be read might be the settlement's, so it is a problem.
fn related(all: Vec<Related>) -> Result<Vec<(String, String)>, RecordProblem> {
    let mut read = Vec::with_capacity(all.len());
    for (place, one) in all.into_iter().enumerate() {
        let path = |field: &str| format!("relatedIdentifiers[{place}].{field}");
        let name = one.related_identifier_name.required_readable(&path("relatedIdentifierName"))?;
        let value = one.related_identifier_value.required_readable(&path("relatedIdentifierValue"))?;
        read.extend(name.and_then(|name| name.0).zip(value.map(|value| value.0)));
    }
    Ok(read)
}

fn said(contexts: Lenient<Vec<Context>>, path: &str, notes: &mut Notes) -> Said {
    let mut said = Said::default();
    for (place, context) in contexts.read(path, notes).unwrap_or_default().into_iter().enumerate() {
        let path = |field: &str| format!("{path}[{place}].{field}");
        let sku = context.sku.text(&path("sku"), notes);
        let quantity = context.quantity_shipped.read(&path("quantityShipped"), notes);
        let reason = context.deferral_reason.text(&path("deferralReason"), notes);
        let matures = context.maturity_date.read(&path("maturityDate"), notes);
        said.sku = said.sku.or(sku);
        said.quantity = said.quantity.or(quantity.map(|quantity| quantity.0));
        said.deferral_reason = said.deferral_reason.or(reason);
        said.matures = said.matures.or(matures);
    }
    said
}

fn items(
    items: Vec<Item>,
    currency: &OneCurrency,
    notes: &mut Notes,
) -> Result<Vec<ReadItem>, RecordProblem> {
    let read = |(place, item): (usize, Item)| {
        let path = format!("items[{place}]");
        let total = item.total_amount.map(|total| currency.read(&total, &format!("{path}.totalAmount")));
        Ok(ReadItem {
            total: total.transpose()?,
            breakdowns: item.breakdowns,
            said: said(item.contexts, &format!("{path}.contexts"), notes),
        })
    };
    items.into_iter().enumerate().map(read).collect()
}

/// An entry for each item, where the items state all of the money and what it consists of; otherwise one for the whole transaction.
fn entries(
    template: &PayoutEntry,
    (total, breakdowns, own): (Decimal, Breakdowns, Said),
    items: Vec<ReadItem>,
    currency: &OneCurrency,
) -> Result<Vec<PayoutEntry>, RecordProblem> {
    if template.marketplace_type.to_ascii_lowercase().contains("transfer") {
        let mut entry = template.clone();
        entry.add(Transfer, &template.marketplace_type, Some(total));
        return Ok(vec![entry]);
    }
    let stated: Option<Decimal> = items.iter().map(|item| item.total).sum();
    let all_broken_down = !items.is_empty() && items.iter().all(|item| !item.breakdowns.is_empty());
    if all_broken_down && stated == Some(total) {
        let of_item = |(place, item): (usize, ReadItem)| {
            let mut entry = of(template, item.said, item.total);
            item.breakdowns.add_to(&mut entry, currency, &format!("items[{place}].breakdowns"))?;
            Ok(entry)
        };
        return items.into_iter().enumerate().map(of_item).collect();
    }
    let mut items = items;
    // The only item says which article the whole transaction is about.
    let said = match items.as_mut_slice() {
        [only] => std::mem::take(&mut only.said),
        _ => own,
    };
    let mut entry = of(template, said, Some(total));
    breakdowns.add_to(&mut entry, currency, "breakdowns")?;
    if entry.lines.is_empty() {
        for (place, item) in items.into_iter().enumerate() {
            item.breakdowns.add_to(&mut entry, currency, &format!("items[{place}].breakdowns"))?;
        }
    }
    if entry.lines.is_empty() {
        let word = template.marketplace_type.as_str();
        entry.add(line_type(word, &[word]), word, Some(total));
    }
    Ok(vec![entry])
}

fn of(template: &PayoutEntry, said: Said, stated_amount: Option<Decimal>) -> PayoutEntry {
    PayoutEntry { sku: said.sku, quantity: said.quantity, stated_amount, ..template.clone() }
}

#[cfg(test)]
mod tests;
