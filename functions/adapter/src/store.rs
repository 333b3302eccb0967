//! Stores a page: a fixed number of statements per stream, in one round trip, however many records it holds.
//!
//! Each stream has a file of its own, with its columns and statements; the code here does not depend on them.

mod batch;
#[cfg(test)]
mod fictional;
mod orders;
pub(crate) mod quarantine;
mod returns;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::record::{QuarantinedRecord, Records};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Params, Session};

use crate::error::JobError;
use crate::store::batch::Batch;
use crate::store::orders::OrdersBatch;
use crate::store::quarantine::Sealed;
use crate::store::returns::ReturnsBatch;

/// The one place that names the streams' stores.
fn batch(records: &Records) -> Box<dyn Batch + '_> {
    match records {
        Records::Orders(orders) => Box::new(OrdersBatch::new(orders)),
        Records::Returns(returns) => Box::new(ReturnsBatch::new(returns)),
    }
}

/// The result of storing a page.
#[derive(Debug)]
pub struct Stored {
    /// The counts of each stream that was written.
    pub counts: Vec<StreamCounts>,
    /// Records that could not be normalised, each once.
    pub quarantined: i32,
}

/// Writes a page's records in the session and counts the results. Does not commit.
pub async fn store_page(
    session: &mut Session,
    cipher: &SellerCipher,
    job: &Job,
    records: &Records,
    quarantined: &[QuarantinedRecord],
) -> Result<Stored, JobError> {
    store_batch(session, cipher, job, batch(records).as_ref(), quarantined).await
}

async fn store_batch(
    session: &mut Session,
    cipher: &SellerCipher,
    job: &Job,
    batch: &dyn Batch,
    quarantined: &[QuarantinedRecord],
) -> Result<Stored, JobError> {
    let sealed = Sealed::new(cipher, quarantined)?;
    let mut requests = batch.requests(job);
    requests.extend(sealed.request(job));
    let requests: Vec<(&'static str, Params<'_>)> =
        requests.iter().map(|(sql, params)| (*sql, params.as_slice())).collect();
    let answers = session.pipeline(&requests).await?;
    Ok(Stored { counts: batch.counts(&answers)?, quarantined: sealed.count() })
}
