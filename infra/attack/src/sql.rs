//! Attempts in SQL, in scopes of the functions' own logins: every verb on every relation, functions with the
//! victim's ids, and statements that no function would ever send.
//!
//! A statement that names the victim is committed, so that its changes can be seen afterwards. A statement that would only harm
//! the insider is rolled back.

use std::collections::BTreeMap;
use std::fmt::Write;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::attempt::Attempt;
use super::catalogue::{Function, Relation, quote};
use super::random::Random;
use super::test_bed::TestBed;

/// The scope that an attempt enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Owner,
    Viewer,
    Scanner,
    Person,
    Job,
    /// A member of the insider's seller who enters the victim's seller.
    ForeignMember,
    /// A job with the insider's seller and the victim's account, or the other way round.
    ForeignJob,
    /// A person who was a member until a moment ago.
    Stale,
}

const ENTRIES: [(usize, Entry); 8] = [
    (50, Entry::Owner),
    (6, Entry::Viewer),
    (6, Entry::Scanner),
    (8, Entry::Person),
    (20, Entry::Job),
    (4, Entry::ForeignMember),
    (4, Entry::ForeignJob),
    (2, Entry::Stale),
];

/// A statement, and what it may do.
#[derive(Debug)]
struct Statement {
    verb: &'static str,
    sql: String,
    /// Whether it names the victim, so that it must affect no row.
    names_victim: bool,
    /// Whether it must fail.
    must_fail: bool,
    commits: bool,
}

/// Makes one attempt.
pub async fn attempt(test_bed: &TestBed, random: &mut Random, attempt: &mut Attempt) {
    let entry = *random.weighted(&ENTRIES);
    let enter = enter(test_bed, entry, random);
    let must_be_refused = matches!(entry, Entry::ForeignMember | Entry::ForeignJob | Entry::Stale);
    let (row, statement) = if must_be_refused {
        let relation = random.pick(&test_bed.catalogue.relations);
        (format!("entry {entry:?}"), select(test_bed, relation, random))
    } else if random.percent(20) {
        let function = random.pick(&test_bed.catalogue.functions);
        (format!("{}()", function.name), call(test_bed, function, random))
    } else {
        let relation = random.pick(&test_bed.catalogue.relations);
        (relation.name.clone(), statement(test_bed, relation, random))
    };
    attempt.label(&row, statement.verb);
    let on_adapter = matches!(entry, Entry::Job | Entry::ForeignJob);
    let follow = format!("select seller_id from robnu.{}", random.pick(&test_bed.catalogue.relations).name);
    attempt.shown = format!("{enter}; {}; {follow}", statement.sql);
    let ran =
        test_bed.with_login(on_adapter, async |client| run(client, &enter, &statement, &follow).await).await;
    match ran {
        Ok(outcome) => judge(test_bed, must_be_refused, &statement, &outcome, attempt),
        Err(error) => attempt.find(format!("no connection: {error:#}")),
    }
}

fn enter(test_bed: &TestBed, entry: Entry, random: &mut Random) -> String {
    let (insider, victim) = (&test_bed.insider, &test_bed.victim);
    let member = |subject: &str, seller: &str| {
        format!("select robnu.enter_member({}, {}, '', true)", quote(subject), quote(seller))
    };
    let job = |seller: &str, account: &str| {
        format!("select robnu.enter_job({}, {})", quote(seller), quote(account))
    };
    let tokens = &test_bed.tokens;
    match entry {
        Entry::Owner => member(&tokens.owner.subject, &insider.seller),
        Entry::Viewer => member(&tokens.viewer.subject, &insider.seller),
        Entry::Scanner => member(&tokens.scanner.subject, &insider.seller),
        Entry::Stale => member(&tokens.stale.subject, &insider.seller),
        Entry::ForeignMember => member(&tokens.owner.subject, &victim.seller),
        Entry::Person => format!("select robnu.enter_person({})", quote(&tokens.owner.subject)),
        Entry::Job => {
            let enter = job(&insider.seller, &insider.account);
            format!("{enter}; select robnu.open_credentials({}, 'an attack')", quote(&insider.account))
        }
        Entry::ForeignJob if random.percent(50) => job(&insider.seller, &victim.account),
        Entry::ForeignJob => job(&victim.seller, &insider.account),
    }
}

/// The result of a statement.
#[derive(Debug, Default)]
struct Outcome {
    entered: bool,
    failed: Option<String>,
    constraint: Option<String>,
    affected: u64,
    /// Everything that was seen: rows and error texts.
    seen: String,
}

