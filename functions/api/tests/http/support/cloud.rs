//! KMS, SQS, SES and S3 of the local cloud, with a key, a queue, a sender and a bucket of the test's own.

use aws_sdk_s3::types::{BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration};
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use robnu_storage::KeyService;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects};
use robnu_testkit::mails_of;
use uuid::Uuid;

use super::wire::Wire;

/// Names the local cloud's endpoint.
const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";

pub struct Cloud {
    pub kms: aws_sdk_kms::Client,
    /// The connection to KMS, which records the calls.
    pub kms_wire: Wire,
    /// A stage of the test's own, so that other tests' keys are none of its.
    pub stage: String,
    /// Whether each seller has a KMS key of its own.
    pub per_seller: bool,
    pub sqs: aws_sdk_sqs::Client,
    pub ses: aws_sdk_sesv2::Client,
    pub s3: aws_sdk_s3::Client,
    /// The bucket for the sellers' objects.
    pub bucket: String,
    /// The sender of this test's mails.
    pub mail_from: String,
    /// The platform key.
    pub key: String,
    /// URL of the queue of the lanes function.
    pub lane_requests: String,
    /// URL of the queue of exports.
    pub exports: String,
}

impl Cloud {
    pub async fn new() -> Self {
        let endpoint = endpoint();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let http = Builder::new().build_http();
        let kms_wire = Wire::new();
        let kms = kms_wire.kms();
        let sqs = aws_sdk_sqs::Client::from_conf(
            aws_sdk_sqs::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(credentials.clone())
                .endpoint_url(&endpoint)
                .http_client(http.clone())
                .build(),
        );
        let ses = aws_sdk_sesv2::Client::from_conf(
            aws_sdk_sesv2::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(credentials.clone())
                .endpoint_url(&endpoint)
                .http_client(http.clone())
                .build(),
        );
        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(credentials)
                .endpoint_url(&endpoint)
                .http_client(http)
                .build(),
        );
        let bucket = bucket(&s3).await;
        let mail_from = format!("no-reply-{}@robnu.invalid", Uuid::now_v7().simple());
        ses.create_email_identity()
            .email_identity(&mail_from)
            .send()
            .await
            .expect("the local cloud takes a sender");
        let key = kms.create_key().send().await.expect("the local cloud makes a key");
        let key = key.key_metadata.expect("a key has metadata").key_id;
        let lane_requests = queue(&sqs, &format!("lane-requests-{}", Uuid::now_v7().simple()), false).await;
        let exports = queue(&sqs, &format!("exports-{}", Uuid::now_v7().simple()), false).await;
        Self {
            kms,
            kms_wire,
            stage: Uuid::now_v7().to_string(),
            per_seller: false,
            sqs,
            ses,
            s3,
            bucket,
            mail_from,
            key,
            lane_requests,
            exports,
        }
    }

    /// The sellers' objects.
    pub fn objects(&self) -> Objects {
        let encryption = if self.per_seller {
            ObjectEncryption::KeyPerSeller
        } else {
            ObjectEncryption::PlatformKey(self.key.clone())
        };
        let bucket = self.bucket.clone();
        Objects::new(self.s3.clone(), ObjectSettings { bucket, encryption })
    }

    /// A key service with an empty cache.
    pub fn keys(&self) -> KeyService {
        let keys = KeyService::new(self.kms.clone(), self.key.clone());
        if self.per_seller { keys.with_seller_keys(self.stage.clone()) } else { keys }
    }

    /// A FIFO queue, as a lane is.
    pub async fn lane(&self) -> String {
        queue(&self.sqs, &format!("lane-{}.fifo", Uuid::now_v7().simple()), true).await
    }

    /// Makes SES refuse this test's mails.
    pub async fn refuse_mails(&self) {
        self.ses
            .delete_email_identity()
            .email_identity(&self.mail_from)
            .send()
            .await
            .expect("there is such a sender");
    }

    /// Makes SES accept this test's mails again.
    pub async fn take_mails(&self) {
        self.ses
            .create_email_identity()
            .email_identity(&self.mail_from)
            .send()
            .await
            .expect("the sender is taken");
    }

    /// This test's mails in the order in which SES accepted them, as their recipients read them.
    pub async fn mails(&self) -> Vec<serde_json::Value> {
        mails_of(&self.mail_from).await
    }

    /// The bodies and groups of all messages in a queue.
    pub async fn messages(&self, queue_url: &str) -> Vec<serde_json::Value> {
        let answer = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10).send().await;
        let messages = answer.expect("the queue answers").messages.unwrap_or_default();
        messages.iter().map(|message| serde_json::from_str(message.body().unwrap()).unwrap()).collect()
    }
}

/// A bucket that keeps versions, as the template's does.
async fn bucket(s3: &aws_sdk_s3::Client) -> String {
    let name = format!("objects-{}", Uuid::now_v7().simple());
    let place = CreateBucketConfiguration::builder().location_constraint("ap-south-1".into()).build();
    let made = s3.create_bucket().bucket(&name).create_bucket_configuration(place).send().await;
    made.expect("the local cloud makes a bucket");
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let kept = s3.put_bucket_versioning().bucket(&name).versioning_configuration(versions).send().await;
    kept.expect("the bucket keeps versions");
    name
}

async fn queue(sqs: &aws_sdk_sqs::Client, name: &str, fifo: bool) -> String {
    let mut request = sqs.create_queue().queue_name(name);
    if fifo {
        request = request.attributes(aws_sdk_sqs::types::QueueAttributeName::FifoQueue, "true");
    }
    request.send().await.expect("the local cloud makes a queue").queue_url.expect("a queue has a URL")
}

fn endpoint() -> String {
    std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`"))
}
