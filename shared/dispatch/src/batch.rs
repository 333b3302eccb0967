//! The messages of a queue as they invoke a function, and the answer of one that reports failures per message.

use serde::{Deserialize, Serialize};

/// A message. A message without an id fails the whole invocation, because its failure could not be reported.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id.
    pub message_id: String,
    /// Its body, parsed separately, so that a bad one fails alone.
    #[serde(default)]
    pub body: Option<String>,
    /// What its visibility is changed by.
    #[serde(default)]
    pub receipt_handle: Option<String>,
}

/// A message that failed, and stays in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its id.
    pub item_identifier: String,
}
