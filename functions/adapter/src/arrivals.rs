//! S3's notices that a file has arrived. Each makes the run of the file's import, once, and publishes it.
//!
//! A notice may come twice or late, so it only says where to look: the import's row knows whether it has a run already.

use robnu_dispatch::{Job, is_parallel_queue, mark_sent};
use robnu_marketplace::kind::RunKind;
use robnu_observe::chain;
use robnu_storage::objects::{ArrivalNotice, ImportKey};
use robnu_tenancy::{Error, Params, Row, RunId, SellerScope};

use crate::context::Context;
use crate::error::{JobError, Refusal};

const BEGIN_IMPORT: &str = include_str!("sql/begin_import.sql");

/// The files that a notice names.
fn files(notice: &ArrivalNotice) -> Result<Vec<ImportKey>, Refusal> {
    notice.keys().map(|key| ImportKey::parse(key).ok_or(Refusal::UnknownFile)).collect()
}

/// Begins the imports of the files that a notice names. `Ok` acknowledges the notice.
pub async fn begin(context: &Context, queue: &str, notice: &ArrivalNotice) -> Result<(), JobError> {
    if !is_parallel_queue(queue) {
        return Err(JobError::Refused(Refusal::OtherQueue));
    }
    for file in files(notice).map_err(JobError::Refused)? {
        if file.marketplace != context.marketplace.as_str() {
            return Err(JobError::Refused(Refusal::OtherMarketplace));
        }
        begin_import(context, &file).await?;
    }
    Ok(())
}

async fn begin_import(context: &Context, file: &ImportKey) -> Result<(), JobError> {
    let scope = SellerScope::for_job(file.seller, file.account);
    let new_run = RunId::new();
    let session = context.database.session(&scope).await?;
    let params: Params<'_> = &[&file.import, &file.account, &new_run];
    let answers = session.commit_with(&[(BEGIN_IMPORT, params)]).await.map_err(JobError::entering)?;
    let row = answers[0].first().ok_or(JobError::Refused(Refusal::UnknownFile))?;
    if let Some(job) = to_publish(context, file, row)? {
        publish(context, &scope, job).await?;
    }
    Ok(())
}

/// The run to publish; `None` when it was published before, or when another notice is making it.
fn to_publish(context: &Context, file: &ImportKey, row: &Row) -> Result<Option<Job>, Error> {
    let Some(run_id) = row.try_get("run_id")? else { return Ok(None) };
    if !row.try_get::<_, bool>("is_unpublished")? {
        return Ok(None);
    }
    Ok(Some(Job {
        run_id,
        step: row.try_get("step")?,
        generation: row.try_get("generation")?,
        seller_id: file.seller,
        account_id: file.account,
        marketplace: context.marketplace,
        kind: RunKind::FileImport,
    }))
}

async fn publish(context: &Context, scope: &SellerScope, job: Job) -> Result<(), JobError> {
    tracing::info!(run.id = %job.run_id, seller.id = %job.seller_id, account.id = %job.account_id, "a file has arrived");
    match context.publisher.publish(None, job.clone()).await {
        Ok(()) => mark_sent(&context.database, scope, &[job]).await?,
        Err(error) => {
            tracing::warn!(error = chain(&error), "the run was not published; the sweep will publish it");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_of_any_other_object_is_refused() {
        for key in ["imports/x", "", "exports/2026-01-01/x", "imports/../secret", "imports/%2e%2e/x/y/AJIO"] {
            let body = serde_json::json!({"Records": [{"s3": {"object": {"key": key}}}]}).to_string();
            assert_eq!(
                files(&ArrivalNotice::parse(&body).unwrap()).err(),
                Some(Refusal::UnknownFile),
                "{key}"
            );
        }
    }
}
