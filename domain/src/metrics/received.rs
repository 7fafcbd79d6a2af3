//! What was received in a period: how much, by how many councils, with which outcome, and how often the clock was moved.

use super::facts::{PointFact, ResponseFact};
use super::grouping::{Standing, Tally, Thing, Things};
use super::packed::PackedAdvice;
use super::population::{Context, Settlement};
use crate::advice::derive_outcome;
use crate::codes::{AdviceKind, Outcome, PointOutcome, ResponseKind};
use crate::ids::PartId;
use crate::term::{Extension, Suspension, void_on};

/// How much was received.
pub(super) fn volume<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, _| counted(thing, true).tally(kind_part(advice.kind), Tally::One))
}

fn kind_part(kind: AdviceKind) -> &'static str {
    match kind {
        AdviceKind::Solicited => "solicited",
        AdviceKind::Unsolicited => "unsolicited",
        AdviceKind::Consultation => "consultation",
        AdviceKind::Viewpoint => "viewpoint",
        AdviceKind::UrgentLetter => "urgent-letter",
        AdviceKind::Letter => "letter",
    }
}

/// Advice of more than one council.
pub(super) fn joint_advice<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, _| {
        let is_joint = advice.cosigners_on(context.on()).any(|council| council != advice.lead);
        counted(thing, is_joint)
    })
}

/// Of how many the term was extended or stood still.
pub(super) fn extensions<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, _| {
        let Some(facts) = advice.moved() else { return counted(thing, false) };
        let on = context.on();
        let decided = |measure: &&Extension| measure.decided_on <= on;
        let begun = |measure: &&Suspension| measure.decided_on.max(measure.from) <= on;
        let extensions: Vec<_> = facts.extensions.iter().filter(decided).collect();
        let suspensions: Vec<_> = facts.suspensions.iter().filter(begun).collect();
        if extensions.is_empty() && suspensions.is_empty() {
            return counted(thing, false);
        }
        let void = void_on(facts, on);
        let is_valid = |id: &PartId| !void.contains(id);
        let thing = counted(thing, extensions.iter().any(|extension| is_valid(&extension.id)))
            .one_if("suspended", suspensions.iter().any(|suspension| is_valid(&suspension.id)))
            .one_if("void", !void.is_empty());
        // Whether a measure is void hangs on the deadline, and that on the rule.
        Thing { rule_status: context.term(advice).rule_status, ..thing }
    })
}

/// What the college did with it.
pub(super) fn outcomes<'c>(context: &'c Context) -> Things<'c> {
    context.received(|thing, advice, _| {
        let points = points_on(context, advice);
        let settlement = context.settlement(advice);
        let has_ended = matches!(settlement, Settlement::Ended(..) | Settlement::WithdrawnSomeDay);
        let outcome = outcome_of(points.clone()).filter(|_| !has_ended);
        let part = match outcome {
            Some(outcome) => advice_part(outcome),
            None if has_ended => "advice-ended",
            None => "advice-open",
        };
        let mut thing = counted(thing, outcome.is_some()).tally(part, Tally::One);
        for (_, point) in points {
            let part = match point {
                _ if has_ended => "points-ended",
                Some(point) => point_part(point.outcome),
                None => "points-open",
            };
            thing = thing.tally(part, Tally::One);
        }
        thing
    })
}

/// The points of an advice, and what holds for each: the final response, replaced point by point by revised ones in the order in
/// which they were sent.
pub(super) fn points_on<'c>(
    context: &'c Context,
    advice: &'c PackedAdvice,
) -> impl Iterator<Item = (u16, Option<PointFact>)> + Clone + 'c {
    let last_word = advice.final_response_on(context.on());
    let held = move |number: u16| {
        let of_point = |response: &'c ResponseFact| {
            response.points.iter().rfind(|point| point.number == number).copied()
        };
        let revised = advice.responses.iter().filter(|response| response.kind == ResponseKind::Revised);
        let revised = revised
            .filter_map(|response| Some((context.known(response.sent_on)?, of_point(response)?)))
            .max_by_key(|(sent_on, _)| *sent_on)
            .map(|(_, point)| point);
        let last_word = last_word?;
        revised.or_else(|| of_point(last_word))
    };
    context.codes.points_of(advice.points).iter().map(move |number| (*number, held(*number)))
}

/// The outcome of the whole; none without points, or where one has none.
pub(super) fn outcome_of(points: impl Iterator<Item = (u16, Option<PointFact>)>) -> Option<Outcome> {
    let outcomes: Option<Vec<PointOutcome>> =
        points.map(|(_, point)| point.map(|point| point.outcome)).collect();
    derive_outcome(&outcomes?)
}

fn advice_part(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Adopted => "advice-adopted",
        Outcome::PartlyAdopted => "advice-partly-adopted",
        Outcome::NotAdopted => "advice-not-adopted",
        Outcome::AlreadyPolicy => "advice-already-policy",
        Outcome::AlreadyDone => "advice-already-done",
        Outcome::NeedsStudy => "advice-needs-study",
        Outcome::OtherProcess => "advice-other-process",
        Outcome::NotCompetent => "advice-not-competent",
        Outcome::Mixed => "advice-mixed",
    }
}

fn point_part(outcome: PointOutcome) -> &'static str {
    match outcome {
        PointOutcome::Adopted => "points-adopted",
        PointOutcome::PartlyAdopted => "points-partly-adopted",
        PointOutcome::NotAdopted => "points-not-adopted",
        PointOutcome::AlreadyPolicy => "points-already-policy",
        PointOutcome::AlreadyDone => "points-already-done",
        PointOutcome::NeedsStudy => "points-needs-study",
        PointOutcome::OtherProcess => "points-other-process",
        PointOutcome::NotCompetent => "points-not-competent",
    }
}

fn counted(thing: Thing<'_>, numerator: bool) -> Thing<'_> {
    Thing { standing: Standing::Counted(numerator), ..thing }
}
