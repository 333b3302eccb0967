//! A token as its row holds it.

use std::time::{Duration, SystemTime};

use robnu_marketplace::shared_token::{AccessToken, StoredToken, TokenTimes};
use robnu_storage::{Place, SellerCipher, StorageError};
use robnu_tenancy::{Error, Row};
use uuid::Uuid;

use super::seconds;

/// A sealed token, and how old it was when its row was read.
#[derive(Debug)]
pub struct SealedToken {
    /// The generation of the credentials that it belongs to.
    pub generation: i32,
    /// The id of the renewal that fetched it.
    pub id: Uuid,
    ciphertext: Vec<u8>,
    age: Duration,
    times: TokenTimes,
    asked_at: SystemTime,
}

impl SealedToken {
    /// Reads a token from the row of `stored_token.sql`.
    ///
    /// # Errors
    /// Returns the error of a column that the row lacks.
    pub fn found(rows: &[Row]) -> Result<Option<Self>, Error> {
        let Some(row) = rows.first() else { return Ok(None) };
        Self::from_row(row, row.try_get("credentials_generation")?, SystemTime::now())
    }

    /// Reads a token from a row that has one or none. The row was asked for then: so the token never seems younger than it is.
    pub(super) fn from_row(row: &Row, generation: i32, asked_at: SystemTime) -> Result<Option<Self>, Error> {
        let Some(id) = row.try_get("token_id")? else { return Ok(None) };
        let span = |column: &str| Ok::<_, Error>(seconds(row.try_get(column)?));
        Ok(Some(Self {
            generation,
            id,
            ciphertext: row.try_get("token_enc")?,
            age: span("age")?,
            times: TokenTimes { renew_in: span("renew_in")?, expires_in: span("expires_in")? },
            asked_at,
        }))
    }

    /// The same token, as old as it is now.
    pub(super) fn aged(self) -> Option<Self> {
        let since = self.asked_at.elapsed().ok()?;
        let TokenTimes { renew_in, expires_in } = self.times;
        let times = TokenTimes {
            renew_in: renew_in.saturating_sub(since),
            expires_in: expires_in.saturating_sub(since),
        };
        Some(Self { age: self.age + since, times, ..self })
    }

    /// Opens the token.
    pub(super) fn open(self, cipher: &SellerCipher, place: Place) -> Result<StoredToken, StorageError> {
        let clear = cipher.open(place, &self.ciphertext)?;
        let text = std::str::from_utf8(&clear)
            .map_err(|_| StorageError::Sealed { table: place.table, column: place.column })?;
        let token = AccessToken::new(text.to_owned());
        Ok(StoredToken { id: self.id, token, age: self.age, times: self.times })
    }
}
