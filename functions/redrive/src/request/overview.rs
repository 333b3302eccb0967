//! What operators ask for beside dead letters: what is stuck, runs, lanes, holds and limits.

use chrono::{DateTime, TimeDelta, Utc};
use robnu_marketplace::code::MarketplaceCode;
use robnu_tenancy::{AccountId, RunId, SellerId, ToSql};
use serde::Deserialize;

use super::{InputError, is_code, known_kind, text, within};

/// The states of a run.
const STATES: [&str; 7] =
    ["QUEUED", "RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELLED", "DEAD_LETTERED"];
/// The highest limit of a marketplace, as in its table.
const MOST_RUNS_AT_ONCE: i64 = 10_000;
/// The longest page.
const LONGEST_PAGE: i64 = 500;
/// How far back runs of all sellers are looked for, unless the request says otherwise.
const USUAL_DAYS: i64 = 7;

/// Whose things are looked for. A field that is left out chooses all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Whose {
    /// A marketplace's code.
    pub marketplace: Option<String>,
    /// A seller.
    pub seller_id: Option<SellerId>,
    /// An account.
    pub account_id: Option<AccountId>,
}

impl Whose {
    fn checked(&self) -> Result<(), InputError> {
        known_marketplace("filter.marketplace", self.marketplace.as_deref())
    }

    /// The first parameters of every statement that these choose for.
    pub(crate) fn params(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.marketplace, &self.seller_id, &self.account_id]
    }
}

fn known_marketplace(field: &str, code: Option<&str>) -> Result<(), InputError> {
    match code {
        Some(code) if code.parse::<MarketplaceCode>().is_err() => {
            Err(InputError::new(field, "is no marketplace's code, such as AJIO"))
        }
        _ => Ok(()),
    }
}

/// Asks what is stuck, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stuck {
    /// Whose.
    pub filter: Whose,
    /// How many, 500 at most; 100 when it is left out.
    pub limit: Option<i64>,
}

impl Stuck {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        self.filter.checked()?;
        within("limit", self.limit, 1, LONGEST_PAGE)
    }
}

/// Asks for a page of runs, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runs {
    /// Whose.
    pub filter: Whose,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those in this state.
    pub state: Option<String>,
    /// Those with this error code.
    pub error: Option<String>,
    /// Those made then or later. Without it, runs of all sellers are looked for seven days back.
    pub since: Option<DateTime<Utc>>,
    /// Those made earlier.
    pub before: Option<DateTime<Utc>>,
    /// How many, 500 at most; 50 when it is left out.
    pub limit: Option<i64>,
    /// The last run of the page before.
    pub after: Option<RunId>,
    /// Only this run.
    pub run_id: Option<RunId>,
}

impl Runs {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        self.filter.checked()?;
        known_kind("kind", self.kind.as_deref())?;
        if self.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
            return Err(InputError::new("state", format!("is none of {}", STATES.join(", "))));
        }
        if !self.error.as_deref().is_none_or(is_code) {
            return Err(InputError::new("error", "is no code, such as credentials_refused"));
        }
        within("limit", self.limit, 1, LONGEST_PAGE)
    }

    /// From when on runs are looked for: whoever names neither a time nor a seller nor an account gets seven days, because no index
    /// narrows that.
    pub(crate) fn since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let of_all = self.filter.seller_id.is_none() && self.filter.account_id.is_none();
        self.since.or_else(|| of_all.then(|| now - TimeDelta::days(USUAL_DAYS)))
    }
}

/// Asks for a page of accounts with their lanes, by the accounts' ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lanes {
    /// Whose.
    pub filter: Whose,
    /// How many, 500 at most; 100 when it is left out.
    pub limit: Option<i64>,
    /// The last account of the page before.
    pub after: Option<AccountId>,
}

impl Lanes {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        self.filter.checked()?;
        within("limit", self.limit, 1, LONGEST_PAGE)
    }
}

/// Asks for the story of one run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The run.
    pub run_id: RunId,
}

/// Asks how every marketplace is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marketplaces {}

/// Asks for the runs of an account or of a marketplace to be held, or to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// The account; or
    pub account_id: Option<AccountId>,
    /// the marketplace's code.
    pub marketplace: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Who asks.
    pub operator: String,
    /// Why. The seller of an account sees it.
    pub reason: String,
}

impl Hold {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        if self.account_id.is_some() == self.marketplace.is_some() {
            return Err(InputError::new("account_id", "and marketplace: exactly one of them is needed"));
        }
        known_marketplace("marketplace", self.marketplace.as_deref())?;
        text("operator", &self.operator, 200)?;
        text("reason", &self.reason, 500)
    }
}

