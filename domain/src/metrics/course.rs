//! Answers in time, counted together. Most advice has a course that a few days tell: it was received, had a deadline, and was answered
//! or not. These days stand close together, so that a figure over all advice looks at some bytes of each, many at a time; the clock is
//! asked about the others only.
//!
//! What counts is decided in `in_time.rs`, and by which source stands at the definitions; here the same is said in days.

use chrono::NaiveDate;

use super::grouping::{Key, Standing, Thing, is_time, place};
use super::in_time::Deadline;
use super::packed::PackedAdvice;
use super::population::Context;
use super::table::BLOCK;
use crate::codes::{Cohort, Dimension, Exclusion, RuleStatus};
use crate::term::{self, EndReason};

/// A day as a small number, from April 1940 to September 2119. What happened on another has no course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Day(i16);

impl Day {
    const MIDDLE: NaiveDate = match NaiveDate::from_ymd_opt(2030, 1, 1) {
        Some(day) => day,
        None => NaiveDate::MIN,
    };
    /// Before all days of a course.
    const FIRST: Self = Self(i16::MIN);
    /// After all days of a course.
    const LAST: Self = Self(i16::MAX - 1);
    /// Of what has not happened; after all others.
    const NEVER: Self = Self(i16::MAX);

    /// The day of something that happened; none where it lies too far away.
    fn of(day: NaiveDate) -> Option<Self> {
        let day = Self(i16::try_from(Self::number(day)).ok()?);
        (Self::FIRST < day && day < Self::LAST).then_some(day)
    }

    /// That day; never, if there is none.
    fn of_any(day: Option<NaiveDate>) -> Option<Self> {
        day.map_or(Some(Self::NEVER), Self::of)
    }

    /// A day which those of courses are held against: before and after them is all the same.
    fn bound(day: NaiveDate) -> Self {
        match i16::try_from(Self::number(day)) {
            Ok(number) => Self(number).min(Self::LAST),
            Err(_) if day < Self::MIDDLE => Self::FIRST,
            Err(_) => Self::LAST,
        }
    }

    fn number(day: NaiveDate) -> i64 {
        (day - Self::MIDDLE).num_days()
    }
}

/// What happened to one advice.
struct Course {
    /// From this day on it can be told so: until then a measure may not have taken effect.
    holds_from: Day,
    received_on: Day,
    due_on: Day,
    original_due_on: Day,
    answered_on: Day,
    /// The day on which it was answered, or ended otherwise.
    settled_on: Day,
    /// As what it counts if it was settled by the deadline, and this was no answer.
    unanswered: Class,
    council: u16,
    rule: u16,
}

impl Course {
    /// The course of an advice; none where it takes more to tell it: several councils, a day that is not known, a clock that stands
    /// still for good, or days in an order that they cannot have.
    fn of(advice: &PackedAdvice) -> Option<Self> {
        if advice.has_cosigners() || advice.has_ended_some_day() {
            return None;
        }
        let received_on = advice.received_on?;
        let (ended_on, end_reason) = advice.ended_on().unzip();
        if [advice.answered_on, ended_on].into_iter().flatten().any(|day| day < received_on) {
            return None;
        }
        // On one day the answer counts, as for the clock.
        let answered_on = advice.answered_on.filter(|day| ended_on.is_none_or(|ended| *day <= ended));
        let (holds_from, original_due_on, due_on) = match advice.moved() {
            None => (received_on, advice.rule_due_on, advice.rule_due_on),
            Some(moved) => {
                let (since, clock) = term::last_clock(moved);
                (since, Some(clock.original_due_on?), Some(clock.due_on?))
            }
        };
        let unanswered = match end_reason.filter(|_| answered_on.is_none()) {
            // Without a deadline all comes by the deadline.
            _ if due_on.is_none() => Class::NoNorm,
            Some(EndReason::Withdrawn) => Class::Withdrawn,
            Some(EndReason::Merged) => Class::Merged,
            Some(EndReason::Forwarded) | None => Class::Outside,
        };
        Some(Self {
            holds_from: Day::of(holds_from)?,
            received_on: Day::of(received_on)?,
            due_on: Day::of_any(due_on)?,
            original_due_on: Day::of_any(original_due_on)?,
            answered_on: Day::of_any(answered_on)?,
            settled_on: Day::of_any(answered_on.or(ended_on))?,
            unanswered,
            council: u16::try_from(advice.lead.index()).ok()?,
            rule: u16::try_from(advice.rule?.index()).ok()?,
        })
    }
}

