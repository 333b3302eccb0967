//! Hostile events: a good event that is changed in its structure and in its texts.
//!
//! Tests try a few hundred of them, always the same ones. `FUZZ_CASES=100000 cargo test …` tries that many, and other ones each
//! time. An event that fails is printed and belongs in the test's corpus.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

/// Every hostile text that is not there for its bytes holds this marker. No log may show it.
pub const MARKER: &str = "hunter2";

/// Texts that have broken something somewhere.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "hunter2\r\nx-injected: hunter2",
    "https, http",
    "hunter2:99999999",
    "[::1",
    "@hunter2",
    "//hunter2",
    "\\..\\hunter2",
    "/v1/../v1/me",
    "/v1/me?hunter2=1#hunter2",
    "%",
    "%zz%00%2e%252e%c0%ae",
    "\t\u{b}\u{7f}\u{85}",
    "é\u{301}\u{202e}\u{feff}\u{fffd}\u{10ffff}",
    "٣\u{ff11}",
    "hunter2=hunter2&hunter2",
    "==%3D;hunter2",
    "-0",
    "1e999",
    "99999999999999999999999999",
    "0192ABCD-EF01-7234-8567-89ABCDEF0123",
    "{0192abcd-ef01-7234-8567-89abcdef0123}",
    "urn:uuid:0192abcd-ef01-7234-8567-89abcdef0123",
    "' or 1=1 --",
    "{\"__proto__\":{}}",
    "%s%n{}{0}",
    "TRUE",
    "OPTIONS",
    "get",
    "application/json; charset=\"",
];

/// A change of one place of an event.
#[derive(Debug, Clone)]
enum Change {
    Remove,
    Put(Value),
    /// Inserts a text into the present text.
    Insert(Index, &'static str),
    InArray,
    Doubled,
    Named(&'static str),
}

/// Values of every type and of unusual size.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => prop::sample::select(TEXTS).prop_map(Value::from),
        2 => prop::sample::select(vec![
            Value::Null,
            json!(true),
            json!({}),
            json!([]),
            json!([null]),
            json!({MARKER: [MARKER]}),
            json!(-1),
            json!(1.5e300),
            json!(u64::MAX),
        ]),
        1 => (1_usize..20_000).prop_map(|length| Value::from("hunter2 ".repeat(length))),
        1 => (1_usize..120).prop_map(|depth| (0..depth).fold(json!(MARKER), |inner, _| json!([inner]))),
        2 => any::<String>().prop_map(Value::from),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => Just(Change::Remove),
        4 => values().prop_map(Change::Put),
        4 => (any::<Index>(), prop::sample::select(TEXTS)).prop_map(|(at, text)| Change::Insert(at, text)),
        1 => Just(Change::InArray),
        1 => Just(Change::Doubled),
        1 => prop::sample::select(TEXTS).prop_map(Change::Named),
    ]
}

/// Calls `check` with hostile forms of these events, as many as usual or as `FUZZ_CASES` says.
///
/// # Panics
/// Panics when `check` does.
pub async fn for_each_hostile(bases: &[Value], usual: usize, mut check: impl AsyncFnMut(Value)) {
    let asked = std::env::var("FUZZ_CASES").ok().map(|cases| cases.parse().expect("FUZZ_CASES is a number"));
    let mut runner = match asked {
        None => TestRunner::deterministic(),
        Some(_) => TestRunner::new(Config { failure_persistence: None, ..Config::default() }),
    };
    let plans = (any::<Index>(), prop::collection::vec((any::<Index>(), changes()), 1..4));
    for _ in 0..asked.unwrap_or(usual) {
        let (base, plan) = plans.new_tree(&mut runner).expect("plans are never rejected").current();
        let mut event = base.get(bases).clone();
        for (place, change) in plan {
            alter(&mut event, place, change);
        }
        check(event).await;
    }
}

/// Changes one of all places of a value.
fn alter(event: &mut Value, place: Index, change: Change) {
    let mut places = Vec::new();
    collect(event, String::new(), &mut places);
    let place = &places[place.index(places.len())];
    match change {
        Change::Remove => remove(event, place),
        Change::Named(name) => rename(event, place, name),
        _ => {
            let value = event.pointer_mut(place).expect("the place was found a moment ago");
            *value = match (change, value.take()) {
                (Change::Put(new), _) => new,
                (Change::Insert(at, text), Value::String(mut old)) => {
                    let places: Vec<usize> =
                        old.char_indices().map(|(at, _)| at).chain([old.len()]).collect();
                    old.insert_str(*at.get(&places), text);
                    Value::String(old)
                }
                (Change::Insert(_, text), _) => text.into(),
                (Change::InArray, old) => json!([old]),
                (_, old) => json!([old.clone(), old]),
            };
        }
    }
}

/// Collects the pointers to a value and to all values within it.
fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(field, format!("{place}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                collect(item, format!("{place}/{number}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

/// Returns the object that has a place as a field, and the field's name.
fn field<'a>(event: &'a mut Value, place: &str) -> Option<(&'a mut Map<String, Value>, String)> {
    let (parent, name) = place.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    Some((event.pointer_mut(parent)?.as_object_mut()?, name))
}

fn remove(event: &mut Value, place: &str) {
    match field(event, place) {
        Some((object, name)) => _ = object.remove(&name),
        None => *event.pointer_mut(place).expect("the place was found a moment ago") = Value::Null,
    }
}

fn rename(event: &mut Value, place: &str, new: &str) {
    if let Some((object, name)) = field(event, place) {
        let value = object.remove(&name).unwrap_or_default();
        object.insert(new.to_owned(), value);
    }
}
