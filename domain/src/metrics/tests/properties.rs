//! What holds for any facts, any day and any breakdown.

use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

use super::city::*;
use super::*;
use crate::calendar::{self, add_days};
use crate::codes::*;
use crate::ids::OfficeHolderId;
use crate::metrics::course::{Alike, Courses};
use crate::metrics::facts::{AdviceFact, FollowUpFact, PointFact, ResponseFact};
use crate::metrics::packed::PackedAdvice;
use crate::metrics::table::Table;
use crate::term::{self, EndReason, Extension, Suspension, TermFacts, built_in_rules};

/// Throws from a seed, so that a case that fails can be thrown again.
struct Dice(u64);

impl Dice {
    /// A number below `sides` (splitmix64).
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn once_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }

    /// A day within two years.
    fn day(&mut self) -> NaiveDate {
        add_days(d("2024-06-01"), self.roll(730) as i64)
    }

    fn maybe_day(&mut self) -> Option<NaiveDate> {
        (!self.once_in(3)).then(|| self.day())
    }

    fn council(&mut self) -> &'static str {
        // w9 stands in no table.
        self.one(&["w1", "w2", "w3", "w9"])
    }

    fn points(&mut self) -> Vec<PointFact> {
        (1..=self.roll(4) as u16)
            .map(|number| PointFact {
                number,
                outcome: self.one(PointOutcome::ALL),
                has_reasons: !self.once_in(4),
            })
            .collect()
    }

    fn advice(&mut self, number: u128) -> AdviceFact {
        let base = match self.roll(6) {
            0 => listed(number, self.council(), None),
            _ => advice(number, self.council(), &self.day().to_string()),
        };
        let mut advice = AdviceFact {
            kind: self.one(AdviceKind::ALL),
            level: self.one(Level::ALL),
            themes: (0..self.roll(3))
                .map(|_| self.one(&["housing", "mobility", "unknown"]).parse().unwrap())
                .collect(),
            clusters: (0..self.roll(3))
                .map(|place| {
                    let from = if place == 0 { None } else { self.maybe_day() };
                    (from, self.one(&["so", "mo", "gone"]).parse().unwrap())
                })
                .collect(),
            portfolio_holder: self
                .one(&[None, Some(1), Some(2), Some(9)])
                .map(|n| OfficeHolderId(Uuid::from_u128(n))),
            has_source_link: !self.once_in(3),
            published_on: self.maybe_day(),
            unpublished_on: self.maybe_day(),
            ..base
        };
        if advice.origin == Origin::Import {
            advice.earliest_on = self.maybe_day();
        }
        for _ in 0..self.roll(3) {
            let signed_on = self.maybe_day();
            advice.cosigners.push((council(self.council()), signed_on));
        }
        if self.once_in(8) {
            advice.term.rule = self.one(&[None, Some(built_in_rules().remove(1))]);
        }
        // Out of order as often as not: corrections and imports may leave them so.
        let since = advice.term.received_on.unwrap_or(d("2024-06-01"));
        let after = |dice: &mut Self| add_days(since, dice.roll(150) as i64 - 5);
        if self.once_in(3) {
            let from = after(self);
            let to = (!self.once_in(3)).then(|| add_days(from, 1 + self.roll(40) as i64));
            let decided_on = add_days(from, self.roll(5) as i64);
            advice.term.suspensions.push(Suspension {
                id: part(1),
                from,
                to,
                decided_on,
                reason: String::new(),
            });
        }
        if self.once_in(3) {
            let (days, decided_on) = (1 + self.roll(40) as u16, after(self));
            advice.term.extensions.push(Extension { id: part(2), days, decided_on, reason: String::new() });
        }
        if self.once_in(6) {
            let reason = self.one(&[EndReason::Withdrawn, EndReason::Merged, EndReason::Forwarded]);
            advice = advice.ended(&after(self).to_string(), reason);
        } else if self.once_in(12) {
            advice.withdrawn = true;
            advice.term.ended_unknown_day = advice.term.received_on.is_some();
        }
        if !self.once_in(3) {
            let sent_on = after(self);
            advice.term.answered_on = Some(sent_on);
            for kind in [ResponseKind::Acknowledgement, ResponseKind::Final, ResponseKind::Revised] {
                let day = if kind == ResponseKind::Final { sent_on } else { after(self) };
                let points = if kind == ResponseKind::Acknowledgement { vec![] } else { self.points() };
                if kind == ResponseKind::Final {
                    advice.points = points.iter().map(|point| point.number).collect();
                }
                advice.responses.push(ResponseFact {
                    kind,
                    sent_on: Some(day),
                    has_considerations: !self.once_in(3),
                    shared_on: self.maybe_day(),
                    recorded_on: self.maybe_day(),
                    points: points.into(),
                });
            }
        }
        for _ in 0..self.roll(4) {
            advice.follow_ups.push(FollowUpFact {
                point: 1 + self.roll(3) as u16,
                state: self.one(FollowUpState::ALL),
                on: self.day(),
                due_on: self.maybe_day(),
            });
        }
        advice
    }

    /// Mostly of one council, with more measures, and a rule that was adopted or counts working days as often as not.
    fn advice_with_one_council(&mut self, number: u128) -> AdviceFact {
        let mut one = self.advice(number);
        if !self.once_in(8) {
            one.cosigners.clear();
        }
        if let Some(rule) = &mut one.term.rule {
            rule.status = self.one(RuleStatus::ALL);
            rule.unit = self.one(DayUnit::ALL);
        }
        let Some(received_on) = one.term.received_on else { return one };
        for number in 3..3 + self.roll(3) as u128 {
            let from = add_days(received_on, self.roll(60) as i64);
            let to = (!self.once_in(6)).then(|| add_days(from, 1 + self.roll(20) as i64));
            let decided_on = add_days(from, self.roll(5) as i64 - 2);
            let reason = String::new();
            one.term.suspensions.push(Suspension { id: part(number), from, to, decided_on, reason });
        }
        // An extension alone, as often as not: then it is the last to change anything.
        if self.once_in(3) {
            one.term.suspensions.clear();
        }
        if self.once_in(2) {
            let (days, decided_on) = (1 + self.roll(40) as u16, add_days(received_on, self.roll(40) as i64));
            one.term.extensions.push(Extension { id: part(9), days, decided_on, reason: String::new() });
        }
        // On the edge of what a course can tell.
        if self.once_in(10) {
            let edge = self.one(&["1940-04-08", "2119-08-01", "2119-09-08"].map(d));
            one.term.received_on = Some(add_days(edge, self.roll(14) as i64));
            one.term.answered_on = one.term.answered_on.map(|_| add_days(edge, self.roll(28) as i64));
        }
        if let Some((day, _)) = &mut one.term.ended_on
            && self.once_in(4)
        {
            *day = one.term.answered_on.unwrap_or(*day);
        }
        one
    }

    fn facts(&mut self) -> Facts {
        self.facts_and_advice().0
    }

    /// Facts, and what of them is advice as it was before it was packed.
    fn facts_and_advice(&mut self) -> (Facts, Vec<AdviceFact>) {
        let all: Vec<_> = (1..40).map(|number| self.advice(number)).collect();
        let mut facts = with_advice(empty_city(), all.clone());
        let agreements: Vec<_> = (1..15)
            .map(|number| {
                let mut one = agreement(number, self.council(), self.one(AgreementSize::ALL));
                one.text.plan_year = self.one(&[2024, 2025, 2026]);
                one.text.agreed_on = self.day();
                if self.once_in(4) {
                    one = one.ongoing();
                }
                for _ in 0..self.roll(3) {
                    one = one.progressed(self.one(&ProgressState::ALL[2..4]), &self.day().to_string());
                }
                for _ in 0..self.roll(3) {
                    let realised = self.once_in(2);
                    let colour = if realised { Colour::Green } else { self.one(Colour::ALL) };
                    one = one.judged(colour, realised, &self.day().to_string());
                }
                one
            })
            .collect();
        facts = with_agreements(facts, agreements);
        for number in 1..12 {
            let mut days: Vec<NaiveDate> = (0..Phase::ALL.len()).map(|_| self.day()).collect();
            days.sort_unstable();
            let days: Vec<String> = days.iter().map(NaiveDate::to_string).collect();
            let phases: Vec<(Phase, &str)> =
                Phase::ALL.iter().copied().zip(days.iter().map(String::as_str)).collect();
            let started_on = self.one(&["2024-01-01", "2025-05-01", "2025-09-01"]);
            let mut one = track(number, started_on, &phases[..self.roll(6)]);
            one.text.new_policy = !self.once_in(3);
            one.plans_adopted.extend(self.maybe_day());
            for _ in 0..self.roll(4) {
                let on = self.maybe_day().map(|day| day.to_string());
                one = one.told(self.council(), on.as_deref());
            }
            facts.put_policy_track(one);
            let mut one = commitment(number, &self.day().to_string(), None);
            one.text.expected_on = self.maybe_day();
            one.text.cluster = self.one(&[None, Some("so"), Some("gone")]).map(|code| code.parse().unwrap());
            for step in [SettlementStep::Interim, SettlementStep::Proposed, SettlementStep::Settled] {
                if self.once_in(2) {
                    one = one.stepped(step, &self.day().to_string());
                }
            }
            facts.put_commitment(one);
            let closed_on = self.maybe_day().map(|day| day.to_string());
            let one = talk(number, self.council(), &self.day().to_string(), &[None, closed_on.as_deref()]);
            facts.put_talk(one);
            let position = self.one(&["coordinator-01", "coordinator-02", "coordinator-03"]);
            let mut one = coordinator(number, position, self.council());
            one.text.from = self.day();
            one.text.to = self.once_in(2).then(|| self.day());
            facts.put_assignment(one);
        }
        (facts, all)
    }

    fn query(&mut self) -> Query {
        let (one, other) = (self.day(), self.day());
        Query {
            on: self.day(),
            from: one.min(other),
            to: one.max(other),
            cohort: Cohort::Received,
            group_by: Vec::new(),
        }
    }
}

