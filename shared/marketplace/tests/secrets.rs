//! No error, position or debug output of a connection may show a secret, token, URL or body.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;

use kit::{Answer, Scripted, ok, status};
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_marketplace::contract::{PagePosition, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};

/// A text that a hostile or careless server puts into its responses.
const LEAK: &str = "customer-name-hush";

/// An echo of everything that was sent, with a few added words.
fn echo(call: &kit::Call) -> String {
    let code = format!("{} {} {LEAK}", call.token, call.body);
    serde_json::json!({
        "errors": [{ "code": code, "message": code }], "error": code, "error_description": code,
        "success": false, "statusCode": 418, "message": code,
    })
    .to_string()
}

fn assert_discreet(error: &AdapterError, server: &str) {
    let shown = format!("{error} {error:?} {error:#?}");
    let secrets = [kit::PASSWORD, kit::CLIENT_SECRET, kit::REFRESH_TOKEN, kit::APP_SECRET, kit::API_SECRET];
    for hidden in secrets.into_iter().chain([kit::TOKEN, LEAK, "hush", server]) {
        assert!(!shown.contains(hidden), "{shown} shows {hidden}");
    }
}

#[tokio::test]
async fn errors_on_pages_never_show_a_request_or_response() {
    for (code, kind) in kit::streams() {
        for number in [301, 400, 401, 403, 404, 408, 413, 418, 429, 500, 503] {
            let server = Scripted::start(move |call, _| status(number, echo(call))).await;
            let error = server.connect(code).page(kind, &PageRequest::default()).await.unwrap_err();
            assert_discreet(&error, server.base_url());
        }
    }
}

#[tokio::test]
async fn errors_on_tokens_never_show_a_request_or_response() {
    for code in MARKETPLACE_CODES {
        for number in [200, 301, 400, 401, 403, 404, 429, 500, 503] {
            let tokens = move |call: &kit::Call, _: usize| status(number, echo(call));
            let server = Scripted::start_with_tokens(tokens, |_, _| ok("{}")).await;
            let error = server.connect(*code).check_credentials().await.unwrap_err();
            assert_discreet(&error, server.base_url());
        }
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_described_without_their_content() {
    let bodies = [
        format!("\"{LEAK}\""),
        format!("{{\"orders\":\"{LEAK}\"}}"),
        format!("{{\"shipments\":\"{LEAK}\"}}"),
        format!("{{\"shipments\":[],\"hasMore\":\"{LEAK}\"}}"),
        format!("{{\"shipments\":[],\"hasMore\":true,\"nextPageUrl\":\"https://{LEAK}/\"}}"),
        format!("{{\"returnItems\":\"{LEAK}\"}}"),
        format!("{{\"returnItems\":[],\"hasMore\":true,\"nextUrl\":\"https://{LEAK}/\"}}"),
        format!("{{\"orders\":[],\"page\":{{\"number\":\"{LEAK}\"}},\"lastUpdatedBefore\":\"{LEAK}\"}}"),
        format!("{{\"orders\":[]}}{LEAK}"),
        LEAK.to_owned(),
    ];
    for (code, kind) in kit::streams() {
        for body in bodies.clone() {
            let server = Scripted::start(move |_, _| ok(body.clone())).await;
            let error = server.connect(code).page(kind, &PageRequest::default()).await.unwrap_err();
            assert_discreet(&error, server.base_url());
        }
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_not_shown() {
    for (code, kind) in kit::streams() {
        let token = kit::issued_token(0).replace(kit::TOKEN, "hush\\n");
        let server = Scripted::start_with_tokens(move |_, _| ok(token.clone()), |_, _| ok("{}")).await;
        let error = server.connect(code).page(kind, &PageRequest::default()).await.unwrap_err();
        assert!(matches!(error, AdapterError::Malformed { .. }));
        assert_discreet(&error, server.base_url());
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_not_named() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    for code in MARKETPLACE_CODES {
        let error = kit::connect_to(&base_url, *code).check_credentials().await.unwrap_err();
        assert!(matches!(error, AdapterError::Unavailable { .. }));
        assert_discreet(&error, &base_url);
    }
}

#[tokio::test]
async fn a_quarantined_record_names_its_fields_and_shows_no_value() {
    let record = format!(
        r#"{{"order_id":"FN1","orderId":"405-1","order_date":"{LEAK}","createdTime":"{LEAK}","status":"{LEAK}"}}"#
    );
    let body = format!(r#"{{"orders":[{record}],"shipments":[{record}]}}"#);
    for code in kit::codes_with_orders() {
        let answer = body.clone();
        let server = Scripted::start(move |_, _| ok(answer.clone())).await;
        let page = server.connect(code).page(RunKind::Orders, &PageRequest::default()).await.unwrap();
        assert!(!format!("{page:?} {}", page.quarantined[0].reason).contains(LEAK));
        // Flipkart's record is the order, which is made of its shipments.
        let is_flipkart = code == MarketplaceCode::Flipkart;
        let kept = if is_flipkart { format!(r#"{{"shipments":[{record}]}}"#) } else { record.clone() };
        assert_eq!(page.quarantined[0].raw, kept);
    }
}

#[test]
fn positions_and_credentials_keep_their_content_to_themselves() {
    assert!(!format!("{:?}", PagePosition::new("hush".to_owned())).contains("hush"));
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    for code in MARKETPLACE_CODES {
        let credentials = registry.adapter(*code).details().parse(&kit::details(*code)).unwrap();
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}

#[test]
fn refused_details_are_named_and_not_repeated() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let details = registry.adapter(MarketplaceCode::AmazonIn).details();
    let given: BTreeMap<String, String> =
        [("client_id", "hush hush"), ("client_secret", "hush\n"), ("password", "hush")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let refused = details.parse(&given).unwrap_err();
    let fields: Vec<&str> = refused.iter().map(|error| error.field.as_str()).collect();
    let expected =
        ["details.client_id", "details.client_secret", "details.refresh_token", "details.password"];
    assert_eq!(fields, expected);
    assert!(!format!("{refused:?}").contains("hush"));
}

#[tokio::test]
async fn a_retry_after_in_a_refusal_shows_no_secret() {
    let server = Scripted::start(|call, _| Answer {
        status: 503,
        headers: vec![("retry-after", "9".to_owned())],
        body: echo(call).into(),
    })
    .await;
    let error = server
        .connect(MarketplaceCode::Ajio)
        .page(RunKind::Orders, &PageRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(9)));
    assert_discreet(&error, server.base_url());
}
