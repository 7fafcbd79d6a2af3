//! Who is calling: bearer tokens (JWT), and the keys that prove them.
//!
//! Nothing here asks the clock; `now` is an argument, in seconds since 1970.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Deserializer, Serialize};

pub use jsonwebtoken::Algorithm;

/// The `iss` of tokens signed with the key of the data folder.
pub const DEV_ISSUER: &str = "wijkaanzet-dev";

/// The file in the data folder that holds the local signing key (PKCS#8).
pub const DEV_KEY_FILE: &str = "dev-signing-key.pk8";

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
const MAX_JWKS_BYTES: u64 = 1024 * 1024;
const MAX_NAME_CHARS: usize = 255;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// What it may sign with, out of [`ALGORITHMS`].
    pub algorithms: Vec<Algorithm>,
    /// How long keys are used before they are read again.
    pub keep_keys: Duration,
}

impl IssuerConfig {
    /// An issuer with the default algorithms and the default time to keep keys.
    pub fn new(issuer: String, audience: String, jwks: JwksSource) -> Self {
        Self { issuer, audience, jwks, algorithms: ALGORITHMS.to_vec(), keep_keys: DEFAULT_KEEP_KEYS }
    }
}

/// Where the JSON Web Key Set (RFC 7517) of an issuer is.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file; it must be there and hold a usable key at start-up.
    File(PathBuf),
    /// An address: `https`, or `http` on a loopback host. First fetched when a token needs it.
    Url(String),
}

/// What a valid token says about its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// On whose behalf the client acts.
    pub sub: String,
    /// The client, from `client_id` or `azp`.
    pub client: String,
    /// The scopes granted.
    pub scopes: BTreeSet<String>,
    /// Codes of councils, or `*`.
    pub councils: Vec<String>,
    /// Codes of clusters, or `*`.
    pub clusters: Vec<String>,
}

/// Why a token is refused. No text in here comes from the token or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Never valid, for the reason given: plain ASCII without quotes, fit for `error_description`.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
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

/// Why a key set could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("cannot read the file")]
    Io(#[from] io::Error),
    /// The issuer cannot be reached, or answers with an error.
    #[error("cannot fetch from the issuer")]
    Http(#[from] ureq::Error),
    /// The issuer answers with something other than 200.
    #[error("the issuer answers with status {0}")]
    Status(u16),
    /// More than 1 MiB.
    #[error("the key set is too large")]
    TooLarge,
    /// Not a JSON Web Key Set.
    #[error("not a JSON Web Key Set")]
    Format(#[from] serde_json::Error),
    /// A key set without a key we could verify with.
    #[error("the key set holds no usable key")]
    NoUsableKey,
}

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

/// Takes the token out of the value of an `Authorization` header (RFC 6750, 2.1).
pub fn bearer_from_header(value: &str) -> Result<&str, TokenError> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Invalid("the authorization scheme is not Bearer"));
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
        Ok(Self { trusted })
    }

    /// Judges `token` at the moment `now`, and fetches keys if that is needed and due.
    ///
    /// May block, for at most about the five seconds a fetch may take: call it where blocking is
    /// allowed (`web::block`), and only after [`Self::verify_from_cache`] gave `None`.
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
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

/// The one issuer whose word counts.
#[derive(Debug)]
struct Trusted {
    issuer: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Fixed(Arc<KeySet>),
    Published(Box<PublishedKeys>),
}

impl Trusted {
    fn issuer(config: IssuerConfig) -> Result<Self, AuthSetupError> {
        let IssuerConfig { issuer, audience, jwks, algorithms, keep_keys } = config;
        if let Some(other) = algorithms.iter().find(|one| !ALGORITHMS.contains(one)) {
            return Err(AuthSetupError::Algorithm(*other));
        }
        if algorithms.is_empty() {
            return Err(AuthSetupError::Empty("list of algorithms"));
        }
        Ok(Self {
            issuer: not_empty(issuer, "issuer")?,
            audience: not_empty(audience, "audience")?,
            keys: Keys::Published(Box::new(PublishedKeys::new(jwks, algorithms.clone(), keep_keys)?)),
            algorithms,
        })
    }

    fn dev(key: DevKey, audience: String) -> Result<Self, AuthSetupError> {
        let algorithms = vec![Algorithm::EdDSA];
        let key = VerificationKey { kid: key.kid, algorithms: algorithms.clone(), key: key.verifying };
        Ok(Self {
            issuer: DEV_ISSUER.to_owned(),
            audience: not_empty(audience, "audience")?,
            algorithms,
            keys: Keys::Fixed(Arc::new(KeySet(vec![key]))),
        })
    }

    fn judge(
        &self,
        token: &str,
        header: &Header,
        kid: &str,
        keys: &KeySet,
        now: i64,
    ) -> Result<Claims, TokenError> {
        if keys.0.is_empty() {
            return Err(TokenError::NoKeys);
        }
        if !keys.knows(kid) {
            return Err(TokenError::Invalid("the key is not known"));
        }
        let key =
            keys.find(kid, header.alg).ok_or(TokenError::Invalid("the algorithm does not fit the key"))?;

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
        self.check(payload, now)
    }

    fn check(&self, payload: Payload, now: i64) -> Result<Claims, TokenError> {
        let Payload { iss, aud, exp, iat, nbf, sub, client_id, azp, scope, councils, clusters } = payload;
        if iss != self.issuer {
            return Err(TokenError::Invalid("the issuer is not ours"));
        }
        if !aud.contains(&self.audience) {
            return Err(TokenError::Invalid("the audience is not this server"));
        }

        let latest_start = now.saturating_add(LEEWAY_SECONDS);
        let lifetime = exp.0.saturating_sub(iat.0);
        if !(1..=MAX_LIFETIME_SECONDS).contains(&lifetime) {
            return Err(TokenError::Invalid("the lifetime must be 1 second to 6 hours"));
        }
        if iat.0 > latest_start {
            return Err(TokenError::Invalid("issued in the future"));
        }
        if nbf.is_some_and(|nbf| nbf.0 > latest_start) {
            return Err(TokenError::Invalid("not valid yet"));
        }
        if now >= exp.0.saturating_add(LEEWAY_SECONDS) {
            return Err(TokenError::Expired);
        }

        if !is_name(&sub) {
            return Err(TokenError::Invalid("sub must be 1 to 255 visible characters"));
        }
        let client = match (client_id, azp) {
            (Some(client_id), Some(azp)) if client_id != azp => {
                return Err(TokenError::Invalid("client_id and azp differ"));
            }
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => return Err(TokenError::Invalid("client_id or azp is missing")),
        };
        if !is_name(&client) {
            return Err(TokenError::Invalid("the client must be 1 to 255 visible characters"));
        }
        let scopes = scope.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Claims { sub, client, scopes, councils, clusters })
    }
}

