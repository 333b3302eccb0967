//! The test bed of the insider's attempts: an insider with tokens and a seller, a victim, neighbours, and connections of the
//! functions' own logins.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use robnu_tenancy::{Database, DatabaseConfig, Limits, MAX_IDLE, Password, Tls};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::openapi::Document;
use super::tenant::Tenant;
use super::tokens::{Person, Pools, Tokens};
use local::aws::{Aws, Outputs, output};
use local::digest::hexadecimal;
use local::progress::Progress;
use local::traces::Traces;

const NEIGHBOURS: usize = 3;
/// Connections of each login for raw SQL.
const CONNECTIONS: usize = 3;
/// Fewer connections than tasks, so that tasks reuse each other's connections.
const POOL: usize = 2;
const LANE_PATIENCE: Duration = Duration::from_mins(1);

/// How to reach the stack, as `cargo xtask status --json` says.
#[derive(Debug)]
pub struct Facts(pub Value);

impl Facts {
    /// A fact by its name.
    pub fn get(&self, name: &str) -> anyhow::Result<&str> {
        let fact = self.0[name].as_str();
        fact.with_context(|| {
            format!(
                "the description of the stack has no {name}; write it again with `cargo xtask status --json`"
            )
        })
    }

    /// The local AWS.
    pub fn aws(&self) -> anyhow::Result<Aws> {
        Aws::new(self.get("aws_endpoint")?.to_owned())
    }

    /// The deployed stack's outputs.
    pub fn outputs(&self) -> anyhow::Result<Outputs> {
        Ok(serde_json::from_value(self.0["outputs"].clone())?)
    }

    /// Begins a run whose traces are removed at its end.
    pub async fn traces(&self) -> anyhow::Result<Traces> {
        Traces::begin(&self.get("database_url")?.parse()?, &self.aws()?, &self.outputs()?).await
    }
}

/// Everything an attempt needs.
#[derive(Debug)]
pub struct TestBed {
    /// Base URL of the API.
    pub api_url: String,
    /// Client for the API.
    pub http: reqwest::Client,
    /// The local AWS.
    pub aws: Aws,
    /// The seller whose members attack.
    pub insider: Tenant,
    /// The seller that they must not reach.
    pub victim: Tenant,
    /// Sellers that share a pool with the insider, each with its owner's subject.
    pub neighbours: Vec<(Tenant, String)>,
    /// Tokens.
    pub tokens: Tokens,
    /// Queues: the insider's lane, the victim's lane, lane requests, and the queue of AJIO's runs that may run in parallel.
    pub queues: [String; 4],
    /// Cursors of the victim's lists.
    pub cursors: Vec<String>,
    /// An idempotency key that the victim's owner has used.
    pub foreign_key: &'static str,
    /// The API's document.
    pub document: Document,
    /// The database's catalogue.
    pub catalogue: Catalogue,
    /// A superuser's connection.
    pub superuser: Client,
    /// The pool under test.
    pub database: Database,
    api: Clients,
    adapter: Clients,
    marker: String,
    secrets: BTreeSet<String>,
}

/// The connections of one login.
#[derive(Debug)]
struct Clients {
    config: Config,
    idle: Mutex<Vec<Client>>,
    permits: Semaphore,
}

impl TestBed {
    /// Sets the test bed up.
    pub async fn set_up(facts: &Facts, traces: &Traces, progress: &Progress) -> anyhow::Result<Self> {
        let superuser = connect(&facts.get("database_url")?.parse()?).await?;
        let catalogue = Catalogue::read(&superuser).await?;
        let (aws, outputs) = (facts.aws()?, facts.outputs()?);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(40))
            .build()?;
        let api_url = facts.get("api_url")?.to_owned();

        progress.say("signing people up …");
        let pools = Pools { aws: &aws, outputs: &outputs };
        let person = |name: &str| traces.email(name);
        let tokens = Tokens {
            owner: pools.person(&person("owner")).await?,
            viewer: pools.person(&person("viewer")).await?,
            scanner: pools.person(&person("scanner")).await?,
            stale: pools.person(&person("stale")).await?,
            stranger: pools.stranger(&person("somebody-else"), &person("owner")).await?,
        };
        for person in [&tokens.owner, &tokens.viewer, &tokens.scanner, &tokens.stale] {
            traces.unbind(&person.subject);
        }
        let victims_owner = pools.person(&person("victim")).await?;
        let insider = new_seller(&http, &api_url, &tokens.owner).await?;

