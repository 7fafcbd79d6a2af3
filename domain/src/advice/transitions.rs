//! How an advice goes from one state to the next. Each step is open only to the authority that carries the advice:
//! `caller.as_coordinator(advice)?.submit(…)?` is the only road to `submit`.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Adoption, Advice, AdviceRecord, AdviceText, Closure, Considerations, Cosignature, Cosigner,
    ExtensionBody, FollowUp, Forwarding, Listed, Merge, PointResponse, Publication, Ratification, Rating,
    Receipt, Received, Response, ResponseBody, Submission, SuspensionBody, SuspensionEnd, Treatment,
    UnpublicationBody, Withdrawal, WithdrawalBody,
};
use crate::codes::{AdviceStatus, Origin, PointOutcome, ResponseKind};
use crate::error::{Faults, FieldError, RuleError, room_for_one_more};
use crate::ids::{AdviceId, CouncilCode, PartId};
use crate::term::{self, Extension, Suspension, TermRule};

/// The advice in the hands of its lead council's coordinator (wijkraadscoördinator).
#[derive(Debug)]
pub struct AsCoordinator(pub(crate) Advice);

/// The advice in the hands of a council that signs or rates it.
#[derive(Debug)]
pub struct AsSignatory {
    pub(crate) advice: Advice,
    pub(crate) council: CouncilCode,
}

/// The advice in the hands of the cluster that treats it.
#[derive(Debug)]
pub struct AsCluster(pub(crate) Advice);

/// The advice in the hands of the college's office.
#[derive(Debug)]
pub struct AsCollege(pub(crate) Advice);

/// The advice in the hands of who decides on publication.
#[derive(Debug)]
pub struct AsPublisher(pub(crate) Advice);

/// The advice in the hands of who recorded what is wrong in it.
#[derive(Debug)]
pub struct AsCorrector(pub(crate) Advice);

/// What a list knows of an item that stands in another list too.
#[derive(Debug, Default)]
pub struct Listing {
    /// The kind.
    pub kind: Option<crate::codes::AdviceKind>,
    /// The plainer subject.
    pub subject: Option<String>,
    /// The earlier day of listing.
    pub listed_on: Option<NaiveDate>,
    /// The office holder whom it names.
    pub portfolio_holder: Option<crate::ids::OfficeHolderId>,
    /// Whether it says that others signed too.
    pub unnamed_cosigners: bool,
    /// The proposal to which it is an annex.
    pub annex_to: Option<String>,
}

/// A response to record, with the id it gets.
#[derive(Debug)]
pub struct NewResponse {
    /// Its id.
    pub id: PartId,
    /// The moment at which it is recorded.
    pub recorded_at: DateTime<Utc>,
    /// What was sent.
    pub body: ResponseBody,
}

type Changed = Result<Advice, RuleError>;

fn not_open(step: &str, status: AdviceStatus) -> RuleError {
    RuleError::conflict("transition-not-open", format!("{step} is not open while the status is '{status}'."))
}

fn require(open: bool, step: &str, record: &AdviceRecord) -> Result<(), RuleError> {
    if open { Ok(()) } else { Err(not_open(step, record.status())) }
}

/// Whether it has ended without or before an answer.
fn has_ended(record: &AdviceRecord) -> bool {
    matches!(record.status(), AdviceStatus::Withdrawn | AdviceStatus::Merged | AdviceStatus::Forwarded)
}

/// Rules 1 and 2 for a response: an outcome for every point, reasons where not fully adopted, considerations at city level.
pub(super) fn response_gaps(
    advice: &AdviceRecord,
    points: &[PointResponse],
    considerations: &Option<Considerations>,
    every_point: bool,
) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if every_point {
        for point in &advice.text.points {
            if !points.iter().any(|answered| answered.number == point.number) {
                faults.add(
                    "/points",
                    "response.outcome_missing",
                    format!("point {} has no outcome; a final response speaks of every point", point.number),
                );
            }
        }
    }
    for (index, point) in points.iter().enumerate() {
        let reasons = point.reasons.as_deref().unwrap_or_default().trim();
        if point.outcome != PointOutcome::Adopted && reasons.is_empty() {
            faults.add(
                format!("/points/{index}/reasons"),
                "response.reasons_missing",
                format!("point {} is '{}', so it needs reasons", point.number, point.outcome),
            );
        }
    }
    if advice.needs_considerations() && considerations.is_none() {
        faults.add(
            "/considerations",
            "response.considerations_missing",
            format!(
                "an advice of level '{}' is answered with the city-level considerations",
                advice.text.level
            ),
        );
    }
    faults.0
}

