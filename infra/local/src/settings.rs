//! What a stack remembers between commands: its ports, its marketplaces and the passwords of its database.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::cli::{Source, UpOptions};
use crate::digest::hexadecimal;
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
    /// Order book of the Amazon simulator; its own when absent.
    pub orders: Option<PathBuf>,
    /// Base URL of another AJIO; the simulator when absent.
    pub ajio_url: Option<String>,
    /// Base URL of another Amazon; the simulator when absent.
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
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).with_context(|| {
                format!("read {}; run `cargo xtask down`, then remove that file", file.display())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    /// The settings that `up` uses: what the flags say now, otherwise what they said before.
    pub fn resolve(paths: &Paths, options: &UpOptions) -> anyhow::Result<Self> {
        let known = Self::load(paths)?;
        let orders = match &options.orders {
            Some(Source::Named(file)) => {
                Some(Source::Named(std::path::absolute(file).context("read the current folder")?))
            }
            other => other.clone(),
        };
        let port = |given: Option<u16>, before: fn(&Self) -> u16, default: u16| {
            given.or_else(|| known.as_ref().map(before)).unwrap_or(default)
        };
        let url = |given: &Option<Source<String>>, before: fn(&Self) -> Option<&String>| {
            source(given.as_ref(), known.as_ref().and_then(before))
        };
        Ok(Self {
            postgres_port: port(options.postgres_port, |known| known.postgres_port, POSTGRES_PORT),
            aws_port: port(options.aws_port, |known| known.aws_port, AWS_PORT),
            simulators_port: port(options.simulators_port, |known| known.simulators_port, SIMULATORS_PORT),
            orders: source(orders.as_ref(), known.as_ref().and_then(|known| known.orders.as_ref())),
            ajio_url: url(&options.ajio_url, |known| known.ajio_url.as_ref()),
            amazon_url: url(&options.amazon_url, |known| known.amazon_url.as_ref()),
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

    /// Lines that tell the user where orders come from. There is one for each source that has changed or is not the
    /// simulators, with the flag that goes back to them.
    #[must_use]
    pub fn sources(&self, before: Option<&Self>) -> Vec<String> {
        let of = |settings: &Self| {
            let orders = settings.orders.as_ref().map(|file| file.display().to_string());
            [orders, settings.ajio_url.clone(), settings.amazon_url.clone()]
        };
        let before = before.map(of).unwrap_or_default();
        let flags = ["--orders", "--ajio-url", "--amazon-url"];
        let name = |source: Option<&String>| source.map_or("the simulators' own", |named| named).to_owned();
        let described = flags.iter().zip(of(self)).zip(before).filter_map(|((flag, now), before)| {
            let back =
                if now.is_some() { format!(" (`{flag} simulators` goes back)") } else { String::new() };
            let now_named = name(now.as_ref());
            if now != before {
                return Some(format!("{flag}: CHANGED to {now_named}, was {}{back}", name(before.as_ref())));
            }
            now.map(|_| format!("{flag}: {now_named}, as before{back}"))
        });
        described.collect()
    }

    /// Stores the settings for the next command. Only the owner can read the file.
    pub fn save(&self, paths: &Paths) -> anyhow::Result<()> {
        write_private(&paths.local("settings.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// Base URL of the local AWS.
    #[must_use]
    pub fn aws_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.aws_port)
    }

    /// Base URL of the simulators.
    #[must_use]
    pub fn simulators_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.simulators_port)
    }

    /// Base URL of the AJIO that the adapter calls.
    #[must_use]
    pub fn ajio_url(&self) -> String {
        self.ajio_url.clone().unwrap_or_else(|| format!("{}/ajio", self.simulators_url()))
    }

    /// Base URL of the Amazon that the adapter calls.
    #[must_use]
    pub fn amazon_url(&self) -> String {
        self.amazon_url.clone().unwrap_or_else(|| format!("{}/amazon", self.simulators_url()))
    }

    /// Base URL of the Flipkart that the adapter and sellers' browsers call.
    #[must_use]
    pub fn flipkart_url(&self) -> String {
        format!("{}/flipkart", self.simulators_url())
    }

    /// Base URL of the bridge to Meesho that the adapter calls.
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

/// The source that is given now, otherwise the one given before; none stands for the simulators.
fn source<T: Clone>(given: Option<&Source<T>>, before: Option<&T>) -> Option<T> {
    match given {
        Some(Source::Named(named)) => Some(named.clone()),
        Some(Source::Simulators) => None,
        None => before.cloned(),
    }
}

/// Writes a file that only its owner can read.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_once_stays_until_something_else_is_given() {
        let folder = std::env::temp_dir().join(format!("robnu-settings-{}", std::process::id()));
        let paths = Paths::new(Some(&folder)).unwrap();
        let named = |url: &str| Some(Source::Named(url.to_owned()));
        let up = |options: &UpOptions| {
            let before = Settings::load(&paths).unwrap();
            let settings = Settings::resolve(&paths, options).unwrap();
            settings.save(&paths).unwrap();
            let lines = settings.sources(before.as_ref());
            (settings, lines)
        };

        let (first, said) = up(&UpOptions::default());
        assert_eq!((&first.orders, &first.ajio_url, said.len()), (&None, &None, 0));
        let given = UpOptions {
            postgres_port: Some(2_000),
            orders: Some(Source::Named("/tmp/book.csv".into())),
            ajio_url: named("http://127.0.0.1:1"),
            ..UpOptions::default()
        };
        let (second, said) = up(&given);
        assert!(
            said[0].starts_with("--orders: CHANGED to /tmp/book.csv, was the simulators' own"),
            "{said:?}"
        );
        assert!(said[1].contains("`--ajio-url simulators` goes back"), "{said:?}");
        let (third, said) = up(&UpOptions::default());
        assert_eq!(third, second, "nothing was given");
        assert!(said[0].contains("/tmp/book.csv, as before"), "{said:?}");
        let back = UpOptions { orders: Some(Source::Simulators), ..UpOptions::default() };
        let (fourth, said) = up(&back);
        assert_eq!((&fourth.orders, &fourth.ajio_url), (&None, &second.ajio_url));
        assert!(said[0].contains("CHANGED to the simulators' own, was /tmp/book.csv"), "{said:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
