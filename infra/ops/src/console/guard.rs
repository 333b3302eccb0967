//! Who may call the console. Any page in the operator's browser can send requests to a port of this machine, so a request counts only
//! with the token from the printed URL, for this host, and, where it changes something, from the console's own page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::Desk;
use super::problem::Problem;

/// What each response says to the browser. Only the console's own files run; nothing is kept, sniffed, framed or sent elsewhere, and
/// no script can turn text into markup.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Lets good requests through, and gives every response its headers.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let admitted = desk.admit(request.method(), request.uri().path(), request.headers());
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Desk {
    fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        let host = text(headers, header::HOST.as_str());
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        // A name of somebody else's that leads to this machine (DNS rebinding) is no host of ours.
        if !hosts.iter().any(|known| known == host) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this is no host of the console",
                "open the printed URL",
            ));
        }
        let changes = method != Method::GET && method != Method::HEAD;
        if changes && self.operator.is_none() {
            let next = "start it with --allow-changes, or type the command that stands beside";
            return Err(Problem::new(StatusCode::FORBIDDEN, "this console only reads", next));
        }
        if !path.starts_with("/api/") && !changes {
            return Ok(());
        }
        let elsewhere = !matches!(text(headers, "sec-fetch-site"), "" | "same-origin");
        if elsewhere || (changes && text(headers, header::ORIGIN.as_str()) != format!("http://{host}")) {
            let what = "the request does not come from the console's own page";
            return Err(Problem::new(StatusCode::FORBIDDEN, what, "open the printed URL"));
        }
        let token = text(headers, header::AUTHORIZATION.as_str()).strip_prefix("Bearer ").unwrap_or_default();
        if !bool::from(token.as_bytes().ct_eq(self.token.as_bytes())) {
            let next = "open the URL that the running command has printed; each start has a new one";
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "the console's token is missing or wrong",
                next,
            ));
        }
        Ok(())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
