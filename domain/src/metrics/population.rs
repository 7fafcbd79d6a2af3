//! Who is counted: what was received, and whether it was settled, as far as that had happened by the reference day.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::facts::Facts;
use super::grouping::{Identity, Key, Keys, Standing, Thing, Things, is_time};
use super::numbers::{Codes, Number};
use super::packed::PackedAdvice;
use super::{Query, touches_year};
use crate::codes::{AdviceKind, Dimension, Exclusion, Level, Origin};
use crate::council::Council;
use crate::reference;
use crate::term::{Clock, EndReason};

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
    /// The numbers of the facts, and of what else stands in the tables of reference.
    pub codes: Codes,
    /// The area of each council that is one, by number.
    areas: Vec<Option<Number>>,
}

/// What the keys of a thing that is no advice are taken from.
pub(super) struct Facets<'c> {
    pub councils: Keys,
    pub cluster: Option<Number>,
    pub themes: &'c [Number],
    pub portfolio_holder: Option<Number>,
    pub anchor: Anchor,
}

impl Default for Facets<'_> {
    fn default() -> Self {
        Self {
            councils: Keys::NONE,
            cluster: None,
            themes: &[],
            portfolio_holder: None,
            anchor: Anchor::Nothing,
        }
    }
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
        let mut codes = facts.codes.clone();
        let mut areas = Vec::new();
        for council in councils.iter() {
            let place = codes.councils.number(&council.code).index() as usize;
            areas.resize(areas.len().max(place + 1), None);
            areas[place] = Some(codes.areas.number(&council.area));
        }
        facts.areas.iter().for_each(|code| _ = codes.areas.number(code));
        facts.clusters.iter().for_each(|code| _ = codes.clusters.number(code));
        facts.themes.iter().for_each(|code| _ = codes.themes.number(code));
        facts.office_holders.iter().for_each(|id| _ = codes.office_holders.number(id));
        Self { facts, query, dimensions, until: query.to.min(query.on), councils, codes, areas }
    }

    pub fn on(&self) -> NaiveDate {
        self.query.on
    }

    /// Whether it is one of the councils.
    pub fn is_council(&self, council: Number) -> bool {
        self.area_of(council.index()).is_some()
    }

    fn area_of(&self, council: u32) -> Option<Number> {
        self.areas.get(council as usize).copied().flatten()
    }

    /// Whether a day lies in the period, as far as that had come by the reference day.
    pub fn in_period(&self, day: NaiveDate) -> bool {
        self.query.from <= day && day <= self.until
    }

    /// A day, if it had come by the reference day.
    pub fn known(&self, day: Option<NaiveDate>) -> Option<NaiveDate> {
        day.filter(|day| *day <= self.on())
    }

    pub fn receipt(&self, advice: &PackedAdvice) -> Receipt {
        match self.known(advice.received_on) {
            Some(day) => Receipt::On(day),
            None if advice.origin == Origin::Import => Receipt::Unknown,
            None => Receipt::NotYet,
        }
    }

    /// The advice that was received by the reference day, and what lists give without a day of receipt.
    pub fn known_advice(&self) -> impl Iterator<Item = &PackedAdvice> {
        self.facts.advice.iter().filter(|advice| !matches!(self.receipt(advice), Receipt::NotYet))
    }

    /// Of an answer and an end the first counts; on one day the answer, as for the clock.
    pub fn settlement(&self, advice: &PackedAdvice) -> Settlement {
        if advice.has_ended_some_day() {
            return Settlement::WithdrawnSomeDay;
        }
        let answered = self.known(advice.answered_on);
        let ended = advice.ended_on().filter(|(day, _)| *day <= self.on());
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
    pub fn is_settled_before_period(&self, advice: &PackedAdvice) -> bool {
        let answered = self.known(advice.answered_on);
        let ended = self.known(advice.ended_on().map(|(day, _)| day));
        answered.into_iter().chain(ended).any(|day| clamped(advice, day) < self.query.from)
    }

    /// Why an advice without a known day of receipt is left out; none where it cannot be of the population.
    pub fn without_receipt(&self, advice: &PackedAdvice) -> Option<Exclusion> {
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
        count: impl Fn(Thing<'c>, &'c PackedAdvice, NaiveDate) -> Thing<'c> + 'c,
    ) -> Things<'c> {
        Things::of(self.facts.advice.iter().filter_map(move |advice| match self.receipt(advice) {
            Receipt::On(day) if self.in_period(day) => {
                Some(count(self.advice(advice, Some(day), Standing::Counted(false)), advice, day))
            }
            Receipt::Unknown => {
                let reason = self.without_receipt(advice)?;
                Some(self.advice(advice, None, Standing::Excluded(reason)))
            }
            Receipt::On(_) | Receipt::NotYet => None,
        }))
    }

    /// The term of an advice on the reference day.
    #[inline]
    pub fn term(&self, advice: &PackedAdvice) -> Clock {
        advice.clock_on(&self.codes, self.on())
    }

    /// An advice as a thing that counts.
    #[inline]
    pub fn advice<'c>(
        &'c self,
        advice: &'c PackedAdvice,
        anchor: Option<NaiveDate>,
        standing: Standing,
    ) -> Thing<'c> {
        // Only what is asked for is looked up.
        let keys = self.keys_by(anchor.into(), |dimension| match dimension {
            Dimension::Council => self.councils_of(advice),
            Dimension::Area => self.areas_of(&self.councils_of(advice)),
            Dimension::Theme => themes(self.codes.themes_of(advice.themes)),
            Dimension::Cluster => Keys::One(advice.cluster_on(self.on()).and_then(key)),
            Dimension::PortfolioHolder => Keys::One(advice.portfolio_holder.and_then(key)),
            Dimension::Kind => Keys::One(Some(advice.kind as u32)),
            Dimension::Level => Keys::One(Some(advice.level as u32)),
            Dimension::Month | Dimension::Quarter | Dimension::Year | Dimension::Term => Keys::NONE,
        });
        Thing::new("advice", Identity::Uuid(&advice.id.0), keys, standing)
    }

    /// Advice of one council, where it is broken down by council, area and time only.
    pub fn of_council<'c>(&self, council: u32, time: Key, standing: Standing) -> Thing<'c> {
        let council = Keys::One(Some(council));
        let key = |axis: usize| match self.dimensions.get(axis) {
            None => Keys::NONE,
            Some(dimension) if is_time(*dimension) => Keys::One(time),
            Some(Dimension::Area) => self.areas_of(&council),
            Some(_) => council.clone(),
        };
        Thing::new("advice", Identity::Ordinal(0), [key(0), key(1)], standing)
    }

    fn councils_of(&self, advice: &PackedAdvice) -> Keys {
        match advice.has_cosigners() {
            false => Keys::One(key(advice.lead)),
            true => Keys::each_once(advice.councils_on(self.on()).map(key)),
        }
    }

    fn areas_of(&self, councils: &Keys) -> Keys {
        let area = |council: &Key| self.area_of((*council)?).and_then(key);
        match councils {
            Keys::One(council) => Keys::One(area(council)),
            Keys::Several(councils) => Keys::each_once(councils.iter().map(area)),
        }
    }

    /// Under what a thing that is no advice counts in the dimensions asked for.
    pub fn keys(&self, facets: &Facets) -> [Keys; 2] {
        self.keys_by(facets.anchor, |dimension| match dimension {
            Dimension::Council => facets.councils.clone(),
            Dimension::Area => self.areas_of(&facets.councils),
            Dimension::Theme => themes(facets.themes),
            Dimension::Cluster => Keys::One(facets.cluster.and_then(key)),
            Dimension::PortfolioHolder => Keys::One(facets.portfolio_holder.and_then(key)),
            // Only advice has these.
            Dimension::Kind | Dimension::Level => Keys::NONE,
            Dimension::Month | Dimension::Quarter | Dimension::Year | Dimension::Term => Keys::NONE,
        })
    }

    #[inline]
    fn keys_by(&self, anchor: Anchor, of: impl Fn(Dimension) -> Keys) -> [Keys; 2] {
        let key = |axis: usize| match self.dimensions.get(axis) {
            None => Keys::NONE,
            Some(dimension) if is_time(*dimension) => Keys::One(self.key_in_time(*dimension, anchor)),
            Some(dimension) => of(*dimension),
        };
        [key(0), key(1)]
    }

    /// Times count from the first day of the period on, and outside it there are none.
    fn key_in_time(&self, dimension: Dimension, anchor: Anchor) -> Key {
        let Query { from, to, .. } = self.query;
        let day = match anchor {
            Anchor::Day(day) if *from <= day && day <= *to => day,
            Anchor::Year(year) if dimension == Dimension::Year && touches_year(self.query, year) => {
                return u32::try_from(year - from.year()).ok();
            }
            _ => return None,
        };
        match dimension {
            Dimension::Month => u32::try_from(month_of(day) - month_of(*from)).ok(),
            Dimension::Quarter => u32::try_from(quarter_of(day) - quarter_of(*from)).ok(),
            Dimension::Year => u32::try_from(day.year() - from.year()).ok(),
            _ => {
                let mut terms = self.facts.terms_of_office.iter();
                let place = terms.position(|term| term.from <= day && term.to.is_none_or(|to| day <= to));
                place.and_then(|place| u32::try_from(place).ok())
            }
        }
    }

    /// The key in time of each day of the period.
    pub fn keys_of_days(&self, dimension: Dimension) -> Vec<Key> {
        let Query { from, to, .. } = self.query;
        let days = from.iter_days().take_while(|day| day <= to);
        days.map(|day| self.key_in_time(dimension, Anchor::Day(day))).collect()
    }

    /// How many values a dimension has: each is a key below that.
    pub fn values(&self, dimension: Dimension) -> usize {
        let Query { from, to, .. } = self.query;
        let up_to = |last: i32, first: i32| usize::try_from(last - first + 1).unwrap_or(0);
        match dimension {
            Dimension::Council => self.codes.councils.len(),
            Dimension::Area => self.codes.areas.len(),
            Dimension::Theme => self.codes.themes.len(),
            Dimension::Cluster => self.codes.clusters.len(),
            Dimension::PortfolioHolder => self.codes.office_holders.len(),
            Dimension::Kind => AdviceKind::ALL.len(),
            Dimension::Level => Level::ALL.len(),
            Dimension::Month => up_to(month_of(*to), month_of(*from)),
            Dimension::Quarter => up_to(quarter_of(*to), quarter_of(*from)),
            Dimension::Year => up_to(to.year(), from.year()),
            Dimension::Term => self.facts.terms_of_office.len(),
        }
    }

    /// The keys of a dimension that always have a row.
    pub fn usual_keys(&self, dimension: Dimension) -> Vec<u32> {
        let Self { facts, query, codes, .. } = self;
        let numbers = |numbers: &mut dyn Iterator<Item = Option<Number>>| -> Vec<u32> {
            numbers.filter_map(|number| key(number?)).collect()
        };
        match dimension {
            Dimension::Council => {
                numbers(&mut self.councils.iter().map(|council| codes.councils.find(&council.code)))
            }
            Dimension::Area if facts.areas.is_empty() => {
                let areas: BTreeSet<_> = self.councils.iter().map(|council| &council.area).collect();
                numbers(&mut areas.into_iter().map(|area| codes.areas.find(area)))
            }
            Dimension::Area => numbers(&mut facts.areas.iter().map(|area| codes.areas.find(area))),
            Dimension::Cluster => numbers(&mut facts.clusters.iter().map(|code| codes.clusters.find(code))),
            Dimension::Theme => numbers(&mut facts.themes.iter().map(|code| codes.themes.find(code))),
            Dimension::PortfolioHolder => {
                numbers(&mut facts.office_holders.iter().map(|id| codes.office_holders.find(id)))
            }
            Dimension::Term => (0..)
                .zip(&facts.terms_of_office)
                .filter(|(_, term)| term.from <= query.to && term.to.is_none_or(|to| query.from <= to))
                .map(|(place, _)| place)
                .collect(),
            Dimension::Kind | Dimension::Level | Dimension::Month | Dimension::Quarter | Dimension::Year => {
                (0..).take(self.values(dimension)).collect()
            }
        }
    }

    /// The key of that name; none where there is no such value.
    pub fn key_of(&self, dimension: Dimension, name: Option<&str>) -> Option<Key> {
        let Some(name) = name else { return Some(None) };
        (0..).take(self.values(dimension)).find(|key| self.name(dimension, *key) == name).map(Some)
    }

    /// What a key stands for, as the rows name it.
    pub fn name(&self, dimension: Dimension, key: u32) -> String {
        let Self { codes, facts, query, .. } = self;
        let later = |first: i32| i64::from(first) + i64::from(key);
        let name = match dimension {
            Dimension::Council => codes.councils.at(key).map(ToString::to_string),
            Dimension::Area => codes.areas.at(key).map(ToString::to_string),
            Dimension::Theme => codes.themes.at(key).map(ToString::to_string),
            Dimension::Cluster => codes.clusters.at(key).map(ToString::to_string),
            Dimension::PortfolioHolder => codes.office_holders.at(key).map(ToString::to_string),
            Dimension::Kind => AdviceKind::ALL.get(key as usize).map(ToString::to_string),
            Dimension::Level => Level::ALL.get(key as usize).map(ToString::to_string),
            Dimension::Month => {
                let month = later(month_of(query.from));
                Some(format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1))
            }
            Dimension::Quarter => {
                let quarter = later(quarter_of(query.from));
                Some(format!("{:04}-Q{}", quarter.div_euclid(4), quarter.rem_euclid(4) + 1))
            }
            Dimension::Year => Some(later(query.from.year()).to_string()),
            Dimension::Term => facts.terms_of_office.get(key as usize).map(|term| term.code.clone()),
        };
        name.unwrap_or_default()
    }
}

fn themes(themes: &[Number]) -> Keys {
    match themes {
        [only] => Keys::One(key(*only)),
        themes => Keys::each_once(themes.iter().copied().map(key)),
    }
}

/// The key that a number is.
pub(super) fn key(number: Number) -> Key {
    Some(number.index())
}

/// The months since the year 0.
fn month_of(day: NaiveDate) -> i32 {
    day.year() * 12 + day.month0() as i32
}

/// The quarters since the year 0.
fn quarter_of(day: NaiveDate) -> i32 {
    month_of(day).div_euclid(3)
}

/// The clock never stops before the day of receipt.
fn clamped(advice: &PackedAdvice, day: NaiveDate) -> NaiveDate {
    advice.received_on.map_or(day, |received_on| day.max(received_on))
}
