//! The flags of `cargo xtask ops`.

use chrono::Utc;
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::age::Age;

/// What every command has in common.
#[derive(Debug, Args)]
pub struct OpsOptions {
    /// Stack to work on, such as robnu-staging. Of a deployed stack, region and credentials come from the environment or the
    /// profile, as for the AWS CLI
    #[arg(long, value_name = "STACK", default_value = "robnu-local", global = true)]
    pub stack: String,
    /// Print the function's responses as JSON, one a line, and nothing else on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: OpsCommand,
}

/// What operators do.
#[derive(Debug, Subcommand)]
pub enum OpsCommand {
    /// Dead letters: messages that could not be handled
    Dlq {
        /// What to do with them.
        #[command(subcommand)]
        command: DlqCommand,
    },
    /// Lists what does not go on by itself, oldest first, a line for each cause, with what helps. Exits with 0 when nothing is stuck and with 7 otherwise
    Stuck(StuckOptions),
    /// Lists runs, newest first. Those of all sellers are looked for a week back, unless --newer-than says otherwise
    Runs(RunsOptions),
    /// Lists accounts with their lanes and what waits in them; runs of files, which need no lane, are in `marketplaces`
    Lanes(LanesOptions),
    /// Shows how each marketplace is doing, and the accounts that keep it busy
    Marketplaces,
    /// Tells the story of one run: who began it, its messages, waits, dead letters and rows, and what comes next
    Story(ShowOptions),
    /// Serves a page for all of this on this machine, and prints its address
    Console(ConsoleOptions),
    /// Pauses an account for the platform, or lets it go on; the seller's own pause is another thing
    Account {
        /// What to do with it.
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Pauses all accounts of a marketplace for the platform, lets them go on, or limits their runs
    Marketplace {
        /// What to do with it.
        #[command(subcommand)]
        command: MarketplaceCommand,
    },
}

/// What is done with an account.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Its schedules make no runs, and its runs wait where they are
    Pause(AccountOptions),
    /// Its runs go on, and its schedules are due within ten minutes. Runs that wait until the marketplace answers try at once, also without a pause
    Resume(AccountOptions),
    /// Gives it the other kind of lane: a queue of its own, or its marketplace's parallel queue, which costs nothing while it is idle
    Move(MoveOptions),
}

/// What is done with a marketplace.
#[derive(Debug, Subcommand)]
pub enum MarketplaceCommand {
    /// Schedules of its accounts make no runs, and their runs wait where they are
    Pause(MarketplaceOptions),
    /// Runs go on, and schedules are due within ten minutes. Runs that wait until it answers try at once, also without a pause. An account
    /// that was paused itself stays so
    Resume(MarketplaceOptions),
    /// Changes how many of its runs may be under way at once, over all sellers
    Limit(LimitOptions),
}

/// Options of `account pause` and `account resume`.
#[derive(Debug, Default, Args)]
pub struct AccountOptions {
    /// The account
    #[arg(value_name = "ACCOUNT")]
    pub account: String,
    /// How.
    #[command(flatten)]
    pub hold: HoldOptions,
}

/// A kind of lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LaneKind {
    /// A FIFO queue of the account's own, which is polled all the time
    #[default]
    Dedicated,
    /// The marketplace's parallel queue, in which the account's runs take turns
    Shared,
}

/// Options of `account move`.
#[derive(Debug, Default, Args)]
pub struct MoveOptions {
    /// The account
    #[arg(value_name = "ACCOUNT")]
    pub account: String,
    /// The kind of lane that it is to have
    #[arg(long, value_name = "KIND")]
    pub to: LaneKind,
    /// How.
    #[command(flatten)]
    pub change: HoldOptions,
}

/// Options of `marketplace pause` and `marketplace resume`.
#[derive(Debug, Default, Args)]
pub struct MarketplaceOptions {
    /// The marketplace, such as AJIO
    #[arg(value_name = "CODE")]
    pub marketplace: String,
    /// How.
    #[command(flatten)]
    pub hold: HoldOptions,
}

/// Options of `marketplace limit`.
#[derive(Debug, Default, Args)]
pub struct LimitOptions {
    /// The marketplace, such as AJIO
    #[arg(value_name = "CODE")]
    pub marketplace: String,
    /// How many, from 1 to 10000. Each takes one adapter and one connection of the database
    #[arg(long, value_name = "N")]
    pub runs_at_once: u32,
    /// How.
    #[command(flatten)]
    pub change: HoldOptions,
}

/// How something is paused, resumed, moved or limited.
#[derive(Debug, Default, Args)]
pub struct HoldOptions {
    /// Why, for the record. The seller of an account sees it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Who you are, for the record
    #[arg(long, value_name = "NAME", env = "USER")]
    pub operator: String,
}

