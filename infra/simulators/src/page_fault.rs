//! The faults that a marketplace must act out itself, because they change what is on a page.

use serde::{Deserialize, Serialize};

/// How a single record is spoilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "malformation", rename_all = "snake_case")]
pub enum Malformation {
    /// A field of the order is absent: the given one, or the order's creation time.
    MissingField {
        /// Name of the field on the wire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
    /// The order's and its first line's amounts are not numbers.
    BadAmount,
    /// The order's and its first line's amounts have five decimals.
    FiveDecimals,
}

/// What a marketplace itself must do differently while it builds a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageFault {
    None,
    Empty,
    Short,
    Repeat,
    Malformed(Malformation, usize),
    DenyConsent,
}
