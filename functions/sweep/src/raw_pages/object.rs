//! One object of raw pages: leases its pages, writes it, and records it.

use chrono::{DateTime, SecondsFormat, Utc};
use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::objects::{ContentType, MarketplaceFolder, ObjectKey};
use robnu_storage::raw_page::{RawPageHead, RawPageLines, raw_page_place};
use robnu_storage::{KeyRing, StorageError};
use robnu_tenancy::{AccountId, Error, ObjectId, Params, Row, SellerId, SellerScope};
use uuid::Uuid;

use super::{BYTES, KEEP, PAGES, Report, TAKE, Trouble};
use crate::context::Context;
use crate::seller::DATA_KEYS;

/// Stores one object of a seller. Returns whether there was one.
pub(super) async fn store(context: &Context, seller: SellerId, report: &mut Report) -> Result<bool, Trouble> {
    let scope = SellerScope::for_sweep(seller);
    let take: Params<'_> = &[&PAGES, &BYTES];
    let session = context.database.session(&scope).await?;
    let answers = match session.commit_with(&[(TAKE, take), (DATA_KEYS, &[])]).await {
        Ok(answers) => answers,
        // The seller was suspended, or its closing began, a moment ago.
        Err(Error::Suspended) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let [pages, keys] = answers.as_slice() else { return Err(Error::RowShape.into()) };
    let Some(first) = pages.first() else { return Ok(false) };
    let object: ObjectId = first.try_get("object_id").map_err(Error::from)?;
    let key = key_of(first, object)?;
    let ring = context.keys.ring_from_rows(seller, keys)?.ok_or(StorageError::KeyShape)?;
    let (lines, unreadable) = lines(seller, &ring, pages).await?;
    let stored_pages = lines.lines();
    let objects = context.objects.for_scope(&scope)?;
    let stored = objects.put(&key, ContentType::Gzip, lines.finish()?).await?;

    let size = i64::try_from(stored.size).unwrap_or(i64::MAX);
    let checksum = stored.sha256.as_bytes();
    let (bucket, kms_key) = (context.objects.bucket(), context.objects.kms_key(seller));
    let keep: Params<'_> = &[&object, &bucket, &size, &checksum, &kms_key, &stored.version];
    let session = context.database.session(&scope).await?;
    match session.commit_with(&[(KEEP, keep)]).await {
        Ok(_) => {}
        Err(Error::Suspended) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    report.objects_stored += 1;
    report.pages_stored += stored_pages;
    report.pages_unreadable += unreadable;
    Ok(true)
}

fn key_of(page: &Row, object: ObjectId) -> Result<ObjectKey, Error> {
    let code: MarketplaceCode =
        page.try_get::<_, &str>("marketplace_code")?.parse().map_err(|_| Error::RowShape)?;
    let marketplace = MarketplaceFolder::new(code.as_str()).ok_or(Error::RowShape)?;
    Ok(ObjectKey::RawPages { marketplace, read_at: page.try_get("fetched_at")?, object })
}

/// The object's lines, and the number of pages that do not open. Those can never be had again, so they hold up nothing.
async fn lines(
    seller: SellerId,
    ring: &KeyRing<'_>,
    pages: &[Row],
) -> Result<(RawPageLines, usize), Trouble> {
    let (mut lines, mut unreadable) = (RawPageLines::default(), 0);
    for page in pages {
        let id: Uuid = page.try_get("id").map_err(Error::from)?;
        let sealed: &[u8] = page.try_get("page_enc").map_err(Error::from)?;
        match ring.open(raw_page_place(id), sealed).await {
            Ok(packed) => lines.push(&head(seller, page)?, &packed)?,
            Err(StorageError::Sealed { .. }) => {
                tracing::error!(seller.id = %seller, page.id = %id, "a raw page does not open");
                unreadable += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((lines, unreadable))
}

fn head(seller: SellerId, page: &Row) -> Result<RawPageHead<'_>, Error> {
    let account: AccountId = page.try_get("account_id")?;
    let fetched_at: DateTime<Utc> = page.try_get("fetched_at")?;
    Ok(RawPageHead {
        seller_id: *seller.as_uuid(),
        account_id: *account.as_uuid(),
        run_id: page.try_get("run_id")?,
        kind: page.try_get("kind")?,
        page: page.try_get("page")?,
        part: page.try_get("part")?,
        fetched_at: fetched_at.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}
