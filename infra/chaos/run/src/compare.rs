//! The comparison: the books of the simulators, the rows of the accounts, and the rows of a seller who read the same books in peace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use robnu_marketplace::code::MarketplaceCode;
use robnu_tenancy::AccountId;

use crate::account::BOOKS;
use crate::load::Load;
use crate::settle::Pair;
use crate::superuser::Superuser;
use crate::world::World;

/// A difference between what is and what must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its kind, such as `lost`.
    pub kind: String,
    /// Where, and an example.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.what)
    }
}

/// Each order: its id, how it stands, how many lines it has, and their units and amounts. AJIO states another amount of a line before an
/// order is acknowledged than afterwards, so there only the order's own total is the same for everybody.
const ORDERS: &str = include_str!("orders.sql");
const RETURNS: &str = "select r.external_return_id, r.marketplace_status as stands, count(i.id) as lines, coalesce(sum(i.quantity), 0)::text || ' units' as sums
    from robnu.returns r left join robnu.return_items i on i.seller_id = r.seller_id and i.return_id = r.id
    where r.account_id = $1 group by r.external_return_id, r.marketplace_status";
const SET_ASIDE: &str =
    "select external_id from robnu.quarantined_records where account_id = $1 and external_id is not null";
const WRONG_COUNTS: &str = include_str!("wrong_counts.sql");
const UNENDED: &str = include_str!("unended.sql");
const READ_LESS: &str = include_str!("read_less.sql");
const FAILED: &str = include_str!("failed.sql");
const IMPORTED_TWICE: &str = "select count(*) from robnu.sync_runs r
    where r.trigger = 'FILE' and r.seller_id = any ($1) and not exists (select from robnu.imports i where i.seller_id = r.seller_id and i.run_id = r.id)";

/// How a stored record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    stands: String,
    lines: i64,
    sums: String,
}

type Records = BTreeMap<String, Stored>;

/// All differences of the sellers' rows.
pub async fn differences(world: &World, load: &Load<'_>, pairs: &[Pair]) -> anyhow::Result<Vec<Difference>> {
    let superuser = &world.superuser;
    let mut found = Vec::new();
    for pair in pairs {
        let (name, id) = (&pair.account.name, pair.account.id);
        let aside = set_aside(superuser, id).await?;
        let orders = records(superuser, ORDERS, id).await?;
        let quiet = records(superuser, ORDERS, pair.mirror.id).await?;
        let book = book(world, load, pair)?;
        let lost: Vec<&String> =
            book.keys().filter(|id| !orders.contains_key(*id) && !aside.contains(*id)).collect();
        let unknown: Vec<&String> = orders.keys().filter(|id| !book.contains_key(*id)).collect();
        let counted = orders.iter().filter_map(|(id, order)| Some((id, order.lines, (*book.get(id)?)?)));
        let fewer: Vec<&String> =
            counted.clone().filter(|(_, found, lines)| found < lines).map(|(id, ..)| id).collect();
        let more: Vec<&String> =
            counted.filter(|(_, found, lines)| found > lines).map(|(id, ..)| id).collect();
        note(&mut found, "lost lines", &format!("orders of {name}"), &fewer);
        note(&mut found, "doubled lines", &format!("orders of {name}"), &more);
        note(&mut found, "lost", &format!("orders of {name}"), &lost);
        note(&mut found, "unknown", &format!("orders of {name}"), &unknown);
        unlike(&mut found, &format!("orders of {name}"), &orders, &quiet, &aside);
        let returns = records(superuser, RETURNS, id).await?;
        let quiet = records(superuser, RETURNS, pair.mirror.id).await?;
        let missing: Vec<&String> =
            quiet.keys().filter(|id| !returns.contains_key(*id) && !aside.contains(*id)).collect();
        note(&mut found, "lost", &format!("returns of {name}"), &missing);
        unlike(&mut found, &format!("returns of {name}"), &returns, &quiet, &aside);
    }
    for (kind, sql) in [("wrong counts", WRONG_COUNTS), ("not ended", UNENDED), ("failed run", FAILED)] {
        for row in superuser.query(sql, &[]).await? {
            found.push(Difference { kind: kind.to_owned(), what: row.get(0) });
        }
    }
    let codes = BOOKS.map(|(code, _)| code.as_str());
    let orders = BOOKS.map(|(_, orders)| i64::try_from(orders).unwrap_or(i64::MAX));
    for row in superuser.query(READ_LESS, &[&codes.as_slice(), &orders.as_slice()]).await? {
        found.push(Difference { kind: "read less".to_owned(), what: row.get(0) });
    }
    let sellers: Vec<_> = world.sellers.iter().map(|seller| seller.id).collect();
    let twice: i64 = superuser.row(IMPORTED_TWICE, &[&sellers]).await?.get(0);
    if twice > 0 {
        found.push(Difference {
            kind: "imported twice".to_owned(),
            what: format!("{twice} files have a second run"),
        });
    }
    Ok(found)
}

