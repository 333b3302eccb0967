//! A database runs nothing without a scope.

use robnu_tenancy::Database;

async fn misuse(database: &Database) {
    let _ = database.query("select 1", &[]).await;
    let _ = database.execute("select 1", &[]).await;
    let _ = database.session().await;
}

fn main() {}
