//! Shared parts of the exporter's tests: two sellers, a bucket, a queue and a sender of mails of the test's own in the local cloud.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod archive;
mod killed;

use std::time::Duration;

use api::mail::Mailer;
use aws_config::SdkConfig;
use aws_sdk_s3::types::{BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration};
use exporter::{Answer, Context, Event, Outcome, Report, handle, work};
use robnu_dispatch::{ExportMessage, Record};
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects};
use robnu_tenancy::ExportId;
use robnu_testkit::{Seller, TestDatabase, TwoSellers, local_aws, mails_of};
use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::Client;

pub use archive::{archived, manifest, noise};
pub use killed::kill_at_a_part;

pub const APP_URL: &str = "https://app.example.invalid";

pub struct TestBed {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub aws: SdkConfig,
    pub s3: aws_sdk_s3::Client,
    pub bucket: String,
    pub mail_from: String,
    pub context: Context,
}

impl TestBed {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let aws = local_aws().await;
        let bucket = test.name().replace('_', "-");
        let s3 = aws_sdk_s3::Client::new(&aws);
        make_bucket(&s3, &bucket).await;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let queue = sqs.create_queue().queue_name(&bucket).send().await.unwrap();
        let ses = aws_sdk_sesv2::Client::new(&aws);
        let mail_from = format!("no-reply-{bucket}@robnu.invalid");
        ses.create_email_identity().email_identity(&mail_from).send().await.unwrap();
        let encryption = ObjectEncryption::PlatformKey("alias/test".to_owned());
        let context = Context {
            database: test.login("robnu_exporter").await,
            objects: Objects::new(s3.clone(), ObjectSettings { bucket: bucket.clone(), encryption }),
            mailer: Mailer::new(ses, mail_from.clone(), APP_URL),
            sqs,
            exports_queue_url: queue.queue_url.unwrap(),
            lease: Duration::from_mins(1),
        };
        let bed = Self { test, sellers, superuser, aws, s3, bucket, mail_from, context };
        bed.sql("delete from robnu.exports").await;
        bed
    }

    pub async fn sql(&self, sql: &str) {
        self.superuser.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Makes so many further orders of both sellers, with a text that makes rows this long.
    pub async fn orders(&self, how_many: u32, text: u32) {
        self.sql(&format!(
            "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
             select a.seller_id, a.id, 'N' || n, 'PENDING', repeat('x', {text}), timestamptz '2026-01-02' + n * interval '1 minute', 'INR'
             from (select count(*) / 2 as so_far from robnu.orders) o, robnu.marketplace_accounts a,
               lateral generate_series(o.so_far, o.so_far - 1 + {how_many}) n
             where a.marketplace_code = 'AJIO'"
        ))
        .await;
    }

    /// Makes so many further orders of both sellers with long texts that cannot be compressed to nothing.
    pub async fn noise(&self, how_many: u32) {
        self.orders(how_many, 1).await;
        self.sql(
            "update robnu.orders set marketplace_status =
            (select string_agg(md5(external_order_id || n), '') from generate_series(1, 36) n)",
        )
        .await;
    }

    /// The ids of rows of the other seller, of whatever table.
    pub async fn ids_of_theirs(&self) -> Vec<String> {
        let tables = "select c.relname::text from pg_class c
            join pg_attribute id on id.attrelid = c.oid and id.attname = 'id' and id.atttypid = 'uuid'::regtype
            join pg_attribute seller on seller.attrelid = c.oid and seller.attname = 'seller_id'
            where c.relnamespace = 'robnu'::regnamespace and c.relkind = 'r'";
        let mut ids = vec![self.sellers.theirs.id.to_string()];
        for table in self.superuser.query(tables, &[]).await.unwrap() {
            let sql =
                format!("select id::text from robnu.{} where seller_id = $1", table.get::<_, String>(0));
            let rows = self.superuser.query(&sql, &[&self.sellers.theirs.id]).await.unwrap();
            ids.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        }
        ids
    }

    /// How many orders our seller has.
    pub async fn orders_of_ours(&self) -> u32 {
        let sql = "select count(*) from robnu.orders where seller_id = $1";
        let row = self.superuser.query_one(sql, &[&self.sellers.ours.id]).await.unwrap();
        row.get::<_, i64>(0).try_into().unwrap()
    }

    /// An export that a member asked for.
    pub async fn ask(&self, seller: &Seller, role: &str, list: &str, filters: &Value) -> ExportMessage {
        let id = ExportId::new();
        let sql = "insert into robnu.exports (seller_id, id, list, filters, requested_by)
            select $1, $2, $3, $4::text::jsonb, id from robnu.people where subject = $5";
        let subject = format!("{role}@{}", seller.id);
        let made =
            self.superuser.execute(sql, &[&seller.id, &id, &list, &filters.to_string(), &subject]).await;
        assert_eq!(made.unwrap(), 1);
        ExportMessage { seller_id: seller.id, export_id: id }
    }

    /// An export of all our orders, by our owner.
    pub async fn ask_for_orders(&self) -> ExportMessage {
        self.ask(&self.sellers.ours, "OWNER", "orders", &serde_json::json!({})).await
    }

    /// Works on an export once.
    pub async fn work(&self, message: ExportMessage) -> Outcome {
        work(&self.context, message, in_ten_minutes()).await.unwrap()
    }

    /// Hands a body to the function, and returns whether its message failed.
    pub async fn fails(&self, body: String) -> bool {
        let record = Record { message_id: "1".to_owned(), body: Some(body), ..Record::default() };
        let event = Event::Messages { records: vec![record] };
        match handle(event, &self.context, in_ten_minutes()).await.unwrap() {
            Answer::Messages { batch_item_failures } => !batch_item_failures.is_empty(),
            Answer::Swept(report) => panic!("{report:?}"),
        }
    }

    pub async fn sweep(&self) -> Report {
        match handle(Event::Sweep { sweep: "exports".to_owned() }, &self.context, in_ten_minutes())
            .await
            .unwrap()
        {
            Answer::Swept(report) => report,
            other @ Answer::Messages { .. } => panic!("{other:?}"),
        }
    }

    /// A column of an export's row, as text.
    pub async fn column(&self, message: ExportMessage, column: &str) -> String {
        let sql = format!("select coalesce(({column})::text, '') from robnu.exports where id = $1");
        self.superuser.query_one(&sql, &[&message.export_id]).await.unwrap().get(0)
    }

    /// The whole file of an export, which is text.
    pub async fn file(&self, message: ExportMessage) -> String {
        String::from_utf8(self.bytes(message).await).unwrap()
    }

    /// The whole file of an export.
    pub async fn bytes(&self, message: ExportMessage) -> Vec<u8> {
        let sql =
            "select key from robnu.storage_objects where seller_id = $1 and id = $2 and state = 'STORED'";
        let row = self.superuser.query_one(sql, &[&message.seller_id, &message.export_id]).await.unwrap();
        let key: String = row.get(0);
        let object = self.s3.get_object().bucket(&self.bucket).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    /// The file's rows by column, without the header.
    pub async fn rows(&self, message: ExportMessage) -> Vec<Vec<String>> {
        let file = self.file(message).await;
        let text = file.strip_prefix('\u{feff}').expect("a byte order mark");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// Uploads that are neither complete nor aborted.
    pub async fn uploads(&self) -> usize {
        let answer = self.s3.list_multipart_uploads().bucket(&self.bucket).send().await.unwrap();
        answer.uploads.unwrap_or_default().len()
    }

    /// The bodies of the messages in the queue.
    pub async fn messages(&self) -> Vec<ExportMessage> {
        let queue = &self.context.exports_queue_url;
        let answer =
            self.context.sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await;
        let messages = answer.unwrap().messages.unwrap_or_default();
        messages.iter().map(|message| ExportMessage::parse(message.body().unwrap()).unwrap()).collect()
    }

    /// This test's mails.
    pub async fn mails(&self) -> Vec<Value> {
        mails_of(&self.mail_from).await
    }
}

pub fn in_ten_minutes() -> Instant {
    Instant::now() + Duration::from_mins(10)
}

/// A bucket that keeps versions, as the template's does.
async fn make_bucket(s3: &aws_sdk_s3::Client, bucket: &str) {
    let region = s3.config().region().unwrap().as_ref();
    let place = CreateBucketConfiguration::builder().location_constraint(region.into()).build();
    s3.create_bucket().bucket(bucket).create_bucket_configuration(place).send().await.unwrap();
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versions).send().await.unwrap();
}

/// Lets something happen to an export when its first part is noted.
pub async fn at_the_first_part(bed: &TestBed, sql: &str) {
    bed.sql(&format!(
        "create function robnu.meanwhile() returns trigger language plpgsql security definer as $$ begin {sql}; return null; end $$;
         create trigger meanwhile after update of parts on robnu.exports for each row
           when (cardinality(old.parts) = 0) execute function robnu.meanwhile()"
    ))
    .await;
}
