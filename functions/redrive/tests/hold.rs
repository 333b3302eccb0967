//! Operators hold the runs of an account or a marketplace, and let them go on: nothing is lost, nothing is doubled, and a seller's own
//! pause is another thing.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::Duration;

use kit::World;
use redrive::{Answer, Held};
use robnu_dispatch::{Job, Lease, NotTaken, TakeLease, Taken, continue_later, mark_sent};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, Error, SellerScope, SystemScope};
use serde_json::{Value, json};

const HELD_NOW: &str = "select count(*) from robnu.marketplace_accounts where held_at is not null";

/// Asks for `hold` or `resume`, in the name of an operator.
async fn ask(world: &World, name: &str, mut request: Value) -> Held {
    request["operator"] = "asha".into();
    request["reason"] = "the marketplace answers nonsense".into();
    match world.ask(name, request).await {
        Answer::Held(held) => held,
        other => panic!("{other:?}"),
    }
}

async fn hold(world: &World, account: AccountId) -> Held {
    ask(world, "hold", json!({"account_id": account})).await
}

async fn resume(world: &World, account: AccountId) -> Held {
    ask(world, "resume", json!({"account_id": account})).await
}

/// Takes a message's lease as an adapter does.
async fn take(world: &World, job: &Job) -> Taken {
    let database = world.test.login("robnu_adapter").await;
    let lease = TakeLease::new(job, Duration::from_secs(30));
    let session = database.session(&scope(job)).await.unwrap();
    let rows = session.commit_with(&[(TakeLease::SQL, &lease.params())]).await.unwrap();
    Taken::from_rows(&rows[0], job).unwrap()
}

async fn taken(world: &World, job: &Job) -> Lease {
    match take(world, job).await {
        Taken::Ours(lease) => lease,
        Taken::Not(why) => panic!("{job:?}: {why:?}"),
    }
}

fn scope(job: &Job) -> SellerScope {
    SellerScope::for_job(job.seller_id, job.account_id)
}

#[tokio::test]
async fn a_hold_is_recorded_and_its_seller_sees_it_in_the_trail() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    world.sql("delete from robnu.hold_actions", &[]).await;
    world.sql("delete from robnu.audit_events", &[]).await;
    let report = hold(&world, ours.ajio).await;
    assert_eq!((report.changed, report.held, report.accounts, report.active_accounts), (true, true, 1, 1));
    assert!(!hold(&world, ours.ajio).await.changed, "a second hold changes nothing");
    let report = resume(&world, ours.ajio).await;
    assert_eq!((report.changed, report.held), (true, false));
    assert!(!resume(&world, ours.ajio).await.changed);
    let actions = "select string_agg(concat_ws(' ', action, operator, reason, marketplace_code, account_id = $1), ';' order by id)
        from robnu.hold_actions";
    let said: String = world.row(actions, &[&ours.ajio]).await.get(0);
    let reason = "the marketplace answers nonsense AJIO t";
    assert_eq!(said, format!("HOLD asha {reason};RESUME asha {reason}"));
    let trail = "select string_agg(concat_ws(' ', action, actor_kind, object_id = $1, changed::text, shown ->> 'hold_reason'), ';' order by id)
        from robnu.audit_events where seller_id = $2";
    let said: String = world.row(trail, &[&ours.ajio, &ours.id]).await.get(0);
    let event = "account.changed SYSTEM t {held_at,hold_reason}";
    assert_eq!(said, format!("{event} the marketplace answers nonsense;{event}"));
    let theirs =
        world.row("select count(*) from robnu.audit_events where seller_id <> $1", &[&ours.id]).await;
    assert_eq!(theirs.get::<_, i64>(0), 0, "the other seller's trail has nothing");
}

