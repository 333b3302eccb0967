//! Tells a finding as a numbered list in plain English.

use std::fmt::Write as _;

use crate::action::Action;
use crate::fact::{Fact, What};
use crate::ledger::{Publication, Run, State};
use crate::search::Finding;
use crate::transition::{Model, Next};
use crate::world::{By, Function, Place, Process, Publisher, Work, World};

/// Tells what happens, and which promise that breaks.
#[must_use]
pub fn tell(model: &Model, finding: &Finding) -> String {
    let mut told = String::new();
    let mut world = model.scenario.start();
    let faults = finding.actions.len() - finding.after_faults;
    for (place, &action) in finding.actions.iter().enumerate() {
        if place == faults {
            told.push_str("   From here on, nothing goes wrong any more:\n");
        }
        let next = model.apply(&world, action);
        let rows = changed_rows(&world, &next.world);
        // Writing to a String cannot fail.
        let _ = writeln!(told, "{:>2}. {}{rows}", place + 1, line(&world, action, &next));
        world = next.world;
    }
    let _ = write!(told, "    => {}", finding.broken);
    told
}

/// The rows that changed, as they are now.
fn changed_rows(before: &World, after: &World) -> String {
    let mut told = String::new();
    for (account, (old, new)) in (0..).zip(before.accounts.iter().zip(&after.accounts)) {
        for (run, entry) in (0..).zip(&new.runs) {
            if old.runs.get(usize::from(run)).map(|old| old.row) != Some(entry.row) {
                let _ = write!(told, "  [{}: {}]", name(after, account, run), row(&entry.row));
            }
        }
    }
    told
}

fn row(row: &Run) -> String {
    let sent = if row.is_sent { "sent" } else { "unsent" };
    let over = match row.state {
        State::Queued if row.is_over && row.is_sent => ", unanswered for long",
        State::Queued if row.is_over => ", unsent for long",
        State::Waiting if row.is_over => ", has waited",
        State::Running if row.is_over => ", lease lapsed",
        _ => "",
    };
    let turn = if row.waits_for_turn() { ", waits for its turn" } else { "" };
    format!("{} at {}, attempt {}, {sent}{over}{turn}", row.state.as_str(), publication(row.at), row.attempt)
}

fn publication(Publication { step, generation }: Publication) -> String {
    format!("step {step} generation {generation}")
}

/// A run's name: its number, and whose it is where there are several sellers.
fn name(world: &World, account: u8, run: u8) -> String {
    let run = run + 1;
    if world.accounts.len() > 1 {
        format!("run {run} of seller {}", account + 1)
    } else {
        format!("run {run}")
    }
}

fn whose(world: &World, account: u8) -> String {
    if world.accounts.len() > 1 { format!("seller {}'s", account + 1) } else { "the seller's".to_owned() }
}

fn function_name(process: u8) -> char {
    char::from(b'A' + process)
}

fn publisher_name(by: By) -> &'static str {
    match by {
        By::Api => "the API",
        By::Sweep => "the sweep",
        By::Redrive => "the redrive",
    }
}

fn process_name(world: &World, process: u8) -> String {
    match world.processes[usize::from(process)] {
        Process::Publisher(publisher) => publisher_name(publisher.by).to_owned(),
        _ => format!("function {}", function_name(process)),
    }
}

fn line(world: &World, action: Action, next: &Next) -> String {
    let kind = |kind| if kind == 0 { "orders" } else { "a push of stock" };
    match action {
        Action::Request { account, kind: of } => {
            let seller = whose(world, account);
            let old = world.accounts[usize::from(account)].runs.len();
            let is_new = next.world.accounts[usize::from(account)].runs.len() > old;
            let found = if is_new { "a run is made" } else { "the live run is found" };
            format!("{seller} member asks for a run of {}: {found}", kind(of))
        }
        Action::Schedule { account, kind: of } => {
            format!("the sweep makes a run of {} for {} schedule", kind(of), whose(world, account))
        }
        Action::Republish { account, run } => format!("the sweep queues {} again", name(world, account, run)),
        Action::Receive { account, message } => {
            let one = world.accounts[usize::from(account)].queue[usize::from(message)];
            let process = world.idle().and_then(|place| u8::try_from(place).ok()).unwrap_or_default();
            let run = name(world, account, one.run);
            format!(
                "function {} receives the message of {run}, {}",
                function_name(process),
                publication(one.names)
            )
        }
        Action::Proceed { process } => match world.processes[usize::from(process)] {
            Process::Publisher(publisher) => publishes(world, publisher, next),
            Process::Function(function) => proceeds(world, process, function, next),
            Process::Idle => String::new(),
        },
        Action::EndSlice { process } => {
            format!(
                "the slice of function {} is over, and it leaves the rest to the next step{}",
                function_name(process),
                sent(next)
            )
        }
        Action::PutOff { process } => {
            format!("the marketplace puts function {} off{}", function_name(process), lost(next))
        }
        Action::Refuse { process } => {
            format!("the marketplace refuses function {} for good{}", function_name(process), lost(next))
        }
        Action::Kill { process } => format!("{} dies", process_name(world, process)),
        Action::FailSend { process } => {
            format!("the queue does not take the message of {}", process_name(world, process))
        }
        Action::LetTimePass { account, run } => format!("time passes for {}", name(world, account, run)),
        Action::Reappear { account, message } => {
            let one = world.accounts[usize::from(account)].queue[usize::from(message)];
            let died = next.facts.iter().any(|fact| matches!(fact.what, What::Died { .. }));
            let end = if died { "it dies of too many receives" } else { "it will be handed out again" };
            let run = name(world, account, one.run);
            format!(
                "the visibility timeout of the message of {run}, {} is over: {end}",
                publication(one.names)
            )
        }
        Action::Lose { account, message } => {
            let one = world.accounts[usize::from(account)].queue[usize::from(message)];
            format!(
                "the queue loses the message of {}, {}",
                name(world, account, one.run),
                publication(one.names)
            )
        }
        Action::Purge { account } => format!("{} queue is purged", whose(world, account)),
        Action::Cancel { account, run } => format!("a member cancels {}", name(world, account, run)),
        Action::Move { account } => {
            format!(
                "operators move {} account to the other kind of lane, and the queue is gone",
                whose(world, account)
            )
        }
        Action::Hold { account } => format!("operators hold the runs of {} account", whose(world, account)),
        Action::Resume { account } => {
            format!("operators let the runs of {} account go on", whose(world, account))
        }
        Action::Collect { account } => {
            format!("the redrive function collects {} dead letters{}", whose(world, account), marks(next))
        }
        Action::Redrive { account } => {
            format!("an operator redrives {} first dead letter", whose(world, account))
        }
        Action::Arrive { is_listed: true, .. } => "an order arrives".to_owned(),
        Action::Arrive { is_listed: false, .. } => {
            "an order arrives, and the marketplace does not list it yet".to_owned()
        }
        Action::Change { .. } => "the first order changes".to_owned(),
        Action::List { .. } => "the marketplace lists the order that came".to_owned(),
        Action::UploadOldFile { .. } => {
            "a member uploads an old file, which shows the first order as it once was".to_owned()
        }
    }
}

