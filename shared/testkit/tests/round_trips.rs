//! Round trips and statements of reads and sessions on the wire, counted by a proxy.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_tenancy::{Access, Database, Permission, PersonScope, SellerScope, Session, SystemScope};
use robnu_testkit::{TestDatabase, TwoSellers, WireProxy};

const ORDERS: &str = "select id from robnu.orders";
const RENAME: &str = "update robnu.sellers set name = $1";

struct TestBed {
    _test: TestDatabase,
    sellers: TwoSellers,
    database: Database,
    wire: WireProxy,
}

impl TestBed {
    async fn new(login: &str) -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let mut config = test.config(login);
        let wire = WireProxy::before(&mut config).await;
        let database = Database::new(&config).await.unwrap();
        Self { _test: test, sellers, database, wire }
    }

    /// The scope of our member who names another seller.
    fn stranger(&self) -> SellerScope {
        let ours = self.sellers.ours.subject("OWNER");
        SellerScope::for_member(ours, self.sellers.theirs.id, Permission::Membership, Access::Read)
    }

    async fn session(&self) -> Session {
        self.database.session(&self.sellers.ours.scope("OWNER")).await.unwrap()
    }
}

#[tokio::test]
async fn a_scoped_read_is_one_round_trip_of_five_statements_with_its_count_and_membership_check() {
    let bed = TestBed::new("robnu_api").await;
    for seller in [&bed.sellers.ours, &bed.sellers.theirs, &bed.sellers.ours] {
        bed.database.read(&seller.scope("VIEWER"), ORDERS, &[]).await.unwrap();
        let _first_uses = bed.wire.take();
        bed.database.read(&seller.scope("OWNER"), ORDERS, &[]).await.unwrap();
        assert_eq!(bed.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn a_refused_read_is_one_round_trip_too_and_keeps_its_connection() {
    let bed = TestBed::new("robnu_api").await;
    bed.database.read(&bed.sellers.ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    for _ in 0..2 {
        let _before = bed.wire.take();
        bed.database.read(&bed.stranger(), ORDERS, &[]).await.expect_err("no membership");
        assert_eq!(bed.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn a_refused_write_is_one_round_trip_too_and_keeps_its_connection() {
    let bed = TestBed::new("robnu_api").await;
    let rename = "update robnu.sellers set name = 'ours now'";
    let write =
        async || bed.database.session(&bed.stranger()).await.unwrap().commit_with(&[(rename, &[])]).await;
    write().await.expect_err("no membership");
    for _ in 0..2 {
        let _before = bed.wire.take();
        write().await.expect_err("no membership");
        assert_eq!(bed.wire.take(), (1, 5));
    }
}

#[tokio::test]
async fn the_first_read_of_a_connection_takes_two_round_trips_more_to_connect_and_to_prepare() {
    let bed = TestBed::new("robnu_api").await;
    let ours = &bed.sellers.ours;
    bed.database.read(&ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    // The server trusts loopback; a password would add two round trips to the log-in.
    assert_eq!(bed.wire.take(), (3, 5));
    // Another statement is prepared at its first use, by itself.
    bed.database.read(&ours.scope("OWNER"), "select id from robnu.shipments", &[]).await.unwrap();
    assert_eq!(bed.wire.take(), (2, 5));
}

#[tokio::test]
async fn a_request_is_counted_once_however_many_transactions_it_takes() {
    let bed = TestBed::new("robnu_api").await;
    for warm in [false, true] {
        let scope = bed.sellers.ours.scope("OWNER");
        bed.database.read(&scope, ORDERS, &[]).await.unwrap();
        let _first = bed.wire.take();
        bed.database.read(&scope, ORDERS, &[]).await.unwrap();
        let mut session = bed.database.session(&scope).await.unwrap();
        session.query(ORDERS, &[]).await.unwrap();
        session.commit().await.unwrap();
        let counted = bed.wire.take();
        assert!(!warm || counted == (3, 8), "{counted:?}");
    }
}

#[tokio::test]
async fn a_write_whose_result_decides_the_commit_is_two_round_trips() {
    let bed = TestBed::new("robnu_api").await;
    for warm in [false, true] {
        let mut session = bed.session().await;
        session.query(RENAME, &[&"renamed"]).await.unwrap();
        session.commit().await.unwrap();
        let counted = bed.wire.take();
        assert!(!warm || counted == (2, 5), "{counted:?}");
    }
}

#[tokio::test]
async fn a_write_that_commits_in_any_case_is_one_round_trip() {
    let bed = TestBed::new("robnu_api").await;
    for warm in [false, true] {
        let session = bed.session().await;
        session.commit_with(&[(RENAME, &[&"renamed"]), (ORDERS, &[])]).await.unwrap();
        let counted = bed.wire.take();
        assert!(!warm || counted == (1, 6), "{counted:?}");
    }
}

#[tokio::test]
async fn statements_of_one_round_trip_wait_for_nothing_in_between() {
    let bed = TestBed::new("robnu_api").await;
    for warm in [false, true] {
        let mut session = bed.session().await;
        let rows = session.pipeline(&[(RENAME, &[&"renamed"]), (ORDERS, &[]), (ORDERS, &[])]).await.unwrap();
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1]);
        session.query(ORDERS, &[]).await.unwrap();
        session.rollback().await.unwrap();
        let counted = bed.wire.take();
        assert!(!warm || counted == (3, 8), "{counted:?}");
    }
}

#[tokio::test]
async fn a_session_that_runs_nothing_sends_nothing() {
    let bed = TestBed::new("robnu_api").await;
    bed.database.read(&bed.sellers.ours.scope("OWNER"), ORDERS, &[]).await.unwrap();
    let _warm_up = bed.wire.take();
    bed.session().await.commit().await.unwrap();
    bed.session().await.rollback().await.unwrap();
    assert_eq!(bed.wire.take(), (0, 0));
}

#[tokio::test]
async fn jobs_people_and_sweeps_enter_in_one_round_trip_too() {
    let adapter = TestBed::new("robnu_adapter").await;
    let sweep = TestBed::new("robnu_sweep").await;
    let api = TestBed::new("robnu_api").await;
    for _ in 0..2 {
        let _before = (adapter.wire.take(), sweep.wire.take(), api.wire.take());
        adapter.database.read(&adapter.sellers.ours.job_scope(), ORDERS, &[]).await.unwrap();
        sweep.database.read(&SystemScope::Sweep, "select id from robnu.schedules", &[]).await.unwrap();
        let person = PersonScope::new(api.sellers.ours.subject("VIEWER"));
        api.database.read(&person, "select seller_id from robnu.sellers", &[]).await.unwrap();
    }
    assert_eq!((adapter.wire.take(), sweep.wire.take(), api.wire.take()), ((1, 4), (1, 4), (1, 5)));
}
