//! What figures are made from: plain facts, as known at one moment. Storage delivers them, and decides nothing about a figure.

use chrono::NaiveDate;

use super::numbers::Codes;
use super::packed::{PackedAdvice, PackedAgreement};
use super::table::{Keyed, Table};
use crate::advice::AdviceRecord;
use crate::agreement::Agreement;
use crate::assignment::Assignment;
use crate::calendar;
use crate::codes::{AdviceKind, FollowUpState, Level, Origin, PointOutcome, PublicationState, ResponseKind};
use crate::commitment::Commitment;
use crate::council::Council;
use crate::ids::{
    AdviceId, AreaCode, AssignmentId, ClusterCode, CommitmentId, CouncilCode, OfficeHolderId, PolicyTrackId,
    TalkId, ThemeCode,
};
use crate::policy_track::PolicyTrack;
use crate::reference::{Obligation, TermOfOffice};
use crate::talk::Talk;
use crate::term::{Extension, Suspension, TermFacts, TermRule};

/// Everything that a figure can be made from, as known at one moment. Each table is in order of id or code. A copy shares with the
/// one it was made from what changes in neither.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Councils.
    pub councils: Vec<Council>,
    /// Areas.
    pub areas: Vec<AreaCode>,
    /// Clusters.
    pub clusters: Vec<ClusterCode>,
    /// Themes.
    pub themes: Vec<ThemeCode>,
    /// Office holders.
    pub office_holders: Vec<OfficeHolderId>,
    /// Terms of office.
    pub terms_of_office: Vec<TermOfOffice>,
    /// Obligations.
    pub obligations: Vec<Obligation>,
    /// The numbers that stand for codes in the tables below.
    pub codes: Codes,
    /// Advice, drafts included; figures count from receipt on.
    pub advice: Table<PackedAdvice>,
    /// Agreements, of accords that are not published too.
    pub agreements: Table<PackedAgreement>,
    /// Policy tracks.
    pub policy_tracks: Table<PolicyTrack>,
    /// Commitments.
    pub commitments: Table<Commitment>,
    /// Talks.
    pub talks: Table<Talk>,
    /// Assignments.
    pub assignments: Table<Assignment>,
}

impl Facts {
    /// Takes in an advice as it now is.
    pub fn put_advice(&mut self, advice: AdviceFact) {
        self.advice.put(PackedAdvice::of(advice, &mut self.codes));
    }

    /// Takes in an agreement as it now is.
    pub fn put_agreement(&mut self, agreement: &Agreement) {
        self.agreements.put(PackedAgreement::of(agreement, &mut self.codes));
    }

    /// Takes in a policy track as it now is, without its texts.
    pub fn put_policy_track(&mut self, mut track: PolicyTrack) {
        self.codes.clusters.number(&track.text.cluster);
        for informed in &mut track.informed {
            self.codes.councils.number(&informed.council);
            informed.reason = None;
        }
        for phase in &mut track.phases {
            phase.reason = None;
        }
        track.text.title = String::new();
        track.text.description = None;
        track.text.references = Vec::new();
        self.codes.theme_list(&track.text.themes);
        self.policy_tracks.put(track);
    }

    /// Takes in a commitment as it now is, without its texts.
    pub fn put_commitment(&mut self, mut commitment: Commitment) {
        let text = &mut commitment.text;
        text.cluster.iter().for_each(|cluster| _ = self.codes.clusters.number(cluster));
        text.portfolio_holder.iter().for_each(|holder| _ = self.codes.office_holders.number(holder));
        text.number = String::new();
        text.title = String::new();
        text.text = None;
        text.advice = Vec::new();
        text.references = Vec::new();
        for step in &mut commitment.steps {
            step.note = None;
            step.reference = None;
        }
        self.commitments.put(commitment);
    }

    /// Takes in a talk as it now is, without its texts.
    pub fn put_talk(&mut self, mut talk: Talk) {
        self.codes.councils.number(&talk.text.council);
        for lesson in &mut talk.lessons {
            lesson.text = String::new();
            lesson.owner = String::new();
            lesson.note = None;
        }
        self.talks.put(talk);
    }

    /// Takes in an assignment as it now is.
    pub fn put_assignment(&mut self, assignment: Assignment) {
        self.assignments.put(assignment);
    }
}

impl Keyed for PolicyTrack {
    type Id = PolicyTrackId;
    type Briefs = ();

    fn id(&self) -> PolicyTrackId {
        self.id
    }

    fn briefs(_: &[Self]) {}
}

impl Keyed for Commitment {
    type Id = CommitmentId;
    type Briefs = ();

    fn id(&self) -> CommitmentId {
        self.id
    }

    fn briefs(_: &[Self]) {}
}

impl Keyed for Talk {
    type Id = TalkId;
    type Briefs = ();

    fn id(&self) -> TalkId {
        self.id
    }

    fn briefs(_: &[Self]) {}
}

impl Keyed for Assignment {
    type Id = AssignmentId;
    type Briefs = ();

    fn id(&self) -> AssignmentId {
        self.id
    }

    fn briefs(_: &[Self]) {}
}

