//! Sessions of single sellers, with IAM enforced by the local AWS: what a session is asked for, and what it reaches.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "objects/bed.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod bed;

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleInput;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bed::TestBed;
use futures_util::StreamExt;
use proptest::prelude::*;
use proptest::sample;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use robnu_storage::objects::{ContentType, MarketplaceFolder, ObjectKey, Objects, session_policy};
use robnu_tenancy::{AccountId, ImportId, SellerId};
use robnu_testkit::local_aws;
use uuid::Uuid;

/// Records what sessions STS is asked for.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<Mutex<Vec<AssumeRoleInput>>>);

impl Intercept for Asked {
    fn name(&self) -> &'static str {
        "Asked"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input().downcast_ref::<AssumeRoleInput>().unwrap();
        self.0.lock().unwrap().push(input.clone());
        Ok(())
    }
}

/// A role that may do everything with the bed's bucket, which a session narrows down.
async fn role(bed: &TestBed) -> String {
    let name = format!("objects-{}", Uuid::now_v7().simple());
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let bucket = bed.objects.bucket();
    let rights = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}]}}"#
    );
    bed::iam(&[("Action", "CreateRole"), ("RoleName", &name), ("AssumeRolePolicyDocument", trust)]).await;
    bed::iam(&[
        ("Action", "PutRolePolicy"),
        ("RoleName", &name),
        ("PolicyName", "objects"),
        ("PolicyDocument", &rights),
    ])
    .await;
    format!("arn:aws:iam::000000000000:role/{name}")
}

/// The objects of the bed through sessions of a role.
async fn through_sessions(bed: &TestBed, asked: &Asked) -> Objects {
    let aws = local_aws().await;
    let sts = aws_sdk_sts::config::Builder::from(&aws).interceptor(asked.clone()).build();
    let sts = aws_sdk_sts::Client::from_conf(sts);
    Objects::with_sessions(Client::new(&aws), sts, role(bed).await, bed.settings.clone())
}

fn import() -> ObjectKey {
    let marketplace = MarketplaceFolder::new("AJIO").unwrap();
    ObjectKey::ImportSource { account: AccountId::new(), import: ImportId::new(), marketplace }
}

#[tokio::test]
async fn a_container_opens_one_session_per_seller_however_many_calls_come_at_once() {
    let bed = TestBed::new().await;
    let asked = Asked::default();
    let objects = through_sessions(&bed, &asked).await;
    let (ours, theirs) = (bed.handle(&objects, true).await, bed.handle(&objects, false).await);
    let key = import();
    for _ in 0..3 {
        let (a, b, c, d) = tokio::join!(
            ours.put(&key, ContentType::Csv, b"ours".to_vec()),
            ours.put(&key, ContentType::Csv, b"ours".to_vec()),
            theirs.put(&key, ContentType::Csv, b"theirs".to_vec()),
            theirs.put(&key, ContentType::Csv, b"theirs".to_vec()),
        );
        for stored in [a, b, c, d] {
            stored.unwrap();
        }
    }
    let read = ours.get(&key, None).await.unwrap();
    assert_eq!(read.into_bytes(10).await.unwrap(), b"ours");
    // A handle that is made anew uses the same session.
    bed.handle(&objects, true).await.head(&key).await.unwrap();
    let asked = asked.0.lock().unwrap();
    let mut policies: Vec<&str> = asked.iter().map(|input| input.policy().unwrap()).collect();
    let mut expected =
        [ours.seller_id(), theirs.seller_id()].map(|seller| session_policy(objects.bucket(), seller));
    policies.sort_unstable();
    expected.sort_unstable();
    assert_eq!(policies, expected);
}

