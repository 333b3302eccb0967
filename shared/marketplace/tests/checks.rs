//! An account's details are checked at each marketplace: accepted, refused, and out of reach.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;

use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart, Meesho};
use robnu_marketplace::contract::{Connection, PageRequest};
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use simulators::{
    AjioAccount, Fault, FaultKind, FlipkartAccount, Marketplace, MeeshoAccount, Simulator, SimulatorConfig,
};
use uuid::Uuid;

fn simulator() -> Simulator {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio.accounts.push(AjioAccount {
        username: "DV1".to_owned(),
        password: Some(kit::PASSWORD.to_owned()),
        orders: None,
    });
    config.flipkart.accounts.push(FlipkartAccount {
        account: "seller-1".to_owned(),
        app_id: "flipkart-app".to_owned(),
        app_secret: kit::APP_SECRET.to_owned(),
        orders: None,
    });
    config.meesho.accounts.push(MeeshoAccount {
        supplier_id: "S1".to_owned(),
        api_key: "meesho-key-hush".to_owned(),
        api_secret: kit::API_SECRET.to_owned(),
    });
    Simulator::start(&config).unwrap()
}

fn connect(
    simulator: &Simulator,
    code: MarketplaceCode,
    details: &BTreeMap<String, String>,
) -> Box<dyn Connection> {
    let registry = Registry::new(&MarketplaceConfig {
        ajio_base_url: Some(simulator.ajio_base_url().to_owned()),
        amazon_in_base_url: Some(simulator.amazon_base_url().to_owned()),
        amazon_in_auth_url: Some(simulator.amazon_base_url().to_owned()),
        flipkart_base_url: Some(simulator.flipkart_base_url().to_owned()),
        meesho_base_url: Some(simulator.meesho_base_url().to_owned()),
        ..MarketplaceConfig::default()
    });
    kit::connect(&registry.unwrap(), code, Uuid::from_u128(1), details)
}

fn stand_in(code: MarketplaceCode) -> Marketplace {
    match code {
        Ajio => Marketplace::Ajio,
        AmazonIn => Marketplace::Amazon,
        Flipkart => Marketplace::Flipkart,
        Meesho => Marketplace::Meesho,
    }
}

fn given(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn right_details_pass_the_check_of_every_marketplace() {
    let simulator = simulator();
    for code in MARKETPLACE_CODES {
        let connection = connect(&simulator, *code, &kit::details(*code));
        connection.check_credentials().await.unwrap_or_else(|error| panic!("{code}: {error}"));
    }
}

#[tokio::test]
async fn refused_details_are_unauthorized_at_every_marketplace() {
    let simulator = simulator();
    for code in MARKETPLACE_CODES {
        simulator.add_fault(Fault::new(stand_in(*code), "", FaultKind::RejectCredentials));
        let error = connect(&simulator, *code, &kit::details(*code)).check_credentials().await;
        assert_eq!(error, Err(AdapterError::Unauthorized), "{code}");
    }
}

#[tokio::test]
async fn a_marketplace_that_is_down_or_busy_does_not_refuse_credentials() {
    let simulator = simulator();
    for code in MARKETPLACE_CODES {
        for status in [500, 503, 429] {
            let down = FaultKind::Status { status, retry_after: None };
            simulator.add_fault(Fault::new(stand_in(*code), "", down).times(1));
            let error =
                connect(&simulator, *code, &kit::details(*code)).check_credentials().await.unwrap_err();
            let passing =
                matches!(error, AdapterError::Unavailable { .. } | AdapterError::RateLimited { .. });
            assert!(passing, "{code} {status}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_unauthorized() {
    let simulator = simulator();
    for (code, field) in [(Ajio, "password"), (Flipkart, "app_secret"), (Meesho, "api_secret")] {
        let mut details = kit::details(code);
        details.insert(field.to_owned(), "wrong".to_owned());
        let error = connect(&simulator, code, &details).check_credentials().await;
        assert_eq!(error, Err(AdapterError::Unauthorized), "{code}");
    }
}

#[tokio::test]
async fn a_key_of_another_supplier_counts_as_refused() {
    let simulator = simulator();
    let mut details = kit::details(Meesho);
    details.insert("supplier_id".to_owned(), "S2".to_owned());
    let error = connect(&simulator, Meesho, &details).check_credentials().await;
    assert_eq!(error, Err(AdapterError::Unauthorized));
}

#[tokio::test]
async fn an_unsupported_request_is_an_error_that_says_so() {
    let simulator = simulator();
    let with_orders = kit::codes_with_orders();
    for code in MARKETPLACE_CODES.iter().filter(|code| !with_orders.contains(code)) {
        let connection = connect(&simulator, *code, &kit::details(*code));
        let error = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap_err();
        assert_eq!(error, AdapterError::Unsupported { what: "ORDERS" }, "{code}");
    }
    let files_only = connect(&simulator, Meesho, &given(&[("supplier_id", "S1")]));
    let error = files_only.check_credentials().await.unwrap_err();
    assert!(matches!(error, AdapterError::Unsupported { .. }), "{error}");
}

#[test]
fn optional_details_may_be_left_out_and_the_halves_of_a_key_must_come_together() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let problems =
        |code, fields: &[(&str, &str)]| match registry.adapter(code).details().parse(&given(fields)) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        };
    assert!(problems(Meesho, &[("supplier_id", "S1")]).is_empty());
    assert!(problems(Meesho, &[("supplier_id", "S1"), ("api_key", ""), ("api_secret", "")]).is_empty());
    assert_eq!(problems(Meesho, &[("supplier_id", "S1"), ("api_key", "k")]), ["details.api_secret"]);
    assert_eq!(problems(Meesho, &[("api_key", "k")]), ["details.supplier_id"]);
    assert!(problems(Flipkart, &[("app_id", "a"), ("app_secret", "s"), ("location_id", "L")]).is_empty());
    assert!(problems(Flipkart, &[("refresh_token", "r")]).is_empty());
    assert_eq!(problems(Flipkart, &[("location_id", "L")]), ["details.app_id"]);
    assert_eq!(problems(Flipkart, &[("app_secret", "s"), ("refresh_token", "r")]), ["details.app_id"]);
    assert_eq!(
        problems(AmazonIn, &[("refresh_token", "r")]),
        ["details.client_id", "details.client_secret"],
        "a person who types details in has a client of their own"
    );
}

#[tokio::test]
async fn an_account_that_lives_on_the_platforms_application_needs_one() {
    let registry = Registry::new(&MarketplaceConfig {
        apps: robnu_marketplace::platform_app::PlatformApps::default(),
        ..kit::config("http://127.0.0.1:1")
    })
    .unwrap();
    for code in [AmazonIn, Flipkart] {
        let mut credentials = robnu_marketplace::details::Credentials::default();
        credentials.set("refresh_token", "r".to_owned().into());
        let refused =
            registry.adapter(code).connect(Uuid::from_u128(1), credentials, Deadline::NONE.into()).err();
        assert!(matches!(refused, Some(AdapterError::Configuration { .. })), "{code}");
    }
}
