//! The pool. It is private, so that a connection is only ever seen through a scope.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{DatabaseConfig, Tls};
use crate::connection::Connection;
use crate::error::Error;
use crate::permission::Access;
use crate::pipeline::{COMMIT, send_pipelined};
use crate::scope::Scope;
use crate::session::Session;
use crate::{Params, Request};

/// The database, as one login role.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    /// When a connection was last asked for, by the wall clock: the other clocks may stand still while an environment is frozen.
    used_at: Arc<Mutex<SystemTime>>,
    max_idle: Duration,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database(..)")
    }
}

impl Database {
    /// Sets up the pool. The first connection is opened when it is needed.
    pub async fn new(config: &DatabaseConfig) -> Result<Self, Error> {
        let postgres = config.to_postgres();
        // Recycling asks the server nothing: a connection comes back only when its transaction is known to be over.
        let recycle = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &config.tls {
            Tls::Off => Manager::from_config(postgres, NoTls, recycle),
            tls => Manager::from_config(postgres, MakeRustlsConnect::new(client_tls(tls).await?), recycle),
        };
        let timeouts = Timeouts {
            wait: Some(config.connect_timeout),
            create: Some(config.connect_timeout),
            recycle: Some(config.connect_timeout),
        };
        let pool = Pool::builder(manager)
            .max_size(config.pool_size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Configuration { what: error.to_string() })?;
        Ok(Self { pool, used_at: Arc::new(Mutex::new(SystemTime::now())), max_idle: config.max_idle })
    }

    /// Runs one statement that only reads: scope entry, statement and COMMIT in a single round trip. If the connection turns out to be
    /// dead, the statement is sent once more on a new one. A session's statements never are: they may have been committed.
    ///
    /// # Errors
    /// Returns the scope entry's error if the database refused it, and the statement's own error otherwise.
    pub async fn read(
        &self,
        scope: &impl Scope,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        match self.read_once(scope, sql, params).await {
            Err(error) if error.is_dead_connection() => {
                // Whatever closed it has probably closed the others that are idle. Those in use find out themselves.
                self.pool.retain(|_, _| false);
                self.read_once(scope, sql, params).await
            }
            outcome => outcome,
        }
    }

    async fn read_once(
        &self,
        scope: &impl Scope,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection().await?;
        let entry = scope.entry(Access::Read);
        let entry_params = entry.params();
        let requests: [Request<'_>; 4] =
            [entry.begin(), (entry.sql(), entry_params.as_slice()), (sql, params), COMMIT];
        let results = send_pipelined(connection.client(), &requests, entry.request_count().as_ref()).await?;
        let committed = results.all_sent && results.answers.last().is_some_and(Result::is_ok);
        let outcome: Result<Vec<Vec<Row>>, Error> =
            results.answers.into_iter().map(|answer| answer.map_err(Error::from)).collect();
        // COMMIT was answered, so the transaction is over, committed or not. After an unexpected error (for instance a
        // plan that a migration has invalidated) the connection is closed nevertheless.
        if committed && !matches!(outcome, Err(Error::Statement(_))) {
            connection.give_back();
        }
        let mut answers = outcome?;
        entry.note_admitted();
        Ok(answers.swap_remove(2))
    }

    /// Opens a session for several statements. Nothing is sent until its first one.
    pub async fn session(&self, scope: &impl Scope) -> Result<Session, Error> {
        Ok(Session::new(self.connection().await?, scope.entry(Access::Write)))
    }

    async fn connection(&self) -> Result<Connection, Error> {
        self.drop_idle();
        Ok(Connection::new(self.pool.get().await?))
    }

    /// Closes all pooled connections if the pool was unused for longer than `max_idle`. While the process is awake, keepalives find dead
    /// ones.
    fn drop_idle(&self) {
        let now = SystemTime::now();
        let mut used_at = self.used_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back says nothing of how long it was.
        if now.duration_since(*used_at).is_ok_and(|idle| idle <= self.max_idle) {
            *used_at = now;
            return;
        }
        *used_at = now;
        self.pool.retain(|_, _| false);
    }
}

/// The TLS side of a connection.
pub async fn client_tls(tls: &Tls) -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    match tls {
        Tls::Roots(file) => {
            let misconfigured =
                |what: &str| Error::Configuration { what: format!("{}: {what}", file.display()) };
            let pem = tokio::fs::read(file).await.map_err(|error| misconfigured(&error.to_string()))?;
            for certificate in
                <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::pem_slice_iter(
                    &pem,
                )
            {
                let certificate = certificate.map_err(|_| misconfigured("is not a PEM bundle"))?;
                roots
                    .add(certificate)
                    .map_err(|_| misconfigured("holds a certificate that cannot be used"))?;
            }
        }
        Tls::Off | Tls::PublicRoots => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Configuration { what: error.to_string() })
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
}