/// Whose things.
#[derive(Debug, Default, Args, Deserialize)]
pub struct Whose {
    /// Of this marketplace, such as AJIO; dead letters also of `LANE_REQUESTS` or `EXPORTS`
    #[arg(long, value_name = "CODE")]
    pub marketplace: Option<String>,
    /// Of this seller
    #[arg(long, value_name = "ID")]
    pub seller: Option<String>,
    /// Of this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
}

impl Whose {
    /// The filter of a request about anything but dead letters.
    #[must_use]
    pub fn to_json(&self) -> Value {
        given([
            ("marketplace", self.marketplace.clone()),
            ("seller_id", self.seller.clone()),
            ("account_id", self.account.clone()),
        ])
    }
}

/// How old.
#[derive(Debug, Default, Args, Deserialize)]
pub struct Ages {
    /// Older than this, such as 90m, 12h or 3d
    #[arg(long, value_name = "AGE")]
    #[serde(default, deserialize_with = "older_than")]
    pub older_than: Option<Age>,
    /// Newer than this
    #[arg(long, value_name = "AGE")]
    #[serde(default, deserialize_with = "newer_than")]
    pub newer_than: Option<Age>,
}

impl Ages {
    fn fields(&self) -> [(&'static str, Option<String>); 2] {
        let now = Utc::now();
        [
            ("before", self.older_than.map(|age| age.before(now))),
            ("since", self.newer_than.map(|age| age.before(now))),
        ]
    }
}

fn older_than<'de, D: Deserializer<'de>>(age: D) -> Result<Option<Age>, D::Error> {
    named("older_than", age)
}

fn newer_than<'de, D: Deserializer<'de>>(age: D) -> Result<Option<Age>, D::Error> {
    named("newer_than", age)
}

/// Reads an age. An error names the field, which serde does not know any more.
fn named<'de, D: Deserializer<'de>>(field: &str, age: D) -> Result<Option<Age>, D::Error> {
    let text: Option<String> = Option::deserialize(age)?;
    let wrong = |error: String| serde::de::Error::custom(format!("{field}: {error}"));
    text.map(|text| text.parse().map_err(wrong)).transpose()
}

/// An object of the fields that have a value.
fn given(fields: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    Value::Object(given.collect::<Map<_, _>>())
}

/// Options of `stuck`.
#[derive(Debug, Default, Args)]
pub struct StuckOptions {
    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
    /// A line for each thing instead of each cause
    #[arg(long)]
    pub each: bool,
    /// How many things at most
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub limit: usize,
}

/// Options of `runs`.
#[derive(Debug, Default, Args, Deserialize)]
pub struct RunsOptions {
    /// Whose.
    #[command(flatten)]
    #[serde(flatten)]
    pub whose: Whose,
    /// Of this kind, such as ORDERS
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, CANCELLED or `DEAD_LETTERED`
    #[arg(long, value_name = "STATE")]
    pub status: Option<String>,
    /// With this error code, such as `credentials_refused`
    #[arg(long, value_name = "CODE")]
    pub error: Option<String>,
    /// How old.
    #[command(flatten)]
    #[serde(flatten)]
    pub ages: Ages,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[serde(skip)]
    pub limit: usize,
}

impl RunsOptions {
    /// The request without its page.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fields =
            [("kind", self.kind.clone()), ("state", self.status.clone()), ("error", self.error.clone())];
        let mut request = given(fields.into_iter().chain(self.ages.fields()));
        request["filter"] = self.whose.to_json();
        request
    }
}

/// Options of `lanes`.
#[derive(Debug, Default, Args)]
pub struct LanesOptions {
    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
}

/// Options of `console`.
#[derive(Debug, Default, Args)]
pub struct ConsoleOptions {
    /// Port of 127.0.0.1 to serve the page on [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Let the page redrive, discard, pause and resume. Without it the page only reads
    #[arg(long)]
    pub allow_changes: bool,
    /// Who you are, for the record of changes
    #[arg(long, value_name = "NAME", env = "USER")]
    pub operator: Option<String>,
}

/// What is done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// Lists dead letters, newest first
    List(ListOptions),
    /// Shows one dead letter with its body, its run and what a redrive would do
    Show(ShowOptions),
    /// Handles dead letters again, in the order in which those of an account died. It may be interrupted and repeated
    Redrive(RedriveOptions),
    /// Gives dead letters up. Their runs end as FAILED
    Discard(DiscardOptions),
}

