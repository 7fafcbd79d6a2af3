//! From what a metric counts to its rows: one pass, in which each thing is added where its keys say.

use std::fmt;

use uuid::Uuid;

use super::definitions::{Definition, FigureKind, Fold, PartDefinition, Whole};
use super::population::Context;
use super::statistics::{Decimal4, Observation, Share, kaplan_meier, median};
use super::{Figure, Part, Row};
use crate::codes::{Dimension, Exclusion, RuleStatus};
use crate::ids::CouncilCode;

/// The value of a dimension, as its place among all of them; none: it has no value there.
pub(super) type Key = Option<u32>;

/// What a metric counts: a list that is made while it is walked.
pub(super) struct Things<'c> {
    one_by_one: Walk<'c>,
    /// The same, but what counts alike is one thing that counts so many times; where that is quicker.
    together: Option<Walk<'c>>,
}

/// Shows each thing where it was made: to move a hundred thousand of them would cost more than to make them.
type Walk<'c> = Box<dyn FnOnce(&mut dyn FnMut(&Thing<'c>)) + 'c>;

impl<'c> Things<'c> {
    pub fn of(things: impl Iterator<Item = Thing<'c>> + 'c) -> Self {
        Self { one_by_one: Box::new(move |show| things.for_each(|thing| show(&thing))), together: None }
    }

    /// Tells how the same things are shown together, for who wants to know how many there are and not which.
    pub fn or_together(self, walk: impl FnOnce(&mut dyn FnMut(&Thing<'c>)) + 'c) -> Self {
        Self { together: Some(Box::new(walk)), ..self }
    }

    /// The same, never together.
    #[cfg(test)]
    pub fn apart(self) -> Self {
        Self { together: None, ..self }
    }

    /// Shows them one after the other.
    pub fn each(self, mut show: impl FnMut(&Thing<'c>)) {
        (self.one_by_one)(&mut show);
    }

    /// Shows them, together where they can be.
    fn all(self, mut show: impl FnMut(&Thing<'c>)) {
        self.together.unwrap_or(self.one_by_one)(&mut show);
    }
}

/// One of the things that a metric counts, or leaves out and says so. Kept small: a figure moves a hundred thousand of them.
#[derive(Clone)]
pub(super) struct Thing<'c> {
    pub resource: &'static str,
    pub id: Identity<'c>,
    pub detail: Detail<'c>,
    /// Under what it counts in each dimension asked for; nobody asks for more than two.
    pub keys: [Keys; 2],
    pub standing: Standing,
    /// What it adds to the parts, by their codes.
    pub tallies: Vec<(&'static str, Tally)>,
    /// On what the term rule behind it rests.
    pub rule_status: Option<RuleStatus>,
    /// How many things it stands for. More than one only where it is counted or left out, without tallies.
    pub times: u32,
}

/// The keys of a thing in one dimension, each once: as a rule one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    One(Key),
    Several(Box<[Key]>),
}

impl Keys {
    /// Of a thing that has no value there.
    pub const NONE: Self = Self::One(None);

    /// Each of these once; of none at all the thing has no value.
    pub fn each_once(keys: impl IntoIterator<Item = Key>) -> Self {
        let mut once: Vec<Key> = Vec::new();
        for key in keys {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        match once.as_slice() {
            [] => Self::NONE,
            [only] => Self::One(*only),
            _ => Self::Several(once.into_boxed_slice()),
        }
    }

    pub fn as_slice(&self) -> &[Key] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Several(keys) => keys,
        }
    }
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
    Uuid(&'c Uuid),
    Code(&'c CouncilCode),
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
    Council(&'c CouncilCode),
}

impl Detail<'_> {
    pub fn to_text(self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Point(number) => Some(format!("point {number}")),
            Self::Council(code) => Some(code.to_string()),
        }
    }
}

impl<'c> Thing<'c> {
    #[inline]
    pub fn new(resource: &'static str, id: Identity<'c>, keys: [Keys; 2], standing: Standing) -> Self {
        let (detail, tallies) = (Detail::Whole, Vec::new());
        Self { resource, id, detail, keys, standing, tallies, rule_status: None, times: 1 }
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

    /// Whether it counts under these, given in the order of the dimensions asked for.
    pub fn has_keys(&self, wanted: &[Key]) -> bool {
        wanted.iter().zip(&self.keys).all(|(wanted, own)| own.as_slice().contains(wanted))
    }
}

/// Whether a dimension follows the anchor day.
pub(super) const fn is_time(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Month | Dimension::Quarter | Dimension::Year | Dimension::Term)
}

/// The rows, and the total in which each thing counts once.
pub(super) fn group<'c>(
    definition: &Definition,
    context: &'c Context,
    things: Things<'c>,
) -> (Vec<Row>, Row) {
    // Of each dimension as many places as it has values, and a last one for what has none.
    let widths: Vec<usize> =
        context.dimensions.iter().map(|dimension| context.values(*dimension) + 1).collect();
    let [high, wide] = [0, 1].map(|axis| widths.get(axis).copied().unwrap_or(1));
    let mut total = Sums::new(definition);
    let mut cells = match widths.is_empty() {
        true => Vec::new(),
        false => vec![Sums::new(definition); high * wide],
    };
    things.all(|thing| {
        total.add(definition, thing);
        if cells.is_empty() {
            return;
        }
        let mut add = |one: Key, other: Key| {
            cells[place(one, high) * wide + place(other, wide)].add(definition, thing);
        };
        match &thing.keys {
            [Keys::One(one), Keys::One(other)] => add(*one, *other),
            [down, across] => {
                for one in down.as_slice() {
                    across.as_slice().iter().for_each(|other| add(*one, *other));
                }
            }
        }
    });
    let total = total.row(definition, Vec::new());
    if cells.is_empty() {
        return (Vec::new(), total);
    }
    let is_touched = |one: usize, other: usize| cells[one * wide + other].is_touched;
    let down = axis(context, 0, high, |one| (0..wide).any(|other| is_touched(one, other)));
    let across = axis(context, 1, wide, |other| (0..high).any(|one| is_touched(one, other)));
    let mut rows = Vec::with_capacity(down.len() * across.len());
    for one in &down {
        for other in &across {
            let sums = &cells[place(*one, high) * wide + place(*other, wide)];
            let key: Vec<_> = context
                .dimensions
                .iter()
                .zip([one, other])
                .map(|(dimension, key)| (*dimension, key.map(|key| context.name(*dimension, key))))
                .collect();
            // What has no value in a dimension has a row only where there is something of it.
            if sums.is_touched || key.iter().all(|(_, value)| value.is_some()) {
                rows.push(sums.row(definition, key));
            }
        }
    }
    (rows, total)
}

/// Where a key stands among so many; what has no value stands last.
pub(super) fn place(key: Key, width: usize) -> usize {
    key.map_or(width - 1, |key| key as usize)
}

/// The keys of a dimension in the order of the rows: those that always have a row, then what else occurs by name, then what has no
/// value. Where no dimension is asked for there is that last one only.
fn axis(context: &Context, index: usize, width: usize, occurs: impl Fn(usize) -> bool) -> Vec<Key> {
    let Some(dimension) = context.dimensions.get(index).copied() else { return vec![None] };
    let mut keys = context.usual_keys(dimension);
    let others = (0..).take(width - 1).filter(|key| occurs(*key as usize) && !keys.contains(key));
    let mut others: Vec<u32> = others.collect();
    others.sort_by_cached_key(|key| context.name(dimension, *key));
    keys.extend(others);
    let none = occurs(width - 1).then_some(None);
    keys.into_iter().map(Some).chain(none).collect()
}

/// What a row adds up while things pass by.
#[derive(Clone)]
struct Sums {
    is_touched: bool,
    share: Share,
    observations: Vec<Observation>,
    parts: Vec<PartSum>,
    excluded: [u64; Exclusion::ALL.len()],
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
            excluded: [0; Exclusion::ALL.len()],
            rule_status: None,
        }
    }

