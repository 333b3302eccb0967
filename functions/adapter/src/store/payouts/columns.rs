//! Turns parts of payouts into columns, the form in which a page is sent to the database: one array per column, one element per row.
//! `newest` in `store/batch.rs` has sorted the parts, each id once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use robnu_marketplace::record::{PayoutEntry, PayoutHead, PayoutPart};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Columns of `payouts`: of several parts of a payout, the first that states a field counts.
#[derive(Default)]
pub struct PayoutColumns<'a> {
    pub external_payout_id: Vec<&'a str>,
    pub source: Vec<&'a str>,
    pub source_rank: Vec<i16>,
    pub marketplace_status: Vec<Option<&'a str>>,
    pub period_start: Vec<Option<DateTime<Utc>>>,
    pub period_end: Vec<Option<DateTime<Utc>>>,
    pub settled_at: Vec<Option<DateTime<Utc>>>,
    /// When one of its entries was booked.
    pub booked_at: Vec<Option<DateTime<Utc>>>,
    pub paid_at: Vec<Option<DateTime<Utc>>>,
    pub bank_reference: Vec<Option<&'a str>>,
    pub currency: Vec<&'a str>,
    pub stated_amount: Vec<Option<Decimal>>,
}

impl<'a> PayoutColumns<'a> {
    pub fn new(parts: &[&'a PayoutPart]) -> Self {
        let mut payouts: BTreeMap<&str, Vec<(&'a PayoutPart, &'a PayoutHead)>> = BTreeMap::new();
        for part in parts {
            if let Some(head) = &part.payout {
                payouts.entry(&head.external_payout_id).or_default().push((part, head));
            }
        }
        let mut columns = Self::default();
        for (id, stated) in &payouts {
            let (part, _) = stated[0];
            let heads = || stated.iter().map(|(_, head)| head);
            let entries = stated.iter().flat_map(|(part, _)| &part.entries);
            columns.external_payout_id.push(id);
            columns.source.push(part.source.as_str());
            columns.source_rank.push(part.source.rank());
            columns.marketplace_status.push(heads().find_map(|head| head.marketplace_status.as_deref()));
            columns.period_start.push(heads().find_map(|head| head.period_start));
            columns.period_end.push(heads().find_map(|head| head.period_end));
            columns.settled_at.push(heads().find_map(|head| head.settled_at));
            columns.booked_at.push(entries.filter_map(|entry| entry.posted_at).max());
            columns.paid_at.push(heads().find_map(|head| head.paid_at));
            columns.bank_reference.push(heads().find_map(|head| head.bank_reference.as_deref()));
            columns.currency.push(&part.currency);
            columns.stated_amount.push(heads().find_map(|head| head.stated_amount));
        }
        columns
    }
}

/// The parts, and the subjects of those that are paid.
#[derive(Default)]
pub struct PartColumns<'a> {
    pub external_part_id: Vec<&'a str>,
    pub entries: Vec<i32>,
    /// Whether it is in a payout.
    pub is_paid: Vec<bool>,
    pub paid_subjects: Vec<&'a str>,
}

impl<'a> PartColumns<'a> {
    pub fn new(parts: &[&'a PayoutPart]) -> Self {
        let mut columns = Self::default();
        for part in parts {
            columns.external_part_id.push(&part.external_part_id);
            columns.entries.push(number(part.entries.len()));
            columns.is_paid.push(part.payout.is_some());
            if part.payout.is_some() && !part.entries.is_empty() {
                columns.paid_subjects.extend(part.subject.as_deref());
            }
        }
        columns
    }
}

/// Columns of `payout_entries`, with their payout's id, and how many lines each has.
#[derive(Default)]
pub struct EntryColumns<'a> {
    pub external_payout_id: Vec<Option<&'a str>>,
    pub source: Vec<&'a str>,
    pub external_part_id: Vec<&'a str>,
    pub number: Vec<i32>,
    pub subject: Vec<Option<&'a str>>,
    pub currency: Vec<&'a str>,
    pub expected_at: Vec<Option<DateTime<Utc>>>,
    pub marketplace_type: Vec<&'a str>,
    pub external_order_id: Vec<Option<&'a str>>,
    pub external_item_id: Vec<Option<&'a str>>,
    pub sku: Vec<Option<&'a str>>,
    pub quantity: Vec<Option<i32>>,
    pub posted_at: Vec<Option<DateTime<Utc>>>,
    pub stated_amount: Vec<Option<Decimal>>,
    pub amount: Vec<Decimal>,
    pub place: Vec<Option<&'a str>>,
    /// As JSON.
    pub other: Vec<String>,
    /// One per line; null when all fields were read.
    pub notes: Vec<Option<String>>,
    pub digest: Vec<Vec<u8>>,
    /// What `payout_changes` keeps of it, as JSON.
    pub content: Vec<String>,
    pub lines: Vec<i32>,
}

