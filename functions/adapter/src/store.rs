//! Stores a page: a fixed number of statements per stream, in one round trip, however many records it holds. Only customers are
//! stored with the run's progress, in the next one.
//!
//! Each stream has a file of its own, with its columns and statements; the code here does not depend on them.

mod batch;
pub(crate) mod customers;
#[cfg(test)]
mod fictional;
mod orders;
mod payouts;
pub(crate) mod quarantine;
pub mod raw_pages;
mod returns;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::record::{QuarantinedRecord, Records};
use robnu_storage::SellerCipher;
use robnu_tenancy::{Params, Row, Session};

use crate::error::JobError;
use crate::store::batch::{Batch, Request};
use crate::store::customers::{NewCustomers, PageCustomers};
use crate::store::orders::OrdersBatch;
use crate::store::payouts::PayoutsBatch;
use crate::store::quarantine::Sealed;
use crate::store::raw_pages::{JobTexts, RawPages, note_kept};
use crate::store::returns::ReturnsBatch;

/// The one place that names the streams' stores.
fn batch(records: &Records) -> Box<dyn Batch + '_> {
    match records {
        Records::Orders(orders) => Box::new(OrdersBatch::new(orders)),
        Records::Returns(returns) => Box::new(ReturnsBatch::new(returns)),
        Records::Payouts(parts) => Box::new(PayoutsBatch::new(parts)),
    }
}

/// The result of storing a page.
#[derive(Debug)]
pub struct Stored {
    /// The counts of each stream that was written.
    pub counts: Vec<StreamCounts>,
    /// Records that could not be normalised, each once.
    pub quarantined: i32,
    /// Customers whose statement must be sent before the session commits.
    pub customers: NewCustomers,
}

/// Writes a page's records in the session, keeps the responses that they are from, and counts the results. Does not commit.
pub async fn store_page(
    session: &mut Session,
    cipher: &SellerCipher,
    job: &Job,
    records: &Records,
    quarantined: &[QuarantinedRecord],
    raw: &RawPages,
) -> Result<Stored, JobError> {
    let customers = PageCustomers::new(cipher, job, records);
    let batch = batch(records);
    let sealed = Sealed::new(cipher, quarantined)?;
    let (mut stored, found) =
        store_batch(session, job, batch.as_ref(), &sealed, raw, customers.request(job)).await?;
    stored.customers = customers.seal_new(cipher, job, &found)?;
    Ok(stored)
}

/// Sends a batch's statements and, after them, a last one; returns the rows of that one.
async fn store_batch(
    session: &mut Session,
    job: &Job,
    batch: &dyn Batch,
    sealed: &Sealed<'_>,
    raw: &RawPages,
    last: Option<Request<'_>>,
) -> Result<(Stored, Vec<Row>), JobError> {
    let texts = JobTexts::of(job);
    let kept = raw.request(job, &texts);
    let (has_raw, has_last) = (kept.is_some(), last.is_some());
    let mut requests = batch.requests(job);
    requests.extend(sealed.request(job));
    requests.extend(kept);
    requests.extend(last);
    let requests: Vec<(&'static str, Params<'_>)> =
        requests.iter().map(|(sql, params)| (*sql, params.as_slice())).collect();
    let mut answers = session.pipeline(&requests).await?;
    let found = if has_last { answers.pop() } else { None };
    if has_raw {
        note_kept(&answers.pop().unwrap_or_default())?;
    }
    let counts = batch.counts(&answers)?;
    let stored = Stored { counts, quarantined: sealed.count(), customers: NewCustomers::default() };
    Ok((stored, found.unwrap_or_default()))
}
