//! Which step is open when (the process), what text and days it takes (rules 4 and 6).

use super::*;

type Rewrite = fn(&mut AdviceText);

/// Every step and the statuses from which it is open.
pub(super) const STEPS: &[Step] = &[
    (
        "themes",
        |advice, _| {
            let themes = vec!["safety".parse().unwrap()];
            let text = AdviceText { themes, ..advice.text.clone() };
            coordinator(advice).rewrite(text, today())
        },
        &[Draft, Adopted, Submitted, Received, InTreatment, Answered, InFollowUp, Closed, Registered],
    ),
    ("adoption", adopt, &[Draft, Registered]),
    ("submission", submit, &[Adopted, Registered]),
    ("cosignature", cosign, &[Draft, Adopted, Submitted, Received, InTreatment, Registered]),
    ("withdrawal", withdraw, &[Draft, Adopted, Submitted, Received, InTreatment, Registered]),
    ("receipt", receive, &[Submitted, Registered]),
    ("treatment", treat, &[Received]),
    ("suspension", suspend, &[Received, InTreatment]),
    ("extension", extend, &[Received, InTreatment]),
    (
        "acknowledgement",
        |advice, on| respond(advice, response(ResponseKind::Acknowledgement, on)),
        &[Received, InTreatment, Registered],
    ),
    (
        "interim",
        |advice, on| respond(advice, response(ResponseKind::Interim, on)),
        &[Received, InTreatment, Registered],
    ),
    ("merge", merge, &[Received, InTreatment]),
    ("forwarding", forward_to_cluster, &[Received, InTreatment]),
    ("forwarding outside", forward_outside, &[Received, InTreatment]),
    ("final response", answer, &[Received, InTreatment, Registered]),
    (
        "revised response",
        |advice, on| respond(advice, response(ResponseKind::Revised, on)),
        &[Answered, InFollowUp, Closed],
    ),
    ("follow-up", follow_up, &[Answered, InFollowUp]),
    ("rating", rate, &[Answered, InFollowUp, Closed]),
    ("closure", close, &[Answered, InFollowUp]),
];

#[test]
fn each_step_is_open_from_its_own_statuses_and_from_no_other() {
    for (name, step, open) in STEPS {
        for status in AdviceStatus::ALL {
            match step(in_status(*status), day("2026-05-01")) {
                Ok(_) => assert!(open.contains(status), "{name} is open from {status}"),
                Err(RuleError::Conflict { rule, .. }) => {
                    assert!(!open.contains(status), "{name} is refused from {status}: {rule}");
                    let expected =
                        if *name == "final response" && [Answered, InFollowUp, Closed].contains(status) {
                            "final-response-exists"
                        } else {
                            "transition-not-open"
                        };
                    assert_eq!(rule, expected, "{name} from {status}");
                }
                Err(other) => panic!("{name} from {status}: {other:?}"),
            }
        }
    }
}

#[test]
fn each_step_leads_to_its_status() {
    for status in AdviceStatus::ALL {
        assert_eq!(in_status(*status).status(), *status);
    }
    let leads_to = |step: StepOn, from| step(in_status(from), day("2026-05-01")).unwrap().status();
    assert_eq!(leads_to(answer, Received), Answered, "treatment may be skipped");
    assert_eq!(leads_to(close, Answered), Closed, "follow-up may be skipped");
    assert_eq!(leads_to(receive, Registered), Received);
    assert_eq!(leads_to(answer, Registered), Answered);
    assert_eq!(leads_to(adopt, Registered), Registered, "only receipt takes it out of the list");
    assert_eq!(leads_to(forward_to_cluster, Received), Received, "another cluster is the same process");
    assert_eq!(leads_to(forward_to_cluster, InTreatment), InTreatment);
    for from in [Draft, Adopted, Submitted, Received, Registered] {
        assert_eq!(leads_to(withdraw, from), Withdrawn);
    }
    for after in [rate, |advice, on| respond(advice, response(ResponseKind::Revised, on))] {
        assert_eq!(leads_to(after, Closed), Closed, "closed stays closed");
    }
}

#[test]
fn a_suspension_is_ended_only_while_the_advice_is_in_hand() {
    let suspended = || suspend(in_status(Received), day("2026-02-02")).unwrap();
    let treated = || treat(suspended(), day("2026-02-03")).unwrap();
    for advice in [suspended(), treated()] {
        assert_eq!(resume(advice, day("2026-02-09")).unwrap().suspensions[0].to, Some(day("2026-02-09")));
    }
    for ended in [answer, withdraw, merge, forward_outside] {
        let advice = ended(treated(), day("2026-02-10")).unwrap();
        assert_eq!(conflict(resume(advice, day("2026-02-11"))), "transition-not-open");
    }
}