fn text_faults(text: &AdviceText, today: NaiveDate) -> Faults {
    let mut faults = Faults::default();
    for (location, on) in [("/letterOn", text.letter_on), ("/listedOn", text.listed_on)] {
        if let Some(on) = on {
            faults.happened(location, on, today);
        }
    }
    for (index, point) in text.points.iter().enumerate() {
        if text.points[..index].iter().any(|earlier| earlier.number == point.number) {
            faults.add(
                format!("/points/{index}/number"),
                "duplicate",
                format!("point {} stands in the list twice", point.number),
            );
        }
    }
    for (index, theme) in text.themes.iter().enumerate() {
        if text.themes[..index].contains(theme) {
            faults.add(format!("/themes/{index}"), "duplicate", "stands in the list twice");
        }
    }
    for (index, reference) in text.references.iter().enumerate() {
        let same =
            |other: &super::Reference| other.system == reference.system && other.value == reference.value;
        if text.references[..index].iter().any(same) {
            faults.add(format!("/references/{index}"), "duplicate", "stands in the list twice");
        }
    }
    let councils = &text.councils;
    for (index, cosigner) in councils.cosigners.iter().enumerate() {
        let location = format!("/councils/cosigners/{index}");
        if cosigner.council == councils.lead
            || councils.cosigners[..index].iter().any(|earlier| earlier.council == cosigner.council)
        {
            faults.add(format!("{location}/council"), "duplicate", "is the lead or stands in the list twice");
        }
    }
    faults
}

impl Advice {
    /// A new draft of a council. Co-signers are invited here; they sign later.
    pub fn draft(id: AdviceId, text: AdviceText, origin: Origin, today: NaiveDate) -> Changed {
        let mut faults = text_faults(&text, today);
        for (index, cosigner) in text.councils.cosigners.iter().enumerate() {
            if cosigner.signed_on.is_some() {
                faults.add(
                    format!("/councils/cosigners/{index}/signedOn"),
                    "cosigner.signs_itself",
                    "is recorded by the signing council at /cosignatures",
                );
            }
        }
        faults.done()?;
        Ok(Self::blank(id, text, origin))
    }

    /// An item from a portal's list: no adoption, receipt or points are known of it, and the portal published it.
    pub fn registered(
        id: AdviceId,
        text: AdviceText,
        listed: Listed,
        lapsed: Option<String>,
        moment: DateTime<Utc>,
        today: NaiveDate,
    ) -> Changed {
        text_faults(&text, today).done()?;
        let mut advice = Self::blank(id, text, Origin::Import);
        advice.0.listed = Some(listed);
        advice.0.withdrawal = lapsed.map(|reason| Withdrawal { on: None, reason: Some(reason) });
        advice.0.publication = Publication::NONE.published(moment);
        Ok(advice)
    }

    fn blank(id: AdviceId, text: AdviceText, origin: Origin) -> Self {
        Self(AdviceRecord {
            id,
            origin,
            shown_to_cosigner: !text.councils.cosigners.is_empty(),
            text,
            listed: None,
            deleted: false,
            adoption: None,
            submitted_on: None,
            received: None,
            treated_on: None,
            suspensions: Vec::new(),
            extensions: Vec::new(),
            responses: Vec::new(),
            withdrawal: None,
            merge: None,
            forwardings: Vec::new(),
            follow_ups: Vec::new(),
            ratings: Vec::new(),
            closure: None,
            corrections: Vec::new(),
            publication: Publication::NONE,
        })
    }

    /// Another portal's record of the same advice, of this council: its reference hangs on this one too.
    pub fn with_reference(mut self, reference: super::Reference, council: CouncilCode) -> Self {
        self.listed_mut().reference_councils.push((reference.value.clone(), council));
        let references = &mut self.0.text.references;
        if !references.iter().any(|known| known.system == reference.system && known.value == reference.value)
        {
            references.push(reference);
        }
        self
    }

