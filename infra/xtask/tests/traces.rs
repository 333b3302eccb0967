//! The attack leaves nothing in the stack, whether it succeeds, fails or is interrupted; if it is killed, the next one removes
//! everything. Two uninvolved sellers have a team, an invitation and an account. The test compares all rows, table by table.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use stack::{Owner, Stack, unique};

/// The progress line that shows that sellers, lanes and people exist and that attempts are being made.
const IN_THE_MIDDLE: &str = "500 attempts";

/// A folder for state and for the stack's facts. Dropping it removes it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(unique("robnu-traces-"));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The command of an attack on the stack that these facts describe.
    fn attack(&self, facts: &Value, arguments: &[&str]) -> Command {
        let file = self.0.join("stack.json");
        std::fs::write(&file, facts.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["attack", "--part", "insider", "--seed", "7", "--stack"])
            .arg(file)
            .args(arguments)
            .env("ROBNU_LOCAL", &self.0);
        command
    }

    /// Starts an attack and ends it with a signal in the middle.
    fn signalled(&self, facts: &Value, signal: &str) -> Output {
        let mut command = self.attack(facts, &["--count", "1000000"]);
        let mut child: Child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said: Vec<String> = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            said.push(line);
            if said.last().unwrap().contains(IN_THE_MIDDLE) {
                break;
            }
        }
        assert!(said.last().is_some_and(|line| line.contains(IN_THE_MIDDLE)), "{said:#?}");
        let line = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
        // The rest is read, so that the attack does not wait on a full pipe.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let mut output = child.wait_with_output().unwrap();
        output.stderr = rest.join("\n").into_bytes();
        output
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn onlooker(stack: &Stack, name: &str) -> Owner {
    let owner = stack.new_owner(name).await;
    let account = stack.connect_ajio(&owner, &unique("DV")).await;
    stack.lane(&owner, &account).await;
    let inside = format!("/v1/sellers/{}", owner.seller);
    let invitation = json!({"email": format!("{}@test.invalid", unique("guest")), "role": "VIEWER"});
    let calls = [
        (Method::POST, format!("{inside}/invitations"), Some(&invitation)),
        (Method::DELETE, format!("{inside}/accounts/{account}/schedules/ORDERS"), None),
    ];
    for (method, path, body) in calls {
        let (status, answer) = stack.call(Some(&owner.token), method, &path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
    }
    owner
}

/// Number and digest of the rows of each table, and the users, pools, queues and mappings in the local AWS. Left out are the
/// rows of sellers whose schedules still run, the times at which the platform last checked a lane, and dead letters: refused messages
/// become some, and the platform records them each minute, also after the command has ended.
async fn picture(stack: &Stack) -> BTreeMap<String, String> {
    let database = stack.database().await;
    // Counts under a keyed digest are left out: nobody can attribute them, and they expire within a day.
    let tables = "select c.relname::text, exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'seller_id' and not a.attisdropped)
        from pg_class c where c.relnamespace = 'robnu'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'dead_letters'
          and (c.relname not like '%\\_counts' or exists (
            select from pg_attribute a where a.attrelid = c.oid and a.attname = 'seller_id'))";
    let mut picture = BTreeMap::new();
    for table in database.query(tables, &[]).await.unwrap() {
        let (name, of_sellers): (String, bool) = (table.get(0), table.get(1));
        let condition = match (of_sellers, name.as_str()) {
            // Sellers and members are compared for every seller.
            (true, "sellers" | "members") | (false, _) => "true",
            (true, _) => "t.seller_id not in (select seller_id from robnu.schedules where enabled)",
        };
        let row = "(to_jsonb(t) - 'lane_checked_at' - 'lane_lease_until')::text";
        let sql = format!(
            "select count(*) || ' rows, ' || md5(coalesce(string_agg({row}, ',' order by {row}), ''))
             from robnu.{name} t where {condition}"
        );
        picture.insert(name, database.query_one(&sql, &[]).await.unwrap().get(0));
    }
    let pool = stack.output("UserPoolId");
    let users = everything(
        stack,
        "cognito-idp",
        "AWSCognitoIdentityProviderService.ListUsers",
        "PaginationToken",
        json!({"UserPoolId": pool, "Limit": 60}),
    );
    let pools = everything(
        stack,
        "cognito-idp",
        "AWSCognitoIdentityProviderService.ListUserPools",
        "NextToken",
        json!({"MaxResults": 60}),
    );
    let queues = everything(stack, "sqs", "AmazonSQS.ListQueues", "NextToken", json!({"MaxResults": 1000}));
    picture.insert("user pool".to_owned(), names(&users.await, "Users", "Username"));
    picture.insert("user pools".to_owned(), names(&pools.await, "UserPools", "Name"));
    picture.insert("queues".to_owned(), names(&queues.await, "QueueUrls", ""));
    let mappings = format!("{}/2015-03-31/event-source-mappings/?MaxItems=1000", stack.fact("aws_endpoint"));
    let mappings: Value = stack.http.get(mappings).send().await.unwrap().json().await.unwrap();
    picture.insert("mappings".to_owned(), names(&[mappings], "EventSourceMappings", "EventSourceArn"));
    picture
}

/// All pages of a list.
async fn everything(stack: &Stack, service: &str, target: &str, token: &str, mut body: Value) -> Vec<Value> {
    let mut pages = Vec::new();
    loop {
        let page = stack.aws(service, target, body.clone()).await;
        let next = page[token].clone();
        pages.push(page);
        if next.is_null() {
            return pages;
        }
        body[token] = next;
    }
}

fn names(pages: &[Value], list: &str, field: &str) -> String {
    let all = pages.iter().flat_map(|page| page[list].as_array().into_iter().flatten());
    let mut names: Vec<&str> =
        all.filter_map(|one| if field.is_empty() { one.as_str() } else { one[field].as_str() }).collect();
    names.sort_unstable();
    names.join("\n")
}

#[track_caller]
fn assert_as_before(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>, after: &str) {
    for (what, was) in before {
        assert_eq!(was, &now[what], "{after} has left something in {what}");
    }
}

#[tokio::test]
async fn an_attack_leaves_everything_as_it_was_however_it_ends() {
    let stack = Stack::get();
    let folder = Folder::new();
    onlooker(&stack, "onlooker").await;
    onlooker(&stack, "another").await;
    // The first attack removes what a command killed before this test may have left.
    let first = folder.attack(&stack.facts, &["--count", "1"]).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let before = picture(&stack).await;

    let ended = folder.attack(&stack.facts, &["--count", "40"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_as_before(&before, &picture(&stack).await, "an attack that ended well");

    // Without the queue of lane requests, the attack fails after it has made people and sellers with all their rows.
    let mut facts = stack.facts.clone();
    facts["outputs"].as_object_mut().unwrap().remove("LaneRequestsQueueUrl");
    let failed = folder.attack(&facts, &["--count", "40"]).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("the stack has no output LaneRequestsQueueUrl"), "{said}");
    assert_as_before(&before, &picture(&stack).await, "an attack that failed");

    for signal in ["INT", "TERM"] {
        let interrupted = folder.signalled(&stack.facts, signal);
        let said = String::from_utf8_lossy(&interrupted.stderr);
        assert_eq!(interrupted.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted"), "{said}");
        assert_as_before(&before, &picture(&stack).await, "an interrupted attack");
    }

    let killed = folder.signalled(&stack.facts, "KILL");
    assert_eq!(killed.status.code(), None);
    let left = picture(&stack).await;
    assert_ne!(before["sellers"], left["sellers"], "a killed attack has removed what it made");
    assert_eq!(before["orgs"], left["orgs"], "a killed attack has changed what belongs to everybody");
    let next = folder.attack(&stack.facts, &["--count", "1"]).output().unwrap();
    assert_eq!(next.status.code(), Some(0), "{}", String::from_utf8_lossy(&next.stderr));
    assert_as_before(&before, &picture(&stack).await, "the attack after a killed one");
}

#[test]
fn an_attempt_that_was_never_made_cannot_be_replayed() {
    let folder = Folder::new();
    // The command needs no stack for this check.
    for (replay, count) in [("0", "300"), ("301", "300"), ("2", "1")] {
        let refused = folder.attack(&json!({}), &["--replay", replay, "--count", count]).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("attempt {replay} was never tried")), "{said}");
        assert!(said.contains("--count"), "{said}");
    }
    let mut abuse = Command::new(env!("CARGO_BIN_EXE_xtask"));
    abuse.args(["attack", "--part", "abuse", "--replay", "1"]).env("ROBNU_LOCAL", &folder.0);
    let refused = abuse.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("ways of abuse have no numbers"), "{said}");
}
