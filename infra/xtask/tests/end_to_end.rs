//! The whole path on the deployed stack: API, run row, the account's own lane, adapter Lambda, marketplace, the seller's rows.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use stack::{Stack, eventually, unique};

#[tokio::test]
async fn orders_travel_through_the_accounts_own_lane_into_the_sellers_own_rows() {
    let stack = Stack::get();
    let (ours, theirs) = (stack.new_owner("ours").await, stack.new_owner("theirs").await);
    // Both sellers connect the same external account, each with rows of its own.
    let username = unique("DV");
    let (account, neighbour) =
        (stack.connect_ajio(&ours, &username).await, stack.connect_ajio(&theirs, &username).await);
    let (queue, other_queue) = (stack.lane(&ours, &account).await, stack.lane(&theirs, &neighbour).await);
    assert_ne!(queue, other_queue, "each account has a queue of its own");
    assert!(queue.contains(&account.replace('-', "")), "the queue carries its account's id: {queue}");
    assert_eq!(mappings(&stack, &queue).await, 1, "and a mapping of its own");

    let run = stack.ask_for_sync(&ours, &account).await;
    let run = stack.end_of(&ours, &run, 120).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}");

    let served = stack.control(Method::GET, &format!("/ajio/orders?username={username}"), None).await;
    let served = served.as_array().or_else(|| served["orders"].as_array()).unwrap().len();
    let sql = "select count(*) from robnu.orders where account_id = $1::text::uuid";
    let stored: i64 = stack.database().await.query_one(sql, &[&account]).await.unwrap().get(0);
    assert_eq!(usize::try_from(stored).unwrap(), served);
    let path = format!("/v1/sellers/{}/orders?limit=1", ours.seller);
    let (status, orders) = stack.call(Some(&ours.token), Method::GET, &path, None).await;
    assert_eq!((status, orders["orders"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)), "{orders}");
    let (status, problem) = stack.call(Some(&theirs.token), Method::GET, &path, None).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("seller_not_found")));
}

#[tokio::test]
async fn the_order_book_arrives_on_the_deployed_stack_to_the_last_decimal_and_stays_as_it_is() {
    let stack = Stack::get();
    let owner = stack.new_owner("book").await;
    let partner = unique("A");
    let book = include_str!("../../simulators/orders.csv");
    let registration =
        json!({"account": partner, "refresh_token": format!("Atzr|{partner}"), "orders_csv": book});
    stack.control(Method::POST, "/amazon/accounts", Some(registration)).await;
    let account = stack.connect_amazon(&owner, &partner).await;
    stack.lane(&owner, &account).await;
    let run = stack.ask_for_sync(&owner, &account).await;
    assert_eq!(stack.end_of(&owner, &run, 120).await["state"], "SUCCEEDED");

    // The test reads the book a second time and in another way.
    let header: Vec<&str> = book.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (order, amount, status) = (column("order_id"), column("line_amount"), column("status"));
    let rows: Vec<Vec<&str>> = book.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let orders: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[order]).collect();
    let sum: Decimal = rows.iter().map(|row| row[amount].parse::<Decimal>().unwrap_or_default()).sum();
    let database = stack.database().await;
    let sql = "select count(distinct o.id), count(*), sum(i.line_amount), array_agg(distinct s.marketplace_status)
               from robnu.orders o join robnu.order_items i on i.order_id = o.id
               left join lateral (select marketplace_status from robnu.shipments s where s.order_id = o.id) s on true
               where o.account_id = $1::text::uuid";
    let totals = "select count(distinct o.id), count(*), sum(i.line_amount)
                  from robnu.orders o join robnu.order_items i on i.order_id = o.id where o.account_id = $1::text::uuid";
    let row = database.query_one(totals, &[&account]).await.unwrap();
    let expected = (i64::try_from(orders.len()).unwrap(), i64::try_from(rows.len()).unwrap(), sum);
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, Decimal>(2)), expected);
    let texts: Vec<String> = database.query_one(sql, &[&account]).await.unwrap().get(3);
    let written: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[status]).collect();
    assert_eq!(
        texts.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        written,
        "status texts as written"
    );

    let before = fingerprint(&database, &account).await;
    let again = stack.ask_for_sync(&owner, &account).await;
    let again = stack.end_of(&owner, &again, 120).await;
    assert_eq!(again["outcome"], "unchanged", "{again}");
    assert_eq!(fingerprint(&database, &account).await, before);
}

#[tokio::test]
async fn returns_travel_through_the_marketplaces_parallel_queue_and_find_their_orders() {
    let stack = Stack::get();
    let (ours, theirs) = (stack.new_owner("returns").await, stack.new_owner("others").await);
    let (username, other) = (unique("DV"), unique("DV"));
    let account = stack.connect_ajio(&ours, &username).await;
    let neighbour = stack.connect_ajio(&theirs, &other).await;
    for (owner, account) in [(&ours, &account), (&theirs, &neighbour)] {
        stack.lane(owner, account).await;
        for kind in ["RETURNS", "ORDERS"] {
            let run = stack.ask_for(owner, account, kind).await;
            assert_eq!(stack.end_of(owner, &run, 120).await["state"], "SUCCEEDED", "{kind}");
        }
    }
    let database = stack.database().await;
    for (account, username) in [(&account, &username), (&neighbour, &other)] {
        let served = stack.control(Method::GET, &format!("/ajio/returns?username={username}"), None).await;
        let sql = "select count(*), count(order_id) from robnu.returns where account_id = $1::text::uuid";
        let row = database.query_one(sql, &[account]).await.unwrap();
        let expected = i64::try_from(served.as_array().unwrap().len()).unwrap();
        assert!(expected > 0);
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (expected, expected));
    }
    let path = format!("/v1/sellers/{}/returns", ours.seller);
    let (status, problem) = stack.call(Some(&theirs.token), Method::GET, &path, None).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("seller_not_found")));
}

