//! Counts checks of credentials over all sellers, so that nobody can guess passwords through the platform. Refusals that a
//! run meets count as well.
//!
//! The counts limit only checks. Runs that use credentials which the marketplace has accepted before go on, whatever
//! strangers do with the same user name.

use robnu_dispatch::Job;
use robnu_marketplace::error::AdapterError;
use robnu_tenancy::{Database, Error, Params, SellerScope};
use uuid::Uuid;

const BEGIN: &str = include_str!("sql/begin_credential_check.sql");
const END: &str = include_str!("sql/end_credential_check.sql");
const NOTE: &str = include_str!("sql/note_refused_credentials.sql");

/// Counts on behalf of one job.
pub struct Counts<'a> {
    pub database: &'a Database,
    pub scope: &'a SellerScope,
    pub job: &'a Job,
    /// The digest by which the user name is counted, if the credentials have one.
    pub login: Option<Vec<u8>>,
}

impl Counts<'_> {
    /// Counts a check before the marketplace is asked. `None` when it must wait.
    pub async fn begin(&self) -> Result<Option<Uuid>, Error> {
        let (check, marketplace) = (Uuid::now_v7(), self.job.marketplace.as_str());
        let session = self.database.session(self.scope).await?;
        let params: Params<'_> = &[&check, &marketplace, &self.login, &self.job.account_id];
        let answers = session.commit_with(&[(BEGIN, params)]).await?;
        let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
        Ok((row.try_get::<_, i32>("wait_seconds")? == 0).then_some(check))
    }

    /// Ends the check with the marketplace's response.
    pub async fn end(&self, check: Uuid, answer: &Result<(), AdapterError>) -> Result<(), Error> {
        let outcome = match answer {
            Ok(()) => "ACCEPTED",
            Err(AdapterError::Unauthorized | AdapterError::Rejected { .. }) => "REFUSED",
            Err(_) => "UNANSWERED",
        };
        let session = self.database.session(self.scope).await?;
        session.commit_with(&[(END, &[&check, &outcome])]).await.map(drop)
    }

    /// Counts that a run's credentials were refused.
    pub async fn note_refused(&self) -> Result<(), Error> {
        let marketplace = self.job.marketplace.as_str();
        let session = self.database.session(self.scope).await?;
        session.commit_with(&[(NOTE, &[&marketplace, &self.login, &self.job.account_id])]).await.map(drop)
    }
}
