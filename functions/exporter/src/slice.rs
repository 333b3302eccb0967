//! One slice of an export: reads pages and files, stores parts, and ends before the function's time is over.

use std::time::Duration;

use api::exportable::{ExportPage, Exportable, file_name, media_type};
use api::lists::Lists;
use api::problem::{ApiError, Missing};
use robnu_dispatch::ExportMessage;
use robnu_storage::StorageError;
use robnu_storage::objects::ObjectFault;
use robnu_tenancy::{Error as DatabaseError, SellerScope};
use tokio::time::Instant;

use crate::archive::Step;
use crate::context::Context;
use crate::error::ExportError;
use crate::mail::tell;
use crate::output::{Output, Part, max_bytes};
use crate::store::{Begun, Export, Place, abort, begin, renewal};
use crate::stored_file::{Reader, stored_files};

/// No page begins with less time left than this: the part that it completes must still be stored and noted, which may take two
/// attempts of half a minute.
const RESERVE: Duration = Duration::from_secs(75);
/// Attempts in a row that store nothing, after which the export fails.
const FRUITLESS_ATTEMPTS: i32 = 6;
/// The first wait after a fruitless attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(15);

/// What a slice came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The file is whole.
    Ready,
    /// The next message goes on.
    Continues,
    /// Something failed that may succeed later: the next message tries again.
    TriesAgain,
    /// The export failed, for the reason that its row states.
    Failed(&'static str),
    /// The upload of an export without a file was aborted.
    Aborted,
    /// There was nothing to do: the export is finished, or another attempt holds it.
    Nothing,
}

/// How far the pages of a slice came.
enum Read {
    ToEnd,
    OutOfTime,
    TooLarge,
}

/// Works on the export that a message names, until it is ready or the deadline is near.
pub async fn work(
    context: &Context,
    message: ExportMessage,
    deadline: Instant,
) -> Result<Outcome, ExportError> {
    let mut export = match begin(context, message).await? {
        Begun::Taken(export) => *export,
        Begun::Abort(leftover) => {
            abort(context, message, &leftover).await?;
            return Ok(Outcome::Aborted);
        }
        Begun::Nothing => return Ok(Outcome::Nothing),
    };
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    match go_on(context, &mut export, stop_at).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => give_up(context, &export, &error).await,
    }
}

/// Goes on where the stored parts end.
async fn go_on(context: &Context, export: &mut Export, stop_at: Instant) -> Result<Outcome, ExportError> {
    if export.fruitless > FRUITLESS_ATTEMPTS {
        return fail(context, export, "failing").await;
    }
    match read_and_store(context, export, stop_at).await? {
        Read::ToEnd => ready(context, export).await,
        Read::OutOfTime => next(context, export, Duration::ZERO).await.map(|()| Outcome::Continues),
        Read::TooLarge => fail(context, export, "too_large").await,
    }
}

/// Ends the attempt after an error, as the error demands.
async fn give_up(context: &Context, export: &Export, error: &ExportError) -> Result<Outcome, ExportError> {
    match verdict(error) {
        Verdict::Fail(code) => fail(context, export, code).await,
        Verdict::Lost => lost(context, export.message).await,
        Verdict::TryAgain => {
            tracing::warn!(
                seller.id = %export.message.seller_id,
                export.id = %export.message.export_id,
                error = robnu_observe::chain(error),
                "the export could not go on; it tries again"
            );
            let doubled = u32::try_from(export.fruitless - 1).unwrap_or_default();
            next(context, export, FIRST_WAIT * 2_u32.pow(doubled)).await.map(|()| Outcome::TriesAgain)
        }
    }
}

/// Reads from where the stored parts end, and stores each part that is full. The last part is the one with the last page.
async fn read_and_store(
    context: &Context,
    export: &mut Export,
    stop_at: Instant,
) -> Result<Read, ExportError> {
    if export.read_to_end {
        return Ok(Read::ToEnd);
    }
    let mut output = Output::of(export)?;
    let mut cursor = export.cursor.clone();
    let mut reader = Reader::default();
    let mut renewed = Instant::now();
    loop {
        if Instant::now() >= stop_at {
            if output.may_be_a_part() {
                store(context, export, output.take()?, cursor, false).await?;
            }
            return Ok(Read::OutOfTime);
        }
        if renewed.elapsed() >= renewal(context) {
            export.renew(context).await?;
            renewed = Instant::now();
        }
        let is_whole = match output.next()? {
            Step::Page(list) => {
                let page = page(context, export, list, cursor.as_deref()).await?;
                cursor = page.next_cursor;
                output.add_page(list, &page.rows, cursor.is_none())?
            }
            Step::Files(start) => {
                let files = stored_files(context, export, start).await?;
                output.archive()?.add_files(export, files)?
            }
            Step::Piece(file, from) => {
                let bytes = reader.next(export, &file, from).await?;
                output.archive()?.add_piece(bytes.as_deref()).map(|()| false)?
            }
        };
        if output.fills_a_part() || is_whole {
            let part = output.take()?;
            if export.bytes + i64::try_from(part.bytes.len()).unwrap_or(i64::MAX) > max_bytes(&export.list) {
                return Ok(Read::TooLarge);
            }
            store(context, export, part, cursor.clone(), is_whole).await?;
            renewed = Instant::now();
        }
        if is_whole {
            return Ok(Read::ToEnd);
        }
    }
}

