//! `defects`: mutation testing with hand-picked mutations. Each planted defect is a small change, kept as data in
//! `infra/defects/planted`. The command makes the change in a scratch copy of the work tree, where the named test must then fail.

mod options;
mod plan;
mod table;
mod tree;
mod trial;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::anyhow;

use local::checks;
use local::failure::{Exit, Failure};
use local::paths::Paths;
use local::progress::Progress;
use local::terminal::print;

pub use self::options::DefectsOptions;
pub use self::plan::{Change, read_folder};
use self::plan::{Defect, Target};
pub use self::tree::{Planted, Tree};
use self::trial::{Outcome, Trial, Verdict};

/// Plants every defect, or the chosen ones. Fails if a test does not catch its defect.
pub async fn run(paths: &Paths, options: &DefectsOptions) -> anyhow::Result<()> {
    let defects = plan::load(paths, &options.only)?;
    if options.list {
        return print(&table::list(&defects));
    }
    let progress = Progress::new();
    let environment = match std::env::var(trial::DATABASE_URL) {
        // The caller has provided servers.
        Ok(url) => vec![(trial::DATABASE_URL, url)],
        Err(_) => checks::test_environment(paths).await?,
    };
    progress.say("copying the work tree …");
    let tree = Tree::make(paths, "defects")?;
    let trial = Trial { tree: &tree, environment: &environment };
    undamaged(&trial, &defects, &progress)?;

    let mut outcomes = Vec::new();
    let all = defects.len();
    for (number, defect) in defects.into_iter().enumerate() {
        let since = Instant::now();
        let planted = tree.plant(&defect.name, &defect.change)?;
        let verdict = trial.of(&defect);
        let template = tree.template_of_migrations(&defect.change)?;
        // The defect is taken out even after an error, so that the next trial begins with the original tree.
        planted.take_out()?;
        if let Some(digest) = template {
            trial::drop_template(&environment, &digest).await?;
        }
        let outcome = Outcome { defect, verdict: verdict?, took: since.elapsed() };
        progress.say(format_args!(
            "{}/{all} {}: {} ({:.0} s)",
            number + 1,
            outcome.defect.name,
            outcome.verdict,
            outcome.took.as_secs_f64()
        ));
        outcomes.push(outcome);
    }
    print(&table::outcomes(&outcomes, progress.elapsed()))?;
    let survived: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.verdict, Verdict::Caught))
        .map(|outcome| outcome.defect.name.as_str())
        .collect();
    if survived.is_empty() {
        return Ok(());
    }
    let next = "write a test for a defect that survived; choose another change for one that does not build";
    Err(Failure::new(Exit::CheckFailed, format!("not caught: {}", survived.join(", ")), next).into())
}

/// Checks that every named test passes without a defect, because otherwise its failure would prove nothing.
fn undamaged(trial: &Trial<'_>, defects: &[Defect], progress: &Progress) -> anyhow::Result<()> {
    let mut named: BTreeMap<&Target, Vec<&str>> = BTreeMap::new();
    for defect in defects {
        let tests = named.entry(&defect.caught_by.target).or_default();
        if !tests.contains(&defect.caught_by.test.as_str()) {
            tests.push(&defect.caught_by.test);
        }
    }
    for (target, tests) in named {
        let since = Instant::now();
        trial
            .passes(target, &tests)
            .map_err(|error| anyhow!("a test fails without any defect, so fix it first: {error:#}"))?;
        let took = since.elapsed().as_secs_f64();
        progress.say(format_args!("without a defect: {target}, {} tests pass ({took:.0} s)", tests.len()));
    }
    Ok(())
}
