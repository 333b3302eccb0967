//! Consent in the browser, which Amazon and Flipkart share: a page, a redirect with a one-time code, and the check of that
//! code for the token service.
//!
//! The design of the page is ours. It offers every account that the simulator knows, as if its seller were signed in. A GET with
//! `decision=approve` and `account`, or with `decision=deny`, stands for the click.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::config::OAuthApp;

/// How long a code is valid. Amazon says five minutes; for Flipkart we chose the same.
const CODE_SECONDS: i64 = 300;

/// The title and parameter names of a marketplace's consent page.
pub(crate) struct Wording {
    /// The page's title.
    pub(crate) title: &'static str,
    /// The parameter that names the application.
    pub(crate) application: &'static str,
    /// The parameter that returns the code.
    pub(crate) code: &'static str,
    /// The parameter that returns the account, if the marketplace has one.
    pub(crate) account: Option<&'static str>,
}

struct Issued {
    account: String,
    client_id: String,
    redirect_uri: String,
    expires_at: DateTime<Utc>,
}

/// A marketplace's applications and the codes that were issued to them.
pub(crate) struct ConsentService {
    wording: Wording,
    apps: Vec<OAuthApp>,
    codes: HashMap<String, Issued>,
}

impl ConsentService {
    pub(crate) fn new(wording: Wording, apps: Vec<OAuthApp>) -> Self {
        Self { wording, apps, codes: HashMap::new() }
    }

    /// Registers an application, or replaces it.
    pub(crate) fn register(&mut self, app: OAuthApp) {
        self.apps.retain(|known| known.client_id != app.client_id);
        self.apps.push(app);
    }

    /// Whether this is an application's client id.
    pub(crate) fn knows(&self, client_id: &str) -> bool {
        self.apps.iter().any(|app| app.client_id == client_id)
    }

    /// Whether client id and secret belong to an application.
    pub(crate) fn authenticates(&self, client_id: &str, client_secret: &str) -> bool {
        self.apps.iter().any(|app| app.client_id == client_id && app.client_secret == client_secret)
    }

    /// The account whose consent a code stands for, even after the code has expired.
    pub(crate) fn owner(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(|issued| issued.account.as_str())
    }

    /// Redeems a code. `None` if it was used before, has expired, or was issued to another client or for another
    /// redirect URI. In the last two cases the code stays valid for its owner.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let issued = self.codes.get(code)?;
        if issued.client_id != client_id || issued.redirect_uri != redirect_uri {
            return None;
        }
        let issued = self.codes.remove(code)?;
        (issued.expires_at > now).then_some(issued.account)
    }

    /// Expires every code.
    pub(crate) fn expire_codes(&mut self, now: DateTime<Utc>) {
        self.codes.values_mut().for_each(|issued| issued.expires_at = issued.expires_at.min(now));
    }

    /// The page, or the redirect to the application after a decision.
    pub(crate) fn answer(
        &mut self,
        call: &Call,
        accounts: &[String],
        is_denied: bool,
        now: DateTime<Utc>,
    ) -> Reply {
        let named = call.parameter(self.wording.application).unwrap_or_default();
        let Some(app) = self.apps.iter().find(|app| app.application_id == named) else {
            return page(StatusCode::BAD_REQUEST, self.wording.title, "This application is not known here.");
        };
        let given = call.parameter("redirect_uri").or(app.redirect_uris.first().map(String::as_str));
        let Some(redirect_uri) = given.filter(|uri| app.may_return_to(uri)).map(str::to_owned) else {
            let text = "The application may not send sellers to this redirect_uri.";
            return page(StatusCode::BAD_REQUEST, self.wording.title, text);
        };
        let state = call.parameter("state").unwrap_or_default();
        match (call.parameter("decision"), call.parameter("account")) {
            (Some("approve"), Some(account)) if !is_denied && !account.is_empty() => {
                let client_id = app.client_id.clone();
                let code = self.issue(account, client_id, &redirect_uri, now);
                let mut back = vec![(self.wording.code, code.as_str()), ("state", state)];
                back.extend(self.wording.account.map(|name| (name, account)));
                redirect(&redirect_uri, &back)
            }
            (Some("approve" | "deny"), _) => {
                redirect(&redirect_uri, &[("error", "access_denied"), ("state", state)])
            }
            _ => self.ask(call, named, accounts),
        }
    }

    fn issue(&mut self, account: &str, client_id: String, redirect_uri: &str, now: DateTime<Utc>) -> String {
        // Expired codes are kept for an hour, so that the ledger still knows the account of a late call.
        self.codes.retain(|_, issued| issued.expires_at > now - TimeDelta::hours(1));
        let code = format!("code-{}", Uuid::now_v7().simple());
        let issued = Issued {
            account: account.to_owned(),
            client_id,
            redirect_uri: redirect_uri.to_owned(),
            expires_at: now + TimeDelta::seconds(CODE_SECONDS),
        };
        self.codes.insert(code.clone(), issued);
        code
    }

    fn ask(&self, call: &Call, application: &str, accounts: &[String]) -> Reply {
        let link = |decision: &str, account: Option<&str>| {
            let asked = call.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let decided = [("decision", decision)].into_iter().chain(account.map(|name| ("account", name)));
            escape(&format!("?{}", query_text(asked.chain(decided))))
        };
        let mut body = format!("<p>{} asks for access to your orders.</p>\n<ul>\n", escape(application));
        for account in accounts {
            // Writing to a String cannot fail.
            let _ = writeln!(
                body,
                "<li><a class=\"approve\" href=\"{}\">Approve as {}</a></li>",
                link("approve", Some(account)),
                escape(account)
            );
        }
        let _ = writeln!(body, "</ul>\n<p><a class=\"deny\" href=\"{}\">Deny</a></p>", link("deny", None));
        html(StatusCode::OK, self.wording.title, &body)
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Reply {
    html(status, title, &format!("<p>{}</p>\n", escape(text)))
}

fn html(status: StatusCode, title: &str, body: &str) -> Reply {
    let title = escape(title);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1>\n<p>This page simulates the marketplace for tests; it is not the marketplace.</p>\n{body}</body></html>\n"
    );
    Reply::text(status, text).with_header("content-type", "text/html; charset=utf-8")
}

fn redirect(uri: &str, parameters: &[(&str, &str)]) -> Reply {
    let separator = if uri.contains('?') { '&' } else { '?' };
    let location = format!("{uri}{separator}{}", query_text(parameters.iter().copied()));
    Reply::text(StatusCode::FOUND, String::new()).with_header("location", location)
}

fn query_text<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> =
        parameters.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
