//! Two owners step down at once, in two transactions of which neither sees the other's change.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::time::Duration;

use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

const LAST_OWNER: &str = "RB008";
const STEP_DOWN: &str = "update robnu.members m set role = 'VIEWER' from robnu.people p
    where p.id = m.person_id and p.subject = robnu.app_current_subject()";
const LEAVE: &str =
    "select robnu.remove_member(m.id, null) from robnu.members m join robnu.people p on p.id = m.person_id
    where p.subject = robnu.app_current_subject()";

/// Waits until the second transaction waits for the first or has passed it.
async fn second_has_begun(superuser: &Client, second: &tokio::task::JoinHandle<Option<String>>) {
    let sql = "select count(*) from pg_stat_activity
        where datname = current_database() and usename = 'robnu_api' and wait_event_type = 'Lock'";
    for _ in 0..200 {
        let waits: i64 = superuser.query_one(sql, &[]).await.unwrap().get(0);
        if waits > 0 || second.is_finished() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the second transaction neither waits nor ends");
}

#[tokio::test]
async fn when_two_owners_step_down_at_once_one_stays() {
    for (first_goes, second_goes) in [(STEP_DOWN, STEP_DOWN), (STEP_DOWN, LEAVE), (LEAVE, LEAVE)] {
        let test = TestDatabase::new().await;
        let seller = TwoSellers::seed(&test).await.ours.id;
        let superuser = test.superuser().await;
        let promote = "update robnu.members set role = 'OWNER' where role = 'ADMIN'";
        superuser.batch_execute(promote).await.unwrap();
        let (first, second) = (test.raw("robnu_api").await, test.raw("robnu_api").await);
        let enter =
            |role: &str| format!("begin; select robnu.enter_member('{role}@{seller}', '{seller}', '', true)");
        first.batch_execute(&format!("{}; {first_goes}", enter("OWNER"))).await.unwrap();
        let script = format!("{}; {second_goes}; commit", enter("ADMIN"));
        let second = tokio::spawn(async move {
            let gone = second.batch_execute(&script).await;
            gone.err()
                .map(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
        });
        second_has_begun(&superuser, &second).await;
        first.batch_execute("commit").await.unwrap();
        let refused = tokio::time::timeout(Duration::from_secs(10), second).await.unwrap().unwrap();
        let sql = "select count(*) from robnu.members where role = 'OWNER' and seller_id = $1";
        let owners: i64 = superuser.query_one(sql, &[&seller]).await.unwrap().get(0);
        assert_eq!(owners, 1, "owners are left");
        assert_eq!(refused.as_deref(), Some(LAST_OWNER));
    }
}
