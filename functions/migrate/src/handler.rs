//! The work of migrate: first the schema, then the passwords of the roles that the schema made, then the list of staff.

use std::time::Duration;

use robnu_observe::caught;
use robnu_schema::{Applied, MIGRATIONS};
use robnu_startup::custom_resource::RESERVE;
use robnu_startup::login;

use crate::context::{Context, LOGIN_SECRETS};
use crate::custom_resource::Request;
use crate::error::MigrateError;
use crate::login_roles::set_password;
use crate::master;
use crate::staff::set_staff;

/// Does what CloudFormation asks, within the time that is left. It reads the configuration within the invocation, because
/// CloudFormation would wait in vain for a function that cannot start. A panic is reported like any other failure.
pub async fn handle(request: &Request, left: Duration) -> Result<(), MigrateError> {
    // The data outlives the stack, so nothing is dropped.
    if request.is_delete() {
        return Ok(());
    }
    let work = Box::pin(async {
        let context = Context::from_environment().await?;
        migrate(&context).await.map(drop)
    });
    in_time(caught(work), left).await?.unwrap_or(Err(MigrateError::Panicked))
}

/// Ends work early enough for a response. Its connection is closed, and the database ends a statement whose client has gone away.
async fn in_time<T>(work: impl Future<Output = T>, left: Duration) -> Result<T, MigrateError> {
    tokio::time::timeout(left.saturating_sub(RESERVE), work).await.map_err(|_| MigrateError::OutOfTime)
}

/// Brings schema and login roles up to date. Repeating it changes nothing.
pub async fn migrate(context: &Context) -> Result<Applied, MigrateError> {
    let mut master = master::connect(&context.master).await?;
    let client = &mut master.client;
    let applied = robnu_schema::apply(client, MIGRATIONS).await?;
    for (role, secret_id) in &context.login_secrets {
        let login = login(&context.aws, LOGIN_SECRETS, secret_id).await?;
        if login.username != *role {
            return Err(MigrateError::WrongSecret { role: role.clone() });
        }
        set_password(client, role, &login.password)
            .await
            .map_err(|source| MigrateError::Password { role: role.clone(), source })?;
    }
    set_staff(client, &context.staff).await.map_err(MigrateError::Staff)?;
    tracing::info!(
        applied = applied.now.len(),
        before = applied.before,
        logins = context.login_secrets.len(),
        staff = context.staff.len(),
        "schema is up to date"
    );
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endless_work_is_answered_before_lambda_ends_the_function() {
        let began = tokio::time::Instant::now();
        let left = RESERVE + Duration::from_millis(50);
        let outcome = in_time(std::future::pending::<()>(), left).await;
        assert!(matches!(outcome, Err(MigrateError::OutOfTime)), "{outcome:?}");
        assert!(began.elapsed() < RESERVE, "there is time for the response");
        assert!(in_time(std::future::ready(()), left).await.is_ok());
    }
}
