//! A running API over a database of its own, and calls to it.

mod call;
mod cloud;
mod conformance;
mod consent;
mod watch;
#[path = "../../../../../shared/storage/tests/wire/mod.rs"]
pub mod wire;

pub use call::{Answer, Call, REQUEST_ID};
pub use cloud::Cloud;
use conformance::assert_described;
pub use conformance::request_mismatches;
pub use consent::{REDIRECT_URI, approve, browse};
use watch::Watch;

use std::collections::BTreeMap;

use api::context::Context;
use api::handler::Handler;
use api::mail::Mailer;
use api::router::router;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_marketplace::registry::Registry;
use robnu_storage::{DigestKey, KeyService, Place, WrappedKey};
use robnu_tenancy::{Database, DatabaseConfig};
use robnu_testkit::{Seller, TestDatabase, TwoSellers, WireProxy};
use simulators::{Simulator, SimulatorConfig};
use uuid::Uuid;

/// The roles of a seller's members. There is one more member, `SCANNER`, who may only scan returns.
pub const ROLES: [&str; 5] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER"];

/// The target of links in mails.
pub const APP_URL: &str = "https://app.example.invalid";

/// The API with two sellers.
pub struct Api {
    pub sellers: TwoSellers,
    pub cloud: Cloud,
    pub test: TestDatabase,
    /// The marketplaces.
    pub simulator: Simulator,
    pub handler: Handler,
    /// For requests one after the other.
    watch: Option<Watch>,
}

