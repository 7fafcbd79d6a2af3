//! What the pure parts cost: `cargo bench -p domain`. Numbers to look at, and no test: nothing fails for being slow.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "the macros of criterion make functions without any")]

use std::hint::black_box;

use chrono::{Days, NaiveDate};
use criterion::{Criterion, criterion_group, criterion_main};
use domain::calendar;
use domain::codes::{AdviceKind, Cohort, Dimension, Level, Origin, PointOutcome, ResponseKind};
use domain::ids::{AdviceId, CouncilCode, PartId};
use domain::metrics::facts::{AdviceFact, PointFact, ResponseFact};
use domain::metrics::{self, Facts, Observation, Query, Share, kaplan_meier};
use domain::reference;
use domain::term::{self, Extension, Suspension, TermFacts};
use uuid::Uuid;

/// How much advice the figures are made of.
const ADVICE: u32 = 100_000;

const TODAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 23) {
    Some(day) => day,
    None => calendar::FIRST_DAY,
};

fn ago(days: u32) -> NaiveDate {
    TODAY.checked_sub_days(Days::new(days.into())).unwrap_or(TODAY)
}

/// Numbers that are the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap_or(0) % sides
    }
}

/// Made-up advice of some eight years: nine in ten answered, one in twenty extended.
fn facts() -> Facts {
    let built_in = reference::built_in();
    let councils: Vec<CouncilCode> = built_in.councils.iter().map(|council| council.code.clone()).collect();
    let mut facts = Facts { councils: built_in.councils, ..Facts::default() };
    let mut dice = Dice(1);
    for number in 0..ADVICE {
        let council = councils[dice.roll(39) as usize].clone();
        facts.put_advice(advice(number, council, &mut dice));
    }
    facts
}

fn advice(number: u32, lead: CouncilCode, dice: &mut Dice) -> AdviceFact {
    let received = 1 + dice.roll(3000);
    let received_on = Some(ago(received));
    let took = dice.roll(90);
    let answered_on = (took < received && dice.roll(10) > 0).then(|| ago(received - took));
    let outcomes = [PointOutcome::Adopted, PointOutcome::NotAdopted, PointOutcome::AlreadyPolicy];
    let mut point =
        |number| PointFact { number, outcome: outcomes[dice.roll(3) as usize], has_reasons: true };
    let responses = answered_on.map(|sent_on| ResponseFact {
        kind: ResponseKind::Final,
        sent_on: Some(sent_on),
        has_considerations: false,
        shared_on: None,
        recorded_on: Some(TODAY),
        points: [point(1), point(2), point(3)].into(),
    });
    let extension = Extension {
        id: PartId(Uuid::from_u128(1)),
        days: 14,
        decided_on: ago(received.saturating_sub(20)),
        reason: String::new(),
    };
    AdviceFact {
        id: AdviceId(Uuid::from_u128(number.into())),
        origin: Origin::Entered,
        kind: AdviceKind::ALL[dice.roll(6) as usize],
        level: Level::Neighbourhood,
        lead,
        cosigners: Vec::new(),
        themes: Vec::new(),
        clusters: Vec::new(),
        portfolio_holder: None,
        earliest_on: received_on,
        term: TermFacts {
            rule: term::built_in_rules().into_iter().next(),
            received_on,
            extensions: (dice.roll(20) == 0).then_some(extension).into_iter().collect(),
            answered_on,
            ..TermFacts::default()
        },
        withdrawn: false,
        points: vec![1, 2, 3],
        responses: responses.into_iter().collect(),
        follow_ups: Vec::new(),
        published_on: None,
        unpublished_on: None,
        has_source_link: true,
    }
}

fn clock(criterion: &mut Criterion) {
    let plain = TermFacts {
        rule: term::built_in_rules().into_iter().next(),
        received_on: Some(ago(100)),
        answered_on: Some(ago(50)),
        ..TermFacts::default()
    };
    let suspension = |number: u32| Suspension {
        id: PartId(Uuid::from_u128(number.into())),
        from: ago(90 - 10 * number),
        to: Some(ago(85 - 10 * number)),
        decided_on: ago(90 - 10 * number),
        reason: String::new(),
    };
    let moved = TermFacts { suspensions: (0..3).map(suspension).collect(), ..plain.clone() };
    criterion.bench_function("clock/term_on", |bencher| {
        bencher.iter(|| term::term_on(black_box(&plain), TODAY));
    });
    criterion.bench_function("clock/term_on, three suspensions", |bencher| {
        bencher.iter(|| term::term_on(black_box(&moved), TODAY));
    });
    criterion.bench_function("clock/explain, three suspensions", |bencher| {
        bencher.iter(|| term::explain(black_box(&moved), TODAY));
    });
    criterion.bench_function("calendar/next working day, over Christmas", |bencher| {
        bencher.iter(|| calendar::next_working_day_on_or_after(black_box(ago(333))));
    });
}

fn figures(criterion: &mut Criterion) {
    let facts = facts();
    let mut figure = |code: &str, group_by: &[Dimension]| {
        let Some(definition) = metrics::definition(code) else { return };
        let query = Query {
            on: TODAY,
            from: ago(4000),
            to: TODAY,
            cohort: definition.cohorts.first().copied().unwrap_or(Cohort::Received),
            group_by: group_by.to_vec(),
        };
        let by: Vec<_> = group_by.iter().map(ToString::to_string).collect();
        criterion.bench_function(&format!("metrics/{code} by {}", by.join(" and ")), |bencher| {
            bencher.iter(|| metrics::compute(definition, black_box(&facts), &query));
        });
    };
    figure("answered-in-time", &[Dimension::Council]);
    figure("answered-in-time", &[Dimension::Council, Dimension::Year]);
    figure("response-time", &[Dimension::Council]);
    figure("outcomes", &[Dimension::Council]);
    criterion.bench_function("metrics/one advice more", |bencher| {
        let mut dice = Dice(7);
        bencher.iter(|| {
            let mut later = facts.clone();
            later.put_advice(advice(dice.roll(ADVICE), facts.councils[0].code.clone(), &mut dice));
            later
        });
    });
}

fn statistics(criterion: &mut Criterion) {
    let mut dice = Dice(1);
    let watched: Vec<Observation> = (0..ADVICE)
        .map(|_| Observation { days: i64::from(dice.roll(400)), event: dice.roll(10) > 0 })
        .collect();
    criterion.bench_function("statistics/Kaplan-Meier over 100,000", |bencher| {
        bencher.iter(|| kaplan_meier(black_box(&watched)));
    });
    let share = Share { numerator: 4711, denominator: 9000 };
    criterion.bench_function("statistics/Wilson", |bencher| {
        bencher.iter(|| (black_box(share).low(), black_box(share).high()));
    });
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20);
    targets = clock, figures, statistics
}
criterion_main!(all);
