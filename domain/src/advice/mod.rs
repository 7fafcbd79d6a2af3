//! An advice (advies): what happened to it, and what follows from that.
//!
//! The record holds only what happened. Status, outcome and term are derived from it and never stored as an opinion.

mod corrections;
pub mod parts;
mod timeline;
mod transitions;

use chrono::NaiveDate;

pub use corrections::CorrectionRight;
pub use parts::*;
pub use timeline::TimelineEntry;
pub use transitions::{
    AsCluster, AsCollege, AsCoordinator, AsCorrector, AsPublisher, AsSignatory, Listing, NewResponse,
};

use crate::codes::{AdviceStatus, Level, Origin, Outcome, PointOutcome, PublicationState, ResponseKind};
use crate::ids::{AdviceId, ClusterCode, CouncilCode, OfficeHolderId};
use crate::term::{EndReason, Extension, Suspension, TermFacts};

/// Everything that happened to an advice. Readable by all; made and changed only through the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct AdviceRecord {
    /// Its id.
    pub id: AdviceId,
    /// Where it came from.
    pub origin: Origin,
    /// The text, frozen at adoption.
    pub text: AdviceText,
    /// What the portals' lists say of it; only of what was imported.
    pub listed: Option<Listed>,
    /// Whether a co-signer ever saw the draft.
    pub shown_to_cosigner: bool,
    /// Whether the draft was deleted.
    pub deleted: bool,
    /// The adoption by its council.
    pub adoption: Option<Adoption>,
    /// The day it was sent in.
    pub submitted_on: Option<NaiveDate>,
    /// What was frozen at receipt.
    pub received: Option<Received>,
    /// The day treatment began.
    pub treated_on: Option<NaiveDate>,
    /// Suspensions of the term, void ones included.
    pub suspensions: Vec<Suspension>,
    /// Extensions of the term, void ones included.
    pub extensions: Vec<Extension>,
    /// Responses, in the order in which they were recorded.
    pub responses: Vec<Response>,
    /// The withdrawal.
    pub withdrawal: Option<Withdrawal>,
    /// The merge into another advice.
    pub merge: Option<Merge>,
    /// Forwardings, in order; one to a body outside ends the process.
    pub forwardings: Vec<Forwarding>,
    /// What happened to adopted points, in the order in which it was recorded.
    pub follow_ups: Vec<FollowUp>,
    /// What councils think of the answer.
    pub ratings: Vec<Rating>,
    /// The closure.
    pub closure: Option<Closure>,
    /// Corrections, in the order in which they were recorded.
    pub corrections: Vec<Correction>,
    /// Whether the public may see it.
    pub publication: Publication,
}

/// An advice that obeys the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice(AdviceRecord);

impl std::ops::Deref for Advice {
    type Target = AdviceRecord;
    fn deref(&self) -> &AdviceRecord {
        &self.0
    }
}

impl Advice {
    /// Takes up what storage kept. Only what the rules let through was ever stored.
    pub fn restore(record: AdviceRecord) -> Self {
        Self(record)
    }

    /// The record, for storage.
    pub fn into_record(self) -> AdviceRecord {
        self.0
    }
}

impl AdviceRecord {
    /// Where it stands in the process.
    pub fn status(&self) -> AdviceStatus {
        if self.withdrawal.is_some() {
            AdviceStatus::Withdrawn
        } else if self.merge.is_some() {
            AdviceStatus::Merged
        } else if self.forwarded_outside().is_some() {
            AdviceStatus::Forwarded
        } else if self.closure.is_some() {
            AdviceStatus::Closed
        } else if !self.follow_ups.is_empty() {
            AdviceStatus::InFollowUp
        } else if self.final_response().is_some() {
            AdviceStatus::Answered
        } else if self.treated_on.is_some() {
            AdviceStatus::InTreatment
        } else if self.received.is_some() {
            AdviceStatus::Received
        } else if self.origin == Origin::Import {
            AdviceStatus::Registered
        } else if self.submitted_on.is_some() {
            AdviceStatus::Submitted
        } else if self.adoption.is_some() {
            AdviceStatus::Adopted
        } else {
            AdviceStatus::Draft
        }
    }

