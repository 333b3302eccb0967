//! A token that can be used once: 32 random bytes, in an invitation's mail or the address of a consent page. The database
//! holds only their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

const LEN: usize = 32;

/// A token. It cannot be printed or serialized; only [`OneTimeToken::text`] returns it.
pub struct OneTimeToken([u8; LEN]);

impl OneTimeToken {
    /// Makes a new token. Fails when the system returns no random bytes.
    pub fn generate() -> Result<Self, Unspecified> {
        let mut bytes = [0; LEN];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A token that was made elsewhere.
    pub fn of(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// Reads a token from a text; `None` when the text is not a token.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The token as it is written in a mail or an address.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The hash that the database keeps.
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, &self.0).as_ref().to_vec()
    }
}

impl std::fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_mail_and_no_two_are_alike() {
        let token = OneTimeToken::generate().unwrap();
        let text = token.text();
        assert_eq!(text.len(), 43);
        assert!(text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)), "{text}");
        assert_eq!(OneTimeToken::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(OneTimeToken::generate().unwrap().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "OneTimeToken(..)");
    }

    #[test]
    fn a_text_that_is_not_a_token_is_refused() {
        let token = OneTimeToken::generate().unwrap().text();
        for text in ["", "A", &token[1..], &format!("{token}A"), &format!("{token}="), &format!(" {token}")] {
            assert!(OneTimeToken::parse(text).is_none(), "{text:?}");
        }
    }
}