#[tokio::test]
async fn a_dry_run_says_what_it_concerns_and_changes_nothing() {
    let world = World::new().await;
    world.publish_run(&world.sellers.ours, RunKind::Orders).await;
    world.publish_run(&world.sellers.theirs, RunKind::Orders).await;
    let tables = ["marketplace_accounts", "marketplaces", "hold_actions", "sync_runs", "schedules"];
    let mut before = Vec::new();
    for table in tables {
        before.push(world.fingerprint(table).await);
    }
    let one = ask(&world, "hold", json!({"account_id": world.sellers.ours.ajio, "dry_run": true})).await;
    assert_eq!(one, Held { changed: true, accounts: 1, active_accounts: 1, live_runs: 1, ..Held::default() });
    let all = ask(&world, "hold", json!({"marketplace": "AJIO", "dry_run": true})).await;
    assert_eq!(all, Held { changed: true, accounts: 2, active_accounts: 2, live_runs: 2, ..Held::default() });
    let none = ask(&world, "resume", json!({"marketplace": "AJIO", "dry_run": true})).await;
    assert!(!none.changed);
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(world.fingerprint(table).await, before, "{table}");
    }
}

#[tokio::test]
async fn a_message_of_a_held_account_is_turned_away_and_its_run_goes_on_after_the_hold() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let held = world.publish_run(ours, RunKind::Orders).await;
    let left = world
        .run(ours, RunKind::Returns, "state, lease_expires_at", "'RUNNING', now() - interval '1 hour'")
        .await
        .0;
    let other = world.publish_run(theirs, RunKind::Orders).await;
    hold(&world, ours.ajio).await;
    for job in [&held, &left] {
        assert!(
            matches!(take(&world, job).await, Taken::Not(NotTaken::Passed)),
            "{job:?} is not turned away"
        );
    }
    taken(&world, &other).await;
    let attempts = "select count(*) from robnu.sync_runs where account_id = $1 and state in ('QUEUED', 'RUNNING') and attempt = 0";
    assert_eq!(world.row(attempts, &[&ours.ajio]).await.get::<_, i64>(0), 2, "the runs are as they were");
    resume(&world, ours.ajio).await;
    let unsent = "select sent_at is null from robnu.sync_runs where id = $1";
    assert!(world.row(unsent, &[&held.run_id]).await.get::<_, bool>(0), "the next sweep publishes it again");
    assert!(
        world
            .row("select sent_at is not null from robnu.sync_runs where id = $1", &[&other.run_id])
            .await
            .get::<_, bool>(0)
    );
    let again = Job { generation: held.generation + 1, ..held.clone() };
    assert!(
        matches!(take(&world, &held).await, Taken::Not(NotTaken::Passed)),
        "a message that is still on its way is stale"
    );
    taken(&world, &again).await;
    taken(&world, &left).await;
}

#[tokio::test]
async fn a_held_marketplace_holds_all_of_its_accounts_and_no_other() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let jobs =
        [world.publish_run(ours, RunKind::Orders).await, world.publish_run(theirs, RunKind::Orders).await];
    assert!(ask(&world, "hold", json!({"marketplace": "AMAZON_IN"})).await.held);
    assert!(ask(&world, "hold", json!({"marketplace": "AJIO"})).await.held);
    assert!(ask(&world, "resume", json!({"marketplace": "AMAZON_IN"})).await.changed);
    for job in &jobs {
        assert!(matches!(take(&world, job).await, Taken::Not(NotTaken::Passed)));
    }
    hold(&world, ours.ajio).await;
    ask(&world, "resume", json!({"marketplace": "AJIO"})).await;
    assert!(
        matches!(take(&world, &jobs[0]).await, Taken::Not(NotTaken::Passed)),
        "the account itself is held"
    );
    let again = Job { generation: jobs[1].generation + 1, ..jobs[1].clone() };
    taken(&world, &again).await;
    let who = "select count(*) from robnu.hold_actions where account_id is null and operator = 'asha'";
    assert_eq!(world.count(who).await, 4);
}

