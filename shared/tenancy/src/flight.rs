//! One flight: several statements sent without waiting in between, answers read in order.
//!
//! The driver sends a request when its future is first polled, so polling each once, in order, puts them on the wire
//! in order; only then is the first answer awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::try_join_all;
use futures_util::poll;
use tokio_postgres::{Error, Row, Statement};

use crate::Params;

/// A statement of ours and what it is sent with.
pub(crate) type Request<'a> = (&'static str, Params<'a>);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// What a flight brought back.
pub(crate) struct Landed {
    /// An answer per request that was sent, in order.
    pub(crate) answers: Vec<Result<Vec<Row>, Error>>,
    /// Whether every request was sent. One that cannot be encoded ends the flight before it.
    pub(crate) all_sent: bool,
}

/// Prepares what is not prepared yet on this connection, all in one flight, and sends the requests in another.
pub(crate) async fn fly(
    client: &deadpool_postgres::Client,
    requests: &[Request<'_>],
) -> Result<Landed, Error> {
    let statements: Vec<Statement> =
        try_join_all(requests.iter().map(|(sql, _)| client.prepare_cached(sql))).await?;

    let mut answers = Vec::with_capacity(requests.len());
    let mut waiting: Vec<Answer<'_>> = Vec::with_capacity(requests.len());
    let mut unsent = None;
    for ((_, params), statement) in requests.iter().zip(&statements) {
        let mut answer: Answer<'_> = Box::pin(client.query(statement, params));
        match poll!(answer.as_mut()) {
            Poll::Pending => waiting.push(answer),
            // Nothing can have been answered yet: the request could not be encoded, or the connection is gone.
            Poll::Ready(early) => {
                unsent = Some(early);
                break;
            }
        }
    }
    for answer in waiting {
        answers.push(answer.await);
    }
    let all_sent = unsent.is_none();
    answers.extend(unsent);
    Ok(Landed { answers, all_sent })
}
