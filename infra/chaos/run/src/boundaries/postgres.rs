//! A proxy between a function and `PostgreSQL`, on loopback and without TLS. Each executed statement is a boundary, also those that are sent
//! together in one pipeline: then only the part before the boundary is forwarded, or the server is asked for its answer so far.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::names::Names;
use super::watch::{Fate, Moment, Watch};
use crate::strikes::lock;

/// A Flush message: the server sends what it has, and the transaction goes on.
const FLUSH: [u8; 5] = [b'H', 0, 0, 0, 4];
const READ: usize = 64 * 1024;

/// Listens on a free port of loopback, which it returns. It ends with `tasks`.
pub async fn start(
    server: (String, u16),
    names: Names,
    watch: &Arc<Watch>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("find a free port")?;
    let port = listener.local_addr()?.port();
    let (names, watch) = (Arc::new(names), Arc::clone(watch));
    tasks.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, names, watch) = (server.clone(), Arc::clone(&names), Arc::clone(&watch));
            tokio::spawn(async move {
                // Either side may close the connection at any time.
                drop(relay(client, server, &names, &watch).await);
            });
        }
    });
    Ok(port)
}

/// What the server still has to answer, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// An executed statement of a pipeline.
    Execution,
    /// A login, a simple query, or the end of a pipeline.
    Ready,
}

/// The answers of one connection.
#[derive(Debug)]
struct Answers {
    owed: Mutex<VecDeque<Owed>>,
    /// How many requests have been answered.
    answered: watch::Sender<usize>,
    is_held: AtomicBool,
}

impl Answers {
    fn owe(&self, what: Owed) {
        lock(&self.owed).push_back(what);
    }

    /// Takes note of a message of the server.
    fn note(&self, kind: u8) {
        let mut owed = lock(&self.owed);
        let mut answered = 0;
        match kind {
            b'C' | b'I' | b's' if owed.front() == Some(&Owed::Execution) => {
                owed.pop_front();
                answered += 1;
            }
            // After an error the server skips the rest of the pipeline.
            b'E' => {
                while owed.front() == Some(&Owed::Execution) {
                    owed.pop_front();
                    answered += 1;
                }
            }
            b'Z' => {
                owed.pop_front();
                answered += 1;
            }
            _ => {}
        }
        self.answered.send_modify(|count| *count += answered);
    }

    /// Waits until everything that was forwarded is answered.
    async fn all(&self) {
        let mut answered = self.answered.subscribe();
        drop(answered.wait_for(|_| lock(&self.owed).is_empty()).await);
    }
}

async fn relay(client: TcpStream, server: (String, u16), names: &Names, watch: &Watch) -> anyhow::Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answers =
        Answers { owed: Mutex::default(), answered: watch::Sender::new(0), is_held: AtomicBool::new(false) };
    let requests =
        Requests { names, watch, answers: &answers, statements: HashMap::new(), portals: HashMap::new() };
    tokio::select! {
        ended = requests.forward(from_client, to_server) => ended,
        ended = forward_answers(from_server, to_client, &answers) => ended,
    }
}

/// The client's side of a connection.
struct Requests<'a> {
    names: &'a Names,
    watch: &'a Watch,
    answers: &'a Answers,
    statements: HashMap<Vec<u8>, String>,
    portals: HashMap<Vec<u8>, String>,
}

impl Requests<'_> {
    async fn forward(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> anyhow::Result<()> {
        let mut messages = Messages { buffer: Vec::new(), is_begun: false };
        let mut bytes = vec![0; READ];
        loop {
            let read = from.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            messages.buffer.extend_from_slice(&bytes[..read]);
            let mut out = Vec::new();
            while let Some((kind, message)) = messages.next() {
                let Some((what, owed)) = self.boundary(kind, &message) else {
                    if kind == Some(b'S') {
                        self.answers.owe(Owed::Ready);
                    }
                    out.extend_from_slice(&message);
                    continue;
                };
                match self.watch.reach(format!("PostgreSQL: {what}")) {
                    Fate::Passes => {
                        self.answers.owe(owed);
                        out.extend_from_slice(&message);
                    }
                    Fate::IsDead => return Ok(()),
                    Fate::Dies(Moment::Before) => {
                        to.write_all(&out).await?;
                        self.watch.kill().await;
                        return Ok(());
                    }
                    Fate::Dies(Moment::After) => {
                        self.answers.is_held.store(true, Ordering::SeqCst);
                        self.answers.owe(owed);
                        out.extend_from_slice(&message);
                        if owed == Owed::Execution {
                            out.extend_from_slice(&FLUSH);
                        }
                        to.write_all(&out).await?;
                        self.answers.all().await;
                        self.watch.kill().await;
                        return Ok(());
                    }
                }
            }
            to.write_all(&out).await?;
        }
    }

    /// The boundary that a message is, in words.
    fn boundary(&mut self, kind: Option<u8>, message: &[u8]) -> Option<(String, Owed)> {
        let body = message.get(5..).unwrap_or_default();
        match kind {
            None => Some(("log in".to_owned(), Owed::Ready)),
            Some(b'P') => {
                let (name, rest) = text(body);
                let (statement, _) = text(rest);
                self.statements.insert(name.to_vec(), self.names.of(&String::from_utf8_lossy(statement)));
                None
            }
            Some(b'B') => {
                let (portal, rest) = text(body);
                let (statement, _) = text(rest);
                let name = self.statements.get(statement).cloned().unwrap_or_default();
                self.portals.insert(portal.to_vec(), name);
                None
            }
            Some(b'E') => {
                let (portal, _) = text(body);
                Some((self.portals.get(portal).cloned().unwrap_or_default(), Owed::Execution))
            }
            Some(b'Q') => Some((self.names.of(&String::from_utf8_lossy(text(body).0)), Owed::Ready)),
            Some(_) => None,
        }
    }
}

async fn forward_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    answers: &Answers,
) -> anyhow::Result<()> {
    let mut messages = Messages { buffer: Vec::new(), is_begun: true };
    let mut bytes = vec![0; READ];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        let is_held = answers.is_held.load(Ordering::SeqCst);
        messages.buffer.extend_from_slice(&bytes[..read]);
        while let Some((kind, _)) = messages.next() {
            answers.note(kind.unwrap_or_default());
        }
        if !is_held {
            to.write_all(&bytes[..read]).await?;
        }
    }
}

/// Cuts a stream into messages. Only a client's first message has no kind.
struct Messages {
    buffer: Vec<u8>,
    is_begun: bool,
}

impl Messages {
    fn next(&mut self) -> Option<(Option<u8>, Vec<u8>)> {
        let head = usize::from(self.is_begun);
        let length = self.buffer.get(head..head + 4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        let end = head + length;
        if self.buffer.len() < end {
            return None;
        }
        let message: Vec<u8> = self.buffer.drain(..end).collect();
        let kind = self.is_begun.then(|| message[0]);
        self.is_begun = true;
        Some((kind, message))
    }
}

/// A text that ends with a zero, and what follows it.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
