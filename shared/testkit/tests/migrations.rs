//! How migrations are applied, and how a migration works under forced row level security: test migrations make a backfill and
//! a late foreign key, run as Aurora's master user would run them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_schema::{Applied, MIGRATIONS, Migration, SchemaError, apply};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

/// The real migrations and then these.
fn followed_by(more: &[Migration]) -> &'static [Migration] {
    Vec::leak(MIGRATIONS.iter().chain(more).copied().collect())
}

const BACKFILL: Migration = Migration {
    name: "9001_backfill",
    sql: "set local role robnu_owner; set local search_path = robnu;
        alter table orders add column channel text;
        update orders set channel = 'WEB';
        alter table orders alter column channel set not null;",
};

const NOTES: Migration = Migration {
    name: "9002_notes",
    sql: "set local role robnu_owner; set local search_path = robnu;
        create table notes (seller_id uuid not null, id uuid not null default uuidv7(), order_id uuid not null, text text,
          primary key (seller_id, id));
        call protect_tenant_table('notes');",
};

const LATE_KEY: Migration = Migration {
    name: "9003_late_key",
    sql: "set local role robnu_owner; set local search_path = robnu;
        alter table notes add constraint notes_order foreign key (seller_id, order_id) references orders (seller_id, id);",
};

const LATE_KEY_IN_TWO_STEPS: Migration = Migration {
    name: "9003_late_key",
    sql: "set local role robnu_owner; set local search_path = robnu;
        alter table notes add constraint notes_order foreign key (seller_id, order_id) references orders (seller_id, id) not valid;
        alter table notes validate constraint notes_order;",
};

const REPAIR: Migration = Migration {
    name: "9002_repair",
    sql: "set local role robnu_owner; set local search_path = robnu;
        delete from notes n where not exists (select from orders o where o.seller_id = n.seller_id and o.id = n.order_id);",
};

struct TestBed {
    test: TestDatabase,
    sellers: TwoSellers,
    master: Client,
    superuser: Client,
}

impl TestBed {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let (master, superuser) = (test.raw("robnu_master").await, test.superuser().await);
        Self { test, sellers, master, superuser }
    }

    async fn apply(&mut self, more: &[Migration]) -> Result<Applied, SchemaError> {
        apply(&mut self.master, followed_by(more)).await
    }

    /// A table with a note of each seller on its own order.
    async fn with_notes() -> Self {
        let mut bed = Self::new().await;
        bed.apply(&[NOTES]).await.unwrap();
        let notes = "insert into robnu.notes (seller_id, order_id) select seller_id, id from robnu.orders";
        bed.superuser.batch_execute(notes).await.unwrap();
        bed
    }

    /// Makes a note of ours on an order of theirs: the violation that a late foreign key must find.
    async fn go_astray(&self) {
        let astray = "insert into robnu.notes (seller_id, order_id) values ($1, $2)";
        let (ours, theirs) = (self.sellers.ours.id, self.sellers.theirs.order);
        self.superuser.execute(astray, &[&ours, &theirs]).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn applied(&self, name: &str) -> bool {
        let sql = "select count(*) from robnu.schema_migrations where name = $1";
        self.superuser.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) == 1
    }
}

const VALIDATED: &str = "select count(*) from pg_constraint where conname = 'notes_order' and convalidated";

fn assert_fails(outcome: Result<Applied, SchemaError>, migration: &str, state: &str) {
    match outcome {
        Err(SchemaError::Failed { name, source }) => {
            assert_eq!(name, migration);
            assert_eq!(source.code().map(tokio_postgres::error::SqlState::code), Some(state));
        }
        other => panic!("{migration} should fail: {other:?}"),
    }
}

#[tokio::test]
async fn a_backfill_reaches_every_sellers_rows() {
    let mut bed = TestBed::new().await;
    bed.apply(&[BACKFILL]).await.unwrap();
    let filled = "select count(distinct seller_id) from robnu.orders where channel = 'WEB'";
    assert_eq!(bed.count(filled).await, 2);
}

