//! What the proxies on loopback have in common: they forward a request as it is, and return the response as it is.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Response, header};

/// The longest body.
pub const BODY: usize = 64 * 1024 * 1024;
/// Longer than any call takes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client that changes nothing of what it forwards.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(TIMEOUT).no_gzip().build()?)
}

/// Forwards a request to the same path of an origin.
pub async fn forward(
    http: &reqwest::Client,
    origin: &str,
    parts: Parts,
    body: Bytes,
) -> anyhow::Result<Response<Body>> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let answer =
        http.request(parts.method, format!("{origin}{path}")).headers(headers).body(body).send().await?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONNECTION);
    }
    Ok(response.body(Body::from(answer.bytes().await?))?)
}
