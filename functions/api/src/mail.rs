//! Mail, through SES.
//!
//! What a stranger has typed (a seller's name) stands in mails to other strangers, so it is made harmless here: it is in no
//! header, brings no markup to the page, and nothing that mail programs turn into a link. A mail's link carries the token
//! behind `#`, which browsers keep to themselves: it is in no server's log.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::one_time_token::OneTimeToken;

const CHARSET: &str = "UTF-8";

/// Why a mail was not handed over. SES's own message is left out: it may hold addresses.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// SES refused it or could not be reached.
    #[error(
        "SES did not take the mail ({code}): look at the sender's identity and the account's sending limits"
    )]
    Refused {
        /// SES's name for the reason.
        code: String,
    },
    /// A part of the mail is missing; never in practice.
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

/// Who is invited, by whom and to what.
#[derive(Debug)]
pub struct InvitationMail<'a> {
    /// Address of the invited.
    pub to: &'a str,
    /// Name of the seller, as its members typed it.
    pub seller_name: &'a str,
    /// Email of the member who invites.
    pub inviter: &'a str,
    /// What the invited accept with.
    pub token: &'a OneTimeToken,
}

/// A mail's texts.
#[derive(Debug)]
struct Texts {
    subject: String,
    plain: String,
    html: String,
}

impl Mailer {
    /// Sends as `from`; links lead to `app_url`, where people open the application.
    #[must_use]
    pub fn new(client: Client, from: String, app_url: &str) -> Self {
        Self { client, from, app_url: app_url.trim_end_matches('/').to_owned() }
    }

    /// Hands an invitation over to SES.
    pub async fn invite(&self, mail: &InvitationMail<'_>) -> Result<(), MailError> {
        let texts = texts(mail, &self.app_url);
        let content = |data: String| Content::builder().data(data).charset(CHARSET).build();
        let body = Body::builder().text(content(texts.plain)?).html(content(texts.html)?).build();
        let message = Message::builder().subject(content(texts.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| MailError::Refused { code: code(&error) })
    }
}

/// SES's name for an error, or what kind of failure kept an answer from us.
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

fn texts(mail: &InvitationMail<'_>, app_url: &str) -> Texts {
    let seller = without_links(&one_line(mail.seller_name));
    let link = format!("{app_url}/invitations/accept#token={}", mail.token.text());
    let who = format!("{} invites you", one_line(mail.inviter));
    let term = "The link is good for seven days and for this address only. If you did not expect it, ignore this mail.";
    Texts {
        subject: "You are invited to Robnu".to_owned(),
        plain: format!("{who} to join \"{seller}\" on Robnu.\n\nAccept the invitation:\n{link}\n\n{term}\n"),
        html: format!(
            "<!doctype html><html><body><p>{} to join &quot;{}&quot; on Robnu.</p>\
             <p><a href=\"{}\">Accept the invitation</a></p><p>{term}</p></body></html>",
            escape(&who),
            escape(&seller),
            escape(&link),
        ),
    }
}

/// A text without anything that ends a line or reorders one.
fn one_line(text: &str) -> String {
    let harmless = |letter: char| !letter.is_control() && !is_invisible(letter);
    let line: String = text.chars().map(|letter| if harmless(letter) { letter } else { ' ' }).collect();
    line.trim().to_owned()
}

/// A name in which mail programs find no address: what joins the parts of one is followed by a space.
fn without_links(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        text.push(letter);
        // The full stops of East Asia are as good as dots in names of hosts.
        let joins = matches!(letter, '.' | ':' | '@' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}');
        if joins && letters.peek().is_some_and(|next| !next.is_whitespace()) {
            text.push(' ');
        }
    }
    text
}

/// Separators of lines and paragraphs, and marks that turn the direction of writing around.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(seller_name: &str, inviter: &str) -> (Texts, String) {
        let token = OneTimeToken::generate().unwrap();
        let mail = InvitationMail { to: "guest@example.invalid", seller_name, inviter, token: &token };
        (texts(&mail, "https://app.example"), token.text())
    }

    #[test]
    fn the_token_stands_behind_the_hash_of_the_link_and_nothing_typed_in_the_subject() {
        let (texts, token) = invitation("Ravi & Söhne", "ravi@example.invalid");
        let link = format!("https://app.example/invitations/accept#token={token}");
        assert!(texts.plain.contains(&link) && texts.html.contains(&format!("href=\"{link}\"")));
        assert_eq!(texts.subject, "You are invited to Robnu");
        assert!(texts.plain.starts_with("ravi@example.invalid invites you to join \"Ravi & Söhne\""));
        assert!(texts.html.contains("Ravi &amp; Söhne"));
    }

    #[test]
    fn a_name_that_tries_to_be_a_header_or_a_page_is_only_a_name() {
        let hostile =
            "x\r\nBcc: all@example.invalid\n\n<script>alert('1')</script>\u{2028}\u{202e}\u{0}\u{85}y";
        let (texts, _) = invitation(hostile, "\"a\nb\"@example.invalid");
        assert!(!texts.html.contains("<script") && texts.html.contains("&lt;script&gt;alert(&#39;1&#39;)"));
        assert_eq!(texts.plain.lines().count(), 6, "{}", texts.plain);
    }

    #[test]
    fn an_address_in_a_name_is_taken_apart_and_a_name_stays_a_name() {
        for name in ["M/s. Ravi & Co.", "St. Mary's (India)", "24 x 7 Traders", "A-1 Shoes."] {
            assert_eq!(without_links(name), name);
        }
        for (name, apart) in [
            ("https://evil.example/login", "https: //evil. example/login"),
            ("www.evil.example", "www. evil. example"),
            ("evil\u{3002}example", "evil\u{3002} example"),
            ("win@evil.example", "win@ evil. example"),
            ("tel:+911234", "tel: +911234"),
        ] {
            assert_eq!(without_links(name), apart);
        }
    }
}
