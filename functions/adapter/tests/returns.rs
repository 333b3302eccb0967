//! Returns: read whole, joined to their orders whichever comes first, through the parallel queue, whatever is killed meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode::{Ajio, Flipkart};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, RunId, SellerId};
use simulators::{
    AjioConfig, AjioReturnStatus, Fault, FaultKind, Malformation, Marketplace, SimulatorConfig,
};
use support::{LEASE_SECONDS, Stand, acknowledged, eventually, failed};

/// So many orders of a book have 50 returns, which fill a page, and more.
const ORDERS: usize = 700;

async fn stand() -> Stand {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders: ORDERS, ..config.ajio };
    Stand::new(config).await
}

/// Returns, those with their order, lines, and those with their order's line, of an account, without the fixture's.
async fn stored(stand: &Stand, account: AccountId) -> [i64; 4] {
    let sql = "select count(distinct r.id), count(distinct r.id) filter (where r.order_id is not null), count(i.id),
          count(i.id) filter (where i.order_item_id is not null)
        from robnu.returns r left join robnu.return_items i on i.return_id = r.id
        where r.account_id = $1 and r.external_return_id <> 'RN1'";
    let row = stand.superuser.query_one(sql, &[&account]).await.unwrap();
    [row.get(0), row.get(1), row.get(2), row.get(3)]
}

/// Every stored return and line with its xmin, which changes with any write.
async fn fingerprint(stand: &Stand) -> Vec<String> {
    let sql = "select x.row from (select 'return ' || r.xmin || ' ' || r::text as row from robnu.returns r
        union all select 'line ' || i.xmin || ' ' || i::text from robnu.return_items i) x order by 1";
    stand.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// How many returns of a stream a run added, changed and left.
async fn counted(stand: &Stand, run: RunId) -> (i32, i32, i32) {
    let sql = "select added, changed, unchanged from robnu.sync_run_counts where run_id = $1 and stream = 'RETURNS'";
    let row = stand.superuser.query_one(sql, &[&run]).await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

fn in_book(stand: &Stand, username: &str) -> i64 {
    i64::try_from(stand.simulator.ajio_returns(username).unwrap().len()).unwrap()
}

#[tokio::test]
async fn all_returns_arrive_once_and_a_second_read_touches_no_row() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::Returns).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0), "{run:?}");
    let [returns, with_order, lines, _] = stored(&stand, job.account_id).await;
    assert!(returns > 50 && run.pages > 1, "{returns} returns on {} pages", run.pages);
    assert_eq!((returns, with_order), (in_book(&stand, "DV1"), 0), "no order is stored yet");
    assert!(lines >= returns);
    assert_eq!(stored(&stand, stand.sellers.theirs.ajio).await, [0; 4]);
    let before = fingerprint(&stand).await;
    let again = stand.queue(Ajio, RunKind::Returns).await;
    stand.run_to_end(&function, again.clone()).await;
    assert_eq!(fingerprint(&stand).await, before);
    assert_eq!(counted(&stand, again.run_id).await, (0, 0, i32::try_from(returns).unwrap()));
}

#[tokio::test]
async fn returns_meet_their_orders_whichever_comes_first() {
    for kinds in [[RunKind::Orders, RunKind::Returns], [RunKind::Returns, RunKind::Orders]] {
        let stand = stand().await;
        let function = stand.start(Ajio).await;
        for kind in kinds {
            let job = stand.queue(Ajio, kind).await;
            stand.run_to_end(&function, job).await;
        }
        let [returns, with_order, lines, with_line] = stored(&stand, stand.sellers.ours.ajio).await;
        assert_eq!((returns, with_order), (in_book(&stand, "DV1"), returns), "{kinds:?}");
        assert_eq!(lines, with_line, "{kinds:?}");
    }
}

#[tokio::test]
async fn flipkart_returns_of_both_sources_meet_their_orders_and_count_from_their_completion() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let account = stand.sellers.ours.flipkart;
    let function = stand.start(Flipkart).await;
    for kind in [RunKind::Returns, RunKind::Orders] {
        let job = stand.queue(Flipkart, kind).await;
        stand.run_to_end(&function, job.clone()).await;
        let run = stand.run(job.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0), "{kind:?}");
    }
    let known = stand.simulator.flipkart_returns(&format!("app-{account}")).unwrap();
    let count = i64::try_from(known.len()).unwrap();
    let [returns, with_order, lines, with_line] = stored(&stand, account).await;
    assert_eq!((returns, with_order, lines), (count, count, with_line));
    let sql = "select count(distinct return_type), count(*) filter (where status = 'DELIVERED'),
          count(*) filter (where status = 'DELIVERED' and file_by - delivered_at = interval '14 days' and delivered_at = marketplace_updated_at)
        from robnu.returns where account_id = $1 and external_return_id <> 'RN1'";
    let row = stand.superuser.query_one(sql, &[&account]).await.unwrap();
    let (types, back, dated): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((types, dated), (2, back), "customers' and couriers', each with its date");
    assert!(back > 0);
    let before = fingerprint(&stand).await;
    let again = stand.queue(Flipkart, RunKind::Returns).await;
    stand.run_to_end(&function, again).await;
    assert_eq!(fingerprint(&stand).await, before, "a second read touches no row");
}

