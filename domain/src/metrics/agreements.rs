//! What became of the agreements: in the end the council's word counts.

use chrono::NaiveDate;

use super::grouping::{Identity, Keys, Standing, Tally, Thing, Things};
use super::packed::PackedAgreement;
use super::population::{Anchor, Context, Facets, key};
use super::touches_year;
use crate::codes::{AgreementSize, Colour, Exclusion};

/// Realised in the judgement of the council.
pub(super) fn collegetarget<'c>(context: &'c Context) -> Things<'c> {
    Things::of(agreements(context).map(|agreement| {
        if agreement.due_on.is_none() {
            return thing(context, agreement, Standing::Excluded(Exclusion::Ongoing));
        }
        let on = context.on();
        let judgement = agreement.judgement_on(on);
        let is_realised = judgement.is_some_and(|judgement| judgement.realised);
        let bucket = match judgement {
            _ if is_realised => "realised",
            Some(judgement) if judgement.colour == Colour::Red => "not-realised",
            _ => "running",
        };
        let size = match agreement.size {
            AgreementSize::Large => "large",
            AgreementSize::Small => "small",
        };
        thing(context, agreement, Standing::Counted(is_realised))
            .tally(bucket, Tally::One)
            .one_if("disputed", agreement.is_disputed_on(on))
            .one_if("unjudged", judgement.is_none())
            .tally(size, Tally::OneOf(is_realised))
    }))
}

/// The organisation says done, and the council that it is not.
pub(super) fn judgement_gap<'c>(context: &'c Context) -> Things<'c> {
    Things::of(agreements(context).filter_map(|agreement| {
        let on = context.on();
        let done_since = agreement.done_since(on)?;
        let has_judged_since = |since: NaiveDate| {
            agreement.judgements.iter().any(|judgement| since <= judgement.on && judgement.on <= on)
        };
        let standing = Standing::Counted(agreement.is_disputed_on(on));
        Some(thing(context, agreement, standing).one_if("unjudged", !has_judged_since(done_since)))
    }))
}

/// The agreements of the plans of the period's years.
fn agreements<'c>(context: &'c Context) -> impl Iterator<Item = &'c PackedAgreement> {
    context.facts.agreements.iter().filter(|agreement| {
        agreement.agreed_on <= context.on() && touches_year(context.query, i32::from(agreement.plan_year))
    })
}

fn thing<'c>(context: &'c Context, agreement: &'c PackedAgreement, standing: Standing) -> Thing<'c> {
    let facets = Facets {
        councils: Keys::One(key(agreement.council)),
        cluster: agreement.cluster,
        themes: context.codes.themes_of(agreement.themes),
        anchor: Anchor::Year(i32::from(agreement.plan_year)),
        ..Facets::default()
    };
    Thing::new("agreement", Identity::Uuid(&agreement.id.0), context.keys(&facets), standing)
}
