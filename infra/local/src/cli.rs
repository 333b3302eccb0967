//! The command line. Every flag that a running stack must remember is kept in its settings, so that it is given once.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Explains the exit codes, which scripts may rely on.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something unexpected
  2  wrong flags, or a tool is missing
  3  a port is taken
  4  the order file cannot be read
  5  the stack, or a part of it such as the database, is not running
  6  a build or a deploy failed
  7  a check failed, or the demo's result is not complete
  130  interrupted; what a check had made is removed all the same";

/// Runs the local cloud, deploys the platform into it, shows it at work and checks the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Folder for everything that is installed, built and stored; a second one is a second stack
    #[arg(long, value_name = "FOLDER", env = "ROBNU_LOCAL", global = true)]
    pub state: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the local cloud and deploys the platform; a second run only does what changed
    Up(UpOptions),
    /// Stops what `up` started
    Down(DownOptions),
    /// Shows what runs, and how to reach it
    Status(StatusOptions),
    /// Prints the functions' logs
    Logs(LogsOptions),
    /// Prints a superuser's URL of the migrated local database
    Db,
    /// Starts everything, signs two sellers up, syncs their orders and prints what arrived
    Demo(DemoOptions),
    /// Runs every check that continuous integration runs
    Test,
    /// Plants known defects in a copy of the sources, one by one, and shows which test catches each
    Defects(DefectsOptions),
    /// Tries the API with thousands of requests made from its own document
    Contract(UpOptions),
    /// Attacks one seller of the running stack from inside another, at random and repeatably
    Attack(AttackOptions),
}

/// Where the stack listens and whom it talks to.
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
    /// Order book of the Amazon simulator, as CSV [default: the simulators' own]
    #[arg(long, value_name = "FILE")]
    pub orders: Option<PathBuf>,
    /// Another server that speaks AJIO's contract [default: the simulators]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub ajio_url: Option<String>,
    /// Another server that speaks Amazon's contract, with its tokens under /auth/o2/token [default: the simulators]
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub amazon_url: Option<String>,
}

/// How much to remove.
#[derive(Debug, Args)]
pub struct DownOptions {
    /// Also remove the data: databases, and all that the local AWS keeps
    #[arg(long)]
    pub purge: bool,
}

/// How to print.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// One JSON object on standard output, with URLs and a token of each demo seller's owner
    #[arg(long)]
    pub json: bool,
}

/// Which logs.
#[derive(Debug, Args)]
pub struct LogsOptions {
    /// api, adapter-ajio (-amazon-in, -flipkart, -meesho), sweep, lanes or migrate; all when absent
    pub function: Option<String>,
    /// Keep printing what arrives
    #[arg(long, short)]
    pub follow: bool,
    /// How far back to begin
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub minutes: u32,
}

/// What the demo shows, and how.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Where the stack listens and whom it talks to.
    #[command(flatten)]
    pub up: UpOptions,
    /// One JSON object on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Which defects.
#[derive(Debug, Args)]
pub struct DefectsOptions {
    /// Only this one; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Print what there is and plant nothing
    #[arg(long)]
    pub list: bool,
}

/// How to attack.
#[derive(Debug, Args)]
pub struct AttackOptions {
    /// Decides what every attempt does
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many attempts
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub count: u64,
    /// Only this attempt of the seed, which is one from 1 to --count; it begins on a new stage, so what attempts before it
    /// changed in the insider's seller is not there
    #[arg(long, value_name = "NUMBER")]
    pub replay: Option<u64>,
    /// What to try
    #[arg(long, value_enum, default_value_t = Part::All)]
    pub part: Part,
    /// Leaves out what measures times: a busy machine has others
    #[arg(long)]
    pub untimed: bool,
    /// What `status --json` says of the stack to attack [default: the running stack]
    #[arg(long, value_name = "FILE", env = "ROBNU_STACK")]
    pub stack: Option<PathBuf>,
}

/// Parts of the attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Both
    All,
    /// Random attempts of one seller's insider to reach another seller; --seed, --count and --replay are about these
    Insider,
    /// What a person may do by the rules, too often: counted, and held against budgets
    Abuse,
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port >= 1024 => Ok(port),
        _ => Err("give a port from 1024 to 65535".to_owned()),
    }
}

fn http_url(text: &str) -> Result<String, String> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("give a URL such as http://127.0.0.1:8080".to_owned()),
    }
}