    /// The forwarding that took it out of the city's hands.
    pub fn forwarded_outside(&self) -> Option<&Forwarding> {
        self.forwardings.iter().find(|forwarding| forwarding.body.is_some())
    }

    /// The final response; there is at most one.
    pub fn final_response(&self) -> Option<&Response> {
        self.responses.iter().find(|response| response.kind == ResponseKind::Final)
    }

    /// The cluster that treats it, from receipt on.
    pub fn cluster(&self) -> Option<&ClusterCode> {
        self.received.as_ref().map(|received| &received.cluster)
    }

    /// Whether the council leads it, signed it or was invited to.
    pub fn belongs_to(&self, council: &CouncilCode) -> bool {
        self.councils().any(|own| own == council)
    }

    /// The lead and the co-signers, invited ones included.
    pub fn councils(&self) -> impl Iterator<Item = &CouncilCode> {
        let councils = &self.text.councils;
        std::iter::once(&councils.lead).chain(councils.cosigners.iter().map(|cosigner| &cosigner.council))
    }

    /// The office holder who answers: frozen at receipt, or before it the one whom a list names.
    pub fn portfolio_holder(&self) -> Option<OfficeHolderId> {
        match &self.received {
            Some(received) => received.portfolio_holder,
            None => self.listed.as_ref().and_then(|listed| listed.portfolio_holder),
        }
    }

    /// Whether it was imported and nothing was recorded of it since: then a list may still change it.
    pub fn is_as_listed(&self) -> bool {
        self.origin == Origin::Import
            && self.adoption.is_none()
            && self.submitted_on.is_none()
            && self.received.is_none()
            && self.corrections.is_empty()
            && self.merge.is_none()
    }

    /// Whether a response needs the city-level weighing.
    pub fn needs_considerations(&self) -> bool {
        matches!(self.text.level, Level::City | Level::CrossNeighbourhood)
    }

    /// What holds for a point now: the final response, replaced point by point by revised ones in the order in which
    /// they were sent; history may be recorded in another order.
    pub fn point_response(&self, number: u16) -> Option<&PointResponse> {
        self.responses
            .iter()
            .filter(|response| matches!(response.kind, ResponseKind::Final | ResponseKind::Revised))
            .flat_map(|response| response.points.iter().map(move |point| (response, point)))
            .filter(|(_, point)| point.number == number)
            .max_by_key(|(response, _)| (response.kind == ResponseKind::Revised, response.sent_on))
            .map(|(_, point)| point)
    }

    /// The latest follow-up of a point.
    pub fn follow_up(&self, number: u16) -> Option<&FollowUp> {
        self.follow_ups
            .iter()
            .filter(|follow_up| follow_up.point == number)
            .max_by_key(|follow_up| follow_up.on)
    }

    /// What the college did with the advice as a whole; null without a final response or points.
    pub fn outcome(&self) -> Option<Outcome> {
        self.final_response()?;
        let outcomes: Vec<PointOutcome> = self
            .text
            .points
            .iter()
            .map(|point| self.point_response(point.number).map(|response| response.outcome))
            .collect::<Option<_>>()?;
        derive_outcome(&outcomes)
    }

    /// Whether the public may see it now.
    pub fn is_published(&self) -> bool {
        self.publication.state == PublicationState::Published && !self.deleted
    }

    /// Whether it may be published: from receipt on, or when a portal listed it.
    pub fn may_be_published(&self) -> bool {
        self.received.is_some() || self.origin == Origin::Import
    }

