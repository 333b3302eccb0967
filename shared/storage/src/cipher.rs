//! AES-256-GCM under a seller's data key, and digests under a key derived from it.
//!
//! Layout of a ciphertext: format (1 byte, 1) · id of the data key (16) · nonce (12) · sealed text with its tag (16).
//!
//! The clear keys lie in buffers that are overwritten when the cipher is dropped. What ring makes of a key for one call lies on
//! the stack for the length of the call; ring does not overwrite it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use robnu_tenancy::SellerId;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::StorageError;

const FORMAT: u8 = 1;
const HEAD_LEN: usize = 1 + 16 + NONCE_LEN;

/// Where a ciphertext lives; part of its associated data.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// The row's id, unique within the seller's part of the table.
    pub row: Uuid,
}

/// Encrypts and decrypts one seller's columns.
pub struct SellerCipher {
    seller: SellerId,
    key_id: Uuid,
    clear_key: Zeroizing<Vec<u8>>,
    digest_key: Zeroizing<Vec<u8>>,
    random: SystemRandom,
}

impl std::fmt::Debug for SellerCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SellerCipher").field("seller", &self.seller).finish_non_exhaustive()
    }
}

impl SellerCipher {
    /// Makes a cipher from an unwrapped data key of 32 bytes.
    pub fn new(seller: SellerId, key_id: Uuid, clear_key: &[u8]) -> Result<Self, StorageError> {
        if clear_key.len() != AES_256_GCM.key_len() {
            return Err(StorageError::KeyShape);
        }
        let digest_key = derive_digest_key(seller, clear_key)?;
        let clear_key = Zeroizing::new(clear_key.to_vec());
        Ok(Self { seller, key_id, clear_key, digest_key, random: SystemRandom::new() })
    }

    /// Returns the key in the form that ring works with. It is made for each call, because ring never overwrites it.
    fn key(&self) -> Result<LessSafeKey, ring::error::Unspecified> {
        UnboundKey::new(&AES_256_GCM, &self.clear_key).map(LessSafeKey::new)
    }

    /// Encrypts `clear` for `place`. Two calls never return the same bytes.
    pub fn seal(&self, place: Place, clear: &[u8]) -> Result<Vec<u8>, StorageError> {
        let sealed = || StorageError::sealed(place);
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| sealed())?;
        let mut text = clear.to_vec();
        let key = self.key().map_err(|_| sealed())?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.bind(place), &mut text)
            .map_err(|_| sealed())?;
        let mut ciphertext = Vec::with_capacity(HEAD_LEN + text.len());
        ciphertext.push(FORMAT);
        ciphertext.extend_from_slice(self.key_id.as_bytes());
        ciphertext.extend_from_slice(&nonce);
        ciphertext.extend_from_slice(&text);
        Ok(ciphertext)
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, place: Place, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let sealed = || StorageError::sealed(place);
        let (head, text) = ciphertext.split_at_checked(HEAD_LEN).ok_or_else(sealed)?;
        if key_of(ciphertext) != Some(self.key_id) {
            return Err(sealed());
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[17..]).map_err(|_| sealed())?;
        let mut clear = Zeroizing::new(text.to_vec());
        let key = self.key().map_err(|_| sealed())?;
        let length = key.open_in_place(nonce, self.bind(place), &mut clear).map_err(|_| sealed())?.len();
        clear.truncate(length);
        Ok(clear)
    }

    /// Returns the HMAC-SHA256 of `clear`, by which a column's text is recognised when it comes again. It tells nothing
    /// without the data key: the same text has another digest for another seller or another column.
    #[must_use]
    pub fn digest(&self, table: &'static str, column: &'static str, clear: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.digest_key));
        context.update(format!("{table}|{column}|").as_bytes());
        context.update(clear);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    /// The associated data: seller, table, column and row, with separators that none of them can hold.
    fn bind(&self, place: Place) -> Aad<String> {
        Aad::from(format!("robnu|{}|{}|{}|{}", self.seller, place.table, place.column, place.row))
    }
}

/// Returns the id of the data key that a ciphertext names in its head.
pub(crate) fn key_of(ciphertext: &[u8]) -> Option<Uuid> {
    let head = ciphertext.first_chunk::<HEAD_LEN>().filter(|head| head[0] == FORMAT)?;
    Uuid::from_slice(&head[1..17]).ok()
}

