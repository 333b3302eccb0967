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
    /// An account's records that were set aside before one, newest first. $1 record, $2 how many, $3 account. Only the index
    /// of the account's records has this sort order: see the migration that makes it.
    RECORDS_OF_ACCOUNT = "quarantine/of_account" from "quarantine/list":
        "where id < $1 order by id desc limit" => "where account_id = $3 and id < $1 order by id desc nulls last limit";
}
