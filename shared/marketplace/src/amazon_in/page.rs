//! A page of `searchOrders` as Amazon sends it.

use serde::Deserialize;

use crate::bytes::BadBytes;
use crate::fields::Instant;
use crate::raw::RawPage;
use crate::records::RawRecords;

/// A page of raw orders.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmazonPage {
    #[serde(default)]
    pub orders: RawRecords,
    pub pagination: Option<Pagination>,
    pub last_updated_before: Option<Instant>,
    #[serde(skip)]
    pub bad_bytes: BadBytes,
    /// What is kept of the response.
    #[serde(skip)]
    pub raw: Option<RawPage>,
}

/// Amazon's pointer to the next page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    pub next_token: Option<String>,
}

impl AmazonPage {
    /// The next page's token, if there is a next page.
    pub fn next_token(&self) -> Option<&str> {
        self.pagination.as_ref()?.next_token.as_deref().filter(|token| !token.is_empty())
    }
}
