//! A page of one of Flipkart's lists, and the link to the next page.
//!
//! Flipkart's own pages disagree about the form and the name of that link. Only its query is used, on our own address, so that the
//! account's token goes nowhere else; a link to another host or call is refused.

use reqwest::Url;
use serde::Deserialize;

use crate::bytes::BadBytes;
use crate::error::AdapterError;
use crate::fields::Flag;
use crate::http::join;
use crate::raw::RawPage;
use crate::records::RawRecords;

/// A call that answers page by page.
pub struct ListCall {
    /// Its path below the base URL.
    pub path: &'static [&'static str],
    /// How errors name the call.
    pub call: &'static str,
    /// How errors name its pages.
    pub page: &'static str,
    /// The names of its list and of its link.
    pub list: &'static str,
    link: &'static str,
    /// The paths that a link may have.
    links: &'static [&'static str],
}

/// The filter of shipments.
pub static SHIPMENTS: ListCall = ListCall {
    path: &["sellers", "v3", "shipments", "filter"],
    call: "read shipments (of orders)",
    page: "page of orders",
    list: "shipments",
    link: "nextPageUrl",
    links: &["/sellers/v3/shipments/filter", "/v3/shipments/filter"],
};

/// The list of returns. Its link may also be relative to the API's own address.
pub static RETURNS: ListCall = ListCall {
    path: &["sellers", "v2", "returns"],
    call: "read returns",
    page: "page of returns",
    list: "returnItems",
    link: "nextUrl",
    links: &["/sellers/v2/returns", "/v2/returns", "/returns"],
};

/// A page of raw records.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListPage {
    #[serde(default, alias = "shipments", alias = "returnItems")]
    pub records: RawRecords,
    has_more: Option<Flag>,
    #[serde(alias = "nextUrl")]
    next_page_url: Option<String>,
    #[serde(skip)]
    pub bad_bytes: BadBytes,
    /// What is kept of the response.
    #[serde(skip)]
    pub raw: Option<RawPage>,
}

impl ListPage {
    /// Whether anything on it shows that it is a page.
    pub fn is_page(&self) -> bool {
        self.records.is_stated || self.has_more.is_some()
    }

    /// The query of the next page; `None` on the last page.
    ///
    /// # Errors
    /// Returns [`AdapterError::Malformed`] when there are more pages without a link, or when the link leads elsewhere, and
    /// [`AdapterError::Garbled`] when it is not UTF-8.
    pub fn next_query(&self, list: &ListCall, base_url: &Url) -> Result<Option<String>, AdapterError> {
        if !self.has_more.is_some_and(|flag| flag.0) {
            return Ok(None);
        }
        let malformed = |problem: &str| AdapterError::Malformed {
            what: format!("{}: {} {problem}", list.page, list.link),
        };
        let link = self.next_page_url.as_deref().map(str::trim).filter(|link| !link.is_empty());
        let link = link.ok_or_else(|| malformed("is missing"))?;
        if self.bad_bytes.are_in(link) {
            return Err(AdapterError::Garbled {
                what: format!("{} holds a link that is not UTF-8", list.page),
            });
        }
        list.query_of(link, base_url)
            .map(Some)
            .ok_or_else(|| malformed("leads to another place than the next page"))
    }
}

impl ListCall {
    /// The query of a link to this call: absolute, or from the root of the host or of the API.
    fn query_of(&self, link: &str, base_url: &Url) -> Option<String> {
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
        let is_this_call = self.links.contains(&path.trim_end_matches('/'));
        let query = query.split('#').next().unwrap_or_default();
        (is_this_call && !query.is_empty()).then(|| query.to_owned())
    }

    /// The address of the next page.
    pub fn page_url(&self, base_url: &Url, query: &str) -> Url {
        let mut url = join(base_url, self.path);
        url.set_query(Some(query));
        url
    }
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
                assert_eq!(SHIPMENTS.query_of(&link, &base()).as_deref(), Some(query), "{link}");
            }
        }
        let below = Url::parse("http://127.0.0.1:9700/flipkart").unwrap();
        for start in ["http://127.0.0.1:9700/flipkart/sellers/v3", "/v3"] {
            assert_eq!(
                SHIPMENTS.query_of(&format!("{start}/shipments/filter?{query}"), &below).as_deref(),
                Some(query)
            );
        }
        assert_eq!(
            SHIPMENTS.page_url(&below, query).as_str(),
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
            assert_eq!(SHIPMENTS.query_of(link, &base()), None, "{link}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_needs_a_link() {
        let next =
            |page: &str| serde_json::from_str::<ListPage>(page).unwrap().next_query(&SHIPMENTS, &base());
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

    #[test]
    fn a_link_to_more_returns_has_its_own_name_and_forms_and_leads_to_no_other_list() {
        let next = |link: &str| {
            let page = serde_json::json!({ "returnItems": [], "hasMore": true, "nextUrl": link });
            serde_json::from_value::<ListPage>(page).unwrap().next_query(&RETURNS, &base())
        };
        for start in [
            "https://api.flipkart.example/sellers/v2/returns",
            "/sellers/v2/returns",
            "/v2/returns/",
            "/returns",
        ] {
            assert_eq!(
                next(&format!("{start}?next_token=a%3D")),
                Ok(Some("next_token=a%3D".to_owned())),
                "{start}"
            );
        }
        for elsewhere in [
            "https://elsewhere.example/v2/returns?a=b",
            "/v3/shipments/filter?a=b",
            "/v2/returns/approve?a=b",
        ] {
            let what = "page of returns: nextUrl leads to another place than the next page".to_owned();
            assert_eq!(next(elsewhere), Err(AdapterError::Malformed { what }), "{elsewhere}");
        }
    }
}
