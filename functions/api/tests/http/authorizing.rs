//! Connecting accounts by consent, from the page to the account, with the marketplaces' stand-ins on the other side.

use std::collections::BTreeMap;
use std::time::Duration;

use robnu_testkit::Seller;
use serde_json::{Value, json};
use simulators::{Fault, FaultKind, Marketplace, OAuthApp};

use crate::logs::Captured;
use crate::support::{Answer, Api, Call, REDIRECT_URI, approve, browse};

fn path(seller: &Seller) -> String {
    format!("/v1/sellers/{}/accounts/authorizations", seller.id)
}

/// Asks for a new Amazon account.
fn amazon() -> Value {
    json!({"marketplace": "AMAZON_IN", "display_name": "Amazon Chennai"})
}

/// Asks for a new Flipkart account, whose id Flipkart itself does not supply.
fn flipkart() -> Value {
    json!({"marketplace": "FLIPKART", "display_name": "Flipkart Pune", "external_account_id": "F-42"})
}

async fn start(api: &Api, body: &Value) -> String {
    let started = api.post("OWNER", &path(&api.sellers.ours), body).await.expect(201);
    started["authorization_url"].as_str().unwrap().to_owned()
}

fn completion(seller: &Seller, role: &str, parameters: &BTreeMap<String, String>) -> Call {
    Call::post(&format!("{}/complete", path(seller)), &json!({"parameters": parameters})).by(seller, role)
}

async fn complete(api: &Api, parameters: &BTreeMap<String, String>) -> Answer {
    api.send(completion(&api.sellers.ours, "OWNER", parameters)).await
}

/// Starts and consents.
async fn consented(api: &Api, body: &Value) -> BTreeMap<String, String> {
    approve(&start(api, body).await, "A1NEWSELLER").await
}

async fn accounts(api: &Api) -> i64 {
    api.count("select count(*) from robnu.marketplace_accounts").await
}

fn stand_in(body: &Value) -> Marketplace {
    if body["marketplace"] == "FLIPKART" { Marketplace::Flipkart } else { Marketplace::Amazon }
}

#[tokio::test]
async fn a_consent_becomes_an_account_like_any_other() {
    for (body, table, id) in [
        (amazon(), "amazon_account_details", "A1NEWSELLER"),
        (flipkart(), "flipkart_account_details", "F-42"),
    ] {
        let api = Api::new().await;
        let account = complete(&api, &consented(&api, &body).await).await.expect(201);
        let fields = ["marketplace", "external_account_id", "display_name", "status", "lane_state"];
        let values = fields.map(|field| account[field].as_str().unwrap());
        let [marketplace, name] = ["marketplace", "display_name"].map(|field| body[field].as_str().unwrap());
        assert_eq!(values, [marketplace, id, name, "ACTIVE", "REQUESTED"]);
        // The credentials of the platform's own application are not stored with the account.
        assert!(!api.open(&account, table, "refresh_token").await.is_empty());
        let client = if table.starts_with("amazon") {
            "client_id, client_secret_enc"
        } else {
            "app_id, app_secret_enc"
        };
        let own = format!(
            "select num_nonnulls({client})::bigint from robnu.{table} where account_id = '{}'",
            account["account_id"].as_str().unwrap()
        );
        assert_eq!(api.count(&own).await, 0);
        let of_account = format!("account_id = '{}'", account["account_id"].as_str().unwrap());
        let events = "select count(*) from robnu.credential_events where event = 'CONNECTED' and";
        assert_eq!(api.count(&format!("{events} {of_account}")).await, 1);
        let due = format!("select count(*) from robnu.schedules where {of_account} and next_due_at <= now()");
        let kinds = "select count(*) from robnu.marketplace_kinds where every_minutes is not null and marketplace_code =";
        let scheduled = api.count(&format!("{kinds} '{marketplace}'")).await;
        assert_eq!(api.count(&due).await, scheduled, "{marketplace}: every scheduled kind");
        let request =
            json!({"version": "1", "seller_id": api.sellers.ours.id, "account_id": account["account_id"]});
        assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await, [request]);
    }
}

