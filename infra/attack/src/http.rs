//! Attempts over HTTP: any operation of the API's document, with other sellers' ids in the place of any id, hostile texts
//! in the place of any text, and tokens of every kind.

use std::fmt::Write;

use serde_json::Value;

use super::attempt::Attempt;
use super::openapi::{Operation, Parameter};
use super::random::{Random, half};
use super::test_bed::TestBed;
use super::tokens::Kind;

/// Methods that could remove the insider's own seller, account or membership. They are tried only on the victim.
const SELF_DEFEATING: [&str; 2] = ["DELETE", "PUT"];

/// The gateway's response to a path without a route, which it sends before it looks at any token.
const NO_ROUTE: &str = r#"{"message":"Not Found"}"#;

/// Headers that proxies set and clients forge. Code that builds an address from them may fail.
const HEADERS: [(&str, &str); 6] = [
    ("x-forwarded-proto", "https, http"),
    ("x-forwarded-proto", "ht tp"),
    ("x-forwarded-host", "[::1"),
    ("x-forwarded-for", "127.0.0.1, ::1, unknown"),
    ("forwarded", "for=\"[::1\";proto=https, http"),
    ("cookie", "a=\"; ;=;"),
];

/// A request, and what its response must not do.
#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    /// Whether the path names the victim's seller.
    names_victim: bool,
    /// Whether it acts on an id of the victim and so must not succeed.
    reaches_out: bool,
    impersonates: bool,
}

/// What is foreign about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// The seller in the path, and what is inside it.
    Seller,
    /// Ids further inside the path.
    Inner,
    /// Ids in the body.
    Body,
    /// Ids and cursors in the query.
    Query,
    /// Texts instead of ids.
    Payload,
    /// An idempotency key.
    IdempotencyKey,
    /// An impersonation session.
    Impersonation,
    /// Nothing: the response to the insider's own request must not contain too much either.
    Nothing,
}

const AIMS: [(usize, Aim); 8] = [
    (24, Aim::Seller),
    (20, Aim::Inner),
    (13, Aim::Body),
    (10, Aim::Query),
    (10, Aim::Payload),
    (4, Aim::IdempotencyKey),
    (4, Aim::Impersonation),
    (28, Aim::Nothing),
];

/// Makes one attempt.
pub async fn attempt(test_bed: &TestBed, random: &mut Random, attempt: &mut Attempt) {
    let operation = random.pick(&test_bed.document.operations);
    let token = *random.weighted(&Kind::WEIGHTS);
    let request = compose(test_bed, operation, token, random);
    attempt.label(&operation.name(), &format!("{token:?}"));
    attempt.shown = request.shown(token);
    let answer = match send(test_bed, &request, test_bed.tokens.of(token, random)).await {
        Ok(answer) => answer,
        Err(error) => return attempt.find(format!("got no response: {error:#}")),
    };
    judge(test_bed, operation, token, &request, &answer, attempt);
}

#[derive(Debug)]
struct Answer {
    status: u16,
    text: String,
}

async fn send(test_bed: &TestBed, request: &Request, token: Option<String>) -> anyhow::Result<Answer> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
    let mut url = format!("{}{}", test_bed.api_url, request.path);
    for (number, (name, value)) in request.query.iter().enumerate() {
        let joint = if number == 0 { '?' } else { '&' };
        write!(url, "{joint}{}={}", escaped(name), escaped(value))?;
    }
    let mut sent = test_bed.http.request(method, url);
    for (name, value) in &request.headers {
        sent = sent.header(name, value);
    }
    if let Some(token) = token {
        sent = sent.bearer_auth(token);
    }
    if let Some(body) = &request.body {
        sent = sent.header("content-type", "application/json").body(body.clone());
    }
    let answer = sent.send().await?;
    let status = answer.status().as_u16();
    let mut text = String::new();
    for (name, value) in answer.headers() {
        writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    text.push_str(&answer.text().await?);
    Ok(Answer { status, text })
}

