//! Facts as they are kept, a hundred thousand and more of them: codes as numbers, no texts, and what is rare in a place of its own.

use chrono::NaiveDate;

use super::course::Courses;
use super::facts::{AdviceFact, FollowUpFact, ResponseFact};
use super::numbers::{Codes, Number};
use super::table::Keyed;
use crate::agreement::{self, Agreement};
use crate::codes::{AdviceKind, AgreementSize, Colour, Level, Origin, ProgressState, ResponseKind};
use crate::ids::{AdviceId, AgreementId};
use crate::term::{self, Clock, Dates, EndReason, TermFacts};

/// An [`AdviceFact`] as it is kept.
#[derive(Debug, Clone)]
pub struct PackedAdvice {
    /// Its id.
    pub id: AdviceId,
    /// Where it came from.
    pub origin: Origin,
    /// Kind.
    pub kind: AdviceKind,
    /// Level.
    pub level: Level,
    /// Whether it was withdrawn (or lapsed in a list), on a day that may be unknown.
    pub withdrawn: bool,
    /// Whether it ended without an answer on a day that nobody knows.
    pub ended_unknown_day: bool,
    /// Whether it bears a reference with an address.
    pub has_source_link: bool,
    /// The council that leads it.
    pub lead: Number,
    /// Its themes, as a list.
    pub themes: Number,
    /// The numbers of its points, as a list.
    pub points: Number,
    /// The office holder who answers.
    pub portfolio_holder: Option<Number>,
    /// The day of receipt.
    pub received_on: Option<NaiveDate>,
    /// The day the final response was sent.
    pub answered_on: Option<NaiveDate>,
    /// The earliest of letter, listing and submission.
    pub earliest_on: Option<NaiveDate>,
    /// The day on which it was first published.
    pub published_on: Option<NaiveDate>,
    /// The day on which it was withdrawn from publication; none while it is public.
    pub unpublished_on: Option<NaiveDate>,
    ended_on: Option<NaiveDate>,
    end_reason: EndReason,
    /// The rule frozen at receipt.
    pub(super) rule: Option<Number>,
    /// The deadline that the rule alone makes.
    pub(super) rule_due_on: Option<NaiveDate>,
    /// The one cluster from receipt on; none where there is no cluster, or where there are several.
    cluster: Option<Number>,
    /// Responses, in the order in which they were recorded.
    pub responses: Box<[ResponseFact]>,
    rare: Option<Box<Rare>>,
}

/// What few advice have.
#[derive(Debug, Clone, Default)]
struct Rare {
    cosigners: Box<[(Number, Option<NaiveDate>)]>,
    /// Where it is not one cluster from receipt on: all, each with its first day.
    clusters: Box<[(Option<NaiveDate>, Number)]>,
    follow_ups: Box<[FollowUpFact]>,
    /// Where it has a measure: what the clock needs, for that one counts by all of it.
    moved: Option<Box<TermFacts>>,
}

impl PackedAdvice {
    /// Packs an advice; codes that are new get a number.
    pub fn of(fact: AdviceFact, codes: &mut Codes) -> Self {
        let AdviceFact {
            id,
            origin,
            kind,
            level,
            lead,
            cosigners,
            themes,
            clusters,
            portfolio_holder,
            earliest_on,
            term,
            withdrawn,
            points,
            responses,
            follow_ups,
            published_on,
            unpublished_on,
            has_source_link,
        } = fact;
        let cluster = match clusters.as_slice() {
            [(None, only)] => Some(codes.clusters.number(only)),
            _ => None,
        };
        let later = clusters.into_iter().filter(|_| cluster.is_none());
        let rule_due_on =
            term.rule.as_ref().zip(term.received_on).and_then(|(rule, day)| term::rule_due_on(rule, day));
        let has_moved = !term.suspensions.is_empty() || !term.extensions.is_empty();
        let (ended_on, end_reason) = term.ended_on.unzip();
        Self {
            id,
            origin,
            kind,
            level,
            withdrawn,
            ended_unknown_day: term.ended_unknown_day,
            has_source_link,
            lead: codes.councils.number(&lead),
            themes: codes.theme_list(&themes),
            points: codes.point_lists.number(&points.into_boxed_slice()),
            portfolio_holder: portfolio_holder.map(|id| codes.office_holders.number(&id)),
            received_on: term.received_on,
            answered_on: term.answered_on,
            earliest_on,
            published_on,
            unpublished_on,
            ended_on,
            end_reason: end_reason.unwrap_or(EndReason::Withdrawn),
            rule: term.rule.as_ref().map(|rule| codes.rules.number(rule)),
            rule_due_on,
            cluster,
            responses: responses.into_boxed_slice(),
            rare: Rare {
                cosigners: cosigners
                    .into_iter()
                    .map(|(council, signed_on)| (codes.councils.number(&council), signed_on))
                    .collect(),
                clusters: later.map(|(from, cluster)| (from, codes.clusters.number(&cluster))).collect(),
                follow_ups: follow_ups.into_boxed_slice(),
                moved: has_moved.then(|| Box::new(term)),
            }
            .boxed(),
        }
    }

