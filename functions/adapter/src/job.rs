//! One job: takes the step's lease, opens the credentials, runs a slice or a check, and records the run's state in its row.

mod import;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use robnu_dispatch::{
    Job, Lease, NotTaken, OutboxMessage, Pause, TakeLease, Taken, continue_later, fail, fail_refused,
    fail_unreachable, finish_check, lock_turns, mark_sent, next_in_turn, wait, wait_unreachable,
};
use robnu_marketplace::contract::Connection;
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::pace::Calls;
use robnu_observe::chain;
use robnu_observe::work::{TraceId, join};
use robnu_storage::StorageError;
use robnu_tenancy::{Error, Params, Row, SellerScope};

use crate::context::Context;
use crate::counted::Counts;
use crate::credentials::{self, CredentialsError};
use crate::error::{JobError, Refusal};
use crate::pace::AccountPace;
use crate::slice::{Slice, SliceEnd};
use crate::summary::Summary;
use crate::tokens::{self, AccountTokens, STORED_TOKEN, SealedToken};

const DATA_KEY: &str = include_str!("sql/data_key.sql");
const OPEN_CREDENTIALS: &str = include_str!("sql/open_credentials.sql");

/// The number of attempts in a row without a page after which a run gives up. With the waits below, that is most of a day of
/// outage, or that many crashes in a row.
const FRUITLESS_ATTEMPTS_AT_MOST: i32 = 20;
/// The same number for a check, because somebody is waiting for its result.
const CHECK_TRIES_AT_MOST: i32 = 5;
/// The reasons of waiting that are nobody's failure: a run that is told to wait never gives up for that.
const TOLD_TO_WAIT: [&str; 4] =
    ["marketplace_throttles", "rate_limit_reached", "token_pending", "earlier_file"];

/// The first wait; each fruitless attempt after it doubles the wait.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait that we choose ourselves.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// A slice ends this long before Lambda ends the invocation.
const DEADLINE_MARGIN: Duration = Duration::from_secs(10);
/// A call that is still under way ends this long before the invocation does, which leaves time to store the page or the
/// reason for its absence.
const CALL_MARGIN: Duration = Duration::from_secs(5);

/// Runs the job. `Ok` acknowledges its message: the row then holds the run's whole state.
pub async fn run(context: &Context, job: &Job, deadline: SystemTime) -> Result<(), JobError> {
    let summary = Summary::begin();
    let outcome = match job.kind {
        RunKind::FileImport => import::work(context, job, &summary, deadline).await,
        _ => work(context, job, &summary, deadline).await,
    };
    let outcome = match outcome {
        Err(JobError::Database(Error::Suspended)) => {
            // The run stays as it is; the sweep publishes it after the seller is resumed.
            summary.ended("SUSPENDED", None);
            Ok(())
        }
        outcome => outcome,
    };
    summary.log(job, &outcome);
    outcome
}

