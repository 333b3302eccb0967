//! The keys of files to import, read back: S3 announces an object by its key alone.

use robnu_tenancy::{AccountId, ImportId, SellerId};

/// The parts of such a key. They are what somebody says: only the database knows whether there is such an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportKey {
    /// The seller.
    pub seller: SellerId,
    /// The account that the file is imported into.
    pub account: AccountId,
    /// The import.
    pub import: ImportId,
    /// The marketplace's code.
    pub marketplace: String,
}

impl ImportKey {
    /// Reads a key. Returns `None` for any text that [`super::ObjectKey::ImportSource`] does not make.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        if parts.next()? != "imports" {
            return None;
        }
        let (seller, account, import) = (parts.next()?, parts.next()?, parts.next()?);
        let marketplace = parts.next()?.to_owned();
        if parts.next().is_some() {
            return None;
        }
        let (seller, account, import) = (seller.parse().ok()?, account.parse().ok()?, import.parse().ok()?);
        Some(Self { seller, account, import, marketplace })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::objects::{MarketplaceFolder, ObjectKey};

    #[test]
    fn a_key_is_read_as_it_was_made_and_in_no_other_spelling() {
        let [seller, account, import] = [1, 2, 0xabc].map(Uuid::from_u128);
        let marketplace = MarketplaceFolder::new("AMAZON_IN").expect("a code");
        let made = ObjectKey::ImportSource { account: account.into(), import: import.into(), marketplace };
        let text = made.text_for(seller.into());
        let read = ImportKey::parse(&text).expect("our own key");
        assert_eq!((read.seller, read.account, read.import), (seller.into(), account.into(), import.into()));
        assert_eq!(read.marketplace, "AMAZON_IN");
        let others = [
            text.to_uppercase(),
            format!("/{text}"),
            format!("{text}/x"),
            text.replace("imports", "exports"),
            text.replacen('/', "//", 1),
            text.replace('-', "%2D"),
        ];
        for other in others {
            assert_eq!(ImportKey::parse(&other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_never_panics(text in "(imports/)?[-0-9a-f/.%]{0,120}") {
            if let Some(key) = ImportKey::parse(&text) {
                let whole = format!("imports/{}/{}/{}/{}", key.seller, key.account, key.import, key.marketplace);
                prop_assert_eq!(text, whole);
            }
        }
    }
}
