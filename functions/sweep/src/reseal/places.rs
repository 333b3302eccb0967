//! The columns that are sealed with data keys, and the names that their ciphertexts are bound to.

/// A column with ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// The column's name in the associated data of its ciphertexts. It can never change.
    pub bound_to: &'static str,
}

const fn column(table: &'static str, column: &'static str, bound_to: &'static str) -> SealedColumn {
    SealedColumn { table, column, bound_to }
}

/// The column whose rows also have a digest under the data key.
pub const RECORDS: SealedColumn = column("quarantined_records", "record_enc", "record");

/// Every column of the schema whose name ends in `_enc`; a test compares the list with the catalogue.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    column("access_tokens", "token_enc", "token"),
    column("ajio_account_details", "password_enc", "password"),
    column("amazon_account_details", "client_secret_enc", "client_secret"),
    column("amazon_account_details", "refresh_token_enc", "refresh_token"),
    column("flipkart_account_details", "app_secret_enc", "app_secret"),
    column("flipkart_account_details", "refresh_token_enc", "refresh_token"),
    column("meesho_account_details", "api_key_enc", "api_key"),
    column("meesho_account_details", "api_secret_enc", "api_secret"),
    column("order_pii", "customer_name_enc", "customer_name_enc"),
    column("order_pii", "customer_phone_enc", "customer_phone_enc"),
    column("order_pii", "customer_email_enc", "customer_email_enc"),
    column("order_pii", "address_enc", "address_enc"),
    column("order_pii", "postal_code_enc", "postal_code_enc"),
    RECORDS,
    column("raw_pages", "page_enc", "page_enc"),
];
