//! Tries one table: every granted verb on our rows, where it may succeed, and on theirs, where it must fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use robnu_testkit::TwoSellers;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::tables::{Literals, Table, fingerprint};

/// The actors that try: members by role, and a job.
pub(crate) const ACTORS: [&str; 7] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER", "JOB"];

/// What the database answered.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// So many rows were read or written.
    Rows(u64),
    /// Refused, with this SQLSTATE.
    Refused(String),
    /// It succeeded and changed a row of theirs.
    TheirsChanged,
}

const NOT_ALLOWED: &str = "42501";

/// Tries tables one by one and collects the problems.
pub(crate) struct Probe<'a> {
    pub(crate) superuser: &'a Client,
    pub(crate) sellers: &'a TwoSellers,
    fingerprint: String,
    untouched: String,
    /// The problems, as sentences.
    pub(crate) problems: Vec<String>,
    /// The actors that succeeded on our own rows, by table and verb.
    pub(crate) rights: BTreeMap<(String, &'static str), Vec<&'static str>>,
}

impl<'a> Probe<'a> {
    pub(crate) async fn new(superuser: &'a Client, sellers: &'a TwoSellers, tables: &[Table]) -> Self {
        let fingerprint = fingerprint(tables, sellers.theirs.id);
        let untouched = superuser.query_one(&fingerprint, &[]).await.unwrap().get(0);
        Self { superuser, sellers, fingerprint, untouched, problems: Vec::new(), rights: BTreeMap::new() }
    }

