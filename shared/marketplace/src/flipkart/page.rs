//! A page of shipments as Flipkart sends it, and the link to the next page.
//!
//! Flipkart's own pages disagree about the form of that link. Only its query is used, on our own address, so that the
//! account's token goes nowhere else; a link to another host or call is refused.

use reqwest::Url;
use serde::Deserialize;

use crate::bytes::BadBytes;
use crate::error::AdapterError;
use crate::fields::Flag;
use crate::http::join;
use crate::records::RawRecords;

/// How errors name the responses.
pub const PAGE: &str = "page of orders";

/// The call that a link may lead to, below the base URL.
pub const FILTER_PATH: &[&str] = &["sellers", "v3", "shipments", "filter"];

/// A page of raw shipments.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentPage {
    #[serde(default)]
    pub shipments: RawRecords,
    has_more: Option<Flag>,
    next_page_url: Option<String>,
    #[serde(skip)]
    pub bad_bytes: BadBytes,
}

impl ShipmentPage {
    /// Whether anything on it shows that it is a page.
    pub fn is_page(&self) -> bool {
        self.shipments.is_stated || self.has_more.is_some()
    }

    /// The query of the next page; `None` on the last page.
    ///
    /// # Errors
    /// Returns [`AdapterError::Malformed`] when there are more pages without a link, or when the link leads elsewhere, and
    /// [`AdapterError::Garbled`] when it is not UTF-8.
    pub fn next_query(&self, base_url: &Url) -> Result<Option<String>, AdapterError> {
        if !self.has_more.is_some_and(|flag| flag.0) {
            return Ok(None);
        }
        let malformed =
            |problem: &str| AdapterError::Malformed { what: format!("{PAGE}: nextPageUrl {problem}") };
        let link = self.next_page_url.as_deref().map(str::trim).filter(|link| !link.is_empty());
        let link = link.ok_or_else(|| malformed("is missing"))?;
        if self.bad_bytes.are_in(link) {
            return Err(AdapterError::Garbled { what: format!("{PAGE} holds a link that is not UTF-8") });
        }
        query_of(link, base_url)
            .map(Some)
            .ok_or_else(|| malformed("leads to another place than the next page"))
    }
}

/// The query of a link to the filter: absolute, or from the root of the host, with or without `/sellers`.
fn query_of(link: &str, base_url: &Url) -> Option<String> {
    let (path, query) = if link.starts_with("https://") || link.starts_with("http://") {
        let url = Url::parse(link).ok()?;
        let ours = url.host_str() == base_url.host_str()
            && url.port() == base_url.port()
            && url.username().is_empty()
            && url.password().is_none();
        let path = url.path().strip_prefix(base_url.path().trim_end_matches('/')).filter(|_| ours)?;
        (path.to_owned(), url.query()?.to_owned())
    } else {
        let (path, query) = link.split_once('?')?;
        (path.to_owned(), query.to_owned())
    };
    let known = ["/sellers/v3/shipments/filter", "/v3/shipments/filter"];
    let is_filter = known.contains(&path.trim_end_matches('/'));
    let query = query.split('#').next().unwrap_or_default();
    (is_filter && !query.is_empty()).then(|| query.to_owned())
}

/// The address of the next page.
pub fn page_url(base_url: &Url, query: &str) -> Url {
    let mut url = join(base_url, FILTER_PATH);
    url.set_query(Some(query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://api.flipkart.example/").unwrap()
    }

    #[test]
    fn a_link_of_every_form_leads_to_the_filter_with_its_query_unchanged() {
        let query = "next_token=eyJhIjoxfQ%3D%3D&b=c+d";
        for start in [
            "https://api.flipkart.example/sellers/v3",
            "https://api.flipkart.example/v3",
            "/sellers/v3",
            "/v3",
        ] {
            for end in ["", "/"] {
                let link = format!("{start}/shipments/filter{end}?{query}");
                assert_eq!(query_of(&link, &base()).as_deref(), Some(query), "{link}");
            }
        }
        let below = Url::parse("http://127.0.0.1:9700/flipkart").unwrap();
        for start in ["http://127.0.0.1:9700/flipkart/sellers/v3", "/v3"] {
            assert_eq!(
                query_of(&format!("{start}/shipments/filter?{query}"), &below).as_deref(),
                Some(query)
            );
        }
        assert_eq!(
            page_url(&below, query).as_str(),
            format!("http://127.0.0.1:9700/flipkart/sellers/v3/shipments/filter?{query}")
        );
    }

    #[test]
    fn a_link_to_another_host_or_another_call_is_refused() {
        for link in [
            "https://elsewhere.example/sellers/v3/shipments/filter?next_token=a",
            "https://api.flipkart.example:444/sellers/v3/shipments/filter?next_token=a",
            "https://api.flipkart.example@elsewhere.example/v3/shipments/filter?next_token=a",
            "https://user@api.flipkart.example/v3/shipments/filter?next_token=a",
            "//elsewhere.example/v3/shipments/filter?next_token=a",
            "/v3/shipments/cancel?next_token=a",
            "/v3/shipments/filter/../cancel?next_token=a",
            "/v3/shipments/filter",
            "/v3/shipments/filter?",
            "?next_token=a",
            "ftp://api.flipkart.example/v3/shipments/filter?next_token=a",
        ] {
            assert_eq!(query_of(link, &base()), None, "{link}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_needs_a_link() {
        let next = |page: &str| serde_json::from_str::<ShipmentPage>(page).unwrap().next_query(&base());
        for last in
            [r#"{"shipments":[]}"#, r#"{"hasMore":false,"nextPageUrl":"/v3/x"}"#, r#"{"hasMore":"false"}"#]
        {
            assert_eq!(next(last), Ok(None), "{last}");
        }
        for broken in [r#"{"hasMore":true}"#, r#"{"hasMore":"true","nextPageUrl":" "}"#] {
            let what = "page of orders: nextPageUrl is missing".to_owned();
            assert_eq!(next(broken), Err(AdapterError::Malformed { what }), "{broken}");
        }
        let more = r#"{"hasMore":true,"nextPageUrl":"/v3/shipments/filter?next_token=a"}"#;
        assert_eq!(next(more), Ok(Some("next_token=a".to_owned())));
    }
}
