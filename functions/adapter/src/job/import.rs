//! A run that imports an uploaded file, or that reads rows of files again which were set aside. The file is copied from the bucket to this function's disk and then read like a marketplace:
//! page by page, each stored with the run's progress.

mod correction;
mod source;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use robnu_dispatch::{Job, Lease};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, Page, PagePosition, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::files::{ImportError, ImportFile};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::Records;
use robnu_observe::chain;
use robnu_storage::objects::SellerObjects;
use robnu_tenancy::{Error, Params, Row, SellerScope};

use self::correction::Comparison;
use self::source::{SourceFault, SourceFile};
use super::{DATA_KEY, Run, Terms, ends_at, take};
use crate::context::Context;
use crate::counted::Counts;
use crate::credentials;
use crate::error::JobError;
use crate::slice::Slice;
use crate::summary::Summary;

const IMPORT: &str = include_str!("../sql/import.sql");
const NOTE_RECOGNISED: &str = include_str!("../sql/note_recognised.sql");

/// How long a file waits, at least, for an earlier one of the account.
const WAIT_FOR_EARLIER: Duration = Duration::from_secs(10);

/// An import, as its row describes it.
struct Import {
    file: SourceFile,
    /// The earlier file that it corrects, and what that was recognised as.
    corrects: Option<(SourceFile, Option<String>)>,
    waits_for_earlier: bool,
    /// Whether whoever asked for it may import payments only.
    only_payments: bool,
    /// Whether no notice has said that the file is there.
    is_awaited: bool,
}

/// The opened files of an import.
struct Opened {
    file: ImportFile,
    /// The earlier file, as long as the two must still be compared.
    earlier: Option<ImportFile>,
}

/// Why an import cannot go on.
enum Trouble {
    /// A file cannot be had at the moment.
    Later(Box<dyn std::error::Error + Send + Sync>),
    /// The file was never sent.
    NotUploaded,
    /// The file in the bucket is not the one that was announced.
    Differs,
    /// The file cannot be imported.
    Refused(ImportError),
    /// The file is one of another marketplace.
    OtherMarketplace(MarketplaceCode),
    /// The earlier file is something else than the one that is to correct it.
    OtherKind(String),
    /// Whoever asked for it may import payments only, and the file has something else.
    NotPayments,
    /// The earlier file is not kept any more.
    EarlierGone,
}

pub(super) async fn work(
    context: &Context,
    job: &Job,
    summary: &Summary,
    deadline: SystemTime,
) -> Result<(), JobError> {
    let scope = SellerScope::for_job(job.seller_id, job.account_id);
    let further: [(&'static str, Params<'_>); 2] = [(DATA_KEY, &[]), (IMPORT, &[&job.run_id])];
    let Some((lease, answers)) = take(context, &scope, job, &further).await? else { return Ok(()) };
    let counts = Counts { database: &context.database, scope: &scope, job, login: None };
    let run = Run { context, job, scope: &scope, lease: &lease, counts, summary };
    if let Some((code, message)) = Terms::of(job.kind).forbid(&lease) {
        return run.give_up(code, message).await;
    }
    let import = answers[1].first().map(Import::from_row).transpose()?;
    if import.as_ref().is_some_and(|import| import.waits_for_earlier) {
        let message = "an earlier file of the account is being imported";
        return run.put_off(Some(WAIT_FOR_EARLIER), "earlier_file", message).await;
    }
    let (ring, cipher) = match credentials::keys(&context.keys, job, &answers[0]).await {
        Ok(keys) => keys,
        Err(error) => return run.without_credentials(error).await,
    };
    let opened = match &import {
        None => None,
        Some(import) => match open(context, &scope, job, &lease, import).await? {
            Ok(opened) => Some(opened),
            Err(trouble) => return run.after_trouble(trouble).await,
        },
    };
    let (file, earlier) = opened.map_or((None, None), |opened| (Some(opened.file), opened.earlier));
    let connection = FileConnection(file);
    let mut slice = Slice {
        database: &context.database,
        scope: &scope,
        job,
        lease: &lease,
        cipher: &cipher,
        ring: &ring,
        adapter: context.registry.adapter(job.marketplace),
        connection: &connection,
        overlap: Duration::ZERO,
        lease_length: context.clocks.lease,
        ends_at: ends_at(context.clocks.slice, deadline),
        summary,
    };
    let compared: Lease;
    if let (Some(import), Some(earlier), Some(file)) = (&import, &earlier, &connection.0) {
        let position = match correction::run(&slice, import.file.id, earlier, file).await? {
            Comparison::Over(position) => position,
            Comparison::Stopped(end) => return run.settle(end).await,
        };
        compared = Lease { page_position: Some(position.to_owned()), ..lease.clone() };
        slice.lease = &compared;
    }
    run.read(&slice).await
}

/// Fetches the files of an import, and notes what its own is.
async fn open(
    context: &Context,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    import: &Import,
) -> Result<Result<Opened, Trouble>, JobError> {
    let objects = context.objects.for_scope(scope)?;
    let file = match import.file.fetch(&objects, job).await {
        Ok(file) => file,
        Err(fault) => return Ok(Err(import.trouble(fault))),
    };
    if let Some(trouble) = note_recognised(context, scope, job, import, &file).await? {
        return Ok(Err(trouble));
    }
    let Some((source, _)) = import.corrects.as_ref().filter(|_| correction::is_needed(lease)) else {
        return Ok(Ok(Opened { file, earlier: None }));
    };
    Ok(fetch_earlier(&objects, job, source).await.map(|earlier| Opened { file, earlier: Some(earlier) }))
}

