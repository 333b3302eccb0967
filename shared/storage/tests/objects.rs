//! Objects on the local S3, with two sellers: what is sent, what comes back, and that nobody reaches another's.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "objects/bed.rs"]
#[allow(dead_code, reason = "the tests of sessions use the rest")]
mod bed;

use bed::{TestBed, header, send};
use chrono::Utc;
use robnu_storage::StorageError;
use robnu_storage::objects::{
    ContentType, DocumentParent, DocumentType, Download, FileName, MarketplaceFolder, ObjectFault, ObjectKey,
    Sha256, Upload,
};
use robnu_tenancy::{Access, AccountId, ExportId, ImportId, ObjectId, Permission, SellerScope, ShipmentId};

/// A key that means the same to both sellers.
fn shared_key() -> ObjectKey {
    ObjectKey::ImportSource { account: AccountId::new(), import: ImportId::new(), marketplace: ajio() }
}

fn ajio() -> MarketplaceFolder {
    MarketplaceFolder::new("AJIO").unwrap()
}

fn is_missing(error: &StorageError) -> bool {
    matches!(error, StorageError::Object { fault: ObjectFault::Missing, .. })
}

#[tokio::test]
async fn each_seller_has_an_object_of_its_own_under_the_same_key() {
    let bed = TestBed::new().await;
    let key = shared_key();
    let stored = bed.ours.put(&key, ContentType::Csv, b"ours".to_vec()).await.unwrap();
    assert_eq!((stored.size, stored.sha256), (4, Sha256::of(b"ours")));
    assert!(is_missing(&bed.theirs.head(&key).await.unwrap_err()), "theirs is not there yet");
    bed.theirs.put(&key, ContentType::Csv, b"theirs".to_vec()).await.unwrap();

    let body = bed.ours.get(&key, None).await.unwrap();
    assert_eq!(body.head().content_type.as_deref(), Some("text/csv"));
    assert_eq!(body.into_bytes(4).await.unwrap(), b"ours");
    bed.ours.delete(&key, None).await.unwrap();
    bed.ours.delete(&key, None).await.unwrap();
    assert!(is_missing(&bed.ours.get(&key, None).await.unwrap_err()), "ours is gone");
    assert_eq!(bed.theirs.get(&key, None).await.unwrap().into_bytes(100).await.unwrap(), b"theirs");
}

#[tokio::test]
async fn every_write_states_its_encryption_and_its_digest() {
    let bed = TestBed::new().await;
    let key = shared_key();
    bed.ours.put(&key, ContentType::Csv, b"a,b".to_vec()).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"a,b").unwrap();
    bed.ours.put_file(&key, ContentType::Csv, file.path()).await.unwrap();

    let sent = bed.sent();
    assert_eq!(sent.len(), 2);
    for request in &sent {
        assert_eq!(request.method, "PUT");
        assert!(request.uri.contains(&bed.ours.key_text(&key)), "{}", request.uri);
        assert_eq!(header(request, "x-amz-server-side-encryption"), Some("aws:kms"));
        assert_eq!(header(request, "x-amz-server-side-encryption-aws-kms-key-id"), Some("alias/test"));
        assert_eq!(
            header(request, "x-amz-server-side-encryption-context"),
            Some(&*bed::context(bed.ours.seller_id()))
        );
        assert_eq!(header(request, "x-amz-checksum-sha256"), Some(&*bed::base64(Sha256::of(b"a,b"))));
        assert_eq!(header(request, "content-type"), Some("text/csv"));
        assert_eq!(header(request, "content-length"), Some("3"));
    }
    let head = bed.ours.head(&key).await.unwrap();
    assert!(head.is_kms_encrypted);
    assert_eq!((head.size, head.sha256), (3, Some(Sha256::of(b"a,b"))));
}

#[tokio::test]
async fn a_file_is_copied_in_and_out_and_no_further_than_the_reader_allows() {
    let bed = TestBed::new().await;
    let key = shared_key();
    let content: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &content).unwrap();
    let stored = bed.ours.put_file(&key, ContentType::Csv, file.path()).await.unwrap();
    assert_eq!((stored.size, stored.sha256), (12_000_000, Sha256::of(&content)));

    let back = tempfile::NamedTempFile::new().unwrap();
    let mut writer = tokio::fs::File::create(back.path()).await.unwrap();
    let read = bed.ours.get(&key, stored.version.as_deref()).await.unwrap();
    assert_eq!(read.write_to(&mut writer, 12_000_000).await.unwrap(), stored.sha256);
    assert_eq!(std::fs::read(back.path()).unwrap(), content);
    let refused = bed.ours.get(&key, None).await.unwrap().into_bytes(11_999_999).await.unwrap_err();
    assert!(matches!(refused, StorageError::ObjectSize { limit: 11_999_999 }), "{refused:?}");
}