/// Reads a page in the name of the member who asked for the export.
async fn page(
    context: &Context,
    export: &Export,
    list: &Exportable,
    cursor: Option<&str>,
) -> Result<ExportPage, ExportError> {
    let scope = SellerScope::for_export(export.message.seller_id, export.message.export_id);
    let lists = Lists::of(context.database.clone());
    list.page(lists, &scope, &export.filters, cursor).await.map_err(ExportError::Page)
}

/// Stores a part and notes it. A part that was stored and not noted is stored again under the same number, which replaces it.
async fn store(
    context: &Context,
    export: &mut Export,
    part: Part,
    next: Option<String>,
    is_last: bool,
) -> Result<(), ExportError> {
    let (key, size) = (export.key(), i64::try_from(part.bytes.len()).unwrap_or(i64::MAX));
    let upload = if let Some(upload) = &export.upload {
        upload.clone()
    } else {
        let upload = export.objects.begin_upload(&key, media_type(&export.list)).await?;
        export.note_upload(context, upload.clone()).await?;
        upload
    };
    let stored = export.objects.upload_part(&key, &upload, export.parts.len() + 1, part.bytes).await?;
    let place = Place { next, is_last, progress: part.progress };
    export.advance(context, stored, place, part.rows, size).await
}

/// Makes the file of its parts, notes it, and tells the member.
async fn ready(context: &Context, export: &Export) -> Result<Outcome, ExportError> {
    let (key, upload) = (export.key(), export.upload.as_deref().unwrap_or_default());
    let version = match export.objects.complete_upload(&key, upload, &export.parts).await {
        Ok(version) => version,
        // An earlier attempt has completed it, and was killed before it could note that.
        Err(StorageError::Object { fault: ObjectFault::Missing | ObjectFault::Rejected, .. }) => {
            let head = export.objects.head(&key).await?;
            if i64::try_from(head.size) != Ok(export.bytes) {
                return fail(context, export, "failing").await;
            }
            head.version
        }
        Err(other) => return Err(other.into()),
    };
    let name = file_name(&export.list, export.queued_at);
    if let Some(news) = export.finish(context, version.as_deref(), &name).await? {
        tell(context, export.message, &news).await;
    }
    Ok(Outcome::Ready)
}

async fn fail(context: &Context, export: &Export, code: &'static str) -> Result<Outcome, ExportError> {
    export.fail(context, code).await?;
    tracing::warn!(
        seller.id = %export.message.seller_id,
        export.id = %export.message.export_id,
        code,
        "the export failed"
    );
    // What is stored is aborted now, or by the sweep.
    if let Begun::Abort(leftover) = begin(context, export.message).await? {
        abort(context, export.message, &leftover).await?;
    }
    Ok(Outcome::Failed(code))
}

/// The export was cancelled, or another attempt has it. In the first case its upload is aborted.
async fn lost(context: &Context, message: ExportMessage) -> Result<Outcome, ExportError> {
    match begin(context, message).await? {
        Begun::Abort(leftover) => abort(context, message, &leftover).await.map(|()| Outcome::Aborted),
        Begun::Taken(export) => next(context, &export, Duration::ZERO).await.map(|()| Outcome::Continues),
        Begun::Nothing => Ok(Outcome::Nothing),
    }
}

/// Leaves the export to the next message, and sends it.
async fn next(context: &Context, export: &Export, wait: Duration) -> Result<(), ExportError> {
    export.leave(context).await?;
    send(context, export.message, wait).await
}

/// Sends a message for an export.
pub(crate) async fn send(
    context: &Context,
    message: ExportMessage,
    wait: Duration,
) -> Result<(), ExportError> {
    let seconds = i32::try_from(wait.as_secs()).unwrap_or(900).min(900);
    let sent = context
        .sqs
        .send_message()
        .queue_url(&context.exports_queue_url)
        .message_body(message.to_body())
        .delay_seconds(seconds)
        .send()
        .await;
    sent.map(|_| ()).map_err(|error| ExportError::Send(Box::new(error.into_service_error())))
}

/// What an error means for the export.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It ends without a file.
    Fail(&'static str),
    /// It is not ours any more.
    Lost,
    /// It may go on later.
    TryAgain,
}

fn verdict(error: &ExportError) -> Verdict {
    match error {
        ExportError::Page(ApiError::NotFound(Missing::Seller)) => Verdict::Fail("not_a_member"),
        ExportError::Page(ApiError::Forbidden) => Verdict::Fail("not_permitted"),
        ExportError::Page(ApiError::SellerSuspended) => Verdict::Fail("seller_suspended"),
        ExportError::Page(ApiError::InvalidCursor | ApiError::InvalidQuery(_))
        | ExportError::UnknownList
        | ExportError::Noted => Verdict::Fail("list_changed"),
        ExportError::TooLarge => Verdict::Fail("too_large"),
        ExportError::Page(ApiError::Database(DatabaseError::LeaseLost))
        | ExportError::Database(DatabaseError::LeaseLost) => Verdict::Lost,
        _ => Verdict::TryAgain,
    }
}
