//! The texts of an invitation's mail, as plain text and as a page.
//!
//! The link carries the token behind `#`. Browsers do not send that part, so the token is in no server's log.

use super::InvitationMail;
use super::harmless::{harmless, harmless_address};

/// The number of characters shown of a name or an address: enough to recognise it, too few for a message.
const SHOWN: usize = 100;

/// Asks mail programs that detect more than links (Apple's) to leave the page as it is.
const NO_DETECTION: &str =
    "<meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">";

/// A mail's texts.
#[derive(Debug)]
pub struct Texts {
    /// The same in every mail, because no typed text may be in a header.
    pub subject: String,
    /// The mail without markup.
    pub plain: String,
    /// The mail as a page.
    pub html: String,
}

/// Writes a mail.
pub fn texts(mail: &InvitationMail<'_>, app_url: &str) -> Texts {
    let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    let seller = or(harmless(mail.seller_name, SHOWN), "a seller");
    let inviter = or(harmless_address(mail.inviter, SHOWN), "Somebody");
    let link = format!("{app_url}/invitations/accept#token={}", mail.token.text());
    let term = "The link is valid for seven days and only for this address. If you did not expect it, ignore this mail.";
    Texts {
        subject: "You are invited to Robnu".to_owned(),
        plain: format!(
            "{inviter} invites you to join \"{seller}\" on Robnu.\n\nAccept the invitation:\n{link}\n\n{term}\n"
        ),
        // <bdi> keeps a right-to-left name from reordering the text beside it.
        html: format!(
            "<!doctype html><html><head><meta charset=\"utf-8\">{NO_DETECTION}</head><body>\
             <p><bdi>{}</bdi> invites you to join &quot;<bdi>{}</bdi>&quot; on Robnu.</p>\
             <p><a href=\"{}\">Accept the invitation</a></p><p>{term}</p></body></html>",
            escape(&inviter),
            escape(&seller),
            escape(&link),
        ),
    }
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
