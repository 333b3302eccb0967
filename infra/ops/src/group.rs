//! Things that are stuck for the same reason, as one: a marketplace that is down or a wave of dead letters is one line with one thing to
//! do, not five hundred.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::help::{FORMS, Help, UNREADABLE, command, helps, waits_for_marketplace};
use crate::pages::text;
use crate::words::{Turn, adapter, log, meaning, reason};

/// From how many accounts with the same error on a marketplace is looked at before its accounts.
const MANY: usize = 3;
/// The most ids in one command.
const MOST_IDS: usize = 20;

/// Things that are stuck for the same reason.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    /// What, such as `DEAD_LETTER`.
    pub what: String,
    /// What that means.
    pub title: &'static str,
    /// More of it.
    pub meaning: &'static str,
    /// Who can do something.
    pub turn: Turn,
    /// The marketplace, or the source of dead letters.
    pub marketplace: Option<String>,
    /// Why: a code.
    pub why: String,
    /// What the code means.
    pub reason: Option<&'static str>,
    /// Since when the oldest is stuck.
    pub since: String,
    /// How many things, or dead letters.
    pub count: i64,
    /// How many accounts.
    pub accounts: usize,
    /// How many sellers.
    pub sellers: usize,
    /// The one account of all of them.
    pub account_id: Option<String>,
    /// What to do, step by step.
    pub steps: Vec<String>,
    /// The command that helps against all of them.
    pub help: Help,
    /// What the console can do itself.
    pub actions: Vec<Action>,
    /// The things, oldest first.
    pub things: Vec<Value>,
}

/// A change that the console offers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Action {
    /// `redrive`, `discard`, `hold` or `resume`.
    pub name: &'static str,
    /// What stands on its button.
    pub label: String,
    /// What it is asked for with.
    pub request: Value,
    /// The same as a command.
    pub command: Option<String>,
}

/// Groups things, oldest first; the groups are in the order of their oldest things.
pub(crate) fn group(things: &[Value], stack: &str) -> Vec<Group> {
    let mut groups: Vec<(String, Vec<&Value>)> = Vec::new();
    for thing in things {
        let key = key(thing);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(thing),
            None => groups.push((key, vec![thing])),
        }
    }
    groups.into_iter().filter_map(|(_, members)| Group::of(&members, stack)).collect()
}

/// What things of one group have in common. Letters that nobody can read are apart, because they can only be discarded.
fn key(thing: &Value) -> String {
    let unreadable = thing["kind"] == UNREADABLE;
    format!("{} {} {} {unreadable}", text(thing, "what"), text(thing, "marketplace"), text(thing, "why"))
}

impl Group {
    fn of(members: &[&Value], stack: &str) -> Option<Self> {
        let first = *members.first()?;
        let distinct =
            |field: &str| members.iter().filter_map(|thing| thing[field].as_str()).collect::<BTreeSet<_>>();
        let (accounts, sellers) = (distinct("account_id"), distinct("seller_id"));
        let (what, why) = (text(first, "what"), text(first, "why"));
        let meaning = meaning(if first["kind"] == UNREADABLE { UNREADABLE } else { &what });
        let only = accounts
            .first()
            .filter(|_| accounts.len() == 1 && members.iter().all(|m| m["account_id"].is_string()));
        let mut group = Self {
            title: meaning.title,
            meaning: meaning.text,
            turn: meaning.turn,
            marketplace: first["marketplace"].as_str().map(str::to_owned),
            reason: reason(&why),
            since: text(first, "since"),
            count: members.iter().map(|thing| thing["count"].as_i64().unwrap_or(1)).sum(),
            accounts: accounts.len(),
            sellers: sellers.len(),
            account_id: only.map(|&account| account.to_owned()),
            steps: Vec::new(),
            help: Help::default(),
            actions: Vec::new(),
            things: members.iter().map(|&thing| with_help(thing, stack)).collect(),
            what,
            why,
        };
        group.help = group.helps(members, stack);
        group.steps = group.steps(stack);
        group.actions = group.actions(members, stack);
        Some(group)
    }

