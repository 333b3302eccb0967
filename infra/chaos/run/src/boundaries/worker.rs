//! A function: a process that stands for the whole run, and for a trial perhaps one that is watched.

use std::sync::Arc;
use std::time::Duration;

use robnu_testkit::{Answer, LambdaProcess};
use serde_json::Value;
use tokio::time::timeout;

use super::watch::{Boundary, Moment, Watch};
use crate::function::{Outcome, Program};

/// How long an event may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The function.
pub struct Worker {
    direct: Program,
    watched: Program,
    watch: Arc<Watch>,
    standing: Option<LambdaProcess>,
    subject: Option<LambdaProcess>,
    /// Events whose process ended although nobody killed it, or that took too long.
    pub crashes: usize,
}

impl Worker {
    /// A function without a process. The two programs differ in the addresses in their environments.
    pub fn new(direct: Program, watched: Program, watch: &Arc<Watch>) -> Self {
        Self { direct, watched, watch: Arc::clone(watch), standing: None, subject: None, crashes: 0 }
    }

    /// Starts a process that is watched, and killed at the target.
    pub async fn begin(&mut self, target: Option<(Boundary, Moment)>) {
        self.watch.arm(target);
        let subject = LambdaProcess::start(&self.watched.file, &self.watched.environment, TIMEOUT).await;
        self.watch.names(subject.id());
        self.subject = Some(subject);
    }

    /// Ends the watched process, if it lives.
    pub async fn end(&mut self) {
        if let Some(subject) = self.subject.take() {
            subject.kill().await;
        }
    }

    /// Handles an event.
    pub async fn invoke(&mut self, event: Value) -> Outcome {
        if let Some(mut subject) = self.subject.take() {
            let outcome = handle(&mut subject, event).await;
            if matches!(outcome, Outcome::Died) {
                self.watch.is_gone();
                self.crashes += usize::from(!self.watch.is_struck());
                keep_log(&self.watched, &subject);
            } else {
                self.subject = Some(subject);
            }
            return outcome;
        }
        let mut standing = match self.standing.take() {
            Some(standing) => standing,
            None => LambdaProcess::start(&self.direct.file, &self.direct.environment, TIMEOUT).await,
        };
        let outcome = handle(&mut standing, event).await;
        if matches!(outcome, Outcome::Died) {
            self.crashes += 1;
            keep_log(&self.direct, &standing);
        } else {
            self.standing = Some(standing);
        }
        outcome
    }

    /// What the standing process has logged.
    pub fn keep_log(&self) {
        if let Some(standing) = &self.standing {
            keep_log(&self.direct, standing);
        }
    }
}

async fn handle(process: &mut LambdaProcess, event: Value) -> Outcome {
    let answer = process.send(event).await;
    let first = async {
        tokio::select! {
            answer = answer => match answer {
                Ok(Answer::Response(response)) => Outcome::Response(response),
                Ok(Answer::Error(error)) => Outcome::Error(error),
                Err(_) => Outcome::Died,
            },
            () = process.ended() => Outcome::Died,
        }
    };
    timeout(TIMEOUT, first).await.unwrap_or(Outcome::Died)
}

/// A log only helps to understand a difference, so it may be missing.
fn keep_log(program: &Program, process: &LambdaProcess) {
    use std::io::Write;
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&program.log);
    let lines = process.log().join("\n");
    drop(log.and_then(|mut log| writeln!(log, "{lines}\n--- the process is over")));
}