    pub(crate) async fn table(&mut self, table: &Table) {
        let ours = table.row_of(self.superuser, self.sellers.ours.id).await;
        let theirs = table.row_of(self.superuser, self.sellers.theirs.id).await;
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            self.problem(format!("{} has no row of each seller: add one to the fixture", table.name));
            return;
        };
        for actor in ACTORS {
            self.read(table, actor).await;
            self.insert(table, actor, &ours, &theirs).await;
            self.update(table, actor, &ours, &theirs).await;
            self.delete(table, actor).await;
            self.never(table, actor).await;
        }
        for verb in ["select", "insert", "update", "delete"] {
            let unused = self.rights.get(&(table.name.clone(), verb)).is_some_and(Vec::is_empty);
            if unused {
                self.problem(format!("{} may {verb} by its grant, and no actor can", table.name));
            }
        }
    }

    async fn read(&mut self, table: &Table, actor: &'static str) {
        let columns = table.names(|column| column.selects);
        if columns.is_empty() {
            return;
        }
        let (name, columns) = (&table.name, columns.join(", "));
        let [ours, theirs] = [self.sellers.ours.id, self.sellers.theirs.id];
        let own = self
            .attempt(actor, None, &format!("select {columns} from robnu.{name} where seller_id = '{ours}'"))
            .await;
        self.note(table, "select", actor, &own);
        let foreign = format!("select {columns} from robnu.{name} where seller_id <> '{ours}'");
        self.must_touch_nothing(actor, &foreign).await;
        self.must_touch_nothing(
            actor,
            &format!("select {columns} from robnu.{name} where seller_id = '{theirs}'"),
        )
        .await;
    }

    async fn insert(&mut self, table: &Table, actor: &'static str, ours: &Literals, theirs: &Literals) {
        let columns = table.names(|column| column.inserts);
        if columns.is_empty() {
            return;
        }
        let keys = table.foreign_keys();
        let key_columns: BTreeSet<&str> = keys.values().flatten().copied().collect();
        // Our own row is removed before the copy, so that only theirs could conflict with it.
        let room = Some(table.name.as_str());
        let own = self.attempt(actor, room, &insert(table, &columns, |_| ours)).await;
        let allowed = self.note(table, "insert", actor, &own);

        self.must_be_refused(actor, &insert(table, &columns, |_| theirs), NOT_ALLOWED).await;
        for (key, parent) in &keys {
            if parent.iter().all(|column| columns.contains(column)) {
                let child =
                    insert(table, &columns, |column| if parent.contains(column) { theirs } else { ours });
                let outcome = self.attempt(actor, room, &child).await;
                if !matches!(outcome, Outcome::Refused(_)) {
                    self.problem(format!(
                        "{actor} makes a child of their parent by {key}: {outcome:?}: {child}"
                    ));
                }
            }
        }
        let same_but_for_the_seller = insert(table, &columns, |column| {
            // Keys with the actor cannot conflict, because each actor has keys of their own.
            let own = ["seller_id", "actor_id"].contains(&column) || key_columns.contains(column);
            if own { ours } else { theirs }
        });
        let outcome = self.attempt(actor, room, &same_but_for_the_seller).await;
        if allowed && outcome != Outcome::Rows(1) {
            self.problem(format!("{actor} learns of their keys: {outcome:?}: {same_but_for_the_seller}"));
        }
    }

    async fn update(&mut self, table: &Table, actor: &'static str, ours: &Literals, theirs: &Literals) {
        let columns = table.names(|column| column.updates);
        if columns.is_empty() {
            return;
        }
        let name = &table.name;
        let [our_id, their_id] = [self.sellers.ours.id, self.sellers.theirs.id];
        // Setting a column to itself breaks no key, so that only the policies can refuse it.
        let itself = |column: &&&str| table.columns.iter().any(|c| c.name == **column && c.selects);
        let (itself, given): (Vec<&str>, Vec<&str>) = columns.iter().partition(itself);
        let same: Vec<String> = itself.iter().map(|column| format!("{column} = {column}")).collect();
        let same = [same.join(", "), set(given.iter(), ours)].join(if given.is_empty() { "" } else { ", " });
        let own = self
            .attempt(actor, None, &format!("update robnu.{name} set {same} where seller_id = '{our_id}'"))
            .await;
        self.note(table, "update", actor, &own);
        self.must_touch_nothing(
            actor,
            &format!("update robnu.{name} set {same} where seller_id = '{their_id}'"),
        )
        .await;
        self.must_spare_theirs(actor, &format!("update robnu.{name} set {same}")).await;
        let mut moves = table.foreign_keys();
        moves.insert("seller_id", BTreeSet::from(["seller_id"]));
        for (key, moved) in moves {
            if moved.iter().all(|column| columns.contains(column)) {
                let sql = format!("update robnu.{name} set {}", set(moved.iter(), theirs));
                let outcome = self.attempt(actor, None, &sql).await;
                let refused = match &outcome {
                    Outcome::Rows(0) => true,
                    // A foreign key may refuse a child of another seller's parent; a changed seller_id must be refused by the policy.
                    Outcome::Refused(state) => key != "seller_id" || state == NOT_ALLOWED,
                    _ => false,
                };
                if !refused {
                    self.problem(format!("{actor} moves a row over to them by {key}: {outcome:?}: {sql}"));
                }
            }
        }
    }

    async fn delete(&mut self, table: &Table, actor: &'static str) {
        if !table.deletes {
            return;
        }
        let name = &table.name;
        let [ours, theirs] = [self.sellers.ours.id, self.sellers.theirs.id];
        // Only one row is deleted, because some must stay, such as the last owner.
        let one = format!("ctid = (select max(ctid) from robnu.{name} where seller_id = '{ours}')");
        let own = self.attempt(actor, None, &format!("delete from robnu.{name} where {one}")).await;
        self.note(table, "delete", actor, &own);
        self.must_touch_nothing(actor, &format!("delete from robnu.{name} where seller_id = '{theirs}'"))
            .await;
        self.must_spare_theirs(actor, &format!("delete from robnu.{name}")).await;
    }

    /// Checks that verbs without a grant are refused.
    async fn never(&mut self, table: &Table, actor: &'static str) {
        let name = &table.name;
        self.must_be_refused(actor, &format!("truncate robnu.{name} cascade"), NOT_ALLOWED).await;
        if !table.deletes {
            self.must_be_refused(actor, &format!("delete from robnu.{name}"), NOT_ALLOWED).await;
        }
        for column in &table.columns {
            let column_name = &column.name;
            if !column.selects {
                let sql = format!("select {column_name} from robnu.{name}");
                self.must_be_refused(actor, &sql, NOT_ALLOWED).await;
            }
            if !column.updates {
                let sql = format!("update robnu.{name} set {column_name} = null");
                self.must_be_refused(actor, &sql, NOT_ALLOWED).await;
            }
        }
    }

    /// Records whether `actor` succeeded on our own rows.
    fn note(&mut self, table: &Table, verb: &'static str, actor: &'static str, own: &Outcome) -> bool {
        let allowed = matches!(own, Outcome::Rows(1..));
        let actors = self.rights.entry((table.name.clone(), verb)).or_default();
        if allowed {
            actors.push(actor);
        } else if !matches!(own, Outcome::Rows(0)) && *own != Outcome::Refused(NOT_ALLOWED.to_owned()) {
            self.problem(format!("{actor} cannot try to {verb} on {}: {own:?}", table.name));
        }
        allowed
    }

    async fn must_touch_nothing(&mut self, actor: &str, sql: &str) {
        let outcome = self.attempt(actor, None, sql).await;
        if !matches!(outcome, Outcome::Rows(0)) && outcome != Outcome::Refused(NOT_ALLOWED.to_owned()) {
            self.problem(format!("{actor} reaches their rows: {outcome:?}: {sql}"));
        }
    }

    async fn must_spare_theirs(&mut self, actor: &str, sql: &str) {
        if self.attempt(actor, None, sql).await == Outcome::TheirsChanged {
            self.problem(format!("{actor} changes their rows: {sql}"));
        }
    }

    async fn must_be_refused(&mut self, actor: &str, sql: &str, state: &str) {
        let outcome = self.attempt(actor, None, sql).await;
        if outcome != Outcome::Refused(state.to_owned()) {
            self.problem(format!("{actor} is not refused: {outcome:?}: {sql}"));
        }
    }

    /// Runs a statement as `actor` of our seller, in a transaction that is always rolled back. `room` names a table from
    /// which our own rows are removed before.
    async fn attempt(&self, actor: &str, room: Option<&str>, sql: &str) -> Outcome {
        let ours = &self.sellers.ours;
        let (login, entry) = if actor == "JOB" {
            // A job opens the details of its own account only.
            let of_marketplace = [
                ("amazon_account_details", ours.amazon),
                ("flipkart_account_details", ours.flipkart),
                ("meesho_account_details", ours.meesho),
            ];
            let own = of_marketplace.into_iter().find(|(table, _)| sql.contains(table));
            let (seller, account) = (ours.id, own.map_or(ours.ajio, |(_, account)| account));
            let enter = format!("select robnu.enter_job('{seller}', '{account}')");
            ("robnu_adapter", format!("{enter}; select robnu.open_credentials('{account}', 'a test')"))
        } else {
            ("robnu_api", format!("select robnu.enter_member('{actor}@{0}', '{0}', '', true)", ours.id))
        };
        let mut script = format!("begin; set local session authorization {login}; {entry};");
        if let Some(table) = room {
            // Only a received return can be scanned again.
            let ready = if table == "return_events" {
                format!(
                    "update robnu.returns set received_at = now(), internal_status = 'RECEIVED' where seller_id = '{}';",
                    ours.id
                )
            } else {
                String::new()
            };
            // The scope is entered before, because scope entry may need the removed rows.
            let _ = write!(
                script,
                "reset session authorization; reset role; set local session_replication_role = replica;
                 delete from robnu.{table} where ctid = (select ctid from robnu.{table} where seller_id = '{0}' order by ctid limit 1); {ready}
                 set local session_replication_role = origin;
                 set local session authorization {login}; set local role robnu_tenant",
                ours.id
            );
        }
        self.superuser.batch_execute(&script).await.unwrap();
        let outcome = match self.superuser.simple_query(sql).await {
            Err(error) => {
                Outcome::Refused(error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_owned())
            }
            Ok(messages) => {
                let rows = messages.iter().find_map(|message| match message {
                    SimpleQueryMessage::CommandComplete(count) => Some(*count),
                    _ => None,
                });
                self.superuser.batch_execute("reset session authorization; reset role").await.unwrap();
                let found: String = self.superuser.query_one(&self.fingerprint, &[]).await.unwrap().get(0);
                if found == self.untouched {
                    Outcome::Rows(rows.unwrap_or(0))
                } else {
                    Outcome::TheirsChanged
                }
            }
        };
        self.superuser.batch_execute("rollback").await.unwrap();
        outcome
    }

    fn problem(&mut self, sentence: String) {
        self.problems.push(sentence);
    }
}

fn insert<'v>(table: &Table, columns: &[&str], from: impl Fn(&str) -> &'v Literals) -> String {
    let values: Vec<&str> = columns.iter().map(|column| from(column)[*column].as_str()).collect();
    format!("insert into robnu.{} ({}) values ({})", table.name, columns.join(", "), values.join(", "))
}

fn set<'c>(columns: impl Iterator<Item = &'c &'c str>, values: &Literals) -> String {
    columns.map(|column| format!("{column} = {}", values[*column])).collect::<Vec<_>>().join(", ")
}