impl Api {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let config = test.config("robnu_api");
        Self::over(test, &config).await
    }

    /// The API behind a proxy that counts round trips.
    pub async fn behind_wire() -> (Self, WireProxy) {
        let test = TestDatabase::new().await;
        let mut config = test.config("robnu_api");
        let wire = WireProxy::before(&mut config).await;
        (Self::over(test, &config).await, wire)
    }

    /// The API over several connections, for requests at the same time.
    pub async fn with_pool(size: usize) -> Self {
        let test = TestDatabase::new().await;
        let mut config = test.config("robnu_api");
        config.pool_size = size;
        Self::over(test, &config).await
    }

    /// The API where each seller has a KMS key of its own.
    pub async fn with_seller_keys() -> Self {
        let test = TestDatabase::new().await;
        let config = test.config("robnu_api");
        Self::in_cloud(test, &config, Cloud { per_seller: true, ..Cloud::new().await }).await
    }

    /// The API with the database that `config` names, which need not exist.
    pub async fn over(test: TestDatabase, config: &DatabaseConfig) -> Self {
        Self::in_cloud(test, config, Cloud::new().await).await
    }

    async fn in_cloud(test: TestDatabase, config: &DatabaseConfig, cloud: Cloud) -> Self {
        let sellers = TwoSellers::seed(&test).await;
        let database = Database::new(config).await.expect("the configuration is sound");
        let simulator = SimulatorConfig::sample().expect("there is a sample of orders");
        let simulator = Simulator::start(&simulator).expect("the marketplaces' stand-ins start");
        let context = Context {
            database,
            keys: cloud.keys(),
            objects: cloud.objects(),
            digests: digests(),
            registry: Registry::new(&consent::marketplaces(&simulator))
                .expect("the stand-ins have addresses"),
            oauth_redirect_uri: REDIRECT_URI.to_owned(),
            mailer: Mailer::new(cloud.ses.clone(), cloud.mail_from.clone(), APP_URL),
            publisher: Publisher::new(cloud.sqs.clone(), ParallelQueues::default()),
            sqs: cloud.sqs.clone(),
            lane_requests_queue_url: cloud.lane_requests.clone(),
            exports_queue_url: cloud.exports.clone(),
        };
        let watch = if config.pool_size == 1 { Some(Watch::new(&test).await) } else { None };
        let api = Self { sellers, cloud, test, simulator, handler: Handler::new(router(context)), watch };
        api.equip().await;
        api
    }

    /// Replaces the present sellers with two new ones, as in a new database.
    pub async fn renew(&mut self) {
        self.sellers = TwoSellers::seed(&self.test).await;
        self.equip().await;
    }

    /// Gives the sellers what the fixture lacks.
    async fn equip(&self) {
        // A test sends more in a moment than the rate limits allow.
        self.arrange("update robnu.sellers set requests_per_window = 1000000").await;
        let many = "person_requests_per_window = 1000000, sign_ups_per_address_a_day = 1000, sign_ups_per_source_a_day = 1000";
        self.arrange(&format!("update robnu.orgs set {many}")).await;
        for seller in [&self.sellers.ours, &self.sellers.theirs] {
            self.give_key(seller, &self.cloud.keys()).await;
        }
    }

    /// Replaces the fixture's data key, which cannot be unwrapped, with one from KMS, and encrypts the customer of its order
    /// with it.
    async fn give_key(&self, seller: &Seller, keys: &KeyService) {
        let key = keys.generate(seller.id).await.expect("KMS makes a key");
        let sql =
            "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4 where seller_id = $1";
        let superuser = self.test.superuser().await;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&seller.id, &key.wrapped.id, &key.wrapped.ciphertext, &key.wrapped.kms_key_id];
        assert_eq!(superuser.execute(sql, &params).await.unwrap(), 1);
        let place = Place { table: "order_pii", column: "customer_name_enc", row: *seller.order.as_uuid() };
        let name = key.cipher.seal(place, b"Asha Rao").expect("a text can be sealed");
        let sql = "update robnu.order_pii set customer_name_enc = $2 where seller_id = $1";
        assert_eq!(superuser.execute(sql, &[&seller.id, &name]).await.unwrap(), 1);
    }

    /// Sends a call through the router, and compares the response with the document and with what was committed.
    pub async fn send(&self, call: Call) -> Answer {
        let (method, path) = (call.method.clone(), call.path.clone());
        let Some(watch) = &self.watch else {
            let answer = call.send(&self.handler).await;
            assert_described(&method, &path, &answer);
            return answer;
        };
        let before = watch.latest().await;
        let answer = call.send(&self.handler).await;
        assert_described(&method, &path, &answer);
        watch.assert_unchanged(before, &path, &answer).await;
        answer
    }

    /// `GET`, as our seller's member with `role`.
    pub async fn get(&self, role: &str, path: &str) -> Answer {
        self.send(Call::get(path).by(&self.sellers.ours, role)).await
    }

    /// `POST`, as our seller's member with `role`.
    pub async fn post(&self, role: &str, path: &str, body: &serde_json::Value) -> Answer {
        self.send(Call::post(path, body).by(&self.sellers.ours, role)).await
    }

    /// `PUT`, as our seller's member with `role`.
    pub async fn put(&self, role: &str, path: &str, body: &serde_json::Value) -> Answer {
        self.send(Call::new("PUT", path).text(&body.to_string()).by(&self.sellers.ours, role)).await
    }

    /// A stored secret, still encrypted.
    pub async fn sealed(&self, account: Uuid, table: &str, field: &str) -> Vec<u8> {
        let sql = format!("select {field}_enc from robnu.{table} where seller_id = $1 and account_id = $2");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&self.sellers.ours.id, &account];
        self.test.superuser().await.query_one(&sql, &params).await.unwrap().get(0)
    }

    /// Decrypts a stored secret with the seller's key, freshly unwrapped by KMS.
    pub async fn open(
        &self,
        account: &serde_json::Value,
        table: &'static str,
        field: &'static str,
    ) -> String {
        let id: Uuid = account["account_id"].as_str().unwrap().parse().unwrap();
        let seller = self.sellers.ours.id;
        let key = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
        let key = self.test.superuser().await.query_one(key, &[&seller]).await.unwrap();
        let key = WrappedKey::from_row(&key).unwrap().expect("the seller has a key");
        let sealed = self.sealed(id, table, field).await;
        let cipher = self.cloud.keys().cipher(seller, &key).await.unwrap();
        let clear = cipher.open(Place { table, column: field, row: id }, &sealed).unwrap();
        String::from_utf8(clear.to_vec()).unwrap()
    }

    /// Runs SQL that bypasses all policies.
    pub async fn arrange(&self, sql: &str) {
        self.test
            .superuser()
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// A single number, read past all policies.
    pub async fn count(&self, sql: &str) -> i64 {
        self.test.superuser().await.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Every row of every table with the transaction that wrote it: equal when nothing was touched. Left out are the
    /// unlogged tables (the counts of requests, which every request raises) and the checks of credentials, which are written
    /// when they are refused.
    pub async fn contents(&self) -> BTreeMap<String, String> {
        let superuser = self.test.superuser().await;
        let tables = "select relname::text from pg_class
            where relnamespace = 'robnu'::regnamespace and relkind in ('r', 'p') and relpersistence = 'p'
              and relname <> 'credential_checks'";
        let of_one = |row: &tokio_postgres::Row| {
            let table: &str = row.get(0);
            format!(
                "select '{table}', coalesce(string_agg(t.xmin::text || t::text, e'\\n' order by t::text), '')
                 from robnu.{table} t"
            )
        };
        let tables = superuser.query(tables, &[]).await.unwrap();
        let of_all = tables.iter().map(of_one).collect::<Vec<_>>().join(" union all ");
        let rows = superuser.simple_query(&of_all).await.unwrap();
        let of_row = |message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some((row.get(0).unwrap().to_owned(), row.get(1).unwrap().to_owned()))
            }
            _ => None,
        };
        rows.into_iter().filter_map(of_row).collect()
    }
}

/// The key for the digests by which user names are counted.
pub fn digests() -> DigestKey {
    DigestKey::new("a digest key of thirty-two letters").expect("it is long enough")
}

/// A body that connects the AJIO account `external_id`.
pub fn ajio(external_id: &str) -> serde_json::Value {
    serde_json::json!({
        "marketplace": "AJIO",
        "external_account_id": external_id,
        "display_name": "AJIO Bengaluru",
        "details": { "username": external_id, "password": "correct horse" },
    })
}