    /// What another list knows better.
    pub fn with_listing(mut self, listing: Listing) -> Self {
        let Listing { kind, subject, listed_on, portfolio_holder, unnamed_cosigners, annex_to } = listing;
        if self.0.is_as_listed() {
            self.0.text.kind = kind.unwrap_or(self.0.text.kind);
            if let Some(subject) = subject {
                let before = std::mem::replace(&mut self.0.text.subject, subject);
                self.listed_mut().titles.push(before);
            }
            self.0.text.listed_on = listed_on.or(self.0.text.listed_on);
        }
        let listed = self.listed_mut();
        listed.portfolio_holder = listed.portfolio_holder.or(portfolio_holder);
        listed.unnamed_cosigners |= unnamed_cosigners;
        listed.annex_to = listed.annex_to.take().or(annex_to);
        self
    }

    fn listed_mut(&mut self) -> &mut Listed {
        self.0.listed.get_or_insert_default()
    }

    /// A list shows that another council signed it too.
    pub fn with_listed_cosigner(mut self, council: CouncilCode) -> Self {
        if !self.0.belongs_to(&council) {
            self.0.text.councils.cosigners.push(Cosigner { council, signed_on: None });
        }
        self
    }

    /// A list shows that this item is only the co-signing of another advice.
    pub fn merged_by_list(mut self, into: AdviceId, on: NaiveDate) -> Self {
        self.0.merge =
            Some(Merge { into, on, reason: Some("a list shows that it co-signs the other".to_owned()) });
        self
    }

    /// A list has since marked it as void (vervallen).
    pub fn lapsed_by_list(mut self, reason: String) -> Self {
        if self.0.is_as_listed() && self.0.withdrawal.is_none() && self.0.final_response().is_none() {
            self.0.withdrawal = Some(Withdrawal { on: None, reason: Some(reason) });
        }
        self
    }

    /// A list gives the number of an answer that is there already.
    pub fn with_answer_reference(mut self, reference: super::Reference) -> Self {
        if let Some(response) =
            self.0.responses.iter_mut().find(|response| response.kind == ResponseKind::Final)
            && !response.references.contains(&reference)
        {
            response.references.push(reference);
        }
        self
    }

    /// A list gives the day of the answer and nothing else of it.
    pub fn with_listed_answer(
        mut self,
        id: PartId,
        sent_on: NaiveDate,
        references: Vec<super::Reference>,
    ) -> Self {
        self.0.responses.push(Response {
            id,
            kind: ResponseKind::Final,
            decided_on: None,
            sent_on: Some(sent_on),
            by: None,
            points: Vec::new(),
            considerations: None,
            text: None,
            references,
            recorded_at: None,
        });
        self
    }
}

impl AsCoordinator {
    /// The text as it stands.
    pub fn text(&self) -> &AdviceText {
        &self.0.text
    }

    /// Whether it was sent in, so that others rely on what it says.
    pub fn is_on_record(&self) -> bool {
        !matches!(self.0.status(), AdviceStatus::Draft | AdviceStatus::Adopted)
    }

