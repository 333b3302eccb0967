//! Customers expire: ninety days, day by day, over two sellers and two marketplaces. Nothing younger than the marketplace's time is
//! deleted, and nothing older stays. Quarantined records, which may hold customers' data, expire beside them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeSet;

use kit::{World, forget_with, in_a_minute};

/// How an order went on, the SQL of its status, its delivery and the marketplace's stamp at the instant `at`, and after how many days from
/// `at` its customer is deleted.
const FATES: [(&str, &str, Option<usize>); 10] = [
    ("delivered", "'DELIVERED', at, at", Some(30)),
    ("delivered and changed every day", "'DELIVERED', at, at", Some(30)),
    ("delivered and then sent back", "'DELIVERED', at, at", Some(30)),
    ("undelivered", "'UNDELIVERED', null, at", Some(30)),
    ("undelivered with a stamp of next year", "'UNDELIVERED', null, at + interval '1 year'", Some(30)),
    ("cancelled without a stamp", "'CANCELLED', null, null", Some(30)),
    ("cancelled and stored again every day", "'CANCELLED', null, at", Some(30)),
    ("cancelled and changed after ten days", "'CANCELLED', null, at", Some(40)),
    ("shipped and never heard of again", "'SHIPPED', null, at", Some(30)),
    ("never sent", "'CONFIRMED', null, at", None),
];

/// A day later: everything is a day older, and some orders have changed.
const A_DAY_PASSES: &str = "
    update robnu.orders set delivered_at = delivered_at - interval '1 day', updated_at = updated_at - interval '1 day',
      marketplace_updated_at = marketplace_updated_at - interval '1 day', placed_at = placed_at - interval '1 day'
    where external_order_id like '% day %';
    update robnu.orders set marketplace_updated_at = now(), updated_at = now() where external_order_id like 'delivered and changed%';
    update robnu.orders set updated_at = now() where external_order_id like 'cancelled and stored again%';
    update robnu.orders set marketplace_updated_at = now() - interval '1 minute', updated_at = now() - interval '1 minute'
    where external_order_id like 'cancelled and changed%' and placed_at < now() - interval '10 days'
      and placed_at > now() - interval '11 days';
    update robnu.orders set status = 'UNDELIVERED', marketplace_updated_at = now(), updated_at = now()
    where external_order_id like 'delivered and then%' and placed_at < now() - interval '5 days';
    update robnu.quarantined_records set last_seen_at = last_seen_at - interval '1 day' where reason like 'day %'";

/// One order of each fate for each seller, at Amazon and at AJIO, and a record that could not be read; all of a minute ago.
async fn orders_arrive(world: &World, day: usize) {
    let each = FATES.map(|(fate, values, _)| {
        format!(
            "insert into robnu.orders (seller_id, account_id, external_order_id, status, delivered_at, marketplace_updated_at, updated_at,
               marketplace_status, placed_at, currency)
             select seller_id, id, '{fate} day {day}', {values}, at, 'x', at, 'INR'
             from robnu.marketplace_accounts, (select now() - interval '1 minute') as clock (at)
             where marketplace_code in ('AMAZON_IN', 'AJIO')"
        )
    });
    world
        .arrange(&format!(
            "{};
             insert into robnu.order_pii (seller_id, order_id, customer_name_enc, digest)
             select seller_id, id, '\\x00', sha256(id::text::bytea) from robnu.orders where external_order_id like '% day {day}';
             insert into robnu.quarantined_records (seller_id, account_id, run_id, reason, record_enc, record_digest, last_seen_at)
             select seller_id, account_id, id, 'day {day}', '', sha256('{day}'), now() - interval '1 minute' from robnu.sync_runs",
            each.join("; ")
        ))
        .await;
}

/// What is kept: `seller marketplace fate day n` of every customer, and `seller day n` of every quarantined record.
async fn kept(world: &World) -> BTreeSet<String> {
    let sql = "select o.seller_id || ' ' || a.marketplace_code || ' ' || o.external_order_id
        from robnu.order_pii c join robnu.orders o on o.id = c.order_id join robnu.marketplace_accounts a on a.id = o.account_id
        where o.external_order_id like '% day %'
        union all select seller_id || ' ' || reason from robnu.quarantined_records where reason like 'day %'";
    world.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What the rules say is kept at the end of `today`.
fn expected(world: &World, today: usize) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    for day in (0..=today).step_by(3) {
        let age = today - day;
        for seller in [&world.sellers.ours, &world.sellers.theirs] {
            for (fate, _, limit) in FATES {
                expected.insert(format!("{} AJIO {fate} day {day}", seller.id));
                if limit.is_none_or(|limit| age < limit) {
                    expected.insert(format!("{} AMAZON_IN {fate} day {day}", seller.id));
                }
            }
            if age < 30 {
                expected.insert(format!("{} day {day}", seller.id));
            }
        }
    }
    expected
}

