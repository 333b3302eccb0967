//! The insider's tokens, and the invalid ones that an attacker makes from them.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::random::Random;
use local::aws::{Aws, Outputs, output};

const PASSWORD: &str = "Correct-Horse-7";

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The identity token of the insider, an OWNER.
    Owner,
    /// The insider's access token, which names no email.
    Access,
    /// The token of a member of the insider's seller who may only read.
    Viewer,
    /// The token of a member who may only scan returns.
    Scanner,
    /// The token of a person who was a member until a moment ago.
    Stale,
    /// No token.
    Absent,
    /// A token whose signature does not belong to its text.
    Forged,
    /// A token without a signature, whose header says so.
    Unsigned,
    /// A token with an expiry time in the past and without a matching signature.
    Expired,
    /// A token of another user pool, with the same email.
    OtherPool,
}

impl Kind {
    /// All kinds with their weights.
    pub const WEIGHTS: [(usize, Self); 10] = [
        (55, Self::Owner),
        (5, Self::Access),
        (6, Self::Viewer),
        (6, Self::Scanner),
        (8, Self::Stale),
        (4, Self::Absent),
        (4, Self::Forged),
        (4, Self::Unsigned),
        (4, Self::Expired),
        (4, Self::OtherPool),
    ];

    /// Whether the authorizer accepts it.
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Owner | Self::Access | Self::Viewer | Self::Scanner | Self::Stale)
    }
}

/// A person with tokens.
#[derive(Debug)]
pub struct Person {
    /// The identity token.
    pub identity: String,
    /// The access token.
    pub access: String,
    /// The subject of both.
    pub subject: String,
}

/// All tokens of an attack.
#[derive(Debug)]
pub struct Tokens {
    /// The insider.
    pub owner: Person,
    /// See [`Kind::Viewer`].
    pub viewer: Person,
    /// See [`Kind::Scanner`].
    pub scanner: Person,
    /// See [`Kind::Stale`].
    pub stale: Person,
    /// See [`Kind::OtherPool`].
    pub stranger: Person,
}

impl Tokens {
    /// The token to send, if any.
    pub fn of(&self, kind: Kind, random: &mut Random) -> Option<String> {
        let good = &self.owner.identity;
        Some(match kind {
            Kind::Absent => return None,
            Kind::Owner => good.clone(),
            Kind::Access => self.owner.access.clone(),
            Kind::Viewer => self.viewer.identity.clone(),
            Kind::Scanner => self.scanner.identity.clone(),
            Kind::Stale => self.stale.identity.clone(),
            Kind::OtherPool => self.stranger.identity.clone(),
            Kind::Forged => {
                let (signed, signature) = good.rsplit_once('.').unwrap_or((good, ""));
                match random.below(3) {
                    // The whole signature is reversed, since the last character may contain unused bits.
                    0 => format!("{signed}.{}", signature.chars().rev().collect::<String>()),
                    1 => changed(good, None, "sub", json!("00000000-0000-4000-8000-000000000000")),
                    _ => format!("{signed}."),
                }
            }
            Kind::Unsigned => {
                let unsigned = changed(good, Some("none"), "email_verified", json!(true));
                unsigned.rsplit_once('.').map_or_else(String::new, |(signed, _)| format!("{signed}."))
            }
            Kind::Expired => changed(good, None, "exp", json!(1_700_000_000)),
        })
    }
}

/// A token with one claim replaced. The signature stays the same.
fn changed(token: &str, algorithm: Option<&str>, claim: &str, value: Value) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else { return token.to_owned() };
    let mut head = decode(head);
    if let Some(algorithm) = algorithm {
        head["alg"] = json!(algorithm);
    }
    let mut claims = decode(claims);
    claims[claim] = value;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", encode(&head), encode(&claims))
}

fn decode(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({}))
}

/// The stack's user pool, and ways to make another one.
#[derive(Debug)]
pub struct Pools<'a> {
    /// The local AWS.
    pub aws: &'a Aws,
    /// The stack's outputs.
    pub outputs: &'a Outputs,
}

impl Pools<'_> {
    /// Signs a new person up and in.
    pub async fn person(&self, email: &str) -> anyhow::Result<Person> {
        let (pool, client) = (output(self.outputs, "UserPoolId")?, output(self.outputs, "UserPoolClientId")?);
        self.sign_up(pool, client, email).await
    }

    /// Signs a person up and in at another user pool with this name, and deletes the pool.
    pub async fn stranger(&self, pool_name: &str, email: &str) -> anyhow::Result<Person> {
        let pool = self.call("CreateUserPool", json!({"PoolName": pool_name})).await?;
        let pool = pool["UserPool"]["Id"].as_str().context("read the id of the new user pool")?.to_owned();
        let body = json!({"UserPoolId": pool, "ClientName": "app",
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]});
        let client = self.call("CreateUserPoolClient", body).await?;
        let client =
            client["UserPoolClient"]["ClientId"].as_str().context("read the id of its client")?.to_owned();
        let person = self.sign_up(&pool, &client, email).await;
        self.call("DeleteUserPool", json!({"UserPoolId": pool})).await?;
        person
    }

    async fn sign_up(&self, pool: &str, client: &str, email: &str) -> anyhow::Result<Person> {
        let body = json!({"ClientId": client, "Username": email, "Password": PASSWORD,
            "UserAttributes": [{"Name": "email", "Value": email}]});
        self.call("SignUp", body).await?;
        self.call("AdminConfirmSignUp", json!({"UserPoolId": pool, "Username": email})).await?;
        let body = json!({"UserPoolId": pool, "Username": email,
            "UserAttributes": [{"Name": "email_verified", "Value": "true"}]});
        self.call("AdminUpdateUserAttributes", body).await?;
        let body = json!({"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": email, "PASSWORD": PASSWORD}});
        let answer = self.call("InitiateAuth", body).await?;
        let token = |name: &str| {
            let token = answer["AuthenticationResult"][name].as_str();
            token.map(ToOwned::to_owned).with_context(|| format!("read {name}"))
        };
        let identity = token("IdToken")?;
        let claims = identity.split('.').nth(1).map(decode).unwrap_or_default();
        let subject = claims["sub"].as_str().ok_or_else(|| anyhow!("the token names no subject"))?.to_owned();
        Ok(Person { identity, access: token("AccessToken")?, subject })
    }

    async fn call(&self, name: &str, body: Value) -> anyhow::Result<Value> {
        Ok(self.aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{name}"), &body).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_token_keeps_its_other_claims_and_its_signature() {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token =
            format!("{}.{}.abc", encode(&json!({"alg": "RS256"})), encode(&json!({"sub": "a", "exp": 5})));
        let expired = changed(&token, Some("none"), "exp", json!(1));
        let parts: Vec<&str> = expired.split('.').collect();
        assert_eq!(decode(parts[0]), json!({"alg": "none"}));
        assert_eq!(decode(parts[1]), json!({"sub": "a", "exp": 1}));
        assert_eq!(parts[2], "abc");
    }
}
