//! A proxy between a function and the local AWS or a marketplace. Each request is a boundary.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, request::Parts};
use tokio::task::JoinSet;

use crate::forward::{BODY, client, forward};

use super::watch::{Fate, Moment, Watch};

/// Where a proxy forwards to.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The address without a path.
    pub origin: String,
    /// The marketplace; none for the local AWS.
    pub marketplace: Option<&'static str>,
}

#[derive(Clone)]
struct Shared {
    upstream: Upstream,
    http: reqwest::Client,
    watch: Arc<Watch>,
}

/// Listens on a free port of loopback, and returns its own origin. It ends with `tasks`.
pub async fn start(
    upstream: Upstream,
    watch: &Arc<Watch>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("find a free port")?;
    let origin = format!("http://{}", listener.local_addr()?);
    let http = client()?;
    let shared = Shared { upstream, http, watch: Arc::clone(watch) };
    let router = Router::new().fallback(relay).with_state(shared);
    tasks.spawn(async move { drop(axum::serve(listener, router).await) });
    Ok(origin)
}

async fn relay(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else { return failure() };
    let what = match shared.upstream.marketplace {
        Some(marketplace) => format!("{marketplace}: {} {}", parts.method, in_words(parts.uri.path())),
        None => call(&parts, &body),
    };
    let fate = shared.watch.reach(what);
    match fate {
        Fate::IsDead => return failure(),
        Fate::Dies(Moment::Before) => {
            shared.watch.kill().await;
            return failure();
        }
        Fate::Passes | Fate::Dies(Moment::After) => {}
    }
    let response = forward(&shared.http, &shared.upstream.origin, parts, body).await;
    if fate == Fate::Dies(Moment::After) {
        shared.watch.kill().await;
    }
    response.unwrap_or_else(|_| failure())
}

/// A call of AWS, in words: the service, the operation, and for S3 which kind of object.
fn call(parts: &Parts, body: &[u8]) -> String {
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = parts.uri.path();
    if let Some((service, operation)) = header("x-amz-target").split_once('.') {
        return format!("AWS: {service} {operation}");
    }
    // The scope of a signature names the service: key/date/region/service/aws4_request.
    let service = header("authorization").split('/').nth(3).unwrap_or_default();
    let form = String::from_utf8_lossy(body);
    let action = form.split('&').find_map(|field| field.strip_prefix("Action="));
    match (service, action) {
        ("s3", _) => {
            let folder = path.trim_start_matches('/').split('/').nth(1).unwrap_or_default();
            format!("AWS: s3 {} {folder}", parts.method)
        }
        (_, Some(action)) => format!("AWS: {service} {action}"),
        _ => format!("AWS: {service} {} {}", parts.method, in_words(path)),
    }
}

/// A path without ids: whatever has a digit, but a version and a date, is one.
fn in_words(path: &str) -> String {
    let is_id = |part: &str| {
        part.len() > 2 && part.contains(|letter: char| letter.is_ascii_digit()) && part != "2015-03-31"
    };
    path.split('/').map(|part| if is_id(part) { "…" } else { part }).collect::<Vec<_>>().join("/")
}

fn failure() -> Response<Body> {
    let mut response = Response::new(Body::from("{}"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_without_ids() {
        assert_eq!(in_words("/v1/orders/FN66382000118/lines"), "/v1/orders/…/lines");
    }
}
