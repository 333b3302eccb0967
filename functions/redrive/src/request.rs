//! What operators ask for. Every error names the field that is wrong.

mod overview;

use chrono::{DateTime, Utc};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, DeadLetterId, SellerId, ToSql};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::queues::Source;

pub use overview::{Hold, LaneKind, Lanes, Limit, Marketplaces, Move, Runs, Story, Stuck, Whose};

/// The most ids in one request.
const MOST_IDS: usize = 1_000;
/// Messages per second unless the request says otherwise.
const USUAL_RATE: f64 = 20.0;

/// A request that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InputError {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl InputError {
    pub(crate) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// Which dead letters. A field that is left out chooses all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// A marketplace's code, `LANE_REQUESTS` or `EXPORTS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Those that name this seller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// Those that name this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Those of runs of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Those that died of this: a refusal's code or `TOO_MANY_RECEIVES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Those whose time is this or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Those whose time is earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
}

impl Filter {
    fn checked(&self) -> Result<(), InputError> {
        if self.source.as_deref().is_some_and(|source| Source::parse(source).is_none()) {
            return Err(InputError::new(
                "filter.source",
                "is neither a marketplace's code nor LANE_REQUESTS nor EXPORTS",
            ));
        }
        known_kind("filter.kind", self.kind.as_deref())?;
        if !self.reason.as_deref().is_none_or(is_code) {
            return Err(InputError::new("filter.reason", "is no code, such as TOO_MANY_RECEIVES or garbage"));
        }
        Ok(())
    }

    /// The first parameters of every statement that chooses dead letters.
    pub(crate) fn params(&self) -> [&(dyn ToSql + Sync); 7] {
        [&self.source, &self.seller_id, &self.account_id, &self.kind, &self.reason, &self.since, &self.before]
    }
}

/// Which open dead letters a request chooses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    filter: &'a Filter,
    ids: Option<&'a [DeadLetterId]>,
}

impl Choice<'_> {
    /// The first parameters of the statements that change dead letters.
    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut params = self.filter.params().to_vec();
        params.push(&self.ids);
        params
    }

    /// What is recorded of the request beside who made it: the filter, and how many ids.
    pub(crate) fn asked(&self) -> String {
        json!({"filter": self.filter, "ids": self.ids.map(<[_]>::len)}).to_string()
    }
}

/// Asks for a page of dead letters, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct List {
    /// Which ones.
    pub filter: Filter,
    /// `OPEN`, `REDRIVEN`, `DISCARDED` or `ALL`; `OPEN` when it is left out.
    pub state: Option<String>,
    /// How many, 100 at most; 50 when it is left out.
    pub limit: Option<i64>,
    /// The last id of the page before.
    pub after: Option<DeadLetterId>,
}

/// Asks for one dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its id.
    pub id: DeadLetterId,
}

/// Asks for dead letters to be handled again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redrive {
    /// Which ones.
    pub filter: Filter,
    /// Only these.
    pub ids: Option<Vec<DeadLetterId>>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Messages per second, from 0.1 to 100; 20 when it is left out.
    pub rate: Option<f64>,
    /// Dead letters in this invocation at most, from 1 to 1,000; 500 when it is left out.
    pub limit: Option<usize>,
    /// Who asks.
    pub operator: String,
    /// Why.
    pub reason: Option<String>,
}

impl Redrive {
    pub(crate) fn rate(&self) -> f64 {
        self.rate.unwrap_or(USUAL_RATE)
    }

    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice { filter: &self.filter, ids: self.ids.as_deref() }
    }
}

/// Asks for dead letters to be given up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Discard {
    /// Which ones.
    pub filter: Filter,
    /// Only these.
    pub ids: Option<Vec<DeadLetterId>>,
    /// Only say how many.
    pub dry_run: bool,
    /// Dead letters in this invocation at most, from 1 to 1,000; 500 when it is left out.
    pub limit: Option<usize>,
    /// Who asks.
    pub operator: String,
    /// Why. Nothing is given up without a reason.
    pub reason: String,
}

impl Discard {
    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice { filter: &self.filter, ids: self.ids.as_deref() }
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    List(List),
    Show(Show),
    Redrive(Redrive),
    Discard(Discard),
    Stuck(Stuck),
    Runs(Runs),
    Lanes(Lanes),
    Story(Story),
    Marketplaces(Marketplaces),
    Hold(Hold),
    Resume(Hold),
    /// `limit`.
    Limit(Limit),
    Move(Move),
}

