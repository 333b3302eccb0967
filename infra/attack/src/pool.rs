//! Attempts in a shared pool: many tasks of several sellers share fewer connections than there are tasks. Some fail on
//! purpose, and the next user of a connection must see only its own rows.

use std::time::Duration;

use robnu_tenancy::{Access, Error, Permission, SellerId, SellerScope, Subject};

use super::attempt::Attempt;
use super::random::Random;
use super::test_bed::TestBed;

const ORDERS: &str = "select seller_id::text from robnu.orders";
const ACCOUNTS: &str = "select seller_id::text from robnu.marketplace_accounts";
const SLOW: &str = "select seller_id::text from robnu.orders, pg_sleep(0.02)";
const FAILS: &str = "select (1 / 0)::text";

const WAYS: [(usize, &str); 6] = [
    (40, "one read"),
    (20, "a session, committed"),
    (12, "a session, dropped"),
    (12, "cancelled in flight"),
    (10, "a statement fails"),
    (6, "a scope that is refused"),
];

/// Makes one attempt.
pub async fn attempt(test_bed: &TestBed, random: &mut Random, attempt: &mut Attempt) {
    let mut sellers: Vec<(&str, &str)> = test_bed
        .neighbours
        .iter()
        .map(|(tenant, subject)| (tenant.seller.as_str(), subject.as_str()))
        .collect();
    sellers.push((&test_bed.insider.seller, &test_bed.tokens.owner.subject));
    let (seller, subject) = *random.pick(&sellers);
    let way = *random.weighted(&WAYS);
    attempt.label("scopes that share a pool", way);
    attempt.shown = format!("{way} as {subject} of {seller}");
    let others: Vec<&str> = sellers.iter().map(|(id, _)| *id).filter(|id| *id != seller).collect();
    let target = if way == "a scope that is refused" { *random.pick(&others) } else { seller };
    let Some(scope) = scope(target, subject) else {
        return attempt.find(format!("cannot make a scope of {target} and {subject}"));
    };
    match enter(test_bed, &scope, way, random).await {
        Ok(rows) if rows.is_empty() && way == "cancelled in flight" => attempt.answered("cancelled"),
        Ok(rows) if rows.is_empty() || rows.iter().any(|row| row != seller) => {
            attempt.find(format!("sees the rows of {rows:?}"));
        }
        Ok(_) if way == "a scope that is refused" => {
            attempt.find("scope entry accepted a stranger".to_owned());
        }
        Ok(_) => attempt.answered("own rows"),
        Err(Error::NoMembership) if way == "a scope that is refused" => attempt.answered("refused"),
        Err(Error::Statement(_)) if way == "a statement fails" => attempt.answered("failed"),
        Err(error) => attempt.find(format!("failed: {error}")),
    }
}

fn scope(seller: &str, subject: &str) -> Option<SellerScope> {
    let seller: SellerId = seller.parse().ok()?;
    let subject = Subject::from_verified_claim(subject)?;
    Some(SellerScope::for_member(subject, seller, Permission::Read, Access::Read))
}

/// Enters the scope in the given way. Returns the sellers of the rows that it saw.
async fn enter(
    test_bed: &TestBed,
    scope: &SellerScope,
    way: &str,
    random: &mut Random,
) -> Result<Vec<String>, Error> {
    let database = &test_bed.database;
    let rows = match way {
        "a session, committed" => {
            let mut session = database.session(scope).await?;
            let rows = session.query(ORDERS, &[]).await?;
            session.commit_with(&[(ACCOUNTS, &[])]).await?;
            rows
        }
        "a session, dropped" => {
            let mut session = database.session(scope).await?;
            let rows = session.query(ACCOUNTS, &[]).await?;
            drop(session);
            rows
        }
        "cancelled in flight" => {
            let pause = Duration::from_micros(u64::try_from(random.below(25_000)).unwrap_or_default());
            match tokio::time::timeout(pause, database.read(scope, SLOW, &[])).await {
                Ok(rows) => rows?,
                Err(_) => Vec::new(),
            }
        }
        "a statement fails" => {
            let mut session = database.session(scope).await?;
            session.query(ORDERS, &[]).await?;
            session.query(FAILS, &[]).await?
        }
        _ => database.read(scope, ORDERS, &[]).await?,
    };
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
