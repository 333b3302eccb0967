//! A book that is read through the API and from the panel's reports ends in equal rows, whichever comes first, and reading either again
//! changes no row.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn};
use robnu_marketplace::kind::RunKind;
use robnu_storage::Place;
use robnu_tenancy::{AccountId, OrderId};
use robnu_testkit::{LambdaProcess, Seller};
use serde_json::{Map, Value, json};
use simulators::{AjioAccount, AmazonAccount, OrderBook, SimulatorConfig};
use support::Stand;
use support::uploads::import_file;

const USERNAME: &str = "DV1";
const PARTNER: &str = "A1OURS";

/// Some orders have two lines of one article, which differ in their units or their amounts, or in nothing.
const BOOK: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b
405-0000001-0000001,2026-04-30,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,648.37,1,INR,MUMBAI,400081,false
405-0000001-0000001,2026-04-30,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,600.005,1,INR,MUMBAI,400081,false
405-0000001-0000001,2026-04-30,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,1300,3,INR,MUMBAI,400081,false
405-0000001-0000001,2026-04-30,Shipped,Merchant,Standard,Kurta,Cash,M,Shipped,99,1,INR,MUMBAI,400081,false
405-0000002-0000001,2026-04-30,Cancelled,Merchant,Standard,Shirt,Cash,S,On the Way,648.37,0,INR,PUNE,411001,false
405-0000002-0000001,2026-04-30,Cancelled,Merchant,Standard,Shirt,Cash,S,On the Way,648.37,0,INR,PUNE,411001,false
405-0000004-0000001,2026-04-30,Unshipped,Merchant,Standard,Shirt,Cash,S,Unshipped,10,2,INR,PUNE,411001,false
405-0000004-0000001,2026-04-30,Unshipped,Merchant,Standard,Shirt,Cash,S,Unshipped,10,2,INR,PUNE,411001,false
405-0000003-0000001,2026-04-30,Shipped - Delivered to Buyer,Amazon,Expedited,Shirt,Debit Card,XL,Shipped,0.05,1,INR,PUNE,411001,true
";

struct Bed {
    stand: Stand,
    function: LambdaProcess,
    marketplace: MarketplaceCode,
    reports: Vec<String>,
}

impl Bed {
    async fn new(marketplace: MarketplaceCode) -> Self {
        let mut config = SimulatorConfig::sample().unwrap();
        config.ajio.accounts.push(AjioAccount {
            username: USERNAME.to_owned(),
            password: None,
            orders: Some(60),
        });
        config.amazon.accounts.push(AmazonAccount {
            account: PARTNER.to_owned(),
            refresh_token: "Atzr|1".to_owned(),
            client_id: None,
            client_secret: None,
            orders: OrderBook::from_csv("orders.csv", BOOK).unwrap(),
        });
        let stand = Stand::new(config).await;
        let reports = match marketplace {
            Ajio => vec![
                stand.simulator.ajio_order_report(USERNAME).unwrap(),
                stand.simulator.ajio_rtv_report(USERNAME).unwrap(),
            ],
            _ => vec![stand.simulator.amazon_order_report(PARTNER).unwrap()],
        };
        let function = stand.start(marketplace).await;
        Self { stand, function, marketplace, reports }
    }

    fn ours(&self) -> &Seller {
        &self.stand.sellers.ours
    }

    fn account(&self) -> AccountId {
        self.stand.account(self.marketplace)
    }

