//! The course of an advice in a few days, for the figures about answers in time. Most advice has one: it was received, had a deadline,
//! and was answered or not. So a figure over all of them looks at thirty bytes of each, and asks the clock about the others only.

use chrono::NaiveDate;

use super::numbers::Number;
use super::packed::PackedAdvice;
use crate::term::{self, EndReason};

/// What happened to an advice, as it can be told from a day on.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// From this day on it can be told so: until then a measure may not have taken effect.
    holds_from: NaiveDate,
    /// The day of receipt.
    pub received_on: NaiveDate,
    /// The deadline; none without a norm.
    pub due_on: Option<NaiveDate>,
    /// The deadline without its extensions.
    pub original_due_on: Option<NaiveDate>,
    /// The day on which it was answered, or ended otherwise.
    settled_on: Option<NaiveDate>,
    /// Why it ended; none of an answer.
    pub end_reason: Option<EndReason>,
    /// The one council behind it.
    pub council: Number,
    /// The rule frozen at receipt.
    pub rule: Number,
}

impl Course {
    /// The course of an advice; none where it takes more to tell it: several councils, a day that is not known, a clock that stands
    /// still for good, or days in an order that they cannot have.
    pub fn of(advice: &PackedAdvice) -> Option<Self> {
        if advice.has_cosigners() || advice.has_ended_some_day() {
            return None;
        }
        let received_on = advice.received_on?;
        let (ended_on, end_reason) = advice.ended_on().unzip();
        if [advice.answered_on, ended_on].into_iter().flatten().any(|day| day < received_on) {
            return None;
        }
        // On one day the answer counts, as for the clock.
        let is_answer = advice.answered_on.is_some_and(|day| ended_on.is_none_or(|ended| day <= ended));
        let settled_on = if is_answer { advice.answered_on } else { ended_on };
        let (holds_from, original_due_on, due_on) = match advice.moved() {
            None => (received_on, advice.rule_due_on, advice.rule_due_on),
            Some(moved) => {
                let (since, clock) = term::last_clock(moved);
                (since, Some(clock.original_due_on?), Some(clock.due_on?))
            }
        };
        Some(Self {
            holds_from,
            received_on,
            due_on,
            original_due_on,
            settled_on,
            end_reason: end_reason.filter(|_| !is_answer),
            council: advice.lead,
            rule: advice.rule?,
        })
    }

    /// It, if it can be told so on a day.
    #[inline]
    pub fn on(&self, on: NaiveDate) -> Option<&Self> {
        (self.holds_from <= on).then_some(self)
    }

    /// The day on which it was settled, if that had come by a day.
    #[inline]
    pub fn settled_by(&self, on: NaiveDate) -> Option<NaiveDate> {
        self.settled_on.filter(|day| *day <= on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_takes_thirty_bytes() {
        assert!(size_of::<Option<Course>>() <= 32, "{}", size_of::<Option<Course>>());
    }
}
