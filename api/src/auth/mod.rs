//! Who is calling: bearer tokens (JWT), and the keys that prove them.
//!
//! Nothing here asks the clock; `now` is an argument, in seconds since 1970.

mod claims;
mod dev_key;
mod fetch;
mod key_set;
mod proven;
mod published;
mod source;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};

use claims::Payload;
use fetch::Client;
use key_set::{KeySet, VerificationKey};
use proven::Proven;
use published::PublishedKeys;
use source::Source;

pub use claims::Claims;
pub use dev_key::{DEV_ISSUER, DEV_KEY_FILE, DevKey, Mint, MintError};
pub use jsonwebtoken::Algorithm;
pub use source::JwksError;

/// What an issuer may sign with; anything else is refused at start-up.
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// The longest lifetime of a token, from `iat` to `exp`.
pub const MAX_LIFETIME_SECONDS: i64 = 6 * 60 * 60;

/// How far the clocks of the issuer and this server may differ.
pub const LEEWAY_SECONDS: i64 = 60;

/// The shortest time between two attempts to fetch keys; fit for `Retry-After` with [`TokenError::NoKeys`].
pub const SECONDS_BETWEEN_FETCHES: u64 = 60;

/// How long fetched keys are used before they are fetched again, unless configured otherwise.
pub const DEFAULT_KEEP_KEYS: Duration = Duration::from_secs(10 * 60);

const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// The issuer to trust; when there is one, the key of the data folder is never accepted.
    pub issuer: Option<IssuerConfig>,
    /// Accept tokens signed with the key of the data folder, as long as there is no issuer.
    pub dev_tokens: bool,
    /// The folder that holds the local key.
    pub data_dir: PathBuf,
    /// The audience of local tokens: our resource URI.
    pub audience: String,
}

/// An issuer of access tokens.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// The exact `iss`.
    pub issuer: String,
    /// The value `aud` must contain: our resource URI.
    pub audience: String,
    /// Where its public keys are.
    pub jwks: JwksSource,
    /// A PEM file with the only certificate authorities that its TLS certificate may come from; without it
    /// those built in.
    pub authorities: Option<PathBuf>,
    /// What it may sign with, out of [`ALGORITHMS`].
    pub algorithms: Vec<Algorithm>,
    /// How long keys are used before they are read again.
    pub keep_keys: Duration,
}

impl IssuerConfig {
    /// An issuer with the default algorithms and the default time to keep keys.
    pub fn new(issuer: String, audience: String, jwks: JwksSource) -> Self {
        Self {
            issuer,
            audience,
            jwks,
            authorities: None,
            algorithms: ALGORITHMS.to_vec(),
            keep_keys: DEFAULT_KEEP_KEYS,
        }
    }
}

/// Where the JSON Web Key Set (RFC 7517) of an issuer is.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file; it must be there and hold a usable key at start-up.
    File(PathBuf),
    /// An address: `https`, or `http` on a loopback host. First fetched when a token needs it.
    Url(String),
    /// Wherever the metadata of the issuer say (RFC 8414, or OpenID Connect Discovery); the issuer must then
    /// be such an address itself. First fetched when a token needs it, and again with the keys.
    Metadata,
}

/// Why a token is refused. No text in here comes from the token or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Never valid, for the reason given: plain ASCII without quotes, fit for `error_description`.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// Credentials of another kind than a bearer token; RFC 6750, 3.1 treats them as none.
    #[error("the authorization scheme is not Bearer")]
    OtherScheme,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// No key of the issuer is known, so nothing can be judged: 503.
    #[error("no key of the issuer is available")]
    NoKeys,
}

/// Why authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// The local key cannot be read or written.
    #[error("cannot read or create the local signing key {path}")]
    DevKeyFile {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The local key file holds something else.
    #[error("{path} is not an Ed25519 key in PKCS#8 form")]
    DevKeyFormat {
        /// The file.
        path: PathBuf,
    },
    /// No key could be made.
    #[error("cannot make a signing key")]
    DevKeyMaking,
    /// A required setting is empty.
    #[error("the {0} must not be empty")]
    Empty(&'static str),
    /// An algorithm outside [`ALGORITHMS`].
    #[error("tokens signed with {0:?} cannot be accepted")]
    Algorithm(Algorithm),
    /// The address of the keys is not acceptable.
    #[error("the address of the key set must be https, or http on a loopback host, without a user")]
    JwksAddress,
    /// The issuer is no address under which metadata can be found.
    #[error(
        "without an address or a file of its keys the issuer must be an https address, or http on a loopback host, \
         without user, query and fragment"
    )]
    IssuerAddress,
    /// The file with certificate authorities cannot be read.
    #[error("cannot read the certificate authorities {path}")]
    AuthoritiesFile {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The file with certificate authorities holds none, or something else.
    #[error("{path} does not hold certificates in PEM form")]
    AuthoritiesFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file with the keys of the issuer cannot be used.
    #[error("cannot use the key set {path}")]
    JwksFile {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: JwksError,
    },
}

