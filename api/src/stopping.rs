//! How the server comes to its end, told to whoever has to know: first it leaves (not ready any more, still answering), then
//! it stops (nothing new is taken, what waits ends its waiting).

use tokio::sync::watch;

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    Leaving,
    Stopping,
}

/// The signal, shared by all threads.
#[derive(Debug, Clone)]
pub struct Stopping {
    stage: watch::Sender<Stage>,
}

impl Default for Stopping {
    fn default() -> Self {
        Self { stage: watch::Sender::new(Stage::Serving) }
    }
}

impl Stopping {
    /// From now on nobody should send us more: readiness says so, and each answer closes its connection.
    pub fn leave(&self) {
        self.move_to(Stage::Leaving);
    }

    /// From now on nothing new is taken, and whoever only waits comes to an end.
    pub fn request(&self) {
        self.move_to(Stage::Stopping);
    }

    /// Whether the end has begun.
    pub fn is_leaving(&self) -> bool {
        *self.stage.borrow() >= Stage::Leaving
    }

    /// Waits until nothing new is taken any more; for a long poll, beside what it waits for.
    pub async fn requested(&self) {
        // The sender lives in `self`, so it cannot be gone.
        if self.stage.subscribe().wait_for(|stage| *stage == Stage::Stopping).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn move_to(&self, next: Stage) {
        self.stage.send_if_modified(|stage| {
            let is_later = next > *stage;
            *stage = next.max(*stage);
            is_later
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[actix_web::test]
    async fn who_waits_ends_only_when_nothing_new_is_taken() {
        let stopping = Stopping::default();
        let waiting = stopping.clone();
        let moment = Duration::from_millis(20);
        assert!(!stopping.is_leaving());
        stopping.leave();
        assert!(stopping.is_leaving());
        assert!(actix_web::rt::time::timeout(moment, waiting.requested()).await.is_err());
        stopping.request();
        stopping.leave();
        assert!(actix_web::rt::time::timeout(moment, waiting.requested()).await.is_ok());
        assert!(stopping.is_leaving());
    }
}
