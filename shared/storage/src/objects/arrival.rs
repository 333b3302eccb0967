//! S3's notices that objects have arrived.

use serde::Deserialize;
use serde_json::json;

/// What S3 sends when it is told to announce new objects.
const TEST_EVENT: &str = "s3:TestEvent";

/// A message of S3, as far as it is needed. The original also says from which address an object came.
#[derive(Debug, Deserialize)]
pub struct ArrivalNotice {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
    #[serde(rename = "Event", default)]
    event: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Debug, Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Object {
    key: String,
}

impl ArrivalNotice {
    /// Reads a message's body. Returns `None` when it is not from S3.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let notice: Self = serde_json::from_str(body).ok()?;
        let is_ours = !notice.records.is_empty() || notice.event.as_deref() == Some(TEST_EVENT);
        is_ours.then_some(notice)
    }

    /// The keys of the objects that have arrived; none in S3's test event.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.s3.object.key.as_str())
    }

    /// The body of a notice of the same objects, with their keys only.
    #[must_use]
    pub fn to_body(&self) -> String {
        let records: Vec<_> = self.keys().map(|key| json!({"s3": {"object": {"key": key}}})).collect();
        json!({ "Records": records }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_s3_are_notices() {
        let notice = r#"{"Records":[{"eventSource":"aws:s3","s3":{"object":{"key":"imports/x","size":7}}}]}"#;
        assert_eq!(ArrivalNotice::parse(notice).map(|notice| notice.records.len()), Some(1));
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(ArrivalNotice::parse(test).map(|notice| notice.records.len()), Some(0));
        for other in
            ["", "{}", "[]", r#"{"Records":[]}"#, r#"{"version":"1","job":{}}"#, r#"{"Records":[{}]}"#]
        {
            assert!(ArrivalNotice::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_notice_that_is_sent_again_names_the_same_objects_and_nothing_else() {
        let notice = r#"{"Records":[{"requestParameters":{"sourceIPAddress":"10.0.0.1"},"s3":{"object":{"key":"imports/x"}}}]}"#;
        let body = ArrivalNotice::parse(notice).expect("a notice").to_body();
        assert_eq!(body, r#"{"Records":[{"s3":{"object":{"key":"imports/x"}}}]}"#);
        assert!(ArrivalNotice::parse(&body).expect("a notice").keys().eq(["imports/x"]));
    }
}
