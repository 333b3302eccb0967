//! An unused session is a mistake, and so is an unused scope.
#![deny(unused_must_use)]

use robnu_tenancy::{Access, Database, Permission, SellerScope, Subject};

async fn misuse(database: &Database, subject: Subject, scope: &SellerScope) {
    database.session(scope).await.unwrap();
    SellerScope::for_member(subject, scope.seller_id(), Permission::Read, Access::Read);
}

fn main() {}
