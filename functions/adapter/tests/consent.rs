//! Accounts that were connected by consent use the platform's own application, which the function reads from its secret at
//! start. The tests go from the click on the consent page to a successful run.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_marketplace::code::MarketplaceCode::{self, AmazonIn, Flipkart};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::platform_app::PlatformApps;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_storage::{KeyService, Place, WrappedKey};
use robnu_testkit::{LambdaProcess, local_aws};
use serde_json::json;
use simulators::{Fault, FaultKind, Marketplace, OAuthApp, SimulatorConfig};
use support::{Stand, acknowledged, eventually};
use uuid::Uuid;

const REDIRECT_URI: &str = "http://127.0.0.1/connected";

/// The applications' secret, as an operator writes it.
fn apps() -> String {
    let app = OAuthApp::sample();
    let app = json!({
        "application_id": app.application_id, "client_id": app.client_id, "client_secret": app.client_secret,
    });
    json!({"AMAZON_IN": app, "FLIPKART": app}).to_string()
}

async fn start_with_secret(stand: &Stand, code: MarketplaceCode, secret: &str) -> LambdaProcess {
    let name = format!("test-{}", Uuid::now_v7());
    let secrets = aws_sdk_secretsmanager::Client::new(&local_aws().await);
    secrets.create_secret().name(&name).secret_string(secret).send().await.unwrap();
    let config = stand.test.config("robnu_adapter");
    let mut environment = stand.environment(code, config.host, config.port);
    environment.push(("OAUTH_APPS_SECRET_ID", name));
    LambdaProcess::start(env!("CARGO_BIN_EXE_adapter"), &environment, Duration::from_mins(1)).await
}

/// Consents as the seller does, and returns the refresh token that the exchange brought.
async fn refresh_token(stand: &Stand, code: MarketplaceCode) -> String {
    let registry = Registry::new(&MarketplaceConfig {
        amazon_in_auth_url: Some(stand.simulator.amazon_base_url().to_owned()),
        amazon_in_consent_url: Some(stand.simulator.amazon_base_url().to_owned()),
        flipkart_base_url: Some(stand.simulator.flipkart_base_url().to_owned()),
        apps: PlatformApps::from_json(&apps()).unwrap(),
        ..MarketplaceConfig::default()
    })
    .unwrap();
    let oauth = registry.adapter(code).oauth().unwrap();
    let page = oauth.authorization_url("state", REDIRECT_URI).unwrap();
    // Another test may have installed it already; there is only one per process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let no_redirect = reqwest::redirect::Policy::none();
    let browser = reqwest::Client::builder().redirect(no_redirect).no_proxy().build().unwrap();
    let click = browser.get(format!("{page}&decision=approve&account=seller")).send().await.unwrap();
    let back = reqwest::Url::parse(click.headers()["location"].to_str().unwrap()).unwrap();
    let back = back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let consent = oauth.read_callback(&back).unwrap();
    let credentials = oauth.exchange_code(&consent, REDIRECT_URI).await.unwrap();
    credentials.get("refresh_token").unwrap().to_owned()
}

/// Replaces the account's own client and key with a refresh token.
async fn store(stand: &Stand, code: MarketplaceCode, refresh_token: &str) {
    let (table, own) = match code {
        AmazonIn => ("amazon_account_details", "client_id = null, client_secret_enc = null"),
        Flipkart => ("flipkart_account_details", "app_id = null, app_secret_enc = null"),
        other => panic!("nobody consents at {other}"),
    };
    let (seller, account) = (stand.sellers.ours.id, stand.account(code));
    let key = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
    let row = stand.superuser.query_one(key, &[&seller]).await.unwrap();
    let wrapped = WrappedKey::from_row(&row).unwrap().unwrap();
    let kms = aws_sdk_kms::Client::new(&local_aws().await);
    let cipher = KeyService::new(kms, "none".to_owned()).cipher(seller, &wrapped).await.unwrap();
    let place = Place { table, column: "refresh_token", row: *account.as_uuid() };
    let sealed = cipher.seal(place, refresh_token.as_bytes()).unwrap();
    let sql = format!("update robnu.{table} set {own}, refresh_token_enc = $2 where account_id = $1");
    assert_eq!(stand.superuser.execute(&sql, &[&account, &sealed]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_consented_account_is_checked_and_read_with_the_platforms_application() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let kinds = [RunKind::CredentialCheck, RunKind::Orders];
    for code in [AmazonIn, Flipkart] {
        let token = refresh_token(&stand, code).await;
        store(&stand, code, &token).await;
        let function = start_with_secret(&stand, code, &apps()).await;
        for kind in kinds {
            let job = stand.queue(code, kind).await;
            stand.run_to_end(&function, job.clone()).await;
            let run = stand.run(job.run_id).await;
            assert_eq!((run.state.as_str(), run.error_code), ("SUCCEEDED", None), "{code} {kind:?}");
        }
        let log = function.log().join("\n");
        assert!(!log.contains(&token) && !log.contains(&OAuthApp::sample().client_secret));
    }
}

#[tokio::test]
async fn when_the_platforms_application_is_refused_the_account_is_not_stopped() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let token = refresh_token(&stand, Flipkart).await;
    store(&stand, Flipkart, &token).await;
    let function = start_with_secret(&stand, Flipkart, &apps()).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Flipkart, "", FaultKind::RejectClient));
    let job = stand.queue(Flipkart, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(stand.run(job.run_id).await.error_code.as_deref(), Some("not_configured"));
    let sql = "select status, last_validation from robnu.marketplace_accounts where id = $1";
    let row = stand.superuser.query_one(sql, &[&job.account_id]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, Option<&str>>(1)), ("ACTIVE", None));
    let failed = function.log().iter().any(|line| line.contains("the run failed"));
    assert!(failed, "operators see it in the log");
}

#[tokio::test]
async fn without_an_application_a_consented_account_is_not_stopped_either() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let token = refresh_token(&stand, Flipkart).await;
    store(&stand, Flipkart, &token).await;
    let function = start_with_secret(&stand, Flipkart, "{}").await;
    let job = stand.queue(Flipkart, RunKind::CredentialCheck).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(stand.run(job.run_id).await.error_code.as_deref(), Some("not_configured"));
}

#[tokio::test]
async fn a_secret_that_names_no_applications_keeps_the_function_from_starting() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let mut function = start_with_secret(&stand, Flipkart, "hush").await;
    assert_ne!(function.exit_code().await, Some(0));
    eventually("the log says what is wrong", async || {
        function.log().iter().any(|line| line.contains("the platform's own applications"))
    })
    .await;
    assert!(!function.log().iter().any(|line| line.contains("hush")));
}
