//! Keys of objects: each is made of ids and enums, and lies under its seller's prefix.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Utc};
use robnu_tenancy::{AccountId, ExportId, ImportId, ObjectId, SellerId};

use super::document::{DocumentParent, DocumentType};

/// Which object, within a seller. It does not name the seller: [`super::SellerObjects`] adds its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKey {
    /// A document of an order, a shipment, a claim or a return.
    Document {
        /// The account of what it belongs to.
        account: AccountId,
        /// What it belongs to.
        parent: DocumentParent,
        /// Its type.
        document_type: DocumentType,
        /// The object.
        object: ObjectId,
    },
    /// A file that was uploaded to be imported.
    ImportSource {
        /// The account that it is imported into.
        account: AccountId,
        /// The import.
        import: ImportId,
        /// The marketplace. It comes last, so that S3 can announce the files of each marketplace to another queue.
        marketplace: MarketplaceFolder,
    },
    /// Pages as a marketplace sent them: JSON lines, compressed.
    RawPages {
        /// The marketplace.
        marketplace: MarketplaceFolder,
        /// When they were read; the date and the hour are part of the key, in UTC.
        read_at: DateTime<Utc>,
        /// The object.
        object: ObjectId,
    },
    /// An export: a list as CSV, or an archive.
    Export {
        /// The day on which it was asked for.
        date: NaiveDate,
        /// The export.
        export: ExportId,
    },
}

/// A marketplace's code as a part of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MarketplaceFolder(&'static str);

impl MarketplaceFolder {
    /// Takes a marketplace's code, such as `AMAZON_IN`. Returns `None` for a text that is no code.
    #[must_use]
    pub fn new(code: &'static str) -> Option<Self> {
        let is_code = (1..=32).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_code.then_some(Self(code))
    }
}

/// The first parts of keys. The second part is the seller.
pub const FOLDERS: [&str; 4] = ["documents", "imports", "raw-payloads", "exports"];

impl ObjectKey {
    /// The key of `seller`'s object.
    pub(super) fn text_for(&self, seller: SellerId) -> String {
        let mut text = format!("{}/{seller}/", self.folder());
        match self {
            Self::Document { account, parent, document_type, object } => {
                let (folder, id) = (parent.folder(), parent.as_uuid());
                write!(text, "{account}/{folder}/{id}/{}/{object}", document_type.folder())
            }
            Self::ImportSource { account, import, marketplace } => {
                write!(text, "{account}/{import}/{}", marketplace.0)
            }
            Self::RawPages { marketplace, read_at, object } => {
                write!(text, "{}/{}/{object}.jsonl.gz", marketplace.0, read_at.format("%Y-%m-%d/%H"))
            }
            Self::Export { date, export } => write!(text, "{date}/{export}"),
        }
        .expect("a String takes everything");
        text
    }

