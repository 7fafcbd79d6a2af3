//! The answer, the clock that it stops, and what follows (rules 1, 2, 3 and 5); publication.

use super::*;

#[test]
fn a_final_response_without_an_outcome_for_every_point_names_the_points() {
    let mut body = response(ResponseKind::Final, day("2026-02-25"));
    body.points.clear();
    let Err(RuleError::Invalid(errors)) = respond(in_status(Received), body) else { panic!() };
    let codes: Vec<_> = errors.iter().map(|error| (error.location.as_str(), error.code)).collect();
    assert_eq!(codes, [("/points", "response.outcome_missing"); 2]);
    assert!(errors[0].detail.contains("point 1") && errors[1].detail.contains("point 2"));
}

#[test]
fn a_final_response_without_reasons_names_the_points() {
    for outcome in PointOutcome::ALL {
        for reasons in [None, Some(""), Some("  \n")] {
            let mut body = response(ResponseKind::Final, day("2026-02-25"));
            body.points = vec![says(2, PointOutcome::Adopted, None), says(1, *outcome, reasons)];
            let answered = respond(in_status(Received), body);
            if *outcome == PointOutcome::Adopted {
                assert!(answered.is_ok());
                continue;
            }
            let Err(RuleError::Invalid(errors)) = answered else { panic!("{outcome} without reasons") };
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].location, "/points/1/reasons");
            assert_eq!(errors[0].code, "response.reasons_missing");
            assert!(errors[0].detail.contains("point 1"), "{}", errors[0].detail);
        }
    }
}

#[test]
fn a_final_response_at_city_level_without_considerations_is_refused() {
    for level in Level::ALL {
        let received = || lived(AdviceText { level: *level, ..text() }, Received);
        let mut body = response(ResponseKind::Final, day("2026-02-25"));
        let without = respond(received(), body.clone());
        if *level == Level::Neighbourhood {
            assert!(without.is_ok());
        } else {
            assert_eq!(faults(without), fault("/considerations", "response.considerations_missing"));
        }
        body.considerations = Some(considerations());
        assert!(respond(received(), body).is_ok());
    }
}

#[test]
fn a_revised_response_obeys_the_same_rules_for_the_points_it_speaks_of() {
    let city = AdviceText { level: Level::City, ..text() };
    let mut body = response(ResponseKind::Final, day("2026-02-25"));
    body.considerations = Some(considerations());
    let answered = || respond(lived(city.clone(), Received), body.clone()).unwrap();

    let mut revised = response(ResponseKind::Revised, day("2026-03-10"));
    revised.points = vec![says(1, PointOutcome::NeedsStudy, None)];
    assert_eq!(
        faults(respond(answered(), revised.clone())),
        [
            ("/points/0/reasons".to_owned(), "response.reasons_missing"),
            ("/considerations".to_owned(), "response.considerations_missing")
        ]
    );
    revised.points.clear();
    revised.considerations = Some(considerations());
    assert_eq!(faults(respond(answered(), revised)), fault("/points", "required"));
}

#[test]
fn all_that_is_wrong_with_a_response_is_said_at_once() {
    let mut body = response(ResponseKind::Final, day("2026-02-25"));
    body.decided_on = None;
    body.sent_on = Some(day("2026-07-01"));
    body.points = vec![
        says(1, PointOutcome::NotAdopted, None),
        says(1, PointOutcome::Adopted, None),
        says(9, PointOutcome::Adopted, None),
    ];
    body.considerations = Some(Considerations { shared_on: Some(day("2026-07-02")), ..considerations() });
    assert_eq!(
        faults(respond(in_status(Received), body)),
        [
            ("/decidedOn", "required"),
            ("/sentOn", "date.future"),
            ("/considerations/sharedOn", "date.future"),
            ("/points/1/number", "duplicate"),
            ("/points/2/number", "response.no_such_point"),
            ("/points", "response.outcome_missing"),
            ("/points/0/reasons", "response.reasons_missing"),
        ]
        .map(|(location, code)| (location.to_owned(), code))
    );
}

