//! Scans of codes that no return has yet, and the condition that scans state: the rules that the database itself keeps.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "returns/bed.rs"]
mod bed;

use bed::{FILE, SCAN, TestBed, violated};
use robnu_tenancy::Error;

const MEMBERS: [&str; 6] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER"];

/// Keeps a scan of the code `$1` in the condition `$2`, as it was made two hours ago by our member who may only scan.
const EARLY: &str = "insert into robnu.unmatched_scans (seller_id, code, condition, condition_reason, condition_quantity, scanned_at, scanned_by, actor_kind)
    select $ours, '$1', $2, null, null, now() - interval '2 hours', id, 'MEMBER' from robnu.people where subject = 'SCANNER@' || $ours";
const RETURN: &str = "insert into robnu.returns (seller_id, account_id, external_return_id, external_order_id, external_shipment_id, tracking_number,
      order_id, return_type, status, marketplace_status, initiated_at)
    select seller_id, id, $1, 'X', $2, $3, $4, 'RTO', 'IN_TRANSIT', 'x', now() - interval '3 days'
    from robnu.marketplace_accounts where marketplace_code = 'AJIO' returning id";

/// Our returns' numbers with their receipts: how long ago, by whom, in what condition.
const RECEIPTS: &str = "select coalesce(string_agg(concat_ws(' ', external_return_id, internal_status, (now() - received_at)::interval(0),
      (select split_part(subject, '@', 1) from robnu.people p where p.id = received_by), condition), '; ' order by external_return_id), '')
    from robnu.returns where seller_id = $ours and external_return_id like 'W%'";
const WAITING: &str = "select coalesce(string_agg(code, ' ' order by code), '') from robnu.unmatched_scans
    where seller_id = $ours and code <> 'UNKNOWN1'";

impl TestBed {
    async fn early(&self, code: &str, condition: &str) {
        let condition = if condition == "null" { condition.to_owned() } else { format!("'{condition}'") };
        self.run(&EARLY.replace("$1", code).replace("$2", &condition)).await;
    }

    async fn announce(&self, number: &str, shipment: Option<&str>, tracking: Option<&str>) {
        let order = None::<robnu_tenancy::OrderId>;
        assert_eq!(self.ingest(RETURN, &[&number, &shipment, &tracking, &order]).await.unwrap(), 1);
    }

