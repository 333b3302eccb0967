//! Requested set-aside records are read again first, once, and only the seller's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn};
use serde_json::{Value, json};
use simulators::SimulatorConfig;
use support::{LEASE_SECONDS, SetAside, Stand, eventually};

/// An order as Amazon sends it, of one line.
fn order(id: &str, updated: &str, status: &str, amount: &str) -> Value {
    let money = json!({"amount": amount, "currencyCode": "INR"});
    json!({
        "orderId": id, "createdTime": "2026-01-02T03:04:05Z", "lastUpdatedTime": updated,
        "proceeds": {"grandTotal": money},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"},
        "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {"sellerSku": "SHIRT"},
          "proceeds": {"proceedsTotal": money}}]
    })
}

async fn set_aside(stand: &Stand, external_id: &str, raw: &Value, wanted: bool) {
    let (seller, account) = (stand.sellers.ours.id, stand.account(AmazonIn));
    stand.set_aside(SetAside { seller, account, external_id, raw: &raw.to_string(), wanted }).await;
}

/// Number, status and amount of all sellers' orders whose number begins with this text.
async fn orders(stand: &Stand, beginning: &str) -> Vec<String> {
    let sql = "select external_order_id || ' ' || status || ' ' || total_amount::numeric(9, 0) || ' ' || count(i.id) from robnu.orders o
        left join robnu.order_items i on i.seller_id = o.seller_id and i.order_id = o.id
        where starts_with(external_order_id, $1) group by o.seller_id, o.id order by 1";
    stand.superuser.query(sql, &[&beginning]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_record_that_can_be_read_now_is_stored_and_any_other_stays_with_its_reason() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    // A newer version is already stored; the older one must not replace it.
    let stored = "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at,
          marketplace_updated_at, currency, total_amount)
        values ($1, $2, 'R-newer', 'SHIPPED', 'SHIPPED', '2026-01-02T03:04:05Z', '2026-01-09T00:00:00Z', 'INR', 90)";
    stand.superuser.execute(stored, &[&stand.sellers.ours.id, &stand.account(AmazonIn)]).await.unwrap();
    let day = "2026-01-03T00:00:00Z";
    set_aside(&stand, "R-1", &order("R-1", day, "UNSHIPPED", "10"), true).await;
    set_aside(&stand, "R-bad", &order("R-bad", day, "UNSHIPPED", "ten"), true).await;
    set_aside(&stand, "R-bytes", &order("R-bytes\u{FFFD}", day, "UNSHIPPED", "10"), true).await;
    set_aside(&stand, "R-newer", &order("R-newer", day, "UNSHIPPED", "80"), true).await;
    set_aside(&stand, "R-unwanted", &order("R-unwanted", day, "UNSHIPPED", "10"), false).await;
    let raw = order("R-theirs", day, "UNSHIPPED", "10").to_string();
    let theirs = SetAside {
        seller: stand.sellers.theirs.id,
        account: stand.sellers.theirs.amazon,
        external_id: "R-theirs",
        raw: &raw,
        wanted: true,
    };
    stand.set_aside(theirs).await;
    let others = stand.theirs().await;

    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;

    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(orders(&stand, "R-").await, ["R-1 CONFIRMED 10 1", "R-newer SHIPPED 90 0"]);
    assert_eq!(
        stand.aside("R-").await,
        [
            "R-bad kept: orderItems[0].proceeds.proceedsTotal.amount is not a decimal number",
            "R-bytes kept: record holds bytes that are not UTF-8",
            "R-theirs wanted: a reason of then",
            "R-unwanted kept: a reason of then",
        ]
    );
    assert_eq!(stand.theirs().await, others);
    let log = function.log().join("\n");
    assert!(log.contains("records were read again") && !log.contains("SHIRT"), "{log}");
}

#[tokio::test]
async fn hundreds_are_read_again_in_one_run_and_ajios_lists_are_kept_apart() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let (seller, account) = (stand.sellers.ours.id, stand.account(Ajio));
    for number in 0..230 {
        let id = format!("R{number:03}");
        let mut raw = json!({"order_id": id, "order_date": 1_767_000_000, "total_amount": 5,
            "order_lines": [{"order_item_id": "1", "ordered_quantity": 1, "unit_price": 5}]});
        if number == 7 {
            raw["status"] = json!("PACKED");
        }
        let raw = raw.to_string();
        stand.set_aside(SetAside { seller, account, external_id: &id, raw: &raw, wanted: true }).await;
    }
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(stand.aside("R").await, [""; 0]);
    let stored = orders(&stand, "R").await;
    assert_eq!(
        (stored.len(), stored[0].as_str(), stored[7].as_str()),
        (230, "R000 PENDING 5 1", "R007 PACKED 5 1")
    );
}

#[tokio::test]
async fn a_record_that_crashes_its_reader_is_not_read_again_and_stays_set_aside() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    set_aside(&stand, "R-1", &order("R-1", "2026-01-03T00:00:00Z", "UNSHIPPED", "10"), true).await;
    let mut blocker = stand.test.superuser().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute("lock table robnu.order_items in share mode").await.unwrap();
    let job = stand.queue_run(AmazonIn).await;
    let _never = function.send(stand.event(&job)).await;
    eventually("the record was taken", async || stand.aside("R-").await == ["R-1 kept: a reason of then"])
        .await;
    function.kill().await;
    lock.rollback().await.unwrap();
    tokio::time::sleep(Duration::from_secs(LEASE_SECONDS) + Duration::from_millis(200)).await;

    let function = stand.start(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(stand.aside("R-").await, ["R-1 kept: a reason of then"]);
    assert_eq!(orders(&stand, "R-").await, [""; 0]);
    let log = function.log().join("\n");
    assert!(log.contains("the previous attempt was killed"), "{log}");
}
