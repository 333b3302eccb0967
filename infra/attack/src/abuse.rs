//! Abuse: what a person with a free account may do by the rules of row level security, and more often than anybody should.
//! Nobody's rows are read. What it costs others is counted where it lands (mailboxes, marketplaces, queues, tables, the
//! database's time) and held against a budget for one person and day.

mod budgets;
mod edges;
mod filters;
mod ground;
mod growth;
mod guess;
mod lanes;
mod mails;
mod rate;

use std::time::Duration;

use crate::AttackOptions;
use local::progress::Progress;
use local::table::render;
use local::traces::Traces;

use self::budgets::Count;
use self::ground::Ground;
use self::growth::Grown;
use super::test_bed::Facts;

/// What was counted, and what was found.
#[derive(Debug)]
pub struct Account {
    counts: Vec<Count>,
    findings: Vec<String>,
    took: Duration,
}

/// Goes every way once.
pub async fn run(
    facts: &Facts,
    traces: &Traces,
    options: &AttackOptions,
    progress: &Progress,
) -> anyhow::Result<Account> {
    let since = progress.elapsed();
    progress.say("abuse: guesses, accounts, mails, sign-ups, changes …");
    let ground = &Ground::find(facts, traces).await?;
    let grown = Grown::make(ground).await?;
    let (guesses, lanes, mails, sign_ups, growth) = tokio::try_join!(
        Box::pin(guess::run(ground)),
        Box::pin(lanes::run(ground)),
        Box::pin(mails::run(ground)),
        Box::pin(mails::sign_up(ground)),
        Box::pin(growth::run(ground, &grown)),
    )?;
    progress.say("abuse: headers, spellings, a burst …");
    let (headers, spellings, burst) = tokio::try_join!(
        edges::headers(ground, &grown),
        edges::spellings(ground, &grown),
        rate::run(ground)
    )?;
    let filters = if options.untimed {
        Vec::new()
    } else {
        progress.say("abuse: filters …");
        filters::run(ground, &grown, options.seed).await?
    };
    let counts: Vec<Count> = [guesses, lanes, mails, sign_ups, growth, burst, filters, headers, spellings]
        .into_iter()
        .flatten()
        .collect();
    let mut findings: Vec<String> = counts.iter().filter_map(Count::finding).collect();
    findings.extend(ground.findings());
    progress.say(format_args!("abuse: {} findings", findings.len()));
    Ok(Account { counts, findings, took: progress.elapsed().saturating_sub(since) })
}

impl Account {
    /// How much was found.
    pub fn findings(&self) -> usize {
        self.findings.len()
    }

    /// Everything, as a table.
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
        let mut parts = vec![format!("Abuse: what a person gets, counted where it lands\n{table}")];
        if !self.findings.is_empty() {
            parts.push(format!("findings of abuse:\n  {}", self.findings.join("\n  ")));
        }
        parts.push(format!("abuse: {:.0} s, {} findings", self.took.as_secs_f64(), self.findings.len()));
        parts.join("\n\n")
    }
}
