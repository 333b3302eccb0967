//! Serves one invocation after the other; none of them ends the function.
//!
//! The runtime itself parses events, and logs and returns errors that quote parts of them; for a panic it returns the
//! message. This module reports both without anything that somebody sent.

use futures_util::future::LocalBoxFuture;
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use robnu_observe::{Panicked, caught};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Hands every event to `handle` until Lambda ends the process. A malformed event or a panic fails that invocation alone.
pub async fn serve<E: DeserializeOwned, R: Serialize>(
    handle: impl AsyncFn(E, Context) -> Result<R, Diagnostic>,
) -> Result<(), Error> {
    let handle = &handle;
    // The event stays unparsed here, because parsing it may fail.
    let invoke = move |event: LambdaEvent<Box<RawValue>>| -> LocalBoxFuture<'_, Result<R, Diagnostic>> {
        Box::pin(invoke(handle, event))
    };
    lambda_runtime::run(service_fn(invoke)).await
}

async fn invoke<E: DeserializeOwned, R: Serialize>(
    handle: &impl AsyncFn(E, Context) -> Result<R, Diagnostic>,
    LambdaEvent { payload, context }: LambdaEvent<Box<RawValue>>,
) -> Result<R, Diagnostic> {
    let work = async { handle(read(payload.get())?, context).await };
    caught(work)
        .await
        .unwrap_or_else(|Panicked| Err(diagnostic("Panicked", "the invocation ended in a panic")))
}

/// Reads an event. An error states only the place.
fn read<E: DeserializeOwned>(event: &str) -> Result<E, Diagnostic> {
    serde_json::from_str(event).map_err(|error| {
        tracing::error!(line = error.line(), column = error.column(), "the event is malformed");
        diagnostic("MalformedEvent", "the event does not have the shape that this function expects")
    })
}

fn diagnostic(kind: &str, message: &str) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> LambdaEvent<Box<RawValue>> {
        LambdaEvent::new(RawValue::from_string(text.to_owned()).unwrap(), Context::default())
    }

    /// A function that panics on some numbers.
    async fn quarter(number: u32, _: Context) -> Result<u32, Diagnostic> {
        tokio::task::yield_now().await;
        Ok(100 / number)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_and_a_malformed_event_fail_only_their_own_invocation_and_repeat_nothing_that_was_sent() {
        let kind =
            |answer: Result<u32, Diagnostic>| answer.map_err(|error| (error.error_type, error.error_message));
        assert_eq!(kind(invoke(&quarter, event("25")).await), Ok(4));
        let (panicked, _) = kind(invoke(&quarter, event("0")).await).unwrap_err();
        assert_eq!(panicked, "Panicked");
        for text in [r#""hunter2""#, "{}", "null", r#"{"hunter2": [1]}"#, "1e999"] {
            let (malformed, message) = kind(invoke(&quarter, event(text)).await).unwrap_err();
            assert_eq!(malformed, "MalformedEvent");
            assert!(!message.contains("hunter2"));
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let (malformed, _) = kind(invoke(&quarter, event(&deep)).await).unwrap_err();
        assert_eq!(malformed, "MalformedEvent", "the nesting limit comes before the end of the stack");
        assert_eq!(kind(invoke(&quarter, event("50")).await), Ok(2), "the next one is served");
    }
}
