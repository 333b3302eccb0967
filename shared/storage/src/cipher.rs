//! AES-256-GCM under a seller's data key, and digests under a key derived from it.
//!
//! Layout of a ciphertext: format (1 byte, 1) · id of the data key (16) · nonce (12) · sealed text with its tag (16).

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
    key: LessSafeKey,
    digest_key: hmac::Key,
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
        let key = UnboundKey::new(&AES_256_GCM, clear_key).map_err(|_| StorageError::KeyShape)?;
        let digest_key = derive_digest_key(seller, clear_key)?;
        Ok(Self { seller, key_id, key: LessSafeKey::new(key), digest_key, random: SystemRandom::new() })
    }

    /// Encrypts `clear` for `place`. Two calls never return the same bytes.
    pub fn seal(&self, place: Place, clear: &[u8]) -> Result<Vec<u8>, StorageError> {
        let sealed = || StorageError::Sealed { table: place.table, column: place.column };
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| sealed())?;
        let mut text = clear.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.bind(place), &mut text)
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
        let sealed = || StorageError::Sealed { table: place.table, column: place.column };
        let (head, text) = ciphertext.split_at_checked(HEAD_LEN).ok_or_else(sealed)?;
        if head[0] != FORMAT || head[1..17] != *self.key_id.as_bytes() {
            return Err(sealed());
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[17..]).map_err(|_| sealed())?;
        let mut clear = Zeroizing::new(text.to_vec());
        let length = self.key.open_in_place(nonce, self.bind(place), &mut clear).map_err(|_| sealed())?.len();
        clear.truncate(length);
        Ok(clear)
    }

    /// Returns the HMAC-SHA256 of `clear`, by which a column's text is recognised when it comes again. It tells nothing
    /// without the data key: the same text has another digest for another seller or another column.
    #[must_use]
    pub fn digest(&self, table: &'static str, column: &'static str, clear: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.digest_key);
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

/// Derives a key for digests, so that the data key encrypts and does nothing else.
fn derive_digest_key(seller: SellerId, clear_key: &[u8]) -> Result<hmac::Key, StorageError> {
    let pseudorandom = Salt::new(HKDF_SHA256, b"robnu|digest").extract(clear_key);
    let seller = seller.to_string();
    let info = [seller.as_bytes()];
    let derived = pseudorandom.expand(&info, hmac::HMAC_SHA256).map_err(|_| StorageError::KeyShape)?;
    Ok(hmac::Key::from(derived))
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
        assert!(SellerCipher::new(SellerId::new(), Uuid::nil(), &[0; 31]).is_err());
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
        fn garbage_never_opens(garbage in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(cipher(SellerId::new(), 3).open(place(1), &garbage).is_err());
        }
    }
}
