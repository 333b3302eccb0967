//! Faults on demand: what goes wrong, for which calls and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::marketplace::Marketplace;
use crate::page_fault::Malformation;

/// The longest delay of a call.
const LONGEST_HANG: Duration = Duration::from_mins(2);

/// One fault, and the calls it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The marketplace that fails.
    pub marketplace: Marketplace,
    /// Prefix of the path, after the marketplace's own prefix; empty for every path.
    #[serde(default)]
    pub path: String,
    /// The HTTP method; any when absent. AJIO reads and acknowledges orders on the same path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The account as the ledger names it; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How many matching calls succeed first.
    #[serde(default)]
    pub after: u32,
    /// How many calls fail; all until the fault is cleared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for every call whose path has this prefix, until it is cleared.
    #[must_use]
    pub fn new(marketplace: Marketplace, path: &str, kind: FaultKind) -> Self {
        Self { marketplace, path: path.to_owned(), method: None, account: None, after: 0, count: None, kind }
    }

    /// Fails only this many calls.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets this many calls succeed first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Fails only calls of one account.
    #[must_use]
    pub fn for_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Fails only calls with one HTTP method.
    #[must_use]
    pub fn for_method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    fn matches(&self, marketplace: Marketplace, method: &str, path: &str, account: &str) -> bool {
        self.marketplace == marketplace
            && path.starts_with(&self.path)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.account.as_deref().is_none_or(|wanted| wanted == account)
    }
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The response is an HTTP error with the marketplace's own body.
    Status {
        /// The HTTP status.
        status: u16,
        /// Seconds in the `Retry-After` header; no header when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// The response is delayed (120 s at most) and otherwise normal.
    Hang {
        /// The delay in milliseconds.
        millis: u64,
    },
    /// The connection closes in the middle of the body.
    DropConnection,
    /// The response is 200 with a body that is not JSON.
    Garbage,
    /// The response is 200 with only the first half of the body, and a content length that fits it.
    Truncated,
    /// The page has no records. Amazon's token leads to the withheld records; AJIO keeps its totals.
    EmptyPage,
    /// The page lacks the second half of its records, but totals and token stay the same.
    ShortPage,
    /// The previous page comes again, with the same token or page number. A first page is not affected.
    RepeatPage,
    /// The account's tokens expire just before the call.
    ExpireTokens,
    /// The token service rejects the credentials; other calls reject the token.
    RejectCredentials,
    /// The token service rejects the OAuth client; other calls reject the token.
    RejectClient,
    /// The consent page sends the seller back with a denial, even if they approve.
    DenyConsent,
    /// The marketplace's consent codes expire just before the call.
    ExpireCodes,
    /// Amazon gives up the report at which the client looks.
    FatalReport,
    /// One record of the page is malformed.
    Malformed {
        /// How it is malformed.
        #[serde(flatten)]
        malformation: Malformation,
        /// Index of the record on the page, from 0; the last record when the page is shorter.
        #[serde(default)]
        record: usize,
    },
}

/// The faults that apply to one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) hang: Duration,
    pub(crate) kind: Option<FaultKind>,
}

/// The faults that are set, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    set: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.set.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.set.clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.set.clone()
    }

    /// Takes the faults that apply to a call: every hang, and the first fault of another kind.
    pub(crate) fn take(
        &mut self,
        marketplace: Marketplace,
        method: &str,
        path: &str,
        account: &str,
    ) -> Taken {
        let mut taken = Taken::default();
        for fault in &mut self.set {
            let is_hang = matches!(fault.kind, FaultKind::Hang { .. });
            if fault.count == Some(0)
                || (!is_hang && taken.kind.is_some())
                || !fault.matches(marketplace, method, path, account)
            {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.count = fault.count.map(|count| count - 1);
            match &fault.kind {
                FaultKind::Hang { millis } => {
                    taken.hang = (taken.hang + Duration::from_millis(*millis)).min(LONGEST_HANG);
                }
                kind => taken.kind = Some(kind.clone()),
            }
        }
        self.set.retain(|fault| fault.count != Some(0));
        taken
    }
}