#[tokio::test]
async fn a_late_foreign_key_fails_over_a_row_that_violates_it() {
    for late_key in [LATE_KEY, LATE_KEY_IN_TWO_STEPS] {
        let mut bed = TestBed::with_notes().await;
        bed.go_astray().await;
        assert_fails(bed.apply(&[NOTES, late_key]).await, "9003_late_key", "23503");
        assert_eq!(bed.count(VALIDATED).await, 0);
        assert!(!bed.applied("9003_late_key").await);
    }
}

#[tokio::test]
async fn a_late_foreign_key_holds_after_the_repair_and_from_then_on() {
    for late_key in [LATE_KEY, LATE_KEY_IN_TWO_STEPS] {
        let mut bed = TestBed::with_notes().await;
        bed.go_astray().await;
        let applied = bed.apply(&[NOTES, REPAIR, late_key]).await.unwrap();
        assert_eq!(applied.now, ["9002_repair", "9003_late_key"]);
        assert_eq!(bed.count(VALIDATED).await, 1);
        assert_eq!(bed.count("select count(*) from robnu.notes").await, 2, "the sound notes are still there");
        let astray = "insert into robnu.notes (seller_id, order_id) values ($1, $2)";
        let (ours, theirs) = (bed.sellers.ours.id, bed.sellers.theirs.order);
        bed.superuser.execute(astray, &[&ours, &theirs]).await.expect_err("the key refuses a violation");
    }
}

/// This is why the catalogue test insists on the policy `owner`: without it a migration sees nothing and reports nothing.
#[tokio::test]
async fn without_the_owners_policy_a_backfill_sees_no_rows_and_a_late_foreign_key_no_violation() {
    let mut bed = TestBed::with_notes().await;
    bed.go_astray().await;
    bed.superuser.batch_execute("drop policy owner on robnu.notes").await.unwrap();
    let backfill = Migration {
        name: "9003_backfill",
        sql: "set local role robnu_owner; update robnu.notes set text = 'filled'",
    };
    let late_key = Migration { name: "9004_late_key", sql: LATE_KEY.sql };
    bed.apply(&[NOTES, backfill, late_key]).await.unwrap();
    assert_eq!(bed.count("select count(*) from robnu.notes where text = 'filled'").await, 0);
    assert_eq!(bed.count(VALIDATED).await, 1, "the key is marked valid despite a violation");
}

#[tokio::test]
async fn migrations_are_applied_once() {
    let mut bed = TestBed::new().await;
    let first = bed.apply(&[BACKFILL]).await.unwrap();
    assert_eq!(first, Applied { now: vec!["9001_backfill"], before: MIGRATIONS.len() });
    let second = bed.apply(&[BACKFILL]).await.unwrap();
    assert_eq!(second, Applied { now: vec![], before: MIGRATIONS.len() + 1 });
}

#[tokio::test]
async fn an_edited_migration_is_refused_by_name() {
    let mut bed = TestBed::new().await;
    bed.apply(&[BACKFILL]).await.unwrap();
    let edited = Migration { sql: "select 1", ..BACKFILL };
    let refused = bed.apply(&[edited, NOTES]).await.unwrap_err();
    assert!(matches!(refused, SchemaError::Changed { name: "9001_backfill" }), "{refused:?}");
    assert!(!bed.applied("9002_notes").await, "nothing is applied on top");
}

#[tokio::test]
async fn a_database_migrated_by_a_newer_build_suits_the_previous_build() {
    let mut bed = TestBed::new().await;
    bed.apply(&[BACKFILL]).await.unwrap();
    let rolled_back = bed.apply(&[]).await.unwrap();
    assert_eq!(rolled_back, Applied { now: vec![], before: MIGRATIONS.len() + 1 });
    assert!(bed.applied("9001_backfill").await, "forward only");
}

