//! A dead connection: a read is sent once more on a new one, and what may have been committed never is.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use robnu_tenancy::{Database, Error};
use robnu_testkit::{TestDatabase, TwoSellers, WireProxy};

const NAME: &str = "select name from robnu.sellers";
/// A seller's audited change: twice would show as two versions.
const RENAME: &str = "update robnu.sellers set name = name || '!' returning name";

struct Stand {
    test: TestDatabase,
    sellers: TwoSellers,
    wire: WireProxy,
    database: Database,
}

impl Stand {
    /// A pool with a warm connection through the proxy.
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let mut config = test.config("robnu_api");
        let wire = WireProxy::before(&mut config).await;
        let database = Database::new(&config).await.unwrap();
        let stand = Self { test, sellers, wire, database };
        stand.read().await.unwrap();
        let mut session = stand.database.session(&stand.sellers.ours.scope("OWNER")).await.unwrap();
        session.query(RENAME, &[]).await.unwrap();
        session.rollback().await.unwrap();
        let _ = stand.wire.take();
        stand
    }

    async fn read(&self) -> Result<String, Error> {
        let rows = self.database.read(&self.sellers.ours.scope("OWNER"), NAME, &[]).await?;
        Ok(rows[0].get(0))
    }

    async fn names(&self) -> Vec<String> {
        let rows =
            self.test.superuser().await.query("select name from robnu.sellers order by name", &[]).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test]
async fn a_read_on_a_dead_connection_is_sent_once_more_and_no_oftener() {
    let stand = Stand::new().await;
    let name = stand.read().await.unwrap();
    stand.wire.cut(1);
    assert_eq!(stand.read().await.unwrap(), name, "the seller's own, from a new connection");
    stand.wire.cut(2);
    let broken = stand.read().await.unwrap_err();
    assert!(broken.is_transient(), "{broken:?}");
    assert_eq!(stand.read().await.unwrap(), name);
}

#[tokio::test]
async fn a_read_survives_a_server_that_ended_its_connection_while_nobody_looked() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let database = test.login("robnu_api").await;
    let scope = sellers.ours.scope("OWNER");
    let backend = async || database.read(&scope, "select pg_backend_pid()", &[]).await.unwrap()[0].get(0);
    let before: i32 = backend().await;
    // As in a frozen environment, this thread reads no socket meanwhile, so the pool takes the connection for a living one.
    let server = std::thread::scope(|scope| {
        let ended = scope.spawn(|| end_backend(&test, before));
        ended.join().unwrap()
    });
    assert!(server, "the server has ended it");
    let after: i32 = backend().await;
    assert_ne!(before, after);
}

#[tokio::main(flavor = "current_thread")]
async fn end_backend(test: &TestDatabase, pid: i32) -> bool {
    let ended = test.superuser().await.query_one("select pg_terminate_backend($1, 5000)", &[&pid]).await;
    ended.unwrap().get(0)
}

#[tokio::test]
async fn a_write_on_a_dead_connection_is_never_sent_again() {
    let stand = Stand::new().await;
    let before = stand.names().await;
    stand.wire.cut(1);
    let session = stand.database.session(&stand.sellers.ours.scope("OWNER")).await.unwrap();
    let broken = session.commit_with(&[(RENAME, &[])]).await.unwrap_err();
    assert!(broken.is_transient(), "{broken:?}");
    let (round_trips, _) = stand.wire.take();
    assert_eq!(round_trips, 1, "sent once");
    let after = stand.names().await;
    let changed: Vec<&String> = after.iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(changed.len(), 1, "it was committed, though nobody was told");
    assert!(changed[0].ends_with('!') && !changed[0].ends_with("!!"), "{changed:?}");

    // Neither is a statement of a transaction that could not have been committed yet: the session knows nothing of its rows.
    stand.read().await.unwrap();
    let _ = stand.wire.take();
    stand.wire.cut(1);
    let mut session = stand.database.session(&stand.sellers.ours.scope("OWNER")).await.unwrap();
    session.query(RENAME, &[]).await.unwrap_err();
    assert_eq!(stand.wire.take().0, 1);
    drop(session);
    assert_eq!(stand.names().await, after);
}
