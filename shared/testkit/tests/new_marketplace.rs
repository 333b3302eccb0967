//! Adding a marketplace changes nothing that exists. The test adds one with `new_marketplace/myntra.sql`, compares the whole
//! schema before and after, and then gives two sellers an account of it, with the existing statements.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use robnu_schema::{MIGRATIONS, Migration};
use robnu_tenancy::{AccountId, Database, Error, Params, Row, RunId, SellerScope, SystemScope};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use rust_decimal::Decimal;
use tokio_postgres::Client;
use uuid::Uuid;

#[path = "catalogue/rulebook.rs"]
mod rulebook;

const MYNTRA: Migration = Migration { name: "9001_myntra", sql: include_str!("new_marketplace/myntra.sql") };
/// The leaf tables, which know accounts and nothing of any marketplace.
const LEAF_TABLES: [&str; 18] = [
    "orders",
    "order_items",
    "order_pii",
    "shipments",
    "returns",
    "return_items",
    "claims",
    "payouts",
    "payout_entries",
    "payout_lines",
    "announced_amounts",
    "payout_changes",
    "listings",
    "inventory",
    "schedules",
    "sync_runs",
    "quarantined_records",
    "credential_events",
];

// The statements that an adapter's module adds.
const INSERT_DETAILS: &str =
    "insert into robnu.myntra_account_details (seller_id, account_id, merchant_id, api_key_enc)
    values ($1, $2, $3, $4)";
const SELECT_DETAILS: &str =
    "select merchant_id, api_key_enc from robnu.myntra_account_details where account_id = $1";
const UPDATE_DETAILS: &str = "select robnu.replace_myntra_account_details($1, $2, $3)";

macro_rules! statement {
    ($path:literal) => {
        include_str!(concat!("../../../functions/", $path, ".sql"))
    };
}
// The statements of a member's requests.
const CONNECT_TERMS: &str = statement!("api/src/sql/accounts/connect_terms");
const INSERT_ACCOUNT: &str = statement!("api/src/sql/accounts/insert");
const INSERT_EVENT: &str = statement!("api/src/sql/accounts/insert_credential_event");
const INSERT_SCHEDULE: &str = statement!("api/src/sql/accounts/insert_schedule");
const ACCOUNT: &str = robnu_testkit::variants::ACCOUNT.text;
const SET_STATUS: &str = statement!("api/src/sql/accounts/set_account_status");
const FORGET: &str = statement!("api/src/sql/accounts/forget_credentials");
const ORDERS: &str = statement!("api/src/sql/orders/newest");
const ORDER_LINES: &str = statement!("api/src/sql/orders/lines");
const SHIPMENTS: &str = statement!("api/src/sql/shipments/newest");
const RETURNS: &str = statement!("api/src/sql/returns/newest");
const PAYOUTS: &str = statement!("api/src/sql/payouts/newest");
const LISTINGS: &str = statement!("api/src/sql/listings/newest");
const INVENTORY: &str = statement!("api/src/sql/inventory/newest");
// The statements of sweeps and lanes.
const CLAIM_DUE: &str = statement!("sweep/src/sql/claim_due");
const FIND_DIFFERING: &str = statement!("lanes/src/sql/find_differing");
// The statements of a job.
const UPSERT_ORDERS: &str = statement!("adapter/src/sql/upsert_orders");
const UPSERT_ITEMS: &str = statement!("adapter/src/sql/upsert_items");
const UPSERT_SHIPMENTS: &str = statement!("adapter/src/sql/upsert_shipments");
const INSERT_QUARANTINED: &str = statement!("adapter/src/sql/insert_quarantined");
const OPEN: &str = "select robnu.open_credentials($1, 'a test')";

