//! What a token says, and whether that may be believed.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::{LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, TokenError};

const MAX_NAME_CHARS: usize = 255;

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

/// The characters of RFC 6749, 3.3: nothing that merely looks like a space or a letter of a scope.
fn is_scope(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))
}

/// The claims as they stand in a token. A claim given twice, or as `null`, is an error.
#[derive(Deserialize)]
pub(super) struct Payload {
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
    // What only other kinds of token say.
    typ: Option<String>,
    nonce: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
    s_hash: Option<IgnoredAny>,
    events: Option<IgnoredAny>,
}

impl Payload {
    /// Whether nothing here belongs to another kind of token. `at+jwt` in the header has said so already;
    /// behind a plain `JWT` an ID token may hide, or one of Keycloak's, which names the kind in a claim
    /// `typ`.
    pub(super) fn fits_access_token(&self, is_declared: bool) -> bool {
        let Self { typ, nonce, at_hash, c_hash, s_hash, events, .. } = self;
        let is_other = [nonce, at_hash, c_hash, s_hash, events].into_iter().any(Option::is_some);
        let is_named_other = typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("bearer"));
        is_declared || !(is_other || is_named_other)
    }

    /// The claims, if a token that says this may be believed at the moment `now`.
    pub(super) fn believed(&self, issuer: &str, audience: &str, now: i64) -> Result<Claims, TokenError> {
        let Self { iss, aud, exp, iat, nbf, sub, client_id, azp, scope, councils, clusters, .. } = self;
        if iss != issuer {
            return Err(TokenError::Invalid("the issuer is not ours"));
        }
        if !aud.contains(audience) {
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

        if !is_name(sub) {
            return Err(TokenError::Invalid("sub must be 1 to 255 visible characters"));
        }
        let client = match (client_id, azp) {
            (Some(client_id), Some(azp)) if client_id != azp => {
                return Err(TokenError::Invalid("client_id and azp differ"));
            }
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => return Err(TokenError::Invalid("client_id or azp is missing")),
        };
        if !is_name(client) {
            return Err(TokenError::Invalid("the client must be 1 to 255 visible characters"));
        }
        let scope = scope.as_deref().unwrap_or_default();
        if !is_scope(scope) {
            return Err(TokenError::Invalid("the scope is malformed"));
        }
        let scopes = scope.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let (councils, clusters) = (councils.clone(), clusters.clone());
        Ok(Claims { sub: sub.clone(), client: client.clone(), scopes, councils, clusters })
    }
}

/// Whether a subject or a client may be called so.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
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
