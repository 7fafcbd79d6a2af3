//! How complete the data are on which all the other figures rest.

use super::grouping::{Standing, Things};
use super::packed::PackedAdvice;
use super::population::{Context, Receipt, Settlement};
use super::received::{outcome_of, points_on};
use crate::codes::Exclusion;

/// Advice of which all that is asked is known.
pub(super) fn data_quality<'c>(context: &'c Context) -> Things<'c> {
    Things::of(context.facts.advice.iter().filter_map(|advice| {
        let (anchor, is_received) = match context.receipt(advice) {
            Receipt::On(day) => (day, true),
            Receipt::Unknown => match context.known(advice.earliest_on) {
                Some(day) => (day, false),
                // In which period it belongs is not known either: shown, and not in the share.
                None => {
                    let standing = Standing::Excluded(Exclusion::UnknownDates);
                    return advice.earliest_on.is_none().then(|| context.advice(advice, None, standing));
                }
            },
            Receipt::NotYet => return None,
        };
        context.in_period(anchor).then(|| {
            let known = Known::of(context, advice, is_received);
            let thing = context.advice(advice, Some(anchor), Standing::Counted(known.all()));
            known.parts().into_iter().fold(thing, |thing, (part, is_known)| thing.one_if(part, is_known))
        })
    }))
}

/// What is known of an advice.
struct Known {
    council: bool,
    receipt_date: bool,
    answer_date: bool,
    outcome: bool,
    source_link: bool,
}

impl Known {
    fn of(context: &Context, advice: &PackedAdvice, is_received: bool) -> Self {
        let has_outcome = || outcome_of(points_on(context, advice)).is_some();
        let (answer_date, outcome) = match context.settlement(advice) {
            Settlement::Answered(_) => (true, has_outcome()),
            // Of what is open there is nothing to know yet; but a list without answers does not say that it is open.
            Settlement::Open => (is_received, is_received),
            Settlement::Ended(..) | Settlement::WithdrawnSomeDay => (true, true),
        };
        Self {
            council: context.is_council(advice.lead),
            receipt_date: is_received,
            answer_date,
            outcome,
            source_link: advice.has_source_link,
        }
    }

    fn parts(&self) -> [(&'static str, bool); 5] {
        let Self { council, receipt_date, answer_date, outcome, source_link } = *self;
        [
            ("council", council),
            ("receipt-date", receipt_date),
            ("answer-date", answer_date),
            ("outcome", outcome),
            ("source-link", source_link),
        ]
    }

    fn all(&self) -> bool {
        self.parts().iter().all(|(_, is_known)| *is_known)
    }
}
