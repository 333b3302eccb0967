//! Asking for a run.

use robnu_marketplace::code::MarketplaceCode;
use robnu_tenancy::{AccountId, Database, Error, RunId, SellerScope};

use crate::envelope::{Job, RunKind};

const REQUEST_RUN: &str = include_str!("../sql/request_run.sql");

/// A run that a request made, or met.
#[derive(Debug)]
pub struct Requested {
    /// What to ring with.
    pub job: Job,
    /// `QUEUED`, or further on when the run was there already.
    pub state: String,
    /// Whether this request made it.
    pub is_new: bool,
    /// Whether nobody has rung for it yet: a new run, or one that was written before its lane was made.
    pub is_unrung: bool,
    /// The lane's queue; `None` until the lane is made, after which the lanes function rings.
    pub queue_url: Option<String>,
}

/// Writes a QUEUED run for the account, or finds the live one, in one flight. `None` when the seller has no such
/// active account.
///
/// # Errors
/// [`Error::Forbidden`] when the member may not run syncs.
pub async fn request_run(
    database: &Database,
    scope: &SellerScope,
    account: AccountId,
    kind: RunKind,
    full_read: bool,
) -> Result<Option<Requested>, Error> {
    // A live run that ends between the insert and the look gives no row; the second try then makes one.
    for _ in 0..2 {
        let session = database.session(scope).await?;
        let params: robnu_tenancy::Params<'_> = &[&RunId::new(), &account, &kind.as_str(), &full_read];
        let rows = session.commit_with(&[(REQUEST_RUN, params)]).await?.swap_remove(0);
        let Some(row) = rows.first() else { continue };
        let marketplace: MarketplaceCode =
            text(row, "marketplace_code")?.parse().map_err(|_| Error::RowShape)?;
        let job = Job {
            run_id: row.try_get("id")?,
            step: row.try_get("step")?,
            generation: row.try_get("generation")?,
            seller_id: scope.seller_id(),
            account_id: account,
            marketplace,
            kind,
        };
        return Ok(Some(Requested {
            job,
            state: row.try_get("state")?,
            is_new: row.try_get("is_new")?,
            is_unrung: row.try_get("is_unrung")?,
            queue_url: row.try_get("lane_queue_url")?,
        }));
    }
    Ok(None)
}

fn text<'a>(row: &'a robnu_tenancy::Row, column: &str) -> Result<&'a str, Error> {
    Ok(row.try_get(column)?)
}
