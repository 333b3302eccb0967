//! Removes what commands have made: the rows of their sellers and people, those sellers' queues and mappings, and the users in
//! the user pools.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::aws::{Aws, CallError, Outputs, output};

/// The domain of every address that these commands sign up, and of no other address.
pub const DOMAIN: &str = "tools.robnu.invalid";

/// The lanes function may still make a queue for a removed account from a request that it has already received. So queues are
/// looked for this many times at most.
const LOOKS: usize = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// Whose traces to remove.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// One run's.
    Run(&'a str),
    /// Every run's.
    Everybody,
}

impl Whose<'_> {
    /// The ending of the addresses.
    fn ending(self) -> String {
        match self {
            Self::Run(run) => format!("@{run}.{DOMAIN}"),
            Self::Everybody => format!(".{DOMAIN}"),
        }
    }
}

/// Removes the traces.
pub async fn remove(database: &Client, aws: &Aws, outputs: &Outputs, whose: Whose<'_>) -> anyhow::Result<()> {
    let like = format!("%{}", whose.ending());
    let accounts = remove_rows(database, &like).await.context("remove the rows of this command's sellers")?;
    remove_lanes(aws, &accounts).await.context("remove the lanes of this command's sellers")?;
    remove_people(aws, outputs, whose).await.context("remove this command's people from the user pool")
}

/// Deletes the request counts of people.
pub async fn forget_requests(database: &Client, subjects: &[String]) -> anyhow::Result<()> {
    database.execute("delete from robnu.person_requests where subject = any ($1)", &[&subjects]).await?;
    let sql = "delete from robnu.request_counts
        where person_id in (select id from robnu.people where subject = any ($1))";
    database.execute(sql, &[&subjects]).await?;
    Ok(())
}

/// Removes the rows in every table of the catalogue, so that a new table needs no change here. Returns the removed accounts.
async fn remove_rows(database: &Client, like: &str) -> anyhow::Result<Vec<Uuid>> {
    // Triggers and foreign keys are off, because everything that refers to a row is removed as well.
    database.batch_execute("begin; set local session_replication_role = replica").await?;
    let people = database.query("select id, subject from robnu.people where email like $1", &[&like]).await?;
    let (ids, subjects): (Vec<Uuid>, Vec<String>) =
        people.iter().map(|row| (row.get::<_, Uuid>(0), row.get::<_, String>(1))).unzip();
    let sql = "select seller_id from robnu.sellers where signed_up_by = any ($1)";
    let sellers: Vec<Uuid> = database.query(sql, &[&ids]).await?.iter().map(|row| row.get(0)).collect();
    let sql = "select id from robnu.marketplace_accounts where seller_id = any ($1)";
    let accounts: Vec<Uuid> = database.query(sql, &[&sellers]).await?.iter().map(|row| row.get(0)).collect();
    // A job's actor is its account.
    let actors = [ids.as_slice(), accounts.as_slice()].concat();
    for row in database.query(include_str!("own_rows.sql"), &[]).await? {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let sql = format!("delete from robnu.{table} where {column} = any ($1)");
        match column.as_str() {
            "seller_id" => database.execute(&sql, &[&sellers]).await,
            "person_id" => database.execute(&sql, &[&ids]).await,
            "actor_id" => database.execute(&sql, &[&actors]).await,
            _ => database.execute(&sql, &[&subjects]).await,
        }
        .with_context(|| format!("remove rows of {table}"))?;
    }
    // The fixture's action of an operator has the id of its seller, because the table belongs to no seller.
    database.execute("delete from robnu.dead_letter_actions where id = any ($1)", &[&sellers]).await?;
    database.execute("delete from robnu.people where id = any ($1)", &[&ids]).await?;
    database.execute("delete from robnu.staff where subject like $1", &[&like]).await?;
    database.batch_execute("commit").await?;
    Ok(accounts)
}

