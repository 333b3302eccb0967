//! Due schedules become runs and are published.

mod kit;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use kit::{World, in_a_minute, sweep_with, try_sweep};
use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::RunId;
use robnu_testkit::WireProxy;
use sweep::SweepError;
use tokio::time::Instant;

const LIVE_RUNS: &str = "select count(*) from robnu.sync_runs where state = 'QUEUED'";

#[tokio::test]
async fn each_due_schedule_of_both_sellers_makes_a_run_and_publishes_to_its_own_lane() {
    let world = World::new().await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 4, 4));
    assert_eq!((report.republished, report.send_failures, report.time_short), (0, 0, false));
    for (seller_id, account_id) in world.accounts() {
        let run = world
            .row("select id, seller_id, trigger, sent_at is not null, marketplace_code from robnu.sync_runs where account_id = $1 and state = 'QUEUED'", &[&account_id])
            .await;
        assert_eq!(run.get::<_, robnu_tenancy::SellerId>(1), seller_id);
        assert_eq!(run.get::<_, &str>(2), "SCHEDULE");
        assert!(run.get::<_, bool>(3), "the run is marked as sent");
        let marketplace: MarketplaceCode = run.get::<_, &str>(4).parse().unwrap();
        let job = Job {
            run_id: run.get(0),
            step: 0,
            generation: 0,
            seller_id,
            account_id,
            marketplace,
            kind: RunKind::Orders,
        };
        assert_eq!(world.heard(account_id).await, [job]);
    }
}

#[tokio::test]
async fn a_due_check_of_credentials_travels_in_the_lane_unless_the_account_must_be_reconnected() {
    let world = World::new().await;
    world.nothing_is_due().await;
    let [(_, ours), _, (_, theirs), _] = world.accounts();
    for (account, status) in [(ours, "ACTIVE"), (theirs, "NEEDS_RECONNECT")] {
        let status_of = "update robnu.marketplace_accounts set status = $2 where id = $1";
        world.run_sql(status_of, &[&account, &status]).await;
        let due = "insert into robnu.schedules (seller_id, account_id, kind, every_minutes)
            select seller_id, id, 'CREDENTIAL_CHECK', 240 from robnu.marketplace_accounts where id = $1";
        world.run_sql(due, &[&account]).await;
    }
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (2, 1, 1));
    let heard = world.heard(ours).await;
    assert_eq!(heard.iter().map(|job| job.kind).collect::<Vec<_>>(), [RunKind::CredentialCheck]);
    assert_eq!(world.heard(theirs).await, [], "refused credentials are not tried again and again");
}

#[tokio::test]
async fn a_second_sweep_right_after_finds_nothing() {
    let world = World::new().await;
    world.sweep().await;
    assert_eq!(world.sweep().await, sweep::scheduling::Report::default());
}

#[tokio::test]
async fn an_account_that_is_not_active_gets_no_run_and_its_schedule_moves_on() {
    let world = World::new().await;
    let statuses = ["PAUSED", "NEEDS_RECONNECT", "DISCONNECTED", "ACTIVE"];
    for ((_, account), status) in world.accounts().into_iter().zip(statuses) {
        world
            .run_sql("update robnu.marketplace_accounts set status = $2 where id = $1", &[&account, &status])
            .await;
    }
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 1, 1));
    assert_eq!(world.count("select count(*) from robnu.schedules where next_due_at <= now()").await, 0);
    let (_, active) = world.accounts()[3];
    assert_eq!(world.heard(active).await.len(), 1);
}

#[tokio::test]
async fn an_account_whose_credentials_never_worked_gets_no_run() {
    let world = World::new().await;
    let (_, unverified) = world.accounts()[0];
    let never = "update robnu.marketplace_accounts set verified_at = null where id = $1";
    world.run_sql(never, &[&unverified]).await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 3, 3));
    assert!(world.heard(unverified).await.is_empty());
}

#[tokio::test]
async fn a_suspended_seller_gets_no_runs_and_its_schedules_move_on() {
    let world = World::new().await;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    world.run_sql(suspend, &[&world.sellers.theirs.id]).await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 2, 2));
    let due = "select count(*) from robnu.schedules where next_due_at <= now()";
    assert_eq!(world.count(due).await, 0);
    for (seller, account) in world.accounts() {
        let heard = world.heard(account).await;
        assert_eq!(heard.len(), usize::from(seller == world.sellers.ours.id));
    }
}

#[tokio::test]
async fn a_held_account_or_marketplace_gets_no_runs_and_its_schedules_move_on() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let hold = "update robnu.marketplace_accounts set held_at = now(), hold_reason = 'a fault' where id = $1";
    world.run_sql(hold, &[&ours.ajio]).await;
    let hold =
        "update robnu.marketplaces set held_at = now(), hold_reason = 'a fault' where code = 'AMAZON_IN'";
    world.run_sql(hold, &[]).await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 1, 1));
    assert_eq!(world.heard(world.sellers.theirs.ajio).await.len(), 1, "the other seller's goes on");
    let due = "select count(*) from robnu.schedules where next_due_at <= now()";
    assert_eq!(world.count(due).await, 0);
}

