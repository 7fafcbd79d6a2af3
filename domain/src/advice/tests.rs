//! What holds for an advice. Here the one life that all tests look at, and its steps; the tests stand in the
//! files below.

mod access;
mod answer;
mod corrections;
mod every_life;
mod imported;
mod process;
mod regressions;

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::access::{AudienceKey, Caller, Grant, Refusal, Scope, View, audience, project};
use crate::codes::{AdviceKind, FollowUpState, InterestDirection, ResponseBy, TermState};
use crate::error::RuleError;
use crate::ids::{OfficeHolderId, PartId, TermRuleId};
use crate::term::{self, TermRule};

use AdviceStatus::{
    Adopted, Answered, Closed, Draft, Forwarded, InFollowUp, InTreatment, Merged, Received, Registered,
    Submitted, Withdrawn,
};

type Changed = Result<Advice, RuleError>;
type Step = (&'static str, StepOn, &'static [AdviceStatus]);
type StepOn = fn(Advice, NaiveDate) -> Changed;

// One life of an advice. Its days: adopted 20 January, submitted 22, received 23, treated 2 February,
// answered 25 February, followed up 2 March, closed 1 April; all of 2026. Its deadline is Friday 6 March.

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    day("2026-06-30")
}

fn moment(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

fn council(code: &str) -> CouncilCode {
    code.parse().unwrap()
}

fn cluster(code: &str) -> ClusterCode {
    code.parse().unwrap()
}

fn advice_id(number: u128) -> AdviceId {
    AdviceId(Uuid::from_u128(number))
}

fn part(number: u128) -> PartId {
    PartId(Uuid::from_u128(number))
}

/// May do everything: for tests in which rights are not the matter.
fn anybody() -> Caller {
    Caller {
        subject: Some("anybody".to_owned()),
        scopes: Scope::ALL.iter().map(|(scope, _, _)| *scope).collect(),
        councils: Grant::All,
        clusters: Grant::All,
    }
}

fn coordinator(advice: Advice) -> AsCoordinator {
    anybody().as_coordinator(advice).unwrap()
}

fn signatory(advice: Advice, code: &str) -> AsSignatory {
    anybody().as_signatory(advice, council(code)).unwrap()
}

fn of_cluster(advice: Advice) -> AsCluster {
    anybody().as_cluster(advice).unwrap()
}

fn college(advice: Advice) -> AsCollege {
    anybody().as_college(advice).unwrap()
}

fn publisher(advice: Advice) -> AsPublisher {
    anybody().as_publisher(advice).unwrap()
}

/// Two points; hoogvliet is invited to sign.
fn text() -> AdviceText {
    AdviceText {
        kind: AdviceKind::Unsolicited,
        subject: "Oversteek bij de school".to_owned(),
        summary: None,
        level: Level::Neighbourhood,
        themes: vec!["mobility".parse().unwrap()],
        councils: Councils {
            lead: council("rozenburg"),
            cosigners: vec![Cosigner { council: council("hoogvliet"), signed_on: None }],
        },
        points: vec![
            Point { number: 1, text: "Maak een zebrapad".to_owned() },
            Point { number: 2, text: "Maak er 30 van".to_owned() },
        ],
        letter_on: Some(day("2026-01-21")),
        listed_on: None,
        references: vec![reference("26bb000123")],
        second_round_of: None,
        request: None,
    }
}

fn reference(value: &str) -> Reference {
    Reference { system: "ibabs-raad".to_owned(), value: value.to_owned(), url: None }
}

fn draft(text: AdviceText) -> Advice {
    Advice::draft(advice_id(1), text, Origin::Entered, today()).unwrap()
}

fn registered(text: AdviceText) -> Advice {
    Advice::registered(advice_id(1), text, Listed::default(), None, moment("2026-06-01T09:00:00Z"), today())
        .unwrap()
}

/// What a list knows of an advice: no points and no day.
fn listed_text() -> AdviceText {
    AdviceText { points: vec![], letter_on: None, ..text() }
}

fn adopt(advice: Advice, on: NaiveDate) -> Changed {
    let adoption =
        Adoption { meeting_on: on, quorum: true, votes_for: 7, votes_against: 0, ratified_on: None };
    coordinator(advice).adopt(adoption, today())
}

fn ratify(advice: Advice, ratified_on: NaiveDate) -> Changed {
    coordinator(advice).ratify(Ratification { ratified_on }, today())
}

fn submit(advice: Advice, submitted_on: NaiveDate) -> Changed {
    coordinator(advice).submit(Submission { submitted_on, letter_on: None }, today())
}

fn withdraw(advice: Advice, on: NaiveDate) -> Changed {
    coordinator(advice).withdraw(WithdrawalBody { on, reason: "SECRET withdrawal".to_owned() }, today())
}

fn cosign(advice: Advice, signed_on: NaiveDate) -> Changed {
    signatory(advice, "hoogvliet").cosign(Cosignature { council: council("hoogvliet"), signed_on }, today())
}

fn rate(advice: Advice, on: NaiveDate) -> Changed {
    let note = Some("SECRET rating".to_owned());
    signatory(advice, "rozenburg").rate(Rating { council: council("rozenburg"), on, score: 4, note }, today())
}

fn receipt(received_on: NaiveDate) -> Receipt {
    Receipt {
        received_on,
        cluster: cluster("so"),
        portfolio_holder: None,
        rule: None,
        reason: None,
        listed_on: None,
    }
}

fn receive(advice: Advice, on: NaiveDate) -> Changed {
    of_cluster(advice).receive(receipt(on), &term::built_in_rules(), today())
}

fn treat(advice: Advice, on: NaiveDate) -> Changed {
    of_cluster(advice).treat(Treatment { on }, today())
}

fn suspend(advice: Advice, from: NaiveDate) -> Changed {
    let body = SuspensionBody { from, decided_on: from, reason: "SECRET suspension".to_owned() };
    of_cluster(advice).suspend(part(10), body, today())
}

fn resume(advice: Advice, to: NaiveDate) -> Changed {
    of_cluster(advice).resume(part(10), SuspensionEnd { to }, today()).unwrap()
}

fn extend(advice: Advice, decided_on: NaiveDate) -> Changed {
    let body = ExtensionBody { days: 28, decided_on, reason: "SECRET extension".to_owned() };
    of_cluster(advice).extend(part(20), body, today())
}

fn merge(advice: Advice, on: NaiveDate) -> Changed {
    let target = Advice::restore(AdviceRecord {
        id: advice_id(2),
        ..publish(in_status(AdviceStatus::Received)).unwrap().into_record()
    });
    let merge = Merge { into: target.id, on, reason: Some("SECRET merge".to_owned()) };
    of_cluster(advice).merge(merge, &target, today())
}

fn forward_to_cluster(advice: Advice, on: NaiveDate) -> Changed {
    let reason = Some("SECRET forwarding".to_owned());
    let forwarding = Forwarding { on, cluster: Some(cluster("mo")), body: None, reason };
    of_cluster(advice).forward(forwarding, today())
}

fn forward_outside(advice: Advice, on: NaiveDate) -> Changed {
    let reason = Some("SECRET forwarding".to_owned());
    let forwarding = Forwarding { on, cluster: None, body: Some("Waterschap".to_owned()), reason };
    of_cluster(advice).forward(forwarding, today())
}

fn follow_up(advice: Advice, on: NaiveDate) -> Changed {
    let note = Some("SECRET note".to_owned());
    let follow_up =
        FollowUp { point: 1, state: FollowUpState::Planned, on, due_on: None, agreement: None, note };
    of_cluster(advice).follow_up(follow_up, today())
}

fn close(advice: Advice, on: NaiveDate) -> Changed {
    of_cluster(advice).close(Closure { on }, today())
}

fn says(number: u16, outcome: PointOutcome, reasons: Option<&str>) -> PointResponse {
    PointResponse { number, outcome, reasons: reasons.map(str::to_owned) }
}

/// Point 1 is adopted, point 2 is not.
fn response(kind: ResponseKind, on: NaiveDate) -> ResponseBody {
    let points = match kind {
        ResponseKind::Acknowledgement | ResponseKind::Interim => vec![],
        ResponseKind::Final => vec![
            says(1, PointOutcome::Adopted, None),
            says(2, PointOutcome::NotAdopted, Some("De weg is van de provincie.")),
        ],
        ResponseKind::Revised => vec![says(2, PointOutcome::Adopted, None)],
    };
    ResponseBody {
        kind,
        decided_on: Some(on),
        sent_on: Some(on),
        by: ResponseBy::Alderman,
        points,
        considerations: None,
        text: None,
        references: vec![],
    }
}

fn considerations() -> Considerations {
    let interest =
        Interest { text: "Doorstroming van de bus".to_owned(), direction: InterestDirection::Against };
    Considerations {
        interests: vec![interest],
        weighing: "De school weegt zwaarder.".to_owned(),
        shared_on: None,
    }
}

fn respond(advice: Advice, body: ResponseBody) -> Changed {
    let id = part(30 + advice.responses.len() as u128);
    match body.kind {
        ResponseKind::Acknowledgement | ResponseKind::Interim => of_cluster(advice)
            .respond(NewResponse { id, recorded_at: moment("2026-11-23T11:00:00Z"), body }, today()),
        ResponseKind::Final | ResponseKind::Revised => college(advice)
            .respond(NewResponse { id, recorded_at: moment("2026-11-23T11:00:00Z"), body }, today()),
    }
}

fn answer(advice: Advice, on: NaiveDate) -> Changed {
    respond(advice, response(ResponseKind::Final, on))
}

fn publish(advice: Advice) -> Changed {
    publisher(advice).publish(moment("2026-06-10T09:00:00Z"))
}

fn unpublish(advice: Advice) -> Changed {
    let body = UnpublicationBody { reason: "Er stond een adres in.".to_owned() };
    publisher(advice).unpublish(body, moment("2026-06-20T09:00:00Z"))
}

fn correction(field: &str, value: CorrectedValue) -> CorrectionBody {
    CorrectionBody { field: field.to_owned(), value, reason: "SECRET correction".to_owned() }
}

fn correct_with(advice: Advice, field: &str, value: CorrectedValue, rules: &[TermRule]) -> Changed {
    let corrector = anybody().as_corrector(advice, field).unwrap()?;
    corrector.correct(correction(field, value), rules, today())
}

fn correct(advice: Advice, field: &str, value: CorrectedValue) -> Changed {
    correct_with(advice, field, value, &term::built_in_rules())
}

fn words(text: &str) -> CorrectedValue {
    CorrectedValue::Text(text.to_owned())
}

/// An advice in the status, by the shortest life that leads there.
fn lived(text: AdviceText, status: AdviceStatus) -> Advice {
    use AdviceStatus as S;
    let before = |status| lived(text.clone(), status);
    let advice = match status {
        S::Draft => Ok(draft(text)),
        S::Adopted => adopt(before(S::Draft), day("2026-01-20")),
        S::Submitted => submit(before(S::Adopted), day("2026-01-22")),
        S::Received => receive(before(S::Submitted), day("2026-01-23")),
        S::InTreatment => treat(before(S::Received), day("2026-02-02")),
        S::Answered => answer(before(S::InTreatment), day("2026-02-25")),
        S::InFollowUp => follow_up(before(S::Answered), day("2026-03-02")),
        S::Closed => close(before(S::InFollowUp), day("2026-04-01")),
        S::Withdrawn => withdraw(before(S::InTreatment), day("2026-02-10")),
        S::Merged => merge(before(S::InTreatment), day("2026-02-10")),
        S::Forwarded => forward_outside(before(S::InTreatment), day("2026-02-10")),
        S::Registered => Ok(registered(text)),
    };
    advice.unwrap()
}

fn in_status(status: AdviceStatus) -> Advice {
    lived(text(), status)
}

/// Where each fault lies and its code.
fn faults(result: Changed) -> Vec<(String, &'static str)> {
    match result {
        Err(RuleError::Invalid(errors)) => {
            errors.into_iter().map(|error| (error.location, error.code)).collect()
        }
        other => panic!("expected invalid input, got {other:?}"),
    }
}

fn fault(location: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(location.to_owned(), code)]
}

