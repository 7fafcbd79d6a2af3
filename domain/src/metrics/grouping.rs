//! From what a metric counts to its rows: one pass, each thing looked up by its key.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use super::definitions::{Definition, FigureKind, Fold, PartDefinition, Whole};
use super::population::Context;
use super::statistics::{Decimal4, Observation, Share, kaplan_meier, median};
use super::{Figure, Part, Row};
use crate::codes::{AdviceKind, Dimension, Exclusion, Level, RuleStatus};

/// The value of a dimension; none: it has no value there.
pub(super) type Key<'c> = Option<Cow<'c, str>>;

/// One of the things that a metric counts, or leaves out and says so.
#[derive(Clone)]
pub(super) struct Thing<'c> {
    pub resource: &'static str,
    pub id: Identity<'c>,
    pub detail: Detail<'c>,
    /// Of each dimension asked for, the values it counts under: at least one, each once.
    pub keys: Vec<Vec<Key<'c>>>,
    pub standing: Standing,
    /// What it adds to the parts, by their codes.
    pub tallies: Vec<(&'static str, Tally)>,
    /// On what the term rule behind it rests.
    pub rule_status: Option<RuleStatus>,
}

/// Whether and how a thing counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In the whole, and whether in the numerator too; of a count the latter says nothing.
    Counted(bool),
    /// Among the times.
    Observed(Observation),
    /// Of the population, but left out.
    Excluded(Exclusion),
    /// Only its tallies count.
    Aside,
}

/// What a thing adds to a part.
#[derive(Clone, Copy)]
pub(super) enum Tally {
    /// One more.
    One,
    /// One more in the whole of the part, and whether in its numerator too.
    OneOf(bool),
    /// A number, or days.
    Number(i64),
    /// A time.
    Time(Observation),
}

#[derive(Clone, Copy)]
pub(super) enum Identity<'c> {
    Uuid(Uuid),
    Code(&'c str),
    /// Says which one in the list and no more.
    Ordinal(usize),
}

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::Code(code) => code.fmt(f),
            Self::Ordinal(number) => number.fmt(f),
        }
    }
}

/// Which part of a thing with an id is counted.
#[derive(Clone, Copy)]
pub(super) enum Detail<'c> {
    Whole,
    Point(u16),
    Council(&'c str),
}

impl Detail<'_> {
    pub fn to_text(self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Point(number) => Some(format!("point {number}")),
            Self::Council(code) => Some(code.to_owned()),
        }
    }
}

impl<'c> Thing<'c> {
    pub fn new(
        resource: &'static str,
        id: Identity<'c>,
        keys: Vec<Vec<Key<'c>>>,
        standing: Standing,
    ) -> Self {
        Self { resource, id, detail: Detail::Whole, keys, standing, tallies: Vec::new(), rule_status: None }
    }

    pub fn detail(self, detail: Detail<'c>) -> Self {
        Self { detail, ..self }
    }

    pub fn tally(mut self, part: &'static str, tally: Tally) -> Self {
        self.tallies.push((part, tally));
        self
    }

    /// Adds one to a part, if so.
    pub fn one_if(self, part: &'static str, is_so: bool) -> Self {
        if is_so { self.tally(part, Tally::One) } else { self }
    }

    /// Whether it counts under a key, given in the order of the dimensions asked for.
    pub fn has_key(&self, key: &[(Dimension, Option<String>)]) -> bool {
        key.iter()
            .zip(&self.keys)
            .all(|((_, wanted), own)| own.iter().any(|value| value.as_deref() == wanted.as_deref()))
    }
}

/// Whether a dimension follows the anchor day.
pub(super) const fn is_time(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Month | Dimension::Quarter | Dimension::Year | Dimension::Term)
}

/// The rows, and the total in which each thing counts once.
pub(super) fn group(definition: &Definition, context: &Context, things: &[Thing]) -> (Vec<Row>, Row) {
    let axes: Vec<Axis> =
        (0..context.dimensions.len()).map(|index| Axis::new(context, index, things)).collect();
    let cells = axes.iter().map(|axis| axis.values.len()).product();
    let is_grouped = !axes.is_empty();
    let mut rows: Vec<Sums> = if is_grouped { vec![Sums::new(definition); cells] } else { Vec::new() };
    let mut total = Sums::new(definition);
    let mut places = Vec::new();
    for thing in things {
        total.add(definition, thing);
        if is_grouped {
            places.clear();
            places.push(0);
            for (axis, values) in axes.iter().zip(&thing.keys) {
                axis.refine(&mut places, values);
            }
            for place in &places {
                rows[*place].add(definition, thing);
            }
        }
    }
    let rows = rows
        .into_iter()
        .enumerate()
        .filter_map(|(place, sums)| {
            let key = key_at(context, &axes, place);
            // What has no value in a dimension has a row only where there is something of it.
            let is_shown = sums.is_touched || key.iter().all(|(_, value)| value.is_some());
            is_shown.then(|| sums.row(definition, key))
        })
        .collect();
    (rows, total.row(definition, Vec::new()))
}

