//! The seller's browser on a marketplace's consent page, which a stand-in serves.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::redirect::Policy;
use robnu_marketplace::platform_app::PlatformApps;
use robnu_marketplace::registry::MarketplaceConfig;
use serde_json::json;
use simulators::{OAuthApp, Simulator};

/// The platform's page to which marketplaces send sellers back. Nobody opens it here.
pub const REDIRECT_URI: &str = "https://app.example.invalid/connected";

/// The parameters with which the browser comes back.
pub type Parameters = BTreeMap<String, String>;

/// The stand-ins, and the application that they know.
pub fn marketplaces(simulator: &Simulator) -> MarketplaceConfig {
    let app = OAuthApp::sample();
    let app = json!({
        "application_id": app.application_id, "client_id": app.client_id, "client_secret": app.client_secret,
    });
    let apps = json!({"AMAZON_IN": app, "FLIPKART": app}).to_string();
    MarketplaceConfig {
        ajio_base_url: Some(simulator.ajio_base_url().to_owned()),
        amazon_in_base_url: Some(simulator.amazon_base_url().to_owned()),
        amazon_in_auth_url: Some(simulator.amazon_base_url().to_owned()),
        amazon_in_consent_url: Some(simulator.amazon_base_url().to_owned()),
        flipkart_base_url: Some(simulator.flipkart_base_url().to_owned()),
        meesho_base_url: Some(simulator.meesho_base_url().to_owned()),
        apps: PlatformApps::from_json(&apps).expect("a secret as operators write it"),
        ..MarketplaceConfig::default()
    }
}

/// Consents as the marketplace's account of that id.
pub async fn approve(authorization_url: &str, account: &str) -> Parameters {
    browse(authorization_url, &[("decision", "approve"), ("account", account)]).await
}

/// Clicks on the page and is sent back.
pub async fn browse(authorization_url: &str, click: &[(&str, &str)]) -> Parameters {
    let mut url = Url::parse(authorization_url).expect("an address");
    url.query_pairs_mut().extend_pairs(click);
    // Another test may already have done this.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a browser");
    let answer = browser.get(url).send().await.expect("the page answers");
    assert_eq!(answer.status(), 302);
    let back = answer.headers()["location"].to_str().expect("an address");
    assert!(back.starts_with(REDIRECT_URI), "{back}");
    let back = Url::parse(back).expect("an address");
    back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
