//! Archives as their readers find them, and files of sellers to put into them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use robnu_dispatch::ExportMessage;
use robnu_storage::objects::Sha256;
use robnu_tenancy::ObjectId;
use robnu_testkit::Seller;
use serde_json::Value;
use zip::ZipArchive;

use super::TestBed;

/// The files of an archive by name. The reader compares each checksum.
pub async fn archived(bed: &TestBed, message: ExportMessage) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bed.bytes(message).await)).unwrap();
    let names = archive.len();
    let files: BTreeMap<_, _> = (0..names)
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect();
    assert_eq!(files.len(), names, "two files have one name");
    files
}

/// The manifest of an archive.
pub fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Value {
    serde_json::from_slice(&files["manifest.json"]).unwrap()
}

/// Bytes that nothing compresses, others for each seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(length.div_ceil(8)).flatten().collect();
    bytes.truncate(length);
    bytes
}

impl TestBed {
    /// Stores a document of a seller's claim as the API does, and returns its id.
    pub async fn document(&self, seller: &Seller, of_type: &str, media: &str, bytes: &[u8]) -> ObjectId {
        let sql = "insert into robnu.storage_objects (seller_id, id, account_id, kind, document_type, claim_id, bucket, content_type, size,
              checksum, kms_key, file_name)
            select seller_id, $2, account_id, 'DOCUMENT', $3, id, 'bucket', $4, $5, $6, 'alias/test', '../../same name'
            from robnu.claims where seller_id = $1
            returning key";
        let id = ObjectId::new();
        let (size, digest) = (i64::try_from(bytes.len()).unwrap(), Sha256::of(bytes));
        let row = self
            .superuser
            .query_one(sql, &[&seller.id, &id, &of_type, &media, &size, &digest.as_bytes()])
            .await
            .unwrap();
        let version = self.upload(row.get(0), bytes).await;
        let stored = "update robnu.storage_objects set state = 'STORED', version_id = $2 where id = $1";
        self.superuser.execute(stored, &[&id, &version]).await.unwrap();
        id
    }

    /// Puts the bytes of a seller's imported file into the bucket.
    pub async fn imported(&self, seller: &Seller, bytes: &[u8]) -> ObjectId {
        let sql = "update robnu.storage_objects set size = $3, checksum = $4 where seller_id = $1 and id = $2 returning id, key";
        let (size, digest) = (i64::try_from(bytes.len()).unwrap(), Sha256::of(bytes));
        let row = self
            .superuser
            .query_one(sql, &[&seller.id, &seller.import, &size, &digest.as_bytes()])
            .await
            .unwrap();
        self.upload(row.get(1), bytes).await;
        row.get(0)
    }

    /// Writes bytes under a key, and returns their version.
    pub async fn upload(&self, key: &str, bytes: &[u8]) -> Option<String> {
        let request = self.s3.put_object().bucket(&self.bucket).key(key).body(bytes.to_vec().into());
        request.send().await.unwrap().version_id
    }
}
