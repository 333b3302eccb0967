//! The work at hand, such as a request or a job: the trace that it belongs to, and how often it has asked the database.
//!
//! It follows a future, as a span does, so that no function has to hand it on. Outside of any work nothing is known and nothing counted.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

tokio::task_local! {
    static WORK: Work;
}

/// A trace, as the W3C's trace context names it: 16 bytes, not all of them zero. It is made here and is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(Uuid);

impl TraceId {
    /// The trace of an invocation: Lambda names each by a UUID that no caller can choose, as they could with `X-Amzn-Trace-Id`. Another
    /// text gets a trace of its own.
    #[must_use]
    pub fn of_invocation(id: &str) -> Self {
        Uuid::try_parse(id).ok().and_then(Self::from_uuid).unwrap_or_else(|| Self(Uuid::now_v7()))
    }

    /// The trace that a UUID stands for; none for the nil UUID.
    #[must_use]
    pub fn from_uuid(id: Uuid) -> Option<Self> {
        (!id.is_nil()).then_some(Self(id))
    }

    /// Reads a W3C `traceparent` of the first version. Whatever else a message holds is no trace.
    #[must_use]
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let [version, trace, span, flags] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
        let is_whole = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
        if !is_whole || version != "00" || ![trace, span, flags].into_iter().all(digits) {
            return None;
        }
        Uuid::try_parse(trace).ok().and_then(Self::from_uuid)
    }

    /// The same 16 bytes.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

/// 32 hexadecimal digits, as in a `traceparent`.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

#[derive(Debug)]
struct Work {
    trace: Mutex<TraceId>,
    round_trips: AtomicU32,
}

/// Does the work as part of a trace.
pub async fn within<F: Future>(trace: TraceId, work: F) -> F::Output {
    let begun = Work { trace: Mutex::new(trace), round_trips: AtomicU32::new(0) };
    WORK.scope(begun, work).await
}

/// The trace of the work at hand.
#[must_use]
pub fn trace() -> Option<TraceId> {
    WORK.try_with(|work| *work.trace.lock().unwrap_or_else(PoisonError::into_inner)).ok()
}

/// The work at hand belongs to this trace, as is known only now.
pub fn join(trace: TraceId) {
    // Outside of any work there is nothing to follow.
    let _ = WORK.try_with(|work| *work.trace.lock().unwrap_or_else(PoisonError::into_inner) = trace);
}

/// The work at hand sends the database a pipeline, and waits for its answers.
pub fn count_round_trip() {
    let _ = WORK.try_with(|work| work.round_trips.fetch_add(1, Ordering::Relaxed));
}

/// The pipelines that the work at hand has sent.
#[must_use]
pub fn round_trips() -> u32 {
    WORK.try_with(|work| work.round_trips.load(Ordering::Relaxed)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_trace_is_read_from_a_traceparent_and_from_nothing_else() {
        let read = |text: &str| TraceId::from_traceparent(text).map(|trace| trace.to_string());
        assert_eq!(read(&format!("00-{TRACE}-00f067aa0ba902b7-01")).as_deref(), Some(TRACE));
        for garbage in [
            "",
            TRACE,
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01",
            "00-\u{e9}bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn an_invocation_s_id_is_its_trace_and_another_text_gets_one_of_its_own() {
        let id = Uuid::now_v7();
        assert_eq!(TraceId::of_invocation(&id.to_string()).as_uuid(), &id);
        let (one, two) = (TraceId::of_invocation("x\"y"), TraceId::of_invocation("x\"y"));
        assert_ne!(one, two);
        assert_ne!(TraceId::of_invocation(&Uuid::nil().to_string()).as_uuid(), &Uuid::nil());
    }

    #[tokio::test]
    async fn works_at_the_same_time_have_their_own_traces_and_counts() {
        let meeting = tokio::sync::Barrier::new(2);
        let work = async |times: u32| {
            let mine = TraceId::of_invocation("");
            within(mine, async {
                for _ in 0..times {
                    count_round_trip();
                }
                meeting.wait().await;
                assert_eq!((trace(), round_trips()), (Some(mine), times));
            })
            .await;
        };
        tokio::join!(work(1), work(3));
        count_round_trip();
        assert_eq!((trace(), round_trips()), (None, 0));
    }
}