#[test]
fn a_final_and_a_revised_response_need_both_days_and_the_others_none() {
    for (kind, status) in [
        (ResponseKind::Acknowledgement, Received),
        (ResponseKind::Interim, Received),
        (ResponseKind::Final, Received),
        (ResponseKind::Revised, Answered),
    ] {
        let mut body = response(kind, day("2026-03-01"));
        (body.decided_on, body.sent_on) = (None, None);
        let undated = respond(in_status(status), body);
        if matches!(kind, ResponseKind::Final | ResponseKind::Revised) {
            assert_eq!(
                faults(undated),
                [("/decidedOn".to_owned(), "required"), ("/sentOn".to_owned(), "required")]
            );
        } else {
            assert_eq!(undated.unwrap().status(), status);
        }
    }
}

#[test]
fn only_a_final_or_revised_response_gives_outcomes() {
    let mut body = response(ResponseKind::Interim, day("2026-02-25"));
    body.points = vec![says(1, PointOutcome::Adopted, None)];
    assert_eq!(faults(respond(in_status(Received), body)), fault("/points", "response.no_outcome_yet"));
}

#[test]
fn the_cluster_gives_no_final_response_and_the_college_no_acknowledgement() {
    let body = |kind| NewResponse {
        id: part(30),
        recorded_at: moment("2026-11-23T11:00:00Z"),
        body: response(kind, day("2026-02-25")),
    };
    for kind in [ResponseKind::Final, ResponseKind::Revised] {
        let refused = of_cluster(in_status(Received)).respond(body(kind), today());
        assert_eq!(faults(refused), fault("/kind", "response.kind"));
    }
    for kind in [ResponseKind::Acknowledgement, ResponseKind::Interim] {
        let refused = college(in_status(Received)).respond(body(kind), today());
        assert_eq!(faults(refused), fault("/kind", "response.kind"));
    }
}

#[test]
fn only_a_final_response_stops_the_clock() {
    let mut advice = in_status(Received);
    for kind in [ResponseKind::Acknowledgement, ResponseKind::Interim] {
        advice = respond(advice, response(kind, day("2026-02-01"))).unwrap();
        assert_eq!(advice.status(), Received);
        assert_eq!(term_state(&advice, "2026-03-09"), TermState::Late);
    }
    let in_time = answer(advice.clone(), day("2026-03-06")).unwrap();
    assert_eq!(term_state(&in_time, "2026-03-09"), TermState::AnsweredInTime);
    let late = answer(advice, day("2026-03-07")).unwrap();
    assert_eq!(term_state(&late, "2026-03-09"), TermState::AnsweredLate);
}

#[test]
fn the_answered_day_is_the_day_it_was_sent_and_not_the_day_it_was_decided() {
    let mut body = response(ResponseKind::Final, day("2026-03-06"));
    body.sent_on = Some(day("2026-03-09"));
    let answered = respond(in_status(Received), body).unwrap();
    assert_eq!(term_state(&answered, "2026-03-31"), TermState::AnsweredLate);
}

#[test]
fn a_final_response_closes_an_open_suspension() {
    let suspended = || suspend(in_status(Received), day("2026-02-10")).unwrap();
    let answered = answer(suspended(), day("2026-02-25")).unwrap();
    assert_eq!(answered.suspensions[0].to, Some(day("2026-02-25")));
    assert_eq!(term_state(&answered, "2026-06-30"), TermState::AnsweredInTime);
    assert_eq!(faults(answer(suspended(), day("2026-02-09"))), fault("/sentOn", "date.order"));

    let resumed = resume(suspended(), day("2026-02-12")).unwrap();
    let answered = answer(resumed, day("2026-02-25")).unwrap();
    assert_eq!(answered.suspensions[0].to, Some(day("2026-02-12")), "one that had ended stays as it is");
}

#[test]
fn an_extension_decided_late_is_kept_and_void() {
    let timely = extend(in_status(Received), day("2026-03-06")).unwrap();
    assert!(term::void_extensions(&timely.term_facts()).is_empty());
    assert_eq!(term_state(&timely, "2026-03-09"), TermState::Running);

    let late = extend(in_status(Received), day("2026-03-07")).unwrap();
    assert_eq!(late.extensions.len(), 1);
    assert_eq!(term::void_extensions(&late.term_facts()), [part(20)]);
    assert_eq!(term_state(&late, "2026-03-09"), TermState::Late);
    let answered = answer(late, day("2026-03-10")).unwrap();
    assert_eq!(term_state(&answered, "2026-03-31"), TermState::AnsweredLate);
}

