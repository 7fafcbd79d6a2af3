//! Holes that a review found.

use super::corrections::{full_life, of_part};
use super::*;

#[test]
fn h01_an_earlier_wrong_text_stands_in_no_public_correction() {
    let advice = publish(in_status(Answered)).unwrap();
    let advice = correct(advice, "subject", words("Klacht over Jan, Laan 3")).unwrap();
    let advice = correct(advice, "subject", words("Oversteek")).unwrap();
    let public = project(&advice, View::Public);
    assert!(!format!("{public:?} {:?}", public.timeline()).contains("Laan 3"));
}

#[test]
fn h02_level_raised_after_the_answer_needs_considerations() {
    for status in [Answered, InFollowUp, Closed] {
        let city = AdviceText { level: Level::City, ..text() };
        let raised = coordinator(in_status(status)).rewrite(city, today());
        assert!(raised.is_err(), "rule 2 holds always");
    }
}

#[test]
fn h03_a_signature_is_not_dropped_by_a_rewrite() {
    let signed = cosign(in_status(Draft), day("2026-01-18")).unwrap();
    let mut alone = text();
    alone.councils.cosigners.clear();
    assert!(coordinator(signed).rewrite(alone, today()).is_err());
}

#[test]
fn h04_a_signed_draft_is_not_deleted() {
    let mut alone = text();
    alone.councils.cosigners.clear();
    let signed = cosign(draft(alone), day("2026-01-18")).unwrap();
    assert_eq!(conflict(coordinator(signed).delete()), "shown-to-cosigner");
}

#[test]
fn h05_a_rating_is_of_the_council_that_gives_it() {
    let rating = Rating { council: council("rozenburg"), on: day("2026-05-01"), score: 1, note: None };
    let hoogvliet = with_scopes(&[Scope::AdviceWrite], only("hoogvliet"), none());
    let rated =
        hoogvliet.as_signatory(in_status(Closed), council("hoogvliet")).unwrap().rate(rating, today());
    assert!(rated.is_err() || rated.unwrap().ratings[0].council == council("hoogvliet"));
}

#[test]
fn h07_answered_on_the_first_day_of_a_suspension_can_still_be_corrected() {
    let advice = answer(suspend(in_status(Received), day("2026-02-10")).unwrap(), day("2026-02-10")).unwrap();
    correct(advice, "subject", words("Oversteek")).unwrap();
}

#[test]
fn h08_a_corrected_withdrawal_stays_after_the_latest_step() {
    assert!(correct(in_status(Withdrawn), "withdrawal.on", words("2026-02-01")).is_err(), "before treatment");
}

#[test]
fn h08b_adopted() {
    let w = withdraw(in_status(Adopted), day("2026-02-01")).unwrap();
    assert!(correct(w, "withdrawal.on", words("2026-01-19")).is_err(), "before adoption");
}

#[test]
fn h09_a_corrected_closure_stays_after_the_latest_follow_up() {
    assert!(correct(in_status(Closed), "closure.on", words("2026-03-01")).is_err());
}

#[test]
fn h10_a_corrected_answer_day_stays_before_the_ratings() {
    let rated = rate(in_status(Answered), day("2026-02-26")).unwrap();
    assert!(correct(rated, &of_part("responses", 30, "sentOn"), words("2026-02-27")).is_err());
}

#[test]
fn h11_a_letter_day_known_at_adoption_is_not_overwritten_by_submission() {
    let submission = Submission { submitted_on: day("2026-01-22"), letter_on: Some(day("2026-01-10")) };
    let s = coordinator(in_status(Adopted)).submit(submission, today());
    assert!(s.is_err() || s.unwrap().text.letter_on == Some(day("2026-01-21")));
}

#[test]
fn h12_a_rewrite_says_all_that_is_wrong_at_once() {
    let mut t = text();
    t.councils.lead = council("delfshaven");
    t.points[1].number = 1;
    assert_eq!(faults(coordinator(in_status(Draft)).rewrite(t, today())).len(), 2);
}

#[test]
fn h12b_draft() {
    let mut t = text();
    t.councils.cosigners[0].signed_on = Some(today());
    t.points[1].number = 1;
    assert_eq!(faults(Advice::draft(advice_id(1), t, Origin::Entered, today())).len(), 2);
}

#[test]
fn h13_a_suspension_reopened_after_the_answer() {
    let v = correct(full_life(), &of_part("suspensions", 10, "to"), CorrectedValue::Nothing(None));
    assert!(v.is_err());
}

#[test]
fn h13c_a_fault_in_a_correction_lies_in_the_value() {
    let f = faults(correct(full_life(), &of_part("suspensions", 10, "to"), words("2026-01-26")));
    assert!(f.iter().all(|(l, _)| l == "/value"), "{f:?}");
}

#[test]
fn h14_a_revision_registered_late_does_not_undo_a_later_one() {
    let one = |outcome, on: &str| {
        let mut b = response(ResponseKind::Revised, day(on));
        b.points = vec![says(2, outcome, Some("Omdat."))];
        b
    };
    let a = respond(in_status(Answered), one(PointOutcome::Adopted, "2026-04-01")).unwrap();
    let a = respond(a, one(PointOutcome::NeedsStudy, "2026-03-01")).unwrap();
    assert_eq!(a.point_response(2).unwrap().outcome, PointOutcome::Adopted);
}

#[test]
fn h15_follow_up_late() {
    let f = |a, on: &str, state| {
        of_cluster(a)
            .follow_up(
                FollowUp { point: 1, state, on: day(on), due_on: None, agreement: None, note: None },
                today(),
            )
            .unwrap()
    };
    let a = f(in_status(Answered), "2026-05-01", FollowUpState::Completed);
    let a = f(a, "2026-04-01", FollowUpState::Running);
    assert_eq!(a.follow_up(1).unwrap().state, FollowUpState::Completed);
}

#[test]
fn h19_date_forms() {
    for odd in ["+02026-1-1", "2026-1-  1", "2026 -1- 1", "02026-1-01"] {
        let f = correct(full_life(), "letterOn", words(odd));
        if let Ok(a) = &f {
            panic!("{odd:?} kept as {:?} -> {:?}", a.corrections[0].is, a.text.letter_on);
        }
    }
}
