//! The local cloud, as the SDK sees it, and what the SDK's clients in the tests cannot make there.

use aws_config::SdkConfig;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";
const OBJECTS_ROLE: &str = "objects-of-tests";

/// Configuration of SDK clients for the local cloud. Region and credentials come from the environment, as on AWS.
///
/// # Panics
/// Panics when the local cloud is not there: tests that need it must not pass without it.
pub async fn local_aws() -> SdkConfig {
    robnu_startup::aws_config().await.into_builder().endpoint_url(endpoint()).build()
}

/// Makes the role that functions assume for a seller's objects, as often as it is called, and returns its ARN. The role may do
/// everything; its sessions may not. There is no SDK of IAM here, and the local cloud takes the administrator's requests without a
/// signature.
///
/// # Panics
/// Panics when the local cloud does not make it.
pub async fn local_objects_role() -> String {
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22%2A%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let rights = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B%22s3%3A%2A%22%2C%22kms%3A%2A%22%5D%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    iam(&format!("Action=CreateRole&AssumeRolePolicyDocument={trust}")).await;
    iam(&format!("Action=PutRolePolicy&PolicyName=objects&PolicyDocument={rights}")).await;
    format!("arn:aws:iam::000000000000:role/{OBJECTS_ROLE}")
}

/// The mails that the local cloud has taken from a sender.
///
/// # Panics
/// Panics when the local cloud does not list them.
pub async fn mails_of(from: &str) -> Vec<Value> {
    let request = format!("GET /_ministack/ses/messages HTTP/1.0\r\nHost: {}\r\n\r\n", host());
    let response = exchange(&request).await;
    let (_, body) = response.split_once("\r\n\r\n").expect("a response has a body");
    let body: Value = serde_json::from_str(body).expect("the list of mails is JSON");
    let accounts = body["messages"].as_object().expect("mails are listed by account").values();
    let mails = accounts.flat_map(|mails| mails.as_array().expect("an account has a list of mails"));
    mails.filter(|mail| mail["Source"] == *from).cloned().collect()
}

async fn iam(action: &str) {
    let host = host();
    let body = format!("Version=2010-05-08&RoleName={OBJECTS_ROLE}&{action}");
    let request = format!(
        "POST / HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/ap-south-1/iam/aws4_request, SignedHeaders=host, \
         Signature=0\r\n\r\n{body}",
        body.len()
    );
    let response = exchange(&request).await;
    let status = response.split(' ').nth(1).unwrap_or_default();
    // 409: another test has made the role.
    assert!(["200", "409"].contains(&status), "{response}");
}

async fn exchange(request: &str) -> String {
    let mut stream = TcpStream::connect(host()).await.expect("the local cloud is there");
    stream.write_all(request.as_bytes()).await.expect("the local cloud takes the request");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("the local cloud responds");
    response
}

fn host() -> String {
    endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned()
}

fn endpoint() -> String {
    std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`"))
}