#[tokio::test]
async fn hostile_code_with_the_session_of_one_seller_reaches_no_object_of_another() {
    let bed = TestBed::new().await;
    let asked = Asked::default();
    let objects = through_sessions(&bed, &asked).await;
    let (ours, theirs) = (bed.handle(&objects, true).await, bed.handle(&objects, false).await);
    let key = import();
    ours.put(&key, ContentType::Csv, b"ours".to_vec()).await.unwrap();
    theirs.put(&key, ContentType::Csv, b"theirs".to_vec()).await.unwrap();
    let (our_key, their_key) = (ours.key_text(&key), theirs.key_text(&key));

    // What a job could do that had taken the credentials of its session out of memory.
    let input = asked.0.lock().unwrap()[0].clone();
    assert_eq!(input.policy(), Some(&*session_policy(objects.bucket(), ours.seller_id())));
    let s3 = stolen(&input).await;
    let bucket = objects.bucket();
    s3.get_object().bucket(bucket).key(&our_key).send().await.unwrap();
    let (our_id, their_id) = (ours.seller_id().to_string(), theirs.seller_id().to_string());
    let folders = ["documents", "imports", "raw-payloads", "exports", ""];
    let mut tried =
        vec![their_key.clone(), their_key.to_uppercase(), format!("/{their_key}"), format!("./{their_key}")];
    for folder in folders {
        tried.push(format!("{folder}/{their_id}/x"));
        tried.push(format!("{folder}/{our_id}{their_id}/x"));
        tried.push(format!("{folder}/{their_id}/{our_id}/x"));
        tried.push(format!("{folder}/*/x"));
        tried.push(format!("{folder}/{}/x", &our_id[..35]));
    }
    for other in &tried {
        let got = s3.get_object().bucket(bucket).key(other).send().await;
        let put = s3.put_object().bucket(bucket).key(other).body(b"x".to_vec().into()).send().await;
        let deleted = s3.delete_object().bucket(bucket).key(other).send().await;
        let statuses = [
            got.err().as_ref().and_then(status),
            put.err().as_ref().and_then(status),
            deleted.err().as_ref().and_then(status),
        ];
        assert_eq!(statuses, [Some(403); 3], "{other}");
    }
    try_ten_thousand_keys(&s3, bucket, &our_id, &their_key).await;
    let copied = s3.copy_object().bucket(bucket).key(&our_key).copy_source(format!("{bucket}/{their_key}"));
    assert!(copied.send().await.is_err(), "a copy reads its source");
    assert!(s3.list_objects_v2().bucket(bucket).send().await.is_err(), "keys are not listed");
    assert_eq!(theirs.get(&key, None).await.unwrap().into_bytes(100).await.unwrap(), b"theirs");
}

/// Sends ten thousand requests for keys that are close to the other seller's object, eight at a time. Each is refused.
async fn try_ten_thousand_keys(s3: &Client, bucket: &str, ours: &str, theirs: &str) {
    let parts: Vec<&str> = theirs.split('/').collect();
    let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
    let own = [ours, "..", ".", "", "*", "?", "%2e%2e", "documents", "exports"];
    parts.extend(own.map(str::to_owned));
    let any_case = (sample::select(parts), 0..3).prop_map(|(part, form)| match form {
        0 => part,
        1 => part.to_uppercase(),
        _ => part.chars().rev().collect(),
    });
    let prefix = sample::select(vec![theirs.to_owned(), format!("{theirs}/"), String::new()]);
    let keys = (prefix, proptest::collection::vec(any_case, 1..6))
        .prop_map(|(prefix, parts)| prefix + &parts.join("/"));
    let mut random = TestRunner::deterministic();
    let is_own = |key: &str| key.split('/').nth(1) == Some(ours) || key.is_empty();
    let hostile = std::iter::repeat_with(|| keys.new_tree(&mut random).unwrap().current());
    let hostile: Vec<String> = hostile.filter(|key| !is_own(key)).take(10_000).collect();
    let refused = futures_util::stream::iter(hostile.iter().zip(0..)).map(async |(key, turn)| {
        let status = match turn % 4 {
            0..=1 => s3.get_object().bucket(bucket).key(key).send().await.err().as_ref().and_then(status),
            2 => {
                let put = s3.put_object().bucket(bucket).key(key).body(b"x".to_vec().into());
                put.send().await.err().as_ref().and_then(status)
            }
            _ => s3.delete_object().bucket(bucket).key(key).send().await.err().as_ref().and_then(status),
        };
        assert_eq!(status, Some(403), "{key}");
    });
    assert_eq!(refused.buffer_unordered(8).count().await, 10_000);
}

