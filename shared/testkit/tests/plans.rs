//! What lists, searches and scans read when a seller has 50,000 orders and 50,000 returns beside another seller's as many:
//! counted in rows, with plans for these parameters and with plans for any. Nothing here measures time.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::path::Path;

use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use tokio_postgres::{Client, SimpleQueryMessage};

/// 50,000 orders for each seller, a tenth of them open, each with a line, a shipment, a return and a claim.
const MANY: &str = "
    set session_replication_role = replica;
    insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, dispatch_by, currency)
    select a.seller_id, a.id, 'M' || lpad(n::text, 6, '0'), case when n % 10 = 0 then 'CONFIRMED' else 'DELIVERED' end, 'x',
      timestamptz '2026-01-01Z' + n * interval '1 minute',
      case when n % 3 > 0 then timestamptz '2026-01-03Z' + n * interval '1 minute' end, 'INR'
    from robnu.marketplace_accounts a, generate_series(1, 50000) n where a.marketplace_code = 'AJIO';
    insert into robnu.order_items (seller_id, order_id, external_item_id, sku, quantity, line_amount, amount_basis)
    select seller_id, id, '1', 'S' || external_order_id, 1, 10, 'CUSTOMER' from robnu.orders where external_order_id ~ '^M';
    insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, tracking_number)
    select seller_id, id, 'P' || external_order_id, 'x', 'T' || external_order_id from robnu.orders where external_order_id ~ '^M';
    insert into robnu.returns (seller_id, account_id, external_return_id, order_id, external_order_id, external_shipment_id, tracking_number,
      return_type, status, marketplace_status, initiated_at, claim_window_days, claim_due_at)
    select seller_id, account_id, 'R' || external_order_id, id, external_order_id, 'P' || external_order_id, 'B' || external_order_id,
      'RTO', 'DELIVERED', 'x', placed_at, 60, placed_at + interval '60 days'
    from robnu.orders where external_order_id ~ '^M';
    insert into robnu.claims (seller_id, return_id, account_id, reason, created_at)
    select seller_id, id, account_id, 'DAMAGED', initiated_at from robnu.returns where external_return_id ~ '^RM';
    insert into robnu.payouts (seller_id, account_id, external_payout_id, status, marketplace_status, settled_at, currency, net_amount)
    select seller_id, account_id, 'Y' || external_order_id, 'PENDING', 'x', placed_at, 'INR', 10 from robnu.orders where external_order_id ~ '^M';
    insert into robnu.audit_events (seller_id, actor_kind, actor_id, action, object_id)
    select o.seller_id, 'MEMBER', case o.status when 'CONFIRMED' then m.person_id else o.id end, 'order.changed', o.id from robnu.orders o
    join robnu.members m on m.seller_id = o.seller_id and m.role = 'OWNER' where o.external_order_id ~ '^M';
    analyze";
const BIG: [&str; 8] =
    ["orders", "order_items", "shipments", "returns", "claims", "payouts", "payout_lines", "audit_events"];

const NEWEST: &str = "'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51";
const DEEP: &str = "'2026-01-15Z', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51";
const FIRST: &str = "'1970-01-01Z', '00000000-0000-0000-0000-000000000000', 51";

