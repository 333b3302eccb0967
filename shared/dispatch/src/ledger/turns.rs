//! Turns: an account's runs that must not overtake each other are worked on one at a time, whichever queue their messages come through.
//!
//! A run whose message comes while another one is at work rests in its row (`take_lease.sql`). Whoever ends work on the account commits the
//! run's end together with the choice of the next one, and then publishes it. A lost message or a killed function costs time only: the
//! sweep publishes a run that rests too long.

use robnu_tenancy::{Database, Error, Params, Row, SellerScope, Session};

use crate::job_message::Job;
use crate::outbox::OutboxMessage;

type Request<'a> = (&'static str, Params<'a>);

/// Lets one transaction at a time decide about the turns of an account. $1 account
pub const LOCK_TURNS: &str = include_str!("../sql/lock_turns.sql");
const NEXT_IN_TURN: &str = include_str!("../sql/next_in_turn.sql");

/// For this long, in seconds, only the function that chose a run publishes it. The sweep has the same bound for other runs.
const UNSENT_SECONDS: f64 = 30.0;

/// The statement that lets one function at a time decide whose turn it is, for its transaction. `None` for a job whose run takes no turns.
#[must_use]
pub fn lock_turns(job: &Job) -> Option<&'static str> {
    (!job.kind.is_parallel()).then_some(LOCK_TURNS)
}

/// Commits the end of a run's work, and chooses the account's next run in the same round trip. Returns the statements' rows, and what to
/// publish.
pub(super) async fn commit_end(
    session: Session,
    job: &Job,
    requests: &[Request<'_>],
) -> Result<(Vec<Vec<Row>>, Option<OutboxMessage>), Error> {
    let Some(lock) = lock_turns(job) else { return Ok((session.commit_with(requests).await?, None)) };
    let kinds = job.kind.takes_turns_with();
    let account: Params<'_> = &[&job.account_id];
    let next: Params<'_> = &[&job.account_id, &kinds, &UNSENT_SECONDS];
    let mut all: Vec<Request<'_>> = vec![(lock, account)];
    all.extend_from_slice(requests);
    all.push((NEXT_IN_TURN, next));
    let mut answers = session.commit_with(&all).await?;
    let chosen = answers.pop().unwrap_or_default();
    answers.remove(0);
    let message = chosen.first().map(OutboxMessage::from_row).transpose()?.flatten();
    Ok((answers, message))
}

/// Chooses the account's next run, if none is at work. A function whose job must wait does so: nobody else may be there to do it.
pub async fn next_in_turn(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
) -> Result<Option<OutboxMessage>, Error> {
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[]).await?.1)
}
