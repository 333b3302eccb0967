//! The console's server, as an attacker meets it: another page in the operator's browser, or another program on the machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::{Json, Router};
use ops::{Console, ConsoleOptions, Stack};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the function was asked for.
type Asked = Arc<Mutex<Vec<Value>>>;

/// A console in front of a function that answers as if there were one of everything.
struct Desk {
    host: String,
    token: String,
    asked: Asked,
}

struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Desk {
    async fn open(allow_changes: bool) -> Self {
        let asked = Asked::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let function = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, function).await });
        let stack = Stack::at("robnu-local", Some(&endpoint)).await;
        let options = ConsoleOptions { port: 0, allow_changes, operator: Some("asha".to_owned()) };
        let console = Console::open(stack, &options).await.unwrap();
        let url = console.url();
        tokio::spawn(console.serve());
        let (host, token) = url.strip_prefix("http://").unwrap().split_once("/#token=").unwrap();
        Self { host: host.to_owned(), token: token.to_owned(), asked }
    }

    /// Sends a request with exactly these headers.
    async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        let headers: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Reads as the page does.
    async fn read(&self, path: &str) -> Response {
        let bearer = format!("Bearer {}", self.token);
        self.send(&format!("GET {path}"), &[("host", &self.host), ("authorization", &bearer)], "").await
    }

    /// Changes as the page does, but with these headers in place of the page's.
    async fn change(&self, path: &str, instead: &[(&str, &str)], body: &Value) -> Response {
        let (bearer, origin) = (format!("Bearer {}", self.token), format!("http://{}", self.host));
        let mut headers = vec![
            ("host", self.host.as_str()),
            ("authorization", &bearer),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
        ];
        headers.retain(|(name, _)| instead.iter().all(|(other, _)| other != name));
        headers.extend(instead.iter().filter(|(_, value)| !value.is_empty()));
        self.send(&format!("POST {path}"), &headers, &body.to_string()).await
    }

    fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn answer(State(asked): State<Asked>, body: String) -> Json<Value> {
    let request: Value = serde_json::from_str(&body).unwrap();
    asked.lock().unwrap().push(request.clone());
    let dry = request.as_object().unwrap().values().any(|request| request["dry_run"] == true);
    let (name, _) = request.as_object().unwrap().iter().next().unwrap();
    let account = json!({"account_id": "a", "status": "ACTIVE", "reads": []});
    Json(match name.as_str() {
        "stuck" => json!({"stuck": [], "left_out": 0, "at_least": false}),
        "list" => json!({"dead_letters": [], "next": null}),
        "lanes" => json!({"lanes": [account], "next": null}),
        "redrive" if dry => json!({"prospects": {"PUBLISH": 2}}),
        "redrive" if request["redrive"]["filter"]["kind"] == "RETURNS" => {
            json!({"refused": {"field": "filter.kind", "message": "is no kind"}})
        }
        "redrive" if request["redrive"]["rate"] == 1.0 => {
            let parts = asked.lock().unwrap().len();
            json!({"published": 100, "remaining": 300 - 100 * parts})
        }
        "redrive" => json!({"published": 2, "remaining": 0}),
        "discard" => json!({"discarded": 0, "runs_ended": 0, "remaining": if dry { 3 } else { 0 }}),
        "hold" | "resume" => json!({"changed": true, "held": true, "accounts": 1, "live_runs": 0}),
        _ => json!({}),
    })
}

const CHANGES: [&str; 4] = ["/api/redrive", "/api/discard", "/api/hold", "/api/resume"];

#[tokio::test]
async fn every_call_needs_the_token() {
    let desk = Desk::open(false).await;
    for path in [
        "/api/about",
        "/api/stuck",
        "/api/marketplaces",
        "/api/accounts",
        "/api/runs",
        "/api/runs/x",
        "/api/dead-letters",
    ] {
        assert_eq!(desk.read(path).await.status, 200, "{path}");
        let (short, longer) = (&desk.token[1..], format!("{}x", desk.token));
        for bearer in
            ["", "Bearer ", "Bearer x", &format!("Bearer {short}"), &format!("Bearer {longer}"), &desk.token]
        {
            let headers = [("host", desk.host.as_str()), ("authorization", bearer)];
            let response = desk.send(&format!("GET {path}"), &headers, "").await;
            assert_eq!(response.status, 401, "{path} with {bearer:?}");
        }
        assert_eq!(
            desk.send(&format!("GET {path}?token={}", desk.token), &[("host", &desk.host)], "").await.status,
            401
        );
    }
}

#[tokio::test]
async fn each_start_has_a_token_of_its_own_that_nobody_guesses() {
    let (one, other) = (Desk::open(false).await.token, Desk::open(false).await.token);
    assert!(one != other && one.len() == 43, "{one} {other}");
}

