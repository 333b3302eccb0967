//! Files that members upload: imported once, in their order, by the real binary, and never into another seller's account.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::fmt::Write;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::Meesho;
use robnu_marketplace::kind::RunKind;
use robnu_storage::Place;
use robnu_tenancy::{AccountId, ImportId, RunId, SellerId};
use robnu_testkit::{LambdaProcess, Seller};
use serde_json::Value;
use simulators::SimulatorConfig;
use support::uploads::{self, announce, notice};
use support::{Stand, acknowledged, again, kill_in_transaction, returned};

const HEADER: &str = "\"Reason for Credit Entry\",\"Sub Order No\",\"Order Date\",\"Customer State\",\"Product Name\",\"SKU\",\"Size\",\"Quantity\",\
    \"Supplier Listed Price (Incl. GST + Commission)\",\"Supplier Discounted Price (Incl GST and Commision)\",\"Packet Id\"\n";

/// A file of Meesho's with so many orders; the last row of each hundred has no quantity.
fn orders(count: usize, status: &str, price: &str) -> String {
    let mut file = HEADER.to_owned();
    for number in 0..count {
        let quantity = if number % 100 == 99 { "" } else { "2" };
        writeln!(
            file,
            "\"{status}\",\"18{number:016}_1\",\"2026-08-05\",\"Bihar\",\"Saree, red\",\"SKU-{number}\",\"Free Size\",\"{quantity}\",\"488.0\",\"{price}\","
        )
        .unwrap();
    }
    file
}

async fn stand() -> Stand {
    Stand::new(SimulatorConfig::sample().unwrap()).await
}

/// A file of `seller`'s Meesho account, announced with `announced` and sent with `sent`.
async fn upload_as(stand: &Stand, seller: &Seller, announced: &str, sent: Option<&str>) -> ImportId {
    uploads::upload_as(stand, seller, Meesho, announced, sent).await
}

async fn upload(stand: &Stand, seller: &Seller, file: &str) -> ImportId {
    upload_as(stand, seller, file, Some(file)).await
}

fn key(seller: SellerId, account: AccountId, import: ImportId) -> String {
    format!("imports/{seller}/{account}/{import}/MEESHO")
}

/// Announces a file of ours, and returns its run.
async fn begun(stand: &Stand, function: &LambdaProcess, import: ImportId) -> Job {
    let ours = &stand.sellers.ours;
    announce(stand, function, &key(ours.id, ours.meesho, import)).await.expect("a file makes a run")
}