    /// What the clock needs.
    pub fn term_facts(&self) -> TermFacts {
        let ended = self
            .withdrawal
            .as_ref()
            .map(|withdrawal| (withdrawal.on, EndReason::Withdrawn))
            .or_else(|| self.merge.as_ref().map(|merge| (Some(merge.on), EndReason::Merged)))
            .or_else(|| self.forwarded_outside().map(|to| (Some(to.on), EndReason::Forwarded)));
        TermFacts {
            rule: self.received.as_ref().map(|received| received.rule.clone()),
            received_on: self.received.as_ref().map(|received| received.received_on),
            suspensions: self.suspensions.clone(),
            extensions: self.extensions.clone(),
            answered_on: self.final_response().and_then(|response| response.sent_on),
            ended_on: ended.and_then(|(on, reason)| on.map(|on| (on, reason))),
            imported: self.origin == Origin::Import,
            // Of an item that a list gives without receipt the term is unknown, also when the list says that it lapsed.
            ended_unknown_day: matches!(ended, Some((None, _))) && self.received.is_some(),
        }
    }

    /// What is not as the rules ask. Only imported history may have any; all else was refused at the door.
    pub fn data_issues(&self) -> Vec<DataIssue> {
        if self.origin != Origin::Import {
            return Vec::new();
        }
        let mut issues = Vec::new();
        let mut note = |code: &str, detail: String| issues.push(DataIssue { code: code.to_owned(), detail });
        if self.listed.as_ref().is_some_and(|listed| listed.unnamed_cosigners) {
            note(
                "cosigners-unknown",
                "The list says that other councils signed too, without naming them.".to_owned(),
            );
        }
        if self.received.is_none() {
            note("receipt-unknown", "The day of receipt is not known, so neither is the term.".to_owned());
        }
        match self.final_response() {
            None if self.withdrawal.is_some() => {}
            None => note("answer-unknown", "Whether and when it was answered is not known here.".to_owned()),
            Some(response) => {
                if self.text.points.is_empty() {
                    note(
                        "points-unknown",
                        "The points of the advice are not known, so neither is its outcome.".to_owned(),
                    );
                }
                for problem in
                    transitions::response_gaps(self, &response.points, &response.considerations, true)
                {
                    note(problem.code, problem.detail);
                }
                if response.decided_on.is_none() {
                    note(
                        "decision-day-unknown",
                        "The day on which the answer was decided is not known.".to_owned(),
                    );
                }
            }
        }
        let steps = [
            ("adopted", self.adoption.as_ref().map(|adoption| adoption.meeting_on)),
            ("submitted", self.submitted_on),
            ("received", self.received.as_ref().map(|received| received.received_on)),
            ("answered", self.final_response().and_then(|response| response.sent_on)),
        ];
        let known: Vec<_> = steps.iter().filter_map(|(name, on)| on.map(|on| (name, on))).collect();
        for pair in known.windows(2) {
            if pair[0].1 > pair[1].1 {
                note(
                    "dates-out-of-order",
                    format!("{} on {} comes after {} on {}.", pair[0].0, pair[0].1, pair[1].0, pair[1].1),
                );
            }
        }
        issues
    }
}

/// The outcome of the whole from the outcomes of the points: all equal, that; else, with any adopted or partly
/// adopted, partly adopted; else mixed.
pub fn derive_outcome(points: &[PointOutcome]) -> Option<Outcome> {
    let first = *points.first()?;
    if points.iter().all(|outcome| *outcome == first) {
        return Some(match first {
            PointOutcome::Adopted => Outcome::Adopted,
            PointOutcome::PartlyAdopted => Outcome::PartlyAdopted,
            PointOutcome::NotAdopted => Outcome::NotAdopted,
            PointOutcome::AlreadyPolicy => Outcome::AlreadyPolicy,
            PointOutcome::AlreadyDone => Outcome::AlreadyDone,
            PointOutcome::NeedsStudy => Outcome::NeedsStudy,
            PointOutcome::OtherProcess => Outcome::OtherProcess,
            PointOutcome::NotCompetent => Outcome::NotCompetent,
        });
    }
    let some_adopted =
        points.iter().any(|outcome| matches!(outcome, PointOutcome::Adopted | PointOutcome::PartlyAdopted));
    Some(if some_adopted { Outcome::PartlyAdopted } else { Outcome::Mixed })
}

#[cfg(test)]
mod tests;
