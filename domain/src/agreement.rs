//! An agreement of an accord (afspraak). Two logs that only grow say what became of it: progress, by the organisation, and
//! judgement, by the council. Neither may write the other's; where the agreement stands is derived from both.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::{Publication, Reference};
use crate::codes::{AgreementSize, AgreementState, Colour, ProgressState};
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError, room_for_one_more};
use crate::ids::{
    AccordId, AdviceId, AgreementId, ClusterCode, CouncilCode, PartId, PolicyTrackId, ThemeCode,
};

/// How many orange agreements a council may mark in a year, to be watched and carried over.
pub const MOST_WATCHED: usize = 3;

/// An agreement as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgreementBody {
    /// The accord it belongs to.
    pub accord: AccordId,
    /// Its number in the plan of its year (nummer).
    #[schema(
        min_length = 1,
        max_length = 20,
        pattern = r"^[0-9]{1,3}(\.[0-9]{1,3}){0,3}$",
        example = "1.1.2"
    )]
    pub number: String,
    /// What was agreed, in short (titel).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Zebrapad bij de school")]
    pub title: String,
    /// What was agreed, in full (omschrijving).
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// Large or small (groot of klein).
    pub size: AgreementSize,
    /// Who carries it out (eigenaar).
    pub owner: Owner,
    /// Who helps (partners).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub partners: Vec<String>,
    /// The year of the action plan (planjaar).
    #[schema(minimum = 1900, maximum = 2200, example = 2026)]
    pub plan_year: u16,
    /// The day it was agreed (afgesproken op); a figure of an earlier day does not know it.
    pub agreed_on: NaiveDate,
    /// The day by which it is to be done; null only of an ongoing one.
    #[serde(default)]
    pub due_on: Option<NaiveDate>,
    /// Why it goes on without a day by which it is done (doorlopend); mandatory without `dueOn`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub ongoing_reason: Option<String>,
    /// The agreement of an earlier year that it carries on.
    #[serde(default)]
    pub carried_over_from: Option<AgreementId>,
    /// The policy track it hangs on (beleidstraject).
    #[serde(default)]
    pub policy_track: Option<PolicyTrackId>,
    /// The point of an advice that it carries out.
    #[serde(default)]
    pub advice_point: Option<AdvicePoint>,
    /// What it is about (thema's).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub themes: Vec<ThemeCode>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// Who carries an agreement out (eigenaar): a cluster, or an outside party, which needs no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// The cluster that owns it, or that reports for the outside party.
    #[serde(default)]
    pub cluster: Option<ClusterCode>,
    /// The outside party (partij buiten de gemeente); null when the cluster is the owner.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Woonstad")]
    pub party: Option<String>,
}

/// Which point of which advice (adviespunt).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
// The point itself, as an advice shows it, has that name in the document.
#[schema(as = AdvicePointLink)]
pub struct AdvicePoint {
    /// The advice.
    pub advice: AdviceId,
    /// The number of the point.
    #[schema(minimum = 1, maximum = 999)]
    pub point: u16,
}

/// What the organisation says of an agreement (voortgang).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgressBody {
    /// What it says.
    pub state: ProgressState,
    /// For which day it says so (peildatum).
    pub on: NaiveDate,
    /// Why; mandatory when delayed or stopped (reden).
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub reason: Option<String>,
    /// Where it can be seen (bewijs); `http` or `https`.
    #[serde(default)]
    #[schema(
        max_length = 500,
        pattern = r"^https?://[^\s]+$",
        example = "https://www.rotterdam.nl/zebrapad"
    )]
    pub evidence_url: Option<String>,
}

/// An entry of the log of progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Its id.
    pub id: PartId,
    /// What the organisation says.
    pub state: ProgressState,
    /// For which day it says so.
    pub on: NaiveDate,
    /// Why.
    pub reason: Option<String>,
    /// Where it can be seen.
    pub evidence_url: Option<String>,
}

