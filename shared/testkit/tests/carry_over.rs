//! Each way in which a connection could carry a scope or a transaction to its next user.
//!
//! The pool holds one connection, so the next caller would get the connection that was just misused. After each way, a caller
//! with another scope sees only its own rows, the connection carries no setting, and nothing was committed.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_tenancy::{Access, Database, Error, Limits, Permission, SellerId, SellerScope, Session};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

/// Leaves a mark in our seller, which the test looks for afterwards. $1 the mark
const MARK: &str = "update robnu.sellers set name = $1";
const SLEEP: &str = "select pg_sleep(0.4)";
const ORDERS: &str = "select seller_id from robnu.orders";
/// The state of a connection outside a transaction: the login, and settings that must be unset or empty.
const CARRIED: &str = "select current_user::text, current_setting('app.current_seller_id', true),
    current_setting('app.current_subject', true), current_setting('app.rights', true)";

struct TestBed {
    test: TestDatabase,
    sellers: TwoSellers,
    database: Database,
    superuser: Client,
}

impl TestBed {
    async fn new() -> Self {
        Self::with_limits(|_| ()).await
    }

    /// Makes a bed with other limits than the login's own.
    async fn with_limits(change: fn(&mut Limits)) -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let mut config = test.config("robnu_api");
        config.limits.as_mut().map(change).unwrap();
        let database = Database::new(&config).await.unwrap();
        // The connection is used once before it is misused.
        database.read(&sellers.ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
        Self { test, sellers, database, superuser }
    }

    fn ours(&self) -> SellerScope {
        self.sellers.ours.scope("OWNER")
    }

    /// Opens a session in our scope that has written and not committed.
    async fn marked(&self) -> Session {
        let mut session = self.database.session(&self.ours()).await.unwrap();
        session.query(MARK, &[&"carried"]).await.unwrap();
        session
    }

    async fn name(&self) -> String {
        let sql = "select name from robnu.sellers where seller_id = $1";
        self.superuser.query_one(sql, &[&self.sellers.ours.id]).await.unwrap().get(0)
    }

    async fn backend(&self) -> i32 {
        let rows = self.database.read(&self.ours(), "select pg_backend_pid()", &[]).await.unwrap();
        rows[0].get(0)
    }

    /// Acts as the next user of the pool's one connection, and checks that nothing is left behind.
    async fn assert_nothing_is_carried(&self) {
        let theirs = self.sellers.theirs.scope("VIEWER");
        let seen = self.database.read(&theirs, ORDERS, &[]).await.expect("the next user is served");
        let seen: Vec<SellerId> = seen.iter().map(|row| row.get(0)).collect();
        assert_eq!(seen, [self.sellers.theirs.id], "the next user sees only its own rows");

        // This ends the scope by hand, to look at the bare connection: whatever shows then was there before any scope.
        let mut bare = self.database.session(&theirs).await.unwrap();
        bare.query("commit", &[]).await.unwrap();
        let carried = bare.query_one(CARRIED, &[]).await.unwrap();
        assert_eq!(carried.get::<_, String>(0), "robnu_api");
        for setting in 1..4 {
            let value: Option<String> = carried.get(setting);
            assert!(value.is_none_or(|value| value.is_empty()), "setting {setting} is carried");
        }
        assert!(matches!(bare.query(ORDERS, &[]).await, Err(Error::Forbidden)), "no scope, no rows");
        drop(bare);

        assert_eq!(self.name().await, "a seller", "nothing was committed");
        self.assert_no_transaction_stays_open().await;
    }

