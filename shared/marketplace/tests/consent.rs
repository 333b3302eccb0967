//! Connecting by consent, from the page to working credentials, against the simulators.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;

use robnu_marketplace::code::MarketplaceCode::{self, AmazonIn, Flipkart};
use robnu_marketplace::contract::{Connection, PageRequest};
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::details::Credentials;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::oauth::{CallbackError, Consent, OAuth, STATE};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use simulators::{Fault, FaultKind, Marketplace, OAuthApp, Simulator, SimulatorConfig};
use uuid::Uuid;

const REDIRECT_URI: &str = "http://127.0.0.1/connected";
const WITH_CONSENT: [MarketplaceCode; 2] = [AmazonIn, Flipkart];

fn simulator() -> Simulator {
    Simulator::start(&SimulatorConfig::sample().unwrap()).unwrap()
}

fn config(simulator: &Simulator) -> MarketplaceConfig {
    MarketplaceConfig {
        amazon_in_base_url: Some(simulator.amazon_base_url().to_owned()),
        amazon_in_auth_url: Some(simulator.amazon_base_url().to_owned()),
        amazon_in_consent_url: Some(simulator.amazon_base_url().to_owned()),
        flipkart_base_url: Some(simulator.flipkart_base_url().to_owned()),
        apps: kit::apps(),
        ..MarketplaceConfig::default()
    }
}

fn registry(simulator: &Simulator) -> Registry {
    Registry::new(&config(simulator)).unwrap()
}

fn oauth(registry: &Registry, code: MarketplaceCode) -> &dyn OAuth {
    registry.adapter(code).oauth().unwrap()
}

fn marketplace(code: MarketplaceCode) -> Marketplace {
    if code == AmazonIn { Marketplace::Amazon } else { Marketplace::Flipkart }
}

fn connect(registry: &Registry, code: MarketplaceCode, credentials: Credentials) -> Box<dyn Connection> {
    registry.adapter(code).connect(Uuid::from_u128(1), credentials, Deadline::NONE.into()).unwrap()
}

/// Opens a page like a browser that does not follow redirects.
async fn get(url: &str) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    client.get(url).send().await.unwrap()
}

/// Returns the parameters with which the browser is sent back.
fn callback(answer: &reqwest::Response) -> BTreeMap<String, String> {
    assert_eq!(answer.status(), 302);
    let location = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT_URI), "{location}");
    location.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Opens the consent page and follows its last approval link, as the account that the link names.
async fn approve(oauth: &dyn OAuth, state: &str) -> BTreeMap<String, String> {
    let url = oauth.authorization_url(state, REDIRECT_URI).unwrap();
    let page = get(&url).await;
    assert_eq!(page.status(), 200);
    let text = page.text().await.unwrap();
    let link = text.rsplit("class=\"approve\" href=\"").next().unwrap().split('"').next().unwrap();
    let link = link.replace("&amp;", "&");
    callback(&get(reqwest::Url::parse(&url).unwrap().join(&link).unwrap().as_str()).await)
}

async fn consented(oauth: &dyn OAuth) -> Consent {
    oauth.read_callback(&approve(oauth, "s").await).unwrap()
}

#[tokio::test]
async fn a_consent_becomes_credentials_that_the_marketplace_accepts() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        let back = approve(oauth, "a state & more").await;
        assert_eq!(back[STATE], "a state & more", "{code}");
        let consent = oauth.read_callback(&back).unwrap();
        let tells = (code == AmazonIn).then_some("A1NEWSELLER");
        assert_eq!(consent.external_account_id.as_deref(), tells);
        assert_eq!(oauth.names_account(), tells.is_some());
        let credentials = oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap();
        assert_eq!(format!("{credentials:?}"), "{\"refresh_token\"}", "only the account's own part is kept");
        connect(&registry, code, credentials.clone()).check_credentials().await.unwrap();
        if code == AmazonIn {
            let connection = connect(&registry, code, credentials);
            let page = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
            assert!(!kit::orders_of(&page).is_empty());
        }
    }
}

