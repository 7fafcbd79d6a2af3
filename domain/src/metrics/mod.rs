//! The figures (design, section 6): pure functions over facts. Each has a code and a definition with a version.
//!
//! A metric lists once what it counts, as [`grouping::Thing`]s; rows, parts and the items behind a row are all made from that
//! one list, so that they cannot disagree. Where many things count alike it may count them together: a test holds that it comes to
//! the same.

mod agreements;
mod answers;
mod commitments;
mod course;
mod definitions;
pub mod facts;
mod grouping;
mod in_time;
pub mod numbers;
pub mod packed;
mod people;
mod plans;
mod population;
mod quality;
mod received;
pub mod statistics;
pub mod table;
#[cfg(test)]
mod tests;
mod times;
pub mod workload;

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

pub use definitions::{Definition, FigureKind, PartDefinition, PartKind};
pub use facts::Facts;
pub use statistics::{CurvePoint, Decimal4, Observation, Share, Times, kaplan_meier, median};

use crate::calendar;
use crate::codes::{Cohort, Dimension, Exclusion, RuleStatus};
use crate::error::{Faults, RuleError};
use grouping::{Key, Standing};
use population::Context;

/// Every version of every metric, the versions of one metric from old to new.
pub fn definitions() -> &'static [Definition] {
    definitions::ALL
}

/// A version of the definition of a metric.
pub fn definition_of(code: &str, version: u16) -> Option<&'static Definition> {
    definitions().iter().find(|definition| definition.code == code && definition.version == version)
}

/// The newest definition of a metric.
pub fn definition(code: &str) -> Option<&'static Definition> {
    definitions().iter().rfind(|definition| definition.code == code)
}

/// Whether a metric has a definition of this version.
pub fn has_definition(code: &str, version: u16) -> bool {
    definition_of(code, version).is_some()
}

/// What is asked of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The reference day: facts dated after it do not exist.
    pub on: NaiveDate,
    /// First day of the period.
    pub from: NaiveDate,
    /// Last day of the period.
    pub to: NaiveDate,
    /// Over which items.
    pub cohort: Cohort,
    /// By what to break it down.
    pub group_by: Vec<Dimension>,
}

impl Query {
    /// Refuses what the metric does not offer. The locations are the names of the query parameters.
    pub fn check(&self, definition: &Definition) -> Result<(), RuleError> {
        let mut faults = Faults::default();
        for (location, day) in [("on", self.on), ("from", self.from), ("to", self.to)] {
            faults.known_day(location, day);
        }
        faults.not_before("to", self.to, Some(self.from), "first day of the period");
        if !definition.cohorts.contains(&self.cohort) {
            faults.add("cohort", "cohort.not_offered", offered(definition.cohorts));
        }
        self.check_dimensions(definition, &mut faults);
        faults.done()
    }

    fn check_dimensions(&self, definition: &Definition, faults: &mut Faults) {
        let mut refuse = |code, detail: String| faults.add("groupBy", code, detail);
        let asked = |dimension| self.group_by.contains(&dimension);
        if self.group_by.iter().any(|dimension| !definition.dimensions.contains(dimension)) {
            refuse("group_by.not_offered", offered(definition.dimensions));
        }
        if self.group_by.len() > 2 {
            refuse("group_by.too_many", "at most two".to_owned());
        }
        if let [one, other, ..] = self.group_by.as_slice()
            && one == other
        {
            refuse("group_by.duplicate", "name two different ones".to_owned());
        }
        if self.group_by.iter().filter(|dimension| grouping::is_time(**dimension)).count() > 1 {
            refuse("group_by.two_times", "at most one of month, quarter, year and term".to_owned());
        }
        if asked(Dimension::Council) && asked(Dimension::Area) {
            refuse(
                "group_by.council_area",
                "the area follows from the council; name one of the two".to_owned(),
            );
        }
        let rows: u64 = self.group_by.iter().map(|dimension| self.usual_rows(*dimension)).product();
        let cells = rows * (6 + 5 * u64::try_from(definition.parts.len()).unwrap_or(0));
        if cells > MOST_CELLS {
            refuse(
                "group_by.too_large",
                format!("gives more than {MOST_CELLS} numbers; take a shorter period, or one dimension"),
            );
        }
    }

    /// How many rows a dimension gives in the city as it is.
    fn usual_rows(&self, dimension: Dimension) -> u64 {
        let years = u64::try_from(self.to.year() - self.from.year() + 1).unwrap_or(0);
        match dimension {
            Dimension::Council => 39,
            Dimension::Area => 14,
            Dimension::Cluster => 7,
            Dimension::Theme => 13,
            Dimension::PortfolioHolder => 20,
            Dimension::Kind => 6,
            Dimension::Level => 3,
            Dimension::Month => 12 * years,
            Dimension::Quarter => 4 * years,
            Dimension::Year => years,
            Dimension::Term => 1 + years / 4,
        }
    }
}

/// How many numbers an answer has at most, those in parts included.
const MOST_CELLS: u64 = 100_000;

fn offered<T: ToString>(all: &[T]) -> String {
    match all {
        [] => "this metric offers none".to_owned(),
        all => {
            let names: Vec<_> = all.iter().map(T::to_string).collect();
            format!("this metric offers {}", names.join(", "))
        }
    }
}

