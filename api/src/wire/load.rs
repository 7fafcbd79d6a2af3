//! How much is taken on at once. What is over it is turned away at once, which costs next to nothing, instead of making
//! everybody wait until memory or patience runs out.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Query};

/// An answer from this size on counts while it is being sent; smaller ones fit into what the kernel buffers.
const BIG: usize = 64 * 1024;
/// How much of a big answer is handed to a connection at a time.
const SLICE: usize = 32 * 1024;
/// The longest that a reader of the feed may ask to wait.
const LONGEST_WAIT: u64 = 30;

/// So much of something, and no more.
#[derive(Debug)]
pub struct Bound {
    most: usize,
    taken: Arc<AtomicUsize>,
}

/// A part of a bound, given back when dropped.
#[derive(Debug)]
pub struct Share {
    amount: usize,
    taken: Arc<AtomicUsize>,
}

impl Bound {
    /// At most this much; nothing is refused at zero.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A share, if there is so much left, or if it is the only one.
    pub fn take(&self, amount: usize) -> Option<Share> {
        let share = self.force(amount);
        let taken = self.taken.load(Ordering::Relaxed);
        let fits = self.most == 0 || taken <= self.most || taken == amount;
        fits.then_some(share)
    }

    /// A share whether it fits or not.
    pub fn force(&self, amount: usize) -> Share {
        self.taken.fetch_add(amount, Ordering::Relaxed);
        Share { amount, taken: self.taken.clone() }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

/// Whether an answer of this size counts while it is sent.
pub fn is_big(size: usize) -> bool {
    size >= BIG
}

/// A big answer on its way: in slices, so that it is let go of as it is sent and not copied whole before.
pub struct Sending {
    rest: Bytes,
    _share: Share,
}

impl Sending {
    /// Sends these bytes; the share is held until the last of them is handed over.
    pub fn new(bytes: Bytes, share: Share) -> Self {
        Self { rest: bytes, _share: share }
    }
}

impl MessageBody for Sending {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let body = self.get_mut();
        let size = body.rest.len().min(SLICE);
        Poll::Ready((size > 0).then(|| Ok(body.rest.split_to(size))))
    }
}

/// How long a reader of the feed asks to wait for something new. It stands in the address, so it is known before anything is
/// read; what is wrong with it is said by the handler.
pub fn wait_of(path: &str, query: &str) -> Duration {
    if path != "/v1/changes" {
        return Duration::ZERO;
    }
    // Decoded as the handler does it: who waits must not do so on a turn.
    let pairs = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner);
    let Ok(pairs) = pairs else { return Duration::ZERO };
    let wait = pairs.iter().find(|(name, _)| name == "wait").and_then(|(_, text)| text.parse::<u64>().ok());
    Duration::from_secs(wait.unwrap_or(0).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_back_and_a_refused_one_was_never_taken() {
        let bound = Bound::new(2);
        let first = bound.take(1);
        let second = bound.take(1);
        assert!(first.is_some() && second.is_some());
        assert!(bound.take(1).is_none() && bound.take(1).is_none());
        drop(first);
        assert!(bound.take(1).is_some());
        assert!(Bound::new(0).take(usize::MAX / 2).is_some());
    }

    #[actix_web::test]
    async fn a_big_answer_arrives_whole_and_frees_its_share() {
        let bound = Bound::new(1_000_000);
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let share = bound.take(bytes.len()).unwrap();
        let body = Sending::new(Bytes::from(bytes.clone()), share);
        assert_eq!(body.size(), BodySize::Sized(300_000));
        assert_eq!(actix_web::body::to_bytes(body).await.unwrap(), bytes);
        assert!(bound.take(1_000_000).is_some());
    }

    #[test]
    fn only_the_feed_may_wait_and_not_for_ever() {
        let seconds = |path, query| wait_of(path, query).as_secs();
        assert_eq!(seconds("/v1/changes", "after=x&wait=20"), 20);
        assert_eq!(seconds("/v1/changes", "wait=4000"), 30);
        assert_eq!(seconds("/v1/changes", "w%61it=%32%39"), 29);
        for query in ["", "wait=", "wait=-1", "wait=abc", "await=20", "wait"] {
            assert_eq!(seconds("/v1/changes", query), 0, "{query}");
        }
        assert_eq!(seconds("/v1/advice", "wait=20"), 0);
    }
}
