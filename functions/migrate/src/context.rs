//! What one invocation works with.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use robnu_startup::{aws_config, database_config, env, login};
use robnu_tenancy::{DatabaseConfig, Password};

use crate::error::MigrateError;
use crate::staff::subjects;

const MASTER_SECRET: &str = "DATABASE_MASTER_SECRET_ID";
/// Which variable names the login roles' secrets.
pub(crate) const LOGIN_SECRETS: &str = "LOGIN_ROLE_SECRETS";

/// What one invocation works with. It is read anew for each, because RDS rotates the master's password.
#[derive(Debug)]
pub struct Context {
    pub(crate) aws: SdkConfig,
    pub(crate) master: DatabaseConfig,
    /// Login role → the secret with its password.
    pub(crate) login_secrets: BTreeMap<String, String>,
    /// Token subjects of the staff members.
    pub(crate) staff: Vec<String>,
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
