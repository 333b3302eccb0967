//! Orders with their lines and shipments.

mod columns;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::record::OrderRecord;
use robnu_tenancy::{Error, Row};

use crate::store::batch::{Batch, JOIN_RETURNS, Request, TAKE_TURNS, count, is_from_file, newest, written};
use crate::store::orders::columns::{ItemColumns, OrderColumns, ShipmentColumns};

const UPSERT_ORDERS: &str = include_str!("../sql/upsert_orders.sql");
const ADOPT_ITEMS: &str = include_str!("../sql/adopt_items.sql");
const UPSERT_ITEMS: &str = include_str!("../sql/upsert_items.sql");
const DELETE_VANISHED_ITEMS: &str = include_str!("../sql/delete_vanished_items.sql");
const UPSERT_SHIPMENTS: &str = include_str!("../sql/upsert_shipments.sql");

/// A page of orders joins by the orders on it.
const NO_RETURNS: &[&str] = &[];

/// A page's orders as columns.
pub struct OrdersBatch<'a> {
    order: OrderColumns<'a>,
    item: ItemColumns<'a>,
    shipment: ShipmentColumns<'a>,
}

impl<'a> OrdersBatch<'a> {
    pub fn new(orders: &'a [OrderRecord]) -> Self {
        let orders = newest(orders);
        Self {
            order: OrderColumns::new(&orders),
            item: ItemColumns::new(&orders),
            shipment: ShipmentColumns::new(&orders),
        }
    }
}

impl Batch for OrdersBatch<'_> {
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>> {
        let Self { order, item, shipment } = self;
        let account = &job.account_id;
        vec![
            (TAKE_TURNS, vec![account]),
            (
                UPSERT_ORDERS,
                vec![
                    account,
                    &job.run_id,
                    &order.external_order_id,
                    &order.status,
                    &order.marketplace_status,
                    &order.placed_at,
                    &order.marketplace_updated_at,
                    &order.dispatch_by,
                    &order.fulfilled_by,
                    &order.payment_method,
                    &order.currency,
                    &order.total_amount,
                    &order.ship_city,
                    &order.ship_state,
                    &order.ship_postal_prefix,
                    &order.notes,
                    &order.dispatch_after,
                    &order.on_hold,
                    &order.is_replacement,
                    is_from_file(job),
                    &order.is_numbered_here,
                ],
            ),
            (
                ADOPT_ITEMS,
                vec![
                    account,
                    &item.external_order_id,
                    &item.order_status,
                    &item.order_updated_at,
                    &item.external_item_id,
                    &item.sku,
                    &item.quantity,
                    &item.line_amount,
                ],
            ),
            (
                UPSERT_ITEMS,
                vec![
                    account,
                    &item.external_order_id,
                    &item.order_status,
                    &item.order_updated_at,
                    &item.external_item_id,
                    &item.sku,
                    &item.title,
                    &item.size,
                    &item.quantity,
                    &item.quantity_cancelled,
                    &item.line_amount,
                    &item.amount_basis,
                    &item.tax_amount,
                    &item.hsn,
                ],
            ),
            (
                DELETE_VANISHED_ITEMS,
                vec![
                    account,
                    &order.external_order_id,
                    &order.status,
                    &order.marketplace_updated_at,
                    &item.external_order_id,
                    &item.external_item_id,
                ],
            ),
            (
                UPSERT_SHIPMENTS,
                vec![
                    account,
                    &shipment.external_order_id,
                    &shipment.order_status,
                    &shipment.order_updated_at,
                    &shipment.external_shipment_id,
                    &shipment.status,
                    &shipment.marketplace_status,
                    &shipment.carrier,
                    &shipment.tracking_number,
                    &shipment.shipment_type,
                    &shipment.dispatch_after,
                    &shipment.dispatch_by,
                    &shipment.on_hold,
                    &shipment.package_count,
                ],
            ),
            (JOIN_RETURNS, vec![account, &order.external_order_id, &NO_RETURNS]),
        ]
    }

    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error> {
        let removed = count(&answers[4], "removed")?;
        Ok(vec![
            written("ORDERS", &answers[1], self.order.external_order_id.len(), 0)?,
            written("ORDER_LINES", &answers[3], self.item.external_item_id.len(), removed)?,
        ])
    }
}
