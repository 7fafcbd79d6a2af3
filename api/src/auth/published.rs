//! The keys of an issuer over time.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::key_set::KeySet;
use super::source::{JwksError, Source};
use super::{AuthSetupError, JwksSource, SECONDS_BETWEEN_FETCHES};

/// The keys of an issuer, read again when they are old or a key id is unknown.
#[derive(Debug)]
pub(super) struct PublishedKeys {
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
    pub(super) fn new(
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
    pub(super) fn settled_keys_for(&self, kid: &str, now: i64) -> Option<Arc<KeySet>> {
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
    pub(super) fn keys_for(&self, kid: &str, now: i64) -> Arc<KeySet> {
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
