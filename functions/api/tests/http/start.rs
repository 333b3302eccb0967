//! Starting without the required configuration.

use std::process::Command;

#[test]
fn a_missing_variable_ends_the_start_with_its_name_and_a_failure() {
    let key = [("PLATFORM_KEY_ID", "key"), ("AWS_S3_PER_SELLER_KMS", "false")];
    let queue = [
        key[0],
        key[1],
        ("LANE_REQUESTS_QUEUE_URL", "url"),
        ("EXPORTS_QUEUE_URL", "url"),
        ("PARALLEL_QUEUES", "{}"),
    ];
    let cases = [
        (vec![], "PLATFORM_KEY_ID"),
        (key[..1].to_vec(), "AWS_S3_PER_SELLER_KMS"),
        (vec![key[0], ("AWS_S3_PER_SELLER_KMS", "true")], "STAGE"),
        (key.to_vec(), "LANE_REQUESTS_QUEUE_URL"),
        (queue[..3].to_vec(), "EXPORTS_QUEUE_URL"),
        (queue[..4].to_vec(), "PARALLEL_QUEUES"),
        (queue.to_vec(), "MAIL_FROM"),
        ([&queue[..], &[("MAIL_FROM", "a@b.co")]].concat(), "APP_URL"),
        (
            [&queue[..], &[("MAIL_FROM", "a@b.co"), ("APP_URL", "https://b.co")]].concat(),
            "OAUTH_REDIRECT_URI",
        ),
    ];
    for (environment, missing) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_api")).env_clear().envs(environment).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let log = String::from_utf8(output.stdout).unwrap();
        // The metric of cold starts stands before it.
        assert_eq!(log.lines().filter(|line| line.contains("\"level\"")).count(), 1, "{log}");
        assert!(log.contains(&format!("environment variable {missing} is not set")), "{log}");
    }
}
