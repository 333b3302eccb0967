//! How a run walks through the pages of one `searchOrders` window.
//!
//! Page tokens lead from page to page, also through empty pages. A token or page that comes again ends the run. A token
//! that Amazon no longer accepts leads back to the window's start, once.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::contract::{PagePosition, PageRequest};
use crate::error::AdapterError;
use crate::http::page_digest;
use crate::trail::Trail;

use super::mapping::order_id;
use super::page::AmazonPage;

/// A window with more pages than this (two million orders) never ends.
const MAX_PAGES: u32 = 20_000;

/// Before the first order that Amazon.in can show: 1 January 2015.
const BEGINNING: DateTime<Utc> = match DateTime::from_timestamp(1_420_070_400, 0) {
    Some(instant) => instant,
    None => DateTime::UNIX_EPOCH,
};

/// A window must end two minutes in the past by Amazon's clock; one more minute allows for ours.
const YOUNGEST: TimeDelta = TimeDelta::minutes(3);

/// The page to read, and what is known of the pages before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Start of the window. It is the same for all its pages.
    since: DateTime<Utc>,
    /// End of a window of placed orders, the same for all its pages; `None` is a window of changed orders, open to now.
    #[serde(default)]
    placed_until: Option<DateTime<Utc>>,
    /// Token of the page; `None` is the first.
    token: Option<String>,
    /// `lastUpdatedBefore` of the first page.
    until: Option<DateTime<Utc>>,
    /// Digest of the order ids on the last page that had any.
    previous: Option<String>,
    /// Token of an earlier page, renewed at pages 1, 2, 4, 8 …, so that a cycle of any length is noticed.
    marker: Option<String>,
    /// Pages read.
    pages: u32,
    /// Whether the window has been started over.
    restarted: bool,
    /// The pages of this window.
    #[serde(default)]
    trail: Trail,
}

impl Position {
    fn start(since: DateTime<Utc>, placed_until: Option<DateTime<Utc>>) -> Self {
        Self {
            since,
            placed_until,
            token: None,
            until: None,
            previous: None,
            marker: None,
            pages: 0,
            restarted: false,
            trail: Trail::default(),
        }
    }

    /// Reads the position that a run continues from; without one, it is the first page of the requested window.
    pub fn read(request: &PageRequest) -> Result<Self, AdapterError> {
        let Some(stored) = &request.position else {
            return Ok(match &request.placed {
                // A run for changed orders reads the younger ones.
                Some(placed) => Self::start(placed.from, Some(placed.until.min(Utc::now() - YOUNGEST))),
                None => Self::start(request.changed_since.unwrap_or(BEGINNING), None),
            });
        };
        stored.read()
    }

    /// Returns the position as the engine stores it.
    pub fn write(&self) -> Result<PagePosition, AdapterError> {
        PagePosition::of(self)
    }

    /// The page's token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the window would end before it begins, because Amazon does not show such young orders yet.
    pub fn is_too_young(&self) -> bool {
        self.placed_until.is_some_and(|until| until <= self.since)
    }

    /// The window's parameters, with instants as Amazon writes them.
    pub fn window(&self) -> Vec<(&'static str, String)> {
        match self.placed_until {
            // The instant is rounded down to the second.
            None => vec![("lastUpdatedAfter", self.since.to_rfc3339_opts(SecondsFormat::Secs, true))],
            Some(until) => vec![
                ("createdAfter", self.since.to_rfc3339_opts(SecondsFormat::Millis, true)),
                ("createdBefore", until.to_rfc3339_opts(SecondsFormat::Millis, true)),
            ],
        }
    }

    /// Returns up to which instant the window is complete, as its first page stated.
    pub fn complete_until(&self, page: &AmazonPage) -> Option<DateTime<Utc>> {
        if self.token.is_some() { self.until } else { page.last_updated_before.map(|instant| instant.0) }
    }