fn conflict(result: Changed) -> &'static str {
    match result {
        Err(RuleError::Conflict { rule, .. }) => rule,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

fn rule(number: u128, days: u16, valid_from: &str, valid_to: Option<&str>) -> TermRule {
    TermRule {
        id: TermRuleId(Uuid::from_u128(number)),
        days: Some(days),
        valid_from: day(valid_from),
        valid_to: valid_to.map(day),
        ..term::built_in_rules().remove(0)
    }
}

/// Six weeks up to and including 31 January, eight from 1 February on.
fn changing_rules() -> [TermRule; 2] {
    [rule(1, 42, "2020-01-01", Some("2026-01-31")), rule(2, 56, "2026-02-01", None)]
}

fn term_state(advice: &Advice, on: &str) -> TermState {
    term::term_on(&advice.term_facts(), day(on)).state
}

fn with_scopes(scopes: &[Scope], councils: Grant<CouncilCode>, clusters: Grant<ClusterCode>) -> Caller {
    Caller {
        subject: Some("somebody".to_owned()),
        scopes: scopes.iter().copied().collect(),
        councils,
        clusters,
    }
}

fn only<C: Ord + std::str::FromStr>(code: &str) -> Grant<C> {
    Grant::from_claim(&[code.to_owned()])
}

fn none<C: Ord>() -> Grant<C> {
    Grant::default()
}
