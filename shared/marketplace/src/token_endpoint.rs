//! Responses of OAuth token endpoints (RFC 6749, section 5). A refusal means something else for the account's own client
//! than for the platform's.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::AdapterError;
use crate::http::{Reply, whole_number};
use crate::records::parse_answer;
use crate::shared_token::AccessToken;
use crate::token_cache::IssuedToken;

/// Whose OAuth client a token request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOwner {
    /// The account's own client: when it is refused, the account is.
    Account,
    /// The platform's client. When it is refused, no account is to blame, so none may be stopped. The text names the
    /// application for the operator of the deployment.
    Platform(&'static str),
}

/// What a token endpoint granted.
pub struct Grant {
    /// The access token, for calls.
    pub access: IssuedToken,
    /// The refresh token, for later token requests, if one was issued.
    pub refresh_token: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Option<String>,
    expires_in: Option<Value>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// Returns the body of a grant, or the error that a refusal means.
///
/// # Errors
/// Refused credentials are [`AdapterError::Unauthorized`], and a refused client of the platform is
/// [`AdapterError::Configuration`]. Everything else is as in [`Reply::accept`].
pub fn accept(reply: Reply, client: ClientOwner) -> Result<Vec<u8>, AdapterError> {
    let reply = reply.with_stated_status();
    let code = |body: &[u8]| serde_json::from_slice::<Refused>(body).ok().map(|refused| refused.error);
    let refused_client = || match client {
        ClientOwner::Account => AdapterError::Unauthorized,
        ClientOwner::Platform(what) => AdapterError::Configuration { what },
    };
    if reply.status.is_client_error() && reply.status != StatusCode::TOO_MANY_REQUESTS {
        match code(&reply.body).as_deref() {
            Some("invalid_grant" | "access_denied") => return Err(AdapterError::Unauthorized),
            Some("invalid_client" | "unauthorized_client") => return Err(refused_client()),
            Some(trouble @ ("server_error" | "temporarily_unavailable")) => {
                let what = format!("token service says {trouble}");
                return Err(AdapterError::Unavailable { what, retry_after: reply.retry_after });
            }
            _ if reply.status == StatusCode::UNAUTHORIZED => return Err(refused_client()),
            _ => {}
        }
    }
    reply.accept(code)
}

/// Reads a grant.
///
/// # Errors
/// Returns [`AdapterError::Malformed`] naming what is missing.
pub fn read(body: &[u8]) -> Result<Grant, AdapterError> {
    let missing =
        |field: &str| AdapterError::Malformed { what: format!("token response: {field} is missing") };
    let granted: Granted = parse_answer(body, "token response")?;
    let token =
        granted.access_token.filter(|token| !token.is_empty()).ok_or_else(|| missing("access_token"))?;
    let seconds = granted.expires_in.as_ref().and_then(whole_number).ok_or_else(|| missing("expires_in"))?;
    Ok(Grant {
        access: IssuedToken { token: AccessToken::new(token), lifetime: Duration::from_secs(seconds) },
        refresh_token: granted.refresh_token.filter(|token| !token.is_empty()).map(Zeroizing::new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATFORM: ClientOwner = ClientOwner::Platform("the platform's application");

    /// What becomes of an answer to a client of the account's own, and to the platform's.
    fn refused(status: u16, body: &str) -> [AdapterError; 2] {
        [ClientOwner::Account, PLATFORM].map(|owner| {
            let retry_after = Some(Duration::from_secs(7));
            let status = StatusCode::from_u16(status).unwrap();
            accept(Reply { status, retry_after, body: body.as_bytes().to_vec() }, owner).unwrap_err()
        })
    }

    #[test]
    fn a_refused_client_is_the_accounts_trouble_or_the_deployments() {
        let expected =
            [AdapterError::Unauthorized, AdapterError::Configuration { what: "the platform's application" }];
        for code in ["invalid_client", "unauthorized_client"] {
            assert_eq!(refused(400, &format!(r#"{{"error":"{code}"}}"#)), expected, "{code}");
        }
        assert_eq!(refused(401, "no"), expected, "without a code the status says so");
        assert_eq!(refused(200, r#"{"statusCode":401}"#), expected, "inside a success too");
    }

    #[test]
    fn a_refused_grant_is_the_accounts_trouble_whoevers_client_asked() {
        for code in ["invalid_grant", "access_denied"] {
            let body = format!(r#"{{"error":"{code}"}}"#);
            assert_eq!(refused(400, &body), [const { AdapterError::Unauthorized }; 2], "{code}");
        }
    }

    #[test]
    fn trouble_of_the_service_and_throttling_refuse_nobody() {
        let retry_after = Some(Duration::from_secs(7));
        for code in ["server_error", "temporarily_unavailable"] {
            let what = format!("token service says {code}");
            let unavailable = AdapterError::Unavailable { what, retry_after };
            let body = format!(r#"{{"error":"{code}"}}"#);
            assert_eq!(refused(400, &body), [unavailable.clone(), unavailable], "{code}");
        }
        let limited = AdapterError::RateLimited { retry_after };
        assert_eq!(refused(429, r#"{"error":"invalid_client"}"#), [limited.clone(), limited]);
    }

    #[test]
    fn any_other_refusal_is_rejected_with_its_code() {
        let rejected =
            |code: Option<&str>| AdapterError::Rejected { status: 400, code: code.map(str::to_owned) };
        let body = r#"{"error":"invalid_request"}"#;
        assert_eq!(
            refused(400, body),
            [rejected(Some("invalid_request")), rejected(Some("invalid_request"))]
        );
        assert_eq!(refused(400, "no"), [rejected(None), rejected(None)]);
    }
}
