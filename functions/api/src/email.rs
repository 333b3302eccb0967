//! Email addresses that people typed: exactly one address, in a form that SES delivers to.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::problem::FieldProblem;

/// The longest address that mail systems deliver to.
const MAX: usize = 254;
/// Characters allowed unquoted before the @, besides letters and digits.
const MARKS: &str = "!#$%&'*+/=?^_`{|}~-";
/// The pattern that [`email`] accepts.
const PATTERN: &str = "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\
    @([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$";

/// The schema of an address.
pub fn email_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX)).pattern(Some(PATTERN)).build()
}

/// The text, if it is exactly one address.
pub fn email(field: &str, text: &str) -> Result<String, FieldProblem> {
    if is_address(text) {
        return Ok(text.to_owned());
    }
    Err(FieldProblem::new(field, "must be one email address, such as name@example.com"))
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= MAX
        && local.split('.').all(is_atom)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

fn is_atom(atom: &str) -> bool {
    !atom.is_empty() && atom.chars().all(|letter| letter.is_ascii_alphanumeric() || MARKS.contains(letter))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_accepted_unchanged() {
        for text in ["a@b.co", "Ravi.k+shop@mail.example.in", "o'neil@xn--exmpl-gra.example"] {
            assert_eq!(email("email", text).unwrap(), text);
        }
    }

    #[test]
    fn anything_but_exactly_one_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b..co",
            "a@-b.co",
            ".a@b.co",
            "a..b@c.co",
            "a b@c.co",
            " a@b.co",
            "a@b.co\n",
            "a@b.co,c@d.co",
            "a@b.co\r\nBcc: c@d.co",
            "Ravi <a@b.co>",
            "\"a b\"@c.co",
            "a@[127.0.0.1]",
            "ravi@éxample.com",
            "a\u{0}@b.co",
            &long,
        ] {
            assert!(email("email", text).is_err(), "{text:?}");
        }
    }
}
