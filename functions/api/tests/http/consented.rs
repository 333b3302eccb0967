//! The marketplace is asked which account a consent or new details open: the browser is not trusted with that.

use std::collections::BTreeMap;

use robnu_tenancy::AccountId;
use robnu_testkit::Seller;
use serde_json::{Value, json};
use simulators::{AmazonAccount, MeeshoAccount, OrderBook};

use crate::guessing::hex;
use crate::support::{Answer, Api, Call, ajio, approve};

fn accounts(seller: &Seller) -> String {
    format!("/v1/sellers/{}/accounts", seller.id)
}

async fn begin(api: &Api, body: &Value) -> String {
    let path = format!("{}/authorizations", accounts(&api.sellers.ours));
    let begun = api.post("OWNER", &path, body).await.expect(201);
    begun["authorization_url"].as_str().unwrap().to_owned()
}

async fn complete(api: &Api, back: &BTreeMap<String, String>) -> Answer {
    let path = format!("{}/authorizations/complete", accounts(&api.sellers.ours));
    api.post("OWNER", &path, &json!({"parameters": back})).await
}

/// Two selling partners, each with a book of its own, and an order of the first that is stored with our account.
async fn two_partners() -> Api {
    let api = Api::new().await;
    let book = OrderBook::sample().unwrap();
    let known = book.orders()[0].order_id.clone();
    for (account, orders) in [("A1SELLER", book), ("A1OTHER", OrderBook::default())] {
        api.simulator.register_amazon(AmazonAccount {
            account: account.to_owned(),
            refresh_token: format!("Atzr|{account}"),
            client_id: None,
            client_secret: None,
            orders,
        });
    }
    api.arrange(&format!(
        "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency, total_amount)
         values ('{}', '{}', '{known}', 'PENDING', 'PENDING', now() - interval '1 day', 'INR', 1)",
        api.sellers.ours.id, api.sellers.ours.amazon
    ))
    .await;
    api
}

async fn token(api: &Api, account: AccountId) -> Vec<u8> {
    api.sealed(*account.as_uuid(), "amazon_account_details", "refresh_token").await
}

#[tokio::test]
async fn the_consent_of_another_account_is_found_out_whatever_the_browser_says() {
    let api = two_partners().await;
    let account = api.sellers.ours.amazon;
    let before = token(&api, account).await;
    let mut back = approve(&begin(&api, &json!({"account_id": account})).await, "A1OTHER").await;
    back.insert("selling_partner_id".to_owned(), "A1SELLER".to_owned());
    complete(&api, &back).await.expect_problem(409, "consent_of_another_account");
    assert_eq!(token(&api, account).await, before, "the old credentials stay");
    let back = approve(&begin(&api, &json!({"account_id": account})).await, "A1SELLER").await;
    complete(&api, &back).await.expect(200);
    assert_ne!(token(&api, account).await, before);
}

#[tokio::test]
async fn details_of_another_account_are_found_out_too() {
    let api = two_partners().await;
    let account = api.sellers.ours.amazon;
    let path = format!("{}/{account}/credentials", accounts(&api.sellers.ours));
    let details = |of: &str| json!({"details": {"client_id": "c", "client_secret": "s", "refresh_token": format!("Atzr|{of}")}});
    let before = token(&api, account).await;
    api.put("OWNER", &path, &details("A1OTHER")).await.expect_problem(409, "credentials_of_another_account");
    assert_eq!(token(&api, account).await, before);
    api.put("OWNER", &path, &details("A1SELLER")).await.expect(200);
}

#[tokio::test]
async fn an_account_without_stored_orders_has_nothing_to_mix() {
    let api = two_partners().await;
    api.arrange("delete from robnu.orders where external_order_id <> 'FN1'").await;
    let account = api.sellers.ours.amazon;
    let mut back = approve(&begin(&api, &json!({"account_id": account})).await, "A1OTHER").await;
    back.insert("selling_partner_id".to_owned(), "A1SELLER".to_owned());
    complete(&api, &back).await.expect(200);
}

#[tokio::test]
async fn an_account_that_does_not_sell_at_amazon_in_is_not_connected() {
    let api = Api::new().await;
    let new = json!({"marketplace": "AMAZON_IN", "display_name": "Amazon"});
    let count = "select count(*) from robnu.marketplace_accounts";
    let before = api.count(count).await;
    let back = approve(&begin(&api, &new).await, "ABROAD1").await;
    complete(&api, &back).await.expect_problem(409, "not_selling_here");
    assert_eq!(api.count(count).await, before);
}

#[tokio::test]
async fn an_account_shows_who_confirmed_its_id() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let new = json!({"marketplace": "AMAZON_IN", "display_name": "Amazon"});
    let mut back = approve(&begin(&api, &new).await, "A1NEWSELLER").await;
    back.insert("selling_partner_id".to_owned(), "AB03F72EF91751".to_owned());
    let account = complete(&api, &back).await.expect(201);
    assert_eq!(account["external_account_id"], "AB03F72EF91751");
    assert_eq!(account["external_account_id_source"], "BROWSER");
    let account = api.post("OWNER", &accounts(ours), &ajio("DV42")).await.expect(201);
    assert_eq!(account["external_account_id_source"], "SELLER");
    let (api_key, api_secret) = ("k".to_owned(), "s".to_owned());
    api.simulator.register_meesho(MeeshoAccount { supplier_id: "S77".to_owned(), api_key, api_secret });
    for (id, source) in [("S77", "MARKETPLACE"), ("S78", "SELLER")] {
        let body = json!({"marketplace": "MEESHO", "external_account_id": id, "display_name": "Meesho",
            "details": {"supplier_id": "S77", "api_key": "k", "api_secret": "s"}});
        let account = api.post("OWNER", &accounts(ours), &body).await.expect(201);
        assert_eq!(
            (&account["external_account_id_source"], account["verified_at"].is_string()),
            (&json!(source), true)
        );
    }
}

#[tokio::test]
async fn the_state_of_a_consent_is_in_no_table_and_its_response_is_still_repeated() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let path = format!("{}/authorizations", accounts(ours));
    for (n, body) in [
        json!({"marketplace": "AMAZON_IN", "display_name": "Amazon"}),
        json!({"marketplace": "FLIPKART", "display_name": "Flipkart", "external_account_id": "F-42"}),
        json!({"account_id": ours.amazon}),
    ]
    .iter()
    .enumerate()
    {
        let call = Call::post(&path, body).key(&format!("consent-{n}")).by(ours, "OWNER");
        let first = api.send(call.clone()).await;
        let again = api.send(call).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(first.text, again.text);
        let url = reqwest::Url::parse(first.expect(201)["authorization_url"].as_str().unwrap()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert_eq!(state.len(), 43);
        let digits = hex(state.as_bytes());
        for (table, rows) in api.contents().await {
            assert!(!rows.contains(&state) && !rows.contains(&digits), "{table} holds the state");
        }
    }
}
