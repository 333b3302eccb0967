//! What is kept of a marketplace's response: the fields that are known to name nobody.
//!
//! Each adapter lists those fields. The value of any other field becomes `null`, whatever is in it: customers, tokens, what changes with
//! each call, and fields that the marketplace adds one day. The field's name stays, so that a new one can be noticed and listed.

use std::collections::HashSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{Context, SHA256};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::bytes::BadBytes;

/// Deeper values are not kept. No response of a marketplace is half as deep.
const MAX_DEPTH: usize = 32;
/// A longer name of a field is none.
const MAX_NAME: usize = 64;
/// How much is digested and compressed at once.
const CHUNK: usize = 32 * 1024;

/// The fields of a marketplace's responses that are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeptFields {
    /// Fields that are kept wherever they are, in alphabetical order.
    pub anywhere: &'static [&'static str],
    /// Fields that are kept directly below another one, which comes first.
    pub below: &'static [(&'static str, &'static str)],
}

impl KeptFields {
    fn hold(&self, parent: &str, name: &str) -> bool {
        self.anywhere.binary_search(&name).is_ok() || self.below.contains(&(parent, name))
    }
}

/// A response without what is not kept, compressed.
#[derive(Clone, PartialEq, Eq)]
pub struct RawPage {
    packed: Vec<u8>,
    digest: [u8; 32],
}

impl std::fmt::Debug for RawPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawPage").field("bytes", &self.packed.len()).finish_non_exhaustive()
    }
}

impl RawPage {
    /// Takes the body of a response. What is not JSON becomes `null`. Numbers and texts keep their spelling.
    #[must_use]
    pub fn new(body: &[u8], kept: &KeptFields) -> Self {
        let (text, bad_bytes) = BadBytes::decode(body);
        let shown = bad_bytes.are_in(&text).then(|| bad_bytes.shown(&text));
        let mut packer = Packer::default();
        match serde_json::from_str::<&RawValue>(shown.as_deref().unwrap_or(&text)) {
            Ok(value) => copy(value, "", 0, kept, &mut packer),
            Err(_) => packer.put(b"null"),
        }
        packer.finish()
    }

    /// The response as JSON, in gzip.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// SHA-256 of the response as JSON.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// Digests and compresses a text that comes in pieces.
struct Packer {
    chunk: Vec<u8>,
    digest: Context,
    packed: GzEncoder<Vec<u8>>,
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            chunk: Vec::with_capacity(CHUNK),
            digest: Context::new(&SHA256),
            packed: GzEncoder::new(Vec::new(), Compression::fast()),
        }
    }
}

impl Packer {
    fn put(&mut self, bytes: &[u8]) {
        if self.chunk.len() + bytes.len() > CHUNK {
            self.flush();
        }
        self.chunk.extend_from_slice(bytes);
    }

    fn flush(&mut self) {
        self.digest.update(&self.chunk);
        // A vector takes everything.
        let _ = self.packed.write_all(&self.chunk);
        self.chunk.clear();
    }

    fn finish(mut self) -> RawPage {
        self.flush();
        let mut digest = [0; 32];
        digest.copy_from_slice(self.digest.finish().as_ref());
        RawPage { packed: self.packed.finish().unwrap_or_default(), digest }
    }
}

/// The fields of an object, in order, with their values as they are written. Of a name that comes twice the first counts.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut fields, mut names) = (Vec::new(), HashSet::new());
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if name.len() <= MAX_NAME && names.insert(name.clone()) {
                        fields.push((name, value));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Fields)
    }
}

/// Writes a value as far as it is kept. `parent` is the nearest field above it.
fn copy(value: &RawValue, parent: &str, depth: usize, kept: &KeptFields, out: &mut Packer) {
    let text = value.get();
    let is_kept = match text.as_bytes().first() {
        _ if depth > MAX_DEPTH => false,
        Some(b'{') => copy_object(text, parent, depth, kept, out),
        Some(b'[') => copy_list(text, parent, depth, kept, out),
        // JSON's grammar has texts and numbers that its readers refuse: half a character, a number without end.
        Some(b'"') => {
            (!text.contains("\\u") || serde_json::from_str::<String>(text).is_ok()) && put(text, out)
        }
        Some(b'0'..=b'9' | b'-') => text.parse().is_ok_and(f64::is_finite) && put(text, out),
        _ => put(text, out),
    };
    if !is_kept {
        out.put(b"null");
    }
}

fn put(text: &str, out: &mut Packer) -> bool {
    out.put(text.as_bytes());
    true
}