/// The status that an error came with.
fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

/// A plain client with the session that `input` asks for.
async fn stolen(input: &AssumeRoleInput) -> Client {
    let aws = local_aws().await;
    let sts = aws_sdk_sts::Client::new(&aws);
    let answer = sts
        .assume_role()
        .role_arn(input.role_arn().unwrap())
        .role_session_name("stolen")
        .policy(input.policy().unwrap())
        .send()
        .await
        .unwrap();
    let given = answer.credentials.unwrap();
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        None,
        "stolen",
    );
    Client::from_conf(aws_sdk_s3::config::Builder::from(&aws).credentials_provider(credentials).build())
}

/// Whether a policy without negations and wildcards other than at the end allows an action on a resource.
fn allows(policy: &serde_json::Value, action: &str, resource: &str) -> bool {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        match value {
            serde_json::Value::String(text) => vec![text.clone()],
            list => list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        }
    };
    policy["Statement"].as_array().unwrap().iter().any(|statement| {
        assert_eq!(statement["Effect"], "Allow");
        let matches = |pattern: &String| match pattern.split_once('*') {
            Some((start, rest)) => {
                assert!(rest.is_empty(), "a wildcard stands at the end only: {pattern}");
                resource.starts_with(start)
            }
            None => resource == pattern,
        };
        texts(&statement["Action"]).contains(&action.to_owned())
            && texts(&statement["Resource"]).iter().any(matches)
    })
}

#[test]
fn ten_thousand_hostile_keys_are_outside_of_a_session_unless_they_are_the_sellers_own() {
    let (ours, theirs) = (SellerId::new(), SellerId::new());
    let policy: serde_json::Value = serde_json::from_str(&session_policy("bucket", ours)).unwrap();
    let parts = proptest::collection::vec(
        prop_oneof![
            Just("documents".to_owned()),
            Just("imports".to_owned()),
            Just("raw-payloads".to_owned()),
            Just("exports".to_owned()),
            Just(ours.to_string()),
            Just(theirs.to_string()),
            Just("..".to_owned()),
            Just("*".to_owned()),
            Just(String::new()),
            any::<String>(),
        ],
        1..6,
    );
    let mut runner = TestRunner::new(Config::with_cases(10_000));
    let actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObjectVersion",
        "s3:DeleteObjectVersion",
    ];
    runner
        .run(&parts, |parts| {
            let key = parts.join("/");
            let is_own = ["documents", "imports", "raw-payloads", "exports"].contains(&parts[0].as_str())
                && parts.get(1) == Some(&ours.to_string())
                && parts.len() > 2;
            // A part may hold slashes of its own, so the key is looked at as a whole as well.
            let own = ["documents", "imports", "raw-payloads", "exports"]
                .iter()
                .any(|folder| key.starts_with(&format!("{folder}/{ours}/")));
            prop_assert!(own || !is_own, "{key}");
            for action in actions {
                prop_assert_eq!(
                    allows(&policy, action, &format!("arn:aws:s3:::bucket/{key}")),
                    own,
                    "{}",
                    key
                );
            }
            for action in [
                "s3:ListBucket",
                "s3:PutBucketPolicy",
                "s3:PutObjectAcl",
                "s3:GetObjectTagging",
                "sts:AssumeRole",
            ] {
                prop_assert!(!allows(&policy, action, &format!("arn:aws:s3:::bucket/{key}")), "{action}");
            }
            let elsewhere = allows(&policy, "s3:GetObject", &format!("arn:aws:s3:::another/{key}"));
            prop_assert!(!elsewhere, "another bucket");
            Ok(())
        })
        .unwrap();
    let kms = &policy["Statement"][1];
    assert_eq!(kms["Condition"]["StringEquals"]["kms:EncryptionContext:robnu:seller"], ours.to_string());
    assert!(policy.to_string().len() < 2_048, "STS takes no longer policy");
}
