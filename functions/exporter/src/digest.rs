//! A SHA-256 that can be noted in the middle and gone on with later.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use crate::error::ExportError;

/// The digest of what was added so far. As JSON it is the hash function's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Default for Digest {
    fn default() -> Self {
        Self::noted(&sha2::Sha256::new())
    }
}

impl Digest {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let mut state = self.state()?;
        state.update(bytes);
        *self = Self::noted(&state);
        Ok(())
    }

    /// The digest, in hexadecimal digits.
    pub fn hex(&self) -> Result<String, ExportError> {
        let digest: [u8; 32] = self.state()?.finalize().into();
        let digest = robnu_storage::objects::Sha256::from_bytes(&digest);
        Ok(digest.map_err(|_| ExportError::Noted)?.to_string())
    }

    fn noted(state: &sha2::Sha256) -> Self {
        Self(STANDARD.encode(state.serialize()))
    }

    fn state(&self) -> Result<sha2::Sha256, ExportError> {
        let bytes = STANDARD.decode(&self.0).map_err(|_| ExportError::Noted)?;
        let state = SerializedState::<sha2::Sha256>::try_from(bytes.as_slice());
        let state = state.map_err(|_| ExportError::Noted)?;
        sha2::Sha256::deserialize(&state).map_err(|_| ExportError::Noted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use robnu_storage::objects::Sha256;

    use super::*;

    proptest! {
        #[test]
        fn in_whatever_pieces_it_is_the_digest_of_the_whole(pieces: Vec<Vec<u8>>) {
            let mut digest = Digest::default();
            for piece in &pieces {
                digest.update(piece).unwrap();
                digest = serde_json::from_str(&serde_json::to_string(&digest).unwrap()).unwrap();
            }
            prop_assert_eq!(digest.hex().unwrap(), Sha256::of(&pieces.concat()).to_string());
        }
    }
}