impl<'a> EntryColumns<'a> {
    pub fn new(parts: &[&'a PayoutPart]) -> Self {
        let mut columns = Self::default();
        for part in parts {
            let payout = part.payout.as_ref().map(|head| head.external_payout_id.as_str());
            for (place, entry) in (1..).zip(&part.entries) {
                let content = content(payout, entry);
                columns.external_payout_id.push(payout);
                columns.source.push(part.source.as_str());
                columns.external_part_id.push(&part.external_part_id);
                columns.number.push(place);
                columns.subject.push(part.subject.as_deref());
                columns.currency.push(&part.currency);
                columns.expected_at.push(part.expected_at);
                columns.marketplace_type.push(&entry.marketplace_type);
                columns.external_order_id.push(entry.external_order_id.as_deref());
                columns.external_item_id.push(entry.external_item_id.as_deref());
                columns.sku.push(entry.sku.as_deref());
                columns.quantity.push(entry.quantity);
                columns.posted_at.push(entry.posted_at);
                columns.stated_amount.push(entry.stated_amount);
                columns.amount.push(entry.amount());
                columns.place.push(entry.place.as_deref());
                columns.other.push(json!(entry.other).to_string());
                columns.notes.push((!part.notes.is_empty()).then(|| part.notes.join("\n")));
                columns.digest.push(digest(part, entry, &content));
                columns.content.push(with_place(content, entry).to_string());
                columns.lines.push(number(entry.lines.len()));
            }
        }
        columns
    }
}

/// What changes of an entry are told by, with `payout_entry_content` in `migrations/0012_payouts.sql`.
fn content(payout: Option<&str>, entry: &PayoutEntry) -> Value {
    let lines: Vec<Value> = entry
        .lines
        .iter()
        .map(|line| {
            json!({
                "line_type": line.line_type.as_str(),
                "marketplace_type": line.marketplace_type,
                "amount": text(line.amount),
            })
        })
        .collect();
    let mut content = json!({
        "external_payout_id": payout,
        "marketplace_type": entry.marketplace_type,
        "external_order_id": entry.external_order_id,
        "external_item_id": entry.external_item_id,
        "sku": entry.sku,
        "quantity": entry.quantity,
        "stated_amount": entry.stated_amount.map(text),
        "amount": text(entry.amount()),
        "lines": lines,
    });
    if let Some(fields) = content.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    content
}

fn with_place(mut content: Value, entry: &PayoutEntry) -> Value {
    if let Some(place) = &entry.place {
        content["place"] = json!(place);
    }
    content
}

/// Of all that the source states about an entry, but for its place: an entry that only moved has not changed. Notes count, so that a
/// later version of the mapping, which can read more, is stored.
fn digest(part: &PayoutPart, entry: &PayoutEntry, content: &Value) -> Vec<u8> {
    let stated = json!([
        content,
        part.source.as_str(),
        part.subject,
        part.currency,
        part.expected_at,
        entry.posted_at,
        entry.other,
        notes_without_rows(part),
    ]);
    Sha256::digest(stated.to_string()).to_vec()
}

/// A note names a row, which may differ from file to file.
fn notes_without_rows(part: &PayoutPart) -> usize {
    part.notes.len()
}

/// Columns of `payout_lines`, with their entry's place in [`EntryColumns`], from 1.
#[derive(Default)]
pub struct LineColumns<'a> {
    pub entry: Vec<i32>,
    pub number: Vec<i32>,
    pub line_type: Vec<&'a str>,
    pub marketplace_type: Vec<&'a str>,
    pub amount: Vec<Decimal>,
}

impl<'a> LineColumns<'a> {
    pub fn new(parts: &[&'a PayoutPart]) -> Self {
        let mut columns = Self::default();
        for (place, entry) in (1..).zip(parts.iter().flat_map(|part| &part.entries)) {
            for (number, line) in (1..).zip(&entry.lines) {
                columns.entry.push(place);
                columns.number.push(number);
                columns.line_type.push(line.line_type.as_str());
                columns.marketplace_type.push(&line.marketplace_type);
                columns.amount.push(line.amount);
            }
        }
        columns
    }
}

/// An amount as text without trailing zeros, so that equal money is an equal text.
fn text(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// Pages are far too small for more.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
