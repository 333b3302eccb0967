//! Turns the bytes of a response into text. A byte order mark is dropped. Bytes that are not UTF-8 are marked, so that they cost
//! the record that holds them and not its page.

use std::borrow::Cow;

/// Marks for bad bytes, beside U+FFFD: the first that the text does not use is taken. Unicode assigns these to no character.
const MARKS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// The mark of a text's bad bytes, if it had any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BadBytes(Option<char>);

impl BadBytes {
    /// How bad bytes are marked in a text that [`BadBytes::shown`] gave.
    pub const KEPT: Self = Self(Some(char::REPLACEMENT_CHARACTER));

    /// The text of a body.
    pub fn decode(body: &[u8]) -> (Cow<'_, str>, Self) {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        if let Ok(text) = std::str::from_utf8(body) {
            return (Cow::Borrowed(text), Self(None));
        }
        let is_free = |mark: &char| !body.utf8_chunks().any(|chunk| chunk.valid().contains(*mark));
        // No real order uses every one of them. In such a text, records with the chosen character are quarantined as well.
        let mark = std::iter::once(char::REPLACEMENT_CHARACTER).chain(MARKS).find(is_free);
        let mark = mark.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut text = String::with_capacity(body.len());
        for chunk in body.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push(mark);
            }
        }
        (Cow::Owned(text), Self(Some(mark)))
    }

    /// Whether a part of the text had bad bytes.
    pub fn are_in(self, part: &str) -> bool {
        self.0.is_some_and(|mark| part.contains(mark))
    }

    /// Returns a part of the text as it is stored and shown: with the usual replacement character for bad bytes.
    pub fn shown(self, part: &str) -> String {
        match self.0 {
            Some(mark) => part.replace(mark, "\u{FFFD}"),
            None => part.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_text() {
        assert_eq!(BadBytes::decode(b"\xEF\xBB\xBF{}"), (Cow::Borrowed("{}"), BadBytes(None)));
    }

    #[test]
    fn bad_bytes_are_distinguished_from_characters_of_the_text_itself() {
        let body = ["\u{FFFD},\u{FDD0},".as_bytes(), b"\xFF"].concat();
        let (text, bad_bytes) = BadBytes::decode(&body);
        let parts: Vec<&str> = text.split(',').collect();
        assert_eq!(parts.iter().map(|part| bad_bytes.are_in(part)).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(bad_bytes.shown(parts[2]), "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn any_bytes_become_text_and_only_good_ones_are_unmarked(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let (text, bad_bytes) = BadBytes::decode(&body);
            let is_text = std::str::from_utf8(&body).is_ok();
            prop_assert_eq!(is_text, bad_bytes == BadBytes(None));
            prop_assert_eq!(is_text, !bad_bytes.are_in(&text));
        }
    }
}
