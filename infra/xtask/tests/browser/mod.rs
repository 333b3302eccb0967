//! A real browser, driven over the `DevTools` protocol: it clicks, types and looks as a person does.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot be arranged has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::TcpListener;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stack::eventually;

/// A browser that does not respond for so long hangs.
const LONGEST: std::time::Duration = std::time::Duration::from_mins(1);
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/page.py");

/// A page of a browser. Dropping it ends the browser.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    is_loaded: bool,
    /// Errors that the page has reported: uncaught exceptions, and everything that its security policy has blocked.
    pub complaints: Vec<String>,
}

impl Browser {
    pub async fn start() -> Self {
        let python = std::env::var("ROBNU_BROWSER_PYTHON")
            .expect("ROBNU_BROWSER_PYTHON is not set: run the tests with `cargo xtask test`");
        let address = format!("127.0.0.1:{}", free_port());
        let mut child = Command::new(python)
            .arg(PAGE)
            .env("QT_QPA_PLATFORM", "offscreen")
            // Chromium's sandbox does not work under root, and the page is our own.
            .env("QTWEBENGINE_DISABLE_SANDBOX", "1")
            .env("QTWEBENGINE_REMOTE_DEBUGGING", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the browser's Python starts");
        let output = child.stderr.take().unwrap();
        timeout(LONGEST, listening(output)).await.expect("the browser starts within a minute");
        let pages = async || {
            let list = reqwest::get(format!("http://{address}/json/list")).await.ok()?;
            let list: Value = list.json().await.ok()?;
            list[0]["webSocketDebuggerUrl"].as_str().map(str::to_owned)
        };
        let url = eventually("the browser has a page", 30, pages).await;
        let (socket, _) = connect_async(url).await.expect("the page's DevTools accept a connection");
        let mut browser = Self { child, socket, next_id: 0, is_loaded: false, complaints: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        browser
    }

    /// Calls a method of the `DevTools` protocol.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let request = json!({"id": self.next_id, "method": method, "params": params});
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let answer = self.hear().await;
            if answer["id"] == self.next_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The next response or event.
    async fn hear(&mut self) -> Value {
        let message =
            timeout(LONGEST, self.socket.next()).await.expect("the browser responds within a minute");
        let message = message.expect("the browser lives").unwrap();
        let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        self.note(&event);
        event
    }

    fn note(&mut self, event: &Value) {
        match event["method"].as_str() {
            Some("Page.loadEventFired") => self.is_loaded = true,
            Some("Runtime.exceptionThrown") => self.complaints.push(event["params"].to_string()),
            Some("Log.entryAdded") if event["params"]["entry"]["source"] == "security" => {
                self.complaints.push(event["params"]["entry"]["text"].to_string());
            }
            _ => {}
        }
    }

    /// Opens another document, and waits until it is loaded.
    pub async fn open(&mut self, url: &str) {
        self.is_loaded = false;
        self.call("Page.navigate", json!({"url": url})).await;
        while !self.is_loaded {
            self.hear().await;
        }
    }

    /// Goes to another view of the page, whose address after the # is this, and waits until the former view is gone.
    pub async fn go(&mut self, hash: &str) {
        let hash = json!(hash);
        let go = format!(
            "location.hash === {hash} || new Promise(gone => {{
                addEventListener('hashchange', () => gone(true), {{once: true}}); location.hash = {hash} }})"
        );
        self.value(&go).await;
    }

    /// The value of an expression in the page; a promise is awaited.
    pub async fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// All text that can be seen.
    pub async fn text(&mut self) -> String {
        self.value("document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows a text.
    pub async fn shows(&mut self, text: &str) -> String {
        self.until(
            &format!("the page shows {text:?}"),
            &format!("document.body.innerText.includes({})", json!(text)),
        )
        .await;
        self.text().await
    }

    /// Waits until an expression in the page is true.
    pub async fn until(&mut self, what: &str, expression: &str) {
        let look = async || (self.value(expression).await == true).then_some(());
        let seen = tokio::time::timeout(std::time::Duration::from_secs(40), eventually(what, 40, look)).await;
        assert!(seen.is_ok(), "never: {what}. The page: {}", self.text().await);
    }

    /// Clicks with the mouse on the element whose text begins like this, as far as nothing lies over it. While a dialog is open,
    /// only in it.
    pub async fn click(&mut self, text: &str) {
        let find = format!(
            "[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('button, a, summary, label')].find(e => e.innerText.startsWith({}) && e.getClientRects().length && !e.disabled)",
            json!(text)
        );
        self.until(&format!("{text:?} can be clicked"), &format!("Boolean({find})")).await;
        let place = format!(
            "(() => {{ const e = {find}; e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();
               const [x, y] = [r.left + r.width / 2, r.top + r.height / 2]; const top = document.elementFromPoint(x, y);
               return {{x, y, on: e === top || e.contains(top)}} }})()"
        );
        let place = self.value(&place).await;
        assert_eq!(place["on"], true, "something lies over {text:?}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types into whatever has the focus.
    pub async fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    pub async fn press(&mut self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = if key == "Escape" { 27 } else { 9 };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    pub async fn width(&mut self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub async fn scheme(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// A picture of what is seen, as a PNG.
    pub async fn picture(&mut self) -> Vec<u8> {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }
}

/// Waits until the browser says that it listens, and lets it say more. Fails with what it said when it ends instead.
async fn listening(output: impl AsyncRead + Unpin + Send + 'static) {
    let mut lines = BufReader::new(output).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("DevTools listening") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return;
        }
        said.push(line);
    }
    panic!("the browser did not start:\n{}", said.join("\n"));
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