/// The orders that the account's marketplace has, with their lines where the book knows them as such.
fn book(world: &World, load: &Load<'_>, pair: &Pair) -> anyhow::Result<BTreeMap<String, Option<i64>>> {
    let account = &pair.account;
    let lines = |count: usize| i64::try_from(count).ok();
    Ok(match account.code {
        MarketplaceCode::Ajio => {
            let orders = world.simulator.ajio_orders(&account.name)?;
            orders.into_iter().map(|order| (order.order_id, lines(order.lines))).collect()
        }
        MarketplaceCode::AmazonIn => {
            let book = account.book()?.unwrap_or_default();
            book.orders().iter().map(|order| (order.order_id.clone(), lines(order.lines.len()))).collect()
        }
        MarketplaceCode::Flipkart => {
            world.simulator.flipkart_orders(&account.name)?.into_iter().map(|id| (id, None)).collect()
        }
        MarketplaceCode::Meesho => {
            let of_account = load.uploads.iter().filter(|(at, _)| world.accounts[*at].id == account.id);
            of_account.flat_map(|(_, upload)| upload.orders.iter().map(|id| (id.clone(), None))).collect()
        }
    })
}

async fn records(superuser: &Superuser, sql: &str, account: AccountId) -> anyhow::Result<Records> {
    let rows = superuser.query(sql, &[&account]).await?;
    let record = |row: &tokio_postgres::Row| {
        (row.get(0), Stored { stands: row.get(1), lines: row.get(2), sums: row.get(3) })
    };
    Ok(rows.iter().map(record).collect())
}

async fn set_aside(superuser: &Superuser, account: AccountId) -> anyhow::Result<BTreeSet<String>> {
    let rows = superuser.query(SET_ASIDE, &[&account]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Compares the records that both have. A record of which a version was set aside may be an older one.
fn unlike(found: &mut Vec<Difference>, of: &str, ours: &Records, quiet: &Records, aside: &BTreeSet<String>) {
    let both = || {
        ours.iter()
            .filter(|(id, _)| !aside.contains(*id))
            .filter_map(|(id, our)| Some((id, our, quiet.get(id)?)))
    };
    let differ = |is_so: &dyn Fn(&Stored, &Stored) -> bool| -> Vec<String> {
        both()
            .filter(|(_, our, quiet)| is_so(our, quiet))
            .map(|(id, our, quiet)| format!("{id} ({our:?} and not {quiet:?})"))
            .collect()
    };
    note(found, "stale", of, &differ(&|our, quiet| our.stands != quiet.stands));
    note(found, "doubled lines", of, &differ(&|our, quiet| our.lines > quiet.lines));
    note(found, "lost lines", of, &differ(&|our, quiet| our.lines < quiet.lines));
    note(
        found,
        "other amounts",
        of,
        &differ(&|our, quiet| our.lines == quiet.lines && our.sums != quiet.sums),
    );
}

fn note(found: &mut Vec<Difference>, kind: &str, of: &str, ids: &[impl fmt::Display]) {
    let Some(example) = ids.first() else { return };
    found.push(Difference { kind: kind.to_owned(), what: format!("{} {of}, such as {example}", ids.len()) });
}
