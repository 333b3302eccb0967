//! The filter of shipments: its body, its checks, the shipments that match it, and the token that carries it to the next page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::book::{LOCATION, Shipment};

const OPEN: [&str; 5] = ["APPROVED", "PACKING_IN_PROGRESS", "FORM_FAILED", "PACKED", "READY_TO_DISPATCH"];
const DISPATCHED: [&str; 3] = ["SHIPPED", "DELIVERED", "PICKUP_COMPLETE"];
const PROFILES: [&str; 3] = ["FBF", "NON_FBF", "FBF_LITE"];
const TYPES: [&str; 3] = ["EXPRESS", "NORMAL", "SELF"];

/// The page size of a request that names none, and the largest; Flipkart documents no limit.
const PAGE_SIZES: (usize, usize) = (20, 500);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "preDispatch")]
    PreDispatch,
    #[serde(rename = "postDispatch")]
    PostDispatch,
    #[serde(rename = "cancelled")]
    Cancelled,
}

/// Who cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CancelledBy {
    #[serde(rename = "sellerCancellation")]
    Seller,
    #[serde(rename = "buyerCancellation")]
    Buyer,
    #[serde(rename = "marketplaceCancellation")]
    Marketplace,
}

impl CancelledBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Seller => "sellerCancellation",
            Self::Buyer => "buyerCancellation",
            Self::Marketplace => "marketplaceCancellation",
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Dates {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl Dates {
    fn hold(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    states: Vec<String>,
    #[serde(default)]
    hold: bool,
    location_id: Option<String>,
    #[serde(default)]
    sku: Vec<String>,
    order_date: Option<Dates>,
    dispatch_after_date: Option<Dates>,
    dispatch_by_date: Option<Dates>,
    modified_date: Option<Dates>,
    #[serde(default)]
    shipment_types: Vec<String>,
    #[serde(default)]
    service_profiles: Vec<String>,
    cancellation_type: Option<CancelledBy>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    page_size: Option<usize>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum SortField {
    #[serde(rename = "dispatchByDate")]
    DispatchBy,
    #[serde(rename = "orderDate")]
    Ordered,
    #[serde(rename = "modifiedDate")]
    Modified,
    #[serde(rename = "dispatchAfterDate")]
    DispatchAfter,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sort {
    field: SortField,
    #[serde(default)]
    order: SortOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SortOrder {
    #[default]
    Asc,
    Desc,
}

/// A request, as the body states it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    filter: Filter,
    #[serde(default)]
    pagination: Pagination,
    sort: Option<Sort>,
}

/// A page of a request. It is what a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PageOf {
    pub(super) request: Request,
    pub(super) page_num: usize,
    pub(super) page_size: usize,
    /// Tells the token of a page that was withheld from that of the page before it.
    pub(super) attempt: u32,
}

impl PageOf {
    /// The first page of a request; `None` for a body that Flipkart rejects.
    pub(super) fn first(body: &[u8]) -> Option<Self> {
        let request: Request = serde_json::from_slice(body).ok()?;
        let page_size = request.pagination.page_size.unwrap_or(PAGE_SIZES.0);
        let is_valid = request.filter.is_valid() && (1..=PAGE_SIZES.1).contains(&page_size);
        is_valid.then_some(Self { request, page_num: 0, page_size, attempt: 0 })
    }

    /// The page of a token; `None` for a token that Flipkart never issued.
    pub(super) fn of_token(token: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()
    }

    /// The page's token: base64 as at Flipkart, with its signs escaped.
    pub(super) fn token(&self) -> String {
        let text = STANDARD.encode(serde_json::to_vec(self).unwrap_or_default());
        text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }

    pub(super) fn cancelled_by(&self) -> Option<CancelledBy> {
        self.request.filter.cancellation_type
    }

    /// The matching shipments, sorted.
    pub(super) fn matching<'a>(&self, shipments: &'a [Shipment]) -> Vec<&'a Shipment> {
        let mut matching: Vec<&Shipment> =
            shipments.iter().filter(|shipment| self.request.filter.matches(shipment)).collect();
        if let Some(sort) = &self.request.sort {
            let key = |shipment: &Shipment| match sort.field {
                SortField::DispatchBy => shipment.dispatch_by,
                SortField::Ordered => shipment.ordered_at,
                SortField::Modified => shipment.updated_at,
                SortField::DispatchAfter => shipment.dispatch_after,
            };
            matching.sort_by_key(|shipment| key(shipment));
            if sort.order == SortOrder::Desc {
                matching.reverse();
            }
        }
        matching
    }
}

impl Filter {
    fn is_valid(&self) -> bool {
        let known = |given: &[String], all: &[&str]| given.iter().all(|value| all.contains(&value.as_str()));
        let is_kind_valid = match self.kind {
            Kind::PreDispatch => !self.states.is_empty() && known(&self.states, &OPEN),
            Kind::PostDispatch => !self.states.is_empty() && known(&self.states, &DISPATCHED),
            Kind::Cancelled => self.cancellation_type.is_some(),
        };
        is_kind_valid && known(&self.service_profiles, &PROFILES) && known(&self.shipment_types, &TYPES)
    }

    fn matches(&self, shipment: &Shipment) -> bool {
        let dates = [
            (&self.order_date, shipment.ordered_at),
            (&self.dispatch_after_date, shipment.dispatch_after),
            (&self.dispatch_by_date, shipment.dispatch_by),
            (&self.modified_date, shipment.updated_at),
        ];
        let profile = |name: &str| match self.service_profiles.as_slice() {
            [] => name == "NON_FBF",
            asked => asked.iter().any(|one| one == name),
        };
        let is_listed = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        let is_in_state = shipment.items.iter().any(|item| match self.kind {
            Kind::PreDispatch | Kind::PostDispatch => self.states.contains(&item.status),
            Kind::Cancelled => {
                item.status == "CANCELLED"
                    && item.cancellation.as_deref() == self.cancellation_type.map(CancelledBy::as_str)
            }
        });
        is_in_state
            // Only what has not left is hidden while it is on hold.
            && (self.kind != Kind::PreDispatch || shipment.hold == self.hold)
            && self.location_id.as_deref().is_none_or(|location| location == LOCATION)
            && shipment.items.iter().any(|item| profile(item.service_profile) && is_listed(&self.sku, &item.sku))
            && is_listed(&self.shipment_types, shipment.kind)
            && dates.iter().all(|(wanted, at)| wanted.as_ref().is_none_or(|wanted| wanted.hold(*at)))
    }
}
