//! Answered in time or late, and what is open past its deadline. The clock decides; nothing here counts days again.

use chrono::NaiveDate;

use super::course::Course;
use super::grouping::{Key, Standing, Tally, Thing, Things, is_time, place};
use super::packed::PackedAdvice;
use super::population::{Context, Receipt, Settlement};
use crate::codes::{Cohort, Dimension, Exclusion, RuleStatus, TermState};
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
enum Deadline {
    Effective,
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

    fn of(self, course: &Course) -> Option<NaiveDate> {
        match self {
            Self::Effective => course.due_on,
            Self::Original => course.original_due_on,
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
        let mut alike = Alike::new(context);
        context.facts.advice.briefs().for_each(|(course, advice)| {
            match course.as_ref().and_then(|course| course.on(context.on())) {
                Some(course) => alike.add(course, class_of(context, course, deadline)),
                None => one(advice).iter().for_each(&mut *show),
            }
        });
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

/// As what an advice that has a course counts, which says the same as [`counted`] of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Outside,
    InTime,
    NotInTime,
    NoNorm,
    Withdrawn,
    Merged,
    NotDue,
    DueEarlier,
}

impl Class {
    const ALL: [Self; 8] = [
        Self::Outside,
        Self::InTime,
        Self::NotInTime,
        Self::NoNorm,
        Self::Withdrawn,
        Self::Merged,
        Self::NotDue,
        Self::DueEarlier,
    ];

    const fn standing(self) -> Option<Standing> {
        Some(match self {
            Self::Outside => return None,
            Self::InTime => Standing::Counted(true),
            Self::NotInTime => Standing::Counted(false),
            Self::NoNorm => Standing::Excluded(Exclusion::NoNorm),
            Self::Withdrawn => Standing::Excluded(Exclusion::Withdrawn),
            Self::Merged => Standing::Excluded(Exclusion::Merged),
            Self::NotDue => Standing::Excluded(Exclusion::NotDue),
            Self::DueEarlier => Standing::Excluded(Exclusion::DueEarlier),
        })
    }
}

#[inline]
fn class_of(context: &Context, course: &Course, deadline: Deadline) -> Class {
    let (on, from, until) = (context.on(), context.query.from, context.until);
    let settled_on = course.settled_by(on);
    let is_member = match context.query.cohort {
        Cohort::Due => course.received_on <= until && settled_on.is_none_or(|day| from <= day),
        Cohort::Received => context.in_period(course.received_on),
        Cohort::Answered => {
            course.end_reason.is_none() && settled_on.is_some_and(|day| context.in_period(day))
        }
    };
    if !is_member {
        return Class::Outside;
    }
    let Some(due_on) = course.due_on else { return Class::NoNorm };
    match course.end_reason {
        Some(EndReason::Withdrawn) if settled_on.is_some_and(|day| day <= due_on) => return Class::Withdrawn,
        Some(EndReason::Merged) if settled_on.is_some_and(|day| day <= due_on) => return Class::Merged,
        _ => {}
    }
    match context.query.cohort {
        Cohort::Due if due_on > until => return Class::NotDue,
        Cohort::Due if due_on < from => return Class::DueEarlier,
        Cohort::Received if due_on > on => return Class::NotDue,
        _ => {}
    }
    // No branch: which of the two it is nobody can foretell.
    let is_in_time = settled_on.unwrap_or(NaiveDate::MAX) <= deadline.of(course).unwrap_or(NaiveDate::MIN);
    [Class::NotInTime, Class::InTime][usize::from(is_in_time)]
}

/// How many there are of each council and time, of each status of the rule, and of each class.
struct Alike<'c> {
    context: &'c Context<'c>,
    /// By council, and within that by time.
    counts: Vec<[[u32; Class::ALL.len()]; RuleStatus::ALL.len()]>,
    /// How many times there are, and one for what has none.
    wide: usize,
    /// The time of each day of the period; none where it is not broken down by time.
    times: Vec<Key>,
    /// The status of each rule, by its number.
    statuses: Vec<usize>,
}

impl<'c> Alike<'c> {
    /// Whether two advice of one council with one anchor have the same key in a dimension.
    fn are_told_by(dimension: Dimension) -> bool {
        matches!(dimension, Dimension::Council | Dimension::Area) || is_time(dimension)
    }

    fn new(context: &'c Context<'c>) -> Self {
        let rules = (0..).map_while(|place| context.codes.rules.at(place));
        let time = context.dimensions.iter().copied().find(|dimension| is_time(*dimension));
        let wide = time.map_or(0, |dimension| context.values(dimension)) + 1;
        Self {
            context,
            counts: vec![Default::default(); context.codes.councils.len() * wide],
            wide,
            times: time.map_or_else(Vec::new, |dimension| context.keys_of_days(dimension)),
            statuses: rules.map(|rule| rule.status as usize).collect(),
        }
    }

    #[inline]
    fn add(&mut self, course: &Course, class: Class) {
        let time = if self.times.is_empty() { None } else { self.time_of(course) };
        let place = course.council.index() as usize * self.wide + place(time, self.wide);
        let status = self.statuses[course.rule.index() as usize];
        self.counts[place][status][class as usize] += 1;
    }

    /// The time in which an advice counts: that of the day which [`anchor`] says.
    fn time_of(&self, course: &Course) -> Key {
        let anchor = match self.context.query.cohort {
            Cohort::Due => course.due_on?,
            Cohort::Received => course.received_on,
            Cohort::Answered => course.settled_by(self.context.on())?,
        };
        let days = (anchor - self.context.query.from).num_days();
        self.times.get(usize::try_from(days).ok()?).copied().flatten()
    }

    fn show(&self, show: &mut dyn FnMut(&Thing<'c>)) {
        for (place, by_status) in self.counts.iter().enumerate() {
            let council = u32::try_from(place / self.wide).unwrap_or(u32::MAX);
            let time = u32::try_from(place % self.wide).ok().filter(|_| place % self.wide < self.wide - 1);
            for (status, by_class) in RuleStatus::ALL.iter().zip(by_status) {
                for (class, times) in Class::ALL.iter().zip(by_class) {
                    let Some(standing) = class.standing().filter(|_| *times > 0) else { continue };
                    let thing = self.context.of_council(council, time, standing);
                    show(&Thing { rule_status: Some(*status), times: *times, ..thing });
                }
            }
        }
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
