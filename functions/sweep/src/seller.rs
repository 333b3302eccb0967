//! Work in the scope of one seller.

use robnu_tenancy::{Error, Params, Row, SellerId, SellerScope};

use crate::context::Context;

/// Reads the seller's wrapped data keys.
pub const DATA_KEYS: &str = include_str!("sql/data_keys.sql");

/// Runs one statement in a seller's scope and commits it. Fails with [`Error::Suspended`] when the seller was suspended, or its
/// closing began, a moment ago.
pub async fn in_seller(
    context: &Context,
    seller: SellerId,
    statement: &'static str,
    params: Params<'_>,
) -> Result<Vec<Row>, Error> {
    let session = context.database.session(&SellerScope::for_sweep(seller)).await?;
    Ok(session.commit_with(&[(statement, params)]).await?.pop().unwrap_or_default())
}
