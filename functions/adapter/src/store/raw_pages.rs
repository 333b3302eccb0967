//! Raw pages: what the marketplace answered, without customers. They are sealed before the page's transaction begins and stored in it,
//! with its other statements. The sweep `raw_pages` moves them into objects later, so no run waits for S3 or knows of it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use robnu_dispatch::Job;
use robnu_marketplace::raw::RawPage;
use robnu_storage::SellerCipher;
use robnu_storage::raw_page::{RAW_PAGES, raw_page_place};
use robnu_tenancy::{Error, Row};
use uuid::Uuid;

use crate::error::JobError;
use crate::store::batch::Request;

const KEEP: &str = include_str!("../sql/keep_raw_pages.sql");

/// The responses of a page, sealed, as columns. A response that came twice is there once.
#[derive(Debug, Default)]
pub struct RawPages {
    fetched_at: DateTime<Utc>,
    id: Vec<Uuid>,
    part: Vec<i32>,
    digest: Vec<Vec<u8>>,
    page: Vec<Vec<u8>>,
}

impl RawPages {
    /// Seals the responses of a page that was read then.
    pub fn new(cipher: &SellerCipher, raw: &[RawPage], fetched_at: DateTime<Utc>) -> Result<Self, JobError> {
        let mut pages = Self { fetched_at, ..Self::default() };
        let mut taken = HashSet::new();
        for (part, raw) in (1..).zip(raw) {
            let digest = cipher.digest(RAW_PAGES, "page_digest", raw.digest());
            if !taken.insert(digest) {
                continue;
            }
            let id = Uuid::now_v7();
            pages.id.push(id);
            pages.part.push(part);
            pages.digest.push(digest.to_vec());
            pages.page.push(cipher.seal(raw_page_place(id), raw.packed())?);
        }
        Ok(pages)
    }

    /// The statement that keeps them, if there are any. It returns one row.
    pub(super) fn request<'a>(&'a self, job: &'a Job, texts: &'a JobTexts) -> Option<Request<'a>> {
        let Self { fetched_at, id, part, digest, page } = self;
        let params = vec![
            &job.account_id as &(dyn robnu_tenancy::ToSql + Sync),
            &job.run_id,
            &texts.marketplace,
            &texts.kind,
            fetched_at,
            id,
            part,
            digest,
            page,
        ];
        (!id.is_empty()).then_some((KEEP, params))
    }
}

/// A job's marketplace and kind, as columns.
pub(super) struct JobTexts {
    marketplace: &'static str,
    kind: &'static str,
}

impl JobTexts {
    pub(super) fn of(job: &Job) -> Self {
        Self { marketplace: job.marketplace.as_str(), kind: job.kind.as_str() }
    }
}

/// Says so if too many pages of the seller wait for their objects, so that these were not kept.
pub(super) fn note_kept(rows: &[Row]) -> Result<(), JobError> {
    let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
    let (is_full, kept): (bool, i32) =
        (row.try_get("is_full").map_err(Error::from)?, row.try_get("kept").map_err(Error::from)?);
    if is_full {
        tracing::error!("raw pages were not kept, because too many wait to be stored");
    } else {
        tracing::debug!(kept, "raw pages were kept");
    }
    Ok(())
}
