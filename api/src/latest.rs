//! Where the journal ends now: one question to the database for all who ask at the same time.
//!
//! Who asks gets an answer to a question that was put after he asked, so it holds whatever any process had written by then. What is
//! kept of an answer is thus as fresh as the answer itself would be.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use persistence::{Position, Store};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The shortest time from one question to the next; who comes in between waits for it, so that many ask in one go.
const BETWEEN: Duration = Duration::from_micros(500);
/// How long to wait for the answer. A database that takes longer is in trouble, and who asked finds out his own way.
const LONGEST: Duration = Duration::from_millis(250);

/// Asks where the journal ends.
pub struct Latest {
    store: Store,
    asking: Mutex<Option<Sender<Asking>>>,
}

type Asking = oneshot::Sender<Position>;

impl Latest {
    /// Asks this database.
    pub fn new(store: Store) -> Self {
        Self { store, asking: Mutex::default() }
    }

    /// Where the journal ends, after whatever was written before this was called; none where the database does not say.
    pub async fn position(&self) -> Option<Position> {
        let (asking, answer) = oneshot::channel();
        self.ask(asking);
        timeout(LONGEST, answer).await.ok()?.ok()
    }

    /// Hands the question to the thread that asks, which is started with the first.
    fn ask(&self, asking: Asking) {
        let mut sender = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_none() {
            let (made, questions) = channel();
            let store = self.store.clone();
            let started = std::thread::Builder::new()
                .name("latest".to_owned())
                .spawn(move || answer_all(&store, &questions));
            match started {
                Ok(_) => *sender = Some(made),
                Err(error) => tracing::warn!(%error, "no thread to ask where the journal ends"),
            }
        }
        // Where there is no such thread the question is dropped, and who asked finds that out.
        if let Some(sender) = sender.as_ref() {
            sender.send(asking).ok();
        }
    }
}

/// Until nobody can ask any more.
fn answer_all(store: &Store, questions: &Receiver<Asking>) {
    while let Ok(first) = questions.recv() {
        let begun = Instant::now();
        // Before the question is put: who asks while it is under way has an answer to the next.
        let rest: Vec<Asking> = questions.try_iter().collect();
        match store.position() {
            Ok(position) => {
                for asking in std::iter::once(first).chain(rest) {
                    // Who no longer waits for it does without.
                    asking.send(position).ok();
                }
            }
            Err(error) => tracing::debug!(%error, "the database does not say where the journal ends"),
        }
        std::thread::sleep(BETWEEN.saturating_sub(begun.elapsed()));
    }
}
