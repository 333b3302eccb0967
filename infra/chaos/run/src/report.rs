//! The report: faults, kills, runs and differences, as tables.

use std::collections::BTreeMap;
use std::time::Duration;

use local::table::render;

use crate::compare::Difference;
use crate::plan::{Fault, Planned};
use crate::strikes::Strikes;
use crate::superuser::Superuser;

/// How many differences of a kind are shown.
const SHOWN: usize = 5;

const RUNS: &str = "select r.kind, r.state, count(*)::bigint, sum(r.pages)::bigint, coalesce(sum(c.records), 0)::bigint
    from robnu.sync_runs r
    join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id and a.display_name = a.external_account_id
    left join lateral (
      select sum(c.added + c.changed + c.unchanged) as records from robnu.sync_run_counts c
      where c.seller_id = r.seller_id and c.run_id = r.id and c.stream in ('ORDERS', 'RETURNS')) c on true
    where r.seller_id = any ($1)
    group by r.kind, r.state order by r.kind, r.state";

/// How often accounts were moved, and how many exports there are.
const BESIDES: &str =
    "select (select count(*) from robnu.hold_actions where action = 'MOVE') || ' moves of accounts, '
    || (select count(*) from robnu.exports where seller_id = any ($1)) || ' exports'";

/// The faults of the plan that never struck.
pub fn missing(plan: &[Planned], strikes: &Strikes) -> Vec<Difference> {
    let mut kinds: Vec<Fault> = plan.iter().map(|planned| planned.fault).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let never = kinds.into_iter().filter(|fault| strikes.of(*fault) == 0);
    never.map(|fault| Difference { kind: "never struck".to_owned(), what: fault.to_string() }).collect()
}

/// The tables, and the differences below them.
pub async fn render_all(
    superuser: &Superuser,
    sellers: &[robnu_tenancy::SellerId],
    plan: &[Planned],
    strikes: &Strikes,
    differences: &[Difference],
    took: Duration,
) -> anyhow::Result<String> {
    let mut parts = vec![format!("Faults\n{}", faults(plan, strikes)), format!("Kills\n{}", kills(strikes))];
    let runs = superuser.query(RUNS, &[&sellers]).await?;
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|row| {
            let number = |at| row.get::<_, i64>(at).to_string();
            vec![row.get(0), row.get(1), number(2), number(3), number(4)]
        })
        .collect();
    parts.push(format!(
        "Runs\n{}",
        render(&["reads", "state", "runs", "pages", "records"], &rows, &[2, 3, 4])
    ));
    if !differences.is_empty() {
        parts.push(format!("Differences\n{}", listed(differences)));
    }
    let besides: String = superuser.row(BESIDES, &[&sellers]).await?.get(0);
    let sum = |at| runs.iter().map(|row| row.get::<_, i64>(at)).sum::<i64>();
    parts.push(format!(
        "{} faults struck, {} of them kills; {} runs, {} pages, {} records, {besides} in {:.0} s: {}",
        strikes.all(),
        strikes.of(Fault::Kill),
        sum(2),
        sum(3),
        sum(4),
        took.as_secs_f64(),
        if differences.is_empty() {
            "no difference".to_owned()
        } else {
            format!("{} differences", differences.len())
        }
    ));
    Ok(parts.join("\n\n"))
}

/// The differences, a few of each kind.
fn listed(differences: &[Difference]) -> String {
    let mut lines = Vec::new();
    let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for difference in differences {
        let seen = of_kind.entry(&difference.kind).or_default();
        *seen += 1;
        if *seen <= SHOWN {
            lines.push(format!("  {difference}"));
        }
    }
    let more = of_kind.into_iter().filter(|(_, seen)| *seen > SHOWN);
    lines.extend(more.map(|(kind, seen)| format!("  {kind}: {} more", seen - SHOWN)));
    lines.join("\n")
}

fn faults(plan: &[Planned], strikes: &Strikes) -> String {
    let mut kinds: Vec<Fault> = plan.iter().map(|planned| planned.fault).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let row = |fault: Fault| {
        let planned = plan.iter().filter(|planned| planned.fault == fault).count();
        vec![fault.to_string(), planned.to_string(), strikes.of(fault).to_string()]
    };
    let rows: Vec<Vec<String>> = kinds.into_iter().map(row).collect();
    render(&["fault", "planned", "struck"], &rows, &[1, 2])
}

fn kills(strikes: &Strikes) -> String {
    let rows: Vec<Vec<String>> =
        strikes.kills().into_iter().map(|(place, times)| vec![place, times.to_string()]).collect();
    render(&["function, at", "killed"], &rows, &[1])
}