#[tokio::test]
async fn a_console_that_only_reads_refuses_every_change_whoever_asks() {
    let desk = Desk::open(false).await;
    for path in CHANGES {
        for dry_run in [false, true] {
            let body = json!({"account": "a", "reason": "r", "dry_run": dry_run});
            let response = desk.change(path, &[], &body).await;
            assert_eq!(response.status, 403, "{path}");
            assert!(response.body.contains("--allow-changes"), "{}", response.body);
        }
    }
    assert_eq!(desk.asked(), Vec::<Value>::new(), "the function was not asked");
}

#[tokio::test]
async fn a_change_must_come_from_the_consoles_own_page() {
    let desk = Desk::open(true).await;
    let body = json!({"account": "a", "reason": "r"});
    assert_eq!(desk.change("/api/hold", &[], &body).await.status, 200);
    desk.asked();
    for instead in [
        [("origin", "")],
        [("origin", "null")],
        [("origin", "https://evil.example")],
        [("origin", "http://127.0.0.1:1")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("host", "evil.example")],
        [("authorization", "")],
    ] {
        let response = desk.change("/api/hold", &instead, &body).await;
        assert!(matches!(response.status, 401 | 403), "{instead:?}: {}", response.status);
    }
    let form = [("content-type", "text/plain")];
    assert_eq!(
        desk.change("/api/hold", &form, &body).await.status,
        400,
        "a form of another page has no such type"
    );
    assert_eq!(desk.asked(), Vec::<Value>::new(), "the function was not asked");
}