    /// Waits, because a connection that was closed on our side may take a moment to end on the server's.
    async fn assert_no_transaction_stays_open(&self) {
        let sql = "select count(*) from pg_stat_activity
            where datname = $1 and usename = 'robnu_api' and xact_start is not null";
        for _ in 0..100 {
            if self.superuser.query_one(sql, &[&self.test.name()]).await.unwrap().get::<_, i64>(0) == 0 {
                assert_eq!(self.name().await, "a seller", "nothing was committed late");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a transaction stays open");
    }
}

#[tokio::test]
async fn a_parameter_that_cannot_be_encoded_in_a_read() {
    let bed = TestBed::new().await;
    let refused = bed.database.read(&bed.ours(), MARK, &[&7_i32]).await;
    assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_parameter_that_cannot_be_encoded_in_a_session() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    let refused = session.pipeline(&[(MARK, &[&"again"]), (MARK, &[&7_i32])]).await;
    assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
    drop(session);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_parameter_that_cannot_be_encoded_before_a_commit() {
    let bed = TestBed::new().await;
    let refused = bed.marked().await.commit_with(&[(MARK, &[&"again"]), (MARK, &[&7_i32])]).await;
    assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_read_that_is_cancelled_in_flight() {
    let bed = TestBed::new().await;
    let scope = bed.ours();
    let read = bed.database.read(&scope, SLEEP, &[]);
    tokio::time::timeout(Duration::from_millis(100), read).await.expect_err("it sleeps longer");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_session_that_is_cancelled_in_flight_and_dropped() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    let query = session.query(SLEEP, &[]);
    tokio::time::timeout(Duration::from_millis(100), query).await.expect_err("it sleeps longer");
    drop(session);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_session_that_is_cancelled_in_flight_and_then_committed() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    let query = session.query(SLEEP, &[]);
    tokio::time::timeout(Duration::from_millis(100), query).await.expect_err("it sleeps longer");
    let refused = session.commit().await;
    assert!(matches!(refused, Err(Error::Aborted)), "{refused:?}");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_session_that_is_cancelled_while_it_is_entered() {
    let bed = TestBed::new().await;
    let blocker = bed.test.superuser().await;
    blocker.batch_execute("begin; lock table robnu.members in access exclusive mode").await.unwrap();
    let mut session = bed.database.session(&bed.ours()).await.unwrap();
    let query = session.query(MARK, &[&"carried"]);
    tokio::time::timeout(Duration::from_millis(100), query)
        .await
        .expect_err("scope entry waits for the lock");
    blocker.batch_execute("rollback").await.unwrap();
    drop(session);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_panic_while_a_session_is_open() {
    let bed = TestBed::new().await;
    let session = bed.marked().await;
    let panicked = tokio::spawn(async move {
        let _open = session;
        panic!("a test panics on purpose");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long() {
    let bed = TestBed::with_limits(|limits| limits.statement = Duration::from_millis(100)).await;
    let read = bed.database.read(&bed.ours(), SLEEP, &[]).await;
    assert!(matches!(read, Err(Error::Busy)), "{read:?}");
    let mut session = bed.marked().await;
    let query = session.query(SLEEP, &[]).await;
    assert!(matches!(query, Err(Error::Busy)), "{query:?}");
    assert!(matches!(session.commit().await, Err(Error::Aborted)));
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_transaction_that_idles_too_long() {
    let bed = TestBed::with_limits(|limits| limits.idle = Duration::from_millis(100)).await;
    let mut session = bed.marked().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    session.query(ORDERS, &[]).await.expect_err("the server has closed the connection");
    session.commit().await.expect_err("there is nothing to commit");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_transaction_that_takes_too_long() {
    let bed = TestBed::with_limits(|limits| limits.transaction = Duration::from_millis(200)).await;
    let mut session = bed.marked().await;
    let query = session.query(SLEEP, &[]).await;
    assert!(query.as_ref().is_err_and(Error::is_transient), "{query:?}");
    drop(session);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_commit_after_an_error_that_the_caller_swallowed() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    session.query("select 1 / 0", &[]).await.expect_err("a division by zero");
    let later = session.query(ORDERS, &[]).await;
    assert!(matches!(later, Err(Error::Aborted)), "{later:?}");
    assert!(matches!(session.commit().await, Err(Error::Aborted)));
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_commit_with_a_statement_that_fails() {
    let bed = TestBed::new().await;
    let failed = bed.marked().await.commit_with(&[("select 1 / 0", &[]), (ORDERS, &[])]).await;
    assert!(matches!(failed, Err(Error::Statement(_))), "{failed:?}");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_commit_after_rows_that_were_not_expected() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    let refused = session.query_one("select generate_series(1, 2)", &[]).await;
    assert!(matches!(refused, Err(Error::RowCount { found: 2 })), "{refused:?}");
    let later = session.commit_with(&[(MARK, &[&"again"])]).await;
    assert!(matches!(later, Err(Error::Aborted)), "{later:?}");
    bed.assert_nothing_is_carried().await;

    let mut session = bed.marked().await;
    let refused = session.query_one("select 1 where false", &[]).await;
    assert!(matches!(refused, Err(Error::RowCount { found: 0 })), "{refused:?}");
    assert!(matches!(session.commit().await, Err(Error::Aborted)));
    bed.assert_nothing_is_carried().await;
}

/// A constraint that is checked only at COMMIT.
const PAIRS: &str = "set role robnu_owner;
    create table robnu.pairs (seller_id uuid not null, number integer not null,
      constraint pairs_once unique (seller_id, number) deferrable initially deferred);
    call robnu.protect_tenant_table('robnu.pairs');
    grant insert (seller_id, number) on robnu.pairs to robnu_tenant;
    reset role";
const PAIR: &str = "insert into robnu.pairs (seller_id, number) select seller_id, 1 from robnu.sellers, generate_series(1, 2)";

#[tokio::test]
async fn a_commit_that_the_database_refuses() {
    let bed = TestBed::new().await;
    bed.superuser.batch_execute(PAIRS).await.unwrap();
    let mut session = bed.marked().await;
    session.query(PAIR, &[]).await.unwrap();
    let refused = session.commit().await;
    assert!(
        matches!(&refused, Err(Error::Exists { constraint }) if constraint == "pairs_once"),
        "{refused:?}"
    );
    bed.assert_nothing_is_carried().await;

    let before = bed.backend().await;
    let refused = bed.marked().await.commit_with(&[(PAIR, &[])]).await;
    assert!(
        matches!(&refused, Err(Error::Exists { constraint }) if constraint == "pairs_once"),
        "{refused:?}"
    );
    let after = bed.backend().await;
    assert_ne!(after, before, "a connection whose COMMIT failed is closed");
    bed.assert_nothing_is_carried().await;

    let before = bed.backend().await;
    let refused = bed.database.read(&bed.ours(), PAIR, &[]).await;
    assert!(
        matches!(&refused, Err(Error::Exists { constraint }) if constraint == "pairs_once"),
        "{refused:?}"
    );
    let after = bed.backend().await;
    assert_ne!(after, before, "that of a read too");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_commit_on_a_connection_that_the_server_has_closed() {
    let bed = TestBed::new().await;
    let mut session = bed.marked().await;
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    bed.superuser.execute("select pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    session.commit().await.expect_err("the server has closed the connection");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_commit_that_is_skipped() {
    let bed = TestBed::new().await;
    drop(bed.marked().await);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_session_that_was_never_used() {
    let bed = TestBed::new().await;
    drop(bed.database.session(&bed.ours()).await.unwrap());
    bed.assert_nothing_is_carried().await;
    bed.database.session(&bed.ours()).await.unwrap().commit().await.unwrap();
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_rollback_keeps_the_connection_and_nothing_else() {
    let bed = TestBed::new().await;
    let before = bed.backend().await;
    bed.marked().await.rollback().await.unwrap();
    assert_eq!(bed.backend().await, before);
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_refused_membership() {
    let bed = TestBed::new().await;
    let stranger = SellerScope::for_member(
        bed.sellers.ours.subject("OWNER"),
        bed.sellers.theirs.id,
        Permission::Membership,
        Access::Read,
    );
    let nobody = SellerScope::for_member(
        bed.sellers.ours.subject("OWNER"),
        SellerId::new(),
        Permission::Membership,
        Access::Read,
    );
    for scope in [&stranger, &nobody] {
        let read = bed.database.read(scope, ORDERS, &[]).await;
        assert!(matches!(read, Err(Error::NoMembership)), "{read:?}");
        let mut session = bed.database.session(scope).await.unwrap();
        let query = session.query(MARK, &[&"carried"]).await;
        assert!(matches!(query, Err(Error::NoMembership)), "{query:?}");
        assert!(matches!(session.commit().await, Err(Error::Aborted)));
        let commit = bed.database.session(scope).await.unwrap().commit_with(&[(MARK, &[&"carried"])]).await;
        assert!(matches!(commit, Err(Error::NoMembership)), "{commit:?}");
        bed.assert_nothing_is_carried().await;
    }
}

#[tokio::test]
async fn a_job_whose_account_belongs_to_another_seller() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_adapter").await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    let foreign = SellerScope::for_job(ours.id, theirs.ajio);
    let read = database.read(&foreign, ORDERS, &[]).await;
    assert!(matches!(read, Err(Error::ForeignAccount)), "{read:?}");
    let rows = database.read(&theirs.job_scope(), ORDERS, &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<SellerId>>(), [theirs.id]);
}

#[tokio::test]
async fn an_entry_function_of_another_login() {
    let bed = TestBed::new().await;
    let refused = bed.database.read(&bed.sellers.ours.job_scope(), ORDERS, &[]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    bed.assert_nothing_is_carried().await;
}

/// A migration that changes the type that a prepared statement returns.
const RETYPE: &str = "alter table robnu.orders alter column ship_city type varchar(200)";
const CITIES: &str = "select ship_city from robnu.orders";

#[tokio::test]
async fn a_plan_that_a_migration_has_invalidated_fails_a_read_once() {
    let bed = TestBed::new().await;
    bed.database.read(&bed.ours(), CITIES, &[]).await.unwrap();
    bed.superuser.batch_execute(RETYPE).await.unwrap();
    bed.database.read(&bed.ours(), CITIES, &[]).await.expect_err("the plan returns another type");
    bed.database.read(&bed.ours(), CITIES, &[]).await.expect("the connection was discarded");
    bed.assert_nothing_is_carried().await;
}

#[tokio::test]
async fn a_plan_that_a_migration_has_invalidated_fails_a_session_once() {
    let bed = TestBed::new().await;
    bed.database.read(&bed.ours(), CITIES, &[]).await.unwrap();
    bed.superuser.batch_execute(RETYPE).await.unwrap();
    let mut session = bed.marked().await;
    session.query(CITIES, &[]).await.expect_err("the plan returns another type");
    session.rollback().await.unwrap();
    bed.database.read(&bed.ours(), CITIES, &[]).await.expect("the connection was discarded");
    bed.assert_nothing_is_carried().await;
}