#[test]
fn a_suspension_ends_once_and_after_it_began() {
    let suspended = || suspend(in_status(Received), day("2026-02-02")).unwrap();
    assert_eq!(faults(resume(suspended(), day("2026-02-02"))), fault("/to", "date.order"));
    assert_eq!(faults(resume(suspended(), day("2026-07-01"))), fault("/to", "date.future"));
    let ended = resume(suspended(), day("2026-02-09")).unwrap();
    assert_eq!(conflict(resume(ended, day("2026-02-10"))), "already-recorded");
    let none = of_cluster(suspended()).resume(part(99), SuspensionEnd { to: today() }, today());
    assert!(none.is_none());
}

#[test]
fn suspensions_do_not_overlap() {
    let suspended = suspend(in_status(Received), day("2026-02-02")).unwrap();
    assert_eq!(conflict(again(suspended.clone(), "2026-02-20")), "suspension-overlap");
    let ended = resume(suspended, day("2026-02-09")).unwrap();
    assert_eq!(conflict(again(ended.clone(), "2026-02-08")), "suspension-overlap");
    assert_eq!(again(ended, "2026-02-09").unwrap().suspensions.len(), 2);

    fn again(advice: Advice, from: &str) -> Changed {
        let body =
            SuspensionBody { from: day(from), decided_on: day(from), reason: "Nader onderzoek".to_owned() };
        of_cluster(advice).suspend(part(11), body, today())
    }
}

#[test]
fn a_ratification_may_come_any_time_after_adoption_and_once() {
    for status in [Adopted, Submitted, Received, InTreatment, Answered, InFollowUp, Closed] {
        let ratified = ratify(in_status(status), day("2026-01-27")).unwrap();
        assert_eq!(ratified.adoption.as_ref().unwrap().ratified_on, Some(day("2026-01-27")));
        assert_eq!(ratified.status(), status);
        assert_eq!(conflict(ratify(ratified, day("2026-01-28"))), "already-recorded");
    }
    for status in [Draft, Withdrawn, Registered] {
        assert_eq!(conflict(ratify(in_status(status), day("2026-01-27"))), "transition-not-open");
    }
    assert_eq!(faults(ratify(in_status(Adopted), day("2026-01-19"))), fault("/ratifiedOn", "date.order"));
}

#[test]
fn an_adoption_needs_more_votes_for_than_against() {
    let adoption = Adoption {
        meeting_on: day("2026-01-20"),
        quorum: true,
        votes_for: 3,
        votes_against: 3,
        ratified_on: Some(day("2026-01-19")),
    };
    assert_eq!(
        faults(coordinator(in_status(Draft)).adopt(adoption, today())),
        [("/ratifiedOn".to_owned(), "date.order"), ("/votesFor".to_owned(), "adoption.no_majority")]
    );
}

#[test]
fn a_draft_that_no_cosigner_was_shown_is_deleted() {
    let mut alone = text();
    alone.councils.cosigners.clear();
    let deleted = coordinator(draft(alone)).delete().unwrap();
    assert!(deleted.deleted);
    assert!(audience(&deleted).is_empty());
}

#[test]
fn a_draft_that_a_cosigner_was_shown_is_not_deleted_even_when_the_invitation_is_taken_back() {
    assert_eq!(conflict(coordinator(draft(text())).delete()), "shown-to-cosigner");
    let mut alone = text();
    alone.councils.cosigners.clear();
    let taken_back = coordinator(draft(text())).rewrite(alone.clone(), today()).unwrap();
    assert_eq!(conflict(coordinator(taken_back).delete()), "shown-to-cosigner");
    let invited_later = coordinator(draft(alone)).rewrite(text(), today()).unwrap();
    assert_eq!(conflict(coordinator(invited_later).delete()), "shown-to-cosigner");
}

/// Rule 6: what may be public is a received or listed advice, and neither is ever deleted.
#[test]
fn nothing_that_could_be_public_is_deleted() {
    let mut alone = text();
    alone.councils.cosigners.clear();
    for status in AdviceStatus::ALL.iter().filter(|status| **status != Draft) {
        assert_eq!(
            conflict(coordinator(lived(alone.clone(), *status)).delete()),
            "transition-not-open",
            "{status}"
        );
    }
    assert_eq!(conflict(publish(draft(alone))), "transition-not-open");
}

// The text.