#[tokio::test]
async fn a_code_works_only_once_and_only_for_its_redirect_uri() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        let consent = consented(oauth).await;
        let elsewhere = oauth.exchange_code(&consent, "http://127.0.0.1/elsewhere").await.unwrap_err();
        assert_eq!(elsewhere, AdapterError::Unauthorized, "{code}");
        oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap();
        let again = oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap_err();
        assert_eq!(again, AdapterError::Unauthorized, "{code}");
    }
}

#[tokio::test]
async fn a_code_that_has_expired_is_refused() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        let late = consented(oauth).await;
        simulator.advance_clock(std::time::Duration::from_secs(301));
        assert_eq!(oauth.exchange_code(&late, REDIRECT_URI).await.unwrap_err(), AdapterError::Unauthorized);
        let ended = consented(oauth).await;
        simulator.add_fault(Fault::new(marketplace(code), "", FaultKind::ExpireCodes).times(1));
        assert_eq!(oauth.exchange_code(&ended, REDIRECT_URI).await.unwrap_err(), AdapterError::Unauthorized);
    }
}

#[tokio::test]
async fn a_denied_consent_comes_back_as_denied() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        simulator.add_fault(Fault::new(marketplace(code), "", FaultKind::DenyConsent).after(1));
        let back = approve(oauth, "s").await;
        assert_eq!(back[STATE], "s");
        assert_eq!(oauth.read_callback(&back), Err(CallbackError::Denied), "{code}");
    }
}

#[tokio::test]
async fn another_applications_code_is_refused() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let consent = consented(oauth(&registry, code)).await;
        let other = OAuthApp {
            application_id: "other".to_owned(),
            client_id: "other".to_owned(),
            client_secret: "other-hush".to_owned(),
            redirect_uris: Vec::new(),
        };
        simulator.register_amazon_app(other.clone());
        simulator.register_flipkart_app(other);
        let text = format!("{{\"{code}\": {{\"client_id\": \"other\", \"client_secret\": \"other-hush\"}}}}");
        let apps = robnu_marketplace::platform_app::PlatformApps::from_json(&text).unwrap();
        let registry = Registry::new(&MarketplaceConfig { apps, ..config(&simulator) }).unwrap();
        let refused = oauth(&registry, code).exchange_code(&consent, REDIRECT_URI).await.unwrap_err();
        assert_eq!(refused, AdapterError::Unauthorized, "{code}");
    }
}

#[tokio::test]
async fn when_the_platforms_application_is_refused_no_account_is_blamed() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        let first = consented(oauth).await;
        let credentials = oauth.exchange_code(&first, REDIRECT_URI).await.unwrap();
        let second = consented(oauth).await;
        simulator.add_fault(Fault::new(marketplace(code), "", FaultKind::RejectClient));
        let refused = oauth.exchange_code(&second, REDIRECT_URI).await.unwrap_err();
        assert!(matches!(refused, AdapterError::Configuration { .. }), "{code}: {refused}");
        let refused = connect(&registry, code, credentials.clone()).check_credentials().await.unwrap_err();
        assert!(matches!(refused, AdapterError::Configuration { .. }), "{code}: {refused}");
        simulator.clear_faults();
        simulator.add_fault(Fault::new(marketplace(code), "", FaultKind::RejectCredentials));
        let refused = connect(&registry, code, credentials).check_credentials().await.unwrap_err();
        assert_eq!(refused, AdapterError::Unauthorized, "{code}");
    }
}

#[tokio::test]
async fn an_outage_of_the_token_service_does_not_refuse_a_code() {
    for code in WITH_CONSENT {
        let simulator = simulator();
        let registry = registry(&simulator);
        let oauth = oauth(&registry, code);
        let consent = consented(oauth).await;
        let down = FaultKind::Status { status: 503, retry_after: None };
        simulator.add_fault(Fault::new(marketplace(code), "", down).times(1));
        let error = oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap_err();
        assert!(matches!(error, AdapterError::Unavailable { .. }), "{code}: {error}");
        oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap();
    }
}

