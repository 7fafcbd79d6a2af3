//! What is in the answers, when they were made public, and what came of the points that were adopted.

use chrono::NaiveDate;

use super::facts::{FollowUpFact, ResponseFact};
use super::grouping::{Detail, Standing, Tally, Thing, Things};
use super::packed::PackedAdvice;
use super::population::Context;
use super::received::points_on;
use crate::codes::{Exclusion, FollowUpState, Level, PointOutcome};

/// Within how many days an answer is to be public.
const DAYS_TO_PUBLISH: i64 = 14;

/// The final responses that were sent in the period.
fn answered<'c>(
    context: &'c Context,
) -> impl Iterator<Item = (&'c PackedAdvice, &'c ResponseFact, NaiveDate)> {
    context.known_advice().filter_map(|advice| {
        let response = advice.final_response_on(context.on())?;
        let sent_on = response.sent_on.filter(|day| context.in_period(*day))?;
        Some((advice, response, sent_on))
    })
}

/// Points not fully adopted, with reasons.
pub(super) fn reasons_given<'c>(context: &'c Context) -> Things<'c> {
    let things = answered(context).flat_map(move |(advice, response, sent_on)| {
        let points = response.points.iter().filter(|point| point.outcome != PointOutcome::Adopted);
        points.map(move |point| {
            context
                .advice(advice, Some(sent_on), Standing::Counted(point.has_reasons))
                .detail(Detail::Point(point.number))
        })
    });
    Things::of(things)
}

/// Answers that weighed the interests of the whole city, and shared how.
pub(super) fn considerations_shared<'c>(context: &'c Context) -> Things<'c> {
    let things = answered(context)
        .filter(|(advice, ..)| matches!(advice.level, Level::City | Level::CrossNeighbourhood))
        .map(|(advice, response, sent_on)| {
            let shared_on = context.known(response.shared_on).filter(|_| response.has_considerations);
            let thing = context.advice(advice, Some(sent_on), Standing::Counted(shared_on.is_some()));
            match shared_on {
                Some(day) => thing.tally("median-lag-days", Tally::Number((day - sent_on).num_days())),
                None => thing,
            }
        });
    Things::of(things)
}

/// Answers that were public within a fortnight.
pub(super) fn published<'c>(context: &'c Context) -> Things<'c> {
    let things = answered(context).map(|(advice, response, sent_on)| {
        let lag = public_on(context, advice, response).map(|day| (day - sent_on).num_days().max(0));
        let has_passed = super::days_after(sent_on, DAYS_TO_PUBLISH) < context.on();
        let standing = match lag {
            // What is public within days counts no sooner than what is not: else the last fortnight could only add successes.
            _ if !has_passed => Standing::Excluded(Exclusion::NotDue),
            Some(days) => Standing::Counted(days <= DAYS_TO_PUBLISH),
            None => Standing::Counted(false),
        };
        let thing = context.advice(advice, Some(sent_on), standing);
        match lag {
            Some(days) => thing.tally("median-lag-days", Tally::Number(days)),
            None => thing,
        }
    });
    Things::of(things)
}

/// The day from which an answer could be read: its advice is public and it was recorded.
fn public_on(context: &Context, advice: &PackedAdvice, response: &ResponseFact) -> Option<NaiveDate> {
    let published_on = context.known(advice.published_on)?;
    if context.known(advice.unpublished_on).is_some() {
        return None;
    }
    match response.recorded_on {
        None => Some(published_on),
        recorded_on => context.known(recorded_on).map(|recorded_on| recorded_on.max(published_on)),
    }
}

/// Adopted points that were carried out, of those that should have been by now.
pub(super) fn follow_up_realised<'c>(context: &'c Context) -> Things<'c> {
    let things = context.known_advice().flat_map(move |advice| {
        let points = points_on(context, advice);
        let adopted = points.filter(|(_, point)| {
            point.is_some_and(|point| {
                matches!(point.outcome, PointOutcome::Adopted | PointOutcome::PartlyAdopted)
            })
        });
        adopted.filter_map(move |(number, _)| followed_up(context, advice, number))
    });
    Things::of(things)
}

fn followed_up<'c>(context: &'c Context, advice: &'c PackedAdvice, number: u16) -> Option<Thing<'c>> {
    let known = || advice.follow_ups().iter().filter(|one| one.point == number && one.on <= context.on());
    let last = known().max_by_key(|one| one.on);
    // A completion may leave out the day by which it was due.
    let due_on =
        known().filter(|one| one.due_on.is_some()).max_by_key(|one| one.on).and_then(|one| one.due_on);
    let is_completed = |one: &FollowUpFact| one.state == FollowUpState::Completed;
    let standing = match due_on {
        Some(due_on) if context.in_period(due_on) => Standing::Counted(last.is_some_and(is_completed)),
        // Settled before the period: not of the population.
        _ if last.is_some_and(|last| is_completed(last) && last.on < context.query.from) => return None,
        Some(due_on) if due_on < context.query.from => Standing::Excluded(Exclusion::DueEarlier),
        _ => Standing::Excluded(Exclusion::NotDue),
    };
    Some(context.advice(advice, due_on, standing).detail(Detail::Point(number)))
}
