//! Staff are exactly the people whom the stack's parameter names.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use migrate::staff::set_staff;
use robnu_testkit::{TestDatabase, TwoSellers};

#[tokio::test]
async fn named_people_become_staff_all_others_are_removed_and_their_sessions_stay() {
    let test = TestDatabase::new().await;
    TwoSellers::seed(&test).await;
    let mut master = test.raw("robnu_master").await;
    let superuser = test.superuser().await;
    let sql = "select coalesce(string_agg(subject, ',' order by subject), '') from robnu.staff where removed_at is null";
    for (named, expected) in [
        (vec!["one", "two", "one"], "one,two"),
        (vec!["one", "two"], "one,two"),
        (vec!["two", "STAFF"], "STAFF,two"),
        (vec![], ""),
    ] {
        let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        set_staff(&mut master, &named).await.unwrap();
        assert_eq!(superuser.query_one(sql, &[]).await.unwrap().get::<_, String>(0), expected);
    }
    let sessions = "select count(*) from robnu.impersonation_sessions where ended_at is not null";
    assert_eq!(superuser.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test]
async fn a_master_that_is_dropped_in_the_middle_of_a_statement_leaves_nothing_running() {
    let test = TestDatabase::new().await;
    let master = migrate::master::connect(&test.config("robnu_master")).await.unwrap();
    master.client.batch_execute("set client_connection_check_interval = '200ms'").await.unwrap();
    let endless = master
        .client
        .batch_execute("begin; set local role robnu_owner; lock table robnu.orders; select pg_sleep(300)");
    tokio::time::timeout(std::time::Duration::from_millis(300), endless).await.unwrap_err();
    drop(master);
    let superuser = test.superuser().await;
    let left = "select count(*) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(300)' and pid <> pg_backend_pid()";
    let mut looks = 0;
    while superuser.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        looks += 1;
        assert!(looks < 200, "the statement still runs");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
