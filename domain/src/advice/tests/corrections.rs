//! Corrections: both values stay, and the rules are checked again.

use super::*;

/// Closed, with one of each part that can be corrected: suspension 10, extension 20, interim 30, final 31.
pub(super) fn full_life() -> Advice {
    let holder = OfficeHolderId(Uuid::from_u128(5));
    let receipt = Receipt { portfolio_holder: Some(holder), ..receipt(day("2026-01-23")) };
    let mut advice =
        of_cluster(in_status(Submitted)).receive(receipt, &term::built_in_rules(), today()).unwrap();
    advice = suspend(advice, day("2026-01-26")).unwrap();
    advice = resume(advice, day("2026-02-02")).unwrap();
    advice = treat(advice, day("2026-02-02")).unwrap();
    advice = extend(advice, day("2026-02-03")).unwrap();
    advice = respond(advice, response(ResponseKind::Interim, day("2026-02-04"))).unwrap();
    advice = answer(advice, day("2026-02-25")).unwrap();
    advice = follow_up(advice, day("2026-03-02")).unwrap();
    close(advice, day("2026-04-01")).unwrap()
}

pub(super) fn of_part(kind: &str, number: u128, field: &str) -> String {
    format!("{kind}.{}.{field}", part(number))
}

/// Every field that can be corrected in a full life: what stands there, a right value, and whose right it is.
pub(super) fn correctable() -> Vec<(String, CorrectedValue, CorrectedValue, CorrectionRight)> {
    use CorrectionRight::{Cluster, College, Coordinator};
    let holder = |number| words(&Uuid::from_u128(number).to_string());
    let nothing = || CorrectedValue::Nothing(None);
    let number = CorrectedValue::Number;
    vec![
        ("subject".to_owned(), words("Oversteek bij de school"), words("Oversteek"), Coordinator),
        ("summary".to_owned(), nothing(), words("Kort"), Coordinator),
        ("letterOn".to_owned(), words("2026-01-21"), nothing(), Coordinator),
        ("listedOn".to_owned(), nothing(), words("2026-01-30"), Coordinator),
        ("adoption.meetingOn".to_owned(), words("2026-01-20"), words("2026-01-19"), Coordinator),
        ("adoption.ratifiedOn".to_owned(), nothing(), words("2026-02-20"), Coordinator),
        ("adoption.quorum".to_owned(), CorrectedValue::Flag(true), CorrectedValue::Flag(false), Coordinator),
        ("adoption.votesFor".to_owned(), number(7), number(6), Coordinator),
        ("adoption.votesAgainst".to_owned(), number(0), number(1), Coordinator),
        ("submittedOn".to_owned(), words("2026-01-22"), words("2026-01-21"), Coordinator),
        ("receivedOn".to_owned(), words("2026-01-23"), words("2026-01-22"), Cluster),
        ("portfolioHolder".to_owned(), holder(5), holder(6), Cluster),
        ("treatment.on".to_owned(), words("2026-02-02"), words("2026-02-03"), Cluster),
        ("closure.on".to_owned(), words("2026-04-01"), words("2026-04-02"), Cluster),
        (of_part("suspensions", 10, "from"), words("2026-01-26"), words("2026-01-27"), Cluster),
        (of_part("suspensions", 10, "to"), words("2026-02-02"), words("2026-02-03"), Cluster),
        (of_part("suspensions", 10, "decidedOn"), words("2026-01-26"), words("2026-01-25"), Cluster),
        (of_part("extensions", 20, "days"), number(28), number(14), Cluster),
        (of_part("extensions", 20, "decidedOn"), words("2026-02-03"), words("2026-02-04"), Cluster),
        (of_part("responses", 30, "sentOn"), words("2026-02-04"), words("2026-02-05"), Cluster),
        (of_part("responses", 30, "decidedOn"), words("2026-02-04"), words("2026-02-03"), Cluster),
        (of_part("responses", 31, "sentOn"), words("2026-02-25"), words("2026-02-26"), College),
        (of_part("responses", 31, "decidedOn"), words("2026-02-25"), words("2026-02-24"), College),
    ]
}

