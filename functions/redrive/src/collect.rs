//! Collecting: takes dead letters out of their queues into the database.
//!
//! A batch is recorded and its runs are marked in one transaction, and only then deleted from the queue. An invocation that dies in
//! between leaves messages that come again and change nothing. At most ten messages are in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use robnu_observe::metric;
use robnu_tenancy::{Error, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::RedriveError;
use crate::letter::{Letter, Received};
use crate::publish::{Pace, resume};
use crate::queues::DeadLetterQueue;

const RECORD: &str = include_str!("sql/record.sql");
const COUNT_OPEN: &str = include_str!("sql/count_open.sql");

/// The metric that counts open dead letters, by source.
pub(crate) const OPEN_DEAD_LETTERS: &str = "OpenDeadLetters";
/// The most that SQS hands out at once.
const BATCH: i32 = 10;
/// How long a batch is hidden while it is recorded, in seconds. After that, another collection sees the messages that were not deleted.
const HIDDEN_SECONDS: i32 = 60;
/// No batch begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(12);
/// How many messages per second are sent that an earlier redrive left.
const RESUME_RATE: f64 = 50.0;

/// The report of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Messages that queues handed out.
    pub received: usize,
    /// Those that were not recorded before.
    pub recorded: usize,
    /// Runs that were marked.
    pub marked: usize,
    /// Messages sent that an earlier redrive had left.
    pub resumed: usize,
    /// Open dead letters by source.
    pub open: BTreeMap<String, i64>,
    /// Whether time ran out; the next collection goes on.
    pub time_short: bool,
}

/// Reads all dead-letter queues, in turn, until they are empty or the deadline is near.
pub(crate) async fn collect(context: &Context, deadline: Instant) -> Result<Collected, RedriveError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Collected::default();
    let mut queues: Vec<&DeadLetterQueue> = context.queues.dead_letters.iter().collect();
    let mut unreadable = 0;
    while !queues.is_empty() && !report.time_short {
        let mut not_empty = Vec::with_capacity(queues.len());
        for queue in queues {
            if Instant::now() >= stop_at {
                report.time_short = true;
                break;
            }
            match receive(context, queue).await {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => {
                    take(context, queue, messages, &mut report).await?;
                    not_empty.push(queue);
                }
                Err(error) => {
                    unreadable += 1;
                    tracing::error!(
                        queue = queue.name(),
                        error = robnu_observe::chain(error.as_ref()),
                        "a dead-letter queue could not be read"
                    );
                }
            }
        }
        queues = not_empty;
    }
    report.resumed = resume(context, &mut Pace::new(RESUME_RATE), stop_at).await?.done();
    report.open = count_open(context).await.map_err(RedriveError::Find)?;
    tracing::info!(
        received = report.received,
        recorded = report.recorded,
        marked = report.marked,
        resumed = report.resumed,
        open = report.open.values().sum::<i64>(),
        time_short = report.time_short,
        "dead letters collected"
    );
    if unreadable > 0 {
        return Err(RedriveError::Queues { queues: unreadable });
    }
    Ok(report)
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

async fn receive(context: &Context, queue: &DeadLetterQueue) -> Result<Vec<Message>, Cause> {
    let received = context
        .sqs
        .receive_message()
        .queue_url(&queue.url)
        .max_number_of_messages(BATCH)
        .visibility_timeout(HIDDEN_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .send()
        .await
        .map_err(aws_sdk_sqs::error::SdkError::into_service_error)?;
    Ok(received.messages.unwrap_or_default())
}

/// Records a batch, commits, and deletes it from its queue.
async fn take(
    context: &Context,
    queue: &DeadLetterQueue,
    messages: Vec<Message>,
    report: &mut Collected,
) -> Result<(), RedriveError> {
    report.received += messages.len();
    let now = Utc::now();
    let (mut receipts, mut letters) = (Vec::new(), Vec::new());
    for message in messages {
        receipts.extend(message.receipt_handle.clone());
        letters.push(Letter::read(queue, &received(message), now));
    }
    let (recorded, marked) = record(context, &letters).await.map_err(RedriveError::Record)?;
    report.recorded += recorded;
    report.marked += marked;
    if let Err(error) = delete(context, queue, &receipts).await {
        tracing::warn!(
            queue = queue.name(),
            error = robnu_observe::chain(error.as_ref()),
            "recorded dead letters stay in their queue; they come again and change nothing"
        );
    }
    Ok(())
}

fn received(message: Message) -> Received {
    let system = message.attributes.unwrap_or_default();
    let ours = message.message_attributes.unwrap_or_default();
    let of_adapter = |name| ours.get(name).and_then(|value| value.string_value.clone());
    let sent = system.get(&MessageSystemAttributeName::SentTimestamp).and_then(|millis| millis.parse().ok());
    Received {
        message_id: message.message_id.unwrap_or_default(),
        refusal: of_adapter("refusal"),
        from_queue: of_adapter("queue")
            .or_else(|| system.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn).cloned()),
        sent_at: sent.and_then(DateTime::from_timestamp_millis),
        body: message.body.unwrap_or_default(),
    }
}

/// Records letters and marks the runs of those that are new. Returns how many of each.
async fn record(context: &Context, letters: &[Letter]) -> Result<(usize, usize), Error> {
    let letters = serde_json::to_string(letters).map_err(|_| Error::RowShape)?;
    let session = context.database.session(&SystemScope::Redrive).await?;
    let answers = session.commit_with(&[(RECORD, &[&letters])]).await?;
    let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
    let count = |column| Ok::<_, Error>(usize::try_from(row.try_get::<_, i64>(column)?).unwrap_or_default());
    Ok((count("recorded")?, count("marked")?))
}

async fn delete(context: &Context, queue: &DeadLetterQueue, receipts: &[String]) -> Result<(), Cause> {
    let entries: Vec<DeleteMessageBatchRequestEntry> = receipts
        .iter()
        .enumerate()
        .map(|(at, receipt)| {
            DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt).build()
        })
        .collect::<Result<_, _>>()?;
    let batch = context.sqs.delete_message_batch().queue_url(&queue.url).set_entries(Some(entries));
    batch.send().await.map_err(aws_sdk_sqs::error::SdkError::into_service_error)?;
    Ok(())
}

/// Counts the open dead letters of each source that has a queue, and states the counts as metrics: a zero ends an alarm.
async fn count_open(context: &Context) -> Result<BTreeMap<String, i64>, Error> {
    let sources = context.queues.dead_letters.iter().map(|queue| (queue.source.as_str().to_owned(), 0));
    let mut open: BTreeMap<String, i64> = sources.collect();
    for row in context.database.read(&SystemScope::Redrive, COUNT_OPEN, &[]).await? {
        open.insert(row.try_get("source")?, row.try_get("letters")?);
    }
    for (source, letters) in &open {
        metric::gauge(OPEN_DEAD_LETTERS, ("Source", source), *letters);
    }
    Ok(open)
}
