//! How often a client may ask. Who sends a valid token counts as himself at his application; everybody else by address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};

use super::put;

/// The time over which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Clients that have been silent are forgotten once in so many requests.
pub(super) const FORGET_EVERY: u32 = 4096;
/// So many clients are known one by one. While there are more, newcomers count together with their neighbours.
pub(super) const KNOWN: usize = 50_000;

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Somebody without a valid token: an IPv4 address, or a /64 of IPv6, which is what a household has.
    Address(IpAddr),
    /// A person at an application, by a hash: nothing personal stays in memory.
    Caller([u8; 16]),
}

impl Client {
    /// Whoever is at this address.
    pub fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }

    /// The bearer of a valid token.
    pub fn of_token(client: &str, subject: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(client);
        digest.update([0x1f]);
        digest.update(subject);
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finalize()[..16]);
        Self::Caller(key)
    }

    /// The neighbourhood: there are few of those, whatever addresses somebody commands.
    fn crowd(self) -> Self {
        match self {
            Self::Address(IpAddr::V4(address)) => {
                Self::Address(Ipv4Addr::from_bits(address.to_bits() & 0xffff_0000).into())
            }
            Self::Address(IpAddr::V6(address)) => {
                Self::Address(Ipv6Addr::from_bits(address.to_bits() & (0xffff << 112)).into())
            }
            caller @ Self::Caller(_) => caller,
        }
    }
}

type Limiter = RateLimiter<Client, DefaultKeyedStateStore<Client>, DefaultClock, StateInformationMiddleware>;

/// How often a client may ask.
pub(super) struct Limit {
    quota: NonZeroU32,
    pub(super) limiter: Limiter,
    counted: AtomicU32,
    is_crowded: AtomicBool,
}

impl Limit {
    pub(super) fn new(quota: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(quota)).with_middleware();
        Self { quota, limiter, counted: AtomicU32::new(0), is_crowded: AtomicBool::new(false) }
    }

    pub(super) fn count(&self, client: Client) -> Usage {
        if self.counted.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            let is_crowded = self.limiter.len() > KNOWN;
            if is_crowded && !self.is_crowded.swap(is_crowded, Ordering::Relaxed) {
                tracing::warn!("more clients than are counted one by one: neighbours now count together");
            }
            self.is_crowded.store(is_crowded, Ordering::Relaxed);
        }
        let client = if self.is_crowded.load(Ordering::Relaxed) { client.crowd() } else { client };
        let quota = self.quota.get();
        match self.limiter.check_key(&client) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(quota);
                Usage {
                    quota,
                    remaining,
                    reset: seconds(WINDOW / quota * (quota - remaining)),
                    retry_after: None,
                }
            }
            Err(until) => {
                let wait = seconds(until.wait_time_from(DefaultClock::default().now())).max(1);
                Usage { quota, remaining: 0, reset: WINDOW.as_secs(), retry_after: Some(wait) }
            }
        }
    }
}

/// How much of its limit a client has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    quota: u32,
    remaining: u32,
    /// Seconds until all of it is back.
    reset: u64,
    /// Seconds until a first request is open again, when there is none left.
    pub(super) retry_after: Option<u64>,
}

impl Usage {
    pub(super) fn add_headers(self, headers: &mut HeaderMap) {
        let Self { quota, remaining, reset, retry_after: _ } = self;
        let policy = format!("\"default\";q={quota};w={}", WINDOW.as_secs());
        put(headers, HeaderName::from_static("ratelimit-policy"), &policy);
        put(headers, HeaderName::from_static("ratelimit"), &format!("\"default\";r={remaining};t={reset}"));
    }
}

/// Whole seconds, rounded up.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
