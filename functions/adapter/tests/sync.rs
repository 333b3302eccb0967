//! Orders arrive completely and once: tests with the real binary, a real database and the marketplaces' contracts.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn, Flipkart};
use rust_decimal::Decimal;
use simulators::{AjioConfig, AmazonConfig, FlipkartChange, OrderBook, SimulatorConfig};
use support::{Stand, acknowledged};

const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n";

fn book(lines: &[&str]) -> SimulatorConfig {
    let csv = format!("{HEADER}{}\n", lines.join("\n"));
    SimulatorConfig::new(OrderBook::from_csv("orders.csv", &csv).unwrap())
}

fn ajio(orders: usize) -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    config
}

#[tokio::test]
async fn amazon_orders_arrive_to_the_paisa_and_a_full_second_read_touches_no_row() {
    let stand = Stand::new(book(&[
        "405-0000001-0000001,2026-04-30,Cancelled,Merchant,Standard,Shirt,Cash,S,On the Way,648.37,0,INR,MUMBAI,400081,false",
        "405-0000001-0000001,2026-04-30,Cancelled,Merchant,Standard,Shirt,Cash,S,On the Way,648.37,0,INR,MUMBAI,400081,false",
        "405-0000002-0000001,2026-04-30,Shipped - Delivered to Buyer,Merchant,Standard,Shirt,Cash,S,Shipped,0.005,1,INR,PUNE,411001,false",
        "405-0000003-0000001,2026-04-30,Shipped,Amazon,Expedited,Shirt,Debit Card,XL,Shipped,,0,INR,PUNE,411001,true",
    ]))
    .await;
    let function = stand.start(AmazonIn).await;
    let theirs = stand.theirs().await;

    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.lines_new, run.quarantined), ("SUCCEEDED", 3, 4, 0));
    let account = stand.sellers.ours.amazon;
    assert_eq!(stand.stored(account).await, (3, 4, Decimal::new(1_296_745, 3)));
    let texts = stand
        .superuser
        .query(
            "select marketplace_status from robnu.orders where account_id = $1 order by external_order_id",
            &[&account],
        )
        .await
        .unwrap();
    let texts: Vec<&str> = texts.iter().map(|row| row.get(0)).collect();
    assert_eq!(texts, ["Cancelled", "Shipped - Delivered to Buyer", "Shipped"]);

    let before = stand.fingerprint().await;
    let latest_lock = stand.latest_lock().await;
    stand.superuser.execute("delete from robnu.watermarks", &[]).await.unwrap();
    let theirs_then = stand.theirs().await;
    let again = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, again.clone()).await;
    let run = stand.run(again.run_id).await;
    assert_eq!((run.orders_new, run.orders_changed, run.orders_unchanged), (0, 0, 3));
    assert_eq!(stand.fingerprint().await, before);
    assert!(stand.latest_lock().await <= latest_lock, "unchanged rows are not even locked");
    assert_eq!(stand.theirs().await, theirs_then);
    assert_eq!(theirs.len(), theirs_then.len());
}

#[tokio::test]
async fn flipkart_orders_arrive_whole_and_a_later_run_finds_what_was_freed_or_has_left() {
    let stand = Stand::new(book(&[
        "405-0000001-0000001,2026-04-30,Pending,Merchant,Standard,Shirt,Cash,S,Unshipped,100.05,5,INR,PUNE,411001,false",
        "405-0000001-0000001,2026-04-30,Shipped,Merchant,Standard,Shirt,Cash,M,Shipped,20.20,1,INR,PUNE,411001,false",
        "405-0000002-0000001,2026-04-30,Cancelled,Amazon,Standard,Shirt,Cash,S,Cancelled,7.00,1,INR,PUNE,411001,false",
    ]))
    .await;
    let account = stand.sellers.ours.flipkart;
    let theirs = stand.theirs().await;
    let function = stand.start(Flipkart).await;
    let read = async || {
        let job = stand.queue_run(Flipkart).await;
        stand.run_to_end(&function, job.clone()).await;
        let run = stand.run(job.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0));
        let sql = "select concat_ws(' ', external_order_id, o.status, on_hold, (select string_agg(s.status, ',' order by external_shipment_id)
                     from robnu.shipments s where s.order_id = o.id))
                   from robnu.orders o where account_id = $1 order by external_order_id";
        let rows = stand.superuser.query(sql, &[&account]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<String>>()
    };
    let (first, second) = ("OD40500000010000001", "OD40500000020000001");
    let cancelled = format!("{second} CANCELLED f CANCELLED");
    let held = format!("{first} PARTIALLY_SHIPPED t CONFIRMED,CONFIRMED,SHIPPED");
    assert_eq!(read().await, [held, cancelled.clone()]);
    assert_eq!(stand.stored(account).await, (2, 3, Decimal::new(12_725, 2)));
    let units = "select quantity, quantity_cancelled from robnu.order_items i join robnu.orders o on o.id = i.order_id
        where o.account_id = $1 order by quantity desc limit 1";
    let units = stand.superuser.query_one(units, &[&account]).await.unwrap();
    assert_eq!((units.get::<_, i32>(0), units.get::<_, i32>(1)), (5, 1));

    let known = format!("app-{account}");
    let change = |shipment: Option<&str>, change: FlipkartChange| {
        stand.simulator.change_flipkart_order(&known, first, shipment, &change, None).unwrap();
    };
    change(None, FlipkartChange::Hold(false));
    let freed = format!("{first} PARTIALLY_SHIPPED f CONFIRMED,CONFIRMED,SHIPPED");
    assert_eq!(read().await, [freed, cancelled.clone()]);
    change(Some("4050000001000000101"), FlipkartChange::Status("SHIPPED".to_owned()));
    let left = format!("{first} PARTIALLY_SHIPPED f SHIPPED,CONFIRMED,SHIPPED");
    assert_eq!(read().await, [left, cancelled]);
    assert_eq!(stand.theirs().await.len(), theirs.len());
}