    async fn sync(&self) {
        let kinds: &[RunKind] =
            if self.marketplace == Ajio { &[RunKind::Orders, RunKind::Returns] } else { &[RunKind::Orders] };
        self.stand.superuser.execute("delete from robnu.watermarks", &[]).await.unwrap();
        for kind in kinds {
            let job = self.stand.queue(self.marketplace, *kind).await;
            self.stand.run_to_end(&self.function, job.clone()).await;
            let run = self.stand.run(job.run_id).await;
            assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0), "{run:?}");
        }
    }

    async fn import(&self) {
        for report in &self.reports {
            self.import_report(self.ours(), report).await;
        }
    }

    async fn import_report(&self, seller: &Seller, report: &str) {
        let job = import_file(&self.stand, &self.function, seller, self.marketplace, report).await;
        let run = self.stand.run(job.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 0), "{run:?}");
    }

    /// Every row of the account but the fixture's, without our own ids and times, with its customer in clear.
    async fn rows(&self, account: AccountId) -> Vec<Value> {
        let mut rows = Vec::new();
        for sql in [ORDERS, RETURNS] {
            for row in self.stand.superuser.query(sql, &[&account]).await.unwrap() {
                let mut value: Value = serde_json::from_str(row.get(1)).unwrap();
                let sealed: Vec<Option<Vec<u8>>> = row.get(2);
                value["customer"] = self.customer(row.get(0), &sealed);
                rows.push(value);
            }
        }
        rows
    }

    fn customer(&self, order: OrderId, sealed: &[Option<Vec<u8>>]) -> Value {
        let open = |(sealed, column): (&Option<Vec<u8>>, &'static str)| {
            let place = Place { table: "order_pii", column, row: *order.as_uuid() };
            let clear = sealed.as_ref().map(|it| self.stand.cipher(self.ours().id).open(place, it).unwrap());
            json!(clear.map(|clear| String::from_utf8(clear.to_vec()).unwrap()))
        };
        sealed.iter().zip(["customer_name_enc", "customer_phone_enc", "postal_code_enc"]).map(open).collect()
    }

    /// All rows with their versions.
    async fn versions(&self) -> Vec<String> {
        let sql = "select 'return ' || r.xmin || r::text from robnu.returns r union all select 'line ' || i.xmin || i::text from robnu.return_items i order by 1";
        let returns = self.stand.superuser.query(sql, &[]).await.unwrap();
        let mut rows = self.stand.fingerprint().await;
        rows.extend(returns.iter().map(|row| row.get::<_, String>(0)));
        rows
    }

    /// Our own ids of the account's lines.
    async fn line_ids(&self) -> Vec<uuid::Uuid> {
        let sql = "select i.id from robnu.order_items i join robnu.orders o on o.id = i.order_id where o.account_id = $1 order by 1";
        let rows = self.stand.superuser.query(sql, &[&self.account()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn changes_nothing(&self, what: &str, again: impl AsyncFnOnce()) {
        let before = self.versions().await;
        again().await;
        assert_eq!(self.versions().await, before, "{what}");
    }
}

const ORDERS: &str = "select o.id, (to_jsonb(o) - '{id,seller_id,account_id,created_at,updated_at,delivered_at}'::text[] || jsonb_build_object(
      'was_delivered', o.delivered_at is not null,
      'lines', (select jsonb_agg(to_jsonb(i) - '{id,seller_id,order_id,updated_at}'::text[] order by i.sku, i.quantity, i.line_amount, i.external_item_id)
        from robnu.order_items i where i.order_id = o.id),
      'parcels', (select jsonb_agg(to_jsonb(s) - '{id,seller_id,order_id,updated_at}'::text[] order by s.external_shipment_id)
        from robnu.shipments s where s.order_id = o.id)))::text,
    array[c.customer_name_enc, c.customer_phone_enc, c.postal_code_enc]
  from robnu.orders o left join robnu.order_pii c on c.order_id = o.id
  where o.account_id = $1 and o.external_order_id ~ '^(FN[0-9]{11}$|405-)' order by o.external_order_id";

const RETURNS: &str = "select r.id, (to_jsonb(r) - '{id,seller_id,account_id,order_id,created_at,updated_at,delivered_at}'::text[] || jsonb_build_object(
      'was_delivered', r.delivered_at is not null,
      'order', (select o.external_order_id from robnu.orders o where o.id = r.order_id),
      'lines', (select jsonb_agg(to_jsonb(i) - '{id,seller_id,return_id,updated_at,order_item_id}'::text[] || jsonb_build_object(
          'order_line', (select oi.external_item_id from robnu.order_items oi where oi.id = i.order_item_id))
        order by i.sku, i.quantity, i.external_item_id) from robnu.return_items i where i.return_id = r.id)))::text,
    array[]::bytea[]
  from robnu.returns r where r.account_id = $1 and r.external_order_id ~ '^FN[0-9]{11}$' order by r.external_return_id";

/// Whether all that one source stated is still there. `but` are the fields that the other source may state better.
fn assert_kept(stated: &Value, now: &Value, but: &[&str]) {
    match (stated, now) {
        (Value::Null, _) => {}
        (Value::Object(stated), Value::Object(now)) => {
            for (name, value) in stated.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
                if !is_purchase_price(stated, name) {
                    assert_kept(value, &now[name], but);
                }
            }
        }
        (Value::Array(stated), Value::Array(now)) => {
            assert_eq!(stated.len(), now.len(), "{stated:?} {now:?}");
            stated.iter().zip(now).for_each(|(stated, now)| assert_kept(stated, now, but));
        }
        (stated, now) => assert_eq!(stated, now),
    }
}