    /// The first part of the key. Lifecycle rules of the bucket go by it.
    fn folder(&self) -> &'static str {
        match self {
            Self::Document { .. } => FOLDERS[0],
            Self::ImportSource { .. } => FOLDERS[1],
            Self::RawPages { .. } => FOLDERS[2],
            Self::Export { .. } => FOLDERS[3],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use robnu_tenancy::OrderId;
    use uuid::Uuid;

    use super::*;

    /// Keys of every kind, over any ids, times and marketplaces.
    fn keys() -> impl Strategy<Value = ObjectKey> {
        let ids = || any::<u128>().prop_map(Uuid::from_u128);
        let document_types = proptest::sample::select(DocumentType::ALL.as_slice());
        let times =
            (-62_135_596_800i64..253_402_300_800).prop_map(|second| DateTime::from_timestamp(second, 0));
        prop_oneof![
            (ids(), ids(), 0..4u8, document_types, ids()).prop_map(
                |(account, id, parent, document_type, object)| {
                    ObjectKey::Document {
                        account: account.into(),
                        parent: match parent {
                            0 => DocumentParent::Order(id.into()),
                            1 => DocumentParent::Shipment(id.into()),
                            2 => DocumentParent::Claim(id.into()),
                            _ => DocumentParent::Return(id.into()),
                        },
                        document_type,
                        object: object.into(),
                    }
                }
            ),
            (ids(), ids()).prop_map(|(a, i)| ObjectKey::ImportSource {
                account: a.into(),
                import: i.into(),
                marketplace: MarketplaceFolder::new("AJIO").expect("a code"),
            }),
            (times.clone(), ids()).prop_map(|(read_at, object)| ObjectKey::RawPages {
                marketplace: MarketplaceFolder::new("AMAZON_IN").expect("a code"),
                read_at: read_at.expect("in range"),
                object: object.into(),
            }),
            (times, ids()).prop_map(|(at, export)| ObjectKey::Export {
                date: at.expect("in range").date_naive(),
                export: export.into(),
            }),
        ]
    }

    proptest! {
        #[test]
        fn no_key_leaves_its_sellers_prefix(key in keys(), seller in any::<u128>(), other in any::<u128>()) {
            let (seller, other) = (SellerId::from(Uuid::from_u128(seller)), SellerId::from(Uuid::from_u128(other)));
            let text = key.text_for(seller);
            let mut parts = text.split('/');
            let folder = parts.next().unwrap();
            prop_assert!(FOLDERS.contains(&folder), "{text}");
            prop_assert_eq!(parts.next().unwrap(), seller.to_string());
            for part in parts {
                // An empty part or dots would let a proxy or a tool fold the path.
                prop_assert!(!part.is_empty() && !part.starts_with('.') && !part.ends_with('.'), "{text}");
                prop_assert!(part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{text}");
            }
            prop_assert!(text.len() <= 1_024, "{text}");
            let foreign = format!("{folder}/{other}/");
            prop_assert_eq!(text.starts_with(&foreign), seller == other);
        }
    }

    #[test]
    fn keys_are_laid_out_as_designed() {
        let id = |number| Uuid::from_u128(number);
        let seller = SellerId::from(id(1));
        let (one, two, three, four) = (id(1), id(2), id(3), id(4));
        let at: DateTime<Utc> = "2026-11-30T07:59:59Z".parse().unwrap();
        let document = |parent, document_type| ObjectKey::Document {
            account: two.into(),
            parent,
            document_type,
            object: four.into(),
        };
        for (key, expected) in [
            (
                document(DocumentParent::Order(OrderId::from(three)), DocumentType::PackingSlip),
                format!("documents/{one}/{two}/orders/{three}/packing-slip/{four}"),
            ),
            (
                document(DocumentParent::Shipment(three.into()), DocumentType::Label),
                format!("documents/{one}/{two}/shipments/{three}/label/{four}"),
            ),
            (
                document(DocumentParent::Claim(three.into()), DocumentType::ProofPhoto),
                format!("documents/{one}/{two}/claims/{three}/proof-photo/{four}"),
            ),
            (
                document(DocumentParent::Return(three.into()), DocumentType::CourierSlip),
                format!("documents/{one}/{two}/returns/{three}/courier-slip/{four}"),
            ),
            (
                ObjectKey::ImportSource {
                    account: two.into(),
                    import: three.into(),
                    marketplace: MarketplaceFolder::new("AJIO").expect("a code"),
                },
                format!("imports/{one}/{two}/{three}/AJIO"),
            ),
            (
                ObjectKey::RawPages {
                    marketplace: MarketplaceFolder::new("AJIO").unwrap(),
                    read_at: at,
                    object: four.into(),
                },
                format!("raw-payloads/{one}/AJIO/2026-11-30/07/{four}.jsonl.gz"),
            ),
            (
                ObjectKey::Export { date: at.date_naive(), export: four.into() },
                format!("exports/{one}/2026-11-30/{four}"),
            ),
        ] {
            assert_eq!(key.text_for(seller), expected);
            let in_folder = |folder: &str| expected.starts_with(&format!("{folder}/{seller}/"));
            assert!(FOLDERS.into_iter().any(in_folder), "closing a seller does not delete {expected}");
        }
    }

    #[test]
    fn a_marketplaces_folder_is_a_code_and_nothing_else() {
        for text in ["", "..", "../x", "AJIO/", "ajio", "A J", "AJIO\n", "\u{ff21}"] {
            assert_eq!(MarketplaceFolder::new(text), None, "{text:?}");
        }
        assert!(MarketplaceFolder::new("AMAZON_IN").is_some());
    }
}