impl Request {
    /// Reads the request `name` of an event.
    pub(crate) fn parse(name: &str, value: Value) -> Result<Self, InputError> {
        let request = match name {
            "list" => Self::List(read(value)?),
            "show" => Self::Show(read(value)?),
            "redrive" => Self::Redrive(read(value)?),
            "discard" => Self::Discard(read(value)?),
            "stuck" => Self::Stuck(read(value)?),
            "runs" => Self::Runs(read(value)?),
            "lanes" => Self::Lanes(read(value)?),
            "story" => Self::Story(read(value)?),
            "marketplaces" => Self::Marketplaces(read(value)?),
            "hold" => Self::Hold(read(value)?),
            "resume" => Self::Resume(read(value)?),
            "limit" => Self::Limit(read(value)?),
            "move" => Self::Move(read(value)?),
            _ => return Err(InputError::new("request", "is no request")),
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), InputError> {
        match self {
            Self::Show(_) | Self::Story(_) | Self::Marketplaces(_) => Ok(()),
            Self::Stuck(stuck) => stuck.check(),
            Self::Runs(runs) => runs.check(),
            Self::Lanes(lanes) => lanes.check(),
            Self::Hold(hold) | Self::Resume(hold) => hold.check(),
            Self::Limit(limit) => limit.check(),
            Self::Move(request) => request.check(),
            Self::List(list) => {
                list.filter.checked()?;
                within("limit", list.limit, 1, 100)?;
                let states = ["OPEN", "REDRIVEN", "DISCARDED", "ALL"];
                match &list.state {
                    Some(state) if !states.contains(&state.as_str()) => {
                        Err(InputError::new("state", "is none of OPEN, REDRIVEN, DISCARDED and ALL"))
                    }
                    _ => Ok(()),
                }
            }
            Self::Redrive(redrive) => {
                changes(&redrive.filter, redrive.ids.as_deref(), redrive.limit, &redrive.operator)?;
                within("rate", redrive.rate, 0.1, 100.0)?;
                redrive.reason.as_deref().map_or(Ok(()), |reason| text("reason", reason, 500))
            }
            Self::Discard(discard) => {
                changes(&discard.filter, discard.ids.as_deref(), discard.limit, &discard.operator)?;
                text("reason", &discard.reason, 500)
            }
        }
    }
}

/// Checks what requests have in common that change something.
fn changes(
    filter: &Filter,
    ids: Option<&[DeadLetterId]>,
    limit: Option<usize>,
    operator: &str,
) -> Result<(), InputError> {
    filter.checked()?;
    if ids.is_some_and(|ids| ids.is_empty() || ids.len() > MOST_IDS) {
        return Err(InputError::new("ids", "has no id, or more than 1000"));
    }
    within("limit", limit, 1, 1_000)?;
    text("operator", operator, 200)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, InputError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        InputError { field, message: error.into_inner().to_string() }
    })
}

fn known_kind(field: &str, kind: Option<&str>) -> Result<(), InputError> {
    match kind {
        Some(kind) if RunKind::from_stored(kind).is_none() => {
            Err(InputError::new(field, "is no kind of run, such as ORDERS"))
        }
        _ => Ok(()),
    }
}

/// Whether a text has the form of a reason or an error code.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    field: &str,
    value: Option<T>,
    least: T,
    most: T,
) -> Result<(), InputError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(InputError::new(field, format!("is not from {least} to {most}")))
        }
        _ => Ok(()),
    }
}

fn text(field: &str, text: &str, longest: usize) -> Result<(), InputError> {
    if text.trim().is_empty() {
        return Err(InputError::new(field, "is missing"));
    }
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        return Err(InputError::new(
            field,
            format!("has more than {longest} characters, or control characters"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    pub(super) fn assert_wrong(name: &str, request: Value, field: &str) {
        let said = request.to_string();
        let error = Request::parse(name, request).expect_err(&said);
        assert_eq!(error.field, field, "{said}: {error}");
    }

    #[test]
    fn an_error_names_the_field() {
        assert_wrong("show", json!({"id": "x"}), "id");
        assert_wrong("list", json!({"state": "DEAD"}), "state");
        assert_wrong("list", json!({"limit": 101}), "limit");
        assert_wrong("list", json!({"filter": {"source": "EBAY"}}), "filter.source");
        assert_wrong("list", json!({"filter": {"seller_id": "mine"}}), "filter.seller_id");
        assert_wrong("redrive", json!({"operator": "o", "filter": {"kind": "orders"}}), "filter.kind");
        assert_wrong("redrive", json!({"operator": "o", "filter": {"since": "yesterday"}}), "filter.since");
        assert_wrong("redrive", json!({"operator": "o", "filter": {"reason": "a\u{0}"}}), "filter.reason");
        assert_wrong("redrive", json!({"operator": "o", "rate": 0}), "rate");
        assert_wrong("redrive", json!({"operator": "o", "rate": 101}), "rate");
        assert_wrong("redrive", json!({"operator": "o", "limit": 0}), "limit");
        assert_wrong("redrive", json!({"operator": "o", "ids": []}), "ids");
        assert_wrong("redrive", json!({"operator": " "}), "operator");
        assert_wrong("redrive", json!({}), "operator");
        assert_wrong("redrive", json!({"operator": "o\u{0}"}), "operator");
        assert_wrong("discard", json!({"operator": "o"}), "reason");
        assert_wrong("destroy", json!({}), "request");
    }

    #[test]
    fn an_unknown_field_is_not_ignored() {
        let error = Request::parse("redrive", json!({"operator": "o", "filter": {"seler": 1}})).unwrap_err();
        assert!(error.to_string().contains("seler"), "{error}");
        let error = Request::parse("discard", json!({"operator": "o", "dryrun": true})).unwrap_err();
        assert!(error.to_string().contains("dryrun"), "{error}");
    }

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let Ok(Request::Redrive(redrive)) = Request::parse("redrive", json!({"operator": "o"})) else {
            panic!("a redrive of all")
        };
        assert_eq!((redrive.rate(), redrive.limit, redrive.dry_run), (20.0, None, false));
        assert_eq!(redrive.filter, Filter::default());
    }
}
