//! Positions in the journal as callers carry them: sealed, so that nobody reads how much was written that he may not see, nor makes
//! one up. Every process on the same database reads what another one gave.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use persistence::Position;

/// The header in which an answer to a change tells the position after it, and in which a reader asks for no earlier one.
pub const JOURNAL_POSITION: &str = "journal-position";

/// Two numbers and the tag.
const SEALED_BYTES: usize = 32;

/// What is sealed, so that a seal of another thing is never taken for one of these.
const WHAT: &[u8] = b"wijkaanzet journal position";

/// Seals and opens positions.
pub struct Seal {
    key: LessSafeKey,
}

impl Seal {
    /// With the key of the database: 64 hexadecimal digits.
    pub fn new(key: &str) -> Result<Self, String> {
        let digits = |at: usize| key.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..key.len()).step_by(2).map(digits).collect();
        let key = bytes.and_then(|bytes| UnboundKey::new(&AES_256_GCM_SIV, &bytes).ok());
        let key = key.ok_or("the key that cursors are sealed with is not 64 hexadecimal digits")?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// As a caller gets it. The same position always reads the same, and nothing else can be told of it: that is what this kind
    /// of cipher keeps also without a number used once.
    pub fn close(&self, position: Position) -> String {
        let Position { sequence, mark } = position;
        let mut bytes = [sequence.to_be_bytes(), mark.to_be_bytes()].concat();
        match self.key.seal_in_place_append_tag(no_nonce(), Aad::from(WHAT), &mut bytes) {
            Ok(()) => URL_SAFE_NO_PAD.encode(bytes),
            // Sixteen bytes are never too long, which is the one way to fail.
            Err(_) => String::new(),
        }
    }

    /// Whether it has the form of a sealed position, of whatever key.
    pub fn looks_sealed(text: &str) -> bool {
        URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == SEALED_BYTES)
    }

    /// What a caller brought; none when it is not ours.
    pub fn open(&self, text: &str) -> Option<Position> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let opened = self.key.open_in_place(no_nonce(), Aad::from(WHAT), &mut bytes).ok()?;
        let (sequence, mark) = opened.split_first_chunk::<8>()?;
        let mark: [u8; 8] = mark.try_into().ok()?;
        Some(Position { sequence: i64::from_be_bytes(*sequence), mark: u64::from_be_bytes(mark) })
    }
}

fn no_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    proptest! {
        #[test]
        fn what_was_sealed_opens_with_the_same_key_and_no_other(sequence in 0_i64.., mark: u64) {
            let position = Position { sequence, mark };
            let sealed = Seal::new(KEY).unwrap().close(position);
            prop_assert_eq!(Seal::new(KEY).unwrap().open(&sealed), Some(position));
            prop_assert_eq!(Seal::new(&KEY.replace("1f", "20")).unwrap().open(&sealed), None);
            prop_assert_eq!(&sealed, &Seal::new(KEY).unwrap().close(position));
        }

        #[test]
        fn nothing_made_up_opens(text in "[A-Za-z0-9_-]{0,60}") {
            prop_assert_eq!(Seal::new(KEY).unwrap().open(&text), None);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(Seal::new("").is_err());
        assert!(Seal::new("0g").is_err());
        assert!(Seal::new(&KEY[2..]).is_err());
    }
}
