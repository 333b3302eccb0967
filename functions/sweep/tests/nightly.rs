//! The function's real binary, as its schedules call it at night: what it returns, what it logs, and what the alarm counts.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::World;
use robnu_testkit::{Answer, LambdaProcess};
use serde_json::{Value, json};

/// The message that the alarm on nightly sweeps counts.
const WORK_LEFT: &str = "the nightly sweep left work behind";

/// Starts the function; each invocation may take `timeout`, of which the function reserves eight seconds.
async fn start(world: &World, timeout: Duration) -> LambdaProcess {
    let config = world.test.config("robnu_sweep");
    let (_, bucket) = kit::bucket().await;
    let environment = [
        ("AWS_REGION", "ap-south-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("DATABASE_TLS", "off".to_owned()),
        ("DATABASE_HOST", config.host),
        ("DATABASE_PORT", config.port.to_string()),
        ("DATABASE_NAME", config.name),
        ("DATABASE_USER", config.user),
        ("PARALLEL_QUEUES", "{}".to_owned()),
        ("PLATFORM_KEY_ID", "none".to_owned()),
        ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
        ("AWS_S3_BUCKET", bucket),
        ("AWS_S3_OBJECTS_ROLE_ARN", "arn:aws:iam::000000000000:role/objects".to_owned()),
        ("SELLER_KEY_DELETION_DAYS", "7".to_owned()),
        ("DATA_KEY_DAYS", "365".to_owned()),
        ("MAIL_FROM", "no-reply@robnu.test".to_owned()),
        ("APP_URL", "https://app.robnu.test".to_owned()),
    ];
    LambdaProcess::start(env!("CARGO_BIN_EXE_sweep"), &environment, timeout).await
}

async fn ask(function: &LambdaProcess, sweep: &str) -> Answer {
    function.invoke(json!({"sweep": sweep})).await
}

/// The lines with this message.
fn lines(function: &LambdaProcess, message: &str) -> Vec<Value> {
    let lines = function.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn a_night_with_enough_time_returns_and_logs_its_report_and_raises_no_alarm() {
    let world = World::without_lanes().await;
    let late = "now() - interval '1 day'";
    world.put_return(world.sellers.ours.ajio, "LATE", late, "reason = null").await;
    let function = start(&world, Duration::from_mins(1)).await;
    let Answer::Response(report) = ask(&function, "claims").await else { panic!("{:?}", function.log()) };
    let done = json!({"returns_found": 1, "claims_made": 1, "due_soon_found": 0, "warnings_given": 0, "sellers_failed": 0, "time_short": false});
    assert_eq!(report, done);
    let Answer::Response(report) = ask(&function, "retention").await else { panic!("{:?}", function.log()) };
    assert_eq!((&report["request_counts"], &report["time_short"]), (&json!(2), &json!(false)));
    let told = lines(&function, "sweep done");
    assert_eq!((&told[0]["sweep"], &told[0]["claims_made"]), (&json!("claims"), &json!(1)));
    assert_eq!((&told[1]["sweep"], &told[1]["request_counts"]), (&json!("retention"), &json!(2)));
    assert!(lines(&function, WORK_LEFT).is_empty());
}

#[tokio::test]
async fn work_that_is_left_logs_the_line_that_the_alarm_counts() {
    let world = World::without_lanes().await;
    let hasty = start(&world, Duration::from_secs(8)).await;
    for (times, sweep) in [(1, "claims"), (2, "retention")] {
        let Answer::Response(report) = ask(&hasty, sweep).await else { panic!("{:?}", hasty.log()) };
        assert_eq!(report["time_short"], true);
        assert_eq!(lines(&hasty, WORK_LEFT).len(), times, "{sweep}");
    }
    // The scheduling sweep runs again within minutes.
    ask(&hasty, "scheduling").await;
    assert_eq!(lines(&hasty, WORK_LEFT).len(), 2);

    let function = start(&world, Duration::from_mins(1)).await;
    let late = "now() - interval '1 day'";
    world.put_return(world.sellers.ours.ajio, "LATE", late, "reason = null").await;
    let broken = "alter table robnu.claims add check (status <> 'PENDING') not valid";
    world.superuser.batch_execute(broken).await.unwrap();
    ask(&function, "claims").await;
    let told = lines(&function, "the seller's overdue returns could not be worked on");
    assert_eq!(told[0]["seller.id"], world.sellers.ours.id.to_string());
    assert_eq!(lines(&function, WORK_LEFT).len(), 1, "{:?}", function.log());

    world.superuser.batch_execute("alter table robnu.request_counts rename to gone").await.unwrap();
    assert!(
        matches!(ask(&function, "retention").await, Answer::Error(error) if error["errorType"] == "ForgetFailed")
    );
    assert_eq!(lines(&function, WORK_LEFT).len(), 2);
}
