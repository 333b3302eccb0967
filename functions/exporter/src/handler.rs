//! One invocation: messages of the queue of exports, or the sweep.

use robnu_dispatch::{ExportMessage, ItemFailure, Record};
use robnu_observe::{Panicked, caught};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::ExportError;
use crate::slice::{Outcome, work};
use crate::sweep::{Report, sweep};

/// The events that invoke this function.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Messages of the queue of exports.
    Messages {
        /// The messages.
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// A schedule.
    Sweep {
        /// Name of the sweep.
        sweep: String,
    },
}

/// What the function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// For messages: those that stay in the queue.
    #[serde(rename_all = "camelCase")]
    Messages {
        /// The messages that failed.
        batch_item_failures: Vec<ItemFailure>,
    },
    /// For a schedule: the report.
    Swept(Report),
}

/// Handles one event before the deadline. The messages of a batch come one after the other; the mapping sends one at a time.
pub async fn handle(event: Event, context: &Context, deadline: Instant) -> Result<Answer, ExportError> {
    match event {
        Event::Messages { records } => Ok(Box::pin(messages(records, context, deadline)).await),
        Event::Sweep { sweep: name } if name == "exports" => {
            sweep(context, deadline).await.map(Answer::Swept)
        }
        Event::Sweep { sweep: name } => Err(ExportError::UnknownSweep { name }),
    }
}

async fn messages(records: Vec<Record>, context: &Context, deadline: Instant) -> Answer {
    let mut batch_item_failures = Vec::new();
    for record in records {
        let body = record.body.as_deref().unwrap_or_default();
        let outcome = caught(Box::pin(message(body, context, deadline))).await;
        let Err(error) = outcome.unwrap_or_else(|Panicked| Err(ExportError::Panicked)) else { continue };
        let message_id = record.message_id;
        tracing::error!(
            message.id = message_id,
            error = robnu_observe::chain(&error),
            "an export's message failed"
        );
        batch_item_failures.push(ItemFailure { item_identifier: message_id });
    }
    Answer::Messages { batch_item_failures }
}

async fn message(body: &str, context: &Context, deadline: Instant) -> Result<Outcome, ExportError> {
    let message = ExportMessage::parse(body)?;
    let outcome = work(context, message, deadline).await?;
    tracing::info!(seller.id = %message.seller_id, export.id = %message.export_id, ?outcome, "slice done");
    Ok(outcome)
}