fn key_at(context: &Context, axes: &[Axis], mut place: usize) -> Vec<(Dimension, Option<String>)> {
    let mut key = Vec::with_capacity(axes.len());
    for (dimension, axis) in context.dimensions.iter().zip(axes).rev() {
        key.push((*dimension, axis.values[place % axis.values.len()].clone()));
        place /= axis.values.len();
    }
    key.reverse();
    key
}

/// The values of a dimension, in the order of the rows.
struct Axis {
    values: Vec<Option<String>>,
    places: HashMap<String, usize>,
}

impl Axis {
    /// The values that always have a row, then what else occurs, then what has no value.
    fn new(context: &Context, index: usize, things: &[Thing]) -> Self {
        let mut known = domain(context, context.dimensions[index]);
        let names: BTreeSet<&str> = known.iter().map(String::as_str).collect();
        let mut others: BTreeSet<&str> = BTreeSet::new();
        let mut has_none = false;
        for value in things.iter().flat_map(|thing| &thing.keys[index]) {
            match value {
                None => has_none = true,
                Some(value) if !names.contains(value.as_ref()) => {
                    others.insert(value);
                }
                Some(_) => {}
            }
        }
        let others: Vec<String> = others.into_iter().map(str::to_owned).collect();
        known.extend(others);
        let mut values: Vec<Option<String>> = known.into_iter().map(Some).collect();
        if has_none {
            values.push(None);
        }
        let places = values.iter().enumerate();
        let places = places.filter_map(|(place, value)| Some((value.clone()?, place))).collect();
        Self { values, places }
    }

    fn refine(&self, places: &mut Vec<usize>, values: &[Key]) {
        let wide = self.values.len();
        let before = std::mem::take(places);
        for value in values {
            // What has no value stands last.
            let own = value.as_deref().map_or(wide - 1, |value| self.places[value]);
            places.extend(before.iter().map(|place| place * wide + own));
        }
    }
}

/// The values of a dimension that always have a row.
fn domain(context: &Context, dimension: Dimension) -> Vec<String> {
    let facts = context.facts;
    let query = context.query;
    let texts = |days: Vec<NaiveDate>, name: fn(NaiveDate) -> String| {
        let mut names: Vec<String> = days.into_iter().map(name).collect();
        names.dedup();
        names
    };
    match dimension {
        Dimension::Council => context.councils.iter().map(|council| council.code.to_string()).collect(),
        Dimension::Area if facts.areas.is_empty() => {
            let areas: BTreeSet<_> = context.councils.iter().map(|council| &council.area).collect();
            areas.into_iter().map(ToString::to_string).collect()
        }
        Dimension::Area => facts.areas.iter().map(ToString::to_string).collect(),
        Dimension::Cluster => facts.clusters.iter().map(ToString::to_string).collect(),
        Dimension::Theme => facts.themes.iter().map(ToString::to_string).collect(),
        Dimension::PortfolioHolder => facts.office_holders.iter().map(ToString::to_string).collect(),
        Dimension::Kind => AdviceKind::ALL.iter().map(ToString::to_string).collect(),
        Dimension::Level => Level::ALL.iter().map(ToString::to_string).collect(),
        Dimension::Month => texts(months(query.from, query.to), month),
        Dimension::Quarter => texts(months(query.from, query.to), quarter),
        Dimension::Year => (query.from.year()..=query.to.year()).map(|year| year.to_string()).collect(),
        Dimension::Term => (facts.terms_of_office.iter())
            .filter(|term| term.from <= query.to && term.to.is_none_or(|to| query.from <= to))
            .map(|term| term.code.clone())
            .collect(),
    }
}

/// The first day of each month that a period touches.
fn months(from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let first = |day: NaiveDate| day.with_day(1).unwrap_or(day);
    let next = |day: &NaiveDate| day.checked_add_months(chrono::Months::new(1));
    std::iter::successors(Some(first(from)), next).take_while(|day| *day <= to).collect()
}

/// The month of a day, such as `2025-03`.
pub(super) fn month(day: NaiveDate) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// The quarter of a day, such as `2025-Q1`.
pub(super) fn quarter(day: NaiveDate) -> String {
    format!("{:04}-Q{}", day.year(), day.month0() / 3 + 1)
}

/// What a row adds up while things pass by.
#[derive(Clone)]
struct Sums {
    is_touched: bool,
    share: Share,
    observations: Vec<Observation>,
    parts: Vec<PartSum>,
    excluded: BTreeMap<Exclusion, u64>,
    rule_status: Option<RuleStatus>,
}