#[test]
fn a_correction_keeps_both_values_and_stands_in_the_timeline() {
    for (field, was, is, _) in correctable() {
        let corrected = correct(full_life(), &field, is.clone()).unwrap();
        assert_eq!(
            corrected.corrections,
            [Correction {
                on: today(),
                field: field.clone(),
                was: was.clone(),
                is: is.clone(),
                reason: Some("SECRET correction".to_owned()),
                rule_changed: false,
            }]
        );
        let entries = corrected.timeline();
        let entry = entries.iter().find(|entry| entry.event == "correction").unwrap();
        assert_eq!((entry.field.as_deref(), entry.on), (Some(field.as_str()), Some(today())));
        assert_eq!((&entry.was, &entry.is), (&Some(was.clone()), &Some(is)));

        let back = correct(corrected, &field, was).unwrap();
        let record = AdviceRecord { corrections: vec![], ..back.into_record() };
        assert_eq!(record, full_life().into_record(), "{field}: correcting back restores all but the trail");
    }
}

#[test]
fn who_may_record_a_field_may_correct_it_and_nobody_else() {
    for (field, _, _, right) in correctable() {
        for (scope, _, _) in Scope::ALL {
            let caller = with_scopes(&[*scope], Grant::All, Grant::All);
            let allowed = match right {
                CorrectionRight::Coordinator => *scope == Scope::AdviceWrite,
                CorrectionRight::Cluster => *scope == Scope::TreatmentWrite,
                CorrectionRight::College => *scope == Scope::ResponsesWrite,
            };
            assert_eq!(caller.as_corrector(full_life(), &field).is_ok(), allowed, "{field} {scope:?}");
        }
        let others = with_scopes(&[Scope::AdviceWrite, Scope::TreatmentWrite], only("hoogvliet"), only("mo"));
        let refused = others.as_corrector(full_life(), &field).unwrap_err();
        let expected = match right {
            CorrectionRight::College => Refusal::Scope(Scope::ResponsesWrite),
            _ => Refusal::NotYours,
        };
        assert_eq!(refused, expected, "{field}: a co-signer and another cluster correct nothing");
    }
}

#[test]
fn a_correction_needs_a_field_in_which_something_was_recorded() {
    let missing = |advice, field: &str| faults(correct(advice, field, words("2026-02-01")));
    let refused = fault("/field", "correction.no_such_field");
    let unknown_part = of_part("extensions", 99, "days");
    for field in
        ["id", "status", "points", "ratings", "cluster", "adoption", "suspensions", unknown_part.as_str(), ""]
    {
        assert_eq!(missing(full_life(), field), refused, "{field}");
    }
    for field in ["receivedOn", "portfolioHolder", "treatment.on", "closure.on", "withdrawal.on"] {
        assert_eq!(missing(in_status(Adopted), field), refused, "{field}");
    }
}

#[test]
fn a_correction_needs_another_value_of_the_right_type() {
    for (field, was, _, _) in correctable() {
        let same = fault("/value", "correction.same");
        assert_eq!(faults(correct(full_life(), &field, was)), same, "{field}");
    }
    let wrong = [
        ("subject", CorrectedValue::Nothing(None)),
        ("subject", words(" ")),
        ("summary", CorrectedValue::Flag(true)),
        ("receivedOn", CorrectedValue::Nothing(None)),
        ("receivedOn", words("23-01-2026")),
        ("receivedOn", words("2026-02-30")),
        ("adoption.votesFor", CorrectedValue::Number(-1)),
        ("adoption.votesFor", words("7")),
        ("adoption.quorum", CorrectedValue::Number(1)),
        ("portfolioHolder", words("wethouder")),
    ];
    for (field, value) in wrong {
        assert_eq!(faults(correct(full_life(), field, value.clone())), fault("/value", "type"), "{field}");
    }
}

