//! Data keys at the local KMS: by which KMS key they are unwrapped, and how often.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod wire;

use robnu_storage::{KeyService, NewDataKey, Place, StorageError};
use robnu_tenancy::SellerId;
use uuid::Uuid;
use wire::{Wire, new_kms_key};

fn place(row: u128) -> Place {
    Place { table: "orders", column: "note", row: Uuid::from_u128(row) }
}

/// A container: a key service with an empty cache over a connection of its own, wrapping with `platform_key`.
fn container(platform_key: &str) -> (KeyService, Wire) {
    let wire = Wire::new();
    (KeyService::new(wire.kms(), platform_key.to_owned()), wire)
}

async fn generate(seller: SellerId) -> (NewDataKey, String) {
    let platform_key = new_kms_key(&Wire::new().kms()).await;
    let (service, _) = container(&platform_key);
    (service.generate(seller).await.unwrap(), platform_key)
}

#[tokio::test]
async fn a_stored_key_is_unwrapped_by_the_kms_key_that_wrapped_it_after_the_platform_has_another() {
    let seller = SellerId::new();
    let (key, former) = generate(seller).await;
    assert_eq!(key.wrapped.kms_key_id, former);
    let sealed = key.cipher.seal(place(1), b"secret").unwrap();
    let present = new_kms_key(&Wire::new().kms()).await;
    let (service, wire) = container(&present);
    let ring = service.ring(seller, vec![key.wrapped]).unwrap();
    assert_eq!(&*ring.open(place(1), &sealed).await.unwrap(), b"secret");
    assert_eq!(wire.keys("Decrypt"), [former], "the key that KMS is asked to unwrap with");
    assert_eq!(service.generate(seller).await.unwrap().wrapped.kms_key_id, present);
}

#[tokio::test]
async fn kms_unwraps_once_per_container_and_seller_and_not_per_row() {
    let (ours, theirs) = (SellerId::new(), SellerId::new());
    let ((our_key, platform), (their_key, _)) = (generate(ours).await, generate(theirs).await);
    let sealed: Vec<Vec<u8>> =
        (0..50).map(|row| our_key.cipher.seal(place(row), b"secret").unwrap()).collect();
    let (service, wire) = container(&platform);
    for _ in 0..2 {
        let ring = service.ring(ours, vec![our_key.wrapped.clone()]).unwrap();
        for (row, sealed) in (0..).zip(&sealed) {
            ring.open(place(row), sealed).await.unwrap();
        }
        ring.sealer().await.unwrap();
    }
    assert_eq!(wire.requests("Decrypt").len(), 1, "unwraps of one seller's key");
    service.ring(theirs, vec![their_key.wrapped]).unwrap().sealer().await.unwrap();
    assert_eq!(wire.requests("Decrypt").len(), 2, "another seller's key");
    let (another, its_wire) = container(&platform);
    another.ring(ours, vec![our_key.wrapped]).unwrap().open(place(0), &sealed[0]).await.unwrap();
    assert_eq!(its_wire.requests("Decrypt").len(), 1, "another container");
}

#[tokio::test]
async fn rows_that_are_opened_at_once_wait_for_one_unwrap() {
    let seller = SellerId::new();
    let (key, platform) = generate(seller).await;
    let (service, wire) = container(&platform);
    let (first, second, third) = tokio::join!(
        service.cipher(seller, &key.wrapped),
        service.cipher(seller, &key.wrapped),
        service.cipher(seller, &key.wrapped)
    );
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(wire.requests("Decrypt").len(), 1);
}

#[tokio::test]
async fn the_newest_key_seals_each_key_opens_its_own_and_only_needed_keys_are_unwrapped() {
    let seller = SellerId::new();
    let (first, platform) = generate(seller).await;
    let (second, _) = generate(seller).await;
    let (service, wire) = container(&platform);
    // The order in which the keys are read does not matter.
    let ring = service.ring(seller, vec![second.wrapped.clone(), first.wrapped.clone()]).unwrap();
    let new = ring.sealer().await.unwrap().seal(place(1), b"new").unwrap();
    assert_eq!(new[1..17], *second.wrapped.id.as_bytes(), "the head names the newest key");
    assert_eq!(&*ring.open(place(1), &new).await.unwrap(), b"new");
    assert_eq!(wire.requests("Decrypt").len(), 1, "the older key was not needed yet");
    let old = first.cipher.seal(place(2), b"old").unwrap();
    assert_eq!(&*ring.open(place(2), &old).await.unwrap(), b"old");
    assert_eq!(wire.requests("Decrypt").len(), 2);
}

#[tokio::test]
async fn a_ciphertext_of_no_known_key_fails_as_an_altered_one_does_and_kms_is_not_asked() {
    let seller = SellerId::new();
    let ((key, platform), (other, _)) = (generate(seller).await, generate(seller).await);
    let (service, wire) = container(&platform);
    let ring = service.ring(seller, vec![key.wrapped]).unwrap();
    for sealed in [other.cipher.seal(place(1), b"secret").unwrap(), vec![1; 60], Vec::new()] {
        let failure = ring.open(place(1), &sealed).await;
        assert!(matches!(failure, Err(StorageError::Sealed { .. })), "{failure:?}");
    }
    assert_eq!(wire.requests("Decrypt").len(), 0);
    assert!(service.ring(seller, Vec::new()).is_none(), "a ring has at least one key");
}

#[tokio::test]
async fn a_key_unwraps_only_for_the_seller_that_it_was_wrapped_for() {
    let (key, platform) = generate(SellerId::new()).await;
    let (service, _) = container(&platform);
    let failure = service.cipher(SellerId::new(), &key.wrapped).await;
    assert!(matches!(failure, Err(StorageError::Kms { .. })), "{failure:?}");
}
