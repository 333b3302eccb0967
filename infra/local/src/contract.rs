//! Runs Schemathesis against the deployed API. It makes thousands of valid and invalid requests from the API's own document,
//! as the owner of a temporary seller and as a stranger to it. No request may cause a server error, and the document must
//! describe every response.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::api::{self, Api, Person};
use crate::checks::steps;
use crate::cli::UpOptions;
use crate::paths::Paths;
use crate::postgres;
use crate::python::Environment;
use crate::stack::{self, Running};
use crate::tools;
use crate::traces::Traces;

/// The test kit's fixture: one seller with a row in every table.
const FIXTURE: &str = include_str!("../../../shared/testkit/src/fixture.sql");
/// Statements of the fixture that are left out: the API makes these rows itself, or their ciphertext is not real.
const NOT_SEEDED: [&str; 3] = ["insert into sellers ", "insert into seller_keys ", "insert into order_pii "];

/// The phases whose requests do not depend on each other.
const EACH: &str = "examples,coverage,fuzzing";
/// Configuration and document of those phases: every id in a path exists.
const ALONE: &str = "alone";
/// Configuration and document of the phase whose requests follow from responses: only the seller's id is fixed.
const IN_SEQUENCE: &str = "in_sequence";

/// It need not be secret: the user pool exists on this machine only.
const PASSWORD: &str = "Local-demo-2026";

/// The table that holds the ids of each path parameter.
const TABLES: &[(&str, &str)] = &[
    ("accountId", "marketplace_accounts"),
    ("claimId", "claims"),
    ("documentId", "storage_objects"),
    ("exportId", "exports"),
    ("impersonationId", "impersonation_sessions"),
    ("invitationId", "invitations"),
    ("listingId", "listings"),
    ("memberId", "members"),
    ("orderId", "orders"),
    ("payoutId", "payouts"),
    ("returnId", "returns"),
    ("recordId", "quarantined_records"),
    ("runId", "sync_runs"),
    ("shipmentId", "shipments"),
];

/// Brings the stack up with the ports of `options` and tries the API.
pub async fn run(paths: &Paths, options: &UpOptions) -> anyhow::Result<()> {
    Environment::contract(paths).ensure(&tools::check()?)?;
    let stack = &stack::up(paths, options).await?;
    let database = stack.settings.database_url(postgres::DATABASE).parse()?;
    let traces = Traces::begin(&database, &stack.aws, &stack.outputs).await?;
    traces.around(try_everything(paths, stack, &traces)).await
}

async fn try_everything(paths: &Paths, stack: &Running, traces: &Traces) -> anyhow::Result<()> {
    let database = postgres::connect(&stack.settings, postgres::DATABASE).await?;
    let (owner, seller) = sign_up(stack, &database, traces, "owner").await?;
    // Sequences use a seller of their own, because the other requests leave accounts disconnected and claims closed.
    let (founder, fresh) = sign_up(stack, &database, traces, "founder").await?;
    let stranger = sign_in(stack, traces, "stranger").await?;
    let document = owner.get("/v1/openapi.json").await?;
    let ids = path_ids(&database, seller, &document).await?;
    let folder = write_configuration(paths, &document, &ids, fresh)?;
    for (who, api, name, phases, paths_with, seconds) in [
        ("the owner", &owner, ALONE, EACH, "/", 150),
        ("a stranger", &stranger, ALONE, EACH, "/", 60),
        // Members are the only things that can still be requested after their deletion. A run over all paths tries that too
        // rarely.
        ("an owner", &founder, IN_SEQUENCE, "stateful", "/members", 20),
        ("an owner", &founder, IN_SEQUENCE, "stateful", "/", 90),
    ] {
        let mut command = Command::new(Environment::contract(paths).program("schemathesis"));
        command
            .current_dir(&folder)
            .args(["--config-file", &format!("{name}.toml"), "run", &format!("{name}.json")])
            .args(["--checks", "all", "--phases", phases, "--include-path-regex", paths_with])
            .args(["--url", &stack.api_url()?, "--max-examples", "5", "--max-time", &seconds.to_string()])
            .args(["--header", &format!("Authorization: Bearer {}", api.token())]);
        let what =
            format!("schemathesis run {name}.json --phases {phases} --include-path-regex {paths_with}");
        steps::run_abortable(command, &format!("{what} --checks all    (as {who})")).await?;
    }
    Ok(())
}

/// Signs in a new person of this run. A person who signed sellers up in earlier runs would reach the limit of sellers.
async fn sign_in(stack: &Running, traces: &Traces, name: &str) -> anyhow::Result<Api> {
    let email = traces.email(name);
    let person = Person { email: &email, password: PASSWORD };
    api::sign_up(&stack.aws, &stack.outputs, person).await?;
    let token = api::sign_in(&stack.aws, &stack.outputs, person).await?;
    let token = token.with_context(|| format!("{email} cannot sign in"))?;
    traces.unbind(&api::subject(&token).context("the token names no subject")?);
    Api::new(stack.api_url()?, token)
}

