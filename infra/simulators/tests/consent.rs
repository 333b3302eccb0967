//! Consent at Amazon and Flipkart as a browser and a token client see it, and the signed call to Meesho.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::json;
use simulators::{Fault, FaultKind, FlipkartAccount, Marketplace, MeeshoAccount, OAuthApp, Simulator};
use support::{Answer, amazon_token, config, control, lwa, query, send, start};

const BACK: &str = "http://127.0.0.1/back";
/// `simulated-app:simulated-app-secret` for a Basic header.
const APP: &str = "Basic c2ltdWxhdGVkLWFwcDpzaW11bGF0ZWQtYXBwLXNlY3JldA==";

fn amazon_page(simulator: &Simulator, more: &[(&str, &str)]) -> Answer {
    let asked =
        [&[("application_id", "simulated-app"), ("state", "s1"), ("redirect_uri", BACK)], more].concat();
    let url = format!("{}/apps/authorize/consent?{}", simulator.amazon_base_url(), query(&asked));
    send("GET", &url, &[], "")
}

fn flipkart_page(simulator: &Simulator, more: &[(&str, &str)]) -> Answer {
    let asked = [
        ("client_id", "simulated-app"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "Seller_Api"),
        ("state", "s1"),
    ];
    let asked = [&asked, more].concat();
    let url = format!("{}/oauth-service/oauth/authorize?{}", simulator.flipkart_base_url(), query(&asked));
    send("GET", &url, &[], "")
}

fn flipkart_token(simulator: &Simulator, authorization: &str, parameters: &[(&str, &str)]) -> Answer {
    let url = format!("{}/oauth-service/oauth/token?{}", simulator.flipkart_base_url(), query(parameters));
    send("GET", &url, &[("authorization", authorization)], "")
}

fn returned(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let (_, parameters) = answer.headers["location"].split_once('?').unwrap();
    parameters.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

fn exchange(simulator: &Simulator, code: &str, secret: &str, back: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", back),
        ("client_id", "simulated-app"),
        ("client_secret", secret),
    ];
    lwa(simulator, &form)
}

#[test]
fn the_page_is_html_that_offers_approval_for_each_account_and_denial() {
    let simulator = start(&config());
    amazon_token(&simulator, "Atzr|a");
    for page in [amazon_page(&simulator, &[]), flipkart_page(&simulator, &[])] {
        assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
        assert!(page.text().contains("decision=approve") && page.text().contains("decision=deny"));
        assert!(page.text().contains("not the marketplace"), "the page says that it is simulated");
    }
    let page = amazon_page(&simulator, &[]);
    assert_eq!(page.text().matches("decision=approve").count(), 2, "the known partner and a new one");
    let page = amazon_page(&simulator, &[("x", "\"><script>")]);
    assert!(!page.text().contains("<script>"));
}

#[test]
fn approval_leads_back_with_state_and_a_code_that_buys_a_refresh_token_once() {
    let simulator = start(&config());
    let back = amazon_page(&simulator, &[("decision", "approve"), ("account", "A1B2")]);
    assert!(back.headers["location"].starts_with("http://127.0.0.1/back?"));
    assert_eq!(returned(&back, "state").as_deref(), Some("s1"));
    assert_eq!(returned(&back, "selling_partner_id").as_deref(), Some("A1B2"));
    let code = returned(&back, "spapi_oauth_code").unwrap();
    let granted = exchange(&simulator, &code, "simulated-app-secret", BACK);
    assert_eq!(granted.status, 200, "{}", granted.text());
    let refresh_token = granted.json()["refresh_token"].as_str().unwrap().to_owned();
    let form = |client_id, secret| {
        lwa(
            &simulator,
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.as_str()),
                ("client_id", client_id),
                ("client_secret", secret),
            ],
        )
    };
    assert_eq!(form("simulated-app", "simulated-app-secret").status, 200);
    assert_eq!(form("another", "secret").json()["error"], "invalid_client");
    let again = exchange(&simulator, &code, "simulated-app-secret", BACK);
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
    let ledger = serde_json::to_string(&simulator.ledger()).unwrap();
    assert!(ledger.contains("A1B2") && !ledger.contains(&code) && !ledger.contains(&refresh_token));
}

#[test]
fn a_code_is_refused_to_the_wrong_client_for_another_address_and_when_it_is_old() {
    let simulator = start(&config());
    let code = || {
        let back = amazon_page(&simulator, &[("decision", "approve"), ("account", "A1")]);
        returned(&back, "spapi_oauth_code").unwrap()
    };
    let secret = "simulated-app-secret";
    let wrong = exchange(&simulator, &code(), "wrong", BACK);
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")));
    let elsewhere = exchange(&simulator, &code(), secret, "http://127.0.0.1/elsewhere");
    assert_eq!(elsewhere.json()["error"], "invalid_grant");
    let old = code();
    simulator.advance_clock(std::time::Duration::from_mins(5));
    assert_eq!(exchange(&simulator, &old, secret, BACK).json()["error"], "invalid_grant");
    let ended = code();
    simulator.add_fault(Fault::new(Marketplace::Amazon, "/auth", FaultKind::ExpireCodes).times(1));
    assert_eq!(exchange(&simulator, &ended, secret, BACK).json()["error"], "invalid_grant");
    simulator.add_fault(Fault::new(Marketplace::Amazon, "/auth", FaultKind::RejectClient).times(1));
    let rejected = exchange(&simulator, &code(), secret, BACK);
    assert_eq!((rejected.status, &rejected.json()["error"]), (401, &json!("invalid_client")));
}

