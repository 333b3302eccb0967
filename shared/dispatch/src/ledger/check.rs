//! Records what the marketplace said about an account's credentials, together with the end of the run that asked.
//!
//! Each write states the attempt and the generation of the credentials that the run used. A verdict on credentials that
//! have been replaced since says nothing about the account. Each returns the account's next run in turn, for the caller to publish.

use robnu_tenancy::{Database, Error, SellerScope};

use crate::job_message::Job;
use crate::ledger::lease::Lease;
use crate::ledger::progress::{Pause, WAIT};
use crate::ledger::turns::commit_end;
use crate::outbox::OutboxMessage;

const FINISH_CHECK: &str = include_str!("../sql/finish_check.sql");
const FAIL_CHECK: &str = include_str!("../sql/fail_check.sql");
const STOP_ACCOUNT: &str = include_str!("../sql/stop_account.sql");
const REVIVE_ACCOUNT: &str = include_str!("../sql/revive_account.sql");
const NOTE_UNREACHABLE: &str = include_str!("../sql/note_unreachable.sql");

/// Ends a check that the credentials passed. An account that had to be reconnected becomes active again.
pub async fn finish_check(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
) -> Result<Option<OutboxMessage>, Error> {
    let held: robnu_tenancy::Params<'_> =
        &[&job.run_id, &job.step, &lease.attempt, &lease.credentials_generation];
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[(REVIVE_ACCOUNT, held), (FINISH_CHECK, held)]).await?.1)
}

/// Ends any run for good because the marketplace refuses the account's credentials, and stops the account.
pub async fn fail_refused(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    code: &str,
    message: &str,
) -> Result<Option<OutboxMessage>, Error> {
    let held: robnu_tenancy::Params<'_> =
        &[&job.run_id, &job.step, &lease.attempt, &lease.credentials_generation];
    let failed: robnu_tenancy::Params<'_> =
        &[&job.run_id, &job.step, &lease.attempt, &code, &message, &lease.credentials_generation, &"REFUSED"];
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[(STOP_ACCOUNT, held), (FAIL_CHECK, failed)]).await?.1)
}

/// Postpones a check because the marketplace could not be asked.
pub async fn wait_unreachable(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    pause: Pause<'_>,
) -> Result<Option<OutboxMessage>, Error> {
    let held: robnu_tenancy::Params<'_> =
        &[&job.run_id, &job.step, &lease.attempt, &lease.credentials_generation];
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[(NOTE_UNREACHABLE, held), (WAIT, &pause.params(job, lease))]).await?.1)
}

/// Ends a check for good because the marketplace could not be asked; the account stays as it is.
pub async fn fail_unreachable(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    code: &str,
    message: &str,
) -> Result<Option<OutboxMessage>, Error> {
    let failed: robnu_tenancy::Params<'_> = &[
        &job.run_id,
        &job.step,
        &lease.attempt,
        &code,
        &message,
        &lease.credentials_generation,
        &"UNREACHABLE",
    ];
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[(FAIL_CHECK, failed)]).await?.1)
}