async fn work(context: &Context, job: &Job, summary: &Summary, deadline: SystemTime) -> Result<(), JobError> {
    let scope = SellerScope::for_job(job.seller_id, job.account_id);
    let adapter = context.registry.adapter(job.marketplace);

    let terms = Terms::of(job.kind);
    let account: Params<'_> = &[&job.account_id];
    let opening: Params<'_> =
        &[&job.account_id, &job.kind.as_str(), &job.run_id, &terms.statuses, &terms.attempts_at_most];
    let further: [(&'static str, Params<'_>); 4] = [
        (DATA_KEY, &[]),
        (OPEN_CREDENTIALS, opening),
        (STORED_TOKEN, account),
        (adapter.details().select, account),
    ];
    let Some((lease, answers)) = take(context, &scope, job, &further).await? else { return Ok(()) };

    let counts = Counts { database: &context.database, scope: &scope, job, login: None };
    let mut run = Run { context, job, scope: &scope, lease: &lease, counts, summary };
    if let Some((code, message)) = terms.forbid(&lease) {
        return run.give_up(code, message).await;
    }
    let (ring, cipher) = match credentials::keys(&context.keys, job, &answers[0]).await {
        Ok(keys) => keys,
        Err(error) => return run.without_credentials(error).await,
    };
    let connection = match credentials::open(adapter.details(), job, &ring, &answers[3]).await {
        Ok(credentials) => {
            let login = adapter.details().login_of(&credentials);
            run.counts.login =
                login.map(|login| context.digests.login(job.marketplace.as_str(), login).to_vec());
            let tokens = AccountTokens {
                database: context.database.clone(),
                scope: scope.clone(),
                account: job.account_id,
                generation: lease.credentials_generation,
                cipher: Arc::clone(&cipher),
                lease: tokens::LEASE,
                found: Mutex::new(SealedToken::found(&answers[2])?),
            };
            let calls = calls(context, &scope, job, deadline, tokens);
            adapter.connect(*job.account_id.as_uuid(), credentials, calls)
        }
        Err(error) => return run.without_credentials(error).await,
    };
    let connection: Box<dyn Connection> = match connection {
        Ok(connection) => connection,
        Err(error) => return run.after_marketplace_error(error).await,
    };
    if job.kind == RunKind::CredentialCheck {
        return run.check(connection.as_ref()).await;
    }
    let slice = Slice {
        database: &context.database,
        scope: &scope,
        job,
        lease: &lease,
        cipher: &cipher,
        ring: &ring,
        adapter,
        connection: connection.as_ref(),
        overlap: adapter.overlap(job.kind),
        lease_length: context.clocks.lease,
        ends_at: ends_at(context.clocks.slice, deadline),
        summary,
    };
    run.read(&slice).await
}

/// Takes the lease of the job's step and reads what else the job needs, in one round trip. Returns the lease and the rows of the
/// further statements, or `None` when the step is done already.
async fn take(
    context: &Context,
    scope: &SellerScope,
    job: &Job,
    further: &[(&'static str, Params<'_>)],
) -> Result<Option<(Lease, Vec<Vec<Row>>)>, JobError> {
    let take_lease = TakeLease::new(job, context.clocks.lease);
    let params = take_lease.params();
    let account: Params<'_> = &[&job.account_id];
    let lock = lock_turns(job).map(|lock| (lock, account));
    let mut requests: Vec<(&'static str, Params<'_>)> = lock.into_iter().collect();
    requests.push((TakeLease::SQL, &params));
    requests.extend_from_slice(further);
    let session = context.database.session(scope).await?;
    let mut answers = session.commit_with(&requests).await.map_err(JobError::entering)?;
    if lock.is_some() {
        answers.remove(0);
    }
    let lease = match Taken::from_rows(&answers.remove(0), job)? {
        Taken::Ours(lease) => lease,
        Taken::Not(NotTaken::Passed) => {
            tracing::info!("the step is already done, or the account's runs are held or paused");
            return Ok(None);
        }
        Taken::Not(NotTaken::NotItsTurn) => {
            tracing::info!("the run waits for its turn");
            let next = next_in_turn(&context.database, scope, job).await?;
            publish(context, scope, next).await?;
            return Ok(None);
        }
        Taken::Not(NotTaken::Busy) => return Err(JobError::Busy),
        Taken::Not(NotTaken::Unknown) => return Err(JobError::Refused(Refusal::UnknownRun)),
    };
    // Which request asked for the run, its row knows. A message may come from a sweep, or from another run of the account.
    if let Some(trace) = lease.trace.or_else(|| TraceId::from_uuid(*job.run_id.as_uuid())) {
        join(trace);
        tracing::Span::current().record("trace.id", tracing::field::display(trace));
    }
    if lease.takes_over {
        tracing::warn!(
            run.attempt = lease.attempt,
            "the previous attempt was killed; this one continues after its last page"
        );
    } else {
        tracing::info!(run.attempt = lease.attempt, run.step = job.step, "the run goes on");
    }
    Ok(Some((lease, answers)))
}

