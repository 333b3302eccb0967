//! Raw pages: they come into objects once, whatever is interrupted and whoever else sweeps, and a failing S3 or KMS loses none.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::Duration;

use kit::raw_pages::{Bed, FIELDS};
use kit::{in_a_minute, raw_pages_with, try_sweep};
use robnu_storage::KeyService;
use robnu_tenancy::{Error, SellerScope};
use sweep::Context;
use sweep::raw_pages::Report;
use tokio::time::Instant;

const README: &str = include_str!("../../../shared/storage/README.md");

async fn sweep(bed: &Bed) -> Report {
    raw_pages_with(&bed.context, in_a_minute()).await
}

#[tokio::test]
async fn pages_become_objects_of_json_lines_under_their_seller_marketplace_date_and_hour() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.ours(), bed.theirs());
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T09:59:59.5Z", 2).await;
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T10:00:00Z", 1).await;
    bed.wait(theirs.id, theirs.amazon, "AMAZON_IN", "2026-11-20T09:00:00Z", 1).await;
    let report = sweep(&bed).await;
    assert_eq!((report.sellers_found, report.objects_stored, report.pages_stored), (2, 3, 4), "{report:?}");
    assert!(report.oldest_minutes > 0 && !report.time_short && report.sellers_failed == 0, "{report:?}");
    assert_eq!(bed.waiting().await, 0);

    let objects = bed.objects().await;
    let folders: Vec<&str> = objects.iter().map(|object| object.key.rsplit_once('/').unwrap().0).collect();
    let mut expected = [
        format!("raw-payloads/{}/AJIO/2026-11-20/09", ours.id),
        format!("raw-payloads/{}/AJIO/2026-11-20/10", ours.id),
        format!("raw-payloads/{}/AMAZON_IN/2026-11-20/09", theirs.id),
    ];
    expected.sort();
    assert_eq!(folders, expected);
    for object in &objects {
        assert!(object.key.ends_with(".jsonl.gz"), "{}", object.key);
        let seller = object.key.split('/').nth(1).unwrap();
        for line in &object.lines {
            let fields: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, FIELDS);
            assert_eq!(line["seller_id"], seller, "a seller's object has its own pages");
            assert_eq!((line["kind"].as_str(), line["page"].as_i64()), (Some("ORDERS"), Some(1)));
            assert!(line["body"]["orders"].is_array(), "{line}");
        }
    }
    assert_eq!(objects[0].lines[0]["fetched_at"], "2026-11-20T09:59:59.500000Z");
    // Each object has a row that says the same.
    let rows = bed
        .world
        .superuser
        .query("select key, size, checksum, bucket, version_id is not null from robnu.storage_objects where kind = 'RAW_PAGES' and state = 'STORED' order by key", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    for (row, object) in rows.iter().zip(&objects) {
        assert_eq!(row.get::<_, String>(0), object.key);
        assert_eq!(usize::try_from(row.get::<_, i64>(1)).unwrap(), object.size);
        assert_eq!(row.get::<_, Vec<u8>>(2), object.sha256);
        assert_eq!((row.get::<_, String>(3), row.get::<_, bool>(4)), (bed.bucket.clone(), true));
    }
    // And a second sweep finds nothing.
    assert_eq!(sweep(&bed).await, Report::default());
    assert_eq!(bed.objects().await.len(), 3);
}

#[test]
fn the_documented_table_has_a_column_for_each_field_of_a_line_and_a_partition_for_each_part_of_a_key() {
    let (_, table) = README.split_once("create external table raw_pages (").unwrap();
    let (columns, table) = table.split_once(")\npartitioned by (").unwrap();
    let (partitions, table) = table.split_once(")\n").unwrap();
    let names = |list: &'static str| {
        let mut names: Vec<&str> = list.split(',').filter_map(|one| one.split_whitespace().next()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(columns), FIELDS);
    assert_eq!(names(partitions), ["day", "hour", "marketplace", "seller"]);
    assert!(table.contains("/raw-payloads/${seller}/${marketplace}/${day}/${hour}/'"), "{table}");
    for code in robnu_marketplace::code::MARKETPLACE_CODES {
        assert!(table.contains(code.as_str()), "{code}");
    }
}

