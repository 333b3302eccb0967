//! Rows that stay. One person renames, switches, scans, cancels and reopens the same things over and over, and requests and
//! cancels runs.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::budgets::{Count, EVENTS, RUNS};
use super::environment::{Caller, Environment};
use crate::tenant::Tenant;

const CHANGES: usize = 104;
const RUNS_TRIED: usize = 204;

/// A seller with a row in every relation, and its owner.
#[derive(Debug)]
pub struct SeededSeller {
    /// The owner.
    pub owner: Caller,
    /// The seller.
    pub seller: String,
    /// Ids of things to change.
    account: String,
    scheduled: String,
    member: String,
    claim: String,
}

impl SeededSeller {
    /// Signs the seller up and adds the test kit's rows.
    pub async fn make(environment: &Environment<'_>) -> anyhow::Result<Self> {
        let owner = environment.person("grower").await?;
        let seller = environment.seller(&owner).await?;
        let tenant =
            Tenant::seed(&environment.superuser, seller.parse::<Uuid>()?, environment.traces).await?;
        // Accounts without a queue get no messages.
        let sql = format!(
            "update robnu.marketplace_accounts set lane_queue_url = null where seller_id = '{seller}';
             update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where seller_id = '{seller}'
               and state in ('QUEUED', 'RUNNING', 'WAITING')"
        );
        environment.superuser.batch_execute(&sql).await?;
        let of = async |sql: &str| -> anyhow::Result<String> {
            Ok(environment.superuser.query_one(sql, &[&seller]).await?.get(0))
        };
        let member = of("select m.id::text from robnu.members m join robnu.people p on p.id = m.person_id
            where m.seller_id = $1::text::uuid and p.subject like 'VIEWER@%'");
        let claim = of("select id::text from robnu.claims where seller_id = $1::text::uuid limit 1");
        // Each thing is changed in only one way, so that its events can be counted.
        let scheduled = of("select id::text from robnu.marketplace_accounts
            where seller_id = $1::text::uuid and marketplace_code = 'AMAZON_IN'");
        let (member, claim, scheduled) = (member.await?, claim.await?, scheduled.await?);
        Ok(Self { owner, seller, account: tenant.account, scheduled, member, claim })
    }
}

/// Changes one thing of each kind more often than anybody needs in a day, and counts the rows that stay.
pub async fn run(environment: &Environment<'_>, seeded: &SeededSeller) -> anyhow::Result<Vec<Count>> {
    let seller = format!("/v1/sellers/{}", seeded.seller);
    let SeededSeller { account, scheduled, member, claim, .. } = seeded;
    let path = |rest: &str| format!("{seller}{rest}");
    let name = |number: usize| json!({"name": format!("name {}", number % 2)});
    let label = |number: usize| json!({"display_name": format!("name {}", number % 2)});
    let minutes = |number: usize| json!({"every_minutes": 60 + number % 2, "enabled": false});
    let scans = |number: usize| json!({"scan_returns": number.is_multiple_of(2)});
    let code = |_: usize| json!({"code": "RAWB1"});
    // No return has this code, so the scan waits.
    let conditions = ["GOOD", "BAD"];
    let condition = |number: usize| json!({"code": "UNKNOWN2", "condition": (conditions[number % 2])});
    let why = |_: usize| json!({"reason": "to and fro"});
    let (cancel, reopen) =
        (path(&format!("/claims/{claim}/cancel")), path(&format!("/claims/{claim}/reopen")));
    tokio::try_join!(
        again(environment, seeded, Method::PATCH, both(seller.clone()), name),
        again(environment, seeded, Method::PATCH, both(path(&format!("/accounts/{account}"))), label),
        again(
            environment,
            seeded,
            Method::PUT,
            both(path(&format!("/accounts/{scheduled}/schedules/ORDERS"))),
            minutes
        ),
        again(environment, seeded, Method::PATCH, both(path(&format!("/members/{member}"))), scans),
        again(environment, seeded, Method::POST, both(path("/returns/scan")), code),
        again(environment, seeded, Method::POST, both(path("/returns/scan")), condition),
        again(environment, seeded, Method::POST, [cancel, reopen], why),
    )?;
    let mut events = EVENTS.count(u64::try_from(CHANGES)?, 0);
    let tables = "select c.relname::text, a.attname::text
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'robnu'::regnamespace and a.attname in ('object_id', 'return_id', 'claim_id')
          and exists (select from pg_attribute k where k.attrelid = c.oid and k.attname = 'actor_kind') and c.relkind = 'r'";
    for row in environment.superuser.query(tables, &[]).await? {
        let (table, object): (String, String) = (row.get(0), row.get(1));
        // Rows that the test kit or the platform wrote do not count.
        let sql = format!(
            "select coalesce(max(events), 0) from (
               select count(*) as events from robnu.{table}
               where seller_id = $1::text::uuid and actor_kind in ('MEMBER', 'PERSON') group by {object}, actor_id) of_object"
        );
        let most = environment.number(&sql, &seeded.seller).await?;
        if most > events.reached {
            (events.reached, events.worst) = (most, vec![format!("{table} of one {object}")]);
        }
    }
    Ok(vec![events, runs(environment, seeded).await?])
}

fn both(path: String) -> [String; 2] {
    [path.clone(), path]
}

/// Makes the same two changes by turns, so that each request changes something.
async fn again(
    environment: &Environment<'_>,
    seeded: &SeededSeller,
    method: Method,
    paths: [String; 2],
    body: impl Fn(usize) -> Value,
) -> anyhow::Result<()> {
    for number in 0..CHANGES {
        environment.call(&seeded.owner, method.clone(), &paths[number % 2], Some(body(number))).await?;
    }
    Ok(())
}

async fn runs(environment: &Environment<'_>, seeded: &SeededSeller) -> anyhow::Result<Count> {
    let seller = format!("/v1/sellers/{}", seeded.seller);
    for _ in 0..RUNS_TRIED {
        let path = format!("{seller}/accounts/{}/sync", seeded.account);
        let asked =
            environment.call(&seeded.owner, Method::POST, &path, Some(json!({"kind": "ORDERS"}))).await?;
        let Some(run) = asked.body["run_id"].as_str() else { continue };
        environment.call(&seeded.owner, Method::POST, &format!("{seller}/runs/{run}/cancel"), None).await?;
    }
    let sql = "select count(*) from robnu.sync_runs where seller_id = $1::text::uuid and trigger = 'API'
        and id > uuidv7(interval '-1 hour')";
    Ok(RUNS.count(u64::try_from(RUNS_TRIED)?, environment.number(sql, &seeded.seller).await?))
}