/// Whether a leased run may go on. The statement that opens the credentials checks the same.
struct Terms {
    statuses: &'static [&'static str],
    attempts_at_most: i32,
}

impl Terms {
    fn of(kind: RunKind) -> Self {
        match kind {
            RunKind::CredentialCheck => {
                Self { statuses: &["ACTIVE", "NEEDS_RECONNECT"], attempts_at_most: CHECK_TRIES_AT_MOST }
            }
            // A file is read without credentials.
            RunKind::FileImport => Self {
                statuses: &["ACTIVE", "NEEDS_RECONNECT"],
                attempts_at_most: FRUITLESS_ATTEMPTS_AT_MOST,
            },
            _ => Self { statuses: &["ACTIVE"], attempts_at_most: FRUITLESS_ATTEMPTS_AT_MOST },
        }
    }

    /// Why a leased run must end at once.
    fn forbid(&self, lease: &Lease) -> Option<(&'static str, &'static str)> {
        if !self.statuses.contains(&lease.account_status.as_str()) {
            return Some((
                "account_not_active",
                "the account was paused, disconnected or needs to be reconnected",
            ));
        }
        (lease.failed_attempts > self.attempts_at_most)
            .then_some(("gave_up", "the run made no progress in many attempts"))
    }
}

/// The bounds of the job's calls. The last one must be over so early that its result can still be stored.
fn calls(
    context: &Context,
    scope: &SellerScope,
    job: &Job,
    deadline: SystemTime,
    tokens: AccountTokens,
) -> Calls {
    let pace = AccountPace {
        database: context.database.clone(),
        scope: scope.clone(),
        account: job.account_id,
        granted: Arc::clone(&context.granted_rates),
    };
    Calls {
        deadline: Deadline::at(deadline.checked_sub(CALL_MARGIN).unwrap_or(deadline)),
        pace: Arc::new(pace),
        tokens: Arc::new(tokens),
    }
}

fn ends_at(slice: Duration, deadline: SystemTime) -> SystemTime {
    let latest = deadline.checked_sub(DEADLINE_MARGIN).unwrap_or(deadline);
    latest.min(SystemTime::now() + slice)
}

/// A leased run, to be left in one of its resting states.
struct Run<'a> {
    context: &'a Context,
    job: &'a Job,
    scope: &'a SellerScope,
    lease: &'a Lease,
    counts: Counts<'a>,
    summary: &'a Summary,
}

