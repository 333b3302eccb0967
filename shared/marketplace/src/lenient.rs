//! Lenient fields, which a record can do without: an unreadable one costs only itself and leaves a note, and the record is stored.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use crate::fields::Text;
use crate::records::{RecordProblem, parse_at};

/// More notes than these help nobody; the others are only counted.
const MAX_NOTES: usize = 20;

/// Notes for the reader of a record: which fields could not be read, and why; never their values.
#[derive(Debug, Default)]
pub struct Notes {
    notes: Vec<String>,
    more: usize,
}

impl Notes {
    /// Adds a note about a field.
    pub fn add(&mut self, path: &str, problem: &str) {
        self.push(RecordProblem::at(path, problem));
    }

    /// Adds a problem as a note.
    pub fn push(&mut self, problem: RecordProblem) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(problem.into_reason());
        } else {
            self.more += 1;
        }
    }

    /// Returns the notes, each a sentence that begins with the field's path.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<String> {
        if self.more > 0 {
            self.notes.push(format!("{} more fields could not be read", self.more));
        }
        self.notes
    }
}

/// A field that may be absent, null or unreadable. It never makes its record fail.
#[derive(Debug)]
pub struct Lenient<T>(Given<T>);

#[derive(Debug)]
enum Given<T> {
    Nothing,
    Value(T),
    /// The reason why it cannot be read: the path below the field, and the problem.
    Unreadable {
        path: String,
        problem: String,
    },
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(Given::Nothing)
    }
}

impl<T> From<Option<T>> for Lenient<T> {
    fn from(value: Option<T>) -> Self {
        Self(value.map_or(Given::Nothing, Given::Value))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" {
            return Ok(Self::default());
        }
        Ok(Self(match parse_at(&raw) {
            Ok(value) => Given::Value(value),
            Err((path, problem)) => Given::Unreadable { path, problem },
        }))
    }
}

impl<T> Lenient<T> {
    /// Returns the value; adds a note at the field's path when it could not be read.
    pub fn read(self, path: &str, notes: &mut Notes) -> Option<T> {
        self.required_readable(path).unwrap_or_else(|problem| {
            notes.push(problem);
            None
        })
    }

    /// Returns the value of a field that may be absent but must be readable, because the record means nothing otherwise.
    ///
    /// # Errors
    /// Names the field and why it cannot be read.
    pub fn required_readable(self, path: &str) -> Result<Option<T>, RecordProblem> {
        match self.0 {
            Given::Nothing => Ok(None),
            Given::Value(value) => Ok(Some(value)),
            Given::Unreadable { path: below, problem } if below == "." => {
                Err(RecordProblem::at(path, &problem))
            }
            Given::Unreadable { path: below, problem } if below.starts_with('[') => {
                Err(RecordProblem::at(&format!("{path}{below}"), &problem))
            }
            Given::Unreadable { path: below, problem } => {
                Err(RecordProblem::at(&format!("{path}.{below}"), &problem))
            }
        }
    }
}

impl Lenient<Text> {
    /// Whether the field is this text.
    pub fn is(&self, text: &str) -> bool {
        matches!(&self.0, Given::Value(given) if given.0.as_deref() == Some(text))
    }

    /// Returns the text, if there is one that is not blank.
    pub fn text(self, path: &str, notes: &mut Notes) -> Option<String> {
        self.read(path, notes).and_then(|text| text.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fields::Instant;

    #[derive(Deserialize)]
    struct Block {
        #[serde(default)]
        title: Lenient<Text>,
        #[serde(default)]
        at: Lenient<Instant>,
    }

    #[test]
    fn notes_name_the_field_and_are_bounded() {
        let block: Lenient<Block> = serde_json::from_str(r#"{"title":["hush"],"at":"hush"}"#).unwrap();
        let mut notes = Notes::default();
        let block = block.read("product", &mut notes).unwrap();
        assert_eq!(block.title.text("product.title", &mut notes), None);
        assert!(block.at.read("product.at", &mut notes).is_none());
        let notes = notes.into_vec();
        assert_eq!(notes, ["product.title is not text", "product.at is not an ISO 8601 instant"]);
        let mut many = Notes::default();
        (0..100).for_each(|_| many.add("title", "is not text"));
        let many = many.into_vec();
        assert_eq!((many.len(), many[MAX_NOTES].as_str()), (21, "80 more fields could not be read"));
    }

    #[test]
    fn what_is_wrong_inside_a_list_is_named_by_its_place_there() {
        let read = |json: &str| {
            let blocks: Lenient<Vec<crate::fields::Id>> = serde_json::from_str(json).unwrap();
            blocks.required_readable("tags").unwrap_err().into_reason()
        };
        assert_eq!(read(r#"["a","b",[]]"#), "tags[2] is not an identifier");
        assert_eq!(read("7"), "tags does not have the type that the contract gives it");
    }

    proptest! {
        #[test]
        fn a_record_is_read_whatever_json_a_lenient_field_holds(text in "[ -~]{0,30}") {
            let quoted = serde_json::to_string(&text).unwrap();
            for value in ["null", "7", "-1.5e3", "true", "[]", "{}", "[[1]]", r#""\ud83d""#, &quoted] {
                let json = format!(r#"{{"title":{value},"at":{value}}}"#);
                prop_assert!(serde_json::from_str::<Block>(&json).is_ok());
                prop_assert!(serde_json::from_str::<Lenient<Block>>(value).is_ok());
            }
        }
    }
}