#[tokio::test]
async fn the_schedule_starts_a_new_accounts_first_run_by_itself() {
    let stack = Stack::get();
    let owner = stack.new_owner("scheduled").await;
    stack.connect_ajio(&owner, &unique("DV")).await;
    let path = format!("/v1/sellers/{}/runs", owner.seller);
    let run = eventually("the schedule made a run and the run ended", 120, async || {
        let (_, runs) = stack.call(Some(&owner.token), Method::GET, &path, None).await;
        runs["runs"].as_array().unwrap().iter().find(|run| run["state"] == "SUCCEEDED").cloned()
    })
    .await;
    assert_eq!(run["trigger"], "SCHEDULE", "{run}");
}

#[tokio::test]
async fn a_poison_message_ends_as_a_dead_letter_and_delays_nobody() {
    let stack = Stack::get();
    let (ours, theirs) = (stack.new_owner("poisoned").await, stack.new_owner("healthy").await);
    let (poisoned, healthy) =
        (stack.connect_ajio(&ours, &unique("DV")).await, stack.connect_ajio(&theirs, &unique("DV")).await);
    let queue = stack.lane(&ours, &poisoned).await;
    stack.lane(&theirs, &healthy).await;
    let body = unique("this is no job ");
    let message = json!({"QueueUrl": queue, "MessageBody": body, "MessageGroupId": poisoned, "MessageDeduplicationId": unique("d")});
    stack.aws("sqs", "AmazonSQS.SendMessage", message).await;

    let run = stack.ask_for_sync(&theirs, &healthy).await;
    assert_eq!(stack.end_of(&theirs, &run, 60).await["state"], "SUCCEEDED");
    // The redrive function's schedule takes it out of the dead-letter queue, and keeps it with its reason.
    let database = stack.database().await;
    let recorded = "select reason, state from robnu.dead_letters where source = 'AJIO' and body = $1";
    let letter = eventually("the message is a dead letter", 150, async || {
        database.query_opt(recorded, &[&body]).await.unwrap()
    })
    .await;
    assert_eq!((letter.get(0), letter.get(1)), ("garbage", "OPEN"));
    // The lane with the poison message goes on as well.
    let run = stack.ask_for_sync(&ours, &poisoned).await;
    assert_eq!(stack.end_of(&ours, &run, 120).await["state"], "SUCCEEDED");
}

#[tokio::test]
async fn a_request_without_a_token_of_this_stacks_pool_is_unauthorized() {
    let stack = Stack::get();
    let owner = stack.new_owner("locked").await;
    let path = format!("/v1/sellers/{}/orders", owner.seller);
    let (status, _) = stack.call(Some(&owner.token), Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK);
    let (head, signature) = owner.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for token in [None, Some("nonsense"), Some(forged.as_str())] {
        let (status, _) = stack.call(token, Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_migrate_function_has_applied_every_migration_and_set_the_logins_passwords() {
    let stack = Stack::get();
    let database = stack.database().await;
    let applied: i64 =
        database.query_one("select count(*) from robnu.schema_migrations", &[]).await.unwrap().get(0);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "sql")
    });
    assert_eq!(usize::try_from(applied).unwrap(), files.count());
    for role in
        ["robnu_api", "robnu_adapter", "robnu_sweep", "robnu_lanes", "robnu_exporter", "robnu_redrive"]
    {
        let mut config: tokio_postgres::Config = stack.fact("database_url").parse().unwrap();
        let refused =
            config.user(role).password("a guess").connect(tokio_postgres::NoTls).await.err().unwrap();
        let code = refused.code().expect("the server refuses").code();
        assert_eq!(code, "28P01", "{role} needs its password");
    }
}

async fn mappings(stack: &Stack, queue_url: &str) -> usize {
    let attributes = json!({"QueueUrl": queue_url, "AttributeNames": ["QueueArn"]});
    let answer = stack.aws("sqs", "AmazonSQS.GetQueueAttributes", attributes).await;
    let arn = answer["Attributes"]["QueueArn"].as_str().unwrap();
    let url =
        format!("{}/2015-03-31/event-source-mappings/?EventSourceArn={arn}", stack.fact("aws_endpoint"));
    let answer: Value = stack.http.get(url).header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/ap-south-1/lambda/aws4_request, SignedHeaders=host, Signature=0").send().await.unwrap().json().await.unwrap();
    answer["EventSourceMappings"].as_array().unwrap().len()
}

async fn fingerprint(database: &tokio_postgres::Client, account: &str) -> Vec<String> {
    let sql = "select o.xmin || o::text from robnu.orders o where o.account_id = $1::text::uuid
               union all select i.xmin || i::text from robnu.order_items i join robnu.orders o on o.id = i.order_id where o.account_id = $1::text::uuid
               union all select s.xmin || s::text from robnu.shipments s join robnu.orders o on o.id = s.order_id where o.account_id = $1::text::uuid
               order by 1";
    database.query(sql, &[&account]).await.unwrap().iter().map(|row| row.get(0)).collect()
}
