//! Kinds of runs as the API writes them. The list itself is [`RUN_KINDS`].

use std::borrow::Cow;
use std::str::FromStr;

use robnu_marketplace::kind::{RUN_KINDS, RunKind};
use robnu_tenancy::{Error, Row};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::identity::NamedInPath;
use crate::known_text::SupportName;
use crate::problem::{ApiError, Missing};

/// The kind of work that a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindName(pub RunKind);

/// The kinds that a member can ask for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestableKind(pub RunKind);

/// The kinds that a schedule can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledKind(pub RunKind);

/// The kinds whose records can be read again after they were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetriedKind(pub RunKind);

/// How far a marketplace and its adapter support a kind of run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Offer {
    kind: KindName,
    support: SupportName,
    /// Why the marketplace does not support it.
    reason: Option<String>,
}

impl KindName {
    /// The kind in a row's column.
    pub fn read(row: &Row, column: &str) -> Result<Self, Error> {
        Self::parse(row.try_get(column)?)
    }

    /// The kind of a stored text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        RunKind::from_stored(text).map(Self).ok_or(Error::RowShape)
    }
}

impl RequestableKind {
    /// All of them.
    fn all() -> impl Iterator<Item = &'static str> {
        RUN_KINDS.iter().filter(|kind| kind.is_requestable()).map(|kind| kind.as_str())
    }
}

impl RetriedKind {
    /// All of them.
    fn all() -> impl Iterator<Item = &'static str> {
        RUN_KINDS.iter().filter(|kind| kind.sets_records_aside()).map(|kind| kind.as_str())
    }
}

impl<'de> Deserialize<'de> for RetriedKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let kind = RunKind::from_stored(&text).filter(|kind| kind.sets_records_aside());
        // The value itself is left out of the message: it may be anything.
        let expected = || Self::all().collect::<Vec<_>>().join(" ");
        kind.map(Self)
            .ok_or_else(|| de::Error::custom(format_args!("unknown, expected one of {}", expected())))
    }
}

impl PartialSchema for RetriedKind {
    fn schema() -> RefOr<Schema> {
        one_of(Self::all())
    }
}

impl ToSchema for RetriedKind {}

impl Offer {
    /// How a marketplace supports each kind, from the arrays of a row. A kind that the arrays lack is not supported yet.
    pub fn list(row: &Row) -> Result<Vec<Self>, Error> {
        let kinds: Vec<String> = row.try_get("kinds")?;
        let support: Vec<String> = row.try_get("support")?;
        let reasons: Vec<Option<String>> = row.try_get("reasons")?;
        let offer = |kind: &RunKind| {
            let at = kinds.iter().position(|stored| stored == kind.as_str());
            let support = match at {
                Some(at) => SupportName::parse(&support[at]).ok_or(Error::RowShape)?,
                None => SupportName::NOT_YET,
            };
            Ok(Self { kind: KindName(*kind), support, reason: at.and_then(|at| reasons[at].clone()) })
        };
        RUN_KINDS.iter().map(offer).collect()
    }
}

/// Why a marketplace's adapter does not support a kind of run, from a row with `support` and `reason`; `None` if it does.
pub fn not_offered(row: &Row) -> Result<Option<ApiError>, Error> {
    let reason: Option<String> = row.try_get("reason")?;
    let text = match SupportName::read(row, "support")? {
        SupportName::LIVE => return Ok(None),
        SupportName::BY_FILE => "The marketplace offers this only as a file: upload its export.",
        _ => {
            "This marketplace's adapter does not support this yet. list_marketplaces shows what each adapter supports."
        }
    };
    Ok(Some(ApiError::KindNotOffered { because: reason.unwrap_or_else(|| text.to_owned()) }))
}

impl Serialize for KindName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for RequestableKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let kind = RunKind::from_stored(&text).filter(|kind| kind.is_requestable());
        // The value itself is left out of the message: it may be anything.
        let expected = || Self::all().collect::<Vec<_>>().join(" ");
        kind.map(Self)
            .ok_or_else(|| de::Error::custom(format_args!("unknown, expected one of {}", expected())))
    }
}

impl FromStr for ScheduledKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        RunKind::from_stored(text).filter(|kind| kind.is_schedulable()).map(Self).ok_or(())
    }
}

impl NamedInPath for ScheduledKind {
    const PARAMETER: &'static str = "kind";
    const MISSING: Missing = Missing::Schedule;

    fn schema() -> RefOr<Schema> {
        one_of(RUN_KINDS.iter().filter(|kind| kind.is_schedulable()).map(|kind| kind.as_str()))
    }
}

fn one_of(names: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
}

impl PartialSchema for KindName {
    fn schema() -> RefOr<Schema> {
        one_of(RUN_KINDS.iter().map(|kind| kind.as_str()))
    }
}

impl PartialSchema for RequestableKind {
    fn schema() -> RefOr<Schema> {
        one_of(Self::all())
    }
}

impl ToSchema for KindName {}
impl ToSchema for RequestableKind {}
