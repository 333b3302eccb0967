//! Where the database is, and which role a function logs in as.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use zeroize::Zeroizing;

/// How long the server may leave sent data unacknowledged.
const UNANSWERED: Duration = Duration::from_secs(15);

/// A frozen Lambda environment answers no keepalive, and the server gives its connections up after six minutes. What was idle for
/// longer than this is not used again, because a statement on a dead connection fails without saying whether it was done.
pub const MAX_IDLE: Duration = Duration::from_mins(4);

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
    /// No protection, for loopback only.
    Off,
    /// Verified against the public roots (RDS Proxy's certificates chain to these).
    PublicRoots,
    /// Verified against the PEM bundle in this file (a cluster's own certificates chain to the RDS roots).
    Roots(PathBuf),
}

/// The limits of a session. They are sent when the connection is opened, where they override `alter role … set`, which a
/// login may do to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may take.
    pub statement: Duration,
    /// How long a statement may wait for a lock.
    pub lock: Duration,
    /// How long a transaction may take.
    pub transaction: Duration,
    /// How long a transaction may be idle.
    pub idle: Duration,
    /// Whether each statement has one plan, whatever its parameters and however full the tables: it reads an index in the list's
    /// own order as far as a page needs. Other plans gather and sort every match where statistics say that there are few.
    pub one_plan: bool,
}

impl Limits {
    /// The limits of a function's login role. The migrations set the same for the role, for people who log in by hand.
    #[must_use]
    pub fn of_login(role: &str) -> Self {
        let works_in_batches = matches!(role, "robnu_adapter" | "robnu_sweep");
        let statement = Duration::from_secs(if works_in_batches { 30 } else { 10 });
        Self {
            statement,
            lock: Duration::from_secs(5),
            transaction: statement * 2,
            idle: Duration::from_secs(30),
            one_plan: matches!(role, "robnu_api" | "robnu_exporter"),
        }
    }

    /// The settings of a session, by name.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let millis = |time: Duration| time.as_millis().to_string();
        let mut settings = vec![
            ("search_path", "robnu, pg_temp".to_owned()),
            ("statement_timeout", millis(self.statement)),
            ("lock_timeout", millis(self.lock)),
            ("transaction_timeout", millis(self.transaction)),
            ("idle_in_transaction_session_timeout", millis(self.idle)),
            ("role", "none".to_owned()),
            ("row_security", "on".to_owned()),
            ("default_transaction_read_only", "off".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
        ];
        if self.one_plan {
            let plans = [
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_bitmapscan", "off"),
                ("enable_seqscan", "off"),
            ];
            settings.extend(plans.map(|(name, value)| (name, value.to_owned())));
        }
        settings
    }

    /// The same as a connection's start-up options, in which a space is escaped with a backslash.
    fn options(&self) -> String {
        let option = |(name, value): (&str, String)| format!("-c {name}={}", value.replace(' ', "\\ "));
        self.settings().into_iter().map(option).collect::<Vec<_>>().join(" ")
    }
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
    /// Its password; `None` only when the server trusts the address.
    pub password: Option<Password>,
    /// Protection on the wire.
    pub tls: Tls,
    /// Connections at most. A Lambda environment serves one event at a time, so one is enough.
    pub pool_size: usize,
    /// How long to wait for a connection, new or pooled.
    pub connect_timeout: Duration,
    /// How long the pool may be unused before its connections are opened anew; usually [`MAX_IDLE`].
    pub max_idle: Duration,
    /// The limits of its sessions; `None` for the migrate function.
    pub limits: Option<Limits>,
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
        // A failover may leave a connection that nobody answers; the kernel gives it up before the function's time-out does.
        postgres.keepalives_idle(UNANSWERED).keepalives_interval(UNANSWERED / 3).tcp_user_timeout(UNANSWERED);
        if let Some(limits) = &self.limits {
            postgres.options(limits.options());
        }
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

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    fn config(password: Option<&str>, tls: Tls, limits: Option<Limits>) -> tokio_postgres::Config {
        let config = DatabaseConfig {
            host: "db.example".to_owned(),
            port: 5433,
            name: "robnu".to_owned(),
            user: "robnu_api".to_owned(),
            password: password.map(|text| Password::new(text.to_owned())),
            tls,
            pool_size: 1,
            connect_timeout: Duration::from_secs(3),
            max_idle: MAX_IDLE,
            limits,
        };
        config.to_postgres()
    }

    #[test]
    fn the_driver_is_told_where_to_connect_as_whom_and_how_long_to_wait() {
        let postgres = config(Some("hush"), Tls::PublicRoots, None);
        assert_eq!(postgres.get_hosts(), [Host::Tcp("db.example".to_owned())]);
        assert_eq!(postgres.get_ports(), [5433]);
        assert_eq!(postgres.get_dbname(), Some("robnu"));
        assert_eq!(postgres.get_user(), Some("robnu_api"));
        assert_eq!(postgres.get_application_name(), Some("robnu_api"));
        assert_eq!(postgres.get_password(), Some(&b"hush"[..]));
        assert_eq!(postgres.get_ssl_mode(), SslMode::Require);
        assert_eq!(postgres.get_connect_timeout(), Some(&Duration::from_secs(3)));
        // Three probes go out before the silence has lasted too long.
        assert_eq!(postgres.get_keepalives_idle(), UNANSWERED);
        assert_eq!(postgres.get_keepalives_interval(), Some(UNANSWERED / 3));
        assert_eq!(postgres.get_tcp_user_timeout(), Some(&UNANSWERED));

        let local = config(None, Tls::Off, None);
        assert_eq!((local.get_password(), local.get_ssl_mode()), (None, SslMode::Disable));
        assert_eq!(local.get_options(), None);
    }

    #[test]
    fn a_session_is_held_to_its_limits_from_its_start() {
        let options = |role| {
            let postgres = config(None, Tls::Off, Some(Limits::of_login(role)));
            postgres.get_options().unwrap().to_owned()
        };
        let of_every_login = |statement: u32| {
            format!(
                "-c search_path=robnu,\\ pg_temp -c statement_timeout={statement} -c lock_timeout=5000 \
                 -c transaction_timeout={} -c idle_in_transaction_session_timeout=30000 -c role=none \
                 -c row_security=on -c default_transaction_read_only=off \
                 -c default_transaction_isolation=read\\ committed",
                statement * 2
            )
        };
        for role in ["robnu_adapter", "robnu_sweep"] {
            assert_eq!(options(role), of_every_login(30_000), "{role}");
        }
        assert_eq!(options("robnu_lanes"), of_every_login(10_000));
        let one_plan =
            " -c plan_cache_mode=force_generic_plan -c enable_bitmapscan=off -c enable_seqscan=off";
        for role in ["robnu_api", "robnu_exporter"] {
            assert_eq!(options(role), of_every_login(10_000) + one_plan, "{role}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", Password::new("hush".to_owned())), "Password(..)");
    }
}
