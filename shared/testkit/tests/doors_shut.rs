//! What a door leaves of what was set before it, and what its transaction leaves behind: nothing.
//!
//! Raw connections, so that what is seen is the doors' own work and none of the pool's.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;

const SETTINGS: [&str; 6] = [
    "app.current_seller_id",
    "app.current_subject",
    "app.rights",
    "app.actor_kind",
    "app.actor_id",
    "app.impersonation_session",
];

/// Every door, with the login that it is for.
async fn doors(sellers: &TwoSellers, superuser: &Client) -> Vec<(&'static str, String)> {
    let (seller, account) = (sellers.ours.id, sellers.ours.ajio);
    let sql = "select id::text from robnu.impersonation_sessions where seller_id = $1";
    let session: String = superuser.query_one(sql, &[&seller]).await.unwrap().get(0);
    vec![
        ("robnu_api", format!("select robnu.enter_member('OWNER@{seller}', '{seller}', '', true)")),
        (
            "robnu_api",
            format!("select robnu.enter_impersonation('STAFF', '{session}', '{seller}', '', false)"),
        ),
        ("robnu_api", "select robnu.enter_person('somebody')".to_owned()),
        ("robnu_api", "select robnu.enter_staff('STAFF')".to_owned()),
        ("robnu_adapter", format!("select robnu.enter_job('{seller}', '{account}')")),
        ("robnu_sweep", "select robnu.enter_system('robnu_system_sweep')".to_owned()),
        ("robnu_sweep", "select robnu.enter_system('robnu_system_retention')".to_owned()),
        ("robnu_sweep", format!("select robnu.enter_sweep('{seller}')")),
        ("robnu_lanes", "select robnu.enter_system('robnu_system_lanes')".to_owned()),
    ]
}

async fn setting(client: &Client, name: &str) -> String {
    let row = client.query_one("select coalesce(current_setting($1, true), '')", &[&name]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn no_door_leaves_anything_of_its_scope_behind() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    for (login, door) in doors(&sellers, &test.superuser().await).await {
        let client = test.raw(login).await;
        for end in ["commit", "rollback"] {
            client.batch_execute(&format!("begin; {door}")).await.unwrap();
            let entered: String = client.query_one("select current_user::text", &[]).await.unwrap().get(0);
            assert_ne!(entered, login, "{door} changes the role");
            client.batch_execute(end).await.unwrap();
            let left: String = client.query_one("select current_user::text", &[]).await.unwrap().get(0);
            assert_eq!(left, login, "{door} leaves its role behind after {end}");
            for name in SETTINGS {
                assert_eq!(setting(&client, name).await, "", "{door} leaves {name} behind after {end}");
            }
        }
    }
}

#[tokio::test]
async fn a_door_clears_what_was_set_before_it() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let forged = "00000000-0000-7000-8000-000000000bad";
    for (login, door) in doors(&sellers, &test.superuser().await).await {
        let client = test.raw(login).await;
        client.batch_execute("begin").await.unwrap();
        for name in SETTINGS {
            client.execute("select set_config($1, $2, true)", &[&name, &forged]).await.unwrap();
        }
        client.batch_execute(&door).await.unwrap();
        for name in SETTINGS {
            assert_ne!(setting(&client, name).await, forged, "{door} lets {name} of before stand");
        }
        client.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn behind_a_door_there_is_no_other_door() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let doors = doors(&sellers, &test.superuser().await).await;
    for (login, door) in &doors {
        let client = test.raw(login).await;
        for (_, other) in &doors {
            client.batch_execute(&format!("begin; {door}")).await.unwrap();
            let refused = client.batch_execute(other).await.expect_err(other);
            assert_eq!(
                refused.code().map(tokio_postgres::error::SqlState::code),
                Some("42501"),
                "{door}, then {other}"
            );
            client.batch_execute("rollback").await.unwrap();
        }
    }
}