#[test]
fn a_suspension_decided_late_is_kept_and_void() {
    let late = suspend(in_status(Received), day("2026-03-07")).unwrap();
    assert_eq!(late.suspensions.len(), 1);
    assert_eq!(term::void_suspensions(&late.term_facts()), [part(10)]);
    assert_eq!(term_state(&late, "2026-03-09"), TermState::Late);
}

#[test]
fn where_no_norm_applies_there_is_no_term_to_extend() {
    let letter = lived(AdviceText { kind: AdviceKind::Letter, ..text() }, Received);
    assert_eq!(term_state(&letter, "2026-06-30"), TermState::NoNorm);
    assert_eq!(conflict(extend(letter, day("2026-02-01"))), "no-norm");
}

#[test]
fn a_revised_response_replaces_point_by_point() {
    let answered = in_status(Answered);
    assert_eq!(answered.outcome(), Some(Outcome::PartlyAdopted));
    let revised = respond(answered, response(ResponseKind::Revised, day("2026-03-10"))).unwrap();
    assert_eq!(revised.point_response(1).unwrap().outcome, PointOutcome::Adopted);
    assert_eq!(revised.point_response(2).unwrap().outcome, PointOutcome::Adopted);
    assert_eq!(revised.outcome(), Some(Outcome::Adopted));
    assert_eq!(
        revised.final_response().unwrap().points[1].outcome,
        PointOutcome::NotAdopted,
        "what was said first stays readable"
    );
}

proptest! {
    #[test]
    fn a_revised_response_never_changes_the_term(
        answered in 0..120_i64, later in 0..30_i64, on in 0..400_i64,
    ) {
        let received_on = day("2026-01-23");
        let sent_on = received_on + chrono::Days::new(answered.unsigned_abs());
        let revised_on = sent_on + chrono::Days::new(later.unsigned_abs());
        let on = received_on + chrono::Days::new(on.unsigned_abs());
        let answered = answer(in_status(Received), sent_on).unwrap();
        let before = term::explain(&answered.term_facts(), on);
        let revised = respond(answered, response(ResponseKind::Revised, revised_on)).unwrap();
        prop_assert_eq!(before, term::explain(&revised.term_facts(), on));
    }

    #[test]
    fn the_outcome_follows_from_the_points_whatever_their_order(
        mut points in prop::collection::vec(prop::sample::select(PointOutcome::ALL), 0..6)
    ) {
        let outcome = derive_outcome(&points);
        let adopted =
            |point: &PointOutcome| matches!(point, PointOutcome::Adopted | PointOutcome::PartlyAdopted);
        match points.first() {
            None => prop_assert_eq!(outcome, None),
            Some(first) if points.iter().all(|point| point == first) => {
                prop_assert_eq!(outcome.unwrap().as_str(), first.as_str());
            }
            Some(_) if points.iter().any(adopted) => prop_assert_eq!(outcome, Some(Outcome::PartlyAdopted)),
            Some(_) => prop_assert_eq!(outcome, Some(Outcome::Mixed)),
        }
        points.reverse();
        prop_assert_eq!(derive_outcome(&points), outcome);
    }
}

#[test]
fn without_a_final_response_or_points_there_is_no_outcome() {
    for status in [Draft, Adopted, Submitted, Received, InTreatment, Withdrawn, Merged, Forwarded, Registered]
    {
        assert_eq!(in_status(status).outcome(), None);
    }
    let pointless = lived(AdviceText { points: vec![], ..text() }, Received);
    let mut body = response(ResponseKind::Final, day("2026-02-25"));
    body.points.clear();
    let answered = respond(pointless, body).unwrap();
    assert_eq!(answered.status(), Answered);
    assert_eq!(answered.outcome(), None);
}

// Receipt (rule 5).

