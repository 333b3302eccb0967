//! `boundaries`: a function is killed at each statement and call of one piece of work, once before and once after it. The platform's own means
//! finish the work, and the rows must be those of an undisturbed run.

use local::failure::{Exit, Failure};
use local::paths::Paths;
use local::progress::Progress;

use crate::defect::{Defect, OF_BOUNDARIES};
use crate::options::BoundariesOptions;
use crate::programs::Programs;
use crate::{ended, environment, program};

/// The folder for the functions' logs.
const LOGS: &str = "logs/boundaries";
/// The stored lists of boundaries.
const LISTS: &str = "infra/chaos/boundaries";

/// Makes all kills. Fails if anything differs afterwards, or if the boundaries are not those of the stored lists.
pub async fn run(paths: &Paths, options: &BoundariesOptions) -> anyhow::Result<()> {
    let defect =
        options.defect.as_deref().map(|name| Defect::find(&paths.root, OF_BOUNDARIES, name)).transpose()?;
    let environment = environment(paths).await?;
    let mut progress = Progress::new();
    let building = progress.begin("programs");
    let programs = Programs::build(paths, defect.as_ref())?;
    progress.done(building, "built");
    let mut command = program(paths, &programs, "boundaries", LOGS, &environment);
    command.args(["--every", &options.every.to_string()]).arg("--sources").arg(&paths.root);
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    if defect.is_none() {
        // A defect may add a statement, and it is to be found by what it does.
        command.arg("--lists").arg(paths.root.join(LISTS));
    }
    let outcome = ended(&mut command, || found(paths)).await;
    let cleaned = programs.clean();
    outcome.and(cleaned)
}

fn found(paths: &Paths) -> anyhow::Error {
    let logs = paths.shown(&paths.local(LOGS));
    let next = format!("the report names each kill and what differs, and {logs} has the functions' logs");
    Failure::new(Exit::CheckFailed, "the run found differences", next).into()
}
