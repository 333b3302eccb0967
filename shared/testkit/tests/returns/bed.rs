//! Two sellers, and writes in their scopes: for the tests of returns, scans and claims.

#![allow(dead_code, reason = "each test file uses its own part")]

use robnu_tenancy::{Database, Error, Params, SellerScope};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

pub const SCAN: &str =
    "update robnu.returns set received_at = '2026-02-02T00:00:00Z' where id = $1 returning received_at";
pub const FILE: &str =
    "insert into robnu.claims (seller_id, return_id, reason) values (robnu.app_current_seller_id(), $1, $2)";

pub struct TestBed {
    pub sellers: TwoSellers,
    pub database: Database,
    pub superuser: Client,
    pub test: TestDatabase,
}

impl TestBed {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let (database, superuser) = (test.login("robnu_api").await, test.superuser().await);
        Self { sellers, database, superuser, test }
    }

    /// Changes our rows without the triggers, as no scope could.
    pub async fn arrange(&self, table: &str, set: &str) {
        let sql = format!(
            "set session_replication_role = replica; update robnu.{table} set {set} where seller_id = '{}';
             set session_replication_role = origin",
            self.sellers.ours.id
        );
        self.superuser.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub async fn write(
        &self,
        scope: &SellerScope,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<usize, Error> {
        let answers = self.database.session(scope).await?.commit_with(&[(sql, params)]).await?;
        Ok(answers[0].len())
    }

    /// Runs a statement of a job of the account, which may store returns and shipments.
    pub async fn ingest(&self, sql: &'static str, params: Params<'_>) -> Result<usize, Error> {
        let adapter = self.test.login("robnu_adapter").await;
        let session = adapter.session(&self.sellers.ours.job_scope()).await?;
        Ok(session.commit_with(&[(sql, params)]).await?[0].len())
    }

    /// Runs statements as the superuser, with the triggers. `$ours` is our seller.
    pub async fn run(&self, sql: &str) {
        let sql = sql.replace("$ours", &format!("'{}'", self.sellers.ours.id));
        self.superuser.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Changes our returns as the marketplace's data would, with the triggers.
    pub async fn correct(&self, set: &str) {
        let sql = format!(
            "set app.rights = 'ingest'; update robnu.returns set {set} where seller_id = $ours; reset app.rights"
        );
        self.run(&sql).await;
    }

    pub async fn text(&self, sql: &str) -> String {
        let sql = sql.replace("$ours", &format!("'{}'", self.sellers.ours.id));
        self.superuser.query_one(&sql, &[]).await.unwrap().get(0)
    }
}

pub fn violated<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Violates { constraint }) => constraint,
        other => panic!("{other:?}"),
    }
}