#[tokio::test]
async fn returns_and_orders_that_are_read_at_the_same_time_miss_none_of_each_other() {
    let stand = stand().await;
    let (first, second) = (stand.start(Ajio).await, stand.start(Ajio).await);
    for _ in 0..3 {
        let clear = "delete from robnu.claims where return_id in (select id from robnu.returns where external_return_id <> 'RN1');
            delete from robnu.returns where external_return_id <> 'RN1'; delete from robnu.orders where external_order_id <> 'FN1'";
        stand.superuser.batch_execute(clear).await.unwrap();
        let orders = stand.queue(Ajio, RunKind::Orders).await;
        let returns = stand.queue(Ajio, RunKind::Returns).await;
        tokio::join!(stand.run_to_end(&first, orders), stand.run_to_end(&second, returns));
        let [returns, with_order, lines, with_line] = stored(&stand, stand.sellers.ours.ajio).await;
        assert_eq!((returns, with_order, lines), (in_book(&stand, "DV1"), returns, with_line));
    }
}

#[tokio::test]
async fn a_page_of_returns_waits_for_a_page_of_orders_of_its_account_and_finds_them() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    // The page of orders has written and not committed yet.
    let mut other = stand.test.superuser().await;
    let page = other.transaction().await.unwrap();
    let account = stand.sellers.ours.ajio;
    let turn = "select pg_advisory_xact_lock(hashtextextended('pages of ' || $1::uuid || $2::uuid, 0))";
    page.execute(turn, &[&stand.sellers.ours.id, &account]).await.unwrap();
    let job = stand.queue(Ajio, RunKind::Returns).await;
    let answer = function.send(stand.event(&job)).await;
    let waiting = "select count(*) from pg_stat_activity
        where usename = 'robnu_adapter' and wait_event_type = 'Lock' and datname = current_database()";
    eventually("the page of returns waits", async || {
        stand.superuser.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    let order = "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
        select $1, $2, $3, 'DELIVERED', 'DELIVERED', now(), 'INR'";
    let first_return = stand.simulator.ajio_returns("DV1").unwrap()[0].0.replace("R-", "FN");
    page.execute(order, &[&stand.sellers.ours.id, &account, &first_return]).await.unwrap();
    page.commit().await.unwrap();
    acknowledged(answer.await.unwrap());
    stand.run_to_end(&function, job).await;
    assert_eq!(stored(&stand, account).await[1], 1, "the return found the order that was stored beside it");
}

#[tokio::test]
async fn a_parcel_that_was_scanned_before_its_return_was_read_is_received_once_with_the_scan() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let orders = stand.queue(Ajio, RunKind::Orders).await;
    stand.run_to_end(&function, orders).await;
    let returns = stand.simulator.ajio_returns("DV1").unwrap();
    let is_live = |(_, status): &&(String, AjioReturnStatus)| *status != AjioReturnStatus::Cancelled;
    let (code, _) = returns.iter().find(is_live).unwrap();
    // Both sellers have scanned a parcel with this code; only ours has a return of that number.
    let scan = "insert into robnu.unmatched_scans (seller_id, code, condition, scanned_at) values ($1, $2, 'BAD', '2026-11-01T10:00:00Z')";
    for seller in [stand.sellers.ours.id, stand.sellers.theirs.id] {
        stand.superuser.execute(scan, &[&seller, code]).await.unwrap();
    }
    for _ in 0..2 {
        let job = stand.queue(Ajio, RunKind::Returns).await;
        stand.run_to_end(&function, job).await;
    }
    let joined = "select count(*) filter (where external_return_id = $2 and internal_status = 'RECEIVED' and condition = 'BAD'
            and received_at = '2026-11-01T10:00:00Z'),
          count(*) filter (where external_return_id <> 'RN1' and received_at is not null), count(*)
        from robnu.returns where account_id = $1 and external_return_id <> 'RN1'";
    let row = stand.superuser.query_one(joined, &[&stand.sellers.ours.ajio, code]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (1_i64, 1_i64, in_book(&stand, "DV1")));
    let waiting = "select count(*) from robnu.unmatched_scans where seller_id = $1 and code = $2";
    for (seller, expected) in [(stand.sellers.ours.id, 0_i64), (stand.sellers.theirs.id, 1)] {
        let row = stand.superuser.query_one(waiting, &[&seller, code]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), expected, "the other seller's scan goes on waiting");
    }
}

