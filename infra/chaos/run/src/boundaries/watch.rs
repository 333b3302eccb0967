//! What the proxies share: the boundaries that the process has passed, and the one at which it is killed.

use std::sync::Mutex;
use std::time::Duration;

use local::signal;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::strikes::lock;

/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// On which side of a boundary the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before its request is forwarded.
    Before,
    /// After the request was carried out, before the process hears of it.
    After,
}

/// A place at which a process can be killed: a statement or a call, in words, and which one of several equal ones it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// The statement or call, without any value.
    pub what: String,
    /// Counts from 0 among those that read the same.
    pub nth: usize,
}

/// What a proxy does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Forwards it, and the response.
    Passes,
    /// Kills the process at this moment.
    Dies(Moment),
    /// Forwards nothing: the process is dead.
    IsDead,
}

/// The watch over one process.
#[derive(Debug)]
pub struct Watch {
    state: Mutex<State>,
    process: watch::Sender<Process>,
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<String>,
    target: Option<(Boundary, Moment)>,
    is_struck: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Process {
    pid: Option<u32>,
    is_gone: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self { state: Mutex::default(), process: watch::Sender::new(Process::default()) }
    }
}

impl Watch {
    /// Watches a new process, which is to be killed at the target.
    pub fn arm(&self, target: Option<(Boundary, Moment)>) {
        *lock(&self.state) = State { target, ..State::default() };
        self.process.send_replace(Process::default());
    }

    /// Says which process it is.
    pub fn names(&self, pid: Option<u32>) {
        self.process.send_modify(|process| process.pid = pid);
    }

    /// Says that the process is gone.
    pub fn is_gone(&self) {
        self.process.send_modify(|process| process.is_gone = true);
    }

    /// The boundaries so far, in their order.
    pub fn seen(&self) -> Vec<String> {
        lock(&self.state).seen.clone()
    }

    /// Whether the process was killed.
    pub fn is_struck(&self) -> bool {
        lock(&self.state).is_struck
    }

    /// Notes a request that has come to a proxy.
    pub fn reach(&self, what: String) -> Fate {
        let mut state = lock(&self.state);
        if state.is_struck {
            return Fate::IsDead;
        }
        let nth = state.seen.iter().filter(|seen| **seen == what).count();
        let reached = Boundary { what: what.clone(), nth };
        state.seen.push(what);
        match &state.target {
            Some((target, moment)) if *target == reached => {
                let moment = *moment;
                state.is_struck = true;
                Fate::Dies(moment)
            }
            _ => Fate::Passes,
        }
    }

    /// Kills the process, and waits until it is gone.
    pub async fn kill(&self) {
        let mut process = self.process.subscribe();
        let pid =
            process.wait_for(|process| process.pid.is_some()).await.ok().and_then(|process| process.pid);
        if let Some(pid) = pid {
            drop(signal(pid, "KILL"));
        }
        let gone = process.wait_for(|process| process.is_gone);
        // Whoever waits for its answer notices a process that stays, and says so.
        drop(timeout(GONE, gone).await);
    }
}

/// The boundaries of a list of what was seen.
pub fn boundaries(seen: &[String]) -> Vec<Boundary> {
    let nth = |at: usize| seen[..at].iter().filter(|other| **other == seen[at]).count();
    (0..seen.len()).map(|at| Boundary { what: seen[at].clone(), nth: nth(at) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_two_equal_requests_is_found_and_nothing_passes_after_it() {
        let watch = Watch::default();
        watch.arm(Some((Boundary { what: "commit".to_owned(), nth: 1 }, Moment::After)));
        let fates = ["commit", "begin", "commit", "begin"].map(|what| watch.reach(what.to_owned()));
        assert_eq!(fates, [Fate::Passes, Fate::Passes, Fate::Dies(Moment::After), Fate::IsDead]);
        assert_eq!(boundaries(&watch.seen())[2], Boundary { what: "commit".to_owned(), nth: 1 });
    }
}
