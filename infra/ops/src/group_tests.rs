use serde_json::{Value, json};

use super::*;
use crate::stack::LOCAL;

fn thing(what: &str, marketplace: &str, account: &str, why: &str) -> Value {
    json!({"what": what, "marketplace": marketplace, "seller_id": format!("seller of {account}"), "account_id": account,
        "id": format!("id of {account}"), "kind": "ORDERS", "since": "2026-03-01T09:00:00Z", "why": why, "count": 1})
}

fn one(things: &[Value]) -> Group {
    let mut groups = group(things, LOCAL);
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.remove(0)
}

#[test]
fn a_marketplace_that_is_down_is_one_group_that_offers_its_pause() {
    let things: Vec<Value> =
        ["a", "b", "c", "d"].map(|account| thing("RUN_FAILING", "AJIO", account, "http_503")).to_vec();
    let group = one(&things);
    assert_eq!((group.count, group.accounts, group.sellers), (4, 4, 4));
    let command = "cargo xtask ops runs --marketplace AJIO --error http_503";
    assert_eq!(group.help.command.as_deref(), Some(command));
    assert!(group.steps[0].starts_with("4 accounts of AJIO fail with the same error"), "{:?}", group.steps);
    assert_eq!(group.actions.len(), 1);
    let action = &group.actions[0];
    assert_eq!((action.name, &action.request), ("hold", &json!({"marketplace": "AJIO"})));
    assert_eq!(action.command.as_deref(), Some("cargo xtask ops marketplace pause AJIO --reason TEXT"));
}

#[test]
fn failing_runs_of_one_account_offer_the_pause_of_the_account() {
    let things =
        [thing("RUN_FAILING", "AJIO", "a", "http_503"), thing("RUN_FAILING", "AJIO", "a", "http_503")];
    let group = one(&things);
    assert_eq!((group.accounts, group.account_id.as_deref()), (1, Some("a")));
    assert_eq!(group.actions[0].request, json!({"account": "a"}));
}

#[test]
fn a_wave_of_dead_letters_is_redriven_by_what_they_have_in_common() {
    let mut things: Vec<Value> =
        ["a", "b"].map(|account| thing("DEAD_LETTER", "AJIO", account, "TOO_MANY_RECEIVES")).to_vec();
    things[1]["count"] = 499.into();
    let wave = one(&things);
    assert_eq!((wave.count, wave.actions[0].label.as_str()), (500, "Redrive all 500…"));
    assert_eq!(
        wave.actions[0].request,
        json!({"marketplace": "AJIO", "died_of": "TOO_MANY_RECEIVES", "kind": "ORDERS"})
    );
    let command = "cargo xtask ops dlq redrive --marketplace AJIO --died-of TOO_MANY_RECEIVES --kind ORDERS";
    assert_eq!(wave.help.command.as_deref(), Some(command));
    let command = "cargo xtask ops dlq discard --reason TEXT --marketplace AJIO --died-of TOO_MANY_RECEIVES --kind ORDERS";
    assert_eq!(wave.actions[1].command.as_deref(), Some(command));
    let single = one(&things[..1]);
    let filter = json!({"marketplace": "AJIO", "died_of": "TOO_MANY_RECEIVES", "account": "a", "seller": "seller of a", "kind": "ORDERS"});
    assert_eq!((single.actions[0].name, &single.actions[0].request), ("redrive", &filter));
}

#[test]
fn a_change_reaches_no_further_than_what_is_shown() {
    // Two kinds of one account, as the page shows them for one seller.
    let mut two = [thing("DEAD_LETTER", "AJIO", "a", "x"), thing("DEAD_LETTER", "AJIO", "a", "x")];
    two[1]["kind"] = "RETURNS".into();
    let group = one(&two);
    let names: Vec<&str> = group.actions.iter().map(|action| action.name).collect();
    assert_eq!(names, ["redrive"], "without a kind, a discard would reach letters that nobody can read");
    let filter = json!({"marketplace": "AJIO", "died_of": "x", "account": "a", "seller": "seller of a"});
    assert_eq!(group.actions[0].request, filter);
    let command =
        "cargo xtask ops dlq redrive --marketplace AJIO --died-of x --account a --seller seller of a";
    assert_eq!(group.help.command.as_deref(), Some(command));
    let lanes = ["a", "b"].map(|account| thing("LANE_MISSING", "AJIO", account, "lane_requested"));
    assert!(one(&lanes).actions.is_empty(), "lane requests have no marketplace");
    // Accounts of one seller do not make a marketplace that is down.
    let mut failing = ["a", "b", "c"].map(|account| thing("RUN_FAILING", "AJIO", account, "http_503"));
    for thing in &mut failing {
        thing["seller_id"] = "s".into();
    }
    let group = one(&failing);
    assert!(group.actions.is_empty() && group.steps[0].starts_with("Open the run"), "{group:?}");
}

#[test]
fn letters_that_nobody_can_read_are_apart_and_can_only_be_discarded() {
    let mut garbage = thing("DEAD_LETTER", "AJIO", "a", "garbage");
    garbage["kind"] = "UNREADABLE".into();
    let groups = group(&[thing("DEAD_LETTER", "AJIO", "a", "garbage"), garbage], LOCAL);
    assert_eq!(groups.len(), 2);
    let names = |group: &Group| group.actions.iter().map(|action| action.name).collect::<Vec<_>>();
    assert_eq!((names(&groups[0]), names(&groups[1])), (vec!["redrive", "discard"], vec!["discard"]));
    assert_eq!(groups[1].actions[0].request, json!({"ids": ["id of a"]}));
}

#[test]
fn what_sellers_and_staff_must_do_has_no_button_and_what_was_stopped_can_be_resumed() {
    for what in ["ACCOUNT_NEEDS_RECONNECT", "ACCOUNT_PAUSED", "SELLER_SUSPENDED", "EXPORT_FAILING"] {
        assert!(one(&[thing(what, "AJIO", "a", "x")]).actions.is_empty(), "{what}");
    }
    let held = one(&[thing("MARKETPLACE_HELD", "AJIO", "a", "held_by_operator")]);
    assert_eq!(held.actions[0].name, "resume");
    assert_eq!(held.turn, Turn::Stopped);
}

#[test]
fn groups_stand_in_the_order_of_their_oldest_things_and_each_thing_has_its_help() {
    let things = [
        thing("RUN_NOT_TAKEN", "AJIO", "a", "not_received"),
        thing("DEAD_LETTER", "AJIO", "a", "garbage"),
        thing("RUN_NOT_TAKEN", "AJIO", "b", "not_received"),
        thing("RUN_NOT_TAKEN", "MEESHO", "c", "not_received"),
    ];
    let groups = group(&things, "robnu-prod");
    let sizes: Vec<_> = groups.iter().map(|group| (group.what.as_str(), group.things.len())).collect();
    assert_eq!(sizes, [("RUN_NOT_TAKEN", 2), ("DEAD_LETTER", 1), ("RUN_NOT_TAKEN", 1)]);
    let command = &groups[0].things[1]["help"]["command"];
    assert_eq!(command, "cargo xtask ops lanes --account b --stack robnu-prod");
    assert!(groups[0].steps[0].contains("/aws/lambda/robnu-prod-adapter-ajio"), "{:?}", groups[0].steps);
}