/// Every question that may be asked of a metric over a period.
fn questions(definition: &Definition, query: &Query) -> Vec<Query> {
    let dimensions = definition.dimensions;
    let ones = dimensions.iter().map(|one| vec![*one]);
    let pairs = dimensions.iter().flat_map(|one| dimensions.iter().map(|other| vec![*one, *other]));
    let mut questions = Vec::new();
    for cohort in definition.cohorts {
        for group_by in std::iter::once(Vec::new()).chain(ones.clone()).chain(pairs.clone()) {
            let question = Query { cohort: *cohort, group_by, ..query.clone() };
            if question.check(definition).is_ok() {
                questions.push(question);
            }
        }
    }
    questions
}

/// The days on which anything happens to a term, and its deadlines.
fn days_of(term: &TermFacts) -> Vec<NaiveDate> {
    let clock = term::clock_on(term, calendar::LAST_DAY);
    let mut days = vec![term.received_on, term.answered_on, clock.due_on, clock.original_due_on];
    days.push(term.ended_on.map(|(day, _)| day));
    days.extend(term.extensions.iter().map(|extension| Some(extension.decided_on)));
    days.extend(term.suspensions.iter().flat_map(|one| [Some(one.from), Some(one.decided_on), one.to]));
    days.into_iter().flatten().collect()
}