/// What figures need of an advice, without its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdviceFact {
    /// Its id.
    pub id: AdviceId,
    /// Where it came from.
    pub origin: Origin,
    /// Kind.
    pub kind: AdviceKind,
    /// Level.
    pub level: Level,
    /// The council that leads it.
    pub lead: CouncilCode,
    /// Co-signers and the day each signed; a list's co-signer has no day. Those merely invited are not among them.
    pub cosigners: Vec<(CouncilCode, Option<NaiveDate>)>,
    /// Themes.
    pub themes: Vec<ThemeCode>,
    /// The clusters that treated it, each with its first day; the first one from receipt on.
    pub clusters: Vec<(Option<NaiveDate>, ClusterCode)>,
    /// The office holder who answers, frozen at receipt.
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The earliest of letter, listing and submission: where receipt is not known, it was not before this day.
    pub earliest_on: Option<NaiveDate>,
    /// What the clock needs, its texts taken out. Has the day of receipt, the frozen rule, suspensions, extensions, the answered
    /// day, and when and why it ended without an answer.
    pub term: TermFacts,
    /// Whether it was withdrawn (or lapsed in a list), on a day that may be unknown.
    pub withdrawn: bool,
    /// The numbers of its points.
    pub points: Vec<u16>,
    /// Responses, in the order in which they were recorded.
    pub responses: Vec<ResponseFact>,
    /// What happened to adopted points, in the order in which it was recorded.
    pub follow_ups: Vec<FollowUpFact>,
    /// The day on which it was first published; none where it never was.
    pub published_on: Option<NaiveDate>,
    /// The day on which it was withdrawn from publication; none while it is public.
    pub unpublished_on: Option<NaiveDate>,
    /// Whether it bears a reference with an address.
    pub has_source_link: bool,
}

/// What figures need of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseFact {
    /// Kind.
    pub kind: ResponseKind,
    /// The day it was sent.
    pub sent_on: Option<NaiveDate>,
    /// Whether it holds the city-level considerations.
    pub has_considerations: bool,
    /// The day on which these were shared with the council.
    pub shared_on: Option<NaiveDate>,
    /// The Amsterdam day on which it was recorded; none where nobody wrote it down.
    pub recorded_on: Option<NaiveDate>,
    /// What it says of each point.
    pub points: Box<[PointFact]>,
}

/// What figures need of a response to one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointFact {
    /// Number of the point.
    pub number: u16,
    /// Its outcome.
    pub outcome: PointOutcome,
    /// Whether reasons were given.
    pub has_reasons: bool,
}

/// What figures need of a follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUpFact {
    /// Number of the point.
    pub point: u16,
    /// Where it stood.
    pub state: FollowUpState,
    /// On which day.
    pub on: NaiveDate,
    /// The day by which it is to be done.
    pub due_on: Option<NaiveDate>,
}

impl AdviceFact {
    /// The facts of an advice; none of a deleted draft.
    pub fn of(advice: &AdviceRecord) -> Option<Self> {
        if advice.deleted {
            return None;
        }
        let imported = advice.origin == Origin::Import;
        let text = &advice.text;
        let cosigners = text.councils.cosigners.iter();
        let publication = &advice.publication;
        let is_published = publication.state == PublicationState::Published;
        Some(Self {
            id: advice.id,
            origin: advice.origin,
            kind: text.kind,
            level: text.level,
            lead: text.councils.lead.clone(),
            cosigners: cosigners
                .filter(|cosigner| imported || cosigner.signed_on.is_some())
                .map(|cosigner| (cosigner.council.clone(), cosigner.signed_on))
                .collect(),
            themes: text.themes.clone(),
            clusters: clusters(advice),
            portfolio_holder: advice.portfolio_holder(),
            earliest_on: [text.letter_on, text.listed_on, advice.submitted_on].into_iter().flatten().min(),
            term: without_texts(advice.term_facts()),
            withdrawn: advice.withdrawal.is_some(),
            points: text.points.iter().map(|point| point.number).collect(),
            responses: advice
                .responses
                .iter()
                .map(|response| ResponseFact {
                    kind: response.kind,
                    sent_on: response.sent_on,
                    has_considerations: response.considerations.is_some(),
                    shared_on: response.considerations.as_ref().and_then(|weighed| weighed.shared_on),
                    recorded_on: response.recorded_at.map(calendar::amsterdam_day),
                    points: response
                        .points
                        .iter()
                        .map(|point| PointFact {
                            number: point.number,
                            outcome: point.outcome,
                            has_reasons: point.reasons.as_deref().is_some_and(|text| !text.trim().is_empty()),
                        })
                        .collect(),
                })
                .collect(),
            follow_ups: advice
                .follow_ups
                .iter()
                .map(|follow_up| FollowUpFact {
                    point: follow_up.point,
                    state: follow_up.state,
                    on: follow_up.on,
                    due_on: follow_up.due_on,
                })
                .collect(),
            published_on: publication
                .first_published_at
                .or(publication.published_at)
                .map(calendar::amsterdam_day),
            unpublished_on: publication.withdrawn_at.filter(|_| !is_published).map(calendar::amsterdam_day),
            has_source_link: text.references.iter().any(|reference| reference.url.is_some()),
        })
    }
}

/// The cluster that took it in, and those to which it was moved.
fn clusters(advice: &AdviceRecord) -> Vec<(Option<NaiveDate>, ClusterCode)> {
    let Some(received) = &advice.received else { return Vec::new() };
    let first = received.first_cluster.as_ref().unwrap_or(&received.cluster).clone();
    let moved = advice.forwardings.iter().filter_map(|one| Some((Some(one.on), one.cluster.clone()?)));
    std::iter::once((None, first)).chain(moved).collect()
}

fn without_texts(facts: TermFacts) -> TermFacts {
    TermFacts {
        rule: facts.rule.map(|rule| TermRule {
            kinds: Vec::new(),
            levels: Vec::new(),
            ground: String::new(),
            ..rule
        }),
        suspensions: facts
            .suspensions
            .into_iter()
            .map(|suspension| Suspension { reason: String::new(), ..suspension })
            .collect(),
        extensions: facts
            .extensions
            .into_iter()
            .map(|extension| Extension { reason: String::new(), ..extension })
            .collect(),
        ..facts
    }
}
