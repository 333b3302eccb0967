//! A function: some processes of its real program, each of which handles one event at a time, as Lambda's environments do. A process can
//! be killed or frozen while it works. The next event then gets a new one.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::signal;
use robnu_dispatch::JobMessage;
use robnu_testkit::{Answer, LambdaProcess};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::plan::Fault;
use crate::strikes::{Strikes, lock};
use crate::superuser::Superuser;

/// How often a frozen process's runs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ATTEMPTS: &str = "select sum(attempt)::bigint from robnu.sync_runs where id = any ($1)";

/// What becomes of the process that handles the next event, so long after it began.
#[derive(Debug, Clone, Copy)]
pub enum Doom {
    /// It is killed.
    Kill(Duration),
    /// It is frozen until another attempt has taken its run over, or for so long at most.
    Freeze(Duration, Duration),
}

impl Doom {
    fn after(self) -> Duration {
        match self {
            Self::Kill(after) | Self::Freeze(after, _) => after,
        }
    }

    /// For a process that was too fast for it.
    fn sooner(self) -> Self {
        match self {
            Self::Kill(after) => Self::Kill(after / 2),
            Self::Freeze(after, length) => Self::Freeze(after / 2, length),
        }
    }
}

/// A process of a function. When it is dropped, what it has said goes to the function's log.
#[derive(Debug)]
struct Running {
    process: LambdaProcess,
    log: PathBuf,
}

impl Running {
    async fn start(program: &Program) -> Self {
        let process = LambdaProcess::start(&program.file, &program.environment, program.timeout).await;
        Self { process, log: program.log.clone() }
    }

    fn signal(&self, name: &str) -> bool {
        self.process.id().is_some_and(|pid| signal(pid, name).is_ok())
    }

    /// Kills it as a crash would.
    async fn kill(mut self) {
        self.signal("KILL");
        self.process.ended().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let lines = self.process.log().join("\n");
        drop(log.and_then(|mut log| writeln!(log, "{lines}\n--- the process is over")));
    }
}

/// What came of an event.
#[derive(Debug)]
pub enum Outcome {
    /// The function's response.
    Response(Value),
    /// The function's error.
    Error(Value),
    /// The process died.
    Died,
}

struct Invocation {
    event: Value,
    what: String,
    outcome: oneshot::Sender<Outcome>,
}

/// The program of a function and its environment.
#[derive(Debug, Clone)]
pub struct Program {
    /// The function's name, such as `adapter-ajio`.
    pub name: String,
    /// The program.
    pub file: PathBuf,
    /// How long an event may take. Lambda then ends the process.
    pub timeout: Duration,
    /// Its environment.
    pub environment: Vec<(&'static str, String)>,
    /// Where the output of its processes goes.
    pub log: PathBuf,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    program: Program,
    invocations: mpsc::UnboundedSender<Invocation>,
    dooms: Mutex<VecDeque<Doom>>,
    strikes: Arc<Strikes>,
    superuser: Arc<Superuser>,
}

impl Function {
    /// Lets `processes` processes wait for events. They end with `tasks`.
    pub fn start(
        program: Program,
        processes: usize,
        strikes: &Arc<Strikes>,
        superuser: &Arc<Superuser>,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        // The logs are of this run alone. A log only helps to understand a difference, so it may be missing.
        drop(File::create(&program.log));
        let (invocations, receiver) = mpsc::unbounded_channel();
        let (strikes, superuser) = (Arc::clone(strikes), Arc::clone(superuser));
        let function = Arc::new(Self { program, invocations, dooms: Mutex::default(), strikes, superuser });
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        for _ in 0..processes {
            tasks.spawn(Arc::clone(&function).work(Arc::clone(&receiver)));
        }
        function
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// Dooms a process that will be at work.
    pub fn doom(&self, doom: Doom) {
        lock(&self.dooms).push_back(doom);
    }

    /// Takes back what has not struck yet.
    pub fn spare(&self) {
        lock(&self.dooms).clear();
    }

    /// How many dooms wait.
    pub fn doomed(&self) -> usize {
        lock(&self.dooms).len()
    }

    /// Handles an event; `what` says what it is.
    pub async fn invoke(&self, event: Value, what: &str) -> Outcome {
        let (sender, receiver) = oneshot::channel();
        let invocation = Invocation { event, what: what.to_owned(), outcome: sender };
        if self.invocations.send(invocation).is_err() {
            return Outcome::Died;
        }
        receiver.await.unwrap_or(Outcome::Died)
    }

    async fn work(
        self: Arc<Self>,
        invocations: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>>,
    ) {
        let mut process = None;
        loop {
            let Some(invocation) = invocations.lock().await.recv().await else { return };
            let started = match process.take() {
                Some(started) => started,
                None => Running::start(&self.program).await,
            };
            let (left, outcome) = self.handle(started, invocation.event, &invocation.what).await;
            process = left;
            // Whoever asked may no longer wait.
            drop(invocation.outcome.send(outcome));
        }
    }

    /// Handles an event, and returns the process if it still lives.
    async fn handle(&self, mut running: Running, event: Value, what: &str) -> (Option<Running>, Outcome) {
        let runs = runs(&event);
        let mut answer = running.process.send(event).await;
        let began = Instant::now();
        let mut doom = lock(&self.dooms).pop_front();
        loop {
            let at = began + doom.map_or(self.program.timeout, Doom::after);
            tokio::select! {
                answer = &mut answer => {
                    if let Some(doom) = doom {
                        lock(&self.dooms).push_front(doom.sooner());
                    }
                    let outcome = match answer {
                        Ok(Answer::Response(response)) => Outcome::Response(response),
                        Ok(Answer::Error(error)) => Outcome::Error(error),
                        Err(_) => Outcome::Died,
                    };
                    return (Some(running), outcome);
                }
                () = running.process.ended() => return (None, Outcome::Died),
                () = sleep_until(at) => {
                    if let Some(Doom::Freeze(_, length)) = doom {
                        doom = None;
                        self.strikes.count(Fault::Freeze);
                        self.freeze(&running, &runs, length).await;
                        continue;
                    }
                    // Without a doom it is out of time.
                    if doom.is_some() {
                        self.strikes.count_kill(format!("{} {what}", self.program.name));
                    }
                    running.kill().await;
                    return (None, Outcome::Died);
                }
            }
        }
    }

    /// Stops a process until another one has taken over one of its runs, which it does not know when it goes on.
    async fn freeze(&self, running: &Running, runs: &[Uuid], at_most: Duration) {
        if !running.signal("STOP") {
            return;
        }
        let (since, before) = (Instant::now(), self.attempts(runs).await);
        while since.elapsed() < at_most && self.attempts(runs).await <= before {
            sleep(LOOK_EVERY).await;
        }
        running.signal("CONT");
    }

    /// How many attempts these runs have had, as far as the database says.
    async fn attempts(&self, runs: &[Uuid]) -> Option<i64> {
        let row = self.superuser.row(ATTEMPTS, &[&runs]).await.ok()?;
        row.get(0)
    }
}

/// The runs that an event's messages announce.
fn runs(event: &Value) -> Vec<Uuid> {
    let bodies =
        event["Records"].as_array().into_iter().flatten().filter_map(|record| record["body"].as_str());
    bodies.filter_map(|body| Some(*JobMessage::parse(body).ok()?.into_job().run_id.as_uuid())).collect()
}
