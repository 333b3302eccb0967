//! Files as a source of records: what a seller uploads becomes the same records as the adapters' pages.
//!
//! An [`ImportFile`] hands out pages, which are numbered through the whole file, so that a run can go on where it stopped: the same
//! file always has the same records at the same numbers. Statuses and amounts are read by the adapters' own code, so that a
//! file and a sync of the same orders give equal records. A record that cannot be mapped is set aside as a page's would be, and
//! [`map_again`] maps it again.

mod compare;
mod record;
mod status;

use std::path::Path;

pub use compare::{Change, Compared, ComparedUntil, Difference, FieldChange, compare};
pub use robnu_files::{DateOrder, FileError, Kind};
use robnu_files::{Groups, Marketplace, Row, Table, identifier, open, recognise};

use crate::code::MarketplaceCode;
use crate::kind::RunKind;
use crate::record::{
    MappedAgain, OrderRecord, PayoutPart, QuarantinedRecord, Records, ReturnRecord, StreamRecord,
};
use crate::records::RecordProblem;
use crate::{ajio, amazon_in, flipkart, meesho};

use record::plain;
pub(crate) use record::{FileRecord, FileRow, line_id};
pub(crate) use status::whole;

/// The most records of a page, as many as the largest page of an adapter.
pub const PAGE: usize = 100;

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read or is not known.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is known, but nothing of it is imported.
    #[error("the file is {kind}, which is not imported; upload a report of orders, returns or payments")]
    NotImported {
        /// The first table's kind.
        kind: Kind,
    },
    /// An archive holds reports of several marketplaces.
    #[error("the file has reports of {one} and of {other}; upload them one by one")]
    SeveralMarketplaces {
        /// The marketplace of the first table.
        one: MarketplaceCode,
        /// That of another.
        other: MarketplaceCode,
    },
}

/// A table of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportTable {
    /// What it is.
    pub kind: Kind,
    /// The generation of its layout.
    pub generation: &'static str,
    /// How messages name its sheet; empty when the file has only one.
    pub sheet: String,
    /// The line or row of its header, from 1.
    pub header_row: u64,
    /// What its records are; `None` for a table that is known and not imported.
    pub stream: Option<RunKind>,
    /// How many records it has, those that cannot be mapped included.
    pub records: u64,
    /// The order of day and month in its dates, if they need one.
    pub dates: Option<DateOrder>,
}

/// A file that can be imported.
#[derive(Debug)]
pub struct ImportFile {
    marketplace: MarketplaceCode,
    tables: Vec<ImportTable>,
    sources: Vec<Source>,
}

/// The records of a table that is imported.
#[derive(Debug)]
struct Source {
    mapping: Mapping,
    kind: Kind,
    dates: Option<DateOrder>,
    groups: Groups,
}

/// One page of a file's records, all of one stream.
#[derive(Debug)]
pub struct FilePage {
    /// Records that could be mapped.
    pub records: Records,
    /// Records that could not be mapped. Each reason names sheet, row and column.
    pub quarantined: Vec<QuarantinedRecord>,
    /// Where the next page starts; `None` when this was the last.
    pub next: Option<u64>,
}

impl ImportFile {
    /// Opens a file, recognises it, and sorts the rows of each order and return together. `said` is the order of day and month, if
    /// a person has chosen one because the file does not show it.
    ///
    /// # Errors
    /// See [`ImportError`]. A file of dates that can be read both ways is [`FileError::AmbiguousDates`] until the order is said.
    pub fn open(path: &Path, said: Option<DateOrder>) -> Result<Self, ImportError> {
        let upload = open(path)?;
        let found = recognise(&upload)?;
        let marketplace = one_marketplace(found.iter().map(robnu_files::Recognised::marketplace))?;
        let (mut tables, mut sources) = (Vec::new(), Vec::new());
        for recognised in &found {
            let mapping = Mapping::of(recognised.kind);
            let mut table = ImportTable {
                kind: recognised.kind,
                generation: recognised.generation,
                sheet: upload.sheets()[recognised.sheet].label().to_owned(),
                header_row: recognised.header_row,
                stream: mapping.as_ref().map(Mapping::stream),
                records: 0,
                dates: None,
            };
            if let Some(mapping) = mapping {
                let (groups, dates) =
                    Table::new(&upload, recognised).group(said, |row| key(row, mapping.key()))?;
                table.records = groups.len();
                table.dates = dates;
                sources.push(Source { mapping, kind: recognised.kind, dates, groups });
            }
            tables.push(table);
        }
        match found.first() {
            Some(first) if sources.is_empty() => Err(ImportError::NotImported { kind: first.kind }),
            _ => Ok(Self { marketplace, tables, sources }),
        }
    }

    /// The marketplace that handed the file out.
    #[must_use]
    pub fn marketplace(&self) -> MarketplaceCode {
        self.marketplace
    }