#[tokio::test]
async fn a_transfer_goes_on_in_the_middle_of_an_object_of_its_own_seller() {
    let bed = TestBed::new().await;
    let key = shared_key();
    let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    let theirs: Vec<u8> = content.iter().map(|byte| !byte).collect();
    let stored = bed.ours.put(&key, ContentType::Csv, content.clone()).await.unwrap();
    bed.theirs.put(&key, ContentType::Csv, theirs).await.unwrap();
    // The local S3 sends all of a version whatever range is asked for, as servers may.
    for version in [None, stored.version.as_deref()] {
        for from in [0, 1, 70_000, content.len() - 1] {
            let mut body = bed.ours.get_from(&key, version, from as u64).await.unwrap();
            let (mut read, mut pieces) = (Vec::new(), Vec::new());
            loop {
                let piece = body.next_bytes(100_000).await.unwrap();
                if piece.is_empty() {
                    break;
                }
                pieces.push(piece.len());
                read.extend(piece);
            }
            assert!(read == content[from..], "from {from} of {version:?}");
            let last = pieces.pop();
            assert!(pieces.iter().all(|&length| length >= 100_000) && last.is_some(), "{pieces:?}");
        }
    }
    let behind = bed.ours.get_from(&key, None, content.len() as u64).await.unwrap_err();
    assert!(is_missing(&behind), "{behind:?}");
    let absent = bed.ours.get_from(&shared_key(), None, 5).await.unwrap_err();
    assert!(is_missing(&absent), "{absent:?}");
}

#[tokio::test]
async fn a_presigned_upload_binds_what_is_sent() {
    let bed = TestBed::new().await;
    let key = shared_key();
    let upload = Upload { content: ContentType::Csv, size: 3, sha256: Sha256::of(b"a,b"), from: Utc::now() };
    let presigned = bed.ours.presign_upload(&key, upload).await.unwrap();
    assert_eq!(bed.ours.presign_upload(&key, upload).await.unwrap().url, presigned.url, "it can be repeated");
    let minutes = (presigned.expires_at - Utc::now()).num_seconds();
    assert!((880..=900).contains(&minutes), "{minutes}");
    let names: Vec<&str> = presigned.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "content-length",
        "content-type",
        "x-amz-checksum-sha256",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-context",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
        let signed = presigned.url.split('&').find_map(|part| part.strip_prefix("X-Amz-SignedHeaders="));
        assert!(signed.unwrap().split("%3B").any(|one| one == name), "{name} is not signed: {signed:?}");
    }
    let (status, _) = send("PUT", &presigned.url, &presigned.headers, b"a,b").await;
    assert_eq!(status, 200);
    let head = bed.ours.head(&key).await.unwrap();
    assert_eq!((head.size, head.sha256, head.is_kms_encrypted), (3, Some(upload.sha256), true));
    assert!(!format!("{presigned:?}").contains("Signature"), "a URL is a secret");
}

#[tokio::test]
async fn a_presigned_download_is_an_attachment_with_a_harmless_name() {
    let bed = TestBed::new().await;
    let key = shared_key();
    bed.ours.put(&key, ContentType::Csv, b"<script>".to_vec()).await.unwrap();
    let file_name = FileName::clean("../रसीद\"\r\n<b>.html", ContentType::Pdf);
    let download = Download { version: None, content: ContentType::Pdf, file_name: &file_name };
    let presigned = bed.ours.presign_download(&key, download).await.unwrap();
    let seconds = (presigned.expires_at - Utc::now()).num_seconds();
    assert!((280..=300).contains(&seconds), "{seconds}");
    let (status, response) = send("GET", &presigned.url, &[], b"").await;
    assert_eq!(status, 200);
    let response = response.to_lowercase();
    assert!(response.contains("content-type: application/pdf\r\n"), "{response}");
    assert!(response.contains("content-disposition: attachment; filename=\""), "{response}");
    assert!(response.contains("cache-control: private, no-store"), "{response}");
    assert!(response.ends_with("<script>"), "{response}");
}

