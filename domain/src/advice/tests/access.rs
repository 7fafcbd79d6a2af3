//! Who sees what of an advice, and in whose hands it comes (section 8 of the design).

use super::corrections::of_part;
use super::every_life::{any_day, any_life};
use super::*;

/// How much each caller sees of an advice of rozenburg, with hoogvliet invited, received by cluster so.
/// `-` nothing, `p` what is public, `o` as its own, `i` all. The columns, in order: draft, adopted, submitted;
/// from receipt on unpublished, published, publication withdrawn; registered published, unpublished;
/// withdrawn before submission; deleted draft.
#[rustfmt::skip]
fn access_matrix() -> Vec<(&'static str, Caller, &'static str)> {
    use Scope::{
        AdviceWrite, AuditRead, Import, InternalRead, JudgementsWrite, PlansWrite, ProgressWrite, Publish,
        RegistryWrite, ResponsesWrite, TreatmentWrite,
    };
    let all_scopes: Vec<Scope> = Scope::ALL.iter().map(|(scope, _, _)| *scope).collect();
    let nothing_here = [AuditRead, Import, JudgementsWrite, PlansWrite, ProgressWrite, RegistryWrite];
    vec![
        ("anonymous",                       Caller::default(),                                               "--- -p- p- - -"),
        ("audit:read and other registers",  with_scopes(&nothing_here, Grant::All, Grant::All),              "--- -p- p- - -"),
        ("audit:read alone",                with_scopes(&[AuditRead], none(), none()),                       "--- -p- p- - -"),
        ("internal:read, no grants",        with_scopes(&[InternalRead], none(), none()),                    "--- -p- p- - -"),
        ("internal:read, lead",             with_scopes(&[InternalRead], only("rozenburg"), none()),         "iii iii ii i -"),
        ("internal:read, invited",          with_scopes(&[InternalRead], only("hoogvliet"), none()),         "iii iii ii i -"),
        ("internal:read, other council",    with_scopes(&[InternalRead], only("delfshaven"), none()),        "--- -p- p- - -"),
        ("internal:read, all councils",     with_scopes(&[InternalRead], Grant::All, none()),                "iii iii ii i -"),
        ("internal:read, own cluster",      with_scopes(&[InternalRead], none(), only("so")),                "--- iii p- - -"),
        ("internal:read, other cluster",    with_scopes(&[InternalRead], none(), only("mo")),                "--- -p- p- - -"),
        ("internal:read, all clusters",     with_scopes(&[InternalRead], none(), Grant::All),                "--i iii ii - -"),
        ("advice:write, no grants",         with_scopes(&[AdviceWrite], none(), Grant::All),                 "--- -p- p- - -"),
        ("advice:write, lead",              with_scopes(&[AdviceWrite], only("rozenburg"), none()),          "ooo ooo oo o -"),
        ("advice:write, invited",           with_scopes(&[AdviceWrite], only("hoogvliet"), none()),          "ooo ooo oo o -"),
        ("advice:write, other council",     with_scopes(&[AdviceWrite], only("delfshaven"), none()),         "--- -p- p- - -"),
        ("advice:write, all councils",      with_scopes(&[AdviceWrite], Grant::All, none()),                 "ooo ooo oo o -"),
        ("treatment:write, no grants",      with_scopes(&[TreatmentWrite], Grant::All, none()),              "--i -p- ii - -"),
        ("treatment:write, own cluster",    with_scopes(&[TreatmentWrite], none(), only("so")),              "--i iii ii - -"),
        ("treatment:write, other cluster",  with_scopes(&[TreatmentWrite], none(), only("mo")),              "--i -p- ii - -"),
        ("treatment:write, all clusters",   with_scopes(&[TreatmentWrite], none(), Grant::All),              "--i iii ii - -"),
        ("responses:write",                 with_scopes(&[ResponsesWrite], none(), none()),                  "--- iii ii - -"),
        ("publish",                         with_scopes(&[Publish], none(), none()),                         "--- ooo oo - -"),
        ("publish and responses:write",     with_scopes(&[Publish, ResponsesWrite], none(), none()),         "--- iii ii - -"),
        ("publish and advice:write, lead",  with_scopes(&[Publish, AdviceWrite], only("rozenburg"), none()), "ooo ooo oo o -"),
        ("every scope, no grants",          with_scopes(&all_scopes, none(), none()),                        "--i iii ii - -"),
        ("every scope, every grant",        anybody(),                                                       "iii iii ii i -"),
    ]
}

