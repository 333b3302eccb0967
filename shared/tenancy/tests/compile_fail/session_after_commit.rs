//! A session cannot be used after its commit.

use robnu_tenancy::Session;

async fn misuse(mut session: Session) {
    let _ = session.commit().await;
    let _ = session.query("select 1", &[]).await;
}

async fn also(session: Session) {
    let _ = session.rollback().await;
    let _ = session.commit().await;
}

fn main() {}
