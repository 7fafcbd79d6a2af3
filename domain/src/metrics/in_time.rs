//! Answered in time or late, and what is open past its deadline. The clock decides; nothing here counts days again.

use chrono::NaiveDate;

use super::course::Alike;
use super::grouping::{Standing, Tally, Thing, Things};
use super::packed::PackedAdvice;
use super::population::{Context, Receipt, Settlement};
use crate::codes::{Cohort, Exclusion, TermState};
use crate::term::{Clock, EndReason};

/// Answered by the deadline.
pub(super) fn answered_in_time<'c>(context: &'c Context) -> Things<'c> {
    counted_in_time(context, Deadline::Effective)
}

/// Answered by the deadline without its extensions.
pub(super) fn answered_in_original_term<'c>(context: &'c Context) -> Things<'c> {
    counted_in_time(context, Deadline::Original)
}

/// Which deadline an answer is held against.
#[derive(Clone, Copy)]
pub(super) enum Deadline {
    /// With its extensions.
    Effective,
    /// Without them.
    Original,
}

impl Deadline {
    fn is_met(self, term: &Clock, settlement: Settlement) -> bool {
        match (self, settlement) {
            // What ended before its deadline and is still counted was forwarded.
            (Self::Effective, _) => matches!(term.state, TermState::AnsweredInTime | TermState::Ended),
            (Self::Original, Settlement::Answered(day) | Settlement::Ended(day, EndReason::Forwarded)) => {
                term.original_due_on.is_some_and(|due_on| day <= due_on)
            }
            (Self::Original, _) => false,
        }
    }
}

fn counted_in_time<'c>(context: &'c Context, deadline: Deadline) -> Things<'c> {
    let one = move |advice: &'c PackedAdvice| counted(context, advice, deadline);
    let things = Things::of(context.facts.advice.iter().filter_map(one));
    if !context.dimensions.iter().copied().all(Alike::are_told_by) {
        return things;
    }
    things.or_together(move |show| {
        let mut alike = Alike::new(context, deadline);
        for (block, courses) in context.facts.advice.blocks() {
            alike.add(block, courses, |advice| one(advice).iter().for_each(&mut *show));
        }
        alike.show(show);
    })
}

fn counted<'c>(context: &'c Context, advice: &'c PackedAdvice, deadline: Deadline) -> Option<Thing<'c>> {
    let settlement = context.settlement(advice);
    let received_on = match context.receipt(advice) {
        Receipt::On(day) => day,
        Receipt::Unknown => {
            let reason = context.without_receipt(advice)?;
            let is_member = context.query.cohort != Cohort::Answered
                || matches!(settlement, Settlement::Answered(day) if context.in_period(day));
            return is_member.then(|| context.advice(advice, None, Standing::Excluded(reason)));
        }
        Receipt::NotYet => return None,
    };
    let term = context.term(advice);
    let anchor = anchor(context, advice, received_on, settlement, &term)?;
    let standing = match left_out(context, settlement, &term) {
        Some(reason) => Standing::Excluded(reason),
        None => Standing::Counted(deadline.is_met(&term, settlement)),
    };
    Some(Thing { rule_status: term.rule_status, ..context.advice(advice, anchor, standing) })
}

/// The day that month, quarter and year follow; none when the advice is not of the population at all.
fn anchor(
    context: &Context,
    advice: &PackedAdvice,
    received_on: NaiveDate,
    settlement: Settlement,
    term: &Clock,
) -> Option<Option<NaiveDate>> {
    match context.query.cohort {
        Cohort::Due => {
            let is_member = received_on <= context.until && !context.is_settled_before_period(advice);
            is_member.then_some(term.due_on)
        }
        Cohort::Received => context.in_period(received_on).then_some(Some(received_on)),
        Cohort::Answered => match settlement {
            Settlement::Answered(day) if context.in_period(day) => Some(Some(day)),
            _ => None,
        },
    }
}

/// Why an advice of the population is not in the cohort.
fn left_out(context: &Context, settlement: Settlement, term: &Clock) -> Option<Exclusion> {
    match (term.state, settlement) {
        (TermState::NoNorm, _) => return Some(Exclusion::NoNorm),
        (TermState::Suspended, _) => return Some(Exclusion::Suspended),
        (TermState::Ended, Settlement::Ended(_, EndReason::Merged)) => return Some(Exclusion::Merged),
        (TermState::Ended, Settlement::Ended(_, EndReason::Forwarded)) => {}
        (TermState::Ended, _) => return Some(Exclusion::Withdrawn),
        _ => {}
    }
    let Some(due_on) = term.due_on else {
        return Some(Exclusion::UnknownDates);
    };
    match context.query.cohort {
        Cohort::Due if due_on > context.until => Some(Exclusion::NotDue),
        Cohort::Due if due_on < context.query.from => Some(Exclusion::DueEarlier),
        Cohort::Received if due_on > context.on() => Some(Exclusion::NotDue),
        _ => None,
    }
}

/// Open and past the deadline, however old.
pub(super) fn open_late<'c>(context: &'c Context) -> Things<'c> {
    Things::of(context.facts.advice.iter().filter_map(move |advice| {
        if context.settlement(advice) != Settlement::Open {
            return None;
        }
        match context.receipt(advice) {
            Receipt::On(day) if day <= context.until => {}
            Receipt::Unknown => {
                let reason = context.without_receipt(advice)?;
                return Some(context.advice(advice, None, Standing::Excluded(reason)));
            }
            Receipt::On(_) | Receipt::NotYet => return None,
        }
        let term = context.term(advice);
        let standing = match term.state {
            TermState::Late | TermState::VeryLate => Standing::Counted(true),
            TermState::Suspended => Standing::Excluded(Exclusion::Suspended),
            TermState::NoNorm => Standing::Excluded(Exclusion::NoNorm),
            _ if term.due_on.is_some() => Standing::Excluded(Exclusion::NotDue),
            _ => Standing::Excluded(Exclusion::UnknownDates),
        };
        let thing = context.advice(advice, term.due_on, standing);
        let thing = Thing { rule_status: term.rule_status, ..thing };
        let over = term.days_over().filter(|_| standing == Standing::Counted(true));
        Some(match over {
            Some(days) => thing
                .tally("total-days-over", Tally::Number(days))
                .tally("longest-days-over", Tally::Number(days)),
            None => thing,
        })
    }))
}
