//! Two sellers with secrets, customers and objects, one of which is to be closed.

use aws_sdk_s3::types::ObjectVersion;
use robnu_storage::objects::FOLDERS;
use robnu_storage::{KeyService, Place, SellerCipher, WrappedKey};
use robnu_tenancy::SellerId;
use robnu_testkit::{Seller, local_aws};
use sweep::Context;

use super::{World, bucket, erasure};

/// What the other seller's rows and objects may not change in.
#[derive(Debug, PartialEq, Eq)]
pub struct Untouched {
    rows: Vec<String>,
    objects: Vec<String>,
}

/// What is sealed for each seller: table, column, the name that the ciphertext is bound to, and the column of the row's id.
const SEALED: [(&str, &str, &str, &str); 3] = [
    ("order_pii", "customer_name_enc", "customer_name_enc", "order_id"),
    ("ajio_account_details", "password_enc", "password", "account_id"),
    ("quarantined_records", "record_enc", "record", "id"),
];

/// A ciphertext that was copied before the closing, and the row that it belongs to.
pub struct Copied {
    pub place: Place,
    pub sealed: Vec<u8>,
}

pub struct Bed {
    pub world: World,
    pub context: Context,
    pub kms: aws_sdk_kms::Client,
    pub s3: aws_sdk_s3::Client,
    pub bucket: String,
    pub platform_key: String,
}

impl Bed {
    /// Two sellers, each with a data key under the platform's key, secrets under it, and objects.
    pub async fn new() -> Self {
        Box::pin(Self::make()).await
    }

    async fn make() -> Self {
        let world = World::without_lanes().await;
        let kms = aws_sdk_kms::Client::new(&local_aws().await);
        let made = kms.create_key().send().await.expect("the local cloud makes a key");
        let platform_key = made.key_metadata.expect("a key has metadata").key_id;
        let (s3, bucket) = bucket().await;
        let context =
            Context { erasure: erasure(&bucket, &platform_key).await, ..world.another_context().await };
        let bed = Self { world, context, kms, s3, bucket, platform_key };
        for seller in [&bed.world.sellers.ours, &bed.world.sellers.theirs] {
            bed.give_key(seller, &bed.platform_key).await;
            bed.put_objects(seller.id).await;
        }
        bed
    }

    pub fn ours(&self) -> &Seller {
        &self.world.sellers.ours
    }

    pub fn theirs(&self) -> &Seller {
        &self.world.sellers.theirs
    }

    /// A key service with an empty cache, as in a new container.
    pub fn keys(&self) -> KeyService {
        KeyService::new(self.kms.clone(), self.platform_key.clone())
    }

    /// Gives a seller a data key that this KMS key wraps, and seals a customer, a password and a record with it.
    pub async fn give_key(&self, seller: &Seller, kms_key: &str) {
        let service = KeyService::new(self.kms.clone(), kms_key.to_owned());
        let key = service.generate(seller.id).await.expect("KMS makes a key");
        let sql = "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4, lease_expires_at = now() where seller_id = $1";
        self.world
            .run_sql(sql, &[&seller.id, &key.wrapped.id, &key.wrapped.ciphertext, &key.wrapped.kms_key_id])
            .await;
        for (table, column, bound_to, row) in SEALED {
            let sql = format!("select {row} from robnu.{table} where seller_id = $1");
            let place =
                Place { table, column: bound_to, row: self.world.row(&sql, &[&seller.id]).await.get(0) };
            let sealed = key.cipher.seal(place, b"Asha Rao").expect("a text can be sealed");
            let sql = format!("update robnu.{table} set {column} = $2 where seller_id = $1");
            self.world.run_sql(&sql, &[&seller.id, &sealed]).await;
        }
    }

    /// Puts an object into each folder of the seller: two versions, one of them deleted again, and an upload that never ended.
    pub async fn put_objects(&self, seller: SellerId) {
        for folder in FOLDERS {
            let key = format!("{folder}/{seller}/one");
            for bytes in [b"first", b"later"] {
                let put = self.s3.put_object().bucket(&self.bucket).key(&key).body(bytes.to_vec().into());
                put.send().await.expect("an object is put");
            }
            let delete = self.s3.delete_object().bucket(&self.bucket).key(&key);
            delete.send().await.expect("an object is deleted");
            let upload = self.s3.create_multipart_upload().bucket(&self.bucket).key(format!("{key}-upload"));
            upload.send().await.expect("an upload begins");
        }
    }

    /// Makes our seller's closing due. It has runs that are neither at work nor at an end.
    pub async fn closing_is_due(&self) {
        let runs = format!(
            "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
             select '{0}', '{1}', 'AJIO', 'LISTINGS', 'SCHEDULE', state from unnest(array['QUEUED', 'DEAD_LETTERED']) state",
            self.ours().id,
            self.ours().ajio
        );
        self.world.arrange(&runs).await;
        self.due_in("-1 second").await;
    }

    /// Our seller asked to be closed; its time to take that back ends then.
    pub async fn due_in(&self, time: &str) {
        self.world
            .arrange(&format!(
                "update robnu.sellers set closing_asked_at = now() - interval '30 days', closing_reason = 'moving on',
                   closes_at = now() + interval '{time}' where seller_id = '{}'",
                self.ours().id
            ))
            .await;
    }

    /// Copies the seller's wrapped key and its ciphertexts, as a backup would.
    pub async fn copy(&self, seller: &Seller) -> (WrappedKey, Vec<Copied>) {
        let sql = "select id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
        let row = self.world.row(sql, &[&seller.id]).await;
        let key = WrappedKey { id: row.get(0), ciphertext: row.get(1), kms_key_id: row.get(2) };
        (key, self.copy_ciphertexts(seller).await)
    }

