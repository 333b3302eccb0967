//! Credentials for the objects of one seller: a role that is assumed with a session policy.
//!
//! The function itself holds no right to objects. A session of the role allows the prefixes of its seller and KMS with the
//! seller's encryption context, and nothing else, whatever the code asks for.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use robnu_tenancy::SellerId;
use tokio::sync::Mutex;

use super::ObjectFault;
use super::fault::failed;
use super::key::FOLDERS;
use crate::{SELLER_CONTEXT, StorageError};

/// How long a session is used: one `AssumeRole` per container, seller and quarter of an hour.
const LIFETIME: Duration = Duration::from_mins(15);
/// How long a session is valid: the most that a role may ask for another. A presigned request made at the end of the session's
/// use is valid as long as it says.
const VALID_SECONDS: i32 = 3600;

/// Opens sessions, each for one seller.
pub(super) struct Sessions {
    sts: aws_sdk_sts::Client,
    role: String,
    opened: Mutex<HashMap<SellerId, (Instant, Client)>>,
}

impl Sessions {
    pub(super) fn new(sts: aws_sdk_sts::Client, role: String) -> Self {
        Self { sts, role, opened: Mutex::default() }
    }

    /// A client with the seller's session. STS is asked at most once per seller and lifetime, however many calls come at once.
    pub(super) async fn client(
        &self,
        s3: &Client,
        bucket: &str,
        seller: SellerId,
    ) -> Result<Client, StorageError> {
        let mut opened = self.opened.lock().await;
        let now = Instant::now();
        opened.retain(|_, (since, _)| is_used(*since, now));
        if let Some((_, client)) = opened.get(&seller) {
            return Ok(client.clone());
        }
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(format!("seller-{seller}"))
            .policy(session_policy(bucket, seller))
            .duration_seconds(VALID_SECONDS)
            .send()
            .await
            .map_err(failed("open a session for"))?;
        let given = answer
            .credentials
            .ok_or(StorageError::Object { action: "open a session for", fault: ObjectFault::Rejected })?;
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            given.expiration.try_into().ok(),
            "session of a seller",
        );
        let client = Client::from_conf(s3.config().to_builder().credentials_provider(credentials).build());
        opened.insert(seller, (Instant::now(), client.clone()));
        Ok(client)
    }
}

/// Whether a session that was opened then is still used.
fn is_used(since: Instant, now: Instant) -> bool {
    now.duration_since(since) < LIFETIME
}

/// The policy of a seller's session: the seller's prefixes, and KMS with the seller's encryption context.
#[must_use]
pub fn session_policy(bucket: &str, seller: SellerId) -> String {
    let prefixes: Vec<String> =
        FOLDERS.iter().map(|folder| format!(r#""arn:aws:s3:::{bucket}/{folder}/{seller}/*""#)).collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
{{"Effect":"Allow","Action":["s3:PutObject","s3:AbortMultipartUpload","s3:GetObject","s3:GetObjectVersion","s3:DeleteObject","s3:DeleteObjectVersion"],"Resource":[{}]}},
{{"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{{"StringEquals":{{"kms:EncryptionContext:{SELLER_CONTEXT}":"{seller}"}}}}}}]}}"#,
        prefixes.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_used_for_a_quarter_of_an_hour_and_valid_for_longer_than_any_url() {
        let since = Instant::now();
        for (seconds, expected) in [(0, true), (899, true), (900, false)] {
            assert_eq!(
                is_used(since, since + Duration::from_secs(seconds)),
                expected,
                "after {seconds} seconds"
            );
        }
        let valid = Duration::from_secs(u64::from(VALID_SECONDS.unsigned_abs()));
        assert!(
            valid > LIFETIME + Duration::from_mins(15),
            "an upload that is presigned last can still be sent"
        );
    }
}
