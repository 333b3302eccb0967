//! The one list of typed ids: a seller's id cannot be passed where an account's is wanted.
//!
//! From outside, an id is accepted in one spelling only, the one that we give out: 36 characters, lower case, with hyphens.
//! So tools that compare, count or block ids as text see each under one name.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// The one spelling of an id, as a regular expression.
pub const ID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// A text is not an id, or is an id in another spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 36 characters, lower case and with hyphens")]
pub struct NotAnId;

/// Reads an id of any kind.
pub fn parse_id<T: From<Uuid>>(text: &str) -> Result<T, NotAnId> {
    let id = Uuid::try_parse(text).map_err(|_| NotAnId)?;
    let canonical = *id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text;
    if canonical { Ok(T::from(id)) } else { Err(NotAnId) }
}

/// Reads an id of any kind from a text of JSON or the like.
fn deserialize_id<'de, T: From<Uuid>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Text<T>(PhantomData<T>);

    impl<T: From<Uuid>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            // The sender's text is not part of the error.
            parse_id(text).map_err(|NotAnId| E::invalid_value(Unexpected::Other("text"), &self))
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

type BoxedError = Box<dyn std::error::Error + Sync + Send>;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id, of version 7 so that rows made together lie together.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id itself, for keys and names.
            #[must_use]
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse_id(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_id(deserializer)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
                self.0.to_sql(ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <Uuid as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }

        impl<'a> FromSql<'a> for $name {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
                Uuid::from_sql(ty, raw).map(Self)
            }

            fn accepts(ty: &Type) -> bool {
                <Uuid as FromSql>::accepts(ty)
            }
        }
    )+};
}

ids! {
    /// A seller: the tenant.
    SellerId,
    /// A person, who may be a member of several sellers.
    PersonId,
    /// A person's membership of a seller.
    MemberId,
    /// An invitation to become a member.
    InvitationId,
    /// A seller's connection to a marketplace.
    AccountId,
    /// A row of the run ledger.
    RunId,
    /// A quarantined record: one that could not be read.
    QuarantinedRecordId,
    /// An order.
    OrderId,
    /// A package of an order.
    ShipmentId,
    /// A return of an order or of part of it.
    ReturnId,
    /// A scan of a code that waits for its return.
    ScanId,
    /// A seller's claim for a return.
    ClaimId,
    /// A marketplace's payout.
    PayoutId,
    /// An article as a marketplace lists it.
    ListingId,
    /// A session in which a staff member acts for a seller.
    ImpersonationId,
    /// An object in the bucket.
    ObjectId,
    /// A file that is imported.
    ImportId,
    /// A file that is exported.
    ExportId,
    /// A message that no function could handle.
    DeadLetterId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_accepted_only_in_the_spelling_that_we_give_out() {
        let id = OrderId::from(Uuid::from_u128(0x0192_abcd_ef01_7234_8567_89ab_cdef_0123));
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(serde_json::from_value::<OrderId>(text.as_str().into()).unwrap(), id);
        assert_eq!(serde_json::to_value(id).unwrap(), text);
        let others = [
            text.to_uppercase(),
            text.replacen('a', "A", 1),
            text.replace('-', ""),
            format!("{{{text}}}"),
            format!("urn:uuid:{text}"),
            format!("{text}\0"),
            format!(" {text}"),
            format!("{text}\n"),
            text.replacen('-', "", 1),
            text.replace('0', "\u{ff10}"),
            text[1..].to_owned(),
            String::new(),
        ];
        for other in others {
            assert_eq!(other.parse::<OrderId>(), Err(NotAnId), "{other:?}");
            let error = serde_json::from_value::<OrderId>(other.as_str().into()).unwrap_err();
            assert_eq!(error.to_string(), "invalid value: text, expected an id", "{other:?}");
        }
        for other in ["7", "null", "[1,2]", "{}"] {
            let error = serde_json::from_str::<OrderId>(other).unwrap_err();
            assert!(error.to_string().contains(", expected an id"), "{error}");
        }
    }
}
