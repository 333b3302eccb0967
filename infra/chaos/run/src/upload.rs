//! Files: announced in the database, put into the bucket, and noticed by S3 with a message in the parallel queue. The notice is a message
//! like any other, and may be lost.

use anyhow::Context;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;
use sha2::{Digest, Sha256};
use simulators::{MeeshoColumns, OrderBook, meesho_orders};
use uuid::{Timestamp, Uuid};

use crate::account::Account;
use crate::aws::Aws;
use crate::superuser::Superuser;
use crate::world::World;

/// The sweep begins an import whose notice is lost half an hour after its announcement, which its id tells. So files are announced shortly
/// before that.
const ANNOUNCED_BEFORE_SECONDS: u64 = 1790;

const ANNOUNCE: &str = "with object as (
      insert into robnu.storage_objects
        (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key, file_name)
      values ($1, $2, $3, 'IMPORT', $7, $4, 'text/csv', $5, $6, 'chaos', 'orders.csv') on conflict do nothing)
    insert into robnu.imports (seller_id, id, account_id) values ($1, $2, $3) on conflict do nothing";

/// A file.
#[derive(Debug, Clone)]
pub struct Upload {
    import: Uuid,
    content: String,
    /// The order ids in it.
    pub orders: Vec<String>,
}

impl Upload {
    /// Meesho's file of a book.
    pub fn meesho(account: &Account, book: &OrderBook) -> Self {
        let digits = |id: &str| id.chars().filter(char::is_ascii_digit).collect();
        let orders = book.orders().iter().map(|order| digits(&order.order_id)).collect();
        let columns =
            if account.series.is_multiple_of(2) { MeeshoColumns::Newer } else { MeeshoColumns::Classic };
        Self { import: new_import(), content: meesho_orders(book, columns), orders }
    }

    /// A report that was downloaded earlier.
    pub fn report(content: String) -> Self {
        Self { import: new_import(), content, orders: Vec::new() }
    }

    /// The same file, as another upload.
    pub fn again(&self) -> Self {
        Self { import: new_import(), ..self.clone() }
    }
}

/// Puts the file into the bucket, announces it and sends the notice. The file comes first here, so that no sweep finds it missing.
pub async fn announce(world: &World, account: &Account, upload: &Upload) -> anyhow::Result<()> {
    let queue = world.parallel.url(account.code).context("every marketplace has a queue")?;
    put(&world.aws, &world.superuser, queue, account, upload).await
}

/// Puts a file into the bucket, announces it and sends the notice to a queue.
pub async fn put(
    aws: &Aws,
    superuser: &Superuser,
    queue: &str,
    account: &Account,
    upload: &Upload,
) -> anyhow::Result<()> {
    let size = i64::try_from(upload.content.len()).context("measure a file")?;
    let checksum = Sha256::digest(upload.content.as_bytes()).to_vec();
    let (seller, import, code) = (&account.seller, &upload.import, account.code.as_str());
    let (bucket, key) = (&aws.bucket, format!("imports/{seller}/{}/{import}/{code}", account.id));
    let put = aws.s3.put_object().bucket(bucket).key(&key);
    put.body(ByteStream::from(upload.content.clone().into_bytes())).send().await.context("upload a file")?;
    superuser.query(ANNOUNCE, &[seller, import, &account.id, bucket, &size, &checksum, &code]).await?;
    let notice = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]});
    let send = aws.sqs.send_message().queue_url(queue).message_body(notice.to_string());
    send.send().await.context("send a notice")?;
    Ok(())
}

/// The id of an import that was announced a while ago.
fn new_import() -> Uuid {
    let now = Uuid::now_v7().get_timestamp().unwrap_or(Timestamp::from_unix_time(0, 0, 0, 0));
    let (seconds, nanos) = now.to_unix();
    Uuid::new_v7(Timestamp::from_unix_time(seconds.saturating_sub(ANNOUNCED_BEFORE_SECONDS), nanos, 0, 0))
}
