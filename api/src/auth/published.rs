//! The keys of an issuer over time.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::key_set::KeySet;
use super::source::{JwksError, Source, with_causes};
use super::{AuthSetupError, MAX_LIFETIME_SECONDS, SECONDS_BETWEEN_FETCHES};
use crate::telemetry::METRICS;

/// How long keys are used that cannot be read again. An issuer that is down issues nothing, and its last
/// tokens live no longer than this; but a key that it withdrew must not work for ever.
pub(super) const MAX_AGE_SECONDS: u64 = MAX_LIFETIME_SECONDS.unsigned_abs();

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
    /// When the issuer last said that these are its keys.
    confirmed_at: Option<i64>,
    attempted_at: Option<i64>,
}

impl Cached {
    /// The keys, unless they could not be confirmed for too long.
    fn keys(&self, now: i64) -> Arc<KeySet> {
        if self.confirmed_at.is_some_and(|moment| now.abs_diff(moment) >= MAX_AGE_SECONDS) {
            return Arc::default();
        }
        Arc::clone(&self.keys)
    }
}

impl PublishedKeys {
    pub(super) fn new(
        source: Source,
        algorithms: Vec<Algorithm>,
        keep_keys: Duration,
    ) -> Result<Self, AuthSetupError> {
        let keys = match &source {
            Source::File(path) => {
                let failed = |source| AuthSetupError::JwksFile { path: path.clone(), source };
                let keys = source.keys(&algorithms).map_err(failed)?;
                if keys.is_empty() {
                    return Err(failed(JwksError::NoUsableKey));
                }
                keys
            }
            Source::Address { .. } | Source::Metadata { .. } => KeySet::default(),
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
        let keys = cached.keys(now);
        if keys.knows(kid) && !self.is_fetch_due(&cached, kid, now) {
            return Some(keys);
        }
        let Some(_idle) = self.try_fetching() else {
            // Somebody is fetching. Who has the key goes on with it.
            return keys.knows(kid).then_some(keys);
        };
        let cached = self.read().clone();
        (!self.is_fetch_due(&cached, kid, now)).then(|| cached.keys(now))
    }

    /// The keys to judge a token by, fetched first when that is due.
    pub(super) fn keys_for(&self, kid: &str, now: i64) -> Arc<KeySet> {
        let cached = self.read().clone();
        let keys = cached.keys(now);
        let _fetching = if keys.knows(kid) {
            if !self.is_fetch_due(&cached, kid, now) {
                return keys;
            }
            match self.try_fetching() {
                Some(fetching) => fetching,
                None => return keys,
            }
        } else {
            self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
        };
        // Another thread may have fetched in the meantime.
        let cached = self.read().clone();
        if self.is_fetch_due(&cached, kid, now) {
            self.fetch(now);
        }
        self.read().keys(now)
    }

    fn is_fetch_due(&self, cached: &Cached, kid: &str, now: i64) -> bool {
        // The distance and not the difference: a clock set back must not stop the fetching.
        let is_older =
            |moment: Option<i64>, seconds: u64| moment.is_none_or(|moment| now.abs_diff(moment) >= seconds);
        (!cached.keys(now).knows(kid) || is_older(cached.confirmed_at, self.keep_seconds))
            && is_older(cached.attempted_at, SECONDS_BETWEEN_FETCHES)
    }

    fn fetch(&self, now: i64) {
        self.write().attempted_at = Some(now);
        let read = self.source.keys(&self.algorithms);
        METRICS.jwks_refreshed(read.as_ref().is_ok_and(|keys| !keys.is_empty()));
        let mut cached = self.write();
        match read {
            Ok(keys) => {
                let (usable, passed_over) = (keys.len(), keys.passed_over());
                if keys.is_empty() {
                    tracing::error!(passed_over, "the key set of the issuer holds no usable key");
                } else if !keys.has_same_ids(&cached.keys) {
                    tracing::info!(usable, passed_over, "the issuer has other keys than before");
                }
                cached.keys = Arc::new(keys);
                cached.confirmed_at = Some(now);
            }
            Err(err) => {
                // From the first failure on the time of the keys runs that were read at the start.
                let since = *cached.confirmed_at.get_or_insert(now);
                let seconds = now.abs_diff(since);
                let error = with_causes(&err);
                if cached.keys.is_empty() {
                    tracing::error!(error, "cannot read the keys of the issuer; its tokens are refused");
                } else if seconds >= MAX_AGE_SECONDS {
                    tracing::error!(
                        error,
                        seconds,
                        "cannot read the keys of the issuer for too long; its tokens are refused"
                    );
                } else {
                    tracing::warn!(
                        error,
                        seconds,
                        "cannot read the keys of the issuer; those of before go on"
                    );
                }
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
