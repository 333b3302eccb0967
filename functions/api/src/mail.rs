//! Mail, through SES.
//!
//! These mails hold text that strangers typed and send it to other strangers. So such text is never in a header, and the
//! body holds it only as `harmless` leaves it.

mod harmless;
#[cfg(test)]
mod spellings;
mod texts;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use chrono::{DateTime, NaiveDate, Utc};
use robnu_tenancy::{ExportId, SellerId};

use crate::one_time_token::OneTimeToken;
use texts::{Texts, closing_texts, export_texts, texts, usage_texts};

const CHARSET: &str = "UTF-8";

/// Why SES did not accept a mail. SES's own message is left out, because it may hold addresses.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// SES refused it or could not be reached.
    #[error(
        "SES did not accept the mail ({code}): look at the sender's identity and the account's sending limits"
    )]
    Refused {
        /// SES's name for the reason.
        code: String,
    },
    /// A part of the mail is missing; this never happens in practice.
    #[error("the mail lacks a part")]
    Incomplete(#[from] BuildError),
}

/// Sends the platform's mails.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    from: String,
    app_url: String,
}

/// An invitation: who is invited, by whom, and to which seller.
#[derive(Debug)]
pub struct InvitationMail<'a> {
    /// Address of the invited person.
    pub to: &'a str,
    /// Name of the seller, as its members typed it.
    pub seller_name: &'a str,
    /// Email address of the member who invites.
    pub inviter: &'a str,
    /// The token with which the person accepts.
    pub token: &'a OneTimeToken,
}

/// The news that a seller is to be closed, for one of its owners.
#[derive(Debug)]
pub struct ClosingMail<'a> {
    /// Address of the owner.
    pub to: &'a str,
    /// Name of the seller, as its members typed it.
    pub seller_name: &'a str,
    /// Email address of the owner who asked for it.
    pub asker: &'a str,
    /// Until when it can be taken back.
    pub closes_at: DateTime<Utc>,
}

/// An export is ready. The mail states nothing of the seller: whoever sees it learns only that there is a file.
#[derive(Debug)]
pub struct ExportMail<'a> {
    /// Address of the member who asked for it.
    pub to: &'a str,
    /// The seller, for the link.
    pub seller_id: SellerId,
    /// The export, for the link.
    pub export_id: ExportId,
    /// Until when the file can be had.
    pub until: DateTime<Utc>,
}

/// A seller had days with more orders than are free, for one of its owners. The mail states no number of orders.
#[derive(Debug)]
pub struct UsageMail<'a> {
    /// Address of the owner.
    pub to: &'a str,
    /// Name of the seller, as its members typed it.
    pub seller_name: &'a str,
    /// The seller, for the link.
    pub seller_id: SellerId,
    /// How many such days are news.
    pub days: i64,
    /// The latest of them.
    pub latest: NaiveDate,
}

impl Mailer {
    /// Sends as `from`; links lead to `app_url`, where people open the application.
    #[must_use]
    pub fn new(client: Client, from: String, app_url: &str) -> Self {
        Self { client, from, app_url: app_url.trim_end_matches('/').to_owned() }
    }

    /// Hands an invitation over to SES.
    pub async fn invite(&self, mail: &InvitationMail<'_>) -> Result<(), MailError> {
        self.send(mail.to, texts(mail, &self.app_url)).await
    }

    /// Hands the news of a closing over to SES.
    pub async fn closing(&self, mail: &ClosingMail<'_>) -> Result<(), MailError> {
        self.send(mail.to, closing_texts(mail, &self.app_url)).await
    }

    /// Hands the mail over to SES that an export is ready.
    pub async fn export_ready(&self, mail: &ExportMail<'_>) -> Result<(), MailError> {
        self.send(mail.to, export_texts(mail, &self.app_url)).await
    }

    /// Hands the news of days above the free allowance over to SES.
    pub async fn usage(&self, mail: &UsageMail<'_>) -> Result<(), MailError> {
        self.send(mail.to, usage_texts(mail, &self.app_url)).await
    }

    async fn send(&self, to: &str, texts: Texts) -> Result<(), MailError> {
        let content = |data: String| Content::builder().data(data).charset(CHARSET).build();
        let body = Body::builder().text(content(texts.plain)?).html(content(texts.html)?).build();
        let message = Message::builder().subject(content(texts.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| MailError::Refused { code: code(&error) })
    }
}

/// SES's name for an error, or the kind of failure that prevented a response.
fn code<E: ProvideErrorMetadata, R>(error: &aws_sdk_sesv2::error::SdkError<E, R>) -> String {
    use aws_sdk_sesv2::error::SdkError;
    let code = match error {
        SdkError::ServiceError(refused) => refused.err().code().unwrap_or("unknown"),
        SdkError::TimeoutError(_) => "time-out",
        SdkError::DispatchFailure(_) => "unreachable",
        _ => "no answer",
    };
    code.to_owned()
}