#[test]
fn each_caller_sees_as_much_as_the_access_matrix_says() {
    let columns = |from_receipt_on: AdviceStatus| {
        let mut alone = text();
        alone.councils.cosigners.clear();
        let received = in_status(from_receipt_on);
        [
            in_status(Draft),
            in_status(Adopted),
            in_status(Submitted),
            received.clone(),
            publish(received.clone()).unwrap(),
            unpublish(publish(received).unwrap()).unwrap(),
            in_status(Registered),
            unpublish(in_status(Registered)).unwrap(),
            withdraw(in_status(Adopted), day("2026-02-10")).unwrap(),
            coordinator(draft(alone)).delete().unwrap(),
        ]
    };
    for status in [Received, InTreatment, Answered, InFollowUp, Closed, Withdrawn, Forwarded] {
        let columns = columns(status);
        for (name, caller, expected) in access_matrix() {
            let mut seen: String = columns
                .iter()
                .map(|advice| match caller.view(advice) {
                    None => '-',
                    Some(View::Public) => 'p',
                    Some(View::Own) => 'o',
                    Some(View::Internal) => 'i',
                })
                .collect();
            for gap in [3, 7, 10, 12] {
                seen.insert(gap, ' ');
            }
            assert_eq!(seen, expected, "{name}, {status}");
        }
    }
}

#[test]
fn a_forwarded_advice_is_seen_by_the_cluster_that_has_it_now() {
    let forwarded = forward_to_cluster(in_status(Received), day("2026-02-10")).unwrap();
    let of = |code| with_scopes(&[Scope::TreatmentWrite], none(), only(code));
    assert_eq!(of("mo").view(&forwarded), Some(View::Internal));
    assert_eq!(of("so").view(&forwarded), None);
    assert!(of("mo").as_cluster(forwarded.clone()).is_ok());
    assert_eq!(of("so").as_cluster(forwarded).unwrap_err(), Refusal::NotYours);
}

#[test]
fn each_hand_needs_its_scope_and_its_grant() {
    let advice = || in_status(Received);
    let scope = |scope, councils, clusters| with_scopes(&[scope], councils, clusters);
    let coordinator = |councils| scope(Scope::AdviceWrite, councils, none()).as_coordinator(advice()).err();
    assert_eq!(coordinator(only("rozenburg")), None);
    assert_eq!(coordinator(Grant::All), None);
    assert_eq!(coordinator(only("hoogvliet")), Some(Refusal::NotYours), "an invited council does not lead");
    assert_eq!(coordinator(none()), Some(Refusal::NotYours));

    let signatory = |councils| {
        scope(Scope::AdviceWrite, councils, none()).as_signatory(advice(), council("hoogvliet")).err()
    };
    assert_eq!(signatory(only("hoogvliet")), None);
    assert_eq!(signatory(only("rozenburg")), Some(Refusal::NotYours), "the lead does not sign for another");

    let cluster = |advice, clusters| scope(Scope::TreatmentWrite, none(), clusters).as_cluster(advice).err();
    assert_eq!(cluster(advice(), only("so")), None);
    assert_eq!(cluster(advice(), only("mo")), Some(Refusal::NotYours));
    assert_eq!(cluster(in_status(Submitted), only("mo")), None, "before receipt it is of no cluster yet");
    assert_eq!(cluster(in_status(Submitted), none()), Some(Refusal::NotYours));

    for (own, _, _) in Scope::ALL {
        let caller = scope(*own, Grant::All, Grant::All);
        let lacks = |needed: Scope| (*own != needed).then_some(Refusal::Scope(needed));
        assert_eq!(caller.as_coordinator(advice()).err(), lacks(Scope::AdviceWrite));
        assert_eq!(caller.as_signatory(advice(), council("hoogvliet")).err(), lacks(Scope::AdviceWrite));
        assert_eq!(caller.as_cluster(advice()).err(), lacks(Scope::TreatmentWrite));
        assert_eq!(caller.as_college(advice()).err(), lacks(Scope::ResponsesWrite));
        assert_eq!(caller.as_publisher(advice()).err(), lacks(Scope::Publish));
    }
}

