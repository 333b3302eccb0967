//! A pipeline: several statements are sent without waiting in between, and their answers are read in order.
//!
//! The driver sends a request when its future is first polled. So polling each once, in order, puts them on the wire in
//! order; only then is the first answer awaited. The driver drops an answer that nobody waits for.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::try_join_all;
use futures_util::poll;
use tokio_postgres::{Error, Row, Statement};

use crate::Request;
use crate::scope::RequestCount;

pub(crate) const COMMIT: Request<'static> = ("commit", &[]);
pub(crate) const ROLLBACK: Request<'static> = ("rollback", &[]);

/// What a pipeline brought back.
#[derive(Debug)]
pub(crate) struct Pipelined<T, E> {
    /// One answer per request that was sent and is waited for, in order; then the error of a request that could not be sent.
    pub(crate) answers: Vec<Result<T, E>>,
    /// Whether every request was sent. A request that cannot be encoded ends the pipeline before it.
    pub(crate) all_sent: bool,
}

/// Prepares the statements that are new to this connection, all in one round trip, and sends the requests in another. The
/// request's count follows them, and nobody waits for its answer.
pub(crate) async fn send_pipelined(
    client: &deadpool_postgres::Client,
    requests: &[Request<'_>],
    count: Option<&RequestCount>,
) -> Result<Pipelined<Vec<Row>, Error>, Error> {
    robnu_observe::work::count_round_trip();
    let count_params = count.map(RequestCount::params);
    let count = count_params.as_ref().map(|params| (RequestCount::SQL, params.as_slice()));
    let all: Vec<Request<'_>> = requests.iter().copied().chain(count).collect();
    let statements: Vec<Statement> =
        try_join_all(all.iter().map(|(sql, _)| client.prepare_cached(sql))).await?;
    let sending = all.iter().zip(&statements).map(|((_, params), statement)| client.query(statement, params));
    // Only an answer of the server proves that a request was sent; any other error may mean that it was not.
    Ok(send_all(sending, requests.len(), |error| error.as_db_error().is_some()).await)
}

/// Polls each request once, in order, then awaits the answers of the first `awaited`. An answer may be there at the first
/// poll, when another thread reads the socket. That request was sent like any other, and those after it must still follow.
async fn send_all<F, T, E>(
    requests: impl Iterator<Item = F>,
    awaited: usize,
    was_sent: impl Fn(&E) -> bool,
) -> Pipelined<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    enum Answer<F, T, E> {
        Awaited(Pin<Box<F>>),
        Here(Result<T, E>),
    }
    let mut sent = Vec::new();
    let mut all_sent = true;
    for request in requests {
        let mut request = Box::pin(request);
        sent.push(match poll!(request.as_mut()) {
            Poll::Pending => Answer::Awaited(request),
            Poll::Ready(answer) => {
                all_sent = answer.as_ref().err().is_none_or(&was_sent);
                Answer::Here(answer)
            }
        });
        if !all_sent {
            break;
        }
    }
    let mut answers = Vec::with_capacity(awaited);
    for answer in sent.into_iter().take(awaited) {
        answers.push(match answer {
            Answer::Awaited(request) => request.await,
            Answer::Here(answer) => answer,
        });
    }
    Pipelined { answers, all_sent }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::send_all;

    /// A request that logs that it was sent, and is answered at the first poll or at the second.
    async fn request(
        log: &RefCell<Vec<u8>>,
        number: u8,
        early: bool,
        fails: bool,
    ) -> Result<u8, &'static str> {
        log.borrow_mut().push(number);
        if !early {
            tokio::task::yield_now().await;
        }
        if fails { Err("unsent") } else { Ok(number) }
    }

    #[tokio::test]
    async fn an_early_answer_does_not_end_the_pipeline() {
        let log = RefCell::new(Vec::new());
        let requests = [(1, false), (2, true), (3, false)].map(|(n, early)| request(&log, n, early, false));
        let results = send_all(requests.into_iter(), 3, |_| false).await;
        assert!(results.all_sent);
        assert_eq!(results.answers, [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(*log.borrow(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_request_that_nobody_waits_for_is_sent_too() {
        let log = RefCell::new(Vec::new());
        let requests = [(1, false), (2, false), (3, true)].map(|(n, early)| request(&log, n, early, false));
        let results = send_all(requests.into_iter(), 2, |_| false).await;
        assert_eq!(results.answers, [Ok(1), Ok(2)]);
        assert_eq!(*log.borrow(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn nothing_is_sent_after_a_request_that_could_not_be_sent() {
        let log = RefCell::new(Vec::new());
        let requests = [(1, false), (2, true), (3, false)].map(|(n, fails)| request(&log, n, fails, fails));
        let results = send_all(requests.into_iter(), 3, |_| false).await;
        assert!(!results.all_sent);
        assert_eq!(results.answers, [Ok(1), Err("unsent")]);
        assert_eq!(*log.borrow(), [1, 2]);
    }
}
