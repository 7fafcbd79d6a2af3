//! Imported history: the rules report and do not refuse.

use super::*;

#[test]
fn a_listed_item_is_registered_published_and_has_no_known_term() {
    let listed = registered(listed_text());
    assert_eq!(listed.status(), Registered);
    assert!(listed.is_published());
    assert_eq!(term_state(&listed, "2026-06-30"), TermState::Unknown);
    assert_eq!(issues(&listed), ["receipt-unknown", "answer-unknown"]);

    let reason = Some("VERVALLEN".to_owned());
    let published_at = moment("2026-06-01T09:00:00Z");
    let lapsed =
        Advice::registered(advice_id(1), listed_text(), Listed::default(), reason, published_at, today())
            .unwrap();
    assert_eq!(lapsed.status(), Withdrawn);
    assert_eq!(lapsed.withdrawal, Some(Withdrawal { on: None, reason: Some("VERVALLEN".to_owned()) }));
    assert_eq!(term_state(&lapsed, "2026-06-30"), TermState::Unknown);
}

fn issues(advice: &Advice) -> Vec<String> {
    advice.data_issues().into_iter().map(|issue| issue.code).collect()
}

#[test]
fn only_imported_history_has_data_issues() {
    for status in AdviceStatus::ALL.iter().filter(|status| **status != Registered) {
        assert_eq!(in_status(*status).data_issues(), [], "{status}");
    }
}

#[test]
fn on_imported_history_the_rules_report_and_do_not_refuse() {
    let city = AdviceText { level: Level::City, ..text() };
    let mut body = response(ResponseKind::Final, day("2026-01-10"));
    body.points = vec![says(1, PointOutcome::NotAdopted, None)];
    let answered = respond(receive(registered(city), day("2026-01-23")).unwrap(), body).unwrap();
    assert_eq!(
        issues(&answered),
        [
            "response.outcome_missing",
            "response.reasons_missing",
            "response.considerations_missing",
            "dates-out-of-order"
        ]
    );
    assert_eq!(answered.outcome(), None, "a point without an outcome leaves the whole without one");
}

#[test]
fn a_listed_answer_gives_its_day_and_says_what_is_missing() {
    let references = vec![reference("26bb000999")];
    let answered = registered(listed_text()).with_listed_answer(part(30), day("2026-03-01"), references);
    assert_eq!(answered.status(), Answered);
    assert_eq!(answered.outcome(), None);
    assert_eq!(issues(&answered), ["receipt-unknown", "points-unknown", "decision-day-unknown"]);
}

#[test]
fn what_another_list_knows_is_added_once() {
    let advice = registered(listed_text())
        .with_reference(reference("26bb000123"), council("rozenburg"))
        .with_reference(reference("26bb000456"), council("rozenburg"))
        .with_listed_cosigner(council("rozenburg"))
        .with_listed_cosigner(council("delfshaven"))
        .with_listed_cosigner(council("delfshaven"))
        .with_listing(Listing { kind: Some(AdviceKind::UrgentLetter), ..Listing::default() });
    let values: Vec<_> = advice.text.references.iter().map(|reference| reference.value.as_str()).collect();
    assert_eq!(values, ["26bb000123", "26bb000456"]);
    let councils: Vec<_> = advice.councils().map(CouncilCode::as_str).collect();
    assert_eq!(councils, ["rozenburg", "hoogvliet", "delfshaven"]);
    assert_eq!(advice.text.kind, AdviceKind::UrgentLetter);
    assert_eq!(advice.merged_by_list(advice_id(2), day("2026-06-01")).status(), Merged);
}
