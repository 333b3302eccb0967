//! Statements are part of the program: a text made at run time cannot be one.

use robnu_tenancy::{Database, SellerScope, Session};

async fn read(database: &Database, scope: &SellerScope, input: &str) {
    let text = format!("select id from robnu.orders where status = '{input}'");
    let _ = database.read(scope, &text, &[]).await;
}

async fn input_itself(database: &Database, scope: &SellerScope, input: &str) {
    let _ = database.read(scope, input, &[]).await;
}

async fn query(session: &mut Session, text: String) {
    let _ = session.query(&text, &[]).await;
}

async fn pipeline(session: &mut Session, text: String) {
    let _ = session.pipeline(&[(text.as_str(), &[])]).await;
}

async fn commit(session: Session, text: String) {
    let _ = session.commit_with(&[(text.as_str(), &[])]).await;
}

fn main() {}
