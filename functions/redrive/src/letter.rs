//! Reading a dead letter. Any body becomes a bounded row: a body that is understood is written anew with its ids only, and the row keeps
//! the beginning of any other.

use chrono::{DateTime, Utc};
use robnu_dispatch::{ExportMessage, Job, JobMessage, LaneRequest, is_parallel_queue, lane_account};
use robnu_storage::objects::{ArrivalNotice, ImportKey};
use robnu_tenancy::{AccountId, RunId, SellerId};
use serde::{Deserialize, Serialize};

use crate::queues::{DeadLetterQueue, Source};

/// Why a message is dead that no adapter has refused.
const TOO_MANY_RECEIVES: &str = "TOO_MANY_RECEIVES";
/// The longest text of an unreadable body that is kept, in bytes.
const EXCERPT_BYTES: usize = 2_000;
/// The longest body that is sent again; one of ours has less than 1,000 bytes.
const BODY_BYTES: usize = 8_000;

/// A message of a dead-letter queue as SQS hands it out.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// SQS's id.
    pub message_id: String,
    /// The body.
    pub body: String,
    /// The attribute that an adapter gives a message that it refuses.
    pub refusal: Option<String>,
    /// The queue that it died in, as the adapter or SQS says.
    pub from_queue: Option<String>,
    /// SQS's time of the message.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Form {
    /// A run's message.
    Job,
    /// S3's notice of a file to import.
    FileNotice,
    /// A request to look at an account's lane.
    LaneRequest,
    /// The announcement of an export.
    Export,
    /// Nothing that this build understands.
    Unreadable,
}

/// A dead letter as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    queue: String,
    message_id: String,
    source: &'static str,
    from_queue: Option<String>,
    /// What it is.
    pub form: Form,
    /// What is sent again, or the beginning of what nobody can read.
    pub body: String,
    body_bytes: i32,
    reason: String,
    sent_at: DateTime<Utc>,
    seller_id: Option<SellerId>,
    account_id: Option<AccountId>,
    run_id: Option<RunId>,
    kind: Option<&'static str>,
    step: Option<i32>,
    generation: Option<i32>,
    /// Whether this may be the run's own message: it died of too many receives where messages of its account and kind belong. A
    /// misplaced one says nothing about the run.
    pub marks_run: bool,
    /// Whether it does so only if the account has a shared lane.
    pub of_shared_lane: bool,
}

/// What a body was understood as.
#[derive(Debug)]
struct Content {
    form: Form,
    body: String,
    seller: SellerId,
    account: Option<AccountId>,
    job: Option<Job>,
}

impl Letter {
    /// Reads a message of a dead-letter queue. `now` stands in for a time that SQS did not tell.
    #[must_use]
    pub fn read(queue: &DeadLetterQueue, received: &Received, now: DateTime<Utc>) -> Self {
        let content = content(queue, &received.body);
        let job = content.as_ref().and_then(|content| content.job.as_ref());
        let reason = received.refusal.as_deref().map_or_else(|| TOO_MANY_RECEIVES.to_owned(), word);
        let from_queue = received.from_queue.as_deref().and_then(queue_name);
        let marks_run = received.refusal.is_none()
            && job.is_some_and(|job| belongs(job, queue, from_queue.as_deref().unwrap_or_default()));
        Self {
            queue: queue.name().to_owned(),
            message_id: excerpt(&received.message_id, 200),
            source: queue.source.as_str(),
            form: content.as_ref().map_or(Form::Unreadable, |content| content.form),
            body: match &content {
                Some(content) => content.body.clone(),
                None => excerpt(&received.body, EXCERPT_BYTES),
            },
            body_bytes: i32::try_from(received.body.len()).unwrap_or(i32::MAX),
            reason,
            sent_at: received.sent_at.unwrap_or(now),
            seller_id: content.as_ref().map(|content| content.seller),
            account_id: content.as_ref().and_then(|content| content.account),
            run_id: job.map(|job| job.run_id),
            kind: job.map(|job| job.kind.as_str()),
            step: job.map(|job| job.step),
            generation: job.map(|job| job.generation),
            of_shared_lane: job.is_some_and(|job| !job.kind.is_parallel() && !queue.is_fifo()),
            from_queue,
            marks_run,
        }
    }
}

fn content(queue: &DeadLetterQueue, body: &str) -> Option<Content> {
    match queue.source {
        Source::Marketplace(_) => job(body).or_else(|| notice(body)),
        Source::LaneRequests => {
            let request = LaneRequest::parse(body).ok()?;
            let (seller, account) = (request.seller_id, Some(request.account_id));
            Some(Content { form: Form::LaneRequest, body: request.to_body(), seller, account, job: None })
        }
        Source::Exports => {
            let message = ExportMessage::parse(body).ok()?;
            let (body, seller) = (message.to_body(), message.seller_id);
            Some(Content { form: Form::Export, body, seller, account: None, job: None })
        }
    }
}

fn job(body: &str) -> Option<Content> {
    let job = JobMessage::parse(body).ok()?.into_job();
    let (seller, account) = (job.seller_id, Some(job.account_id));
    let body = JobMessage::new(job.clone()).to_body();
    Some(Content { form: Form::Job, body, seller, account, job: Some(job) })
}

fn notice(body: &str) -> Option<Content> {
    let notice = ArrivalNotice::parse(body)?;
    let files: Vec<ImportKey> = notice.keys().map(ImportKey::parse).collect::<Option<_>>()?;
    let first = files.first()?;
    let (body, seller, account) = (notice.to_body(), first.seller, Some(first.account));
    (body.len() <= BODY_BYTES).then_some(Content { form: Form::FileNotice, body, seller, account, job: None })
}

/// Whether runs of the job's marketplace, account and kind go through the queue that the message died in.
fn belongs(job: &Job, queue: &DeadLetterQueue, from_queue: &str) -> bool {
    let from_lane = queue.is_fifo() && lane_account(from_queue) == Some(job.account_id);
    let from_parallel = !queue.is_fifo() && is_parallel_queue(from_queue);
    // The lane of the account may be a shared one: its row knows (record.sql).
    let came_its_way = from_parallel || (from_lane && !job.kind.is_parallel());
    queue.source == Source::Marketplace(job.marketplace) && came_its_way
}

/// A refusal's code. Whatever else somebody wrote there is cut down to one word.
fn word(text: &str) -> String {
    let word: String =
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(64).collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}

/// A queue's name, from its ARN or URL.
fn queue_name(queue: &str) -> Option<String> {
    let name = queue.rsplit([':', '/']).next().unwrap_or_default();
    (!name.is_empty()).then(|| excerpt(name, 100))
}

/// The beginning of a text, without characters that the database does not store or that would disturb a terminal.
fn excerpt(text: &str, bytes: usize) -> String {
    let mut kept = String::new();
    for letter in text.chars() {
        let letter = if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
        if kept.len() + letter.len_utf8() > bytes {
            break;
        }
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
