//! What is inside an object: its content type and its digest.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

/// The content types that objects have. A type that browsers run, such as HTML or SVG, is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// A PDF.
    Pdf,
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A WebP picture.
    Webp,
    /// A picture of an iPhone.
    Heic,
    /// An MP4 film.
    Mp4,
    /// A film of an iPhone.
    QuickTime,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Plain text.
    Text,
    /// An Excel workbook.
    Xlsx,
    /// An old Excel workbook.
    Xls,
    /// A ZIP archive.
    Zip,
    /// Compressed JSON lines.
    Gzip,
}

impl ContentType {
    /// Every content type.
    pub const ALL: [Self; 14] = [
        Self::Pdf,
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Heic,
        Self::Mp4,
        Self::QuickTime,
        Self::Csv,
        Self::Tsv,
        Self::Text,
        Self::Xlsx,
        Self::Xls,
        Self::Zip,
        Self::Gzip,
    ];

    /// The media type, and the endings of file names that it goes with; the first is the usual one.
    fn spelled(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Pdf => ("application/pdf", &["pdf"]),
            Self::Jpeg => ("image/jpeg", &["jpg", "jpeg"]),
            Self::Png => ("image/png", &["png"]),
            Self::Webp => ("image/webp", &["webp"]),
            Self::Heic => ("image/heic", &["heic", "heif"]),
            Self::Mp4 => ("video/mp4", &["mp4", "m4v"]),
            Self::QuickTime => ("video/quicktime", &["mov"]),
            Self::Csv => ("text/csv", &["csv"]),
            Self::Tsv => ("text/tab-separated-values", &["tsv", "txt"]),
            Self::Text => ("text/plain", &["txt"]),
            Self::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
            Self::Xls => ("application/vnd.ms-excel", &["xls"]),
            Self::Zip => ("application/zip", &["zip"]),
            Self::Gzip => ("application/gzip", &["gz"]),
        }
    }

    /// The media type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.spelled().0
    }

    /// The content type of a media type, which is spelled as we spell it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// The usual ending of file names.
    #[must_use]
    pub fn ending(self) -> &'static str {
        self.spelled().1[0]
    }

    /// The endings of file names that it goes with; the first is the usual one.
    pub(super) fn endings(self) -> &'static [&'static str] {
        self.spelled().1
    }
}

/// The SHA-256 digest of an object's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

/// A text is not a SHA-256 digest of 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest of 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl Sha256 {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(&digest::digest(&digest::SHA256, bytes))
    }

    /// A digest that the database holds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotADigest> {
        bytes.try_into().map(Self).map_err(|_| NotADigest)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn from_digest(digest: &digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// As S3 writes it.
    pub(super) fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    pub(super) fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl FromStr for Sha256 {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let is_ours = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_ours {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_one_spelling_only() {
        let digest = Sha256::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(Sha256::from_base64(&digest.to_base64()), Some(digest));
        assert_eq!(Sha256::from_bytes(digest.as_bytes()), Ok(digest));
        for other in [&text.to_uppercase(), &text[1..], &format!("{text}0"), &text.replacen('b', "+", 1), ""]
        {
            assert_eq!(other.parse::<Sha256>(), Err(NotADigest), "{other:?}");
        }
        assert_eq!(Sha256::from_bytes(&[0; 31]), Err(NotADigest));
    }

    #[test]
    fn media_types_are_read_as_they_are_written() {
        for one in ContentType::ALL {
            assert_eq!(ContentType::parse(one.as_str()), Some(one));
        }
        for text in ["text/html", "image/svg+xml", "application/xhtml+xml", "", "image/png; charset=x"] {
            assert_eq!(ContentType::parse(text), None, "{text}");
        }
    }
}