    /// The known tables, in the file's order.
    #[must_use]
    pub fn tables(&self) -> &[ImportTable] {
        &self.tables
    }

    /// How many records the file has, those that cannot be mapped included.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.sources.iter().map(|source| source.groups.len()).sum()
    }

    /// Maps at most [`PAGE`] records from one on, counted from 0 through all tables. A start beyond the end gives an empty last page.
    ///
    /// # Errors
    /// Fails only when the temporary files cannot be read.
    pub fn page(&self, start: u64) -> Result<FilePage, FileError> {
        let mut before = 0;
        for source in &self.sources {
            let until = before + source.groups.len();
            if start < until {
                let (page, read) = source.page(start - before)?;
                let next = start + read;
                return Ok(FilePage { next: (next < self.records()).then_some(next), ..page });
            }
            before = until;
        }
        Ok(FilePage { records: Records::Orders(Vec::new()), quarantined: Vec::new(), next: None })
    }
}

/// Maps records again that [`ImportFile::page`] had set aside, each as it was kept. All are of one stream.
#[must_use]
pub fn map_again(stream: RunKind, kept: &[String]) -> MappedAgain {
    let read = |text: &String| FileRecord::read(text).filter(|(mapping, _)| mapping.stream() == stream);
    let records: Vec<_> = kept.iter().map(read).collect();
    let (mut orders, mut returns, mut payouts) = (Vec::new(), Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for record in records {
        let outcome = match record {
            None => Err(RecordProblem::at("record", "is not from a file of this kind")),
            Some((Mapping::Orders { map, .. }, record)) => {
                map_one(map, &record).map(|order| orders.push(order))
            }
            Some((Mapping::Returns { map, .. }, record)) => {
                map_one(map, &record).map(|returned| returns.push(returned))
            }
            Some((Mapping::Payouts { map, .. }, record)) => {
                map_one(map, &record).map(|part| payouts.push(part))
            }
        };
        problems.push(outcome.err().map(RecordProblem::into_reason));
    }
    let records = match stream {
        RunKind::Returns => Records::Returns(returns),
        RunKind::Payouts => Records::Payouts(payouts),
        _ => Records::Orders(orders),
    };
    MappedAgain { records, problems }
}

/// What a kept record is, if it is one of a file and not of an adapter's page.
#[must_use]
pub fn stream_of(kept: &str) -> Option<RunKind> {
    FileRecord::read(kept).map(|(mapping, _)| mapping.stream())
}

/// How the groups of a kind become records.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mapping {
    /// Orders.
    Orders {
        /// The column by which rows belong together.
        key: Key,
        /// Maps one.
        map: fn(&FileRecord) -> Result<OrderRecord, RecordProblem>,
    },
    /// Returns.
    Returns {
        /// The column by which rows belong together.
        key: Key,
        /// Maps one.
        map: fn(&FileRecord) -> Result<ReturnRecord, RecordProblem>,
    },
    /// Parts of payouts.
    Payouts {
        /// The columns by which rows belong together.
        key: Key,
        /// Maps one.
        map: fn(&FileRecord) -> Result<PayoutPart, RecordProblem>,
    },
}

/// How a record is known: from a row's identifier, or from nothing when it cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// The column of the identifier.
    pub column: &'static str,
    /// What of the identifier names the record.
    pub of: fn(&str) -> &str,
    /// Further columns whose cells must be the same too.
    pub and: &'static [&'static str],
    /// Whether all these columns name the record, any of which may be blank. Otherwise the first does alone.
    pub named_by_all: bool,
}

impl Mapping {
    /// The mapping of a kind; `None` for kinds that are known and not imported.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::AjioOrders => Self::Orders { key: Key::whole("Cust Order No"), map: ajio::file::order },
            Kind::AjioReturns => {
                Self::Returns { key: Key::whole("Return Order Number"), map: ajio::file::returned }
            }
            Kind::AmazonOrders => {
                Self::Orders { key: Key::whole("amazon-order-id"), map: amazon_in::file::order }
            }
            Kind::MeeshoOrders => Self::Orders { key: meesho::file::ORDER_KEY, map: meesho::file::order },
            Kind::MeeshoReturns => {
                Self::Returns { key: meesho::file::RETURN_KEY, map: meesho::file::returned }
            }
            Kind::AjioPayments => {
                Self::Payouts { key: ajio::payments::PAYMENT_KEY, map: ajio::payments::payment }
            }
            Kind::AmazonSettlement => {
                Self::Payouts { key: amazon_in::settlement::SETTLEMENT_KEY, map: amazon_in::settlement::part }
            }
            Kind::AmazonPayments => {
                Self::Payouts { key: amazon_in::payments::PAYMENT_KEY, map: amazon_in::payments::payment }
            }
            Kind::FlipkartSettled => {
                Self::Payouts { key: flipkart::file::SETTLED_KEY, map: flipkart::file::settled }
            }
            Kind::MeeshoPayments => {
                Self::Payouts { key: meesho::file::PAYMENT_KEY, map: meesho::file::payment }
            }
            Kind::MeeshoAds => Self::Payouts { key: meesho::file::ADS_KEY, map: meesho::file::ads },
            Kind::MeeshoReferrals => {
                Self::Payouts { key: meesho::file::REFERRAL_KEY, map: meesho::file::referral }
            }
            Kind::MeeshoCompensations => {
                Self::Payouts { key: meesho::file::COMPENSATION_KEY, map: meesho::file::compensation }
            }
            _ => return None,
        })
    }

    fn stream(&self) -> RunKind {
        match self {
            Self::Orders { .. } => RunKind::Orders,
            Self::Returns { .. } => RunKind::Returns,
            Self::Payouts { .. } => RunKind::Payouts,
        }
    }

    fn key(&self) -> Key {
        match self {
            Self::Orders { key, .. } | Self::Returns { key, .. } | Self::Payouts { key, .. } => *key,
        }
    }
}

