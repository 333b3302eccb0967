//! A lane costs money every month, so only an account whose credentials have worked has one. There is none before that, and
//! none once the marketplace has refused the credentials for a week.

mod kit;

use kit::{World, body};
use lanes::Event;
use robnu_dispatch::Record;
use robnu_tenancy::{AccountId, RunId};

const NEVER_VERIFIED: &str = "update robnu.marketplace_accounts set verified_at = null where id = $1";
const REFUSED: &str = "update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT',
    refused_since = now() - interval '7 days' + make_interval(secs => $2) where id = $1";
const DEAD_LETTERED: &str = "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state)
    select seller_id, $1, id, marketplace_code, 'LISTINGS', 'SCHEDULE', 'DEAD_LETTERED' from robnu.marketplace_accounts where id = $2";

/// Acts as if the marketplace had refused the account's credentials for a week less this many seconds.
async fn refuse(world: &World, account: AccountId, seconds_left: f64) {
    world.sql(REFUSED, &[&account, &seconds_left]).await;
}

async fn status_of(world: &World, run: RunId) -> (String, Option<String>) {
    let row = world.row("select state, error_code from robnu.sync_runs where id = $1", &[&run]).await;
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn an_account_whose_credentials_never_worked_gets_no_lane_by_any_way() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.sql(NEVER_VERIFIED, &[&account]).await;
    for status in ["ACTIVE", "NEEDS_RECONNECT", "PAUSED", "ACTIVE", "DISCONNECTED", "ACTIVE"] {
        world.set_status(account, status).await;
        world.ask((seller, account)).await;
        let report = world.reconcile().await;
        assert_eq!(report.failed, 0);
        let lane = world.lane(account).await;
        assert_eq!((lane.state.as_str(), lane.generation), ("REQUESTED", 1), "{status}");
    }
    assert_eq!(world.wire.taken("CreateQueue", &[&world.queue_name(account, 1)]), 0);
    assert!(!world.has_queue(account, 1).await);
    assert_eq!(world.reconcile().await.differing, 0, "it is not looked at repeatedly");

    // With the first good check it gets a lane, like the others.
    let checked = "update robnu.marketplace_accounts set last_validated_at = now(), last_validation = 'OK' where id = $1";
    world.sql(checked, &[&account]).await;
    world.ask((seller, account)).await;
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_lane_goes_when_its_credentials_were_refused_for_a_week_and_comes_back_with_good_ones() {
    let world = World::new().await;
    let ((seller, account), other) = (world.ours(), world.accounts()[2].1);
    world.reconcile().await;
    refuse(&world, account, 60.0).await;
    refuse(&world, other, 60.0).await;
    assert_eq!(world.reconcile().await.differing, 0, "the week is not over");
    world.expect_open(account, 1).await;

    let check = world.put_queued_run(account).await;
    let others = world.put_queued_run(other).await;
    let dead = RunId::new();
    world.sql(DEAD_LETTERED, &[&dead, &account]).await;
    refuse(&world, account, -1.0).await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.retired, report.failed), (1, 1, 0));
    let lane = world.lane(account).await;
    assert_eq!((lane.state.as_str(), lane.generation, lane.queue_url), ("RETIRED", 2, None));
    assert!(!world.has_queue(account, 1).await);
    assert!(world.mappings(account, 1).await.is_empty());
    let ended = ("FAILED".to_owned(), Some("credentials_refused".to_owned()));
    assert_eq!(status_of(&world, check).await, ended, "nobody receives it any more");
    assert_eq!(status_of(&world, dead).await, ended, "nobody can redrive it");
    assert_eq!(status_of(&world, others).await.0, "QUEUED", "the other seller's lane exists");
    world.expect_open(other, 1).await;
    assert_eq!(world.reconcile().await.differing, 0);

    // With new credentials, the account is active, and refusals of the old ones no longer count.
    world
        .sql("update robnu.marketplace_accounts set credentials_generation = credentials_generation + 1 where id = $1", &[&account])
        .await;
    world.set_status(account, "ACTIVE").await;
    let standing = "select refused_since is null from robnu.marketplace_accounts where id = $1";
    assert!(world.row(standing, &[&account]).await.get::<_, bool>(0));
    world.ask((seller, account)).await;
    world.expect_open(account, 2).await;
}

#[tokio::test]
async fn a_paused_account_keeps_its_lane_however_long_its_credentials_were_refused() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    refuse(&world, account.1, 60.0).await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    world
        .sql(
            "update robnu.marketplace_accounts set refused_since = now() - interval '30 days' where id = $1",
            &[&account.1],
        )
        .await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "PAUSED", "nothing polls it");
    world.set_status(account.1, "NEEDS_RECONNECT").await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "RETIRED", "the time of the first refusal counts");
}

#[tokio::test]
async fn repeated_requests_make_no_queue_for_accounts_without_working_credentials() {
    let world = World::new().await;
    let accounts = world.accounts();
    for (_, account) in accounts {
        world.sql(NEVER_VERIFIED, &[&account]).await;
    }
    let event = Event::Requests {
        records: (0..50)
            .map(|n| Record {
                message_id: n.to_string(),
                body: Some(body(accounts[n % 4])),
                ..Record::default()
            })
            .collect(),
    };
    lanes::handle(event, &world.context, kit::in_a_minute()).await.unwrap();
    for operation in ["CreateQueue", "CreateEventSourceMapping", "ListEventSourceMapping", "GetQueueUrl"] {
        let lane = world.context.config.queue_prefix.as_str();
        assert_eq!(world.wire.taken(operation, &[lane]), 0, "{operation}");
    }
}

/// A round's search and the next step for a lane are written in two languages: they agree on every combination.
#[tokio::test]
async fn a_round_finds_each_lane_that_differs_and_no_other() {
    let world = World::new().await;
    let (seller, _) = world.ours();
    world.sql("delete from robnu.lane_openings", &[]).await;
    let every = "insert into robnu.marketplace_accounts
          (seller_id, marketplace_code, external_account_id, display_name, status, lane_state, verified_at, refused_since)
        select $1, 'AJIO', concat_ws(' ', status, state, verified, days), 'one of each', status, state,
          case when verified then now() end, now() - make_interval(days => days)
        from unnest(array['ACTIVE', 'PAUSED', 'NEEDS_RECONNECT', 'DISCONNECTED']) status,
          unnest(array['REQUESTED', 'ACTIVE', 'PAUSED', 'RETIRED']) state, unnest(array[true, false]) verified, unnest(array[1, 8]) days";
    world.sql(every, &[&seller]).await;
    // No existing lane should be checked here, only brought to its wanted state.
    world.sql("update robnu.marketplace_accounts set lane_checked_at = now()", &[]).await;
    let standing = "select count(*) from robnu.marketplace_accounts
        where lane_state is distinct from
          case robnu.lane_wanted(status, verified_at, refused_since)
            when 'REQUESTED' then case when lane_state in ('ACTIVE', 'PAUSED') then 'RETIRED' else lane_state end
            when 'PAUSED' then case lane_state when 'ACTIVE' then 'PAUSED' else lane_state end
            else robnu.lane_wanted(status, verified_at, refused_since)
          end";
    let differing: i64 = world.row(standing, &[]).await.get(0);
    let report = world.reconcile().await;
    assert_eq!(i64::try_from(report.differing).unwrap(), differing);
    assert_eq!(report.failed, 0);
    let left: i64 = world.row(standing, &[]).await.get(0);
    assert_eq!((left, world.reconcile().await.differing), (0, 0));
}
