//! The usage sweep: sellers are told of days above the free allowance, once, and nothing else happens.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::mails::Mails;
use kit::{World, in_a_minute, usage_with};
use robnu_tenancy::SellerId;
use sweep::Context;
use sweep::usage::Report;
use tokio::time::Instant;

/// Two sellers without notices, and a sender of mails.
struct Bed {
    world: World,
    mails: Mails,
    context: Context,
}

impl Bed {
    async fn new() -> Self {
        let world = World::without_lanes().await;
        world.run_sql("delete from robnu.usage_notices", &[]).await;
        let mails = Mails::new().await;
        let context = Context { mailer: mails.mailer(), ..world.another_context().await };
        Self { world, mails, context }
    }

    async fn another(&self) -> Context {
        Context { mailer: self.mails.mailer(), ..self.world.another_context().await }
    }

    async fn sweep(&self) -> Report {
        usage_with(&self.context, in_a_minute()).await
    }

    /// Stores orders of a seller that were placed so many Indian days ago, at an Indian time, half of them in each of two accounts.
    async fn place(&self, seller: SellerId, days_ago: i32, time: &str, orders: i32) {
        let sql = "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
             select a.seller_id, a.id, gen_random_uuid()::text, 'PENDING', 'NEW',
               ((now() at time zone 'Asia/Kolkata')::date - $2::integer + $3::text::time) at time zone 'Asia/Kolkata', 'INR'
             from generate_series(1, $4::integer) n
             join robnu.marketplace_accounts a on a.seller_id = $1
               and a.marketplace_code = case n % 2 when 0 then 'AJIO' else 'AMAZON_IN' end";
        let placed = self.world.run_sql(sql, &[&seller, &days_ago, &time, &orders]).await;
        assert_eq!(placed, u64::try_from(orders).unwrap());
    }

    /// The notices of a seller: days ago, orders, and whether a mail covers it.
    async fn notices(&self, seller: SellerId) -> Vec<(i32, i32, bool)> {
        let sql = "select (now() at time zone 'Asia/Kolkata')::date - day, orders, mailed_at is not null
             from robnu.usage_notices where seller_id = $1 order by day";
        let rows = self.world.superuser.query(sql, &[&seller]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// As if a night had passed: no mail was made on the present day.
    async fn the_next_night(&self) {
        self.world
            .run_sql("update robnu.usage_notices set mailed_at = mailed_at - interval '1 day'", &[])
            .await;
    }
}

#[tokio::test]
async fn a_day_above_the_free_allowance_is_noted_and_its_owner_is_mailed() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.world.sellers.ours.id, bed.world.sellers.theirs.id);
    bed.place(ours, 1, "00:00", 13).await;
    bed.place(ours, 1, "23:59:59", 13).await;
    bed.place(ours, 2, "12:00", 25).await;
    bed.place(theirs, 1, "12:00", 25).await;
    let report = bed.sweep().await;
    let expected = Report { sellers_seen: 2, days_noted: 1, mails_sent: 1, ..Report::default() };
    assert_eq!(report, expected);
    assert_eq!(bed.notices(ours).await, [(1, 26, true)]);
    assert_eq!(bed.notices(theirs).await, []);
    let mails = bed.mails.taken().await;
    let owner: String = bed
        .world
        .row("select email from robnu.people where subject = $1", &[&format!("OWNER@{ours}")])
        .await
        .get(0);
    assert_eq!(mails.len(), 1);
    assert!(mails[0].to_string().contains(&owner), "{}", mails[0]);
    assert!(mails[0].to_string().contains(&format!("/sellers/{ours}/usage")), "{}", mails[0]);
}

#[tokio::test]
async fn a_second_sweep_changes_nothing() {
    let bed = Bed::new().await;
    bed.place(bed.world.sellers.ours.id, 1, "12:00", 30).await;
    bed.sweep().await;
    let before = bed.world.row("select xmin::text, noted_at::text from robnu.usage_notices", &[]).await;
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, ..Report::default() });
    let after = bed.world.row("select xmin::text, noted_at::text from robnu.usage_notices", &[]).await;
    assert_eq!((before.get::<_, String>(0), before.get::<_, String>(1)), (after.get(0), after.get(1)));
    assert_eq!(bed.mails.taken().await.len(), 1);
}