async fn fetch_earlier(
    objects: &SellerObjects,
    job: &Job,
    source: &SourceFile,
) -> Result<ImportFile, Trouble> {
    source.fetch(objects, job).await.map_err(|fault| match fault {
        SourceFault::Later(error) => Trouble::Later(error),
        SourceFault::Missing(_) | SourceFault::Differs | SourceFault::Refused(_) => Trouble::EarlierGone,
    })
}

/// Notes what the file is. Returns why it is not imported, if it is one of another marketplace, of another kind than the one that it
/// corrects, or of one that whoever asked for it may not import.
async fn note_recognised(
    context: &Context,
    scope: &SellerScope,
    job: &Job,
    import: &Import,
    file: &ImportFile,
) -> Result<Option<Trouble>, JobError> {
    let kind = file.tables().iter().find(|table| table.stream.is_some()).map(|table| table.kind.as_str());
    let noted: Params<'_> = &[&import.file.id, &kind];
    context.database.session(scope).await?.commit_with(&[(NOTE_RECOGNISED, noted)]).await?;
    if file.marketplace() != job.marketplace {
        return Ok(Some(Trouble::OtherMarketplace(file.marketplace())));
    }
    let has_others =
        file.tables().iter().filter_map(|table| table.stream).any(|stream| stream != RunKind::Payouts);
    if import.only_payments && has_others {
        return Ok(Some(Trouble::NotPayments));
    }
    let earlier = import.corrects.as_ref().and_then(|(_, kind)| kind.as_deref());
    Ok(earlier.filter(|earlier| Some(*earlier) != kind).map(|earlier| Trouble::OtherKind(earlier.to_owned())))
}

impl Import {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let earlier_kind = row.try_get("earlier_recognised_as")?;
        Ok(Self {
            file: SourceFile::of_run(row)?,
            corrects: SourceFile::earlier(row)?.map(|file| (file, earlier_kind)),
            waits_for_earlier: row.try_get("waits_for_earlier")?,
            only_payments: row.try_get("only_payments")?,
            is_awaited: row.try_get("is_awaited")?,
        })
    }

    /// What the fault of the import's own file means.
    fn trouble(&self, fault: SourceFault) -> Trouble {
        match fault {
            SourceFault::Missing(_) if self.is_awaited => Trouble::NotUploaded,
            SourceFault::Missing(error) => Trouble::Later(Box::new(error)),
            SourceFault::Later(error) => Trouble::Later(error),
            SourceFault::Differs => Trouble::Differs,
            SourceFault::Refused(error) => Trouble::Refused(error),
        }
    }
}

impl Run<'_> {
    async fn after_trouble(&self, trouble: Trouble) -> Result<(), JobError> {
        match trouble {
            Trouble::Later(error) => {
                tracing::warn!(error = chain(error.as_ref()), "a file cannot be read");
                self.put_off(None, "file_unavailable", "the file cannot be read at the moment").await
            }
            Trouble::NotUploaded => {
                let message =
                    "no file was sent within the time of its upload; announce it again, and send it";
                self.give_up("not_uploaded", message).await
            }
            Trouble::Differs => {
                self.give_up("file_differs", "the file is not the one that was announced; upload it again")
                    .await
            }
            Trouble::Refused(error) => self.give_up("file_refused", &error.to_string()).await,
            Trouble::OtherMarketplace(code) => {
                let message = format!("the file is one of {code}; upload it for an account there");
                self.give_up("other_marketplace", &message).await
            }
            Trouble::OtherKind(earlier) => {
                let message = format!(
                    "the file that it corrects is {earlier}, and this one is not; name the import that it corrects, or none"
                );
                self.give_up("other_kind_of_file", &message).await
            }
            Trouble::NotPayments => {
                let message =
                    "whoever uploaded the file may import payments only, and it has orders or returns";
                self.give_up("not_permitted", message).await
            }
            Trouble::EarlierGone => {
                let message = "the file that it corrects is not kept any more; upload it again without naming that import";
                self.give_up("corrected_file_gone", message).await
            }
        }
    }
}

/// A file in the place of a marketplace. A position is the number of a page's first record. A run without a file has one empty page.
struct FileConnection(Option<ImportFile>);

#[async_trait]
impl Connection for FileConnection {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        Err(AdapterError::Unsupported { what: "a check, because it is a file" })
    }

    async fn page(&self, _kind: RunKind, request: &PageRequest) -> Result<Page, AdapterError> {
        let unreadable = || AdapterError::Malformed { what: "the position in the file".to_owned() };
        let start = match &request.position {
            Some(position) => position.as_str().parse().map_err(|_| unreadable())?,
            None => 0,
        };
        let Some(file) = &self.0 else { return Ok(nothing()) };
        let page = file.page(start).map_err(|error| AdapterError::Garbled { what: error.to_string() })?;
        Ok(Page {
            records: page.records,
            quarantined: page.quarantined,
            // The file itself is kept.
            raw: Vec::new(),
            next: page.next.map(|next| PagePosition::new(next.to_string())),
            ready_in: None,
            complete_until: None,
        })
    }
}

/// The only page of a run that reads nothing new.
fn nothing() -> Page {
    Page {
        records: Records::Orders(Vec::new()),
        quarantined: Vec::new(),
        raw: Vec::new(),
        next: None,
        ready_in: None,
        complete_until: None,
    }
}
