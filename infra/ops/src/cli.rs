//! The flags of `cargo xtask ops`.

use chrono::Utc;
use clap::{Args, Subcommand};
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
#[derive(Debug, Default, Args)]
pub struct Filters {
    /// Of this marketplace, such as AJIO; or `LANE_REQUESTS`, or `EXPORTS`
    #[arg(long, value_name = "CODE")]
    pub marketplace: Option<String>,
    /// Those that name this seller
    #[arg(long, value_name = "ID")]
    pub seller: Option<String>,
    /// Those that name this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Of runs of this kind, such as ORDERS
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Those that died of this, such as `TOO_MANY_RECEIVES` or `garbage`
    #[arg(long, value_name = "CODE")]
    pub died_of: Option<String>,
    /// Older than this, such as 90m, 12h or 3d
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<Age>,
    /// Newer than this
    #[arg(long, value_name = "AGE")]
    pub newer_than: Option<Age>,
}

impl Filters {
    /// The filter of a request.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let now = Utc::now();
        let fields = [
            ("source", self.marketplace.clone()),
            ("seller_id", self.seller.clone()),
            ("account_id", self.account.clone()),
            ("kind", self.kind.clone()),
            ("reason", self.died_of.clone()),
            ("before", self.older_than.map(|age| age.before(now))),
            ("since", self.newer_than.map(|age| age.before(now))),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        Value::Object(given.collect::<Map<_, _>>())
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

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The dead letter
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
    fn only_given_filters_are_sent() {
        assert_eq!(Filters::default().to_json(), json!({}));
        let filters = Filters { kind: Some("ORDERS".to_owned()), ..Filters::default() };
        assert_eq!(filters.to_json(), json!({"kind": "ORDERS"}));
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
