//! Long-lived processes. Each starts in its own session with a log, and a note on disk lets later commands find it. A process
//! is ended only when the noted id still belongs to the process that was started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::paths::Paths;

const DETACH: &str = include_str!("detach.py");
/// How long a process may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// A process that shall run.
#[derive(Debug)]
pub struct Service<'a> {
    /// Names its note and its log.
    pub name: &'a str,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// All of its environment.
    pub environment: BTreeMap<String, String>,
    /// Anything else whose change requires a restart, such as a digest of the program.
    pub version: String,
}

/// The note about a started process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its process id.
    pub pid: u32,
    /// Its start time according to the system. A reused process id has another start time.
    began: String,
    command: Vec<String>,
    version: String,
}

/// The running process with this name, if it is ours and alive.
pub fn running(paths: &Paths, name: &str) -> Option<Note> {
    let note: Note = serde_json::from_slice(&fs::read(note_file(paths, name)).ok()?).ok()?;
    (began(note.pid)? == note.began).then_some(note)
}

/// Whether the running process is the one that `service` describes.
pub fn is_current(note: &Note, service: &Service<'_>) -> bool {
    note.command == service.command && note.version == service.version
}

/// Starts it. `python` is the interpreter that puts it into a session of its own.
pub fn start(paths: &Paths, python: &Path, service: &Service<'_>) -> anyhow::Result<Note> {
    let log_file = paths.log(service.name);
    let log = fs::File::create(&log_file).with_context(|| format!("write {}", log_file.display()))?;
    let child = Command::new(python)
        .args(["-c", DETACH])
        .args(&service.command)
        .env_clear()
        .envs(&service.environment)
        .current_dir(&paths.local)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("start {}", service.name))?;
    let pid = child.id();
    let note = Note {
        pid,
        began: began(pid)
            .with_context(|| format!("{} ended at once; read {}", service.name, log_file.display()))?,
        command: service.command.clone(),
        version: service.version.clone(),
    };
    let file = note_file(paths, service.name);
    fs::write(&file, serde_json::to_vec_pretty(&note)?)
        .with_context(|| format!("write {}", file.display()))?;
    Ok(note)
}

/// Ends it and returns whether it ran.
pub fn stop(paths: &Paths, name: &str) -> anyhow::Result<bool> {
    let Some(note) = running(paths, name) else {
        let _ = fs::remove_file(note_file(paths, name));
        return Ok(false);
    };
    signal(note.pid, "TERM")?;
    let since = Instant::now();
    while alive(&note) {
        if since.elapsed() > PATIENCE {
            signal(note.pid, "KILL")?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = fs::remove_file(note_file(paths, name));
    Ok(true)
}

/// Whether the noted process still runs.
pub fn alive(note: &Note) -> bool {
    began(note.pid).is_some_and(|now| now == note.began)
}

fn note_file(paths: &Paths, name: &str) -> PathBuf {
    paths.local("run").join(format!("{name}.json"))
}

/// Sends a signal, such as `TERM`. Every shell has a built-in `kill`, but not every system has the program of that name.
pub fn signal(pid: u32, signal: &str) -> anyhow::Result<()> {
    let line = format!("kill -{signal} {pid} 2>/dev/null || true");
    Command::new("sh").args(["-c", &line]).status().context("run sh")?;
    Ok(())
}

/// The start time of a process according to the system; none when it is gone or a zombie.
fn began(pid: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is a name in parentheses that may hold anything; the rest is plain.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        return (*fields.first()? != "Z").then(|| fields.get(19).map(ToString::to_string))?;
    }
    let output = Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (state, time) = line.split_once(' ')?;
    (!state.starts_with('Z')).then(|| time.trim().to_owned())
}