#[tokio::test]
async fn a_run_at_work_leaves_its_next_step_unsent_while_it_is_held() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let adapter = world.test.login("robnu_adapter").await;
    let job = world.publish_run(ours, RunKind::Orders).await;
    let lease = taken(&world, &job).await;
    hold(&world, ours.ajio).await;
    assert!(continue_later(&adapter, &scope(&job), &job, &lease).await.unwrap().is_none());
    let next = Job { step: job.step + 1, generation: 0, ..job.clone() };
    let waits =
        "select count(*) from robnu.sync_runs where state = 'QUEUED' and step = 1 and sent_at is null";
    assert_eq!(world.count(waits).await, 1);
    resume(&world, ours.ajio).await;
    let next = Job { generation: 1, ..next };
    let lease = taken(&world, &next).await;
    let (_, lane) = continue_later(&adapter, &scope(&job), &next, &lease).await.unwrap().unwrap();
    assert!(lane.is_some());
}

#[tokio::test]
async fn dead_letters_of_a_held_account_wait() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let (ours_dead, _) = world.dead_run(ours, RunKind::Orders, "").await;
    world.dead_run(theirs, RunKind::Orders, "").await;
    hold(&world, ours.ajio).await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.left.get("WAITS_FOR_ACCOUNT")), (1, Some(&1)));
    assert_eq!(world.standing(ours_dead.run_id).await.0, "DEAD_LETTERED");
    resume(&world, ours.ajio).await;
    assert_eq!(world.redrive(json!({})).await.published, 1);
}

#[tokio::test]
async fn a_redriven_run_that_was_not_sent_is_not_sent_while_it_is_held() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    world.dead_run(ours, RunKind::Orders, "").await;
    let lane = world.lane(ours.ajio).await;
    world.move_lane(ours.ajio, "http://127.0.0.1:1/nowhere.fifo").await;
    assert_eq!(world.redrive(json!({})).await.failed, 1);
    world.move_lane(ours.ajio, &lane).await;
    hold(&world, ours.ajio).await;
    world.half_a_minute_later().await;
    assert_eq!(world.collect().await.resumed, 0);
    assert_eq!(world.heard(&lane).await, [""; 0]);
    resume(&world, ours.ajio).await;
    world.half_a_minute_later().await;
    assert_eq!(world.collect().await.resumed, 1);
}

#[tokio::test]
async fn schedules_that_were_passed_over_are_due_at_a_time_of_their_own_phase_and_no_others_are() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    // Every four hours, last a quarter of an hour ago. The sweep has passed over all but theirs of AJIO, which it had claimed before.
    let claimed = "update robnu.schedules set every_minutes = 240, enabled = true, next_due_at = now() + interval '225 minutes',
        last_claimed_at = case when account_id = $1 then now() - interval '15 minutes' else now() + interval '0.1 seconds' end";
    let due = "select coalesce(string_agg(account_id::text, ',' order by account_id), '') from robnu.schedules where next_due_at <= now()";
    for target in [
        json!({"account_id": ours.ajio}),
        json!({"account_id": theirs.ajio}),
        json!({"marketplace": "AMAZON_IN"}),
    ] {
        ask(&world, "hold", target).await;
    }
    hold(&world, theirs.amazon).await;
    world.sql(claimed, &[&theirs.ajio]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.row(due, &[]).await.get::<_, String>(0), "");
    assert_eq!(resume(&world, ours.ajio).await.also_held, 0);
    assert_eq!(world.row(due, &[]).await.get::<_, String>(0), ours.ajio.to_string());
    resume(&world, theirs.ajio).await;
    let report = ask(&world, "resume", json!({"marketplace": "AMAZON_IN"})).await;
    assert_eq!((report.changed, report.also_held), (true, 1), "an account that is held itself stays so");
    let mut expected = [ours.ajio.to_string(), ours.amazon.to_string()];
    expected.sort_unstable();
    assert_eq!(world.row(due, &[]).await.get::<_, String>(0), expected.join(","));
    let phase = "select count(*) from robnu.schedules where mod(extract(epoch from now() - next_due_at)::numeric, 14400) between 890 and 960";
    assert!(world.count(phase).await >= 2, "it was due a quarter of an hour ago, and keeps that phase");
}

