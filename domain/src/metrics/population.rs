//! Who is counted: what was received, and whether it was settled, as far as that had happened by the reference day.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};

use super::facts::{AdviceFact, Facts};
use super::grouping::{Identity, Key, Standing, Thing, month, quarter};
use super::{Query, touches_year};
use crate::codes::{Dimension, Exclusion, Origin};
use crate::council::Council;
use crate::ids::{AreaCode, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use crate::reference;
use crate::term::EndReason;

/// What a metric counts in.
pub(super) struct Context<'a> {
    pub facts: &'a Facts,
    pub query: &'a Query,
    /// By what to break it down: of a figure what was asked, of the items what their key names.
    pub dimensions: &'a [Dimension],
    /// The last day of the period that had come by the reference day.
    pub until: NaiveDate,
    /// The councils of the facts; without any, those that come with the software.
    pub councils: Cow<'a, [Council]>,
    areas: HashMap<CouncilCode, AreaCode>,
}

/// What the values of a thing's dimensions are taken from.
#[derive(Default)]
pub(super) struct Facets<'c> {
    pub councils: Vec<&'c CouncilCode>,
    pub cluster: Option<&'c ClusterCode>,
    pub themes: &'c [ThemeCode],
    pub portfolio_holder: Option<OfficeHolderId>,
    pub kind: Option<&'static str>,
    pub level: Option<&'static str>,
    pub anchor: Anchor,
}

/// What month, quarter, year and term follow.
#[derive(Clone, Copy, Default)]
pub(super) enum Anchor {
    #[default]
    Nothing,
    Day(NaiveDate),
    /// The year of a plan, which has no day.
    Year(i32),
}

impl From<Option<NaiveDate>> for Anchor {
    fn from(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Nothing, Self::Day)
    }
}

/// When an advice was received, as far as that is known.
#[derive(Clone, Copy)]
pub(super) enum Receipt {
    On(NaiveDate),
    /// It is in a portal's list, which does not say.
    Unknown,
    NotYet,
}

/// How an advice came to its end, as far as it had.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    Open,
    Answered(NaiveDate),
    Ended(NaiveDate, EndReason),
    /// Withdrawn, or lapsed in a list, on a day that nobody knows.
    WithdrawnSomeDay,
}

impl<'a> Context<'a> {
    pub fn new(facts: &'a Facts, query: &'a Query, dimensions: &'a [Dimension]) -> Self {
        let councils: Cow<[Council]> = match facts.councils.as_slice() {
            [] => Cow::Owned(reference::built_in().councils),
            known => Cow::Borrowed(known),
        };
        let areas = councils.iter().map(|council| (council.code.clone(), council.area.clone())).collect();
        Self { facts, query, dimensions, until: query.to.min(query.on), councils, areas }
    }

    pub fn on(&self) -> NaiveDate {
        self.query.on
    }

    /// Whether it is one of the councils.
    pub fn is_council(&self, code: &CouncilCode) -> bool {
        self.areas.contains_key(code)
    }

    /// Whether a day lies in the period, as far as that had come by the reference day.
    pub fn in_period(&self, day: NaiveDate) -> bool {
        self.query.from <= day && day <= self.until
    }

    /// A day, if it had come by the reference day.
    pub fn known(&self, day: Option<NaiveDate>) -> Option<NaiveDate> {
        day.filter(|day| *day <= self.on())
    }

    pub fn receipt(&self, advice: &AdviceFact) -> Receipt {
        match self.known(advice.term.received_on) {
            Some(day) => Receipt::On(day),
            None if advice.origin == Origin::Import => Receipt::Unknown,
            None => Receipt::NotYet,
        }
    }

    /// The advice that was received by the reference day, and what lists give without a day of receipt.
    pub fn known_advice(&self) -> impl Iterator<Item = &AdviceFact> {
        let advice = self.facts.advice.values().map(AsRef::as_ref);
        advice.filter(|advice: &&AdviceFact| !matches!(self.receipt(advice), Receipt::NotYet))
    }

    /// Of an answer and an end the first counts; on one day the answer, as for the clock.
    pub fn settlement(&self, advice: &AdviceFact) -> Settlement {
        let facts = &advice.term;
        if facts.ended_unknown_day || (advice.withdrawn && facts.ended_on.is_none()) {
            return Settlement::WithdrawnSomeDay;
        }
        let answered = self.known(facts.answered_on);
        let ended = facts.ended_on.filter(|(day, _)| *day <= self.on());
        match (answered, ended) {
            (Some(answered), Some((day, reason))) if clamped(advice, day) < clamped(advice, answered) => {
                Settlement::Ended(day, reason)
            }
            (Some(answered), _) => Settlement::Answered(answered),
            (None, Some((day, reason))) => Settlement::Ended(day, reason),
            (None, None) => Settlement::Open,
        }
    }