#[test]
fn after_adoption_only_themes_level_and_references_change() {
    let changes: [(Rewrite, bool); 10] = [
        (|text| text.themes.clear(), true),
        (|text| text.level = Level::City, true),
        (|text| text.references.push(reference("26bb000124")), true),
        (|text| text.subject.push('!'), false),
        (|text| text.summary = Some("Kort".to_owned()), false),
        (|text| text.kind = AdviceKind::Letter, false),
        (|text| text.points[0].text.push('!'), false),
        (|text| text.councils.cosigners.clear(), false),
        (|text| text.letter_on = None, false),
        (|text| text.second_round_of = Some(advice_id(9)), false),
    ];
    for (change, also_later) in changes {
        let mut changed = text();
        change(&mut changed);
        let rewrite = |status| coordinator(in_status(status)).rewrite(changed.clone(), today());
        assert_eq!(rewrite(Draft).unwrap().text, changed);
        for status in [Adopted, Submitted, Received, InTreatment, Registered] {
            if also_later {
                assert_eq!(rewrite(status).unwrap().text, changed);
            } else {
                assert_eq!(conflict(rewrite(status)), "text-frozen", "{status}");
            }
        }
    }
}

#[test]
fn a_draft_with_doubles_names_each_of_them() {
    let mut doubles = text();
    doubles.points[1].number = 1;
    doubles.themes.push("mobility".parse().unwrap());
    doubles
        .references
        .push(Reference { url: Some("https://example.org".to_owned()), ..reference("26bb000123") });
    for code in ["rozenburg", "hoogvliet"] {
        doubles.councils.cosigners.push(Cosigner { council: council(code), signed_on: None });
    }
    doubles.letter_on = Some(day("2026-07-01"));
    doubles.listed_on = Some(day("1899-12-31"));
    assert_eq!(
        faults(Advice::draft(advice_id(1), doubles, Origin::Entered, today())),
        [
            ("/letterOn", "date.future"),
            ("/listedOn", "date.range"),
            ("/points/1/number", "duplicate"),
            ("/themes/1", "duplicate"),
            ("/references/1", "duplicate"),
            ("/councils/cosigners/1/council", "duplicate"),
            ("/councils/cosigners/2/council", "duplicate"),
        ]
        .map(|(location, code)| (location.to_owned(), code))
    );
}

#[test]
fn the_lead_stays_the_lead() {
    let mut other = text();
    other.councils.lead = council("delfshaven");
    assert_eq!(
        faults(coordinator(in_status(Draft)).rewrite(other, today())),
        fault("/councils/lead", "immutable")
    );
}

#[test]
fn nobody_signs_for_another_council() {
    let mut signed = text();
    signed.councils.cosigners[0].signed_on = Some(day("2026-01-20"));
    let location = "/councils/cosigners/0/signedOn";
    assert_eq!(
        faults(Advice::draft(advice_id(1), signed.clone(), Origin::Entered, today())),
        fault(location, "cosigner.signs_itself")
    );
    assert_eq!(
        faults(coordinator(in_status(Draft)).rewrite(signed, today())),
        fault(location, "cosigner.signs_itself")
    );
    let signed = cosign(in_status(Draft), day("2026-01-18")).unwrap();
    assert_eq!(
        faults(coordinator(signed).rewrite(text(), today())),
        fault(location, "cosigner.signs_itself"),
        "nor is a signature taken away"
    );
}

#[test]
fn each_council_signs_once_with_its_own_day() {
    let signed = cosign(in_status(Submitted), day("2026-02-03")).unwrap();
    assert_eq!(
        signed.text.councils.cosigners,
        [Cosigner { council: council("hoogvliet"), signed_on: Some(day("2026-02-03")) }]
    );
    assert_eq!(conflict(cosign(signed.clone(), day("2026-02-04"))), "already-recorded");

    let cosignature = |code: &str| Cosignature { council: council(code), signed_on: day("2026-02-05") };
    let uninvited = signatory(signed.clone(), "delfshaven").cosign(cosignature("delfshaven"), today());
    assert_eq!(uninvited.unwrap().text.councils.cosigners.len(), 2);
    let lead = signatory(signed.clone(), "rozenburg").cosign(cosignature("rozenburg"), today());
    assert_eq!(faults(lead), fault("/council", "duplicate"));
    assert_eq!(faults(cosign(in_status(Submitted), day("2026-07-01"))), fault("/signedOn", "date.future"));
}

#[test]
fn a_second_round_is_a_new_advice_that_points_to_the_old_one() {
    let second = AdviceText { second_round_of: Some(advice_id(7)), ..text() };
    assert_eq!(lived(second, Received).text.second_round_of, Some(advice_id(7)));
}

// Dates (rule 4).

