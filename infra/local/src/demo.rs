//! `demo`: the whole path once, from sign-up to stored orders. It can be repeated: people, sellers and accounts that exist are
//! used again.

mod accounts;
mod arrivals;
mod expected;
mod import;
mod parcel;
mod plan;
mod report;
mod runs;
mod schedule;

use anyhow::Context;
use serde_json::json;

use crate::api::{self, Api, Person};
use crate::cli::DemoOptions;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::settings::Settings;
use crate::stack::{self, Running};
use crate::terminal::print;
use crate::{postgres, simulator};

use self::plan::{Plan, Seller};
use self::runs::Waiter;

/// The sellers' owners. Their passwords need not be secret: the user pool exists on this machine only.
pub const PEOPLE: [Person<'static>; 2] = [
    Person { email: "meera@demo.robnu.example", password: "Local-demo-2026" },
    Person { email: "arjun@demo.robnu.example", password: "Local-demo-2026" },
];

/// Runs the demo and prints what arrived.
pub async fn run(paths: &Paths, options: &DemoOptions) -> anyhow::Result<()> {
    // The order book is read before anything starts, so that a bad one fails at once.
    let book = simulator::read_orders(Settings::resolve(paths, &options.up)?.orders.as_deref())?;
    let mut stack = stack::up(paths, &options.up).await?;
    let plan = Plan::new(&stack.settings, &book);

    let step = stack.progress.begin("sign-up of two sellers");
    let sellers = sign_up(&stack, &plan).await?;
    let names: Vec<&str> = sellers.iter().map(|seller| seller.name).collect();
    stack.progress.done(step, names.join(" and "));

    let step = stack.progress.begin("marketplace accounts");
    let (accounts, connected) = accounts::connect(&sellers).await?;
    let database = postgres::connect(&stack.settings, postgres::DATABASE).await?;
    accounts::rest_others(&database, &accounts).await?;
    stack.progress.done(step, format!("{} connected, {} in all", connected, accounts.len()));

    let step = stack.progress.begin("lanes: one queue and one mapping for each account");
    accounts::wait_for_lanes(&sellers, &accounts).await?;
    stack.progress.done(step, "active");

    // The schedules come first, while all of a new account's are due and no other run of it is under way.
    let waiter = Waiter { aws: &stack.aws, sellers: &sellers, accounts: &accounts };
    let step = stack.progress.begin("syncs started by the EventBridge schedule, fired now");
    schedule::fire(&stack.aws).await?;
    let scheduled = waiter.scheduled(&stack.progress).await?;
    stack.progress.done(step, scheduled);

    let step = stack.progress.begin("syncs requested through the API");
    let asked = waiter.ask(&stack.progress).await?;
    stack.progress.done(step, asked);

    let step = stack.progress.begin("a parcel that came back is scanned and claimed for");
    let parcel = parcel::come_back(&sellers).await?;
    stack.progress.done(step, parcel.summary());

    let step = stack.progress.begin("files of Meesho are imported: orders and payments");
    let imported = import::upload(&sellers[0]).await?;
    stack.progress.done(step, imported.summary());

    let step = stack.progress.begin("what arrived");
    let arrived = arrivals::read(&database, &accounts).await?;
    let runs = runs::list(&sellers, &accounts).await?;
    let expected = expected::read(&stack.settings, &book, &accounts).await?;
    let problems = arrivals::compare(&arrived, &expected, &runs);
    stack.progress.done(step, if problems.is_empty() { "complete" } else { "not complete" });

    if options.json {
        let accounts: Vec<_> = arrived.iter().map(report::account).collect();
        print(&serde_json::to_string_pretty(&json!({"accounts": accounts, "runs": runs}))?)?;
    } else {
        print(&report::text(paths, &stack, &sellers, &arrived, &expected, &runs, &parcel, &imported)?)?;
    }
    if problems.is_empty() {
        return Ok(());
    }
    let next = "read the functions' logs with `cargo xtask logs`";
    Err(Failure::new(Exit::CheckFailed, problems.join("\n  "), next).into())
}

async fn sign_up<'a>(stack: &Running, plan: &'a Plan) -> anyhow::Result<Vec<Seller<'a>>> {
    let mut sellers = Vec::new();
    for (person, planned) in PEOPLE.into_iter().zip(&plan.sellers) {
        api::sign_up(&stack.aws, &stack.outputs, person).await?;
        let token = api::sign_in(&stack.aws, &stack.outputs, person).await?;
        let token = token.with_context(|| {
            format!(
                "{} cannot sign in; `cargo xtask down --purge` removes all users for a fresh start",
                person.email
            )
        })?;
        let api = Api::new(stack.api_url()?, token)?;
        let id = accounts::seller(&api, planned.name).await?;
        sellers.push(Seller {
            id,
            name: planned.name,
            email: person.email,
            api,
            accounts: &planned.accounts,
        });
    }
    Ok(sellers)
}
