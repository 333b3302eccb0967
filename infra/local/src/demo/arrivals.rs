//! What arrived. The counts are read from the database as a superuser and compared with what the simulators served.

use std::str::FromStr;

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio_postgres::Client;

use super::accounts::Account;
use super::expected::Expected;

/// What one account holds.
#[derive(Debug)]
pub struct Arrived {
    /// The account.
    pub account: Account,
    /// Orders.
    pub orders: i64,
    /// Their lines.
    pub order_lines: i64,
    /// Sum of the lines' amounts, those of cancelled orders included.
    pub total_amount: Decimal,
    /// Returns.
    pub returns: i64,
    /// Those whose order is stored.
    pub returns_with_order: i64,
    /// Records that could not be read.
    pub quarantined: i64,
    /// Runs in any state.
    pub runs: i64,
}

const COUNTS: &str = "\
select (select count(*) from robnu.orders where account_id = a.id),
       (select count(*) from robnu.order_items i join robnu.orders o on (o.seller_id, o.id) = (i.seller_id, i.order_id)
         where o.account_id = a.id),
       (select coalesce(trim_scale(sum(i.line_amount)), 0)::text
          from robnu.order_items i join robnu.orders o on (o.seller_id, o.id) = (i.seller_id, i.order_id)
         where o.account_id = a.id),
       (select count(*) from robnu.quarantined_records where account_id = a.id),
       (select count(*) from robnu.sync_runs where account_id = a.id),
       (select count(*) from robnu.returns where account_id = a.id),
       (select count(order_id) from robnu.returns where account_id = a.id)
  from robnu.marketplace_accounts a
 where a.seller_id::text = $1 and a.id::text = $2";

/// Reads the counts of each account.
pub async fn read(database: &Client, accounts: &[Account]) -> anyhow::Result<Vec<Arrived>> {
    let mut arrived = Vec::new();
    for account in accounts {
        let row = database
            .query_one(COUNTS, &[&account.seller_id, &account.id])
            .await
            .with_context(|| format!("count what arrived for {}", account.display_name))?;
        let total: String = row.try_get(2)?;
        arrived.push(Arrived {
            account: account.clone(),
            orders: row.try_get(0)?,
            order_lines: row.try_get(1)?,
            total_amount: Decimal::from_str(&total).with_context(|| format!("read the sum {total}"))?,
            quarantined: row.try_get(3)?,
            runs: row.try_get(4)?,
            returns: row.try_get(5)?,
            returns_with_order: row.try_get(6)?,
        });
    }
    Ok(arrived)
}

/// One sentence for each thing that is missing or too much.
pub fn compare(arrived: &[Arrived], expected: &[Option<Expected>], runs: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    for (found, wanted) in arrived.iter().zip(expected) {
        let name = &found.account.display_name;
        if found.quarantined > 0 {
            problems.push(format!("{name}: {} records were quarantined", found.quarantined));
        }
        let Some(wanted) = wanted else { continue };
        if found.orders != wanted.orders {
            problems.push(format!("{name}: {} of {} orders arrived", found.orders, wanted.orders));
        }
        if let Some(lines) = wanted.order_lines.filter(|lines| *lines != found.order_lines) {
            problems.push(format!("{name}: {} of {lines} lines arrived", found.order_lines));
        }
        if let Some(returns) = wanted.returns.filter(|returns| *returns != found.returns) {
            problems.push(format!("{name}: {} of {returns} returns arrived", found.returns));
        }
        if found.returns_with_order != found.returns {
            problems.push(format!(
                "{name}: {} of {} returns found their order",
                found.returns_with_order, found.returns
            ));
        }
        if let Some(total) = wanted.total_amount.filter(|total| *total != found.total_amount) {
            problems.push(format!("{name}: the lines' sum is {}, not {total}", found.total_amount));
        }
    }
    for run in runs.iter().filter(|run| run["state"] == "FAILED") {
        problems.push(format!("run {} is {}: {}", run["run_id"], run["state"], run["error"]));
    }
    problems
}
