//! What a stand needs of the local AWS: a bucket and queues.

use aws_sdk_s3::types::CreateBucketConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;

/// A bucket of the test's own.
pub async fn bucket(s3: &aws_sdk_s3::Client, database: &str) -> String {
    let name = database.replace('_', "-");
    let region = s3.config().region().unwrap().as_ref();
    let place = CreateBucketConfiguration::builder().location_constraint(region.into()).build();
    s3.create_bucket().bucket(&name).create_bucket_configuration(place).send().await.unwrap();
    name
}

pub async fn fifo(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    let create = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true");
    create.send().await.unwrap().queue_url.unwrap()
}

pub async fn standard(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}