#[test]
fn a_step_that_is_dated_before_the_one_before_it_is_refused() {
    let cases: [(AdviceStatus, StepOn, &str, &str); 15] = [
        (Adopted, submit, "2026-01-19", "/submittedOn"),
        (Submitted, receive, "2026-01-21", "/receivedOn"),
        (Received, treat, "2026-01-22", "/on"),
        (Received, extend, "2026-01-22", "/decidedOn"),
        (Received, merge, "2026-01-22", "/on"),
        (Received, forward_to_cluster, "2026-01-22", "/on"),
        (Received, forward_outside, "2026-01-22", "/on"),
        (Answered, follow_up, "2026-02-24", "/on"),
        (Answered, rate, "2026-02-24", "/on"),
        (Answered, close, "2026-02-24", "/on"),
        (InFollowUp, close, "2026-03-01", "/on"),
        (Adopted, withdraw, "2026-01-19", "/on"),
        (Submitted, withdraw, "2026-01-21", "/on"),
        (Received, withdraw, "2026-01-22", "/on"),
        (InTreatment, withdraw, "2026-02-01", "/on"),
    ];
    for (status, step, on, location) in cases {
        assert_eq!(faults(step(in_status(status), day(on))), fault(location, "date.order"), "{status} {on}");
        let next = day(on).succ_opt().unwrap();
        assert!(step(in_status(status), next).is_ok(), "the same day is in order: {status} {next}");
    }
}

#[test]
fn an_answer_before_receipt_is_refused() {
    let both = [("/decidedOn".to_owned(), "date.order"), ("/sentOn".to_owned(), "date.order")];
    assert_eq!(faults(answer(in_status(Received), day("2026-01-22"))), both);
    let interim = response(ResponseKind::Interim, day("2026-01-22"));
    assert_eq!(faults(respond(in_status(Received), interim)), both);
    assert!(answer(in_status(Received), day("2026-01-23")).is_ok());
}

#[test]
fn an_answer_sent_before_it_was_decided_is_refused() {
    let mut body = response(ResponseKind::Final, day("2026-02-25"));
    body.sent_on = Some(day("2026-02-24"));
    assert_eq!(faults(respond(in_status(Received), body)), fault("/sentOn", "date.order"));
}

#[test]
fn a_revised_response_follows_the_final_one() {
    let revised = response(ResponseKind::Revised, day("2026-02-24"));
    assert_eq!(faults(respond(in_status(Answered), revised)), fault("/sentOn", "date.order"));
    assert!(respond(in_status(Answered), response(ResponseKind::Revised, day("2026-02-25"))).is_ok());
}

#[test]
fn what_happened_is_never_dated_after_today_nor_outside_the_calendar() {
    for (name, step, open) in STEPS.iter().filter(|(name, _, _)| *name != "themes") {
        for status in *open {
            let refused = faults(step(in_status(*status), day("2026-07-01")));
            assert!(!refused.is_empty());
            assert!(refused.iter().all(|(_, code)| *code == "date.future"), "{name}: {refused:?}");
            assert!(step(in_status(*status), today()).is_ok(), "{name} may have happened today");
            let refused = faults(step(in_status(*status), day("1899-12-31")));
            assert!(refused.iter().any(|(_, code)| *code == "date.range"), "{name}: {refused:?}");
        }
    }
}

#[test]
fn a_planned_day_may_lie_ahead() {
    let planned = FollowUp {
        point: 1,
        state: FollowUpState::Planned,
        on: day("2026-03-02"),
        due_on: Some(day("2027-09-01")),
        agreement: Some("1.1.2".to_owned()),
        note: None,
    };
    let followed_up = of_cluster(in_status(Answered)).follow_up(planned, today()).unwrap();
    assert_eq!(followed_up.follow_up(1).unwrap().due_on, Some(day("2027-09-01")));
}

#[test]
fn letter_list_and_receipt_have_their_own_day() {
    let submission = Submission { submitted_on: day("2026-01-22"), letter_on: Some(day("2026-01-10")) };
    let mut undated = text();
    undated.letter_on = None;
    let submitted = coordinator(lived(undated, Adopted)).submit(submission, today()).unwrap();
    let receipt = Receipt { listed_on: Some(day("2026-01-30")), ..receipt(day("2026-01-23")) };
    let received = of_cluster(submitted).receive(receipt, &term::built_in_rules(), today()).unwrap();
    assert_eq!(received.text.letter_on, Some(day("2026-01-10")));
    assert_eq!(received.text.listed_on, Some(day("2026-01-30")));
    assert_eq!(received.term_facts().received_on, Some(day("2026-01-23")));
}
