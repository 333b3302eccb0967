//! Checks of dependencies: licences, sources, bans and unused ones; also known vulnerabilities, where their list can be
//! reached.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::steps::{cargo, run};
use crate::paths::Paths;

/// A program that cargo installs into the folder for local state.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Additional flags of `cargo install`.
    flags: &'static [&'static str],
}

// Both are built without optimization: they run for seconds, while the optimizer would take minutes.
const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", flags: &["--debug"] };
const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2", flags: &["--debug"] };

/// Where the list of vulnerabilities is fetched from.
const ADVISORIES: &str = "github.com:443";
const PATIENCE: Duration = Duration::from_secs(3);

/// Installs the program unless this version is there already, and returns its path.
fn installed(paths: &Paths, tool: &Tool) -> anyhow::Result<PathBuf> {
    let tools = paths.local("tools");
    let program = tools.join("bin").join(tool.name);
    let is_there = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(tool.version));
    if !is_there {
        let root = tools.display().to_string();
        let mut arguments =
            vec!["install", tool.name, "--version", tool.version, "--locked", "--force", "--root", &root];
        arguments.extend(tool.flags);
        cargo(paths, &arguments, &[])?;
    }
    Ok(program)
}

/// Installs the programs that are not there.
pub fn install(paths: &Paths) -> anyhow::Result<()> {
    installed(paths, &DENY)?;
    installed(paths, &MACHETE).map(drop)
}

/// Finds dependencies that a Cargo.toml names and no source file uses.
pub fn unused(paths: &Paths) -> anyhow::Result<()> {
    let mut command = Command::new(installed(paths, &MACHETE)?);
    command.args(["--skip-target-dir", "."]).current_dir(&paths.root);
    run(&mut command, "cargo machete --skip-target-dir .")
}

/// Runs cargo-deny.
pub fn check(paths: &Paths) -> anyhow::Result<()> {
    let program = installed(paths, &DENY)?;
    let mut checks = vec!["bans", "licenses", "sources"];
    if advisories_can_be_fetched() {
        checks.push("advisories");
    } else {
        eprintln!(
            "{ADVISORIES} cannot be reached, so known vulnerabilities are not checked; run this again online"
        );
    }
    let mut command = Command::new(program);
    command.args(["--workspace", "check", "--hide-inclusion-graph"]).args(&checks).current_dir(&paths.root);
    run(&mut command, &format!("cargo deny --workspace check {}", checks.join(" ")))
}

fn advisories_can_be_fetched() -> bool {
    let Ok(mut addresses) = ADVISORIES.to_socket_addrs() else { return false };
    addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}
