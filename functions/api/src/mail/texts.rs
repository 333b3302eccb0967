//! The texts of mails, as plain text and as a page: an invitation, an export that is ready, and the news that a seller is to be closed or
//! had days above the free allowance.
//!
//! An invitation's link carries the token behind `#`. Browsers do not send that part, so the token is in no server's log.

use chrono::{DateTime, FixedOffset, Utc};

use super::harmless::{harmless, harmless_address};
use super::{ClosingMail, ExportMail, InvitationMail, UsageMail};

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

/// Writes an invitation.
pub fn texts(mail: &InvitationMail<'_>, app_url: &str) -> Texts {
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

/// Writes the news that a seller is to be closed.
pub fn closing_texts(mail: &ClosingMail<'_>, app_url: &str) -> Texts {
    let seller = or(harmless(mail.seller_name, SHOWN), "a seller");
    let asker = or(harmless_address(mail.asker, SHOWN), "An owner");
    let until = in_india(mail.closes_at);
    let now = format!(
        "Until {until} (Indian time) everything works as before, and every owner can take this back in the application."
    );
    let then = "After that the seller's accounts are disconnected, and its customers' data, keys and files are deleted for good.";
    Texts {
        subject: "A seller of yours is to be closed".to_owned(),
        plain: format!("{asker} asked Robnu to close \"{seller}\".\n\n{now}\n\n{then}\n\n{app_url}\n"),
        html: format!(
            "<!doctype html><html><head><meta charset=\"utf-8\">{NO_DETECTION}</head><body>\
             <p><bdi>{}</bdi> asked Robnu to close &quot;<bdi>{}</bdi>&quot;.</p><p>{now}</p><p>{then}</p>\
             <p><a href=\"{}\">Open Robnu</a></p></body></html>",
            escape(&asker),
            escape(&seller),
            escape(app_url),
        ),
    }
}

/// Writes the mail of an export that is ready. The link leads to the application, where the member signs in to download.
pub fn export_texts(mail: &ExportMail<'_>, app_url: &str) -> Texts {
    let link = format!("{app_url}/sellers/{}/exports/{}", mail.seller_id, mail.export_id);
    let until = in_india(mail.until);
    let term = format!(
        "The file can be downloaded until {until} (Indian time). If you did not ask for it, tell an owner of your seller on Robnu."
    );
    Texts {
        subject: "Your export from Robnu is ready".to_owned(),
        plain: format!("An export that you asked for is ready.\n\nDownload it:\n{link}\n\n{term}\n"),
        html: format!(
            "<!doctype html><html><head><meta charset=\"utf-8\">{NO_DETECTION}</head><body>\
             <p>An export that you asked for is ready.</p>\
             <p><a href=\"{}\">Download it</a></p><p>{term}</p></body></html>",
            escape(&link),
        ),
    }
}

/// Writes the news that a seller had days with more orders than are free.
pub fn usage_texts(mail: &UsageMail<'_>, app_url: &str) -> Texts {
    let seller = or(harmless(mail.seller_name, SHOWN), "a seller");
    let link = format!("{app_url}/sellers/{}/usage", mail.seller_id);
    let latest = mail.latest.format("%-d %B %Y");
    let had = match mail.days {
        1 => format!("had more orders on {latest} than are free in a day."),
        days => {
            format!("had more orders than are free in a day on {days} days, the latest of them {latest}.")
        }
    };
    let then = "Nothing stops: all orders go on arriving. The application shows each day. You get this mail once a day at most.";
    Texts {
        subject: "More orders than are free in a day".to_owned(),
        plain: format!("\"{seller}\" {had}\n\n{then}\n\nSee the days:\n{link}\n"),
        html: format!(
            "<!doctype html><html><head><meta charset=\"utf-8\">{NO_DETECTION}</head><body>\
             <p>&quot;<bdi>{}</bdi>&quot; {had}</p><p>{then}</p>\
             <p><a href=\"{}\">See the days</a></p></body></html>",
            escape(&seller),
            escape(&link),
        ),
    }
}

/// An instant on Indian clocks. The seconds are dropped, so that nobody comes too late.
fn in_india(at: DateTime<Utc>) -> String {
    let india = FixedOffset::east_opt(5 * 3600 + 1800).map(|zone| at.with_timezone(&zone));
    india.map(|at| at.format("%-d %B %Y, %H:%M").to_string()).unwrap_or_default()
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
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