#[tokio::test]
async fn many_rows_are_let_go_in_batches_and_each_once() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    hold(&world, ours.ajio).await;
    world.sql("delete from robnu.sync_runs where state = 'QUEUED'", &[]).await;
    // Files are the runs of which an account may have many at once.
    let made = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, sent_at)
        select $1, $2, 'AJIO', 'FILE_IMPORT', 'FILE', now() - interval '1 minute' from generate_series(1, 2500)";
    world.sql(made, &[&ours.id, &ours.ajio]).await;
    resume(&world, ours.ajio).await;
    let once =
        "select count(*) from robnu.sync_runs where sent_at is null and generation = 1 and state = 'QUEUED'";
    assert_eq!(world.count(once).await, 2_500);
}

#[tokio::test]
async fn an_account_whose_marketplace_is_held_too_stays_held_and_says_so() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let job = world.publish_run(ours, RunKind::Orders).await;
    hold(&world, ours.ajio).await;
    ask(&world, "hold", json!({"marketplace": "AJIO"})).await;
    let report = resume(&world, ours.ajio).await;
    assert_eq!((report.changed, report.held, report.also_held), (true, false, 1));
    assert!(matches!(take(&world, &job).await, Taken::Not(NotTaken::Passed)));
    assert_eq!(world.standing(job.run_id).await.0, "QUEUED");
}

#[tokio::test]
async fn a_hold_and_the_sellers_own_pause_do_not_undo_each_other() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    hold(&world, ours.ajio).await;
    let api = world.test.login("robnu_api").await;
    let owner = ours.scope("OWNER");
    for status in ["PAUSED", "ACTIVE"] {
        let sql = match status {
            "PAUSED" => "update robnu.marketplace_accounts set status = 'PAUSED' where id = $1",
            _ => "update robnu.marketplace_accounts set status = 'ACTIVE' where id = $1",
        };
        api.session(&owner).await.unwrap().commit_with(&[(sql, &[&ours.ajio])]).await.unwrap();
        assert_eq!(world.count(HELD_NOW).await, 1, "{status}");
    }
    for sql in [
        "update robnu.marketplace_accounts set held_at = null, hold_reason = null",
        "update robnu.marketplaces set held_at = null",
        "select id from robnu.hold_actions",
    ] {
        let answer = api.read(&owner, sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{sql}: {answer:?}");
    }
    world.sql("update robnu.marketplace_accounts set status = 'PAUSED' where id = $1", &[&ours.ajio]).await;
    let report = resume(&world, ours.ajio).await;
    assert_eq!((report.changed, report.active_accounts), (true, 0));
    let status =
        world.row("select status from robnu.marketplace_accounts where id = $1", &[&ours.ajio]).await;
    assert_eq!(status.get::<_, String>(0), "PAUSED");
}

#[tokio::test]
async fn only_what_exists_is_held() {
    let world = World::new().await;
    let request = json!({"account_id": AccountId::new(), "operator": "asha", "reason": "x"});
    let Answer::Refused { refused } = world.ask("hold", request).await else { panic!("it is refused") };
    assert_eq!(refused.field, "account_id");
    assert_eq!(world.count(HELD_NOW).await, 0);
}