/// Derives a key for digests, so that the data key encrypts and does nothing else.
fn derive_digest_key(seller: SellerId, clear_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let pseudorandom = Salt::new(HKDF_SHA256, b"robnu|digest").extract(clear_key);
    let seller = seller.to_string();
    let info = [seller.as_bytes()];
    let derived = pseudorandom.expand(&info, hmac::HMAC_SHA256).map_err(|_| StorageError::KeyShape)?;
    let mut digest_key = Zeroizing::new(vec![0; hmac::HMAC_SHA256.digest_algorithm().output_len()]);
    derived.fill(&mut digest_key).map_err(|_| StorageError::KeyShape)?;
    Ok(digest_key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher(seller: SellerId, key: u8) -> SellerCipher {
        SellerCipher::new(seller, Uuid::from_u128(7), &[key; 32]).unwrap()
    }

    fn place(row: u128) -> Place {
        Place { table: "ajio_account_details", column: "password_enc", row: Uuid::from_u128(row) }
    }

    #[test]
    fn a_ciphertext_opens_only_with_its_key_seller_and_place() {
        let (ours, theirs) = (SellerId::new(), SellerId::new());
        let sealed = cipher(ours, 1).seal(place(1), b"secret").unwrap();
        assert_eq!(&*cipher(ours, 1).open(place(1), &sealed).unwrap(), b"secret");
        assert!(cipher(ours, 2).open(place(1), &sealed).is_err(), "another key");
        assert!(cipher(theirs, 1).open(place(1), &sealed).is_err(), "another seller");
        assert!(cipher(ours, 1).open(place(2), &sealed).is_err(), "another row");
        let elsewhere = Place { column: "username", ..place(1) };
        assert!(cipher(ours, 1).open(elsewhere, &sealed).is_err(), "another column");
        let other_key = SellerCipher::new(ours, Uuid::from_u128(8), &[1; 32]).unwrap();
        assert!(other_key.open(place(1), &sealed).is_err(), "another key id");
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        for length in [0, 31, 33] {
            assert!(SellerCipher::new(SellerId::new(), Uuid::nil(), &vec![0; length]).is_err(), "{length}");
        }
    }

    /// Ciphertexts and digests that are stored must stay readable, so their form never changes.
    #[test]
    fn the_stored_forms_stay_as_they_are() {
        let seller = Uuid::from_u128(1).into();
        let cipher = SellerCipher::new(seller, Uuid::from_u128(7), &[9; 32]).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(
            hex(&cipher.digest("quarantined_records", "record", b"text")),
            "962024bc363f963962c26210e08956a82526ea83933527a29d9b8f7ac4667b6d"
        );
        let sealed = "0100000000000000000000000000000007000102030405060708090a0b9934f8b0593b74b09abcdd37e1212184bd1677751fc6";
        let bytes = |at| u8::from_str_radix(&sealed[at..at + 2], 16).unwrap();
        let sealed: Vec<u8> = (0..sealed.len()).step_by(2).map(bytes).collect();
        let note = Place { table: "orders", column: "note", row: Uuid::from_u128(2) };
        assert_eq!(&*cipher.open(note, &sealed).unwrap(), b"secret");
    }

    #[test]
    fn a_text_is_recognised_only_by_its_seller_key_and_column() {
        let (ours, theirs) = (SellerId::new(), SellerId::new());
        let digest = cipher(ours, 1).digest("orders", "note", b"text");
        assert_eq!(cipher(ours, 1).digest("orders", "note", b"text"), digest);
        assert_ne!(cipher(ours, 1).digest("orders", "note", b"texts"), digest, "another text");
        assert_ne!(cipher(ours, 1).digest("orders", "remark", b"text"), digest, "another column");
        assert_ne!(cipher(ours, 1).digest("items", "note", b"text"), digest, "another table");
        assert_ne!(cipher(ours, 2).digest("orders", "note", b"text"), digest, "another key");
        assert_ne!(cipher(theirs, 1).digest("orders", "note", b"text"), digest, "another seller");
    }

    proptest! {
        #[test]
        fn any_text_decrypts_again_unless_a_bit_is_flipped(clear in prop::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
            let cipher = cipher(SellerId::new(), 3);
            let mut sealed = cipher.seal(place(1), &clear).unwrap();
            prop_assert_eq!(&*cipher.open(place(1), &sealed).unwrap(), &clear);
            let position = flip.index(sealed.len());
            sealed[position] ^= 1;
            prop_assert!(cipher.open(place(1), &sealed).is_err());
        }

        #[test]
        fn tampered_truncated_and_swapped_ciphertexts_fail_alike(
            clear in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let (ours, theirs) = (SellerId::new(), SellerId::new());
            let sealed = cipher(ours, 3).seal(place(1), &clear).unwrap();
            let mut tampered = sealed.clone();
            tampered[at.index(sealed.len())] ^= 1 << bit;
            let other_id = SellerCipher::new(ours, Uuid::from_u128(8), &[3; 32]).unwrap();
            let failures = [
                cipher(ours, 3).open(place(1), &tampered),
                cipher(ours, 3).open(place(1), &sealed[..at.index(sealed.len())]),
                cipher(ours, 3).open(place(2), &sealed),
                cipher(ours, 3).open(Place { column: "username", ..place(1) }, &sealed),
                cipher(ours, 3).open(Place { table: "orders", ..place(1) }, &sealed),
                cipher(theirs, 3).open(place(1), &sealed),
                cipher(ours, 4).open(place(1), &sealed),
                other_id.open(place(1), &sealed),
            ];
            for (number, failure) in failures.into_iter().enumerate() {
                prop_assert!(matches!(failure, Err(StorageError::Sealed { .. })), "{}: {:?}", number, failure);
            }
        }

        #[test]
        fn garbage_never_opens(garbage in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(cipher(SellerId::new(), 3).open(place(1), &garbage).is_err());
        }
    }
}
