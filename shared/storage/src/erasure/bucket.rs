//! The bucket, as the closing sweep uses it: it deletes what is in a seller's folders, and keeps the register of closed sellers.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption};
use robnu_tenancy::SellerId;

use super::{ErasureError, failed};
use crate::objects::{FOLDERS, encryption_context};

/// The folder of the register. It holds one empty object for each closed seller.
const REGISTER: &str = "closed/";

/// The most objects that S3 lists, or deletes, in one call.
const PAGE: i32 = 1_000;

/// The bucket in which sellers have their objects.
#[derive(Debug, Clone)]
pub struct SellerBucket {
    s3: Client,
    name: String,
    platform_key: String,
}

impl SellerBucket {
    /// Uses the bucket with this name. The register is encrypted with the platform's key (id, ARN or alias).
    #[must_use]
    pub fn new(s3: Client, name: String, platform_key: String) -> Self {
        Self { s3, name, platform_key }
    }

    /// Deletes one page of the seller's objects, with all their versions and delete markers, and uploads that were never completed.
    /// Returns how many there were: none are left when it returns 0.
    pub async fn delete_some(&self, seller: SellerId) -> Result<usize, ErasureError> {
        for folder in FOLDERS {
            // The slash at the end keeps the prefix from matching anything but this seller's folder.
            let prefix = format!("{folder}/{seller}/");
            let deleted = self.delete_versions(&prefix).await? + self.abort_uploads(&prefix).await?;
            if deleted > 0 {
                return Ok(deleted);
            }
        }
        Ok(0)
    }

    async fn delete_versions(&self, prefix: &str) -> Result<usize, ErasureError> {
        let list = self.s3.list_object_versions().bucket(&self.name).prefix(prefix).max_keys(PAGE);
        let page = list.send().await.map_err(failed("S3", "list a seller's objects"))?;
        let doomed = identifiers(&page);
        let count = doomed.len();
        if count == 0 {
            return Ok(0);
        }
        let doomed = Delete::builder().set_objects(Some(doomed)).quiet(true).build();
        let doomed = doomed.map_err(failed("S3", "be told what to delete"))?;
        let delete = self.s3.delete_objects().bucket(&self.name).delete(doomed);
        let answer = delete.send().await.map_err(failed("S3", "delete a seller's objects"))?;
        match answer.errors() {
            [] => Ok(count),
            [first, ..] => Err(ErasureError::Refused {
                refused: answer.errors().len(),
                code: first.code().unwrap_or("unknown").to_owned(),
            }),
        }
    }

    async fn abort_uploads(&self, prefix: &str) -> Result<usize, ErasureError> {
        let list = self.s3.list_multipart_uploads().bucket(&self.name).prefix(prefix);
        let page = list.send().await.map_err(failed("S3", "list a seller's uploads"))?;
        for upload in page.uploads() {
            let abort = self.s3.abort_multipart_upload().bucket(&self.name);
            let abort = abort.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
            abort.send().await.map_err(failed("S3", "abort an upload"))?;
        }
        Ok(page.uploads().len())
    }

    /// Writes the seller into the register of closed sellers.
    pub async fn register_closed(&self, seller: SellerId) -> Result<(), ErasureError> {
        let put = self.s3.put_object().bucket(&self.name).key(format!("{REGISTER}{seller}"));
        let put = put
            .body(ByteStream::from_static(b""))
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(&self.platform_key)
            .ssekms_encryption_context(encryption_context(seller));
        put.send().await.map_err(failed("S3", "write the register of closed sellers"))?;
        Ok(())
    }

    /// Reads a page of the register: sellers after this position, and the position after which more follow, if any do. Whatever else
    /// is in the folder is passed over.
    pub async fn closed_sellers(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<SellerId>, Option<String>), ErasureError> {
        let list = self.s3.list_objects_v2().bucket(&self.name).prefix(REGISTER).max_keys(PAGE);
        let list = list.set_start_after(after);
        let page = list.send().await.map_err(failed("S3", "read the register of closed sellers"))?;
        let mut keys = page.contents().iter().filter_map(aws_sdk_s3::types::Object::key);
        let sellers = keys.clone().filter_map(|key| key.strip_prefix(REGISTER)?.parse().ok()).collect();
        let more = page.is_truncated() == Some(true);
        Ok((sellers, if more { keys.next_back().map(str::to_owned) } else { None }))
    }
}

/// The versions and the delete markers of a page.
fn identifiers(page: &ListObjectVersionsOutput) -> Vec<ObjectIdentifier> {
    let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
    let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
    versions
        .chain(markers)
        .filter_map(|(key, version)| {
            ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
        })
        .collect()
}