#[tokio::test]
async fn two_sweeps_at_once_store_each_page_once() {
    let bed = Bed::new().await;
    let pages = bed.many().await;
    let another = bed.another().await;
    let (one, other) = tokio::join!(sweep(&bed), raw_pages_with(&another, in_a_minute()));
    assert_eq!(one.sellers_failed + other.sellers_failed, 0, "{one:?} {other:?}");
    let rest = sweep(&bed).await;
    assert_eq!(
        one.pages_stored + other.pages_stored + rest.pages_stored,
        pages,
        "{one:?} {other:?} {rest:?}"
    );
    assert_eq!(bed.waiting().await, 0);
    bed.assert_each_page_is_in_one_line(pages).await;
}

#[tokio::test]
async fn a_call_that_dies_between_the_object_and_its_record_is_repeated_with_the_same_object() {
    let bed = Bed::new().await;
    let ours = bed.ours();
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T09:00:00Z", 2).await;
    bed.world
        .superuser
        .batch_execute(
            "create function die() returns trigger language plpgsql as $$ begin raise exception 'the call died'; end $$;
             create trigger die before update of stored_at on robnu.raw_pages for each row
               when (new.stored_at is not null) execute function die();
             grant execute on function die() to public",
        )
        .await
        .unwrap();
    let report = sweep(&bed).await;
    assert_eq!((report.sellers_failed, report.objects_stored), (1, 0), "{report:?}");
    assert_eq!((bed.waiting().await, bed.objects().await.len()), (2, 1), "the object is there, unrecorded");
    bed.world.superuser.batch_execute("drop trigger die on robnu.raw_pages").await.unwrap();

    // Its lease lasts a minute: until then nobody takes the pages. A page that came meanwhile is not mixed in.
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T09:30:00Z", 1).await;
    assert_eq!(sweep(&bed).await.pages_stored, 1, "only the new one");
    assert_eq!(bed.waiting().await, 2);
    bed.end_leases().await;
    assert_eq!(sweep(&bed).await.pages_stored, 2);
    assert_eq!((bed.waiting().await, bed.objects().await.len()), (0, 2));
    bed.assert_each_page_is_in_one_line(3).await;
}

#[tokio::test]
async fn a_call_that_is_cut_off_at_any_moment_loses_no_page_and_stores_none_twice() {
    let bed = Bed::new().await;
    let pages = bed.many().await;
    let mut cut_off = 0;
    for moment in 1..60 {
        let call = try_sweep(&bed.context, "raw_pages", in_a_minute());
        if tokio::time::timeout(Duration::from_millis(3 * moment), call).await.is_err() {
            cut_off += 1;
        }
        bed.end_leases().await;
        if bed.waiting().await == 0 {
            break;
        }
    }
    assert!(cut_off > 3, "the sweep was cut off {cut_off} times");
    while bed.waiting().await > 0 {
        assert!(sweep(&bed).await.pages_stored > 0);
    }
    bed.assert_each_page_is_in_one_line(pages).await;
}

