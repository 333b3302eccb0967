//! The files of an import: what is known of each, and how it gets to this function's disk.

use robnu_dispatch::Job;
use robnu_files::{DateOrder, FileError};
use robnu_marketplace::files::{ImportError, ImportFile};
use robnu_storage::StorageError;
use robnu_storage::objects::{MarketplaceFolder, ObjectKey, SellerObjects, Sha256};
use robnu_tenancy::{Error, ImportId, Row};
use tempfile::NamedTempFile;

/// A file in the bucket, as the row of its import describes it.
pub(super) struct SourceFile {
    pub(super) id: ImportId,
    size: u64,
    checksum: Sha256,
    date_order: Option<DateOrder>,
}

/// Why a file cannot be read.
pub(super) enum SourceFault {
    /// It cannot be had at the moment.
    Later(Box<dyn std::error::Error + Send + Sync>),
    /// It is not in the bucket, or not to be had.
    Missing(StorageError),
    /// The file in the bucket is not the one that was announced.
    Differs,
    /// It cannot be imported.
    Refused(ImportError),
}

impl SourceFile {
    /// The file of a run.
    pub(super) fn of_run(row: &Row) -> Result<Self, Error> {
        Self::read(row, ["id", "size", "checksum", "date_order"])
    }

    /// The earlier file that the run's file corrects, if it does.
    pub(super) fn earlier(row: &Row) -> Result<Option<Self>, Error> {
        let has_one = row.try_get::<_, Option<ImportId>>("earlier_id")?.is_some();
        let columns = ["earlier_id", "earlier_size", "earlier_checksum", "earlier_date_order"];
        has_one.then(|| Self::read(row, columns)).transpose()
    }

    fn read(row: &Row, [id, size, checksum, date_order]: [&str; 4]) -> Result<Self, Error> {
        let date_order: Option<&str> = row.try_get(date_order)?;
        Ok(Self {
            id: row.try_get(id)?,
            size: u64::try_from(row.try_get::<_, i64>(size)?).map_err(|_| Error::RowShape)?,
            checksum: Sha256::from_bytes(row.try_get(checksum)?).map_err(|_| Error::RowShape)?,
            date_order: date_order.map(date_order_of).transpose()?,
        })
    }

    /// Copies the file from the bucket and recognises it. The copy on the disk is deleted with the returned value.
    pub(super) async fn fetch(&self, objects: &SellerObjects, job: &Job) -> Result<ImportFile, SourceFault> {
        let marketplace = MarketplaceFolder::new(job.marketplace.as_str()).ok_or(SourceFault::Differs)?;
        let key = ObjectKey::ImportSource { account: job.account_id, import: self.id, marketplace };
        let later = |error: StorageError| SourceFault::Later(Box::new(error));
        let copy = NamedTempFile::new().map_err(|error| later(StorageError::File(error)))?;
        let checksum = async {
            let handle = copy.reopen().map_err(StorageError::File)?;
            let body = objects.get(&key, None).await?;
            body.write_to(&mut tokio::fs::File::from_std(handle), self.size).await
        };
        match checksum.await {
            Ok(checksum) if checksum == self.checksum => {}
            Ok(_) | Err(StorageError::ObjectSize { .. }) => return Err(SourceFault::Differs),
            Err(error @ StorageError::Object { fault, .. }) if fault.may_be_missing() => {
                return Err(SourceFault::Missing(error));
            }
            Err(error) => return Err(later(error)),
        }
        // Reading a large file keeps a processor busy for seconds.
        let order = self.date_order;
        let opened = tokio::task::spawn_blocking(move || ImportFile::open(copy.path(), order)).await;
        match opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())) {
            Ok(file) => Ok(file),
            Err(ImportError::File(FileError::Io(error))) => Err(SourceFault::Later(Box::new(error))),
            Err(error) => Err(SourceFault::Refused(error)),
        }
    }
}

fn date_order_of(text: &str) -> Result<DateOrder, Error> {
    match text {
        "DAY_FIRST" => Ok(DateOrder::DayFirst),
        "MONTH_FIRST" => Ok(DateOrder::MonthFirst),
        _ => Err(Error::RowShape),
    }
}
