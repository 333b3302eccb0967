//! Records that could not be normalised: kept whole, under the seller's data key.

use std::collections::HashSet;

use robnu_dispatch::Job;
use robnu_marketplace::record::QuarantinedRecord;
use robnu_storage::{Place, SellerCipher};
use robnu_tenancy::ToSql;
use uuid::Uuid;

use crate::error::JobError;

const INSERT_QUARANTINED: &str = include_str!("../sql/insert_quarantined.sql");

/// The table of quarantined records, to which their encryption is bound.
pub const QUARANTINE: &str = "quarantined_records";
/// The column of the record itself.
pub const RECORD: &str = "record";

/// Quarantined records, encrypted, as columns. A record that occurs twice on the page is stored once, because one statement
/// cannot write the same row twice.
#[derive(Default)]
pub struct Sealed<'a> {
    id: Vec<Uuid>,
    external_id: Vec<Option<&'a str>>,
    reason: Vec<&'a str>,
    record: Vec<Vec<u8>>,
    digest: Vec<Vec<u8>>,
}

impl<'a> Sealed<'a> {
    /// Seals the records.
    pub fn new(cipher: &SellerCipher, records: &'a [QuarantinedRecord]) -> Result<Self, JobError> {
        let mut sealed = Self::default();
        let mut taken = HashSet::new();
        for record in records {
            let digest = cipher.digest(QUARANTINE, RECORD, record.raw.as_bytes());
            if !taken.insert(digest) {
                continue;
            }
            let id = Uuid::now_v7();
            let place = Place { table: QUARANTINE, column: RECORD, row: id };
            sealed.id.push(id);
            sealed.external_id.push(record.external_id.as_deref());
            sealed.reason.push(record.reason.as_str());
            sealed.record.push(cipher.seal(place, record.raw.as_bytes())?);
            sealed.digest.push(digest.to_vec());
        }
        Ok(sealed)
    }

    /// How many there are.
    pub fn count(&self) -> i32 {
        i32::try_from(self.id.len()).unwrap_or(i32::MAX)
    }

    /// The statement that stores them, if there are any.
    pub fn request<'b>(&'b self, job: &'b Job) -> Option<(&'static str, Vec<&'b (dyn ToSql + Sync)>)> {
        let params: Vec<&(dyn ToSql + Sync)> = vec![
            &job.account_id,
            &job.run_id,
            &self.id,
            &self.external_id,
            &self.reason,
            &self.record,
            &self.digest,
        ];
        (!self.id.is_empty()).then_some((INSERT_QUARANTINED, params))
    }
}