/// Takes the token out of the value of an `Authorization` header (RFC 6750, 2.1).
pub fn bearer_from_header(value: &str) -> Result<&str, TokenError> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::OtherScheme);
    }
    let token = rest.trim_start_matches(' ');
    let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || !token.bytes().all(is_token_byte) {
        return Err(TokenError::Invalid("one bearer token is expected"));
    }
    Ok(token)
}

/// Judges tokens. Made once, shared by all threads.
#[derive(Debug)]
pub struct Verifier {
    trusted: Option<Trusted>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Verifier {
    /// Reads the local key or the key file of the issuer; never uses the network.
    pub fn new(config: AuthConfig) -> Result<Self, AuthSetupError> {
        let AuthConfig { issuer, dev_tokens, data_dir, audience } = config;
        let trusted = match issuer {
            Some(issuer) => {
                if dev_tokens {
                    tracing::warn!("an issuer is configured: local tokens are not accepted");
                }
                Some(Trusted::issuer(issuer)?)
            }
            None if dev_tokens => Some(Trusted::dev(DevKey::load_or_create(&data_dir)?, audience)?),
            None => None,
        };
        Ok(Self { trusted, turn: Arc::default() })
    }

    /// Waits until nobody else is in [`Self::verify`] and keeps others out while the turn is held. With an
    /// issuer that does not answer, strangers with invented key ids thus hold up one thread, and not all that
    /// serve the database.
    pub async fn turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Judges `token` at the moment `now`, and fetches keys if that is needed and due.
    ///
    /// May block, for at most about the five seconds a fetch may take: call it where blocking is
    /// allowed (`web::block`), in [`Self::turn`], and only after [`Self::verify_from_cache`] gave `None`.
    pub fn verify(&self, token: &str, now: i64) -> Result<Claims, TokenError> {
        let (trusted, header, kid) = self.open(token)?;
        let keys = match &trusted.keys {
            Keys::Fixed(keys) => Arc::clone(keys),
            Keys::Published(published) => published.keys_for(&kid, now),
        };
        trusted.judge(token, &header, &kid, &keys, now)
    }

    /// Judges `token` with the keys at hand; `None` when only [`Self::verify`] can tell. Never blocks.
    pub fn verify_from_cache(&self, token: &str, now: i64) -> Option<Result<Claims, TokenError>> {
        let (trusted, header, kid) = match self.open(token) {
            Ok(opened) => opened,
            Err(err) => return Some(Err(err)),
        };
        let keys = match &trusted.keys {
            Keys::Fixed(keys) => Arc::clone(keys),
            Keys::Published(published) => published.settled_keys_for(&kid, now)?,
        };
        Some(trusted.judge(token, &header, &kid, &keys, now))
    }

    /// What can be refused without a key, so that plain junk never causes a fetch.
    fn open(&self, token: &str) -> Result<(&Trusted, Header, String), TokenError> {
        let Some(trusted) = &self.trusted else {
            return Err(TokenError::Invalid("this server accepts no tokens"));
        };
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid("the token is too long"));
        }
        let mut header = jsonwebtoken::decode_header(token)
            .map_err(|_| TokenError::Invalid("malformed token or unknown algorithm"))?;
        if !trusted.algorithms.contains(&header.alg) {
            return Err(TokenError::Invalid("the algorithm is not allowed"));
        }
        // RFC 7515, 4.1.11: we understand no extension, so none may be critical.
        if header.crit.is_some() {
            return Err(TokenError::Invalid("a critical header is not understood"));
        }
        if !header.typ.as_deref().is_none_or(is_access_token_type) {
            return Err(TokenError::Invalid("not an access token"));
        }
        let kid = header.kid.take().ok_or(TokenError::Invalid("the key id is missing"))?;
        Ok((trusted, header, kid))
    }
}

