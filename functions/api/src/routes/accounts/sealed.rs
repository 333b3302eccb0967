//! An account's details as its satellite stores them, each secret encrypted with the seller's data key.

use robnu_marketplace::details::{Credentials, DetailsSpec, FieldSpec};
use robnu_storage::{Place, SellerCipher, StorageError};
use robnu_tenancy::{AccountId, ToSql};

/// A column of a satellite, as it is stored; null for a field that the account does not have.
pub enum Column {
    Clear(Option<String>),
    Sealed(Option<Vec<u8>>),
}

impl Column {
    /// The column as a statement's parameter.
    pub fn as_param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Clear(text) => text,
            Self::Sealed(bytes) => bytes,
        }
    }
}

/// The details in the order of the satellite's statements, each secret encrypted and bound to its field and account.
pub fn seal(
    spec: &DetailsSpec,
    credentials: &Credentials,
    account: AccountId,
    cipher: &SellerCipher,
) -> Result<Vec<Column>, StorageError> {
    let column = |field: &FieldSpec| {
        let clear = credentials.get(field.name);
        if !field.secret {
            return Ok(Column::Clear(clear.map(str::to_owned)));
        }
        let place = Place { table: spec.table, column: field.name, row: *account.as_uuid() };
        clear.map(|clear| cipher.seal(place, clear.as_bytes())).transpose().map(Column::Sealed)
    };
    spec.fields.iter().map(column).collect()
}
