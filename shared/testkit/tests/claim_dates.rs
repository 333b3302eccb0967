//! The dates of claims: from when a return counts as lost, until when a claim can be filed, and when the seller is warned.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "returns/bed.rs"]
mod bed;

use bed::{FILE, SCAN, TestBed, violated};
use robnu_tenancy::Error;

/// A return of our account of a marketplace that began on 1 March and was completed on 10 March.
fn insert(number: &str, marketplace: &str) -> String {
    format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at,
           delivered_at)
         select seller_id, id, '{number}', 'RTO', 'DELIVERED', 'x', '2026-03-01T00:00:00Z', '2026-03-10T00:00:00Z'
         from robnu.marketplace_accounts where marketplace_code = '{marketplace}' and seller_id = $ours"
    )
}

/// The dates of our returns whose numbers begin with `W`.
const DATES: &str =
    "select string_agg(concat_ws(' ', external_return_id, to_char(missing_at at time zone 'utc', 'MM-DD'),
    coalesce(to_char(file_by at time zone 'utc', 'MM-DD'), 'unknown')), '; ' order by external_return_id)
  from robnu.returns where seller_id = $ours and external_return_id like 'W%'";

#[tokio::test]
async fn each_marketplace_has_its_two_clocks() {
    let bed = TestBed::new().await;
    for (number, marketplace) in [("W1", "AJIO"), ("W2", "AMAZON_IN"), ("W3", "FLIPKART"), ("W4", "MEESHO")] {
        bed.run(&insert(number, marketplace)).await;
    }
    assert_eq!(bed.text(DATES).await, "W1 04-30 unknown; W2 04-30 03-17; W3 04-30 03-24; W4 04-30 03-17");
}

#[tokio::test]
async fn the_sellers_own_terms_count_for_its_later_returns_and_for_nobody_elses() {
    let bed = TestBed::new().await;
    bed.run(&insert("W1", "AMAZON_IN")).await;
    let own = "insert into robnu.seller_claim_terms (seller_id, marketplace_code, reason, missing_after_days, file_by_days)
      values (robnu.app_current_seller_id(), 'AMAZON_IN', 'NOT_RECEIVED', 45, 10) returning id";
    bed.write(&bed.sellers.ours.scope("ADMIN"), own, &[]).await.unwrap();
    bed.run("update robnu.claim_terms set file_by_days = 20 where marketplace_code = 'FLIPKART'").await;
    for (number, marketplace) in [("W2", "AMAZON_IN"), ("W3", "FLIPKART")] {
        bed.run(&insert(number, marketplace)).await;
    }
    // W1 keeps the dates that it began with, also when the marketplace corrects its completion.
    assert_eq!(bed.text(DATES).await, "W1 04-30 03-17; W2 04-15 03-20; W3 04-30 03-30");
    bed.correct(
        "delivered_at = case external_return_id when 'W1' then '2026-03-11T00:00:00Z' else delivered_at end",
    )
    .await;
    assert_eq!(bed.text(DATES).await, "W1 04-30 03-18; W2 04-15 03-20; W3 04-30 03-30");
    let theirs = format!("'{}'", bed.sellers.theirs.id);
    bed.run(&insert("W2", "AMAZON_IN").replace("$ours", &theirs)).await;
    assert_eq!(bed.text(&DATES.replace("$ours", &theirs)).await, "W2 04-30 03-17");
}

#[tokio::test]
async fn dates_move_when_the_marketplace_corrects_start_or_completion_until_a_claim_is_filed() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let number = "update robnu.returns set external_return_id = 'W1' where seller_id = $ours";
    bed.run(&format!("delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims; {number}")).await;
    bed.arrange("returns", "file_by_days = array_fill(7, array[6])").await;
    let correct = "update robnu.returns set initiated_at = '2026-03-01T00:00:00Z', delivered_at = $2 where id = $1 returning id";
    for (delivered, expected) in [
        (None, "W1 04-30 unknown"),
        (Some("2026-03-10"), "W1 04-30 03-17"),
        (Some("2026-03-12"), "W1 04-30 03-19"),
        (None, "W1 04-30 unknown"),
    ] {
        let delivered = delivered.map(at);
        bed.ingest(correct, &[&ours.return_id, &delivered]).await.unwrap();
        assert_eq!(bed.text(DATES).await, expected);
    }
    bed.write(&ours.scope("OPERATOR"), FILE, &[&ours.return_id, &"NOT_RECEIVED"]).await.unwrap();
    bed.ingest(correct, &[&ours.return_id, &Some(at("2026-03-12"))]).await.unwrap();
    assert_eq!(bed.text(DATES).await, "W1 04-30 unknown", "a filed claim keeps the dates");
    // Nobody has filed a pending claim, so its return's dates move, and its own when it is filed.
    bed.arrange("claims", "status = 'PENDING', filed_at = null").await;
    let long_ago = at("2026-03-13");
    bed.ingest(correct, &[&ours.return_id, &Some(long_ago)]).await.unwrap();
    assert_eq!(bed.text(DATES).await, "W1 04-30 03-20");
    let of_claim =
        "select to_char(file_by at time zone 'utc', 'MM-DD') from robnu.claims where seller_id = $ours";
    assert_eq!(bed.text(of_claim).await, "03-20");
    let step = "update robnu.claims set status = 'FILED' where seller_id = robnu.app_current_seller_id() returning id";
    let late = bed.write(&ours.scope("OWNER"), step, &[]).await;
    assert_eq!(violated(late), "claims_window_over");
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_hours(24);
    bed.ingest(correct, &[&ours.return_id, &Some(yesterday)]).await.unwrap();
    assert_eq!(bed.write(&ours.scope("OWNER"), step, &[]).await.unwrap(), 1);
    let fixed = "select (file_by = (select delivered_at + interval '7 days' from robnu.returns r where r.id = return_id))::text
        from robnu.claims where seller_id = $ours";
    assert_eq!(bed.text(fixed).await, "true");
}

