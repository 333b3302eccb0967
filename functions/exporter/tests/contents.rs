//! The content of documents and imported files in an archive: to the byte, whatever happens while it is made, and of one seller.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use exporter::Outcome;
use kit::{TestBed, archived, at_the_first_part, kill_at_a_part, manifest, noise};
use robnu_dispatch::ExportMessage;
use serde_json::json;

/// More than three parts of an archive with contents.
const FILM: usize = 52 * 1024 * 1024;

async fn ask(bed: &TestBed) -> ExportMessage {
    bed.ask(&bed.sellers.ours, "OWNER", "everything", &json!({})).await
}

#[tokio::test]
async fn every_document_and_imported_file_of_the_seller_is_in_the_archive_to_the_byte() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    // A file ends in the middle, at the end and right behind the end of a piece.
    let mut expected = std::collections::BTreeMap::new();
    for (seed, (of_type, media, ending, length)) in [
        ("INVOICE", "application/pdf", "pdf", 70_001),
        ("PROOF_PHOTO", "image/jpeg", "jpg", 1),
        ("PROOF_VIDEO", "video/mp4", "mp4", 8 * 1024 * 1024),
        ("PROOF_VIDEO", "video/quicktime", "mov", 4 * 1024 * 1024 + 1),
    ]
    .into_iter()
    .enumerate()
    {
        let content = noise(seed as u64, length);
        let id = bed.document(ours, of_type, media, &content).await;
        expected.insert(format!("documents/{id}.{ending}"), content);
    }
    let table = "order_id,amount\r\n".repeat(400_000).into_bytes();
    let import = bed.imported(ours, &table).await;
    expected.insert(format!("imports/{import}.csv"), table.clone());
    bed.document(theirs, "INVOICE", "application/pdf", b"of another seller").await;
    bed.imported(theirs, b"of another seller").await;

    let message = ask(&bed).await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let mut files = archived(&bed, message).await;
    let manifest = manifest(&files);
    let lists = files.iter().filter(|(name, _)| !name.contains('/')).count();
    files.retain(|name, _| name.contains('/'));
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, content) in &expected {
        assert!(files[name] == *content, "{name} is not what was stored");
    }
    let bytes = |folder: &str| -> usize {
        expected.iter().filter(|(name, _)| name.starts_with(folder)).map(|(_, content)| content.len()).sum()
    };
    // The earlier imported file of the fixture was never in the bucket.
    let earlier = "select id::text from robnu.imports where seller_id = $1 and corrects is null";
    let earlier: String = bed.superuser.query_one(earlier, &[&ours.id]).await.unwrap().get(0);
    assert_eq!(
        manifest["contents"],
        json!([
            {"named": "documents/{document_id}", "described_in": "documents.csv", "files": 4, "bytes": bytes("documents"),
             "incomplete": 0, "incomplete_ids": []},
            {"named": "imports/{import_id}", "described_in": "imports.csv", "files": 1, "bytes": bytes("imports"),
             "incomplete": 1, "incomplete_ids": [earlier]},
        ])
    );
    assert_eq!(lists, manifest["files"].as_array().unwrap().len() + 1);
    let size: usize = bed.column(message, "byte_count").await.parse().unwrap();
    assert!(size < bytes("documents") + table.len() / 10 + 200_000, "the table is deflated: {size}");
}

#[tokio::test]
async fn an_archive_that_is_killed_in_the_middle_of_a_film_goes_on_in_the_middle_of_it() {
    let bed = TestBed::new().await;
    let film = noise(7, FILM);
    let id = bed.document(&bed.sellers.ours, "PROOF_VIDEO", "video/mp4", &film).await;
    let message = ask(&bed).await;
    let parts = kill_at_a_part(&bed, message).await;
    assert!(parts >= 1, "{parts} parts were noted before the kill");
    bed.sql("update robnu.exports set lease_expires_at = now() where state = 'RUNNING'").await;
    assert_eq!(bed.work(message).await, Outcome::Ready);
    let files = archived(&bed, message).await;
    assert!(files[&format!("documents/{id}.mp4")] == film, "the film is not what was stored");
    assert_eq!(bed.column(message, "attempt").await, "2");
    assert_eq!(manifest(&files)["contents"][0]["files"], 1);
}