fn copy_object(text: &str, parent: &str, depth: usize, kept: &KeptFields, out: &mut Packer) -> bool {
    let Ok(Fields(fields)) = serde_json::from_str(text) else { return false };
    out.put(b"{");
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            out.put(b",");
        }
        // A text can always be written.
        out.put(&serde_json::to_vec(name).unwrap_or_default());
        out.put(b":");
        if kept.hold(parent, name) {
            copy(value, name, depth + 1, kept, out);
        } else {
            out.put(b"null");
        }
    }
    out.put(b"}");
    true
}

fn copy_list(text: &str, parent: &str, depth: usize, kept: &KeptFields, out: &mut Packer) -> bool {
    let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(text) else { return false };
    out.put(b"[");
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.put(b",");
        }
        copy(value, parent, depth + 1, kept, out);
    }
    out.put(b"]");
    true
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    const KEPT: KeptFields =
        KeptFields { anywhere: &["id", "item", "orders", "price"], below: &[("item", "name")] };

    fn unpacked(page: &RawPage) -> String {
        let mut text = String::new();
        GzDecoder::new(page.packed()).read_to_string(&mut text).unwrap();
        text
    }

    fn kept(body: impl AsRef<[u8]>) -> String {
        unpacked(&RawPage::new(body.as_ref(), &KEPT))
    }

    #[test]
    fn only_listed_fields_keep_their_values_and_these_keep_their_spelling() {
        let body = r#" {"orders": [ {"id":"1","price": 10.00,"name":"Asha","item":{"name":"Shirt","x":{"id":7}},
            "buyer":{"id":"Asha"},"price":1} ], "next":"token"} "#;
        assert_eq!(
            kept(body),
            r#"{"orders":[{"id":"1","price":10.00,"name":null,"item":{"name":"Shirt","x":null},"buyer":null}],"next":null}"#
        );
        assert_eq!(kept(r#"{"id":{"name":"Asha"}}"#), r#"{"id":{"name":null}}"#, "below a listed field too");
    }

    #[test]
    fn what_readers_of_json_refuse_is_null() {
        assert_eq!(kept(r#"{"id":"\ud83d","price":1e999}"#), r#"{"id":null,"price":null}"#);
        assert_eq!(kept(r#"{"id":{"\ud83d":1},"price":-1.5e3}"#), r#"{"id":null,"price":-1.5e3}"#);
        assert_eq!(kept("<html>"), "null");
        assert_eq!(kept(b"\xEF\xBB\xBF{\"id\":\"a\xFFb\"}"), "{\"id\":\"a\u{FFFD}b\"}");
        assert_eq!(kept(format!(r#"{{"{}":1,"id":2}}"#, "n".repeat(65))), r#"{"id":2}"#);
    }

    #[test]
    fn no_depth_breaks_it() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = kept(format!(r#"{{"id":{deep}}}"#));
        assert!(text.len() < 100 && text.contains("null"), "{text}");
    }

    #[test]
    fn pages_that_differ_only_in_what_is_not_kept_have_one_digest() {
        let digest = |body: &str| *RawPage::new(body.as_bytes(), &KEPT).digest();
        assert_eq!(digest(r#"{"id":1,"next":"a"}"#), digest(r#"{"id":1, "next":"b"}"#));
        assert_ne!(digest(r#"{"id":1}"#), digest(r#"{"id":2}"#));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(Into::into),
            ".{0,8}".prop_map(Into::into)
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let name = prop::sample::select(vec!["id", "item", "name", "orders", "phone"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// The rule, written a second time in another way.
    fn expected(value: serde_json::Value, parent: &str) -> serde_json::Value {
        match value {
            serde_json::Value::Array(values) => {
                values.into_iter().map(|value| expected(value, parent)).collect()
            }
            serde_json::Value::Object(fields) => {
                let field = |(name, value): (String, serde_json::Value)| {
                    let holds = ["id", "item", "orders"].contains(&name.as_str())
                        || (parent, name.as_str()) == ("item", "name");
                    let value = if holds { expected(value, &name) } else { serde_json::Value::Null };
                    (name, value)
                };
                serde_json::Value::Object(fields.into_iter().map(field).collect())
            }
            scalar => scalar,
        }
    }

    proptest! {
        #[test]
        fn any_json_is_kept_by_the_rule(value in json()) {
            let text = kept(value.to_string());
            prop_assert!(!text.contains('\n'), "{text}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected(value, ""));
        }

        #[test]
        fn any_bytes_become_json(body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&kept(&body)).is_ok());
        }
    }
}
