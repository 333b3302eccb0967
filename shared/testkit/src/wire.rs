//! A proxy between a pool and PostgreSQL that counts round trips, and can cut connections.
//!
//! A round trip is everything that the client sends without waiting for an answer. The proxy holds the server's answers back
//! until the client has been silent for a moment. A client that does not wait for answers has then sent everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use robnu_tenancy::DatabaseConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Far longer than the time between two messages of a client that does not wait between them.
const SILENCE: Duration = Duration::from_millis(40);

/// A running proxy. It stops with the runtime of its test.
#[derive(Debug)]
pub struct WireProxy {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    round_trips: AtomicUsize,
    statements: AtomicUsize,
    cuts: AtomicUsize,
}

impl WireProxy {
    /// Starts a proxy to the server in `config` and points `config` at it.
    ///
    /// # Panics
    /// Panics when no port is free.
    pub async fn before(config: &mut DatabaseConfig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let server = (config.host.clone(), config.port);
        let counts = Arc::new(Counts::default());
        let seen = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, seen) = (server.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    if let Ok(upstream) = TcpStream::connect(server).await {
                        relay(client, upstream, &seen).await;
                    }
                });
            }
        });
        "127.0.0.1".clone_into(&mut config.host);
        config.port = port;
        Self { port, counts }
    }

    /// The proxy's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connections of the next round trips: the server has executed them, and the client learns nothing.
    pub fn cut(&self, round_trips: usize) {
        self.counts.cuts.store(round_trips, Ordering::SeqCst);
    }

    /// Returns the round trips and the executed statements since the last call.
    #[must_use]
    pub fn take(&self) -> (usize, usize) {
        (self.counts.round_trips.swap(0, Ordering::SeqCst), self.counts.statements.swap(0, Ordering::SeqCst))
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, counts: &Counts) {
    let mut reader = MessageReader::default();
    let mut from_client = vec![0; 64 * 1024];
    let mut from_server = vec![0; 64 * 1024];
    let mut answers = Vec::new();
    let mut in_flight = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                if !in_flight {
                    counts.round_trips.fetch_add(1, Ordering::SeqCst);
                    in_flight = true;
                }
                counts.statements.fetch_add(reader.executes(&from_client[..length]), Ordering::SeqCst);
                if server.write_all(&from_client[..length]).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                answers.extend_from_slice(&from_server[..length]);
            }
            () = tokio::time::sleep(SILENCE), if !answers.is_empty() => {
                in_flight = false;
                let cuts = counts.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cuts| cuts.checked_sub(1));
                if cuts.is_ok() { return }
                if client.write_all(&answers).await.is_err() { return }
                answers.clear();
            }
        }
    }
}

/// Finds Execute and Query messages in the client's stream.
#[derive(Default)]
struct MessageReader {
    buffer: Vec<u8>,
    started: bool,
}

impl MessageReader {
    fn executes(&mut self, bytes: &[u8]) -> usize {
        self.buffer.extend_from_slice(bytes);
        let mut count = 0;
        loop {
            // Only the very first message has no type byte.
            let head = usize::from(self.started);
            let Some(length) = self.buffer.get(head..head + 4) else { return count };
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            let end = head + length;
            if self.buffer.len() < end {
                return count;
            }
            if self.started && matches!(self.buffer[0], b'E' | b'Q') {
                count += 1;
            }
            self.buffer.drain(..end);
            self.started = true;
        }
    }
}
