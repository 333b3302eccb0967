//! The responses to CloudFormation. A custom resource that sends none stalls the deployment until its timeout, and then the
//! roll-back too, so every event gets a response, whatever is wrong.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_testkit::LambdaProcess;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Sends an event to the function's binary, without any configuration, and receives the response at the presigned URL, which so many
/// times takes a connection and hangs up.
async fn told(request_type: &str, hangs_up: usize) -> Value {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/answer?signature=s3cret", listener.local_addr().unwrap());
    let function = LambdaProcess::start(env!("CARGO_BIN_EXE_migrate"), &[], Duration::from_mins(15)).await;
    let event = json!({
        "RequestType": request_type, "ResponseURL": url, "StackId": "stack", "RequestId": "request",
        "LogicalResourceId": "DatabaseSchema", "PhysicalResourceId": "robnu-schema",
    });
    let answered = function.send(event).await;
    for _ in 0..hangs_up {
        drop(listener.accept().await.unwrap());
    }
    let told = tokio::time::timeout(Duration::from_secs(20), put_body(listener)).await;
    let told = told.unwrap_or_else(|_| panic!("no answer; log: {:#?}", function.log()));
    answered.await.unwrap();
    assert!(!function.log().concat().contains("s3cret"), "the presigned URL is a secret");
    told
}

/// Accepts one PUT and returns the JSON in its body.
async fn put_body(listener: TcpListener) -> Value {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut received = Vec::new();
    loop {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0, "the request is whole");
        let text = String::from_utf8_lossy(&received);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("PUT /answer?signature=s3cret "), "{head}");
        assert!(!head.to_ascii_lowercase().contains("content-type"), "the URL is signed without one: {head}");
        let Ok(body) = serde_json::from_str(body) else { continue };
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        return body;
    }
}

#[tokio::test]
async fn a_function_without_its_configuration_says_so_instead_of_staying_silent() {
    for request_type in ["Create", "Update"] {
        let told = told(request_type, 0).await;
        assert_eq!(told["Status"], "FAILED");
        assert_eq!(told["Reason"], "environment variable LOGIN_ROLE_SECRETS is not set");
        assert_eq!(
            (&told["StackId"], &told["RequestId"], &told["LogicalResourceId"], &told["PhysicalResourceId"]),
            (&json!("stack"), &json!("request"), &json!("DatabaseSchema"), &json!("robnu-schema"))
        );
    }
}

#[tokio::test]
async fn a_removal_succeeds_although_the_database_may_be_gone() {
    assert_eq!(told("Delete", 0).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_response_that_is_not_taken_is_sent_again() {
    assert_eq!(told("Create", 2).await["Status"], "FAILED");
}
