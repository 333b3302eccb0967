//! The passes of a run through Flipkart's filter of shipments, and what each asks for.
//!
//! The filter has no "everything": it wants a type, its states or who cancelled, and it hides what is on hold unless asked. So a run
//! asks six times. Shipments that have not left are all read again in each run, held ones after the others, so that a shipment
//! that is put on hold meanwhile is seen. Of the others, a run reads those that changed.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::paging::Passes;

/// Flipkart's own page size. It documents no larger one.
const PAGE_SIZE: u32 = 20;

/// Flipkart leaves out what it does not sell for the seller's own warehouse unless asked. `FBF`, its own warehouses, is not read.
const SERVICE_PROFILES: [&str; 2] = ["NON_FBF", "FBF_LITE"];

const OPEN: &[&str] = &["APPROVED", "PACKING_IN_PROGRESS", "PACKED", "FORM_FAILED", "READY_TO_DISPATCH"];
const DISPATCHED: &[&str] = &["SHIPPED", "DELIVERED", "PICKUP_COMPLETE"];

/// One pass of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// What has not left and may be packed.
    Open,
    /// What has not left and is on hold.
    Held,
    /// What has left.
    Dispatched,
    /// What the seller cancelled.
    CancelledBySeller,
    /// What the customer cancelled.
    CancelledByBuyer,
    /// What Flipkart cancelled.
    CancelledByMarketplace,
}

impl Passes for Pass {
    const FIRST: Self = Self::Open;

    fn next(self) -> Option<Self> {
        match self {
            Self::Open => Some(Self::Held),
            Self::Held => Some(Self::Dispatched),
            Self::Dispatched => Some(Self::CancelledBySeller),
            Self::CancelledBySeller => Some(Self::CancelledByBuyer),
            Self::CancelledByBuyer => Some(Self::CancelledByMarketplace),
            Self::CancelledByMarketplace => None,
        }
    }

    /// Long spans of dispatched shipments are known to fail.
    fn window(self) -> Option<TimeDelta> {
        match self {
            Self::Open | Self::Held => None,
            Self::Dispatched => Some(TimeDelta::days(1)),
            Self::CancelledBySeller | Self::CancelledByBuyer | Self::CancelledByMarketplace => {
                Some(TimeDelta::days(7))
            }
        }
    }
}

impl Pass {
    /// Whether Flipkart is known to reject the pass for some sellers, who then have to do without it.
    pub fn may_be_rejected(self) -> bool {
        matches!(self, Self::CancelledByBuyer | Self::CancelledByMarketplace)
    }

    fn cancellation(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Held | Self::Dispatched => None,
            Self::CancelledBySeller => Some("sellerCancellation"),
            Self::CancelledByBuyer => Some("buyerCancellation"),
            Self::CancelledByMarketplace => Some("marketplaceCancellation"),
        }
    }
}

/// A span of time, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its beginning as Flipkart reads it.
    pub from: String,
    /// Its end as Flipkart reads it.
    pub to: String,
}

impl Span {
    /// The span between two instants, to the millisecond.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        Self { from: text(from), to: text(to) }
    }
}

/// The times that a pass asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// Any time.
    All,
    /// What changed then.
    Changed(Span),
    /// What was ordered then.
    Placed(Span),
}

/// The body of a request.
#[derive(Debug, Serialize)]
pub struct FilterRequest<'a> {
    filter: Filter<'a>,
    pagination: Pagination,
    sort: Sort,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    states: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<bool>,
    service_profiles: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_date: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_date: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    page_size: u32,
}

#[derive(Debug, Serialize)]
struct Sort {
    field: &'static str,
    order: &'static str,
}

impl<'a> FilterRequest<'a> {
    /// The request of a pass for these times, at one location or at all.
    pub fn new(pass: Pass, times: Times, location_id: Option<&'a str>) -> Self {
        let (kind, states, hold) = match pass {
            Pass::Open => ("preDispatch", OPEN, Some(false)),
            Pass::Held => ("preDispatch", OPEN, Some(true)),
            Pass::Dispatched => ("postDispatch", DISPATCHED, None),
            Pass::CancelledBySeller | Pass::CancelledByBuyer | Pass::CancelledByMarketplace => {
                ("cancelled", &[][..], None)
            }
        };
        let (modified_date, order_date, field) = match times {
            Times::All => (None, None, "orderDate"),
            Times::Changed(span) => (Some(span), None, "modifiedDate"),
            Times::Placed(span) => (None, Some(span), "orderDate"),
        };
        let cancellation_type = pass.cancellation();
        let service_profiles = SERVICE_PROFILES;
        Self {
            filter: Filter {
                kind,
                states,
                hold,
                service_profiles,
                location_id,
                modified_date,
                order_date,
                cancellation_type,
            },
            pagination: Pagination { page_size: PAGE_SIZE },
            sort: Sort { field, order: "asc" },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filter(pass: Pass, times: Times) -> Value {
        serde_json::to_value(FilterRequest::new(pass, times, None)).unwrap()["filter"].clone()
    }

    #[test]
    fn a_run_asks_for_what_is_open_held_dispatched_and_cancelled_by_each() {
        let mut passes = vec![Pass::Open];
        while let Some(next) = passes.last().and_then(|pass| pass.next()) {
            passes.push(next);
        }
        let asked: Vec<Value> = passes.iter().map(|pass| filter(*pass, Times::All)).collect();
        let profiles = json!(["NON_FBF", "FBF_LITE"]);
        let cancelled =
            |by: &str| json!({"type": "cancelled", "serviceProfiles": profiles, "cancellationType": by});
        let open = |hold: bool| json!({"type": "preDispatch", "states": OPEN, "hold": hold, "serviceProfiles": profiles});
        assert_eq!(
            asked,
            [
                open(false),
                open(true),
                json!({"type": "postDispatch", "states": DISPATCHED, "serviceProfiles": profiles}),
                cancelled("sellerCancellation"),
                cancelled("buyerCancellation"),
                cancelled("marketplaceCancellation"),
            ]
        );
    }

    #[test]
    fn the_times_and_the_location_are_part_of_the_filter_and_the_sort_follows_the_times() {
        let at = |day: u32| format!("2026-11-{day:02}T10:00:00Z").parse().unwrap();
        let span = || Span::new(at(1), at(2));
        let stated = json!({"from": "2026-11-01T10:00:00.000Z", "to": "2026-11-02T10:00:00.000Z"});
        let request = FilterRequest::new(Pass::Dispatched, Times::Changed(span()), Some("LOC7"));
        let request = serde_json::to_value(request).unwrap();
        assert_eq!(
            (&request["filter"]["modifiedDate"], &request["filter"]["orderDate"]),
            (&stated, &Value::Null)
        );
        assert_eq!(request["filter"]["locationId"], "LOC7");
        assert_eq!(request["pagination"], json!({"pageSize": 20}));
        assert_eq!(request["sort"], json!({"field": "modifiedDate", "order": "asc"}));
        let placed =
            serde_json::to_value(FilterRequest::new(Pass::Open, Times::Placed(span()), None)).unwrap();
        assert_eq!(
            (&placed["filter"]["orderDate"], &placed["filter"]["modifiedDate"]),
            (&stated, &Value::Null)
        );
        assert_eq!(placed["sort"]["field"], "orderDate");
    }
}
