//! Does a transition on both sides, and compares them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use model::ledger::{Holder, Publication, Redriven, Run, State, Taken};
use model::{Position, Rules, turns};
use robnu_dispatch::{self as dispatch, Job, Lease, NotTaken};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::RunId;

use crate::platform::{Platform, Seen};
use crate::transition::{Transition, Which};

const RULES: Rules = Rules { broken: None };
/// Any position: the model's book is not on the platform.
const POSITION: Position = Position { until: 0, after: (0, 0) };

/// Both sides.
pub struct Pair {
    platform: Platform,
    tried: RefCell<BTreeSet<&'static str>>,
}

/// What a sequence has led to.
#[derive(Default)]
struct Course {
    runs: Vec<(RunId, Run)>,
    /// Leases that were taken, and by whose messages.
    leases: Vec<(usize, Job, Lease, Holder)>,
    /// Dead letters that are open.
    letters: Vec<(usize, Publication)>,
    is_held: bool,
}

impl Course {
    fn rows(&self) -> impl Iterator<Item = &Run> + Clone {
        self.runs.iter().map(|(_, run)| run)
    }

    /// The run of a number, newest first.
    fn run(&self, number: usize) -> Option<usize> {
        self.runs.len().checked_sub(number + 1)
    }

    fn lease(&self, number: usize) -> Option<(usize, Job, Lease, Holder)> {
        self.leases.len().checked_sub(number + 1).map(|place| self.leases[place].clone())
    }
}

fn of(run: &Run, which: Which) -> Publication {
    let Publication { step, generation } = run.at;
    match which {
        Which::Present => run.at,
        Which::EarlierGeneration => Publication { step, generation: generation.saturating_sub(1) },
        Which::EarlierStep => Publication { step: step.saturating_sub(1), generation },
        Which::Later => Publication { step, generation: generation + 1 },
    }
}

fn seen(run: &Run) -> Seen {
    Seen {
        state: run.state.as_str().to_owned(),
        step: run.at.step.into(),
        generation: run.at.generation.into(),
        attempt: run.attempt.into(),
        is_sent: run.is_sent,
        is_over: run.state.is_live() && run.is_over,
        pages: run.pages.into(),
        has_position: run.position.is_some(),
        waits_for_turn: run.waits_for_turn(),
    }
}

impl Pair {
    pub async fn new() -> Self {
        Self { platform: Platform::new().await, tried: RefCell::default() }
    }

