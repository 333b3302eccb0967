//! A slice reads and stores pages one after the other until the last page, an error, or the end of its time.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use robnu_dispatch::{Job, Lease, OutboxMessage, Progress, advance};
use robnu_marketplace::contract::{Adapter, Connection, Page, PagePosition, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_storage::{KeyRing, SellerCipher};
use robnu_tenancy::{Database, Error, SellerScope, Session};

use crate::error::JobError;
use crate::store::customers::NewCustomers;
use crate::store::raw_pages::RawPages;
use crate::store::store_page;
use crate::summary::Summary;

/// The longest wait that is spent inside the job; a longer one frees the lane.
const WAIT_IN_PLACE: Duration = Duration::from_secs(3);

/// How far behind the watermark a run reads a few times a day, because marketplaces list some changes long after their
/// timestamps.
const LOOK_BACK: Duration = Duration::from_hours(48);

/// The parts that a slice works with.
pub struct Slice<'a> {
    /// The database as the adapter's login role.
    pub database: &'a Database,
    /// The seller, as a job of the account.
    pub scope: &'a SellerScope,
    /// The job.
    pub job: &'a Job,
    /// The lease of its step.
    pub lease: &'a Lease,
    /// Seals quarantined records.
    pub cipher: &'a SellerCipher,
    /// Opens records that were set aside.
    pub ring: &'a KeyRing<'a>,
    /// Maps records again that were set aside.
    pub adapter: &'a dyn Adapter,
    /// The marketplace.
    pub connection: &'a dyn Connection,
    /// How far behind the watermark to read.
    pub overlap: Duration,
    /// The time by which each page extends the lease.
    pub lease_length: Duration,
    /// When to stop.
    pub ends_at: SystemTime,
    /// Counts what is stored.
    pub summary: &'a Summary,
}

/// How a slice ended.
#[derive(Debug)]
pub enum SliceEnd {
    /// The last page is stored. The account's next run in turn is to be published, if one waits.
    Finished(Option<OutboxMessage>),
    /// Pages remain.
    TimeIsUp,
    /// Pages remain, and the marketplace needs so much time to prepare the next.
    NotReady(Duration),
    /// Another attempt holds the run now; nothing of the last page was stored.
    TakenOver,
    /// The marketplace gave no page.
    Marketplace(AdapterError),
}

impl Slice<'_> {
    /// Reads and stores pages. Each is committed with the run's position, so that a crash costs one page at most.
    pub async fn run(&self) -> Result<SliceEnd, JobError> {
        let changed_since = self.changed_since();
        let mut position = self.lease.page_position.clone().map(PagePosition::new);
        if self.lease.has_retries
            && let Some(end) = self.retry(position.as_ref(), changed_since).await?
        {
            return Ok(end);
        }
        loop {
            let request = PageRequest { position, changed_since, placed: self.lease.window };
            let page = match self.read(&request).await {
                Ok(page) => page,
                Err(AdapterError::OutOfTime) => return Ok(SliceEnd::TimeIsUp),
                Err(error) => return Ok(SliceEnd::Marketplace(error)),
            };
            let raw = RawPages::new(self.cipher, &page.raw, Utc::now())?;
            let mut session = self.database.session(self.scope).await?;
            let (records, quarantined) = (&page.records, &page.quarantined);
            let stored = store_page(&mut session, self.cipher, self.job, records, quarantined, &raw).await?;
            let progress = Progress {
                next_position: page.next.as_ref().map(PagePosition::as_str),
                is_last: page.next.is_none(),
                // A run over a window does not show what has changed outside it.
                complete_until: page.complete_until.filter(|_| self.lease.window.is_none()),
                changed_since,
                counts: &stored.counts,
                quarantined: stored.quarantined,
                lease_seconds: self.lease_length.as_secs_f64(),
            };
            if let Some(end) = self.advance(session, &progress, &stored.customers).await? {
                return Ok(end);
            }
            position = page.next;
            if let Some(pause) = page.ready_in {
                return Ok(SliceEnd::NotReady(pause));
            }
            if SystemTime::now() >= self.ends_at {
                return Ok(SliceEnd::TimeIsUp);
            }
        }
    }

    /// Commits what the session has written, with the page's customers and the run's progress. Returns how the slice ended, if the page was
    /// the last one or another attempt has taken over.
    pub(crate) async fn advance(
        &self,
        session: Session,
        progress: &Progress<'_>,
        customers: &NewCustomers,
    ) -> Result<Option<SliceEnd>, JobError> {
        let last = customers.request();
        let last = last.as_ref().map(|(sql, params)| (*sql, params.as_slice()));
        match advance(session, self.job, self.lease, progress, last).await {
            Ok(next) => {
                self.summary.stored(progress.counts, progress.quarantined);
                Ok(progress.is_last.then_some(SliceEnd::Finished(next)))
            }
            Err(Error::LeaseLost) => Ok(Some(SliceEnd::TakenOver)),
            Err(error) => Err(error.into()),
        }
    }

    /// The run's first page fixes this for the whole run, whatever happens to the watermark meanwhile.
    fn changed_since(&self) -> Option<DateTime<Utc>> {
        if !self.lease.is_first_page {
            return self.lease.changed_since;
        }
        if self.lease.full_read || self.lease.window.is_some() {
            return None;
        }
        let overlap = if self.lease.looks_back { self.overlap.max(LOOK_BACK) } else { self.overlap };
        self.lease.watermark.and_then(|watermark| {
            // A watermark from before this rule or from another clock may lie in the future.
            watermark.min(Utc::now()).checked_sub_signed(chrono::Duration::from_std(overlap).ok()?)
        })
    }

    /// Reads one page; a wait of seconds is spent here, once. A marketplace that refuses calls is not waited for here: it would most likely
    /// refuse the next one too, while the function costs money.
    async fn read(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let error = match self.connection.page(self.job.kind, request).await {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        match error.retry_after() {
            _ if matches!(error, AdapterError::RateLimited { .. }) => Err(error),
            Some(pause) if pause <= WAIT_IN_PLACE => {
                tokio::time::sleep(pause).await;
                self.connection.page(self.job.kind, request).await
            }
            _ => Err(error),
        }
    }
}
