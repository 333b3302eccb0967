//! Pool, connection and raw client are out of reach.

use robnu_tenancy::{Database, Session};

fn misuse(database: &Database, session: &Session) {
    let _ = &database.pool;
    let _ = database.connection();
    let _ = &session.connection;
    let _ = session.client();
    let _: &tokio_postgres::Client = session;
}

fn also(_: robnu_tenancy::pool::Connection) {}

fn main() {}
