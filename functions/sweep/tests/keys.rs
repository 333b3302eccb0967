//! The key sweep: every data key is wrapped by the KMS key that should wrap it, whatever was interrupted before.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::Duration;

use kit::wire::{Wire, new_kms_key};
use kit::{World, in_a_minute, keys_with};
use robnu_storage::{KeyService, NewDataKey, Place, WrappedKey};
use robnu_tenancy::SellerId;
use sweep::keys::Report;
use sweep::{Context, SweepError};
use tokio::time::Instant;
use uuid::Uuid;

const PLACE: Place = Place { table: "orders", column: "note", row: Uuid::nil() };

/// Two sellers whose data keys a platform key has wrapped, and what the keys have sealed.
struct Stand {
    world: World,
    wire: Wire,
    /// The stage is new for each test, so that the keys of other tests are none of ours.
    stage: String,
    platform: String,
    sealed: Vec<(SellerId, Vec<u8>)>,
}

impl Stand {
    async fn new() -> Self {
        let (world, wire) = (World::without_lanes().await, Wire::new());
        let platform = new_kms_key(&wire.kms()).await;
        let service = KeyService::new(wire.kms(), platform.clone());
        let mut sealed = Vec::new();
        for seller in [world.sellers.ours.id, world.sellers.theirs.id] {
            let key = service.generate(seller).await.unwrap();
            store(&world, seller, &key).await;
            sealed.push((seller, key.cipher.seal(PLACE, b"secret").unwrap()));
        }
        let stand = Self { world, wire, stage: Uuid::now_v7().to_string(), platform, sealed };
        stand.end_leases().await;
        stand
    }

    async fn end_leases(&self) {
        self.world.run_sql("update robnu.seller_keys set lease_expires_at = now()", &[]).await;
    }

    /// A key service that gives each seller a KMS key.
    fn per_seller(&self) -> KeyService {
        self.platform_only().with_seller_keys(self.stage.clone())
    }

    fn platform_only(&self) -> KeyService {
        KeyService::new(self.wire.kms(), self.platform.clone())
    }

    async fn context(&self, keys: KeyService) -> Context {
        Context { keys, ..self.world.another_context().await }
    }

    async fn sweep(&self, keys: KeyService) -> Report {
        keys_with(&self.context(keys).await, in_a_minute()).await.unwrap()
    }

    async fn stored(&self, seller: SellerId) -> WrappedKey {
        let sql = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
        WrappedKey::from_row(&self.world.row(sql, &[&seller]).await).unwrap().unwrap()
    }

    /// The KMS keys with the tags of a seller and this stage.
    async fn made_for(&self, seller: SellerId) -> Vec<String> {
        let kms = self.wire.kms();
        let all = kms.list_keys().limit(1_000).send().await.unwrap();
        let mut ours = Vec::new();
        for key in all.keys() {
            let tags = kms.list_resource_tags().key_id(key.key_id().unwrap()).send().await.unwrap();
            let has = |name: &str, value: &str| {
                tags.tags().iter().any(|tag| tag.tag_key() == name && tag.tag_value() == value)
            };
            if has("robnu:seller", &seller.to_string()) && has("robnu:stage", &self.stage) {
                ours.push(key.key_arn().unwrap().to_owned());
            }
        }
        ours
    }

    /// Every data key is wrapped by the one KMS key of its seller, which has the seller's name, and opens what it has sealed.
    async fn assert_all_have_their_own(&self) {
        for (seller, sealed) in &self.sealed {
            let made = self.made_for(*seller).await;
            assert_eq!(made.len(), 1, "KMS keys of {seller}: {made:?}");
            let stored = self.stored(*seller).await;
            assert_eq!(stored.kms_key_id, made[0], "the key that wraps {seller}'s data key");
            let name = format!("alias/robnu/seller-{seller}");
            assert_eq!(self.per_seller().kms_key_of(*seller), name);
            let named = self.wire.kms().describe_key().key_id(name).send().await.unwrap();
            assert_eq!(named.key_metadata.unwrap().arn.unwrap(), made[0], "the key with {seller}'s name");
            self.assert_opens(*seller, sealed, &stored).await;
        }
    }