/// RFC 9068 asks for `at+jwt`; many issuers still say `JWT`.
///
/// Other kinds of JWT are not for us (RFC 8725, 3.11).
fn is_access_token_type(typ: &str) -> bool {
    is_declared_access_token(typ) || media_type(typ) == "jwt"
}

fn is_declared_access_token(typ: &str) -> bool {
    media_type(typ) == "at+jwt"
}

/// A type as RFC 7515, 4.1.9 compares it: `application/` may be left out.
fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
}

/// The one issuer whose word counts.
#[derive(Debug)]
struct Trusted {
    issuer: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    keys: Keys,
    /// Tokens whose signature was verified before.
    proven: Proven,
}

#[derive(Debug)]
enum Keys {
    Fixed(Arc<KeySet>),
    Published(Box<PublishedKeys>),
}

impl Trusted {
    fn issuer(config: IssuerConfig) -> Result<Self, AuthSetupError> {
        let IssuerConfig { issuer, audience, jwks, authorities, algorithms, keep_keys } = config;
        if let Some(other) = algorithms.iter().find(|one| !ALGORITHMS.contains(one)) {
            return Err(AuthSetupError::Algorithm(*other));
        }
        if algorithms.is_empty() {
            return Err(AuthSetupError::Empty("list of algorithms"));
        }
        let issuer = not_empty(issuer, "issuer")?;
        let source = Source::new(jwks, &issuer, Client::new(authorities.as_deref())?)?;
        Ok(Self {
            audience: not_empty(audience, "audience")?,
            keys: Keys::Published(Box::new(PublishedKeys::new(source, algorithms.clone(), keep_keys)?)),
            issuer,
            algorithms,
            proven: Proven::default(),
        })
    }

    fn dev(key: DevKey, audience: String) -> Result<Self, AuthSetupError> {
        let algorithms = vec![Algorithm::EdDSA];
        let key = VerificationKey { kid: key.kid, algorithms: algorithms.clone(), key: key.verifying };
        Ok(Self {
            issuer: DEV_ISSUER.to_owned(),
            audience: not_empty(audience, "audience")?,
            algorithms,
            keys: Keys::Fixed(Arc::new(KeySet::of(vec![key]))),
            proven: Proven::default(),
        })
    }

    fn judge(
        &self,
        token: &str,
        header: &Header,
        kid: &str,
        keys: &Arc<KeySet>,
        now: i64,
    ) -> Result<Claims, TokenError> {
        let payload = match self.proven.find(token, keys) {
            Some(payload) => payload,
            None => {
                let payload = Arc::new(prove(token, header, kid, keys)?);
                self.proven.keep(token, keys, &payload);
                payload
            }
        };
        payload.believed(&self.issuer, &self.audience, now)
    }
}

/// What stands in a token, once its signature is verified and it is known to be an access token.
fn prove(token: &str, header: &Header, kid: &str, keys: &KeySet) -> Result<Payload, TokenError> {
    if keys.is_empty() {
        return Err(TokenError::NoKeys);
    }
    if !keys.knows(kid) {
        return Err(TokenError::Invalid("the key is not known"));
    }
    let key = keys.find(kid, header.alg).ok_or(TokenError::Invalid("the algorithm does not fit the key"))?;

    // Only the signature is left to the library: it would ask the system clock.
    let mut validation = Validation::new(header.alg);
    validation.algorithms.clone_from(&key.algorithms);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let payload = jsonwebtoken::decode::<Payload>(token, &key.key, &validation)
        .map_err(|err| match err.kind() {
            ErrorKind::InvalidSignature => TokenError::Invalid("the signature is wrong"),
            _ => TokenError::Invalid("a claim is missing or of the wrong type"),
        })?
        .claims;
    if !payload.fits_access_token(header.typ.as_deref().is_some_and(is_declared_access_token)) {
        return Err(TokenError::Invalid("not an access token"));
    }
    Ok(payload)
}

fn not_empty(value: String, what: &'static str) -> Result<String, AuthSetupError> {
    if value.is_empty() { Err(AuthSetupError::Empty(what)) } else { Ok(value) }
}

#[cfg(test)]
mod tests;
