//! The query of searchOrders: its checks, and the orders that match it.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};

use super::errors::refusal;
use super::status::fulfillment_status;
use crate::call::{Call, Reply};
use crate::order_book::{Fulfilment, Order};

/// The Indian marketplace.
pub(super) const MARKETPLACE_ID: &str = "A21TJRUUN4KGV";

const FULFILLMENT_STATUSES: [&str; 7] = [
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
];
const DATASETS: [&str; 11] = [
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
];

/// The timestamp to which the window applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeField {
    Created,
    LastUpdated,
}

/// A checked query.
pub(super) struct Query {
    pub(super) time_field: TimeField,
    pub(super) after: DateTime<Utc>,
    /// End of the window, if the caller gave one.
    pub(super) before: Option<DateTime<Utc>>,
    pub(super) page_size: usize,
    pub(super) datasets: Datasets,
    /// All parameters except the page token, in a fixed order. A page token is valid only for the same fingerprint.
    pub(super) fingerprint: String,
    statuses: Vec<String>,
    fulfilled_by: Vec<String>,
    serves_marketplace: bool,
}

impl Query {
    pub(super) fn parse(call: &Call, now: DateTime<Utc>) -> Result<Self, Reply> {
        let (created, updated) = (instant(call, "createdAfter")?, instant(call, "lastUpdatedAfter")?);
        let (created_before, updated_before) =
            (instant(call, "createdBefore")?, instant(call, "lastUpdatedBefore")?);
        let (time_field, after, before) = match (created, updated) {
            (Some(after), None) if updated_before.is_none() => (TimeField::Created, after, created_before),
            (None, Some(after)) if created_before.is_none() => {
                (TimeField::LastUpdated, after, updated_before)
            }
            _ => {
                return Err(invalid(
                    "give exactly one of createdAfter and lastUpdatedAfter, and only its own Before",
                ));
            }
        };
        if before.is_some_and(|before| before < after || before > now - TimeDelta::minutes(2)) {
            return Err(invalid("the Before must not precede the After and must be two minutes in the past"));
        }
        let marketplaces = call.list("marketplaceIds");
        if marketplaces.len() > 50 {
            return Err(invalid("marketplaceIds takes at most 50 values"));
        }
        Ok(Self {
            time_field,
            after,
            before,
            page_size: page_size(call)?,
            datasets: Datasets::parse(call)?,
            fingerprint: fingerprint(call, "paginationToken"),
            statuses: choices(call, "fulfillmentStatuses", &FULFILLMENT_STATUSES)?,
            fulfilled_by: choices(call, "fulfilledBy", &["MERCHANT", "AMAZON"])?,
            serves_marketplace: marketplaces.is_empty() || marketplaces.contains(&MARKETPLACE_ID),
        })
    }

    /// Whether the order matches the query when the window ends at `before`.
    pub(super) fn matches(&self, order: &Order, before: DateTime<Utc>) -> bool {
        let instant = match self.time_field {
            TimeField::Created => order.created_at,
            TimeField::LastUpdated => order.updated_at,
        };
        let is_wanted =
            |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|one| one == value);
        self.serves_marketplace
            && (self.after..=before).contains(&instant)
            && is_wanted(&self.statuses, fulfillment_status(order))
            && is_wanted(&self.fulfilled_by, fulfilled_by(order))
    }
}

/// `fulfilledBy` of an order, which its first line determines.
pub(super) fn fulfilled_by(order: &Order) -> &'static str {
    match order.lines.first().map(|line| line.fulfilment) {
        Some(Fulfilment::Amazon) => "AMAZON",
        Some(Fulfilment::Merchant) | None => "MERCHANT",
    }
}

/// The requested data sets. The response contains no others.
pub(super) struct Datasets(Vec<String>);

impl Datasets {
    pub(super) fn parse(call: &Call) -> Result<Self, Reply> {
        choices(call, "includedData", &DATASETS).map(Self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|asked| asked == name)
    }
}

pub(super) fn invalid(message: &str) -> Reply {
    refusal(StatusCode::BAD_REQUEST, "InvalidInput", message)
}

/// An instant that may be absent.
pub(super) fn instant(call: &Call, name: &str) -> Result<Option<DateTime<Utc>>, Reply> {
    let Some(text) = call.parameter(name) else { return Ok(None) };
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Ok(Some(instant.to_utc())),
        Err(_) => Err(invalid(&format!("{name} is not an ISO 8601 instant with an offset"))),
    }
}

fn page_size(call: &Call) -> Result<usize, Reply> {
    let Some(text) = call.parameter("maxResultsPerPage") else { return Ok(100) };
    match text.parse() {
        Ok(size @ 1..=100) => Ok(size),
        _ => Err(invalid("maxResultsPerPage must be between 1 and 100")),
    }
}

/// The values of a list parameter, all of which must be known.
pub(super) fn choices(call: &Call, name: &str, known: &[&str]) -> Result<Vec<String>, Reply> {
    let asked = call.list(name);
    if asked.iter().any(|value| !known.contains(value)) {
        return Err(invalid(&format!("{name} holds an unknown value")));
    }
    Ok(asked.into_iter().map(str::to_owned).collect())
}

/// All parameters of a call except its page token, in a fixed order.
pub(super) fn fingerprint(call: &Call, token: &str) -> String {
    let others = call.query.iter().filter(|(name, _)| name != token);
    let mut parameters: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
    parameters.sort();
    parameters.join("&")
}
