//! What the run has in the local AWS: queues, a bucket, a KMS key and a secret of its own. All of it is removed at the end.

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_s3::types::CreateBucketConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;
use robnu_testkit::{local_aws, local_objects_role};
use serde_json::json;

/// The region of everything.
const REGION: &str = "ap-south-1";
/// The text of the secret for the digests of user names. It protects nothing here.
const DIGEST_SECRET: &str = "a digest key of thirty-two letters";
/// A message that comes so often becomes a dead letter.
const RECEIVES: u32 = 6;
/// How long a message that was received stays hidden, in seconds: a lease and a slice.
pub const VISIBILITY_SECONDS: i32 = 4;

/// The clients and what was made.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Objects.
    pub s3: aws_sdk_s3::Client,
    /// Keys.
    pub kms: aws_sdk_kms::Client,
    secrets: aws_sdk_secretsmanager::Client,
    /// What all names begin with.
    pub prefix: String,
    /// The sellers' bucket.
    pub bucket: String,
    /// The platform's KMS key.
    pub key: String,
    /// The name of the secret for digests.
    pub digest_secret: String,
    /// The role that functions assume for a seller's objects.
    pub objects_role: String,
}

impl Aws {
    /// Makes a bucket, a key and a secret. Queues are made one by one.
    pub async fn new(run: &str) -> anyhow::Result<Self> {
        let config: SdkConfig = local_aws().await;
        let s3 = aws_sdk_s3::Client::new(&config);
        let kms = aws_sdk_kms::Client::new(&config);
        let secrets = aws_sdk_secretsmanager::Client::new(&config);
        let prefix = format!("chaos-{run}-");
        let bucket = format!("{prefix}objects");
        let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
        s3.create_bucket()
            .bucket(&bucket)
            .create_bucket_configuration(place)
            .send()
            .await
            .context("make a bucket")?;
        let key = kms.create_key().send().await.context("make a KMS key")?;
        let key = key.key_metadata.context("read the new KMS key")?.key_id;
        let digest_secret = format!("{prefix}digest");
        let secret = secrets.create_secret().name(&digest_secret).secret_string(DIGEST_SECRET);
        secret.send().await.context("make a secret")?;
        let sqs = aws_sdk_sqs::Client::new(&config);
        let objects_role = local_objects_role().await;
        Ok(Self { sqs, s3, kms, secrets, prefix, bucket, key, digest_secret, objects_role })
    }

    /// Makes a queue, whose messages die into the other one, and returns its URL.
    pub async fn queue(&self, name: &str, dead: Option<&str>) -> anyhow::Result<String> {
        let visibility = VISIBILITY_SECONDS.to_string();
        let mut create = self.sqs.create_queue().queue_name(name);
        create = create.attributes(QueueAttributeName::VisibilityTimeout, visibility);
        if is_fifo(name) {
            create = create.attributes(QueueAttributeName::FifoQueue, "true");
        }
        if let Some(dead) = dead {
            let policy = json!({"deadLetterTargetArn": arn(dead), "maxReceiveCount": RECEIVES});
            create = create.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        let made = create.send().await.with_context(|| format!("make the queue {name}"))?;
        made.queue_url.with_context(|| format!("read the URL of the queue {name}"))
    }

    /// Removes everything. The names' prefix finds the queues.
    pub async fn remove(&self) -> anyhow::Result<()> {
        let queues = self.sqs.list_queues().queue_name_prefix(&self.prefix).max_results(1000).send().await?;
        for url in queues.queue_urls() {
            self.sqs.delete_queue().queue_url(url).send().await?;
        }
        let mut objects = self.s3.list_objects_v2().bucket(&self.bucket).into_paginator().send();
        while let Some(page) = objects.next().await {
            for object in page?.contents() {
                let delete = self.s3.delete_object().bucket(&self.bucket);
                delete.key(object.key().unwrap_or_default()).send().await?;
            }
        }
        self.s3.delete_bucket().bucket(&self.bucket).send().await?;
        self.kms.schedule_key_deletion().key_id(&self.key).pending_window_in_days(7).send().await?;
        let secret = self.secrets.delete_secret().secret_id(&self.digest_secret);
        secret.force_delete_without_recovery(true).send().await?;
        Ok(())
    }
}

/// Whether a queue's name or URL is that of a FIFO queue.
pub fn is_fifo(queue: &str) -> bool {
    queue.strip_suffix(".fifo").is_some()
}

/// The ARN of a queue, from its URL.
pub fn arn(url: &str) -> String {
    let name = url.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sqs:{REGION}:000000000000:{name}")
}