    async fn assert_opens(&self, seller: SellerId, sealed: &[u8], stored: &WrappedKey) {
        let service = self.platform_only();
        let ring = service.ring(seller, vec![stored.clone()]).unwrap();
        assert_eq!(&*ring.open(PLACE, sealed).await.unwrap(), b"secret");
    }
}

async fn store(world: &World, seller: SellerId, key: &NewDataKey) {
    let WrappedKey { id, ciphertext, kms_key_id } = &key.wrapped;
    let sql = "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4 where seller_id = $1";
    assert_eq!(world.run_sql(sql, &[&seller, id, ciphertext, kms_key_id]).await, 1);
}

#[tokio::test]
async fn a_seller_without_a_kms_key_gets_one_that_wraps_its_data_key_and_no_row_is_touched() {
    let stand = Stand::new().await;
    let before = stand.stored(stand.sealed[0].0).await;
    let others = stand.world.tables_but(&["seller_keys"]).await;
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let untouched = stand.world.fingerprint(&others).await;
    let report = stand.sweep(stand.per_seller()).await;
    assert_eq!(report, Report { keys_seen: 2, keys_rewrapped: 2, ..Report::default() });
    stand.assert_all_have_their_own().await;
    let after = stand.stored(stand.sealed[0].0).await;
    assert_eq!(after.id, before.id, "it is the same data key");
    assert_ne!(after.ciphertext, before.ciphertext, "in another wrapping");
    assert_eq!(stand.world.fingerprint(&others).await, untouched);
    for rotated in stand.wire.keys("EnableKeyRotation") {
        assert!(rotated.starts_with("arn:aws:kms:"), "{rotated}");
    }
    assert_eq!(stand.wire.requests("EnableKeyRotation").len(), 2);
    // The next sweep has nothing to do, although nobody holds a lease any more.
    stand.end_leases().await;
    let again = stand.sweep(stand.per_seller()).await;
    assert_eq!(again, Report { keys_seen: 2, ..Report::default() });
    stand.assert_all_have_their_own().await;
}

#[tokio::test]
async fn kms_is_asked_with_the_stored_key_to_unwrap_and_with_the_sellers_key_to_wrap() {
    let stand = Stand::new().await;
    stand.sweep(stand.per_seller()).await;
    assert_eq!(stand.wire.keys("Decrypt"), [stand.platform.clone(), stand.platform.clone()]);
    let wrapping = stand.wire.requests("Encrypt");
    let mut sellers: Vec<SellerId> = stand.sealed.iter().map(|(seller, _)| *seller).collect();
    sellers.sort();
    for (request, seller) in wrapping.iter().zip(sellers) {
        assert_eq!(request["KeyId"], stand.made_for(seller).await[0]);
        assert_eq!(request["EncryptionContext"]["robnu:seller"], seller.to_string());
    }
    assert_eq!(wrapping.len(), 2);
}

#[tokio::test]
async fn a_sweep_that_dies_anywhere_is_continued_and_makes_no_second_key() {
    for operation in ["CreateKey", "EnableKeyRotation", "CreateAlias", "Decrypt", "Encrypt"] {
        let stand = Stand::new().await;
        let context = stand.context(stand.per_seller()).await;
        let reached = stand.wire.hold(operation);
        tokio::select! {
            outcome = keys_with(&context, in_a_minute()) => panic!("{operation}: {outcome:?}"),
            () = reached.notified() => {}
        }
        // Both sellers can be served as before.
        for (seller, sealed) in &stand.sealed {
            stand.assert_opens(*seller, sealed, &stand.stored(*seller).await).await;
        }
        // While the lease lasts, the dead sweep might still be at work; so only the other seller is served.
        let report = stand.sweep(stand.per_seller()).await;
        assert_eq!(report, Report { keys_seen: 1, keys_rewrapped: 1, ..Report::default() }, "{operation}");
        stand.end_leases().await;
        let report = stand.sweep(stand.per_seller()).await;
        assert_eq!(report, Report { keys_seen: 2, keys_rewrapped: 1, ..Report::default() }, "{operation}");
        stand.assert_all_have_their_own().await;
    }
}

