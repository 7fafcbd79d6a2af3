//! Made-up facts.

use uuid::Uuid;

use super::*;
use crate::advice::Publication;
use crate::agreement::{Agreement, AgreementBody, Judgement, Owner, Progress};
use crate::assignment::{Assignment, AssignmentBody};
use crate::codes::*;
use crate::commitment::{Commitment, CommitmentBody, StepBody};
use crate::council::Council;
use crate::ids::*;
use crate::metrics::facts::{AdviceFact, FollowUpFact, PointFact, ResponseFact};
use crate::policy_track::{InformedBody, PhaseBody, PolicyTrack, PolicyTrackBody};
use crate::reference::{TermOfOffice, built_in_obligations};
use crate::talk::{Lesson, Talk, TalkBody};
use crate::term::{EndReason, Extension, Suspension, TermFacts, built_in_rules};

pub(super) fn council(code: &str) -> CouncilCode {
    code.parse().unwrap()
}

pub(super) fn part(number: u128) -> PartId {
    PartId(Uuid::from_u128(number))
}

/// Three councils in two areas, and what is needed beside them.
pub(super) fn empty_city() -> Facts {
    let with = |code: &str, area: &str| Council {
        code: council(code),
        name: code.to_owned(),
        kind: CouncilKind::Wijkraad,
        area: area.parse().unwrap(),
        names: Vec::new(),
        spellings: Vec::new(),
        neighbourhoods: Vec::new(),
        assignments: Vec::new(),
    };
    let term = |code: &str, from, to: Option<&str>| TermOfOffice {
        code: code.to_owned(),
        from: d(from),
        to: to.map(d),
    };
    Facts {
        councils: vec![with("w1", "north"), with("w2", "north"), with("w3", "south")],
        areas: vec!["north".parse().unwrap(), "south".parse().unwrap()],
        clusters: vec!["mo".parse().unwrap(), "so".parse().unwrap()],
        themes: vec!["housing".parse().unwrap(), "mobility".parse().unwrap()],
        office_holders: vec![OfficeHolderId(Uuid::from_u128(1)), OfficeHolderId(Uuid::from_u128(2))],
        terms_of_office: vec![
            term("2022-2026", "2022-03-16", Some("2026-03-17")),
            term("2026-2030", "2026-03-18", None),
        ],
        obligations: built_in_obligations(),
        ..Facts::default()
    }
}

pub(super) fn advice(number: u128, lead: &str, received_on: &str) -> AdviceFact {
    AdviceFact {
        id: AdviceId(Uuid::from_u128(number)),
        origin: Origin::Entered,
        kind: AdviceKind::Unsolicited,
        level: Level::Neighbourhood,
        lead: council(lead),
        cosigners: Vec::new(),
        themes: Vec::new(),
        clusters: vec![(None, "so".parse().unwrap())],
        portfolio_holder: None,
        earliest_on: Some(d(received_on)),
        term: TermFacts {
            rule: Some(built_in_rules().remove(0)),
            received_on: Some(d(received_on)),
            ..TermFacts::default()
        },
        withdrawn: false,
        points: Vec::new(),
        responses: Vec::new(),
        follow_ups: Vec::new(),
        published_on: None,
        unpublished_on: None,
        has_source_link: false,
    }
}

/// Of a portal's list: neither receipt nor rule is known.
pub(super) fn listed(number: u128, lead: &str, earliest_on: Option<&str>) -> AdviceFact {
    AdviceFact {
        origin: Origin::Import,
        clusters: Vec::new(),
        earliest_on: earliest_on.map(d),
        term: TermFacts { imported: true, ..TermFacts::default() },
        has_source_link: true,
        ..advice(number, lead, "2025-01-01")
    }
}

impl AdviceFact {
    pub(super) fn answered(self, on: &str) -> Self {
        self.answered_with(on, &[])
    }

    pub(super) fn answered_with(mut self, on: &str, points: &[(PointOutcome, bool)]) -> Self {
        self.points = (1..).take(points.len()).collect();
        self.term.answered_on = Some(d(on));
        self.responded(ResponseKind::Final, on, points)
    }

