//! The platform's API and its sign-up, used as a seller's browser uses them.

use std::time::Duration;

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::aws::{Aws, Outputs, output};

/// A person of the local stack. The password need not be secret: the user pool exists on this machine only.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The address to sign in with.
    pub email: &'a str,
    /// The password to sign in with.
    pub password: &'a str,
}

/// Signs the person up with Cognito and confirms them as an administrator. Does nothing when they exist already.
pub async fn sign_up(aws: &Aws, outputs: &Outputs, person: Person<'_>) -> anyhow::Result<()> {
    let body = json!({
        "ClientId": output(outputs, "UserPoolClientId")?,
        "Username": person.email,
        "Password": person.password,
        "UserAttributes": [{"Name": "email", "Value": person.email}],
    });
    match aws.json("cognito-idp", &target("SignUp"), &body).await {
        Ok(_) => {}
        Err(error) if error.code == "UsernameExistsException" => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let body = json!({"UserPoolId": output(outputs, "UserPoolId")?, "Username": person.email});
    aws.json("cognito-idp", &target("AdminConfirmSignUp"), &body).await?;
    Ok(())
}

/// Signs the person in and returns the identity token, which names the email; none when there is no such person.
pub async fn sign_in(aws: &Aws, outputs: &Outputs, person: Person<'_>) -> anyhow::Result<Option<String>> {
    let body = json!({
        "ClientId": output(outputs, "UserPoolClientId")?,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": person.email, "PASSWORD": person.password},
    });
    match aws.json("cognito-idp", &target("InitiateAuth"), &body).await {
        Ok(answer) => {
            let token =
                answer["AuthenticationResult"]["IdToken"].as_str().context("read the identity token")?;
            Ok(Some(token.to_owned()))
        }
        Err(error) if matches!(error.code.as_str(), "UserNotFoundException" | "NotAuthorizedException") => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The subject that an identity token names.
pub fn subject(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["sub"].as_str().map(ToOwned::to_owned)
}

fn target(call: &str) -> String {
    format!("AWSCognitoIdentityProviderService.{call}")
}

/// The API with one person's token.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    /// The API under a base URL.
    pub fn new(base: String, token: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build()?;
        Ok(Self { http, base, token })
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends GET and returns the body.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await.map(|(_, answer)| answer)
    }

    /// Sends POST and returns status and body; the status says whether something was created or existed already.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method.clone(), &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{method} {path}"))?;
        if !status.is_success() {
            return Err(anyhow!("{method} {path} returned {status}: {text}; read `cargo xtask logs api`"));
        }
        let value = serde_json::from_str(&text).with_context(|| format!("{method} {path}: read {text:?}"))?;
        Ok((status, value))
    }
}