#[tokio::test]
async fn neither_a_consent_nor_its_exchange_shows_the_code() {
    for code in WITH_CONSENT {
        let name = if code == AmazonIn { "spapi_oauth_code" } else { "code" };
        let server = kit::Scripted::start_with_tokens(
            |call, _| kit::status(400, format!("{{\"error\": \"{} {}\"}}", call.query, call.body)),
            |_, _| kit::ok("{}"),
        )
        .await;
        let registry = Registry::new(&kit::config(server.base_url())).unwrap();
        let back = [(name, "code-hush"), ("selling_partner_id", "A1")];
        let back = back.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let consent = oauth(&registry, code).read_callback(&back).unwrap();
        let error = oauth(&registry, code).exchange_code(&consent, REDIRECT_URI).await.unwrap_err();
        let shown = format!("{consent:?} {error} {error:?}");
        assert!(!shown.contains("hush") && !shown.contains("simulated-app-secret"), "{shown}");
    }
}

#[test]
fn a_callback_without_its_parameters_names_the_first_one() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let read = |code, back: &[(&str, &str)]| {
        let back = back.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        oauth(&registry, code).read_callback(&back)
    };
    let missing = |parameter| Err(CallbackError::Parameter { parameter });
    assert_eq!(read(AmazonIn, &[]), missing("spapi_oauth_code"));
    assert_eq!(read(AmazonIn, &[("spapi_oauth_code", "c")]), missing("selling_partner_id"));
    assert_eq!(read(Flipkart, &[("state", "s")]), missing("code"));
    assert_eq!(read(Flipkart, &[("code", "a b")]), missing("code"));
    assert_eq!(read(Flipkart, &[("code", &"c".repeat(2_049))]), missing("code"));
}

#[test]
fn without_an_application_or_addresses_there_is_no_consent_page() {
    let bare = Registry::new(&MarketplaceConfig::default()).unwrap();
    let without_addresses =
        Registry::new(&MarketplaceConfig { apps: kit::apps(), ..MarketplaceConfig::default() }).unwrap();
    let whole = Registry::new(&kit::config("http://127.0.0.1:1")).unwrap();
    for code in WITH_CONSENT {
        for registry in [&bare, &without_addresses] {
            let refused = oauth(registry, code).authorization_url("s", REDIRECT_URI);
            assert!(matches!(refused, Err(AdapterError::Configuration { .. })), "{code}");
        }
        for uri in ["javascript:alert(1)", "connected", "http://127.0.0.1/#x"] {
            let refused = oauth(&whole, code).authorization_url("s", uri);
            assert!(matches!(refused, Err(AdapterError::Configuration { .. })), "{code}");
        }
    }
    assert!(bare.adapter(MarketplaceCode::Ajio).oauth().is_none());
    assert!(bare.adapter(MarketplaceCode::Meesho).oauth().is_none());
}

#[test]
fn amazon_is_asked_for_the_draft_of_an_unpublished_application() {
    let text = r#"{"AMAZON_IN": {"application_id": "amzn1.sp.solution.x", "client_id": "c", "client_secret": "h", "draft": true}}"#;
    let apps = robnu_marketplace::platform_app::PlatformApps::from_json(text).unwrap();
    let consent_url = Some("https://sellercentral.amazon.in".to_owned());
    let config =
        MarketplaceConfig { apps, amazon_in_consent_url: consent_url, ..MarketplaceConfig::default() };
    let registry = Registry::new(&config).unwrap();
    let url = oauth(&registry, AmazonIn).authorization_url("s", "https://robnu.example/connected").unwrap();
    assert_eq!(
        url,
        "https://sellercentral.amazon.in/apps/authorize/consent?application_id=amzn1.sp.solution.x&state=s\
         &redirect_uri=https%3A%2F%2Frobnu.example%2Fconnected&version=beta"
    );
}