async fn run(client: &Client, enter: &str, statement: &Statement, follow: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let look = |answer: Result<Vec<SimpleQueryMessage>, tokio_postgres::Error>, outcome: &mut Outcome| {
        match answer {
            Ok(messages) => {
                for message in &messages {
                    match message {
                        SimpleQueryMessage::Row(row) => {
                            for column in 0..row.len() {
                                outcome.seen.push_str(row.get(column).unwrap_or_default());
                                outcome.seen.push('\n');
                            }
                        }
                        SimpleQueryMessage::CommandComplete(count) => outcome.affected += count,
                        _ => {}
                    }
                }
            }
            Err(error) => {
                let database_error = error.as_db_error();
                let code =
                    database_error.map_or_else(|| error.to_string(), |error| error.code().code().to_owned());
                outcome.constraint =
                    database_error.and_then(|error| error.constraint()).map(ToOwned::to_owned);
                // Writing to a String cannot fail.
                let _ = write!(outcome.seen, "{error:?}");
                outcome.failed = Some(code);
            }
        }
    };
    match client.batch_execute(&format!("begin; {enter}")).await {
        Ok(()) => {
            outcome.entered = true;
            look(client.simple_query(&statement.sql).await, &mut outcome);
            if outcome.failed.is_none() {
                // Checks whether the scope is still the same.
                let affected = outcome.affected;
                look(client.simple_query(follow).await, &mut outcome);
                (outcome.affected, outcome.failed) = (affected, None);
            }
        }
        Err(error) => look(Err(error), &mut outcome),
    }
    let end = if statement.commits && outcome.failed.is_none() { "commit" } else { "rollback" };
    look(client.simple_query(end).await, &mut outcome);
    outcome
}

fn judge(
    test_bed: &TestBed,
    must_be_refused: bool,
    statement: &Statement,
    outcome: &Outcome,
    attempt: &mut Attempt,
) {
    attempt.answered(match (&outcome.failed, outcome.affected) {
        (Some(_), _) => "refused",
        (None, 0) => "nothing",
        (None, _) => "own rows",
    });
    if outcome.entered == must_be_refused {
        let what = if must_be_refused { "accepted a stranger" } else { "refused the insider" };
        attempt.find(format!("scope entry {what}: {:?}", outcome.failed));
    }
    if let Some(secret) = test_bed.leak(&outcome.seen, &attempt.shown) {
        attempt.find(format!("shows the victim's {secret}"));
    }
    if outcome.failed.is_none() && outcome.entered {
        if statement.must_fail {
            attempt.find("the statement is not refused".to_owned());
        }
        if statement.names_victim && outcome.affected > 0 {
            attempt.find(format!("the statement affects {} rows of the victim", outcome.affected));
        }
    }
    if let Some(index) = &outcome.constraint
        && outcome.failed.as_deref() == Some("23505")
        && test_bed.catalogue.shared_indexes.iter().any(|shared| shared.trim_start_matches("robnu.") == index)
    {
        attempt.find(format!("the unique index {index} reveals what others have"));
    }
}

fn statement(test_bed: &TestBed, relation: &Relation, random: &mut Random) -> Statement {
    match random.below(100) {
        0..35 => select(test_bed, relation, random),
        35..58 => insert(test_bed, relation, random),
        58..78 => update(test_bed, relation, random),
        78..88 => delete(test_bed, relation, random),
        _ => other(relation, random),
    }
}

fn plain(verb: &'static str, sql: String) -> Statement {
    Statement { verb, sql, names_victim: false, must_fail: false, commits: false }
}

fn select(test_bed: &TestBed, relation: &Relation, random: &mut Random) -> Statement {
    let name = &relation.name;
    let victim = quote(&test_bed.victim.seller);
    let columns = relation.names(|column| column.selects);
    let listed = if columns.is_empty() { "seller_id".to_owned() } else { columns.join(", ") };
    let column = if columns.is_empty() { "seller_id" } else { *random.pick(&columns) };
    let id = quote(&test_bed.victim.id_for(name, random));
    let payload = quote(random.payload());
    let sql = match random.below(12) {
        0 => format!("select {listed} from robnu.{name}"),
        1 => format!("select {listed} from robnu.{name} where seller_id = {victim}"),
        2 => format!("select t::text from robnu.{name} t"),
        3 => format!("select to_jsonb(t)::text from robnu.{name} t where seller_id = {victim}"),
        4 => format!(
            "select 1 / (count(*) - count(*)) from robnu.{name} where seller_id = {victim} having count(*) > 0"
        ),
        5 => format!("select ({column}::text)::integer from robnu.{name} where seller_id = {victim}"),
        6 => format!(
            "select {column} from robnu.{name} where seller_id = {victim} or {column}::text = {payload}"
        ),
        7 => format!("select string_agg({column}::text, ',') from robnu.{name} tablesample system (100)"),
        8 => format!(
            "select p.subject, p.email from robnu.people p, robnu.{name} t where t.seller_id = {victim}"
        ),
        9 => format!(
            "select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = '{name}'"
        ),
        10 => format!("copy (select {listed} from robnu.{name}) to stdout"),
        _ => format!("select {listed} from robnu.{name} where {column}::text = {id} for update"),
    };
    plain("select", sql)
}

