//! Where the keys of an issuer are read.

use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::AuthSetupError;
use super::key_set::KeySet;

const MAX_JWKS_BYTES: u64 = 1024 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

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

#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Url { agent: ureq::Agent, url: ureq::http::Uri },
}

impl Source {
    pub(super) fn url(url: String) -> Result<Self, AuthSetupError> {
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

    pub(super) fn keys(&self, allowed: &[Algorithm]) -> Result<KeySet, JwksError> {
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
