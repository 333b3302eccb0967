//! Builds a program of tests in the scratch copy and runs the named tests with a time limit.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::Value;
use tokio_postgres::NoTls;

use super::plan::{Defect, Target};
use super::tree::Tree;
use local::tools;

/// A test that runs longer than this has not caught the defect. The limit is long, because some tests run the compiler.
const PATIENCE: Duration = Duration::from_mins(10);
/// The variable that names the server on which tests make their databases.
pub const DATABASE_URL: &str = "TEST_DATABASE_URL";

/// Environment variables for tests: where their database and their local AWS are.
pub type Environment = Vec<(&'static str, String)>;

/// Everything that a trial needs.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The scratch copy.
    pub tree: &'a Tree,
    /// The tests' environment.
    pub environment: &'a Environment,
}

/// The result of planting a defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its test failed with the expected message.
    Caught,
    /// Its test passed.
    Survived,
    /// Its test failed with another message.
    OtherReason(String),
    /// It does not compile, so its test did not run.
    DoesNotBuild(String),
    /// Its test did not end in time.
    TimedOut,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught => formatter.write_str("caught"),
            Self::Survived => formatter.write_str("SURVIVED"),
            Self::OtherReason(said) => write!(formatter, "FAILED FOR ANOTHER REASON: {said}"),
            Self::DoesNotBuild(said) => write!(formatter, "DOES NOT BUILD: {said}"),
            Self::TimedOut => formatter.write_str("TIMED OUT"),
        }
    }
}

/// A defect, its verdict and how long the trial took.
#[derive(Debug)]
pub struct Outcome {
    /// The defect.
    pub defect: Defect,
    /// The result.
    pub verdict: Verdict,
    /// How long building and testing took.
    pub took: Duration,
}

/// A program of tests.
struct Program {
    file: PathBuf,
    folder: PathBuf,
    package: String,
}

/// The result of a run of tests.
enum TestRun {
    Passed { tests: usize },
    Failed { output: String },
    TimedOut,
}

impl Trial<'_> {
    /// Fails unless all tests pass.
    pub fn passes(&self, target: &Target, tests: &[&str]) -> anyhow::Result<()> {
        let program = self.build(target)?.map_err(|said| anyhow!("{target} does not build: {said}"))?;
        match self.test(&program, tests)? {
            TestRun::Passed { tests: found } if found == tests.len() => Ok(()),
            TestRun::Passed { tests: found } => Err(anyhow!(
                "{target} has only {found} of the tests {}; correct `test` in the defects' files",
                tests.join(", ")
            )),
            TestRun::Failed { output } => Err(anyhow!("{target} fails: {output}")),
            TestRun::TimedOut => Err(anyhow!("{target} did not end in {} s", PATIENCE.as_secs())),
        }
    }

    /// Runs the test of a defect that is in the tree now.
    pub fn of(&self, defect: &Defect) -> anyhow::Result<Verdict> {
        let program = match self.build(&defect.caught_by.target)? {
            Ok(program) => program,
            Err(said) => return Ok(Verdict::DoesNotBuild(said)),
        };
        Ok(match self.test(&program, &[&defect.caught_by.test])? {
            TestRun::Passed { .. } => Verdict::Survived,
            TestRun::TimedOut => Verdict::TimedOut,
            TestRun::Failed { output } if output.contains(&defect.caught_by.says) => Verdict::Caught,
            TestRun::Failed { output } => Verdict::OtherReason(first_words(&output)),
        })
    }

    /// Builds the program. Returns the compiler's message if it does not build.
    fn build(&self, target: &Target) -> anyhow::Result<Result<Program, String>> {
        let mut command = tools::cargo();
        command.args([
            "test",
            "--no-run",
            "--quiet",
            "--message-format",
            "json",
            "--package",
            &target.package,
        ]);
        match &target.target {
            Some(name) => command.args(["--test", name]),
            None => command.arg("--lib"),
        };
        command.current_dir(&self.tree.root).env("CARGO_TARGET_DIR", &self.tree.target).stdin(Stdio::null());
        // Sources change back and forth here, and incremental compilation has failed on that before.
        command.env("CARGO_INCREMENTAL", "0");
        let output = command.output().context("run cargo")?;
        let messages = || {
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
        };
        if !output.status.success() {
            let said = messages().find_map(|message: Value| {
                let error = message["message"]["level"] == "error";
                error.then(|| message["message"]["message"].as_str().unwrap_or_default().to_owned())
            });
            return Ok(Err(said.unwrap_or_else(|| first_words(&String::from_utf8_lossy(&output.stderr)))));
        }
        let program =
            messages().filter(|message: &Value| message["profile"]["test"] == true).find_map(|message| {
                let file = PathBuf::from(message["executable"].as_str()?);
                let folder = PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_path_buf();
                Some(Program { file, folder, package: target.package.clone() })
            });
        Ok(Ok(program.with_context(|| format!("cargo built no program of {target}"))?))
    }

    fn test(&self, program: &Program, tests: &[&str]) -> anyhow::Result<TestRun> {
        let mut command = Command::new(&program.file);
        command.args(["--exact", "--test-threads=2"]).args(tests).current_dir(&program.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).env_remove("RUST_BACKTRACE");
        // Cargo sets these for tests. Tests that run the compiler read them, and would otherwise see this command's own values.
        command.env("CARGO_MANIFEST_DIR", &program.folder).env("CARGO_PKG_NAME", &program.package);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("run {}", program.file.display()))?;
        // The output is read while the program runs, because a full pipe would stop it.
        let readers = [
            child.stdout.take().map(|pipe| read(Box::new(pipe))),
            child.stderr.take().map(|pipe| read(Box::new(pipe))),
        ];
        let since = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if since.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = readers.into_iter().flatten().map(|reader| reader.join().unwrap_or_default());
        let output = said.collect::<Vec<_>>().join("\n");
        Ok(match status {
            None => TestRun::TimedOut,
            Some(status) if status.success() => {
                TestRun::Passed { tests: output.lines().filter(|line| line.ends_with("... ok")).count() }
            }
            Some(_) => TestRun::Failed { output },
        })
    }
}

fn read(mut pipe: Box<dyn Read + Send>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // After an error, the output that was read so far is all there is.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The line with a panic's message, or the first line that is not empty.
fn first_words(output: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    let line =
        lines.next().or_else(|| output.lines().find(|line| !line.trim().is_empty())).unwrap_or_default();
    line.chars().take(300).collect()
}

/// Removes the template database that tests made from migrations with a defect.
pub async fn drop_template(environment: &Environment, migrations: &str) -> anyhow::Result<()> {
    let url = environment.iter().find(|(name, _)| *name == DATABASE_URL).map(|(_, url)| url.as_str());
    let (client, connection) =
        tokio_postgres::connect(url.context("find the tests' database")?, NoTls).await?;
    let connection = tokio::spawn(connection);
    let digest: String = client.query_one("select md5($1)", &[&migrations]).await?.get(0);
    client.batch_execute(&format!("drop database if exists test_template_{digest} with (force)")).await?;
    drop(client);
    Ok(connection.await??)
}