#[test]
fn a_corrected_day_stays_in_order_and_out_of_the_future() {
    let early = [
        ("adoption.meetingOn".to_owned(), "2026-01-23"),
        ("submittedOn".to_owned(), "2026-01-19"),
        ("submittedOn".to_owned(), "2026-01-24"),
        ("receivedOn".to_owned(), "2026-01-21"),
        ("receivedOn".to_owned(), "2026-02-26"),
        ("treatment.on".to_owned(), "2026-01-22"),
        ("closure.on".to_owned(), "2026-02-24"),
        (of_part("suspensions", 10, "from"), "2026-01-22"),
        (of_part("suspensions", 10, "decidedOn"), "2026-01-22"),
        (of_part("extensions", 20, "decidedOn"), "2026-01-22"),
        (of_part("responses", 31, "decidedOn"), "2026-02-26"),
        (of_part("responses", 31, "sentOn"), "2026-02-24"),
        (of_part("responses", 31, "sentOn"), "2026-03-03"),
    ];
    for (field, value) in early {
        let refused = faults(correct(full_life(), &field, words(value)));
        assert!(refused.iter().all(|(_, code)| *code == "date.order"), "{field}: {refused:?}");
    }
    for (field, was, _, _) in correctable() {
        if matches!(&was, CorrectedValue::Text(text) if text.parse::<NaiveDate>().is_ok()) {
            let refused = faults(correct(full_life(), &field, words("2026-07-01")));
            assert!(refused.contains(&("/value".to_owned(), "date.future")), "{field}: {refused:?}");
        }
    }
    assert_eq!(
        faults(correct(full_life(), "adoption.votesFor", CorrectedValue::Number(0))),
        fault("/value", "adoption.no_majority")
    );
}

#[test]
fn a_corrected_receipt_day_keeps_the_frozen_rule_while_it_is_valid_that_day() {
    let received = of_cluster(in_status(Submitted))
        .receive(receipt(day("2026-01-30")), &changing_rules(), today())
        .unwrap();
    let kept = correct_with(received.clone(), "receivedOn", words("2026-01-31"), &changing_rules()).unwrap();
    assert_eq!(kept.received.as_ref().unwrap().rule.days, Some(42));
    assert!(!kept.corrections[0].rule_changed);

    let changed = correct_with(received, "receivedOn", words("2026-02-01"), &changing_rules()).unwrap();
    assert_eq!(changed.received.as_ref().unwrap().rule.days, Some(56));
    assert!(changed.corrections[0].rule_changed);
    let entries = changed.timeline();
    assert!(entries.iter().any(|entry| entry.event == "correction" && entry.text.contains("term rule")));
}

#[test]
fn a_corrected_receipt_day_makes_a_late_extension_void_and_the_other_way_round() {
    let extended = extend(in_status(Received), day("2026-03-06")).unwrap();
    assert!(term::void_extensions(&extended.term_facts()).is_empty());
    let earlier = correct(extended, "receivedOn", words("2026-01-22")).unwrap();
    assert_eq!(term::void_extensions(&earlier.term_facts()), [part(20)]);
    assert_eq!(term_state(&earlier, "2026-03-06"), TermState::Late);
    let later = correct(earlier, "receivedOn", words("2026-01-23")).unwrap();
    assert!(term::void_extensions(&later.term_facts()).is_empty());
}

#[test]
fn a_suspension_that_the_answer_closed_moves_with_the_day_it_was_sent() {
    let suspended = suspend(in_status(Received), day("2026-02-10")).unwrap();
    let answered = answer(suspended, day("2026-02-25")).unwrap();
    let corrected = correct(answered, &of_part("responses", 30, "sentOn"), words("2026-02-27")).unwrap();
    assert_eq!(corrected.suspensions[0].to, Some(day("2026-02-27")));
    assert_eq!(term_state(&corrected, "2026-06-30"), TermState::AnsweredInTime);
}

#[test]
fn a_draft_is_changed_and_not_corrected() {
    assert_eq!(conflict(correct(in_status(Draft), "subject", words("Anders"))), "draft-is-changed");
    for status in [Adopted, Submitted, Received, InTreatment, Answered, InFollowUp, Closed, Registered] {
        assert_eq!(correct(in_status(status), "subject", words("Anders")).unwrap().text.subject, "Anders");
    }
    let withdrawn = correct(in_status(Withdrawn), "withdrawal.on", words("2026-02-11")).unwrap();
    assert_eq!(withdrawn.withdrawal.as_ref().unwrap().on, Some(day("2026-02-11")));
}
