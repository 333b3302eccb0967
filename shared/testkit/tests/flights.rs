//! What crosses the wire: flights and statements of reads and sessions, counted by a proxy.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_tenancy::{Access, Database, Permission, PersonScope, SellerScope, Session, SystemScope};
use robnu_testkit::{TestDatabase, TwoSellers, WireProxy};

const ORDERS: &str = "select id from robnu.orders";
const RENAME: &str = "update robnu.sellers set name = $1";

struct Stage {
    _test: TestDatabase,
    sellers: TwoSellers,
    database: Database,
    wire: WireProxy,
}

impl Stage {
    async fn new(login: &str) -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let mut config = test.config(login);
        let wire = WireProxy::before(&mut config).await;
        let database = Database::new(&config).await.unwrap();
        Self { _test: test, sellers, database, wire }
    }

    /// A member of ours who names their seller.
    fn stranger(&self) -> SellerScope {
        let ours = self.sellers.ours.subject("OWNER");
        SellerScope::for_member(ours, self.sellers.theirs.id, Permission::Membership, Access::Read)
    }

    async fn session(&self) -> Session {
        self.database.session(&self.sellers.ours.scope("OWNER")).await.unwrap()
    }
}

#[tokio::test]
async fn a_scoped_read_is_one_flight_of_five_statements_its_count_and_membership_check_included() {
    let stage = Stage::new("robnu_api").await;
    for seller in [&stage.sellers.ours, &stage.sellers.theirs, &stage.sellers.ours] {
        stage.database.read(&seller.scope("VIEWER"), ORDERS, &[]).await.unwrap();
        let _first_uses = stage.wire.take();
        stage.database.read(&seller.scope("OWNER"), ORDERS, &[]).await.unwrap();
        assert_eq!(stage.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn a_refused_read_is_one_flight_as_well_and_keeps_its_connection() {
    let stage = Stage::new("robnu_api").await;
    stage.database.read(&stage.sellers.ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    for _ in 0..2 {
        let _before = stage.wire.take();
        stage.database.read(&stage.stranger(), ORDERS, &[]).await.expect_err("no membership");
        assert_eq!(stage.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn a_refused_write_is_one_flight_as_well_and_keeps_its_connection() {
    let stage = Stage::new("robnu_api").await;
    let rename = "update robnu.sellers set name = 'ours now'";
    let write =
        async || stage.database.session(&stage.stranger()).await.unwrap().commit_with(&[(rename, &[])]).await;
    write().await.expect_err("no membership");
    for _ in 0..2 {
        let _before = stage.wire.take();
        write().await.expect_err("no membership");
        assert_eq!(stage.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn the_first_read_of_a_connection_takes_two_flights_more_to_connect_and_to_prepare() {
    let stage = Stage::new("robnu_api").await;
    let ours = &stage.sellers.ours;
    stage.database.read(&ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    // The server trusts loopback; a password takes the log-in two flights more.
    assert_eq!(stage.wire.take(), (3, 5));
    // Another statement is prepared at its first use, on its own.
    stage.database.read(&ours.scope("OWNER"), "select id from robnu.shipments", &[]).await.unwrap();
    assert_eq!(stage.wire.take(), (2, 5));
}

#[tokio::test]
async fn a_request_is_counted_once_however_many_transactions_it_takes() {
    let stage = Stage::new("robnu_api").await;
    for warm in [false, true] {
        let scope = stage.sellers.ours.scope("OWNER");
        stage.database.read(&scope, ORDERS, &[]).await.unwrap();
        let _first = stage.wire.take();
        stage.database.read(&scope, ORDERS, &[]).await.unwrap();
        let mut session = stage.database.session(&scope).await.unwrap();
        session.query(ORDERS, &[]).await.unwrap();
        session.commit().await.unwrap();
        let counted = stage.wire.take();
        assert!(!warm || counted == (3, 8), "{counted:?}");
    }
}

#[tokio::test]
async fn a_write_whose_result_decides_the_commit_is_two_flights() {
    let stage = Stage::new("robnu_api").await;
    for warm in [false, true] {
        let mut session = stage.session().await;
        session.query(RENAME, &[&"renamed"]).await.unwrap();
        session.commit().await.unwrap();
        let counted = stage.wire.take();
        assert!(!warm || counted == (2, 5), "{counted:?}");
    }
}

#[tokio::test]
async fn a_write_that_commits_in_any_case_is_one_flight() {
    let stage = Stage::new("robnu_api").await;
    for warm in [false, true] {
        let session = stage.session().await;
        session.commit_with(&[(RENAME, &[&"renamed"]), (ORDERS, &[])]).await.unwrap();
        let counted = stage.wire.take();
        assert!(!warm || counted == (1, 6), "{counted:?}");
    }
}

#[tokio::test]
async fn statements_of_one_flight_wait_for_nothing_in_between() {
    let stage = Stage::new("robnu_api").await;
    for warm in [false, true] {
        let mut session = stage.session().await;
        let rows = session.flight(&[(RENAME, &[&"renamed"]), (ORDERS, &[]), (ORDERS, &[])]).await.unwrap();
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1]);
        session.query(ORDERS, &[]).await.unwrap();
        session.rollback().await.unwrap();
        let counted = stage.wire.take();
        assert!(!warm || counted == (3, 8), "{counted:?}");
    }
}

#[tokio::test]
async fn a_session_that_runs_nothing_sends_nothing() {
    let stage = Stage::new("robnu_api").await;
    stage.database.read(&stage.sellers.ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    let _warm_up = stage.wire.take();
    stage.session().await.commit().await.unwrap();
    stage.session().await.rollback().await.unwrap();
    assert_eq!(stage.wire.take(), (0, 0));
}

#[tokio::test]
async fn jobs_people_and_sweeps_enter_in_one_flight_too() {
    let adapter = Stage::new("robnu_adapter").await;
    let sweep = Stage::new("robnu_sweep").await;
    let api = Stage::new("robnu_api").await;
    for _ in 0..2 {
        let _before = (adapter.wire.take(), sweep.wire.take(), api.wire.take());
        adapter.database.read(&adapter.sellers.ours.job_scope(), ORDERS, &[]).await.unwrap();
        sweep.database.read(&SystemScope::Sweep, "select id from robnu.schedules", &[]).await.unwrap();
        let person = PersonScope::new(api.sellers.ours.subject("VIEWER"));
        api.database.read(&person, "select seller_id from robnu.sellers", &[]).await.unwrap();
    }
    assert_eq!((adapter.wire.take(), sweep.wire.take(), api.wire.take()), ((1, 4), (1, 4), (1, 5)));
}
