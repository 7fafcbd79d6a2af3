//! How long it takes from receipt to the acknowledgement and to the final response.

use chrono::NaiveDate;

use super::grouping::{Standing, Tally, Thing, Things};
use super::packed::PackedAdvice;
use super::population::{Context, Settlement};
use super::statistics::Observation;
use crate::codes::{Exclusion, ResponseKind};
use crate::term::void_on;

/// From receipt to the first sign of life.
pub(super) fn acknowledged<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, received_on| {
        let acknowledgements =
            advice.responses.iter().filter(|response| response.kind == ResponseKind::Acknowledgement);
        let sent = acknowledgements.filter_map(|response| context.known(response.sent_on)).min();
        // A final response acknowledges too.
        let answered = context.known(advice.answered_on);
        let event = sent.into_iter().chain(answered).min();
        Thing { standing: watched(context, advice, received_on, event), ..thing }
    })
}

/// From receipt to the final response.
pub(super) fn response_time<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, received_on| {
        let answered = context.known(advice.answered_on);
        let standing = watched(context, advice, received_on, answered);
        let thing = Thing { standing, ..thing };
        let Standing::Observed(observation) = standing else {
            return thing;
        };
        let still = days_suspended(context, advice, received_on, observation.days);
        let net = Observation { days: observation.days - still, ..observation };
        let thing = thing.tally("net", Tally::Time(net));
        match observation.event {
            true => thing.tally(band(observation.days), Tally::One),
            false => thing,
        }
    })
}

/// The part of the distribution that a number of days falls in.
fn band(days: i64) -> &'static str {
    match days {
        ..=14 => "days-0-14",
        15..=28 => "days-15-28",
        29..=42 => "days-29-42",
        43..=56 => "days-43-56",
        57..=84 => "days-57-84",
        85.. => "days-85-up",
    }
}

/// How long it was watched: until the event, else until it ended otherwise or until the reference day.
fn watched(
    context: &Context,
    advice: &PackedAdvice,
    received_on: NaiveDate,
    event: Option<NaiveDate>,
) -> Standing {
    let ended = match context.settlement(advice) {
        Settlement::WithdrawnSomeDay => return Standing::Excluded(Exclusion::Withdrawn),
        Settlement::Ended(day, _) => Some(day),
        Settlement::Open | Settlement::Answered(_) => None,
    };
    let (day, event) = match (event, ended) {
        (Some(event), Some(ended)) if ended < event => (ended, false),
        (Some(event), _) => (event, true),
        (None, Some(ended)) => (ended, false),
        (None, None) => (context.on(), false),
    };
    let days = (day - received_on).num_days();
    // Only imported history is out of order.
    if days < 0 {
        return Standing::Excluded(Exclusion::UnknownDates);
    }
    Standing::Observed(Observation { days, event })
}

/// On how many of the days watched the clock stood still; a day in two suspensions counts once.
fn days_suspended(context: &Context, advice: &PackedAdvice, received_on: NaiveDate, watched: i64) -> i64 {
    let Some(moved) = advice.moved() else { return 0 };
    let until = super::days_after(received_on, watched);
    let void = void_on(moved, context.on());
    let mut valid: Vec<(NaiveDate, NaiveDate)> = moved
        .suspensions
        .iter()
        .filter(|suspension| suspension.decided_on.max(suspension.from) <= context.on())
        .filter(|suspension| !void.contains(&suspension.id))
        .map(|suspension| {
            let to = context.known(suspension.to).map_or(until, |to| to.min(until));
            (suspension.from.max(received_on), to)
        })
        .collect();
    valid.sort_unstable();
    let mut counted_to = received_on;
    let mut days = 0;
    for (from, to) in valid {
        days += (to - from.max(counted_to)).num_days().max(0);
        counted_to = counted_to.max(to);
    }
    days
}
