//! Which KMS key encrypts a seller's objects.

use robnu_tenancy::SellerId;

/// Whose KMS key encrypts objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectEncryption {
    /// The platform's key (id, ARN or alias). The encryption context tells sellers apart.
    PlatformKey(String),
    /// Each seller's own key, found by its alias.
    KeyPerSeller,
}

impl ObjectEncryption {
    /// The key of one seller, as S3 takes it.
    pub(super) fn key_of(&self, seller: SellerId) -> String {
        match self {
            Self::PlatformKey(key) => key.clone(),
            Self::KeyPerSeller => seller_key_alias(seller),
        }
    }
}

/// What the aliases of sellers' own KMS keys begin with.
pub const SELLER_ALIAS_PREFIX: &str = "alias/robnu/seller-";

/// The alias of a seller's own KMS key.
#[must_use]
pub fn seller_key_alias(seller: SellerId) -> String {
    format!("{SELLER_ALIAS_PREFIX}{seller}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sellers_share_the_platforms_key_or_have_their_own() {
        let (one, other) = (SellerId::new(), SellerId::new());
        let platform = ObjectEncryption::PlatformKey("alias/robnu/test/platform".into());
        assert_eq!(platform.key_of(one), "alias/robnu/test/platform");
        assert_eq!(platform.key_of(one), platform.key_of(other));
        let own = ObjectEncryption::KeyPerSeller;
        assert_eq!(own.key_of(one), format!("alias/robnu/seller-{one}"));
        assert_ne!(own.key_of(one), own.key_of(other));
    }
}