    /// The cluster that treated it on a day.
    pub fn cluster_on(&self, on: NaiveDate) -> Option<Number> {
        let several = || {
            let clusters = self.rare.as_ref().map_or(&[][..], |rare| &rare.clusters);
            let by_then = clusters.iter().filter(|(from, _)| from.is_none_or(|from| from <= on));
            by_then.max_by_key(|(from, _)| *from).map(|(_, cluster)| *cluster)
        };
        self.cluster.or_else(several)
    }

    /// Whether anybody signed it beside the lead, ever.
    pub fn has_cosigners(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.cosigners.is_empty())
    }

    /// Who had signed by a day beside the lead.
    pub fn cosigners_on(&self, on: NaiveDate) -> impl Iterator<Item = Number> {
        let cosigners = self.rare.as_ref().map_or(&[][..], |rare| &rare.cosigners);
        let signed = cosigners.iter().filter(move |(_, signed_on)| signed_on.is_none_or(|day| day <= on));
        signed.map(|(council, _)| *council)
    }

    /// The councils behind it on a day: the lead, and who had signed by then.
    pub fn councils_on(&self, on: NaiveDate) -> impl Iterator<Item = Number> {
        std::iter::once(self.lead).chain(self.cosigners_on(on))
    }

    /// The final response, if it was sent by a day.
    pub fn final_response_on(&self, on: NaiveDate) -> Option<&ResponseFact> {
        self.responses
            .iter()
            .find(|response| response.kind == ResponseKind::Final)
            .filter(|response| response.sent_on.is_some_and(|sent_on| sent_on <= on))
    }

    /// What happened to adopted points, in the order in which it was recorded.
    pub fn follow_ups(&self) -> &[FollowUpFact] {
        self.rare.as_ref().map_or(&[], |rare| &rare.follow_ups)
    }

    /// The day it ended without an answer, and why.
    pub fn ended_on(&self) -> Option<(NaiveDate, EndReason)> {
        self.ended_on.map(|day| (day, self.end_reason))
    }

    /// Whether it was withdrawn or ended otherwise on a day that nobody knows.
    pub fn has_ended_some_day(&self) -> bool {
        self.ended_unknown_day || (self.withdrawn && self.ended_on.is_none())
    }

    /// What the clock needs, where its term was extended or stood still, were it without effect.
    pub fn moved(&self) -> Option<&TermFacts> {
        self.rare.as_ref()?.moved.as_deref()
    }

    /// Where the term stood on a day.
    #[inline]
    pub(super) fn clock_on(&self, codes: &Codes, on: NaiveDate) -> Clock {
        if let Some(moved) = self.moved() {
            return term::clock_on(moved, on);
        }
        let dates = Dates {
            rule: self.rule.and_then(|rule| codes.rules.get(rule)),
            received_on: self.received_on,
            answered_on: self.answered_on,
            ended_on: self.ended_on(),
            imported: self.origin == Origin::Import,
            ended_unknown_day: self.ended_unknown_day,
        };
        term::unmoved_clock_on(dates, self.rule_due_on, on)
    }
}