#[tokio::test]
async fn a_database_with_another_history_is_refused() {
    let mut bed = TestBed::new().await;
    bed.apply(&[NOTES]).await.unwrap();
    let refused = bed.apply(&[BACKFILL]).await.unwrap_err();
    assert!(matches!(&refused, SchemaError::Unknown { name } if name == "9002_notes"), "{refused:?}");
    assert!(!bed.applied("9001_backfill").await);
}

#[tokio::test]
async fn a_failed_migration_is_rolled_back_and_earlier_ones_stay() {
    let mut bed = TestBed::new().await;
    let broken = Migration {
        name: "9003_broken",
        sql: "set local role robnu_owner; create table robnu.half (id uuid); select 1 / 0",
    };
    assert_fails(bed.apply(&[NOTES, broken]).await, "9003_broken", "22012");
    assert!(bed.applied("9002_notes").await);
    assert!(!bed.applied("9003_broken").await);
    assert_eq!(bed.count("select count(*) from pg_class where relname = 'half'").await, 0);
    // The lock is free again, and the mended file is applied.
    let mended = Migration { sql: "select 1", ..broken };
    let mut another = bed.test.raw("robnu_master").await;
    let applied = apply(&mut another, followed_by(&[NOTES, mended])).await.unwrap();
    assert_eq!(applied.now, ["9003_broken"]);
}

#[tokio::test]
async fn a_migration_that_gets_no_lock_holds_up_no_traffic_and_is_applied_later() {
    let mut bed = TestBed::new().await;
    let busy = bed.test.superuser().await;
    busy.batch_execute("begin; lock table robnu.orders in access share mode").await.unwrap();
    let superuser = bed.test.superuser().await;
    let traffic = async {
        let waits =
            "select exists (select from pg_locks where relation = 'robnu.orders'::regclass and not granted)";
        while !superuser.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // It queues behind the migration, and goes on when that gives up: the lock that the migration waits for is still held.
        superuser.batch_execute("set statement_timeout = '20s'").await.unwrap();
        superuser.execute("select from robnu.orders limit 1", &[]).await.unwrap();
        let granted = "select count(*) from pg_locks where relation = 'robnu.orders'::regclass and granted";
        assert_eq!(superuser.query_one(granted, &[]).await.unwrap().get::<_, i64>(0), 1);
        busy.batch_execute("commit").await.unwrap();
    };
    let (applied, ()) = tokio::join!(bed.apply(&[BACKFILL]), traffic);
    assert_eq!(applied.unwrap().now, [BACKFILL.name]);
    assert!(bed.applied(BACKFILL.name).await);
}

#[tokio::test]
async fn a_migration_that_the_ledger_refuses_is_rolled_back_too() {
    let mut bed = TestBed::new().await;
    let taken = Migration {
        name: "9003_taken",
        sql: "set local role robnu_owner; create table robnu.half (id uuid);
            insert into robnu.schema_migrations (name, checksum) values ('9003_taken', '')",
    };
    assert_fails(bed.apply(&[taken]).await, "9003_taken", "23505");
    assert!(!bed.applied("9003_taken").await);
    assert_eq!(bed.count("select count(*) from pg_class where relname = 'half'").await, 0);
}

#[tokio::test]
async fn two_concurrent_runs_apply_each_migration_once() {
    let bed = TestBed::new().await;
    let migrations = followed_by(&[BACKFILL, NOTES]);
    let (mut one, mut other) = (bed.test.raw("robnu_master").await, bed.test.raw("robnu_master").await);
    let (first, second) = tokio::join!(apply(&mut one, migrations), apply(&mut other, migrations));
    let mut counts = [first.unwrap().now.len(), second.unwrap().now.len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 2]);
}

#[tokio::test]
async fn the_master_does_not_bypass_row_security_and_becomes_only_the_owner() {
    let bed = TestBed::new().await;
    bed.master.batch_execute("select from robnu.orders").await.expect_err("no rights of its own");
    bed.master.batch_execute("set role robnu_tenant").await.expect_err("not a tenant");
    let seen = "begin; set local role robnu_owner; select from robnu.orders; commit";
    bed.master.batch_execute(seen).await.expect("the owner sees its tables");
}