#[tokio::test]
async fn a_late_order_of_an_earlier_day_corrects_that_day_and_is_not_mailed_again() {
    let bed = Bed::new().await;
    let ours = bed.world.sellers.ours.id;
    bed.place(ours, 3, "12:00", 30).await;
    bed.sweep().await;
    bed.place(ours, 3, "13:00", 1).await;
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, days_noted: 1, ..Report::default() });
    assert_eq!(bed.notices(ours).await, [(3, 31, true)]);
    // The marketplace says that most of them were placed on another day.
    let moved = "update robnu.orders set placed_at = placed_at - interval '1 day'
         where seller_id = $1 and id in (select id from robnu.orders where seller_id = $1 and placed_at > now() - interval '5 days' limit 10)";
    bed.world.run_sql(moved, &[&ours]).await;
    bed.sweep().await;
    assert_eq!(bed.notices(ours).await, [(3, 21, true)]);
    assert_eq!(bed.mails.taken().await.len(), 1);
}

#[tokio::test]
async fn a_day_that_falls_below_the_allowance_before_its_mail_is_not_mailed() {
    let bed = Bed::new().await;
    let ours = bed.world.sellers.ours.id;
    bed.place(ours, 3, "12:00", 30).await;
    bed.sweep().await;
    // Another day is noted after the mail of this night, and corrected before the next.
    bed.place(ours, 2, "12:00", 26).await;
    bed.sweep().await;
    let cut =
        "update robnu.orders set placed_at = placed_at - interval '2 days' where seller_id = $1 and id in (
         select id from robnu.orders where seller_id = $1 order by placed_at desc limit 3)";
    bed.world.run_sql(cut, &[&ours]).await;
    bed.the_next_night().await;
    let report = bed.sweep().await;
    assert_eq!((report.days_noted, report.mails_sent), (1, 0));
    assert_eq!(bed.notices(ours).await, [(3, 30, true), (2, 23, false)]);
    assert_eq!(bed.mails.taken().await.len(), 1);
}

#[tokio::test]
async fn a_backfill_is_noted_on_its_own_days_and_makes_one_mail_a_day_at_most() {
    let bed = Bed::new().await;
    let ours = bed.world.sellers.ours.id;
    for days_ago in [10, 11, 92, 93] {
        bed.place(ours, days_ago, "12:00", 40).await;
    }
    // Today is not over.
    bed.place(ours, 0, "00:00", 40).await;
    bed.sweep().await;
    assert_eq!(bed.notices(ours).await, [(92, 40, true), (11, 40, true), (10, 40, true)]);
    assert_eq!(bed.mails.taken().await.len(), 1);
    // More arrives in the same night: noted at once, mailed in the next one.
    bed.place(ours, 12, "12:00", 40).await;
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, days_noted: 1, ..Report::default() });
    assert_eq!(bed.notices(ours).await[1], (12, 40, false));
    bed.the_next_night().await;
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, mails_sent: 1, ..Report::default() });
    assert_eq!(bed.notices(ours).await[1], (12, 40, true));
    assert_eq!(bed.mails.taken().await.len(), 2);
}

#[tokio::test]
async fn of_two_sweeps_at_once_one_tells() {
    let bed = Bed::new().await;
    for seller in [bed.world.sellers.ours.id, bed.world.sellers.theirs.id] {
        bed.place(seller, 1, "12:00", 30).await;
    }
    let other = bed.another().await;
    let (one, two) = tokio::join!(bed.sweep(), usage_with(&other, in_a_minute()));
    assert_eq!((one.days_noted + two.days_noted, one.mails_sent + two.mails_sent), (2, 2), "{one:?} {two:?}");
    assert_eq!(bed.mails.taken().await.len(), 2);
}

#[tokio::test]
async fn a_sweep_whose_time_is_over_leaves_the_rest_to_the_next() {
    let bed = Bed::new().await;
    let ours = bed.world.sellers.ours.id;
    bed.place(ours, 1, "12:00", 30).await;
    let report = usage_with(&bed.context, Instant::now() + Duration::from_secs(1)).await;
    assert_eq!(report, Report { time_short: true, ..Report::default() });
    assert_eq!(bed.notices(ours).await, []);
    assert_eq!(bed.sweep().await.days_noted, 1);
}

#[tokio::test]
async fn a_mail_that_is_refused_is_counted_and_the_other_sellers_are_told() {
    let bed = Bed::new().await;
    for seller in [bed.world.sellers.ours.id, bed.world.sellers.theirs.id] {
        bed.place(seller, 1, "12:00", 30).await;
    }
    bed.mails.refuse().await;
    let report = bed.sweep().await;
    assert_eq!((report.days_noted, report.mails_sent, report.mails_failed), (2, 0, 2));
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, ..Report::default() });
}

#[tokio::test]
async fn a_suspended_seller_rests_until_it_is_resumed() {
    let bed = Bed::new().await;
    let ours = bed.world.sellers.ours.id;
    bed.place(ours, 1, "12:00", 30).await;
    bed.world.suspend(ours).await;
    assert_eq!(bed.sweep().await, Report { sellers_seen: 2, ..Report::default() });
    bed.world.resume(ours).await;
    assert_eq!(bed.sweep().await.mails_sent, 1);
}
