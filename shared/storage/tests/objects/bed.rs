//! Two sellers with a handle each, on a bucket of their own in the local S3. Every request of the SDK is recorded.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::types::{BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects, SellerObjects, Sha256};
use robnu_tenancy::{Database, SellerId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers, local_aws};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it went out.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) uri: String,
    headers: Vec<(String, String)>,
}

/// The value of a header.
pub(crate) fn header<'a>(request: &'a Sent, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Sent>>>);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        self.0.lock().unwrap().push(Sent {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        });
        Ok(())
    }
}

pub(crate) struct TestBed {
    pub(crate) test: TestDatabase,
    pub(crate) sellers: TwoSellers,
    pub(crate) database: Database,
    pub(crate) objects: Objects,
    pub(crate) settings: ObjectSettings,
    pub(crate) ours: SellerObjects,
    pub(crate) theirs: SellerObjects,
    recorder: Recorder,
}

impl TestBed {
    pub(crate) async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let database = test.login("robnu_api").await;
        let aws = local_aws().await;
        let bucket = test.name().replace('_', "-");
        make_bucket(&Client::new(&aws), &bucket).await;
        let recorder = Recorder::default();
        let s3 = aws_sdk_s3::config::Builder::from(&aws).interceptor(recorder.clone()).build();
        let encryption = ObjectEncryption::PlatformKey("alias/test".into());
        let settings = ObjectSettings { bucket, encryption };
        let objects = Objects::new(Client::from_conf(s3), settings.clone());
        let ours = handle(&database, &objects, &sellers.ours).await;
        let theirs = handle(&database, &objects, &sellers.theirs).await;
        Self { test, sellers, database, objects, settings, ours, theirs, recorder }
    }

    /// A new handle of `objects` for our seller, or for theirs.
    pub(crate) async fn handle(&self, objects: &Objects, is_ours: bool) -> SellerObjects {
        let seller = if is_ours { &self.sellers.ours } else { &self.sellers.theirs };
        handle(&self.database, objects, seller).await
    }

    /// The requests so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.recorder.0.lock().unwrap().clone()
    }
}

/// A bucket that keeps versions, as the template's does.
async fn make_bucket(s3: &Client, bucket: &str) {
    let region = s3.config().region().unwrap().as_ref();
    let place = CreateBucketConfiguration::builder().location_constraint(region.into()).build();
    s3.create_bucket().bucket(bucket).create_bucket_configuration(place).send().await.unwrap();
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versions).send().await.unwrap();
}

async fn handle(database: &Database, objects: &Objects, seller: &Seller) -> SellerObjects {
    let scope = seller.scope("OWNER");
    database.read(&scope, "select 1", &[]).await.unwrap();
    objects.for_scope(&scope).unwrap()
}

/// A seller's encryption context, as S3 takes it.
pub(crate) fn context(seller: SellerId) -> String {
    STANDARD.encode(format!(r#"{{"robnu:seller":"{seller}"}}"#))
}

/// A digest, as S3 takes it.
pub(crate) fn base64(digest: Sha256) -> String {
    STANDARD.encode(digest.as_bytes())
}

/// Sends a request as a client does who has only a URL and headers. It returns the status and the whole response.
pub(crate) async fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut request = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    (response.split(' ').nth(1).unwrap().parse().unwrap(), response)
}

/// Calls IAM of the local AWS, which takes the administrator's requests without a signature.
pub(crate) async fn iam(parameters: &[(&str, &str)]) {
    let aws = local_aws().await;
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let mut body = "Version=2010-05-08".to_owned();
    for (name, value) in parameters {
        write!(body, "&{name}={}", encoded(value)).unwrap();
    }
    let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/ap-south-1/iam/aws4_request, SignedHeaders=host, Signature=0";
    let headers = [
        ("authorization".to_owned(), credential.to_owned()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    let url = format!("{}/", aws.endpoint_url().unwrap());
    let (status, response) = send("POST", &url, &headers, body.as_bytes()).await;
    assert_eq!(status, 200, "{response}");
}