fn judge(
    test_bed: &TestBed,
    operation: &Operation,
    token: Kind,
    request: &Request,
    answer: &Answer,
    attempt: &mut Attempt,
) {
    let Answer { status, text } = answer;
    attempt.answered(match status {
        200..=299 => "2xx",
        401 => "401",
        403 => "403",
        404 => "404",
        409 => "409",
        429 => "429",
        500.. => "5xx",
        _ => "4xx",
    });
    if *status >= 500 {
        attempt.find(format!("returned {status}: {}", text.lines().last().unwrap_or_default()));
    }
    if let Some(secret) = test_bed.leak(text, &attempt.shown) {
        attempt.find(format!("the response {status} contains the victim's {secret}"));
    }
    let succeeded = (200..300).contains(status);
    let shut_out = matches!(status, 401 | 403)
        || (*status == 404 && text.replace(' ', "").contains(&NO_ROUTE.replace(' ', "")));
    if !token.is_valid() && !operation.is_public && !shut_out {
        attempt.find(format!("the token {token:?} was answered with {status}"));
    }
    if succeeded && !operation.is_public && request.reaches_out {
        attempt.find(format!(
            "a request that reaches for the victim succeeded with {status}: {}",
            text.lines().last().unwrap_or_default()
        ));
    }
    let foreign = request.names_victim || (token == Kind::Stale && operation.path.contains("{sellerId}"));
    if token.is_valid() && foreign && !request.impersonates && *status == 403 {
        attempt.find("the response 403 reveals that the seller exists".to_owned());
    }
}

fn compose(test_bed: &TestBed, operation: &Operation, token: Kind, random: &mut Random) -> Request {
    let has = |place: &str| operation.parameters.iter().any(|parameter| parameter.place == place);
    let names_seller = operation.path.contains("{sellerId}");
    let inner = operation.path.matches('{').count() > usize::from(names_seller);
    let mut aim = *random.weighted(&AIMS);
    let self_defeating =
        SELF_DEFEATING.contains(&operation.method.as_str()) || operation.path.ends_with("/close");
    // An operation without a place for this aim is aimed at the seller.
    let possible = match aim {
        Aim::Seller => true,
        Aim::Inner => inner,
        Aim::Body => operation.body.is_some() && !self_defeating,
        Aim::Query => has("query"),
        Aim::Payload | Aim::IdempotencyKey | Aim::Impersonation | Aim::Nothing => !self_defeating,
    };
    if !possible {
        aim = Aim::Seller;
    }
    let mut request = Request { method: operation.method.clone(), ..Request::default() };
    request.names_victim =
        names_seller && (aim == Aim::Seller || (aim == Aim::Impersonation && random.percent(60)));
    request.reaches_out = request.names_victim || (aim == Aim::Inner && names_seller);
    // For a person who was removed a moment ago, their former seller is a foreign one.
    if token == Kind::Stale && names_seller {
        request.reaches_out = true;
    }
    fill_path(test_bed, operation, aim, &mut request, random);
    fill_query(test_bed, operation, aim, &mut request, random);
    fill_body(test_bed, operation, aim, &mut request, random);
    match aim {
        Aim::IdempotencyKey => request.header("idempotency-key", test_bed.foreign_key),
        Aim::Impersonation => {
            let sessions = &test_bed.victim.ids["impersonation_sessions"];
            let session: &String = random.pick(sessions);
            request.header("impersonation-session", session);
            request.impersonates = true;
            request.reaches_out = names_seller;
        }
        Aim::Payload if random.percent(50) => {
            let (name, value) = *random.pick(&HEADERS);
            request.header(name, value);
        }
        _ if operation.method == "POST" && random.percent(20) => {
            request.header("idempotency-key", &format!("key {}", random.below(50)));
        }
        _ => {}
    }
    request
}

fn fill_path(
    test_bed: &TestBed,
    operation: &Operation,
    aim: Aim,
    request: &mut Request,
    random: &mut Random,
) {
    let mut rest = operation.path.as_str();
    // The position of the victim's id among the inner ids; the others belong to the insider.
    let inner = operation.path.matches('{').count() - usize::from(operation.path.contains("{sellerId}"));
    let foreign = random.below(inner.max(1));
    let mut number = 0;
    while let Some((before, after)) = rest.split_once('{') {
        request.path.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        if name == "sellerId" {
            request.path.push_str(if request.names_victim {
                &test_bed.victim.seller
            } else {
                &test_bed.insider.seller
            });
        } else {
            let tenant = match aim {
                Aim::Inner if number == foreign => &test_bed.victim,
                _ if request.names_victim => &test_bed.victim,
                _ => &test_bed.insider,
            };
            let value = if aim == Aim::Payload && random.percent(50) {
                escaped(random.payload())
            } else {
                tenant.id_for(name, random)
            };
            request.path.push_str(&value);
            number += 1;
        }
        rest = after;
    }
    request.path.push_str(rest);
}

