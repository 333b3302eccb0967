//! Payouts with their entries and lines.

mod columns;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::record::PayoutPart;
use robnu_tenancy::{Error, Row};

use crate::store::batch::{Batch, Request, TAKE_TURNS, count, newest, written};
use crate::store::payouts::columns::{EntryColumns, LineColumns, PartColumns, PayoutColumns};

const UPSERT_PAYOUTS: &str = include_str!("../sql/upsert_payouts.sql");
const KEEP_CHANGES: &str = include_str!("../sql/keep_payout_changes.sql");
const REMOVE_ENTRIES: &str = include_str!("../sql/remove_payout_entries.sql");
const UPSERT_ENTRIES: &str = include_str!("../sql/upsert_payout_entries.sql");
const REMOVE_LINES: &str = include_str!("../sql/remove_payout_lines.sql");
const UPSERT_LINES: &str = include_str!("../sql/upsert_payout_lines.sql");

/// A page's parts of payouts as columns.
pub struct PayoutsBatch<'a> {
    payout: PayoutColumns<'a>,
    part: PartColumns<'a>,
    entry: EntryColumns<'a>,
    line: LineColumns<'a>,
}

impl<'a> PayoutsBatch<'a> {
    pub fn new(parts: &'a [PayoutPart]) -> Self {
        let parts = newest(parts);
        Self {
            payout: PayoutColumns::new(&parts),
            part: PartColumns::new(&parts),
            entry: EntryColumns::new(&parts),
            line: LineColumns::new(&parts),
        }
    }
}

impl Batch for PayoutsBatch<'_> {
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>> {
        let Self { payout, part, entry, line } = self;
        let (account, run) = (&job.account_id, &job.run_id);
        vec![
            (TAKE_TURNS, vec![account]),
            (
                UPSERT_PAYOUTS,
                vec![
                    account,
                    run,
                    &payout.external_payout_id,
                    &payout.source,
                    &payout.source_rank,
                    &payout.marketplace_status,
                    &payout.period_start,
                    &payout.period_end,
                    &payout.settled_at,
                    &payout.booked_at,
                    &payout.paid_at,
                    &payout.bank_reference,
                    &payout.currency,
                    &payout.stated_amount,
                ],
            ),
            (
                KEEP_CHANGES,
                vec![
                    account,
                    run,
                    &entry.external_payout_id,
                    &entry.source,
                    &entry.external_part_id,
                    &entry.number,
                    &entry.digest,
                    &entry.content,
                    &part.external_part_id,
                    &part.entries,
                    &part.is_paid,
                    &part.paid_subjects,
                    &payout.external_payout_id,
                ],
            ),
            (
                REMOVE_ENTRIES,
                vec![
                    account,
                    &part.external_part_id,
                    &part.entries,
                    &part.is_paid,
                    &part.paid_subjects,
                    &payout.external_payout_id,
                ],
            ),
            (
                UPSERT_ENTRIES,
                vec![
                    account,
                    &entry.external_payout_id,
                    &entry.source,
                    &entry.external_part_id,
                    &entry.number,
                    &entry.subject,
                    &entry.currency,
                    &entry.expected_at,
                    &entry.marketplace_type,
                    &entry.external_order_id,
                    &entry.external_item_id,
                    &entry.sku,
                    &entry.quantity,
                    &entry.posted_at,
                    &entry.stated_amount,
                    &entry.amount,
                    &entry.place,
                    &entry.other,
                    &entry.notes,
                    &entry.digest,
                    &part.paid_subjects,
                ],
            ),
            (
                REMOVE_LINES,
                vec![account, &entry.external_part_id, &entry.number, &entry.digest, &entry.lines],
            ),
            (
                UPSERT_LINES,
                vec![
                    account,
                    &entry.external_part_id,
                    &entry.number,
                    &entry.digest,
                    &line.entry,
                    &line.number,
                    &line.line_type,
                    &line.marketplace_type,
                    &line.amount,
                ],
            ),
        ]
    }

    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error> {
        let removed = count(&answers[3], "removed")?;
        let lines_removed = count(&answers[5], "removed")?;
        Ok(vec![
            written("PAYOUTS", &answers[1], self.payout.external_payout_id.len(), 0)?,
            written("PAYOUT_ENTRIES", &answers[4], self.entry.number.len(), removed)?,
            written("PAYOUT_LINES", &answers[6], self.line.number.len(), lines_removed)?,
        ])
    }
}
