//! Email addresses that people typed: what SES delivers to, and nothing that is more than one address.

use crate::problem::FieldProblem;

/// Longest address that mail systems pass on.
const MAX: usize = 254;
const MAX_LOCAL: usize = 64;
/// What may stand before the @ besides letters and digits, unquoted.
const MARKS: &str = "!#$%&'*+-/=?^_`{|}~.";

/// The address without blanks around it, if it is exactly one.
pub fn email(field: &str, text: &str) -> Result<String, FieldProblem> {
    let text = text.trim();
    if is_address(text) {
        return Ok(text.to_owned());
    }
    Err(FieldProblem::new(field, "must be an email address, such as name@example.com"))
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let dots_apart = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    text.len() <= MAX
        && (1..=MAX_LOCAL).contains(&local.len())
        && dots_apart(local)
        && local.chars().all(|letter| letter.is_ascii_alphanumeric() || MARKS.contains(letter))
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_taken_without_the_blanks_around_it() {
        for text in ["a@b.co", "ravi.k+shop@mail.example.in", "o'neil@xn--exmpl-gra.example"] {
            assert_eq!(email("email", &format!(" {text}\n")).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_address_or_more_than_one_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
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
