//! Everything of a seller as one archive: each list once, a manifest that is true, and nothing of another seller or of customers.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;

use api::exportable::EXPORTABLE;
use exporter::Outcome;
use kit::{TestBed, archived, at_the_first_part, kill_at_a_part};
use robnu_dispatch::ExportMessage;
use robnu_storage::objects::Sha256;
use serde_json::{Value, json};

/// The texts of an archive's lists, and its manifest, by name.
async fn files(bed: &TestBed, message: ExportMessage) -> BTreeMap<String, String> {
    let texts = archived(bed, message).await.into_iter().filter(|(name, _)| !name.contains('/'));
    texts.map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
}

fn manifest(files: &BTreeMap<String, String>) -> Value {
    serde_json::from_str(&files["manifest.json"]).unwrap()
}

/// The rows of a file by column, without the header.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Asserts that the manifest says of each file what is in it, and returns the rows of all.
fn assert_true(files: &BTreeMap<String, String>) -> i64 {
    let manifest = manifest(files);
    let described = manifest["files"].as_array().unwrap();
    assert_eq!(described.len() + 1, files.len());
    let mut all = 0;
    for file in described {
        let text = &files[file["name"].as_str().unwrap()];
        let found = (text.len(), Sha256::of(text.as_bytes()).to_string(), rows(text).len());
        assert_eq!(
            json!({"bytes": found.0, "sha256": found.1, "rows": found.2}),
            json!({"bytes": file["bytes"], "sha256": file["sha256"], "rows": file["rows"]}),
            "{file}"
        );
        assert!(file["read_from"].as_str() <= file["read_until"].as_str(), "{file}");
        all += i64::try_from(found.2).unwrap();
    }
    all
}

async fn ask(bed: &TestBed, role: &str) -> ExportMessage {
    bed.ask(&bed.sellers.ours, role, "everything", &json!({})).await
}

#[tokio::test]
async fn every_list_is_in_the_archive_with_all_its_rows_and_the_manifest_is_true() {
    let bed = TestBed::new().await;
    bed.orders(2_500, 1).await;
    let message = ask(&bed, "OWNER").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let files = files(&bed, message).await;
    let names: Vec<String> = EXPORTABLE.iter().map(|list| format!("{}.csv", list.name)).collect();
    let manifest = manifest(&files);
    let described: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(described, names);
    assert_eq!(bed.column(message, "row_count").await, assert_true(&files).to_string());
    assert_eq!(rows(&files["orders.csv"]).len(), 2_501);
    for list in EXPORTABLE {
        let single = bed.ask(&bed.sellers.ours, "OWNER", list.name, &json!({})).await;
        assert_eq!(bed.work(single).await, Outcome::Ready, "{}", list.name);
        let in_archive = rows(&files[&format!("{}.csv", list.name)]).len();
        // The trail grows with each export.
        if list.name != "audit" {
            assert_eq!(in_archive, bed.rows(single).await.len(), "{}", list.name);
        }
        assert!(in_archive > 0, "{}: the fixture has a row of everything", list.name);
    }
    assert_eq!(manifest["seller_id"], json!(message.seller_id));
    assert_eq!(manifest["export_id"], json!(message.export_id));
    let size = bed.bytes(message).await.len().to_string();
    assert_eq!(bed.column(message, "byte_count").await, size);
    let object = "select content_type || ' ' || file_name from robnu.storage_objects where id = $1";
    let object: String = bed.superuser.query_one(object, &[&message.export_id]).await.unwrap().get(0);
    assert!(
        object.starts_with("application/zip everything-") && object.split('.').next_back() == Some("zip"),
        "{object}"
    );
    assert_eq!((bed.uploads().await, bed.mails().await.len()), (0, 1 + EXPORTABLE.len()));
}

#[tokio::test]
async fn an_archive_holds_nothing_of_another_seller_and_no_customer_and_says_so() {
    let bed = TestBed::new().await;
    let message = ask(&bed, "OWNER").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let files = files(&bed, message).await;
    let theirs = bed.ids_of_theirs().await;
    assert!(theirs.len() > 20, "{theirs:?}");
    for (name, text) in &files {
        for id in &theirs {
            assert!(!text.contains(id), "{name} has {id} of another seller");
        }
    }
    let left_out = manifest(&files)["left_out"].clone();
    let what: Vec<&str> =
        left_out.as_array().unwrap().iter().map(|left| left["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"customers") && what.contains(&"credentials and keys"), "{what:?}");
    // The rows of documents state their digests.
    let digest = "select encode(checksum, 'hex') from robnu.storage_objects where seller_id = $1 and kind = 'DOCUMENT' limit 1";
    let digest: String = bed.superuser.query_one(digest, &[&message.seller_id]).await.unwrap().get(0);
    assert!(files["documents.csv"].contains(&digest));
}

#[tokio::test]
async fn an_archive_that_is_killed_goes_on_after_its_last_part() {
    let bed = TestBed::new().await;
    bed.noise(25_000).await;
    let message = ask(&bed, "OWNER").await;
    let parts = kill_at_a_part(&bed, message).await;
    assert_eq!(bed.work(message).await, Outcome::Nothing, "the lease of the killed attempt still runs");
    bed.sql("update robnu.exports set lease_expires_at = now() where state = 'RUNNING'").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let files = files(&bed, message).await;
    assert_eq!(bed.column(message, "row_count").await, assert_true(&files).to_string());
    let mut numbers: Vec<String> =
        rows(&files["orders.csv"]).into_iter().map(|mut row| row.swap_remove(3)).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((all, numbers.len()), (25_001, 25_001));
    assert!(parts >= 1, "{parts} parts were noted before the kill");
    assert_eq!(bed.column(message, "attempt").await, "2");
    assert_eq!(bed.mails().await.len(), 1);
}

#[tokio::test]
async fn slices_that_end_before_the_deadline_make_the_same_archive() {
    let bed = TestBed::new().await;
    bed.noise(25_000).await;
    let message = ask(&bed, "OWNER").await;
    // Another attempt takes the export over whenever a part was noted.
    bed.sql("create function robnu.take_over() returns trigger language plpgsql as $$
        begin new.attempt := new.attempt + 1; new.lease_expires_at := now(); return new; end $$;
        create trigger take_over before update of parts on robnu.exports for each row execute function robnu.take_over()")
        .await;
    let mut attempts = 0;
    while bed.column(message, "state").await != "SUCCEEDED" {
        attempts += 1;
        assert!(attempts < 40, "{:?}", bed.column(message, "parts").await);
        bed.work(message).await;
    }
    assert!(attempts > 3, "{attempts}");
    let files = files(&bed, message).await;
    assert_eq!(bed.column(message, "row_count").await, assert_true(&files).to_string());
    assert_eq!(rows(&files["orders.csv"]).len(), 25_001);
}

#[tokio::test]
async fn only_owners_have_everything_and_only_while_they_are_owners() {
    let bed = TestBed::new().await;
    for role in ["ADMIN", "FINANCE", "OPERATOR", "VIEWER"] {
        let message = ask(&bed, role).await;
        assert_eq!(bed.work(message).await, Outcome::Failed("not_permitted"), "{role}");
    }
    bed.noise(25_000).await;
    bed.sql("update robnu.members set role = 'OWNER' where role = 'ADMIN'").await;
    let message = ask(&bed, "OWNER").await;
    at_the_first_part(&bed, "update robnu.members set role = 'ADMIN' where person_id = new.requested_by")
        .await;
    assert_eq!(bed.work(message).await, Outcome::Failed("not_permitted"));
    assert_eq!((bed.uploads().await, bed.mails().await.len()), (0, 0));
}
