//! Abuse: what a person with a free account may do, but does more often than anybody should. Row level security allows all of
//! it, and nobody's rows are read. The cost to others is counted where it arises (mailboxes, marketplaces, queues, tables, the
//! database's time) and compared with a budget for one person and day.

mod budgets;
mod edges;
mod environment;
mod filters;
mod growth;
mod guess;
mod lanes;
mod mails;
mod rate_limit;

use std::time::Duration;

use crate::AttackOptions;
use local::progress::Progress;
use local::table::render;
use local::traces::Traces;

use self::budgets::Count;
use self::environment::Environment;
use self::growth::SeededSeller;
use super::test_bed::Facts;

/// What was counted, and what was found.
#[derive(Debug)]
pub struct Account {
    counts: Vec<Count>,
    findings: Vec<String>,
    took: Duration,
}

/// Tries every way of abuse once.
pub async fn run(
    facts: &Facts,
    traces: &Traces,
    options: &AttackOptions,
    progress: &Progress,
) -> anyhow::Result<Account> {
    let since = progress.elapsed();
    progress.say("abuse: guesses, accounts, mails, sign-ups, changes …");
    let environment = &Environment::find(facts, traces).await?;
    let seeded = SeededSeller::make(environment).await?;
    let (guesses, lanes, mails, sign_ups, growth) = tokio::try_join!(
        Box::pin(guess::run(environment)),
        Box::pin(lanes::run(environment)),
        Box::pin(mails::run(environment)),
        Box::pin(mails::sign_up(environment)),
        Box::pin(growth::run(environment, &seeded)),
    )?;
    progress.say("abuse: headers, spellings, a burst …");
    let (headers, spellings, burst) = tokio::try_join!(
        edges::headers(environment, &seeded),
        edges::spellings(environment, &seeded),
        rate_limit::run(environment)
    )?;
    let filters = if options.untimed {
        Vec::new()
    } else {
        progress.say("abuse: filters …");
        filters::run(environment, &seeded, options.seed).await?
    };
    let counts: Vec<Count> = [guesses, lanes, mails, sign_ups, growth, burst, filters, headers, spellings]
        .into_iter()
        .flatten()
        .collect();
    let mut findings: Vec<String> = counts.iter().filter_map(Count::finding).collect();
    findings.extend(environment.findings());
    progress.say(format_args!("abuse: {} findings", findings.len()));
    Ok(Account { counts, findings, took: progress.elapsed().saturating_sub(since) })
}

impl Account {
    /// How many findings there are.
    pub fn findings(&self) -> usize {
        self.findings.len()
    }

    /// The report: a table of all counts, and the findings.
    pub fn render(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .counts
            .iter()
            .map(|count| {
                let verdict = if count.finding().is_some() { "FOUND" } else { "" };
                let [tried, came, most] =
                    [count.tried, count.reached, count.budget.most].map(|number| number.to_string());
                vec![
                    count.budget.what.to_owned(),
                    tried,
                    came,
                    most,
                    count.budget.within.to_owned(),
                    verdict.to_owned(),
                ]
            })
            .collect();
        let table = render(&["what", "tried", "seen", "budget", "within", ""], &rows, &[1, 2, 3]);
        let mut parts = vec![format!("Abuse: what one person causes, counted where it arises\n{table}")];
        if !self.findings.is_empty() {
            parts.push(format!("findings of abuse:\n  {}", self.findings.join("\n  ")));
        }
        parts.push(format!("abuse: {:.0} s, {} findings", self.took.as_secs_f64(), self.findings.len()));
        parts.join("\n\n")
    }
}
