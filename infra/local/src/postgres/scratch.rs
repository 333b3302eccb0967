//! A PostgreSQL of a command's own, for work that must stop a server: fresh data, a free port, and the programs that the local cloud
//! has installed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, anyhow};

use super::home::Home;
use super::{ensure, purge, start, stop, stop_at};
use crate::cli::UpOptions;
use crate::paths::Paths;
use crate::ports;
use crate::python::Environment;
use crate::settings::Settings;
use crate::tools;

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ends all sessions and writes everything to disk.
    Fast,
    /// Stops at once, as a crash does. The next start recovers from the log.
    Immediate,
}

impl Stop {
    pub(super) fn mode(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// The server. It runs until [`ScratchServer::remove`], also when the value is dropped: another process may use it.
#[derive(Debug, Clone)]
pub struct ScratchServer {
    paths: Paths,
    settings: Settings,
}

impl ScratchServer {
    /// Starts a server whose data are below `folder`, which must not exist.
    pub async fn start(paths: &Paths, folder: &Path) -> anyhow::Result<Self> {
        Environment::cloud(paths).ensure(&tools::check()?)?;
        let scratch = Paths::new(Some(folder))?;
        let python = folder.join("python");
        symlink(paths.local("python"), &python).with_context(|| format!("make {}", python.display()))?;
        let postgres_port = Some(ports::free_or_other(0)?);
        let settings = Settings::resolve(&scratch, &UpOptions { postgres_port, ..UpOptions::default() })?;
        settings.save(&scratch)?;
        let server = Self { paths: scratch, settings };
        ensure(&server.paths, &server.settings).await?;
        Ok(server)
    }

    /// The server that another process has started below `folder`.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let paths = Paths::new(Some(folder))?;
        let settings = Settings::load(&paths)?
            .with_context(|| format!("no server was started in {}", folder.display()))?;
        Ok(Self { paths, settings })
    }

    /// A superuser's URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.settings.database_url("postgres")
    }

    /// Stops the server and starts it again.
    pub fn restart(&self, how: Stop) -> anyhow::Result<()> {
        let home = Home::find(&self.paths, &Environment::cloud(&self.paths))?;
        stop_at(&home, how)?;
        start(&self.paths, &home, &self.settings)
    }

    /// Stops the server and removes its data and its folder.
    pub fn remove(self) -> anyhow::Result<()> {
        stop(&self.paths)?;
        purge(&self.paths)?;
        fs::remove_dir_all(&self.paths.local)
            .map_err(|error| anyhow!("remove {}: {error}", self.paths.local.display()))
    }
}