/// Why a run failed or waits.
async fn message(stand: &Stand, run: RunId) -> (String, String) {
    let row = stand
        .superuser
        .query_one("select error_code, error_message from robnu.sync_runs where id = $1", &[&run])
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

/// The orders that a file stored for an account, without the fixture's: number, status, lines, amount.
async fn stored(stand: &Stand, account: AccountId) -> (i64, i64, String) {
    let sql = "select count(distinct o.id), count(i.id), coalesce(sum(i.line_amount), 0)::text
        from robnu.orders o left join robnu.order_items i on i.order_id = o.id
        where o.account_id = $1 and o.external_order_id like '18%'";
    let row = stand.superuser.query_one(sql, &[&account]).await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// What is known of an account's credentials.
async fn standing(stand: &Stand, account: AccountId) -> String {
    let sql = "select (status, verified_at, refused_since, last_validation, last_validated_at)::text
        from robnu.marketplace_accounts where id = $1";
    stand.superuser.query_one(sql, &[&account]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_file_is_imported_once_and_bad_rows_are_set_aside() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let theirs = stand.theirs().await;
    let file = orders(250, "DELIVERED", "488.0");
    let import = upload(&stand, &stand.sellers.ours, &file).await;
    let before = standing(&stand, stand.sellers.ours.meesho).await;
    let job = begun(&stand, &function, import).await;
    let ours = key(stand.sellers.ours.id, stand.sellers.ours.meesho, import);
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!(
        (run.state.as_str(), run.orders_new, run.quarantined, run.pages),
        ("SUCCEEDED", 248, 2, 3),
        "{run:?}"
    );
    assert_eq!(stored(&stand, job.account_id).await, (248, 248, "242048.0000".to_owned()));
    let sql = "select i.recognised_as, o.state from robnu.imports i join robnu.storage_objects o on o.id = i.id where i.id = $1";
    let row = stand.superuser.query_one(sql, &[&import]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("MEESHO_ORDERS", "STORED"));
    assert_eq!(standing(&stand, job.account_id).await, before, "a file says nothing about credentials");
    let raw = "select count(*) from robnu.raw_pages where account_id = $1";
    let raw: i64 = stand.superuser.query_one(raw, &[&job.account_id]).await.unwrap().get(0);
    assert_eq!(raw, 0, "a file is kept itself, and has no raw pages");
    let before = stand.fingerprint().await;
    assert_eq!(announce(&stand, &function, &ours).await, None, "a second notice makes no second run");
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(stand.fingerprint().await, before, "nor does a second message read the file again");
    assert_eq!(stand.theirs().await, theirs);
}

#[tokio::test]
async fn a_corrected_file_replaces_what_the_earlier_one_stored_and_waits_for_it() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let first = upload(&stand, &stand.sellers.ours, &orders(50, "SHIPPED", "400.0")).await;
    let second = upload(&stand, &stand.sellers.ours, &orders(50, "DELIVERED", "450.0")).await;
    let (first, second) = (begun(&stand, &function, first).await, begun(&stand, &function, second).await);
    acknowledged(function.invoke(stand.event(&second)).await);
    let waiting = stand.run(second.run_id).await;
    assert_eq!((waiting.state.as_str(), waiting.error_code.as_deref()), ("WAITING", Some("earlier_file")));
    stand.run_to_end(&function, first).await;
    let again = "update robnu.sync_runs set state = 'QUEUED', generation = generation + 1 where id = $1 returning generation";
    let generation = stand.superuser.query_one(again, &[&second.run_id]).await.unwrap().get(0);
    stand.run_to_end(&function, Job { generation, ..second.clone() }).await;
    let run = stand.run(second.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.orders_changed), ("SUCCEEDED", 0, 50), "{run:?}");
    assert_eq!(stored(&stand, second.account_id).await, (50, 50, "45000.0000".to_owned()));
}

#[tokio::test]
async fn an_import_that_is_cut_short_goes_on_and_stores_the_same() {
    let mut stand = stand().await;
    stand.slice_seconds = 0;
    let function = stand.start(Meesho).await;
    let import = upload(&stand, &stand.sellers.ours, &orders(500, "DELIVERED", "488.0")).await;
    let job = begun(&stand, &function, import).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.quarantined), ("SUCCEEDED", 495, 5), "{run:?}");
    assert!(run.step >= 4, "each page was a slice of its own: {run:?}");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_announced_or_no_report_at_all_fails_with_a_reason() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let announced = orders(3, "DELIVERED", "488.0");
    let differs = upload_as(&stand, ours, &announced, Some(&announced.replace("488", "499"))).await;
    let missing = upload_as(&stand, ours, &announced, None).await;
    let unknown = upload(&stand, ours, "Vegetable,Colour\ncarrot,orange\n").await;
    let ajio = upload(&stand, ours, include_str!("../../../shared/files/tests/data/ajio_orders.csv")).await;
    for (import, state, code, text) in [
        (differs, "FAILED", "file_differs", "upload it again"),
        (unknown, "FAILED", "file_refused", "known by its header"),
        (ajio, "FAILED", "other_marketplace", "AJIO"),
        (missing, "WAITING", "file_unavailable", "at the moment"),
    ] {
        let job = begun(&stand, &function, import).await;
        stand.run_to_end(&function, job.clone()).await;
        let (found, message) = message(&stand, job.run_id).await;
        assert_eq!((stand.run(job.run_id).await.state.as_str(), found.as_str()), (state, code));
        assert!(message.contains(text) && !message.contains("carrot"), "{message}");
    }
    assert_eq!(stored(&stand, ours.meesho).await.0, 0);
}

#[tokio::test]
async fn a_notice_reaches_only_the_import_that_it_names_whole() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let before = stand.theirs().await;
    let import = upload(&stand, theirs, &orders(3, "DELIVERED", "488.0")).await;
    let foreign = upload(&stand, ours, &orders(3, "DELIVERED", "488.0")).await;
    for (key, refusal) in [
        (key(ours.id, ours.meesho, import), "unknown_file"),
        (key(ours.id, theirs.meesho, import), "foreign_account"),
        (key(theirs.id, ours.meesho, import), "foreign_account"),
        (key(ours.id, ours.ajio, foreign), "unknown_file"),
        (key(ours.id, ours.meesho, ImportId::new()), "unknown_file"),
        (key(ours.id, ours.meesho, foreign).replace("MEESHO", "AJIO"), "other_marketplace"),
        (key(ours.id, ours.meesho, foreign).replace("imports", "documents"), "unknown_file"),
    ] {
        assert_eq!(announce(&stand, &function, &key).await, None, "{key}");
        let dead = stand.receive(&stand.parallel_dead_letter_queue).await.expect("a refused notice is kept");
        let attributes = dead.message_attributes.unwrap();
        assert_eq!(attributes["refusal"].string_value(), Some(refusal), "{key}");
    }
    let in_lane: Value = stand.raw_event(ours.meesho, &notice(&key(ours.id, ours.meesho, foreign)));
    acknowledged(function.invoke(in_lane).await);
    assert!(stand.receive(&stand.dead_letter_queue).await.is_some(), "nor does a notice come through a lane");
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
    acknowledged(function.invoke(stand.parallel_event(&[test])).await);
    assert_eq!(stand.theirs().await, before, "the other seller has no run and no order");
    let runs: i64 = stand
        .superuser
        .query_one(
            "select count(*) from robnu.sync_runs where kind = 'FILE_IMPORT' and state <> 'SUCCEEDED'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(runs, 0);
}

