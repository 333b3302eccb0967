//! The file of an export: every row of the list once, whatever is killed, cancelled or taken away meanwhile.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeSet;
use std::time::Duration;

use exporter::{Outcome, work};
use kit::{APP_URL, TestBed, kill_at_a_part};
use robnu_dispatch::ExportMessage;
use serde_json::json;
use tokio::time::Instant;

/// Rows of this length fill a part with about 6,000 of them.
const TEXT: u32 = 600;
const EXTERNAL_ID: usize = 3;

/// The numbers of the orders in a file, in its order.
async fn numbers(bed: &TestBed, message: ExportMessage) -> Vec<String> {
    bed.rows(message).await.into_iter().map(|mut row| row.swap_remove(EXTERNAL_ID)).collect()
}

/// Asserts that a file has the fixture's order and so many others once, latest first.
async fn assert_whole(bed: &TestBed, message: ExportMessage, others: u32) {
    let expected: Vec<String> =
        (1..=others).rev().map(|n| format!("N{n}")).chain(["FN1".to_owned()]).collect();
    let found = numbers(bed, message).await;
    assert!(found == expected, "{} rows: {:?} …", found.len(), &found[..found.len().min(3)]);
    assert_eq!(bed.column(message, "row_count").await, (others + 1).to_string());
    assert_eq!(bed.column(message, "byte_count").await, bed.file(message).await.len().to_string());
}

#[tokio::test]
async fn a_file_in_several_parts_has_every_row_of_the_list_once_and_none_of_another_seller() {
    let bed = TestBed::new().await;
    bed.orders(15_000, TEXT).await;
    let message = bed.ask_for_orders().await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_whole(&bed, message, 15_000).await;
    let ids: BTreeSet<String> =
        bed.rows(message).await.into_iter().map(|mut row| row.swap_remove(0)).collect();
    assert_eq!(ids.len(), 15_001);
    let sql = "select count(*) from robnu.orders where seller_id <> $1 and id::text = any ($2)";
    let ids: Vec<String> = ids.into_iter().collect();
    let row = bed.superuser.query_one(sql, &[&message.seller_id, &ids]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "orders of another seller are in the file");
    assert_eq!(bed.uploads().await, 0);
    assert_eq!(bed.column(message, "expires_at - finished_at").await, "30 days");
}

#[tokio::test]
async fn filters_and_order_are_those_of_the_list() {
    let bed = TestBed::new().await;
    bed.orders(2_500, 1).await;
    bed.sql("update robnu.orders set status = 'PACKED' where external_order_id like '%7'").await;
    let filters = json!({"status": "PACKED", "sort": "oldest", "placed_from": "2026-01-02T00:10:00Z"});
    let message = bed.ask(&bed.sellers.ours, "FINANCE", "orders", &filters).await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let expected: Vec<String> = (10..=2_500).filter(|n| n % 10 == 7).map(|n| format!("N{n}")).collect();
    assert_eq!(numbers(&bed, message).await, expected);
}

#[tokio::test]
async fn every_list_has_a_file() {
    let bed = TestBed::new().await;
    for list in api::exportable::EXPORTABLE {
        let message = bed.ask(&bed.sellers.ours, "OWNER", list.name, &json!({})).await;
        assert_eq!(bed.work(message).await, Outcome::Ready, "{}", list.name);
        let rows = bed.rows(message).await;
        assert!(rows.iter().all(|row| row.len() == list.columns.len()), "{}", list.name);
        assert!(!rows.is_empty(), "{}: the fixture has a row of everything", list.name);
        let text = bed.file(message).await;
        assert!(!text.contains(&bed.sellers.theirs.id.to_string()), "{}", list.name);
    }
}

#[tokio::test]
async fn a_slice_that_is_killed_goes_on_after_its_last_part() {
    let bed = TestBed::new().await;
    bed.orders(25_000, TEXT).await;
    let message = bed.ask_for_orders().await;
    let parts = kill_at_a_part(&bed, message).await;
    assert_eq!(bed.work(message).await, Outcome::Nothing, "the lease of the killed attempt still runs");
    bed.sql("update robnu.exports set lease_expires_at = now() where state = 'RUNNING'").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_whole(&bed, message, 25_000).await;
    assert!((1..4).contains(&parts), "{parts} parts were noted before the kill");
    assert_eq!(bed.column(message, "attempt").await, "2");
}

#[tokio::test]
async fn an_export_that_was_completed_and_not_noted_is_finished_by_the_next_attempt() {
    let bed = TestBed::new().await;
    bed.orders(100, 1).await;
    let message = bed.ask_for_orders().await;
    bed.sql("alter table robnu.storage_objects add constraint nothing_goes check (kind <> 'EXPORT')").await;
    assert_eq!(bed.work(message).await, Outcome::TriesAgain);
    assert_eq!(
        (bed.uploads().await, bed.mails().await.len()),
        (0, 0),
        "the file is complete and nobody knows"
    );
    bed.sql("alter table robnu.storage_objects drop constraint nothing_goes").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_whole(&bed, message, 100).await;
    assert_eq!(bed.mails().await.len(), 1);
}

#[tokio::test]
async fn a_slice_ends_before_the_deadline_and_the_next_message_goes_on() {
    let bed = TestBed::new().await;
    bed.orders(100, 1).await;
    let message = bed.ask_for_orders().await;
    let at_once = work(&bed.context, message, Instant::now() + Duration::from_secs(1)).await.unwrap();
    assert_eq!(at_once, Outcome::Continues);
    assert_eq!(bed.column(message, "state").await, "QUEUED");
    assert_eq!(bed.messages().await, [message]);
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_whole(&bed, message, 100).await;
}

#[tokio::test]
async fn an_attempt_that_lost_its_lease_changes_nothing() {
    let bed = TestBed::new().await;
    bed.orders(15_000, TEXT).await;
    let message = bed.ask_for_orders().await;
    bed.sql("create function robnu.take_over() returns trigger language plpgsql as $$
        begin new.attempt := new.attempt + 1; return new; end $$;
        create trigger take_over before update of parts on robnu.exports for each row execute function robnu.take_over()")
        .await;
    // Another attempt takes the export over when the first part is noted, and holds it.
    assert_eq!(bed.work(message).await, Outcome::Nothing);
    assert_eq!(bed.column(message, "cardinality(parts)").await, "1");
    bed.sql("drop trigger take_over on robnu.exports; update robnu.exports set lease_expires_at = now()")
        .await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_whole(&bed, message, 15_000).await;
}

#[tokio::test]
async fn the_member_gets_one_mail_which_says_only_that_there_is_a_file() {
    let bed = TestBed::new().await;
    let message = bed.ask_for_orders().await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    assert_eq!(bed.work(message).await, Outcome::Nothing, "a repeated message");
    let mails = bed.mails().await;
    assert_eq!(mails.len(), 1);
    let text = mails[0].to_string();
    let link = format!("{APP_URL}/sellers/{}/exports/{}", message.seller_id, message.export_id);
    assert!(text.contains(&link), "{text}");
    for secret in ["X-Amz", "FN1", "a seller"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("owner@example.invalid") || text.contains("OWNER@example.invalid"), "{text}");
}

#[tokio::test]
async fn the_database_asks_for_the_permission_of_the_lists_own_route() {
    let bed = TestBed::new().await;
    for list in api::exportable::EXPORTABLE {
        let row = bed.superuser.query_one("select robnu.export_right($1)", &[&list.name]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), list.right().as_str(), "{}", list.name);
    }
}
