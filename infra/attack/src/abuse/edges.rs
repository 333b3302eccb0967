//! Hostile input at the edge: headers that no proxy should send, which must not break a function, and other spellings of
//! ids and paths, which must be refused.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::budgets::{BROKEN, Count, SPELLINGS};
use super::environment::Environment;
use super::growth::SeededSeller;

const PATIENCE: Duration = Duration::from_secs(20);

/// Hostile headers, which replace normal ones with the same name. They have no control characters, because the emulator
/// responds to those itself.
const HEADERS: &[(&str, &str)] = &[
    ("X-Forwarded-Proto", "https, http"),
    ("X-Forwarded-Proto", "https://"),
    ("X-Forwarded-Proto", ""),
    ("X-Forwarded-Proto", "ht tp"),
    ("X-Forwarded-Proto", "1http"),
    ("X-Forwarded-Proto", "javascript"),
    ("X-Forwarded-Port", "443, 80"),
    ("X-Forwarded-Port", "99999999"),
    ("X-Forwarded-Host", "a b"),
    ("X-Forwarded-For", "not an address, ::1, 127.0.0.1"),
    ("Forwarded", "for=\"[::1\";proto=https, http"),
    ("Host", ""),
    ("Host", "a b"),
    ("Host", "127.0.0.1:999999"),
    ("Host", "[::1"),
    ("Host", "user@127.0.0.1"),
    ("Host", "127.0.0.1/v1/me"),
    ("Host", "http://127.0.0.1"),
    ("Host", "%zz"),
    ("Host", "ho\u{00e9}st"),
    ("Content-Type", "application/json; charset=\"utf-7"),
    ("Content-Type", "/"),
    ("Content-Encoding", "gzip, br, nonsense"),
    ("Accept", "*/"),
    ("Accept-Encoding", "gzip;q=nonsense"),
    ("Authorization", "Bearer a.b"),
    ("Authorization", "Basic \u{00e9}"),
    ("Cookie", "=;=;;=\u{00e9}"),
    ("Idempotency-Key", "\u{00e9}"),
    ("If-Match", "W/\"\u{00e9}"),
    ("traceparent", "00-00-00-zz"),
    ("X-Amzn-Trace-Id", "Root=;Parent=;Sampled=2"),
    ("Range", "bytes=9-1,-"),
    ("Origin", "null, null"),
];

/// Sends each header to a path without a token and to one with a token.
pub async fn headers(environment: &Environment<'_>, seeded: &SeededSeller) -> anyhow::Result<Vec<Count>> {
    let (tried, mut broken) = (2 * HEADERS.len(), BROKEN.count(0, 0));
    for (name, value) in HEADERS {
        for (path, token) in [("/v1/docs", None), ("/v1/me", Some(&seeded.owner.token))] {
            let status = with_header(environment, path, token, (name, value))
                .await
                .with_context(|| format!("{name}: {value}"))?;
            if status.is_none_or(|status| status >= 500) {
                broken.reached += 1;
                broken.worst.push(format!("{path} with {name}: {value:?} was answered {status:?}"));
            }
        }
    }
    broken.tried = u64::try_from(tried)?;
    Ok(vec![broken])
}

/// Sends a request in which a header replaces the usual one. Returns the status.
async fn with_header(
    environment: &Environment<'_>,
    path: &str,
    token: Option<&String>,
    (name, value): (&str, &str),
) -> anyhow::Result<Option<u16>> {
    let url = reqwest::Url::parse(&format!("{}{path}", environment.api_url))?;
    let address = format!("{}:{}", url.host_str().context("no host")?, url.port().context("no port")?);
    let mut request = format!("GET {} HTTP/1.1\r\n", url.path());
    for (usual, usual_value) in [("Host", address.clone()), ("Accept", "*/*".to_owned())] {
        if !name.eq_ignore_ascii_case(usual) {
            write!(request, "{usual}: {usual_value}\r\n")?;
        }
    }
    if let Some(token) = token.filter(|_| name != "Authorization") {
        write!(request, "Authorization: Bearer {token}\r\n")?;
    }
    write!(request, "{name}: {value}\r\nConnection: close\r\n\r\n")?;
    status_of(&address, &request).await
}

/// Requests existing things under other spellings of their ids and paths.
pub async fn spellings(environment: &Environment<'_>, seeded: &SeededSeller) -> anyhow::Result<Vec<Count>> {
    let seller = &seeded.seller;
    let order: String = {
        let sql = "select id::text from robnu.orders where seller_id = $1::text::uuid limit 1";
        environment.superuser.query_one(sql, &[seller]).await?.get(0)
    };
    let mut paths = Vec::new();
    for spelling in other_spellings(seller) {
        paths.push(format!("/v1/sellers/{spelling}"));
    }
    for spelling in other_spellings(&order) {
        paths.push(format!("/v1/sellers/{seller}/orders/{spelling}"));
        paths.push(format!("/v1/sellers/{seller}/orders?account_id={spelling}"));
    }
    for ending in [
        "%3Flimit=1",
        "%3flimit=1",
        "%23x",
        "%09",
        "%00",
        "%20",
        "%0A",
        "/",
        "%2F",
        "//",
        "/.",
        ";x=1",
        "%5C",
    ] {
        paths.push(format!("/v1/sellers/{seller}/orders{ending}"));
        paths.push(format!("/v1/sellers/{seller}/orders/{order}{ending}"));
    }
    paths.push(format!("/v1/sellers/{seller}/orders/..%2Forders"));
    paths.push(format!("/v1//sellers/{seller}"));
    paths.push(format!("/v1/./sellers/{seller}"));
    paths.push(format!("/V1/sellers/{seller}"));
    let mut answered = SPELLINGS.count(u64::try_from(paths.len())?, 0);
    for path in paths {
        let status = with_path(environment, &path, &seeded.owner.token).await?;
        match status {
            Some(status) if (200..300).contains(&status) => {
                answered.reached += 1;
                answered.worst.push(format!("{path} was answered {status}"));
            }
            Some(status) if status < 500 => {}
            status => environment.found(format!("{} {path} was answered {status:?}", Method::GET)),
        }
    }
    Ok(vec![answered])
}

/// Requests a path exactly as it is written. Returns the status.
async fn with_path(environment: &Environment<'_>, path: &str, token: &str) -> anyhow::Result<Option<u16>> {
    let base = reqwest::Url::parse(&environment.api_url)?;
    let address = format!("{}:{}", base.host_str().context("no host")?, base.port().context("no port")?);
    let request = format!(
        "GET {}{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
        base.path()
    );
    status_of(&address, &request).await
}

/// Sends a request exactly as it is written, because HTTP clients would correct it. Returns the status; none when the response
/// has no status.
async fn status_of(address: &str, request: &str) -> anyhow::Result<Option<u16>> {
    let exchange = async {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // The server may close the connection without notice.
        let _ = connection.read_to_end(&mut answer).await;
        anyhow::Ok(answer)
    };
    let answer = timeout(PATIENCE, exchange).await.context("no answer in time")??;
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    Ok(line.split(' ').nth(1).and_then(|status| status.parse().ok()))
}

/// Other texts that programs read as the same id. A text that decodes to the same id does not count.
fn other_spellings(id: &str) -> Vec<String> {
    vec![
        id.to_uppercase(),
        format!("{{{id}}}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        id.replace('-', ""),
        format!("{id}%00"),
        format!("%20{id}"),
        format!("{id}%20"),
    ]
}