/// Asks for another limit of a marketplace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// The marketplace's code.
    pub marketplace: String,
    /// How many of its runs may be under way at once.
    pub runs_at_once: i32,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Who asks.
    pub operator: String,
    /// Why.
    pub reason: String,
}

impl Limit {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        known_marketplace("marketplace", Some(&self.marketplace))?;
        within("runs_at_once", Some(self.runs_at_once.into()), 1, MOST_RUNS_AT_ONCE)?;
        text("operator", &self.operator, 200)?;
        text("reason", &self.reason, 500)
    }
}

/// A kind of lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaneKind {
    /// A FIFO queue of the account's own.
    #[default]
    Dedicated,
    /// The marketplace's parallel queue.
    Shared,
}

impl LaneKind {
    /// The text in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dedicated => "DEDICATED",
            Self::Shared => "SHARED",
        }
    }
}

/// Asks for the other kind of lane for an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The account.
    pub account_id: AccountId,
    /// The kind that it is to have: `DEDICATED` or `SHARED`.
    pub to: LaneKind,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Who asks.
    #[serde(default)]
    pub operator: String,
    /// Why, for the record.
    #[serde(default)]
    pub reason: String,
}

impl Move {
    pub(crate) fn check(&self) -> Result<(), InputError> {
        text("operator", &self.operator, 200)?;
        text("reason", &self.reason, 500)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::request::Request;
    use crate::request::tests::assert_wrong;

    #[test]
    fn an_error_names_the_field() {
        for name in ["stuck", "runs", "lanes"] {
            assert_wrong(name, json!({"filter": {"marketplace": "EBAY"}}), "filter.marketplace");
            assert_wrong(name, json!({"filter": {"seller_id": "mine"}}), "filter.seller_id");
            assert_wrong(name, json!({"filter": {"account_id": 1}}), "filter.account_id");
            assert_wrong(name, json!({"limit": 0}), "limit");
            assert_wrong(name, json!({"limit": 501}), "limit");
            let error = Request::parse(name, json!({"filter": {"seler": 1}})).unwrap_err();
            assert!(error.to_string().contains("seler"), "{error}");
        }
        assert_wrong("runs", json!({"kind": "orders"}), "kind");
        assert_wrong("runs", json!({"state": "DEAD"}), "state");
        assert_wrong("runs", json!({"error": "a b"}), "error");
        assert_wrong("runs", json!({"since": "yesterday"}), "since");
        assert_wrong("runs", json!({"after": "x"}), "after");
        assert_wrong("runs", json!({"run_id": "x"}), "run_id");
        assert_wrong("story", json!({"run_id": "x"}), "run_id");
        assert_wrong("story", json!({}), ".");
        assert_wrong("marketplaces", json!({"filter": {}}), "filter");
        let account = "00000000-0000-7000-8000-000000000000";
        let limit =
            |code, runs| json!({"marketplace": code, "runs_at_once": runs, "operator": "o", "reason": "r"});
        assert_wrong("limit", limit("EBAY", 5), "marketplace");
        assert_wrong("limit", limit("AJIO", 0), "runs_at_once");
        assert_wrong("limit", limit("AJIO", 10_001), "runs_at_once");
        assert_wrong("limit", json!({"marketplace": "AJIO", "runs_at_once": 5, "reason": "r"}), "operator");
        assert_wrong("limit", json!({"marketplace": "AJIO", "runs_at_once": 5, "operator": "o"}), "reason");
        let to = |kind| json!({"account_id": account, "to": kind, "reason": "r", "operator": "o"});
        assert_wrong("move", to("shared"), "to");
        assert_wrong("move", json!({"account_id": "x", "to": "SHARED"}), "account_id");
        assert_wrong("move", json!({"account_id": account, "to": "SHARED", "reason": "r"}), "operator");
        assert_wrong("move", json!({"account_id": account, "to": "SHARED", "operator": "o"}), "reason");
        for name in ["hold", "resume"] {
            assert_wrong(name, json!({"operator": "o", "reason": "r"}), "account_id");
            assert_wrong(name, json!({"account_id": account, "marketplace": "AJIO"}), "account_id");
            assert_wrong(name, json!({"marketplace": "EBAY", "operator": "o", "reason": "r"}), "marketplace");
            assert_wrong(name, json!({"account_id": account, "reason": "r"}), "operator");
            assert_wrong(name, json!({"account_id": account, "operator": "o"}), "reason");
            assert_wrong(name, json!({"account_id": account, "operator": "o", "reason": "\u{0}"}), "reason");
        }
    }
}
