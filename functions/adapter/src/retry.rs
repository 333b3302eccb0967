//! Reads records again that were set aside, because somebody asked for it. After the mapping was improved, they can be stored.
//!
//! This comes before a slice's first page, so that the marketplace's present data is written after the old data. Rows of files are read
//! again by a run that has no file of its own.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use robnu_dispatch::Progress;
use robnu_marketplace::contract::PagePosition;
use robnu_marketplace::files;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::MappedAgain;
use robnu_storage::{KeyRing, Place, StorageError};
use robnu_tenancy::{Error, Row};
use uuid::Uuid;

use crate::error::JobError;
use crate::slice::{Slice, SliceEnd};
use crate::store::quarantine::{QUARANTINE, RECORD};
use crate::store::raw_pages::RawPages;
use crate::store::store_page;

const TAKE: &str = include_str!("sql/take_quarantined.sql");
const SETTLE: &str = include_str!("sql/settle_quarantined.sql");

/// The reason noted for a record that cannot be decrypted to text.
const UNDECIPHERABLE: &str = "record cannot be decrypted";

/// Records in one transaction.
const AT_ONCE: i32 = 100;

/// Records as they were set aside.
#[derive(Default)]
struct Kept {
    ids: Vec<Uuid>,
    raw: Vec<String>,
    unreadable: Vec<Uuid>,
}

impl Kept {
    /// Opens the records. A record that does not open is unreadable; a key that cannot be had fails the job.
    async fn open(ring: &KeyRing<'_>, rows: &[Row]) -> Result<Self, JobError> {
        let mut kept = Self::default();
        for row in rows {
            let id: Uuid = row.try_get("id").map_err(Error::from)?;
            let sealed: &[u8] = row.try_get("record_enc").map_err(Error::from)?;
            let place = Place { table: QUARANTINE, column: RECORD, row: id };
            let clear = match ring.open(place, sealed).await {
                Ok(clear) => Some(clear),
                Err(StorageError::Sealed { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            match clear.as_ref().and_then(|clear| std::str::from_utf8(clear).ok()) {
                Some(text) => {
                    kept.ids.push(id);
                    kept.raw.push(text.to_owned());
                }
                None => kept.unreadable.push(id),
            }
        }
        Ok(kept)
    }

    /// Sets the streams of files apart, because records are mapped and stored stream by stream. What no stream knows, or nobody can
    /// decipher, goes with the orders.
    fn by_stream(mut self) -> Vec<(RunKind, Self)> {
        let mut orders = Self { unreadable: std::mem::take(&mut self.unreadable), ..Self::default() };
        let (mut returns, mut payouts) = (Self::default(), Self::default());
        for (id, raw) in self.ids.into_iter().zip(self.raw) {
            let stream = match files::stream_of(&raw) {
                Some(RunKind::Returns) => &mut returns,
                Some(RunKind::Payouts) => &mut payouts,
                _ => &mut orders,
            };
            stream.ids.push(id);
            stream.raw.push(raw);
        }
        let streams = [(RunKind::Orders, orders), (RunKind::Returns, returns), (RunKind::Payouts, payouts)];
        streams.into_iter().filter(|(_, kept)| !(kept.ids.is_empty() && kept.unreadable.is_empty())).collect()
    }

    /// Every record with the reason why it cannot be stored, or `None`.
    fn settled(self, mapped: Vec<Option<String>>) -> (Vec<Uuid>, Vec<Option<String>>) {
        let unreadable = self.unreadable.iter().map(|_| Some(UNDECIPHERABLE.to_owned()));
        let problems = mapped.into_iter().chain(unreadable).collect();
        (self.ids.into_iter().chain(self.unreadable.iter().copied()).collect(), problems)
    }
}

impl Slice<'_> {
    /// Reads the requested records again, and leaves the run at `position`. Returns how the slice ended, if it did.
    pub(crate) async fn retry(
        &self,
        position: Option<&PagePosition>,
        changed_since: Option<DateTime<Utc>>,
    ) -> Result<Option<SliceEnd>, JobError> {
        let account = &self.job.account_id;
        while SystemTime::now() < self.ends_at {
            // This is committed before any record is read, so that a record that crashes the process is not taken again.
            let session = self.database.session(self.scope).await?;
            let rows = session.commit_with(&[(TAKE, &[account, &self.job.kind.as_str(), &AT_ONCE])]).await?;
            if rows[0].is_empty() {
                return Ok(None);
            }
            let kept = Kept::open(self.ring, &rows[0]).await?;
            let streams = match self.job.kind {
                RunKind::FileImport => kept.by_stream(),
                kind => vec![(kind, kept)],
            };
            for (stream, kept) in streams {
                if let Some(end) = self.read_again(stream, kept, position, changed_since).await? {
                    return Ok(Some(end));
                }
            }
        }
        Ok(Some(SliceEnd::TimeIsUp))
    }

    /// Maps and stores records of one stream, and settles them in the same transaction.
    async fn read_again(
        &self,
        stream: RunKind,
        kept: Kept,
        position: Option<&PagePosition>,
        changed_since: Option<DateTime<Utc>>,
    ) -> Result<Option<SliceEnd>, JobError> {
        let again = self.map_again(stream, &kept.raw);
        tracing::info!(records = kept.raw.len(), stored = again.stored(), "records were read again");
        let mut session = self.database.session(self.scope).await?;
        let raw = RawPages::default();
        let stored = store_page(&mut session, self.cipher, self.job, &again.records, &[], &raw).await?;
        let (ids, problems) = kept.settled(again.problems);
        session.query(SETTLE, &[&self.job.account_id, &ids, &problems]).await?;
        let progress = Progress {
            next_position: position.map(PagePosition::as_str),
            is_last: false,
            complete_until: None,
            changed_since,
            counts: &stored.counts,
            quarantined: 0,
            lease_seconds: self.lease_length.as_secs_f64(),
        };
        self.advance(session, &progress, &stored.customers).await
    }

    fn map_again(&self, stream: RunKind, raw: &[String]) -> MappedAgain {
        match self.job.kind {
            RunKind::FileImport => files::map_again(stream, raw),
            _ => self.adapter.map_again(stream, raw),
        }
    }
}
