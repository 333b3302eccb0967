//! Records that were set aside: who may ask for one to be read again, who may take and settle them, and of which seller.
#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

/// What a statement in a scope comes to: its text, or its error's code.
async fn outcome(login: &Client, entry: &str, sql: &str) -> String {
    login.batch_execute(&format!("begin; {entry}")).await.unwrap();
    let rows = login.query(sql, &[]).await;
    login.batch_execute("rollback").await.unwrap();
    match rows {
        Ok(rows) => rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join(","),
        Err(error) => error.code().unwrap().code().to_owned(),
    }
}

#[tokio::test]
async fn members_ask_and_jobs_read_each_of_their_own_seller() {
    let test = TestDatabase::new().await;
    let TwoSellers { ours, theirs } = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    let live = "update robnu.sync_runs set state = 'WAITING' where kind = 'ORDERS' and id in (select run_id from robnu.quarantined_records)";
    superuser.batch_execute(live).await.unwrap();
    let (api, adapter) = (test.raw("robnu_api").await, test.raw("robnu_adapter").await);
    let member = |role: &str, id| format!("select robnu.enter_member('{role}@{id}', '{id}', '', true)");
    let (owner, viewer) = (member("OWNER", ours.id), member("VIEWER", ours.id));
    let job = format!("select robnu.enter_job('{}', '{}')", ours.id, ours.ajio);

    let ask = |account| format!("select robnu.retry_quarantined('{account}', 'ORDERS', null)::text");
    assert_eq!(outcome(&api, &owner, &ask(ours.ajio)).await, "1");
    assert_eq!(outcome(&api, &owner, &ask(theirs.ajio)).await, "0", "another seller's");
    assert_eq!(outcome(&api, &viewer, &ask(ours.ajio)).await, "42501");
    assert_eq!(outcome(&adapter, &job, &ask(ours.ajio)).await, "42501");

    superuser.batch_execute("update robnu.quarantined_records set retry_requested_at = now()").await.unwrap();
    let take =
        |account| format!("select count(*)::text from robnu.take_quarantined('{account}', 'ORDERS', 10)");
    assert_eq!(outcome(&adapter, &job, &take(ours.ajio)).await, "1");
    assert_eq!(outcome(&adapter, &job, &take(theirs.ajio)).await, "0", "another seller's");
    assert_eq!(outcome(&api, &owner, &take(ours.ajio)).await, "42501");

    let every = "select id from robnu.quarantined_records";
    let ids: Vec<uuid::Uuid> =
        superuser.query(every, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let ids = ids.iter().map(|id| format!("'{id}'::uuid")).collect::<Vec<_>>().join(",");
    let settle = |account| {
        format!(
            "with settled as materialized (
               select robnu.settle_quarantined('{account}', array[{ids}], array_fill(null::text, array[cardinality(array[{ids}])])))
             select count(*)::text from settled"
        )
    };
    assert_eq!(outcome(&api, &owner, &settle(ours.ajio)).await, "42501");
    adapter.batch_execute(&format!("begin; {job}")).await.unwrap();
    adapter.query(&settle(ours.ajio), &[]).await.unwrap();
    adapter.batch_execute("commit").await.unwrap();
    let left = "select count(*) filter (where seller_id = $1), count(*) filter (where seller_id = $2) from robnu.quarantined_records";
    let row = superuser.query_one(left, &[&ours.id, &theirs.id]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 1), "the other seller's stays");
}