    #[inline]
    fn add(&mut self, definition: &Definition, thing: &Thing) {
        self.is_touched = true;
        match thing.standing {
            Standing::Counted(numerator) => self.count(numerator, thing),
            Standing::Observed(observation) => {
                self.count(observation.event, thing);
                self.observations.push(observation);
            }
            Standing::Excluded(reason) => self.excluded[reason as usize] += u64::from(thing.times),
            Standing::Aside => {}
        }
        if !thing.tallies.is_empty() {
            self.tally(definition, thing);
        }
    }

    fn tally(&mut self, definition: &Definition, thing: &Thing) {
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

    fn count(&mut self, numerator: bool, thing: &Thing) {
        let times = u64::from(thing.times);
        self.share.denominator += times;
        self.share.numerator += if numerator { times } else { 0 };
        // Of the two an assumption is the later one: a single one decides.
        self.rule_status = self.rule_status.max(thing.rule_status);
    }

    fn row(&self, definition: &Definition, key: Vec<(Dimension, Option<String>)>) -> Row {
        let n = self.share.denominator;
        let figure = match definition.kind {
            FigureKind::Share => Figure::Share(self.share),
            FigureKind::Times => Figure::Times(kaplan_meier(&self.observations)),
            FigureKind::Count => Figure::Count(n),
        };
        let parts = definition.parts.iter().enumerate();
        let parts = parts.map(|(index, part)| (part.code, self.part(definition, index, part.fold))).collect();
        let excluded = Exclusion::ALL.iter().map(|reason| (*reason, self.excluded[*reason as usize]));
        let excluded = excluded.filter(|(_, count)| *count > 0).collect();
        Row { key, figure, parts, excluded, small: n < 10, rule_status: self.rule_status }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_small_enough_to_be_moved_without_a_call() {
        assert!(size_of::<Thing>() <= 128, "{}", size_of::<Thing>());
    }
}