/// An advice without what is dated after a day; none where nothing is left.
fn advice_known_on(mut one: AdviceFact, on: NaiveDate) -> Option<AdviceFact> {
    let known = |day: &NaiveDate| *day <= on;
    let was_withdrawn =
        one.term.ended_on.is_some_and(|(day, reason)| !known(&day) && reason == EndReason::Withdrawn);
    one.withdrawn &= !was_withdrawn;
    one.term.received_on = one.term.received_on.filter(known);
    one.term.answered_on = one.term.answered_on.filter(known);
    one.term.ended_on = one.term.ended_on.filter(|(day, _)| known(day));
    one.term.extensions.retain(|extension| known(&extension.decided_on));
    one.term.suspensions.retain(|one| known(&one.decided_on) && known(&one.from));
    for suspension in &mut one.term.suspensions {
        suspension.to = suspension.to.filter(known);
    }
    one.cosigners.retain(|(_, signed_on)| signed_on.as_ref().is_none_or(known));
    one.responses.retain(|response| response.sent_on.as_ref().is_none_or(known));
    for response in &mut one.responses {
        response.shared_on = response.shared_on.filter(known);
    }
    one.follow_ups.retain(|follow_up| known(&follow_up.on));
    one.clusters.retain(|(from, _)| from.as_ref().is_none_or(known));
    one.published_on = one.published_on.filter(known);
    one.unpublished_on = one.unpublished_on.filter(known);
    let has_happened = one.term.received_on.is_some() || one.term.answered_on.is_some();
    (has_happened || one.earliest_on.as_ref().is_none_or(known)).then_some(one)
}