    /// What [`RECEIPTS`] says, without fractions of a minute.
    async fn receipts(&self) -> String {
        let told = self.text(RECEIPTS).await;
        let exact = |hours: &str| hours.starts_with("02:00:0");
        told.split(' ').map(|word| if exact(word) { "2h" } else { word }).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_return_that_is_announced_after_its_parcel_was_scanned_is_received_then_once_and_by_that_scan() {
    let bed = TestBed::new().await;
    bed.early("WAWB", "BAD").await;
    let theirs = format!("'{}'", bed.sellers.theirs.id);
    bed.run(&EARLY.replace("$ours", &theirs).replace("$1", "WAWB").replace("$2", "null")).await;
    bed.announce("W1", None, Some("WAWB")).await;
    assert_eq!(bed.receipts().await, "W1 RECEIVED 2h SCANNER BAD");
    assert_eq!(bed.text(WAITING).await, "");
    let events = "select string_agg(concat_ws(' ', e.event, e.actor_kind, (select split_part(subject, '@', 1) from robnu.people p where p.id = e.actor_id), e.condition),
        '; ' order by e.id) from robnu.return_events e join robnu.returns r on r.id = e.return_id where e.seller_id = $ours and r.external_return_id = 'W1'";
    assert_eq!(bed.text(events).await, "CREATED JOB; RECEIVED MEMBER SCANNER BAD");
    let audited =
        "select string_agg(action || ' ' || actor_kind, '; ' order by action) from robnu.audit_events
        where seller_id = $ours and actor_kind = 'JOB' and action ~ '^(return|scan)[.]'";
    assert_eq!(bed.text(audited).await, "return.changed JOB; scan.removed JOB");
    // The same page once more, and a scan of the same parcel: the receipt stays.
    let again = "update robnu.returns set tracking_number = 'WAWB', status = 'DELIVERED' where external_return_id = 'W1' returning id";
    bed.ingest(again, &[]).await.unwrap();
    assert_eq!(bed.receipts().await, "W1 RECEIVED 2h SCANNER BAD");
    assert_eq!(
        bed.text(&WAITING.replace("$ours", &theirs)).await,
        "WAWB",
        "the other seller's scan waits on"
    );
}

#[tokio::test]
async fn a_return_that_learns_a_number_later_is_joined_whichever_number_was_scanned() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    for code in ["WA", "WB", "WC", "WD", "WE", "W6"] {
        bed.early(code, "null").await;
    }
    for number in ["W1", "W2", "W3", "W4", "W5", "W6"] {
        bed.announce(number, None, None).await;
    }
    assert!(
        bed.receipts().await.ends_with("W5 EXPECTED; W6 RECEIVED 2h SCANNER"),
        "{}",
        bed.receipts().await
    );
    // Each of these sets one thing that leads from the parcel to the return.
    let orders = "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
        select seller_id, id, number, 'SHIPPED', 'x', now(), 'INR' from robnu.marketplace_accounts, unnest(array['O3', 'O4', 'O5']) number
        where marketplace_code = 'AJIO'";
    bed.ingest(orders, &[]).await.unwrap();
    let ship = "insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, tracking_number)
        select seller_id, id, coalesce($2, 'none'), 'SHIPPED', $3 from robnu.orders where external_order_id = $1";
    let order = "update robnu.returns set order_id = (select id from robnu.orders where external_order_id = $2) where external_return_id = $1";
    let none = None::<&str>;
    bed.ingest("update robnu.returns set tracking_number = 'WA' where external_return_id = 'W1'", &[])
        .await
        .unwrap();
    bed.ingest("update robnu.returns set external_shipment_id = 'WB' where external_return_id = 'W2'", &[])
        .await
        .unwrap();
    // The shipment is there first, then the return gets its order; and the other way round.
    bed.ingest(ship, &[&"O3", &none, &Some("WC")]).await.unwrap();
    bed.ingest(order, &[&"W3", &"O3"]).await.unwrap();
    bed.ingest(order, &[&"W4", &"O4"]).await.unwrap();
    bed.ingest(ship, &[&"O4", &Some("WD"), &none]).await.unwrap();
    bed.ingest(order, &[&"W5", &"O5"]).await.unwrap();
    bed.ingest(ship, &[&"O5", &none, &none]).await.unwrap();
    assert_eq!(bed.text(WAITING).await, "WE");
    bed.ingest("update robnu.shipments set tracking_number = 'WE' where order_id = (select id from robnu.orders where external_order_id = 'O5')", &[])
        .await
        .unwrap();
    let all: Vec<String> = (1..=6).map(|number| format!("W{number} RECEIVED 2h SCANNER")).collect();
    assert_eq!(bed.receipts().await, all.join("; "));
    assert_eq!(bed.text(WAITING).await, "");
    assert_eq!(
        bed.text(
            "select internal_status from robnu.returns where external_return_id = 'RN1' and seller_id = $ours"
        )
        .await,
        "EXPECTED"
    );
    assert_eq!(
        bed.text(&format!("select count(*)::text from robnu.returns where seller_id = '{}'", ours.id)).await,
        "7"
    );
}

#[tokio::test]
async fn a_code_of_several_returns_or_of_a_cancelled_one_goes_on_waiting_and_two_codes_of_a_parcel_are_one_receipt()
 {
    let bed = TestBed::new().await;
    bed.early("WS", "null").await;
    let two = "insert into robnu.returns (seller_id, account_id, external_return_id, tracking_number, return_type, status, marketplace_status, initiated_at)
        select seller_id, id, number, 'WS', 'RTO', 'IN_TRANSIT', 'x', now() from robnu.marketplace_accounts, unnest(array['W1', 'W2']) number
        where marketplace_code = 'AJIO'";
    bed.ingest(two, &[]).await.unwrap();
    assert_eq!(bed.receipts().await, "W1 EXPECTED; W2 EXPECTED");
    assert_eq!(bed.text(WAITING).await, "WS");
    bed.run(
        "delete from robnu.return_events; delete from robnu.returns where external_return_id in ('W1', 'W2')",
    )
    .await;
    bed.early("WX", "null").await;
    let gone = "insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at)
        select seller_id, id, 'WX', 'RTO', 'CANCELLED', 'x', now() from robnu.marketplace_accounts where marketplace_code = 'AJIO'";
    bed.ingest(gone, &[]).await.unwrap();
    assert_eq!(bed.text(WAITING).await, "WS WX");
    bed.early("W3", "BAD").await;
    bed.run("update robnu.unmatched_scans set scanned_at = scanned_at + interval '1 hour' where code = 'W3'")
        .await;
    bed.announce("W3", None, Some("WS")).await;
    assert_eq!(bed.receipts().await, "W3 RECEIVED 2h SCANNER; WX EXPECTED", "the first of both scans");
    assert_eq!(bed.text(WAITING).await, "WX");
}

