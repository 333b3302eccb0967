//! CloudFormation as a custom resource meets it: its requests, and the presigned URL that takes the response.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A place for one response.
pub struct Presigned {
    listener: TcpListener,
}

impl Presigned {
    pub async fn new() -> Self {
        // A second test of this process finds it installed.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { listener: TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port") }
    }

    /// A request whose response goes here. Properties are texts, whatever the template wrote.
    pub fn request(&self, request_type: &str) -> Value {
        let address = self.listener.local_addr().expect("a bound port");
        json!({
            "RequestType": request_type, "ResponseURL": format!("http://{address}/answer"), "StackId": "stack",
            "RequestId": "request", "LogicalResourceId": "LaneRemoval", "ResourceProperties": {"QuietSeconds": "1"},
        })
    }

    /// Takes the response.
    pub async fn answer(self) -> Value {
        let (mut stream, _) = self.listener.accept().await.expect("a connection");
        let mut received = Vec::new();
        loop {
            assert!(stream.read_buf(&mut received).await.expect("a request") > 0, "the request is whole");
            let text = String::from_utf8_lossy(&received);
            let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
            let Ok(body) = serde_json::from_str(body) else { continue };
            let taken = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            taken.expect("the client reads");
            return body;
        }
    }
}
