//! Files of payments are imported by the real function: every line is in, sums are equal, and a second import changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::path::Path;

use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn, Flipkart, Meesho};
use robnu_testkit::Seller;
use simulators::SimulatorConfig;
use support::uploads::{announce, import_file, key, upload_as};
use support::{Stand, again, kill_in_transaction};

const HEADER: &str = "Sub Order No,Live Order Status,Quantity,Supplier SKU,Transaction ID,Payment Date,Final Settlement Amount,Total Sale Amount (Incl. Shipping & GST),Meesho Commission (Incl. GST),TCS,TDS,Festival Levy";

/// A month of a real seller, with ids and articles of ours: 41 rows in five transfers.
fn month() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/files/tests/data/meesho_payments.csv");
    std::fs::read_to_string(path).unwrap()
}

/// A file of these rows.
fn payments(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

async fn stand() -> Stand {
    Stand::new(SimulatorConfig::sample().unwrap()).await
}

async fn texts(stand: &Stand, seller: &Seller, sql: &str) -> Vec<String> {
    stand.superuser.query(sql, &[&seller.meesho]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Every row of money of the account with the transaction that wrote it.
async fn rows(stand: &Stand, seller: &Seller) -> Vec<String> {
    let sql = "select p.xmin || p::text from robnu.payouts p where account_id = $1
        union all select e.xmin || e::text from robnu.payout_entries e where account_id = $1
        union all select l.xmin || l::text from robnu.payout_lines l join robnu.payout_entries e on e.id = l.entry_id where e.account_id = $1
        order by 1";
    texts(stand, seller, sql).await
}

const PAYOUTS: &str =
    "select concat_ws(' ', external_payout_id, trim_scale(net_amount), entries, unbalanced_entries, revision)
    from robnu.payouts where account_id = $1 order by 1";
const ENTRIES: &str = "select concat_ws(' ', coalesce(p.external_payout_id, '-'), e.external_part_id, trim_scale(e.stated_amount), trim_scale(e.amount),
      trim_scale(e.difference), e.place, nullif(e.other, '{}'), (select string_agg(l.line_type || '=' || trim_scale(l.amount), ',' order by l.number)
        from robnu.payout_lines l where l.entry_id = e.id))
    from robnu.payout_entries e left join robnu.payouts p on p.id = e.payout_id where e.account_id = $1 order by 1";

#[tokio::test]
async fn a_month_of_payments_adds_up_and_its_second_import_touches_no_row() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    import_file(&stand, &function, theirs, Meesho, &month()).await;
    let before = (rows(&stand, theirs).await, stand.theirs().await);
    let job = import_file(&stand, &function, ours, Meesho, &month()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0));
    let expected = [
        "BANKREF00000001 2901.21 16 0 1",
        "BANKREF00000002 1921.63 4 0 1",
        "BANKREF00000003 1931.46 4 0 1",
        "BANKREF00000004 5168.09 12 0 1",
        "BANKREF00000005 1939.85 5 0 1",
    ];
    assert_eq!(texts(&stand, ours, PAYOUTS).await, expected);
    let taxes = "select l.line_type || ' ' || sum(l.amount) from robnu.payout_lines l join robnu.payout_entries e on e.id = l.entry_id
        where e.account_id = $1 and l.line_type in ('TCS', 'TDS') group by l.line_type order by 1";
    assert_eq!(texts(&stand, ours, taxes).await, ["TCS -79.0000", "TDS -15.7600"]);
    let counts = "select c.stream || ' ' || c.added || ' ' || c.unchanged from robnu.sync_run_counts c join robnu.sync_runs r on r.id = c.run_id
        where r.account_id = $1 and c.stream like 'PAYOUT%' order by 1";
    let told = texts(&stand, ours, counts).await;
    assert_eq!(told[..2], ["PAYOUTS 5 0", "PAYOUT_ENTRIES 41 0"]);

    let stored = rows(&stand, ours).await;
    let job = import_file(&stand, &function, ours, Meesho, &month()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    assert_eq!(rows(&stand, ours).await, stored, "the same file again");
    assert_eq!((rows(&stand, theirs).await, stand.theirs().await), before, "the other seller keeps its own");
}

#[tokio::test]
async fn a_row_that_does_not_add_up_is_flagged_by_its_place_and_an_unknown_column_is_kept() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let file = payments(&[
        "18000001_1,Delivered,1,SKU-1,BANK1,2026-08-05,89.4,100,-10,-0.5,-0.1,",
        "18000002_1,Delivered,1,SKU-1,BANK1,2026-08-05,84.401,100,-10,-0.5,-0.1,-5",
        "18000003_1,Delivered,1,SKU-1,BANK1,2026-08-05,\"12,50\",100,-10,-0.5,-0.1,",
    ]);
    let job = import_file(&stand, &function, ours, Meesho, &file).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 1));
    assert_eq!(texts(&stand, ours, PAYOUTS).await, ["BANK1 178.8 2 1 1"]);
    let lines = "SALE=100,COMMISSION=-10,TCS=-0.5,TDS=-0.1";
    let expected = [
        format!("BANK1 BANK1/18000001_1 89.4 89.4 0 row 2 {lines}"),
        format!("BANK1 BANK1/18000002_1 84.401 89.4 -4.999 row 3 {{\"Festival Levy\": \"-5\"}} {lines}"),
    ];
    assert_eq!(texts(&stand, ours, ENTRIES).await, expected);
    let reasons =
        "select reason from robnu.quarantined_records where account_id = $1 and reason like 'row 4%'";
    assert_eq!(
        texts(&stand, ours, reasons).await,
        ["row 4, column Final Settlement Amount is not a decimal number"]
    );
}