#[tokio::test]
async fn a_claim_for_a_return_whose_parcel_waits_is_reopened_when_the_two_are_joined() {
    let bed = TestBed::new().await;
    bed.early("WLATE", "GOOD").await;
    bed.correct("tracking_number = 'WLATE'").await;
    let claim = "select status || ' ' || (select internal_status || ' ' || condition from robnu.returns r where r.id = return_id)
        from robnu.claims where seller_id = $ours";
    assert_eq!(bed.text(claim).await, "REOPENED_WITH_EVIDENCE RECEIVED GOOD");
}

/// A scan and the marketplace's data at the same moment: whichever is written first, the other waits for it and the two are joined.
#[tokio::test]
async fn a_scan_and_the_announcement_of_its_return_at_the_same_moment_find_each_other() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let scan = |code: &str| {
        format!(
            "insert into robnu.unmatched_scans (seller_id, code, condition) values ('{}', '{code}', 'BAD')",
            ours.id
        )
    };
    let announce = |code: &str| {
        format!(
            "insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at)
             values ('{}', '{}', '{code}', 'RTO', 'IN_TRANSIT', 'x', now())",
            ours.id, ours.ajio
        )
    };
    let member =
        format!("begin; select robnu.enter_member('SCANNER@{0}', '{0}', 'returns.scan', true)", ours.id);
    let job = format!("begin; select robnu.enter_job('{}', '{}')", ours.id, ours.ajio);
    for (code, member_first) in [("W1", true), ("W2", false)] {
        let (api, adapter) = (bed.test.raw("robnu_api").await, bed.test.raw("robnu_adapter").await);
        api.batch_execute(&member).await.unwrap();
        adapter.batch_execute(&job).await.unwrap();
        let (scan, announce) = (scan(code), announce(code));
        let (first, first_sql, second, second_sql) =
            if member_first { (&api, scan, &adapter, announce) } else { (&adapter, announce, &api, scan) };
        first.batch_execute(&first_sql).await.unwrap();
        let waiter = second.query_one("select pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
        let second_sql = format!("{second_sql}; commit");
        let waits = async {
            let waits = "select exists (select from pg_locks where pid = $1 and locktype = 'advisory' and not granted)";
            while !bed.superuser.query_one(waits, &[&waiter]).await.unwrap().get::<_, bool>(0) {
                tokio::task::yield_now().await;
            }
        };
        let mut second_done = std::pin::pin!(second.batch_execute(&second_sql));
        tokio::select! {
            done = &mut second_done => panic!("{code} was written without waiting: {done:?}"),
            () = waits => first.batch_execute("commit").await.unwrap(),
        }
        second_done.await.unwrap();
        let receipt = format!(
            "select internal_status || ' ' || condition || ' ' || (select split_part(subject, '@', 1) from robnu.people p where p.id = received_by)
             from robnu.returns where seller_id = $ours and external_return_id = '{code}'"
        );
        assert_eq!(bed.text(&receipt).await, "RECEIVED BAD SCANNER", "{code}");
    }
    assert_eq!(bed.text(WAITING).await, "");
}