#[tokio::test]
async fn while_s3_answers_with_errors_or_not_at_all_pages_wait_and_the_sweep_ends() {
    let bed = Bed::new().await;
    let ours = bed.ours();
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T09:00:00Z", 2).await;
    for answers in [true, false] {
        let context = Context { objects: bed.broken_objects(answers).await, ..bed.another().await };
        let began = Instant::now();
        let report = raw_pages_with(&context, in_a_minute()).await;
        assert_eq!((report.sellers_failed, report.pages_stored), (1, 0), "{report:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(bed.waiting().await, 2);
        bed.end_leases().await;
    }
    assert_eq!(sweep(&bed).await.pages_stored, 2);
    bed.assert_each_page_is_in_one_line(2).await;
}

#[tokio::test]
async fn without_kms_pages_wait_and_a_page_that_never_opens_holds_up_no_other() {
    let bed = Bed::new().await;
    let ours = bed.ours();
    bed.wait(ours.id, ours.ajio, "AJIO", "2026-11-20T09:00:00Z", 2).await;
    let wire = kit::wire::Wire::new();
    wire.refuse("Decrypt");
    let keys = KeyService::new(wire.kms(), bed.platform_key.clone());
    let without = Context { keys, ..bed.another().await };
    let report = raw_pages_with(&without, in_a_minute()).await;
    assert_eq!((report.sellers_failed, bed.waiting().await), (1, 2), "{report:?}");
    bed.end_leases().await;
    let altered = "update robnu.raw_pages set page_enc = set_byte(page_enc, octet_length(page_enc) - 1, 255 - get_byte(page_enc, octet_length(page_enc) - 1))
        where id = (select min(id::text)::uuid from robnu.raw_pages where stored_at is null)";
    bed.world.run_sql(altered, &[]).await;
    let report = sweep(&bed).await;
    assert_eq!((report.pages_stored, report.pages_unreadable, bed.waiting().await), (1, 1, 0), "{report:?}");
}

#[tokio::test]
async fn an_object_is_bounded_in_pages_and_bytes_and_a_seller_with_many_pages_holds_up_no_other() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.ours(), bed.theirs());
    // Three pages of three mebibytes that cannot be compressed.
    for minute in 0..3 {
        bed.wait_of_size(ours.id, ours.ajio, &format!("2026-11-20T09:{minute:02}:00Z"), 3 * 1024 * 1024)
            .await;
    }
    bed.wait(theirs.id, theirs.ajio, "AJIO", "2026-11-20T09:00:00Z", 1).await;
    let taken = "select count(*) from robnu.take_raw_pages(500, 4194304)";
    let rows = bed.context.database.read(&SellerScope::for_sweep(ours.id), taken, &[]).await.unwrap();
    assert_eq!(rows[0].get::<_, i64>(0), 1, "a second page would be too much");
    bed.end_leases().await;
    let report = sweep(&bed).await;
    assert_eq!((report.objects_stored, report.pages_stored), (4, 4), "{report:?}");
    let report = raw_pages_with(&bed.context, Instant::now()).await;
    assert_eq!(report, Report::default(), "nothing is found and nothing begins");
}

#[tokio::test]
async fn pages_of_a_suspended_seller_wait_and_without_time_nothing_begins() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.ours(), bed.theirs());
    for seller in [ours, theirs] {
        bed.wait(seller.id, seller.ajio, "AJIO", "2026-11-20T09:00:00Z", 1).await;
    }
    let report = raw_pages_with(&bed.context, Instant::now()).await;
    assert!(report.time_short && report.objects_stored == 0, "{report:?}");
    bed.world.suspend(ours.id).await;
    let report = sweep(&bed).await;
    assert_eq!((report.sellers_found, report.pages_stored), (1, 1), "{report:?}");
    bed.world.resume(ours.id).await;
    assert_eq!(sweep(&bed).await.pages_stored, 1);
}

#[tokio::test]
async fn a_sweep_takes_pages_of_the_seller_it_entered_and_nobody_else_takes_any() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.ours(), bed.theirs());
    bed.wait(theirs.id, theirs.ajio, "AJIO", "2026-11-20T09:00:00Z", 1).await;
    let inside = SellerScope::for_sweep(ours.id);
    let taken = "select count(*) from robnu.take_raw_pages(500, 4194304)";
    let rows = bed.context.database.read(&inside, taken, &[]).await.unwrap();
    assert_eq!(rows[0].get::<_, i64>(0), 0, "another seller's page was taken");
    for (login, entry) in [
        ("robnu_adapter", format!("select robnu.enter_job('{}', '{}')", theirs.id, theirs.ajio)),
        ("robnu_api", format!("select robnu.enter_member('OWNER@{0}', '{0}', '', true)", theirs.id)),
    ] {
        let raw = bed.world.test.raw(login).await;
        for sql in [taken, "select page_enc from robnu.raw_pages"] {
            raw.batch_execute(&format!("begin; {entry}")).await.unwrap();
            let error = raw.query(sql, &[]).await.unwrap_err();
            assert_eq!(
                error.code().map(tokio_postgres::error::SqlState::code),
                Some("42501"),
                "{login}: {sql}"
            );
            raw.batch_execute("rollback").await.unwrap();
        }
    }
    let member = bed.world.test.login("robnu_api").await;
    let seen = member.read(&theirs.scope("OWNER"), "select id from robnu.raw_pages", &[]).await;
    assert!(
        matches!(&seen, Ok(rows) if rows.is_empty()) || matches!(seen, Err(Error::Forbidden)),
        "{seen:?}"
    );
}
