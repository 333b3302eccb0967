//! The message in a lane: a versioned, tagged JSON object that names a run and nothing else.

use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_observe::work::{self, TraceId};
use robnu_tenancy::{AccountId, RunId, SellerId};
use serde::{Deserialize, Serialize};

use crate::versioned::{self, MessageError};

/// An announcement of one step of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The run.
    pub run_id: RunId,
    /// The run's step.
    pub step: i32,
    /// The step's publication.
    pub generation: i32,
    /// The seller that owns the run.
    pub seller_id: SellerId,
    /// The account that the run reads.
    pub account_id: AccountId,
    /// The marketplace, and so the adapter.
    #[serde(with = "code_text")]
    pub marketplace: MarketplaceCode,
    /// What to do.
    pub kind: RunKind,
}

impl Job {
    /// SQS drops a message with an id seen in the last five minutes, so each publication has its own.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        format!("{}.{}.{}", self.run_id, self.step, self.generation)
    }
}

/// A job on the wire. A new version is a new variant; the old ones stay readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "version")]
pub enum JobMessage {
    /// The first form.
    #[serde(rename = "1")]
    V1 {
        /// The job.
        job: Job,
        /// W3C trace context. Its trace is that of the request or job that published the message; without one, the run's id.
        trace_parent: String,
    },
}

impl JobMessage {
    /// Makes the message of a job, in the current version and in the trace of the work at hand.
    #[must_use]
    pub fn new(job: Job) -> Self {
        let trace = work::trace().map_or(*job.run_id.as_uuid(), |trace| *trace.as_uuid()).simple();
        let (_, span) = job.account_id.as_uuid().as_u64_pair();
        Self::V1 { trace_parent: format!("00-{trace}-{span:016x}-01"), job }
    }

    /// Reads a message body. A body that is not understood is an error and never guessed at; only the trace, on which no work depends, may
    /// be missing or garbage.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        #[derive(Deserialize)]
        struct V1 {
            job: Job,
            #[serde(default)]
            trace_parent: serde_json::Value,
        }
        let V1 { job, trace_parent } = versioned::parse(body, "1")?;
        Ok(Self::V1 { job, trace_parent: trace_parent.as_str().unwrap_or_default().to_owned() })
    }

    /// The message body.
    ///
    /// # Panics
    /// Never: ids, numbers and texts always serialize.
    #[must_use]
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids, numbers and texts always serialize")
    }

    /// The trace that the message belongs to: its own or, if that is none, the run's id.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        let Self::V1 { job, trace_parent } = self;
        TraceId::from_traceparent(trace_parent)
            .unwrap_or_else(|| TraceId::of_invocation(&job.run_id.to_string()))
    }

    /// The job inside.
    #[must_use]
    pub fn into_job(self) -> Job {
        match self {
            Self::V1 { job, .. } => job,
        }
    }
}

mod code_text {
    //! Serializes a marketplace code as its text.

    use robnu_marketplace::code::MarketplaceCode;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes a reference")]
    pub(super) fn serialize<S: Serializer>(code: &MarketplaceCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<MarketplaceCode, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job() -> Job {
        Job {
            run_id: RunId::new(),
            step: 2,
            generation: 3,
            seller_id: SellerId::new(),
            account_id: AccountId::new(),
            marketplace: MarketplaceCode::AmazonIn,
            kind: RunKind::Orders,
        }
    }

    #[test]
    fn a_job_survives_the_wire() {
        let job = job();
        let body = JobMessage::new(job.clone()).to_body();
        assert_eq!(JobMessage::parse(&body).unwrap().into_job(), job);
    }

    #[test]
    fn each_publication_has_its_own_deduplication_id() {
        let job = job();
        let again = Job { generation: job.generation + 1, ..job.clone() };
        let next = Job { step: job.step + 1, generation: 0, ..job.clone() };
        assert_ne!(job.deduplication_id(), again.deduplication_id());
        assert_ne!(again.deduplication_id(), next.deduplication_id());
    }

    #[test]
    fn an_unknown_version_is_refused_and_not_guessed() {
        let body = JobMessage::new(job()).to_body().replace(r#""version":"1""#, r#""version":"2""#);
        assert_eq!(JobMessage::parse(&body), Err(MessageError::UnknownVersion));
    }

    #[test]
    fn a_message_of_another_shape_is_refused_with_its_place() {
        let body = JobMessage::new(job()).to_body().replace("AMAZON_IN", "EBAY");
        assert!(matches!(JobMessage::parse(&body), Err(MessageError::Malformed { line: 1, .. })));
    }

    #[tokio::test]
    async fn a_message_carries_the_trace_of_the_work_that_sends_it_and_else_the_run_s_own() {
        let job = job();
        let alone = JobMessage::parse(&JobMessage::new(job.clone()).to_body()).unwrap();
        assert_eq!(alone.trace().as_uuid(), job.run_id.as_uuid());
        let request = TraceId::of_invocation("a request");
        let sent = work::within(request, async { JobMessage::new(job).to_body() }).await;
        assert_eq!(JobMessage::parse(&sent).unwrap().trace(), request);
    }

    #[test]
    fn garbage_in_the_trace_refuses_no_job_and_goes_no_further() {
        let job = job();
        let mut body: serde_json::Value =
            serde_json::from_str(&JobMessage::new(job.clone()).to_body()).unwrap();
        for garbage in [
            serde_json::json!(null),
            serde_json::json!(7),
            serde_json::json!(["00"]),
            serde_json::json!("\u{1b}[2J\n{\"level\":\"ERROR\"}"),
            serde_json::json!("x".repeat(10_000)),
        ] {
            body["trace_parent"] = garbage;
            let message = JobMessage::parse(&body.to_string()).unwrap();
            assert_eq!(message.trace().as_uuid(), job.run_id.as_uuid());
            assert_eq!(message.into_job(), job);
        }
        body.as_object_mut().unwrap().remove("trace_parent");
        assert_eq!(JobMessage::parse(&body.to_string()).unwrap().into_job(), job);
    }

    proptest! {
        #[test]
        fn garbage_is_refused(body in ".{0,200}") {
            prop_assert!(JobMessage::parse(&body).is_err());
        }
    }
}