    /// Changes the text of a draft; after adoption only themes, level and references.
    pub fn rewrite(self, text: AdviceText, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let record = &mut advice.0;
        require(!has_ended(record), "Changing the text", record)?;
        let mut faults = text_faults(&text, today);
        if text.second_round_of == Some(record.id) {
            faults.add("/secondRoundOf", "second_round.itself", "is this advice itself");
        }
        if text.councils.lead != record.text.councils.lead {
            faults.add(
                "/councils/lead",
                "immutable",
                "the lead does not change; withdraw this draft and write another",
            );
        }
        for (index, cosigner) in text.councils.cosigners.iter().enumerate() {
            let signed = record
                .text
                .councils
                .cosigners
                .iter()
                .find(|known| known.council == cosigner.council)
                .and_then(|known| known.signed_on);
            if cosigner.signed_on != signed {
                faults.add(
                    format!("/councils/cosigners/{index}/signedOn"),
                    "cosigner.signs_itself",
                    "is recorded by the signing council at /cosignatures",
                );
            }
        }
        let kept = |council: &CouncilCode| {
            text.councils.cosigners.iter().any(|cosigner| cosigner.council == *council)
        };
        let signatures = record.text.councils.cosigners.iter().filter(|known| known.signed_on.is_some());
        for signed in signatures.filter(|signed| !kept(&signed.council)) {
            faults.add(
                "/councils/cosigners",
                "cosigner.signed",
                format!("{} signed and stays in the list", signed.council),
            );
        }
        // Rule 2 holds always: the level is not raised over the head of an answer that was given without the weighing.
        let unweighed = record.responses.iter().any(|response| {
            matches!(response.kind, ResponseKind::Final | ResponseKind::Revised)
                && response.considerations.is_none()
        });
        if text.level != record.text.level
            && text.level != crate::codes::Level::Neighbourhood
            && unweighed
            && record.origin != Origin::Import
        {
            faults.add(
                "/level",
                "response.considerations_missing",
                "an advice of this level is answered with the city-level considerations, and this one was not",
            );
        }
        faults.done()?;
        if record.status() != AdviceStatus::Draft {
            let frozen = AdviceText {
                themes: record.text.themes.clone(),
                level: record.text.level,
                references: record.text.references.clone(),
                ..text.clone()
            };
            if frozen != record.text {
                return Err(RuleError::conflict(
                    "text-frozen",
                    "After adoption only themes, level and references change; what was recorded wrongly is corrected at /corrections.",
                ));
            }
        }
        // A council signed that text and no other: when it changes, it signs again.
        let signed_text_changes = text.kind != record.text.kind
            || text.subject != record.text.subject
            || text.summary != record.text.summary
            || text.points != record.text.points;
        record.shown_to_cosigner |= !text.councils.cosigners.is_empty();
        record.text = text;
        if signed_text_changes {
            for cosigner in &mut record.text.councils.cosigners {
                cosigner.signed_on = None;
            }
        }
        Ok(advice)
    }

    /// Deletes a draft that no co-signer was shown.
    pub fn delete(self) -> Changed {
        let Self(mut advice) = self;
        require(advice.status() == AdviceStatus::Draft, "Deleting", &advice.0)?;
        if advice.0.shown_to_cosigner {
            return Err(RuleError::conflict(
                "shown-to-cosigner",
                "A draft that a co-signer was shown is not deleted; withdraw it with a reason.",
            ));
        }
        advice.0.deleted = true;
        Ok(advice)
    }

