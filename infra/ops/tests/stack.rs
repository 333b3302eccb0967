//! The call of the function: which one is invoked, and what its answers mean.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use local::failure::{Failure, exit_code};
use ops::Stack;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Asks a Lambda that answers like this. Returns the request's first line and body, and what the caller was told.
async fn ask(status: &str, headers: &str, body: &str) -> (String, Value, anyhow::Result<Value>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = stream.read(&mut chunk).await.unwrap();
            request.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&request);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    };
    let stack = Stack::at("robnu-local", Some(&endpoint)).await;
    let question = json!({"show": {"id": "x"}});
    let (request, told) = tokio::join!(server, stack.ask(&question));
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap(), told)
}

#[tokio::test]
async fn the_stacks_redrive_function_is_invoked() {
    let (line, body, told) = ask("200 OK", "", r#"{"remaining":0}"#).await;
    assert_eq!(line, "POST /2015-03-31/functions/robnu-local-redrive/invocations HTTP/1.1");
    assert_eq!((body, told.unwrap()), (json!({"show": {"id": "x"}}), json!({"remaining": 0})));
}

#[tokio::test]
async fn a_refused_request_is_a_wrong_flag_and_names_the_field() {
    let (_, _, told) =
        ask("200 OK", "", r#"{"refused":{"field":"filter.kind","message":"is no kind"}}"#).await;
    let error = told.unwrap_err();
    assert!(error.to_string().starts_with("filter.kind: is no kind"), "{error}");
    assert_eq!(format!("{:?}", exit_code(&error)), format!("{:?}", std::process::ExitCode::from(2)));
}

#[tokio::test]
async fn a_function_that_fails_or_is_not_there_is_said_so() {
    let failed = "x-amz-function-error: Unhandled\r\n";
    let (_, _, told) = ask("200 OK", failed, r#"{"errorMessage":"dead letters could not be read"}"#).await;
    let error = told.unwrap_err().to_string();
    assert!(error.contains("failed: dead letters could not be read"), "{error}");
    let missing = "x-amzn-errortype: ResourceNotFoundException\r\n";
    let (_, _, told) = ask("404 Not Found", missing, "{}").await;
    let error = told.unwrap_err();
    assert!(error.downcast_ref::<Failure>().is_some(), "{error:?}");
    assert!(error.to_string().starts_with("there is no function robnu-local-redrive"), "{error}");
}

#[tokio::test]
async fn an_error_of_aws_says_what_to_do_next() {
    for (status, kind, said) in [
        ("403 Forbidden", "AccessDeniedException", "lambda:InvokeFunction"),
        ("403 Forbidden", "ExpiredTokenException", "sign in again"),
        ("403 Forbidden", "UnrecognizedClientException", "sign in again"),
        ("429 Too Many Requests", "TooManyRequestsException", "wait a moment"),
    ] {
        let (_, _, told) = ask(status, &format!("x-amzn-errortype: {kind}\r\n"), "{}").await;
        let error = told.unwrap_err();
        assert!(
            error.downcast_ref::<Failure>().is_some_and(|failure| failure.next().contains(said)),
            "{error:?}"
        );
    }
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let stack = Stack::at("robnu-local", Some(&format!("http://{nobody}"))).await;
    let error = stack.ask(&json!({"stuck": {}})).await.unwrap_err().to_string();
    assert!(error.contains("could not be reached") && error.contains("cargo xtask up"), "{error}");
}
