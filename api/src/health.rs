//! Whether to send us requests. The database is asked at most once a second, on a thread of its own: whoever asks us gets his
//! answer also when all others wait, and asking often costs nothing.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use persistence::{Replica, StoreError, journal};
use serde_json::json;

use crate::app::App;
use crate::problem::ApiError;

/// How long what the database said is told again.
const FRESH: Duration = Duration::from_secs(1);
/// How long a caller waits for what it says.
const PATIENCE: Duration = Duration::from_secs(2);
/// A database that is busy answers late. Only after this without any answer is it taken for gone.
const BUSY: Duration = Duration::from_secs(15);
/// When to ask again.
const RETRY_AFTER: u64 = 2;

/// What is known of the database.
#[derive(Debug, Default)]
pub struct Health {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    asking_since: Option<Instant>,
    asked_at: Option<Instant>,
    good_at: Option<Instant>,
    has_failed: bool,
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.asked_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Not for ever: should the thread be gone, another one asks.
    fn is_being_asked(&self) -> bool {
        self.asking_since.is_some_and(|at| at.elapsed() < BUSY)
    }

    fn is_good(&self) -> bool {
        !self.has_failed && self.good_at.is_some_and(|at| at.elapsed() < BUSY)
    }
}

fn hold(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Ready when the database answers, until the server is told to stop.
pub async fn ready(app: Data<Arc<App>>, health: Data<Health>) -> Result<HttpResponse, ApiError> {
    if app.stopping.is_leaving() {
        return Err(ApiError::Unavailable("it is told to stop".to_owned(), RETRY_AFTER));
    }
    health.look(app.get_ref()).await;
    let known = *hold(&health.known);
    match known.is_good() {
        // What the journal counts is nobody's business: it counts drafts too.
        true => Ok(HttpResponse::Ok().json(json!({"status": "ok"}))),
        false => Err(ApiError::Unavailable("the database does not answer".to_owned(), RETRY_AFTER)),
    }
}

impl Health {
    /// Asks the database where that is due, and waits a little for its answer.
    async fn look(&self, app: &Arc<App>) {
        let (answered, answer) = tokio::sync::oneshot::channel::<()>();
        {
            let mut known = hold(&self.known);
            if known.is_fresh() || known.is_being_asked() {
                return;
            }
            known.asking_since = Some(Instant::now());
        }
        let (app, known) = (app.clone(), self.known.clone());
        let ask = move || {
            // What is public can be read from either.
            let outcome = app
                .store
                .read::<_, StoreError>(journal::head)
                .or_else(|error| app.store.replica().map_or(Err(error), Replica::head));
            if let Err(error) = &outcome {
                tracing::warn!(%error, "the database does not answer");
            }
            let now = Instant::now();
            let mut known = hold(&known);
            known.asking_since = None;
            known.asked_at = Some(now);
            known.has_failed = outcome.is_err();
            known.good_at = outcome.is_ok().then_some(now).or(known.good_at);
            drop(known);
            drop(answered);
        };
        if let Err(error) = std::thread::Builder::new().name("health".to_owned()).spawn(ask) {
            tracing::error!(%error, "no thread to ask the database from");
            hold(&self.known).asking_since = None;
            return;
        }
        // It is told by the end of the channel, and what it said stands in `known`.
        let told = tokio::time::timeout(PATIENCE, answer).await;
        if told.is_err() {
            tracing::info!("the database is slow to answer");
        }
    }
}