/// Writes of streams that have no statement of their own yet, as a job would make them. $1 account
const WRITE_THE_REST: [&str; 9] = [
    "insert into robnu.order_pii (seller_id, order_id, customer_name_enc, digest)
     select seller_id, id, '\\x00', sha256('customer') from robnu.orders where account_id = $1",
    "insert into robnu.returns (seller_id, account_id, external_return_id, order_id, return_type, status, marketplace_status, initiated_at)
     select seller_id, account_id, 'R1', id, 'RTO', 'INITIATED', 'NEW', now() from robnu.orders where account_id = $1",
    "insert into robnu.return_items (seller_id, return_id, external_item_id, quantity, refund_amount)
     select seller_id, id, 'R1-1', 1, 10 from robnu.returns where account_id = $1",
    "insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, settled_at, currency)
     values (robnu.app_current_seller_id(), $1, 'P1', 'NEW_PAYMENTS', 1, now(), 'INR')",
    "insert into robnu.payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, currency, marketplace_type, amount, digest)
     select seller_id, account_id, 'P1-1', 1, id, source, 'INR', 'Order', 8.5, '\\x00' from robnu.payouts where account_id = $1",
    "insert into robnu.payout_lines (seller_id, entry_id, number, line_type, marketplace_type, amount)
     select seller_id, id, 1, 'SALE', 'Order', 8.5 from robnu.payout_entries where account_id = $1",
    "insert into robnu.payout_changes (seller_id, payout_id, run_id, external_part_id, number, change, after)
     select seller_id, payout_id, robnu.app_current_seller_id(), 'P1-1', 1, 'ADDED', '{}' from robnu.payout_entries where account_id = $1",
    "insert into robnu.listings (seller_id, account_id, external_listing_id, sku, status, marketplace_status, currency)
     values (robnu.app_current_seller_id(), $1, 'L1', 'SKU-1', 'ACTIVE', 'LIVE', 'INR')",
    "insert into robnu.inventory (seller_id, account_id, listing_id, sku, available)
     select seller_id, account_id, id, sku, 3 from robnu.listings where account_id = $1",
];

async fn add_myntra(test: &TestDatabase) {
    let all: Vec<Migration> = MIGRATIONS.iter().copied().chain([MYNTRA]).collect();
    robnu_schema::apply(&mut test.raw("robnu_master").await, all.leak()).await.unwrap();
}

async fn shape(client: &Client) -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/new_marketplace/shape.sql");
    rulebook::sentences(client, "shape", &fs::read_to_string(file).unwrap()).await.into_iter().collect()
}

#[tokio::test]
async fn adding_a_marketplace_changes_nothing_that_exists() {
    let test = TestDatabase::new().await;
    let client = test.superuser().await;
    let before = shape(&client).await;
    add_myntra(&test).await;
    let after = shape(&client).await;
    for table in LEAF_TABLES {
        for part in ["column seller_id", "constraint", "policy tenant", "grant", "CREATE UNIQUE INDEX"] {
            let sentence = format!("{table}: {part}");
            assert!(before.iter().any(|line| line.starts_with(&sentence)), "the schema has no {sentence}");
        }
    }
    let gone: Vec<_> = before.difference(&after).collect();
    assert!(gone.is_empty(), "adding a marketplace changes {gone:#?}");
    let own = ["myntra_account_details: ", "replace_myntra_account_details: ", "marketplaces: row (MYNTRA,"];
    let foreign: Vec<_> =
        after.difference(&before).filter(|line| !own.iter().any(|own| line.starts_with(own))).collect();
    assert!(foreign.is_empty(), "adding a marketplace adds to what is there {foreign:#?}");
    assert!(after.len() > before.len() + 20, "{} {}", after.len(), before.len());
}

#[tokio::test]
async fn a_new_satellite_keeps_the_rules_once_its_two_names_are_reviewed() {
    let test = TestDatabase::empty().await;
    add_myntra(&test).await;
    let client = test.superuser().await;
    rulebook::prepare(&client).await;
    let mut faults = rulebook::faults(&client).await;
    faults.sort();
    assert_eq!(
        faults,
        [
            "audit: myntra_account_details may be written without an audit event",
            "functions: replace_myntra_account_details(uuid, text, bytea) runs with its owner's rights and is not on the reviewed list",
        ]
    );
}

/// A seller with a Myntra account, and the logins that work on it.
struct Connected<'a> {
    seller: &'a Seller,
    account: AccountId,
    api: &'a Database,
    adapter: &'a Database,
}

