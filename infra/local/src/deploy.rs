//! Deploys the real template with `sam deploy`, unless the same template, code and parameters are deployed already.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::json;
use simulators::OAuthApp;

use crate::aws::{Aws, Outputs, REGION, StackState};
use crate::cors;
use crate::digest::digest;
use crate::failure::{Exit, Failure};
use crate::functions::{self, FUNCTIONS};
use crate::paths::Paths;
use crate::postgres;
use crate::python::{Environment, tail};
use crate::release;
use crate::settings::Settings;
use crate::template::{self, LocalStage};

const MASTER_SECRET: &str = "robnu/local/database/master";
const APPS_SECRET: &str = "robnu/local/oauth-apps";

/// Reads the local stage of samconfig.toml.
pub fn stage(paths: &Paths) -> anyhow::Result<LocalStage> {
    LocalStage::read(&paths.root.join("samconfig.toml"))
}

/// Whether the stack works.
#[must_use]
pub fn is_alive(state: &StackState) -> bool {
    matches!(state.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE")
}

/// Deploys. Returns what it did in words, and the stack's outputs.
pub async fn ensure(paths: &Paths, settings: &Settings, aws: &Aws) -> anyhow::Result<(String, Outputs)> {
    let stage = stage(paths)?;
    let before = working_stack(settings, aws, &stage.stack_name).await?;
    // Users, keys and sellers belong together, so a new local AWS begins with a new database.
    postgres::ensure_database(settings, before.is_none()).await?;

    let master = json!({"username": postgres::MASTER, "password": settings.master_password});
    let master_secret = aws.put_secret(MASTER_SECRET, &master).await?;
    let apps_secret = aws.put_secret(APPS_SECRET, &simulated_apps()).await?;
    let parameters = stage.overrides(&parameters(settings, master_secret, apps_secret))?;
    let template = write_template(paths)?;
    let wanted = wanted(paths, &template, &parameters)?;
    let marker = paths.local("deployed");
    // The marker includes the time of the last deploy: a local AWS that was killed may come back in an older state.
    let describe = |deployed: &StackState| format!("{wanted} {}", deployed.changed);
    if let Some(deployed) = &before
        && fs::read_to_string(&marker).is_ok_and(|known| known == describe(deployed))
    {
        // A local AWS that was killed may come back with CloudFormation's spelling.
        cors::respell(aws, &deployed.outputs).await?;
        return Ok((format!("stack {} unchanged", stage.stack_name), deployed.outputs.clone()));
    }
    let _ = fs::remove_file(&marker);
    aws.ensure_bucket(&stage.bucket).await?;
    sam_deploy(paths, settings, &stage.stack_name, &template, &parameters)?;
    let deployed = aws.stack(&stage.stack_name).await?;
    let deployed = deployed.with_context(|| {
        format!("the stack {} is gone right after its deploy; run `cargo xtask up` again", stage.stack_name)
    })?;
    cors::respell(aws, &deployed.outputs).await?;
    fs::write(&marker, describe(&deployed)).with_context(|| format!("write {}", marker.display()))?;
    let outcome = if before.is_some() { "updated" } else { "created" };
    Ok((format!("stack {} {outcome}", stage.stack_name), deployed.outputs))
}

/// The stack, if it works and has its database. Deletes a stack that does not.
async fn working_stack(settings: &Settings, aws: &Aws, name: &str) -> anyhow::Result<Option<StackState>> {
    let Some(found) = aws.stack(name).await? else { return Ok(None) };
    if is_alive(&found) && postgres::database_exists(settings).await? {
        return Ok(Some(found));
    }
    aws.delete_stack(name).await?;
    Ok(None)
}

/// The template's parameters that depend on this machine's stack.
fn parameters(
    settings: &Settings,
    master_secret: String,
    apps_secret: String,
) -> Vec<(&'static str, String)> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let amazon = settings.amazon_url();
    vec![
        ("Architecture", architecture.to_owned()),
        ("DatabasePort", settings.postgres_port.to_string()),
        ("DatabaseMasterSecretArn", master_secret),
        ("AjioBaseUrl", settings.ajio_url()),
        ("AmazonInAuthUrl", format!("{amazon}/auth/o2/token")),
        ("AmazonInConsentUrl", amazon.clone()),
        ("AmazonInBaseUrl", amazon),
        ("FlipkartBaseUrl", settings.flipkart_url()),
        ("MeeshoBaseUrl", settings.meesho_url()),
        ("OAuthAppsSecretArn", apps_secret),
    ]
}

/// The simulators' sample application, registered as the platform's own at each marketplace with a consent page.
fn simulated_apps() -> serde_json::Value {
    let app = OAuthApp::sample();
    let app = json!({
        "application_id": app.application_id, "client_id": app.client_id, "client_secret": app.client_secret,
    });
    json!({"AMAZON_IN": app, "FLIPKART": app})
}

fn write_template(paths: &Paths) -> anyhow::Result<String> {
    let source = fs::read_to_string(paths.root.join("template.yaml")).context("read template.yaml")?;
    let built = template::built(&source, |name| functions::archive(paths, name))?;
    let file = paths.local("build/template.yaml");
    fs::write(&file, &built).with_context(|| format!("write {}", file.display()))?;
    Ok(built)
}

/// A digest of everything that is deployed.
fn wanted(paths: &Paths, template: &str, parameters: &[String]) -> anyhow::Result<String> {
    let mut parts = vec![template.as_bytes().to_vec(), parameters.join("\n").into_bytes()];
    for name in FUNCTIONS {
        let file = functions::archive(paths, name);
        parts.push(fs::read(&file).with_context(|| format!("read {}", file.display()))?);
    }
    Ok(digest(parts.iter().map(Vec::as_slice)))
}

fn sam_deploy(
    paths: &Paths,
    settings: &Settings,
    stack: &str,
    template: &str,
    parameters: &[String],
) -> anyhow::Result<()> {
    let log = paths.log("deploy");
    let place = release::place(stack, template, parameters);
    let output = fs::File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let status = sam(paths)
        .args(["deploy", "--config-env", "local", "--no-progressbar", "--config-file"])
        .arg(paths.root.join("samconfig.toml"))
        .arg("--template-file")
        .arg(paths.local("build/template.yaml"))
        .args(["--s3-prefix", &place, "--parameter-overrides"])
        .args(parameters)
        .env("AWS_ENDPOINT_URL", settings.aws_endpoint())
        .env("SAM_CLI_POLL_DELAY", "0.5")
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("run sam deploy")?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::BuildFailed,
        format!("the deploy failed:\n{}", failures(&log)),
        format!(
            "read {}; `cargo xtask logs migrate` shows the migrate function's log, `cargo xtask down --purge` removes all data",
            paths.shown(&log)
        ),
    )
    .into())
}

/// The lines of a deploy's log that say what failed, or the log's end when there are none.
fn failures(log: &std::path::Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let mut lines = text.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.contains("_FAILED ") {
            found.push(format!("    {}", line.trim_end()));
            // The reason continues on the next lines, indented.
            found.extend(
                lines
                    .by_ref()
                    .take_while(|line| line.starts_with("   "))
                    .map(|line| format!("    {}", line.trim_end())),
            );
        }
    }
    if found.is_empty() { tail(log, 8) } else { found.join("\n") }
}

/// SAM CLI with invalid credentials, without telemetry and without the user's own AWS configuration.
#[must_use]
pub fn sam(paths: &Paths) -> Command {
    let mut command = Command::new(Environment::sam(paths).program("sam"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", paths.local("sam"))
        .env("__SAM_CLI_APP_DIR", paths.local("sam"))
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "200")
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(&paths.root)
        .stdin(Stdio::null());
    command
}
