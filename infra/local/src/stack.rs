//! `up` and `down`: start and stop the parts of the stack in the order in which they need each other.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::aws::{Aws, Outputs, output};
use crate::cli::{DownOptions, UpOptions};
use crate::functions::{self, Built};
use crate::paths::Paths;
use crate::progress::Progress;
use crate::python::Environment;
use crate::settings::Settings;
use crate::{cloud, deploy, postgres, processes, simulator, tools, traces};

/// A stack that is up.
#[derive(Debug)]
pub struct Running {
    /// How to reach it.
    pub settings: Settings,
    /// The deployed stack's outputs.
    pub outputs: Outputs,
    /// The local AWS.
    pub aws: Aws,
    /// The command's clock.
    pub progress: Progress,
}

impl Running {
    /// The API's base URL.
    pub fn api_url(&self) -> anyhow::Result<String> {
        api_url(&self.settings, &self.outputs)
    }
}

/// The API's base URL on the local AWS, which serves every API on one port.
pub fn api_url(settings: &Settings, outputs: &Outputs) -> anyhow::Result<String> {
    let id = output(outputs, "ApiId")?;
    Ok(format!("{}/_aws/execute-api/{id}/$default", settings.aws_endpoint()))
}

/// Starts the parts that do not run, and builds and deploys what changed.
pub async fn up(paths: &Paths, options: &UpOptions) -> anyhow::Result<Running> {
    let mut progress = Progress::new();
    let python = tools::check()?;
    simulator::read_orders(Settings::resolve(paths, options)?.orders.as_deref())?;
    let _lock = lock(paths, &progress)?;
    let before = Settings::load(paths)?;
    let settings = Settings::resolve(paths, options)?;
    for source in settings.sources(before.as_ref()) {
        progress.say(source);
    }
    postgres::require_port(paths, &settings)?;
    cloud::require_port(paths, &settings)?;
    simulator::require_port(paths, &settings)?;
    settings.save(paths)?;
    let aws = Aws::new(settings.aws_endpoint())?;

    let built = install_and_build(paths, &python, &mut progress)?;

    let step = progress.begin("PostgreSQL 18");
    let outcome = postgres::ensure(paths, &settings).await?;
    progress.done(step, outcome);

    let step = progress.begin("local AWS");
    let outcome = cloud::ensure(paths, &settings, &aws).await?;
    progress.done(step, outcome);

    let step = progress.begin("simulators");
    let outcome = simulator::ensure(paths, &settings, &built.simulators).await?;
    progress.done(step, outcome);

    let step = progress.begin("deploy of template.yaml");
    let (outcome, outputs) = deploy::ensure(paths, &settings, &aws).await?;
    progress.done(step, outcome);

    let database = postgres::connect(&settings, postgres::DATABASE).await?;
    traces::remove_leftovers(&database, &aws, &outputs).await?;
    // On one machine everybody signs up from the same network address, so its limit is raised.
    let alone =
        "update robnu.orgs set sign_ups_per_source_a_day = 1000000 where sign_ups_per_source_a_day < 1000000";
    database.execute(alone, &[]).await.context("raise the limit of sign-ups from one address")?;

    let running = Running { settings, outputs, aws, progress };
    running.progress.say(format_args!("up: the API is {}", running.api_url()?));
    Ok(running)
}

/// Installs packages while the compiler works: the one waits for the network, the other for the processors.
fn install_and_build(paths: &Paths, python: &str, progress: &mut Progress) -> anyhow::Result<Built> {
    let step = progress.begin("Python packages and the functions");
    let built = std::thread::scope(|scope| {
        let installing = scope.spawn(|| -> anyhow::Result<bool> {
            let cloud = Environment::cloud(paths).ensure(python)?;
            Ok(Environment::sam(paths).ensure(python)? || cloud)
        });
        let built = functions::build(paths, python);
        let installed = installing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        built.and_then(|built| installed.map(|installed| (built, installed)))
    });
    let (built, installed) = built?;
    progress
        .done(step, if installed { "installed and built" } else { "built; packages are installed already" });
    Ok(built)
}

/// Stops what `up` started.
pub fn down(paths: &Paths, options: &DownOptions) -> anyhow::Result<()> {
    let mut progress = Progress::new();
    let _lock = lock(paths, &progress)?;
    for (name, stop) in parts() {
        let step = progress.begin(name);
        let stopped = stop(paths)?;
        progress.done(step, if stopped { "stopped" } else { "was not running" });
    }
    if options.purge {
        let step = progress.begin("data");
        postgres::purge(paths)?;
        remove(&paths.local("cloud"))?;
        for file in ["deployed", "settings.json", "stack.json"] {
            let _ = fs::remove_file(paths.local(file));
        }
        progress.done(step, "removed; installed packages and built functions stay");
    }
    Ok(())
}

type Stop = fn(&Paths) -> anyhow::Result<bool>;

/// The parts and how to stop them. A part comes before those that it needs.
fn parts() -> [(&'static str, Stop); 3] {
    [
        ("simulators", |paths| processes::stop(paths, simulator::NAME)),
        ("local AWS", |paths| processes::stop(paths, cloud::NAME)),
        ("PostgreSQL", postgres::stop),
    ]
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    Ok(())
}

/// Holds the stack's lock. Without it, two commands at once would start everything twice; so the second waits.
fn lock(paths: &Paths, progress: &Progress) -> anyhow::Result<fs::File> {
    let file = paths.local("lock");
    let lock = fs::File::create(&file).with_context(|| format!("write {}", file.display()))?;
    if lock.try_lock().is_err() {
        progress.say("waiting for another command that changes this stack …");
        lock.lock().with_context(|| format!("lock {}", file.display()))?;
    }
    Ok(lock)
}
