//! Closing a seller waits for its archive, and for nothing else and not for ever.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::closing::Bed;
use kit::{close_with, in_a_minute};

/// Makes an export of our seller, in the name of its owner.
async fn export(bed: &Bed, list: &str, asked: &str, end: &str) {
    let ours = bed.ours().id;
    bed.world
        .arrange(&format!(
            "with made as (
               insert into robnu.exports (seller_id, list, filters, requested_by, queued_at)
               select '{ours}', '{list}', '{{}}', id, now() - interval '{asked}' from robnu.people where subject = 'OWNER@{ours}'
               returning id)
             select set_config('test.export', id::text, false) from made;
             insert into robnu.storage_objects (seller_id, id, kind, time_folder, bucket, content_type, size, checksum, kms_key)
               values ('{ours}', current_setting('test.export')::uuid, 'EXPORT', '2026-01-01', 'bucket', 'application/zip', 1, sha256('x'), 'key');
             update robnu.exports set {end} where id = current_setting('test.export')::uuid"
        ))
        .await;
}

/// How many sellers a sweep finds to be closed, and closes.
async fn swept(bed: &Bed) -> (usize, usize) {
    let report = close_with(&bed.context, in_a_minute()).await;
    (report.sellers_found, report.sellers_closed)
}

fn ready(since: &str) -> String {
    format!(
        "state = 'SUCCEEDED', object_id = id, expires_at = now() + interval '10 days', finished_at = now() - interval '{since}'"
    )
}

#[tokio::test]
async fn a_closing_waits_while_an_archive_is_written_and_three_days_longer() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    export(&bed, "everything", "1 hour", "state = 'QUEUED'").await;
    assert_eq!(swept(&bed).await, (0, 0), "it waits for its turn");
    let running = "state = 'RUNNING', lease_expires_at = now() + interval '1 minute'";
    for (now, expected) in [
        (running, (0, 0)),
        (ready("1 second").as_str(), (0, 0)),
        ("finished_at = now() - interval '71 hours'", (0, 0)),
        ("finished_at = now() - interval '73 hours'", (1, 1)),
    ] {
        bed.world.arrange(&format!("update robnu.exports set {now} where list = 'everything'")).await;
        assert_eq!(swept(&bed).await, expected, "{now}");
    }
    bed.assert_closed().await;
}

#[tokio::test]
async fn a_failed_a_cancelled_and_an_endless_archive_hold_no_closing_up_and_neither_does_a_list() {
    let finished = "finished_at = now()";
    for (list, due, asked, end) in [
        (
            "everything",
            "-1 second",
            "1 hour",
            format!("state = 'FAILED', error_code = 'failing', {finished}"),
        ),
        ("everything", "-1 second", "1 hour", format!("state = 'CANCELLED', {finished}")),
        ("everything", "-169 hours", "200 hours", "state = 'QUEUED'".to_owned()),
        // Whoever asks when the closing is due comes too late.
        ("everything", "-2 hours", "1 hour", "state = 'QUEUED'".to_owned()),
        ("orders", "-1 second", "1 hour", "state = 'QUEUED'".to_owned()),
    ] {
        let bed = Bed::new().await;
        bed.due_in(due).await;
        export(&bed, list, asked, &end).await;
        let theirs = bed.fingerprint(bed.theirs().id).await;
        assert_eq!(swept(&bed).await, (1, 1), "{list}, due {due}, {end}");
        bed.assert_closed().await;
        assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
        let left =
            "select count(*)::text from robnu.exports where list = 'everything' and finished_at is null";
        assert_eq!(bed.world.text(left).await, "0", "{end}");
    }
}

#[tokio::test]
async fn a_restored_backup_waits_for_no_archive() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    assert_eq!(swept(&bed).await, (1, 1));
    let ours = bed.ours().id;
    // In the backup the seller is due, and its archive unfinished.
    bed.world
        .arrange(&format!(
            "update robnu.sellers set created_at = now() - interval '1 year', closing_asked_at = now() - interval '30 days', closes_at = now(), closing_step = null, closed_at = null
               where seller_id = '{ours}';
             insert into robnu.people (subject, email) values ('OWNER@{ours}', 'owner@example.invalid')"
        ))
        .await;
    export(&bed, "everything", "1 hour", "state = 'QUEUED'").await;
    assert_eq!(swept(&bed).await, (1, 1));
}
