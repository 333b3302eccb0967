//! The message that asks the lanes function to look at one account. It is versioned and, like every message, only announces
//! work; the account's row says what to do.

use robnu_tenancy::{AccountId, SellerId};
use serde::{Deserialize, Serialize};

use crate::versioned::{self, MessageError};

/// Asks for one account's lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRequest {
    /// The seller that owns the account.
    pub seller_id: SellerId,
    /// The account.
    pub account_id: AccountId,
}

/// The current version on the wire.
const VERSION: &str = "1";

impl LaneRequest {
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
    fn a_request_survives_the_wire_and_says_its_version() {
        let request = LaneRequest { seller_id: SellerId::new(), account_id: AccountId::new() };
        let body = request.to_body();
        assert!(body.contains(r#""version":"1""#), "{body}");
        assert_eq!(LaneRequest::parse(&body), Ok(request));
    }

    #[test]
    fn another_version_and_another_shape_are_refused() {
        let request = LaneRequest { seller_id: SellerId::new(), account_id: AccountId::new() };
        let body = request.to_body();
        let later = body.replace(r#""version":"1""#, r#""version":"2""#);
        assert_eq!(LaneRequest::parse(&later), Err(MessageError::UnknownVersion));
        let unversioned = body.replace(r#""version":"1","#, "");
        assert_eq!(LaneRequest::parse(&unversioned), Err(MessageError::Garbage));
        let nameless = body.replace("account_id", "account");
        assert!(matches!(LaneRequest::parse(&nameless), Err(MessageError::Malformed { line: 1, .. })));
    }
}
