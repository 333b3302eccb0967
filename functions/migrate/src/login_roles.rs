//! The passwords of the login roles.

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::{Client, Error};

/// Sets a login role's password. The verifier is made here, so that no clear-text password reaches the server or its logs.
pub async fn set_password(client: &Client, role: &str, password: &str) -> Result<(), Error> {
    let verifier = scram_sha_256(password.as_bytes());
    // ALTER ROLE takes no parameters, so the server quotes both texts for us.
    let statement: String = client
        .query_one("select format('alter role %I password %L', $1::text, $2::text)", &[&role, &verifier])
        .await?
        .try_get(0)?;
    client.batch_execute(&statement).await
}