    /// Returns the position after this one's page; `None` when it was the last.
    pub fn after(&self, page: &AmazonPage) -> Result<Option<Self>, AdapterError> {
        let digest = self.digest_unless_repeated(page)?;
        let trail = self.trail.with(&page.orders)?;
        let Some(token) = page.next_token() else { return Ok(None) };
        if self.token() == Some(token) || self.marker.as_deref() == Some(token) {
            return Err(AdapterError::RepeatedPage);
        }
        let pages = self.pages + 1;
        if pages >= MAX_PAGES {
            return Err(AdapterError::Malformed { what: format!("window has more than {MAX_PAGES} pages") });
        }
        Ok(Some(Self {
            token: Some(token.to_owned()),
            until: self.complete_until(page),
            previous: digest.or_else(|| self.previous.clone()),
            marker: if pages.is_power_of_two() { Some(token.to_owned()) } else { self.marker.clone() },
            pages,
            trail,
            ..*self
        }))
    }

    /// Returns the window's start when `error` means that the page's token is no longer accepted, if that has not
    /// happened before.
    pub fn restart_after(&self, error: &AdapterError) -> Option<Self> {
        let AdapterError::Rejected { status: 400, code } = error else { return None };
        let token_refused = code.as_deref().is_none_or(|code| code == "InvalidInput");
        (token_refused && self.token.is_some() && !self.restarted)
            .then(|| Self { restarted: true, ..Self::start(self.since, self.placed_until) })
    }

    fn digest_unless_repeated(&self, page: &AmazonPage) -> Result<Option<String>, AdapterError> {
        if page.orders.is_empty() {
            return Ok(None);
        }
        let ids: Vec<String> =
            page.orders.iter().map(|raw| order_id(raw).unwrap_or_else(|| raw.get().to_owned())).collect();
        let digest = page_digest(ids.iter().map(String::as_str));
        if self.previous.as_ref() == Some(&digest) {
            return Err(AdapterError::RepeatedPage);
        }
        Ok(Some(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with these orders, and the token of the page behind it.
    fn page(orders: &[u32], status: &str, token: &str) -> AmazonPage {
        let orders: Vec<String> =
            orders.iter().map(|id| format!(r#"{{"orderId":"405-{id}","status":"{status}"}}"#)).collect();
        let page = format!(r#"{{"orders":[{}],"pagination":{{"nextToken":"{token}"}}}}"#, orders.join(","));
        serde_json::from_str(&page).unwrap()
    }

    fn start() -> Position {
        Position::start(BEGINNING, None)
    }

    fn refused(status: u16, code: Option<&str>) -> AdapterError {
        AdapterError::Rejected { status, code: code.map(str::to_owned) }
    }

    #[test]
    fn a_window_whose_token_is_refused_is_started_over_once() {
        let second = start().after(&page(&[1], "SHIPPED", "a")).unwrap().unwrap();
        for code in [None, Some("InvalidInput")] {
            let again = second.restart_after(&refused(400, code)).unwrap();
            assert_eq!(again, Position { restarted: true, ..start() });
            let second = again.after(&page(&[1], "SHIPPED", "b")).unwrap().unwrap();
            assert_eq!(second.restart_after(&refused(400, code)), None, "{code:?}: not a second time");
        }
        assert_eq!(second.restart_after(&refused(400, Some("AnotherCode"))), None);
        assert_eq!(second.restart_after(&refused(403, None)), None);
        assert_eq!(second.restart_after(&AdapterError::OutOfTime), None);
        assert_eq!(start().restart_after(&refused(400, None)), None, "the first page has no token");
    }

    #[test]
    fn orders_that_come_again_are_a_repetition_though_they_have_changed_and_a_page_was_empty() {
        let second = start().after(&page(&[1, 2], "UNSHIPPED", "a")).unwrap().unwrap();
        let changed = |token| page(&[1, 2], "SHIPPED", token);
        assert_eq!(second.after(&changed("b")), Err(AdapterError::RepeatedPage));
        let third = second.after(&page(&[], "", "b")).unwrap().unwrap();
        assert_eq!(third.after(&changed("c")), Err(AdapterError::RepeatedPage));
        assert!(third.after(&page(&[3], "SHIPPED", "c")).is_ok(), "others are not");
    }
}
