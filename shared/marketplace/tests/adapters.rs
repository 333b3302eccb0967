//! What each adapter says about itself, and what tells whose account its credentials open.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{Answer, Scripted, ok, status};
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart, Meesho};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use serde_json::{Value, json};

#[test]
fn an_adapter_names_what_it_reads_and_how_far_back_the_next_run_begins() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let check = RunKind::CredentialCheck;
    // Each kind with the minutes of its overlap.
    let stated: [(MarketplaceCode, &[(RunKind, u64)]); 4] = [
        (Ajio, &[(RunKind::Orders, 0), (RunKind::Returns, 0), (check, 0), (RunKind::FileImport, 0)]),
        (
            AmazonIn,
            &[
                (RunKind::Orders, 10),
                (RunKind::Returns, 56 * 24 * 60),
                (RunKind::Payouts, 60 * 24 * 60),
                (check, 10),
                (RunKind::FileImport, 10),
            ],
        ),
        (Flipkart, &[(RunKind::Orders, 30), (RunKind::Returns, 30), (check, 30), (RunKind::FileImport, 30)]),
        (Meesho, &[(check, 0), (RunKind::FileImport, 0)]),
    ];
    for (code, expected) in stated {
        let adapter = registry.adapter(code);
        let minutes = |kind: RunKind| adapter.overlap(kind).as_secs() / 60;
        let kinds: Vec<(RunKind, u64)> =
            adapter.live_kinds().iter().map(|kind| (*kind, minutes(*kind))).collect();
        assert_eq!(kinds, expected, "{code}");
    }
}

/// What Amazon answers about where the account sells.
fn participations(entries: &[(&str, bool)]) -> Answer {
    let entry = |(id, participates): &(&str, bool)| json!({ "marketplace": { "id": id }, "participation": { "isParticipating": participates } });
    ok(json!({ "payload": entries.iter().map(entry).collect::<Vec<Value>>() }).to_string())
}

#[tokio::test]
async fn an_account_sells_at_amazon_in_when_it_takes_part_there() {
    const INDIA: &str = "A21TJRUUN4KGV";
    const JAPAN: &str = "A1VC38T7YXB528";
    let cases: [(&[(&str, bool)], bool); 4] = [
        (&[(JAPAN, true), (INDIA, true)], true),
        (&[(JAPAN, true), (INDIA, false)], false),
        (&[(JAPAN, true)], false),
        (&[], false),
    ];
    for (entries, expected) in cases {
        let server = Scripted::start(move |_, _| participations(entries)).await;
        assert_eq!(server.connect(AmazonIn).sells_here().await, Ok(expected), "{entries:?}");
        assert_eq!(server.page_calls()[0].path, "/sellers/v1/marketplaceParticipations");
    }
}

#[tokio::test]
async fn an_application_that_may_not_ask_where_an_account_sells_believes_it() {
    let errors = |code: &str| json!({ "errors": [{ "code": code }] }).to_string();
    for code in ["Unauthorized", "ExpiredToken", "AccessDenied", "InvalidSignature"] {
        let body = errors(code);
        let server = Scripted::start(move |_, _| status(403, body.clone())).await;
        assert_eq!(server.connect(AmazonIn).sells_here().await, Ok(true), "{code}");
    }
    let server = Scripted::start(|_, _| status(503, "")).await;
    let error = server.connect(AmazonIn).sells_here().await.unwrap_err();
    assert!(matches!(error, AdapterError::Unavailable { .. }), "an outage is no answer: {error}");
}

#[tokio::test]
async fn credentials_own_an_account_when_they_open_one_of_its_orders() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let server = Scripted::start(|call, _| match call.path.as_str() {
        "/orders/2026-01-01/orders/OURS" => ok("{}"),
        "/orders/2026-01-01/orders/THEIRS" => status(403, r#"{"errors":[{"code":"Unauthorized"}]}"#),
        "/orders/2026-01-01/orders/DOWN" => status(503, ""),
        _ => status(404, r#"{"errors":[{"code":"NotFound"}]}"#),
    })
    .await;
    let amazon = server.connect(AmazonIn);
    assert_eq!(amazon.owns_any(&ids(&["THEIRS", "GONE", "OURS"])).await, Ok(Some(true)));
    assert_eq!(amazon.owns_any(&ids(&["THEIRS", "GONE"])).await, Ok(Some(false)));
    assert_eq!(
        amazon.owns_any(&[]).await,
        Ok(Some(true)),
        "nothing speaks against an account without orders"
    );
    let error = amazon.owns_any(&ids(&["GONE", "DOWN"])).await.unwrap_err();
    assert!(matches!(error, AdapterError::Unavailable { .. }), "an outage is no answer: {error}");
}

#[tokio::test]
async fn a_marketplace_that_tells_neither_is_not_asked_and_believed() {
    let server = Scripted::start(|_, _| status(404, "")).await;
    for code in [Ajio, Flipkart, Meesho] {
        let connection = server.connect(code);
        assert_eq!(connection.sells_here().await, Ok(true), "{code}");
        assert_eq!(connection.owns_any(&["FN1".to_owned()]).await, Ok(None), "{code}");
    }
    assert!(server.page_calls().is_empty() && server.token_calls().is_empty());
}
