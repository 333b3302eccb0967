//! The message that tells the exporter to work on one export. It is versioned and, like every message, only announces work; the
//! export's row says what to do.

use robnu_tenancy::{ExportId, SellerId};
use serde::{Deserialize, Serialize};

use crate::versioned::{self, MessageError};

/// Announces an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportMessage {
    /// The seller that the export belongs to.
    pub seller_id: SellerId,
    /// The export.
    pub export_id: ExportId,
}

/// The current version on the wire.
const VERSION: &str = "1";

impl ExportMessage {
    /// The message body.
    #[must_use]
    pub fn to_body(&self) -> String {
        versioned::body(self, VERSION)
    }

    /// Reads a message body. A body that is not understood is an error and never guessed at.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        versioned::parse(body, VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_the_wire_says_its_version_and_is_refused_in_another() {
        let message = ExportMessage { seller_id: SellerId::new(), export_id: ExportId::new() };
        let body = message.to_body();
        assert!(body.contains(r#""version":"1""#), "{body}");
        assert_eq!(ExportMessage::parse(&body), Ok(message));
        let later = body.replace(r#""version":"1""#, r#""version":"2""#);
        assert_eq!(ExportMessage::parse(&later), Err(MessageError::UnknownVersion));
        let nameless = body.replace("export_id", "export");
        assert!(matches!(ExportMessage::parse(&nameless), Err(MessageError::Malformed { line: 1, .. })));
    }
}
