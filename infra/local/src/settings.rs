//! What a stack remembers between commands: its ports, its marketplaces and the passwords of its own database.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::cli::UpOptions;
use crate::deploy::hexadecimal;
use crate::paths::Paths;

const POSTGRES_PORT: u16 = 54_329;
const AWS_PORT: u16 = 4_599;
const SIMULATORS_PORT: u16 = 4_610;

/// One stack's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Port of PostgreSQL.
    pub postgres_port: u16,
    /// Port of the local AWS.
    pub aws_port: u16,
    /// Port of the marketplace simulators.
    pub simulators_port: u16,
    /// Order book of the Amazon simulator.
    pub orders: Option<PathBuf>,
    /// Another AJIO.
    pub ajio_url: Option<String>,
    /// Another Amazon.
    pub amazon_url: Option<String>,
    /// Password of PostgreSQL's superuser.
    pub superuser_password: String,
    /// Password of the role that owns the database, as Aurora's master user does.
    pub master_password: String,
}

impl Settings {
    /// The settings of the stack that was started last.
    pub fn load(paths: &Paths) -> anyhow::Result<Option<Self>> {
        let file = paths.local("settings.json");
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .with_context(|| format!("read {}: remove it to begin anew", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    /// What `up` shall use. Ports stay as they were unless given; the marketplaces are those that are given now.
    pub fn resolve(paths: &Paths, options: &UpOptions) -> anyhow::Result<Self> {
        let known = Self::load(paths)?;
        let orders = match &options.orders {
            Some(file) => Some(std::path::absolute(file).context("read the current folder")?),
            None => None,
        };
        let port = |given: Option<u16>, before: fn(&Self) -> u16, default: u16| {
            given.or_else(|| known.as_ref().map(before)).unwrap_or(default)
        };
        Ok(Self {
            postgres_port: port(options.postgres_port, |known| known.postgres_port, POSTGRES_PORT),
            aws_port: port(options.aws_port, |known| known.aws_port, AWS_PORT),
            simulators_port: port(options.simulators_port, |known| known.simulators_port, SIMULATORS_PORT),
            orders,
            ajio_url: options.ajio_url.clone(),
            amazon_url: options.amazon_url.clone(),
            superuser_password: match &known {
                Some(known) => known.superuser_password.clone(),
                None => password()?,
            },
            master_password: match &known {
                Some(known) => known.master_password.clone(),
                None => password()?,
            },
        })
    }

    /// Keeps them for the next command; readable by the owner alone.
    pub fn save(&self, paths: &Paths) -> anyhow::Result<()> {
        write_private(&paths.local("settings.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// The local AWS.
    #[must_use]
    pub fn aws_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.aws_port)
    }

    /// The simulators.
    #[must_use]
    pub fn simulators_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.simulators_port)
    }

    /// The AJIO that the adapter talks to.
    #[must_use]
    pub fn ajio_url(&self) -> String {
        self.ajio_url.clone().unwrap_or_else(|| format!("{}/ajio", self.simulators_url()))
    }

    /// The Amazon that the adapter talks to.
    #[must_use]
    pub fn amazon_url(&self) -> String {
        self.amazon_url.clone().unwrap_or_else(|| format!("{}/amazon", self.simulators_url()))
    }

    /// The Flipkart that the adapter and sellers' browsers talk to.
    #[must_use]
    pub fn flipkart_url(&self) -> String {
        format!("{}/flipkart", self.simulators_url())
    }

    /// The bridge to Meesho that the adapter talks to.
    #[must_use]
    pub fn meesho_url(&self) -> String {
        format!("{}/meesho", self.simulators_url())
    }

    /// A superuser's URL of one database.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.superuser_password, self.postgres_port)
    }
}

/// Writes a file that only its owner may read.
pub fn write_private(file: &std::path::Path, content: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let write = || -> std::io::Result<()> {
        let mut open = fs::OpenOptions::new();
        let mut handle = open.write(true).create(true).truncate(true).mode(0o600).open(file)?;
        handle.set_permissions(fs::Permissions::from_mode(0o600))?;
        std::io::Write::write_all(&mut handle, content)
    };
    write().with_context(|| format!("write {}", file.display()))
}

fn password() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("the system gives no random bytes"))?;
    Ok(hexadecimal(&bytes))
}