#[tokio::test]
async fn a_notice_waits_while_the_seller_is_suspended() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let import = upload(&stand, ours, &orders(3, "DELIVERED", "488.0")).await;
    let set = |value: &'static str| {
        format!(
            "update robnu.sellers set suspended_at = {value}, suspension_reason = {}",
            if value == "null" { "null" } else { "'unpaid'" }
        )
    };
    stand.superuser.batch_execute(&set("now()")).await.unwrap();
    let event = stand.parallel_event(&[&notice(&key(ours.id, ours.meesho, import))]);
    returned(function.invoke(event).await);
    stand.superuser.batch_execute(&set("null")).await.unwrap();
    begun(&stand, &function, import).await;
}

/// Makes the run that the scheduling sweep makes for an import whose notice was lost.
async fn begin_without_notice(stand: &Stand, import: ImportId) -> Job {
    let ours = &stand.sellers.ours;
    let job = Job {
        run_id: RunId::new(),
        step: 0,
        generation: 0,
        seller_id: ours.id,
        account_id: ours.meesho,
        marketplace: Meesho,
        kind: RunKind::FileImport,
    };
    let sql = "with made as (
          insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, sent_at)
          values ($1, $2, $3, 'MEESHO', 'FILE_IMPORT', 'FILE', now()))
        update robnu.imports set run_id = $2 where id = $4";
    stand.superuser.execute(sql, &[&ours.id, &job.run_id, &ours.meesho, &import]).await.unwrap();
    job
}

#[tokio::test]
async fn a_lost_notice_costs_nothing_and_a_file_that_was_never_sent_is_given_up_until_it_comes() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let file = orders(30, "DELIVERED", "488.0");
    let lost = upload(&stand, ours, &file).await;
    let job = begin_without_notice(&stand, lost).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(stored(&stand, ours.meesho).await.0, 30);
    let ours_key = key(ours.id, ours.meesho, lost);
    assert_eq!(announce(&stand, &function, &ours_key).await, None, "a late notice makes no second run");

    let later = orders(40, "DELIVERED", "488.0");
    let absent = upload_as(&stand, ours, &later, None).await;
    let job = begin_without_notice(&stand, absent).await;
    stand.run_to_end(&function, job.clone()).await;
    let (code, text) = message(&stand, job.run_id).await;
    assert_eq!((stand.run(job.run_id).await.state.as_str(), code.as_str()), ("FAILED", "not_uploaded"));
    assert!(text.contains("announce it again"), "{text}");
    let put = stand.s3.put_object().bucket(&stand.bucket).key(key(ours.id, ours.meesho, absent));
    put.body(later.into_bytes().into()).send().await.unwrap();
    let job = begun(&stand, &function, absent).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(stored(&stand, ours.meesho).await.0, 40);
}

#[tokio::test]
async fn an_import_that_is_killed_in_every_page_and_after_it_stores_what_an_undisturbed_one_stores() {
    let (mut one, other) = (stand().await, stand().await);
    let file = orders(450, "DELIVERED", "488.0");
    let undisturbed = other.start(Meesho).await;
    let import = upload(&other, &other.sellers.ours, &file).await;
    let job = begun(&other, &undisturbed, import).await;
    other.run_to_end(&undisturbed, job.clone()).await;
    let expected = (other.run(job.run_id).await.orders_new, contents(&other).await);

    // Each invocation stores one page.
    one.slice_seconds = 0;
    let function = one.start(Meesho).await;
    let import = upload(&one, &one.sellers.ours, &file).await;
    let mut job = begun(&one, &function, import).await;
    drop(function);
    let mut pages = 0;
    loop {
        // A page writes its lines after its orders.
        kill_in_transaction(&one, one.start(Meesho).await, &job, "order_items").await;
        assert_eq!(one.run(job.run_id).await.pages, pages, "nothing of the page remains");
        job = again(&one, job).await;
        let function = one.start(Meesho).await;
        acknowledged(function.invoke(one.event(&job)).await);
        // The next step's message is lost with the process.
        function.kill().await;
        let run = one.run(job.run_id).await;
        pages = run.pages;
        if run.state != "QUEUED" {
            assert_eq!((run.state.as_str(), run.orders_new), ("SUCCEEDED", expected.0), "{run:?}");
            break;
        }
        job = Job { step: run.step, generation: run.generation, ..job };
    }
    assert_eq!((pages, contents(&one).await), (5, expected.1));
}

