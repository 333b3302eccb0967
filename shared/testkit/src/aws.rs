//! The local cloud, as the SDK sees it.

use aws_config::SdkConfig;

const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";

/// Configuration of SDK clients for the local cloud. Region and credentials come from the environment, as on AWS.
///
/// # Panics
/// Panics when the local cloud is not there: tests that need it must not pass without it.
pub async fn local_aws() -> SdkConfig {
    let endpoint = std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`"));
    robnu_startup::aws_config().await.into_builder().endpoint_url(endpoint).build()
}