impl Rare {
    fn boxed(self) -> Option<Box<Self>> {
        let Self { cosigners, clusters, follow_ups, moved } = &self;
        let is_empty =
            cosigners.is_empty() && clusters.is_empty() && follow_ups.is_empty() && moved.is_none();
        (!is_empty).then(|| Box::new(self))
    }
}

impl Keyed for PackedAdvice {
    type Id = AdviceId;
    type Briefs = Courses;

    fn id(&self) -> AdviceId {
        self.id
    }

    fn briefs(block: &[Self]) -> Courses {
        Courses::of(block)
    }
}

/// What figures need of an agreement, as it is kept.
#[derive(Debug, Clone)]
pub struct PackedAgreement {
    /// Its id.
    pub id: AgreementId,
    /// Its council.
    pub council: Number,
    /// The cluster that owns it.
    pub cluster: Option<Number>,
    /// Its themes, as a list.
    pub themes: Number,
    /// Large or small.
    pub size: AgreementSize,
    /// The year of the action plan.
    pub plan_year: u16,
    /// The day it was agreed.
    pub agreed_on: NaiveDate,
    /// The day by which it is to be done; none of an ongoing one.
    pub due_on: Option<NaiveDate>,
    /// What the organisation said for which day, in the order in which it was recorded.
    pub progress: Box<[(NaiveDate, ProgressState)]>,
    /// What the council said, in the order in which it was recorded.
    pub judgements: Box<[JudgementFact]>,
}

/// What figures need of a judgement.
#[derive(Debug, Clone, Copy)]
pub struct JudgementFact {
    /// For which day.
    pub on: NaiveDate,
    /// Green, orange or red.
    pub colour: Colour,
    /// Whether it is realised in the judgement of the council.
    pub realised: bool,
}

impl PackedAgreement {
    /// Packs an agreement; codes that are new get a number.
    pub fn of(agreement: &Agreement, codes: &mut Codes) -> Self {
        let Agreement { id, council, text, progress, judgements, .. } = agreement;
        let judgements = judgements.iter().map(|judgement| JudgementFact {
            on: judgement.on,
            colour: judgement.colour,
            realised: judgement.realised,
        });
        Self {
            id: *id,
            council: codes.councils.number(council),
            cluster: text.owner.cluster.as_ref().map(|cluster| codes.clusters.number(cluster)),
            themes: codes.theme_list(&text.themes),
            size: text.size,
            plan_year: text.plan_year,
            agreed_on: text.agreed_on,
            due_on: text.due_on,
            progress: progress.iter().map(|progress| (progress.on, progress.state)).collect(),
            judgements: judgements.collect(),
        }
    }

    /// The last word of the council up to and including a day.
    pub fn judgement_on(&self, on: NaiveDate) -> Option<&JudgementFact> {
        agreement::last_word(&self.judgements, |judgement| judgement.on, on)
    }

    /// Since when, on a day, the organisation has said done without saying anything else.
    pub fn done_since(&self, on: NaiveDate) -> Option<NaiveDate> {
        agreement::done_since(self.progress.iter().copied(), on)
    }

    /// Whether, on a day, the organisation says done and the council has said since that it is not.
    pub fn is_disputed_on(&self, on: NaiveDate) -> bool {
        let judgement = self.judgement_on(on).map(|judgement| (judgement.on, judgement.realised));
        agreement::is_disputed(self.done_since(on), judgement)
    }
}

impl Keyed for PackedAgreement {
    type Id = AgreementId;
    type Briefs = ();

    fn id(&self) -> AgreementId {
        self.id
    }

    fn briefs(_: &[Self]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advice_takes_some_hundred_bytes_and_its_answers() {
        assert!(size_of::<PackedAdvice>() <= 104, "{}", size_of::<PackedAdvice>());
        assert!(size_of::<ResponseFact>() <= 32, "{}", size_of::<ResponseFact>());
    }
}