/// What the council says of an agreement (oordeel).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JudgementBody {
    /// Green, orange or red. Red: it is not realised and will not be.
    pub colour: Colour,
    /// Whether it is realised in the judgement of the council; then the colour is green.
    pub realised: bool,
    /// For which day it says so (peildatum).
    pub on: NaiveDate,
    /// In the council's own words (toelichting).
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
}

/// An entry of the log of judgements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Its id.
    pub id: PartId,
    /// Green, orange or red.
    pub colour: Colour,
    /// Whether it is realised in the judgement of the council.
    pub realised: bool,
    /// For which day it says so.
    pub on: NaiveDate,
    /// In the council's own words.
    pub note: Option<String>,
}

/// The council marks an orange agreement, to be watched and carried over (volgen).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchBody {
    /// The year in whose three it counts.
    #[schema(minimum = 1900, maximum = 2200)]
    pub year: u16,
    /// The day it was marked.
    pub on: NaiveDate,
}

/// An agreement is brought to somebody who can get it going (escalatie).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscalationBody {
    /// The day it was brought up.
    pub on: NaiveDate,
    /// The office it was brought to, such as `wijkwethouder`: a function in lower case, and no name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[a-zà-ÿ]+([ -][a-z0-9à-ÿ]+)*$",
        example = "wijkwethouder"
    )]
    pub to: String,
    /// What was asked, or came of it.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
}

/// An agreement as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// The council of its accord.
    pub council: CouncilCode,
    /// The agreement as it is written.
    pub text: AgreementBody,
    /// What the organisation says, in the order in which it was recorded.
    pub progress: Vec<Progress>,
    /// What the council says, in the order in which it was recorded.
    pub judgements: Vec<Judgement>,
    /// The years in which the council marked it.
    pub watched: Vec<WatchBody>,
    /// To whom it was brought up.
    pub escalations: Vec<EscalationBody>,
    /// Whether the public may see it: as its accord.
    pub publication: Publication,
    /// Whether the reader for whom this was read may not see its accord. Never kept.
    #[serde(skip)]
    pub accord_is_hidden: bool,
}

impl Agreement {
    /// The accord it belongs to, where its reader may see that one: the cluster that carries out an agreement is no party to it.
    pub fn shown_accord(&self) -> Option<AccordId> {
        (!self.accord_is_hidden).then_some(self.text.accord)
    }

    /// A new agreement of an accord; `publication` is the accord's. Of an accord that was withdrawn it was never public itself,
    /// so nobody is told that it is gone.
    pub fn new(
        id: AgreementId,
        council: CouncilCode,
        publication: Publication,
        text: AgreementBody,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        check(&text, today)?;
        let publication = if publication.is_public() { publication } else { Publication::NONE };
        Ok(Self {
            id,
            council,
            text,
            progress: Vec::new(),
            judgements: Vec::new(),
            watched: Vec::new(),
            escalations: Vec::new(),
            publication,
            accord_is_hidden: false,
        })
    }

    /// The agreement with another text. Its accord stays.
    pub fn changed(self, text: AgreementBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        if text.accord != self.text.accord {
            return Err(RuleError::invalid("/accord", "immutable", "an agreement stays with its accord"));
        }
        let mut faults = Faults::default();
        let said = self.progress.iter().map(|progress| progress.on);
        let said = said.chain(self.judgements.iter().map(|judgement| judgement.on));
        if let Some(first) = said.chain(self.escalations.iter().map(|escalation| escalation.on)).min()
            && first < text.agreed_on
        {
            faults.add("/agreedOn", "date.order", format!("lies after what was first said of it, {first}"));
        }
        if text.plan_year != self.text.plan_year && !self.judgements.is_empty() {
            faults.add(
                "/planYear",
                "immutable",
                "it was judged in that year; what goes on in another is a new agreement, carried over from this",
            );
        }
        faults.done()?;
        Ok(Self { text, ..self })
    }