/// Deletes the accounts' queues and mappings, whose names contain the accounts' ids.
async fn remove_lanes(aws: &Aws, accounts: &[Uuid]) -> anyhow::Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = accounts.iter().map(|account| account.simple().to_string()).collect();
    let is_ours = |name: &str| ids.iter().any(|id| name.contains(id.as_str()));
    let mut unseen = 0;
    for _ in 0..LOOKS {
        let mut found = false;
        for mapping in mappings(aws).await? {
            if is_ours(mapping["EventSourceArn"].as_str().unwrap_or_default())
                && mapping["State"] != "Deleting"
            {
                found = true;
                let id = mapping["UUID"].as_str().context("read a mapping's id")?;
                let path = format!("/2015-03-31/event-source-mappings/{id}");
                // The platform may have deleted it first.
                let _ = aws.rest("lambda", Method::DELETE, &path, None).await;
            }
        }
        for queue in queues(aws).await?.iter().filter(|queue| is_ours(queue)) {
            found = true;
            gone_is_fine(aws.json("sqs", "AmazonSQS.DeleteQueue", &json!({"QueueUrl": queue})).await)?;
        }
        unseen = if found { 0 } else { unseen + 1 };
        if unseen == 2 {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

async fn mappings(aws: &Aws) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut marker) = (Vec::new(), String::new());
    loop {
        let path = format!("/2015-03-31/event-source-mappings/?MaxItems=100{marker}");
        let page = aws.rest("lambda", Method::GET, &path, None).await?;
        all.extend(page["EventSourceMappings"].as_array().into_iter().flatten().cloned());
        match page["NextMarker"].as_str() {
            Some(next) => marker = format!("&Marker={next}"),
            None => return Ok(all),
        }
    }
}

async fn queues(aws: &Aws) -> anyhow::Result<Vec<String>> {
    let (mut all, mut body) = (Vec::new(), json!({"MaxResults": 1000}));
    loop {
        let page = aws.json("sqs", "AmazonSQS.ListQueues", &body).await?;
        let urls = page["QueueUrls"].as_array().into_iter().flatten();
        all.extend(urls.filter_map(Value::as_str).map(ToOwned::to_owned));
        match page["NextToken"].as_str() {
            Some(next) => body["NextToken"] = json!(next),
            None => return Ok(all),
        }
    }
}

async fn remove_people(aws: &Aws, outputs: &Outputs, whose: Whose<'_>) -> anyhow::Result<()> {
    let pool = output(outputs, "UserPoolId")?;
    let call = async |name: &str, body: Value| {
        aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{name}"), &body).await
    };
    let ending = whose.ending();
    let mut ours = Vec::new();
    let mut body = json!({"UserPoolId": pool, "Limit": 60});
    loop {
        let page = call("ListUsers", body.clone()).await?;
        for user in page["Users"].as_array().into_iter().flatten() {
            let attributes = user["Attributes"].as_array().into_iter().flatten();
            let is_ours = attributes
                .filter(|attribute| attribute["Name"] == "email")
                .any(|attribute| attribute["Value"].as_str().is_some_and(|email| email.ends_with(&ending)));
            if is_ours {
                ours.push(user["Username"].clone());
            }
        }
        match page["PaginationToken"].as_str() {
            Some(next) => body["PaginationToken"] = json!(next),
            None => break,
        }
    }
    for user in ours {
        gone_is_fine(call("AdminDeleteUser", json!({"UserPoolId": pool, "Username": user})).await)?;
    }
    let pools = call("ListUserPools", json!({"MaxResults": 60})).await?;
    for pool in pools["UserPools"].as_array().into_iter().flatten() {
        if pool["Name"].as_str().is_some_and(|name| name.ends_with(&ending)) {
            gone_is_fine(call("DeleteUserPool", json!({"UserPoolId": pool["Id"]})).await)?;
        }
    }
    Ok(())
}

/// Accepts an error that says the thing is gone: another command or the platform may have removed it.
fn gone_is_fine(answer: Result<Value, CallError>) -> anyhow::Result<()> {
    const GONE: [&str; 4] = [
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "UserNotFoundException",
        "ResourceNotFoundException",
    ];
    match answer {
        Err(error) if !GONE.contains(&error.code.as_str()) => Err(error.into()),
        _ => Ok(()),
    }
}