fn fill_query(
    test_bed: &TestBed,
    operation: &Operation,
    aim: Aim,
    request: &mut Request,
    random: &mut Random,
) {
    let tenant = if aim == Aim::Query { &test_bed.victim } else { &test_bed.insider };
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "query") {
        let share = match aim {
            Aim::Query => 70,
            Aim::Nothing if parameter.name == "cursor" => 0,
            Aim::Nothing => 10,
            _ => 25,
        };
        if !parameter.required && !random.percent(share) {
            continue;
        }
        let value = query_value(test_bed, parameter, aim, tenant, random);
        request.query.push((parameter.name.clone(), value));
    }
    // A parameter that the document does not mention.
    if aim == Aim::Query && random.percent(15) {
        request.query.push(("seller_id".to_owned(), test_bed.victim.seller.clone()));
    }
}

fn query_value(
    test_bed: &TestBed,
    parameter: &Parameter,
    aim: Aim,
    tenant: &super::tenant::Tenant,
    random: &mut Random,
) -> String {
    if aim == Aim::Payload && random.percent(70) {
        return random.payload().to_owned();
    }
    if parameter.name == "cursor" {
        return if test_bed.cursors.is_empty() || random.percent(20) {
            random.payload().to_owned()
        } else {
            random.pick(&test_bed.cursors).clone()
        };
    }
    let mut ids = |name: &str, random: &mut Random| tenant.id_for(name, random);
    match test_bed.document.value(&parameter.schema, &parameter.name, random, &mut ids) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn fill_body(
    test_bed: &TestBed,
    operation: &Operation,
    aim: Aim,
    request: &mut Request,
    random: &mut Random,
) {
    let Some(schema) = &operation.body else { return };
    let mut foreign = false;
    let mut ids = |name: &str, random: &mut Random| {
        if aim == Aim::Body || (aim != Aim::Nothing && random.percent(30)) {
            foreign = true;
            test_bed.victim.id_for(name, random)
        } else {
            test_bed.insider.id_for(name, random)
        }
    };
    let mut body = test_bed.document.value(schema, "", random, &mut ids);
    if aim == Aim::Payload && random.percent(80) {
        let payload = random.payload();
        let share = 20 + random.below(80);
        poison(&mut body, payload, share, random);
    }
    if aim == Aim::Body && random.percent(30) {
        // A field that the document does not mention.
        if let Value::Object(fields) = &mut body {
            fields.insert("seller_id".to_owned(), test_bed.victim.seller.clone().into());
        }
    }
    request.reaches_out |= foreign && operation.path.contains("{sellerId}");
    let text = body.to_string();
    request.body = Some(match random.below(40) {
        _ if aim == Aim::Nothing => text,
        0 => half(&text),
        1 => format!("[{text}]"),
        2 => String::new(),
        _ => text,
    });
}

/// Replaces some of a body's texts by the payload.
fn poison(value: &mut Value, payload: &str, share: usize, random: &mut Random) {
    match value {
        Value::String(text) if random.percent(share) => payload.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, payload, share, random)),
        Value::Object(fields) => fields.values_mut().for_each(|field| poison(field, payload, share, random)),
        _ => {}
    }
}

/// Percent-encodes a text for a URL.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

impl Request {
    fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// The request in one line, for the report.
    fn shown(&self, token: Kind) -> String {
        let mut shown = format!("{} {}", self.method, self.path);
        for (name, value) in &self.query {
            let _ = write!(shown, " ?{name}={value}");
        }
        for (name, value) in &self.headers {
            let _ = write!(shown, " {name}: {value}");
        }
        let _ = write!(shown, " as {token:?}");
        if let Some(body) = &self.body {
            let _ = write!(shown, " {body}");
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_url_cannot_contain_are_escaped() {
        assert_eq!(escaped("a/b ?\u{0}é"), "a%2Fb%20%3F%00%C3%A9");
    }
}