#[tokio::test]
async fn an_existing_account_is_connected_again_by_consent() {
    let api = Api::new().await;
    for (account, id) in [(api.sellers.ours.amazon, "A1SELLER"), (api.sellers.ours.flipkart, "F0001")] {
        api.arrange(&format!(
            "update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT' where id = '{account}'"
        ))
        .await;
        let before = accounts(&api).await;
        let url = start(&api, &json!({"account_id": account})).await;
        let answer = complete(&api, &approve(&url, id).await).await.expect(200);
        assert_eq!((&answer["account_id"], &answer["status"]), (&json!(account), &json!("ACTIVE")));
        assert_eq!(answer["external_account_id"], id);
        let table = if id == "F0001" { "flipkart_account_details" } else { "amazon_account_details" };
        assert!(
            api.open(&answer, table, "refresh_token").await.len() > 8,
            "the new one, with the seller's key"
        );
        let rotated = format!(
            "select count(*) from robnu.credential_events where event = 'ROTATED' and account_id = '{account}'"
        );
        assert_eq!((api.count(&rotated).await, accounts(&api).await), (1, before));
    }
}

#[tokio::test]
async fn a_consent_for_another_account_of_the_marketplace_does_not_get_into_this_one() {
    let api = Api::new().await;
    let url = start(&api, &json!({"account_id": api.sellers.ours.amazon})).await;
    let sealed =
        api.sealed(*api.sellers.ours.amazon.as_uuid(), "amazon_account_details", "refresh_token").await;
    let back = approve(&url, "A1OTHER").await;
    complete(&api, &back).await.expect_problem(409, "consent_of_another_account");
    let now = api.sealed(*api.sellers.ours.amazon.as_uuid(), "amazon_account_details", "refresh_token").await;
    assert_eq!(sealed, now);
}

#[tokio::test]
async fn a_denied_consent_stores_nothing_and_is_over() {
    for body in [amazon(), flipkart()] {
        let api = Api::new().await;
        let before = accounts(&api).await;
        let back = browse(&start(&api, &body).await, &[("decision", "deny")]).await;
        complete(&api, &back).await.expect_problem(409, "consent_denied");
        complete(&api, &back).await.expect_problem(404, "authorization_not_found");
        assert_eq!(accounts(&api).await, before);
    }
}

#[tokio::test]
async fn a_state_is_valid_once_for_its_person_and_seller_and_otherwise_looks_unknown() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let back = consented(&api, &amazon()).await;
    let mut made_up = back.clone();
    made_up.insert("state".to_owned(), "A".repeat(43));
    let mut no_state_at_all = back.clone();
    no_state_at_all.insert("state".to_owned(), "%".to_owned());
    // One person may be a member of both sellers.
    api.arrange(&format!(
        "insert into robnu.members (seller_id, person_id, role)
         select '{}', id, 'OWNER' from robnu.people where subject = 'OWNER@{}'",
        theirs.id, ours.id
    ))
    .await;
    let elsewhere = Call::post(&format!("{}/complete", path(theirs)), &json!({"parameters": &back}));
    let before = api.contents().await;
    let texts = [
        api.send(completion(ours, "OWNER", &made_up)).await,
        api.send(completion(ours, "OWNER", &no_state_at_all)).await,
        api.send(completion(ours, "ADMIN", &back)).await,
        api.send(completion(theirs, "OWNER", &back)).await,
        api.send(elsewhere.by(ours, "OWNER")).await,
    ]
    .map(|answer| answer.expect_problem(404, "authorization_not_found"));
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    assert_eq!(api.contents().await, before, "nobody can use up another's state");
    complete(&api, &back).await.expect(201);
    let after = api.contents().await;
    complete(&api, &back).await.expect_problem(404, "authorization_not_found");
    assert_eq!(api.contents().await, after);
}

