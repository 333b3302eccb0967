//! The flags of this crate's commands. The stack's settings remember its flags, so that a person gives each only once.

use std::path::PathBuf;

use clap::Args;

/// Where the stack listens and which marketplaces it calls.
#[derive(Debug, Clone, Default, Args)]
pub struct UpOptions {
    /// Port of PostgreSQL [default: 54329, or the one used before]
    #[arg(long, value_name = "PORT", env = "ROBNU_POSTGRES_PORT", value_parser = port)]
    pub postgres_port: Option<u16>,
    /// Port of the local AWS [default: 4599, or the one used before]
    #[arg(long, value_name = "PORT", env = "ROBNU_AWS_PORT", value_parser = port)]
    pub aws_port: Option<u16>,
    /// Port of the marketplace simulators [default: 4610, or the one used before]
    #[arg(long, value_name = "PORT", env = "ROBNU_SIMULATORS_PORT", value_parser = port)]
    pub simulators_port: Option<u16>,
    /// Order book of the Amazon simulator, as CSV, or `simulators` for the built-in one [default: the one used before]
    #[arg(long, value_name = "FILE", value_parser = orders)]
    pub orders: Option<Source<PathBuf>>,
    /// Another server that speaks AJIO's protocol, or `simulators` for the simulated one [default: the one used before]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub ajio_url: Option<Source<String>>,
    /// Another server that speaks Amazon's protocol, with its tokens under /auth/o2/token, or `simulators` for the simulated one
    /// [default: the one used before]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub amazon_url: Option<Source<String>>,
}

/// Where orders come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<T> {
    /// The simulators' own orders.
    Simulators,
    /// A file or a server that a flag named.
    Named(T),
}

/// What to deploy to AWS.
#[derive(Debug, Args)]
pub struct DeployOptions {
    /// Stage: a section of samconfig.toml
    #[arg(value_parser = ["staging", "prod"])]
    pub stage: String,
    /// More arguments of `sam deploy`
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<String>,
}

/// How much to remove.
#[derive(Debug, Args)]
pub struct DownOptions {
    /// Also remove the data: databases and everything that the local AWS stores
    #[arg(long)]
    pub purge: bool,
}

/// How to print.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Print one JSON object on standard output, with URLs and a token of each demo seller's owner
    #[arg(long)]
    pub json: bool,
}

/// Which logs.
#[derive(Debug, Args)]
pub struct LogsOptions {
    /// Function: api, adapter-ajio (-amazon-in, -flipkart, -meesho), sweep, lanes, exporter, redrive or migrate [default: all]
    pub function: Option<String>,
    /// Keep printing new lines
    #[arg(long, short)]
    pub follow: bool,
    /// Begin this many minutes ago
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub minutes: u32,
    /// Print only lines of this trace, run or request: any id, with or without hyphens
    #[arg(long, value_name = "ID")]
    pub trace: Option<String>,
}

/// What the demo shows, and how.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Where the stack listens and which marketplaces it calls.
    #[command(flatten)]
    pub up: UpOptions,
    /// Print one JSON object on standard output and everything else on standard error
    #[arg(long)]
    pub json: bool,
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port >= 1024 => Ok(port),
        _ => Err("give a port from 1024 to 65535".to_owned()),
    }
}

/// The value that goes back to the simulators.
const SIMULATORS: &str = "simulators";

#[expect(clippy::unnecessary_wraps, reason = "clap takes parsers that may fail")]
fn orders(text: &str) -> Result<Source<PathBuf>, String> {
    Ok(if text == SIMULATORS { Source::Simulators } else { Source::Named(text.into()) })
}

fn http_url(text: &str) -> Result<Source<String>, String> {
    if text == SIMULATORS {
        return Ok(Source::Simulators);
    }
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(Source::Named(text.trim_end_matches('/').to_owned()))
        }
        _ => Err("give a URL such as http://127.0.0.1:8080, or `simulators`".to_owned()),
    }
}
