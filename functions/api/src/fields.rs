//! Checks of text that people typed.

use crate::problem::FieldProblem;

/// The text without blanks around it, if `1..=max` characters remain and none of them is a control character.
pub fn label(field: &str, text: &str, max: usize) -> Result<String, FieldProblem> {
    let text = text.trim();
    let refuse = |problem: String| Err(FieldProblem::new(field, problem));
    if text.is_empty() {
        return refuse("must not be empty".to_owned());
    }
    if text.chars().count() > max {
        return refuse(format!("must not be longer than {max} characters"));
    }
    if text.chars().any(char::is_control) {
        return refuse("must not hold line breaks or control characters".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_label_are_dropped_and_length_counts_characters() {
        assert_eq!(label("name", "  Ravi & Söhne \n", 12).unwrap(), "Ravi & Söhne");
        assert!(label("name", &"é".repeat(12), 12).is_ok());
        assert!(label("name", &"é".repeat(13), 12).is_err());
    }

    #[test]
    fn empty_labels_and_control_characters_are_refused() {
        for text in ["", " \t", "a\u{0}b", "a\nb", "a\u{85}b"] {
            assert!(label("name", text, 100).is_err(), "{text:?}");
        }
    }
}
