//! What migrate does: schema first, then the passwords of the roles that the schema made, then who is staff.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use robnu_schema::{Applied, MIGRATIONS, SchemaError};
use robnu_startup::{EnvError, StartupError, aws_config, database_config, env, login};
use robnu_tenancy::{DatabaseConfig, Password};

use crate::login_roles::set_password;
use crate::master;
use crate::staff::{set_staff, subjects};

const MASTER_SECRET: &str = "DATABASE_MASTER_SECRET_ID";
const LOGIN_SECRETS: &str = "LOGIN_ROLE_SECRETS";

/// What one invocation works with. Read anew for each, because RDS rotates the master's password.
#[derive(Debug)]
pub struct Context {
    aws: SdkConfig,
    master: DatabaseConfig,
    /// Login role → the secret with its password.
    login_secrets: BTreeMap<String, String>,
    /// Token subjects of the staff members.
    staff: Vec<String>,
}

/// Why the database is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The environment or a secret.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// A secret belongs to another role than the environment says.
    #[error("the secret of login role {role} names another user")]
    WrongSecret {
        /// The role.
        role: String,
    },
    /// The database did not accept the master's connection.
    #[error("the database cannot be reached as its master user")]
    Connect(#[source] tokio_postgres::Error),
    /// The connection's TLS.
    #[error(transparent)]
    Tls(#[from] robnu_tenancy::Error),
    /// The migrations.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A role's password could not be set.
    #[error("the password of login role {role} could not be set")]
    Password {
        /// The role.
        role: String,
        /// The database's answer.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The staff members could not be set.
    #[error("the staff members could not be set")]
    Staff(#[source] tokio_postgres::Error),
    /// The work ended in a panic, which the log has.
    #[error("the migration ended in a panic; see the function's log")]
    Panicked,
}

impl From<EnvError> for MigrateError {
    fn from(error: EnvError) -> Self {
        Self::Startup(error.into())
    }
}

impl Context {
    /// Reads the environment and the master's secret.
    pub async fn from_environment() -> Result<Self, MigrateError> {
        let login_secrets = env::json(LOGIN_SECRETS, "a JSON object of login role and secret id")?;
        let master_secret = env::required(MASTER_SECRET)?;
        let aws = aws_config().await;
        let master = login(&aws, MASTER_SECRET, &master_secret).await?;
        let master = database_config(master.username, Some(Password::new(master.password)))?;
        let staff = subjects(&env::optional("STAFF_SUBJECTS").unwrap_or_default());
        Ok(Self { aws, master, login_secrets, staff })
    }
}

/// Brings schema and login roles up to date. Doing it again changes nothing.
pub async fn migrate(context: &Context) -> Result<Applied, MigrateError> {
    let mut client = master::connect(&context.master).await?;
    let applied = robnu_schema::apply(&mut client, MIGRATIONS).await?;
    for (role, secret_id) in &context.login_secrets {
        let login = login(&context.aws, LOGIN_SECRETS, secret_id).await?;
        if login.username != *role {
            return Err(MigrateError::WrongSecret { role: role.clone() });
        }
        set_password(&client, role, &login.password)
            .await
            .map_err(|source| MigrateError::Password { role: role.clone(), source })?;
    }
    set_staff(&mut client, &context.staff).await.map_err(MigrateError::Staff)?;
    tracing::info!(
        applied = applied.now.len(),
        before = applied.before,
        logins = context.login_secrets.len(),
        staff = context.staff.len(),
        "schema is up to date"
    );
    Ok(applied)
}