impl Connected<'_> {
    fn job(&self) -> SellerScope {
        SellerScope::for_job(self.seller.id, self.account)
    }

    async fn connect(&self) {
        let (seller, account, owner) = (self.seller.id, self.account, self.seller.scope("OWNER"));
        let (check, login, no_key) = (Uuid::now_v7(), Some(vec![7_u8; 32]), None::<Vec<u8>>);
        let session = self.api.session(&owner).await.unwrap();
        let connecting: Params<'_> = &[&"MYNTRA", &"M0001", &check, &login, &account, &no_key];
        let terms = session.commit_with(&[(CONNECT_TERMS, connecting)]).await.unwrap().swap_remove(0);
        assert_eq!(terms[0].get::<_, &str>("status"), "ACTIVE");
        assert_eq!(terms[0].get::<_, Option<i32>>("wait_seconds"), Some(0));
        let session = self.api.session(&owner).await.unwrap();
        let answers = session
            .commit_with(&[
                (INSERT_ACCOUNT, &[&seller, &account, &"MYNTRA", &"M0001", &"Myntra", &"SELLER", &true]),
                (INSERT_DETAILS, &[&seller, &account, &"M0001", &sealed(account)]),
                (INSERT_EVENT, &[&seller, &account]),
                (INSERT_SCHEDULE, &[&seller, &account]),
                (ACCOUNT, &[&account]),
            ])
            .await
            .unwrap();
        assert_eq!(answers[4][0].get::<_, &str>("marketplace_code"), "MYNTRA");
    }

    /// Reads the credentials after they are opened, and checks that nothing is readable before.
    async fn sign_in(&self) {
        let (account, scope) = (self.account, self.job());
        let closed = self.adapter.read(&scope, SELECT_DETAILS, &[&account]).await.unwrap();
        assert!(closed.is_empty(), "credentials are read before they are opened");
        let session = self.adapter.session(&scope).await.unwrap();
        let answers =
            session.commit_with(&[(OPEN, &[&account]), (SELECT_DETAILS, &[&account])]).await.unwrap();
        assert_eq!(answers[1][0].get::<_, Vec<u8>>("api_key_enc"), sealed(account));
    }

    /// Stores a page with one order and one quarantined record, and a row of everything else that an account has.
    async fn work(&self, run: RunId) {
        let account = self.account;
        store_order(self.adapter, &self.job(), account).await.unwrap();
        let mut session = self.adapter.session(&self.job()).await.unwrap();
        for statement in WRITE_THE_REST {
            session.query(statement, &[&account]).await.unwrap();
        }
        let (none, bytes) = (vec![None::<&str>], vec![sealed(account)]);
        let set_aside: Params<'_> =
            &[&account, &run, &vec![Uuid::now_v7()], &none, &vec!["no order id"], &bytes, &bytes];
        session.commit_with(&[(INSERT_QUARANTINED, set_aside)]).await.unwrap();
    }

    /// Returns what each of a member's lists shows of Myntra.
    async fn lists(&self) -> Vec<(&'static str, Vec<Row>)> {
        let scope = self.seller.scope("OWNER");
        let (latest, last, page) = (SystemTime::now() + Duration::from_hours(1), Uuid::max(), 51_i64);
        let (first, lowest) = (SystemTime::UNIX_EPOCH, Uuid::nil());
        let (id, text, time) = (None::<Uuid>, None::<&str>, None::<SystemTime>);
        let (whole, big, code) = (None::<i32>, None::<i64>, "MYNTRA");
        let lists: [(&str, Params<'_>); 6] = [
            (ORDERS, &[&latest, &last, &first, &lowest, &page, &id, &code, &text, &text, &time]),
            (SHIPMENTS, &[&last, &lowest, &page, &id, &code, &text, &text, &id, &text]),
            (RETURNS, &[&latest, &last, &first, &lowest, &page, &id, &code, &text, &text, &text, &time]),
            (PAYOUTS, &[&latest, &last, &first, &lowest, &page, &id, &code, &text, &big, &big]),
            (LISTINGS, &[&latest, &last, &first, &lowest, &page, &id, &code, &text, &text]),
            (INVENTORY, &[&latest, &last, &page, &id, &code, &text, &whole]),
        ];
        let mut shown = Vec::new();
        for (list, params) in lists {
            shown.push((list, self.api.read(&scope, list, params).await.unwrap()));
        }
        shown
    }
}

/// Bytes that the database cannot tell from ciphertext.
fn sealed(account: AccountId) -> Vec<u8> {
    account.as_uuid().as_bytes().to_vec()
}

