//! Rows that stay, made by one person alone: the same thing renamed, switched, scanned, closed and opened, asked for and
//! cancelled, over and over.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::budgets::{Count, EVENTS, RUNS};
use super::ground::{Caller, Ground};
use crate::tenant::Tenant;

const CHANGES: usize = 104;
const RUNS_TRIED: usize = 204;

/// Someone whose seller has a row in every relation.
#[derive(Debug)]
pub struct Grown {
    /// The owner.
    pub owner: Caller,
    /// The seller.
    pub seller: String,
    /// Paths below the seller's.
    account: String,
    scheduled: String,
    member: String,
    claim: String,
}

impl Grown {
    /// Signs up, and gets the test kit's rows.
    pub async fn make(ground: &Ground<'_>) -> anyhow::Result<Self> {
        let owner = ground.person("grower").await?;
        let seller = ground.seller(&owner).await?;
        let tenant = Tenant::seed(&ground.superuser, seller.parse::<Uuid>()?, ground.traces).await?;
        // Accounts whose queue is not there are sent nothing.
        let sql = format!(
            "update robnu.marketplace_accounts set lane_queue_url = null where seller_id = '{seller}';
             update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where seller_id = '{seller}'
               and state in ('QUEUED', 'RUNNING', 'WAITING')"
        );
        ground.superuser.batch_execute(&sql).await?;
        let of = async |sql: &str| -> anyhow::Result<String> {
            Ok(ground.superuser.query_one(sql, &[&seller]).await?.get(0))
        };
        let member = of("select m.id::text from robnu.members m join robnu.people p on p.id = m.person_id
            where m.seller_id = $1::text::uuid and p.subject like 'VIEWER@%'");
        let claim = of("select id::text from robnu.claims where seller_id = $1::text::uuid limit 1");
        // Each thing is changed in one way, so that its events are counted one after the other.
        let scheduled = of("select id::text from robnu.marketplace_accounts
            where seller_id = $1::text::uuid and marketplace_code = 'AMAZON_IN'");
        let (member, claim, scheduled) = (member.await?, claim.await?, scheduled.await?);
        Ok(Self { owner, seller, account: tenant.account, scheduled, member, claim })
    }
}

/// Changes one of each kind of thing more often than a day needs, and counts what is left of it.
pub async fn run(ground: &Ground<'_>, grown: &Grown) -> anyhow::Result<Vec<Count>> {
    let seller = format!("/v1/sellers/{}", grown.seller);
    let Grown { account, scheduled, member, claim, .. } = grown;
    let path = |rest: &str| format!("{seller}{rest}");
    let name = |number: usize| json!({"name": format!("name {}", number % 2)});
    let label = |number: usize| json!({"display_name": format!("name {}", number % 2)});
    let minutes = |number: usize| json!({"every_minutes": 60 + number % 2, "enabled": false});
    let scans = |number: usize| json!({"scan_returns": number.is_multiple_of(2)});
    let code = |_: usize| json!({"code": "RAWB1"});
    let why = |_: usize| json!({"reason": "to and fro"});
    let (cancel, reopen) =
        (path(&format!("/claims/{claim}/cancel")), path(&format!("/claims/{claim}/reopen")));
    tokio::try_join!(
        again(ground, grown, Method::PATCH, both(seller.clone()), name),
        again(ground, grown, Method::PATCH, both(path(&format!("/accounts/{account}"))), label),
        again(
            ground,
            grown,
            Method::PUT,
            both(path(&format!("/accounts/{scheduled}/schedules/ORDERS"))),
            minutes
        ),
        again(ground, grown, Method::PATCH, both(path(&format!("/members/{member}"))), scans),
        again(ground, grown, Method::POST, both(path("/returns/scan")), code),
        again(ground, grown, Method::POST, [cancel, reopen], why),
    )?;
    let mut events = EVENTS.count(u64::try_from(CHANGES)?, 0);
    let tables = "select c.relname::text, a.attname::text
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'robnu'::regnamespace and a.attname in ('object_id', 'return_id', 'claim_id')
          and exists (select from pg_attribute k where k.attrelid = c.oid and k.attname = 'actor_kind') and c.relkind = 'r'";
    for row in ground.superuser.query(tables, &[]).await? {
        let (table, object): (String, String) = (row.get(0), row.get(1));
        // What the test kit and the platform wrote themselves does not count.
        let sql = format!(
            "select coalesce(max(events), 0) from (
               select count(*) as events from robnu.{table}
               where seller_id = $1::text::uuid and actor_kind in ('MEMBER', 'PERSON') group by {object}, actor_id) of_object"
        );
        let most = ground.number(&sql, &grown.seller).await?;
        if most > events.reached {
            (events.reached, events.worst) = (most, vec![format!("{table} of one {object}")]);
        }
    }
    Ok(vec![events, runs(ground, grown).await?])
}

fn both(path: String) -> [String; 2] {
    [path.clone(), path]
}

/// The same to and fro, each time a change.
async fn again(
    ground: &Ground<'_>,
    grown: &Grown,
    method: Method,
    paths: [String; 2],
    body: impl Fn(usize) -> Value,
) -> anyhow::Result<()> {
    for number in 0..CHANGES {
        ground.call(&grown.owner, method.clone(), &paths[number % 2], Some(body(number))).await?;
    }
    Ok(())
}

async fn runs(ground: &Ground<'_>, grown: &Grown) -> anyhow::Result<Count> {
    let seller = format!("/v1/sellers/{}", grown.seller);
    for _ in 0..RUNS_TRIED {
        let path = format!("{seller}/accounts/{}/sync", grown.account);
        let asked = ground.call(&grown.owner, Method::POST, &path, Some(json!({"kind": "ORDERS"}))).await?;
        let Some(run) = asked.body["run_id"].as_str() else { continue };
        ground.call(&grown.owner, Method::POST, &format!("{seller}/runs/{run}/cancel"), None).await?;
    }
    let sql = "select count(*) from robnu.sync_runs where seller_id = $1::text::uuid and trigger = 'API'
        and id > uuidv7(interval '-1 hour')";
    Ok(RUNS.count(u64::try_from(RUNS_TRIED)?, ground.number(sql, &grown.seller).await?))
}