impl Run<'_> {
    /// Reads and stores pages, and leaves the run where they end.
    async fn read(&self, slice: &Slice<'_>) -> Result<(), JobError> {
        self.settle(slice.run().await?).await
    }

    /// Leaves the run where a slice has ended.
    async fn settle(&self, end: SliceEnd) -> Result<(), JobError> {
        match end {
            SliceEnd::Finished(next) => {
                self.summary.ended("SUCCEEDED", None);
                self.pass_on(next).await
            }
            SliceEnd::TakenOver => {
                self.summary.ended("TAKEN_OVER", None);
                Ok(())
            }
            SliceEnd::TimeIsUp => {
                self.summary.ended("NEXT_STEP", None);
                self.hand_over().await
            }
            SliceEnd::NotReady(pause) => self.not_ready(pause).await,
            SliceEnd::Marketplace(error) => self.after_marketplace_error(error).await,
        }
    }

    async fn give_up(&self, code: &str, message: &str) -> Result<(), JobError> {
        self.summary.ended("FAILED", Some(code));
        tracing::warn!(run.error = code, "the run failed");
        let ended = fail(&self.context.database, self.scope, self.job, self.lease, code, message).await?;
        self.pass_on(ended).await
    }

    async fn give_up_refused(&self, message: &str) -> Result<(), JobError> {
        let code = "credentials_refused";
        self.log_failure(code);
        // A check was already counted before the marketplace was asked.
        if self.job.kind != RunKind::CredentialCheck {
            self.counts.note_refused().await?;
        }
        let database = &self.context.database;
        self.pass_on(fail_refused(database, self.scope, self.job, self.lease, code, message).await?).await
    }

    /// A failed run is a warning for operators. A failed check is only information, for the seller who asked.
    fn log_failure(&self, code: &str) {
        self.summary.ended("FAILED", Some(code));
        if self.job.kind == RunKind::CredentialCheck {
            tracing::info!(run.error = code, "the check was not passed");
        } else {
            tracing::warn!(run.error = code, "the run failed");
        }
    }

    /// Asks the marketplace about the credentials, and stores its response.
    async fn check(&self, connection: &dyn Connection) -> Result<(), JobError> {
        let Some(check) = self.counts.begin().await? else { return self.must_wait().await };
        let answer = connection.check_credentials().await;
        self.counts.end(check, &answer).await?;
        match answer {
            Ok(()) => {
                self.summary.ended("SUCCEEDED", None);
                let database = &self.context.database;
                self.pass_on(finish_check(database, self.scope, self.job, self.lease).await?).await
            }
            Err(error) => self.after_marketplace_error(error).await,
        }
    }

    /// Ends a check that would exceed the bound; the account stays as it is.
    async fn must_wait(&self) -> Result<(), JobError> {
        let code = "too_many_refused_checks";
        let message = "too many credentials were refused lately, so the marketplace was not asked; wait, or replace the credentials";
        self.log_failure(code);
        let ended = fail(&self.context.database, self.scope, self.job, self.lease, code, message).await?;
        self.pass_on(ended).await
    }

    /// Waits for a marketplace that does not respond; a check that has tried often enough ends.
    async fn unanswered(&self, least: Option<Duration>, code: &str, message: &str) -> Result<(), JobError> {
        let Run { context, job, scope, lease, .. } = self;
        match job.kind {
            RunKind::CredentialCheck if lease.fruitless_attempts >= CHECK_TRIES_AT_MOST => {
                self.log_failure(code);
                let ended = fail_unreachable(&context.database, scope, job, lease, code, message).await?;
                self.pass_on(ended).await
            }
            RunKind::CredentialCheck => {
                let pause = self.pause(least);
                self.log_wait(code, pause);
                let database = &context.database;
                let pause = Pause { seconds: pause, code, message, was_told: false };
                let rests = wait_unreachable(database, scope, job, lease, pause).await?;
                self.pass_on(rests).await
            }
            _ => self.put_off(least, code, message).await,
        }
    }

    fn log_wait(&self, code: &str, pause: f64) {
        self.summary.ended("WAITING", Some(code));
        tracing::info!(run.error = code, wait.seconds = pause, "the run waits");
    }

    fn pause(&self, least: Option<Duration>) -> f64 {
        backoff(self.lease.fruitless_attempts).max(least.unwrap_or_default()).as_secs_f64()
    }

    async fn put_off(&self, least: Option<Duration>, code: &str, message: &str) -> Result<(), JobError> {
        let was_told = TOLD_TO_WAIT.contains(&code);
        self.rest(Pause { seconds: self.pause(least), code, message, was_told }).await
    }

    /// Waits for as long as the marketplace needs to prepare what was asked for.
    async fn not_ready(&self, pause: Duration) -> Result<(), JobError> {
        let (code, message) = ("not_ready", "the marketplace is preparing what was asked for");
        self.rest(Pause { seconds: pause.as_secs_f64(), code, message, was_told: true }).await
    }

    async fn rest(&self, pause: Pause<'_>) -> Result<(), JobError> {
        self.log_wait(pause.code, pause.seconds);
        let Run { context, job, scope, lease, .. } = self;
        self.pass_on(wait(&context.database, scope, job, lease, pause).await?).await
    }

    async fn without_credentials(&self, error: CredentialsError) -> Result<(), JobError> {
        tracing::error!(error = chain(&error), "the account's credentials cannot be opened");
        match error {
            CredentialsError::Storage(StorageError::Kms { .. }) => {
                self.put_off(None, "key_unavailable", "the seller's data key cannot be used at the moment")
                    .await
            }
            _ => self.give_up("credentials_unreadable", "the account's details cannot be read").await,
        }
    }

    async fn after_marketplace_error(&self, error: AdapterError) -> Result<(), JobError> {
        let message = error.to_string();
        match error {
            AdapterError::RateLimited { retry_after } => {
                self.unanswered(retry_after, "marketplace_throttles", &message).await
            }
            AdapterError::RateLimitReached { retry_after } => {
                self.unanswered(Some(retry_after), "rate_limit_reached", &message).await
            }
            AdapterError::TokenPending { retry_after } => {
                self.unanswered(Some(retry_after), "token_pending", &message).await
            }
            AdapterError::Unavailable { retry_after, .. } => {
                self.unanswered(retry_after, "marketplace_unavailable", &message).await
            }
            // A proxy's page or half a response is temporary, and attempts in a row without a page are bounded.
            AdapterError::Garbled { .. } => self.unanswered(None, "marketplace_garbled", &message).await,
            AdapterError::OutOfTime => self.unanswered(None, "out_of_time", &message).await,
            AdapterError::Unauthorized => self.give_up_refused(&message).await,
            AdapterError::NotPermitted { .. } => self.give_up("not_permitted", &message).await,
            AdapterError::Rejected { .. } => self.give_up("marketplace_rejects", &message).await,
            AdapterError::Malformed { .. } => self.give_up("contract_broken", &message).await,
            AdapterError::RepeatedPage => self.give_up("page_repeated", &message).await,
            AdapterError::Unsupported { .. } => self.give_up("not_supported", &message).await,
            AdapterError::Configuration { .. } => self.give_up("not_configured", &message).await,
        }
    }

    /// Makes the remaining work the next step, and publishes it or the run that goes first. If publishing fails, the sweep does it.
    async fn hand_over(&self) -> Result<(), JobError> {
        let next = continue_later(&self.context.database, self.scope, self.job, self.lease).await?;
        self.pass_on(next.map(|(job, lane_url)| OutboxMessage { job, lane_url })).await
    }

    /// Publishes what goes on now that the work on this run has ended.
    async fn pass_on(&self, next: Option<OutboxMessage>) -> Result<(), JobError> {
        publish(self.context, self.scope, next).await
    }
}