/// All orders of the file with their lines, without ids and times of ours.
async fn contents(stand: &Stand) -> Vec<String> {
    let sql = "select concat_ws(' ', o.external_order_id, o.status, o.total_amount, i.external_item_id, i.quantity, i.line_amount)
        from robnu.orders o join robnu.order_items i on i.order_id = o.id where o.external_order_id like '18%' order by 1";
    stand.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn rows_of_files_that_were_set_aside_are_read_again_by_a_run_without_a_file() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    // Two rows without a quantity, and a return with an unreadable date.
    let returns = "Suborder Number,Qty,Return Created Date,Type of Return,Status,SKU\n1800000000000000005_1,1,soon,Customer Return,Initiated,A\n";
    for (seller, file) in [
        (ours, orders(200, "DELIVERED", "488.0")),
        (ours, returns.to_owned()),
        (theirs, orders(100, "DELIVERED", "488.0")),
    ] {
        uploads::import_file(&stand, &function, seller, Meesho, &file).await;
    }
    let aside = "select count(*), count(*) filter (where retry_requested_at is not null) from robnu.quarantined_records where seller_id = $1
        and account_id = $2";
    let count = async |seller: &Seller| {
        let row = stand.superuser.query_one(aside, &[&seller.id, &seller.meesho]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!((count(ours).await, count(theirs).await), ((3, 0), (1, 0)));
    // As if the mapping had been improved: the kept records can be read now.
    mend(&stand, ours).await;
    stand
        .superuser
        .execute("update robnu.quarantined_records set retry_requested_at = now()", &[])
        .await
        .unwrap();
    let job = stand.queue(Meesho, RunKind::FileImport).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.quarantined), ("SUCCEEDED", 2, 0), "{run:?}");
    assert_eq!(stored(&stand, ours.meesho).await.0, 200);
    let sql = "select count(*) from robnu.returns where account_id = $1 and external_return_id like '1800000000000000005_1%'";
    assert_eq!(stand.superuser.query_one(sql, &[&ours.meesho]).await.unwrap().get::<_, i64>(0), 1);
    assert_eq!(
        (count(ours).await, count(theirs).await),
        ((0, 0), (1, 1)),
        "the other seller's waits for its own run"
    );
}

/// Replaces what cannot be read in a seller's kept rows, as an improved mapping would read it.
async fn mend(stand: &Stand, seller: &Seller) {
    let sql = "select id, record_enc from robnu.quarantined_records where seller_id = $1 and account_id = $2";
    for row in stand.superuser.query(sql, &[&seller.id, &seller.meesho]).await.unwrap() {
        let place = Place { table: "quarantined_records", column: "record", row: row.get(0) };
        let kept = stand.cipher(seller.id).open(place, row.get(1)).unwrap();
        let mut kept: Value = serde_json::from_slice(&kept).unwrap();
        let cells = kept["rows"][0]["cells"].as_object_mut().unwrap();
        if cells.contains_key("Return Created Date") {
            cells.insert("Return Created Date".to_owned(), "2026-08-09".into());
        } else {
            cells.insert("Quantity".to_owned(), "2".into());
        }
        let sealed = stand.cipher(seller.id).seal(place, kept.to_string().as_bytes()).unwrap();
        let sql = "update robnu.quarantined_records set record_enc = $2 where id = $1";
        stand.superuser.execute(sql, &[&place.row, &sealed]).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_arrives_while_its_account_is_held_or_too_many_runs_are_under_way_waits_unpublished() {
    let hold = "update robnu.marketplace_accounts set held_at = now(), hold_reason = 'a fault' where marketplace_code = 'MEESHO'";
    let full = "update robnu.marketplaces set runs_at_once = 1 where code = 'MEESHO';
        insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, lease_expires_at)
        select seller_id, id, marketplace_code, 'FILE_IMPORT', 'API', 'RUNNING', now() + interval '1 minute'
        from robnu.marketplace_accounts where marketplace_code = 'MEESHO'";
    for arranged in [hold, full] {
        waits_unpublished(arranged).await;
    }
}

async fn waits_unpublished(arranged: &str) {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let file = orders(1, "SHIPPED", "400");
    let import = upload_as(&stand, ours, &file, Some(&file)).await;
    stand.superuser.batch_execute(arranged).await.unwrap();
    assert_eq!(announce(&stand, &function, &key(ours.id, ours.meesho, import)).await, None);
    let sql = "select r.state, r.sent_at is null from robnu.sync_runs r join robnu.imports i on i.run_id = r.id where i.id = $1";
    let row = stand.superuser.query_one(sql, &[&import]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("QUEUED", true), "{arranged}");
}
