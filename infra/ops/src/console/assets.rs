//! The page's files, as they are in `page/`. Nothing builds them.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    /// Where it is served.
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    /// The file as a response.
    pub(super) fn response(&self) -> Response {
        ([(header::CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

macro_rules! assets {
    ($($path:literal $file:literal $kind:literal,)+) => {
        /// All files.
        pub(super) const ALL: &[Asset] = &[
            $(Asset { path: $path, kind: $kind, text: include_str!(concat!("page/", $file)) },)+
        ];
    };
}

assets! {
    "/" "index.html" "text/html; charset=utf-8",
    "/style.css" "style.css" "text/css; charset=utf-8",
    "/icon.svg" "icon.svg" "image/svg+xml",
    "/main.js" "main.js" "text/javascript; charset=utf-8",
    "/server.js" "server.js" "text/javascript; charset=utf-8",
    "/dom.js" "dom.js" "text/javascript; charset=utf-8",
    "/stuck.js" "stuck.js" "text/javascript; charset=utf-8",
    "/marketplaces.js" "marketplaces.js" "text/javascript; charset=utf-8",
    "/accounts.js" "accounts.js" "text/javascript; charset=utf-8",
    "/runs.js" "runs.js" "text/javascript; charset=utf-8",
    "/letters.js" "letters.js" "text/javascript; charset=utf-8",
    "/change.js" "change.js" "text/javascript; charset=utf-8",
}