#[tokio::test]
async fn a_state_that_is_used_by_many_requests_at_once_makes_one_account() {
    let api = Api::with_pool(6).await;
    let before = accounts(&api).await;
    let back = consented(&api, &amazon()).await;
    let answers = futures_util::future::join_all((0..6).map(|_| complete(&api, &back))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 404).count(), 5);
    assert_eq!(accounts(&api).await, before + 1);
}

#[tokio::test]
async fn a_seller_who_comes_back_after_ten_minutes_begins_again() {
    let api = Api::new().await;
    let back = consented(&api, &amazon()).await;
    let left = "select extract(epoch from expires_at - now())::bigint from robnu.account_authorizations
        where account_id is null";
    assert!((590..=600).contains(&api.count(left).await));
    api.arrange("update robnu.account_authorizations set expires_at = now()").await;
    let before = api.contents().await;
    complete(&api, &back).await.expect_problem(404, "authorization_not_found");
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn a_code_that_is_not_good_is_refused_and_the_state_used_up() {
    for body in [amazon(), flipkart()] {
        let api = Api::new().await;
        let before = accounts(&api).await;
        let code = if body["marketplace"] == "FLIPKART" { "code" } else { "spapi_oauth_code" };

        let late = consented(&api, &body).await;
        api.simulator.advance_clock(Duration::from_secs(301));
        complete(&api, &late).await.expect_problem(409, "consent_refused");

        let mut made_up = consented(&api, &body).await;
        made_up.insert(code.to_owned(), "made-up".to_owned());
        complete(&api, &made_up).await.expect_problem(409, "consent_refused");

        // A code that the marketplace issued for another page, as an open redirect elsewhere would leak it.
        let page = start(&api, &body).await;
        let redirect: String =
            reqwest::Url::parse_with_params("http://x", [("r", REDIRECT_URI)]).unwrap().query().unwrap()[2..]
                .to_owned();
        assert!(page.contains(&redirect));
        let other = page.replace(&redirect, &format!("{redirect}%2Felsewhere"));
        let elsewhere = approve(&other, "A1NEWSELLER").await;
        complete(&api, &elsewhere).await.expect_problem(409, "consent_refused");

        // A code of another application.
        let app = OAuthApp {
            application_id: "other".to_owned(),
            client_id: "other".to_owned(),
            client_secret: "x".to_owned(),
            redirect_uris: Vec::new(),
        };
        api.simulator.register_amazon_app(app.clone());
        api.simulator.register_flipkart_app(app);
        let foreign = start(&api, &body).await.replace("simulated-app", "other");
        let foreign = approve(&foreign, "A1NEWSELLER").await;
        complete(&api, &foreign).await.expect_problem(409, "consent_refused");

        for back in [late, made_up, elsewhere, foreign] {
            complete(&api, &back).await.expect_problem(404, "authorization_not_found");
        }
        assert_eq!(accounts(&api).await, before);
    }
}

#[tokio::test]
async fn when_the_marketplace_does_not_exchange_the_code_nothing_is_stored() {
    for body in [amazon(), flipkart()] {
        let api = Api::new().await;
        let before = accounts(&api).await;
        let down = FaultKind::Status { status: 503, retry_after: None };
        for (fault, status, code) in
            [(down, 503, "marketplace_unavailable"), (FaultKind::RejectClient, 409, "consent_not_configured")]
        {
            let back = consented(&api, &body).await;
            api.simulator.add_fault(Fault::new(stand_in(&body), "", fault).times(1));
            let answer = complete(&api, &back).await;
            assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
            answer.expect_problem(status, code);
            api.simulator.clear_faults();
            complete(&api, &back).await.expect_problem(404, "authorization_not_found");
        }
        assert_eq!(accounts(&api).await, before);
    }
}

#[tokio::test]
async fn an_account_that_is_connected_already_is_not_connected_twice() {
    let api = Api::new().await;
    let back = approve(&start(&api, &amazon()).await, "A1SELLER").await;
    let before = accounts(&api).await;
    complete(&api, &back).await.expect_problem(409, "account_exists");
    assert_eq!(accounts(&api).await, before);
}

#[tokio::test]
async fn a_missing_callback_parameter_is_named() {
    let api = Api::new().await;
    for missing in ["spapi_oauth_code", "selling_partner_id"] {
        let mut back = consented(&api, &amazon()).await;
        back.remove(missing);
        let problem = complete(&api, &back).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], format!("parameters.{missing}"));
    }
    let before = api.contents().await;
    let problem = complete(&api, &BTreeMap::new()).await.expect_problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["field"], "parameters.state");
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn an_impossible_request_is_named_by_its_field() {
    let api = Api::new().await;
    let account = api.sellers.ours.amazon;
    let before = api.contents().await;
    for (body, fields) in [
        (json!({}), vec!["marketplace", "display_name"]),
        (json!({"marketplace": "AJIO", "display_name": "a"}), vec!["marketplace"]),
        (json!({"marketplace": "MYNTRA", "display_name": " "}), vec!["marketplace", "display_name"]),
        (json!({"marketplace": "FLIPKART", "display_name": "a"}), vec!["external_account_id"]),
        (
            json!({"marketplace": "AMAZON_IN", "display_name": "a", "external_account_id": "A"}),
            vec!["external_account_id"],
        ),
        (json!({"account_id": account, "display_name": "a"}), vec!["account_id"]),
        (json!({"marketplace": null, "account_id": account}), vec!["marketplace"]),
        (json!({"account_id": account, "redirect_uri": "https://evil.invalid"}), vec!["redirect_uri"]),
    ] {
        let problem =
            api.post("OWNER", &path(&api.sellers.ours), &body).await.expect_problem(422, "invalid_body");
        let named: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!(named, fields, "{body}");
    }
    assert_eq!(api.contents().await, before);
    api.arrange("update robnu.marketplaces set status = 'SUSPENDED' where code = 'AMAZON_IN'").await;
    let problem =
        api.post("OWNER", &path(&api.sellers.ours), &amazon()).await.expect_problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["field"], "marketplace");
}

