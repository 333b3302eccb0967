//! Changes of dead letters, which the function makes part by part: the request is repeated until nothing remains that it could do.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};

/// How long to wait when letters remain that cannot be redriven at once, because earlier ones are not sent yet.
const PAUSE: Duration = Duration::from_secs(5);
/// How often in a row that may be so: longer than the minute in which a collection sends unsent messages.
const PAUSES: usize = 24;

/// A change that is made part by part.
#[derive(Debug)]
pub(crate) struct Parts {
    request: Value,
    /// The fields of a report that count what was done.
    progress: &'static [&'static str],
    /// How many parts without progress are waited for.
    patience: usize,
    pauses: usize,
    remaining: i64,
    /// How many letters may still be changed.
    left: Option<usize>,
    is_over: bool,
}

impl Parts {
    /// A redrive. Letters that wait for earlier ones may become free within a minute.
    pub(crate) fn redrive(request: &Value) -> Self {
        Self::new(json!({ "redrive": request }), &["published", "sent", "moved_on", "superseded"], PAUSES)
    }

    /// A discard. What another command holds at the moment is left to it.
    pub(crate) fn discard(request: &Value) -> Self {
        Self::new(json!({ "discard": request }), &["discarded"], 0)
    }

    fn new(request: Value, progress: &'static [&'static str], patience: usize) -> Self {
        Self { request, progress, patience, pauses: 0, remaining: 0, left: None, is_over: false }
    }

    /// The same change of so many letters at most, those that died first: as many as somebody has seen and agreed to.
    pub(crate) fn at_most(self, letters: Option<usize>) -> Self {
        Self { left: letters, ..self }
    }

    /// The next request to make, when it is time for it. None after the last part.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        if self.is_over {
            return None;
        }
        if self.pauses > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        // Without a report nothing more is asked for.
        self.is_over = true;
        let mut request = self.request.clone();
        if let (Some(left), Some(change)) =
            (self.left, request.as_object_mut().and_then(|it| it.values_mut().next()))
        {
            let part = change["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(left);
            change["limit"] = part.min(left).into();
        }
        Some(request)
    }

    /// Takes the function's report of a part.
    pub(crate) fn note(&mut self, report: &Value) {
        let count = |name: &str| report[name].as_i64().unwrap_or_default();
        let done: i64 = self.progress.iter().map(|name| count(name)).sum();
        self.pauses = if done > 0 { 0 } else { self.pauses + 1 };
        self.remaining = count("remaining");
        self.left = self.left.map(|left| left.saturating_sub(usize::try_from(done).unwrap_or_default()));
        self.is_over = self.remaining == 0 || self.left == Some(0) || self.pauses > self.patience;
    }

    /// Why a redrive ended although letters remain that it could have redriven, if that is so. It is said once.
    pub(crate) fn gave_up(&mut self) -> Option<anyhow::Error> {
        let (remaining, pauses) = (self.remaining, std::mem::take(&mut self.pauses));
        (self.patience > 0 && pauses > self.patience).then(|| {
            anyhow!(
                "{remaining} dead letters remain and nothing goes on: earlier ones of their accounts cannot be sent. The function's log says why"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Makes a change whose parts report these. Returns how many parts it took, and why it gave up.
    async fn repeat(mut parts: Parts, reports: &[Value]) -> (usize, Option<String>) {
        let mut reports: VecDeque<&Value> = reports.iter().collect();
        let mut calls = 0;
        while parts.next().await.is_some() {
            calls += 1;
            parts.note(reports.pop_front().expect("not asked for too often"));
        }
        (calls, parts.gave_up().map(|error| error.to_string()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_redrive_is_repeated_until_nothing_remains() {
        let part = json!({"published": 500, "remaining": 100});
        let waits = json!({"published": 0, "remaining": 1});
        let reports = [part.clone(), waits, part, json!({"remaining": 0})];
        assert_eq!(repeat(Parts::redrive(&json!({})), &reports).await, (4, None));
    }

    #[tokio::test]
    async fn no_more_letters_are_changed_than_somebody_agreed_to() {
        let request = json!({"limit": 100, "operator": "asha"});
        let mut parts = Parts::discard(&request).at_most(Some(150));
        let mut limits = Vec::new();
        while let Some(request) = parts.next().await {
            limits.push(request["discard"]["limit"].as_u64().unwrap_or_default());
            // Others die meanwhile.
            parts.note(&json!({"discarded": limits.last(), "remaining": 300}));
        }
        assert_eq!(limits, [100, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_redrive_that_makes_no_progress_ends() {
        let stuck = vec![json!({"published": 0, "failed": 1, "remaining": 3}); PAUSES + 1];
        let (calls, said) = repeat(Parts::redrive(&json!({})), &stuck).await;
        assert_eq!(calls, PAUSES + 1);
        assert!(said.is_some_and(|said| said.starts_with("3 dead letters remain")));
    }

    #[tokio::test]
    async fn a_discard_does_not_wait_for_another_command() {
        let reports = [json!({"discarded": 500, "remaining": 2}), json!({"discarded": 0, "remaining": 2})];
        assert_eq!(repeat(Parts::discard(&json!({})), &reports).await, (2, None));
    }

    #[tokio::test]
    async fn a_change_ends_when_a_part_has_no_report() {
        let mut parts = Parts::redrive(&json!({"operator": "asha"}));
        assert_eq!(parts.next().await, Some(json!({"redrive": {"operator": "asha"}})));
        assert_eq!(parts.next().await, None);
    }
}
