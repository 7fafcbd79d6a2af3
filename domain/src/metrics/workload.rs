//! What is open on a day, in a few numbers, for who watches over the service rather than over the figures.

use chrono::{Datelike, NaiveDate};

use super::Query;
use super::facts::Facts;
use super::population::{Context, Receipt, Settlement};
use crate::codes::{Cohort, TermState};

/// What is open on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Workload {
    /// Advice received and without a final response.
    pub open: u64,
    /// Of those: past their deadline, the very late ones included; as many as the metric `open-late` counts.
    pub open_late: u64,
    /// Of those: very late, as their rule has it.
    pub open_very_late: u64,
    /// Days since the oldest of the open ones was received; 0 when none is open.
    pub oldest_open_days: u64,
    /// Agreements to be realised in the year of the day.
    pub agreements_due_this_year: u64,
}

/// What is open on a day, of these facts.
pub fn workload(facts: &Facts, on: NaiveDate) -> Workload {
    let query = Query { on, from: on, to: on, cohort: Cohort::Due, group_by: Vec::new() };
    let context = Context::new(facts, &query, &[]);
    let mut workload = Workload::default();
    for advice in facts.advice.iter() {
        let Receipt::On(received_on) = context.receipt(advice) else { continue };
        if context.settlement(advice) != Settlement::Open {
            continue;
        }
        let state = context.term(advice).state;
        let age = u64::try_from((on - received_on).num_days()).unwrap_or(0);
        workload.open += 1;
        workload.open_late += u64::from(matches!(state, TermState::Late | TermState::VeryLate));
        workload.open_very_late += u64::from(state == TermState::VeryLate);
        workload.oldest_open_days = workload.oldest_open_days.max(age);
    }
    let due = facts.agreements.iter().filter_map(|agreement| agreement.due_on);
    workload.agreements_due_this_year =
        due.filter(|due_on| due_on.year() == on.year()).fold(0, |count, _| count + 1);
    workload
}
