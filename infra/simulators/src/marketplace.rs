//! Which marketplaces are simulated, and the one interface through which the server reaches each of them.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::call::{Call, Reply};
use crate::page_fault::PageFault;

/// A simulated marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Marketplace {
    /// AJIO dropship, under `/ajio`.
    Ajio,
    /// Amazon's Selling Partner API and its token service, under `/amazon`.
    Amazon,
    /// Flipkart's OAuth service and seller API, under `/flipkart`.
    Flipkart,
    /// A bridge to Meesho's partner programme, under `/meesho`. Its protocol is ours.
    Meesho,
}

/// The simulation of one marketplace. Each marketplace's module implements this trait; `simulated.rs` lists the marketplaces.
pub(crate) trait Simulated: Send {
    /// The account that makes the call, as far as the call says; its token may have expired.
    fn account_of(&self, call: &Call) -> Option<String>;

    /// Answers a call. `page_fault` says what the marketplace must get wrong in the answer.
    fn answer(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply;

    /// Expires the access tokens of one account, or of all accounts.
    fn expire_tokens(&mut self, account: Option<&str>, now: DateTime<Utc>);

    /// Expires the consent codes that nobody has exchanged yet. Only marketplaces with a consent page have any.
    fn expire_codes(&mut self, _now: DateTime<Utc>) {}

    /// The path in the ledger. Calls that differ only in an id share one line.
    fn ledger_path(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The response to credentials or a token that the marketplace rejects.
    fn rejection(&self, path: &str) -> Reply;

    /// The response to an OAuth client that the marketplace rejects.
    fn client_rejection(&self, path: &str) -> Reply {
        self.rejection(path)
    }

    /// An HTTP error with the body that the marketplace gives it.
    fn failure(&self, path: &str, status: StatusCode) -> Reply;

    /// A header that every response of the marketplace carries.
    fn common_header(&self) -> Option<(&'static str, String)> {
        None
    }
}