#[tokio::test]
async fn a_limit_of_a_marketplace_is_changed_and_recorded() {
    let world = World::new().await;
    world.sql("delete from robnu.hold_actions", &[]).await;
    let ask = async |runs: i32, dry_run: bool| {
        let request = json!({"marketplace": "AJIO", "runs_at_once": runs, "dry_run": dry_run, "operator": "asha", "reason": "they asked"});
        match world.ask("limit", request).await {
            Answer::Limited(limited) => (limited.changed, limited.before, limited.under_way),
            other => panic!("{other:?}"),
        }
    };
    world.publish_run(&world.sellers.ours, RunKind::Orders).await;
    world.publish_run(&world.sellers.theirs, RunKind::Orders).await;
    assert_eq!(ask(1, true).await, (true, 100, 2));
    assert_eq!(ask(7, false).await, (true, 100, 2), "the dry run changed nothing");
    assert_eq!(ask(7, false).await, (false, 7, 2));
    let limits = "select string_agg(code || ' ' || runs_at_once, ',' order by code) from robnu.marketplaces where runs_at_once <> 100";
    assert_eq!(world.row(limits, &[]).await.get::<_, String>(0), "AJIO 7", "no other marketplace's");
    let actions = "select string_agg(concat_ws(' ', action, operator, reason, marketplace_code, runs_at_once), ';') from robnu.hold_actions";
    assert_eq!(world.row(actions, &[]).await.get::<_, String>(0), "LIMIT asha they asked AJIO 7");
}

#[tokio::test]
async fn a_run_whose_message_was_turned_away_before_it_was_marked_as_sent_goes_on_with_the_next_sweep() {
    let world = World::new().await;
    let job = world.publish_run(&world.sellers.ours, RunKind::Orders).await;
    // Its publisher has sent the message and has not marked the run yet.
    world.sql("update robnu.sync_runs set sent_at = null, queued_at = now() - interval '1 second' where id = $1", &[&job.run_id]).await;
    hold(&world, job.account_id).await;
    assert!(matches!(take(&world, &job).await, Taken::Not(NotTaken::Passed)), "the message is turned away");
    resume(&world, job.account_id).await;
    mark_sent(&world.context.database, &SystemScope::Redrive, std::slice::from_ref(&job)).await.unwrap();
    let sql = "select sent_at is null, generation from robnu.sync_runs where id = $1";
    let row = world.row(sql, &[&job.run_id]).await;
    assert_eq!(
        (row.get(0), row.get(1)),
        (true, job.generation + 1),
        "the late mark is one of an older publication"
    );
}

#[tokio::test]
async fn a_resume_lets_runs_try_at_once_that_wait_for_their_marketplace_and_no_others() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.sql("delete from robnu.sync_runs where state in ('QUEUED', 'RUNNING', 'WAITING')", &[]).await;
    let made = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, error_code, next_attempt_at)
        select $1, $2, 'AJIO', kind, 'SCHEDULE', 'WAITING', code, now() + interval '1 hour'
        from (values ('ORDERS', 'marketplace_unavailable'), ('RETURNS', 'marketplace_garbled'), ('CREDENTIAL_CHECK', 'marketplace_throttles'),
          ('LISTINGS', 'waits_for_turn')) waiting (kind, code)";
    world.sql(made, &[&ours.id, &ours.ajio]).await;
    world.sql(made, &[&theirs.id, &theirs.ajio]).await;
    let due = "select coalesce(string_agg(account_id || ' ' || kind, ';' order by kind), '') from robnu.sync_runs where next_attempt_at <= now()";

    let dry_run = ask(&world, "resume", json!({"account_id": ours.ajio, "dry_run": true})).await;
    assert_eq!((dry_run.changed, dry_run.was_held, dry_run.waiting_runs), (true, false, 2));
    assert_eq!(world.row(due, &[]).await.get::<_, String>(0), "");

    let report = resume(&world, ours.ajio).await;
    assert_eq!((report.changed, report.was_held, report.held, report.waiting_runs), (true, false, false, 2));
    let hurried = format!("{0} ORDERS;{0} RETURNS", ours.ajio);
    assert_eq!(
        world.row(due, &[]).await.get::<_, String>(0),
        hurried,
        "of this account alone, and not those that wait for something else"
    );
    let again = resume(&world, ours.ajio).await;
    assert_eq!((again.changed, again.waiting_runs), (false, 0));

    hold(&world, theirs.ajio).await;
    let of_all = ask(&world, "resume", json!({"marketplace": "AJIO"})).await;
    assert_eq!(of_all.waiting_runs, 0, "what is held stays");
    assert_eq!(resume(&world, theirs.ajio).await.waiting_runs, 2);
}
