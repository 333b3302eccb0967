//! File names that users give: cleaned when they come in, and quoted when they go out. They are never part of a key.

use std::fmt::Write;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::content::ContentType;

/// How many characters a file name has at most.
const MAX_CHARS: usize = 120;

/// A user's file name, cleaned: no folders, control characters or invisible characters, and an ending that fits the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Cleans a name. Whatever the user wrote, the name ends as files of `content` do. So nobody opens a program as a
    /// picture. A name of which nothing is left becomes `file`.
    #[must_use]
    pub fn clean(text: &str, content: ContentType) -> Self {
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String = name.chars().filter(|&one| is_kept(one)).take(MAX_CHARS).collect();
        let trimmed = visible.trim_matches(|one: char| one == '.' || one.is_whitespace());
        let stem = if trimmed.is_empty() { "file" } else { trimmed };
        let endings = content.endings();
        let fits = stem.rsplit_once('.').is_some_and(|(rest, ending)| {
            !rest.is_empty() && endings.contains(&ending.to_lowercase().as_str())
        });
        Self(if fits { stem.to_owned() } else { format!("{stem}.{}", endings[0]) })
    }

    /// The cleaned name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Content-Disposition` for a download: always an attachment, with the name in ASCII for old clients and whole for
    /// others (RFC 6266, RFC 5987).
    pub(super) fn disposition(&self) -> String {
        let ascii: String = self.0.chars().map(|one| if is_plain(one) { one } else { '_' }).collect();
        let mut text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''");
        for &byte in self.0.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                write!(text, "%{byte:02X}").expect("a String takes everything");
            }
        }
        text
    }
}

/// Whether a character stays in a name: it can be seen, and it is neither private nor unassigned.
fn is_kept(one: char) -> bool {
    !matches!(
        one.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    )
}

/// Whether a character means nothing in a quoted string of a header, on any system.
fn is_plain(one: char) -> bool {
    one.is_ascii_alphanumeric() || " -._()".contains(one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(text: &str) -> String {
        FileName::clean(text, ContentType::Pdf).0
    }

    #[test]
    fn a_name_keeps_what_people_read_and_nothing_else() {
        for (text, expected) in [
            ("invoice.pdf", "invoice.pdf"),
            ("INVOICE.PDF", "INVOICE.PDF"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\temp\\bill.pdf", "bill.pdf"),
            ("चालान 7.pdf", "चालान 7.pdf"),
            ("bill.pdf\r\nSet-Cookie: a=b", "bill.pdfSet-Cookie: a=b.pdf"),
            ("bill\u{202e}fdp.exe", "billfdp.exe.pdf"),
            ("bill\0.pdf", "bill.pdf"),
            ("", "file.pdf"),
            ("..", "file.pdf"),
            (".pdf", "pdf.pdf"),
            ("  ", "file.pdf"),
        ] {
            assert_eq!(cleaned(text), expected, "{text:?}");
        }
        assert_eq!(cleaned(&"a".repeat(1_000)).len(), MAX_CHARS + 4);
    }

    #[test]
    fn a_download_is_always_an_attachment() {
        let name = FileName::clean("चालान \"7\"; x=y.pdf", ContentType::Pdf);
        assert_eq!(
            name.disposition(),
            "attachment; filename=\"_____ _7__ x_y.pdf\"; filename*=UTF-8''\
             %E0%A4%9A%E0%A4%BE%E0%A4%B2%E0%A4%BE%E0%A4%A8%20%227%22%3B%20x%3Dy.pdf"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_header(text in any::<String>()) {
            let name = FileName::clean(&text, ContentType::Jpeg);
            prop_assert!(!name.0.contains(['/', '\\', '\r', '\n', '\0']), "{name:?}");
            prop_assert!((1..=MAX_CHARS + 5).contains(&name.0.chars().count()), "{name:?}");
            let header = name.disposition();
            let rest = header.strip_prefix("attachment; filename=\"").unwrap();
            let (ascii, extended) = rest.split_once("\"; filename*=UTF-8''").unwrap();
            prop_assert!(ascii.chars().all(is_plain), "{header}");
            prop_assert!(extended.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{header}");
            prop_assert_eq!(FileName::clean(name.as_str(), ContentType::Jpeg), name);
        }
    }
}
