//! Commitments to the municipal council: how long until they are settled. Proposed for settlement is not settled.

use super::grouping::{Identity, Standing, Tally, Thing, Things};
use super::population::{Context, Facets};
use super::statistics::Observation;
use crate::codes::{CommitmentState, Exclusion};
use crate::commitment::Commitment;

/// From the day it was made to the day it was settled.
pub(super) fn commitments<'c>(context: &'c Context) -> Things<'c> {
    Things::of(context.facts.commitments.iter().filter_map(|commitment| counted(context, commitment)))
}

fn counted<'c>(context: &'c Context, commitment: &'c Commitment) -> Option<Thing<'c>> {
    let on = context.on();
    let Commitment { id, text, .. } = commitment;
    let settled_on = context.known(commitment.settled_on());
    let is_open = settled_on.is_none();
    let days = (settled_on.unwrap_or(on) - text.made_on).num_days();
    let standing = match text.made_on {
        made_on if made_on > context.until => return None,
        made_on if made_on < context.query.from => Standing::Aside,
        _ if days < 0 => Standing::Excluded(Exclusion::UnknownDates),
        _ => Standing::Observed(Observation { days, event: !is_open }),
    };
    if standing == Standing::Aside && !is_open {
        return None;
    }
    let facets = Facets {
        cluster: text.cluster.as_ref().and_then(|cluster| context.codes.clusters.find(cluster)),
        portfolio_holder: text.portfolio_holder.and_then(|id| context.codes.office_holders.find(&id)),
        anchor: Some(text.made_on).into(),
        ..Facets::default()
    };
    let thing = Thing::new("commitment", Identity::Uuid(&id.0), context.keys(&facets), standing);
    if !is_open {
        return Some(thing);
    }
    Some(
        thing
            .tally("open", Tally::One)
            .one_if("past-expected", text.expected_on.is_some_and(|day| day < on))
            .one_if("proposed", commitment.state_on(on) == CommitmentState::Proposed),
    )
}