/// A figure and its breakdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// Whether the rows add up to the total; not where an item counts in several rows.
    pub additive: bool,
    /// What a reader must know before using it.
    pub warnings: Vec<Warning>,
    /// A row for each key; none without a breakdown.
    pub rows: Vec<Row>,
    /// Everything, each item once.
    pub total: Row,
}

/// What a reader must know before using a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable code.
    pub code: &'static str,
    /// In plain English.
    pub detail: String,
}

/// A figure for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The value of each dimension; none: what has no value there.
    pub key: Vec<(Dimension, Option<String>)>,
    /// The figure.
    pub figure: Figure,
    /// What stands beside it, by code, in the order of the definition.
    pub parts: Vec<(&'static str, Part)>,
    /// How many of the population are not in the figure, and why.
    pub excluded: BTreeMap<Exclusion, u64>,
    /// Whether it rests on fewer than ten.
    pub small: bool,
    /// On what the term rules behind it rest: an assumption as soon as one of them is; none where no rule is involved.
    pub rule_status: Option<RuleStatus>,
}

/// The value of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// A part of a whole.
    Share(Share),
    /// Times to an event.
    Times(Times),
    /// How many.
    Count(u64),
}

impl Figure {
    /// Over how many items it is: as many as the list behind it has rows.
    pub fn n(&self) -> u64 {
        match self {
            Self::Share(share) => share.denominator,
            Self::Times(times) => times.n,
            Self::Count(count) => *count,
        }
    }
}

/// A value that stands beside a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A part of a whole.
    Share(Share),
    /// A number; none where there is nothing to take it from.
    Number(Option<i64>),
    /// Days; none where there is nothing to take them from.
    Days(Option<i64>),
    /// Times to an event.
    Times(Times),
    /// A share that is no count of items, such as a weighted one.
    Value(Option<Decimal4>),
}

/// One of the things behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is, such as `advice`.
    pub resource: &'static str,
    /// Its id or code.
    pub id: String,
    /// Which part of it, such as `point 2`, or the code of the council in a pair.
    pub detail: Option<String>,
    /// Whether it is in the numerator, or had the event; of a count always.
    pub numerator: bool,
}

/// The figure and its breakdown. The query was checked.
pub fn compute(definition: &Definition, facts: &Facts, query: &Query) -> Computed {
    let context = Context::new(facts, query, &query.group_by);
    let (rows, total) = grouping::group(definition, &context, (definition.counted)(&context));
    let by_many = [Dimension::Council, Dimension::Area, Dimension::Theme];
    Computed {
        additive: !query.group_by.iter().any(|dimension| by_many.contains(dimension)),
        warnings: warnings(definition, query, &total),
        rows,
        total,
    }
}

/// The things behind one row, in a fixed order: as many as its denominator, its n or its count. An empty key is the total.
pub fn items(
    definition: &Definition,
    facts: &Facts,
    query: &Query,
    key: &[(Dimension, Option<String>)],
) -> Vec<Item> {
    let dimensions: Vec<Dimension> = key.iter().map(|(dimension, _)| *dimension).collect();
    let context = Context::new(facts, query, &dimensions);
    let wanted: Option<Vec<Key>> =
        key.iter().map(|(dimension, name)| context.key_of(*dimension, name.as_deref())).collect();
    // What no thing can have has nothing behind it.
    let Some(wanted) = wanted else { return Vec::new() };
    let mut items = Vec::new();
    (definition.counted)(&context).each(|thing| {
        let numerator = match thing.standing {
            Standing::Counted(numerator) => numerator,
            Standing::Observed(observation) => observation.event,
            Standing::Excluded(_) | Standing::Aside => return,
        };
        if thing.has_keys(&wanted) {
            items.push(Item {
                resource: thing.resource,
                id: thing.id.to_string(),
                detail: thing.detail.to_text(),
                numerator,
            });
        }
    });
    items
}

fn warnings(definition: &Definition, query: &Query, total: &Row) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if definition.cohorts.len() > 1 && query.cohort == Cohort::Answered {
        warnings.push(Warning {
            code: "cohort-flatters",
            detail: "Only what was answered is counted: what is late and still open is left out, so the share is too high."
                .to_owned(),
        });
    }
    let maximum = total.parts.iter().find(|(code, _)| *code == people::MAXIMUM).map(|(_, part)| part);
    if let Some(Part::Number(Some(maximum))) = maximum
        && *maximum > people::AIM
    {
        warnings.push(Warning {
            code: "coordinator-over-aim",
            detail: format!(
                "A coordinator has {maximum} councils; the aim of the letter of 22 April 2025 is at most {}.",
                people::AIM
            ),
        });
    }
    warnings
}

/// Whether the years of a period take in a year.
fn touches_year(query: &Query, year: i32) -> bool {
    (query.from.year()..=query.to.year()).contains(&year)
}

/// Fourteen days and the like; the calendar's ends hold.
fn days_after(day: NaiveDate, days: i64) -> NaiveDate {
    calendar::add_days(day, days)
}