    /// The command for all things of the group: that of its only thing, or a wider one.
    fn helps(&self, members: &[&Value], stack: &str) -> Help {
        let first = members[0];
        let marketplace = self.marketplace.as_deref().unwrap_or_default();
        match self.what.as_str() {
            _ if self.things.len() == 1 || self.why == "limit_reached" => helps(first, stack),
            // A filter would choose letters as well that can be read.
            "DEAD_LETTER" if first["kind"] == UNREADABLE => {
                let ids = members
                    .iter()
                    .take(MOST_IDS)
                    .map(|thing| text(thing, "id"))
                    .collect::<Vec<_>>()
                    .join(" ");
                command(stack, &format!("dlq discard {ids} --reason TEXT"))
            }
            "DEAD_LETTER" => {
                let flags = common(members).into_iter().map(|(field, value)| format!(" --{field} {value}"));
                let flags: String = flags.collect();
                command(
                    stack,
                    &format!("dlq redrive --marketplace {marketplace} --died-of {}{flags}", self.why),
                )
            }
            "RUN_FAILING" if waits_for_marketplace(&self.why) => {
                command(stack, &format!("marketplace resume {marketplace} --reason TEXT"))
                    .and("when it answers again; until then they try by themselves")
            }
            "RUN_FAILING" => {
                command(stack, &format!("runs --marketplace {marketplace} --error {}", self.why))
            }
            "RUN_NOT_TAKEN" | "LANE_MISSING" | "ACCOUNT_HELD" => {
                command(stack, &format!("lanes --marketplace {marketplace}"))
            }
            _ => Help { command: None, ..helps(first, stack) },
        }
    }

    /// What to do, in order.
    fn steps(&self, stack: &str) -> Vec<String> {
        let marketplace = self.marketplace.clone().unwrap_or_default();
        let many = self.accounts >= MANY && self.sellers > 1;
        let all_of = format!("{} accounts of {marketplace}", self.accounts);
        let adapter_log = log(stack, &adapter(&marketplace));
        let steps: Vec<String> = match self.what.as_str() {
            "RUN_FAILING" if many => vec![
                format!("{all_of} fail with the same error: the marketplace is down, or has changed. Read {adapter_log}."),
                "Is it down? Wait: the runs go on by themselves when it is well again.".to_owned(),
                "Does it answer nonsense? Pause the marketplace until that is mended.".to_owned(),
            ],
            "RUN_FAILING" => vec![
                format!("Open the run below, and read its lines in {adapter_log}, by run.id."),
                "Pause the account if its runs harm others.".to_owned(),
            ],
            "RUN_NOT_TAKEN" if self.why == "not_published" => sweep(stack),
            "RUN_NOT_TAKEN" if self.why == "limit_reached" => vec![
                "Who keeps the marketplace busy? The busiest accounts are under Marketplaces.".to_owned(),
                "Raise the limit if the marketplace and the database can bear more runs at once.".to_owned(),
            ],
            "RUN_NOT_TAKEN" => vec![
                format!("Are there errors or throttles of {}? Read {adapter_log}.", adapter(&marketplace)),
                format!("Is the queue or its mapping gone? The reconcile makes lanes anew every 15 minutes: read {}.", log(stack, "lanes")),
                "Then the scheduling sweep publishes the runs again. Nothing is lost.".to_owned(),
            ],
            "LANE_MISSING" => vec![
                format!("Which call did AWS refuse? Read {}. The reconcile tries again every 15 minutes, unless LaneReconcileEnabled is false.", log(stack, "lanes")),
                "Redrive the requests for these lanes, if they became dead letters.".to_owned(),
            ],
            "DEAD_LETTER" if self.things.iter().any(|thing| thing["kind"] == UNREADABLE) => vec![
                "Show one: does its body say who sent it?".to_owned(),
                "Discard them. Nobody can read them, so they cannot be redriven.".to_owned(),
            ],
            "DEAD_LETTER" => vec![
                "Find the fault first: a redrive before it is mended makes the same dead letters again.".to_owned(),
                "Redrive a single one, and open its run to see whether it goes on.".to_owned(),
                "Then redrive the others. It may be interrupted and repeated, and neither loses nor doubles anything.".to_owned(),
            ],
            "ACCOUNT_NEEDS_RECONNECT" if many => vec![
                format!("{all_of} are refused. If that began at one time, look at the marketplace's login and at {adapter_log} before you write to sellers."),
                "Otherwise ask each seller to send new credentials.".to_owned(),
            ],
            "ACCOUNT_NEEDS_RECONNECT" => vec!["Ask the seller to send new credentials. They are tested at once.".to_owned()],
            "SCHEDULE_OVERDUE" | "IMPORT_NOT_TAKEN" => sweep(stack),
            "EXPORT_FAILING" | "EXPORT_NOT_TAKEN" => {
                vec![format!("Read {}, by export.id. Is ExportSweepEnabled true?", log(stack, "exporter"))]
            }
            "ACCOUNT_HELD" | "MARKETPLACE_HELD" => vec!["Resume when the fault is mended.".to_owned()],
            _ => Vec::new(),
        };
        steps
    }