/// The courses of a block, each thing of all of them side by side. What has none holds from never on.
#[derive(Debug)]
pub struct Courses {
    holds_from: [Day; BLOCK],
    received_on: [Day; BLOCK],
    due_on: [Day; BLOCK],
    original_due_on: [Day; BLOCK],
    answered_on: [Day; BLOCK],
    settled_on: [Day; BLOCK],
    unanswered: [i16; BLOCK],
    council: [u16; BLOCK],
    rule: [u16; BLOCK],
}

impl Courses {
    /// Whether an advice has one.
    #[cfg(test)]
    pub fn tell(advice: &PackedAdvice) -> bool {
        Course::of(advice).is_some()
    }

    /// Those of a block.
    pub fn of(block: &[PackedAdvice]) -> Self {
        let never = [Day::NEVER; BLOCK];
        let mut courses = Self {
            holds_from: never,
            received_on: never,
            due_on: never,
            original_due_on: never,
            answered_on: never,
            settled_on: never,
            unanswered: [OUTSIDE; BLOCK],
            council: [0; BLOCK],
            rule: [0; BLOCK],
        };
        for (place, advice) in block.iter().enumerate() {
            let Some(course) = Course::of(advice) else { continue };
            courses.holds_from[place] = course.holds_from;
            courses.received_on[place] = course.received_on;
            courses.due_on[place] = course.due_on;
            courses.original_due_on[place] = course.original_due_on;
            courses.answered_on[place] = course.answered_on;
            courses.settled_on[place] = course.settled_on;
            courses.unanswered[place] = course.unanswered as i16;
            courses.council[place] = course.council;
            courses.rule[place] = course.rule;
        }
        courses
    }
}

/// As what an advice counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Of a block the classes are numbers, as wide as its days.
const OUTSIDE: i16 = Class::Outside as i16;

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

/// What decides the class: the days between which a member of the cohort was received and settled, and those between which its
/// deadline lies.
struct Classes {
    on: Day,
    received: [Day; 2],
    settled: [Day; 2],
    due: [Day; 2],
    answered_only: bool,
    deadline: Deadline,
}

impl Classes {
    fn new(context: &Context, deadline: Deadline) -> Self {
        let [on, from, until] = [context.on(), context.query.from, context.until].map(Day::bound);
        let all = [Day::FIRST, Day::NEVER];
        let (received, settled, due) = match context.query.cohort {
            Cohort::Due => ([Day::FIRST, until], [from, Day::NEVER], [from, until]),
            Cohort::Received => ([from, until], all, [Day::FIRST, on]),
            Cohort::Answered => (all, [from, until], all),
        };
        let answered_only = context.query.cohort == Cohort::Answered;
        Self { on, received, settled, due, answered_only, deadline }
    }

    /// The class of each course, as it says what [`super::in_time`] says of one advice. All is asked and the last word counts, without
    /// a branch, so that many courses are looked at in one go.
    fn of(&self, courses: &Courses) -> [i16; BLOCK] {
        let within = |[first, last]: [Day; 2], day: Day| (first <= day) & (day <= last);
        let settled_on = if self.answered_only { &courses.answered_on } else { &courses.settled_on };
        let in_time_until = match self.deadline {
            Deadline::Effective => &courses.due_on,
            Deadline::Original => &courses.original_due_on,
        };
        let [due_from, due_until] = self.due;
        std::array::from_fn(|place| {
            let known = |day: Day| if day <= self.on { day } else { Day::NEVER };
            let settled_on = known(settled_on[place]);
            let (received_on, due_on) = (courses.received_on[place], courses.due_on[place]);
            let unanswered = courses.unanswered[place];
            let mut class = Class::NotInTime as i16;
            let mut say = |is_so: bool, instead: i16| class = if is_so { instead } else { class };
            say(settled_on <= in_time_until[place], Class::InTime as i16);
            say(due_on < due_from, Class::DueEarlier as i16);
            say(due_until < due_on, Class::NotDue as i16);
            say((unanswered != OUTSIDE) & (settled_on <= due_on), unanswered);
            say(!(within(self.received, received_on) & within(self.settled, settled_on)), OUTSIDE);
            class
        })
    }
}

/// How many there are of each council and time, of each status of the rule, and of each class.
pub(super) struct Alike<'c> {
    context: &'c Context<'c>,
    classes: Classes,
    /// By council, where it is asked for, and within that by time.
    counts: Vec<[[u32; Class::ALL.len()]; RuleStatus::ALL.len()]>,
    by_council: bool,
    /// How many keys there are in time, and one place for what has none.
    wide: usize,
    /// The key in time of each day of the period; none where it is not broken down by time.
    keys_of_days: Vec<Key>,
    /// The number of the first of these days.
    first_day: i64,
    /// The status of each rule, by its number.
    statuses: Vec<usize>,
}

