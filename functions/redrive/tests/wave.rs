//! A wave of 500 dead letters is repaired with one command that is killed in the middle and repeated.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};

use kit::{World, process};
use robnu_dispatch::Job;
use robnu_tenancy::{AccountId, RunId};
use robnu_testkit::Answer;
use serde_json::json;

/// 125 accounts of two sellers, each with a dead run of four kinds, which died in an order of their own.
const WAVE: &str = "
    set session_replication_role = replica;
    with account as (
      insert into robnu.marketplace_accounts
        (seller_id, id, marketplace_code, external_account_id, display_name, verified_at, lane_state, lane_queue_url, lane_mapping_id)
      select seller_id, uuidv7(), 'AJIO', 'WAVE' || n, 'wave', now(), 'ACTIVE', lane_queue_url, 'mapping'
      from robnu.marketplace_accounts, generate_series(1, 63) n where marketplace_code = 'AJIO'
      limit 125
      returning seller_id, id
    ), run as (
      insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state, finished_at)
      select seller_id, uuidv7(), id, 'AJIO', kind, 'SCHEDULE', 'DEAD_LETTERED', now()
      from account, unnest(array['ORDERS', 'LISTINGS', 'PROCESSING', 'INVENTORY_PUSH']) kind
      returning *
    )
    insert into robnu.dead_letters (queue, message_id, source, form, body, body_bytes, reason, sent_at, seller_id, account_id, run_id, kind,
      step, generation)
    select 'wave-dlq.fifo', id::text, 'AJIO', 'JOB', '{}', 2, 'TOO_MANY_RECEIVES',
      timestamptz '2026-01-01' + (('x' || left(md5(id::text), 6))::bit(24)::integer) * interval '1 second',
      seller_id, account_id, id, kind, step, generation
    from run;
    set session_replication_role = origin";

/// The order in which the runs of each account died.
async fn deaths(world: &World) -> BTreeMap<AccountId, Vec<RunId>> {
    let sql = "select account_id, run_id from robnu.dead_letters order by sent_at, id";
    let mut deaths = BTreeMap::<_, Vec<_>>::new();
    for row in world.superuser.query(sql, &[]).await.unwrap() {
        deaths.entry(row.get(0)).or_default().push(row.get(1));
    }
    deaths
}

/// The order in which the runs of each account were first heard.
fn first_heard(heard: &[Job]) -> BTreeMap<AccountId, Vec<RunId>> {
    let mut order = BTreeMap::<_, Vec<_>>::new();
    for job in heard {
        let runs = order.entry(job.account_id).or_default();
        if !runs.contains(&job.run_id) {
            runs.push(job.run_id);
        }
    }
    order
}

#[tokio::test]
async fn a_wave_that_is_interrupted_and_repeated_is_published_once_in_order() {
    let world = World::new().await;
    world.superuser.batch_execute(WAVE).await.unwrap();
    let deaths = deaths(&world).await;
    assert_eq!((deaths.len(), deaths.values().map(Vec::len).sum::<usize>()), (125, 500));

    let function = process::start(&world).await;
    let request = json!({"redrive": {"operator": "asha", "reason": "an outage", "rate": 100, "limit": 1000}});
    let _never = function.send(request.clone()).await;
    let middle = "select count(*) >= 120 from robnu.dead_letters where published_at is not null";
    world.eventually("the wave is under way", middle).await;
    function.kill().await;
    let gone = "select count(*) = 0 from pg_stat_activity where datname = current_database() and usename = 'robnu_redrive'";
    world.eventually("the function is gone", gone).await;
    let open = "select count(*) from robnu.dead_letters where state = 'OPEN'";
    assert!((100..=380).contains(&world.count(open).await), "it was killed in the middle");

    // The same command again, as often as it takes.
    world.half_a_minute_later().await;
    let function = process::start(&world).await;
    loop {
        let Answer::Response(report) = function.invoke(request.clone()).await else { panic!("it fails") };
        assert_eq!((&report["failed"], &report["left"]), (&json!(0), &json!({})), "{report}");
        if report["remaining"] == 0 {
            break;
        }
    }
    assert_eq!(world.count("select count(*) from robnu.dead_letters where outcome = 'PUBLISHED'").await, 500);
    let unpublished = "select count(*) from robnu.sync_runs where state = 'QUEUED' and sent_at is null";
    assert_eq!(world.count(unpublished).await, 0);
    let noted = "select sum(letters)::bigint from robnu.dead_letter_actions where action = 'REDRIVE' and operator = 'asha'";
    assert_eq!(world.count(noted).await, 500, "each is noted once");

    let mut heard = world.heard_jobs(&world.lane(world.sellers.ours.ajio).await).await;
    heard.extend(world.heard_jobs(&world.lane(world.sellers.theirs.ajio).await).await);
    let publications: BTreeSet<(RunId, i32)> = heard.iter().map(|job| (job.run_id, job.generation)).collect();
    assert_eq!(publications.len(), heard.len(), "each generation is published once");
    for row in world
        .superuser
        .query("select id, generation from robnu.sync_runs where state = 'QUEUED'", &[])
        .await
        .unwrap()
    {
        let (run, generation): (RunId, i32) = (row.get(0), row.get(1));
        assert!((1..=2).contains(&generation) && publications.contains(&(run, generation)), "{run}");
    }
    assert_eq!(first_heard(&heard), deaths, "each account's runs come in the order in which they died");
}
