//! An account's details, opened with its seller's data key.

use std::sync::Arc;

use robnu_dispatch::Job;
use robnu_marketplace::details::{Credentials, DetailsSpec};
use robnu_storage::{KeyRing, KeyService, Place, SellerCipher, StorageError};
use robnu_tenancy::Row;
use zeroize::Zeroizing;

/// Why an account's details cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A row is missing, so the account was not connected completely.
    #[error("the account has no {0}")]
    Missing(&'static str),
    /// KMS or the cipher failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A column does not match the specification.
    #[error("the account's details cannot be read")]
    Row(#[from] robnu_tenancy::Error),
    /// The decrypted secret is not text.
    #[error("a secret of the account is not text")]
    NotText,
}

/// Reads the seller's data keys from their rows.
pub fn ring<'a>(keys: &'a KeyService, job: &Job, rows: &[Row]) -> Result<KeyRing<'a>, CredentialsError> {
    keys.ring_from_rows(job.seller_id, rows)?.ok_or(CredentialsError::Missing("data key"))
}

/// Reads the seller's data keys from their rows, and unwraps the one that seals what is new.
pub async fn keys<'a>(
    keys: &'a KeyService,
    job: &Job,
    rows: &[Row],
) -> Result<(KeyRing<'a>, Arc<SellerCipher>), CredentialsError> {
    let ring = ring(keys, job, rows)?;
    let sealer = ring.sealer().await?;
    Ok((ring, sealer))
}

/// Decrypts the details in the row that the marketplace's `select` returned.
pub async fn open(
    spec: &DetailsSpec,
    job: &Job,
    ring: &KeyRing<'_>,
    rows: &[Row],
) -> Result<Credentials, CredentialsError> {
    let row = rows.first().ok_or(CredentialsError::Missing("details"))?;
    let mut credentials = Credentials::default();
    for (index, field) in spec.fields.iter().enumerate() {
        let value = if field.secret {
            let sealed: Option<&[u8]> = row.try_get(index).map_err(robnu_tenancy::Error::from)?;
            let place = Place { table: spec.table, column: field.name, row: *job.account_id.as_uuid() };
            match sealed {
                Some(sealed) => Some(text(ring, place, sealed).await?),
                None => None,
            }
        } else {
            let clear: Option<String> = row.try_get(index).map_err(robnu_tenancy::Error::from)?;
            clear.map(Zeroizing::new)
        };
        if let Some(value) = value {
            credentials.set(field.name, value);
        }
    }
    Ok(credentials)
}

async fn text(
    ring: &KeyRing<'_>,
    place: Place,
    sealed: &[u8],
) -> Result<Zeroizing<String>, CredentialsError> {
    let clear = ring.open(place, sealed).await?;
    Ok(Zeroizing::new(std::str::from_utf8(&clear).map_err(|_| CredentialsError::NotText)?.to_owned()))
}