/// A statement, its parameters, and how many rows of big tables it may look at.
struct Case(&'static str, String, usize);

fn cases(ajio: &str) -> Vec<Case> {
    let none = |count: usize| ", null".repeat(count);
    let account = |rest: usize| format!(", '{ajio}'{}", none(rest));
    // A page and the row after it; twice where each row is joined to another big table.
    let page = 51;
    vec![
        Case("orders_newest", format!("{NEWEST}{}", none(7)), page),
        Case("orders_newest", format!("{DEEP}{}", none(7)), page),
        Case("orders_newest", format!("{DEEP}{}", account(6)), page),
        Case("orders_newest", format!("{NEWEST}, null, null, 'CONFIRMED'{}", none(4)), 12 * page),
        Case("orders_of_sku", format!("{NEWEST}{}, 'SM040000'", none(6)), 2),
        Case("orders_oldest", format!("{FIRST}{}", none(7)), page),
        Case("orders_dispatch", format!("{DEEP}{}", none(7)), page),
        Case("dispatch", format!("{DEEP}, 'infinity'{}", none(2)), page),
        Case("dispatch_undated", format!("{FIRST}, 'infinity'{}", none(2)), page),
        // All that is open, and nothing of the 45,000 that is not.
        Case("dispatch_summary", format!("'infinity'{}", none(2)), 5_001),
        Case("search", "'M040000', 20".to_owned(), 5),
        Case("search", "'M04', 20".to_owned(), 5 * 20),
        Case("search", "'TM040000', 20".to_owned(), 5),
        Case("search", "'BM040', 20".to_owned(), 5 * 20),
        Case("search", "'PM040000', 20".to_owned(), 5),
        Case("search", "'PM04', 20".to_owned(), 5 * 20),
        Case("shipments_newest", format!("'ffffffff-ffff-ffff-ffff-ffffffffffff', 51{}", none(6)), 2 * page),
        Case(
            "shipments_tracked",
            format!("'ffffffff-ffff-ffff-ffff-ffffffffffff', 51{}, 'TM040000'", none(5)),
            2,
        ),
        Case("returns_newest", format!("{NEWEST}{}", none(8)), page),
        Case("returns_newest", format!("{DEEP}{}", account(7)), page),
        Case("returns_oldest", format!("{DEEP}{}", none(8)), page),
        Case(
            "returns_claim_due",
            format!("'2026-03-15Z', '00000000-0000-0000-0000-000000000000', 51{}", none(8)),
            page,
        ),
        Case("claims_newest", format!("{DEEP}{}", none(6)), page),
        Case("claims_newest", format!("{DEEP}{}", account(5)), page),
        Case("claims_oldest", format!("{DEEP}{}", none(6)), page),
        Case("payouts_newest", format!("{DEEP}{}", none(7)), page),
        Case(
            "payouts_largest",
            format!("9223372036854775807, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51{}", none(7)),
            page,
        ),
        Case("audit_events", format!("'ffffffff-ffff-ffff-ffff-ffffffffffff', 51{}", none(4)), page),
        Case(
            "object_audit_events",
            format!("'ffffffff-ffff-ffff-ffff-ffffffffffff', 51{}, '{ajio}'", none(4)),
            page,
        ),
    ]
}

fn statement(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/api/src/sql");
    std::fs::read_to_string(folder.join(format!("{name}.sql"))).unwrap()
}

async fn lines(client: &Client, sql: &str) -> String {
    let rows = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let line = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    rows.into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

const EXPLAIN: &str = "explain (analyze, timing off, summary off, costs off, buffers off)";

/// Which big table a line of a plan scans, if any.
fn scanned(line: &str) -> Option<&'static str> {
    let (title, on) = line.split_once(" on ")?;
    let table = on.split_whitespace().next()?;
    BIG.into_iter().find(|big| *big == table && title.contains("Scan"))
}

/// How many rows of big tables a plan has looked at: those that a scan gave on and those that its filter held back.
fn rows_read(plan: &str) -> usize {
    let number = |line: &str, after: &str| -> f64 {
        let rest = line.split_once(after).map(|(_, rest)| rest).unwrap_or_default();
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        rest[..end].parse().unwrap_or_default()
    };
    let mut read = 0.0;
    let mut loops = None;
    for line in plan.lines() {
        if line.contains("(actual") || line.contains("(never executed)") {
            loops = scanned(line).map(|_| number(line, "loops="));
            read += loops.map_or(0.0, |loops| loops * number(line, "rows="));
        } else if let Some(loops) = loops.filter(|_| line.contains("Rows Removed by")) {
            read += loops * number(line, ": ");
        }
    }
    assert!(read.is_finite() && read >= 0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let rows = read.ceil() as usize;
    rows
}

#[tokio::test]
async fn lists_searches_dispatch_and_scans_read_what_they_show_and_no_more() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let superuser = test.superuser().await;
    superuser.batch_execute(MANY).await.unwrap();
    let mut faults = statements_that_read_too_much(&test.raw("robnu_api").await, &sellers.ours).await;
    faults.extend(codes_that_read_too_much(&superuser, &sellers.ours).await);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

async fn statements_that_read_too_much(login: &Client, ours: &Seller) -> Vec<String> {
    let mut faults = Vec::new();
    for Case(name, parameters, most) in cases(&ours.ajio.to_string()) {
        for mode in ["force_custom_plan", "force_generic_plan"] {
            let begin = format!(
                "begin; set local plan_cache_mode = {mode}; select robnu.enter_member('OWNER@{0}', '{0}', '', true);
                 prepare tried as {1}",
                ours.id,
                statement(name)
            );
            login.batch_execute(&begin).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let plan = lines(login, &format!("{EXPLAIN} execute tried ({parameters})")).await;
            login.batch_execute("rollback; deallocate tried").await.unwrap();
            let read = rows_read(&plan);
            let whole = plan.lines().any(|line| line.contains("Seq Scan") && scanned(line).is_some());
            if whole || read > most || !plan.contains("Index") {
                faults.push(format!(
                    "{name} ({parameters}), {mode}: {read} rows where {most} are enough\n{plan}"
                ));
            }
        }
    }
    faults
}

/// The plan of a function's body does not show outside, so it is explained as its owner runs it.
async fn plan_inside(superuser: &Client, ours: &Seller, rights: &str, body: &str) -> String {
    let enter = format!(
        "begin; set local role robnu_owner; set local search_path = robnu;
         set local app.rights = '{rights}'; set local app.current_seller_id = '{}'",
        ours.id
    );
    superuser.batch_execute(&enter).await.unwrap();
    let plan = lines(superuser, &format!("{EXPLAIN} {body}")).await;
    superuser.batch_execute("rollback").await.unwrap();
    plan
}

async fn body(superuser: &Client, function: &str) -> String {
    superuser.query_one("select prosrc from pg_proc where proname = $1", &[&function]).await.unwrap().get(0)
}

async fn codes_that_read_too_much(superuser: &Client, ours: &Seller) -> Vec<String> {
    let body = body(superuser, "returns_by_code").await;
    let mut faults = Vec::new();
    for code in ["TM040000", "PM040000", "BM040000", "RM040000", "NOTHING"] {
        let body = body.replace("= code", &format!("= '{code}'"));
        let plan = plan_inside(superuser, ours, "returns.scan", &body).await;
        if plan.contains("Seq Scan") || rows_read(&plan) > 4 {
            faults.push(format!("{code}: {} rows\n{plan}", rows_read(&plan)));
        }
    }
    faults
}
