//! Files in the bucket, and the notices that S3 sends for them.

use aws_sdk_s3::primitives::ByteStream;
use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode;
use robnu_tenancy::ImportId;
use robnu_testkit::{LambdaProcess, Seller};
use serde_json::json;

use super::{Stand, account_of, acknowledged};

/// An import of `seller`'s account, announced with `announced` and sent with `sent`.
pub async fn upload_as(
    stand: &Stand,
    seller: &Seller,
    marketplace: MarketplaceCode,
    announced: &str,
    sent: Option<&str>,
) -> ImportId {
    let import = ImportId::new();
    let size = i64::try_from(announced.len()).unwrap();
    let account = account_of(seller, marketplace);
    let sql = "with object as (
          insert into robnu.storage_objects
            (seller_id, id, account_id, kind, marketplace_code, bucket, content_type, size, checksum, kms_key, file_name)
          values ($1, $2, $3, 'IMPORT', $7, $4, 'text/csv', $5, sha256(convert_to($6, 'UTF8')), 'key', 'orders.csv'))
        insert into robnu.imports (seller_id, id, account_id) values ($1, $2, $3)";
    stand
        .superuser
        .execute(
            sql,
            &[&seller.id, &import, &account, &stand.bucket, &size, &announced, &marketplace.as_str()],
        )
        .await
        .unwrap();
    if let Some(sent) = sent {
        let put = stand.s3.put_object().bucket(&stand.bucket).key(key(seller, marketplace, import));
        put.body(ByteStream::from(sent.as_bytes().to_vec())).send().await.unwrap();
    }
    import
}

/// The key of an import's file.
pub fn key(seller: &Seller, marketplace: MarketplaceCode, import: ImportId) -> String {
    let account = account_of(seller, marketplace);
    format!("imports/{}/{account}/{import}/{}", seller.id, marketplace.as_str())
}

/// What S3 sends for an object.
pub fn notice(key: &str) -> String {
    json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]})
        .to_string()
}

/// Announces a file, and returns the message that the function sends for its run, if it sends one.
pub async fn announce(stand: &Stand, function: &LambdaProcess, key: &str) -> Option<Job> {
    acknowledged(function.invoke(stand.parallel_event(&[&notice(key)])).await);
    let message = stand.receive(&stand.parallel_queue).await?;
    Some(JobMessage::parse(message.body().unwrap()).unwrap().into_job())
}

/// Uploads a file and imports it to the end.
pub async fn import_file(
    stand: &Stand,
    function: &LambdaProcess,
    seller: &Seller,
    marketplace: MarketplaceCode,
    file: &str,
) -> Job {
    let import = upload_as(stand, seller, marketplace, file, Some(file)).await;
    let job = announce(stand, function, &key(seller, marketplace, import)).await.expect("a file makes a run");
    stand.run_to_end(function, job).await
}
