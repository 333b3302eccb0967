//! An account's details, opened with its seller's data key.

use robnu_dispatch::Job;
use robnu_marketplace::details::{Credentials, DetailsSpec};
use robnu_storage::{KeyService, Place, SellerCipher, StorageError, WrappedKey};
use robnu_tenancy::Row;
use std::sync::Arc;
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

/// Unwraps the seller's data key from its row.
pub async fn cipher(
    keys: &KeyService,
    job: &Job,
    rows: &[Row],
) -> Result<Arc<SellerCipher>, CredentialsError> {
    let row = rows.first().ok_or(CredentialsError::Missing("data key"))?;
    let wrapped = WrappedKey {
        id: row.try_get("id").map_err(robnu_tenancy::Error::from)?,
        ciphertext: row.try_get("wrapped_key").map_err(robnu_tenancy::Error::from)?,
    };
    Ok(keys.cipher(job.seller_id, &wrapped).await?)
}

/// Decrypts the details in the row that the marketplace's `select` returned.
pub fn open(
    spec: &DetailsSpec,
    job: &Job,
    cipher: &SellerCipher,
    rows: &[Row],
) -> Result<Credentials, CredentialsError> {
    let row = rows.first().ok_or(CredentialsError::Missing("details"))?;
    let mut credentials = Credentials::default();
    for (index, field) in spec.fields.iter().enumerate() {
        let value = if field.secret {
            let sealed: Option<&[u8]> = row.try_get(index).map_err(robnu_tenancy::Error::from)?;
            let place = Place { table: spec.table, column: field.name, row: *job.account_id.as_uuid() };
            sealed.map(|sealed| text(cipher, place, sealed)).transpose()?
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

fn text(cipher: &SellerCipher, place: Place, sealed: &[u8]) -> Result<Zeroizing<String>, CredentialsError> {
    let clear = cipher.open(place, sealed)?;
    Ok(Zeroizing::new(std::str::from_utf8(&clear).map_err(|_| CredentialsError::NotText)?.to_owned()))
}
