//! Where lists read their rows: the database, or nowhere.
//!
//! A list that takes [`Lists`] needs nothing else of the API. So an export reads it without the rest of the context, and a
//! request for an export checks its filters by reading the list where there are no rows.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use robnu_tenancy::{Database, Error, Params, Row, SellerScope};

use crate::context::SharedContext;
use crate::signature::{Describe, Notes};

/// The rows of lists.
#[derive(Debug, Clone)]
pub struct Lists(Option<Database>);

impl Lists {
    /// The rows in a database.
    #[must_use]
    pub fn of(database: Database) -> Self {
        Self(Some(database))
    }

    /// No rows: a list checks its filters, asks nobody and is empty.
    #[must_use]
    pub fn without_rows() -> Self {
        Self(None)
    }

    /// Runs a list's statement, in one round trip.
    pub(crate) async fn read(
        &self,
        scope: &SellerScope,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        match &self.0 {
            Some(database) => database.read(scope, sql, params).await,
            None => Ok(Vec::new()),
        }
    }
}

impl FromRequestParts<SharedContext> for Lists {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, context: &SharedContext) -> Result<Self, Infallible> {
        Ok(Self::of(context.database.clone()))
    }
}

impl Describe for Lists {
    fn describe(_: &mut Notes) {}
}
