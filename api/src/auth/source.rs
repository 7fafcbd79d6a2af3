//! Where the keys of an issuer are read: a file, an address, or wherever its metadata say.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use super::fetch::{Address, Client, MAX_DOCUMENT_BYTES};
use super::key_set::KeySet;
use super::{AuthSetupError, JwksSource};

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
    /// All documents together took too long.
    #[error("the issuer is too slow")]
    Slow,
    /// More than 1 MiB.
    #[error("the document is too large")]
    TooLarge,
    /// Not what it should be.
    #[error("the document is not what it should be")]
    Format(#[from] serde_json::Error),
    /// Metadata of somebody else.
    #[error("the metadata name another issuer")]
    OtherIssuer,
    /// Metadata with an address that is not acceptable.
    #[error("the metadata give no acceptable address of the key set")]
    JwksAddress,
    /// Neither place has metadata that can be used.
    #[error("no metadata: as authorization server (RFC 8414): {oauth}; as OpenID provider: {openid}")]
    NoMetadata {
        /// What is wrong at `/.well-known/oauth-authorization-server`.
        oauth: String,
        /// What is wrong at `/.well-known/openid-configuration`.
        openid: String,
    },
    /// A key set without a key we could verify with.
    #[error("the key set holds no usable key")]
    NoUsableKey,
}

/// Where the keys of an issuer are.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Address { client: Client, jwks: Address },
    Metadata { client: Client, issuer: String, places: MetadataPlaces },
}

impl Source {
    pub(super) fn new(jwks: JwksSource, issuer: &str, client: Client) -> Result<Self, AuthSetupError> {
        match jwks {
            JwksSource::File(path) => Ok(Self::File(path)),
            JwksSource::Url(url) => {
                let jwks = Address::parse(&url).ok_or(AuthSetupError::JwksAddress)?;
                Ok(Self::Address { client, jwks })
            }
            JwksSource::Metadata => {
                let places = MetadataPlaces::of(issuer).ok_or(AuthSetupError::IssuerAddress)?;
                Ok(Self::Metadata { client, issuer: issuer.to_owned(), places })
            }
        }
    }

    /// Reads the keys; takes five seconds at most.
    pub(super) fn keys(&self, allowed: &[Algorithm]) -> Result<KeySet, JwksError> {
        let deadline = Client::deadline();
        let document = match self {
            Self::File(path) => {
                let mut document = Vec::new();
                fs::File::open(path)?.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut document)?;
                if document.len() as u64 > MAX_DOCUMENT_BYTES {
                    return Err(JwksError::TooLarge);
                }
                document
            }
            Self::Address { client, jwks } => client.get(jwks, deadline)?,
            Self::Metadata { client, issuer, places } => {
                let found = |place, deadline| {
                    client.get(place, deadline).and_then(|document| jwks_address(&document, issuer, place))
                };
                let jwks = found(&places.oauth, Client::deadline_of_first_try()).or_else(|oauth| {
                    found(&places.openid, deadline).map_err(|openid| JwksError::NoMetadata {
                        oauth: with_causes(&oauth),
                        openid: with_causes(&openid),
                    })
                })?;
                client.get(&jwks, deadline)?
            }
        };
        Ok(KeySet::parse(&document, allowed)?)
    }
}

/// The two addresses under which an issuer may publish its metadata.
#[derive(Debug)]
pub(super) struct MetadataPlaces {
    oauth: Address,
    openid: Address,
}

impl MetadataPlaces {
    /// RFC 8414 puts the well-known part before the issuer's path, OpenID Connect Discovery behind it.
    fn of(issuer: &str) -> Option<Self> {
        // RFC 8414, 2: an issuer has neither query nor fragment.
        if issuer.contains(['?', '#']) {
            return None;
        }
        let base = Address::parse(issuer)?;
        let (origin, path) = (base.origin(), base.path().trim_end_matches('/'));
        Some(Self {
            oauth: Address::parse(&format!("{origin}/.well-known/oauth-authorization-server{path}"))?,
            openid: Address::parse(&format!("{origin}{path}/.well-known/openid-configuration"))?,
        })
    }
}

/// Where the keys are, by metadata that were found at `place`.
pub(super) fn jwks_address(metadata: &[u8], issuer: &str, place: &Address) -> Result<Address, JwksError> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        jwks_uri: String,
    }
    let Metadata { issuer: named, jwks_uri } = serde_json::from_slice(metadata)?;
    // RFC 8414, 3.3: metadata of another issuer must not be used.
    if named != issuer {
        return Err(JwksError::OtherIssuer);
    }
    let jwks = Address::parse(&jwks_uri).ok_or(JwksError::JwksAddress)?;
    // An issuer with TLS cannot send us to an address without.
    if jwks.is_plain() && !place.is_plain() {
        return Err(JwksError::JwksAddress);
    }
    Ok(jwks)
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