#[tokio::test]
async fn a_file_that_is_deleted_lost_or_altered_is_named_and_holds_nothing_up() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let deleted = bed.document(ours, "PROOF_VIDEO", "video/mp4", &noise(1, FILM)).await;
    let lost = bed.document(ours, "INVOICE", "application/pdf", b"lost").await;
    let altered = bed.document(ours, "INVOICE", "application/pdf", b"as it was").await;
    let shorter = bed.document(ours, "INVOICE", "application/pdf", b"as long as it was").await;
    let whole = bed.document(ours, "INVOICE", "application/pdf", b"whole").await;
    bed.sql("update robnu.storage_objects set version_id = null where kind = 'DOCUMENT'").await;
    for (id, bytes) in [(lost, None), (altered, Some("as it is!")), (shorter, Some("short"))] {
        let key = "select key from robnu.storage_objects where id = $1";
        let key: String = bed.superuser.query_one(key, &[&id]).await.unwrap().get(0);
        match bytes {
            Some(bytes) => drop(bed.upload(&key, bytes.as_bytes()).await),
            None => drop(bed.s3.delete_object().bucket(&bed.bucket).key(key).send().await.unwrap()),
        }
    }
    // The film is deleted while its first part is noted, and another attempt goes on.
    bed.sql(&format!(
        "create function robnu.take_over() returns trigger language plpgsql security definer as $$ begin
           update robnu.storage_objects set state = 'DELETED' where id = '{deleted}';
           new.attempt := new.attempt + 1; new.lease_expires_at := now(); return new; end $$;
         create trigger take_over before update of parts on robnu.exports for each row
           when (cardinality(old.parts) = 0) execute function robnu.take_over()"
    ))
    .await;
    let message = ask(&bed).await;
    for _ in 0..3 {
        bed.work(message).await;
    }
    assert_eq!(bed.column(message, "state").await, "SUCCEEDED");
    let files = archived(&bed, message).await;
    let documents = &manifest(&files)["contents"][0];
    assert_eq!(
        (&documents["files"], &documents["bytes"], &documents["incomplete_ids"]),
        (&json!(1), &json!(5), &json!([deleted, lost, altered, shorter]))
    );
    assert_eq!(files[&format!("documents/{whole}.pdf")], b"whole");
    assert!(files[&format!("documents/{deleted}.mp4")].len() < FILM);
    assert!(!files.contains_key(&format!("documents/{lost}.pdf")));
}

#[tokio::test]
async fn whole_files_stay_whole_wherever_a_part_ends_and_late_ones_are_not_doubled() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    // The first sixteen fill a part exactly; in the others, parts end in the middle. Between these lie documents whose upload ends
    // while the archive is made.
    let length = |seed| if seed < 16 { 1024 * 1024 } else { 1_500_000 };
    let (mut ids, mut late) = (Vec::new(), Vec::new());
    for seed in 0..40 {
        if seed >= 16 {
            late.push(bed.document(ours, "INVOICE", "application/pdf", b"late").await.to_string());
        }
        ids.push(bed.document(ours, "INVOICE", "application/pdf", &noise(seed, length(seed))).await);
    }
    bed.sql("alter table robnu.storage_objects disable trigger step_object; update robnu.storage_objects set version_id = null").await;
    bed.sql(&format!(
        "update robnu.storage_objects set state = 'AWAITED' where id = any ('{{{}}}')",
        late.join(",")
    ))
    .await;
    // Another attempt goes on behind each part.
    bed.sql(&format!(
        "create function robnu.take_over() returns trigger language plpgsql security definer as $$ begin
           if cardinality(old.parts) = 1 then
             update robnu.storage_objects set state = 'STORED' where id = any ('{{{}}}');
           end if;
           new.attempt := new.attempt + 1; new.lease_expires_at := now(); return new; end $$;
         create trigger take_over before update of parts on robnu.exports for each row execute function robnu.take_over()",
        late.join(",")
    ))
    .await;
    let message = ask(&bed).await;
    let mut attempts = 0;
    while bed.column(message, "state").await != "SUCCEEDED" {
        attempts += 1;
        assert!(attempts < 10, "{attempts} attempts");
        bed.work(message).await;
    }
    assert!(attempts > 2, "{attempts}");
    let files = archived(&bed, message).await;
    let documents = &manifest(&files)["contents"][0];
    assert_eq!(documents["incomplete"], 0, "{documents}");
    for (seed, id) in (0..).zip(&ids) {
        assert!(files[&format!("documents/{id}.pdf")] == noise(seed, length(seed)), "{id}");
    }
    let entries = files.keys().filter(|name| name.starts_with("documents/")).count();
    assert_eq!(documents["files"], entries, "the manifest counts each");
    assert!((41..64).contains(&entries), "{entries}: some of the late ones come in time");
}

#[tokio::test]
async fn contents_end_when_the_member_is_no_owner_any_more() {
    let bed = TestBed::new().await;
    bed.document(&bed.sellers.ours, "PROOF_VIDEO", "video/mp4", &noise(3, FILM)).await;
    bed.sql("update robnu.members set role = 'OWNER' where role = 'ADMIN'").await;
    let message = ask(&bed).await;
    at_the_first_part(&bed, "update robnu.members set role = 'ADMIN' where person_id = new.requested_by")
        .await;
    assert_eq!(bed.work(message).await, Outcome::Failed("not_permitted"));
    assert_eq!((bed.uploads().await, bed.mails().await.len()), (0, 0));
}
