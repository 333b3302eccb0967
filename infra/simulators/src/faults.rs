//! Faults on demand: what is to go wrong, for which calls, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::marketplace::Marketplace;
use crate::page_fault::Malformation;

/// The longest a call may be held back.
const LONGEST_HANG: Duration = Duration::from_mins(2);

/// One fault, and the calls it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which stand-in misbehaves.
    pub marketplace: Marketplace,
    /// Prefix of the path after the marketplace's own; empty for every path.
    #[serde(default)]
    pub path: String,
    /// Only calls of this method, when given. AJIO reads and acknowledges orders on the same path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only calls of this account, as the ledger names it, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How many matching calls are let through first.
    #[serde(default)]
    pub after: u32,
    /// How many calls fail; until cleared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for every call below a path, until it is cleared.
    #[must_use]
    pub fn new(marketplace: Marketplace, path: &str, kind: FaultKind) -> Self {
        Self { marketplace, path: path.to_owned(), method: None, account: None, after: 0, count: None, kind }
    }

    /// Fails this many calls only.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets this many calls through first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Fails calls of one account only.
    #[must_use]
    pub fn for_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Fails calls of one HTTP method only.
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
    /// An HTTP error with the marketplace's own body.
    Status {
        /// The HTTP status.
        status: u16,
        /// Seconds for the `Retry-After` header, which is left out when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// The call is held back for so long (at most 120 s) and then answered as if nothing had happened.
    Hang {
        /// How long.
        millis: u64,
    },
    /// The answer begins, and the connection closes in the middle of the body.
    DropConnection,
    /// 200 with a body that is not JSON.
    Garbage,
    /// 200 with the first half of the true body, complete as far as HTTP knows.
    Truncated,
    /// A page without records. Amazon's goes on with a token and loses nothing; AJIO's keeps its totals.
    EmptyPage,
    /// A page that lacks the second half of its records, although its totals and its token say otherwise.
    ShortPage,
    /// The page served before, with the same token or page number. The first page of a read is served as it is.
    RepeatPage,
    /// The account's tokens end before the call is looked at.
    ExpireTokens,
    /// Credentials are refused where tokens are issued, tokens elsewhere.
    RejectCredentials,
    /// The OAuth client is refused where tokens are issued, tokens elsewhere.
    RejectClient,
    /// The consent page sends the seller back with a denial, whatever they click.
    DenyConsent,
    /// The marketplace's consent codes end before the call is looked at.
    ExpireCodes,
    /// One record of the page cannot be read.
    Malformed {
        /// In which way.
        #[serde(flatten)]
        malformation: Malformation,
        /// Which record of the page, from 0; the last one when the page is shorter.
        #[serde(default)]
        record: usize,
    },
}

/// What applies to one call.
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

    /// Uses up what applies to a call: every hang, and the first fault of another kind.
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
