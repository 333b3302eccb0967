//! A sender of mails of the test's own, and what SES took from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use api::mail::Mailer;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use robnu_testkit::mails_of;
use serde_json::Value;

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
        mails_of(&self.from).await
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