/// What a marketplace pays gives way to what the customer pays.
fn is_purchase_price(line: &Map<String, Value>, field: &str) -> bool {
    line.get("amount_basis").is_some_and(|basis| basis == "PURCHASE")
        && ["amount_basis", "line_amount"].contains(&field)
}

async fn a_sync_and_an_import_end_in_equal_rows(marketplace: MarketplaceCode, records: usize) {
    let (one, other) = (Bed::new(marketplace).await, Bed::new(marketplace).await);
    let theirs = one.stand.theirs().await;
    one.sync().await;
    let synced = one.rows(one.account()).await;
    other.import().await;
    let imported = other.rows(other.account()).await;
    assert_eq!((synced.len(), imported.len()), (records, records));
    let named = synced.iter().filter(|row| !row["customer"][0].is_null()).count();
    assert_eq!(named, usize::from(marketplace == AmazonIn), "the open order has a customer");

    one.import().await;
    let lines = other.line_ids().await;
    other.sync().await;
    assert_eq!(
        other.line_ids().await,
        lines,
        "a line gets its marketplace's id and stays the line that it was"
    );
    let both = one.rows(one.account()).await;
    assert_eq!(both, other.rows(other.account()).await, "it does not matter which comes first");
    for ((synced, imported), both) in synced.iter().zip(&imported).zip(&both) {
        assert_kept(synced, both, &[]);
        // A report numbers no lines, and notes of its own are all that it has.
        assert_kept(imported, both, &["external_item_id", "notes"]);
    }
    for bed in [&one, &other] {
        bed.changes_nothing("the same reports again", async || bed.import().await).await;
        bed.changes_nothing("the same lists again", async || bed.sync().await).await;
        bed.changes_nothing("and the reports after that", async || bed.import().await).await;
    }
    assert_eq!(one.stand.theirs().await.len(), theirs.len(), "the other seller has nothing of it");

    // The other seller's account may have a file with the same numbers: it becomes rows of its own.
    one.changes_nothing_of_ours().await;
}

impl Bed {
    async fn changes_nothing_of_ours(&self) {
        let ours = self.rows(self.account()).await;
        let theirs = &self.stand.sellers.theirs;
        self.import_report(theirs, &self.reports[0]).await;
        assert_eq!(self.rows(self.account()).await, ours);
        let account = if self.marketplace == Ajio { theirs.ajio } else { theirs.amazon };
        let sql = "select count(*) from robnu.orders where account_id = $1 and external_order_id ~ '^(FN[0-9]{11}$|405-)'";
        let count: i64 = self.stand.superuser.query_one(sql, &[&account]).await.unwrap().get(0);
        let reported = self.reports[0].lines().skip(1).map(|row| row.split([',', '\t']).next());
        assert_eq!(usize::try_from(count).unwrap(), reported.collect::<std::collections::HashSet<_>>().len());
    }
}

#[tokio::test]
async fn ajios_lists_and_reports_end_in_equal_rows() {
    Box::pin(a_sync_and_an_import_end_in_equal_rows(Ajio, 60 + 8)).await;
}

#[tokio::test]
async fn amazons_orders_and_report_end_in_equal_rows() {
    Box::pin(a_sync_and_an_import_end_in_equal_rows(AmazonIn, 4)).await;
}

#[tokio::test]
async fn a_report_neither_adds_a_line_to_an_order_that_was_synced_nor_takes_one_away() {
    let bed = Bed::new(AmazonIn).await;
    bed.sync().await;
    let synced = bed.rows(bed.account()).await;
    // Of the first order, one line is missing, and another has an article that the order does not have.
    let report: String = bed.reports[0]
        .lines()
        .filter(|row| !row.contains("KURTA-M"))
        .map(|row| row.replacen("SHIRT-S\t", "SHIRT-S-OLD\t", usize::from(row.contains("1300"))) + "\n")
        .collect();
    assert_eq!(report.matches("SHIRT-S-OLD").count(), 1);
    bed.import_report(bed.ours(), &report).await;
    assert_eq!(bed.rows(bed.account()).await, synced);
}
