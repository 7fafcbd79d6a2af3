//! What holds for every life. A life starts in any status and goes on with any steps and corrections, on any
//! days; what is refused leaves it as it was.

use super::corrections::{correctable, full_life};
use super::process::STEPS;
use super::*;

pub(super) fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..190_u64).prop_map(|days| day("2026-01-01") + chrono::Days::new(days))
}

pub(super) fn any_life() -> impl Strategy<Value = Advice> {
    let status = prop::sample::select(AdviceStatus::ALL);
    let step = (0..STEPS.len(), any_day(), any::<prop::sample::Index>(), any::<bool>());
    (status, prop::collection::vec(step, 0..12), prop::option::of(any::<bool>())).prop_map(
        |(status, steps, publication)| {
            let mut advice = if status == Closed { full_life() } else { in_status(status) };
            for (step, on, field, correcting) in steps {
                let changed = if correcting {
                    let fields = correctable();
                    let (field, _, is, _) = field.get(&fields);
                    let dated = matches!(is, CorrectedValue::Text(text) if text.parse::<NaiveDate>().is_ok());
                    let value = if dated { words(&on.to_string()) } else { is.clone() };
                    correct(advice.clone(), field, value)
                } else {
                    STEPS[step].1(advice.clone(), on)
                };
                advice = changed.unwrap_or(advice);
            }
            match publication {
                None => advice,
                Some(withdrawn) => {
                    let published = publish(advice.clone()).unwrap_or(advice);
                    if withdrawn { unpublish(published.clone()).unwrap_or(published) } else { published }
                }
            }
        },
    )
}

proptest! {
    #[test]
    fn no_life_breaks_the_order_of_days(advice in any_life()) {
        prop_assume!(advice.origin != Origin::Import);
        let days: Vec<NaiveDate> = [
            advice.adoption.as_ref().map(|adoption| adoption.meeting_on),
            advice.submitted_on,
            advice.received.as_ref().map(|received| received.received_on),
            advice.final_response().and_then(|response| response.sent_on),
        ].into_iter().flatten().collect();
        prop_assert!(days.is_sorted(), "{:?}", days);
        prop_assert!(advice.timeline().iter().all(|entry| entry.on.is_none_or(|on| on <= today())));
    }

    #[test]
    fn no_life_has_two_final_responses_or_an_incomplete_one(advice in any_life()) {
        let finals: Vec<_> =
            advice.responses.iter().filter(|response| response.kind == ResponseKind::Final).collect();
        prop_assert!(finals.len() <= 1);
        for response in finals {
            prop_assert!(response.decided_on.is_some() && response.sent_on.is_some());
            let Response { points, considerations, .. } = response;
            prop_assert_eq!(transitions::response_gaps(&advice, points, considerations, true), []);
        }
        if advice.origin != Origin::Import {
            prop_assert_eq!(advice.outcome().is_some(), advice.final_response().is_some());
        }
    }

    #[test]
    fn no_life_goes_where_the_process_does_not(advice in any_life()) {
        prop_assert!(advice.follow_ups.is_empty() || advice.final_response().is_some());
        prop_assert!(advice.closure.is_none() || advice.final_response().is_some());
        prop_assert!(advice.ratings.is_empty() || advice.final_response().is_some());
        prop_assert!(advice.treated_on.is_none() || advice.received.is_some());
        prop_assert!(!advice.is_published() || advice.may_be_published());
        if [Withdrawn, Merged, Forwarded].contains(&advice.status()) {
            prop_assert_eq!(advice.final_response(), None);
        }
    }

    /// Rule 7. An advice knows its councils by their code alone, so there is no kind to branch on; and no
    /// rule branches on the code: under another council the same life is the same.
    #[test]
    fn the_same_life_under_another_council_ends_the_same(
        code in "[a-z]{3,12}(-[a-z]{1,8})?", status in prop::sample::select(AdviceStatus::ALL),
    ) {
        prop_assume!(code != "hoogvliet");
        let here = in_status(status);
        let mut other = text();
        other.councils.lead = council(&code);
        let there = lived(other, status);
        prop_assert_eq!(here.status(), there.status());
        prop_assert_eq!(here.outcome(), there.outcome());
        let term = |advice: &Advice| term::explain(&advice.term_facts(), today());
        prop_assert_eq!(term(&here), term(&there));
        let mut back = there.into_record();
        back.text.councils.lead = council("rozenburg");
        prop_assert_eq!(here.into_record(), back);
    }
}

#[test]
fn the_timeline_is_in_order_of_day_and_then_of_the_process() {
    let events: Vec<_> = full_life()
        .timeline()
        .into_iter()
        .map(|entry| format!("{} {}", entry.on.unwrap(), entry.event))
        .collect();
    assert_eq!(
        events,
        [
            "2026-01-20 adoption",
            "2026-01-21 letter",
            "2026-01-22 submission",
            "2026-01-23 receipt",
            "2026-01-26 suspension",
            "2026-02-02 treatment",
            "2026-02-02 suspension-end",
            "2026-02-03 extension",
            "2026-02-04 interim-response",
            "2026-02-25 final-response",
            "2026-03-02 follow-up",
            "2026-04-01 closure",
        ]
    );
}
