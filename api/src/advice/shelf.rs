//! Advice as JSON, as it was shown before. Whoever reads one asks the database which writing of it holds now, and is shown what was
//! made of that very writing: its text is neither sent nor read again. What is kept thus never says what no longer holds, in whichever
//! process the change was made.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::access::{self, AudienceKey, View, view_among};
use domain::advice::Advice;
use domain::ids::AdviceId;
use persistence::{Mark, Stored};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::view::Showing;
use crate::app::Registry;
use crate::etag;
use crate::problem::ApiError;

/// What an advice takes beside its JSON and its audience, in bytes: tags, and the table itself.
const BESIDE: usize = 1024;
/// What a key of its audience takes.
const KEY: usize = 64;

/// An advice as JSON, with its tag.
#[derive(Clone)]
pub struct Shown(Arc<Made>);

struct Made {
    on: NaiveDate,
    registry: i64,
    etag: String,
    body: Box<str>,
}

impl Shown {
    /// Its tag.
    pub fn etag(&self) -> &str {
        &self.0.etag
    }

    /// The JSON.
    pub fn body(&self) -> &str {
        &self.0.body
    }
}

/// One writing of an advice, and what each view of it was shown last.
struct Item {
    mark: Mark,
    audience: Arc<BTreeSet<AudienceKey>>,
    views: [Option<Shown>; 3],
}

#[derive(Clone)]
struct Weight;

impl Weighter<AdviceId, Arc<Item>> for Weight {
    fn weight(&self, _: &AdviceId, item: &Arc<Item>) -> u64 {
        let bodies = item.views.iter().flatten().map(|shown| shown.body().len()).sum::<usize>();
        u64::try_from(bodies + item.audience.len() * KEY + BESIDE).unwrap_or(u64::MAX)
    }
}

/// Who asks, and for which day.
pub struct Asker {
    keys: Vec<(AudienceKey, View)>,
    on: NaiveDate,
}

impl Asker {
    /// This caller.
    pub fn new(caller: &access::Caller, on: NaiveDate) -> Self {
        Self { keys: caller.keys_to_advice(), on }
    }
}

/// What may be shown, if the database says that this writing holds.
pub struct Candidate {
    mark: Mark,
    shown: Shown,
}

impl Candidate {
    /// It, if this is the writing that holds, with these tables of the registry.
    pub fn if_holds(self, mark: Mark, registry: i64) -> Option<Shown> {
        (self.mark == mark && self.shown.0.registry == registry).then_some(self.shown)
    }
}

/// The advice that are kept, up to so many bytes.
pub struct Shelf(Option<Cache<AdviceId, Arc<Item>, Weight>>);

impl Shelf {
    /// Of so many bytes; zero keeps nothing.
    pub fn new(bytes: usize) -> Self {
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self((bytes > 0).then(|| Cache::with_weighter(bytes / (4 * BESIDE), size, Weight)))
    }

    /// What this caller was or would have been shown of an advice, by the audience of the writing that is kept.
    pub fn find(&self, id: AdviceId, asker: &Asker) -> Option<Candidate> {
        let item = self.0.as_ref()?.get(&id)?;
        let view = view_among(&asker.keys, |key| item.audience.contains(key))?;
        let shown = item.views[place(view)].clone().filter(|shown| shown.0.on == asker.on)?;
        Some(Candidate { mark: item.mark, shown })
    }

    /// Shows an advice, and keeps it. None where it names others: which of them a caller may see, its text does not say.
    pub fn show(
        &self,
        registry: &Registry,
        on: NaiveDate,
        stored: &Stored<Advice>,
        view: View,
    ) -> Result<Option<Shown>, ApiError> {
        let Some(showing) = Showing::of_one_without_links(registry, on, &stored.value) else {
            return Ok(None);
        };
        let made = showing.show(stored, view);
        let body = serde_json::to_string(&made).map_err(|error| ApiError::Internal(error.to_string()))?;
        let etag = etag::of_item(made.version, on, body.as_bytes(), view);
        let registry = registry.sequence();
        let shown = Shown(Arc::new(Made { on, registry, etag, body: body.into_boxed_str() }));
        if let Some(kept) = &self.0 {
            let (id, mark) = (stored.value.id, stored.stamp.mark());
            let known = kept.peek(&id).filter(|item| item.mark == mark);
            let (audience, mut views) = match known {
                Some(item) => (item.audience.clone(), item.views.clone()),
                None => (Arc::new(access::audience(&stored.value)), Default::default()),
            };
            views[place(view)] = Some(shown.clone());
            kept.insert(id, Arc::new(Item { mark, audience, views }));
        }
        Ok(Some(shown))
    }
}

fn place(view: View) -> usize {
    match view {
        View::Public => 0,
        View::Own => 1,
        View::Internal => 2,
    }
}
