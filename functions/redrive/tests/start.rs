//! A bad environment: the function refuses to start and names the variable.

use robnu_testkit::refusal_to_start;

const GOOD: [(&str, &str); 11] = [
    ("AWS_REGION", "ap-south-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("DEAD_LETTER_QUEUES", r#"{"AJIO":["http://q/a-dlq.fifo"]}"#),
    ("PARALLEL_QUEUES", "{}"),
    ("LANE_REQUESTS_QUEUE_URL", "http://q/l"),
    ("EXPORTS_QUEUE_URL", "http://q/e"),
    ("DATABASE_TLS", "off"),
    ("DATABASE_HOST", "127.0.0.1"),
    ("DATABASE_NAME", "robnu"),
    ("DATABASE_USER", "robnu_redrive"),
];

fn refusal(variable: &str, value: Option<&str>) -> String {
    refusal_to_start(env!("CARGO_BIN_EXE_redrive"), &GOOD, variable, value)
}

#[test]
fn a_missing_variable_is_named() {
    for variable in [
        "DEAD_LETTER_QUEUES",
        "PARALLEL_QUEUES",
        "LANE_REQUESTS_QUEUE_URL",
        "EXPORTS_QUEUE_URL",
        "DATABASE_HOST",
        "DATABASE_USER",
    ] {
        let log = refusal(variable, None);
        assert!(log.contains(&format!("environment variable {variable} is not set")), "{log}");
    }
}

#[test]
fn a_malformed_variable_is_named_with_what_it_should_be() {
    for (variable, value, expected) in [
        ("DEAD_LETTER_QUEUES", r#"{"EBAY":["http://q/x"]}"#, "is not a JSON object of lists of queue URLs"),
        ("DEAD_LETTER_QUEUES", r#"{"AJIO":"http://q/x"}"#, "is not a JSON object of lists of queue URLs"),
        ("PARALLEL_QUEUES", "[]", "is not a JSON object of queue URLs"),
        ("DATABASE_PORT", "x", "is not a port number"),
    ] {
        let log = refusal(variable, Some(value));
        assert!(log.contains(&format!("environment variable {variable} {expected}")), "{log}");
    }
}