#[test]
fn a_new_term_rule_touches_only_what_is_received_from_its_first_day_on() {
    let days = |on: &str| {
        let received =
            of_cluster(in_status(Submitted)).receive(receipt(day(on)), &changing_rules(), today()).unwrap();
        received.received.as_ref().unwrap().rule.days
    };
    assert_eq!(days("2026-01-31"), Some(42));
    assert_eq!(days("2026-02-01"), Some(56));
}

#[test]
fn the_term_rule_and_the_portfolio_holder_are_frozen_at_receipt() {
    let holder = OfficeHolderId(Uuid::from_u128(5));
    let receipt = Receipt { portfolio_holder: Some(holder), ..receipt(day("2026-01-23")) };
    let mut advice =
        of_cluster(in_status(Submitted)).receive(receipt, &term::built_in_rules(), today()).unwrap();
    let frozen = advice.received.clone().unwrap();
    assert_eq!(frozen.portfolio_holder, Some(holder));
    advice = forward_to_cluster(advice, day("2026-01-30")).unwrap();
    advice = treat(advice, day("2026-02-02")).unwrap();
    advice = answer(advice, day("2026-02-25")).unwrap();
    let now = advice.received.clone().unwrap();
    assert_eq!(
        now,
        parts::Received { cluster: cluster("mo"), first_cluster: Some(frozen.cluster.clone()), ..frozen }
    );
}

#[test]
fn two_equally_narrow_rules_are_settled_by_the_receipt_that_names_one() {
    let rules = [rule(1, 42, "2020-01-01", None), rule(2, 56, "2020-01-01", None)];
    let receive = |named: Option<u128>| {
        let named = named.map(|number| TermRuleId(Uuid::from_u128(number)));
        let reason = named.map(|_| "de raad vroeg erom".to_owned());
        let receipt = Receipt { rule: named, reason, ..receipt(day("2026-01-23")) };
        of_cluster(in_status(Submitted)).receive(receipt, &rules, today())
    };
    assert_eq!(conflict(receive(None)), "term-rule-ambiguous");
    assert_eq!(receive(Some(2)).unwrap().received.as_ref().unwrap().rule.days, Some(56));
    assert_eq!(faults(receive(Some(3))), fault("/rule", "term_rule.not_valid"));
}

// Other ends: merging, forwarding, withdrawing.

#[test]
fn an_advice_is_not_merged_into_itself_nor_into_one_that_has_ended() {
    let into = |target: Advice| {
        let merge = Merge { into: target.id, on: day("2026-02-10"), reason: None };
        of_cluster(in_status(Received)).merge(merge, &target, today())
    };
    assert_eq!(faults(into(in_status(Received))), fault("/into", "merge.itself"));
    for status in [Withdrawn, Merged, Forwarded] {
        let ended = AdviceRecord { id: advice_id(2), ..in_status(status).into_record() };
        assert_eq!(conflict(into(Advice::restore(ended))), "merge-target-ended");
    }
    let other = AdviceRecord { id: advice_id(2), ..in_status(InTreatment).into_record() };
    assert_eq!(into(Advice::restore(other)).unwrap().merge.as_ref().unwrap().into, advice_id(2));
}

#[test]
fn a_forwarding_names_one_target_and_another_one() {
    let forward = |cluster: Option<ClusterCode>, body: Option<&str>| {
        let forwarding =
            Forwarding { on: day("2026-02-10"), cluster, body: body.map(str::to_owned), reason: None };
        of_cluster(in_status(Received)).forward(forwarding, today())
    };
    assert_eq!(faults(forward(None, None)), fault("/cluster", "forwarding.one_target"));
    assert_eq!(
        faults(forward(Some(cluster("mo")), Some("Waterschap"))),
        fault("/cluster", "forwarding.one_target")
    );
    assert_eq!(conflict(forward(Some(cluster("so")), None)), "already-recorded");
    assert_eq!(forward(Some(cluster("mo")), None).unwrap().cluster(), Some(&cluster("mo")));
}

#[test]
fn an_end_stops_the_clock_but_never_makes_a_late_answer_timely() {
    for end in [withdraw, merge, forward_outside] {
        let timely = end(in_status(InTreatment), day("2026-03-06")).unwrap();
        assert_eq!(term_state(&timely, "2026-06-30"), TermState::Ended);
        let late = end(in_status(InTreatment), day("2026-03-09")).unwrap();
        assert_eq!(term_state(&late, "2026-06-30"), TermState::Late);
    }
}