    /// What has happened in all sequences together.
    pub fn tried(&self) -> BTreeSet<&'static str> {
        self.tried.borrow().clone()
    }

    fn saw(&self, outcome: &'static str) {
        self.tried.borrow_mut().insert(outcome);
    }

    /// Goes through a sequence. Says where the sides differ.
    pub async fn go(&self, transitions: &[Transition]) -> Result<(), String> {
        self.platform.clear().await;
        let mut course = Course::default();
        for (number, transition) in transitions.iter().enumerate() {
            self.step(&mut course, *transition)
                .await
                .map_err(|error| format!("{}. {transition:?}: {error}", number + 1))?;
            turns::renumber(course.runs.iter_mut().map(|(_, run)| run));
            let rows = self.platform.rows().await;
            let expected: Vec<(RunId, Seen)> = course.runs.iter().map(|(id, run)| (*id, seen(run))).collect();
            if rows != expected {
                return Err(format!(
                    "{}. {transition:?}:\n  the model: {expected:?}\n  PostgreSQL: {rows:?}",
                    number + 1
                ));
            }
        }
        Ok(())
    }

    async fn step(&self, course: &mut Course, transition: Transition) -> Result<(), String> {
        match transition {
            Transition::Request => self.request(course, RunKind::Orders).await,
            Transition::RequestCheck => self.request(course, RunKind::CredentialCheck).await,
            Transition::NextInTurn => {
                let next = self.platform.next_in_turn().await;
                self.pass_on(course, next.as_ref())
            }
            Transition::MarkSent { run, which } => self.mark_sent(course, run, which).await,
            Transition::TakeLease { run, which } => self.take_lease(course, run, which).await,
            Transition::Advance { lease, is_last } => self.advance(course, lease, is_last).await,
            Transition::ContinueLater { lease } => self.continue_later(course, lease).await,
            Transition::Wait { lease } => {
                let Some((run, job, lease, holder)) = course.lease(lease) else { return Ok(()) };
                let next = self.platform.wait(&job, &lease).await;
                let waits = course.runs[run].1.wait(holder);
                self.saw(if waits { "wait: waits" } else { "wait: lost" });
                self.pass_on(course, next.as_ref())
            }
            Transition::Fail { lease } => {
                let Some((run, job, lease, holder)) = course.lease(lease) else { return Ok(()) };
                let next = self.platform.fail(&job, &lease).await;
                let ends = course.runs[run].1.fail(holder);
                self.saw(if ends { "fail: ends" } else { "fail: lost" });
                self.pass_on(course, next.as_ref())
            }
            Transition::Cancel { run } => {
                let Some(run) = course.run(run) else { return Ok(()) };
                let (id, row) = &mut course.runs[run];
                let ends = row.cancel();
                self.saw(if ends { "cancel: ends" } else { "cancel: nothing" });
                same("whether it was cancelled", &ends, &self.platform.cancel(*id).await)
            }
            Transition::Sweep { is_due, queue_is_up } => self.sweep(course, is_due, queue_is_up).await,
            Transition::Collect { run, which } => self.collect(course, run, which).await,
            Transition::Redrive => self.redrive(course).await,
            Transition::Hold { hold } => {
                self.platform.hold(hold).await;
                if course.is_held && !hold {
                    let before: Vec<Publication> = course.runs.iter().map(|(_, run)| run.at).collect();
                    course.runs.iter_mut().for_each(|(_, run)| run.release());
                    if course.runs.iter().zip(before).any(|((_, run), at)| run.at != at) {
                        self.saw("resume: released");
                    }
                }
                course.is_held = hold;
                Ok(())
            }
            Transition::LetTimePass => {
                self.platform.let_time_pass().await;
                course.runs.iter_mut().for_each(|(_, run)| run.let_time_pass());
                Ok(())
            }
        }
    }

    /// The live run of a kind.
    fn live(&self, course: &Course, kind: RunKind) -> Option<usize> {
        course.runs.iter().position(|(id, run)| run.state.is_live() && self.platform.kind(*id) == kind)
    }

    /// Compares the run whose turn it is, if it is one's.
    fn pass_on(&self, course: &mut Course, next: Option<&Job>) -> Result<(), String> {
        let expected = turns::next_in_turn(course.runs.iter_mut().map(|(_, run)| run), course.is_held);
        if expected.is_some() {
            self.saw("pass on: next");
        }
        let expected = expected.map(|(run, publication)| self.platform.job(course.runs[run].0, publication));
        same("the next in turn", &expected.as_ref(), &next)
    }

    async fn request(&self, course: &mut Course, kind: RunKind) -> Result<(), String> {
        let requested = self.platform.request(kind).await;
        let live = self.live(course, kind);
        let (is_new, run) = (live.is_none(), live.unwrap_or(course.runs.len()));
        if is_new {
            course.runs.push((requested.job.run_id, Run::new()));
        }
        let (id, row) = course.runs[run];
        let is_unsent = row.state == State::Queued && !row.is_sent;
        self.saw(match (is_new, is_unsent) {
            _ if course.is_held => "request: held",
            (true, _) => "request: new",
            (false, true) => "request: found unsent",
            (false, false) => "request: found",
        });
        let found = (requested.is_new, requested.is_unpublished, requested.job);
        same("the request", &(is_new, is_unsent && !course.is_held, self.platform.job(id, row.at)), &found)
    }

    async fn mark_sent(&self, course: &mut Course, run: usize, which: Which) -> Result<(), String> {
        let Some(run) = course.run(run) else { return Ok(()) };
        let (id, row) = &mut course.runs[run];
        let sent = of(row, which);
        self.platform.mark_sent(self.platform.job(*id, sent)).await;
        let was_sent = row.is_sent;
        row.mark_sent(RULES, sent);
        self.saw(if !was_sent && row.is_sent { "mark: sent" } else { "mark: nothing" });
        Ok(())
    }

    async fn take_lease(&self, course: &mut Course, run: usize, which: Which) -> Result<(), String> {
        let Some(run) = course.run(run) else { return Ok(()) };
        let must_wait = turns::must_wait(RULES, course.rows(), run);
        let (id, row) = &mut course.runs[run];
        let message = of(row, which);
        let job = self.platform.job(*id, message);
        let was_running = row.state == State::Running;
        let expected = row.take_lease(RULES, message, course.is_held, must_wait);
        let taken = match self.platform.take_lease(&job).await {
            dispatch::Taken::Ours(lease) => {
                let attempt = u8::try_from(lease.attempt).unwrap();
                let holder = Holder { step: message.step, attempt };
                course.leases.push((run, job, lease, holder));
                Taken::Ours(holder)
            }
            dispatch::Taken::Not(NotTaken::Busy) => Taken::Busy,
            dispatch::Taken::Not(NotTaken::NotItsTurn) => Taken::NotItsTurn,
            dispatch::Taken::Not(NotTaken::Passed) => Taken::Passed,
            dispatch::Taken::Not(NotTaken::Unknown) => Taken::Unknown,
        };
        self.saw(match taken {
            Taken::Ours(_) if was_running => "lease: taken over",
            Taken::Ours(_) => "lease: ours",
            Taken::Busy => "lease: busy",
            Taken::NotItsTurn => "lease: not its turn",
            Taken::Passed if course.is_held => "lease: held",
            Taken::Passed => "lease: passed",
            Taken::Unknown => "lease: unknown",
        });
        same("the lease", &expected, &taken)
    }

    async fn advance(&self, course: &mut Course, lease: usize, is_last: bool) -> Result<(), String> {
        let Some((run, job, lease, holder)) = course.lease(lease) else { return Ok(()) };
        let row = &mut course.runs[run].1;
        let stored = row.advance(RULES, holder, (!is_last).then_some(POSITION), 0);
        if stored && is_last {
            row.finish(RULES, holder);
        }
        self.saw(match (stored, is_last) {
            (true, true) => "advance: last",
            (true, false) => "advance: page",
            (false, _) => "advance: lost",
        });
        let next = self.platform.advance(&job, &lease, is_last).await;
        same("whether the page was stored", &stored, &next.is_some())?;
        if stored && is_last { self.pass_on(course, next.flatten().as_ref()) } else { Ok(()) }
    }

    async fn continue_later(&self, course: &mut Course, lease: usize) -> Result<(), String> {
        let Some((run, job, lease, holder)) = course.lease(lease) else { return Ok(()) };
        let must_wait = turns::behind(course.rows());
        let (id, row) = &mut course.runs[run];
        let next = row.continue_later(RULES, holder, must_wait);
        self.saw(match (next, must_wait) {
            (None, _) => "continue: lost",
            (Some(_), None) => "continue: next",
            (Some(_), Some(_)) => "continue: waits",
        });
        let next = next.filter(|_| !course.is_held && must_wait.is_none());
        let next = next.map(|next| self.platform.job(*id, next));
        let publishes = self.platform.continue_later(&job, &lease).await;
        match next {
            Some(_) => same("the next step", &next, &publishes),
            None => self.pass_on(course, publishes.as_ref()),
        }
    }

    async fn sweep(&self, course: &mut Course, is_due: bool, queue_is_up: bool) -> Result<(), String> {
        let report = self.platform.sweep(is_due, queue_is_up).await;
        let again: Vec<usize> = (0..course.runs.len())
            .filter(|&run| course.runs[run].1.is_to_republish(RULES, course.is_held))
            .collect();
        for &run in &again {
            course.runs[run].1.republish(RULES);
        }
        let makes = is_due && !course.is_held && self.live(course, RunKind::Orders).is_none();
        if makes {
            let known: Vec<RunId> = course.runs.iter().map(|(id, _)| *id).collect();
            let rows = self.platform.rows().await;
            let id = rows
                .iter()
                .map(|(id, _)| *id)
                .find(|id| !known.contains(id))
                .ok_or("the sweep made no run")?;
            course.runs.push((id, Run::new()));
        }
        let made = makes.then(|| course.runs.len() - 1);
        if queue_is_up {
            for &run in again.iter().chain(&made) {
                let row = &mut course.runs[run].1;
                row.mark_sent(RULES, row.at);
            }
        }
        for (did, outcome) in [
            (makes, "sweep: made"),
            (!again.is_empty(), "sweep: again"),
            (!makes && again.is_empty(), "sweep: nothing"),
        ] {
            if did {
                self.saw(outcome);
            }
        }
        let sent = |runs: usize| if queue_is_up { runs } else { 0 };
        let expected = (usize::from(makes), sent(usize::from(makes)), sent(again.len()));
        same("the sweep's report", &expected, &(report.runs_made, report.published, report.republished))
    }

    async fn collect(&self, course: &mut Course, run: usize, which: Which) -> Result<(), String> {
        let Some(run) = course.run(run) else { return Ok(()) };
        let (id, row) = &mut course.runs[run];
        let died = of(row, which);
        let job = self.platform.job(*id, died);
        let marks = row.record_dead(RULES, died);
        course.letters.push((run, died));
        self.saw(if marks { "collect: marks" } else { "collect: nothing" });
        same("whether it marks its run", &marks, &self.platform.collect(&job).await)
    }

    async fn redrive(&self, course: &mut Course) -> Result<(), String> {
        let report = self.platform.redrive().await;
        let mut expected = (0, 0, 0);
        for place in 0..course.letters.len() {
            let (run, letter) = course.letters[place];
            let other_is_live = self.live(course, self.platform.kind(course.runs[run].0)).is_some();
            let row = &mut course.runs[run].1;
            match row.redrive(RULES, letter, course.is_held, other_is_live) {
                Redriven::Left => continue,
                Redriven::Published(publication) => {
                    row.mark_sent(RULES, publication);
                    expected.0 += 1;
                    self.saw("redrive: published");
                }
                Redriven::Superseded => {
                    expected.1 += 1;
                    self.saw("redrive: superseded");
                }
                Redriven::MovedOn => {
                    expected.2 += 1;
                    self.saw("redrive: moved on");
                }
            }
            course.letters.remove(place);
            break;
        }
        same("the redrive's report", &expected, &(report.published, report.superseded, report.moved_on))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, model: &T, platform: &T) -> Result<(), String> {
    if model == platform {
        Ok(())
    } else {
        Err(format!("{what}:\n  the model: {model:?}\n  the platform: {platform:?}"))
    }
}