    pub(super) fn responded(mut self, kind: ResponseKind, on: &str, points: &[(PointOutcome, bool)]) -> Self {
        let points = (1..).zip(points);
        self.responses.push(ResponseFact {
            kind,
            sent_on: Some(d(on)),
            has_considerations: false,
            shared_on: None,
            recorded_on: Some(d(on)),
            points: points
                .map(|(number, (outcome, has_reasons))| PointFact {
                    number,
                    outcome: *outcome,
                    has_reasons: *has_reasons,
                })
                .collect(),
        });
        self
    }

    pub(super) fn considered(mut self, shared_on: Option<&str>) -> Self {
        let response = self.responses.last_mut().unwrap();
        response.has_considerations = true;
        response.shared_on = shared_on.map(d);
        self
    }

    pub(super) fn extended(mut self, days: u16, decided_on: &str) -> Self {
        let reason = String::new();
        self.term.extensions.push(Extension { id: part(1), days, decided_on: d(decided_on), reason });
        self
    }

    pub(super) fn suspended(mut self, from: &str, to: Option<&str>) -> Self {
        self.term.suspensions.push(Suspension {
            id: part(2),
            from: d(from),
            to: to.map(d),
            decided_on: d(from),
            reason: String::new(),
        });
        self
    }

    pub(super) fn ended(mut self, on: &str, reason: EndReason) -> Self {
        self.withdrawn = reason == EndReason::Withdrawn;
        self.term.ended_on = Some((d(on), reason));
        self
    }

    pub(super) fn followed_up(
        mut self,
        point: u16,
        state: FollowUpState,
        on: &str,
        due_on: Option<&str>,
    ) -> Self {
        self.follow_ups.push(FollowUpFact { point, state, on: d(on), due_on: due_on.map(d) });
        self
    }
}

pub(super) fn with_advice(mut facts: Facts, advice: impl IntoIterator<Item = AdviceFact>) -> Facts {
    advice.into_iter().for_each(|advice| facts.put_advice(advice));
    facts
}

/// The twelve golden cases of the design, section 5.
pub(super) fn golden_cases() -> Vec<AdviceFact> {
    vec![
        advice(1, "w1", "2025-01-06").answered("2025-02-10"),
        advice(2, "w1", "2025-03-07").answered("2025-04-18"),
        advice(3, "w1", "2025-03-10").answered("2025-04-22"),
        advice(4, "w1", "2025-06-02").answered("2025-07-15"),
        advice(5, "w2", "2025-06-02").answered("2025-08-04").extended(28, "2025-07-01"),
        advice(6, "w2", "2025-06-02").answered("2025-08-04").extended(28, "2025-07-20"),
        advice(7, "w2", "2025-09-01").answered("2025-10-27").suspended("2025-09-15", Some("2025-09-29")),
        advice(8, "w2", "2025-09-01"),
        advice(9, "w3", "2025-12-01"),
        advice(10, "w3", "2025-09-01").ended("2025-09-20", EndReason::Withdrawn),
        advice(11, "w3", "2025-06-02").ended("2025-09-01", EndReason::Withdrawn),
        advice(12, "w3", "2025-10-01").suspended("2025-10-20", None),
    ]
}

pub(super) fn agreement(number: u128, of: &str, size: AgreementSize) -> Agreement {
    Agreement {
        id: AgreementId(Uuid::from_u128(number)),
        council: council(of),
        text: AgreementBody {
            accord: AccordId(Uuid::from_u128(1)),
            number: number.to_string(),
            title: "Zebrapad".to_owned(),
            description: None,
            size,
            owner: Owner { cluster: Some("so".parse().unwrap()), party: None },
            partners: Vec::new(),
            plan_year: 2025,
            agreed_on: d("2025-01-15"),
            due_on: Some(d("2025-12-01")),
            ongoing_reason: None,
            carried_over_from: None,
            policy_track: None,
            advice_point: None,
            themes: Vec::new(),
            references: Vec::new(),
        },
        progress: Vec::new(),
        judgements: Vec::new(),
        watched: Vec::new(),
        escalations: Vec::new(),
        publication: Publication::NONE,
        accord_is_hidden: false,
    }
}

impl Agreement {
    pub(super) fn progressed(mut self, state: ProgressState, on: &str) -> Self {
        self.progress.push(Progress { id: part(1), state, on: d(on), reason: None, evidence_url: None });
        self
    }

