//! Flipkart's token calls. They are GET requests with everything but the client in the query, as Flipkart documents.

use std::sync::Arc;

use reqwest::Url;
use uuid::Uuid;

use crate::deadline::Deadline;
use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::{HttpClient, join};
use crate::platform_app::PlatformApp;
use crate::token_cache::{IssuedToken, TokenCache, TokenKey};
use crate::token_endpoint::{self, ClientOwner, Grant};

use super::{DETAILS, PLATFORM_APP};

/// The OAuth scope of everything that a seller's application may do.
pub const SCOPE: &str = "Seller_Api";

const TOKEN_PATH: &[&str] = &["oauth-service", "oauth", "token"];

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    /// The platform's application, which accounts that were connected by consent use.
    pub app: Option<PlatformApp>,
    pub tokens: TokenCache,
}

impl Service {
    /// Returns the platform's application.
    pub fn app(&self) -> Result<&PlatformApp, AdapterError> {
        self.app.as_ref().ok_or(AdapterError::Configuration { what: PLATFORM_APP })
    }

    /// Asks the token endpoint for a token of a client.
    pub async fn grant(
        &self,
        http: &HttpClient,
        (client_id, client_secret, owner): (&str, &str, ClientOwner),
        parameters: &[(&str, &str)],
    ) -> Result<Grant, AdapterError> {
        let request = http
            .get(join(&self.base_url, TOKEN_PATH))
            .query(parameters)
            .basic_auth(client_id, Some(client_secret));
        let reply = http.send(request).await?;
        token_endpoint::read(&token_endpoint::accept(reply, owner)?)
    }
}

/// One account's calls.
pub struct FlipkartClient {
    service: Arc<Service>,
    http: HttpClient,
    key: TokenKey,
    credentials: Credentials,
}

impl FlipkartClient {
    /// # Errors
    /// [`AdapterError::Configuration`] naming what the credentials or the deployment lack.
    pub fn new(
        service: Arc<Service>,
        account: Uuid,
        credentials: Credentials,
        deadline: Deadline,
    ) -> Result<Self, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        if credentials.get("app_id").is_none() {
            service.app()?;
        }
        let key = TokenKey::new(account, &credentials, DETAILS.fields);
        let http = service.http.until(deadline);
        Ok(Self { service, http, key, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.key, || self.fetch_token()).await.map(drop)
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let (own_id, own_secret) = (self.credentials.get("app_id"), self.credentials.get("app_secret"));
        let client = if let Some((id, secret)) = own_id.zip(own_secret) {
            (id, secret, ClientOwner::Account)
        } else {
            let app = self.service.app()?;
            (app.client_id.as_str(), app.client_secret(), ClientOwner::Platform(PLATFORM_APP))
        };
        let refresh_token = self.credentials.get("refresh_token");
        let parameters = refresh_token
            .map_or([("grant_type", "client_credentials"), ("scope", SCOPE)], |token| {
                [("grant_type", "refresh_token"), ("refresh_token", token)]
            });
        let grant = self.service.grant(&self.http, client, &parameters).await?;
        Ok(grant.access)
    }
}
