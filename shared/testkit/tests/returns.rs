//! The rules for returns, claims, payouts and customers that the database itself keeps, whatever the code does.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "returns/bed.rs"]
mod bed;

use bed::{FILE, SCAN, TestBed, violated};
use robnu_tenancy::Error;

const MEMBERS: [&str; 6] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER"];

#[tokio::test]
async fn a_scan_is_dated_and_signed_by_the_database_and_the_first_one_stays() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    assert_eq!(bed.write(&ours.scope("SCANNER"), SCAN, &[&ours.return_id]).await.unwrap(), 1);
    let received = "select concat_ws(' ', internal_status, received_at > now() - interval '1 minute',
        received_by = (select id from robnu.people where subject like 'SCANNER@' || r.seller_id))
        from robnu.returns r where seller_id = $ours";
    assert_eq!(bed.text(received).await, "RECEIVED t t");
    let again = bed.write(&ours.scope("OWNER"), SCAN, &[&ours.return_id]).await;
    assert_eq!(violated(again), "returns_received_once");
    assert_eq!(bed.text(received).await, "RECEIVED t t");
    let audited = "select concat_ws(' ', action, changed) from robnu.audit_events
        where seller_id = $ours and action like 'return.%'";
    assert_eq!(bed.text(audited).await, "return.changed {internal_status,received_at,received_by}");
}

