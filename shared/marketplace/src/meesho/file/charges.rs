//! The sheets of Meesho's payments that belong to no order: advertising, referrals, compensations and recoveries.
//!
//! They name no transfer, only a day. Meesho takes them out of that day's transfer or adds them to it, so each day's are shown as a payout
//! of their own, called after the sheet and the day.

use chrono::{DateTime, FixedOffset, Utc};

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::PayoutLineType::{Ads, Compensation, FeeRebate, FeeTax, OtherFee, Recovery, Referral};
use crate::record::{PayoutEntry, PayoutHead, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

use super::CURRENCY;

const INDIA: Option<FixedOffset> = FixedOffset::east_opt(5 * 3600 + 1800);

/// Advertising is known by day, period and campaign.
pub const ADS_KEY: Key = Key::all("Deduction Date", &["Deduction Duration", "Campaign ID"]);
/// A referral is known by its reward.
pub const REFERRAL_KEY: Key = Key::all("Reward Id", &["Payment Date"]);
/// A compensation is known by day, programme and reason.
pub const COMPENSATION_KEY: Key = Key::all("Date", &["Program Name", "Reason"]);

/// Maps a campaign's costs of one period.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn ads(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let first = record.first();
    let mut notes = Notes::default();
    let day = first.required_date("Deduction Date")?;
    let campaign = first.required_id("Campaign ID")?;
    let period = first.text("Deduction Duration", &mut notes).unwrap_or_default();
    let mut entries = Vec::new();
    for row in &record.rows {
        let mut entry = entry(record, row, "Ads Cost");
        entry.stated_amount = row.amount("Total Ads Cost")?;
        // The cost is written without its sign, the sums below it with theirs.
        entry.add(Ads, "Ad Cost", row.amount("Ad Cost")?.map(|cost| -cost.abs()));
        entry.add(FeeRebate, "Credits / Waivers / Discounts", row.amount("Credits / Waivers / Discounts")?);
        entry.add(FeeTax, "GST", row.amount("GST")?);
        entries.push(entry);
    }
    Ok(part(format!("ads/{}/{period}/{campaign}", on(day)), "ADS", day, entries, notes))
}

/// Maps a reward.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn referral(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let first = record.first();
    let day = first.required_date("Payment Date")?;
    let reward = first.required_id("Reward Id")?;
    let mut entries = Vec::new();
    for row in &record.rows {
        let mut entry = entry(record, row, "Referral Payments");
        entry.stated_amount = row.amount("Net Referral Amount")?;
        entry.add(Referral, "Net Referral Amount", entry.stated_amount);
        entries.push(entry);
    }
    Ok(part(format!("referral/{}/{reward}", on(day)), "REFERRALS", day, entries, Notes::default()))
}

/// Maps the compensations, or the recoveries, of one day, programme and reason.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn compensation(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let first = record.first();
    let mut notes = Notes::default();
    let day = first.required_date("Date")?;
    let programme = first.text("Program Name", &mut notes).unwrap_or_default();
    let reason = first.text("Reason", &mut notes).unwrap_or_default();
    let mut entries = Vec::new();
    for row in &record.rows {
        let mut entry = entry(record, row, "Compensation and Recovery");
        entry.stated_amount = row.amount("Amount (inc GST) INR")?;
        let line_type = match entry.stated_amount {
            Some(amount) if amount.is_sign_negative() => Recovery,
            Some(_) => Compensation,
            None => OtherFee,
        };
        entry.add(line_type, &programme, entry.stated_amount);
        entries.push(entry);
    }
    let id = format!("compensation/{}/{programme}/{reason}", on(day));
    Ok(part(id, "COMPENSATIONS", day, entries, notes))
}

fn entry(record: &FileRecord, row: &FileRow, marketplace_type: &str) -> PayoutEntry {
    PayoutEntry {
        marketplace_type: marketplace_type.to_owned(),
        place: Some(row.place(None)),
        other: record.other_cells(row),
        ..PayoutEntry::default()
    }
}

fn part(id: String, sheet: &str, day: DateTime<Utc>, entries: Vec<PayoutEntry>, notes: Notes) -> PayoutPart {
    PayoutPart {
        external_part_id: id,
        source: PayoutSource::MeeshoPayments,
        payout: Some(PayoutHead {
            external_payout_id: format!("{sheet}-{}", on(day)),
            marketplace_status: None,
            period_start: None,
            period_end: None,
            settled_at: Some(day),
            paid_at: Some(day),
            bank_reference: None,
            stated_amount: None,
        }),
        subject: None,
        currency: CURRENCY.to_owned(),
        expected_at: None,
        entries,
        notes: notes.into_vec(),
    }
}

/// The day in India.
fn on(day: DateTime<Utc>) -> String {
    INDIA.map_or(day.date_naive(), |india| day.with_timezone(&india).date_naive()).to_string()
}
