//! A minimal HTTP client for the tests. It opens one connection for each call and returns the raw bytes, so that tests can see
//! broken responses.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use simulators::{Marketplace, OrderBook, Simulator, SimulatorConfig};

/// The path of searchOrders in the ledger and in faults.
pub const SEARCH: &str = "/orders/2026-01-01/orders";
/// The path of the token service.
pub const LWA: &str = "/auth/o2/token";

/// An order book with these rows.
pub fn book(rows: &[&str]) -> OrderBook {
    OrderBook::from_csv("book.csv", &csv(rows)).unwrap()
}

/// CSV text of an order book.
pub fn csv(rows: &[&str]) -> String {
    let header = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                  courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";
    format!("{header}\n{}\n", rows.join("\n"))
}

/// A row with this order id, status, amount and quantity.
pub fn row(order_id: &str, status: &str, amount: &str, quantity: &str) -> String {
    format!(
        "{order_id},2026-06-01,{status},Merchant,Standard,Shirt,Cash,M,Shipped,{amount},{quantity},INR,PUNE,411001,false"
    )
}

/// This many shipped orders, each with one line of 100.25 rupees.
pub fn many(count: usize) -> OrderBook {
    let rows: Vec<String> =
        (1..=count).map(|n| row(&format!("402-2000000-{n:07}"), "Shipped", "100.25", "1")).collect();
    book(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A configuration with the sample book and quotas that no test reaches.
pub fn config() -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.amazon.search_orders.burst = 10_000;
    config.amazon.get_order.burst = 10_000;
    config
}

pub fn start(config: &SimulatorConfig) -> Simulator {
    Simulator::start(config).unwrap()
}

/// A response, which may be incomplete.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the body has as many bytes as the header says.
    pub fn is_complete(&self) -> bool {
        self.headers["content-length"].parse::<usize>().unwrap() == self.body.len()
    }

    /// The texts of one field of all orders of the page.
    pub fn order_ids(&self, field: &str) -> Vec<String> {
        self.ids("orders", field)
    }

    /// The texts of one field of everything on a list of the page.
    pub fn ids(&self, list: &str, field: &str) -> Vec<String> {
        let body = self.json();
        body[list].as_array().unwrap().iter().map(|order| order[field].as_str().unwrap().to_owned()).collect()
    }
}

pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut request = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut received = Vec::new();
    // A connection that is cut may end with an error. The bytes until then are kept.
    let _ = stream.read_to_end(&mut received);
    parse(&received)
}

fn parse(received: &[u8]) -> Answer {
    let head_end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&received[..head_end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    Answer {
        status,
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: received[head_end + 4..].to_vec(),
    }
}

/// A control call with a JSON body.
pub fn control(simulator: &Simulator, method: &str, path: &str, body: &Value) -> Answer {
    let url = format!("{}/_control{path}", simulator.base_url());
    send(method, &url, &[("content-type", "application/json")], &body.to_string())
}

pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

pub fn query(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

/// Sends a form to the token service.
pub fn lwa(simulator: &Simulator, parameters: &[(&str, &str)]) -> Answer {
    let url = format!("{}{LWA}", simulator.amazon_base_url());
    send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], &query(parameters))
}

pub fn amazon_token(simulator: &Simulator, refresh_token: &str) -> String {
    let answer = lwa(
        simulator,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", "client"),
            ("client_secret", "secret"),
        ],
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

pub fn search(simulator: &Simulator, token: &str, parameters: &[(&str, &str)]) -> Answer {
    let url = format!("{}{SEARCH}?{}", simulator.amazon_base_url(), query(parameters));
    send("GET", &url, &[("x-amz-access-token", token)], "")
}

/// Every page of a search, found by following the tokens.
pub fn search_all(simulator: &Simulator, token: &str, parameters: &[(&str, &str)]) -> Vec<Answer> {
    let mut pages = vec![search(simulator, token, parameters)];
    while let Some(next) = pages.last().and_then(next_token) {
        assert!(pages.len() < 500, "the pages never end");
        pages.push(search(simulator, token, &[parameters, &[("paginationToken", &next)]].concat()));
    }
    pages
}

pub fn next_token(page: &Answer) -> Option<String> {
    page.json()["pagination"]["nextToken"].as_str().map(str::to_owned)
}

pub fn ajio_token(simulator: &Simulator, username: &str) -> String {
    let answer = ajio_login(simulator, username, "secret");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["result"]["accessToken"].as_str().unwrap().to_owned()
}

pub fn ajio_login(simulator: &Simulator, username: &str, password: &str) -> Answer {
    let url = format!("{}/authToken", simulator.ajio_base_url());
    let body = json!({ "username": username, "password": password }).to_string();
    send("POST", &url, &[("content-type", "application/json")], &body)
}

pub fn ajio_get(simulator: &Simulator, token: &str, path: &str) -> Answer {
    send("GET", &format!("{}{path}", simulator.ajio_base_url()), &[("apiKey", token)], "")
}

pub fn ajio_post(simulator: &Simulator, token: &str, path: &str, body: &Value) -> Answer {
    let headers = [("apiKey", token), ("content-type", "application/json")];
    send("POST", &format!("{}{path}", simulator.ajio_base_url()), &headers, &body.to_string())
}

/// Every page of a paged AJIO call.
pub fn ajio_all(simulator: &Simulator, token: &str, path: &str) -> Vec<Answer> {
    let mut pages = Vec::new();
    loop {
        let page = ajio_get(simulator, token, &format!("{path}?pageNumber={}", pages.len()));
        let total = page.json()["page"]["totalPages"].as_u64().unwrap();
        pages.push(page);
        if u64::try_from(pages.len()).unwrap() >= total {
            return pages;
        }
    }
}

/// The path of the filter of shipments in the ledger and in faults.
pub const FILTER: &str = "/sellers/v3/shipments/filter";

/// A token of an application that is not registered, which is its own account.
pub fn flipkart_token(simulator: &Simulator, app_id: &str) -> String {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{app_id}:secret"));
    let asked = query(&[("grant_type", "client_credentials"), ("scope", "Seller_Api")]);
    let url = format!("{}/oauth-service/oauth/token?{asked}", simulator.flipkart_base_url());
    let answer = send("GET", &url, &[("authorization", &format!("Basic {key}"))], "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

pub fn flipkart_filter(simulator: &Simulator, token: &str, body: &Value) -> Answer {
    let url = format!("{}{FILTER}", simulator.flipkart_base_url());
    send("POST", &url, &[("authorization", &format!("Bearer {token}"))], &body.to_string())
}

/// A GET of a path below Flipkart's base URL, or of a whole link.
pub fn flipkart_get(simulator: &Simulator, token: &str, link: &str) -> Answer {
    let short = ["/v3/", "/v2/", "/returns"].iter().any(|start| link.starts_with(start));
    let version = if link.starts_with("/returns") { "/v2" } else { "" };
    let url = match link {
        _ if short => format!("{}/sellers{version}{link}", simulator.flipkart_base_url()),
        _ if link.starts_with('/') => format!("{}{link}", simulator.flipkart_base_url()),
        _ => link.to_owned(),
    };
    send("GET", &url, &[("authorization", &format!("Bearer {token}"))], "")
}

/// Waits at most five seconds until a condition is true.
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_true() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within five seconds: {what}");
}

/// The marketplaces that serve orders, for tests that treat them alike.
pub const MARKETPLACES: [Marketplace; 3] = [Marketplace::Ajio, Marketplace::Amazon, Marketplace::Flipkart];
