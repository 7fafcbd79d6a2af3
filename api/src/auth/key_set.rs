//! Public keys, as an issuer publishes them.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// A public key, and what it may verify: what its type and `alg` fit, out of what is configured.
#[derive(Debug)]
pub(super) struct VerificationKey {
    pub(super) kid: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
}

/// The usable keys of an issuer. Where two have the same id and fit the same algorithm, the first counts.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<VerificationKey>,
    passed_over: usize,
}

impl KeySet {
    pub(super) fn parse(document: &[u8], allowed: &[Algorithm]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let Document { keys } = serde_json::from_slice(document)?;
        // One by one: a key of a kind yet unknown does not spoil the others (RFC 7517, 5).
        let published = keys.len();
        let usable = keys.into_iter().filter_map(|key| VerificationKey::from_jwk(key, allowed));
        let mut key_set = Self::of(usable.collect());
        key_set.passed_over = published - key_set.keys.len();
        Ok(key_set)
    }

    pub(super) fn of(keys: Vec<VerificationKey>) -> Self {
        Self { keys, passed_over: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many keys the document held that are not for us.
    pub(super) fn passed_over(&self) -> usize {
        self.passed_over
    }

    pub(super) fn has_same_ids(&self, other: &Self) -> bool {
        let ids = |set: &Self| set.keys.iter().map(|key| key.kid.clone()).collect::<BTreeSet<_>>();
        ids(self) == ids(other)
    }

    pub(super) fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid)
    }

    pub(super) fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&VerificationKey> {
        self.keys.iter().find(|key| key.kid == kid && key.algorithms.contains(&algorithm))
    }
}

impl VerificationKey {
    /// `None` for keys that are not for us: encryption, secrets, other curves, no `kid`.
    pub(super) fn from_jwk(jwk: serde_json::Value, allowed: &[Algorithm]) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
        let verifies = |operations: &Vec<_>| operations.contains(&KeyOperations::Verify);
        if !signs || !common.key_operations.as_ref().is_none_or(verifies) {
            return None;
        }
        // The library puts an EC key together without a look at its curve.
        let fitting: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if (256..=1024).contains(&size(&rsa.n)?) => {
                &[Algorithm::RS256, Algorithm::PS256]
            }
            AlgorithmParameters::EllipticCurve(ec)
                if ec.curve == EllipticCurve::P256
                    && decoded(&ec.x)?.len() == 32
                    && decoded(&ec.y)?.len() == 32 =>
            {
                &[Algorithm::ES256]
            }
            AlgorithmParameters::OctetKeyPair(okp)
                if okp.curve == EllipticCurve::Ed25519 && decoded(&okp.x)?.len() == 32 =>
            {
                &[Algorithm::EdDSA]
            }
            _ => return None,
        };
        let is_meant =
            |one: &Algorithm| common.key_algorithm.is_none_or(|meant| meant == KeyAlgorithm::from(*one));
        let algorithms: Vec<_> =
            fitting.iter().copied().filter(|one| allowed.contains(one) && is_meant(one)).collect();
        if algorithms.is_empty() {
            return None;
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id?, algorithms, key })
    }
}

fn decoded(base64: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(base64).ok()
}

/// The bytes of a number without leading zeros.
fn size(base64: &str) -> Option<usize> {
    Some(decoded(base64)?.into_iter().skip_while(|byte| *byte == 0).count())
}