#[tokio::test]
async fn two_sweeps_at_once_make_one_key_for_each_seller() {
    let stand = Stand::new().await;
    let (first, second) = (stand.context(stand.per_seller()).await, stand.context(stand.per_seller()).await);
    let (first, second) = tokio::join!(keys_with(&first, in_a_minute()), keys_with(&second, in_a_minute()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.keys_rewrapped + second.keys_rewrapped, 2, "{first:?} {second:?}");
    stand.assert_all_have_their_own().await;
}

#[tokio::test]
async fn a_key_on_which_sign_up_holds_the_lease_is_left_alone() {
    let stand = Stand::new().await;
    let ours = stand.sealed[0].0;
    let lease =
        "update robnu.seller_keys set lease_expires_at = now() + interval '1 minute' where seller_id = $1";
    stand.world.run_sql(lease, &[&ours]).await;
    let before = stand.stored(ours).await;
    let report = stand.sweep(stand.per_seller()).await;
    assert_eq!(report, Report { keys_seen: 1, keys_rewrapped: 1, ..Report::default() });
    assert_eq!(stand.stored(ours).await, before);
    assert_eq!(stand.made_for(ours).await, [""; 0]);
}

#[tokio::test]
async fn when_the_setting_is_turned_off_the_platforms_key_wraps_all_data_keys_again() {
    let stand = Stand::new().await;
    stand.sweep(stand.per_seller()).await;
    stand.end_leases().await;
    let report = stand.sweep(stand.platform_only()).await;
    assert_eq!(report, Report { keys_seen: 2, keys_rewrapped: 2, ..Report::default() });
    for (seller, sealed) in &stand.sealed {
        let stored = stand.stored(*seller).await;
        assert_eq!(stored.kms_key_id, stand.platform);
        stand.assert_opens(*seller, sealed, &stored).await;
    }
}

#[tokio::test]
async fn a_new_platform_key_wraps_all_data_keys_and_the_old_one_can_go() {
    let stand = Stand::new().await;
    let present = new_kms_key(&stand.wire.kms()).await;
    let service = || KeyService::new(stand.wire.kms(), present.clone());
    let report = stand.sweep(service()).await;
    assert_eq!(report, Report { keys_seen: 2, keys_rewrapped: 2, ..Report::default() });
    let kms = stand.wire.kms();
    kms.schedule_key_deletion().key_id(&stand.platform).pending_window_in_days(7).send().await.unwrap();
    for (seller, sealed) in &stand.sealed {
        stand.assert_opens(*seller, sealed, &stand.stored(*seller).await).await;
    }
}

#[tokio::test]
async fn one_sellers_failure_does_not_hold_up_the_others_and_fails_the_sweep_at_its_end() {
    let stand = Stand::new().await;
    let (ours, theirs) = (stand.sealed[0].0, stand.sealed[1].0);
    stand
        .world
        .run_sql("update robnu.seller_keys set wrapped_key = '\\x00' where seller_id = $1", &[&ours])
        .await;
    let context = stand.context(stand.per_seller()).await;
    let failure = keys_with(&context, in_a_minute()).await;
    assert!(matches!(failure, Err(SweepError::KeysLeft { keys: 1 })), "{failure:?}");
    assert_eq!(stand.stored(theirs).await.kms_key_id, stand.made_for(theirs).await[0]);
    assert_eq!(stand.stored(ours).await.kms_key_id, stand.platform);
}

#[tokio::test]
async fn a_suspended_sellers_key_stays_as_it_is_until_the_seller_is_resumed() {
    let stand = Stand::new().await;
    let ours = stand.sealed[0].0;
    stand.world.suspend(ours).await;
    let report = stand.sweep(stand.per_seller()).await;
    assert_eq!(report, Report { keys_seen: 1, keys_rewrapped: 1, ..Report::default() });
    stand.world.resume(ours).await;
    stand.end_leases().await;
    stand.sweep(stand.per_seller()).await;
    stand.assert_all_have_their_own().await;
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let stand = Stand::new().await;
    let context = stand.context(stand.per_seller()).await;
    let report = keys_with(&context, Instant::now() + Duration::from_secs(1)).await.unwrap();
    assert_eq!(report, Report { time_short: true, ..Report::default() });
    assert_eq!(stand.wire.requests("CreateKey").len(), 1, "only the test's own platform key");
}
