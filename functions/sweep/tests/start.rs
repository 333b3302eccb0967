//! A bad environment or an unreachable database: the function names the cause.

mod kit;

use kit::{in_a_minute, try_sweep};
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_tenancy::{Database, DatabaseConfig, Error, MAX_IDLE, Tls};
use robnu_testkit::refusal_to_start;
use sweep::{Context, SweepError};

#[test]
fn a_missing_variable_is_named() {
    let good = [
        ("AWS_REGION", "ap-south-1"),
        ("DATABASE_TLS", "off"),
        ("DATABASE_HOST", "127.0.0.1"),
        ("DATABASE_PORT", "5432"),
        ("DATABASE_NAME", "robnu"),
        ("DATABASE_USER", "robnu_sweep"),
        ("PARALLEL_QUEUES", "{}"),
        ("PLATFORM_KEY_ID", "key"),
        ("AWS_S3_PER_SELLER_KMS", "false"),
        ("AWS_S3_BUCKET", "bucket"),
        ("AWS_S3_OBJECTS_ROLE_ARN", "arn:aws:iam::000000000000:role/objects"),
        ("SELLER_KEY_DELETION_DAYS", "30"),
        ("DATA_KEY_DAYS", "365"),
        ("MAIL_FROM", "no-reply@robnu.test"),
        ("APP_URL", "https://app.robnu.test"),
    ];
    for (variable, _) in &good[1..] {
        let log = refusal_to_start(env!("CARGO_BIN_EXE_sweep"), &good, variable, None);
        assert!(log.contains(&format!("environment variable {variable} is not set")), "{log}");
    }
}

#[tokio::test]
async fn a_database_that_is_down_fails_the_sweep_and_may_be_tried_again() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = DatabaseConfig {
        host: "127.0.0.1".to_owned(),
        port,
        name: "robnu".to_owned(),
        user: "robnu_sweep".to_owned(),
        password: None,
        tls: Tls::Off,
        pool_size: 1,
        connect_timeout: std::time::Duration::from_secs(2),
        max_idle: MAX_IDLE,
        limits: None,
    };
    let context = Context {
        database: Database::new(&config).await.unwrap(),
        publisher: Publisher::new(kit::sqs(), ParallelQueues::default()),
        data_key_days: 365,
        keys: kit::no_keys(),
        erasure: kit::erasure("no-bucket", "no key").await,
        objects: kit::objects("no-bucket", "no key").await,
        mailer: kit::no_mailer(),
    };
    let error = try_sweep(&context, "scheduling", in_a_minute()).await.unwrap_err();
    assert!(
        matches!(&error, SweepError::Claim(cause @ Error::Unreachable(_)) if cause.is_transient()),
        "{error:?}"
    );
}
