//! A corrected file is compared with the one that it corrects before it is imported, and each difference is told once.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::fmt::Write;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::Meesho;
use robnu_tenancy::ImportId;
use robnu_testkit::{LambdaProcess, Seller};
use simulators::SimulatorConfig;
use support::uploads::{announce, import_file, key, upload_as};
use support::{Stand, acknowledged, again, kill_in_transaction};

const HEADER: &str = "Reason for Credit Entry,Sub Order No,Order Date,SKU,Quantity,Supplier Discounted Price (Incl GST and Commision),Packet Id";

/// A file of orders with these numbers, and the price of each.
fn orders(numbers: impl IntoIterator<Item = (u32, u32)>) -> String {
    numbers.into_iter().fold(format!("{HEADER}\n"), |mut file, (number, price)| {
        writeln!(file, "SHIPPED,18{number:06}_1,2026-08-05,SKU-1,1,{price},").unwrap();
        file
    })
}

async fn stand() -> Stand {
    Stand::new(SimulatorConfig::sample().unwrap()).await
}

/// The import of a run.
async fn import_of(stand: &Stand, job: &Job) -> ImportId {
    let sql = "select id from robnu.imports where run_id = $1";
    stand.superuser.query_one(sql, &[&job.run_id]).await.unwrap().get(0)
}

/// Announces and sends a file that corrects an import.
async fn correct(stand: &Stand, seller: &Seller, earlier: ImportId, file: &str) -> ImportId {
    let import = upload_as(stand, seller, Meesho, file, Some(file)).await;
    let sql = "update robnu.imports set corrects = $2 where id = $1";
    stand.superuser.execute(sql, &[&import, &earlier]).await.unwrap();
    import
}

async fn begun(stand: &Stand, function: &LambdaProcess, seller: &Seller, import: ImportId) -> Job {
    announce(stand, function, &key(seller, Meesho, import)).await.expect("a file makes a run")
}

/// How many records an import added, changed and does not name.
async fn counted(stand: &Stand, import: ImportId) -> Option<(i32, i32, i32)> {
    let sql = "select records_added, records_changed, records_missing from robnu.imports where id = $1";
    let row = stand.superuser.query_one(sql, &[&import]).await.unwrap();
    row.get::<_, Option<i32>>(0).map(|added| (added, row.get(1), row.get(2)))
}

