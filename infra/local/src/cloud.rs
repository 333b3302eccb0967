//! The local AWS: one process on one loopback port that keeps its state between runs. It starts with a clean environment,
//! because functions run as its children and inherit it.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::aws::{Aws, REGION};
use crate::digest::digest;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::ports;
use crate::processes::{self, Note, Service};
use crate::python::{Environment, tail};
use crate::settings::Settings;

/// Name of the process's note and log.
pub const NAME: &str = "cloud";
const START: &str = include_str!("cloud.py");
const PATIENCE: Duration = Duration::from_mins(1);

/// Fails early when its port is taken.
pub fn require_port(paths: &Paths, settings: &Settings) -> anyhow::Result<()> {
    if processes::running(paths, NAME).is_none() {
        ports::require_free(settings.aws_port, "the local AWS", "--aws-port")?;
    }
    Ok(())
}

/// Starts it unless it runs already, and returns what it did in words.
pub async fn ensure(paths: &Paths, settings: &Settings, aws: &Aws) -> anyhow::Result<String> {
    let environment = Environment::cloud(paths);
    let service = describe(paths, settings, &environment)?;
    let outcome = match processes::running(paths, NAME) {
        Some(note) if processes::is_current(&note, &service) => {
            wait(paths, &note, aws).await?;
            "running already"
        }
        found => {
            let restarted = found.is_some();
            processes::stop(paths, NAME)?;
            ports::require_free(settings.aws_port, "the local AWS", "--aws-port")?;
            let note = processes::start(paths, &environment.program("python"), &service)?;
            wait(paths, &note, aws).await?;
            if restarted { "restarted, because its settings changed" } else { "started" }
        }
    };
    Ok(format!("{outcome} on 127.0.0.1:{}", settings.aws_port))
}

fn describe<'a>(
    paths: &Paths,
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<Service<'a>> {
    let home = paths.local("cloud");
    let folder = |name: &str| -> anyhow::Result<String> {
        let folder = home.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(folder.display().to_string())
    };
    let variables = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("HOME", home.display().to_string()),
        // Unpacked functions go here.
        ("TMPDIR", folder("tmp")?),
        ("GATEWAY_PORT", settings.aws_port.to_string()),
        ("BIND_HOST", "127.0.0.1".to_owned()),
        ("MINISTACK_HOST", "127.0.0.1".to_owned()),
        ("MINISTACK_REGION", REGION.to_owned()),
        // Without this, the functions' SDK would call the real AWS.
        ("AWS_ENDPOINT_URL", settings.aws_endpoint()),
        // With IAM on, a permission that a function's role lacks fails here, not on the first day in production.
        ("AUTH", "true".to_owned()),
        ("PERSIST_STATE", "1".to_owned()),
        ("STATE_DIR", folder("state")?),
        ("S3_PERSIST", "1".to_owned()),
        ("S3_DATA_DIR", folder("s3")?),
        // Nothing here uses these services, and each would listen on a port of its own.
        ("IOT_MTLS_ENABLED", "0".to_owned()),
        ("SFTP_ENABLED", "0".to_owned()),
    ];
    let python = environment.program("python").display().to_string();
    let pins = fs::read(paths.root.join("infra/local/requirements/cloud.txt")).unwrap_or_default();
    Ok(Service {
        name: NAME,
        command: vec![python, "-c".to_owned(), START.to_owned()],
        version: digest([pins.as_slice(), format!("{variables:?}").as_bytes()]),
        environment: variables
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    })
}

async fn wait(paths: &Paths, note: &Note, aws: &Aws) -> anyhow::Result<()> {
    let since = Instant::now();
    while !aws.is_healthy().await {
        let log = paths.log(NAME);
        if !processes::alive(note) || since.elapsed() > PATIENCE {
            return Err(Failure::new(
                Exit::NotRunning,
                format!("the local AWS did not come up:\n{}", tail(&log, 8)),
                format!(
                    "read {}; `cargo xtask down --purge` removes its data for a fresh start",
                    log.display()
                ),
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
