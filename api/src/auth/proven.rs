//! Tokens whose signature was verified before. A caller sends the same one for hours, and the signature is what takes time. Whom it
//! is for and how long it is good is asked anew each time.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::claims::Payload;
use super::key_set::KeySet;

/// How many are kept; those not seen for longest go first.
const KEPT: usize = 1024;

/// Tokens by their hash: none stands in memory for longer than its request.
pub(super) struct Proven(Cache<[u8; 32], (Arc<KeySet>, Arc<Payload>)>);

impl Default for Proven {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proven").field(&self.0.len()).finish()
    }
}

impl Proven {
    /// What stands in this token, if it was verified with these very keys.
    pub(super) fn find(&self, token: &str, keys: &Arc<KeySet>) -> Option<Arc<Payload>> {
        let (by, payload) = self.0.get(&hash(token))?;
        Arc::ptr_eq(&by, keys).then_some(payload)
    }

    /// Keeps what was verified with these keys.
    pub(super) fn keep(&self, token: &str, keys: &Arc<KeySet>, payload: &Arc<Payload>) {
        self.0.insert(hash(token), (keys.clone(), payload.clone()));
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
