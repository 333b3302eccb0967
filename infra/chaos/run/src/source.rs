//! The event source: hands the messages of the queues to the functions, as Lambda's event source mappings do, and loses, doubles and delays
//! some. A message that is not handled comes back when its visibility timeout is over.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::types::Message;
use robnu_dispatch::JobMessage;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::aws::{VISIBILITY_SECONDS, arn};
use crate::function::{Function, Outcome};
use crate::plan::Fault;
use crate::strikes::{Strikes, lock};

/// How long a poll waits for a message.
const WAIT_SECONDS: i32 = 2;
/// The pause after a queue could not be read.
const PAUSE: Duration = Duration::from_millis(500);
/// Messages of a parallel queue in one event.
const BATCH: i32 = 3;

/// A step of a run, as it was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Publication {
    /// The run.
    pub run: Uuid,
    /// Its step.
    pub step: i32,
    /// The step's generation.
    pub generation: i32,
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy)]
pub enum MessageFault {
    /// It disappears.
    Lost,
    /// The next notice of a file disappears. There are few, and only a lost one shows that the sweep begins its import.
    NoticeLost,
    /// It is delivered twice at the same time.
    Doubled,
    /// It is delivered so much later.
    Delayed(Duration),
}

/// What all pollers share.
#[derive(Debug)]
pub struct Source {
    sqs: aws_sdk_sqs::Client,
    faults: Mutex<VecDeque<MessageFault>>,
    seen: Mutex<HashSet<Publication>>,
    strikes: Arc<Strikes>,
}

impl Source {
    /// A source without pollers.
    pub fn new(sqs: aws_sdk_sqs::Client, strikes: Arc<Strikes>) -> Arc<Self> {
        Arc::new(Self { sqs, faults: Mutex::default(), seen: Mutex::default(), strikes })
    }

    /// Hands a queue's messages to a function until `tasks` end.
    pub fn poll(self: &Arc<Self>, queue: &str, function: &Arc<Function>, tasks: &mut JoinSet<()>) {
        self.poll_while(queue, function, Arc::new(AtomicBool::new(true)), tasks);
    }

    /// Hands a queue's messages to a function as long as its mapping is enabled.
    pub fn poll_while(
        self: &Arc<Self>,
        queue: &str,
        function: &Arc<Function>,
        is_enabled: Arc<AtomicBool>,
        tasks: &mut JoinSet<()>,
    ) {
        let (source, queue, function) = (Arc::clone(self), queue.to_owned(), Arc::clone(function));
        tasks.spawn(async move {
            while is_enabled.load(Ordering::Relaxed) {
                match source.receive(&queue).await {
                    Ok(messages) if messages.is_empty() => {}
                    Ok(messages) => source.take(&queue, messages, &function).await,
                    Err(_) => sleep(PAUSE).await,
                }
            }
        });
    }

    /// Lets something become of the next message that it fits.
    pub fn spoil(&self, fault: MessageFault) {
        lock(&self.faults).push_back(fault);
    }

    /// How many messages are still to be spoiled.
    pub fn spoiled(&self) -> usize {
        lock(&self.faults).len()
    }

    /// Delivers everything again as it comes.
    pub fn spare(&self) {
        lock(&self.faults).clear();
    }

    /// The messages that queues have handed out.
    pub fn seen(&self) -> Vec<Publication> {
        lock(&self.seen).iter().copied().collect()
    }

    async fn receive(&self, queue: &str) -> Result<Vec<Message>, aws_sdk_sqs::Error> {
        let at_most = if crate::aws::is_fifo(queue) { 1 } else { BATCH };
        let receive = self.sqs.receive_message().queue_url(queue).wait_time_seconds(WAIT_SECONDS);
        Ok(receive.max_number_of_messages(at_most).send().await?.messages.unwrap_or_default())
    }

    /// Hands messages on, and waits until they are handled or visible again.
    async fn take(self: &Arc<Self>, queue: &str, messages: Vec<Message>, function: &Arc<Function>) {
        self.note(&messages);
        match self.fault(&messages) {
            Some(MessageFault::Lost | MessageFault::NoticeLost) => {
                self.strikes.count_many(Fault::MessageLost, messages.len());
                for message in &messages {
                    self.delete(queue, message).await;
                }
                return;
            }
            Some(MessageFault::Delayed(length)) => {
                self.strikes.count_many(Fault::MessageDelayed, messages.len());
                sleep(length).await;
            }
            Some(MessageFault::Doubled) => {
                self.strikes.count_many(Fault::MessageDoubled, messages.len());
                let again = Arc::clone(self).handle(queue.to_owned(), messages.clone(), Arc::clone(function));
                tokio::spawn(again);
            }
            None => {}
        }
        let handled = tokio::spawn(Arc::clone(self).handle(queue.to_owned(), messages, Arc::clone(function)));
        let visible = Duration::from_secs(u64::from(VISIBILITY_SECONDS.unsigned_abs()));
        // Whoever takes longer goes on, and the queue hands the message out again.
        drop(timeout(visible, handled).await);
    }

    /// Takes the first fault that fits the messages.
    fn fault(&self, messages: &[Message]) -> Option<MessageFault> {
        let has_notice = messages.iter().any(is_notice);
        let mut faults = lock(&self.faults);
        let fits = |fault: &MessageFault| has_notice || !matches!(fault, MessageFault::NoticeLost);
        let at = faults.iter().position(fits)?;
        faults.remove(at)
    }

    async fn handle(self: Arc<Self>, queue: String, messages: Vec<Message>, function: Arc<Function>) {
        let what = what(&messages);
        let outcome = function.invoke(event(&queue, &messages), &what).await;
        let Outcome::Response(response) = outcome else { return };
        let failed = failed(&response);
        for message in &messages {
            if !failed.contains(&message.message_id.as_deref()) {
                self.delete(&queue, message).await;
            }
        }
    }

    async fn delete(&self, queue: &str, message: &Message) {
        let delete = self.sqs.delete_message().queue_url(queue);
        // A message that is not deleted comes again, which the functions must bear anyway.
        drop(delete.set_receipt_handle(message.receipt_handle.clone()).send().await);
    }

    fn note(&self, messages: &[Message]) {
        let jobs = messages.iter().filter_map(|message| JobMessage::parse(message.body.as_deref()?).ok());
        let published = jobs.map(JobMessage::into_job).map(|job| Publication {
            run: *job.run_id.as_uuid(),
            step: job.step,
            generation: job.generation,
        });
        lock(&self.seen).extend(published);
    }
}

/// The kinds of runs that messages announce, for the table of kills.
fn what(messages: &[Message]) -> String {
    let body = messages.first().and_then(|message| message.body.as_deref()).unwrap_or_default();
    match JobMessage::parse(body) {
        Ok(message) => message.into_job().kind.as_str().to_owned(),
        Err(_) => "notice of a file".to_owned(),
    }
}

/// Whether a message is no job's.
fn is_notice(message: &Message) -> bool {
    message.body.as_deref().is_none_or(|body| JobMessage::parse(body).is_err())
}

/// The event of messages of a queue.
pub fn event(queue: &str, messages: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "eventSource": "aws:sqs",
            "eventSourceARN": arn(queue),
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<Value>>() })
}

/// The ids of the messages that a function left in their queue.
pub fn failed(response: &Value) -> Vec<Option<&str>> {
    let failures = response["batchItemFailures"].as_array().into_iter().flatten();
    failures.map(|failure| failure["itemIdentifier"].as_str()).collect()
}
