//! Checks of text that people typed, and the schemas that say the same.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::problem::FieldProblem;

/// No control character, and at least one character that is not a blank.
const LABEL: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$";

/// The schema of the texts that [`label`] accepts.
pub fn label_schema<const MAX: usize>() -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.min_length(Some(1)).max_length(Some(MAX)).pattern(Some(LABEL)).build()
}

/// The text without blanks around it, if it has at most `max` characters, not all of them blank and none a control
/// character.
pub fn label(field: &str, text: &str, max: usize) -> Result<String, FieldProblem> {
    let refuse = |problem: String| Err(FieldProblem::new(field, problem));
    if text.trim().is_empty() {
        return refuse("must not be empty".to_owned());
    }
    if text.chars().count() > max {
        return refuse(format!("must not be longer than {max} characters"));
    }
    if text.chars().any(char::is_control) {
        return refuse("must not hold line breaks or control characters".to_owned());
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_label_are_dropped_and_length_counts_characters() {
        assert_eq!(label("name", "  Ravi & Söhne ", 15).unwrap(), "Ravi & Söhne");
        assert!(label("name", &"é".repeat(12), 12).is_ok());
        assert!(label("name", &"é".repeat(13), 12).is_err());
    }

    #[test]
    fn empty_labels_and_control_characters_are_refused() {
        for text in ["", " \t", "a\u{0}b", "a\nb", "a\u{85}b", "a\n"] {
            assert!(label("name", text, 100).is_err(), "{text:?}");
        }
    }
}