#[tokio::test]
async fn no_one_is_sent_to_consent_for_a_missing_account_or_without_a_page() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let before = api.contents().await;
    let ask = async |account| api.post("OWNER", &path(ours), &json!({"account_id": account})).await;
    ask(theirs.amazon).await.expect_problem(404, "account_not_found");
    ask(ours.ajio).await.expect_problem(409, "not_supported");
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn no_account_is_connected_again_while_its_marketplace_cannot_be_connected() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let again = json!({"account_id": ours.amazon});
    let begun = [approve(&start(&api, &again).await, "A1SELLER").await, consented(&api, &amazon()).await];
    let needs = "update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT'";
    api.arrange(&format!("{needs} where id = '{}'", ours.amazon)).await;
    for status in ["SUSPENDED", "PLANNED"] {
        api.arrange(&format!("update robnu.marketplaces set status = '{status}' where code = 'AMAZON_IN'"))
            .await;
        let before = api.contents().await;
        let page = api.post("OWNER", &path(ours), &again).await;
        let credentials = format!("/v1/sellers/{}/accounts/{}/credentials", ours.id, ours.amazon);
        let details = json!({"details": {"client_id": "c", "client_secret": "s", "refresh_token": "t"}});
        for refused in [page, api.put("OWNER", &credentials, &details).await] {
            assert_eq!(
                refused.expect_problem(422, "invalid_body")["errors"][0]["field"],
                "marketplace",
                "{status}"
            );
        }
        assert_eq!(api.contents().await, before, "{status}");
    }
    let stored = async || {
        let contents = api.contents().await;
        ["marketplace_accounts", "amazon_account_details", "credential_events"]
            .map(|table| contents[table].clone())
    };
    let before = stored().await;
    for back in &begun {
        let problem = complete(&api, back).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], "marketplace");
        complete(&api, back).await.expect_problem(404, "authorization_not_found");
    }
    assert_eq!(stored().await, before);
    assert_eq!(api.simulator.ledger().tokens_issued(Marketplace::Amazon), 0, "no code is spent");
}