        progress.say("making sellers with a row in every relation …");
        let mut insider = Tenant::seed(&superuser, insider, traces).await?;
        let mut victim = Tenant::seed(&superuser, Uuid::now_v7(), traces).await?;
        for (role, person) in
            [("VIEWER", &tokens.viewer), ("SCANNER", &tokens.scanner), ("ADMIN", &tokens.stale)]
        {
            become_member(&superuser, &insider, role, person).await?;
        }
        become_member(&superuser, &victim, "OWNER", &victims_owner).await?;
        let mut neighbours = Vec::new();
        for _ in 0..NEIGHBOURS {
            let mut tenant = Tenant::seed(&superuser, Uuid::now_v7(), traces).await?;
            tenant.look(&superuser, &catalogue).await?;
            let subject = format!("OWNER@{}", tenant.seller);
            neighbours.push((tenant, subject));
        }
        insider.forget_secrets(&superuser, &catalogue).await?;
        victim.double(&superuser, &catalogue).await?;
        // The marker is unique in this database, short enough for every column and not part of any word.
        let marker = format!("zq{}", &traces.run()[20..]);
        let columns = victim.mark(&superuser, &catalogue, &marker, traces).await?;
        progress.say(format_args!("the victim's marker {marker} is in {columns} columns"));

        let document = http.get(format!("{api_url}/v1/openapi.json")).bearer_auth(&tokens.owner.identity);
        let document: Value =
            document.send().await?.error_for_status().context("read the API's document")?.json().await?;
        let document = Document::parse(document)?;
        progress.say("opening lanes …");
        let requests = output(&outputs, "LaneRequestsQueueUrl")?.to_owned();
        let queues = [
            open_lane(&aws, &superuser, &requests, &insider).await?,
            open_lane(&aws, &superuser, &requests, &victim).await?,
            requests,
            output(&outputs, "AjioParallelQueueUrl")?.to_owned(),
        ];
        open_sinks(&aws, &superuser, &insider, &queues[0]).await?;
        let cursors = cursors(&http, &api_url, &document, &victim, &victims_owner).await;
        progress.say(format_args!(
            "{} operations in the document, {} cursors of the victim's lists",
            document.operations.len(),
            cursors.len()
        ));
        insider.look(&superuser, &catalogue).await?;
        keep_own_people_out(&superuser, &mut insider, &tokens).await?;
        victim.look(&superuser, &catalogue).await?;
        // This person was a member until now and has a token that is valid for an hour.
        dismiss(&superuser, &insider, &tokens.stale).await?;
        superuser.batch_execute("analyze").await?;

        // The insider may see the neighbours' ids as little as the victim's.
        let mut secrets = victim.all_ids();
        secrets.extend(neighbours.iter().flat_map(|(tenant, _)| tenant.all_ids()));
        let logins = Logins { aws: &aws, url: facts.get("database_url")? };
        let (api, adapter) = (logins.config("robnu_api").await?, logins.config("robnu_adapter").await?);
        let database = Database::new(&scoped(&api.0, &api.1)?).await?;
        Ok(Self {
            api_url,
            http,
            aws,
            insider,
            victim,
            neighbours,
            tokens,
            queues,
            cursors,
            foreign_key: "key",
            document,
            catalogue,
            superuser,
            database,
            api: Clients::new(api.0),
            adapter: Clients::new(adapter.0),
            marker,
            secrets,
        })
    }

    /// The victim's marker, or an id of the victim or a neighbour, that is in a text and was not part of the request.
    pub fn leak(&self, text: &str, sent: &str) -> Option<String> {
        let hex = hexadecimal(self.marker.as_bytes());
        if text.contains(&self.marker) || text.contains(&hex) {
            let at = text.find(&self.marker).unwrap_or_default();
            return Some(format!("text {:?}", text[at..].chars().take(60).collect::<String>()));
        }
        let id = self.secrets.iter().find(|id| text.contains(id.as_str()) && !sent.contains(id.as_str()))?;
        Some(format!("id {id}"))
    }

    /// Runs `work` on a connection of the API's or the adapter's login.
    pub async fn with_login<T>(
        &self,
        adapter: bool,
        work: impl AsyncFnOnce(&Client) -> T,
    ) -> anyhow::Result<T> {
        let clients = if adapter { &self.adapter } else { &self.api };
        let _permit = clients.permits.acquire().await?;
        let idle = clients.idle.lock().await.pop().filter(|client| !client.is_closed());
        let client = match idle {
            Some(client) => client,
            None => connect(&clients.config).await?,
        };
        let answer = work(&client).await;
        clients.idle.lock().await.push(client);
        Ok(answer)
    }

    /// Restores what an attempt may have taken from the insider.
    pub async fn rearm(&self) -> anyhow::Result<()> {
        let seller = &self.insider.seller;
        let sql = format!(
            "begin; set local session_replication_role = replica;
             update robnu.sellers set suspended_at = null, suspension_reason = null, requests_per_window = 1000000000
               where seller_id = '{seller}';
             insert into robnu.members (seller_id, person_id, role)
               select '{seller}', id, 'OWNER' from robnu.people where subject = '{}'
               on conflict (seller_id, person_id) do update set role = 'OWNER'; commit",
            self.tokens.owner.subject
        );
        self.superuser.batch_execute(&sql).await.context("give the insider its rights back")
    }
}