    /// The council adopts the draft.
    pub fn adopt(self, adoption: Adoption, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let listed = advice.status() == AdviceStatus::Registered && advice.0.adoption.is_none();
        require(advice.status() == AdviceStatus::Draft || listed, "Adoption", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/meetingOn", adoption.meeting_on, today);
        if let Some(on) = adoption.ratified_on {
            faults.happened("/ratifiedOn", on, today);
            faults.not_before("/ratifiedOn", on, Some(adoption.meeting_on), "meeting");
        }
        if adoption.votes_for <= adoption.votes_against {
            faults.add("/votesFor", "adoption.no_majority", "must be more than the votes against");
        }
        faults.done()?;
        advice.0.adoption = Some(adoption);
        Ok(advice)
    }

    /// A public meeting ratifies the adoption; it may come after submission.
    pub fn ratify(self, ratification: Ratification, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let status = advice.status();
        let open = !has_ended(&advice.0);
        let Some(adoption) = advice.0.adoption.as_mut().filter(|_| open) else {
            return Err(not_open("Ratification", status));
        };
        if adoption.ratified_on.is_some() {
            return Err(RuleError::conflict(
                "already-recorded",
                "It was ratified already; a wrong day is corrected at /corrections.",
            ));
        }
        let mut faults = Faults::default();
        faults.happened("/ratifiedOn", ratification.ratified_on, today);
        faults.not_before("/ratifiedOn", ratification.ratified_on, Some(adoption.meeting_on), "meeting");
        faults.done()?;
        adoption.ratified_on = Some(ratification.ratified_on);
        Ok(advice)
    }

    /// Sends the advice in.
    pub fn submit(self, submission: Submission, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let listed = advice.status() == AdviceStatus::Registered && advice.0.submitted_on.is_none();
        require(advice.status() == AdviceStatus::Adopted || listed, "Submission", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/submittedOn", submission.submitted_on, today);
        let adopted_on = advice.0.adoption.as_ref().map(|adoption| adoption.meeting_on);
        if advice.0.origin != Origin::Import {
            faults.not_before("/submittedOn", submission.submitted_on, adopted_on, "adoption");
        }
        if let Some(on) = submission.letter_on {
            faults.happened("/letterOn", on, today);
            faults.not_known_otherwise("/letterOn", on, advice.0.text.letter_on);
        }
        faults.done()?;
        advice.0.submitted_on = Some(submission.submitted_on);
        advice.0.text.letter_on = submission.letter_on.or(advice.0.text.letter_on);
        Ok(advice)
    }

    /// Withdraws the advice before it is answered.
    pub fn withdraw(self, withdrawal: WithdrawalBody, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let open = !has_ended(&advice.0) && advice.0.final_response().is_none();
        require(open, "Withdrawal", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", withdrawal.on, today);
        let last = latest_step(&advice.0);
        faults.not_before("/on", withdrawal.on, last, "latest step");
        faults.done()?;
        let WithdrawalBody { on, reason } = withdrawal;
        advice.0.withdrawal = Some(Withdrawal { on: Some(on), reason: Some(reason) });
        Ok(advice)
    }
}

/// The day of the latest step of the process so far.
pub(super) fn latest_step(record: &AdviceRecord) -> Option<NaiveDate> {
    [
        record.adoption.as_ref().map(|adoption| adoption.meeting_on),
        record.submitted_on,
        record.received.as_ref().map(|received| received.received_on),
        record.treated_on,
    ]
    .into_iter()
    .flatten()
    .max()
}

impl AsSignatory {
    /// Signs the advice of another council: an invited one at any time before the answer, another once it is published.
    pub fn cosign(self, cosignature: Cosignature, today: NaiveDate) -> Changed {
        let Self { mut advice, council } = self;
        let open = !has_ended(&advice.0) && advice.0.final_response().is_none();
        require(open, "Co-signing", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/signedOn", cosignature.signed_on, today);
        if advice.text.councils.lead == council {
            faults.add("/council", "duplicate", "the lead does not co-sign its own advice");
        }
        faults.done()?;
        advice.0.shown_to_cosigner = true;
        let cosigners = &mut advice.0.text.councils.cosigners;
        match cosigners.iter_mut().find(|cosigner| cosigner.council == council) {
            Some(cosigner) if cosigner.signed_on.is_some() => {
                return Err(RuleError::conflict("already-recorded", "This council signed already."));
            }
            Some(cosigner) => cosigner.signed_on = Some(cosignature.signed_on),
            None => cosigners.push(Cosigner { council, signed_on: Some(cosignature.signed_on) }),
        }
        Ok(advice)
    }

    /// Rates the answer; stays possible after closure.
    pub fn rate(self, rating: Rating, today: NaiveDate) -> Changed {
        let Self { mut advice, council } = self;
        let Some(answered_on) = advice.0.final_response().map(|response| response.sent_on) else {
            return Err(not_open("Rating", advice.status()));
        };
        let mut faults = Faults::default();
        faults.happened("/on", rating.on, today);
        faults.not_before("/on", rating.on, answered_on, "answer");
        if !advice.belongs_to(&council) {
            faults.add("/council", "council.not_signatory", "is neither the lead nor a co-signer");
        }
        if rating.council != council {
            faults.add("/council", "council.not_yours", "is not the council that rates");
        }
        faults.done()?;
        room_for_one_more(advice.0.ratings.len())?;
        advice.0.ratings.push(rating);
        Ok(advice)
    }
}

impl AsCluster {
    /// Receives the advice: day 0. The term rule and the portfolio holder are frozen here (rule 5).
    pub fn receive(self, receipt: Receipt, rules: &[TermRule], today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let open = matches!(advice.status(), AdviceStatus::Submitted | AdviceStatus::Registered);
        require(open, "Receipt", &advice.0)?;
        let Receipt { received_on, cluster, portfolio_holder, rule, reason, listed_on } = receipt;
        let mut faults = Faults::default();
        faults.happened("/receivedOn", received_on, today);
        if advice.0.origin != Origin::Import {
            faults.not_before("/receivedOn", received_on, advice.0.submitted_on, "submission");
        }
        if let Some(on) = listed_on {
            faults.happened("/listedOn", on, today);
            faults.not_known_otherwise("/listedOn", on, advice.0.text.listed_on);
        }
        if rule.is_some() && reason.as_deref().unwrap_or_default().trim().is_empty() {
            faults.add("/reason", "required", "who names a rule says why");
        }
        faults.done()?;
        let rule = term::choose_rule(rules, advice.text.kind, advice.text.level, received_on, rule)?;
        advice.0.received =
            Some(Received { received_on, cluster, first_cluster: None, portfolio_holder, rule });
        advice.0.text.listed_on = listed_on.or(advice.0.text.listed_on);
        Ok(advice)
    }

    /// Starts treatment.
    pub fn treat(self, treatment: Treatment, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        require(advice.status() == AdviceStatus::Received, "Treatment", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", treatment.on, today);
        faults.not_before("/on", treatment.on, received_on(&advice.0), "receipt");
        faults.done()?;
        advice.0.treated_on = Some(treatment.on);
        Ok(advice)
    }

    /// Suspends the term. Decided or begun after the deadline it is kept as void.
    pub fn suspend(self, id: PartId, body: SuspensionBody, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        require(in_hand(&advice.0), "Suspension", &advice.0)?;
        let SuspensionBody { from, decided_on, reason } = body;
        let mut faults = Faults::default();
        faults.happened("/from", from, today);
        faults.happened("/decidedOn", decided_on, today);
        faults.not_before("/from", from, received_on(&advice.0), "receipt");
        faults.not_before("/decidedOn", decided_on, received_on(&advice.0), "receipt");
        faults.done()?;
        let suspension = Suspension { id, from, to: None, decided_on, reason };
        term::check_suspension(&advice.0.term_facts(), &suspension)?;
        room_for_one_more(advice.0.suspensions.len())?;
        advice.0.suspensions.push(suspension);
        Ok(advice)
    }

    /// Lets the clock run again. None when the advice has no such suspension.
    pub fn resume(self, id: PartId, end: SuspensionEnd, today: NaiveDate) -> Option<Changed> {
        let Self(mut advice) = self;
        let status = advice.status();
        let in_hand = in_hand(&advice.0);
        let suspension = advice.0.suspensions.iter_mut().find(|suspension| suspension.id == id)?;
        if !in_hand {
            return Some(Err(not_open("Ending a suspension", status)));
        }
        if suspension.to.is_some() {
            return Some(Err(RuleError::conflict(
                "already-recorded",
                "This suspension has ended; a wrong day is corrected at /corrections.",
            )));
        }
        let mut faults = Faults::default();
        faults.happened("/to", end.to, today);
        if end.to <= suspension.from {
            faults.add("/to", "date.order", format!("must lie after the first day, {}", suspension.from));
        }
        if let Err(refusal) = faults.done() {
            return Some(Err(refusal));
        }
        suspension.to = Some(end.to);
        Some(Ok(advice))
    }

    /// Extends the term. Decided after the deadline it is kept as void: it never makes a late answer timely.
    pub fn extend(self, id: PartId, body: ExtensionBody, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        require(in_hand(&advice.0), "Extension", &advice.0)?;
        let ExtensionBody { days, decided_on, reason } = body;
        let mut faults = Faults::default();
        faults.happened("/decidedOn", decided_on, today);
        faults.not_before("/decidedOn", decided_on, received_on(&advice.0), "receipt");
        faults.done()?;
        if received_rule(&advice.0).is_some_and(|rule| rule.days.is_none()) {
            return Err(RuleError::conflict(
                "no-norm",
                "No norm applies to this advice, so there is no term to extend.",
            ));
        }
        room_for_one_more(advice.0.extensions.len())?;
        advice.0.extensions.push(Extension { id, days, decided_on, reason });
        Ok(advice)
    }

    /// Records an acknowledgement or an interim message; neither stops the clock.
    pub fn respond(self, response: NewResponse, today: NaiveDate) -> Changed {
        let Self(advice) = self;
        record_response(advice, response, &[ResponseKind::Acknowledgement, ResponseKind::Interim], today)
    }

    /// Treats it as part of another from now on.
    pub fn merge(self, merge: Merge, target: &Advice, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        require(in_hand(&advice.0), "Merging", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", merge.on, today);
        faults.not_before("/on", merge.on, latest_step(&advice.0), "latest step");
        if target.id == advice.id {
            faults.add("/into", "merge.itself", "is this advice itself");
        }
        faults.done()?;
        if target.submitted_on.is_none() && !target.may_be_published() {
            return Err(RuleError::conflict(
                "merge-target-not-submitted",
                "The advice to merge into was not sent in yet.",
            ));
        }
        if has_ended(target) || target.deleted {
            return Err(RuleError::conflict(
                "merge-target-ended",
                "The advice to merge into has ended itself.",
            ));
        }
        if advice.is_published() && !target.is_published() {
            return Err(RuleError::conflict(
                "merge-target-not-public",
                "This advice is published and the one to merge into is not: its readers would be sent to nothing. Publish that one first.",
            ));
        }
        advice.0.merge = Some(merge);
        Ok(advice)
    }

    /// Hands it to another cluster, or to a body outside.
    pub fn forward(self, forwarding: Forwarding, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        require(in_hand(&advice.0), "Forwarding", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", forwarding.on, today);
        faults.not_before("/on", forwarding.on, latest_step(&advice.0), "latest step");
        if forwarding.cluster.is_some() == forwarding.body.is_some() {
            faults.add(
                "/cluster",
                "forwarding.one_target",
                "name either a cluster or a body outside, and one of them",
            );
        }
        faults.done()?;
        if let (Some(cluster), Some(received)) = (&forwarding.cluster, advice.0.received.as_mut()) {
            if received.cluster == *cluster {
                return Err(RuleError::conflict("already-recorded", "This cluster has it already."));
            }
            let from = std::mem::replace(&mut received.cluster, cluster.clone());
            received.first_cluster.get_or_insert(from);
        }
        room_for_one_more(advice.0.forwardings.len())?;
        advice.0.forwardings.push(forwarding);
        Ok(advice)
    }

    /// Records what happened to a point that was adopted, fully or partly.
    pub fn follow_up(self, follow_up: FollowUp, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let open = matches!(advice.status(), AdviceStatus::Answered | AdviceStatus::InFollowUp);
        require(open, "Follow-up", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", follow_up.on, today);
        let answered_on = advice.0.final_response().and_then(|response| response.sent_on);
        faults.not_before("/on", follow_up.on, answered_on, "answer");
        if let Some(on) = follow_up.due_on {
            faults.known_day("/dueOn", on);
        }
        let outcome = advice.0.point_response(follow_up.point).map(|point| point.outcome);
        if !matches!(outcome, Some(PointOutcome::Adopted | PointOutcome::PartlyAdopted)) {
            faults.add("/point", "follow_up.not_adopted", "is not a point that was adopted, fully or partly");
        }
        faults.done()?;
        room_for_one_more(advice.0.follow_ups.len())?;
        advice.0.follow_ups.push(follow_up);
        Ok(advice)
    }

    /// Closes the process.
    pub fn close(self, closure: Closure, today: NaiveDate) -> Changed {
        let Self(mut advice) = self;
        let open = matches!(advice.status(), AdviceStatus::Answered | AdviceStatus::InFollowUp);
        require(open, "Closure", &advice.0)?;
        let mut faults = Faults::default();
        faults.happened("/on", closure.on, today);
        let latest = advice
            .0
            .responses
            .iter()
            .filter_map(|response| response.sent_on)
            .chain(advice.0.follow_ups.iter().map(|follow_up| follow_up.on))
            .max();
        faults.not_before("/on", closure.on, latest, "latest step");
        faults.done()?;
        advice.0.closure = Some(closure);
        Ok(advice)
    }
}

impl AsCollege {
    /// Records the final response, which stops the clock, or a revised one, which never does.
    pub fn respond(self, response: NewResponse, today: NaiveDate) -> Changed {
        let Self(advice) = self;
        record_response(advice, response, &[ResponseKind::Final, ResponseKind::Revised], today)
    }
}

fn record_response(
    mut advice: Advice,
    response: NewResponse,
    kinds: &[ResponseKind],
    today: NaiveDate,
) -> Changed {
    let NewResponse { id, recorded_at, body } = response;
    let ResponseBody { kind, decided_on, sent_on, by, points, considerations, text, references } = body;
    if !kinds.contains(&kind) {
        return Err(RuleError::invalid("/kind", "response.kind", "is recorded under another scope"));
    }
    let record = &mut advice.0;
    let before_answer = in_hand(record) || record.status() == AdviceStatus::Registered;
    let after_answer =
        matches!(record.status(), AdviceStatus::Answered | AdviceStatus::InFollowUp | AdviceStatus::Closed);
    match kind {
        ResponseKind::Final if record.final_response().is_some() => {
            return Err(RuleError::conflict(
                "final-response-exists",
                "There is one final response; what follows it is a revised one.",
            ));
        }
        ResponseKind::Revised => require(after_answer, "A revised response", record)?,
        ResponseKind::Final => require(before_answer, "A final response", record)?,
        ResponseKind::Acknowledgement => require(before_answer, "An acknowledgement", record)?,
        ResponseKind::Interim => require(before_answer, "An interim message", record)?,
    }

    let answers = matches!(kind, ResponseKind::Final | ResponseKind::Revised);
    let mut faults = Faults::default();
    for (location, on) in [("/decidedOn", decided_on), ("/sentOn", sent_on)] {
        match on {
            Some(on) => {
                faults.happened(location, on, today);
                if record.origin != Origin::Import {
                    faults.not_before(location, on, received_on(record), "receipt");
                }
            }
            None if answers => faults.add(location, "required", format!("is mandatory on a {kind} response")),
            None => {}
        }
    }
    if let (Some(decided_on), Some(sent_on)) = (decided_on, sent_on) {
        faults.not_before("/sentOn", sent_on, Some(decided_on), "decision");
    }
    if kind == ResponseKind::Revised
        && let Some(sent_on) = sent_on
    {
        let answered_on = record.final_response().and_then(|response| response.sent_on);
        faults.not_before("/sentOn", sent_on, answered_on, "final response");
    }
    if kind == ResponseKind::Final
        && let Some(sent_on) = sent_on
    {
        let open_since = record.suspensions.iter().find(|suspension| suspension.to.is_none());
        faults.not_before(
            "/sentOn",
            sent_on,
            open_since.map(|suspension| suspension.from),
            "suspension that is still open",
        );
    }
    if let Some(on) = considerations.as_ref().and_then(|considerations| considerations.shared_on) {
        faults.happened("/considerations/sharedOn", on, today);
    }
    for (index, point) in points.iter().enumerate() {
        let location = format!("/points/{index}/number");
        if !record.text.points.iter().any(|known| known.number == point.number) {
            faults.add(
                location,
                "response.no_such_point",
                format!("the advice has no point {}", point.number),
            );
        } else if points[..index].iter().any(|earlier| earlier.number == point.number) {
            faults.add(location, "duplicate", format!("point {} stands in the list twice", point.number));
        }
    }
    if !answers && !points.is_empty() {
        faults.add("/points", "response.no_outcome_yet", "only a final or revised response gives outcomes");
    }
    if kind == ResponseKind::Revised && points.is_empty() && !record.text.points.is_empty() {
        faults.add("/points", "required", "a revised response replaces at least one point");
    }
    if answers && record.origin != Origin::Import {
        faults.0.extend(response_gaps(record, &points, &considerations, kind == ResponseKind::Final));
    }
    faults.done()?;

    if kind == ResponseKind::Final {
        for suspension in record.suspensions.iter_mut().filter(|suspension| suspension.to.is_none()) {
            suspension.to = sent_on;
        }
    }
    room_for_one_more(record.responses.len())?;
    record.responses.push(Response {
        id,
        kind,
        decided_on,
        sent_on,
        by: Some(by),
        points,
        considerations,
        text,
        references,
        recorded_at: Some(recorded_at),
    });
    Ok(advice)
}

impl AsPublisher {
    /// Publishes; possible from receipt (or registration) on.
    pub fn publish(self, moment: DateTime<Utc>) -> Changed {
        let Self(mut advice) = self;
        if !advice.may_be_published() {
            return Err(not_open("Publication", advice.status()));
        }
        advice.0.publication.publish(moment)?;
        Ok(advice)
    }

    /// Withdraws from publication, with a reason that the public reads; leaves a tombstone (rule 6).
    pub fn unpublish(self, body: UnpublicationBody, moment: DateTime<Utc>) -> Changed {
        let Self(mut advice) = self;
        advice.0.publication.unpublish(body, moment)?;
        Ok(advice)
    }
}

fn in_hand(record: &AdviceRecord) -> bool {
    matches!(record.status(), AdviceStatus::Received | AdviceStatus::InTreatment)
}

fn received_on(record: &AdviceRecord) -> Option<NaiveDate> {
    record.received.as_ref().map(|received| received.received_on)
}

fn received_rule(record: &AdviceRecord) -> Option<&TermRule> {
    record.received.as_ref().map(|received| &received.rule)
}