    /// Copies the seller's ciphertexts.
    pub async fn copy_ciphertexts(&self, seller: &Seller) -> Vec<Copied> {
        let mut copied = Vec::new();
        for (table, column, bound_to, row) in SEALED {
            let sql = format!("select {row}, {column} from robnu.{table} where seller_id = $1");
            let found = self.world.row(&sql, &[&seller.id]).await;
            let place = Place { table, column: bound_to, row: found.get(0) };
            copied.push(Copied { place, sealed: found.get(1) });
        }
        copied
    }

    /// The seller's rows with the transactions that wrote them, and its objects.
    pub async fn fingerprint(&self, seller: SellerId) -> Untouched {
        let sql = "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'seller_id'
                   where c.relnamespace = 'robnu'::regnamespace and c.relkind = 'r' order by 1";
        let tables = self.world.superuser.query(sql, &[]).await.expect("the catalogue is read");
        let mut rows = Vec::new();
        for table in tables.iter().map(|row| row.get::<_, String>(0)) {
            let sql = format!(
                "select '{table} ' || t.xmin || t::text from robnu.{table} t where seller_id = $1 order by 1"
            );
            let found = self.world.superuser.query(&sql, &[&seller]).await.expect("a table is read");
            rows.extend(found.iter().map(|row| row.get::<_, String>(0)));
        }
        let sql = format!(
            "select 'person ' || p.xmin || p::text from robnu.people p where subject like '%@{seller}' order by 1"
        );
        let people = self.world.superuser.query(&sql, &[]).await.expect("people are read");
        rows.extend(people.iter().map(|row| row.get::<_, String>(0)));
        Untouched { rows, objects: self.objects(seller).await }
    }

    /// Every version, delete marker and unfinished upload in the seller's folders.
    pub async fn objects(&self, seller: SellerId) -> Vec<String> {
        let mut found = Vec::new();
        for folder in FOLDERS {
            let prefix = format!("{folder}/{seller}/");
            let list = self.s3.list_object_versions().bucket(&self.bucket).prefix(&prefix);
            let page = list.send().await.expect("versions are listed");
            let version = |one: &ObjectVersion| format!("{:?} {:?} {:?}", one.key, one.version_id, one.e_tag);
            found.extend(page.versions().iter().map(version));
            found.extend(
                page.delete_markers().iter().map(|one| format!("{:?} {:?}", one.key, one.version_id)),
            );
            let list = self.s3.list_multipart_uploads().bucket(&self.bucket).prefix(&prefix);
            let page = list.send().await.expect("uploads are listed");
            found.extend(page.uploads().iter().map(|one| format!("{:?} {:?}", one.key, one.upload_id)));
        }
        found
    }

    /// Fails unless our seller is closed and nothing of it is left that it should not have.
    pub async fn assert_closed(&self) {
        let id = self.ours().id;
        let state = "select closing_step || ' ' || (closed_at is not null) || coalesce(closing_reason, '') from robnu.sellers where seller_id = $1";
        assert_eq!(self.world.row(state, &[&id]).await.get::<_, String>(0), "CLOSED true");
        for (what, rows) in [
            ("members", "robnu.members where seller_id = 'SELLER'"),
            ("people", "robnu.people where subject like '%@SELLER'"),
            ("data keys", "robnu.seller_keys where seller_id = 'SELLER'"),
            ("customers", "robnu.order_pii where seller_id = 'SELLER'"),
            ("records", "robnu.quarantined_records where seller_id = 'SELLER'"),
            ("raw pages", "robnu.raw_pages where seller_id = 'SELLER'"),
            ("credentials", "robnu.ajio_account_details where seller_id = 'SELLER'"),
            ("invitations", "robnu.invitations where seller_id = 'SELLER'"),
            ("stored responses", "robnu.idempotency_keys where seller_id = 'SELLER'"),
            (
                "files",
                "robnu.storage_objects where seller_id = 'SELLER' and (state <> 'DELETED' or file_name <> 'removed')",
            ),
            (
                "texts of claims",
                "robnu.claims where seller_id = 'SELLER' and (note is not null or status_reason <> 'removed')",
            ),
            ("scans", "robnu.unmatched_scans where seller_id = 'SELLER'"),
            (
                "addresses in the trail",
                "robnu.audit_events where seller_id = 'SELLER' and actor_email is not null",
            ),
            (
                "live accounts",
                "robnu.marketplace_accounts where seller_id = 'SELLER' and status <> 'DISCONNECTED'",
            ),
            ("schedules", "robnu.schedules where seller_id = 'SELLER' and enabled"),
            (
                "runs",
                "robnu.sync_runs where seller_id = 'SELLER' and state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED')",
            ),
            ("sessions", "robnu.impersonation_sessions where seller_id = 'SELLER' and ended_at is null"),
        ] {
            let sql = format!("select count(*) from {}", rows.replace("SELLER", &id.to_string()));
            assert_eq!(self.world.count(&sql).await, 0, "{what} are left");
        }
        assert_eq!(self.objects(id).await, [""; 0]);
        let books = format!("select count(*) from robnu.orders where seller_id = '{id}'");
        assert_eq!(self.world.count(&books).await, 1, "the books of account stay");
    }

    /// Opens ciphertexts with a cipher and returns how many it opened.
    pub fn opened(cipher: &SellerCipher, copied: &[Copied]) -> usize {
        copied.iter().filter(|one| cipher.open(one.place, &one.sealed).is_ok()).count()
    }
}