fn publishes(world: &World, publisher: Publisher, next: &Next) -> String {
    let run = name(world, publisher.account, publisher.run);
    let (by, what) = (publisher_name(publisher.by), publication(publisher.publication));
    match sent(next) {
        sent if sent.is_empty() => format!("{by} marks {run}, {what} as sent"),
        sent => format!("{by} publishes {run}{sent}"),
    }
}

/// What a function's step was.
fn proceeds(world: &World, process: u8, function: Function, next: &Next) -> String {
    let who = format!("function {}", function_name(process));
    let run = name(world, function.account, function.run);
    let fact = next.facts.first().map(|fact: &Fact| fact.what);
    match (function.at, fact) {
        (Place::Received, Some(What::Leased { .. })) => format!("{who} takes the lease of {run}"),
        (Place::Received, Some(What::Busy)) => {
            format!("{who} finds {run} leased, and leaves the message in the queue")
        }
        (Place::Received, Some(What::Passed)) => format!("{who} finds that the message has passed"),
        (Place::Received, Some(What::KeptBack)) => {
            format!("{who} finds another run at work, and {run} rests")
        }
        (Place::Received, Some(What::Unknown)) => format!("{who} does not know what the message names"),
        (Place::Leased(work), _) => reads(&who, work, next, process),
        (Place::PageRead(..), Some(What::LeaseLost)) => format!("{who} has lost its lease{}", ended(next)),
        (Place::PageRead(..), _) => format!("{who} commits the page{}", ended(next)),
        (Place::PageLeft(..), _) => format!("{who} stores the page"),
        (Place::SentFirst(..), _) => format!("{who} makes the rest of {run} its next step"),
        (Place::HandedOver { is_sent: false, .. }, _) => {
            format!("{who} publishes what goes on{}", sent(next))
        }
        (Place::HandedOver { run, next: sent, .. }, _) => {
            format!("{who} marks {}, {} as sent", name(world, function.account, run), publication(sent))
        }
        (_, Some(What::Acknowledged { .. })) => format!("{who} acknowledges its message"),
        _ => format!("{who} does not have its message any more, and ends"),
    }
}

fn reads(who: &str, work: Work, next: &Next, process: u8) -> String {
    let Process::Function(Function { at: Place::PageRead(_, read), .. }) =
        next.world.processes[usize::from(process)]
    else {
        return format!("{who} reads a page");
    };
    let since = work.since;
    let order = match read.order {
        Some((order, version)) => format!("order {} in version {version}", order + 1),
        None => "nothing".to_owned(),
    };
    let last = if read.next.is_none() { ", the last" } else { "" };
    format!("{who} reads a page of what changed since {since}: {order}{last}")
}

fn ended(next: &Next) -> &'static str {
    let ends = next.facts.iter().any(|fact| matches!(fact.what, What::Ended { .. }));
    if ends { ", and ends the run" } else { "" }
}

fn lost(next: &Next) -> &'static str {
    let is_lost = next.facts.iter().any(|fact| fact.what == What::LeaseLost);
    if is_lost { ", which has lost its lease" } else { "" }
}

fn sent(next: &Next) -> String {
    let what = next.facts.iter().find_map(|fact| match fact.what {
        What::Sent { message } => Some(format!(": the message of {} is in the queue", publication(message))),
        What::Swallowed { message, .. } => {
            Some(format!(": the queue drops the message of {}, whose id it has seen", publication(message)))
        }
        _ => None,
    });
    what.unwrap_or_default()
}

fn marks(next: &Next) -> String {
    let recorded = next.facts.iter().filter_map(|fact| match fact.what {
        What::Recorded { message, marks } => Some((message, marks)),
        _ => None,
    });
    let told: Vec<String> = recorded
        .map(|(message, marks)| {
            let does = if marks { "marks its run" } else { "leaves its run as it is" };
            format!("that of {} {does}", publication(message))
        })
        .collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}