#[tokio::test]
async fn the_watermark_moves_with_the_last_page_and_the_next_run_reads_from_it() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    let watermark = "select count(*) = 1 from robnu.watermarks where account_id = $1 and kind = 'ORDERS'";
    let moved: bool =
        stand.superuser.query_one(watermark, &[&stand.sellers.ours.amazon]).await.unwrap().get(0);
    assert!(moved, "the watermark is set");
    let next = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, next.clone()).await;
    let run = stand.run(next.run_id).await;
    assert_eq!(
        (run.state.as_str(), run.orders_new, run.orders_changed, run.orders_unchanged),
        ("SUCCEEDED", 0, 0, 0)
    );
}

#[tokio::test]
async fn a_window_reads_orders_placed_in_it_and_leaves_the_watermark() {
    let stand = Stand::new(book(&[
        "405-0000001-0000001,2026-04-01,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,10,1,INR,PUNE,411001,false",
        "405-0000002-0000001,2026-04-11,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,10,1,INR,PUNE,411001,false",
        "405-0000003-0000001,2026-04-21,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,10,1,INR,PUNE,411001,false",
    ]))
    .await;
    let function = stand.start(AmazonIn).await;
    let account = stand.sellers.ours.amazon;
    let read = "select max(complete_until)::text from robnu.watermarks where account_id = $1";
    let read =
        async || -> Option<String> { stand.superuser.query_one(read, &[&account]).await.unwrap().get(0) };
    let set = "insert into robnu.watermarks select seller_id, id, 'ORDERS', '2026-04-15T00:00:00Z'
               from robnu.marketplace_accounts where id = $1";
    for is_set in [false, true] {
        if is_set {
            stand.superuser.execute(set, &[&account]).await.unwrap();
        }
        let before = read().await;
        let job = stand.queue_run(AmazonIn).await;
        let window = "update robnu.sync_runs set window_from = '2026-04-09T00:00:00Z', window_until = '2026-04-13T00:00:00Z'
            where id = $1";
        stand.superuser.execute(window, &[&job.run_id]).await.unwrap();
        stand.run_to_end(&function, job.clone()).await;
        let run = stand.run(job.run_id).await;
        assert_eq!(run.state, "SUCCEEDED");
        assert_eq!(run.orders_new, i32::from(!is_set), "the second time it is known");
        assert_eq!(read().await, before);
    }
    assert_eq!(stand.stored(account).await.0, 1);
}

/// The time up to which an account's orders are known to be complete.
async fn watermark(stand: &Stand) -> chrono::DateTime<chrono::Utc> {
    let sql = "select complete_until from robnu.watermarks where account_id = $1 and kind = 'ORDERS'";
    stand.superuser.query_one(sql, &[&stand.sellers.ours.amazon]).await.unwrap().get(0)
}

async fn set_watermark(stand: &Stand, values: &str) {
    let sql = format!("update robnu.watermarks set {values} where account_id = $1");
    assert_eq!(stand.superuser.execute(&sql, &[&stand.sellers.ours.amazon]).await.unwrap(), 1);
}

