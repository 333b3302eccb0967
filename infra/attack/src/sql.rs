//! Attempts in SQL, behind the doors of the functions' own logins: every verb on every relation, functions with the
//! victim's ids, and statements that no function would ever send.
//!
//! What names the victim is committed, so that whatever it changes is seen afterwards. What would only hurt the insider
//! is rolled back.

use std::collections::BTreeMap;
use std::fmt::Write;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::Attempt;
use super::catalogue::{Function, Relation, quote};
use super::dice::Dice;
use super::stage::Stage;

/// Through which door an attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Owner,
    Viewer,
    Scanner,
    Person,
    Job,
    /// A member of the insider's seller who asks for the victim's.
    ForeignMember,
    /// A job of the insider's seller with the victim's account, or the other way round.
    ForeignJob,
    /// One who was a member until a moment ago.
    Stale,
}

const DOORS: [(usize, Door); 8] = [
    (50, Door::Owner),
    (6, Door::Viewer),
    (6, Door::Scanner),
    (8, Door::Person),
    (20, Door::Job),
    (4, Door::ForeignMember),
    (4, Door::ForeignJob),
    (2, Door::Stale),
];

/// A statement, and what may come of it.
#[derive(Debug)]
struct Statement {
    verb: &'static str,
    sql: String,
    /// It names the victim, so no row may be affected.
    names_victim: bool,
    /// It must fail.
    must_fail: bool,
    commits: bool,
}

/// Makes one attempt.
pub async fn attempt(stage: &Stage, dice: &mut Dice, attempt: &mut Attempt) {
    let door = *dice.weighted(&DOORS);
    let enter = enter(stage, door, dice);
    let shut = matches!(door, Door::ForeignMember | Door::ForeignJob | Door::Stale);
    let (row, statement) = if shut {
        let relation = dice.pick(&stage.catalogue.relations);
        (format!("door {door:?}"), select(stage, relation, dice))
    } else if dice.percent(20) {
        let function = dice.pick(&stage.catalogue.functions);
        (format!("{}()", function.name), call(stage, function, dice))
    } else {
        let relation = dice.pick(&stage.catalogue.relations);
        (relation.name.clone(), statement(stage, relation, dice))
    };
    attempt.label(&row, statement.verb);
    let on_adapter = matches!(door, Door::Job | Door::ForeignJob);
    let follow = format!("select seller_id from robnu.{}", dice.pick(&stage.catalogue.relations).name);
    attempt.shown = format!("{enter}; {}; {follow}", statement.sql);
    let ran =
        stage.with_login(on_adapter, async |client| run(client, &enter, &statement, &follow).await).await;
    match ran {
        Ok(outcome) => judge(stage, shut, &statement, &outcome, attempt),
        Err(error) => attempt.find(format!("no connection: {error:#}")),
    }
}

fn enter(stage: &Stage, door: Door, dice: &mut Dice) -> String {
    let (insider, victim) = (&stage.insider, &stage.victim);
    let member = |subject: &str, seller: &str| {
        format!("select robnu.enter_member({}, {}, '', true)", quote(subject), quote(seller))
    };
    let job = |seller: &str, account: &str| {
        format!("select robnu.enter_job({}, {})", quote(seller), quote(account))
    };
    let tokens = &stage.tokens;
    match door {
        Door::Owner => member(&tokens.owner.subject, &insider.seller),
        Door::Viewer => member(&tokens.viewer.subject, &insider.seller),
        Door::Scanner => member(&tokens.scanner.subject, &insider.seller),
        Door::Stale => member(&tokens.stale.subject, &insider.seller),
        Door::ForeignMember => member(&tokens.owner.subject, &victim.seller),
        Door::Person => format!("select robnu.enter_person({})", quote(&tokens.owner.subject)),
        Door::Job => {
            let enter = job(&insider.seller, &insider.account);
            format!("{enter}; select robnu.open_credentials({}, 'an attack')", quote(&insider.account))
        }
        Door::ForeignJob if dice.percent(50) => job(&insider.seller, &victim.account),
        Door::ForeignJob => job(&victim.seller, &insider.account),
    }
}