/// Midnight of a day.
fn at(day: &str) -> std::time::SystemTime {
    let days = day.split('-').map(|part| part.parse::<u64>().unwrap()).collect::<Vec<_>>();
    // 2026-03-01 is the 20,513th day.
    assert_eq!(days[..2], [2026, 3]);
    std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * (20_512 + days[2]))
}

#[tokio::test]
async fn a_returns_deadline_is_the_earliest_of_the_claims_that_are_possible_and_a_claims_is_its_own() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.run("delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims")
        .await;
    // NOT_RECEIVED, WRONG_ITEM, DAMAGED, USED, MISSING_QUANTITY, OTHER
    bed.arrange("returns", "file_by_days = array[5, 9, 3, null, 9, 9]").await;
    bed.correct("delivered_at = date_trunc('day', now())").await;
    let days = "select (file_by - delivered_at)::text from robnu.returns where seller_id = $ours";
    assert_eq!(bed.text(days).await, "5 days");
    bed.write(&ours.scope("SCANNER"), SCAN, &[&ours.return_id]).await.unwrap();
    assert_eq!(bed.text(days).await, "3 days");
    for (reason, expected) in [("DAMAGED", "3 days"), ("WRONG_ITEM", "9 days"), ("USED", "unknown")] {
        bed.run(
            "delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims",
        )
        .await;
        bed.write(&ours.scope("OPERATOR"), FILE, &[&ours.return_id, &reason]).await.unwrap();
        let days = "select coalesce((c.file_by - r.delivered_at)::text, 'unknown')
            from robnu.claims c join robnu.returns r on r.id = c.return_id where c.seller_id = $ours";
        assert_eq!(bed.text(days).await, expected, "{reason}");
    }
}

/// Every number of days: the warning lies between a day and three days before the deadline, and not before the completion. What did not
/// arrive gets its pending claim when it counts as lost or when the seller is warned, whichever comes first.
#[tokio::test]
async fn a_warning_comes_in_time_whatever_the_number_of_days() {
    let bed = TestBed::new().await;
    bed.run("delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims")
        .await;
    for days in 1_u32..=365 {
        bed.arrange("returns", &format!("file_by_days = array_fill({days}, array[6])")).await;
        bed.correct("initiated_at = '2026-03-01T00:00:00Z', delivered_at = '2026-03-10T00:00:00Z'").await;
        let hours = "select extract(epoch from file_by - warn_at)::bigint / 3600 || ' ' || extract(epoch from pending_at - delivered_at)::bigint / 3600
            from robnu.returns where seller_id = $ours";
        let before = 24.max(72.min(days * 8));
        let lost = (60 - 9) * 24;
        let pending = lost.min(days * 24 - before);
        assert_eq!(bed.text(hours).await, format!("{before} {pending}"), "{days} days");
    }
}

#[tokio::test]
async fn only_owners_and_admins_set_terms_and_nobody_writes_dates_or_warnings() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let set = "insert into robnu.seller_claim_terms (seller_id, marketplace_code, reason, file_by_days)
      values (robnu.app_current_seller_id(), 'AJIO', 'DAMAGED', 9)
      on conflict (seller_id, marketplace_code, reason) do update set file_by_days = excluded.file_by_days returning id";
    for role in ["OWNER", "ADMIN"] {
        assert_eq!(bed.write(&ours.scope(role), set, &[]).await.unwrap(), 1, "{role}");
    }
    for role in ["OPERATOR", "FINANCE", "VIEWER", "SCANNER"] {
        let refused = bed.write(&ours.scope(role), set, &[]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{role}: {refused:?}");
    }
    let audited = "select count(*)::text from robnu.audit_events where seller_id = $ours and action = 'claim_terms.created' and actor_kind = 'MEMBER'";
    assert_eq!(bed.text(audited).await, "1", "setting the same again is no change");
    for forged in [
        "update robnu.returns set warned_at = now() where id = $1",
        "update robnu.returns set file_by = now() where id = $1",
        "update robnu.returns set missing_at = now() where id = $1",
        "update robnu.returns set file_by_days = array_fill(300, array[6]) where id = $1",
        "update robnu.claims set file_by = now() where return_id = $1",
        "insert into robnu.return_events (seller_id, return_id, event) values (robnu.app_current_seller_id(), $1, 'CLAIM_DUE_SOON')",
    ] {
        let refused = bed.write(&ours.scope("OWNER"), forged, &[&ours.return_id]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{forged}: {refused:?}");
        let refused = bed.ingest(forged, &[&ours.return_id]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "a job: {forged}: {refused:?}");
    }
}