/// What a part adds up; which of it is used depends on the part.
#[derive(Clone, Default)]
struct PartSum {
    share: Share,
    numbers: Vec<i64>,
    sum: i64,
    observations: Vec<Observation>,
}

impl Sums {
    fn new(definition: &Definition) -> Self {
        Self {
            is_touched: false,
            share: Share::default(),
            observations: Vec::new(),
            parts: vec![PartSum::default(); definition.parts.len()],
            excluded: BTreeMap::new(),
            rule_status: None,
        }
    }

    fn add(&mut self, definition: &Definition, thing: &Thing) {
        self.is_touched = true;
        match thing.standing {
            Standing::Counted(numerator) => self.count(numerator, thing.rule_status),
            Standing::Observed(observation) => {
                self.count(observation.event, thing.rule_status);
                self.observations.push(observation);
            }
            Standing::Excluded(reason) => *self.excluded.entry(reason).or_default() += 1,
            Standing::Aside => {}
        }
        // Tallies come in the order of the parts, as a rule: so the search begins where the last one was found.
        let mut next = 0;
        for (code, tally) in &thing.tallies {
            let parts = definition.parts;
            let found = (next..parts.len()).chain(0..next).find(|index| parts[*index].code == *code);
            let Some(index) = found else {
                debug_assert!(false, "{} has no part {code}", definition.code);
                continue;
            };
            self.parts[index].add(&parts[index], *tally);
            next = index;
        }
    }

    fn count(&mut self, numerator: bool, rule_status: Option<RuleStatus>) {
        self.share.denominator += 1;
        self.share.numerator += u64::from(numerator);
        // Of the two an assumption is the later one: a single one decides.
        self.rule_status = self.rule_status.max(rule_status);
    }

    fn row(self, definition: &Definition, key: Vec<(Dimension, Option<String>)>) -> Row {
        let n = self.share.denominator;
        let figure = match definition.kind {
            FigureKind::Share => Figure::Share(self.share),
            FigureKind::Times => Figure::Times(kaplan_meier(&self.observations)),
            FigureKind::Count => Figure::Count(n),
        };
        let parts = definition.parts.iter().enumerate();
        let parts = parts.map(|(index, part)| (part.code, self.part(definition, index, part.fold))).collect();
        Row { key, figure, parts, excluded: self.excluded, small: n < 10, rule_status: self.rule_status }
    }

    fn part(&self, definition: &Definition, index: usize, fold: Fold) -> Part {
        let PartSum { share, numbers, sum, observations } = &self.parts[index];
        match fold {
            Fold::Share(Whole::Own) => Part::Share(*share),
            Fold::Share(Whole::Counted) => {
                Part::Share(Share { denominator: self.share.denominator, ..*share })
            }
            Fold::Share(Whole::Siblings(prefix)) => {
                let siblings = definition.parts.iter().zip(&self.parts);
                let siblings = siblings.filter(|(sibling, _)| sibling.code.starts_with(prefix));
                Part::Share(Share {
                    denominator: siblings.map(|(_, sum)| sum.share.numerator).sum(),
                    ..*share
                })
            }
            Fold::Sum => Part::Number(Some(*sum)),
            Fold::Largest => Part::Number(numbers.iter().copied().max()),
            Fold::Median => Part::Days(median(numbers.clone())),
            Fold::Times => Part::Times(kaplan_meier(observations)),
            Fold::Mean(one, other) => {
                Part::Value(mean(self.share_of(definition, one), self.share_of(definition, other)))
            }
        }
    }

    fn share_of(&self, definition: &Definition, code: &str) -> Share {
        let index = definition.parts.iter().position(|part| part.code == code);
        index.map(|index| self.parts[index].share).unwrap_or_default()
    }
}

impl PartSum {
    fn add(&mut self, part: &PartDefinition, tally: Tally) {
        match tally {
            Tally::One => {
                self.share.numerator += 1;
                self.sum += 1;
            }
            Tally::OneOf(numerator) => {
                self.share.denominator += 1;
                self.share.numerator += u64::from(numerator);
            }
            Tally::Number(number) if part.fold == Fold::Sum => self.sum += number,
            Tally::Number(number) => self.numbers.push(number),
            Tally::Time(observation) => self.observations.push(observation),
        }
    }
}

/// The mean of two shares, each weighing the same; of one where the other has nothing.
fn mean(one: Share, other: Share) -> Option<Decimal4> {
    let [a, b, c, d] = [one.numerator, one.denominator, other.numerator, other.denominator].map(u128::from);
    match (b, d) {
        (0, _) => Decimal4::of(c, d),
        (_, 0) => Decimal4::of(a, b),
        _ => Decimal4::of(a * d + c * b, 2 * b * d),
    }
}