impl<'c> Alike<'c> {
    /// Whether two advice of one council with one anchor have the same key in a dimension.
    pub fn are_told_by(dimension: Dimension) -> bool {
        matches!(dimension, Dimension::Council | Dimension::Area) || is_time(dimension)
    }

    /// Counts what is answered in time, where all dimensions tell what is alike.
    pub fn new(context: &'c Context<'c>, deadline: Deadline) -> Self {
        let rules = (0..).map_while(|place| context.codes.rules.at(place));
        let time = context.dimensions.iter().copied().find(|dimension| is_time(*dimension));
        let wide = time.map_or(0, |dimension| context.values(dimension)) + 1;
        let by_council = context.dimensions.iter().any(|dimension| !is_time(*dimension));
        let high = if by_council { context.codes.councils.len() } else { 1 };
        Self {
            context,
            classes: Classes::new(context, deadline),
            counts: vec![Default::default(); high * wide],
            by_council,
            wide,
            first_day: Day::number(context.query.from),
            keys_of_days: time.map_or_else(Vec::new, |dimension| context.keys_of_days(dimension)),
            statuses: rules.map(|rule| rule.status as usize).collect(),
        }
    }

    /// Counts those of a block that have a course by the reference day; tells the others.
    pub fn add(
        &mut self,
        block: &'c [PackedAdvice],
        courses: &Courses,
        mut other: impl FnMut(&'c PackedAdvice),
    ) {
        let classes = self.classes.of(courses);
        for (index, advice) in block.iter().enumerate() {
            if courses.holds_from[index] > self.classes.on {
                other(advice);
                continue;
            }
            let time = if self.keys_of_days.is_empty() { None } else { self.time_of(courses, index) };
            let council = if self.by_council { usize::from(courses.council[index]) } else { 0 };
            let place = council * self.wide + place(time, self.wide);
            let status = self.statuses[usize::from(courses.rule[index])];
            self.counts[place][status][classes[index] as usize] += 1;
        }
    }

    /// The key in time under which an advice counts: that of the day which decides in which period it falls.
    fn time_of(&self, courses: &Courses, index: usize) -> Key {
        let anchors = match self.context.query.cohort {
            Cohort::Due => &courses.due_on,
            Cohort::Received => &courses.received_on,
            Cohort::Answered => &courses.answered_on,
        };
        let anchor = Some(anchors[index]).filter(|day| *day != Day::NEVER)?;
        let days = i64::from(anchor.0) - self.first_day;
        self.keys_of_days.get(usize::try_from(days).ok()?).copied().flatten()
    }

    /// Shows what was counted.
    pub fn show(&self, show: &mut dyn FnMut(&Thing<'c>)) {
        for (council, by_time) in (0..).zip(self.counts.chunks(self.wide)) {
            // The last place is that of what has no time.
            let times = (0..).take(self.wide - 1).map(Some).chain([None]);
            for (time, by_status) in times.zip(by_time) {
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{FIRST_DAY, LAST_DAY, add_days};

    /// Any day, those about which it may go wrong as often as not.
    fn any_day() -> impl Strategy<Value = NaiveDate> {
        let all = (LAST_DAY - FIRST_DAY).num_days();
        let near =
            |edge: i16| (-3i64..=3).prop_map(move |days| add_days(Day::MIDDLE, i64::from(edge) + days));
        let anywhere = (0..=all).prop_map(|days| add_days(FIRST_DAY, days));
        prop_oneof![near(i16::MIN), near(i16::MAX), anywhere]
    }

    proptest! {
        #[test]
        fn a_day_of_a_course_lies_before_and_after_the_same_days(day in any_day(), other in any_day()) {
            if let Some(small) = Day::of(day) {
                prop_assert_eq!(small <= Day::bound(other), day <= other);
                prop_assert_eq!(Day::bound(other) <= small, other <= day);
                prop_assert!(small < Day::NEVER);
            }
            prop_assert!(Day::bound(other) < Day::NEVER);
        }
    }

    #[test]
    fn the_days_of_a_course_are_those_of_nearly_two_centuries() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for known in ["1940-04-16", "2026-11-30", "2119-09-17"] {
            assert!(Day::of(day(known)).is_some(), "{known}");
        }
        for too_far in ["1940-04-14", "2119-09-18", "2119-09-19"] {
            assert!(Day::of(day(too_far)).is_none(), "{too_far}");
        }
    }
}