#[tokio::test]
async fn statuses_go_on_and_never_back() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::Returns).await;
    stand.run_to_end(&function, job.clone()).await;
    let returns = stand.simulator.ajio_returns("DV1").unwrap();
    let of = |status| returns.iter().find(|(_, stands)| *stands == status).unwrap().0.clone();
    let changes = [
        (of(AjioReturnStatus::Initiated), AjioReturnStatus::Delivered, "DELIVERED true"),
        (of(AjioReturnStatus::Delivered), AjioReturnStatus::Created, "DELIVERED true"),
        (of(AjioReturnStatus::Created), AjioReturnStatus::Cancelled, "CANCELLED false"),
        (of(AjioReturnStatus::Cancelled), AjioReturnStatus::Processed, "DELIVERED true"),
    ];
    for (id, to, _) in &changes {
        stand.simulator.set_ajio_return_status("DV1", id, *to).unwrap();
    }
    let again = stand.queue(Ajio, RunKind::Returns).await;
    stand.run_to_end(&function, again).await;
    for (id, to, expected) in &changes {
        let sql = "select status || ' ' || (delivered_at is not null) from robnu.returns where account_id = $1 and external_return_id = $2";
        let row = stand.superuser.query_one(sql, &[&job.account_id, id]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), *expected, "{to:?}");
    }
}

#[tokio::test]
async fn a_return_without_its_date_is_set_aside_and_the_others_arrive() {
    let stand = stand().await;
    let kind = FaultKind::Malformed { malformation: Malformation::MissingField { field: None }, record: 3 };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/returns", kind).times(1));
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::Returns).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.quarantined, 1);
    assert_eq!(stored(&stand, job.account_id).await[0], in_book(&stand, "DV1") - 1);
    assert_eq!(stand.aside("R-").await.len(), 1);
    assert!(
        stand.aside("R-").await[0].ends_with(" kept: return_date is missing"),
        "{:?}",
        stand.aside("R-").await
    );
}

