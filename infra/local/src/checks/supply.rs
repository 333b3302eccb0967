//! The supply chain: licences, sources and bans of all dependencies, and known vulnerabilities where their list can be reached.

use std::net::{TcpStream, ToSocketAddrs};
use std::process::Command;
use std::time::Duration;

use super::steps::{cargo, run};
use crate::paths::Paths;

/// The version that is installed into the folder for local state.
const VERSION: &str = "0.20.2";
/// Where the list of vulnerabilities is fetched from.
const ADVISORIES: &str = "github.com:443";
const PATIENCE: Duration = Duration::from_secs(3);

/// Installs cargo-deny where it is missing, and runs it.
pub fn check(paths: &Paths) -> anyhow::Result<()> {
    let tools = paths.local("tools");
    let program = tools.join("bin/cargo-deny");
    let installed = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(VERSION));
    if !installed {
        let root = tools.display().to_string();
        let arguments =
            ["install", "cargo-deny", "--version", VERSION, "--locked", "--force", "--root", &root];
        cargo(paths, &arguments, &[])?;
    }
    let mut checks = vec!["bans", "licenses", "sources"];
    if advisories_can_be_fetched() {
        checks.push("advisories");
    } else {
        eprintln!("{ADVISORIES} cannot be reached: known vulnerabilities are not checked here");
    }
    let mut command = Command::new(program);
    command.args(["--workspace", "check", "--hide-inclusion-graph"]).args(&checks).current_dir(&paths.root);
    run(&mut command, &format!("cargo deny --workspace check {}", checks.join(" ")))
}

fn advisories_can_be_fetched() -> bool {
    let Ok(mut addresses) = ADVISORIES.to_socket_addrs() else { return false };
    addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}