    /// The organisation says how far it is.
    pub fn with_progress(
        mut self,
        id: PartId,
        body: ProgressBody,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let ProgressBody { state, on, reason, evidence_url } = body;
        let mut faults = Faults::default();
        faults.happened("/on", on, today);
        faults.not_before("/on", on, Some(self.text.agreed_on), "day it was agreed");
        let needs_reason = matches!(state, ProgressState::Delayed | ProgressState::Stopped);
        if needs_reason && reason.as_deref().unwrap_or_default().trim().is_empty() {
            faults.add("/reason", "progress.reason_missing", format!("'{state}' needs a reason"));
        }
        faults.done()?;
        room_for_one_more(self.progress.len())?;
        self.progress.push(Progress { id, state, on, reason, evidence_url });
        Ok(self)
    }

    /// The council says what it thinks of it.
    pub fn with_judgement(
        mut self,
        id: PartId,
        body: JudgementBody,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let JudgementBody { colour, realised, on, note } = body;
        let mut faults = Faults::default();
        faults.happened("/on", on, today);
        faults.not_before("/on", on, Some(self.text.agreed_on), "day it was agreed");
        if realised && colour != Colour::Green {
            faults.add("/colour", "judgement.colour", "what is realised is green");
        }
        faults.done()?;
        room_for_one_more(self.judgements.len())?;
        self.judgements.push(Judgement { id, colour, realised, on, note });
        Ok(self)
    }

    /// The council marks it. `watched_already` is how many it marked in that year.
    pub fn with_watch(
        mut self,
        body: WatchBody,
        watched_already: usize,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/on", body.on, today);
        if i32::from(body.year) != body.on.year() {
            faults.add("/year", "watch.year", "is the year of the day it was marked");
        }
        faults.done()?;
        if self.watched.iter().any(|watch| watch.year == body.year) {
            return Err(RuleError::conflict("already-recorded", "It is watched in that year already."));
        }
        if self.judgement_on(body.on).is_none_or(|judgement| judgement.colour != Colour::Orange) {
            return Err(RuleError::conflict(
                "watch-not-orange",
                "Only an agreement that the council judged orange can be marked.",
            ));
        }
        if watched_already >= MOST_WATCHED {
            return Err(RuleError::conflict(
                "watch-full",
                format!("The council has marked {MOST_WATCHED} agreements in {} already.", body.year),
            ));
        }
        self.watched.push(body);
        Ok(self)
    }

    /// It is brought to somebody who can get it going.
    pub fn with_escalation(mut self, body: EscalationBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/on", body.on, today);
        faults.not_before("/on", body.on, Some(self.text.agreed_on), "day it was agreed");
        faults.done()?;
        room_for_one_more(self.escalations.len())?;
        self.escalations.push(body);
        Ok(self)
    }

    /// The last word of the organisation up to and including a day. Of one day the one recorded last counts.
    pub fn progress_on(&self, on: NaiveDate) -> Option<&Progress> {
        last_word(&self.progress, |progress| progress.on, on)
    }

    /// The last word of the council up to and including a day.
    pub fn judgement_on(&self, on: NaiveDate) -> Option<&Judgement> {
        last_word(&self.judgements, |judgement| judgement.on, on)
    }

    /// Since when, on a day, the organisation has said done without saying anything else; saying it again changes nothing.
    pub fn done_since(&self, on: NaiveDate) -> Option<NaiveDate> {
        done_since(self.progress.iter().map(|progress| (progress.on, progress.state)), on)
    }

    /// Whether, on a day, the organisation says done and the council has said since that it is not.
    pub fn is_disputed_on(&self, on: NaiveDate) -> bool {
        let judgement = self.judgement_on(on).map(|judgement| (judgement.on, judgement.realised));
        is_disputed(self.done_since(on), judgement)
    }

    /// Where it stands on a day. In the end the council's word counts.
    pub fn state_on(&self, on: NaiveDate) -> AgreementState {
        let judgement = self.judgement_on(on);
        if judgement.is_some_and(|judgement| judgement.realised) {
            return AgreementState::Realised;
        }
        if judgement.is_some_and(|judgement| judgement.colour == Colour::Red) {
            return AgreementState::NotRealised;
        }
        match self.progress_on(on).map(|progress| progress.state) {
            Some(ProgressState::ReportedDone) if self.is_disputed_on(on) => AgreementState::Disputed,
            Some(ProgressState::ReportedDone) => AgreementState::ReportedDone,
            Some(ProgressState::Running) => AgreementState::Running,
            Some(ProgressState::Delayed) => AgreementState::Delayed,
            Some(ProgressState::Stopped) => AgreementState::Stopped,
            Some(ProgressState::Planned) | None => AgreementState::Planned,
        }
    }

