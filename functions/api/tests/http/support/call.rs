//! A call, as the event that API Gateway sends to the function.

use api::handler::Handler;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use robnu_testkit::Seller;
use serde_json::{Map, Value, json};

pub const REQUEST_ID: &str = "gateway-request-1";

/// A call to be sent.
#[derive(Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: Option<String>,
    headers: Vec<(String, String)>,
    claims: Option<Map<String, Value>>,
    source: String,
}

/// The response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Call {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            body: None,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            claims: None,
            source: "127.0.0.1".to_owned(),
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).text(&body.to_string())
    }

    /// Sends this text as the body.
    pub fn text(self, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..self }
    }

    pub fn content_type(self, content_type: &str) -> Self {
        self.header("content-type", content_type)
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the query string.
    pub fn query(self, query: &str) -> Self {
        let path = self.path.split('?').next().unwrap_or_default();
        Self { path: format!("{path}?{query}"), ..self }
    }

    /// With an idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With the ID token of a seller's member.
    pub fn by(self, seller: &Seller, role: &str) -> Self {
        self.by_subject(&format!("{role}@{}", seller.id))
            .claim("email", "member@example.invalid")
            .claim("email_verified", "true")
    }

    /// With the token of the fixture's staff member.
    pub fn by_staff(self) -> Self {
        self.by_subject("STAFF")
    }

    /// With an access token of this subject.
    pub fn by_subject(self, subject: &str) -> Self {
        Self { claims: Some(Map::new()), ..self }.claim("sub", subject).claim("token_use", "access")
    }

    /// From this address of the network.
    pub fn from(self, source: &str) -> Self {
        Self { source: source.to_owned(), ..self }
    }

    /// With one more claim. An email makes it an ID token: no other states one.
    pub fn claim(mut self, name: &str, value: &str) -> Self {
        if name == "email" {
            self = self.claim("token_use", "id");
        }
        self.claims.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    pub fn event(&self) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let authorizer =
            self.claims.as_ref().map(|claims| json!({"jwt": {"claims": claims, "scopes": null}}));
        let mut context = json!({
            "accountId": "000000000000", "apiId": "api", "domainName": "api.execute-api.localhost",
            "domainPrefix": "api", "requestId": REQUEST_ID, "routeKey": "ANY /v1/{proxy+}",
            "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_i64,
            "http": {"method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": self.source, "userAgent": "test"},
        });
        let mut headers: Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        headers.insert("host".to_owned(), "api.execute-api.localhost".into());
        if let Some(authorizer) = authorizer {
            context["authorizer"] = authorizer;
        }
        json!({
            "version": "2.0", "routeKey": "ANY /v1/{proxy+}", "rawPath": path, "rawQueryString": query,
            "headers": headers,
            "requestContext": context, "body": self.body, "isBase64Encoded": false,
        })
    }

    pub async fn send(self, handler: &Handler) -> Answer {
        Answer::of(
            &serde_json::to_value(handler.handle(&self.event().to_string(), "invocation-1").await).unwrap(),
        )
    }
}

impl Answer {
    /// The response as API Gateway sends it.
    pub fn of(answer: &Value) -> Self {
        assert_eq!(answer["isBase64Encoded"], false, "all of our bodies are text");
        let text = answer["body"].as_str().expect("a body").to_owned();
        let headers = answer["headers"].as_object().expect("headers").iter();
        Self {
            status: StatusCode::try_from(u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap())
                .unwrap(),
            headers: headers
                .map(|(name, value)| {
                    (name.parse::<HeaderName>().unwrap(), value.as_str().unwrap().parse().unwrap())
                })
                .collect(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// The body of a response with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// Checks for a 404 with any code.
    #[track_caller]
    pub fn expect_404(self) {
        assert_eq!(self.status.as_u16(), 404, "{}", self.text);
    }

    /// Checks that this is a problem document with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &code.into()), "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("urn:robnu:problem:{code}"));
        assert_eq!(self.body["request_id"], REQUEST_ID);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.text);
        self.body
    }
}