    fn actions(&self, members: &[&Value], stack: &str) -> Vec<Action> {
        let first = members[0];
        let marketplace = self.marketplace.as_deref().unwrap_or_default();
        let letters =
            if self.count == 1 { "the dead letter".to_owned() } else { format!("all {}", self.count) };
        match (self.what.as_str(), self.account_id.as_deref()) {
            ("DEAD_LETTER", _) if first["kind"] == UNREADABLE => {
                let ids: Vec<&Value> = self.things.iter().map(|thing| &thing["id"]).collect();
                vec![self.on_letters("discard", format!("Discard {letters}…"), json!({ "ids": ids }))]
            }
            ("DEAD_LETTER", _) => {
                let mut filter = json!({"marketplace": marketplace, "died_of": self.why});
                for (field, value) in common(members) {
                    filter[field] = value.into();
                }
                let redrive = self.on_letters("redrive", format!("Redrive {letters}…"), filter.clone());
                // Without a kind, the filter chooses letters as well that are listed elsewhere. Handling them again harms nobody.
                let discard = filter["kind"]
                    .is_string()
                    .then(|| self.on_letters("discard", format!("Discard {letters}…"), filter));
                std::iter::once(redrive).chain(discard).collect()
            }
            ("LANE_MISSING", Some(account)) => {
                let request = json!({"marketplace": "LANE_REQUESTS", "account": account});
                vec![self.on_letters("redrive", "Redrive its lane requests…".to_owned(), request)]
            }
            ("RUN_FAILING", None) if self.accounts >= MANY && self.sellers > 1 => {
                vec![Action::hold("hold", "marketplace", marketplace, stack)]
            }
            ("RUN_FAILING" | "RUN_NOT_TAKEN", Some(account)) => {
                vec![Action::hold("hold", "account", account, stack)]
            }
            ("ACCOUNT_HELD", Some(account)) => vec![Action::hold("resume", "account", account, stack)],
            ("MARKETPLACE_HELD", _) => vec![Action::hold("resume", "marketplace", marketplace, stack)],
            _ => Vec::new(),
        }
    }

    /// A change of dead letters. The group's own command does the same, or says more than that.
    fn on_letters(&self, name: &'static str, label: String, request: Value) -> Action {
        let redrive = self.help.command.clone();
        let command = match name {
            "discard" => {
                redrive.map(|command| command.replacen("dlq redrive", "dlq discard --reason TEXT", 1))
            }
            _ => redrive,
        };
        Action { name, label, request, command }
    }
}

impl Action {
    /// A pause (`hold`) or its end.
    fn hold(name: &'static str, of: &str, id: &str, stack: &str) -> Self {
        let verb = if name == "hold" { "pause" } else { "resume" };
        let what = if of == "account" { "the account".to_owned() } else { format!("all of {id}") };
        let label = format!("{}{} {what}…", verb[..1].to_uppercase(), &verb[1..]);
        let Help { command, .. } = command(stack, &format!("{of} {verb} {id} --reason TEXT"));
        Self { name, label, request: json!({ of: id }), command }
    }
}

fn sweep(stack: &str) -> Vec<String> {
    vec![format!("Is SchedulingSweepEnabled true? Read {}.", log(stack, "sweep"))]
}

/// The filters that all of these dead letters pass, by the names that commands and requests have for them. So nothing is changed that
/// is not listed, as far as filters can say that.
fn common<'a>(members: &[&'a Value]) -> Vec<(&'static str, &'a str)> {
    let of_all = |field: &str| {
        let value = members.first()?[field].as_str()?;
        members.iter().all(|member| member[field] == value).then_some(value)
    };
    let fields = [
        ("account", of_all("account_id")),
        ("seller", of_all("seller_id")),
        ("kind", of_all("kind").filter(|kind| !FORMS.contains(kind))),
    ];
    fields.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
}

fn with_help(thing: &Value, stack: &str) -> Value {
    let mut thing = thing.clone();
    thing["help"] = json!(helps(&thing, stack));
    thing
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
