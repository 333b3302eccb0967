//! `status` and `db`: what runs and how to reach it. The end-to-end tests read the JSON form.

use serde::Serialize;

use crate::api::{self, Api};
use crate::aws::{Aws, Outputs, REGION};
use crate::cli::StatusOptions;
use crate::demo::PEOPLE;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::settings::Settings;
use crate::terminal::print;
use crate::{cloud, deploy, postgres, processes, simulator, stack, table};

/// How to reach a running stack.
#[derive(Debug, Serialize)]
pub struct Description {
    /// Base URL of the API; paths begin with `/v1`.
    pub api_url: String,
    /// The local AWS. It accepts any credentials.
    pub aws_endpoint: String,
    /// Its region.
    pub aws_region: &'static str,
    /// A superuser's URL of the migrated database.
    pub database_url: String,
    /// A superuser's URL for tests, which make their own databases.
    pub test_database_url: String,
    /// The simulators; their controls are under `/_control`.
    pub simulators_url: String,
    /// Base URL of AJIO as the adapter uses it.
    pub ajio_url: String,
    /// Base URL of Amazon as the adapter uses it.
    pub amazon_url: String,
    /// The deployed stack.
    pub stack_name: String,
    /// Its outputs.
    pub outputs: Outputs,
    /// The demo's sellers, each with a token of its owner.
    pub sellers: Vec<SellerAccess>,
}

/// One seller and a token for it.
#[derive(Debug, Serialize)]
pub struct SellerAccess {
    /// The seller.
    pub seller_id: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub email: String,
    /// The owner's identity token, valid for an hour.
    pub token: String,
}

/// Prints the status.
pub async fn show(paths: &Paths, options: &StatusOptions) -> anyhow::Result<()> {
    if options.json {
        let description = describe(paths).await?;
        return print(&serde_json::to_string_pretty(&description)?);
    }
    let Some(settings) = Settings::load(paths)? else {
        return Err(not_running("nothing was ever started here"));
    };
    let aws = Aws::new(settings.aws_endpoint())?;
    let database = postgres::connect(&settings, "postgres").await.is_ok();
    let deployed =
        if aws.is_healthy().await { aws.stack(&deploy::stage(paths)?.stack_name).await? } else { None };
    let process = |name: &str| match processes::running(paths, name) {
        Some(note) => format!("running, process {}", note.pid),
        None => "not running".to_owned(),
    };
    let row = |part: &str, state: String, place: String| vec![part.to_owned(), state, place];
    let rows = [
        row(
            "PostgreSQL",
            if database { "running" } else { "not running" }.to_owned(),
            format!("127.0.0.1:{}", settings.postgres_port),
        ),
        row("local AWS", process(cloud::NAME), settings.aws_endpoint()),
        row("simulators", process(simulator::NAME), settings.simulators_url()),
        match &deployed {
            Some(state) => row("stack", state.status.clone(), stack::api_url(&settings, &state.outputs)?),
            None => row("stack", "not deployed".to_owned(), String::new()),
        },
    ];
    print(&table::render(&["part", "state", "where"], &rows, &[]))?;
    if database && deployed.as_ref().is_some_and(deploy::is_alive) {
        return Ok(());
    }
    Err(not_running("the stack is not up"))
}

/// Prints the database's URL.
pub async fn database(paths: &Paths) -> anyhow::Result<()> {
    let settings = Settings::load(paths)?.ok_or_else(|| not_running("nothing was ever started here"))?;
    postgres::connect(&settings, postgres::DATABASE).await?;
    print(&settings.database_url(postgres::DATABASE))
}

/// Describes how to reach the running stack.
pub async fn describe(paths: &Paths) -> anyhow::Result<Description> {
    let settings = Settings::load(paths)?.ok_or_else(|| not_running("nothing was ever started here"))?;
    postgres::connect(&settings, postgres::DATABASE).await?;
    let aws = Aws::new(settings.aws_endpoint())?;
    if !aws.is_healthy().await {
        return Err(not_running(&format!("the local AWS does not respond at {}", settings.aws_endpoint())));
    }
    let stage = deploy::stage(paths)?;
    let deployed = aws.stack(&stage.stack_name).await?.filter(deploy::is_alive);
    let deployed =
        deployed.ok_or_else(|| not_running(&format!("the stack {} is not deployed", stage.stack_name)))?;
    let api_url = stack::api_url(&settings, &deployed.outputs)?;
    let sellers = sellers(&aws, &deployed.outputs, &api_url).await?;
    Ok(Description {
        api_url,
        aws_endpoint: settings.aws_endpoint(),
        aws_region: REGION,
        database_url: settings.database_url(postgres::DATABASE),
        test_database_url: settings.database_url("postgres"),
        simulators_url: settings.simulators_url(),
        ajio_url: settings.ajio_url(),
        amazon_url: settings.amazon_url(),
        stack_name: stage.stack_name,
        outputs: deployed.outputs,
        sellers,
    })
}

/// The demo's sellers as their owners see them; empty before the first demo.
async fn sellers(aws: &Aws, outputs: &Outputs, api_url: &str) -> anyhow::Result<Vec<SellerAccess>> {
    let mut found = Vec::new();
    for person in PEOPLE {
        let Some(token) = api::sign_in(aws, outputs, person).await? else { continue };
        let api = Api::new(api_url.to_owned(), token)?;
        let me = api.get("/v1/me").await?;
        for seller in me["sellers"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let text = |name: &str| seller[name].as_str().unwrap_or_default().to_owned();
            if seller["role"] == "OWNER" {
                found.push(SellerAccess {
                    seller_id: text("seller_id"),
                    name: text("name"),
                    email: person.email.to_owned(),
                    token: api.token().to_owned(),
                });
            }
        }
    }
    Ok(found)
}

fn not_running(what: &str) -> anyhow::Error {
    Failure::new(Exit::NotRunning, what, "start the stack with `cargo xtask up`").into()
}