#[tokio::test]
async fn changes_listed_long_after_their_timestamp_are_read_a_few_times_a_day() {
    let stand = Stand::new(book(&[
        "405-0000001-0000001,2026-04-09,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,10,1,INR,PUNE,411001,false",
        "405-0000002-0000001,2026-04-11,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,10,1,INR,PUNE,411001,false",
    ]))
    .await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    // Both orders were changed before that, the second one within two days of it.
    let then = "complete_until = '2026-04-12T12:00:00Z'";
    for (looked_back_at, read) in [("now()", 0), ("now() - interval '7 hours'", 1)] {
        set_watermark(&stand, &format!("{then}, looked_back_at = {looked_back_at}")).await;
        let next = stand.queue_run(AmazonIn).await;
        stand.run_to_end(&function, next.clone()).await;
        let run = stand.run(next.run_id).await;
        assert_eq!((run.state.as_str(), run.orders_unchanged), ("SUCCEEDED", read), "{looked_back_at}");
    }
    let again =
        "select looked_back_at > now() - interval '1 minute' from robnu.watermarks where account_id = $1";
    let noted: bool = stand.superuser.query_one(again, &[&stand.sellers.ours.amazon]).await.unwrap().get(0);
    assert!(noted, "not every run looks back");
}

#[tokio::test]
async fn a_watermark_never_passes_the_present_and_a_full_read_sets_it_anew() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(AmazonIn).await;
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    // Acts as if the marketplace's clock had been wrong once.
    set_watermark(&stand, "complete_until = '2099-06-01T00:00:00Z'").await;
    let next = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, next).await;
    let healed = watermark(&stand).await;
    assert!(healed <= chrono::Utc::now(), "{healed}");
    // Acts as if the clock were wrong now. AJIO itself guarantees nothing, so the run keeps its own time.
    let ajio = stand.start(Ajio).await;
    let run = stand.queue_run(Ajio).await;
    let sql = "update robnu.sync_runs set complete_until = '2099-06-01T00:00:00Z' where id = $1";
    stand.superuser.execute(sql, &[&run.run_id]).await.unwrap();
    stand.run_to_end(&ajio, run).await;
    let sql = "select count(*) from robnu.watermarks where complete_until > now()";
    assert_eq!(stand.superuser.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
    // A full read replaces the time with the one that the marketplace guarantees, which is earlier.
    set_watermark(&stand, "complete_until = now() + interval '1 hour'").await;
    let full = stand.queue_run(AmazonIn).await;
    let sql = "update robnu.sync_runs set full_read = true where id = $1";
    stand.superuser.execute(sql, &[&full.run_id]).await.unwrap();
    stand.run_to_end(&function, full.clone()).await;
    let vouched = "select complete_until from robnu.sync_runs where id = $1";
    let vouched: chrono::DateTime<chrono::Utc> =
        stand.superuser.query_one(vouched, &[&full.run_id]).await.unwrap().get(0);
    assert_eq!(watermark(&stand).await, vouched);
}

#[tokio::test]
async fn five_thousand_ajio_orders_of_one_account_arrive_and_the_neighbour_keeps_its_own() {
    let stand = Stand::new(ajio(5000)).await;
    let function = stand.start(Ajio).await;
    let theirs = stand.theirs().await;
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.quarantined), ("SUCCEEDED", 5000, 0), "{run:?}");
    let served = stand.simulator.ajio_orders("DV1").unwrap();
    let lines: usize = served.iter().map(|order| order.lines).sum();
    // One order of the fixture existed before, with two lines.
    let (orders, stored_lines, _) = stand.stored(stand.sellers.ours.ajio).await;
    assert_eq!((orders, stored_lines), (5001, i64::try_from(lines).unwrap() + 2));
    assert_eq!(stand.theirs().await, theirs);

    let before = stand.fingerprint().await;
    let latest_lock = stand.latest_lock().await;
    let again = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, again.clone()).await;
    let run = stand.run(again.run_id).await;
    assert_eq!((run.orders_new, run.orders_changed, run.orders_unchanged), (0, 0, 5000));
    assert_eq!(stand.fingerprint().await, before);
    assert!(stand.latest_lock().await <= latest_lock, "unchanged rows are not even locked");
}