#[tokio::test]
async fn only_members_who_may_scan_keep_and_discard_scans_and_only_their_sellers() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let keep = "insert into robnu.unmatched_scans (seller_id, code) values (robnu.app_current_seller_id(), $1) returning id";
    let discard = "select robnu.discard_scan(null, $1)";
    for role in MEMBERS {
        let code = format!("OF {role}");
        let kept = bed.write(&ours.scope(role), keep, &[&code]).await;
        if role == "VIEWER" {
            assert!(matches!(kept, Err(Error::Forbidden)), "{role}: {kept:?}");
            assert_eq!(bed.write(&ours.scope(role), discard, &[&"UNKNOWN1"]).await.unwrap(), 0);
        } else {
            assert_eq!(kept.unwrap(), 1, "{role}");
            assert_eq!(bed.write(&ours.scope(role), discard, &[&code]).await.unwrap(), 1, "{role}");
        }
    }
    let refused = bed.ingest(keep, &[&"OF A JOB"]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    assert_eq!(bed.ingest(discard, &[&"UNKNOWN1"]).await.unwrap(), 0);
    let forged = "insert into robnu.unmatched_scans (seller_id, code, scanned_at) values (robnu.app_current_seller_id(), $1, now())";
    let refused = bed.write(&ours.scope("OWNER"), forged, &[&"FORGED"]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    assert_eq!(bed.write(&bed.sellers.theirs.scope("OWNER"), discard, &[&"UNKNOWN1"]).await.unwrap(), 1);
    assert_eq!(
        bed.text("select string_agg(code, ' ') from robnu.unmatched_scans where seller_id = $ours").await,
        "UNKNOWN1"
    );
    let people = "select count(*)::text from robnu.audit_events where seller_id = $ours and action ~ '^scan[.]' and actor_kind = 'MEMBER'";
    assert_eq!(bed.text(people).await, "10", "each scan that was kept and discarded");
}

#[tokio::test]
async fn a_seller_has_at_most_two_thousand_waiting_scans_and_may_scan_those_again() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let keep =
        "insert into robnu.unmatched_scans as s (seller_id, code) values (robnu.app_current_seller_id(), $1)
        on conflict (seller_id, code) do update set condition = 'BAD' returning id";
    bed.run("set session_replication_role = replica;
        insert into robnu.unmatched_scans (seller_id, code) select $ours, 'MANY' || n from generate_series(1, 1998) n;
        set session_replication_role = origin").await;
    assert_eq!(bed.write(&ours.scope("SCANNER"), keep, &[&"LAST"]).await.unwrap(), 1);
    let refused = bed.write(&ours.scope("SCANNER"), keep, &[&"ONE MORE"]).await;
    assert_eq!(violated(refused), "unmatched_scans_of_seller");
    assert_eq!(bed.write(&ours.scope("SCANNER"), keep, &[&"LAST"]).await.unwrap(), 1);
    assert_eq!(bed.write(&bed.sellers.theirs.scope("SCANNER"), keep, &[&"ONE MORE"]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_person_states_another_condition_a_hundred_times_a_day_of_a_return_and_of_a_waiting_scan() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.run("delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims")
        .await;
    bed.arrange("sellers", "requests_per_window = 1000000").await;
    bed.write(&ours.scope("OWNER"), SCAN, &[&ours.return_id]).await.unwrap();
    let turn = "case when condition = 'BAD' then 'GOOD' else 'BAD' end";
    let of_return: &'static str = format!("update robnu.returns set condition = {turn} returning id").leak();
    let of_scan: &'static str =
        format!("update robnu.unmatched_scans set condition = {turn} returning id").leak();
    for sql in [of_return, of_scan] {
        for number in 0..100 {
            assert_eq!(bed.write(&ours.scope("SCANNER"), sql, &[]).await.unwrap(), 1, "{sql} {number}");
        }
        let refused = bed.write(&ours.scope("SCANNER"), sql, &[]).await;
        assert!(matches!(refused, Err(Error::TooManyChanges)), "{sql}: {refused:?}");
        assert_eq!(bed.write(&ours.scope("OPERATOR"), sql, &[]).await.unwrap(), 1, "{sql}, by somebody else");
    }
}

#[tokio::test]
async fn a_condition_is_stated_by_scanners_of_a_received_return_and_stays_once_a_claim_was_filed() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.run("delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims")
        .await;
    let state = "update robnu.returns set condition = $2, condition_reason = $3, condition_quantity = 1 where id = $1 returning id";
    let params = |condition: &'static str| (condition, "torn");
    let early = bed.write(&ours.scope("SCANNER"), state, &[&ours.return_id, &"BAD", &"torn"]).await;
    assert!(matches!(early, Err(Error::Violates { .. })), "nothing arrived: {early:?}");
    bed.write(&ours.scope("SCANNER"), SCAN, &[&ours.return_id]).await.unwrap();
    for role in MEMBERS {
        let (condition, reason) = params(if role == "ADMIN" { "GOOD" } else { "BAD" });
        let written = bed.write(&ours.scope(role), state, &[&ours.return_id, &condition, &reason]).await;
        assert_eq!(written.unwrap(), usize::from(role != "VIEWER"), "{role}");
    }
    let refused = bed.ingest(state, &[&ours.return_id, &"GOOD", &"torn"]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let events = "select string_agg(concat_ws(' ', event, condition, condition_reason, condition_quantity), '; ' order by id)
        from robnu.return_events where seller_id = $ours and event in ('RECEIVED', 'CONDITION_CHANGED')";
    assert_eq!(
        bed.text(events).await,
        "RECEIVED; CONDITION_CHANGED BAD torn 1; CONDITION_CHANGED GOOD torn 1; CONDITION_CHANGED BAD torn 1"
    );
    bed.write(&ours.scope("OPERATOR"), FILE, &[&ours.return_id, &"DAMAGED"]).await.unwrap();
    let kept = bed.write(&ours.scope("SCANNER"), state, &[&ours.return_id, &"GOOD", &"torn"]).await;
    assert_eq!(violated(kept), "returns_condition_claimed");
    assert_eq!(
        bed.write(&ours.scope("SCANNER"), state, &[&ours.return_id, &"BAD", &"torn"]).await.unwrap(),
        1,
        "no change"
    );
    bed.arrange("claims", "status = 'CANCELLED', status_reason = 'a mistake'").await;
    assert_eq!(
        bed.write(&ours.scope("SCANNER"), state, &[&ours.return_id, &"GOOD", &"torn"]).await.unwrap(),
        1
    );
}
