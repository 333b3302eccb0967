//! The tools that a machine must have: Rust, a C linker and Python 3. The commands install everything else.

use std::process::Command;

use crate::failure::{Exit, Failure};

/// Prints Python's version. Fails if a module is missing that virtual environments need.
const PROBE: &str = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
/// The oldest Python that the pinned packages run on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// Finds cargo, a linker and a Python that can make virtual environments. Returns Python's name.
pub fn check() -> Result<String, Failure> {
    if cargo().arg("--version").output().is_err() {
        return Err(missing(
            "cargo is not on the PATH",
            "install Rust from https://rustup.rs and open a new shell",
        ));
    }
    // Without a linker, cargo fails only after minutes and with a message that is hard to understand.
    if Command::new("cc").arg("--version").output().is_err() {
        return Err(missing(
            "cc is not on the PATH: Rust needs it to link programs",
            "install a C compiler (Debian, Ubuntu: `apt install build-essential`; macOS: `xcode-select --install`)",
        ));
    }
    python()
}

/// Variables that `cargo run` sets for the program that it runs. If we passed them on, build scripts would see a changed
/// environment, and switching between this command and plain cargo would compile half of everything again.
const OF_THE_CALLER: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// The cargo that runs us, with the environment that it was started with. A toolchain chosen with `cargo +x` is kept.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text == "CARGO" || OF_THE_CALLER.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

fn python() -> Result<String, Failure> {
    let name = "python3";
    let install =
        "install Python 3.10 or newer with its venv module (Debian, Ubuntu: `apt install python3-venv`)";
    let output = Command::new(name)
        .args(["-c", PROBE])
        .output()
        .map_err(|_| missing("python3 is not on the PATH", install))?;
    if !output.status.success() {
        return Err(missing(
            "python3 cannot make virtual environments: venv or ensurepip is missing",
            install,
        ));
    }
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match parse(&version) {
        Some(found) if found >= OLDEST_PYTHON => Ok(name.to_owned()),
        _ => {
            Err(missing(&format!("python3 is version {version}, and 3.10 is the oldest that works"), install))
        }
    }
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn missing(what: &str, next: &str) -> Failure {
    Failure::new(Exit::Usage, what, next)
}