    /// Whether the council watches it in a year.
    pub fn is_watched_in(&self, year: u16) -> bool {
        self.watched.iter().any(|watch| watch.year == year)
    }
}

/// The last word up to and including a day. Of one day the one recorded last counts.
pub(crate) fn last_word<T>(words: &[T], day_of: impl Fn(&T) -> NaiveDate, on: NaiveDate) -> Option<&T> {
    words.iter().filter(|word| day_of(word) <= on).max_by_key(|word| day_of(word))
}

/// Since when, on a day, the organisation has said done without saying anything else.
pub(crate) fn done_since(
    words: impl Iterator<Item = (NaiveDate, ProgressState)>,
    on: NaiveDate,
) -> Option<NaiveDate> {
    let mut words: Vec<(NaiveDate, ProgressState)> = words.filter(|(day, _)| *day <= on).collect();
    words.sort_by_key(|(day, _)| *day);
    let done = words.iter().rev().take_while(|(_, state)| *state == ProgressState::ReportedDone);
    done.last().map(|(day, _)| *day)
}

/// Whether the organisation says done and the council, whose last word has a day, has said since that it is not realised.
pub(crate) fn is_disputed(done_since: Option<NaiveDate>, judgement: Option<(NaiveDate, bool)>) -> bool {
    done_since.zip(judgement).is_some_and(|(since, (on, realised))| on >= since && !realised)
}

fn check(text: &AgreementBody, today: NaiveDate) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    faults.happened("/agreedOn", text.agreed_on, today);
    match (text.due_on, &text.ongoing_reason) {
        (Some(due_on), None) => {
            faults.known_day("/dueOn", due_on);
            faults.not_before("/dueOn", due_on, Some(text.agreed_on), "day it was agreed");
        }
        (None, Some(_)) => {}
        (Some(_), Some(_)) => {
            faults.add(
                "/ongoingReason",
                "agreement.ongoing",
                "an ongoing agreement has no dueOn; send one of the two",
            );
        }
        (None, None) => {
            faults.add("/dueOn", "required", "send dueOn, or ongoingReason for an ongoing agreement");
        }
    }
    if text.owner.cluster.is_none() && text.owner.party.is_none() {
        faults.add("/owner", "required", "name a cluster, an outside party, or both");
    }
    for (index, partner) in text.partners.iter().enumerate() {
        if partner.trim().is_empty() || partner.chars().count() > 200 {
            faults.add(format!("/partners/{index}"), "length", "1 to 200 characters");
        }
    }
    for (index, theme) in text.themes.iter().enumerate() {
        if text.themes[..index].contains(theme) {
            faults.add(format!("/themes/{index}"), "duplicate", "stands in the list twice");
        }
    }
    faults.done()
}

impl Dossier for Agreement {
    const RESOURCE: &'static str = "agreement";

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn reach(&self) -> Reach {
        Reach {
            is_public: self.publication.is_public(),
            councils: vec![self.council.clone()],
            clusters: self.text.owner.cluster.iter().cloned().collect(),
            ..Reach::default()
        }
    }

    fn publication(&self) -> Option<&Publication> {
        Some(&self.publication)
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        let mut facets = vec![
            ("accord", self.text.accord.to_string()),
            ("council", self.council.to_string()),
            ("number", format!("{}/{}", self.text.plan_year, self.text.number)),
            ("planYear", self.text.plan_year.to_string()),
            ("size", self.text.size.to_string()),
            // Its days are never after today, so what holds on the last day of the calendar holds now.
            ("state", self.state_on(crate::calendar::LAST_DAY).to_string()),
        ];
        facets.extend(self.text.owner.cluster.iter().map(|cluster| ("cluster", cluster.to_string())));
        facets.extend(self.text.themes.iter().map(|theme| ("theme", theme.to_string())));
        facets.extend(self.watched.iter().map(|watch| ("watchedIn", watch.year.to_string())));
        facets.extend(self.text.policy_track.iter().map(|track| ("policyTrack", track.to_string())));
        facets.extend(self.text.advice_point.iter().map(|point| ("advice", point.advice.to_string())));
        facets.extend(
            self.text.carried_over_from.iter().map(|earlier| ("carriedOverFrom", earlier.to_string())),
        );
        facets
    }

