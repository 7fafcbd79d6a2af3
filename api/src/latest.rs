//! How the database stands now: one look at it for all who ask at the same time.
//!
//! Who asks gets an answer to a look that was begun after he asked, so it holds whatever any process had written by then. What is
//! kept of an answer is thus as fresh as the answer itself would be.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ids::AdviceId;
use persistence::{Look, Store};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The shortest time from one look to the next; who comes in between waits for it, so that many ask in one go.
const BETWEEN: Duration = Duration::from_micros(150);
/// How long to wait for the answer. A database that takes longer is in trouble, and who asked finds out his own way.
const LONGEST: Duration = Duration::from_millis(250);
/// How many items one look takes in.
const ITEMS: usize = 64;

/// Looks at the database.
pub struct Latest {
    store: Store,
    asking: Mutex<Option<Sender<Asking>>>,
}

struct Asking {
    advice: Option<AdviceId>,
    answer: oneshot::Sender<Arc<Look>>,
}

impl Latest {
    /// Looks at this database.
    pub fn new(store: Store) -> Self {
        Self { store, asking: Mutex::default() }
    }

    /// How the database stands, after whatever was written before this was called; with an advice, if one is asked for. None where
    /// the database does not say.
    pub async fn look(&self, advice: Option<AdviceId>) -> Option<Arc<Look>> {
        let (answer, answered) = oneshot::channel();
        self.ask(Asking { advice, answer });
        timeout(LONGEST, answered).await.ok()?.ok()
    }

    /// Hands the question to the thread that looks, which is started with the first. Where there is none the question is dropped,
    /// and who asked finds that out.
    fn ask(&self, asking: Asking) {
        let mut sender = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_none() {
            *sender = self.start();
        }
        if let Some(thread) = sender.as_ref()
            && thread.send(asking).is_err()
        {
            tracing::error!("the thread that looks at the database is gone; another is started");
            *sender = None;
        }
    }

    fn start(&self) -> Option<Sender<Asking>> {
        let (made, questions) = channel();
        let store = self.store.clone();
        let thread = std::thread::Builder::new().name("latest".to_owned());
        match thread.spawn(move || answer_all(&store, &questions)) {
            Ok(_) => Some(made),
            Err(error) => {
                tracing::warn!(%error, "no thread to look at the database");
                None
            }
        }
    }
}

/// Until nobody can ask any more.
fn answer_all(store: &Store, questions: &Receiver<Asking>) {
    while let Ok(first) = questions.recv() {
        let begun = Instant::now();
        // Before the look begins: who asks while it is under way has an answer to the next.
        let mut ids = BTreeSet::new();
        let mut all = Vec::new();
        for asking in std::iter::once(first).chain(questions.try_iter()) {
            // After a database that stood still many have given up.
            if asking.answer.is_closed() {
                continue;
            }
            ids.extend(asking.advice);
            all.push(asking.answer);
            if ids.len() == ITEMS {
                break;
            }
        }
        let ids: Vec<AdviceId> = ids.into_iter().collect();
        match store.look(&ids) {
            Ok(look) => {
                let look = Arc::new(look);
                for answer in all {
                    // Who no longer waits for it does without.
                    answer.send(look.clone()).ok();
                }
            }
            Err(error) => tracing::debug!(%error, "the database does not say how it stands"),
        }
        std::thread::sleep(BETWEEN.saturating_sub(begun.elapsed()));
    }
}