    /// Whether it is known to have been settled before the period began; then it is not of the population.
    pub fn is_settled_before_period(&self, advice: &AdviceFact) -> bool {
        let answered = self.known(advice.term.answered_on);
        let ended = self.known(advice.term.ended_on.map(|(day, _)| day));
        answered.into_iter().chain(ended).any(|day| clamped(advice, day) < self.query.from)
    }

    /// Why an advice without a known day of receipt is left out; none where it cannot be of the population.
    pub fn without_receipt(&self, advice: &AdviceFact) -> Option<Exclusion> {
        if advice.earliest_on.is_some_and(|day| day > self.until) || self.is_settled_before_period(advice) {
            return None;
        }
        Some(match self.settlement(advice) {
            Settlement::WithdrawnSomeDay | Settlement::Ended(_, EndReason::Withdrawn) => Exclusion::Withdrawn,
            Settlement::Ended(_, EndReason::Merged) => Exclusion::Merged,
            _ => Exclusion::UnknownDates,
        })
    }

    /// What was received in the period, each told by `count`; and what may have been, left out.
    pub fn received<'c>(
        &'c self,
        count: impl Fn(Thing<'c>, &'c AdviceFact, NaiveDate) -> Thing<'c>,
    ) -> Vec<Thing<'c>> {
        let advice = self.facts.advice.values().map(AsRef::as_ref);
        advice
            .filter_map(|advice: &AdviceFact| match self.receipt(advice) {
                Receipt::On(day) if self.in_period(day) => {
                    Some(count(self.advice(advice, Some(day), Standing::Counted(false)), advice, day))
                }
                Receipt::Unknown => {
                    let reason = self.without_receipt(advice)?;
                    Some(self.advice(advice, None, Standing::Excluded(reason)))
                }
                Receipt::On(_) | Receipt::NotYet => None,
            })
            .collect()
    }

    /// An advice as a thing that counts.
    pub fn advice<'c>(
        &'c self,
        advice: &'c AdviceFact,
        anchor: Option<NaiveDate>,
        standing: Standing,
    ) -> Thing<'c> {
        let facets = Facets {
            councils: advice.councils_on(self.on()).collect(),
            cluster: advice.cluster_on(self.on()),
            themes: &advice.themes,
            portfolio_holder: advice.portfolio_holder,
            kind: Some(advice.kind.as_str()),
            level: Some(advice.level.as_str()),
            anchor: anchor.into(),
        };
        Thing::new("advice", Identity::Uuid(advice.id.0), self.keys(&facets), standing)
    }

    /// The values of the dimensions asked for.
    pub fn keys<'c>(&'c self, facets: &Facets<'c>) -> Vec<Vec<Key<'c>>> {
        self.dimensions.iter().map(|dimension| self.values(facets, *dimension)).collect()
    }

    fn values<'c>(&'c self, facets: &Facets<'c>, dimension: Dimension) -> Vec<Key<'c>> {
        let one = |text: Option<&'c str>| vec![text.map(Cow::Borrowed)];
        let own = |text: Option<String>| vec![text.map(Cow::Owned)];
        let anchor = match facets.anchor {
            Anchor::Day(day) if self.query.from <= day && day <= self.query.to => Some(day),
            _ => None,
        };
        match dimension {
            Dimension::Council => each_once(facets.councils.iter().map(|council| Some(council.as_str()))),
            Dimension::Area => {
                let area_of = |council: &&CouncilCode| self.areas.get(*council).map(AreaCode::as_str);
                each_once(facets.councils.iter().map(area_of))
            }
            Dimension::Theme => each_once(facets.themes.iter().map(|theme| Some(theme.as_str()))),
            Dimension::Cluster => one(facets.cluster.map(ClusterCode::as_str)),
            Dimension::PortfolioHolder => own(facets.portfolio_holder.map(|id| id.to_string())),
            Dimension::Kind => one(facets.kind),
            Dimension::Level => one(facets.level),
            Dimension::Month => own(anchor.map(month)),
            Dimension::Quarter => own(anchor.map(quarter)),
            Dimension::Year => own(match facets.anchor {
                Anchor::Year(year) => Some(year).filter(|year| touches_year(self.query, *year)),
                _ => anchor.map(|day| day.year()),
            }
            .map(|year| year.to_string())),
            Dimension::Term => one(anchor.and_then(|day| {
                let terms = self.facts.terms_of_office.iter();
                let mut terms = terms.filter(|term| term.from <= day && term.to.is_none_or(|to| day <= to));
                terms.next().map(|term| term.code.as_str())
            })),
        }
    }
}

/// The clock never stops before the day of receipt.
fn clamped(advice: &AdviceFact, day: NaiveDate) -> NaiveDate {
    advice.term.received_on.map_or(day, |received_on| day.max(received_on))
}

/// The values, each once; one row for what has none.
fn each_once<'c>(values: impl Iterator<Item = Option<&'c str>>) -> Vec<Key<'c>> {
    let mut once: Vec<Key> = Vec::new();
    for value in values {
        let value = value.map(Cow::Borrowed);
        if !once.contains(&value) {
            once.push(value);
        }
    }
    if once.is_empty() {
        once.push(None);
    }
    once
}