    fn links(&self) -> Vec<Uuid> {
        let advice = self.text.advice_point.iter().map(|point| point.advice.0);
        let track = self.text.policy_track.iter().map(|track| track.0);
        let earlier = self.text.carried_over_from.iter().map(|earlier| earlier.0);
        advice.chain(track).chain(earlier).chain([self.text.accord.0]).collect()
    }

    fn without_links(mut self, hidden: &BTreeSet<Uuid>) -> Self {
        self.accord_is_hidden = hidden.contains(&self.text.accord.0);
        self.text.advice_point = self.text.advice_point.filter(|point| !hidden.contains(&point.advice.0));
        self.text.policy_track = self.text.policy_track.filter(|track| !hidden.contains(&track.0));
        self.text.carried_over_from =
            self.text.carried_over_from.filter(|earlier| !hidden.contains(&earlier.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{conflict, day, faults, today};

    fn text() -> AgreementBody {
        serde_json::from_value(serde_json::json!({
            "accord": Uuid::from_u128(1), "number": "1.1", "title": "Zebrapad", "size": "small",
            "owner": {"cluster": "so"}, "planYear": 2026, "agreedOn": "2026-01-15", "dueOn": "2026-12-31"
        }))
        .unwrap()
    }

    fn made(text: AgreementBody) -> Result<Agreement, RuleError> {
        let council = "rozenburg".parse().unwrap();
        Agreement::new(AgreementId(Uuid::from_u128(2)), council, Publication::NONE, text, today())
    }

    fn agreement() -> Agreement {
        made(text()).unwrap()
    }

    fn part() -> PartId {
        PartId(Uuid::from_u128(3))
    }

    fn reports(agreement: Agreement, state: ProgressState, on: &str) -> Result<Agreement, RuleError> {
        let reason = Some("reden".to_owned());
        let body = ProgressBody { state, on: day(on), reason, evidence_url: None };
        agreement.with_progress(part(), body, today())
    }

    fn judges(
        agreement: Agreement,
        colour: Colour,
        realised: bool,
        on: &str,
    ) -> Result<Agreement, RuleError> {
        agreement.with_judgement(part(), JudgementBody { colour, realised, on: day(on), note: None }, today())
    }

    fn marks(agreement: Agreement, already: usize) -> Result<Agreement, RuleError> {
        agreement.with_watch(WatchBody { year: 2026, on: today() }, already, today())
    }

    #[test]
    fn saying_done_again_does_not_settle_a_dispute() {
        let agreement = reports(agreement(), ProgressState::ReportedDone, "2026-03-01").unwrap();
        let agreement = judges(agreement, Colour::Orange, false, "2026-04-01").unwrap();
        let agreement = reports(agreement, ProgressState::ReportedDone, "2026-05-01").unwrap();
        assert_eq!(agreement.state_on(day("2026-05-02")), AgreementState::Disputed);
        let agreement = reports(agreement, ProgressState::Running, "2026-06-01").unwrap();
        let agreement = reports(agreement, ProgressState::ReportedDone, "2026-07-01").unwrap();
        assert_eq!(agreement.state_on(day("2026-07-02")), AgreementState::ReportedDone);
    }

    #[test]
    fn what_is_realised_is_green() {
        for colour in [Colour::Orange, Colour::Red] {
            let refused = judges(agreement(), colour, true, "2026-03-01");
            assert_eq!(faults(refused), [("/colour".to_owned(), "judgement.colour")]);
        }
        assert!(judges(agreement(), Colour::Green, true, "2026-03-01").is_ok());
        assert!(judges(agreement(), Colour::Green, false, "2026-03-01").is_ok());
    }

    #[test]
    fn a_delay_and_a_stop_need_a_reason() {
        for (state, needs) in [
            (ProgressState::Planned, false),
            (ProgressState::Running, false),
            (ProgressState::Delayed, true),
            (ProgressState::ReportedDone, false),
            (ProgressState::Stopped, true),
        ] {
            for reason in [None, Some(" ".to_owned())] {
                let body = ProgressBody { state, on: day("2026-03-01"), reason, evidence_url: None };
                let result = agreement().with_progress(part(), body, today());
                assert_eq!(result.is_err(), needs, "{state}");
            }
        }
    }

    #[test]
    fn nobody_speaks_of_it_before_it_was_agreed_or_after_today() {
        for (on, code) in [("2026-01-14", "date.order"), ("2026-11-24", "date.future")] {
            let expected = [("/on".to_owned(), code)];
            assert_eq!(faults(reports(agreement(), ProgressState::Running, on)), expected);
            assert_eq!(faults(judges(agreement(), Colour::Green, false, on)), expected);
            let body = EscalationBody { on: day(on), to: "wijkwethouder".to_owned(), note: None };
            assert_eq!(faults(agreement().with_escalation(body, today())), expected);
        }
    }

    #[test]
    fn a_fourth_watched_agreement_is_refused() {
        let orange = judges(agreement(), Colour::Orange, false, "2026-03-01").unwrap();
        assert!(marks(orange.clone(), 2).unwrap().is_watched_in(2026));
        assert_eq!(conflict(marks(orange, 3)), "watch-full");
    }

    #[test]
    fn only_what_is_orange_now_is_watched() {
        assert_eq!(conflict(marks(agreement(), 0)), "watch-not-orange");
        let orange = judges(agreement(), Colour::Orange, false, "2026-03-01").unwrap();
        let green = judges(orange.clone(), Colour::Green, false, "2026-04-01").unwrap();
        assert_eq!(conflict(marks(green, 0)), "watch-not-orange");
        assert_eq!(conflict(marks(marks(orange.clone(), 0).unwrap(), 1)), "already-recorded");
        let other_year = orange.with_watch(WatchBody { year: 2025, on: today() }, 0, today());
        assert_eq!(faults(other_year), [("/year".to_owned(), "watch.year")]);
    }

    #[test]
    fn an_agreement_is_due_or_says_why_it_goes_on() {
        let ongoing = Some("elk jaar".to_owned());
        for (due_on, ongoing_reason, at) in [
            (None, None, Some("/dueOn")),
            (None, ongoing.clone(), None),
            (Some(day("2026-12-31")), ongoing, Some("/ongoingReason")),
            (Some(day("2026-01-14")), None, Some("/dueOn")),
        ] {
            let result = made(AgreementBody { due_on, ongoing_reason, ..text() });
            match at {
                None => assert!(result.is_ok()),
                Some(at) => assert_eq!(faults(result)[0].0, at),
            }
        }
        let nobody = AgreementBody { owner: Owner { cluster: None, party: None }, ..text() };
        assert_eq!(faults(made(nobody)), [("/owner".to_owned(), "required")]);
    }

    #[test]
    fn of_one_day_the_word_recorded_last_counts() {
        let running = reports(agreement(), ProgressState::Running, "2026-05-01").unwrap();
        let delayed = reports(running, ProgressState::Delayed, "2026-05-01").unwrap();
        assert_eq!(delayed.state_on(today()), AgreementState::Delayed);
        // What is recorded later of an earlier day does not overtake it.
        let earlier = reports(delayed, ProgressState::Planned, "2026-04-01").unwrap();
        assert_eq!(earlier.state_on(today()), AgreementState::Delayed);
        assert_eq!(earlier.state_on(day("2026-04-30")), AgreementState::Planned);
    }

    #[test]
    fn what_the_council_said_before_it_was_reported_done_is_no_dispute() {
        let orange = judges(agreement(), Colour::Orange, false, "2026-05-01").unwrap();
        let done = reports(orange, ProgressState::ReportedDone, "2026-06-01").unwrap();
        assert_eq!(done.state_on(today()), AgreementState::ReportedDone);
        let again = judges(done, Colour::Orange, false, "2026-06-01").unwrap();
        assert_eq!(again.state_on(today()), AgreementState::Disputed);
        assert_eq!(again.state_on(day("2026-05-31")), AgreementState::Planned);
    }

    #[test]
    fn an_agreement_of_a_withdrawn_accord_was_never_public_itself() {
        let mut publication = Publication::NONE;
        let moment = "2026-11-01T09:00:00Z".parse().unwrap();
        publication.publish(moment).unwrap();
        let of = |publication: &Publication| {
            let council = "rozenburg".parse().unwrap();
            let id = AgreementId(Uuid::from_u128(2));
            Agreement::new(id, council, publication.clone(), text(), today()).unwrap().publication
        };
        assert_eq!(of(&publication), publication);
        let body = crate::advice::UnpublicationBody { reason: "bevat een naam".to_owned() };
        publication.unpublish(body, moment).unwrap();
        assert_eq!(of(&publication), Publication::NONE);
    }

    #[derive(Debug, Clone)]
    enum Word {
        Organisation(ProgressState, u64),
        Council(Colour, bool, u64),
    }

    fn some_word() -> impl Strategy<Value = Word> {
        let states = proptest::sample::select(ProgressState::ALL.to_vec());
        let judgements = proptest::sample::select(vec![
            (Colour::Green, false),
            (Colour::Green, true),
            (Colour::Orange, false),
            (Colour::Red, false),
        ]);
        prop_oneof![
            (states, 0u64..20).prop_map(|(state, days)| Word::Organisation(state, days)),
            (judgements, 0u64..20)
                .prop_map(|((colour, realised), days)| Word::Council(colour, realised, days)),
        ]
    }

    proptest! {
        #[test]
        fn the_council_has_the_last_word(words in proptest::collection::vec(some_word(), 0..8), on in 0u64..25) {
            let after = |days: u64| day("2026-02-01") + chrono::Days::new(days);
            let mut agreement = agreement();
            for word in &words {
                agreement = match *word {
                    Word::Organisation(state, days) => {
                        reports(agreement, state, &after(days).to_string()).unwrap()
                    }
                    Word::Council(colour, realised, days) => {
                        judges(agreement, colour, realised, &after(days).to_string()).unwrap()
                    }
                };
            }
            let on = after(on);
            // The last word of each, of one day the one recorded last, found in another way than the code does.
            let mut said: Option<(ProgressState, NaiveDate)> = None;
            let mut judged: Option<(Colour, bool, NaiveDate)> = None;
            let mut in_order: Vec<&Word> = words.iter().collect();
            in_order.sort_by_key(|word| match word {
                Word::Organisation(_, days) | Word::Council(_, _, days) => *days,
            });
            for word in in_order {
                match *word {
                    Word::Organisation(state, days) if after(days) <= on => {
                        // Saying done once more does not make it done anew.
                        let again = said.filter(|(last, _)| *last == state && state == ProgressState::ReportedDone);
                        said = Some((state, again.map_or(after(days), |(_, since)| since)));
                    }
                    Word::Council(colour, realised, days) if after(days) <= on => {
                        judged = Some((colour, realised, after(days)));
                    }
                    _ => {}
                }
            }
            let expected = match (judged, said) {
                (Some((_, true, _)), _) => AgreementState::Realised,
                (Some((Colour::Red, _, _)), _) => AgreementState::NotRealised,
                (Some((_, _, judged)), Some((ProgressState::ReportedDone, said))) if judged >= said => {
                    AgreementState::Disputed
                }
                (_, Some((ProgressState::ReportedDone, _))) => AgreementState::ReportedDone,
                (_, Some((ProgressState::Running, _))) => AgreementState::Running,
                (_, Some((ProgressState::Delayed, _))) => AgreementState::Delayed,
                (_, Some((ProgressState::Stopped, _))) => AgreementState::Stopped,
                (_, Some((ProgressState::Planned, _)) | None) => AgreementState::Planned,
            };
            prop_assert_eq!(agreement.state_on(on), expected);
        }
    }
}
