//! A bad environment: the function refuses to start and names the variable.

use robnu_testkit::refusal_to_start;

const TARGETS: &str =
    r#"{"AJIO":{"function_arn":"arn:aws:lambda:x","dead_letter_queue_arn":"arn:aws:sqs:x"}}"#;
const GOOD: [(&str, &str); 15] = [
    ("AWS_REGION", "ap-south-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("STAGE", "test"),
    ("LANE_REQUESTS_QUEUE_URL", "http://127.0.0.1/requests"),
    ("LANE_QUEUE_PREFIX", "robnu-test-lane-"),
    ("LANE_VISIBILITY_SECONDS", "130"),
    ("DEAD_LETTER_MAX_RECEIVES", "5"),
    ("LANE_TARGETS", TARGETS),
    ("PARALLEL_QUEUES", "{}"),
    ("DATABASE_TLS", "off"),
    ("DATABASE_HOST", "127.0.0.1"),
    ("DATABASE_PORT", "5432"),
    ("DATABASE_NAME", "robnu"),
    ("DATABASE_USER", "robnu_lanes"),
];

fn refusal(variable: &str, value: Option<&str>) -> String {
    refusal_to_start(env!("CARGO_BIN_EXE_lanes"), &GOOD, variable, value)
}

#[test]
fn a_missing_variable_is_named() {
    for variable in [
        "STAGE",
        "LANE_REQUESTS_QUEUE_URL",
        "LANE_QUEUE_PREFIX",
        "LANE_VISIBILITY_SECONDS",
        "DEAD_LETTER_MAX_RECEIVES",
        "LANE_TARGETS",
        "PARALLEL_QUEUES",
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
        ("LANE_VISIBILITY_SECONDS", "soon", "is not a number of seconds"),
        ("LANE_VISIBILITY_SECONDS", "50000", "is not between 1 and 43200 seconds"),
        ("DEAD_LETTER_MAX_RECEIVES", "0", "is not between 1 and 1000"),
        ("LANE_QUEUE_PREFIX", "a-prefix-that-leaves-no-room-for-an-id", "is not short enough"),
        ("LANE_TARGETS", "{}x", "is not a JSON object"),
        (
            "LANE_TARGETS",
            r#"{"AJIO":{"function_arn":"f","dead_letter_queue_arn":"d"}}"#,
            "is not a JSON object whose",
        ),
        ("PARALLEL_QUEUES", "[]", "is not a JSON object of queue URLs"),
        ("DATABASE_PORT", "x", "is not a port number"),
    ] {
        let log = refusal(variable, Some(value));
        assert!(log.contains(&format!("environment variable {variable} {expected}")), "{log}");
    }
}