/// Signs in a new person with a new seller that has the fixture's rows.
async fn sign_up(
    stack: &Running,
    database: &Client,
    traces: &Traces,
    name: &str,
) -> anyhow::Result<(Api, Uuid)> {
    let owner = sign_in(stack, traces, name).await?;
    let (_, seller) = owner.post("/v1/sellers", &json!({"name": "a seller to try things with"})).await?;
    let seller: Uuid = seller["seller_id"].as_str().context("the seller has an id")?.parse()?;
    seed(database, traces, seller).await?;
    Ok((owner, seller))
}

/// Puts the fixture's rows into a seller that signed up, and raises the seller's rate limit.
async fn seed(database: &Client, traces: &Traces, seller: Uuid) -> anyhow::Result<()> {
    let mut script = String::new();
    for statement in traces.fixture(FIXTURE).split_inclusive(";\n") {
        let code = statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        if !NOT_SEEDED.iter().any(|left_out| code.trim_start().starts_with(left_out)) {
            script.push_str(statement);
        }
    }
    for name in placeholders(&script) {
        let id = if name == ":seller" { seller } else { Uuid::now_v7() };
        script = script.replace(&name, &format!("'{id}'::uuid"));
    }
    writeln!(script, "update robnu.sellers set requests_per_window = 1000000 where seller_id = '{seller}';")?;
    // The person who signed up stays the only owner, so that no request can remove them from the seller.
    writeln!(
        script,
        "update robnu.members m set role = 'ADMIN' from robnu.people p
         where p.id = m.person_id and m.seller_id = '{seller}' and p.subject = 'OWNER@{seller}';"
    )?;
    writeln!(
        script,
        "update robnu.marketplace_accounts set lane_queue_url = null where seller_id = '{seller}';"
    )?;
    database.batch_execute(&script).await.context("seed the seller")?;
    traces.adopt(seller).await
}

/// Names that begin with a colon. The longest come first, so that no name is replaced inside another.
fn placeholders(script: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in script.match_indices(':') {
        let before = script[..at].chars().next_back();
        let name: String =
            script[at + 1..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let is_cast_or_time = before == Some(':') || before.is_some_and(|c| c.is_ascii_alphanumeric());
        if !name.is_empty() && !is_cast_or_time && !names.contains(&format!(":{name}")) {
            names.push(format!(":{name}"));
        }
    }
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names
}

/// An id of the seller's for every parameter in the document's paths.
async fn path_ids(
    database: &Client,
    seller: Uuid,
    document: &Value,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut ids = BTreeMap::from([("sellerId".to_owned(), seller.to_string())]);
    let paths = document["paths"].as_object().context("the document has paths")?;
    for (name, table) in TABLES {
        if paths.keys().any(|path| path.contains(&format!("{{{name}}}"))) {
            let sql = format!("select id::text from robnu.{table} where seller_id = $1 order by id limit 1");
            let row =
                database.query_one(&sql, &[&seller]).await.with_context(|| format!("an id of {table}"))?;
            ids.insert((*name).to_owned(), row.try_get(0)?);
        }
    }
    Ok(ids)
}

/// Writes document, hooks and configurations into a folder, which also receives the reports.
fn write_configuration(
    paths: &Paths,
    document: &Value,
    ids: &BTreeMap<String, String>,
    fresh: Uuid,
) -> anyhow::Result<std::path::PathBuf> {
    let (source, folder) = (paths.root.join("infra/local/contract"), paths.local("contract"));
    fs::create_dir_all(&folder)?;
    fs::copy(source.join("hooks.py"), folder.join("hooks.py"))?;
    let common = fs::read_to_string(source.join("schemathesis.toml"))?;
    let mut alone = format!("{common}\n[parameters]\n");
    for (name, id) in ids {
        writeln!(alone, "\"path.{name}\" = \"{id}\"")?;
    }
    let in_sequence = format!("{common}\n[parameters]\n\"path.sellerId\" = \"{fresh}\"\n");
    let members_only = without_impersonation(document.clone());
    for (name, text, document) in [(ALONE, alone, document), (IN_SEQUENCE, in_sequence, &members_only)] {
        fs::write(folder.join(format!("{name}.toml")), text)?;
        fs::write(folder.join(format!("{name}.json")), serde_json::to_vec_pretty(document)?)?;
    }
    Ok(folder)
}

/// The document without impersonation sessions: an invented session would make a whole sequence fail.
fn without_impersonation(mut document: Value) -> Value {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut()) {
        if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.retain(|parameter| parameter["name"] != "impersonation-session");
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn placeholders_are_found_but_casts_and_times_are_not() {
        let script = "values (:run, :run_two, '00:00:00', now()::timestamptz, :seller::text)";
        assert_eq!(placeholders(script), [":run_two", ":seller", ":run"]);
    }
}