#[test]
fn a_claim_grants_what_it_names_and_nothing_by_accident() {
    let claim = |codes: &[&str]| -> Grant<CouncilCode> {
        Grant::from_claim(&codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(claim(&[]), Grant::default());
    assert_eq!(claim(&["**", "", "Rozenburg", "hoog vliet"]), Grant::default());
    assert_eq!(claim(&["rozenburg", "*"]), Grant::All);
    assert!(claim(&["rozenburg", "?"]).covers(&council("rozenburg")));
    assert!(!claim(&["rozenburg"]).covers(&council("hoogvliet")));
    for (scope, spelled, _) in Scope::ALL {
        assert_eq!(spelled.parse(), Ok(*scope));
    }
    assert_eq!("internal:READ".parse::<Scope>(), Err(()));
}

/// Every part that an advice can have, each with a reason or note that is not public; 31 is not sent.
fn with_secrets(end: StepOn) -> Advice {
    let mut advice = publish(in_status(InTreatment)).unwrap();
    advice = suspend(advice, day("2026-02-03")).unwrap();
    advice = resume(advice, day("2026-02-04")).unwrap();
    advice = extend(advice, day("2026-02-05")).unwrap();
    advice = forward_to_cluster(advice, day("2026-02-05")).unwrap();
    advice = respond(advice, response(ResponseKind::Acknowledgement, day("2026-02-05"))).unwrap();
    let mut unsent = response(ResponseKind::Interim, day("2026-02-06"));
    unsent.sent_on = None;
    unsent.text = Some("UNSENT text".to_owned());
    unsent.considerations = Some(Considerations { shared_on: Some(day("2026-02-06")), ..considerations() });
    advice = respond(advice, unsent).unwrap();
    advice = correct(advice, &of_part("responses", 31, "decidedOn"), words("2026-02-05")).unwrap();
    advice = correct(advice, "submittedOn", words("2026-01-21")).unwrap();
    advice = end(advice, day("2026-02-25")).unwrap();
    correct(advice, "subject", words("Oversteek")).unwrap()
}

fn answered_and_rated(advice: Advice, on: NaiveDate) -> Changed {
    rate(follow_up(answer(advice, on)?, on)?, on)
}

#[test]
fn the_public_reads_no_reason_rating_note_invitation_or_unsent_response() {
    for end in [answered_and_rated, withdraw, merge, forward_outside] {
        let advice = with_secrets(end);
        let all = format!("{:?} {:?}", *advice, advice.timeline());
        let public = project(&advice, View::Public);
        let shown = format!("{public:?} {:?} {:?}", public.timeline(), public.data_issues());
        let unsent = part(31).to_string();
        for hidden in ["SECRET", "UNSENT", "hoogvliet", "Oversteek bij de school", unsent.as_str()] {
            assert!(all.contains(hidden), "{hidden} is there to hide");
            assert!(!shown.contains(hidden), "{hidden} is hidden: {shown}");
        }
        assert!(public.ratings.is_empty());
        assert!(!public.shown_to_cosigner);
        assert_eq!(public.responses[0].kind, ResponseKind::Acknowledgement, "what was sent is shown");
        let corrected: Vec<_> =
            public.corrections.iter().map(|correction| correction.field.as_str()).collect();
        assert_eq!(corrected, ["submittedOn", "subject"]);
    }
}

#[test]
fn a_council_reads_all_of_its_own_advice_but_a_response_that_was_not_sent() {
    let advice = with_secrets(answered_and_rated);
    let own = project(&advice, View::Own);
    let shown = format!("{own:?} {:?} {:?}", own.timeline(), own.data_issues());
    let unsent = part(31).to_string();
    for hidden in ["UNSENT", unsent.as_str()] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert!(own.timeline().iter().all(|entry| entry.event != "considerations"));
    for shared in ["SECRET suspension", "SECRET rating", "hoogvliet"] {
        assert!(shown.contains(shared), "{shared}");
    }
    assert_eq!(project(&advice, View::Internal), advice.into_record());
}

#[test]
fn a_cosigner_is_public_once_it_signed() {
    let councils = |advice: &Advice| -> Vec<String> {
        project(advice, View::Public).councils().map(ToString::to_string).collect()
    };
    let invited = publish(in_status(Received)).unwrap();
    assert_eq!(councils(&invited), ["rozenburg"]);
    assert_eq!(councils(&cosign(invited, day("2026-02-03")).unwrap()), ["rozenburg", "hoogvliet"]);
    assert_eq!(councils(&in_status(Registered)), ["rozenburg", "hoogvliet"], "a list gives no day");
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let scopes: Vec<Scope> = Scope::ALL.iter().map(|(scope, _, _)| *scope).collect();
    fn any_grant<C>(codes: &'static [&'static str]) -> impl Strategy<Value = Grant<C>>
    where
        C: Ord + Clone + std::fmt::Debug + std::str::FromStr,
    {
        prop::sample::subsequence(codes, 0..=codes.len())
            .prop_map(|codes| Grant::from_claim(&codes.into_iter().map(str::to_owned).collect::<Vec<_>>()))
    }
    (
        prop::sample::subsequence(scopes, 0..4),
        any_grant(&["*", "rozenburg", "hoogvliet", "delfshaven"]),
        any_grant(&["*", "so", "mo"]),
    )
        .prop_map(|(scopes, councils, clusters)| with_scopes(&scopes, councils, clusters))
}

proptest! {
    #[test]
    fn who_holds_a_key_of_an_item_sees_it_and_nobody_else(caller in any_caller(), advice in any_life()) {
        let hung_out: BTreeSet<AudienceKey> = audience(&advice);
        let opened: Vec<View> =
            caller.keys().into_iter().filter(|(key, _)| hung_out.contains(key)).map(|key| key.1).collect();
        prop_assert_eq!(caller.view(&advice).is_some(), !opened.is_empty());
        prop_assert_eq!(caller.view(&advice), opened.into_iter().max());
        prop_assert_eq!(caller.view(&advice).is_some() || !advice.is_published(), true);
    }

    #[test]
    fn another_scope_or_grant_never_shows_less(
        caller in any_caller(), more in any_caller(), advice in any_life(),
    ) {
        fn both<C: Ord + Clone>(one: &Grant<C>, other: &Grant<C>) -> Grant<C> {
            match (one, other) {
                (Grant::Only(one), Grant::Only(other)) => Grant::Only(one | other),
                _ => Grant::All,
            }
        }
        let together = Caller {
            scopes: &caller.scopes | &more.scopes,
            councils: both(&caller.councils, &more.councils),
            clusters: both(&caller.clusters, &more.clusters),
            ..caller.clone()
        };
        prop_assert!(together.view(&advice) >= caller.view(&advice).max(more.view(&advice)));
    }

    #[test]
    fn who_may_change_an_advice_in_hand_may_see_it(caller in any_caller(), advice in any_life()) {
        let changes = caller.as_coordinator(advice.clone()).is_ok()
            || (advice.cluster().is_some() && caller.as_cluster(advice.clone()).is_ok())
            || (advice.may_be_published() && caller.as_college(advice.clone()).is_ok())
            || (advice.may_be_published() && caller.as_publisher(advice.clone()).is_ok());
        prop_assert!(!changes || caller.view(&advice) >= Some(View::Own));
    }

    #[test]
    fn a_narrower_view_is_the_same_from_all_and_from_a_wider_view(advice in any_life()) {
        let public = project(&advice, View::Public);
        let own = project(&advice, View::Own);
        prop_assert_eq!(&project(&own, View::Public), &public);
        prop_assert_eq!(&project(&public, View::Public), &public);
        prop_assert_eq!(&project(&own, View::Own), &own);
    }

    #[test]
    fn status_outcome_and_term_are_the_same_in_every_view(advice in any_life(), on in any_day()) {
        for view in [View::Public, View::Own] {
            let seen = project(&advice, view);
            prop_assert_eq!(seen.status(), advice.status());
            prop_assert_eq!(seen.outcome(), advice.outcome());
            prop_assert_eq!(seen.is_published(), advice.is_published());
            prop_assert_eq!(seen.data_issues(), advice.data_issues());
            prop_assert_eq!(term::explain(&seen.term_facts(), on), term::explain(&advice.term_facts(), on));
        }
    }
}