#[tokio::test]
async fn a_switched_off_schedule_is_left_alone() {
    let world = World::new().await;
    world.run_sql("update robnu.schedules set enabled = false", &[]).await;
    assert_eq!(world.sweep().await.schedules_claimed, 0);
}

#[tokio::test]
async fn a_schedule_keeps_its_phase_and_never_catches_up_on_missed_slots() {
    let world = World::new().await;
    let (_, late) = world.accounts()[0];
    let (_, just_due) = world.accounts()[1];
    let set = "update robnu.schedules set every_minutes = 60, next_due_at = date_trunc('second', now()) - $2::text::interval where account_id = $1";
    // After a standstill of fifty hours and ten minutes, the next slot is in fifty minutes.
    world.run_sql(set, &[&late, &"50 hours 10 minutes"]).await;
    world.run_sql(set, &[&just_due, &"0"]).await;
    let before = world.row("select next_due_at from robnu.schedules where account_id = $1", &[&late]).await;
    let report = world.sweep().await;
    assert_eq!(report.runs_made, 4);
    let check = "select next_due_at > now(), next_due_at <= now() + interval '60 minutes',
        extract(epoch from next_due_at - $2)::bigint % 3600, last_claimed_at is not null from robnu.schedules where account_id = $1";
    let before_late: std::time::SystemTime = before.get(0);
    let after = world.row(check, &[&late, &before_late]).await;
    assert!(after.get::<_, bool>(0) && after.get::<_, bool>(1) && after.get::<_, bool>(3));
    assert_eq!(after.get::<_, i64>(2), 0, "the phase is kept");
    let next = world
        .row(
            "select next_due_at > now() + interval '59 minutes' from robnu.schedules where account_id = $1",
            &[&just_due],
        )
        .await;
    assert!(next.get::<_, bool>(0), "a schedule on time is due a full interval later");
}

#[tokio::test]
async fn an_account_with_a_live_run_gets_no_second_one() {
    let world = World::new().await;
    let (_, busy) = world.accounts()[0];
    let run = world.put_run(busy, "state, lease_expires_at", "'RUNNING', now() + interval '1 minute'").await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made), (4, 3));
    let live = world.row("select id from robnu.sync_runs where account_id = $1 and state in ('QUEUED', 'RUNNING', 'WAITING')", &[&busy]).await;
    assert_eq!(live.get::<_, robnu_tenancy::RunId>(0), run);
}

#[tokio::test]
async fn an_account_without_a_lane_gets_its_run_and_no_message() {
    let world = World::new().await;
    world.run_sql("update robnu.marketplace_accounts set lane_queue_url = null", &[]).await;
    let report = world.sweep().await;
    assert_eq!((report.runs_made, report.published, report.send_failures), (4, 0, 0));
    assert_eq!(
        world.count("select count(*) from robnu.sync_runs where state = 'QUEUED' and sent_at is null").await,
        4
    );
}

#[tokio::test]
async fn a_kind_that_the_adapter_does_not_support_gets_no_run() {
    let world = World::new().await;
    let (_, account) = world.accounts()[0];
    world
        .run_sql(
            "update robnu.marketplace_accounts set marketplace_code = 'MEESHO' where id = $1",
            &[&account],
        )
        .await;
    let report = world.sweep().await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (4, 3, 3));
}

#[tokio::test]
async fn two_sweeps_at_once_make_exactly_one_run_for_each_schedule() {
    let world = World::new().await;
    many_schedules(&world, 1_500).await;
    let contexts =
        [world.another_context().await, world.another_context().await, world.another_context().await];
    let (first, second, third) =
        tokio::join!(sweep_with(&contexts[0]), sweep_with(&contexts[1]), sweep_with(&contexts[2]));
    let claimed = first.schedules_claimed + second.schedules_claimed + third.schedules_claimed;
    let made = first.runs_made + second.runs_made + third.runs_made;
    assert_eq!((claimed, made), (1_500, 1_500));
    assert_eq!(world.count(LIVE_RUNS).await, 1_500);
    let twice = "select count(*) from (select from robnu.sync_runs where state = 'QUEUED' group by account_id having count(*) > 1) t";
    assert_eq!(world.count(twice).await, 0);
    assert_eq!(world.count("select count(*) from robnu.schedules where next_due_at <= now()").await, 0);
}

#[tokio::test]
async fn a_thousand_schedules_cost_four_statements() {
    let world = World::new().await;
    many_schedules(&world, 1_000).await;
    let mut config = world.test.config("robnu_sweep");
    let wire = WireProxy::before(&mut config).await;
    let context = world.context_with(robnu_tenancy::Database::new(&config).await.unwrap());
    let report = sweep_with(&context).await;
    assert_eq!((report.schedules_claimed, report.published, report.time_short), (1_000, 1_000, false));
    // Four transactions, each with BEGIN, the entry and COMMIT: the oldest waiting run; claim, lost notices, lock and admission; the note of
    // what was sent. The batch is full, so there is a second look, without lost notices, and nothing to note after it.
    let (_, statements) = wire.take();
    assert_eq!(statements, 4 * 3 + 1 + 4 + 1 + 3);
    assert_eq!(
        world.count("select count(*) from robnu.sync_runs where state = 'QUEUED' and sent_at is null").await,
        0
    );
}