/// Publishes a run's step. If that fails, the sweep publishes it.
async fn publish(
    context: &Context,
    scope: &SellerScope,
    next: Option<OutboxMessage>,
) -> Result<(), JobError> {
    let Some(OutboxMessage { job, lane_url }) = next else { return Ok(()) };
    // Without its lane, the run waits for the next one.
    if lane_url.is_none() && job.kind.needs_credentials() {
        return Ok(());
    }
    match context.publisher.publish(lane_url.as_deref(), job.clone()).await {
        Ok(()) => mark_sent(&context.database, scope, &[job]).await?,
        Err(error) => {
            tracing::warn!(error = chain(&error), "a step was not published; the sweep will publish it");
        }
    }
    Ok(())
}

/// Doubles with each fruitless attempt. A random quarter is added at most, so that accounts that were put off together do
/// not return together.
fn backoff(fruitless_attempts: i32) -> Duration {
    let doublings = u32::try_from(fruitless_attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let pause = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let spread = uuid::Uuid::now_v7().as_u128() % 256;
    pause + pause.mul_f64(f64::from(u8::try_from(spread).unwrap_or(0)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_a_quarter() {
        for (attempts, least) in [(0, 30), (1, 30), (2, 60), (5, 480), (8, 3600), (i32::MAX, 3600)] {
            let pause = backoff(attempts);
            let least = Duration::from_secs(least);
            assert!(pause >= least && pause <= least.mul_f64(1.25), "{attempts} attempts wait {pause:?}");
        }
    }
}
