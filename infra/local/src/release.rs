//! `deploy`: builds a release and deploys it to a stage on AWS.
//!
//! An adapter's alias keeps the settings of its published version, and SAM publishes a version when the place of the code changes, not
//! when a parameter or the template does. So the place is named after both.

use std::fs;
use std::process::Command;

use anyhow::Context;
use toml::Table;

use crate::checks::steps;
use crate::cli::DeployOptions;
use crate::digest::digest;
use crate::paths::Paths;
use crate::python::Environment;
use crate::tools;

/// Where a deploy puts the functions' code: another place for every template and every set of parameters.
#[must_use]
pub fn place(stack: &str, template: &str, parameters: &[String]) -> String {
    let parameters = parameters.join("\n");
    format!("{stack}-{}", &digest([template.as_bytes(), parameters.as_bytes()])[..12])
}

/// Builds and deploys a stage with the AWS credentials of the environment.
pub fn deploy(paths: &Paths, options: &DeployOptions) -> anyhow::Result<()> {
    Environment::sam(paths).ensure(&tools::check()?)?;
    let read = |name: &str| fs::read_to_string(paths.root.join(name)).with_context(|| format!("read {name}"));
    let stage = options.stage.as_str();
    let (stack, mut parameters) = settings(&read("samconfig.toml")?, stage)
        .with_context(|| format!("read the stage {stage} in samconfig.toml"))?;
    let stated = parameters.clone();
    // Arguments may set parameters too.
    parameters.extend(options.arguments.iter().cloned());
    let place = place(&stack, &read("template.yaml")?, &parameters);
    let sam = || {
        let mut command = Command::new(Environment::sam(paths).program("sam"));
        command.current_dir(&paths.root).env("SAM_CLI_TELEMETRY", "0");
        command
    };
    // The processor for which the code is built is one of the parameters.
    let mut build = sam();
    build.args(["build", "--config-env", stage, "--parameter-overrides"]).args(&stated);
    steps::run(&mut build, &format!("sam build --config-env {stage} --parameter-overrides …"))?;
    let shown = format!("sam deploy --config-env {stage} --s3-prefix {place}");
    steps::run_asking(
        sam().args(["deploy", "--config-env", stage, "--s3-prefix", &place]).args(&options.arguments),
        &shown,
    )
}

/// The name of a stage's stack, and its parameters.
fn settings(samconfig: &str, stage: &str) -> anyhow::Result<(String, Vec<String>)> {
    let file: Table = samconfig.parse()?;
    let deploy =
        file.get(stage).and_then(|stage| stage.get("deploy")).and_then(|deploy| deploy.get("parameters"));
    let deploy = deploy.context("add its section deploy.parameters")?;
    let stack = deploy.get("stack_name").and_then(|name| name.as_str()).context("add stack_name")?;
    let parameters = deploy.get("parameter_overrides").and_then(|list| list.as_array());
    let texts = parameters.context("add parameter_overrides")?.iter();
    let texts = texts.map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    Ok((stack.to_owned(), texts.context("write each of parameter_overrides as a text")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_for_aws_names_its_stack_and_leaves_the_place_to_the_deploy() {
        let samconfig = include_str!("../../../samconfig.toml");
        for stage in ["staging", "prod"] {
            let (stack, parameters) = settings(samconfig, stage).unwrap();
            assert_eq!(stack, format!("robnu-{stage}"));
            assert!(parameters.contains(&format!("Stage={stage}")), "{parameters:?}");
        }
        assert!(!samconfig.contains("s3_prefix"), "an option of the command replaces it");
        assert!(settings(samconfig, "nowhere").is_err());
    }
}