#[tokio::test]
async fn an_upcoming_payment_gives_way_to_the_transfer_in_whatever_order_the_files_come() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let upcoming = payments(&["18000001_1,Shipped,1,SKU-1,,Upcoming,90,100,-10,,,"]);
    let paid = payments(&["18000001_1,Delivered,1,SKU-1,BANK1,2026-08-05,89.4,100,-10,-0.5,-0.1,"]);
    let expected = ["BANK1 BANK1/18000001_1 89.4 89.4 0 row 2 SALE=100,COMMISSION=-10,TCS=-0.5,TDS=-0.1"];
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    import_file(&stand, &function, ours, Meesho, &upcoming).await;
    assert_eq!(
        texts(&stand, ours, ENTRIES).await,
        ["- upcoming/18000001_1 90 90 0 row 2 SALE=100,COMMISSION=-10"],
        "announced, in no payout"
    );
    import_file(&stand, &function, ours, Meesho, &paid).await;
    import_file(&stand, &function, theirs, Meesho, &paid).await;
    import_file(&stand, &function, theirs, Meesho, &upcoming).await;
    for seller in [ours, theirs] {
        assert_eq!(texts(&stand, seller, ENTRIES).await, expected);
    }
}

#[tokio::test]
async fn an_import_that_is_killed_as_it_stores_entries_leaves_the_same_rows() {
    // 300 rows are three pages.
    let rows: Vec<String> = (0..300)
        .map(|number| {
            format!("18{number:06}_1,Delivered,1,SKU-1,BANK{},2026-08-05,89.4,100,-10,-0.5,-0.1,", number % 3)
        })
        .collect();
    let file = payments(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let stand = stand().await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    let quiet = stand.start(Meesho).await;
    import_file(&stand, &quiet, theirs, Meesho, &file).await;
    let import = upload_as(&stand, ours, Meesho, &file, Some(&file)).await;
    let mut job = announce(&stand, &quiet, &key(ours, Meesho, import)).await.expect("a file makes a run");
    quiet.kill().await;
    for table in ["payout_changes", "payout_entries", "payout_lines"] {
        kill_in_transaction(&stand, stand.start(Meesho).await, &job, table).await;
        job = again(&stand, job).await;
    }
    stand.run_to_end(&stand.start(Meesho).await, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    for sql in [PAYOUTS, ENTRIES] {
        assert_eq!(texts(&stand, ours, sql).await, texts(&stand, theirs, sql).await);
    }
    assert_eq!(
        texts(&stand, ours, PAYOUTS).await,
        ["BANK0 8940 100 0 1", "BANK1 8940 100 0 1", "BANK2 8940 100 0 1"]
    );
}

#[tokio::test]
async fn payments_of_the_other_three_marketplaces_are_imported_by_their_functions() {
    let stand = stand().await;
    let ours = &stand.sellers.ours;
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/files/tests/data");
    let mut sums = Vec::new();
    for (marketplace, name) in [
        (Ajio, "ajio_payments.csv"),
        // What the settlement report says counts, though the payments file comes later.
        (AmazonIn, "amazon_settlement.txt"),
        (AmazonIn, "amazon_payments.csv"),
        (Flipkart, "flipkart_settled.csv"),
    ] {
        let function = stand.start(marketplace).await;
        let file = std::fs::read_to_string(data.join(name)).unwrap();
        let job = import_file(&stand, &function, ours, marketplace, &file).await;
        let run = stand.run(job.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0), "{name}");
        let sql = "select concat_ws(' ', external_payout_id, source, trim_scale(stated_amount), trim_scale(net_amount), unbalanced_entries)
            from robnu.payouts where account_id = $1 and external_payout_id <> 'PN1' order by 1";
        let rows = stand.superuser.query(sql, &[&job.account_id]).await.unwrap();
        sums.push(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>());
    }
    let settlement = ["77000000001 AMAZON_SETTLEMENT 2887.35 2887.35 0"];
    assert_eq!(sums[0], ["1500000001 AJIO_PAYMENTS 1398 0", "1500000002 AJIO_PAYMENTS 499.99 0"]);
    assert_eq!(
        (&sums[1][..], &sums[2][..]),
        (&settlement.map(str::to_owned)[..], &settlement.map(str::to_owned)[..])
    );
    let expected = [
        "NEFT/OURS/AB FLIPKART_SETTLED 2996.093 0",
        "NEFT/OURS/AC FLIPKART_SETTLED -1526.896 0",
        "NEFT/OURS/AD FLIPKART_SETTLED 640 0",
    ];
    assert_eq!(sums[3], expected);
}

#[tokio::test]
async fn who_may_import_payments_only_imports_no_orders() {
    let stand = stand().await;
    let function = stand.start(Meesho).await;
    let ours = &stand.sellers.ours;
    let orders = "Reason for Credit Entry,Sub Order No,Order Date,SKU,Quantity,Supplier Discounted Price (Incl GST and Commision)\nSHIPPED,18000001_1,2026-08-05,SKU-1,1,100\n";
    let paid = payments(&["18000001_1,Delivered,1,SKU-1,BANK1,2026-08-05,89.4,100,-10,-0.5,-0.1,"]);
    let mut ends = Vec::new();
    for file in [orders, paid.as_str()] {
        let import = upload_as(&stand, ours, Meesho, file, Some(file)).await;
        let narrow = "update robnu.imports set only_payments = true where id = $1";
        stand.superuser.execute(narrow, &[&import]).await.unwrap();
        let job = announce(&stand, &function, &key(ours, Meesho, import)).await.expect("a file makes a run");
        stand.run_to_end(&function, job.clone()).await;
        let run = stand.run(job.run_id).await;
        ends.push((run.state, run.error_code));
    }
    assert_eq!(
        ends,
        [("FAILED".to_owned(), Some("not_permitted".to_owned())), ("SUCCEEDED".to_owned(), None)]
    );
    let orders =
        "select external_order_id from robnu.orders where account_id = $1 and external_order_id = '18000001'";
    assert_eq!(texts(&stand, ours, orders).await, [""; 0]);
}