#[tokio::test]
async fn the_page_is_the_marketplaces_own_and_sends_back_to_ours() {
    let api = Api::new().await;
    for (body, host) in
        [(amazon(), api.simulator.amazon_base_url()), (flipkart(), api.simulator.flipkart_base_url())]
    {
        let (first, second) = (start(&api, &body).await, start(&api, &body).await);
        assert_ne!(first, second, "every state is new");
        assert!(first.starts_with(host), "{first}");
        let url = reqwest::Url::parse(&first).unwrap();
        let parameters: BTreeMap<_, _> = url.query_pairs().collect();
        assert_eq!(parameters["redirect_uri"], REDIRECT_URI);
        assert_eq!(parameters["state"].len(), 43);
        assert!(!first.contains("secret"));
    }
}

#[tokio::test]
async fn no_secret_is_returned_logged_stored_in_clear_or_audited() {
    let api = Api::new().await;
    let captured = Captured::default();
    let listening = captured.listen();
    let url = start(&api, &amazon()).await;
    let back = approve(&url, "A1NEWSELLER").await;
    let answer = complete(&api, &back).await;
    let again = complete(&api, &back).await;
    drop(listening);
    let account = answer.body.clone();
    let token = api.open(&account, "amazon_account_details", "refresh_token").await;
    let secrets = [&back["state"], &back["spapi_oauth_code"], &token, "simulated-app-secret"];
    for secret in secrets {
        assert!(!answer.text.contains(secret) && !again.text.contains(secret), "{}", answer.text);
        let digits = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        for (table, rows) in api.contents().await {
            assert!(!rows.contains(secret) && !rows.contains(&digits), "{table}");
        }
    }
    let lines = captured.text();
    // The HTTP library's own debug lines are not part of the function's log.
    let ours = lines.lines().filter(|line| !line.contains("\"level\":\"DEBUG\"")).collect::<String>();
    assert!(!ours.is_empty());
    for secret in secrets {
        assert!(!ours.contains(secret));
    }
    let trail = "select count(*) from robnu.audit_events where action in ('authorization.created', 'authorization.changed', 'account.created')
        and actor_kind = 'MEMBER'";
    assert_eq!(api.count(trail).await, 3);
}

#[tokio::test]
async fn a_completion_with_a_key_is_repeated_only_for_its_own_request() {
    let api = Api::new().await;
    let (ours, back) = (&api.sellers.ours, consented(&api, &amazon()).await);
    let first = api.send(completion(ours, "OWNER", &back).key("key-1")).await.expect(201);
    let fresh = consented(&api, &amazon()).await;
    let before = api.contents().await;
    let second = api.send(completion(ours, "OWNER", &back).key("key-1")).await;
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(second.expect(201), first);
    let other = api.send(completion(ours, "OWNER", &fresh).key("key-1")).await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(api.contents().await, before, "the other state is still valid");
    // A failed request may be sent again with its key and a new consent.
    api.arrange("update robnu.marketplace_accounts set external_account_id = 'A1OTHER' where external_account_id = 'A1NEWSELLER'").await;
    api.send(completion(ours, "OWNER", &fresh).key("key-2")).await.expect(201);
}

#[tokio::test]
async fn no_account_is_connected_while_the_seller_has_no_data_key_and_no_code_is_spent() {
    let api = Api::new().await;
    let back = consented(&api, &amazon()).await;
    api.arrange("delete from robnu.seller_keys").await;
    let before = accounts(&api).await;
    complete(&api, &back).await.expect_problem(500, "internal");
    assert_eq!(accounts(&api).await, before);
    assert_eq!(api.simulator.ledger().tokens_issued(Marketplace::Amazon), 0);
}