impl Key {
    /// A record that is named by the whole of a column.
    pub(crate) const fn whole(column: &'static str) -> Self {
        Self { column, of: |id| id, and: &[], named_by_all: false }
    }

    /// A record that is named by several columns together.
    pub(crate) const fn all(column: &'static str, and: &'static [&'static str]) -> Self {
        Self { column, of: |id| id, and, named_by_all: true }
    }
}

/// The key of a row; `None` when it has none that can be read, and so stands alone.
fn key(row: &Row, key: Key) -> Option<String> {
    key.of_cells(|column| row.get(column))
}

impl Key {
    /// The text by which rows belong together, from a row's cells. The cells stand one to a line, so that keys sort as their first
    /// cells do.
    pub(crate) fn of_cells<'a>(&self, cell: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let id = identifier(cell(self.column).unwrap_or_default()).ok()?;
        let mut key = (self.of)(&id).to_owned();
        if key.is_empty() && !(self.named_by_all && self.and.iter().any(|column| cell(column).is_some())) {
            return None;
        }
        for column in self.and {
            key.push('\n');
            key.push_str(cell(column).unwrap_or_default());
        }
        Some(key)
    }
}

impl Source {
    /// Maps records from one on; returns also how many were read.
    fn page(&self, from: u64) -> Result<(FilePage, u64), FileError> {
        let groups = self.groups.read(from, PAGE)?;
        let read = groups.len() as u64;
        let records: Vec<FileRecord> =
            groups.iter().map(|group| FileRecord::new(self.kind, self.dates, group)).collect();
        let (records, quarantined) = match self.mapping {
            Mapping::Orders { key, map } => mapped(&records, key, map),
            Mapping::Returns { key, map } => mapped(&records, key, map),
            Mapping::Payouts { key, map } => mapped(&records, key, map),
        };
        Ok((FilePage { records, quarantined, next: None }, read))
    }
}

fn mapped<R: StreamRecord>(
    records: &[FileRecord],
    key: Key,
    map: fn(&FileRecord) -> Result<R, RecordProblem>,
) -> (Records, Vec<QuarantinedRecord>) {
    let (mut mapped, mut quarantined) = (Vec::new(), Vec::new());
    for record in records {
        match map_one(map, record) {
            Ok(record) => mapped.push(record),
            Err(problem) => quarantined.push(QuarantinedRecord {
                external_id: record.id(key).map(|id| shown_id(&id)),
                reason: problem.into_reason(),
                raw: record.write(),
            }),
        }
    }
    (R::of_page(mapped), quarantined)
}

/// A record's id as the quarantine shows it. One that is named by several columns may have any length, and an index has not.
fn shown_id(id: &str) -> String {
    plain(&id.replace('\n', "/")).chars().take(200).collect()
}

fn map_one<R: StreamRecord>(
    map: fn(&FileRecord) -> Result<R, RecordProblem>,
    record: &FileRecord,
) -> Result<R, RecordProblem> {
    record.check()?;
    let mut mapped = map(record)?;
    mapped.check()?;
    Ok(mapped)
}

fn one_marketplace(mut all: impl Iterator<Item = Marketplace>) -> Result<MarketplaceCode, ImportError> {
    let one = all.next().map_or(MarketplaceCode::Meesho, code);
    match all.map(code).find(|other| *other != one) {
        Some(other) => Err(ImportError::SeveralMarketplaces { one, other }),
        None => Ok(one),
    }
}

fn code(marketplace: Marketplace) -> MarketplaceCode {
    match marketplace {
        Marketplace::Ajio => MarketplaceCode::Ajio,
        Marketplace::AmazonIn => MarketplaceCode::AmazonIn,
        Marketplace::Flipkart => MarketplaceCode::Flipkart,
        Marketplace::Meesho => MarketplaceCode::Meesho,
    }
}
