//! Access to the deployed stack as its sellers, its operator and its marketplaces have it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot be arranged has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

/// How to reach the stack that `cargo xtask test` has brought up.
pub struct Stack {
    pub facts: Value,
    pub http: reqwest::Client,
}

/// A person with a seller of their own.
pub struct Owner {
    pub token: String,
    pub seller: String,
}

impl Stack {
    pub fn get() -> Self {
        let file = std::env::var("ROBNU_STACK")
            .expect("ROBNU_STACK is not set: run the tests with `cargo xtask test`");
        let facts = std::fs::read_to_string(file).expect("the stack's facts can be read");
        // Another test of this process may have installed the provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().unwrap();
        Self { facts: serde_json::from_str(&facts).unwrap(), http }
    }

    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("the stack has no fact {name}"))
    }

    pub fn output(&self, name: &str) -> &str {
        self.facts["outputs"][name].as_str().unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// Calls the API. Returns status and body.
    pub async fn call(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.fact("api_url")));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls the local AWS, for things that only an operator does.
    pub async fn aws(&self, service: &str, target: &str, body: Value) -> Value {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/ap-south-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = self
            .http
            .post(self.fact("aws_endpoint"))
            .header("authorization", credential)
            .header("x-amz-target", target);
        let answer = request
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{target}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Signs a new person up with Cognito. Returns the ID token.
    pub async fn new_person(&self, name: &str) -> String {
        let (email, password) = (format!("{}@test.invalid", unique(name)), "Correct-Horse-7");
        let cognito = |call: &str| format!("AWSCognitoIdentityProviderService.{call}");
        let (pool, client) = (self.output("UserPoolId"), self.output("UserPoolClientId"));
        let person = json!({"ClientId": client, "Username": email, "Password": password, "UserAttributes": [{"Name": "email", "Value": email}]});
        self.aws("cognito-idp", &cognito("SignUp"), person).await;
        self.aws(
            "cognito-idp",
            &cognito("AdminConfirmSignUp"),
            json!({"UserPoolId": pool, "Username": email}),
        )
        .await;
        let login = json!({"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": email, "PASSWORD": password}});
        let tokens = self.aws("cognito-idp", &cognito("InitiateAuth"), login).await;
        tokens["AuthenticationResult"]["IdToken"].as_str().unwrap().to_owned()
    }

    /// Signs a new person up and a new seller for them.
    pub async fn new_owner(&self, name: &str) -> Owner {
        let token = self.new_person(name).await;
        let (status, seller) =
            self.call(Some(&token), Method::POST, "/v1/sellers", Some(&json!({"name": name}))).await;
        assert_eq!(status, StatusCode::CREATED, "{seller}");
        Owner { token, seller: seller["seller_id"].as_str().unwrap().to_owned() }
    }

    pub async fn connect_ajio(&self, owner: &Owner, username: &str) -> String {
        let body = json!({"marketplace": "AJIO", "external_account_id": username, "display_name": "AJIO",
            "details": {"username": username, "password": "correct horse"}});
        self.connect(owner, &body).await
    }

    pub async fn connect_amazon(&self, owner: &Owner, partner: &str) -> String {
        let body = json!({"marketplace": "AMAZON_IN", "external_account_id": partner, "display_name": "Amazon",
            "details": {"client_id": "amzn1.application-oa2-client.test", "client_secret": "battery-staple", "refresh_token": format!("Atzr|{partner}")}});
        self.connect(owner, &body).await
    }

    async fn connect(&self, owner: &Owner, body: &Value) -> String {
        let path = format!("/v1/sellers/{}/accounts", owner.seller);
        let (status, account) = self.call(Some(&owner.token), Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{account}");
        account["account_id"].as_str().unwrap().to_owned()
    }

    /// Waits until the account's lane is active. Returns the URL of its queue.
    pub async fn lane(&self, owner: &Owner, account: &str) -> String {
        let path = format!("/v1/sellers/{}/accounts", owner.seller);
        eventually("the lane is active", 30, async || {
            let (_, accounts) = self.call(Some(&owner.token), Method::GET, &path, None).await;
            let accounts = accounts["accounts"].as_array().unwrap().clone();
            accounts.iter().any(|a| a["account_id"] == account && a["lane_state"] == "ACTIVE").then_some(())
        })
        .await;
        let sql = "select lane_queue_url from robnu.marketplace_accounts where id = $1::text::uuid";
        self.database().await.query_one(sql, &[&account]).await.unwrap().get(0)
    }

    /// Requests a sync of everything. Returns the run's id.
    pub async fn ask_for_sync(&self, owner: &Owner, account: &str) -> String {
        self.ask_for(owner, account, "ORDERS").await
    }

    /// Requests a run of a kind that reads everything, or finds the live one.
    pub async fn ask_for(&self, owner: &Owner, account: &str, kind: &str) -> String {
        let path = format!("/v1/sellers/{}/accounts/{account}/sync", owner.seller);
        let body = json!({"kind": kind, "full": true});
        let (status, run) = self.call(Some(&owner.token), Method::POST, &path, Some(&body)).await;
        assert!(status.is_success(), "{run}");
        run["run_id"].as_str().unwrap().to_owned()
    }

    /// Waits until a run has ended.
    pub async fn end_of(&self, owner: &Owner, run: &str, seconds: u64) -> Value {
        let path = format!("/v1/sellers/{}/runs/{run}", owner.seller);
        eventually("the run is over", seconds, async || {
            let (_, run) = self.call(Some(&owner.token), Method::GET, &path, None).await;
            matches!(run["state"].as_str(), Some("SUCCEEDED" | "FAILED")).then_some(run)
        })
        .await
    }

    pub async fn database(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(self.fact("database_url"), NoTls).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        client
    }

    /// Calls the simulators' control endpoints.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request =
            self.http.request(method, format!("{}/_control{path}", self.fact("simulators_url")));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
    }
}

/// A name that no other test and no earlier run of this test uses.
pub fn unique(prefix: &str) -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("{prefix}{now:x}{}", COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
}

/// Waits, but not longer than `seconds`, until another process has done something.
pub async fn eventually<T>(what: &str, seconds: u64, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + Duration::from_secs(seconds);
    while std::time::Instant::now() < end {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within {seconds} s: {what}");
}
