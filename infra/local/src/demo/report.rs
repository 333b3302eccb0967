//! What the demo prints: tables of what arrived, the steps' times, and where to look next.

use serde_json::{Value, json};

use super::arrivals::Arrived;
use super::expected::Expected;
use super::import::{Imported, difference};
use super::parcel::Parcel;
use super::plan::Seller;
use crate::paths::Paths;
use crate::stack::Running;
use crate::table;

/// How many of an account's newest runs the table shows.
const SHOWN_RUNS: usize = 6;

/// One account for `--json`. Decimals are text, so that no reader turns them into floats.
pub fn account(arrived: &Arrived) -> Value {
    json!({
        "marketplace": arrived.account.marketplace,
        "seller_id": arrived.account.seller_id,
        "account_id": arrived.account.id,
        "external_account_id": arrived.account.external_account_id,
        "orders": arrived.orders,
        "order_lines": arrived.order_lines,
        "total_amount": arrived.total_amount.to_string(),
        "returns": arrived.returns,
        "returns_with_order": arrived.returns_with_order,
    })
}

/// The whole report.
#[allow(clippy::too_many_arguments, reason = "each is a section")]
pub fn text(
    paths: &Paths,
    stack: &Running,
    sellers: &[Seller<'_>],
    arrived: &[Arrived],
    expected: &[Option<Expected>],
    runs: &[Value],
    parcel: &Parcel,
    imported: &Imported,
) -> anyhow::Result<String> {
    let sections = [
        format!("What arrived\n{}", arrivals(sellers, arrived, expected)),
        format!("A parcel that came back\n{}", parcel_table(parcel)),
        format!("Files that were imported\n{}", import_table(imported)),
        format!(
            "Was the money of {} right?\n{}",
            text_of(&imported.money, "month").trim_end_matches("-01"),
            money_table(imported)
        ),
        format!("Runs\n{}", run_table(sellers, arrived, runs)),
        format!("Time\n{}", times(stack)),
        format!("Where to look next\n{}", next(paths, stack, sellers)?),
    ];
    Ok(format!("\n{}", sections.join("\n\n")))
}

fn arrivals(sellers: &[Seller<'_>], arrived: &[Arrived], expected: &[Option<Expected>]) -> String {
    let rows: Vec<Vec<String>> = arrived
        .iter()
        .zip(expected)
        .map(|(found, wanted)| {
            let account = &found.account;
            vec![
                sellers[account.seller].name.to_owned(),
                account.display_name.clone(),
                account.external_account_id.clone(),
                found.runs.to_string(),
                found.orders.to_string(),
                found.order_lines.to_string(),
                money(found),
                found.returns.to_string(),
                found.returns_with_order.to_string(),
                match wanted {
                    Some(_) => "all that the simulator has".to_owned(),
                    None => "served by another server".to_owned(),
                },
            ]
        })
        .collect();
    let header = [
        "seller",
        "account",
        "marketplace's id",
        "runs",
        "orders",
        "lines",
        "sum of lines",
        "returns",
        "of known orders",
        "",
    ];
    table::render(&header, &rows, &[3, 4, 5, 6, 7, 8])
}

/// Rupees with at least two decimals; further ones are kept.
fn money(found: &Arrived) -> String {
    let mut amount = found.total_amount;
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    format!("₹ {amount}")
}

fn run_table(sellers: &[Seller<'_>], arrived: &[Arrived], runs: &[Value]) -> String {
    let newest = arrived.iter().flat_map(|found| {
        let of_account = |run: &&Value| run["account_id"] == found.account.id.as_str();
        let all: Vec<&Value> = runs.iter().filter(of_account).collect();
        all[all.len().saturating_sub(SHOWN_RUNS)..].to_vec()
    });
    let rows: Vec<Vec<String>> = newest
        .map(|run| {
            let account = arrived.iter().find(|found| run["account_id"] == found.account.id.as_str());
            // The stream of a run's own records has the name of its kind.
            let own =
                run["counts"].as_array().and_then(|all| all.iter().find(|of| of["stream"] == run["kind"]));
            let count = |name: &str| own.map_or("0".to_owned(), |of| of[name].to_string());
            let text = |name: &str| text_of(run, name);
            vec![
                account.map_or("-", |found| sellers[found.account.seller].name).to_owned(),
                account.map_or("-", |found| &found.account.display_name).to_owned(),
                text("kind"),
                text("trigger"),
                text("state"),
                text("outcome"),
                run["pages"].to_string(),
                count("added"),
                count("changed"),
                count("unchanged"),
            ]
        })
        .collect();
    let header = [
        "seller",
        "account",
        "reads",
        "started by",
        "state",
        "outcome",
        "pages",
        "new",
        "changed",
        "unchanged",
    ];
    table::render(&header, &rows, &[6, 7, 8, 9])
}

fn parcel_table(parcel: &Parcel) -> String {
    let text = |of: &Value, name: &str| of[name].as_str().unwrap_or("-").to_owned();
    let (returned, claim) = (&parcel.returned, &parcel.claim);
    let row = vec![
        parcel.seller.to_owned(),
        text(returned, "marketplace"),
        text(returned, "external_return_id"),
        text(returned, "external_order_id"),
        text(returned, "tracking_number"),
        text(returned, "internal_status"),
        text(returned, "condition"),
        format!("{} {}", text(claim, "status"), text(claim, "reason")),
        returned["file_by"].as_str().unwrap_or("not known").to_owned(),
    ];
    let header =
        ["seller", "marketplace", "return", "order", "scanned code", "is", "condition", "claim", "file by"];
    table::render(&header, &[row], &[])
}

fn import_table(imported: &Imported) -> String {
    let rows: Vec<Vec<String>> = imported.imports.iter().map(|import| import_row(imported, import)).collect();
    let header = [
        "seller",
        "file",
        "is",
        "state",
        "new",
        "changed",
        "set aside",
        "against the earlier file",
        "orders now",
    ];
    table::render(&header, &rows, &[4, 5, 6, 8])
}

fn import_row(imported: &Imported, import: &Value) -> Vec<String> {
    let text = |name: &str| text_of(import, name);
    let is_own = |of: &&Value| of["stream"] == "ORDERS" || of["stream"] == "PAYOUT_ENTRIES";
    let own = import["counts"].as_array().and_then(|all| all.iter().find(is_own));
    let count = |name: &str| own.map_or("0".to_owned(), |of| of[name].to_string());
    vec![
        imported.seller.to_owned(),
        text("file_name"),
        text("recognised_as"),
        text("state"),
        count("added"),
        count("changed"),
        import["quarantined"].to_string(),
        difference(import),
        if text("file_name").starts_with("orders") { imported.orders.to_string() } else { "-".to_owned() },
    ]
}

/// Each marketplace's month, week by week, and what is still open.
fn money_table(imported: &Imported) -> String {
    let mut rows = Vec::new();
    for of in imported.money["marketplaces"].as_array().into_iter().flatten() {
        let row = |week: String, payouts: &Value, settled: &Value, rest: [String; 2]| {
            let [unbalanced, announced] = rest;
            let marketplace = text_of(of, "marketplace");
            let settled = settled.as_str().unwrap_or("-").to_owned();
            vec![
                imported.seller.to_owned(),
                marketplace,
                week,
                payouts.to_string(),
                settled,
                unbalanced,
                announced,
            ]
        };
        for week in of["weeks"].as_array().into_iter().flatten() {
            let from = format!("from {}", text_of(week, "monday"));
            rows.push(row(from, &week["payouts"], &week["settled"], [String::new(), String::new()]));
        }
        let rest = [of["unbalanced_payouts"].to_string(), text_of(of, "announced")];
        rows.push(row("all".to_owned(), &of["payouts"], &of["settled"], rest));
    }
    let header = ["seller", "marketplace", "week", "payouts", "settled", "do not add up", "announced"];
    table::render(&header, &rows, &[3, 4, 5, 6])
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("-").to_owned()
}

fn times(stack: &Running) -> String {
    let mut rows: Vec<Vec<String>> = stack
        .progress
        .steps()
        .iter()
        .map(|step| vec![step.name.clone(), format!("{:.1} s", step.took.as_secs_f64())])
        .collect();
    rows.push(vec!["all".to_owned(), format!("{:.1} s", stack.progress.elapsed().as_secs_f64())]);
    table::render(&["step", "took"], &rows, &[1])
}

fn next(paths: &Paths, stack: &Running, sellers: &[Seller<'_>]) -> anyhow::Result<String> {
    let api_url = stack.api_url()?;
    let mut lines = Vec::new();
    if let Some(seller) = sellers.first() {
        // A token is long. In a file, it leaves the line below short enough to read and copy.
        let file = paths.local("token");
        crate::settings::write_private(&file, seller.api.token().as_bytes())?;
        lines.push(format!(
            "  {}'s orders     curl -H \"Authorization: Bearer $(cat {})\" '{api_url}/v1/sellers/{}/orders?limit=2'",
            seller.name.split(' ').next().unwrap_or_default(),
            paths.shown(&file),
            seller.id
        ));
        lines.push(format!(
            "                     (the token belongs to {} and is valid for an hour)",
            seller.email
        ));
    }
    lines.push("  functions' logs    cargo xtask logs adapter-ajio".to_owned());
    lines.push("  database           psql \"$(cargo xtask db)\"".to_owned());
    lines.push("  what is running    cargo xtask status".to_owned());
    lines.push("  what is stuck      cargo xtask ops stuck".to_owned());
    lines.push("  operators' page    cargo xtask ops console".to_owned());
    lines.push("  stop               cargo xtask down".to_owned());
    Ok(lines.join("\n"))
}