// After the answer.

#[test]
fn only_an_adopted_point_is_followed_up() {
    for outcome in PointOutcome::ALL {
        let mut body = response(ResponseKind::Final, day("2026-02-25"));
        body.points =
            vec![says(1, *outcome, Some("Omdat.")), says(2, PointOutcome::NotCompetent, Some("Omdat."))];
        let followed_up = follow_up(respond(in_status(Received), body).unwrap(), day("2026-03-02"));
        if matches!(outcome, PointOutcome::Adopted | PointOutcome::PartlyAdopted) {
            assert_eq!(followed_up.unwrap().status(), InFollowUp);
        } else {
            assert_eq!(faults(followed_up), fault("/point", "follow_up.not_adopted"));
        }
    }
}

#[test]
fn a_point_that_a_revised_response_adopts_is_followed_up() {
    let point_2 = |advice| {
        let (on, state) = (day("2026-03-20"), FollowUpState::Running);
        let follow_up = FollowUp { point: 2, state, on, due_on: None, agreement: None, note: None };
        of_cluster(advice).follow_up(follow_up, today())
    };
    assert_eq!(faults(point_2(in_status(Answered))), fault("/point", "follow_up.not_adopted"));
    let revised = respond(in_status(Answered), response(ResponseKind::Revised, day("2026-03-10"))).unwrap();
    assert_eq!(point_2(revised).unwrap().follow_up(2).unwrap().state, FollowUpState::Running);
}

#[test]
fn the_lead_and_the_cosigners_rate_and_no_other_council() {
    let rate = |code: &str| {
        let rating = Rating { council: council(code), on: day("2026-05-01"), score: 2, note: None };
        signatory(in_status(Closed), code).rate(rating, today())
    };
    for code in ["rozenburg", "hoogvliet"] {
        assert_eq!(rate(code).unwrap().ratings[0].council, council(code));
    }
    assert_eq!(faults(rate("delfshaven")), fault("/council", "council.not_signatory"));
}

// Publication.

#[test]
fn publication_is_open_from_receipt_or_registration_on_and_never_automatic() {
    for status in [Received, InTreatment, Answered, InFollowUp, Closed, Withdrawn, Forwarded] {
        let advice = in_status(status);
        assert!(!advice.is_published());
        assert!(publish(advice).unwrap().is_published(), "{status}");
    }
    for status in [Draft, Adopted, Submitted] {
        assert_eq!(conflict(publish(in_status(status))), "transition-not-open");
        let withdrawn = withdraw(in_status(status), day("2026-02-10")).unwrap();
        assert_eq!(conflict(publish(withdrawn)), "transition-not-open", "withdrawn from {status}");
    }
    assert!(in_status(Registered).is_published(), "the portal published it");
}

#[test]
fn a_withdrawn_publication_leaves_its_reason_and_its_moment() {
    let published = publish(in_status(Answered)).unwrap();
    assert_eq!(conflict(publish(published.clone())), "already-recorded");
    let unpublished = unpublish(published).unwrap();
    assert_eq!(
        unpublished.publication,
        Publication {
            state: PublicationState::Withdrawn,
            published_at: Some(moment("2026-06-10T09:00:00Z")),
            first_published_at: None,
            withdrawn_at: Some(moment("2026-06-20T09:00:00Z")),
            reason: Some("Er stond een adres in.".to_owned()),
        }
    );
    assert_eq!(conflict(unpublish(unpublished.clone())), "not-published");
    assert!(publish(unpublished).unwrap().is_published(), "it may be published again");
    assert_eq!(conflict(unpublish(in_status(Answered))), "not-published");
}

#[test]
fn what_is_withdrawn_by_its_council_stays_public() {
    let published = publish(in_status(InTreatment)).unwrap();
    let withdrawn = withdraw(published, day("2026-02-10")).unwrap();
    assert!(withdrawn.is_published());
    assert_eq!(Caller::default().view(&withdrawn), Some(View::Public));
}
