//! Exports that end without a file, and messages that lead nowhere.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use exporter::Outcome;
use kit::{TestBed, at_the_first_part};
use robnu_dispatch::ExportMessage;
use robnu_tenancy::{Error, ExportId, SellerScope};
use serde_json::json;

const TEXT: u32 = 600;

#[tokio::test]
async fn an_export_fails_at_its_next_page_when_its_member_may_no_longer_have_it() {
    let cases = [
        ("delete from robnu.members where person_id = new.requested_by", "not_a_member"),
        ("update robnu.members set role = 'OPERATOR' where person_id = new.requested_by", "not_permitted"),
        (
            "update robnu.members set role = null, scan_returns = true where person_id = new.requested_by",
            "not_permitted",
        ),
        (
            "update robnu.sellers set suspended_at = now(), suspension_reason = 'x' where seller_id = new.seller_id",
            "seller_suspended",
        ),
    ];
    for (sql, code) in cases {
        let bed = TestBed::new().await;
        bed.orders(15_000, TEXT).await;
        let message = bed.ask(&bed.sellers.ours, "ADMIN", "orders", &json!({})).await;
        at_the_first_part(&bed, sql).await;
        assert_eq!(bed.work(message).await, Outcome::Failed(code));
        let row = (bed.column(message, "state").await, bed.column(message, "error_code").await);
        assert_eq!(row, ("FAILED".to_owned(), code.to_owned()));
        assert_eq!(bed.column(message, "cardinality(parts)").await, "0", "{code}: parts are forgotten");
        assert_eq!((bed.uploads().await, bed.mails().await.len()), (0, 0), "{code}");
        assert_eq!(bed.work(message).await, Outcome::Nothing);
    }
}

#[tokio::test]
async fn an_export_of_a_list_that_its_member_may_not_read_fails() {
    let bed = TestBed::new().await;
    let message = bed.ask(&bed.sellers.ours, "FINANCE", "audit", &json!({})).await;
    assert_eq!(bed.work(message).await, Outcome::Failed("not_permitted"));
    let message = bed.ask(&bed.sellers.ours, "VIEWER", "orders", &json!({})).await;
    assert_eq!(bed.work(message).await, Outcome::Failed("not_permitted"));
}

#[tokio::test]
async fn a_cancelled_export_stops_and_its_upload_is_aborted() {
    let bed = TestBed::new().await;
    bed.orders(15_000, TEXT).await;
    let message = bed.ask_for_orders().await;
    let cancel = "update robnu.exports set state = 'CANCELLED', finished_at = now() where id = new.id";
    at_the_first_part(&bed, cancel).await;
    assert_eq!(bed.work(message).await, Outcome::Aborted);
    assert_eq!(bed.column(message, "state").await, "CANCELLED");
    assert_eq!((bed.uploads().await, bed.column(message, "upload_id").await), (0, String::new()));
}

#[tokio::test]
async fn filters_and_cursors_that_the_list_no_longer_knows_end_the_export() {
    let bed = TestBed::new().await;
    let message = bed.ask(&bed.sellers.ours, "OWNER", "orders", &json!({"status": "LOST"})).await;
    assert_eq!(bed.work(message).await, Outcome::Failed("list_changed"));
    let message = bed.ask_for_orders().await;
    bed.sql("update robnu.exports set page_cursor = 'AAAA' where state = 'QUEUED'").await;
    assert_eq!(bed.work(message).await, Outcome::Failed("list_changed"));
}

#[tokio::test]
async fn an_export_that_fails_again_and_again_ends() {
    let bed = TestBed::new().await;
    let message = bed.ask_for_orders().await;
    bed.sql("alter table robnu.orders rename column placed_at to another").await;
    for _ in 0..6 {
        assert_eq!(bed.work(message).await, Outcome::TriesAgain);
        assert_eq!(bed.column(message, "state").await, "QUEUED");
    }
    assert_eq!(bed.work(message).await, Outcome::Failed("failing"));
}

#[tokio::test]
async fn the_sweep_announces_what_nobody_works_on_and_aborts_what_was_left() {
    let bed = TestBed::new().await;
    let (lost, held) = (bed.ask_for_orders().await, bed.ask_for_orders().await);
    let fresh = bed.ask_for_orders().await;
    let left = bed.ask_for_orders().await;
    let set = async |message: ExportMessage, values: &str| {
        bed.sql(&format!("update robnu.exports set {values} where id = '{}'", message.export_id)).await;
    };
    let old = "sent_at = now() - interval '11 minutes'";
    set(lost, old).await;
    set(held, &format!("{old}, state = 'RUNNING', lease_expires_at = now()")).await;
    let cancelled = "state = 'CANCELLED', finished_at = now()";
    set(left, &format!("{old}, {cancelled}, upload_id = 'gone'")).await;
    let report = bed.sweep().await;
    assert_eq!((report.republished, report.send_failures), (2, 0));
    let mut announced = bed.messages().await;
    announced.sort_by_key(|message| message.export_id);
    assert_eq!(announced, [lost, left], "neither {held:?} nor {fresh:?}");
    assert_eq!(bed.sweep().await.republished, 0, "they were sent just now");
    assert_eq!(bed.work(left).await, Outcome::Aborted);
    assert_eq!(bed.column(left, "upload_id").await, "");
}

#[tokio::test]
async fn a_message_that_names_another_sellers_export_or_nothing_fails_and_changes_nothing() {
    let bed = TestBed::new().await;
    let message = bed.ask_for_orders().await;
    let crossed = ExportMessage { seller_id: bed.sellers.theirs.id, ..message };
    let unknown = ExportMessage { export_id: ExportId::new(), ..message };
    for body in [crossed.to_body(), unknown.to_body(), "{}".to_owned(), String::new(), "x".to_owned()] {
        assert!(bed.fails(body.clone()).await, "{body}");
    }
    assert_eq!(bed.column(message, "state").await, "QUEUED");
    assert!(!bed.fails(message.to_body()).await);
    assert_eq!(bed.column(message, "state").await, "SUCCEEDED");
}

#[tokio::test]
async fn the_exporter_reads_only_lists_and_no_customer() {
    let bed = TestBed::new().await;
    let message = bed.ask_for_orders().await;
    bed.sql("update robnu.exports set state = 'RUNNING'").await;
    let reader = SellerScope::for_export(message.seller_id, message.export_id);
    let bookkeeper = SellerScope::for_exporter(message.seller_id, message.export_id);
    let database = &bed.context.database;
    let orders = "select from robnu.orders";
    assert_eq!(database.read(&reader, orders, &[]).await.unwrap().len(), 1);
    assert_eq!(database.read(&bookkeeper, orders, &[]).await.unwrap().len(), 0);
    let customers = "select order_id from robnu.order_pii";
    assert!(database.read(&reader, customers, &[]).await.is_ok_and(|rows| rows.is_empty()));
    // A customer's row is hidden until it is opened, so the permission is looked at as well.
    let may = "select robnu.app_may('pii.read') as may";
    let may = database.read(&reader, may, &[]).await.unwrap()[0].try_get::<_, bool>("may").unwrap();
    assert!(!may, "customers could be opened");
    let renamed = database.read(&reader, "update robnu.sellers set name = 'x' returning name", &[]).await;
    assert!(matches!(renamed, Err(Error::Statement(_) | Error::Forbidden)), "{renamed:?}");
    let renamed = database.read(&bookkeeper, "update robnu.sellers set name = 'x' returning name", &[]).await;
    assert!(
        renamed.as_ref().is_ok_and(Vec::is_empty) || matches!(renamed, Err(Error::Forbidden)),
        "{renamed:?}"
    );
}