    pub(super) fn judged(mut self, colour: Colour, realised: bool, on: &str) -> Self {
        self.judgements.push(Judgement { id: part(2), colour, realised, on: d(on), note: None });
        self
    }

    pub(super) fn ongoing(mut self) -> Self {
        self.text.due_on = None;
        self.text.ongoing_reason = Some("doorlopend".to_owned());
        self
    }
}

pub(super) fn with_agreements(mut facts: Facts, agreements: impl IntoIterator<Item = Agreement>) -> Facts {
    agreements.into_iter().for_each(|agreement| facts.put_agreement(&agreement));
    facts
}

pub(super) fn track(number: u128, started_on: &str, phases: &[(Phase, &str)]) -> PolicyTrack {
    PolicyTrack {
        id: PolicyTrackId(Uuid::from_u128(number)),
        text: PolicyTrackBody {
            title: "Mobiliteitsplan".to_owned(),
            description: None,
            cluster: "so".parse().unwrap(),
            new_policy: true,
            started_on: d(started_on),
            themes: vec!["mobility".parse().unwrap()],
            references: Vec::new(),
        },
        phases: phases
            .iter()
            .map(|(phase, day)| PhaseBody { phase: *phase, starts_on: d(day), reason: None })
            .collect(),
        informed: Vec::new(),
        plans_adopted: Vec::new(),
        publication: Publication::NONE,
    }
}

impl PolicyTrack {
    pub(super) fn told(mut self, of: &str, on: Option<&str>) -> Self {
        self.informed.push(InformedBody {
            council: council(of),
            on: on.map(d),
            role: TrackRole::Informed,
            corrects: None,
            reason: None,
        });
        self
    }

    pub(super) fn planned(mut self, adopted_on: &str) -> Self {
        self.plans_adopted.push(d(adopted_on));
        self
    }
}

pub(super) fn commitment(number: u128, made_on: &str, expected_on: Option<&str>) -> Commitment {
    Commitment {
        id: CommitmentId(Uuid::from_u128(number)),
        text: CommitmentBody {
            kind: CommitmentKind::Motion,
            number: format!("25bb{number:06}"),
            title: "Toegankelijkheid wijkraadadviezen".to_owned(),
            text: None,
            made_on: d(made_on),
            expected_on: expected_on.map(d),
            portfolio_holder: None,
            cluster: Some("mo".parse().unwrap()),
            advice: Vec::new(),
            references: Vec::new(),
        },
        steps: Vec::new(),
    }
}

impl Commitment {
    pub(super) fn stepped(mut self, step: SettlementStep, on: &str) -> Self {
        self.steps.push(StepBody { step, on: d(on), note: None, reference: None });
        self
    }
}

pub(super) fn talk(number: u128, of: &str, held_on: &str, lessons_closed_on: &[Option<&str>]) -> Talk {
    Talk {
        id: TalkId(Uuid::from_u128(number)),
        text: TalkBody {
            council: council(of),
            held_on: d(held_on),
            office_holder: OfficeHolderId(Uuid::from_u128(1)),
        },
        lessons: (1..)
            .zip(lessons_closed_on)
            .map(|(number, closed_on)| Lesson {
                number,
                text: "Eerder bellen".to_owned(),
                owner: "wijkmanager".to_owned(),
                state: if closed_on.is_some() { LessonState::Closed } else { LessonState::Open },
                closed_on: closed_on.map(d),
                note: None,
            })
            .collect(),
        publication: Publication::NONE,
    }
}

pub(super) fn coordinator(number: u128, position: &str, of: &str) -> Assignment {
    Assignment {
        id: AssignmentId(Uuid::from_u128(number)),
        text: AssignmentBody {
            council: council(of),
            role: AssignmentRole::Coordinator,
            office_holder: None,
            position: Some(position.to_owned()),
            from: d("2025-01-01"),
            to: None,
        },
    }
}