#[tokio::test]
async fn more_than_one_batch_is_swept_in_one_invocation() {
    let world = World::new().await;
    many_schedules(&world, 2_100).await;
    let mut config = world.test.config("robnu_sweep");
    let wire = WireProxy::before(&mut config).await;
    let context = world.context_with(robnu_tenancy::Database::new(&config).await.unwrap());
    let report = sweep_with(&context).await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (2_100, 2_100, 2_100));
    let (_, statements) = wire.take();
    assert_eq!(
        statements,
        7 * 3 + 1 + 3 * 4 + 1,
        "the oldest waiting run; three batches: claim, lock, admission and note each; lost notices once"
    );
}

#[tokio::test]
async fn a_sweep_without_time_left_says_so_and_claims_nothing() {
    let world = World::new().await;
    let report = match try_sweep(&world.context, "scheduling", Instant::now()).await {
        Ok(sweep::Report::Scheduling(report)) => report,
        other => panic!("{other:?}"),
    };
    assert!(report.time_short);
    assert_eq!(report.schedules_claimed, 0);
    assert_eq!(world.sweep().await.runs_made, 4, "the next sweep does the rest");
}

#[tokio::test]
async fn an_unknown_sweep_is_refused_by_name() {
    let world = World::new().await;
    let error = try_sweep(&world.context, "spring-cleaning", in_a_minute()).await.unwrap_err();
    assert!(matches!(&error, SweepError::UnknownSweep { name } if name == "spring-cleaning"));
    assert_eq!(
        error.to_string(),
        r#"unknown sweep "spring-cleaning": this function knows "scheduling", "claims", "retention", "keys", "reseal", "closing", "raw_pages" and "usage""#
    );
}

/// Replaces the fixture's schedules with `count` due ones, each with an account of its own; all share one queue.
async fn many_schedules(world: &World, count: i32) {
    let (seller, account) = world.accounts()[0];
    world.nothing_is_due().await;
    world
        .run_sql(
            "with made as (
               insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at, lane_queue_url)
               select $1, 'AJIO', 'DV-' || n, 'many', now(), (select lane_queue_url from robnu.marketplace_accounts where id = $2)
               from generate_series(1, $3::int) n returning seller_id, id
             )
             insert into robnu.schedules (seller_id, account_id, kind, every_minutes) select seller_id, id, 'ORDERS', 60 from made",
            &[&seller, &account, &count],
        )
        .await;
    world.run_sql("update robnu.marketplaces set runs_at_once = 10000", &[]).await;
    world.run_sql("analyze robnu.schedules", &[]).await;
}

#[tokio::test]
async fn runs_that_may_overtake_each_other_are_published_to_the_marketplaces_queue_and_not_to_the_lane() {
    let world = World::new().await;
    world.nothing_is_due().await;
    let name = format!("robnu-test-{}-ajio-parallel", RunId::new());
    let queue = world.sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let due = "insert into robnu.schedules (seller_id, account_id, kind, every_minutes) values ($1, $2, 'RETURNS', 60)";
    let accounts = [world.accounts()[0], world.accounts()[2]];
    for (seller, account) in accounts {
        world.run_sql(due, &[&seller, &account]).await;
    }
    let report = sweep_with(&world.context_with_parallel(&queue).await).await;
    assert_eq!((report.published, report.send_failures), (2, 0));
    let receive = world.sqs.receive_message().queue_url(&queue).max_number_of_messages(10);
    let group = MessageSystemAttributeName::MessageGroupId;
    let receive = receive.message_system_attribute_names(group.clone());
    let messages = receive.send().await.unwrap().messages.unwrap_or_default();
    let mut heard: Vec<_> = messages
        .iter()
        .map(|message| {
            let job = JobMessage::parse(message.body().unwrap()).unwrap().into_job();
            assert_eq!(
                message.attributes().unwrap()[&group],
                job.account_id.to_string(),
                "its account is the group"
            );
            (job.seller_id, job.account_id)
        })
        .collect();
    heard.sort();
    let mut expected = accounts.to_vec();
    expected.sort();
    assert_eq!(heard, expected);
    for (_, account) in accounts {
        assert_eq!(world.heard(account).await, []);
    }
    // Without the queue's address the runs stay unsent, and the sweep says so.
    world.run_sql("update robnu.sync_runs set state = 'CANCELLED' where kind = 'RETURNS'", &[]).await;
    world.run_sql("update robnu.schedules set next_due_at = now() where kind = 'RETURNS'", &[]).await;
    assert_eq!(world.sweep().await.send_failures, 2);
}
