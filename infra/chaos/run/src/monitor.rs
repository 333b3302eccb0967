//! What is wrong for a moment and later hidden: triggers note it in a schema of their own.

use uuid::Uuid;

use crate::compare::Difference;
use crate::source::Publication;
use crate::superuser::Superuser;

/// Examples of a kind that are shown.
const EXAMPLES: &str =
    "select kind, count(*)::bigint, min(what) from chaos.findings group by kind order by kind";

/// Makes the monitor.
pub async fn begin(superuser: &Superuser) -> anyhow::Result<()> {
    superuser.script(include_str!("monitor.sql")).await
}

/// What the triggers noted, and what was marked as sent although no queue ever had it.
pub async fn findings(superuser: &Superuser, seen: &[Publication]) -> anyhow::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for row in superuser.query(EXAMPLES, &[]).await? {
        let (kind, times, example): (String, i64, String) = (row.get(0), row.get(1), row.get(2));
        differences.push(Difference { kind, what: format!("{times} times, such as {example}") });
    }
    let runs: Vec<Uuid> = seen.iter().map(|publication| publication.run).collect();
    let steps: Vec<i32> = seen.iter().map(|publication| publication.step).collect();
    let generations: Vec<i32> = seen.iter().map(|publication| publication.generation).collect();
    let unseen = "select count(*)::bigint, min(s.run::text || ', step ' || s.step || ', generation ' || s.generation) from chaos.sent s
        where not exists (select from chaos.left_lanes l where l.account = s.account and l.left_at >= s.sent_at - interval '5 seconds') and not exists (
          select from unnest($1::uuid[], $2::int[], $3::int[]) seen (run, step, generation)
          where seen.run = s.run and seen.step = s.step and seen.generation = s.generation)";
    let row = superuser.row(unseen, &[&runs, &steps, &generations]).await?;
    if let Some(example) = row.get::<_, Option<String>>(1) {
        let times: i64 = row.get(0);
        differences.push(Difference {
            kind: "marked as sent, never in a queue".to_owned(),
            what: format!("{times} messages, such as that of run {example}"),
        });
    }
    Ok(differences)
}