/// The differences that were kept, in their order.
async fn told(stand: &Stand, import: ImportId) -> Vec<String> {
    let sql = "select concat_ws(' ', number, stream, external_id, change, fields, fields_left_out)
        from robnu.import_changes where import_id = $1 order by number";
    stand.superuser.query(sql, &[&import]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What is stored of an account's orders of the file.
async fn stored(stand: &Stand, seller: &Seller) -> Vec<String> {
    let sql = "select concat_ws(' ', o.external_order_id, trim_scale(i.line_amount))
        from robnu.orders o join robnu.order_items i on i.order_id = o.id
        where o.account_id = $1 and o.external_order_id like '18%' order by 1";
    stand.superuser.query(sql, &[&seller.meesho]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_corrected_file_tells_what_it_adds_changes_and_does_not_name() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let earlier = orders([(1, 100), (2, 200), (3, 300)]);
    let job = import_file(&stand, &function, ours, Meesho, &earlier).await;
    let first = import_of(&stand, &job).await;
    assert_eq!(counted(&stand, first).await, None, "a file that corrects none has no difference");
    import_file(&stand, &function, theirs, Meesho, &earlier).await;
    let before = stand.theirs().await;

    let second = correct(&stand, ours, first, &orders([(1, 100), (3, 333), (4, 400)])).await;
    let job = begun(&stand, &function, ours, second).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(counted(&stand, second).await, Some((1, 1, 1)));
    let price = r#"{"after": "333", "field": "lines[18000003_1].line_amount", "before": "300"}"#;
    let total = r#"{"after": "333", "field": "total_amount", "before": "300"}"#;
    assert_eq!(
        told(&stand, second).await,
        [
            "1 ORDERS 18000002 MISSING [] 0".to_owned(),
            format!("2 ORDERS 18000003 CHANGED [{price}, {total}] 0"),
            "3 ORDERS 18000004 ADDED [] 0".to_owned(),
        ]
    );
    assert_eq!(
        stored(&stand, ours).await,
        ["18000001 100", "18000002 200", "18000003 333", "18000004 400"],
        "what the corrected file does not name stays"
    );
    assert_eq!(stand.theirs().await, before, "the other seller imported the same file and keeps it");
}

#[tokio::test]
async fn a_comparison_that_is_killed_and_cut_short_tells_each_difference_once() {
    // 1,300 orders are compared in three parts. Every seventh price differs, and both ends of the files do.
    let earlier = orders((0..1_250).map(|number| (number, 100)));
    let corrected = orders((50..1_300).map(|number| (number, 100 + u32::from(number % 7 == 0))));
    let (mut one, other) = (stand().await, stand().await);
    let expected = {
        let function = other.start(Meesho).await;
        let first = import_file(&other, &function, &other.sellers.ours, Meesho, &earlier).await;
        let first = import_of(&other, &first).await;
        let second = correct(&other, &other.sellers.ours, first, &corrected).await;
        let job = begun(&other, &function, &other.sellers.ours, second).await;
        other.run_to_end(&function, job).await;
        assert_eq!(counted(&other, second).await, Some((50, 171, 50)));
        (told(&other, second).await, stored(&other, &other.sellers.ours).await)
    };
    assert_eq!(expected.0.len(), 271);

    let function = one.start(Meesho).await;
    let first = import_file(&one, &function, &one.sellers.ours, Meesho, &earlier).await;
    let first = import_of(&one, &first).await;
    let second = correct(&one, &one.sellers.ours, first, &corrected).await;
    let mut job = begun(&one, &function, &one.sellers.ours, second).await;
    drop(function);
    // Each invocation commits one part of the comparison, or one page.
    one.slice_seconds = 0;
    for part in 0..3 {
        kill_in_transaction(&one, one.start(Meesho).await, &job, "import_changes").await;
        assert_eq!(one.run(job.run_id).await.pages, part, "nothing of the part remains");
        job = again(&one, job).await;
        let function = one.start(Meesho).await;
        acknowledged(function.invoke(one.event(&job)).await);
        function.kill().await;
        let run = one.run(job.run_id).await;
        job = Job { step: run.step, generation: run.generation, ..job };
    }
    let function = one.start(Meesho).await;
    one.run_to_end(&function, job.clone()).await;
    let run = one.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.orders_changed), ("SUCCEEDED", 50, 171), "{run:?}");
    assert_eq!((told(&one, second).await, stored(&one, &one.sellers.ours).await), expected);
    assert_eq!(counted(&one, second).await, Some((50, 171, 50)));
}

#[tokio::test]
async fn all_differences_are_counted_and_the_first_ten_thousand_kept() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let first = import_file(&stand, &function, ours, Meesho, &orders([(1, 100)])).await;
    let first = import_of(&stand, &first).await;
    let second = correct(&stand, ours, first, &orders((1..=20).map(|number| (number, 100)))).await;
    // As if so many had been compared before.
    let sql = "update robnu.imports set records_added = 9000, records_changed = 900, records_missing = 90 where id = $1";
    stand.superuser.execute(sql, &[&second]).await.unwrap();
    let job = begun(&stand, &function, ours, second).await;
    stand.run_to_end(&function, job).await;
    assert_eq!(counted(&stand, second).await, Some((9_019, 900, 90)));
    let told = told(&stand, second).await;
    assert_eq!((told.len(), told.last().unwrap().split(' ').next()), (10, Some("10000")));
}

#[tokio::test]
async fn a_file_of_another_kind_or_whose_earlier_file_is_gone_imports_nothing() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let first = import_file(&stand, &function, ours, Meesho, &orders([(1, 100)])).await;
    let first = import_of(&stand, &first).await;
    let before = stored(&stand, ours).await;
    let returns = include_str!("../../../shared/files/tests/data/meesho_returns.csv");
    let other_kind = correct(&stand, ours, first, returns).await;
    expect_failed(&stand, &function, other_kind, "other_kind_of_file", "MEESHO_ORDERS").await;

    let delete = stand.s3.delete_object().bucket(&stand.bucket).key(key(ours, Meesho, first));
    delete.send().await.unwrap();
    let gone = correct(&stand, ours, first, &orders([(2, 200)])).await;
    expect_failed(&stand, &function, gone, "corrected_file_gone", "without naming that import").await;
    assert_eq!(stored(&stand, ours).await, before);
    // The same file without the earlier one is imported.
    import_file(&stand, &function, ours, Meesho, &orders([(2, 200)])).await;
    assert_eq!(stored(&stand, ours).await, ["18000001 100", "18000002 200"]);
}

async fn expect_failed(stand: &Stand, function: &LambdaProcess, import: ImportId, code: &str, text: &str) {
    let job = begun(stand, function, &stand.sellers.ours, import).await;
    stand.run_to_end(function, job.clone()).await;
    let sql = "select state, error_code, error_message from robnu.sync_runs where id = $1";
    let row = stand.superuser.query_one(sql, &[&job.run_id]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("FAILED", Some(code)));
    assert!(row.get::<_, &str>(2).contains(text), "{}", row.get::<_, &str>(2));
    assert_eq!((counted(stand, import).await, told(stand, import).await.len()), (None, 0));
}