/// Stores an order with a line and a shipment, with the same ids in every seller's account.
async fn store_order(adapter: &Database, job: &SellerScope, account: AccountId) -> Result<(), Error> {
    let (order, pending, line) = (vec!["O1"], vec!["PENDING"], vec!["O1-1"]);
    let (now, never) = (vec![SystemTime::now()], vec![None::<SystemTime>]);
    let (none, rupees) = (vec![None::<&str>], vec!["INR"]);
    let (one, zero, amount) = (vec![1_i32], vec![0_i32], vec![Some(Decimal::new(79_925, 2))]);
    let (basis, parcel, run) = (vec!["CUSTOMER"], vec!["S1"], RunId::new());
    let (no, count) = (vec![false], vec![None::<i32>]);
    let orders: Params<'_> = &[
        &account, &run, &order, &pending, &pending, &now, &never, &never, &none, &none, &rupees, &amount,
        &none, &none, &none, &none, &never, &no, &no, &false, &no,
    ];
    let items: Params<'_> = &[
        &account, &order, &pending, &never, &line, &none, &none, &none, &one, &zero, &amount, &basis,
        &amount, &none,
    ];
    let shipments: Params<'_> = &[
        &account, &order, &pending, &never, &parcel, &pending, &none, &none, &none, &none, &never, &never,
        &no, &count,
    ];
    let session = adapter.session(job).await?;
    let statements = [(UPSERT_ORDERS, orders), (UPSERT_ITEMS, items), (UPSERT_SHIPMENTS, shipments)];
    session.commit_with(&statements).await.map(drop)
}

#[tokio::test]
async fn two_sellers_with_accounts_of_a_new_marketplace_see_their_own_and_nothing_of_the_others() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    add_myntra(&test).await;
    let superuser = test.superuser().await;
    let (api, adapter) = (test.login("robnu_api").await, test.login("robnu_adapter").await);
    let connected = |seller| Connected { seller, account: AccountId::new(), api: &api, adapter: &adapter };
    let both = [connected(&sellers.ours), connected(&sellers.theirs)];
    for one in &both {
        one.connect().await;
        one.sign_in().await;
    }
    // Lanes and sweeps serve them from the row alone.
    let lanes = test.login("robnu_lanes").await;
    let wanted = lanes.read(&SystemScope::Lanes, FIND_DIFFERING, &[&10_i64]).await.unwrap();
    let wanted: BTreeSet<AccountId> = wanted.iter().map(|row| row.get("id")).collect();
    assert_eq!(wanted, both.iter().map(|one| one.account).collect());
    let sweep = test.login("robnu_sweep").await;
    let claimed = sweep.read(&SystemScope::Sweep, CLAIM_DUE, &[&10_i64, &vec!["MYNTRA"]]).await.unwrap();
    assert_eq!(claimed[0].get::<_, i64>("runs_made"), 2);
    let made = "select id, account_id from robnu.sync_runs where marketplace_code = 'MYNTRA'";
    let made = sweep.read(&SystemScope::Sweep, made, &[]).await.unwrap();
    assert_eq!(made.len(), 2);
    for one in &both {
        let run = made.iter().find(|row| row.get::<_, AccountId>("account_id") == one.account).unwrap();
        one.work(run.get("id")).await;
    }
    for one in &both {
        for (list, rows) in one.lists().await {
            let accounts: Vec<AccountId> = rows.iter().map(|row| row.get("account_id")).collect();
            assert_eq!(accounts, [one.account], "{list}");
        }
    }
    let [ours, theirs] = &both;
    let order: Uuid = theirs.lists().await[0].1[0].get("id");
    for (one, lines) in [(ours, 0), (theirs, 1)] {
        let scope = one.seller.scope("OWNER");
        assert_eq!(api.read(&scope, ORDER_LINES, &[&order]).await.unwrap().len(), lines);
        assert_eq!(api.read(&scope, ACCOUNT, &[&theirs.account]).await.unwrap().len(), lines);
    }
    // A job of ours cannot write into their account either.
    let crossed = store_order(&adapter, &ours.job(), theirs.account).await;
    assert!(matches!(crossed, Err(Error::Violates { .. })), "{crossed:?}");
    let owner = ours.seller.scope("OWNER");
    let crossed = api.session(&owner).await.unwrap();
    let key = vec![1_u8];
    let crossed = crossed.commit_with(&[(UPDATE_DETAILS, &[&theirs.account, &"M0002", &key])]).await;
    assert!(matches!(crossed, Err(Error::ForeignAccount)), "{crossed:?}");
    // Disconnecting our account wipes only our credentials.
    let session = api.session(&owner).await.unwrap();
    let status: Params<'_> = &[&ours.account, &"DISCONNECTED", &vec!["ACTIVE"]];
    session.commit_with(&[(SET_STATUS, status), (FORGET, &[&ours.account])]).await.unwrap();
    let kept = "select account_id from robnu.myntra_account_details where api_key_enc <> ''";
    let kept: Vec<Uuid> = superuser.query(kept, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, [*theirs.account.as_uuid()], "only what ours had is wiped");
}
