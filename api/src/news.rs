//! Waiting for the next entry of the journal, without a connection to the database and without a thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use persistence::journal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use crate::app::Session;
use crate::problem::ApiError;

/// How often somebody who waits looks in the database: for what other processes wrote.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many may wait at once.
const PLACES: usize = 1000;
/// When to come back, in seconds, when all places are taken.
const COME_BACK: u64 = 10;

/// What is known of the end of the journal.
pub struct News {
    last: watch::Sender<i64>,
    looked_at: Mutex<Option<Instant>>,
    places: Arc<Semaphore>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            last: watch::Sender::new(0),
            looked_at: Mutex::default(),
            places: Arc::new(Semaphore::new(PLACES)),
        }
    }
}

impl News {
    /// Tells those who wait that the journal has this entry.
    pub fn tell(&self, sequence: i64) {
        self.last.send_if_modified(|last| {
            let is_news = sequence > *last;
            *last = sequence.max(*last);
            is_news
        });
    }

    /// A place to wait at; none left is 503.
    pub fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let full = |_| ApiError::Unavailable("too many wait for changes".to_owned(), COME_BACK);
        self.places.clone().try_acquire_owned().map_err(full)
    }

    /// Waits until the journal has an entry after this one, and gives the number of the last; none when the time is over first.
    /// Of all who wait one at a time looks in the database.
    pub async fn after(
        &self,
        session: &Session,
        sequence: i64,
        until: Instant,
    ) -> Result<Option<i64>, ApiError> {
        let mut last = self.last.subscribe();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let known = *last.borrow_and_update();
            if known > sequence {
                return Ok(Some(known));
            }
            let told = tokio::select! {
                told = timeout(left.min(LOOK_EVERY), last.changed()) => told,
                () = session.stopping.requested() => return Ok(None),
            };
            // Told, or time to look; either way the next turn of the loop sees what came of it.
            if told.is_err() && self.is_time_to_look() {
                let head = session.read(|_, connection| Ok(journal::position(connection)?)).await?;
                self.tell(head.sequence);
            }
        }
    }

    fn is_time_to_look(&self) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if is_time {
            *looked_at = Some(Instant::now());
        }
        is_time
    }
}