/// What came of a statement.
#[derive(Debug, Default)]
struct Outcome {
    entered: bool,
    failed: Option<String>,
    constraint: Option<String>,
    affected: u64,
    /// All that was seen: rows, and texts of errors.
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
                // Whether the scope is still what it was.
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

fn judge(stage: &Stage, shut: bool, statement: &Statement, outcome: &Outcome, attempt: &mut Attempt) {
    attempt.answered(match (&outcome.failed, outcome.affected) {
        (Some(_), _) => "refused",
        (None, 0) => "nothing",
        (None, _) => "own rows",
    });
    if outcome.entered == shut {
        let was = if shut { "let a stranger in" } else { "refused the insider" };
        attempt.find(format!("the door {was}: {:?}", outcome.failed));
    }
    if let Some(secret) = stage.leak(&outcome.seen, &attempt.shown) {
        attempt.find(format!("the victim's {secret} is seen"));
    }
    if outcome.failed.is_none() && outcome.entered {
        if statement.must_fail {
            attempt.find("is not refused".to_owned());
        }
        if statement.names_victim && outcome.affected > 0 {
            attempt.find(format!("affects {} rows of the victim", outcome.affected));
        }
    }
    if let Some(index) = &outcome.constraint
        && outcome.failed.as_deref() == Some("23505")
        && stage.catalogue.shared_indexes.iter().any(|shared| shared.trim_start_matches("robnu.") == index)
    {
        attempt.find(format!("{index} tells what others have"));
    }
}

fn statement(stage: &Stage, relation: &Relation, dice: &mut Dice) -> Statement {
    match dice.below(100) {
        0..35 => select(stage, relation, dice),
        35..58 => insert(stage, relation, dice),
        58..78 => update(stage, relation, dice),
        78..88 => delete(stage, relation, dice),
        _ => other(relation, dice),
    }
}

fn plain(verb: &'static str, sql: String) -> Statement {
    Statement { verb, sql, names_victim: false, must_fail: false, commits: false }
}

fn select(stage: &Stage, relation: &Relation, dice: &mut Dice) -> Statement {
    let name = &relation.name;
    let victim = quote(&stage.victim.seller);
    let columns = relation.names(|column| column.selects);
    let listed = if columns.is_empty() { "seller_id".to_owned() } else { columns.join(", ") };
    let column = if columns.is_empty() { "seller_id" } else { *dice.pick(&columns) };
    let id = quote(&stage.victim.id_for(name, dice));
    let payload = quote(dice.payload());
    let sql = match dice.below(12) {
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

fn insert(stage: &Stage, relation: &Relation, dice: &mut Dice) -> Statement {
    let empty = Literals::new();
    let ours = stage.insider.rows.get(&relation.name).unwrap_or(&empty);
    let theirs = stage.victim.rows.get(&relation.name).unwrap_or(&empty);
    let columns = relation.names(|column| column.inserts && ours.contains_key(&column.name));
    let into = |values: Vec<String>| {
        format!("insert into robnu.{} ({}) values ({})", relation.name, columns.join(", "), values.join(", "))
    };
    if columns.is_empty() {
        let sql = format!(
            "insert into robnu.{} (seller_id) values ({})",
            relation.name,
            quote(&stage.victim.seller)
        );
        return Statement { verb: "insert", sql, names_victim: true, must_fail: true, commits: true };
    }
    let keys = relation.foreign_keys();
    let keys: Vec<&Vec<&str>> =
        keys.values().filter(|parts| parts.iter().all(|part| columns.contains(part))).collect();
    match dice.below(4) {
        0 if !keys.is_empty() => {
            // A child of our own for a parent of theirs.
            let parent = *dice.pick(&keys);
            let values = columns.iter().map(|column| match *column {
                name if parent.contains(&name) => theirs[name].clone(),
                name => fresh(name, &ours[name]),
            });
            let sql = into(values.collect());
            Statement { verb: "insert", sql, names_victim: false, must_fail: true, commits: true }
        }
        1 => {
            // Their keys for a row of our own: whether it is taken tells something.
            let own = |name: &str| {
                name == "seller_id" || name == "actor_id" || keys.iter().any(|parts| parts.contains(&name))
            };
            let values = columns
                .iter()
                .map(|column| if own(column) { ours[*column].clone() } else { theirs[*column].clone() });
            plain("insert", into(values.collect()))
        }
        _ => {
            let source = if dice.percent(50) { ours } else { theirs };
            let values = columns.iter().map(|column| match *column {
                "seller_id" => quote(&stage.victim.seller),
                name => fresh(name, &source[name]),
            });
            let mut sql = into(values.collect());
            if dice.percent(30) {
                sql.push_str(" on conflict do nothing returning seller_id");
            }
            Statement { verb: "insert", sql, names_victim: true, must_fail: true, commits: true }
        }
    }
}

/// A value that is not taken yet, where a key needs one.
fn fresh(column: &str, literal: &str) -> String {
    match column {
        "id" => "uuidv7()".to_owned(),
        name if name.starts_with("external_") => "uuidv7()::text".to_owned(),
        _ => literal.to_owned(),
    }
}

fn update(stage: &Stage, relation: &Relation, dice: &mut Dice) -> Statement {
    let empty = Literals::new();
    let name = &relation.name;
    let theirs = stage.victim.rows.get(name).unwrap_or(&empty);
    let victim = quote(&stage.victim.seller);
    let columns = relation.names(|column| column.updates);
    let keys = relation.foreign_keys();
    let moves: Vec<&Vec<&str>> =
        keys.values().filter(|parts| parts.iter().all(|part| columns.contains(part))).collect();
    match dice.below(4) {
        0 => {
            let sql = format!("update robnu.{name} set seller_id = {victim} returning seller_id");
            Statement { must_fail: true, ..plain("update", sql) }
        }
        1 if !moves.is_empty() && stage.insider.rows.contains_key(name) => {
            let set: Vec<String> =
                dice.pick(&moves).iter().map(|column| format!("{column} = {}", theirs[*column])).collect();
            // Affects no row where the insider may change none; never moves one over.
            let sql = format!("update robnu.{name} set {} returning 1 / 0", set.join(", "));
            Statement { names_victim: true, ..plain("update", sql) }
        }
        2 if !columns.is_empty() => {
            let column = *dice.pick(&columns);
            plain("update", format!("update robnu.{name} set {column} = {column} returning seller_id"))
        }
        _ => {
            let column = if columns.is_empty() { "seller_id" } else { *dice.pick(&columns) };
            let narrow = if dice.percent(50) {
                format!("seller_id = {victim}")
            } else {
                format!("ctid = any (array(select ctid from robnu.{name} where seller_id = {victim}))")
            };
            let sql = format!("update robnu.{name} set {column} = null where {narrow}");
            Statement { names_victim: true, commits: true, ..plain("update", sql) }
        }
    }
}

fn delete(stage: &Stage, relation: &Relation, dice: &mut Dice) -> Statement {
    let name = &relation.name;
    let victim = quote(&stage.victim.seller);
    if dice.percent(40) {
        return plain("delete", format!("delete from robnu.{name} returning seller_id"));
    }
    let sql = if dice.percent(50) {
        format!("delete from robnu.{name} where seller_id = {victim}")
    } else {
        format!(
            "delete from robnu.{name} t using robnu.sellers s where t.seller_id = {victim} or s.seller_id = {victim}"
        )
    };
    Statement { names_victim: true, commits: true, ..plain("delete", sql) }
}

/// What no scope may do to any relation.
fn other(relation: &Relation, dice: &mut Dice) -> Statement {
    let name = &relation.name;
    let sql = match dice.below(10) {
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
    // Whether GRANT without any right fails depends on what is held; it must only give nothing.
    let must_fail = !sql.starts_with("grant");
    Statement { must_fail, ..plain("other", sql) }
}

fn call(stage: &Stage, function: &Function, dice: &mut Dice) -> Statement {
    // What is committed must hold no text of the victim's, or the insider's own rows would tell it afterwards.
    let commits = dice.percent(60);
    let arguments: Vec<String> = function
        .types
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            argument(stage, kind, function.names.get(index).map_or("", String::as_str), commits, dice)
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

fn argument(stage: &Stage, kind: &str, name: &str, commits: bool, dice: &mut Dice) -> String {
    let side = if dice.percent(75) { &stage.victim } else { &stage.insider };
    let literal = match kind {
        "uuid" => quote(&side.id_for(name, dice)),
        "text" => match dice.below(4) {
            0 if !commits => quote(&format!("ADMIN@{}", side.seller)),
            1 if !commits => quote(&side.seller),
            2 => quote(dice.payload()),
            _ => quote(["robnu_owner", "OWNER", "orders", "members.all"][dice.below(4)]),
        },
        "bytea" => dice.pick(&["'\\x00'", "sha256('key')", "sha256('x')"]).to_string(),
        "boolean" => dice.pick(&["true", "false"]).to_string(),
        "regclass" => format!("'robnu.{}'", dice.pick(&stage.catalogue.relations).name),
        "text[]" => "array['read', 'members.all']".to_owned(),
        "uuid[]" => format!("array[{}]", quote(&side.id_for(name, dice))),
        "jsonb" => "'{}'".to_owned(),
        "integer" | "bigint" | "smallint" | "numeric" | "double precision" => dice.below(5).to_string(),
        "timestamp with time zone" => "now()".to_owned(),
        "date" => "current_date".to_owned(),
        _ => "null".to_owned(),
    };
    format!("{literal}::{kind}")
}
