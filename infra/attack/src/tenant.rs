//! The sellers of an attack: the insider's seller, the victim and neighbours. Each has the rows of the test kit's fixture, at
//! least one in every relation. The victim's rows contain a marker that nobody else may ever see.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::catalogue::{Catalogue, quote};
use super::random::Random;
use local::traces::Traces;

/// The test kit's fixture: a row in every relation.
const FIXTURE: &str = include_str!("../../../shared/testkit/src/fixture.sql");

/// One seller with its ids and rows.
#[derive(Debug, Default)]
pub struct Tenant {
    /// The seller's id.
    pub seller: String,
    /// The account with a lane.
    pub account: String,
    /// Its ids by relation; `people` has the ids of its members.
    pub ids: BTreeMap<String, Vec<String>>,
    /// The first row of each relation, as SQL literals by column.
    pub rows: BTreeMap<String, BTreeMap<String, String>>,
}

impl Tenant {
    /// Adds the fixture's rows to a seller. Rows that exist already, because the seller has signed up itself, stay.
    pub async fn seed(superuser: &Client, seller: Uuid, traces: &Traces) -> anyhow::Result<Self> {
        let mut ids = BTreeMap::from([("seller".to_owned(), seller)]);
        let script = with_ids(&traces.fixture(FIXTURE), &mut ids);
        superuser.batch_execute("begin").await?;
        for statement in script.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            superuser.batch_execute("savepoint here").await?;
            match superuser.batch_execute(statement).await {
                Ok(()) => {}
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                    superuser.batch_execute("rollback to here").await?;
                }
                Err(error) => return Err(anyhow!("the fixture fails: {error:?}: {statement}")),
            }
        }
        // The stack's sweeps find nothing to do, so that only the attack changes these sellers. The rate limit is lifted.
        let quiet = format!(
            "set local session_replication_role = replica;
             update schedules set enabled = false where seller_id = '{seller}';
             update raw_pages set object_id = id, leased_until = '2100-01-01' where seller_id = '{seller}';
             update returns set pending_at = '2100-01-01', warn_at = null where seller_id = '{seller}';
             update usage_notices set mailed_at = now() where seller_id = '{seller}';
             update lane_openings set opened_at = now() where seller_id = '{seller}';
             update sellers set requests_per_window = 1000000000 where seller_id = '{seller}';
             commit; reset search_path"
        );
        superuser.batch_execute(&quiet).await?;
        traces.adopt(seller).await?;
        let account = ids.get("ajio").context("the fixture names an account ajio")?.to_string();
        Ok(Self { seller: seller.to_string(), account, ..Self::default() })
    }

    /// Copies a row of each relation where no constraint forbids it, so that lists have a second page.
    pub async fn double(&self, superuser: &Client, catalogue: &Catalogue) -> anyhow::Result<()> {
        superuser.batch_execute("begin; set local session_replication_role = replica").await?;
        for relation in &catalogue.relations {
            if !relation.columns.iter().any(|column| column.name == "id") {
                continue;
            }
            let columns = relation.names(|column| !column.generated);
            let values: Vec<String> = columns
                .iter()
                .map(|column| match *column {
                    "id" => "uuidv7()".to_owned(),
                    name if name.starts_with("external_") || name == "email" => format!("'2-' || {name}"),
                    name => name.to_owned(),
                })
                .collect();
            let sql = format!(
                "savepoint here; insert into robnu.{0} ({1}) select {2} from robnu.{0} where seller_id = '{3}' limit 1",
                relation.name,
                columns.join(", "),
                values.join(", "),
                self.seller
            );
            if superuser.batch_execute(&sql).await.is_err() {
                superuser.batch_execute("rollback to here").await?;
            }
        }
        Ok(superuser.batch_execute("commit").await?)
    }

    /// Sets the fixture's ciphertexts to null where the column allows it, because no key opens them.
    pub async fn forget_secrets(&self, superuser: &Client, catalogue: &Catalogue) -> anyhow::Result<()> {
        superuser.batch_execute("begin; set local session_replication_role = replica").await?;
        for relation in catalogue.relations.iter().filter(|relation| !relation.is_view) {
            for column in relation.names(|column| column.name.ends_with("_enc")) {
                let (name, seller) = (&relation.name, &self.seller);
                let sql = format!(
                    "savepoint here; update robnu.{name} set {column} = null where seller_id = '{seller}'"
                );
                if superuser.batch_execute(&sql).await.is_err() {
                    superuser.batch_execute("rollback to here").await?;
                }
            }
        }
        Ok(superuser.batch_execute("commit").await?)
    }

    /// Writes the marker into every text and ciphertext of the seller that accepts it. Returns how many columns did.
    pub async fn mark(
        &self,
        superuser: &Client,
        catalogue: &Catalogue,
        marker: &str,
        traces: &Traces,
    ) -> anyhow::Result<usize> {
        superuser.batch_execute("begin; set local session_replication_role = replica").await?;
        let mut columns = 0;
        for relation in catalogue.relations.iter().filter(|relation| !relation.is_view) {
            for column in &relation.columns {
                // The platform needs the columns about the lane.
                if column.refers || column.generated || column.name.starts_with("lane_") {
                    continue;
                }
                let text = format!("'{marker}-' || left(md5(t.ctid::text || '{}'), 6)", column.name);
                let value = match column.kind.as_str() {
                    "text" => text,
                    "text[]" => format!("array[{text}]"),
                    "bytea" => format!("convert_to({text}, 'utf8')"),
                    "jsonb" => format!("jsonb_build_object('note', {text})"),
                    _ => continue,
                };
                let sql = format!(
                    "savepoint here; update robnu.{} t set {} = {value} where seller_id = '{}'",
                    relation.name, column.name, self.seller
                );
                if superuser.batch_execute(&sql).await.is_ok() {
                    columns += 1;
                } else {
                    superuser.batch_execute("rollback to here").await?;
                }
            }
        }
        let people = format!(
            "update robnu.people set email = '{}' where id in (
               select person_id from robnu.members where seller_id = '{}'); commit",
            traces.email(marker),
            self.seller
        );
        superuser.batch_execute(&people).await?;
        Ok(columns)
    }

    /// Reads the seller's ids and rows.
    pub async fn look(&mut self, superuser: &Client, catalogue: &Catalogue) -> anyhow::Result<()> {
        for relation in &catalogue.relations {
            let seller = &self.seller;
            let columns: Vec<&_> = relation.columns.iter().filter(|column| !column.generated).collect();
            let values: Vec<String> = columns
                .iter()
                .map(|column| format!("quote_nullable({}::text) || '::{}'", column.name, column.kind))
                .collect();
            let sql = format!(
                "select array[{}] from robnu.{} where seller_id = '{seller}'",
                values.join(", "),
                relation.name
            );
            let rows = superuser.query(&sql, &[]).await.with_context(|| format!("read {}", relation.name))?;
            if let Some(row) = rows.first() {
                let literals: Vec<String> = row.get(0);
                let names = columns.iter().map(|column| column.name.clone());
                self.rows.insert(relation.name.clone(), names.zip(literals).collect());
            }
            if relation.columns.iter().any(|column| column.name == "id") {
                let sql = format!(
                    "select id::text from robnu.{} where seller_id = '{seller}' order by id",
                    relation.name
                );
                let rows = superuser.query(&sql, &[]).await?;
                self.ids.insert(relation.name.clone(), rows.iter().map(|row| row.get(0)).collect());
            }
        }
        let sql = "select person_id::text from robnu.members where seller_id = $1::text::uuid order by 1";
        let people = superuser.query(sql, &[&self.seller]).await?;
        self.ids.insert("people".to_owned(), people.iter().map(|row| row.get(0)).collect());
        Ok(())
    }

    /// An id for a parameter with this name: in most cases of the relation that the name suggests, otherwise any.
    pub fn id_for(&self, name: &str, random: &mut Random) -> String {
        let lower = name.to_lowercase();
        let stem = lower.trim_end_matches("id").trim_end_matches('_');
        if stem == "seller" {
            return self.seller.clone();
        }
        let fits =
            |relation: &str| !stem.is_empty() && relation.replace('_', "").contains(&stem.replace('_', ""));
        let fitting: Vec<&String> =
            self.ids.iter().filter(|(relation, _)| fits(relation)).flat_map(|(_, ids)| ids).collect();
        if !fitting.is_empty() && random.percent(85) {
            return (*random.pick(&fitting)).clone();
        }
        let all: Vec<&String> = self.ids.values().flatten().collect();
        if all.is_empty() { random.uuid() } else { (*random.pick(&all)).clone() }
    }

    /// Every id of the seller, including the seller's own.
    pub fn all_ids(&self) -> BTreeSet<String> {
        self.ids.values().flatten().chain([&self.seller]).cloned().collect()
    }
}

/// The script with an id in place of each name that begins with a colon. A name without an id gets a new one.
fn with_ids(script: &str, ids: &mut BTreeMap<String, Uuid>) -> String {
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(at) = rest.find(':') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let name: String = after[1..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let cast = text.ends_with(':');
        if name.is_empty() || cast {
            text.push(':');
            rest = &after[1..];
            continue;
        }
        let id = ids.entry(name.clone()).or_insert_with(Uuid::now_v7);
        text.push_str(&quote(&id.to_string()));
        text.push_str("::uuid");
        rest = &after[1 + name.len()..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_and_casts_and_times_stay() {
        let mut ids = BTreeMap::new();
        let script = with_ids("select :seller, :order, :seller, 1::text, '00:00:00Z', 'https://a'", &mut ids);
        let (seller, order) = (ids["seller"], ids["order"]);
        assert_eq!(
            script,
            format!(
                "select E'{seller}'::uuid, E'{order}'::uuid, E'{seller}'::uuid, 1::text, '00:00:00Z', 'https://a'"
            )
        );
    }
}