/// The facts, of which `advice` is all advice, without what is dated after a day.
fn known_on(facts: &Facts, advice: &[AdviceFact], on: NaiveDate) -> Facts {
    let known = |day: &NaiveDate| *day <= on;
    let mut facts = facts.clone();
    facts.advice = Table::default();
    for one in advice {
        advice_known_on(one.clone(), on).into_iter().for_each(|one| facts.put_advice(one));
    }
    let agreements = facts.agreements.iter().filter(|agreement| known(&agreement.agreed_on)).cloned();
    facts.agreements = agreements
        .map(|mut one| {
            one.progress = one.progress.iter().copied().filter(|(day, _)| known(day)).collect();
            one.judgements =
                one.judgements.iter().copied().filter(|judgement| known(&judgement.on)).collect();
            one
        })
        .collect();
    let tracks = facts.policy_tracks.iter().filter(|track| known(&track.text.started_on)).cloned();
    facts.policy_tracks = tracks
        .map(|mut one| {
            one.phases.retain(|phase| known(&phase.starts_on));
            one.plans_adopted.retain(known);
            one.informed.retain(|entry| entry.on.as_ref().is_none_or(known));
            one
        })
        .collect();
    let commitments = facts.commitments.iter().filter(|commitment| known(&commitment.text.made_on)).cloned();
    facts.commitments = commitments
        .map(|mut one| {
            one.steps.retain(|step| known(&step.on));
            one
        })
        .collect();
    let talks = facts.talks.iter().filter(|talk| known(&talk.text.held_on)).cloned();
    facts.talks = talks
        .map(|mut one| {
            for lesson in &mut one.lessons {
                lesson.closed_on = lesson.closed_on.filter(known);
            }
            one
        })
        .collect();
    let assignments = facts.assignments.iter().filter(|assignment| known(&assignment.text.from)).cloned();
    facts.assignments = assignments
        .map(|mut one| {
            one.text.to = one.text.to.filter(known);
            one
        })
        .collect();
    facts
}

/// What adds up in a row: the figure, what is left out, and the parts that count.
fn sums(row: &Row, definition: &Definition) -> Vec<(String, i64)> {
    let mut sums = match &row.figure {
        Figure::Share(share) => vec![("numerator", share.numerator), ("denominator", share.denominator)],
        Figure::Times(times) => vec![("n", times.n), ("events", times.events)],
        Figure::Count(count) => vec![("count", *count)],
    }
    .into_iter()
    .map(|(name, count)| (name.to_owned(), count as i64))
    .collect::<Vec<_>>();
    for reason in Exclusion::ALL {
        let count = row.excluded.get(reason).copied().unwrap_or(0);
        sums.push((reason.to_string(), count as i64));
    }
    for (code, part) in &row.parts {
        match part {
            Part::Share(share) => {
                sums.push((format!("{code} numerator"), share.numerator as i64));
                sums.push((format!("{code} denominator"), share.denominator as i64));
            }
            Part::Number(Some(number)) if !code.starts_with("longest") && *code != "maximum" => {
                sums.push(((*code).to_owned(), *number));
            }
            Part::Times(times) => sums.push((format!("{code} n"), times.n as i64)),
            Part::Number(_) | Part::Days(_) | Part::Value(_) => {}
        }
    }
    assert_eq!(row.parts.len(), definition.parts.len());
    sums
}

