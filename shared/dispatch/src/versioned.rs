//! The common form of message bodies: each is a JSON object whose `version` says how to read the rest.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why a body cannot be read. It never holds the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not JSON, or not an object with a version.
    #[error("the message is not a JSON object with a version")]
    Garbage,
    /// A future version, or none of ours.
    #[error("the message has an unknown version")]
    UnknownVersion,
    /// The version is known, but the content does not have its shape.
    #[error("the message's content is malformed at line {line}, column {column}")]
    Malformed {
        /// Line in the body.
        line: usize,
        /// Column in the line.
        column: usize,
    },
}

/// Writes the body of a message that consists of ids.
///
/// # Panics
/// Never: ids always serialize.
pub(crate) fn body<T: Serialize>(message: &T, version: &str) -> String {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        version: &'a str,
        #[serde(flatten)]
        message: &'a T,
    }
    serde_json::to_string(&Versioned { version, message }).expect("ids always serialize")
}

/// Reads a body of the version `expected`.
///
/// It reads in two steps, because serde buffers a tagged enum and then loses the place of an error.
pub(crate) fn parse<T: DeserializeOwned>(body: &str, expected: &str) -> Result<T, MessageError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: String,
    }
    let versioned: Versioned = serde_json::from_str(body).map_err(|_| MessageError::Garbage)?;
    if versioned.version != expected {
        return Err(MessageError::UnknownVersion);
    }
    serde_json::from_str(body)
        .map_err(|error| MessageError::Malformed { line: error.line(), column: error.column() })
}