#[tokio::test]
async fn a_name_that_somebody_has_made_lead_here_is_no_host() {
    let desk = Desk::open(false).await;
    let port = desk.host.split(':').nth(1).unwrap();
    for (host, status) in [
        (desk.host.clone(), 200),
        (format!("localhost:{port}"), 200),
        ("127.0.0.1".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        (format!("127.0.0.1.evil.example:{port}"), 403),
    ] {
        for path in ["/", "/main.js"] {
            assert_eq!(
                desk.send(&format!("GET {path}"), &[("host", &host)], "").await.status,
                status,
                "{host}{path}"
            );
        }
    }
    assert!(matches!(desk.send("GET /", &[], "").await.status, 400 | 403), "without a host");
}

#[tokio::test]
async fn every_response_tells_the_browser_to_keep_and_embed_nothing() {
    let desk = Desk::open(false).await;
    let responses = [
        desk.send("GET /", &[("host", &desk.host)], "").await,
        desk.read("/api/about").await,
        desk.read("/nowhere").await,
        desk.send("GET /", &[("host", "evil.example")], "").await,
    ];
    for Response { head, .. } in responses {
        for header in [
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "default-src 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(head.contains(header), "{header} is not in: {head}");
        }
        assert!(!head.contains("unsafe-") && !head.contains("access-control-"), "{head}");
    }
}

#[tokio::test]
async fn all_files_that_the_page_loads_are_served_and_name_no_other_place() {
    let desk = Desk::open(false).await;
    let mut files = vec!["/".to_owned()];
    let mut next = 0;
    while let Some(file) = files.get(next).cloned() {
        next += 1;
        let response = desk.send(&format!("GET {file}"), &[("host", &desk.host)], "").await;
        assert_eq!(response.status, 200, "{file}");
        assert!(!response.body.contains("https://"), "{file} names another place");
        for part in response.body.split(['"', '\'']) {
            let name = part.strip_prefix("./").map(|name| format!("/{name}")).unwrap_or(part.to_owned());
            let is_file =
                [".js", ".css", ".svg"].iter().any(|end| name.ends_with(end)) && name.starts_with('/');
            if is_file && !files.contains(&name) {
                files.push(name);
            }
        }
    }
    assert!(files.len() > 10, "{files:?}");
}

#[tokio::test]
async fn a_redrive_is_tried_and_made_with_its_filter_its_reason_and_the_operator() {
    let desk = Desk::open(true).await;
    let mut body =
        json!({"marketplace": "AJIO", "died_of": "garbage", "older_than": "90m", "rate": 5, "dry_run": true});
    let response = desk.change("/api/redrive", &[], &body).await;
    let would: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((would["count"].as_i64(), &would["would"][0]["prospect"]), (Some(2), &json!("PUBLISH")));
    body["dry_run"] = false.into();
    let response = desk.change("/api/redrive", &[], &body).await;
    assert_eq!(response.status, 400, "without a reason");
    assert!(response.body.contains("reason: is missing"), "{}", response.body);
    body["reason"] = "mended".into();
    let response = desk.change("/api/redrive", &[], &body).await;
    assert!(response.body.contains("2 published, 0 remaining"), "{}", response.body);
    let asked = desk.asked();
    let [tried, made] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(tried["redrive"]["dry_run"], true);
    let made = &made["redrive"];
    assert_eq!(
        (&made["operator"], &made["reason"], &made["rate"]),
        (&json!("asha"), &json!("mended"), &json!(5.0))
    );
    assert_eq!((&made["filter"]["source"], &made["filter"]["reason"]), (&json!("AJIO"), &json!("garbage")));
    assert!(
        made["filter"]["before"].is_string() && made["ids"].is_null() && made["dry_run"].is_null(),
        "{made}"
    );
}

#[tokio::test]
async fn a_large_redrive_is_made_in_parts_and_each_part_is_told() {
    let desk = Desk::open(true).await;
    let response = desk.change("/api/redrive", &[], &json!({"reason": "mended", "rate": 1})).await;
    let told: Vec<&str> = response.body.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (line, said) in told.iter().zip(["200 remaining", "100 remaining", "0 remaining"]) {
        assert!(line.contains(said), "{line}");
    }
    assert!(desk.asked().iter().all(|asked| asked["redrive"]["limit"] == 100));
}

#[tokio::test]
async fn an_operator_cannot_be_named_by_the_page() {
    let desk = Desk::open(true).await;
    let body = json!({"marketplace": "AJIO", "reason": "r", "operator": "mallory"});
    assert_eq!(desk.change("/api/hold", &[], &body).await.status, 400);
    assert_eq!(desk.change("/api/discard", &[], &body).await.status, 400);
    assert!(desk.asked().is_empty(), "nothing was asked of the function");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_field_and_what_to_do() {
    let desk = Desk::open(true).await;
    for (path, body, said) in [
        ("/api/hold", json!({"reason": "r"}), "exactly one of them"),
        ("/api/hold", json!({"account": "a", "marketplace": "AJIO", "reason": "r"}), "exactly one of them"),
        ("/api/hold", json!({"account": "a"}), "reason: is missing"),
        ("/api/redrive", json!({"reason": "r", "older_than": "soon"}), "older_than: expected a number"),
        ("/api/redrive", json!({"reason": "r", "ids": "all"}), "ids"),
        ("/api/redrive", json!({"reason": "r", "ids": []}), "ids: has none"),
        ("/api/discard", json!({"reason": "r", "seller_id": "s"}), "seller_id: is no field"),
        ("/api/redrive", json!({"reason": "r", "kind": "RETURNS"}), "filter.kind: is no kind"),
    ] {
        let response = desk.change(path, &[], &body).await;
        let error: Value =
            serde_json::from_str(response.body.trim().lines().find(|line| line.starts_with('{')).unwrap())
                .unwrap();
        let what = error["error"]["what"].as_str().unwrap();
        assert!(what.contains(said), "{what}");
        assert!(!error["error"]["next"].as_str().unwrap().is_empty());
    }
    let response = desk.read("/api/runs?newer_than=soon").await;
    assert_eq!(response.status, 400);
    assert!(response.body.contains("newer_than: expected a number"), "{}", response.body);
}

#[tokio::test]
async fn the_function_gets_the_filters_of_each_view() {
    let desk = Desk::open(false).await;
    for (path, name, expected) in [
        (
            "/api/stuck?seller=s&account=a",
            "stuck",
            json!({"filter": {"seller_id": "s", "account_id": "a"}, "limit": 500}),
        ),
        (
            "/api/accounts?marketplace=AJIO&after=z",
            "lanes",
            json!({"filter": {"marketplace": "AJIO"}, "limit": 500, "after": "z"}),
        ),
        (
            "/api/runs?kind=ORDERS&status=FAILED&error=x",
            "runs",
            json!({"kind": "ORDERS", "state": "FAILED", "error": "x", "filter": {}, "limit": 50, "after": null}),
        ),
        (
            "/api/dead-letters?died_of=garbage&status=ALL",
            "list",
            json!({"filter": {"reason": "garbage"}, "state": "ALL", "limit": 50, "after": null}),
        ),
    ] {
        assert_eq!(desk.read(path).await.status, 200, "{path}");
        assert_eq!(desk.asked(), [json!({ name: expected })], "{path}");
    }
}

#[tokio::test]
async fn changes_need_a_name_and_a_taken_port_is_said_so() {
    let open = async |options: ConsoleOptions| {
        let stack = Stack::at("robnu-local", Some("http://127.0.0.1:1")).await;
        Console::open(stack, &options).await.unwrap_err().to_string()
    };
    let nobody = ConsoleOptions { allow_changes: true, ..ConsoleOptions::default() };
    assert!(open(nobody).await.contains("--operator"));
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = open(ConsoleOptions { port, ..ConsoleOptions::default() }).await;
    assert!(said.contains(&format!("port {port}")) && said.contains("--port"), "{said}");
}
