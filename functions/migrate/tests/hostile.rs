//! Migrate sends a response to any event and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::time::Duration;

use robnu_testkit::{Answer, LambdaProcess, MARKER, for_each_hostile};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Hostile events of a usual run.
const CASES: usize = 100;

/// Accepts every response, as CloudFormation's storage would, and returns its URL.
async fn storage() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/answer?signature=s3cret", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut received = Vec::new();
                // A response is one object that ends with the connection's last byte.
                while received.last() != Some(&b'}') && stream.read_buf(&mut received).await.unwrap_or(0) > 0
                {
                }
                let taken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                drop(stream.write_all(taken).await);
            });
        }
    });
    url
}

#[tokio::test]
async fn hostile_events_fail_alone_and_the_next_gets_a_response() {
    let url = storage().await;
    let function = LambdaProcess::start(env!("CARGO_BIN_EXE_migrate"), &[], Duration::from_secs(30)).await;
    let event = |request_type: &str| {
        json!({
            "RequestType": request_type, "ResponseURL": url, "StackId": "stack", "RequestId": "request",
            "LogicalResourceId": "DatabaseSchema", "PhysicalResourceId": "robnu-schema",
            "ResourceProperties": {"Run": "1"},
        })
    };
    let bases = ["Create", "Update", "Delete"].map(event);
    for_each_hostile(&bases, CASES, async |mut event| {
        // No data of a test leaves the machine.
        if event["ResponseURL"].as_str().is_some_and(|changed| changed != url) {
            event["ResponseURL"] = url.as_str().into();
        }
        if let Answer::Error(error) = function.invoke(event.clone()).await {
            assert_eq!(error["errorType"], "MalformedEvent", "{event}: {error}");
            assert!(!error.to_string().contains(MARKER), "{event}: {error}");
        }
    })
    .await;
    let panicked: Vec<String> =
        function.log().into_iter().filter(|line| line.contains(r#""message":"panicked""#)).collect();
    assert_eq!(panicked, [""; 0]);
    assert!(!function.log().concat().contains("s3cret"), "the presigned URL is a secret");
    let Answer::Response(Value::Null) = function.invoke(event("Delete")).await else {
        panic!("{:#?}", function.log());
    };
}
