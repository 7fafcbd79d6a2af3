//! How the database stands now: one look at it for all who ask at the same time.
//!
//! Who asks gets an answer to a look that was begun after he asked, so it holds whatever any process had written by then. What is
//! kept of an answer is thus as fresh as the answer itself would be.
//!
//! Threads are woken once for many requests: those of one thread ask at its [`Desk`] together, and desks ask [`Latest`] together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt;
use domain::ids::AdviceId;
use persistence::{Look, Store};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

/// How long to wait for the answer. A database that takes longer is in trouble, and who asked finds out his own way.
const LONGEST: Duration = Duration::from_millis(250);
/// With so many items nobody waits for more to ask for.
const ITEMS: usize = 64;

/// Advice to look at, and whether the text of each is wanted.
type Advice = BTreeMap<AdviceId, bool>;

/// Looks at the database.
pub struct Latest {
    store: Store,
    asking: Mutex<Option<Sender<Asking>>>,
}

struct Asking {
    advice: Advice,
    answer: oneshot::Sender<Arc<Look>>,
}

impl Latest {
    /// Looks at this database.
    pub fn new(store: Store) -> Self {
        Self { store, asking: Mutex::default() }
    }

    /// How the database stands, after whatever was written before this was called, with these advice. None where the database does
    /// not say.
    async fn look(&self, advice: Advice) -> Option<Arc<Look>> {
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
        // Before the look begins: who asks while it is under way has an answer to the next.
        let mut advice = Advice::new();
        let mut all = Vec::new();
        for asking in std::iter::once(first).chain(questions.try_iter()) {
            // After a database that stood still many have given up.
            if asking.answer.is_closed() {
                continue;
            }
            want(&mut advice, asking.advice);
            all.push(asking.answer);
            if advice.len() >= ITEMS {
                break;
            }
        }
        match store.look(&advice) {
            Ok(look) => tell_all(all, &Arc::new(look)),
            Err(error) => tracing::debug!(%error, "the database does not say how it stands"),
        }
    }
}

/// Wants these as well: a text that anybody wants is wanted.
fn want(advice: &mut Advice, more: impl IntoIterator<Item = (AdviceId, bool)>) {
    for (id, with_text) in more {
        *advice.entry(id).or_default() |= with_text;
    }
}

/// Where the requests of one thread ask.
pub struct Desk {
    latest: Arc<Latest>,
    gathered: Rc<RefCell<Gathered>>,
}

/// What is asked in one go, and who waits for it.
#[derive(Default)]
struct Gathered {
    advice: Advice,
    waiting: Vec<oneshot::Sender<Arc<Look>>>,
}

impl Desk {
    /// A desk of the thread that it is made on.
    pub fn new(latest: Arc<Latest>) -> Self {
        Self { latest, gathered: Rc::default() }
    }

    /// How the database stands, after whatever was written before this was called; with an advice, if one is asked for, and with its
    /// text, if that is wanted. None where the database does not say.
    pub async fn look(&self, advice: Option<(AdviceId, bool)>) -> Option<Arc<Look>> {
        let (answer, answered) = oneshot::channel();
        let (is_first, is_full) = {
            let mut gathered = self.gathered.borrow_mut();
            want(&mut gathered.advice, advice);
            gathered.waiting.push(answer);
            (gathered.waiting.len() == 1, gathered.advice.len() >= ITEMS)
        };
        if is_full {
            rt::spawn(ask_for_all(self.latest.clone(), self.gathered.take()));
        } else if is_first {
            let (latest, gathered) = (self.latest.clone(), self.gathered.clone());
            rt::spawn(async move {
                // Whose request has come in by now asks along.
                yield_now().await;
                ask_for_all(latest, gathered.take()).await;
            });
        }
        answered.await.ok()
    }
}

async fn ask_for_all(latest: Arc<Latest>, gathered: Gathered) {
    let Gathered { advice, waiting } = gathered;
    if waiting.is_empty() {
        return;
    }
    if let Some(look) = latest.look(advice).await {
        tell_all(waiting, &look);
    }
}

fn tell_all(waiting: Vec<oneshot::Sender<Arc<Look>>>, look: &Arc<Look>) {
    for answer in waiting {
        // The one failure there is: he no longer waits for it, for his request was given up.
        answer.send(look.clone()).ok();
    }
}
