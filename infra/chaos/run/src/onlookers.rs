//! The onlookers: sellers that have nothing to do with the run. Their rows are compared, table by table.

use std::collections::BTreeMap;

use robnu_tenancy::SellerId;

use crate::compare::Difference;
use crate::superuser::Superuser;

const TABLES: &str = "select c.relname::text from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'seller_id' and not a.attisdropped
    where c.relnamespace = 'robnu'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1";

/// Number and digest of the onlookers' rows in each table.
pub type Picture = BTreeMap<String, String>;

/// The onlookers' rows as they are now.
pub async fn picture(superuser: &Superuser, sellers: &[SellerId]) -> anyhow::Result<Picture> {
    let mut picture = Picture::new();
    for table in superuser.query(TABLES, &[]).await? {
        let name: String = table.get(0);
        let sql = format!(
            "select count(*) || ' rows, ' || md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from robnu.{name} t
             where t.seller_id = any ($1)"
        );
        picture.insert(name, superuser.row(&sql, &[&sellers]).await?.get(0));
    }
    Ok(picture)
}

/// The tables whose rows differ.
pub fn differences(before: &Picture, after: &Picture) -> Vec<Difference> {
    let changed = after.iter().filter(|(name, rows)| before.get(*name) != Some(rows));
    let difference = |(name, _): (&String, &String)| Difference {
        kind: "other sellers' rows changed".to_owned(),
        what: name.clone(),
    };
    changed.map(difference).collect()
}