/// The golden cases, and something for every other metric.
pub(super) fn city() -> Facts {
    use PointOutcome::*;
    let letter = |number| {
        let letter = advice(number, "w1", "2025-05-01");
        let rule = built_in_rules().remove(1);
        AdviceFact { kind: AdviceKind::Letter, term: TermFacts { rule: Some(rule), ..letter.term }, ..letter }
    };
    let joint = AdviceFact {
        level: Level::City,
        cosigners: vec![(council("w2"), Some(d("2025-02-01"))), (council("w3"), Some(d("2026-02-01")))],
        themes: vec!["mobility".parse().unwrap(), "housing".parse().unwrap()],
        portfolio_holder: Some(OfficeHolderId(Uuid::from_u128(1))),
        published_on: Some(d("2025-02-12")),
        has_source_link: true,
        ..advice(21, "w1", "2025-02-03")
            .responded(ResponseKind::Acknowledgement, "2025-02-05", &[])
            .answered_with("2025-03-10", &[(Adopted, false), (NotAdopted, true), (NeedsStudy, false)])
            .considered(Some("2025-03-12"))
            .responded(ResponseKind::Revised, "2025-05-01", &[(Adopted, false), (PartlyAdopted, true)])
            .followed_up(1, FollowUpState::Planned, "2025-03-20", Some("2025-09-01"))
            .followed_up(1, FollowUpState::Completed, "2025-10-01", None)
            .followed_up(2, FollowUpState::Running, "2025-06-01", Some("2025-12-01"))
    };
    let refused = AdviceFact {
        level: Level::CrossNeighbourhood,
        published_on: Some(d("2025-12-20")),
        ..advice(22, "w2", "2025-11-03")
            .answered_with("2025-11-24", &[(NotAdopted, true), (NotAdopted, true)])
    };
    let lapsed = AdviceFact { withdrawn: true, ..listed(24, "w3", Some("2024-02-01")) };
    let facts = with_advice(empty_city(), golden_cases());
    let mut facts = with_advice(
        facts,
        [
            joint,
            refused,
            listed(23, "w3", Some("2025-04-01")),
            lapsed,
            listed(25, "w3", None),
            advice(26, "w3", "2025-11-10").ended("2025-11-20", EndReason::Forwarded),
            advice(27, "w2", "2024-12-02").answered("2025-02-03"),
            letter(28),
        ],
    );
    facts = with_agreements(
        facts,
        [
            agreement(1, "w1", AgreementSize::Large)
                .progressed(ProgressState::ReportedDone, "2025-06-01")
                .judged(Colour::Orange, false, "2025-06-15"),
            agreement(2, "w1", AgreementSize::Small).judged(Colour::Green, true, "2025-10-01"),
            agreement(3, "w2", AgreementSize::Small).judged(Colour::Red, false, "2025-10-01"),
            agreement(4, "w2", AgreementSize::Large).progressed(ProgressState::ReportedDone, "2025-06-01"),
            agreement(5, "w3", AgreementSize::Small).ongoing(),
        ],
    );
    let early = [
        (Phase::PrePhase, "2025-05-05"),
        (Phase::Exploration, "2025-06-01"),
        (Phase::Decision, "2025-11-01"),
    ];
    let tracks = [
        track(1, "2025-05-01", &early).planned("2025-10-01").told("w1", Some("2025-05-20")).told("w2", None),
        track(2, "2025-05-01", &early).planned("2025-11-01").told("w3", Some("2025-06-01")),
        track(3, "2025-01-01", &early),
        track(4, "2025-05-01", &early[..2]).told("w1", Some("2025-05-20")),
    ];
    tracks.into_iter().for_each(|track| facts.put_policy_track(track));
    let commitments = [
        commitment(1, "2025-01-10", Some("2025-06-01")).stepped(SettlementStep::Settled, "2025-03-01"),
        commitment(2, "2025-02-01", Some("2025-09-01")).stepped(SettlementStep::Proposed, "2025-08-01"),
        commitment(3, "2024-02-01", Some("2026-03-01")),
    ];
    commitments.into_iter().for_each(|one| facts.put_commitment(one));
    let talks = [
        talk(1, "w1", "2025-09-01", &[None, Some("2025-10-01")]),
        talk(2, "w2", "2025-03-01", &[Some("2026-01-10")]),
    ];
    talks.into_iter().for_each(|talk| facts.put_talk(talk));
    let coordinators = [coordinator(1, "coordinator-07", "w1"), coordinator(2, "coordinator-02", "w2")];
    coordinators.into_iter().for_each(|one| facts.put_assignment(one));
    facts
}
