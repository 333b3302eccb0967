//! Where the database is and as whom to log in.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use zeroize::Zeroizing;

/// How long the server's side may stay silent on what was sent to it.
const UNANSWERED: Duration = Duration::from_secs(15);

/// A password that is wiped when dropped and never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Wraps a password.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: loopback only.
    Off,
    /// Verified against the public roots (RDS Proxy's certificates chain to these).
    PublicRoots,
    /// Verified against the PEM bundle in this file (a cluster's own certificates chain to the RDS roots).
    Roots(PathBuf),
}

/// Everything needed to open connections as one login role.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database name.
    pub name: String,
    /// The function's own login role.
    pub user: String,
    /// Its password; `None` only where the server trusts the address.
    pub password: Option<Password>,
    /// Protection on the wire.
    pub tls: Tls,
    /// Connections at most. A Lambda environment serves one event at a time, so one is enough.
    pub pool_size: usize,
    /// How long to wait for a connection, new or pooled.
    pub connect_timeout: Duration,
}

impl DatabaseConfig {
    /// The driver's configuration.
    #[must_use]
    pub fn to_postgres(&self) -> tokio_postgres::Config {
        let mut postgres = tokio_postgres::Config::new();
        postgres
            .host(&self.host)
            .port(self.port)
            .dbname(&self.name)
            .user(&self.user)
            .application_name(&self.user)
            .connect_timeout(self.connect_timeout);
        // A failover may leave a connection that nobody answers; the kernel gives it up instead of the function's time-out.
        postgres.keepalives_idle(UNANSWERED).keepalives_interval(UNANSWERED / 3).tcp_user_timeout(UNANSWERED);
        if let Some(password) = &self.password {
            postgres.password(password.expose());
        }
        postgres.ssl_mode(match self.tls {
            Tls::Off => SslMode::Disable,
            Tls::PublicRoots | Tls::Roots(_) => SslMode::Require,
        });
        postgres
    }
}
