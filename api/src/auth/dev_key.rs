//! The key pair of the data folder, for trying things out.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;

use super::claims::is_name;
use super::{AuthSetupError, MAX_LIFETIME_SECONDS, MAX_TOKEN_BYTES};

/// The `iss` of tokens signed with the key of the data folder.
pub const DEV_ISSUER: &str = "wijkaanzet-dev";

/// The file in the data folder that holds the local signing key (PKCS#8).
pub const DEV_KEY_FILE: &str = "dev-signing-key.pk8";

/// Why a local token is not made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Outside 1 second to [`MAX_LIFETIME_SECONDS`].
    #[error("the lifetime must be 1 second to 6 hours")]
    Lifetime,
    /// A subject or client that no verifier would accept.
    #[error("subject and client need 1 to 255 characters without control characters")]
    Name,
    /// More text than a verifier would accept.
    #[error("the token would be too long")]
    TooLong,
    /// No random number could be had.
    #[error("no random number available")]
    Random,
    /// The signing failed.
    #[error("cannot sign the token")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// The key pair of the data folder, for trying things out without an issuer.
pub struct DevKey {
    pub(super) kid: String,
    signing: EncodingKey,
    pub(super) verifying: DecodingKey,
}

impl fmt::Debug for DevKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What a local token shall say.
#[derive(Debug, Clone)]
pub struct Mint {
    /// The `sub`.
    pub subject: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// Codes of councils, or `*`.
    pub councils: Vec<String>,
    /// Codes of clusters, or `*`.
    pub clusters: Vec<String>,
    /// The `aud`: our resource URI.
    pub audience: String,
    /// The `client_id`.
    pub client_id: String,
    /// From `issued_at` to `exp`: 1 to [`MAX_LIFETIME_SECONDS`].
    pub lifetime_seconds: i64,
    /// The moment of issue, in seconds since 1970.
    pub issued_at: i64,
}

#[derive(Serialize)]
struct MintedPayload {
    iss: &'static str,
    aud: String,
    sub: String,
    client_id: String,
    scope: String,
    councils: Vec<String>,
    clusters: Vec<String>,
    iat: i64,
    exp: i64,
    jti: String,
}

impl DevKey {
    /// Reads the key of the data folder, and makes it when it is not there yet.
    ///
    /// Processes that start at once end up with the same key.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, AuthSetupError> {
        let path = data_dir.join(DEV_KEY_FILE);
        let failed = |source| AuthSetupError::DevKeyFile { path: path.clone(), source };
        let stored = match fs::read(&path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let fresh = Ed25519KeyPair::generate()
                    .and_then(|pair| pair.to_pkcs8v1())
                    .map_err(|_| AuthSetupError::DevKeyMaking)?;
                let suffix = random::<8>().ok_or(AuthSetupError::DevKeyMaking)?;
                let draft = data_dir.join(format!("{DEV_KEY_FILE}.{:016x}", u64::from_ne_bytes(suffix)));
                fs::create_dir_all(data_dir).map_err(failed)?;
                let placed = place_once(fresh.as_ref(), &draft, &path);
                // Ours or that of a process that was first: what stands there counts.
                placed.and_then(|()| fs::read(&path)).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        Self::from_pkcs8(&stored).ok_or(AuthSetupError::DevKeyFormat { path })
    }

    /// The key id: the thumbprint of the public key (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a token that a verifier with this key and audience accepts from `issued_at` on.
    pub fn mint(&self, mint: Mint) -> Result<String, MintError> {
        let Mint { subject, scope, councils, clusters, audience, client_id, lifetime_seconds, issued_at } =
            mint;
        if !(1..=MAX_LIFETIME_SECONDS).contains(&lifetime_seconds) {
            return Err(MintError::Lifetime);
        }
        if !is_name(&subject) || !is_name(&client_id) {
            return Err(MintError::Name);
        }
        let milliseconds = u64::try_from(issued_at).unwrap_or(0).saturating_mul(1000);
        let chance = random::<10>().ok_or(MintError::Random)?;
        let jti = uuid::Builder::from_unix_timestamp_millis(milliseconds, &chance).into_uuid();
        let payload = MintedPayload {
            iss: DEV_ISSUER,
            aud: audience,
            sub: subject,
            client_id,
            scope,
            councils,
            clusters,
            iat: issued_at,
            exp: issued_at.saturating_add(lifetime_seconds),
            jti: jti.to_string(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        let token = jsonwebtoken::encode(&header, &payload, &self.signing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(MintError::TooLong);
        }
        Ok(token)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        let public = pair.public_key().as_ref();
        let x = URL_SAFE_NO_PAD.encode(public);
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let thumbprint = digest::digest(&digest::SHA256, canonical.as_bytes());
        Some(Self {
            kid: URL_SAFE_NO_PAD.encode(thumbprint),
            signing: EncodingKey::from_ed_der(pkcs8),
            verifying: DecodingKey::from_ed_der(public),
        })
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Puts a file at `path` in one step, unless one is there already.
fn place_once(content: &[u8], draft: &Path, path: &Path) -> io::Result<()> {
    let placed = write_private(content, draft).and_then(|()| match fs::hard_link(draft, path) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(draft);
    placed.and(removed)
}

fn write_private(content: &[u8], path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
