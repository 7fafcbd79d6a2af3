//! How documents of an issuer are fetched: from acceptable addresses only, bounded in size and time.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::RootCertStore;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use super::{AuthSetupError, JwksError};

/// The size that a document of an issuer, or a file with its keys, may have.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 1024 * 1024;

/// All that is fetched for one refresh of the keys takes no longer than this.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// So that the first place may keep silent, and there is still time for the second.
const FIRST_TRY_TIMEOUT: Duration = Duration::from_secs(2);

/// An address that may be fetched from: `https`, or `http` on a loopback host, and without a user.
#[derive(Debug, Clone)]
pub(super) struct Address(Uri);

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let is_fine = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(authority.host()),
            _ => false,
        };
        (is_fine && !authority.as_str().contains('@')).then_some(Self(uri))
    }

    /// Whether it does without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.0.scheme_str() == Some("http")
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", self.0.scheme_str().unwrap_or_default())
    }

    pub(super) fn path(&self) -> &str {
        self.0.path()
    }

    fn is_local(&self) -> bool {
        self.0.host().is_some_and(is_loopback)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Fetches from one issuer, and trusts the certificate authorities that are meant for it.
#[derive(Debug)]
pub(super) struct Client(ureq::Agent);

impl Client {
    /// `authorities` is a file with the only certificate authorities to trust, in place of those built in.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, AuthSetupError> {
        let roots = match authorities {
            Some(path) => RootCerts::from(certificates(path)?),
            None => RootCerts::WebPki,
        };
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(crypto).root_certs(roots).build();
        Ok(Self(ureq::Agent::config_builder().tls_config(tls).max_redirects(0).build().new_agent()))
    }

    /// The latest moment for all that begins now.
    pub(super) fn deadline() -> Instant {
        Instant::now() + FETCH_TIMEOUT
    }

    /// The latest moment for what may still be found elsewhere.
    pub(super) fn deadline_of_first_try() -> Instant {
        Instant::now() + FIRST_TRY_TIMEOUT
    }

    pub(super) fn get(&self, address: &Address, deadline: Instant) -> Result<Vec<u8>, JwksError> {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(JwksError::Slow)?;
        let mut request = self.0.get(&address.0).config().timeout_global(Some(left));
        if address.is_local() {
            request = request.proxy(None);
        }
        let mut response = request.build().call()?;
        if response.status() != StatusCode::OK {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let body = response.body_mut().with_config().limit(MAX_DOCUMENT_BYTES);
        body.read_to_vec().map_err(|err| match err {
            ureq::Error::BodyExceedsLimit(_) => JwksError::TooLarge,
            other => JwksError::Http(other),
        })
    }
}

/// The certificates in a PEM file: at least one, and each of them usable, for an unusable one would be passed
/// over later without a word.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, AuthSetupError> {
    let failed = |source| AuthSetupError::AuthoritiesFile { path: PathBuf::from(path), source };
    let unusable = || AuthSetupError::AuthoritiesFormat { path: PathBuf::from(path) };
    let pem = fs::read(path).map_err(failed)?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        let PemItem::Certificate(certificate) = item.map_err(|_| unusable())? else { continue };
        let der = rustls::pki_types::CertificateDer::from(certificate.der());
        RootCertStore::empty().add(der.into_owned()).map_err(|_| unusable())?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(unusable());
    }
    Ok(certificates)
}
