//! Returns with their lines.

mod columns;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::record::ReturnRecord;
use robnu_tenancy::{Error, Row};

use crate::store::batch::{Batch, JOIN_RETURNS, Request, TAKE_TURNS, count, is_from_file, newest, written};
use crate::store::returns::columns::{ItemColumns, ReturnColumns};

const UPSERT_RETURNS: &str = include_str!("../sql/upsert_returns.sql");
const ADOPT_ITEMS: &str = include_str!("../sql/adopt_return_items.sql");
const UPSERT_ITEMS: &str = include_str!("../sql/upsert_return_items.sql");
const DELETE_VANISHED_ITEMS: &str = include_str!("../sql/delete_vanished_return_items.sql");

/// A page of returns joins by the returns on it.
const NO_ORDERS: &[&str] = &[];

/// A page's returns as columns.
pub struct ReturnsBatch<'a> {
    returned: ReturnColumns<'a>,
    item: ItemColumns<'a>,
}

impl<'a> ReturnsBatch<'a> {
    pub fn new(returns: &'a [ReturnRecord]) -> Self {
        let returns = newest(returns);
        Self { returned: ReturnColumns::new(&returns), item: ItemColumns::new(&returns) }
    }
}

impl Batch for ReturnsBatch<'_> {
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>> {
        let Self { returned, item } = self;
        let account = &job.account_id;
        vec![
            (TAKE_TURNS, vec![account]),
            (
                UPSERT_RETURNS,
                vec![
                    account,
                    &returned.external_return_id,
                    &returned.external_order_id,
                    &returned.external_shipment_id,
                    &returned.return_type,
                    &returned.status,
                    &returned.marketplace_status,
                    &returned.reason,
                    &returned.carrier,
                    &returned.tracking_number,
                    &returned.currency,
                    &returned.document_kind,
                    &returned.document_number,
                    &returned.initiated_at,
                    &returned.expected_at,
                    &returned.delivered_at,
                    &returned.marketplace_updated_at,
                    &returned.notes,
                    is_from_file(job),
                ],
            ),
            (
                ADOPT_ITEMS,
                vec![
                    account,
                    &item.external_return_id,
                    &item.return_status,
                    &item.return_updated_at,
                    &item.external_item_id,
                    &item.sku,
                    &item.quantity,
                ],
            ),
            (
                UPSERT_ITEMS,
                vec![
                    account,
                    &item.external_return_id,
                    &item.return_status,
                    &item.return_updated_at,
                    &item.external_item_id,
                    &item.external_order_item_id,
                    &item.sku,
                    &item.title,
                    &item.size,
                    &item.quantity,
                    &item.quantity_cancelled,
                    &item.refund_amount,
                    &item.reason,
                ],
            ),
            (
                DELETE_VANISHED_ITEMS,
                vec![
                    account,
                    &returned.external_return_id,
                    &returned.status,
                    &returned.marketplace_updated_at,
                    &item.external_return_id,
                    &item.external_item_id,
                ],
            ),
            (JOIN_RETURNS, vec![account, &NO_ORDERS, &returned.external_return_id]),
        ]
    }

    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error> {
        let removed = count(&answers[4], "removed")?;
        Ok(vec![
            written("RETURNS", &answers[1], self.returned.external_return_id.len(), 0)?,
            written("RETURN_LINES", &answers[3], self.item.external_item_id.len(), removed)?,
        ])
    }
}