#[tokio::test]
async fn only_members_who_may_scan_receive_returns_and_they_change_nothing_else() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    assert_eq!(bed.write(&ours.scope("VIEWER"), SCAN, &[&ours.return_id]).await.unwrap(), 0);
    let deliver = "update robnu.returns set status = 'DELIVERED' where id = $1";
    for role in ["SCANNER", "OWNER"] {
        let refused = bed.write(&ours.scope(role), deliver, &[&ours.return_id]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{role}: {refused:?}");
    }
    let adapter = bed.test.login("robnu_adapter").await;
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let refused = session.commit_with(&[(SCAN, &[&ours.return_id])]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let theirs = &bed.sellers.theirs.return_id;
    assert_eq!(bed.write(&ours.scope("OWNER"), SCAN, &[theirs]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_cancelled_return_is_not_received() {
    let bed = TestBed::new().await;
    bed.arrange("returns", "status = 'CANCELLED'").await;
    let ours = &bed.sellers.ours;
    let refused = bed.write(&ours.scope("OWNER"), SCAN, &[&ours.return_id]).await;
    assert_eq!(violated(refused), "returns_not_cancelled");
}

#[tokio::test]
async fn every_transition_leaves_an_event_and_nobody_can_invent_one() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let adapter = bed.test.login("robnu_adapter").await;
    let deliver = "update robnu.returns set status = 'DELIVERED' where id = $1";
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    session.commit_with(&[(deliver, &[&ours.return_id])]).await.unwrap();
    let again =
        "insert into robnu.return_events (seller_id, return_id) values (robnu.app_current_seller_id(), $1)";
    let early = bed.write(&ours.scope("SCANNER"), again, &[&ours.return_id]).await;
    assert_eq!(violated(early), "return_events_of_received");
    bed.write(&ours.scope("OPERATOR"), SCAN, &[&ours.return_id]).await.unwrap();
    bed.write(&ours.scope("SCANNER"), again, &[&ours.return_id]).await.unwrap();
    let told =
        "select string_agg(concat_ws(' ', actor_kind, event, from_status, to_status), '; ' order by id)
        from robnu.return_events where seller_id = $ours";
    assert_eq!(
        bed.text(told).await,
        "SYSTEM CREATED IN_TRANSIT; JOB STATUS_CHANGED IN_TRANSIT DELIVERED; \
         MEMBER RECEIVED EXPECTED RECEIVED; MEMBER SCANNED_AGAIN"
    );
    for forged in [
        "insert into robnu.return_events (seller_id, return_id, event) values (robnu.app_current_seller_id(), $1, 'RECEIVED')",
        "insert into robnu.claim_events (seller_id, claim_id, to_status, actor_kind) values (robnu.app_current_seller_id(), $1, 'FILED', 'JOB')",
        "delete from robnu.return_events where return_id = $1",
        "update robnu.claim_events set reason = 'another' where id = $1",
    ] {
        let refused = bed.write(&ours.scope("OWNER"), forged, &[&ours.return_id]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{forged}: {refused:?}");
    }
}

#[tokio::test]
async fn a_return_can_be_claimed_for_only_when_its_state_and_window_allow_the_reason() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let dates = |missing: &str, delivered: &str| {
        format!("missing_at = {missing}, delivered_at = {delivered}, file_by_days = array_fill(7, array[6])")
    };
    let came = |delivered: &str| {
        let dates = dates("now() + interval '1 day'", delivered);
        format!("received_at = now(), internal_status = 'RECEIVED', {dates}")
    };
    let absent = |missing: &str, delivered: &str| {
        format!("received_at = null, internal_status = 'EXPECTED', {}", dates(missing, delivered))
    };
    let (past, future, never) = ("now() - interval '1 day'", "now() + interval '1 day'", "null");
    let just_in_time = "now() - interval '7 days' + interval '1 hour'";
    let too_long_ago = "now() - interval '7 days 1 hour'";
    let cases = [
        (absent(past, never), "NOT_RECEIVED", None),
        (absent(future, never), "NOT_RECEIVED", Some("claims_window_open")),
        // The marketplace says that it was delivered, and it is not here.
        (absent(future, past), "NOT_RECEIVED", None),
        (absent(future, future), "NOT_RECEIVED", Some("claims_window_open")),
        (absent(past, just_in_time), "NOT_RECEIVED", None),
        (absent(past, too_long_ago), "NOT_RECEIVED", Some("claims_window_over")),
        (came(past), "NOT_RECEIVED", Some("claims_return_received")),
        (absent(future, past), "DAMAGED", Some("claims_return_not_received")),
        (came(past), "DAMAGED", None),
        (came(just_in_time), "WRONG_ITEM", None),
        (came(too_long_ago), "MISSING_QUANTITY", Some("claims_window_over")),
        // Without a completion, or without a known number of days, there is no deadline yet.
        (came(never), "USED", None),
        (came(too_long_ago).replace("array_fill(7,", "array_fill(null::integer,"), "USED", None),
        ("status = 'CANCELLED'".to_owned(), "OTHER", Some("claims_return_cancelled")),
    ];
    for (state, reason, refusal) in cases {
        bed.superuser
            .batch_execute(
                "delete from robnu.storage_objects where kind = 'DOCUMENT'; delete from robnu.claim_events; delete from robnu.claims",
            )
            .await
            .unwrap();
        bed.arrange("returns", &state).await;
        let filed = bed.write(&ours.scope("OPERATOR"), FILE, &[&ours.return_id, &reason]).await;
        match refusal {
            None => assert!(filed.is_ok(), "{state} {reason}: {filed:?}"),
            Some(refusal) => assert_eq!(violated(filed), refusal, "{state} {reason}"),
        }
    }
    let theirs = bed.write(&ours.scope("OWNER"), FILE, &[&bed.sellers.theirs.return_id, &"OTHER"]).await;
    assert!(theirs.is_err(), "{theirs:?}");
}

/// Returns who may take a claim from one status to another: the whole table, written independently.
fn may_step(role: &str, from: &str, to: &str) -> Option<bool> {
    let files = ["OWNER", "ADMIN", "OPERATOR", "FINANCE"].contains(&role);
    let resolves = ["OWNER", "ADMIN", "FINANCE"].contains(&role);
    match (from, to) {
        ("PENDING", "FILED" | "CANCELLED")
        | ("FILED" | "REOPENED_WITH_EVIDENCE", "ACKNOWLEDGED" | "CANCELLED")
        | ("ACKNOWLEDGED", "CANCELLED") => Some(files),
        ("ACKNOWLEDGED", "RESOLVED_WON" | "RESOLVED_LOST")
        | ("RESOLVED_WON" | "RESOLVED_LOST" | "CANCELLED" | "REOPENED_WITH_EVIDENCE", "FILED") => {
            Some(resolves)
        }
        _ => None,
    }
}

const STATUSES: [&str; 7] = [
    "PENDING",
    "FILED",
    "ACKNOWLEDGED",
    "RESOLVED_WON",
    "RESOLVED_LOST",
    "CANCELLED",
    "REOPENED_WITH_EVIDENCE",
];

#[tokio::test]
async fn a_claim_takes_only_its_steps_and_only_by_members_with_the_right() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.arrange("sellers", "requests_per_window = 1000000").await;
    let step =
        "update robnu.claims set status = $2, status_reason = 'because' where id = $1 returning version";
    for from in STATUSES {
        for to in STATUSES.into_iter().filter(|to| *to != from) {
            for role in MEMBERS {
                bed.arrange("claims", &format!("status = '{from}', status_reason = 'so'")).await;
                let outcome = bed.write(&ours.scope(role), step, &[&ours.claim, &to]).await;
                let case = format!("{role}: {from} to {to}: {outcome:?}");
                let writes = ["OWNER", "ADMIN", "OPERATOR", "FINANCE"].contains(&role);
                match may_step(role, from, to) {
                    _ if !writes => assert_eq!(outcome.expect(&case), 0, "{role} {from} {to}"),
                    Some(true) => assert_eq!(outcome.expect(&case), 1, "{role} {from} {to}"),
                    Some(false) => assert!(matches!(outcome, Err(Error::Forbidden)), "{case}"),
                    None => assert_eq!(violated(outcome), "claims_step", "{case}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_receipt_reopens_the_claim_with_evidence_for_every_scanner() {
    for (before, after) in
        STATUSES.map(|status| (status, if status == "CANCELLED" { status } else { "REOPENED_WITH_EVIDENCE" }))
    {
        let bed = TestBed::new().await;
        let ours = &bed.sellers.ours;
        bed.arrange("claims", &format!("status = '{before}', status_reason = 'so'")).await;
        bed.write(&ours.scope("SCANNER"), SCAN, &[&ours.return_id]).await.unwrap();
        assert_eq!(
            bed.text("select status from robnu.claims where seller_id = $ours").await,
            after,
            "{before}"
        );
        assert_eq!(
            bed.text("select internal_status from robnu.returns where seller_id = $ours").await,
            "RECEIVED"
        );
        let events = "select coalesce(string_agg(concat_ws(' ', from_status, to_status, actor_kind), '; ' order by id), '')
            from robnu.claim_events where seller_id = $ours and from_status is not null";
        let told = if before == after { String::new() } else { format!("{before} {after} MEMBER") };
        assert_eq!(bed.text(events).await, told);
    }
}

#[tokio::test]
async fn a_pending_claim_needs_only_the_right_to_file_after_the_return_arrived_too() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let file = "update robnu.claims set status = 'FILED' where id = $1 returning version";
    for role in MEMBERS {
        bed.arrange("claims", "status = 'REOPENED_WITH_EVIDENCE', filed_at = null").await;
        let written = bed.write(&ours.scope(role), file, &[&ours.claim]).await.unwrap();
        let files = ["OWNER", "ADMIN", "OPERATOR", "FINANCE"].contains(&role);
        assert_eq!(written, usize::from(files), "{role}");
        let dated = "select (filed_at is not null)::text from robnu.claims where seller_id = $ours";
        assert_eq!(bed.text(dated).await, files.to_string(), "{role}");
    }
    // A claim that was filed before is reopened by members who may resolve claims.
    bed.arrange("claims", "status = 'REOPENED_WITH_EVIDENCE', filed_at = now()").await;
    let refused = bed.write(&ours.scope("OPERATOR"), file, &[&ours.claim]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
}

#[tokio::test]
async fn only_members_who_resolve_claims_set_the_recovered_amount() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.arrange("claims", "status = 'RESOLVED_WON', resolved_at = now()").await;
    let recovered = "update robnu.claims set recovered_amount = 5 where id = $1 returning version";
    let refused = bed.write(&ours.scope("OPERATOR"), recovered, &[&ours.claim]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    assert_eq!(bed.write(&ours.scope("FINANCE"), recovered, &[&ours.claim]).await.unwrap(), 1);
}

const CUSTOMER: &str = "select customer_name_enc from robnu.order_pii";
const OPEN: &str = "select robnu.open_customer($1)";

#[tokio::test]
async fn a_customer_is_read_only_after_it_was_recorded_and_with_the_right() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let events = "select count(*)::text from robnu.audit_events where seller_id = $ours and action = 'customer.opened'";
    let second = format!(
        "with another as (insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
           values ('{}', '{}', 'FN2', 'PENDING', 'NEW', now(), 'INR') returning seller_id, id)
         insert into robnu.order_pii (seller_id, order_id, digest) select seller_id, id, sha256('x') from another",
        ours.id, ours.ajio
    );
    bed.superuser.batch_execute(&second).await.unwrap();
    for role in MEMBERS {
        assert!(
            bed.database.read(&ours.scope(role), CUSTOMER, &[]).await.unwrap().is_empty(),
            "{role} peeks"
        );
        let session = bed.database.session(&ours.scope(role)).await.unwrap();
        let opened = session.commit_with(&[(OPEN, &[&ours.order]), (CUSTOMER, &[])]).await;
        if ["OWNER", "ADMIN", "OPERATOR"].contains(&role) {
            assert_eq!(opened.unwrap()[1].len(), 1, "{role} sees this one and no other");
        } else {
            assert!(matches!(opened, Err(Error::Forbidden)), "{role}: {opened:?}");
        }
    }
    assert_eq!(bed.text(events).await, "3");
    let session = bed.database.session(&ours.scope("OWNER")).await.unwrap();
    let answers =
        session.commit_with(&[(OPEN, &[&bed.sellers.theirs.order]), (CUSTOMER, &[])]).await.unwrap();
    assert!(answers[1].is_empty(), "another seller's customer stays closed");
    assert_eq!(bed.text(events).await, "3", "and nothing was opened");
}

#[tokio::test]
async fn only_members_with_the_right_read_payouts_and_their_lines() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let changed = "insert into robnu.import_changes (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out)
        values ($1, $2, 2, 'PAYOUTS', 'BANK1/1', 'CHANGED', '[]', 0)";
    bed.superuser.execute(changed, &[&ours.id, &ours.import]).await.unwrap();
    for (table, rows) in [
        ("select from robnu.import_changes where stream = 'PAYOUTS'", 1),
        ("select from robnu.announced_amounts", 1),
        ("select from robnu.payouts", 1),
        ("select from robnu.payout_entries", 2),
        ("select from robnu.payout_lines", 3),
        ("select from robnu.payout_changes", 1),
    ] {
        for role in MEMBERS {
            let seen = bed.database.read(&ours.scope(role), table, &[]).await.unwrap().len();
            let may = ["OWNER", "ADMIN", "FINANCE", "VIEWER"].contains(&role);
            assert_eq!(seen, if may { rows } else { 0 }, "{role}: {table}");
        }
    }
}

#[tokio::test]
async fn a_code_finds_our_returns_by_either_parcel_for_scanners_and_readers_but_not_for_jobs() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let found = "select robnu.returns_by_code($1)";
    let adapter = bed.test.login("robnu_adapter").await;
    for code in ["RN1", "RAWB1", "AWB1", "FN1"] {
        for role in ["SCANNER", "VIEWER"] {
            let rows = bed.database.read(&ours.scope(role), found, &[&code]).await.unwrap();
            let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(ids, [*ours.return_id.as_uuid()], "{role} {code}");
        }
        assert!(adapter.read(&ours.job_scope(), found, &[&code]).await.unwrap().is_empty(), "{code}");
    }
    for code in ["RN", "rn1", "%", ""] {
        let rows = bed.database.read(&ours.scope("SCANNER"), found, &[&code]).await.unwrap();
        assert!(rows.is_empty(), "{code:?}");
    }
}