#[tokio::test]
async fn a_run_killed_between_pages_or_before_its_message_was_acknowledged_loses_and_doubles_nothing() {
    let stand = stand().await;
    stand.simulator.add_fault(
        Fault::new(Marketplace::Ajio, "/returns", FaultKind::Hang { millis: 30_000 }).after(1).times(1),
    );
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::Returns).await;
    let _never = function.send(stand.event(&job)).await;
    eventually("a page is in", async || stand.run(job.run_id).await.pages == 1).await;
    function.kill().await;
    stand.simulator.clear_faults();
    tokio::time::sleep(Duration::from_secs(LEASE_SECONDS) + Duration::from_millis(200)).await;
    let function = stand.start(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    let returns = in_book(&stand, "DV1");
    assert_eq!(stored(&stand, job.account_id).await[0], returns);
    assert_eq!(
        counted(&stand, job.run_id).await,
        (i32::try_from(returns).unwrap(), 0, 0),
        "each counted once"
    );
    // For the queue, the message was never acknowledged.
    function.kill().await;
    let before = fingerprint(&stand).await;
    let function = stand.start(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(fingerprint(&stand).await, before);
}

#[tokio::test]
async fn flipkart_runs_that_are_killed_between_pages_lose_and_double_nothing() {
    let cases =
        [(RunKind::Orders, "/sellers/v3/shipments/filter"), (RunKind::Returns, "/sellers/v2/returns")];
    for (kind, path) in cases {
        let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
        let account = stand.sellers.ours.flipkart;
        let hang = FaultKind::Hang { millis: 30_000 };
        stand.simulator.add_fault(Fault::new(Marketplace::Flipkart, path, hang).after(14).times(1));
        let function = stand.start(Flipkart).await;
        let job = stand.queue(Flipkart, kind).await;
        let _never = function.send(stand.event(&job)).await;
        eventually("some pages are in", async || stand.run(job.run_id).await.pages >= 8).await;
        function.kill().await;
        stand.simulator.clear_faults();
        tokio::time::sleep(Duration::from_secs(LEASE_SECONDS) + Duration::from_millis(200)).await;
        let function = stand.start(Flipkart).await;
        stand.run_to_end(&function, job.clone()).await;
        assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED", "{kind:?}");
        let name = format!("app-{account}");
        let book = match kind {
            RunKind::Orders => stand.simulator.flipkart_orders(&name).unwrap().len(),
            _ => stand.simulator.flipkart_returns(&name).unwrap().len(),
        };
        let sql = "select (select count(*)::int from robnu.orders where account_id = $1)
              + (select count(*)::int from robnu.returns where account_id = $1),
            (select added from robnu.sync_run_counts where run_id = $2 and stream = $3)";
        let row = stand.superuser.query_one(sql, &[&account, &job.run_id, &kind.as_str()]).await.unwrap();
        let book = i32::try_from(book).unwrap();
        assert_eq!(
            (row.get::<_, i32>(0), row.get::<_, i32>(1)),
            (book, book),
            "{kind:?}: each stored and added once"
        );
    }
}

#[tokio::test]
async fn the_messages_of_a_batch_end_one_by_one() {
    let stand = stand().await;
    let function = stand.start(Ajio).await;
    let ours = stand.queue(Ajio, RunKind::Returns).await;
    let theirs = stand.queue_for(&stand.sellers.theirs, Ajio, RunKind::Returns).await;
    let body = |job: &Job| JobMessage::new(job.clone()).to_body();
    let refused = [
        ("garbage", "{not json".to_owned()),
        ("unknown_run", body(&Job { kind: RunKind::Orders, ..ours.clone() })),
        ("foreign_account", body(&Job { seller_id: stand.sellers.theirs.id, ..ours.clone() })),
        ("foreign_account", body(&Job { seller_id: SellerId::new(), ..theirs.clone() })),
        ("unknown_run", body(&Job { run_id: theirs.run_id, ..ours.clone() })),
    ];
    // A run that another attempt holds.
    let held = stand.queue_for(&stand.sellers.ours, Ajio, RunKind::Payouts).await;
    let lease = "update robnu.sync_runs set state = 'RUNNING', attempt = 1, lease_expires_at = now() + interval '1 hour' where id = $1";
    stand.superuser.execute(lease, &[&held.run_id]).await.unwrap();
    let (held, ours_body, theirs_body) = (body(&held), body(&ours), body(&theirs));
    let bodies: Vec<&str> = [&held, &ours_body]
        .into_iter()
        .chain(refused.iter().map(|(_, body)| body))
        .chain([&theirs_body])
        .map(String::as_str)
        .collect();
    let event = stand.parallel_event(&bodies);
    let back = failed(function.invoke(event.clone()).await);
    assert_eq!(
        back,
        [event["Records"][0]["messageId"].as_str().unwrap()],
        "only the held run's message comes back"
    );
    for (job, username) in [(&ours, "DV1"), (&theirs, "DV2")] {
        assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED", "{username}");
        assert_eq!(stored(&stand, job.account_id).await[0], in_book(&stand, username), "{username}");
    }
    let mut letters = Vec::new();
    while let Some(letter) = stand.receive(&stand.parallel_dead_letter_queue).await {
        let refusal = letter.message_attributes().unwrap()["refusal"].string_value().unwrap().to_owned();
        letters.push((refusal, letter.body().unwrap().to_owned()));
    }
    let mut expected: Vec<_> =
        refused.iter().map(|(reason, body)| ((*reason).to_owned(), body.clone())).collect();
    letters.sort();
    expected.sort();
    assert_eq!(letters, expected);
}

#[tokio::test]
async fn what_remains_after_a_slice_goes_through_the_parallel_queue_with_the_account_as_its_group() {
    let mut stand = stand().await;
    stand.slice_seconds = 0;
    let lane = "update robnu.marketplace_accounts set lane_queue_url = $2 where id = $1";
    stand.superuser.execute(lane, &[&stand.sellers.ours.ajio, &stand.lane_queue]).await.unwrap();
    let function = stand.start(Ajio).await;
    let job = stand.queue(Ajio, RunKind::Returns).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let queue = stand.parallel_queue.clone();
    let message = stand.receive(&queue).await.expect("the next step was published");
    let next = JobMessage::parse(message.body().unwrap()).unwrap().into_job();
    assert_eq!((next.run_id, next.step, next.kind), (job.run_id, 1, RunKind::Returns));
    stand.run_to_end(&function, next).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert!(stand.receive(&stand.lane_queue).await.is_none(), "nothing went into the lane");
}