#[test]
fn denial_leads_back_with_an_error_and_no_code() {
    let simulator = start(&config());
    let denied = [("decision", "deny")];
    for back in [amazon_page(&simulator, &denied), flipkart_page(&simulator, &denied)] {
        assert_eq!(returned(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(returned(&back, "state").as_deref(), Some("s1"));
    }
    simulator.add_fault(Fault::new(Marketplace::Flipkart, "", FaultKind::DenyConsent).times(1));
    let approve = [("decision", "approve"), ("account", "F1")];
    assert_eq!(returned(&flipkart_page(&simulator, &approve), "error").as_deref(), Some("access_denied"));
    assert!(returned(&flipkart_page(&simulator, &approve), "code").is_some());
}

#[test]
fn nobody_is_sent_to_an_address_that_the_application_did_not_register() {
    let simulator = start(&config());
    let app = json!({ "client_id": "strict", "client_secret": "x", "redirect_uris": [BACK] });
    assert_eq!(control(&simulator, "POST", "/amazon/apps", &app).status, 200);
    let open = |application: &str, uri: &str| {
        let asked = [("application_id", application), ("redirect_uri", uri), ("decision", "deny")];
        let url = format!("{}/apps/authorize/consent?{}", simulator.amazon_base_url(), query(&asked));
        send("GET", &url, &[], "")
    };
    assert_eq!(open("strict", BACK).status, 302);
    assert_eq!(open("strict", "http://127.0.0.1/elsewhere").status, 400);
    assert_eq!(open("simulated-app", "javascript:alert(1)").status, 400);
    assert_eq!(open("unheard-of", BACK).status, 400);
}

#[test]
fn flipkart_gives_self_access_tokens_to_keys_and_refresh_tokens_to_consents() {
    let mut config = config();
    config.flipkart.accounts.push(FlipkartAccount {
        account: "F1".to_owned(),
        app_id: "key".to_owned(),
        app_secret: "right".to_owned(),
        orders: None,
    });
    let simulator = start(&config);
    let self_access = [("grant_type", "client_credentials"), ("scope", "Seller_Api")];
    // key:right, key:wrong, other:any
    let granted = flipkart_token(&simulator, "Basic a2V5OnJpZ2h0", &self_access);
    assert_eq!((granted.status, &granted.json()["expires_in"]), (200, &json!(5_183_999)));
    assert!(granted.json().get("refresh_token").is_none());
    assert_eq!(flipkart_token(&simulator, "Basic a2V5Ondyb25n", &self_access).status, 401);
    assert_eq!(flipkart_token(&simulator, "Basic b3RoZXI6YW55", &self_access).status, 200);
    let platform = flipkart_token(&simulator, APP, &self_access);
    assert_eq!(platform.json()["error"], "unauthorized_client");

    let back = flipkart_page(&simulator, &[("decision", "approve"), ("account", "F1")]);
    let code = returned(&back, "code").unwrap();
    assert!(returned(&back, "selling_partner_id").is_none());
    let by_code = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    let granted = flipkart_token(&simulator, APP, &by_code);
    assert_eq!(granted.status, 200, "{}", granted.text());
    let refresh_token = granted.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(flipkart_token(&simulator, APP, &by_code).json()["error"], "invalid_grant");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    assert_eq!(flipkart_token(&simulator, APP, &refresh).status, 200);
    assert_eq!(flipkart_token(&simulator, "Basic a2V5OnJpZ2h0", &refresh).status, 401);
    simulator.advance_clock(std::time::Duration::from_hours(180 * 24));
    assert_eq!(flipkart_token(&simulator, APP, &refresh).json()["error"], "invalid_grant");
}

#[test]
fn meesho_accepts_only_a_fresh_signature_of_a_registered_key() {
    let mut config = config();
    let account = MeeshoAccount {
        supplier_id: "S1".to_owned(),
        api_key: "key".to_owned(),
        api_secret: "secret".to_owned(),
    };
    config.meesho.accounts.push(account);
    let simulator = start(&config);
    let ask = |key: &str, timestamp: &str, signature: &str| {
        let url = format!("{}/v1/supplier", simulator.meesho_base_url());
        let headers = [("x-api-key", key), ("x-timestamp", timestamp), ("x-signature", signature)];
        send("GET", &url, &headers, "")
    };
    let sign = |secret: &str, timestamp: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = ring::hmac::sign(&key, format!("GET\n/v1/supplier\n{timestamp}").as_bytes());
        tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let now = simulator.now().timestamp().to_string();
    let answer = ask("key", &now, &sign("secret", &now));
    assert_eq!((answer.status, &answer.json()["supplier_id"]), (200, &json!("S1")));
    for signature in ["00", "zz", "", sign("wrong", &now).as_str()] {
        assert_eq!(ask("key", &now, signature).status, 401, "{signature}");
    }
    assert_eq!(ask("other", &now, &sign("secret", &now)).status, 401);
    let old = (simulator.now().timestamp() - 301).to_string();
    assert_eq!(ask("key", &old, &sign("secret", &old)).status, 401);
    let body = json!({ "supplier_id": "S2", "api_key": "k2", "api_secret": "s2" });
    assert_eq!(control(&simulator, "POST", "/meesho/accounts", &body).status, 200);
}

#[test]
fn applications_and_accounts_can_be_registered_while_it_runs() {
    let simulator = start(&config());
    let app = OAuthApp { client_id: "second".to_owned(), ..OAuthApp::sample() };
    simulator.register_flipkart_app(app);
    let body = json!({ "client_id": "third", "client_secret": "x" });
    assert_eq!(control(&simulator, "POST", "/flipkart/apps", &body).status, 200);
    let body = json!({ "account": "F9", "app_id": "k", "app_secret": "s" });
    assert_eq!(control(&simulator, "POST", "/flipkart/accounts", &body).status, 200);
    assert!(flipkart_page(&simulator, &[]).text().contains("F9"));
}