#[tokio::test]
async fn a_scope_reaches_objects_only_once_the_database_has_admitted_it() {
    let bed = TestBed::new().await;
    let refused =
        |scope: &SellerScope| matches!(bed.objects.for_scope(scope), Err(StorageError::NotAdmitted));
    // Our owner names their seller.
    let (owner, theirs) = (bed.sellers.ours.subject("OWNER"), bed.sellers.theirs.id);
    let stranger = SellerScope::for_member(owner, theirs, Permission::Membership, Access::Read);
    let foreign_job = SellerScope::for_job(theirs, bed.sellers.ours.ajio);
    // A viewer may not write documents.
    let viewer = bed.sellers.ours.scope_for("VIEWER", Permission::DocumentsWrite, Access::Write);
    for scope in [&stranger, &foreign_job, &viewer] {
        assert!(refused(scope), "the database was not asked");
        bed.database.read(scope, "select 1", &[]).await.unwrap_err();
        let mut session = bed.database.session(scope).await.unwrap();
        session.query("select 1", &[]).await.unwrap_err();
        session.rollback().await.unwrap();
        assert!(refused(scope), "the database has refused the scope");
    }
    let member = bed.sellers.ours.scope_for("VIEWER", Permission::Read, Access::Read);
    let unused = bed.database.session(&member).await.unwrap();
    assert!(refused(&member), "nothing was sent yet");
    unused.commit_with(&[("select 1", &[])]).await.unwrap();
    assert_eq!(bed.objects.for_scope(&member).unwrap().seller_id(), bed.sellers.ours.id);
    assert!(refused(&bed.sellers.ours.scope("VIEWER")), "another scope is another question");
}

#[tokio::test]
async fn the_database_and_the_handle_make_the_same_keys() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let superuser = bed.test.superuser().await;
    let shipment = superuser
        .query_one("select id from robnu.shipments where seller_id = $1", &[&ours.id])
        .await
        .unwrap()
        .get::<_, ShipmentId>(0);
    let at = Utc::now();
    let object = ObjectId::new();
    let parents = [
        ("order_id", *ours.order.as_uuid(), DocumentParent::Order(ours.order)),
        ("shipment_id", *shipment.as_uuid(), DocumentParent::Shipment(shipment)),
        ("claim_id", *ours.claim.as_uuid(), DocumentParent::Claim(ours.claim)),
        ("return_id", *ours.return_id.as_uuid(), DocumentParent::Return(ours.return_id)),
    ];
    let mut cases = Vec::new();
    for document_type in DocumentType::ALL {
        for (column, id, parent) in parents {
            cases.push((
                format!("kind, account_id, document_type, {column}, file_name"),
                format!("'DOCUMENT', '{}', '{}', '{id}', 'x'", ours.ajio, document_type.as_str()),
                ObjectKey::Document { account: ours.ajio, parent, document_type, object },
            ));
        }
    }
    let (import, export) = (ImportId::from(*object.as_uuid()), ExportId::from(*object.as_uuid()));
    cases.push((
        "kind, account_id, marketplace_code".into(),
        format!("'IMPORT', '{}', 'AJIO'", ours.ajio),
        ObjectKey::ImportSource { account: ours.ajio, import, marketplace: ajio() },
    ));
    let hour = at.format("%Y-%m-%d/%H");
    let marketplace = MarketplaceFolder::new("AMAZON_IN").unwrap();
    cases.push((
        "kind, account_id, marketplace_code, time_folder".into(),
        format!("'RAW_PAGES', '{}', 'AMAZON_IN', '{hour}'", ours.amazon),
        ObjectKey::RawPages { marketplace, read_at: at, object },
    ));
    cases.push((
        "kind, time_folder".into(),
        format!("'EXPORT', '{}'", at.date_naive()),
        ObjectKey::Export { date: at.date_naive(), export },
    ));
    for (columns, values, key) in cases {
        let sql = format!(
            "insert into robnu.storage_objects (seller_id, id, {columns}, bucket, content_type, size, checksum, kms_key)
             values ('{}', '{object}', {values}, 'bucket', 'text/csv', 1, sha256('x'), 'key') returning key",
            ours.id
        );
        let row = superuser.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(row.get::<_, String>(0), bed.ours.key_text(&key));
        superuser.execute("delete from robnu.storage_objects where id = $1", &[&object]).await.unwrap();
    }
    let customers: Vec<bool> = DocumentType::ALL.iter().map(|one| one.holds_customer()).collect();
    let names: Vec<&str> = DocumentType::ALL.iter().map(|one| one.as_str()).collect();
    let row = superuser
        .query_one("select array(select robnu.holds_customer(t) from unnest($1::text[]) t)", &[&names])
        .await
        .unwrap();
    assert_eq!(row.get::<_, Vec<bool>>(0), customers);
}
