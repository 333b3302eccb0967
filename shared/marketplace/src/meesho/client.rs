//! The one call of our own partner protocol: `GET /v1/supplier`, signed with HMAC-SHA256.
//!
//! Headers: `x-api-key`; `x-timestamp`, seconds since 1970, at most five minutes off; `x-signature`, the hexadecimal HMAC
//! under the API secret over method, path and timestamp, one a line. The response is `{"supplier_id": "…"}`; 401 means that
//! the key, signature or timestamp is not accepted.

use std::fmt::Write as _;

use chrono::Utc;
use reqwest::Url;
use ring::hmac;
use serde::Deserialize;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::fields::Id;
use crate::http::{HttpClient, join, secret_header};
use crate::records::parse_answer;

const SUPPLIER_PATH: &[&str] = &["v1", "supplier"];

/// One account's calls.
pub struct MeeshoClient {
    http: HttpClient,
    base_url: Url,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Supplier {
    supplier_id: Id,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
}

impl MeeshoClient {
    pub fn new(http: HttpClient, base_url: Url, credentials: Credentials) -> Self {
        Self { http, base_url, credentials }
    }

    /// Asks whose key it is. A key of somebody else counts as refused.
    pub async fn check(&self) -> Result<(), AdapterError> {
        let field = |name| self.credentials.get(name).unwrap_or_default();
        let timestamp = Utc::now().timestamp().to_string();
        let request = self
            .http
            .get(join(&self.base_url, SUPPLIER_PATH))
            .header("x-api-key", secret_header(field("api_key"))?)
            .header("x-timestamp", &timestamp)
            .header("x-signature", signature(field("api_secret"), &timestamp));
        let reply = self.http.send(request).await?;
        let code = |body: &[u8]| Some(serde_json::from_slice::<Refused>(body).ok()?.code);
        let body = reply.accept_call("ask whose key it is", code)?;
        let supplier: Supplier = parse_answer(&body, "supplier response")?;
        if supplier.supplier_id.0 == field("supplier_id") { Ok(()) } else { Err(AdapterError::Unauthorized) }
    }
}

fn signature(secret: &str, timestamp: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("GET\n/{}\n{timestamp}", SUPPLIER_PATH.join("/")).as_bytes());
    tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
