//! Who supports the councils, in totals only: no figure is about an official. And whether the talks were held.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::grouping::{Identity, Keys, Standing, Tally, Thing, Things};
use super::population::{Context, Facets, key};
use crate::assignment::{AIM_COUNCILS_PER_COORDINATOR, coordinators_on};
use crate::ids::CouncilCode;
use crate::talk::Talk;

/// The part that tells the most councils of one coordinator.
pub(super) const MAXIMUM: &str = "maximum";

/// How many councils a coordinator has at most: an aim.
pub(super) const AIM: i64 = AIM_COUNCILS_PER_COORDINATOR as i64;

/// Coordinators within the aim. Each is a number in a list, so that a row points to nobody.
pub(super) fn coordinator_load<'c>(context: &'c Context) -> Things<'c> {
    let coordinators = coordinators_on(context.facts.assignments.iter(), context.on());
    let mut loads: Vec<usize> = coordinators.values().map(BTreeSet::len).collect();
    // The order of the positions would say which is whose.
    loads.sort_unstable();
    let keys = || context.keys(&Facets::default());
    let mut things: Vec<Thing> = loads
        .iter()
        .enumerate()
        .map(|(index, councils)| {
            let standing = Standing::Counted(*councils <= AIM_COUNCILS_PER_COORDINATOR);
            Thing::new("position", Identity::Ordinal(index + 1), keys(), standing)
                .tally(MAXIMUM, Tally::Number(i64::try_from(*councils).unwrap_or(i64::MAX)))
                .tally("coordinators", Tally::One)
        })
        .collect();
    let covered: BTreeSet<&CouncilCode> = coordinators.values().flatten().collect();
    let vacant = context.councils.iter().filter(|council| !covered.contains(&council.code));
    things.extend(vacant.map(|council| {
        Thing::new("council", Identity::Code(&council.code), keys(), Standing::Aside)
            .tally("vacancies", Tally::One)
    }));
    Things::of(things.into_iter())
}

/// Councils that had a talk in the half-year.
pub(super) fn council_talks<'c>(context: &'c Context) -> Things<'c> {
    let on = context.on();
    let mut talks: BTreeMap<&CouncilCode, Vec<&Talk>> = BTreeMap::new();
    for talk in context.facts.talks.iter().filter(|talk| talk.text.held_on <= on) {
        talks.entry(&talk.text.council).or_default().push(talk);
    }
    let known = context.councils.iter().map(|council| &council.code);
    let mut things: Vec<Thing> = known
        .map(|council| {
            let held = talks.remove(council).unwrap_or_default();
            let is_met = held.iter().any(|talk| half_year(talk.text.held_on) == half_year(on));
            with_lessons(context, council, Standing::Counted(is_met), &held)
        })
        .collect();
    let others = talks.iter().map(|(council, held)| with_lessons(context, council, Standing::Aside, held));
    things.extend(others);
    Things::of(things.into_iter())
}

fn half_year(day: NaiveDate) -> (i32, bool) {
    (day.year(), day.month() > 6)
}

fn with_lessons<'c>(
    context: &'c Context,
    council: &'c CouncilCode,
    standing: Standing,
    talks: &[&Talk],
) -> Thing<'c> {
    let facets = Facets {
        councils: Keys::One(context.codes.councils.find(council).and_then(key)),
        ..Facets::default()
    };
    let thing = Thing::new("council", Identity::Code(council), context.keys(&facets), standing);
    talks.iter().flat_map(|talk| &talk.lessons).fold(thing, |thing, lesson| {
        let is_closed = context.known(lesson.closed_on).is_some();
        thing.tally(if is_closed { "lessons-closed" } else { "lessons-open" }, Tally::One)
    })
}