/// Which dead letters.
#[derive(Debug, Default, Args, Deserialize)]
pub struct Filters {
    /// Whose.
    #[command(flatten)]
    #[serde(flatten)]
    pub whose: Whose,
    /// Of runs of this kind, such as ORDERS
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Those that died of this, such as `TOO_MANY_RECEIVES` or `garbage`
    #[arg(long, value_name = "CODE")]
    pub died_of: Option<String>,
    /// How old.
    #[command(flatten)]
    #[serde(flatten)]
    pub ages: Ages,
}

impl Filters {
    /// The filter of a request about dead letters.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Whose { marketplace, seller, account } = &self.whose;
        let fields = [
            ("source", marketplace.clone()),
            ("seller_id", seller.clone()),
            ("account_id", account.clone()),
            ("kind", self.kind.clone()),
            ("reason", self.died_of.clone()),
        ];
        given(fields.into_iter().chain(self.ages.fields()))
    }
}

/// Which open dead letters are changed, by whom.
#[derive(Debug, Default, Args)]
pub struct Choice {
    /// Only these dead letters [default: all that the filters choose]
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Filters.
    #[command(flatten)]
    pub filters: Filters,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Who you are, for the record
    #[arg(long, value_name = "NAME", env = "USER")]
    pub operator: String,
}

/// Options of `list`.
#[derive(Debug, Default, Args)]
pub struct ListOptions {
    /// Filters.
    #[command(flatten)]
    pub filters: Filters,
    /// OPEN, REDRIVEN, DISCARDED or ALL
    #[arg(long, default_value = "OPEN")]
    pub status: String,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
}

/// Options of `show` and `story`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The dead letter or the run; for `story` also the trace of a request
    pub id: String,
}

/// Options of `redrive`.
#[derive(Debug, Default, Args)]
pub struct RedriveOptions {
    /// Which ones.
    #[command(flatten)]
    pub choice: Choice,
    /// Messages per second, from 0.1 to 100
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    pub rate: f64,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Options of `discard`.
#[derive(Debug, Default, Args)]
pub struct DiscardOptions {
    /// Which ones.
    #[command(flatten)]
    pub choice: Choice,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        options: OpsOptions,
    }

    #[test]
    fn the_flags_are_consistent() {
        Program::command().debug_assert();
    }

    #[test]
    fn nothing_is_discarded_without_a_reason() {
        let parsed = Program::try_parse_from(["ops", "dlq", "discard", "--operator", "asha", "--yes"]);
        assert!(parsed.is_err());
    }

    #[test]
    fn nothing_is_paused_or_resumed_without_a_reason() {
        for command in ["pause", "resume"] {
            let flags = ["ops", "account", command, "a", "--operator", "asha", "--yes"];
            assert!(Program::try_parse_from(flags).is_err());
        }
    }

    #[test]
    fn nothing_is_moved_without_a_reason_or_to_a_lane_that_there_is_not() {
        let flags = |more: &[&'static str]| {
            [&["ops", "account", "move", "a", "--operator", "asha", "--yes"], more].concat()
        };
        assert!(Program::try_parse_from(flags(&["--to", "shared", "--reason", "idle"])).is_ok());
        for wrong in [&["--to", "shared"][..], &["--reason", "idle"], &["--to", "fast", "--reason", "idle"]] {
            assert!(Program::try_parse_from(flags(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_given_filters_are_sent() {
        assert_eq!(Filters::default().to_json(), json!({}));
        let filters = Filters { kind: Some("ORDERS".to_owned()), ..Filters::default() };
        assert_eq!(filters.to_json(), json!({"kind": "ORDERS"}));
        let whose = Whose { marketplace: Some("AJIO".to_owned()), ..Whose::default() };
        let runs = RunsOptions { whose, status: Some("FAILED".to_owned()), ..RunsOptions::default() };
        assert_eq!(runs.to_json(), json!({"state": "FAILED", "filter": {"marketplace": "AJIO"}}));
        let filters = Filters { whose: runs.whose, ..Filters::default() };
        assert_eq!(filters.to_json(), json!({"source": "AJIO"}));
    }

    #[test]
    fn an_age_is_sent_as_an_instant() {
        let ages = Ages { older_than: "90m".parse().ok(), newer_than: "3d".parse().ok() };
        let request = RunsOptions { ages, ..RunsOptions::default() }.to_json();
        assert!(request["since"].as_str() < request["before"].as_str(), "{request}");
    }

    #[test]
    fn flags_stand_before_and_after_the_command() {
        let command =
            ["ops", "--json", "dlq", "redrive", "--stack", "robnu-staging", "--operator", "a", "--rate", "5"];
        let options = Program::try_parse_from(command).expect("good flags").options;
        assert!(options.json && options.stack == "robnu-staging");
        let OpsCommand::Dlq { command: DlqCommand::Redrive(redrive) } = options.command else {
            panic!("redrive")
        };
        assert!((redrive.rate - 5.0).abs() < f64::EPSILON);
    }
}
