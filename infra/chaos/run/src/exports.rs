//! Exports: owners ask for files while rows change, and each file is compared with the rows: it has every row that there was when it was begun,
//! once, and no other seller's.

use std::collections::BTreeSet;

use anyhow::Context;
use robnu_dispatch::ExportMessage;
use robnu_tenancy::{Access, ExportId, Params, Permission, SellerId, SellerScope};

use crate::account::Seller;
use crate::compare::Difference;
use crate::world::World;

/// Asks for an export, as the API does.
const ASK: &str = "insert into robnu.exports (seller_id, id, list, filters) values (robnu.app_current_seller_id(), $1, $2, '{}')";
/// An export that fails or is killed six times in a row ends, and its member asks again.
const FAILED: &str = "select list || ': ' || coalesce(error_code, state) from robnu.exports
    where seller_id = any ($1) and state in ('FAILED', 'CANCELLED') and error_code is distinct from 'failing'";
const FILES: &str = "select e.id, e.seller_id, e.list, e.row_count, o.key from robnu.exports e
    join robnu.storage_objects o on o.seller_id = e.seller_id and o.id = e.object_id
    where e.seller_id = any ($1) and e.state = 'SUCCEEDED' and o.state = 'STORED'";
/// The rows of a list, and whether each was there before the export began: a row is stamped when its transaction begins, and a frozen function
/// may end it some seconds later.
const ROWS: &str = "select l.id::text, l.created_at < e.started_at - interval '15 seconds' as is_due
    from robnu.exports e
    join (select seller_id, id, created_at, 'orders' as list from robnu.orders
      union all select seller_id, id, created_at, 'returns' from robnu.returns) l on l.seller_id = e.seller_id and l.list = e.list
    where e.id = $1";

/// Asks for the orders or the returns of a seller. A seller has three exports at once and fifty a day; more are refused.
pub async fn ask(world: &World, seller: &Seller, is_orders: bool) {
    let list = if is_orders { "orders" } else { "returns" };
    let id = ExportId::new();
    let scope =
        SellerScope::for_member(seller.owner.clone(), seller.id, Permission::ExportsCreate, Access::Write);
    let asked = async {
        let session = world.api.session(&scope).await?;
        let params: Params<'_> = &[&id, &list];
        session.commit_with(&[(ASK, params)]).await?;
        let message = ExportMessage { seller_id: seller.id, export_id: id };
        let send = world.aws.sqs.send_message().queue_url(&world.exports).message_body(message.to_body());
        send.send().await?;
        anyhow::Ok(())
    };
    // The member's request fails with the database, and a message that is not sent is left to the sweep.
    drop(asked.await);
}

/// What is wrong with the files.
pub async fn differences(world: &World) -> anyhow::Result<Vec<Difference>> {
    let sellers: Vec<SellerId> = world.sellers.iter().map(|seller| seller.id).collect();
    let mut found = Vec::new();
    for row in world.superuser.query(FAILED, &[&sellers]).await? {
        found.push(difference("failed export", row.get(0)));
    }
    let files = world.superuser.query(FILES, &[&sellers]).await?;
    if files.is_empty() {
        found.push(difference("never exported", "no export succeeded".to_owned()));
    }
    for file in &files {
        let (id, list, count): (ExportId, String, i64) = (file.get(0), file.get(2), file.get(3));
        let content = read(world, file.get(4)).await.with_context(|| format!("read the export {id}"))?;
        let rows = world.superuser.query(ROWS, &[&id]).await?;
        let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let due = rows.iter().filter(|row| row.get(1)).map(|row| row.get::<_, String>(0));
        let exported: BTreeSet<&String> = content.iter().collect();
        let missing = due.filter(|id| !exported.contains(id)).count();
        let foreign = content.iter().filter(|id| !there.contains(*id)).count();
        let doubled = content.len() - exported.len();
        if missing + foreign + doubled > 0 || i64::try_from(content.len()) != Ok(count) {
            let what = format!(
                "{list}: {missing} rows are missing, {foreign} are no rows of the seller, {doubled} come twice; {} of {count} in all, export {id}",
                content.len()
            );
            found.push(difference("wrong export", what));
        }
    }
    Ok(found)
}

/// The ids in the first column of a file.
async fn read(world: &World, key: String) -> anyhow::Result<Vec<String>> {
    let object = world.aws.s3.get_object().bucket(&world.aws.bucket).key(key).send().await?;
    let bytes = object.body.collect().await?.into_bytes();
    let mut reader = csv::Reader::from_reader(bytes.as_ref());
    reader.records().map(|row| Ok(row?.get(0).unwrap_or_default().to_owned())).collect()
}

fn difference(kind: &str, what: String) -> Difference {
    Difference { kind: kind.to_owned(), what }
}
