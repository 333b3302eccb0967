//! The function's own program, killed between two parts.

use std::time::Duration;

use robnu_dispatch::ExportMessage;
use robnu_testkit::{LambdaProcess, function_environment, local_objects_role};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{APP_URL, TestBed};

/// Lets the function work on an export and kills it when a part is stored that it has not noted. Returns how many parts it had noted.
pub async fn kill_at_a_part(bed: &TestBed, message: ExportMessage) -> usize {
    let function = start(bed).await;
    let event = json!({"Records": [{"messageId": "1", "body": message.to_body()}]});
    let _never = function.send(event).await;
    eventually("a part is noted", async || bed.column(message, "cardinality(parts)").await != "0").await;
    // The next part is stored and cannot be noted.
    let mut blocker = bed.test.superuser().await;
    let lock = blocker.transaction().await.unwrap();
    lock.execute("select from robnu.exports where id = $1 for update", &[&message.export_id]).await.unwrap();
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually("the part waits to be noted", async || {
        bed.superuser.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
    function.kill().await;
    // Its session still waits for the row; freed, it would note the part and renew the lease of a process that is dead.
    let ends = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    for ended in bed.superuser.query(ends, &[]).await.unwrap() {
        assert!(ended.get::<_, bool>(0), "a session of the killed process lives on");
    }
    lock.rollback().await.unwrap();
    let parts: usize = bed.column(message, "cardinality(parts)").await.parse().unwrap();
    assert_eq!(bed.column(message, "state").await, "RUNNING");
    parts
}

/// The function's own program.
async fn start(bed: &TestBed) -> LambdaProcess {
    let mut environment = function_environment(&bed.test.config("robnu_exporter"));
    environment.extend([
        ("RUST_LOG", "info".to_owned()),
        ("EXPORTS_QUEUE_URL", bed.context.exports_queue_url.clone()),
        ("MAIL_FROM", bed.mail_from.clone()),
        ("APP_URL", APP_URL.to_owned()),
        ("AWS_S3_BUCKET", bed.bucket.clone()),
        ("AWS_S3_OBJECTS_ROLE_ARN", local_objects_role().await),
        ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
        ("PLATFORM_KEY_ID", "alias/test".to_owned()),
        ("LEASE_SECONDS", "60".to_owned()),
    ]);
    LambdaProcess::start(env!("CARGO_BIN_EXE_exporter"), &environment, Duration::from_mins(10)).await
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < end, "never: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
