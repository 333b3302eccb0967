//! A key of the platform's own, outside the database. It makes digests of values that must be recognised over all sellers
//! and read by nobody: marketplace user names, and the states of consents.

use ring::hmac;
use robnu_tenancy::SellerId;
use uuid::Uuid;

/// The shortest secret that is accepted.
const MIN_SECRET: usize = 32;

/// The key. It is never printed and never leaves; only digests do.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

impl DigestKey {
    /// Makes the key from a secret; returns `None` when the secret is shorter than 32 bytes.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        let secret = Some(secret.as_bytes()).filter(|secret| secret.len() >= MIN_SECRET)?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Returns the digest of a user name at a marketplace. Capitals and blanks do not count, because marketplaces ignore them
    /// too.
    #[must_use]
    pub fn login(&self, marketplace: &str, user_name: &str) -> [u8; 32] {
        let folded: String =
            user_name.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect();
        self.digest("login", &[marketplace.as_bytes(), folded.as_bytes()])
    }

    /// Returns the state of a consent. Only a holder of the key can make it again from what the database keeps.
    #[must_use]
    pub fn consent_state(&self, seller: SellerId, authorization: Uuid) -> [u8; 32] {
        self.digest("consent state", &[seller.as_uuid().as_bytes(), authorization.as_bytes()])
    }

    /// Digests each part with its length before it, so that no two lists of parts look alike.
    fn digest(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(letter: &str) -> DigestKey {
        DigestKey::new(&letter.repeat(32)).unwrap()
    }

    #[test]
    fn all_spellings_of_a_user_name_have_one_digest_and_other_names_marketplaces_and_keys_have_others() {
        let digest = key("a").login("AJIO", "DV0001");
        for spelling in ["dv0001", "Dv0001", " DV0001", "DV0001\t", "DV 0001", "dv\u{a0}0001"] {
            assert_eq!(key("a").login("AJIO", spelling), digest, "{spelling:?}");
        }
        assert_ne!(key("a").login("AJIO", "DV0002"), digest);
        assert_ne!(key("a").login("MEESHO", "DV0001"), digest);
        assert_ne!(key("a").login("AJIOD", "V0001"), digest);
        assert_ne!(key("b").login("AJIO", "DV0001"), digest);
    }

    #[test]
    fn a_state_belongs_to_its_seller_and_authorization() {
        let (seller, authorization) = (SellerId::new(), Uuid::now_v7());
        let state = key("a").consent_state(seller, authorization);
        assert_eq!(key("a").consent_state(seller, authorization), state);
        assert_ne!(key("b").consent_state(seller, authorization), state);
        assert_ne!(key("a").consent_state(SellerId::new(), authorization), state);
        assert_ne!(key("a").consent_state(seller, Uuid::now_v7()), state);
    }

    #[test]
    fn a_short_secret_is_refused_and_the_key_is_not_printed() {
        assert!(DigestKey::new(&"a".repeat(31)).is_none());
        assert_eq!(format!("{:?}", key("a")), "DigestKey(..)");
    }
}