impl Clients {
    fn new(config: Config) -> Self {
        Self { config, idle: Mutex::default(), permits: Semaphore::new(CONNECTIONS) }
    }
}

/// Connects and drives the connection in a task of its own.
pub async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connect to PostgreSQL")?;
    // The client reports a broken connection itself.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

async fn new_seller(http: &reqwest::Client, api_url: &str, owner: &Person) -> anyhow::Result<Uuid> {
    let request = http.post(format!("{api_url}/v1/sellers")).bearer_auth(&owner.identity);
    let answer = request.json(&json!({"name": "the insider"})).send().await?;
    let seller: Value = answer.error_for_status().context("sign the insider's seller up")?.json().await?;
    Ok(seller["seller_id"].as_str().context("read the id of the insider's seller")?.parse()?)
}

/// Puts a person in the place of the fixture's member with this role.
async fn become_member(
    superuser: &Client,
    tenant: &Tenant,
    role: &str,
    person: &Person,
) -> anyhow::Result<()> {
    let sql = "update robnu.people set subject = $1 where subject = $2";
    let changed = superuser.execute(sql, &[&person.subject, &format!("{role}@{}", tenant.seller)]).await?;
    if changed == 1 { Ok(()) } else { Err(anyhow!("the fixture has no member {role}")) }
}

/// Takes the insider's own people and account out of the ids to try, so that no attempt ends the membership it needs.
async fn keep_own_people_out(
    superuser: &Client,
    insider: &mut Tenant,
    tokens: &Tokens,
) -> anyhow::Result<()> {
    let subjects = [&tokens.owner, &tokens.viewer, &tokens.scanner].map(|person| person.subject.as_str());
    let sql = "select m.id::text, p.id::text from robnu.members m join robnu.people p on p.id = m.person_id
        where p.subject = any ($1)";
    for row in superuser.query(sql, &[&subjects.as_slice()]).await? {
        let own: [String; 2] = [row.get(0), row.get(1)];
        insider.ids.values_mut().for_each(|ids| ids.retain(|id| !own.contains(id)));
    }
    let account = insider.account.clone();
    if let Some(accounts) = insider.ids.get_mut("marketplace_accounts") {
        accounts.retain(|id| *id != account);
    }
    Ok(())
}

async fn dismiss(superuser: &Client, tenant: &Tenant, person: &Person) -> anyhow::Result<()> {
    let sql = "delete from robnu.members where seller_id = $1::text::uuid
        and person_id in (select id from robnu.people where subject = $2)";
    superuser.execute(sql, &[&tenant.seller, &person.subject]).await?;
    Ok(())
}

