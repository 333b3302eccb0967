//! How many lasting rows a person may make in a day: per object, in all, and per parcel under the scanner.

use robnu_tenancy::Error;

use super::{RENAME, TestBed};

/// Renames the seller a number of times, each time to something else, as its member with a role.
async fn rename(bed: &TestBed, role: &str, times: usize) -> Result<(), Error> {
    let again = "update robnu.sellers set name = name || 'x'";
    for _ in 0..times {
        bed.write(&bed.sellers.ours.scope(role), again).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_person_changes_an_object_a_hundred_times_a_day_and_keeps_nobody_else_from_it() {
    let bed = TestBed::new().await;
    rename(&bed, "OWNER", 100).await.unwrap();
    let refused = rename(&bed, "OWNER", 1).await;
    assert!(matches!(refused, Err(Error::TooManyChanges)), "{refused:?}");
    rename(&bed, "ADMIN", 1).await.unwrap();
    bed.write(&bed.sellers.theirs.scope("OWNER"), RENAME).await.unwrap();
    // Changes of other objects are not affected.
    let other = "update robnu.marketplace_accounts set display_name = 'another name'";
    bed.write(&bed.sellers.ours.scope("OWNER"), other).await.unwrap();
    bed.arrange("update robnu.audit_events set occurred_at = occurred_at - interval '1 day'").await;
    rename(&bed, "OWNER", 1).await.unwrap();
}

#[tokio::test]
async fn a_person_makes_20000_lasting_rows_in_a_day_over_all_sellers() {
    let bed = TestBed::new().await;
    bed.write(&bed.sellers.ours.scope("OWNER"), RENAME).await.unwrap();
    let mine = "(select id from robnu.people where subject = 'OWNER@' || (select seller_id from robnu.sellers order by 1 limit 1))";
    let ours = if bed.sellers.ours.id.as_uuid() < bed.sellers.theirs.id.as_uuid() {
        (&bed.sellers.ours, &bed.sellers.theirs)
    } else {
        (&bed.sellers.theirs, &bed.sellers.ours)
    };
    bed.arrange(&format!(
        "insert into robnu.person_changes values ({mine}, (now() at time zone 'Asia/Kolkata')::date, 20000)
         on conflict (actor_id) do update set changes = 20000"
    ))
    .await;
    let claim = "select robnu.claim_idempotency_key(sha256('k'), sha256('r'))";
    let other = "update robnu.marketplace_accounts set display_name = 'another name'";
    for sql in [other, claim] {
        let refused = bed.write(&ours.0.scope("OWNER"), sql).await;
        assert!(matches!(refused, Err(Error::TooManyChanges)), "{sql}: {refused:?}");
        bed.write(&ours.1.scope("OWNER"), sql).await.unwrap();
    }
    bed.arrange("update robnu.person_changes set day = day - 1").await;
    bed.write(&ours.0.scope("OWNER"), other).await.unwrap();
}

#[tokio::test]
async fn a_parcel_under_the_scanner_counts_as_one_scan_a_minute_and_a_hundred_a_day() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let receive = "update robnu.returns set received_at = now()";
    bed.write(&ours.scope("SCANNER"), receive).await.unwrap();
    let again =
        "insert into robnu.return_events (seller_id, return_id) select seller_id, id from robnu.returns";
    let noted = "select count(*) from robnu.return_events where event = 'SCANNED_AGAIN'";
    for _ in 0..3 {
        bed.write(&ours.scope("SCANNER"), again).await.unwrap();
    }
    assert_eq!(bed.count(noted).await, 1);
    bed.write(&ours.scope("OWNER"), again).await.unwrap();
    assert_eq!(bed.count(noted).await, 2, "by somebody else");
    let earlier = |minutes: usize| {
        format!(
            "delete from robnu.return_events where event = 'SCANNED_AGAIN';
             insert into robnu.return_events (seller_id, id, return_id)
             select seller_id, uuidv7(interval '-1 minute' * n), id from robnu.returns, generate_series(2, {minutes}) n where received_at is not null"
        )
    };
    // Two of the events are the return's own.
    for (minutes, more) in [(98, 1), (110, 0)] {
        bed.arrange(&earlier(minutes)).await;
        let before = bed.count(noted).await;
        bed.write(&ours.scope("SCANNER"), again).await.unwrap();
        assert_eq!(bed.count(noted).await, before + more, "{minutes}");
    }
}

#[tokio::test]
async fn members_ask_for_200_runs_of_an_account_in_a_day_and_schedules_do_not_count() {
    let bed = TestBed::new().await;
    let ask = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
               select seller_id, id, marketplace_code, 'ORDERS', 'API' from robnu.marketplace_accounts where marketplace_code = 'AJIO'";
    bed.arrange(
        "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state)
             select a.seller_id, uuidv7(interval '-1 hour'), a.id, a.marketplace_code, 'ORDERS',
               case when n <= 198 then 'API' else 'SCHEDULE' end, 'CANCELLED'
             from robnu.marketplace_accounts a, generate_series(1, 300) n where a.marketplace_code = 'AJIO'",
    )
    .await;
    // The fixture's run is one, so this is the last.
    bed.write(&bed.sellers.ours.scope("OWNER"), ask).await.unwrap();
    bed.arrange("update robnu.sync_runs set state = 'CANCELLED'").await;
    let refused = bed.write(&bed.sellers.ours.scope("OWNER"), ask).await;
    assert!(matches!(refused, Err(Error::TooManyChanges)), "{refused:?}");
    bed.write(&bed.sellers.theirs.scope("OWNER"), ask).await.unwrap();
}

/// A change locks its row and then counts. Two changes of a person that waited for each other's count and row would deadlock.
#[tokio::test]
async fn concurrent_changes_of_a_person_wait_for_no_count() {
    let bed = TestBed::new().await;
    let seller = bed.sellers.ours.id;
    bed.write(&bed.sellers.ours.scope("OWNER"), RENAME).await.unwrap();
    let enter = format!("begin; select robnu.enter_member('OWNER@{seller}', '{seller}', '', true, false)");
    let (first, second) = (bed.test.raw("robnu_api").await, bed.test.raw("robnu_api").await);
    let change = "update robnu.sellers set name = 'held'";
    first.batch_execute(&format!("{enter}; {change}")).await.unwrap();
    let other = "set local lock_timeout = '2s'; update robnu.marketplace_accounts set display_name = 'another'; commit";
    second.batch_execute(&format!("{enter}; {other}")).await.expect("waits for nobody");
    first.batch_execute("commit").await.unwrap();
}
