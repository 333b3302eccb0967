//! The log lines of requests.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Api, Call, ajio};

/// What was logged.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    /// Captures what this thread logs, libraries' debug lines with it, until the guard is dropped.
    pub fn listen(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(self.clone())
            .finish();
        // Other tests may reach the same log lines first, on threads without a subscriber, and the library remembers a line
        // that nobody wants. A subscriber for the whole process that wants everything prevents that; only the first call
        // counts.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        tracing::subscriber::set_default(subscriber)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn requests(&self) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == "request").collect()
    }
}

#[tokio::test]
async fn a_request_is_one_line_with_its_route_and_without_its_content() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let captured = Captured::default();
    let guard = captured.listen();
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    api.post("OWNER", &accounts, &ajio("DV42")).await.expect(201);
    let mut garbage = ajio("DV43");
    garbage["details"]["password"] = json!(["correct horse"]);
    api.post("OWNER", &accounts, &garbage).await.expect(422);
    api.get("OWNER", &format!("/v1/sellers/{}/orders/{}", ours.id, ours.order)).await.expect(200);
    api.send(Call::get("/v1/secret-path").by(ours, "OWNER")).await.expect(404);
    api.arrange("alter table robnu.orders rename column ship_city to city").await;
    api.get("OWNER", &format!("/v1/sellers/{}/orders", ours.id)).await.expect(500);
    drop(guard);

    let requests = captured.requests();
    let lines: Vec<(&str, u64, &str)> = requests
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap();
            assert_eq!(text("request.id"), "gateway-request-1");
            assert!(line["latency_ms"].is_u64());
            (text("http.route"), line["http.status"].as_u64().unwrap(), text("level"))
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("/v1/sellers/{sellerId}/accounts", 201, "INFO"),
            ("/v1/sellers/{sellerId}/accounts", 422, "INFO"),
            ("/v1/sellers/{sellerId}/orders/{orderId}", 200, "INFO"),
            ("none", 404, "INFO"),
            ("/v1/sellers/{sellerId}/orders", 500, "ERROR"),
        ]
    );
    assert_eq!(requests[0]["seller.id"], ours.id.to_string());
    assert!(requests[4]["error"].as_str().unwrap().contains("ship_city"), "the cause is in the log");
    let ours_only: String =
        captured.text().lines().filter(|line| line.contains(r#""target":"api"#)).collect();
    for hidden in ["correct horse", "DV42", "member@example.invalid", "secret-path", &ours.order.to_string()]
    {
        assert!(!ours_only.contains(hidden), "{hidden}");
    }
    assert!(!captured.text().contains("correct horse"), "not even a library's debug line has a password");
}

#[tokio::test]
async fn the_log_shows_what_staff_read_in_a_session() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let body =
        json!({"seller_id": ours.id, "reason": "a call about orders", "role": "VIEWER", "minutes": 60});
    let session = api.send(Call::post("/v1/admin/impersonations", &body).by_staff()).await.expect(201);
    let id = session["impersonation_id"].as_str().unwrap();
    let captured = Captured::default();
    let guard = captured.listen();
    let orders = Call::get(&format!("/v1/sellers/{}/orders", ours.id));
    api.send(orders.clone().by_staff().header("impersonation-session", id)).await.expect(200);
    api.send(orders.clone().by(ours, "OWNER")).await.expect(200);
    let garbage = orders.clone().by_staff().header("impersonation-session", "hunter2");
    api.send(garbage).await.expect(400);
    // A request that names another's session is logged too, with its refusal.
    let stranger = orders.by(ours, "OWNER").header("impersonation-session", id);
    api.send(stranger).await.expect_problem(403, "impersonation_over");
    drop(guard);
    let sessions: Vec<(Value, u64)> = captured
        .requests()
        .iter()
        .map(|line| (line["impersonation.session_id"].clone(), line["http.status"].as_u64().unwrap()))
        .collect();
    let (id, none) = (json!(id), Value::Null);
    assert_eq!(sessions, [(id.clone(), 200), (none.clone(), 200), (none, 400), (id, 403)]);
    let ours_only: String =
        captured.text().lines().filter(|line| line.contains(r#""target":"api"#)).collect();
    assert!(!ours_only.contains("hunter2"), "only an id is logged");
}