type Literals = BTreeMap<String, String>;

fn insert(test_bed: &TestBed, relation: &Relation, random: &mut Random) -> Statement {
    let empty = Literals::new();
    let ours = test_bed.insider.rows.get(&relation.name).unwrap_or(&empty);
    let theirs = test_bed.victim.rows.get(&relation.name).unwrap_or(&empty);
    let columns = relation.names(|column| column.inserts && ours.contains_key(&column.name));
    let into = |values: Vec<String>| {
        format!("insert into robnu.{} ({}) values ({})", relation.name, columns.join(", "), values.join(", "))
    };
    if columns.is_empty() {
        let sql = format!(
            "insert into robnu.{} (seller_id) values ({})",
            relation.name,
            quote(&test_bed.victim.seller)
        );
        return Statement { verb: "insert", sql, names_victim: true, must_fail: true, commits: true };
    }
    let keys = relation.foreign_keys();
    let keys: Vec<&Vec<&str>> =
        keys.values().filter(|parts| parts.iter().all(|part| columns.contains(part))).collect();
    match random.below(4) {
        0 if !keys.is_empty() => {
            // A row of the insider that refers to a parent row of the victim.
            let parent = *random.pick(&keys);
            let values = columns.iter().map(|column| match *column {
                name if parent.contains(&name) => theirs[name].clone(),
                name => fresh(name, &ours[name]),
            });
            let sql = into(values.collect());
            Statement { verb: "insert", sql, names_victim: false, must_fail: true, commits: true }
        }
        1 => {
            // A row of the insider with the victim's keys: a conflict would reveal that the keys exist.
            let own = |name: &str| {
                name == "seller_id" || name == "actor_id" || keys.iter().any(|parts| parts.contains(&name))
            };
            let values = columns
                .iter()
                .map(|column| if own(column) { ours[*column].clone() } else { theirs[*column].clone() });
            plain("insert", into(values.collect()))
        }
        _ => {
            let source = if random.percent(50) { ours } else { theirs };
            let values = columns.iter().map(|column| match *column {
                "seller_id" => quote(&test_bed.victim.seller),
                name => fresh(name, &source[name]),
            });
            let mut sql = into(values.collect());
            if random.percent(30) {
                sql.push_str(" on conflict do nothing returning seller_id");
            }
            Statement { verb: "insert", sql, names_victim: true, must_fail: true, commits: true }
        }
    }
}

/// A new value if the column is a key; otherwise the literal.
fn fresh(column: &str, literal: &str) -> String {
    match column {
        "id" => "uuidv7()".to_owned(),
        name if name.starts_with("external_") => "uuidv7()::text".to_owned(),
        _ => literal.to_owned(),
    }
}

fn update(test_bed: &TestBed, relation: &Relation, random: &mut Random) -> Statement {
    let empty = Literals::new();
    let name = &relation.name;
    let theirs = test_bed.victim.rows.get(name).unwrap_or(&empty);
    let victim = quote(&test_bed.victim.seller);
    let columns = relation.names(|column| column.updates);
    let keys = relation.foreign_keys();
    let moves: Vec<&Vec<&str>> =
        keys.values().filter(|parts| parts.iter().all(|part| columns.contains(part))).collect();
    match random.below(4) {
        0 => {
            let sql = format!("update robnu.{name} set seller_id = {victim} returning seller_id");
            Statement { must_fail: true, ..plain("update", sql) }
        }
        1 if !moves.is_empty() && test_bed.insider.rows.contains_key(name) => {
            let set: Vec<String> =
                random.pick(&moves).iter().map(|column| format!("{column} = {}", theirs[*column])).collect();
            // Fails on the first row that it would change, so it never moves one of the insider's rows.
            let sql = format!("update robnu.{name} set {} returning 1 / 0", set.join(", "));
            Statement { names_victim: true, ..plain("update", sql) }
        }
        2 if !columns.is_empty() => {
            let column = *random.pick(&columns);
            plain("update", format!("update robnu.{name} set {column} = {column} returning seller_id"))
        }
        _ => {
            let column = if columns.is_empty() { "seller_id" } else { *random.pick(&columns) };
            let narrow = if random.percent(50) {
                format!("seller_id = {victim}")
            } else {
                format!("ctid = any (array(select ctid from robnu.{name} where seller_id = {victim}))")
            };
            let sql = format!("update robnu.{name} set {column} = null where {narrow}");
            Statement { names_victim: true, commits: true, ..plain("update", sql) }
        }
    }
}

