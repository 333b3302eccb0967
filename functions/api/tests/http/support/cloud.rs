//! KMS and SQS of the local cloud, with a key and a queue of the test's own.

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use robnu_storage::KeyService;
use uuid::Uuid;

/// Names the local cloud's endpoint.
const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";

pub struct Cloud {
    pub kms: aws_sdk_kms::Client,
    pub sqs: aws_sdk_sqs::Client,
    /// The platform key.
    pub key: String,
    /// URL of the queue of the lanes function.
    pub lane_requests: String,
}

impl Cloud {
    pub async fn new() -> Self {
        let endpoint = std::env::var(ENDPOINT_VARIABLE).unwrap_or_else(|_| {
            panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`")
        });
        let credentials = Credentials::new("test", "test", None, None, "test");
        let http = Builder::new().build_http();
        let kms = aws_sdk_kms::Client::from_conf(
            aws_sdk_kms::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(credentials.clone())
                .endpoint_url(&endpoint)
                .http_client(http.clone())
                .build(),
        );
        let sqs = aws_sdk_sqs::Client::from_conf(
            aws_sdk_sqs::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("ap-south-1"))
                .credentials_provider(credentials)
                .endpoint_url(&endpoint)
                .http_client(http)
                .build(),
        );
        let key = kms.create_key().send().await.expect("the local cloud makes a key");
        let key = key.key_metadata.expect("a key has metadata").key_id;
        let lane_requests = queue(&sqs, &format!("lane-requests-{}", Uuid::now_v7().simple()), false).await;
        Self { kms, sqs, key, lane_requests }
    }

    /// A key service without anything in its cache.
    pub fn keys(&self) -> KeyService {
        KeyService::new(self.kms.clone(), self.key.clone())
    }

    /// A FIFO queue, as a lane is.
    pub async fn lane(&self) -> String {
        queue(&self.sqs, &format!("lane-{}.fifo", Uuid::now_v7().simple()), true).await
    }

    /// The bodies and groups of all messages in a queue.
    pub async fn messages(&self, queue_url: &str) -> Vec<serde_json::Value> {
        let answer = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10).send().await;
        let messages = answer.expect("the queue answers").messages.unwrap_or_default();
        messages.iter().map(|message| serde_json::from_str(message.body().unwrap()).unwrap()).collect()
    }
}

async fn queue(sqs: &aws_sdk_sqs::Client, name: &str, fifo: bool) -> String {
    let mut request = sqs.create_queue().queue_name(name);
    if fifo {
        request = request.attributes(aws_sdk_sqs::types::QueueAttributeName::FifoQueue, "true");
    }
    request.send().await.expect("the local cloud makes a queue").queue_url.expect("a queue has a URL")
}
