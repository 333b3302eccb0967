//! Two sellers with data keys, a bucket, and raw pages that wait for their objects.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use aws_sdk_s3::config::Builder;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects, Sha256};
use robnu_storage::raw_page::raw_page_place;
use robnu_storage::{KeyService, SellerCipher};
use robnu_tenancy::{AccountId, SellerId};
use robnu_testkit::{Seller, local_aws};
use serde_json::Value;
use sweep::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{World, bucket, objects};

/// The fields of a line, which the documented table has as columns, in the order in which `serde_json` lists them.
pub const FIELDS: [&str; 8] =
    ["account_id", "body", "fetched_at", "kind", "page", "part", "run_id", "seller_id"];

/// An object of raw pages.
#[derive(Debug)]
pub struct Object {
    pub key: String,
    pub size: usize,
    pub sha256: Vec<u8>,
    pub lines: Vec<Value>,
}

pub struct Bed {
    pub world: World,
    pub context: Context,
    pub bucket: String,
    pub platform_key: String,
    kms: aws_sdk_kms::Client,
    s3: aws_sdk_s3::Client,
    ciphers: BTreeMap<SellerId, SellerCipher>,
}

impl Bed {
    pub async fn new() -> Self {
        let world = World::without_lanes().await;
        let kms = aws_sdk_kms::Client::new(&local_aws().await);
        let made = kms.create_key().send().await.expect("the local cloud makes a key");
        let platform_key = made.key_metadata.expect("a key has metadata").key_id;
        let keys = KeyService::new(kms.clone(), platform_key.clone());
        let mut ciphers = BTreeMap::new();
        for seller in [world.sellers.ours.id, world.sellers.theirs.id] {
            let key = keys.generate(seller).await.expect("KMS makes a key");
            let sql = "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4 where seller_id = $1";
            let wrapped = &key.wrapped;
            world.run_sql(sql, &[&seller, &wrapped.id, &wrapped.ciphertext, &wrapped.kms_key_id]).await;
            ciphers.insert(seller, key.cipher);
        }
        world.arrange("delete from robnu.raw_pages").await;
        let (s3, bucket) = bucket().await;
        let context =
            Context { keys, objects: objects(&bucket, &platform_key).await, ..world.another_context().await };
        Self { world, context, bucket, platform_key, kms, s3, ciphers }
    }

    pub fn ours(&self) -> &Seller {
        &self.world.sellers.ours
    }

    pub fn theirs(&self) -> &Seller {
        &self.world.sellers.theirs
    }

    /// A second function.
    pub async fn another(&self) -> Context {
        let keys = KeyService::new(self.kms.clone(), self.platform_key.clone());
        Context { keys, objects: self.context.objects.clone(), ..self.world.another_context().await }
    }

    /// Pages that were read then and wait for their object. Each has an order of its own.
    pub async fn wait(
        &self,
        seller: SellerId,
        account: AccountId,
        marketplace: &str,
        at: &str,
        pages: usize,
    ) {
        for _ in 0..pages {
            let body = format!(r#"{{"orders":[{{"order_id":"{}"}}]}}"#, Uuid::now_v7());
            self.wait_for(seller, account, marketplace, at, body.as_bytes()).await;
        }
    }

    /// A page of a size that cannot be compressed much.
    pub async fn wait_of_size(&self, seller: SellerId, account: AccountId, at: &str, bytes: usize) {
        let mut noise = String::with_capacity(2 * bytes + 64);
        // Hexadecimal digits shrink to a half.
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        for number in 0_u64.. {
            if noise.len() >= 2 * bytes {
                break;
            }
            let digest = Sha256::of(format!("{at}{number}").as_bytes());
            noise.extend(digest.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        }
        let body = format!(r#"{{"orders":[{{"order_id":"{noise}"}}]}}"#);
        self.wait_for(seller, account, "AJIO", at, body.as_bytes()).await;
    }

    async fn wait_for(&self, seller: SellerId, account: AccountId, marketplace: &str, at: &str, body: &[u8]) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(body).expect("a vector takes everything");
        let packed = packed.finish().expect("a vector takes everything");
        let id = Uuid::now_v7();
        let cipher = &self.ciphers[&seller];
        let sealed = cipher.seal(raw_page_place(id), &packed).expect("a page can be sealed");
        let digest = cipher.digest("raw_pages", "page_digest", body).to_vec();
        let sql = "insert into robnu.raw_pages (seller_id, id, account_id, marketplace_code, run_id, kind, page, part, fetched_at,
              time_folder, page_digest, page_enc)
            values ($1, $2, $3, $4, uuidv7(), 'ORDERS', 1, 1, $5::text::timestamptz,
              to_char($5::text::timestamptz at time zone 'UTC', 'YYYY-MM-DD/HH24'), $6, $7)";
        self.world.run_sql(sql, &[&seller, &id, &account, &marketplace, &at, &digest, &sealed]).await;
    }

    /// Pages of both sellers in several hours and accounts; returns how many.
    pub async fn many(&self) -> usize {
        for seller in [self.ours(), self.theirs()] {
            for hour in 8..11 {
                let at = format!("2026-11-20T{hour:02}:00:00Z");
                self.wait(seller.id, seller.ajio, "AJIO", &at, 3).await;
                self.wait(seller.id, seller.amazon, "AMAZON_IN", &at, 1).await;
            }
        }
        2 * 3 * 4
    }

    pub async fn waiting(&self) -> i64 {
        self.world.count("select count(*) from robnu.raw_pages where page_enc is not null").await
    }

    /// Time passes: what was leased may be taken again.
    pub async fn end_leases(&self) {
        let sql = "update robnu.raw_pages set leased_until = now() - interval '1 second' where leased_until is not null";
        self.world.run_sql(sql, &[]).await;
    }

    /// The objects in the bucket, by key.
    pub async fn objects(&self) -> Vec<Object> {
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await.expect("objects are listed");
        let mut found = Vec::new();
        for key in listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            let stored =
                self.s3.get_object().bucket(&self.bucket).key(&key).send().await.expect("it is there");
            let bytes = stored.body.collect().await.expect("it is read").to_vec();
            let mut text = String::new();
            MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("it is gzip");
            assert!(text.ends_with('\n'), "the last line has an end");
            let lines =
                text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
            let sha256 = Sha256::of(&bytes).as_bytes().to_vec();
            found.push(Object { key, size: bytes.len(), sha256, lines });
        }
        found
    }

    /// Fails unless so many different pages are there, each in one line of one object.
    pub async fn assert_each_page_is_in_one_line(&self, pages: usize) {
        let mut orders: Vec<String> = Vec::new();
        for object in self.objects().await {
            orders.extend(object.lines.iter().map(|line| line["body"]["orders"][0]["order_id"].to_string()));
        }
        let lines = orders.len();
        orders.sort();
        orders.dedup();
        assert_eq!((lines, orders.len()), (pages, pages), "lines, and different pages in them");
    }

    /// Objects in an S3 that answers 500, or never.
    pub async fn broken_objects(&self, answers: bool) -> Objects {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if answers {
                    let _ = stream.read(&mut [0; 1024]).await;
                    let answer = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    let _ = stream.write_all(answer.as_bytes()).await;
                } else {
                    open.push(stream);
                }
            }
        });
        let config = Builder::from(&local_aws().await).endpoint_url(endpoint).force_path_style(true).build();
        let settings = ObjectSettings {
            bucket: self.bucket.clone(),
            encryption: ObjectEncryption::PlatformKey(self.platform_key.clone()),
        };
        Objects::new(aws_sdk_s3::Client::from_conf(config), settings)
    }
}