fn not_empty(value: String, what: &'static str) -> Result<String, AuthSetupError> {
    if value.is_empty() { Err(AuthSetupError::Empty(what)) } else { Ok(value) }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

/// The claims as they stand in a token. A claim given twice, or as `null`, is an error.
#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    exp: NumericDate,
    iat: NumericDate,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<NumericDate>,
    sub: String,
    #[serde(default, deserialize_with = "present")]
    client_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    azp: Option<String>,
    #[serde(default, deserialize_with = "present")]
    scope: Option<String>,
    #[serde(default)]
    councils: Vec<String>,
    #[serde(default)]
    clusters: Vec<String>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(given: D) -> Result<Option<T>, D::Error> {
    T::deserialize(given).map(Some)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn contains(&self, ours: &str) -> bool {
        match self {
            Self::One(one) => one == ours,
            Self::Several(several) => several.iter().any(|one| one == ours),
        }
    }
}

/// Seconds since 1970; RFC 7519 allows a fraction, which is dropped.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "serde_json::Number")]
struct NumericDate(i64);

impl TryFrom<serde_json::Number> for NumericDate {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<Self, Self::Error> {
        // Whole seconds up to 2^53 are exact in an f64.
        let limit = 9_007_199_254_740_992.0;
        if let Some(seconds) = number.as_i64() {
            return Ok(Self(seconds));
        }
        match number.as_f64() {
            Some(seconds) if seconds.abs() < limit => Ok(Self(seconds.floor() as i64)),
            _ => Err("not a moment"),
        }
    }
}

/// The key pair of the data folder, for trying things out without an issuer.
pub struct DevKey {
    kid: String,
    signing: EncodingKey,
    verifying: DecodingKey,
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

/// A public key, and what it may verify: what its type and `alg` fit, out of what is configured.
#[derive(Debug)]
struct VerificationKey {
    kid: String,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Debug, Default)]
struct KeySet(Vec<VerificationKey>);

impl KeySet {
    fn parse(document: &[u8], allowed: &[Algorithm]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let Document { keys } = serde_json::from_slice(document)?;
        // One by one: a key of a kind yet unknown does not spoil the others (RFC 7517, 5).
        Ok(Self(keys.into_iter().filter_map(|key| VerificationKey::from_jwk(key, allowed)).collect()))
    }

    fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&VerificationKey> {
        self.0.iter().find(|key| key.kid == kid && key.algorithms.contains(&algorithm))
    }
}

impl VerificationKey {
    /// `None` for keys that are not for us: encryption, secrets, other curves, no `kid`.
    fn from_jwk(jwk: serde_json::Value, allowed: &[Algorithm]) -> Option<Self> {
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

/// The keys of an issuer, read again when they are old or a key id is unknown.
#[derive(Debug)]
struct PublishedKeys {
    source: Source,
    algorithms: Vec<Algorithm>,
    keep_seconds: u64,
    /// Held for moments only; never while reading from the source.
    cached: RwLock<Cached>,
    /// Held while reading from the source; a token with a known key never waits for it.
    fetching: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct Cached {
    keys: Arc<KeySet>,
    fetched_at: Option<i64>,
    attempted_at: Option<i64>,
}

impl PublishedKeys {
    fn new(
        jwks: JwksSource,
        algorithms: Vec<Algorithm>,
        keep_keys: Duration,
    ) -> Result<Self, AuthSetupError> {
        let (source, keys) = match jwks {
            JwksSource::Url(url) => (Source::url(url)?, KeySet::default()),
            JwksSource::File(path) => {
                let source = Source::File(path.clone());
                let failed = |source| AuthSetupError::JwksFile { path, source };
                match source.keys(&algorithms) {
                    Ok(keys) if keys.0.is_empty() => return Err(failed(JwksError::NoUsableKey)),
                    Ok(keys) => (source, keys),
                    Err(err) => return Err(failed(err)),
                }
            }
        };
        let cached = Cached { keys: Arc::new(keys), ..Cached::default() };
        Ok(Self {
            source,
            algorithms,
            keep_seconds: keep_keys.as_secs(),
            cached: RwLock::new(cached),
            fetching: Mutex::new(()),
        })
    }

    /// The keys to judge a token by, unless they may have to be fetched first.
    fn settled_keys_for(&self, kid: &str, now: i64) -> Option<Arc<KeySet>> {
        let cached = self.read().clone();
        if cached.keys.knows(kid) && !self.is_fetch_due(&cached, kid, now) {
            return Some(cached.keys);
        }
        let Some(_idle) = self.try_fetching() else {
            // Somebody is fetching. Who has the key goes on with it.
            return cached.keys.knows(kid).then_some(cached.keys);
        };
        let cached = self.read().clone();
        (!self.is_fetch_due(&cached, kid, now)).then_some(cached.keys)
    }

    /// The keys to judge a token by, fetched first when that is due.
    fn keys_for(&self, kid: &str, now: i64) -> Arc<KeySet> {
        let cached = self.read().clone();
        let _fetching = if cached.keys.knows(kid) {
            if !self.is_fetch_due(&cached, kid, now) {
                return cached.keys;
            }
            match self.try_fetching() {
                Some(fetching) => fetching,
                None => return cached.keys,
            }
        } else {
            self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
        };
        // Another thread may have fetched in the meantime.
        let cached = self.read().clone();
        if self.is_fetch_due(&cached, kid, now) {
            self.fetch(now);
        }
        Arc::clone(&self.read().keys)
    }

    fn is_fetch_due(&self, cached: &Cached, kid: &str, now: i64) -> bool {
        // The distance and not the difference: a clock set back must not stop the fetching.
        let is_older =
            |moment: Option<i64>, seconds: u64| moment.is_none_or(|moment| now.abs_diff(moment) >= seconds);
        (!cached.keys.knows(kid) || is_older(cached.fetched_at, self.keep_seconds))
            && is_older(cached.attempted_at, SECONDS_BETWEEN_FETCHES)
    }

    fn fetch(&self, now: i64) {
        self.write().attempted_at = Some(now);
        match self.source.keys(&self.algorithms) {
            Ok(keys) => {
                if keys.0.is_empty() {
                    tracing::error!("the key set of the issuer holds no usable key");
                }
                let mut cached = self.write();
                cached.keys = Arc::new(keys);
                cached.fetched_at = Some(now);
            }
            Err(err) => {
                let error: &dyn std::error::Error = &err;
                tracing::warn!(error, "cannot read the key set of the issuer; the old one stays");
            }
        }
    }

    fn try_fetching(&self) -> Option<MutexGuard<'_, ()>> {
        match self.fetching.try_lock() {
            Ok(fetching) => Some(fetching),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Cached> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cached> {
        self.cached.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Url { agent: ureq::Agent, url: ureq::http::Uri },
}

impl Source {
    fn url(url: String) -> Result<Self, AuthSetupError> {
        let url: ureq::http::Uri = url.parse().map_err(|_| AuthSetupError::JwksAddress)?;
        let authority = url.authority().ok_or(AuthSetupError::JwksAddress)?;
        let is_local = is_loopback(authority.host());
        let is_fine = match url.scheme_str() {
            Some("https") => true,
            Some("http") => is_local,
            _ => false,
        };
        if !is_fine || authority.as_str().contains('@') {
            return Err(AuthSetupError::JwksAddress);
        }
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ureq::tls::TlsConfig::builder().unversioned_rustls_crypto_provider(crypto).build();
        let mut config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(FETCH_TIMEOUT))
            .max_redirects(0);
        if is_local {
            config = config.proxy(None);
        }
        Ok(Self::Url { agent: config.build().new_agent(), url })
    }

    fn keys(&self, allowed: &[Algorithm]) -> Result<KeySet, JwksError> {
        let document = match self {
            Self::File(path) => {
                let mut document = Vec::new();
                fs::File::open(path)?.take(MAX_JWKS_BYTES + 1).read_to_end(&mut document)?;
                if document.len() as u64 > MAX_JWKS_BYTES {
                    return Err(JwksError::TooLarge);
                }
                document
            }
            Self::Url { agent, url } => {
                let mut response = agent.get(url).call()?;
                if response.status() != ureq::http::StatusCode::OK {
                    return Err(JwksError::Status(response.status().as_u16()));
                }
                let body = response.body_mut().with_config().limit(MAX_JWKS_BYTES);
                body.read_to_vec().map_err(|err| match err {
                    ureq::Error::BodyExceedsLimit(_) => JwksError::TooLarge,
                    other => JwksError::Http(other),
                })?
            }
        };
        Ok(KeySet::parse(&document, allowed)?)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    };
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const HOUR: i64 = 3600;
    const ISSUER: &str = "https://login.example.nl/realm";
    const AUDIENCE: &str = "https://api.example.nl/v1";

    const fn invalid(reason: &'static str) -> TokenError {
        TokenError::Invalid(reason)
    }

    // Keys and tokens as an issuer makes them.

    fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    struct EdKey(Ed25519KeyPair, &'static str);

    impl EdKey {
        fn new(kid: &'static str) -> Self {
            Self(Ed25519KeyPair::generate().unwrap(), kid)
        }

        fn jwk(&self) -> Value {
            let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": self.1, "use": "sig", "alg": "EdDSA", "x": x})
        }

        fn token(&self, claims: &Value) -> String {
            self.token_with(&json!({"alg": "EdDSA", "kid": self.1, "typ": "at+jwt"}), claims)
        }

        fn token_with(&self, header: &Value, claims: &Value) -> String {
            signed(header, claims, |message| self.0.sign(message).as_ref().to_vec())
        }
    }

    fn rsa_jwk(key: &RsaKeyPair, kid: &str) -> Value {
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let n = number(key.public_key().modulus().big_endian_without_leading_zero());
        let e = number(key.public_key().exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "kid": kid, "n": n, "e": e})
    }

    fn rsa_token(key: &RsaKeyPair, alg: &str, padding: &'static dyn RsaEncoding) -> String {
        signed(&json!({"alg": alg, "kid": "rsa"}), &claims(), |message| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }

    fn ec_key() -> (EcdsaKeyPair, Value) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": x, "y": y});
        (key, jwk)
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "client_id": "portal",
            "scope": "advice:write internal:read", "councils": ["WR01"],
            "iat": NOW, "exp": NOW + HOUR,
        })
    }

    fn claims_with(changes: Value) -> Value {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn claims_without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn config(issuer: Option<IssuerConfig>, dev_tokens: bool, folder: &TempDir) -> AuthConfig {
        let data_dir = folder.path().to_owned();
        AuthConfig { issuer, dev_tokens, data_dir, audience: AUDIENCE.to_owned() }
    }

    fn issuer(jwks: JwksSource) -> IssuerConfig {
        IssuerConfig::new(ISSUER.to_owned(), AUDIENCE.to_owned(), jwks)
    }

    fn write_keys(folder: &TempDir, keys: &[Value]) -> PathBuf {
        let path = folder.path().join("jwks.json");
        fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        path
    }

    fn file_verifier(folder: &TempDir, keys: &[Value]) -> Verifier {
        let jwks = JwksSource::File(write_keys(folder, keys));
        Verifier::new(config(Some(issuer(jwks)), false, folder)).unwrap()
    }

    fn url_verifier(url: String) -> Verifier {
        let folder = TempDir::new().unwrap();
        Verifier::new(config(Some(issuer(JwksSource::Url(url))), false, &folder)).unwrap()
    }

    /// What a verifier that trusts one Ed25519 key says about these claims.
    fn verdict(claims: &Value) -> Result<Claims, TokenError> {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        file_verifier(&folder, &[key.jwk()]).verify(&key.token(claims), NOW)
    }

    fn verdict_on_header(header: &Value) -> Result<Claims, TokenError> {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        file_verifier(&folder, &[key.jwk()]).verify(&key.token_with(header, &claims()), NOW)
    }

    fn mint() -> Mint {
        Mint {
            subject: "someone".to_owned(),
            scope: "advice:write internal:read".to_owned(),
            councils: vec!["WR01".to_owned()],
            clusters: vec!["*".to_owned()],
            audience: AUDIENCE.to_owned(),
            client_id: "demo".to_owned(),
            lifetime_seconds: HOUR,
            issued_at: NOW,
        }
    }

    /// An issuer on the loopback: answers each request with what stands in `answer`.
    struct Server {
        address: SocketAddr,
        hits: Arc<AtomicUsize>,
        answer: Arc<Mutex<(u16, String)>>,
    }

    impl Server {
        fn start(keys: &[Value], before_answer: impl Fn(usize) + Send + 'static) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = Self {
                address: listener.local_addr().unwrap(),
                hits: Arc::default(),
                answer: Arc::default(),
            };
            server.publish(keys);
            let (hits, answer) = (Arc::clone(&server.hits), Arc::clone(&server.answer));
            thread::spawn(move || {
                for stream in listener.incoming() {
                    before_answer(hits.fetch_add(1, Ordering::SeqCst) + 1);
                    let (status, body) = answer.lock().unwrap().clone();
                    reply(stream.unwrap(), status, &body);
                }
            });
            server
        }

        fn publish(&self, keys: &[Value]) {
            self.answer(200, json!({ "keys": keys }).to_string());
        }

        fn answer(&self, status: u16, body: String) {
            *self.answer.lock().unwrap() = (status, body);
        }

        fn hits(&self) -> usize {
            self.hits.load(Ordering::SeqCst)
        }

        fn verifier(&self) -> Verifier {
            url_verifier(format!("http://{}/jwks", self.address))
        }
    }

    fn reply(mut stream: TcpStream, status: u16, body: &str) {
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(length) => request.extend_from_slice(&chunk[..length]),
            }
        }
        let length = body.len();
        let location = match status {
            302 => format!("Location: {body}\r\n"),
            _ => String::new(),
        };
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{location}Connection: close\r\n\r\n");
        // A client that has read enough hangs up.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    }

    // The header.

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_the_scheme() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
            assert_eq!(bearer_from_header(value), Ok("a.b.c"), "{value}");
        }
    }

    #[test]
    fn anything_but_one_bearer_token_is_refused() {
        for value in ["", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Basic abc", "a.b.c", "Bearera"] {
            assert!(bearer_from_header(value).is_err(), "{value}");
        }
    }

    // The local key.

    #[test]
    fn a_minted_token_is_accepted() {
        let folder = TempDir::new().unwrap();
        let verifier = Verifier::new(config(None, true, &folder)).unwrap();
        let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
        let claims = verifier.verify(&token, NOW).unwrap();
        let expected = Claims {
            sub: "someone".to_owned(),
            client: "demo".to_owned(),
            scopes: ["advice:write", "internal:read"].map(str::to_owned).into(),
            councils: vec!["WR01".to_owned()],
            clusters: vec!["*".to_owned()],
        };
        assert_eq!(claims, expected);
        assert_eq!(verifier.verify_from_cache(&token, NOW), Some(Ok(expected)));
    }

    #[test]
    fn a_minted_token_tells_its_type_key_and_a_unique_id() {
        let folder = TempDir::new().unwrap();
        let key = DevKey::load_or_create(folder.path()).unwrap();
        let tokens = [key.mint(mint()).unwrap(), key.mint(mint()).unwrap()];
        let header = jsonwebtoken::decode_header(&tokens[0]).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(header.kid.as_deref(), Some(key.kid()));
        let [one, other] = tokens.map(|token| {
            let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            serde_json::from_slice::<Value>(&payload).unwrap()
        });
        assert_eq!(one["iss"], DEV_ISSUER);
        assert_eq!(one["exp"], NOW + HOUR);
        assert_ne!(one["jti"], other["jti"]);
        let jti: uuid::Uuid = one["jti"].as_str().unwrap().parse().unwrap();
        assert_eq!(jti.get_version_num(), 7);
    }

    #[test]
    fn no_token_is_minted_that_would_be_refused() {
        let folder = TempDir::new().unwrap();
        let key = DevKey::load_or_create(folder.path()).unwrap();
        for lifetime_seconds in [0, -1, MAX_LIFETIME_SECONDS + 1] {
            let refused = key.mint(Mint { lifetime_seconds, ..mint() });
            assert!(matches!(refused, Err(MintError::Lifetime)));
        }
        let longest = Mint { lifetime_seconds: MAX_LIFETIME_SECONDS, ..mint() };
        let verifier = Verifier::new(config(None, true, &folder)).unwrap();
        assert!(verifier.verify(&key.mint(longest).unwrap(), NOW).is_ok());
        let nameless = Mint { subject: String::new(), ..mint() };
        assert!(matches!(key.mint(nameless), Err(MintError::Name)));
        let endless = Mint { scope: "x".repeat(MAX_TOKEN_BYTES), ..mint() };
        assert!(matches!(key.mint(endless), Err(MintError::TooLong)));
    }

    #[test]
    fn the_local_key_is_refused_when_an_issuer_is_configured() {
        let folder = TempDir::new().unwrap();
        let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
        let jwks = JwksSource::File(write_keys(&folder, &[EdKey::new("ed").jwk()]));
        let verifier = Verifier::new(config(Some(issuer(jwks)), true, &folder)).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(invalid("the key is not known")));
    }

    #[test]
    fn without_issuer_and_dev_tokens_every_token_is_refused() {
        let folder = TempDir::new().unwrap();
        let token = DevKey::load_or_create(folder.path()).unwrap().mint(mint()).unwrap();
        let verifier = Verifier::new(config(None, false, &folder)).unwrap();
        let refused = Err(invalid("this server accepts no tokens"));
        assert_eq!(verifier.verify(&token, NOW), refused);
        assert_eq!(verifier.verify_from_cache(&token, NOW), Some(refused));
    }

    #[test]
    fn the_key_of_another_data_folder_is_refused() {
        let (ours, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let token = DevKey::load_or_create(theirs.path()).unwrap().mint(mint()).unwrap();
        let verifier = Verifier::new(config(None, true, &ours)).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(invalid("the key is not known")));
    }

    #[test]
    fn all_who_start_at_once_get_the_same_key() {
        let folder = TempDir::new().unwrap();
        let data_dir = folder.path().join("not/yet/there");
        let start = std::sync::Barrier::new(8);
        let kids: BTreeSet<String> = thread::scope(|scope| {
            let load = || {
                start.wait();
                DevKey::load_or_create(&data_dir).unwrap().kid().to_owned()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(kids.len(), 1);
        let files: Vec<_> =
            fs::read_dir(&data_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, [DEV_KEY_FILE], "no draft stays behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data_dir.join(DEV_KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_file_is_reported_and_kept() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(DEV_KEY_FILE);
        fs::write(&path, "not a key").unwrap();
        let refused = DevKey::load_or_create(folder.path());
        assert!(matches!(refused, Err(AuthSetupError::DevKeyFormat { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
    }

    // The claims.

    #[test]
    fn a_token_is_valid_from_its_issue_to_its_end_with_a_minute_of_leeway() {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        let verifier = file_verifier(&folder, &[key.jwk()]);
        let token = key.token(&claims());
        let at = |now| verifier.verify(&token, now).map(|_| ());
        assert_eq!(at(NOW - LEEWAY_SECONDS - 1), Err(invalid("issued in the future")));
        assert_eq!(at(NOW - LEEWAY_SECONDS), Ok(()));
        assert_eq!(at(NOW + HOUR + LEEWAY_SECONDS - 1), Ok(()));
        assert_eq!(at(NOW + HOUR + LEEWAY_SECONDS), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_is_refused_before_nbf() {
        let early = verdict(&claims_with(json!({"nbf": NOW + LEEWAY_SECONDS + 1})));
        assert_eq!(early, Err(invalid("not valid yet")));
        assert!(verdict(&claims_with(json!({"nbf": NOW + LEEWAY_SECONDS}))).is_ok());
    }

    #[test]
    fn a_lifetime_over_six_hours_or_none_is_refused() {
        let refused = Err(invalid("the lifetime must be 1 second to 6 hours"));
        for exp in [NOW + MAX_LIFETIME_SECONDS + 1, NOW, NOW - 1, i64::MAX, i64::MIN] {
            assert_eq!(verdict(&claims_with(json!({"exp": exp}))), refused, "{exp}");
        }
        assert_eq!(verdict(&claims_with(json!({"iat": i64::MIN}))), refused);
        assert!(verdict(&claims_with(json!({"exp": NOW + MAX_LIFETIME_SECONDS}))).is_ok());
    }

    #[test]
    fn a_moment_may_have_a_fraction() {
        let exp = NOW as f64 + 10.5;
        assert!(verdict(&claims_with(json!({"iat": NOW as f64 + 0.5, "exp": exp}))).is_ok());
    }

    #[test]
    fn a_missing_claim_is_refused() {
        for name in ["iss", "aud", "sub", "exp", "iat"] {
            let refused = Err(invalid("a claim is missing or of the wrong type"));
            assert_eq!(verdict(&claims_without(name)), refused, "{name}");
        }
        let refused = Err(invalid("client_id or azp is missing"));
        assert_eq!(verdict(&claims_without("client_id")), refused);
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_refused() {
        for wrong in [
            json!({"iss": [ISSUER]}),
            json!({"aud": 1}),
            json!({"exp": "tomorrow"}),
            json!({"exp": 1e300}),
            json!({"iat": null}),
            json!({"nbf": null}),
            json!({"sub": 7}),
            json!({"client_id": null}),
            json!({"scope": ["advice:write"]}),
            json!({"councils": "WR01"}),
            json!({"councils": [1]}),
            json!({"clusters": null}),
            json!({"clusters": {"code": "*"}}),
        ] {
            let refused = Err(invalid("a claim is missing or of the wrong type"));
            assert_eq!(verdict(&claims_with(wrong.clone())), refused, "{wrong}");
        }
    }

    #[test]
    fn a_claim_given_twice_is_refused() {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        let payload = claims().to_string().replacen('{', r#"{"sub":"another","#, 1);
        let header = json!({"alg": "EdDSA", "kid": "ed"}).to_string();
        let message = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let signature = URL_SAFE_NO_PAD.encode(key.0.sign(message.as_bytes()));
        let refused = file_verifier(&folder, &[key.jwk()]).verify(&format!("{message}.{signature}"), NOW);
        assert_eq!(refused, Err(invalid("a claim is missing or of the wrong type")));
    }

    #[test]
    fn another_issuer_is_refused_however_alike() {
        for iss in ["https://login.example.nl/realm/", "https://LOGIN.example.nl/realm", ""] {
            let refused = Err(invalid("the issuer is not ours"));
            assert_eq!(verdict(&claims_with(json!({"iss": iss}))), refused, "{iss}");
        }
    }

    #[test]
    fn our_audience_must_be_among_those_named() {
        let refused = Err(invalid("the audience is not this server"));
        for aud in [json!("https://api.example.nl"), json!([]), json!(["a", "b"])] {
            assert_eq!(verdict(&claims_with(json!({"aud": aud}))), refused, "{aud}");
        }
        assert!(verdict(&claims_with(json!({"aud": ["a", AUDIENCE]}))).is_ok());
    }

    #[test]
    fn the_client_is_client_id_or_azp_and_both_must_agree() {
        let client = |claims: Value| verdict(&claims).map(|claims| claims.client);
        let mut only_azp = claims_without("client_id");
        only_azp["azp"] = json!("portal");
        assert_eq!(client(only_azp), Ok("portal".to_owned()));
        assert_eq!(client(claims_with(json!({"azp": "portal"}))), Ok("portal".to_owned()));
        let differ = Err(invalid("client_id and azp differ"));
        assert_eq!(client(claims_with(json!({"azp": "other"}))), differ);
    }

    #[test]
    fn names_are_bounded_and_visible() {
        for sub in ["", " ", "a\nb", " a", "a\u{85}b", &"x".repeat(256)] {
            let refused = Err(invalid("sub must be 1 to 255 visible characters"));
            assert_eq!(verdict(&claims_with(json!({"sub": sub}))), refused, "{sub:?}");
        }
        assert!(verdict(&claims_with(json!({"sub": "é".repeat(255)}))).is_ok());
        let refused = Err(invalid("the client must be 1 to 255 visible characters"));
        assert_eq!(verdict(&claims_with(json!({"client_id": "a\tb"}))), refused);
    }

    #[test]
    fn absent_rights_are_no_rights() {
        let mut bare = claims_without("scope");
        bare.as_object_mut().unwrap().remove("councils");
        let claims = verdict(&bare).unwrap();
        assert!(claims.scopes.is_empty());
        assert!(claims.councils.is_empty());
        assert!(claims.clusters.is_empty());
    }

    // The signature.

    #[test]
    fn a_tampered_token_is_refused() {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        let verifier = file_verifier(&folder, &[key.jwk()]);
        let token = key.token(&claims());
        let more = key.token(&claims_with(json!({"councils": ["*"]})));
        let parts: Vec<&str> = token.split('.').collect();
        let payload = more.split('.').nth(1).unwrap();
        let tampered = [parts[0], payload, parts[2]].join(".");
        assert_eq!(verifier.verify(&tampered, NOW), Err(invalid("the signature is wrong")));
        let bare = [parts[0], parts[1], ""].join(".");
        assert_eq!(verifier.verify(&bare, NOW), Err(invalid("the signature is wrong")));
        let stranger = EdKey::new("ed").token(&claims());
        assert_eq!(verifier.verify(&stranger, NOW), Err(invalid("the signature is wrong")));
    }

    #[test]
    fn no_signature_and_unknown_algorithms_are_refused() {
        for alg in ["none", "None", "NONE", "", "ES512"] {
            let refused = verdict_on_header(&json!({"alg": alg, "kid": "ed"}));
            let reason = "malformed token or unknown algorithm";
            assert_eq!(refused, Err(invalid(reason)), "{alg}");
        }
    }

    #[test]
    fn a_public_key_used_as_secret_is_refused() {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        let verifier = file_verifier(&folder, &[key.jwk()]);
        let secret = EncodingKey::from_secret(key.0.public_key().as_ref());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("ed".to_owned());
        let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(invalid("the algorithm is not allowed")));
    }

    #[test]
    fn the_algorithm_must_fit_the_key() {
        let refused = Err(invalid("the algorithm does not fit the key"));
        assert_eq!(verdict_on_header(&json!({"alg": "RS256", "kid": "ed"})), refused);
        let refused = Err(invalid("the algorithm is not allowed"));
        assert_eq!(verdict_on_header(&json!({"alg": "RS512", "kid": "ed"})), refused);
    }

    #[test]
    fn the_key_id_must_be_there_and_known() {
        let missing = verdict_on_header(&json!({"alg": "EdDSA"}));
        assert_eq!(missing, Err(invalid("the key id is missing")));
        let unknown = verdict_on_header(&json!({"alg": "EdDSA", "kid": "another"}));
        assert_eq!(unknown, Err(invalid("the key is not known")));
    }

    #[test]
    fn other_kinds_of_token_are_refused() {
        for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", ""] {
            let refused = verdict_on_header(&json!({"alg": "EdDSA", "kid": "ed", "typ": typ}));
            assert_eq!(refused, Err(invalid("not an access token")), "{typ}");
        }
        for typ in ["JWT", "at+jwt", "application/at+jwt"] {
            let header = json!({"alg": "EdDSA", "kid": "ed", "typ": typ});
            assert!(verdict_on_header(&header).is_ok(), "{typ}");
        }
        assert!(verdict_on_header(&json!({"alg": "EdDSA", "kid": "ed"})).is_ok());
        let critical = json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false});
        let refused = Err(invalid("a critical header is not understood"));
        assert_eq!(verdict_on_header(&critical), refused);
    }

    #[test]
    fn junk_is_refused() {
        let folder = TempDir::new().unwrap();
        let verifier = file_verifier(&folder, &[EdKey::new("ed").jwk()]);
        for junk in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "e30.e30.e30"] {
            let refused = verifier.verify(junk, NOW);
            assert_eq!(refused, Err(invalid("malformed token or unknown algorithm")), "{junk}");
        }
        let long = verifier.verify(&"a".repeat(MAX_TOKEN_BYTES + 1), NOW);
        assert_eq!(long, Err(invalid("the token is too long")));
    }

    #[test]
    fn rsa_and_elliptic_curve_keys_are_accepted() {
        let folder = TempDir::new().unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let (ec, ec_jwk) = ec_key();
        let ec_token = signed(&json!({"alg": "ES256", "kid": "ec"}), &claims(), |message| {
            ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        });
        let rs256 = rsa_token(&rsa, "RS256", &RSA_PKCS1_SHA256);
        let ps256 = rsa_token(&rsa, "PS256", &RSA_PSS_SHA256);

        let verifier = file_verifier(&folder, &[rsa_jwk(&rsa, "rsa"), ec_jwk]);
        for token in [&ec_token, &rs256, &ps256] {
            assert!(verifier.verify(token, NOW).is_ok(), "{token}");
        }
        let mislabelled = rsa_token(&rsa, "RS256", &RSA_PSS_SHA256);
        assert_eq!(verifier.verify(&mislabelled, NOW), Err(invalid("the signature is wrong")));

        let mut meant_for_pss = rsa_jwk(&rsa, "rsa");
        meant_for_pss["alg"] = json!("PS256");
        let verifier = file_verifier(&folder, &[meant_for_pss]);
        assert!(verifier.verify(&ps256, NOW).is_ok());
        let refused = Err(invalid("the algorithm does not fit the key"));
        assert_eq!(verifier.verify(&rs256, NOW), refused);

        let jwks = JwksSource::File(write_keys(&folder, &[rsa_jwk(&rsa, "rsa")]));
        let only_ps256 = IssuerConfig { algorithms: vec![Algorithm::PS256], ..issuer(jwks) };
        let verifier = Verifier::new(config(Some(only_ps256), false, &folder)).unwrap();
        assert_eq!(verifier.verify(&rs256, NOW), Err(invalid("the algorithm is not allowed")));
    }

    // The key set.

    #[test]
    fn keys_that_are_not_for_verifying_are_passed_over() {
        let key = EdKey::new("ed");
        let (_, ec) = ec_key();
        let with = |mut jwk: Value, name: &str, value: Value| {
            jwk[name] = value;
            jwk
        };
        let unfit = [
            with(key.jwk(), "use", json!("enc")),
            with(key.jwk(), "use", json!("other")),
            with(key.jwk(), "key_ops", json!(["sign"])),
            with(key.jwk(), "alg", json!("RS256")),
            with(key.jwk(), "alg", json!("ECDH-ES")),
            with(key.jwk(), "crv", json!("X25519")),
            with(key.jwk(), "x", json!("AAAA")),
            with(key.jwk(), "kid", Value::Null),
            with(ec.clone(), "crv", json!("P-384")),
            with(ec, "y", json!("AAAA")),
            json!({"kty": "RSA", "kid": "short", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB"}),
            json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}),
            json!({"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA"}),
            json!("not a key"),
        ];
        for jwk in &unfit {
            assert!(VerificationKey::from_jwk(jwk.clone(), &ALGORITHMS).is_none(), "{jwk}");
        }
        let folder = TempDir::new().unwrap();
        let all = [&unfit[..], &[with(key.jwk(), "key_ops", json!(["verify"]))]].concat();
        assert!(file_verifier(&folder, &all).verify(&key.token(&claims()), NOW).is_ok());
    }

    #[test]
    fn a_wrong_set_up_is_refused_at_start() {
        let folder = TempDir::new().unwrap();
        let start = |issuer| Verifier::new(config(Some(issuer), false, &folder)).unwrap_err();
        let absent = JwksSource::File(folder.path().join("absent.json"));
        assert!(matches!(start(issuer(absent)), AuthSetupError::JwksFile { .. }));
        let empty = JwksSource::File(write_keys(&folder, &[]));
        let no_key = AuthSetupError::JwksFile {
            path: folder.path().join("jwks.json"),
            source: JwksError::NoUsableKey,
        };
        assert_eq!(format!("{:?}", start(issuer(empty))), format!("{no_key:?}"));
        for url in [
            "http://login.example.nl/jwks",
            "http://127.0.0.1.example.nl/jwks",
            "http://10.0.0.1/jwks",
            "https://user:secret@login.example.nl/jwks",
            "ftp://localhost/jwks",
            "/jwks",
            "",
        ] {
            let refused = start(issuer(JwksSource::Url(url.to_owned())));
            assert!(matches!(refused, AuthSetupError::JwksAddress), "{url}");
        }
        let url = || JwksSource::Url("https://login.example.nl/jwks".to_owned());
        let secret = IssuerConfig { algorithms: vec![Algorithm::HS256], ..issuer(url()) };
        assert!(matches!(start(secret), AuthSetupError::Algorithm(Algorithm::HS256)));
        let none = IssuerConfig { algorithms: vec![], ..issuer(url()) };
        assert!(matches!(start(none), AuthSetupError::Empty(_)));
        let nameless = IssuerConfig { issuer: String::new(), ..issuer(url()) };
        assert!(matches!(start(nameless), AuthSetupError::Empty("issuer")));
    }

    #[test]
    fn loopback_hosts_may_do_without_tls() {
        for host in ["localhost", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"] {
            url_verifier(format!("http://{host}/jwks"));
        }
    }

    #[test]
    fn a_key_file_is_read_again_for_an_unknown_key_once_a_minute() {
        let folder = TempDir::new().unwrap();
        let (old, new, newest) = (EdKey::new("old"), EdKey::new("new"), EdKey::new("newest"));
        let verifier = file_verifier(&folder, &[old.jwk()]);
        let accepts = |key: &EdKey, now| verifier.verify(&key.token(&claims()), now).is_ok();
        assert!(accepts(&old, NOW));
        assert!(!accepts(&new, NOW));
        write_keys(&folder, &[old.jwk(), new.jwk()]);
        assert!(!accepts(&new, NOW + 59));
        assert!(accepts(&new, NOW + 60));
        write_keys(&folder, &[newest.jwk()]);
        assert!(!accepts(&newest, NOW + 119));
        assert!(accepts(&newest, NOW + 120));
        assert!(!accepts(&old, NOW + 120));
    }

    #[test]
    fn a_half_written_key_file_leaves_the_old_keys() {
        let folder = TempDir::new().unwrap();
        let key = EdKey::new("ed");
        let verifier = file_verifier(&folder, &[key.jwk()]);
        fs::write(folder.path().join("jwks.json"), "{\"keys\":[").unwrap();
        assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
        assert!(verifier.verify(&EdKey::new("other").token(&claims()), NOW + 60).is_err());
        assert!(verifier.verify(&key.token(&claims()), NOW + 120).is_ok());
    }

    #[test]
    fn keys_are_fetched_when_first_needed_and_again_when_old() {
        let (key, next) = (EdKey::new("ed"), EdKey::new("next"));
        let server = Server::start(&[key.jwk()], |_| {});
        let verifier = server.verifier();
        let token = key.token(&claims());
        assert_eq!(server.hits(), 0);
        assert_eq!(verifier.verify_from_cache(&token, NOW), None);
        assert!(verifier.verify(&token, NOW).is_ok());
        assert!(verifier.verify_from_cache(&token, NOW + 599).unwrap().is_ok());
        assert!(verifier.verify(&token, NOW + 599).is_ok());
        assert_eq!(server.hits(), 1);

        server.publish(&[next.jwk()]);
        assert_eq!(verifier.verify_from_cache(&token, NOW + 600), None);
        assert_eq!(verifier.verify(&token, NOW + 600), Err(invalid("the key is not known")));
        assert!(verifier.verify(&next.token(&claims()), NOW + 600).is_ok());
        assert_eq!(server.hits(), 2);
    }

    #[test]
    fn an_unknown_key_causes_at_most_one_fetch_a_minute() {
        let (key, stranger) = (EdKey::new("ed"), EdKey::new("stranger"));
        let server = Server::start(&[key.jwk()], |_| {});
        let verifier = server.verifier();
        assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
        let token = stranger.token(&claims());
        let refused = Err(invalid("the key is not known"));
        for now in [NOW, NOW + 1, NOW + 59, NOW - 59] {
            assert_eq!(verifier.verify_from_cache(&token, now), Some(refused.clone()), "{now}");
            assert_eq!(verifier.verify(&token, now), refused);
        }
        assert_eq!(server.hits(), 1);
        assert_eq!(verifier.verify_from_cache(&token, NOW + 60), None);
        assert_eq!(verifier.verify(&token, NOW + 60), refused);
        assert_eq!(verifier.verify(&token, NOW + 61), refused);
        assert_eq!(server.hits(), 2);
        // A clock that was set back does not stop the fetching.
        assert_eq!(verifier.verify(&token, NOW - HOUR), Err(invalid("the key is not known")));
        assert_eq!(server.hits(), 3);
    }

    #[test]
    fn junk_never_causes_a_fetch() {
        let server = Server::start(&[], |_| {});
        let verifier = server.verifier();
        let key = EdKey::new("ed");
        for header in
            [json!({"alg": "none", "kid": "x"}), json!({"alg": "HS256", "kid": "x"}), json!({"alg": "EdDSA"})]
        {
            assert!(verifier.verify(&key.token_with(&header, &claims()), NOW).is_err());
        }
        assert_eq!(server.hits(), 0);
    }

    #[test]
    fn threads_that_need_the_first_keys_share_one_fetch() {
        let key = EdKey::new("ed");
        let server = Server::start(&[key.jwk()], |_| {});
        let (verifier, token) = (server.verifier(), key.token(&claims()));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(verifier.verify(&token, NOW).is_ok()));
            }
        });
        assert_eq!(server.hits(), 1);
    }

    #[test]
    fn a_known_key_does_not_wait_for_a_fetch() {
        let (key, new) = (EdKey::new("ed"), EdKey::new("new"));
        let (asked, is_asked) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let server = Server::start(&[key.jwk()], move |hit| {
            if hit > 1 {
                asked.send(()).unwrap();
                may_go.recv().unwrap();
            }
        });
        let verifier = server.verifier();
        assert!(verifier.verify(&key.token(&claims()), NOW).is_ok());
        server.publish(&[key.jwk(), new.jwk()]);
        let token = new.token(&claims());
        thread::scope(|scope| {
            let slow = scope.spawn(|| verifier.verify(&token, NOW + 60));
            is_asked.recv().unwrap();
            // Known: judged at once, also when the keys have become old in the meantime.
            for now in [NOW + 60, NOW + 700] {
                assert!(verifier.verify_from_cache(&key.token(&claims()), now).unwrap().is_ok());
                assert!(verifier.verify(&key.token(&claims()), now).is_ok());
            }
            // Unknown: only the fetch can tell.
            assert_eq!(verifier.verify_from_cache(&new.token(&claims()), NOW + 60), None);
            go.send(()).unwrap();
            assert!(slow.join().unwrap().is_ok());
        });
        assert_eq!(server.hits(), 2);
    }

    #[test]
    fn when_a_fetch_fails_the_old_keys_stay() {
        let key = EdKey::new("ed");
        let server = Server::start(&[key.jwk()], |_| {});
        let verifier = server.verifier();
        let token = key.token(&claims());
        assert!(verifier.verify(&token, NOW).is_ok());
        let too_large = format!("{{\"keys\":[]}}{}", " ".repeat(1024 * 1024));
        for (round, (status, body)) in [
            (500, "oops".to_owned()),
            (302, "/elsewhere".to_owned()),
            (204, String::new()),
            (200, "<html>".to_owned()),
            (200, too_large),
        ]
        .into_iter()
        .enumerate()
        {
            server.answer(status, body);
            let now = NOW + 600 + 60 * round as i64;
            assert!(verifier.verify(&token, now).is_ok(), "{status}");
            assert_eq!(server.hits(), 2 + round);
        }
        server.publish(&[]);
        assert_eq!(verifier.verify(&token, NOW + 900), Err(TokenError::NoKeys));
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let key = EdKey::new("ed");
        let elsewhere = Server::start(&[key.jwk()], |_| {});
        let server = Server::start(&[], |_| {});
        server.answer(302, format!("http://{}/jwks", elsewhere.address));
        let refused = server.verifier().verify(&key.token(&claims()), NOW);
        assert_eq!(refused, Err(TokenError::NoKeys));
        assert_eq!((server.hits(), elsewhere.hits()), (1, 0));
    }

    #[test]
    fn without_any_key_nothing_can_be_judged() {
        let key = EdKey::new("ed");
        let server = Server::start(&[], |_| {});
        server.answer(503, String::new());
        let (verifier, token) = (server.verifier(), key.token(&claims()));
        assert_eq!(verifier.verify(&token, NOW), Err(TokenError::NoKeys));
        assert_eq!(verifier.verify_from_cache(&token, NOW + 1), Some(Err(TokenError::NoKeys)));
        assert_eq!(server.hits(), 1);
        server.publish(&[key.jwk()]);
        assert!(verifier.verify(&token, NOW + 60).is_ok());
    }

    #[test]
    fn an_issuer_that_does_not_speak_tls_gives_no_keys() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let verifier = url_verifier(format!("https://{}/jwks", listener.local_addr().unwrap()));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = [0; 1];
            stream.read_exact(&mut hello).unwrap();
            // 22: a TLS handshake begins.
            assert_eq!(hello, [22]);
            stream.write_all(b"HTTP/1.1 400 X\r\n\r\n").unwrap();
        });
        let token = EdKey::new("ed").token(&claims());
        assert_eq!(verifier.verify(&token, NOW), Err(TokenError::NoKeys));
        server.join().unwrap();
    }
}