#[tokio::test]
async fn a_customers_cancellation_arrives_with_the_next_run() {
    let stand = Stand::new(ajio(120)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job).await;
    let pending = "select external_order_id from robnu.orders where account_id = $1 and marketplace_status = 'PENDENCY' and external_order_id <> 'FN1' limit 1";
    let order: String = stand.superuser.query_one(pending, &[&stand.sellers.ours.ajio]).await.unwrap().get(0);
    stand.simulator.cancel_ajio_order("DV1", &order).unwrap();
    let next = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, next.clone()).await;
    let run = stand.run(next.run_id).await;
    assert_eq!((run.orders_new, run.orders_changed, run.orders_unchanged), (0, 1, 119));
    let row = stand
        .superuser
        .query_one(
            "select o.status, o.marketplace_status, bool_and(i.quantity_cancelled = i.quantity), bool_and(i.amount_basis = 'CUSTOMER')
             from robnu.orders o join robnu.order_items i on i.order_id = o.id
             where o.external_order_id = $1 and o.account_id = $2 group by o.status, o.marketplace_status",
            &[&order, &stand.sellers.ours.ajio],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("CANCELLED", "CANCELLED"));
    assert!(row.get::<_, bool>(2), "every unit is cancelled");
    assert!(row.get::<_, bool>(3), "the price that the customer saw is kept");
}

#[tokio::test]
async fn a_long_run_goes_on_in_steps_through_its_lane() {
    let mut stand = Stand::new(ajio(200)).await;
    stand.slice_seconds = 0;
    let function = stand.start(Ajio).await;
    // The first step was published again twice; publications of the next one are counted anew.
    let job = stand.queue_run(Ajio).await;
    let sql = "update robnu.sync_runs set generation = 2 where id = $1";
    stand.superuser.execute(sql, &[&job.run_id]).await.unwrap();
    let job = robnu_dispatch::Job { generation: 2, ..job };
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.step, run.pages), ("QUEUED", 1, 1), "one page, then the next step");
    let lane = stand.lane_queue.clone();
    let message = stand.receive(&lane).await.expect("the next step was published");
    let next = robnu_dispatch::JobMessage::parse(message.body().unwrap()).unwrap().into_job();
    assert_eq!((next.run_id, next.step, next.generation), (job.run_id, 1, 0));
    stand.run_to_end(&function, next).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new), ("SUCCEEDED", 200));
    assert!(run.step >= 4, "a step per page: {run:?}");
}

#[tokio::test]
async fn a_run_of_a_held_account_is_not_read_and_its_message_is_acknowledged() {
    let stand = Stand::new(ajio(20)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let hold = "update robnu.marketplaces set held_at = now(), hold_reason = 'a fault' where code = 'AJIO'";
    stand.superuser.execute(hold, &[]).await.unwrap();
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.attempt, run.pages), ("QUEUED", 0, 0));
    let let_go = "update robnu.marketplaces set held_at = null, hold_reason = null";
    stand.superuser.execute(let_go, &[]).await.unwrap();
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new), ("SUCCEEDED", 20), "it goes on after the hold");
}

#[tokio::test]
async fn one_page_is_three_round_trips_and_a_fixed_number_of_statements() {
    use robnu_testkit::WireProxy;
    let mut few = AmazonConfig { ..book(&["405-0000001-0000001,2026-04-30,Unshipped,Merchant,Standard,Shirt,Cash,S,x,1,1,INR,PUNE,411001,false"]).amazon };
    few.search_orders.burst = 100;
    let mut stand = Stand::new(SimulatorConfig { amazon: few, ..SimulatorConfig::sample().unwrap() }).await;
    stand.call_rates = "searchOrders:0.0056:100";
    let mut config = stand.test.config("robnu_adapter");
    let wire = WireProxy::before(&mut config).await;
    let function = stand.start_with(AmazonIn, config.host.clone(), config.port).await;
    let warm_up = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, warm_up).await;
    let _first_use = wire.take();
    let job = stand.queue_run(AmazonIn).await;
    stand.run_to_end(&function, job).await;
    // Lease: begin, enter, turns, lease, key, opening, token, details, commit. Call: begin, enter, bucket, commit. Page: begin, enter, turn, orders, lines of files, lines, vanished lines,
    // shipments, joined returns, raw page; then turns, progress, end of the run, next in turn, commit.
    assert_eq!(wire.take(), (4, 9 + 4 + 10 + 5));

    // Customers cost a statement each time, and one more when one of them is new, but no round trip.
    for (forget, statements) in
        [("select 1", 9 + 4 + 11 + 5), ("delete from robnu.order_pii", 9 + 4 + 11 + 6)]
    {
        stand.superuser.batch_execute(&format!("delete from robnu.watermarks; {forget}")).await.unwrap();
        let job = stand.queue_run(AmazonIn).await;
        stand.run_to_end(&function, job).await;
        assert_eq!(wire.take(), (4, statements), "{forget}");
    }
}
