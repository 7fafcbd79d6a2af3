//! Participation before a decision: the plan that was to be made beforehand, and the councils that were to be told early.

use chrono::NaiveDate;

use super::grouping::{Detail, Identity, Keys, Standing, Tally, Thing, Things};
use super::population::{Context, Facets, key};
use crate::codes::{Exclusion, Phase};
use crate::ids::CouncilCode;
use crate::policy_track::PolicyTrack;
use crate::reference::PARTICIPATION_PLAN;

/// New policy that was decided on with a plan made beforehand.
pub(super) fn plan_in_place<'c>(context: &'c Context) -> Things<'c> {
    let obligations = context.facts.obligations.iter();
    let obliged_from =
        obligations.filter(|obligation| obligation.code == PARTICIPATION_PLAN).map(|one| one.from).min();
    let things =
        tracks(context).filter(|(track, _)| track.text.new_policy).map(move |(track, decided_on)| {
            let is_obliged = obliged_from.is_some_and(|from| track.text.started_on >= from);
            let standing = match decided_on {
                _ if !is_obliged => Standing::Excluded(Exclusion::NotObliged),
                Some(day) if context.in_period(day) => {
                    Standing::Counted(track.has_plan_in_time(context.on()))
                }
                _ => Standing::Excluded(Exclusion::NotEnded),
            };
            let councils = told(context, track).into_iter().map(|(council, _)| council).collect();
            thing(context, track, councils, decided_on, standing)
        });
    Things::of(things)
}

/// Councils that were told before the exploration began.
pub(super) fn informed_early<'c>(context: &'c Context) -> Things<'c> {
    let things = tracks(context).flat_map(move |(track, decided_on)| {
        let later = Phase::ALL.iter().filter(|phase| **phase != Phase::PrePhase);
        let explored_on = later.filter_map(|phase| context.known(track.phase_starts_on(*phase))).min();
        told(context, track).into_iter().map(move |(council, told_on)| {
            let thing = |standing| {
                thing(context, track, vec![council], decided_on, standing).detail(Detail::Council(council))
            };
            let Some(decided_on) = decided_on.filter(|day| context.in_period(*day)) else {
                return thing(Standing::Excluded(Exclusion::NotEnded));
            };
            let is_early = told_on.zip(explored_on).is_some_and(|(told, explored)| told < explored);
            let thing = thing(Standing::Counted(is_early));
            match told_on {
                Some(told) => {
                    thing.tally("median-days-before-decision", Tally::Number((decided_on - told).num_days()))
                }
                None => thing.tally("never-informed", Tally::One),
            }
        })
    });
    Things::of(things)
}

/// The tracks that had begun and were not decided on before the period, and the day of the decision if it had come.
fn tracks<'c>(context: &'c Context) -> impl Iterator<Item = (&'c PolicyTrack, Option<NaiveDate>)> {
    let tracks = context.facts.policy_tracks.iter();
    tracks
        .filter(|track| track.text.started_on <= context.on())
        .map(|track| (track, context.known(track.decision_on())))
        .filter(|(_, decided_on)| decided_on.is_none_or(|day| day >= context.query.from))
}

/// The councils that a track concerned by the reference day, and when each was first told. An undated entry says that it concerns
/// the council and that nobody has told it.
fn told<'c>(context: &Context, track: &'c PolicyTrack) -> Vec<(&'c CouncilCode, Option<NaiveDate>)> {
    let mut councils: std::collections::BTreeMap<&CouncilCode, Option<NaiveDate>> = Default::default();
    for entry in track.informed_as_it_stands().filter(|entry| entry.on.is_none_or(|day| day <= context.on()))
    {
        let first = councils.entry(&entry.council).or_default();
        *first = (*first).into_iter().chain(entry.on).min();
    }
    councils.into_iter().collect()
}

fn thing<'c>(
    context: &'c Context,
    track: &'c PolicyTrack,
    councils: Vec<&'c CouncilCode>,
    decided_on: Option<NaiveDate>,
    standing: Standing,
) -> Thing<'c> {
    let codes = &context.codes;
    let councils = councils.iter().filter_map(|council| codes.councils.find(*council)).map(key);
    let themes: Vec<_> = track.text.themes.iter().filter_map(|theme| codes.themes.find(theme)).collect();
    let facets = Facets {
        councils: Keys::each_once(councils),
        cluster: codes.clusters.find(&track.text.cluster),
        themes: &themes,
        anchor: decided_on.into(),
        ..Facets::default()
    };
    Thing::new("policy-track", Identity::Uuid(&track.id.0), context.keys(&facets), standing)
}