fn delete(test_bed: &TestBed, relation: &Relation, random: &mut Random) -> Statement {
    let name = &relation.name;
    let victim = quote(&test_bed.victim.seller);
    if random.percent(40) {
        return plain("delete", format!("delete from robnu.{name} returning seller_id"));
    }
    let sql = if random.percent(50) {
        format!("delete from robnu.{name} where seller_id = {victim}")
    } else {
        format!(
            "delete from robnu.{name} t using robnu.sellers s where t.seller_id = {victim} or s.seller_id = {victim}"
        )
    };
    Statement { names_victim: true, commits: true, ..plain("delete", sql) }
}

/// A statement that no scope may run on any relation.
fn other(relation: &Relation, random: &mut Random) -> Statement {
    let name = &relation.name;
    let sql = match random.below(10) {
        0 => format!("truncate robnu.{name} cascade"),
        1 => format!("alter table robnu.{name} disable row level security"),
        2 => format!("alter table robnu.{name} no force row level security"),
        3 => format!("create policy attack on robnu.{name} using (true)"),
        4 => format!("drop table robnu.{name} cascade"),
        5 => format!("comment on table robnu.{name} is 'attacked'"),
        6 => format!("create view robnu.attack as select * from robnu.{name}"),
        7 => {
            format!("create trigger attack before update on robnu.{name} execute function robnu.audit_row()")
        }
        8 => format!("grant select on robnu.{name} to public"),
        _ => "set role robnu_owner".to_owned(),
    };
    // GRANT without the grant option may succeed with a warning; it grants nothing then.
    let must_fail = !sql.starts_with("grant");
    Statement { must_fail, ..plain("other", sql) }
}

fn call(test_bed: &TestBed, function: &Function, random: &mut Random) -> Statement {
    // A committed call must contain no text of the victim, or the insider's own rows would show it afterwards.
    let commits = random.percent(60);
    let arguments: Vec<String> = function
        .types
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            argument(test_bed, kind, function.names.get(index).map_or("", String::as_str), commits, random)
        })
        .collect();
    let arguments = arguments.join(", ");
    let sql = if function.is_procedure {
        format!("call robnu.{}({arguments})", function.name)
    } else {
        format!("select * from robnu.{}({arguments})", function.name)
    };
    Statement { commits, ..plain("call", sql) }
}

fn argument(test_bed: &TestBed, kind: &str, name: &str, commits: bool, random: &mut Random) -> String {
    let tenant = if random.percent(75) { &test_bed.victim } else { &test_bed.insider };
    let literal = match kind {
        "uuid" => quote(&tenant.id_for(name, random)),
        "text" => match random.below(4) {
            0 if !commits => quote(&format!("ADMIN@{}", tenant.seller)),
            1 if !commits => quote(&tenant.seller),
            2 => quote(random.payload()),
            _ => quote(["robnu_owner", "OWNER", "orders", "members.all"][random.below(4)]),
        },
        "bytea" => random.pick(&["'\\x00'", "sha256('key')", "sha256('x')"]).to_string(),
        "boolean" => random.pick(&["true", "false"]).to_string(),
        "regclass" => format!("'robnu.{}'", random.pick(&test_bed.catalogue.relations).name),
        "text[]" => "array['read', 'members.all']".to_owned(),
        "uuid[]" => format!("array[{}]", quote(&tenant.id_for(name, random))),
        "jsonb" => "'{}'".to_owned(),
        "integer" | "bigint" | "smallint" | "numeric" | "double precision" => random.below(5).to_string(),
        "timestamp with time zone" => "now()".to_owned(),
        "date" => "current_date".to_owned(),
        _ => "null".to_owned(),
    };
    format!("{literal}::{kind}")
}
