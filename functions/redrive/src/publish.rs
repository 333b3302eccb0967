//! Sends what a redrive has committed: runs' messages by the publisher, and other bodies to their own queues. Messages go one after
//! the other, in the order in which they died, at a bounded rate.
//!
//! The invocation that commits a redrive sends its messages. A message that it leaves unsent is due after half a minute; [`resume`] sends
//! it, for a run in a new generation. So each generation is sent once, and nothing is forgotten.

use std::time::Duration;

use robnu_dispatch::{Job, OutboxMessage, mark_sent};
use robnu_observe::chain;
use robnu_tenancy::{DeadLetterId, Error, Params, Row, SystemScope};
use tokio::time::{Instant, sleep_until};

use crate::context::Context;
use crate::error::RedriveError;
use crate::queues::Source;

const SETTLE: &str = include_str!("sql/settle.sql");
const RESUME: &str = include_str!("sql/resume.sql");
const MARK_PUBLISHED: &str = include_str!("sql/mark_published.sql");

/// How long, in seconds, only the invocation that committed a redrive sends its messages. The scheduling sweep leaves an unsent run alone for as long.
pub(crate) const OWN_SECONDS: f64 = 30.0;
/// Messages that one [`resume`] takes up.
const RESUMED_AT_ONCE: i64 = 100;

/// The rate at which messages are sent.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Instant,
}

impl Pace {
    /// So many messages per second.
    pub(crate) fn new(per_second: f64) -> Self {
        Self { gap: Duration::from_secs_f64(per_second.recip()), next: Instant::now() }
    }

    /// Waits until the next message may be sent.
    async fn turn(&mut self) {
        sleep_until(self.next).await;
        self.next = Instant::now().max(self.next) + self.gap;
    }
}

/// What became of messages.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Runs published.
    pub published: usize,
    /// Other bodies sent.
    pub bodies: usize,
    /// Messages that a queue did not take. They are sent later.
    pub failed: usize,
    jobs: Vec<Job>,
    letters: Vec<DeadLetterId>,
}

impl Sent {
    pub(crate) fn done(&self) -> usize {
        self.published + self.bodies
    }
}

/// Sends the messages of rows that `redrive.sql` or `resume.sql` returned, and marks those that were sent.
pub(crate) async fn send(context: &Context, rows: &[Row], pace: &mut Pace) -> Result<Sent, RedriveError> {
    let mut sent = Sent::default();
    for row in rows {
        send_one(context, row, pace, &mut sent).await.map_err(RedriveError::Redrive)?;
    }
    if !sent.letters.is_empty() {
        mark_sent(&context.database, &SystemScope::Redrive, &sent.jobs).await.map_err(RedriveError::Mark)?;
        let session = context.database.session(&SystemScope::Redrive).await.map_err(RedriveError::Mark)?;
        let marked = session.commit_with(&[(MARK_PUBLISHED, &[&sent.letters])]).await;
        marked.map_err(RedriveError::Mark)?;
    }
    Ok(sent)
}

async fn send_one(context: &Context, row: &Row, pace: &mut Pace, sent: &mut Sent) -> Result<(), Error> {
    let letter: DeadLetterId = row.try_get("letter_id")?;
    let outcome: &str = row.try_get("outcome")?;
    let error = match outcome {
        "PUBLISHED" => {
            let Some(OutboxMessage { job, lane_url }) = OutboxMessage::from_row(row)? else { return Ok(()) };
            pace.turn().await;
            match context.publisher.publish(lane_url.as_deref(), job.clone()).await {
                Ok(()) => {
                    sent.published += 1;
                    sent.jobs.push(job);
                    None
                }
                Err(error) => Some(chain(&error)),
            }
        }
        "SENT" => {
            let source = Source::parse(row.try_get("source")?);
            let queue = source.and_then(|source| context.queues.home(source)).ok_or(Error::RowShape)?;
            pace.turn().await;
            let body: String = row.try_get("body")?;
            match context.sqs.send_message().queue_url(queue).message_body(body).send().await {
                Ok(_) => {
                    sent.bodies += 1;
                    None
                }
                Err(error) => Some(chain(&error.into_service_error())),
            }
        }
        _ => return Ok(()),
    };
    match error {
        None => sent.letters.push(letter),
        Some(error) => {
            sent.failed += 1;
            tracing::warn!(dead_letter.id = %letter, error, "a redriven message could not be sent; it is sent later");
        }
    }
    Ok(())
}

/// Sends messages that earlier redrives have committed and left unsent, because they died or a queue did not take the message.
pub(crate) async fn resume(
    context: &Context,
    pace: &mut Pace,
    stop_at: Instant,
) -> Result<Sent, RedriveError> {
    if Instant::now() >= stop_at {
        return Ok(Sent::default());
    }
    let session = context.database.session(&SystemScope::Redrive).await.map_err(RedriveError::Redrive)?;
    let params: Params<'_> = &[&RESUMED_AT_ONCE, &OWN_SECONDS];
    let mut answers =
        session.commit_with(&[(SETTLE, &[]), (RESUME, params)]).await.map_err(RedriveError::Redrive)?;
    send(context, &answers.pop().unwrap_or_default(), pace).await
}
