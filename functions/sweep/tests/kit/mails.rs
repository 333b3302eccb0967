//! A sender of mails of the test's own, and what SES took from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use api::mail::Mailer;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ENDPOINT_VARIABLE;

/// The target of links in mails.
pub const APP_URL: &str = "https://app.robnu.test";

pub struct Mails {
    ses: Client,
    from: String,
}

impl Mails {
    /// A sender that SES knows.
    pub async fn new() -> Self {
        let from = format!("no-reply-{}@robnu.invalid", uuid::Uuid::now_v7().simple());
        let mails = Self { ses: client(), from };
        mails.ses.create_email_identity().email_identity(&mails.from).send().await.unwrap();
        mails
    }

    pub fn mailer(&self) -> Mailer {
        sender(&self.from)
    }

    /// Makes SES refuse this test's mails.
    pub async fn refuse(&self) {
        self.ses.delete_email_identity().email_identity(&self.from).send().await.unwrap();
    }

    /// The mails that SES took.
    pub async fn taken(&self) -> Vec<Value> {
        let endpoint = std::env::var(ENDPOINT_VARIABLE).unwrap();
        let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /_ministack/ses/messages HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let accounts = body["messages"].as_object().unwrap().values();
        let mails = accounts.flat_map(|mails| mails.as_array().unwrap());
        mails.filter(|mail| mail["Source"] == *self.from).cloned().collect()
    }
}

/// Sends as `from`.
pub fn sender(from: &str) -> Mailer {
    Mailer::new(client(), from.to_owned(), APP_URL)
}

fn client() -> Client {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("ap-south-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(std::env::var(ENDPOINT_VARIABLE).unwrap_or_default());
    Client::from_conf(config.build())
}