/// Gives an account of the fixture a real lane. Returns the URL of its queue.
async fn open_lane(aws: &Aws, superuser: &Client, requests: &str, tenant: &Tenant) -> anyhow::Result<String> {
    let sql = "update robnu.marketplace_accounts
        set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null where id = $1::text::uuid";
    superuser.execute(sql, &[&tenant.account]).await?;
    let request =
        json!({"version": "1", "seller_id": tenant.seller, "account_id": tenant.account}).to_string();
    let message = json!({"QueueUrl": requests, "MessageBody": request});
    aws.json("sqs", "AmazonSQS.SendMessage", &message).await?;
    let sql = "select lane_queue_url from robnu.marketplace_accounts
        where id = $1::text::uuid and lane_state = 'ACTIVE'";
    let since = Instant::now();
    while since.elapsed() < LANE_PATIENCE {
        if let Some(row) = superuser.query_opt(sql, &[&tenant.account]).await? {
            return Ok(row.get(0));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(anyhow!(
        "the lane of {} is not active after {} s; read `cargo xtask logs lanes`",
        tenant.account,
        LANE_PATIENCE.as_secs()
    ))
}

/// Makes queues that nobody reads for the fixture's other accounts, whose queues do not exist.
async fn open_sinks(aws: &Aws, superuser: &Client, tenant: &Tenant, lane: &str) -> anyhow::Result<()> {
    let (_, name) = lane.rsplit_once('/').context("find the name of a lane's queue")?;
    let sql =
        "select id::text from robnu.marketplace_accounts where seller_id = $1::text::uuid and id::text <> $2";
    for row in superuser.query(sql, &[&tenant.seller, &tenant.account]).await? {
        let account: String = row.get(0);
        let name = name.replace(&tenant.account.replace('-', ""), &account.replace('-', ""));
        let body = json!({"QueueName": name, "Attributes": {"FifoQueue": "true"}});
        let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &body).await?;
        let sql = "update robnu.marketplace_accounts set lane_queue_url = $1 where id = $2::text::uuid";
        superuser.execute(sql, &[&queue["QueueUrl"].as_str(), &account]).await?;
    }
    Ok(())
}

/// The cursors that the victim's own lists return.
async fn cursors(
    http: &reqwest::Client,
    api_url: &str,
    document: &Document,
    victim: &Tenant,
    owner: &Person,
) -> Vec<String> {
    let mut cursors = Vec::new();
    for operation in &document.operations {
        let has_cursor = operation.parameters.iter().any(|parameter| parameter.name == "cursor");
        if operation.method != "GET" || !has_cursor || operation.path.matches('{').count() != 1 {
            continue;
        }
        let path = operation.path.replace("{sellerId}", &victim.seller);
        let request = http.get(format!("{api_url}{path}?limit=1")).bearer_auth(&owner.identity);
        let Ok(answer) = request.send().await else { continue };
        let answer: Value = answer.json().await.unwrap_or_default();
        let found = answer.as_object().into_iter().flatten().filter(|(name, _)| name.contains("cursor"));
        cursors.extend(found.filter_map(|(_, cursor)| cursor.as_str()).map(ToOwned::to_owned));
    }
    cursors
}

/// The functions' own logins.
struct Logins<'a> {
    aws: &'a Aws,
    url: &'a str,
}

impl Logins<'_> {
    /// The configuration of a login, and its password.
    async fn config(&self, role: &str) -> anyhow::Result<(Config, String)> {
        let secrets = self
            .aws
            .json("secretsmanager", "secretsmanager.ListSecrets", &json!({"MaxResults": 100}))
            .await?;
        for secret in secrets["SecretList"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let id = json!({"SecretId": secret["ARN"]});
            let value = self.aws.json("secretsmanager", "secretsmanager.GetSecretValue", &id).await?;
            let login: Value =
                serde_json::from_str(value["SecretString"].as_str().unwrap_or_default()).unwrap_or_default();
            if login["username"] == role {
                let password = login["password"].as_str().context("read a login's password")?.to_owned();
                let mut config: Config = self.url.parse()?;
                config.user(role).password(&password);
                return Ok((config, password));
            }
        }
        Err(anyhow!("the stack has no secret of the login {role}; deploy it again with `cargo xtask up`"))
    }
}

fn scoped(config: &Config, password: &str) -> anyhow::Result<DatabaseConfig> {
    Ok(DatabaseConfig {
        host: "127.0.0.1".to_owned(),
        port: *config.get_ports().first().context("find the database's port")?,
        name: config.get_dbname().context("find the database's name")?.to_owned(),
        user: config.get_user().context("find the login")?.to_owned(),
        password: Some(Password::new(password.to_owned())),
        tls: Tls::Off,
        pool_size: POOL,
        connect_timeout: Duration::from_secs(20),
        max_idle: MAX_IDLE,
        limits: config.get_user().map(Limits::of_login),
    })
}