fn share_of(row: &Row, code: &str) -> Share {
    match row.parts.iter().find(|(part, _)| *part == code) {
        Some((_, Part::Share(share))) => *share,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn rows_add_up_and_have_as_many_items_as_they_say(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let facts = dice.facts();
        let query = dice.query();
        for definition in definitions() {
            let mut total = None;
            for question in questions(definition, &query) {
                let answer = compute(definition, &facts, &question);
                let behind = items(definition, &facts, &question, &[]);
                prop_assert_eq!(behind.len() as u64, answer.total.figure.n(), "{}", definition.code);
                let total = match &total {
                    Some((cohort, total)) if *cohort == question.cohort => total,
                    _ => &total.insert((question.cohort, answer.total.clone())).1,
                };
                prop_assert_eq!(&answer.total, total, "{}: a breakdown changes no total", definition.code);
                if question.group_by.is_empty() {
                    prop_assert!(answer.rows.is_empty());
                    continue;
                }
                let mut added: Vec<i64> = sums(&answer.total, definition).iter().map(|_| 0).collect();
                for row in &answer.rows {
                    for (sum, (_, value)) in added.iter_mut().zip(sums(row, definition)) {
                        *sum += value;
                    }
                    // Of two dimensions there are many rows: the full ones tell.
                    let n = row.figure.n();
                    if question.group_by.len() == 1 || n > 3 {
                        let behind = items(definition, &facts, &question, &row.key);
                        prop_assert_eq!(behind.len() as u64, n, "{} {:?}", definition.code, row.key);
                        let in_numerator = behind.iter().filter(|item| item.numerator).count() as u64;
                        match &row.figure {
                            Figure::Share(share) => {
                                prop_assert_eq!(in_numerator, share.numerator);
                                prop_assert!(share.low() <= share.value() && share.value() <= share.high());
                            }
                            Figure::Times(times) => prop_assert_eq!(in_numerator, times.events),
                            Figure::Count(_) => {}
                        }
                    }
                    prop_assert_eq!(row.small, n < 10);
                    prop_assert!(n > 0 || row.rule_status.is_none());
                }
                for (sum, (name, value)) in added.iter().zip(sums(&answer.total, definition)) {
                    let case = format!("{} by {:?}: {name}", definition.code, question.group_by);
                    if answer.additive {
                        prop_assert_eq!(*sum, value, "{}", case);
                    } else {
                        prop_assert!(*sum >= value, "{}: {} < {}", case, sum, value);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_counted_together_counts_as_it_does_one_by_one(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let all: Vec<_> = (1..200).map(|number| dice.advice_with_one_council(number)).collect();
        // The days on which anything happens, for there it is easily counted wrong.
        let days: Vec<NaiveDate> = all.iter().flat_map(|one| days_of(&one.term)).collect();
        let facts = with_advice(empty_city(), all);
        let is_told_by_days = |block: &[PackedAdvice]| block.iter().filter(|one| Courses::tell(one)).count();
        prop_assert!(facts.advice.blocks().map(|(block, _)| is_told_by_days(block)).sum::<usize>() > 50);
        for code in ["answered-in-time", "answered-in-original-term"] {
            let definition = metric(code);
            let [on, one, other] = [0; 3].map(|_| dice.one(&days));
            let (from, to) = (one.min(other), if dice.once_in(4) { d("2200-12-31") } else { one.max(other) });
            for question in questions(definition, &Query { on, from, to, ..dice.query() }) {
                if !question.group_by.iter().copied().all(Alike::are_told_by) {
                    continue;
                }
                let context = Context::new(&facts, &question, &question.group_by);
                let things = || (definition.counted)(&context);
                let together = grouping::group(definition, &context, things());
                let apart = grouping::group(definition, &context, things().apart());
                prop_assert_eq!(together, apart, "{} {:?}", code, question);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_dated_later_changes_nothing(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let (facts, advice) = dice.facts_and_advice();
        let query = dice.query();
        let known = known_on(&facts, &advice, query.on);
        for definition in definitions() {
            let mut questions = questions(definition, &query);
            let question = questions.swap_remove(dice.roll(questions.len()));
            let same = compute(definition, &facts, &question) == compute(definition, &known, &question);
            prop_assert!(same, "{} {:?}", definition.code, question);
        }
    }

    #[test]
    fn what_partitions_the_whole_adds_up_to_it(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let facts = dice.facts();
        let query = dice.query();
        let sum_of = |row: &Row, wanted: &dyn Fn(&str) -> bool| -> (u64, Option<u64>) {
            let parts = row.parts.iter().filter(|(code, _)| wanted(code)).map(|(code, _)| share_of(row, code));
            let parts: Vec<Share> = parts.collect();
            (parts.iter().map(|part| part.numerator).sum(), parts.first().map(|part| part.denominator))
        };
        let target = compute(metric("collegetarget"), &facts, &query).total;
        let buckets = sum_of(&target, &|code| ["realised", "running", "not-realised"].contains(&code));
        prop_assert_eq!(buckets, (target.figure.n(), Some(target.figure.n())));
        let sizes = share_of(&target, "large").denominator + share_of(&target, "small").denominator;
        prop_assert_eq!(sizes, target.figure.n());

        let outcomes = compute(metric("outcomes"), &facts, &query).total;
        let advice = sum_of(&outcomes, &|code| code.starts_with("advice-"));
        prop_assert_eq!(advice, (outcomes.figure.n(), Some(outcomes.figure.n())));
        let (points, whole) = sum_of(&outcomes, &|code| code.starts_with("points-"));
        prop_assert_eq!(Some(points), whole);

        let in_time = Query { cohort: Cohort::Due, ..query };
        let effective = compute(metric("answered-in-time"), &facts, &in_time).total;
        let original = compute(metric("answered-in-original-term"), &facts, &in_time).total;
        prop_assert_eq!(&effective.excluded, &original.excluded);
        let (Figure::Share(effective), Figure::Share(original)) = (effective.figure, original.figure) else {
            panic!("no shares")
        };
        prop_assert_eq!(effective.denominator, original.denominator);
        prop_assert!(original.numerator <= effective.numerator, "an extension only ever helps");
    }
}