#[tokio::test]
async fn in_ninety_days_nothing_younger_is_deleted_and_nothing_older_stays() {
    let world = World::without_lanes().await;
    forget_with(&world.context, in_a_minute()).await;
    let mut before = BTreeSet::new();
    let mut deleted = 0;
    for today in 0..90 {
        world.arrange(A_DAY_PASSES).await;
        if today % 3 == 0 {
            orders_arrive(&world, today).await;
            before = kept(&world).await;
        }
        let report = forget_with(&world.context, in_a_minute()).await;
        let now = kept(&world).await;
        let expected = expected(&world, today);
        let (young, old): (Vec<_>, Vec<_>) =
            (expected.difference(&now).collect(), now.difference(&expected).collect());
        assert!(young.is_empty(), "day {today} deleted what is young: {young:?}");
        assert!(old.is_empty(), "day {today} keeps what is old: {old:?}");
        assert_eq!(report.customers + report.quarantined_records, before.len() - now.len(), "day {today}");
        deleted += report.customers;
        before = now;
    }
    let marked = "select count(*) from robnu.orders o where customer_expired_at is not null
        and not exists (select from robnu.order_pii c where c.order_id = o.id)";
    assert_eq!(world.count(marked).await, i64::try_from(deleted).unwrap());
    assert!(deleted > 300, "{deleted}");
    let unmarked = "select count(*) from robnu.orders o where customer_expired_at is null
        and not exists (select from robnu.order_pii c where c.order_id = o.id)";
    assert_eq!(world.count(unmarked).await, 0, "every deletion is marked");
}

#[tokio::test]
async fn the_last_microsecond_counts_and_only_the_customer_is_deleted() {
    let world = World::without_lanes().await;
    // The fixture's own expired rows go first.
    forget_with(&world.context, in_a_minute()).await;
    orders_arrive(&world, 0).await;
    for (fate, column) in [("delivered", "delivered_at"), ("undelivered", "updated_at")] {
        for (more, rows) in [("-1 microsecond", 0), ("0", 0), ("1 microsecond", 2)] {
            let sql = format!(
                "begin; update robnu.orders set {column} = now() - interval '30 days' - interval '{more}' where external_order_id = '{fate} day 0';
                 set local session authorization robnu_sweep; select robnu.enter_system('robnu_system_retention')"
            );
            world.superuser.batch_execute(&sql).await.unwrap();
            let forgotten: i32 =
                world.superuser.query_one("select robnu.forget('customers', 100)", &[]).await.unwrap().get(0);
            world.superuser.batch_execute("rollback").await.unwrap();
            assert_eq!(forgotten, rows, "{fate} {more}");
        }
    }
    world.arrange("update robnu.orders set delivered_at = now() - interval '31 days' where delivered_at is not null").await;
    let all = world.tables_but(&["order_pii", "orders"]).await;
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let orders = "select md5(string_agg((to_jsonb(o) - 'customer_expired_at')::text, ',' order by id)) from robnu.orders o";
    let before = (world.fingerprint(&all).await, world.text(orders).await);
    assert_eq!(forget_with(&world.context, in_a_minute()).await.customers, 6);
    assert_eq!((world.fingerprint(&all).await, world.text(orders).await), before);
}

#[tokio::test]
async fn an_order_that_a_run_is_writing_is_left_for_the_next_time() {
    let world = World::without_lanes().await;
    orders_arrive(&world, 0).await;
    world.arrange("update robnu.orders set delivered_at = now() - interval '31 days' where external_order_id = 'delivered day 0'").await;
    let mut job = world.test.superuser().await;
    let page = job.transaction().await.unwrap();
    let write = "update robnu.orders set updated_at = now() where external_order_id = 'delivered day 0' and seller_id = $1
        and account_id = $2";
    let ours = &world.sellers.ours;
    assert_eq!(page.execute(write, &[&ours.id, &ours.amazon]).await.unwrap(), 1);
    assert_eq!(forget_with(&world.context, in_a_minute()).await.customers, 1);
    page.commit().await.unwrap();
    assert_eq!(forget_with(&world.context, in_a_minute()).await.customers, 1);
}
