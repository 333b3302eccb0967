//! Statements that select the same columns for other rows. Each is made from another statement's text at compile time, with
//! one clause replaced. So the columns are written once, and each statement keeps the plan that its own clause allows; a
//! filter that may be null would spoil that plan.
//!
//! The test kit compiles this file too, and tests the statements in [`VARIANTS`] as if each had a file of its own.

/// A statement made from another one.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// Its name in tests.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! variants {
    ($($(#[$doc:meta])* $name:ident = $as:literal from $file:literal: $old:literal => $new:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Variant = {
                const WHOLE: &str = include_str!(concat!("sql/", $file, ".sql"));
                assert!(const_str::split!(WHOLE, $old).len() == 2, "the clause must stand in the file once");
                Variant { name: $as, text: const_str::replace!(WHOLE, $old, $new) }
            };
        )*

        /// All statements that are made from others.
        pub const VARIANTS: &[Variant] = &[$($name),*];
    };
}

variants! {
    /// One account as its members see it. $1 account
    ACCOUNT = "accounts/show" from "accounts/list":
        "where a.id > $1\norder by a.id\nlimit $2" => "where a.id = $1";
    /// One run. $1 run
    RUN = "runs/show" from "runs/list":
        "where id < $1 order by id desc limit $2" => "where id = $1";
    /// An account's runs before a run, newest first. $1 run, $2 how many, $3 account
    RUNS_OF_ACCOUNT = "runs/of_account" from "runs/list":
        "where id < $1 order" => "where account_id = $3 and id < $1 order";
    /// One import. $1 import
    IMPORT = "imports/show" from "imports/list":
        "where id < $1 order by id desc limit $2" => "where id = $1";
    /// An account's imports before one, newest first. $1 import, $2 how many, $3 account
    IMPORTS_OF_ACCOUNT = "imports/of_account" from "imports/list":
        "where id < $1 order" => "where account_id = $3 and id < $1 order";
    /// An account's last import of a file. $1 account, $2 checksum
    LAST_IMPORT_OF_FILE = "imports/last_of_file" from "imports/list":
        "where id < $1 order by id desc limit $2" => "where id = (
    select o.id from robnu.storage_objects o
    where o.account_id = $1 and o.checksum = $2 and o.kind = 'IMPORT' order by o.id desc limit 1)";
    /// One export. $1 export
    EXPORT = "exports/show" from "exports/list":
        "where e.id < $1\norder by e.id desc\nlimit $2" => "where e.id = $1";
    /// An account's records that were set aside before one, newest first. $1 record, $2 how many, $3 account. Only the index
    /// of the account's records has this sort order: see the migration that makes it.
    RECORDS_OF_ACCOUNT = "quarantine/of_account" from "quarantine/list":
        "where id < $1 order by id desc limit" => "where account_id = $3 and id < $1 order by id desc nulls last limit";
    /// One document. $1 document
    DOCUMENT = "documents/show" from "documents/list":
        "id < $1 order by id desc limit $2" => "id = $1";
    /// An account's documents before one, newest first. $1 document, $2 how many, $3 account
    DOCUMENTS_OF_ACCOUNT = "documents/of_account" from "documents/list":
        "and id < $1 order by id desc limit" => "and account_id = $3 and id < $1 order by id desc nulls last limit";
    /// An order's documents before one, newest first. $1 document, $2 how many, $3 order
    DOCUMENTS_OF_ORDER = "documents/of_order" from "documents/list":
        "and id < $1 order by id desc limit" => "and order_id = $3 and id < $1 order by id desc nulls last limit";
    /// A shipment's documents before one, newest first. $1 document, $2 how many, $3 shipment
    DOCUMENTS_OF_SHIPMENT = "documents/of_shipment" from "documents/list":
        "and id < $1 order by id desc limit" => "and shipment_id = $3 and id < $1 order by id desc nulls last limit";
    /// A return's documents before one, newest first. $1 document, $2 how many, $3 return
    DOCUMENTS_OF_RETURN = "documents/of_return" from "documents/list":
        "and id < $1 order by id desc limit" => "and return_id = $3 and id < $1 order by id desc nulls last limit";
    /// A claim's documents before one, newest first. $1 document, $2 how many, $3 claim
    DOCUMENTS_OF_CLAIM = "documents/of_claim" from "documents/list":
        "and id < $1 order by id desc limit" => "and claim_id = $3 and id < $1 order by id desc nulls last limit";
}
