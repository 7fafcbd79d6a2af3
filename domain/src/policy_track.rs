//! A policy track (beleidstraject): new policy or a project, in phases, and which councils were told of it when.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::{Publication, Reference};
use crate::codes::{Phase, TrackRole};
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError, room_for_one_more};
use crate::ids::{ClusterCode, CouncilCode, PolicyTrackId, ThemeCode};

/// A policy track as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTrackBody {
    /// What it is called (titel).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Mobiliteitsplan Noord")]
    pub title: String,
    /// What it is about (omschrijving).
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// The cluster that leads it.
    pub cluster: ClusterCode,
    /// Whether it makes new policy (nieuw beleid): then it needs a participation plan.
    pub new_policy: bool,
    /// The day it began; the obligation to have a plan is tested against it.
    pub started_on: NaiveDate,
    /// What it is about (thema's).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub themes: Vec<ThemeCode>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// The day on which a phase began or will begin (fase). Recorded again it is a correction; the earlier day is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseBody {
    /// The phase.
    pub phase: Phase,
    /// Its first day; it may be planned. Of `decision`: the day of the decision.
    pub starts_on: NaiveDate,
    /// Why the day is another than was recorded before; mandatory then (reden).
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
}

/// A council is told of the track (informeren).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InformedBody {
    /// The council.
    pub council: CouncilCode,
    /// The day it was told; null while it concerns the council and nobody has told it yet.
    #[serde(default)]
    pub on: Option<NaiveDate>,
    /// In which role.
    pub role: TrackRole,
    /// The wrong day that this corrects (correctie), recorded of the same council in the same role; it stays in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub corrects: Option<NaiveDate>,
    /// Why; mandatory for a correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, required = false)]
    pub reason: Option<String>,
}

/// A policy track as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTrack {
    /// Its id.
    pub id: PolicyTrackId,
    /// The track as it is written.
    pub text: PolicyTrackBody,
    /// The first days of its phases, in the order in which they were recorded; of one phase the last holds.
    pub phases: Vec<PhaseBody>,
    /// The councils that it concerns, and when each was told, in the order in which it was recorded.
    pub informed: Vec<InformedBody>,
    /// The adoption days of the participation plans made for it, kept here so that it knows whether it has one.
    pub plans_adopted: Vec<NaiveDate>,
    /// Whether the public may see it.
    pub publication: Publication,
}

impl PolicyTrack {
    /// A new track.
    pub fn new(id: PolicyTrackId, text: PolicyTrackBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        Ok(Self {
            id,
            text,
            phases: Vec::new(),
            informed: Vec::new(),
            plans_adopted: Vec::new(),
            publication: Publication::NONE,
        })
    }

    /// The track with another text.
    pub fn changed(self, text: PolicyTrackBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        Ok(Self { text, ..self })
    }

    /// Records the first day of a phase, or corrects it.
    pub fn with_phase(mut self, body: PhaseBody) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.known_day("/startsOn", body.starts_on);
        let known = self.phase_starts_on(body.phase);
        if known == Some(body.starts_on) {
            return Err(RuleError::conflict("already-recorded", "That day stands there already."));
        }
        if known.is_some() && body.reason.as_deref().unwrap_or_default().trim().is_empty() {
            faults.add("/reason", "required", "a correction says why");
        }
        for other in Phase::ALL.iter().copied().filter(|other| *other != body.phase) {
            let Some(day) = self.phase_starts_on(other) else { continue };
            if (other < body.phase && day > body.starts_on) || (other > body.phase && day < body.starts_on) {
                faults.add(
                    "/startsOn",
                    "date.order",
                    format!("phases follow each other, and '{other}' begins on {day}"),
                );
            }
        }
        faults.done()?;
        room_for_one_more(self.phases.len())?;
        self.phases.push(body);
        Ok(self)
    }

    /// Records that the track concerns a council, and when it was told.
    pub fn with_informed(mut self, body: InformedBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        if let Some(on) = body.on {
            faults.happened("/on", on, today);
        }
        faults.done()?;
        if let Some(wrong) = body.corrects {
            let mut faults = Faults::default();
            if body.reason.as_deref().unwrap_or_default().trim().is_empty() {
                faults.add("/reason", "required", "a correction says why");
            }
            let same = |known: &&InformedBody| {
                known.council == body.council && known.role == body.role && known.on == Some(wrong)
            };
            if self.informed_as_it_stands().find(same).is_none() {
                faults.add("/corrects", "unknown", "is no day on which that council was told in that role");
            }
            if body.on == Some(wrong) {
                faults.add("/on", "duplicate", "is the day that it corrects");
            }
            faults.done()?;
        }
        if self.informed_as_it_stands().any(|known| *known == body) {
            return Err(RuleError::conflict("already-recorded", "That stands there already."));
        }
        if self.informed.len() >= 400 {
            return Err(RuleError::conflict("too-many", "There is room for 400 of these and no more."));
        }
        self.informed.push(body);
        Ok(self)
    }

    /// The first day of a phase, as it was recorded last.
    pub fn phase_starts_on(&self, phase: Phase) -> Option<NaiveDate> {
        self.phases.iter().rev().find(|known| known.phase == phase).map(|known| known.starts_on)
    }

    /// The day of the decision, planned or past.
    pub fn decision_on(&self) -> Option<NaiveDate> {
        self.phase_starts_on(Phase::Decision)
    }

    /// The phase that it is in on a day.
    pub fn phase_on(&self, on: NaiveDate) -> Option<Phase> {
        Phase::ALL
            .iter()
            .rev()
            .copied()
            .find(|phase| self.phase_starts_on(*phase).is_some_and(|day| day <= on))
    }

    /// What was recorded of who was told when, but for what was corrected since.
    pub fn informed_as_it_stands(&self) -> impl Iterator<Item = &InformedBody> {
        self.informed
            .iter()
            .enumerate()
            .filter(|(place, known)| !self.is_corrected(*place, known))
            .map(|(_, known)| known)
    }

    fn is_corrected(&self, place: usize, known: &InformedBody) -> bool {
        known.on.is_some()
            && self.informed.iter().skip(place + 1).any(|later| {
                later.council == known.council && later.role == known.role && later.corrects == known.on
            })
    }

    /// The councils that it concerns, each once, and the day on which each was first told, up to and including a day.
    pub fn first_informed_on(&self, on: NaiveDate) -> Vec<(CouncilCode, Option<NaiveDate>)> {
        let mut councils: std::collections::BTreeMap<CouncilCode, Option<NaiveDate>> = Default::default();
        for InformedBody { council, on: told, role: _, corrects: _, reason: _ } in
            self.informed_as_it_stands()
        {
            let told = told.filter(|told| *told <= on);
            let first = councils.entry(council.clone()).or_default();
            *first = match (*first, told) {
                (Some(first), Some(told)) => Some(first.min(told)),
                (first, told) => first.or(told),
            };
        }
        councils.into_iter().collect()
    }

    /// Whether a plan was adopted on or before a day, and before the decision. One adopted on the day of the decision or later
    /// was not made beforehand.
    pub fn has_plan_in_time(&self, on: NaiveDate) -> bool {
        let decision = self.decision_on();
        self.plans_adopted
            .iter()
            .any(|adopted| *adopted <= on && decision.is_none_or(|decision| *adopted < decision))
    }

    /// Whether it is new policy, under the obligation, without a plan made in time. Never deleted, only resolved.
    pub fn lacks_plan(&self, obligation_from: Option<NaiveDate>, on: NaiveDate) -> bool {
        self.text.new_policy
            && obligation_from.is_some_and(|from| self.text.started_on >= from)
            && !self.has_plan_in_time(on)
    }
}

fn check(text: &PolicyTrackBody, today: NaiveDate) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    faults.happened("/startedOn", text.started_on, today);
    for (index, theme) in text.themes.iter().enumerate() {
        if text.themes[..index].contains(theme) {
            faults.add(format!("/themes/{index}"), "duplicate", "stands in the list twice");
        }
    }
    faults.done()
}

impl Dossier for PolicyTrack {
    const RESOURCE: &'static str = "policy-track";

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn reach(&self) -> Reach {
        let mut councils: Vec<CouncilCode> = self.informed.iter().map(|one| one.council.clone()).collect();
        councils.sort();
        councils.dedup();
        Reach {
            is_public: self.publication.is_public(),
            councils,
            clusters: vec![self.text.cluster.clone()],
            ..Reach::default()
        }
    }

    fn publication(&self) -> Option<&Publication> {
        Some(&self.publication)
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        let mut facets =
            vec![("cluster", self.text.cluster.to_string()), ("newPolicy", self.text.new_policy.to_string())];
        facets.extend(self.reach().councils.iter().map(|council| ("council", council.to_string())));
        facets.extend(self.text.themes.iter().map(|theme| ("theme", theme.to_string())));
        facets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conflict, day, faults, today};

    fn track() -> PolicyTrack {
        let text = serde_json::from_value(serde_json::json!({
            "title": "Mobiliteitsplan", "cluster": "so", "newPolicy": true, "startedOn": "2026-02-01"
        }));
        PolicyTrack::new(PolicyTrackId(Uuid::from_u128(1)), text.unwrap(), today()).unwrap()
    }

    fn begins(
        track: PolicyTrack,
        phase: Phase,
        on: &str,
        reason: Option<&str>,
    ) -> Result<PolicyTrack, RuleError> {
        let reason = reason.map(str::to_owned);
        track.with_phase(PhaseBody { phase, starts_on: day(on), reason })
    }

    fn planned(adopted: &str) -> PolicyTrack {
        let mut track = begins(track(), Phase::Decision, "2026-10-01", None).unwrap();
        track.plans_adopted.push(day(adopted));
        track
    }

    #[test]
    fn a_plan_adopted_on_the_day_of_the_decision_is_not_in_time() {
        assert!(planned("2026-09-30").has_plan_in_time(today()));
        assert!(!planned("2026-10-01").has_plan_in_time(today()));
        assert!(!planned("2026-10-02").has_plan_in_time(today()));
        // A second one does not spoil the first.
        let mut twice = planned("2026-10-02");
        twice.plans_adopted.push(day("2026-09-30"));
        assert!(twice.has_plan_in_time(today()));
        // Nobody had it before it was adopted.
        assert!(!planned("2026-09-30").has_plan_in_time(day("2026-09-29")));
    }

    #[test]
    fn only_new_policy_under_the_obligation_lacks_a_plan() {
        let from = Some(day("2026-02-01"));
        assert!(track().lacks_plan(from, today()));
        assert!(!track().lacks_plan(Some(day("2026-02-02")), today()));
        assert!(!track().lacks_plan(None, today()));
        let mut old = track();
        old.text.new_policy = false;
        assert!(!old.lacks_plan(from, today()));
        assert!(!planned("2026-09-30").lacks_plan(from, today()));
        assert!(planned("2026-10-01").lacks_plan(from, today()));
    }

    #[test]
    fn phases_follow_each_other() {
        let track = begins(track(), Phase::Exploration, "2026-03-01", None).unwrap();
        let track = begins(track, Phase::Decision, "2026-10-01", None).unwrap();
        for (phase, on) in [
            (Phase::PrePhase, "2026-03-02"),
            (Phase::Design, "2026-02-28"),
            (Phase::Design, "2026-10-02"),
            (Phase::Execution, "2026-09-30"),
        ] {
            let refused = begins(track.clone(), phase, on, None);
            assert_eq!(faults(refused), [("/startsOn".to_owned(), "date.order")], "{phase} {on}");
        }
        // Two phases may begin on one day, and some may be left out.
        let track = begins(track, Phase::Execution, "2026-10-01", None).unwrap();
        assert_eq!(track.phase_on(day("2026-02-28")), None);
        assert_eq!(track.phase_on(day("2026-09-30")), Some(Phase::Exploration));
        assert_eq!(track.phase_on(day("2026-10-01")), Some(Phase::Execution));
    }

    #[test]
    fn a_corrected_phase_keeps_the_earlier_day() {
        let first = begins(track(), Phase::Decision, "2026-10-01", None).unwrap();
        let silent = begins(first.clone(), Phase::Decision, "2026-11-01", Some(" "));
        assert_eq!(faults(silent), [("/reason".to_owned(), "required")]);
        assert_eq!(conflict(begins(first.clone(), Phase::Decision, "2026-10-01", None)), "already-recorded");
        let moved = begins(first, Phase::Decision, "2026-11-01", Some("uitgesteld")).unwrap();
        assert_eq!(moved.decision_on(), Some(day("2026-11-01")));
        assert_eq!(moved.phases.len(), 2);
        assert_eq!(moved.phases[0].starts_on, day("2026-10-01"));
    }

    #[test]
    fn the_first_time_a_council_was_told_counts() {
        let mut track = track();
        for (council, on) in
            [("rozenburg", Some("2026-07-01")), ("rozenburg", Some("2026-03-01")), ("pernis", None)]
        {
            let (council, role) = (council.parse().unwrap(), TrackRole::Informed);
            track = track
                .with_informed(
                    InformedBody { council, on: on.map(day), role, corrects: None, reason: None },
                    today(),
                )
                .unwrap();
        }
        let told =
            |on: &str| track.first_informed_on(day(on)).into_iter().map(|(_, on)| on).collect::<Vec<_>>();
        assert_eq!(told("2026-11-23"), [None, Some(day("2026-03-01"))]);
        assert_eq!(told("2026-02-28"), [None, None]);
        let again = InformedBody {
            council: "pernis".parse().unwrap(),
            on: None,
            role: TrackRole::Informed,
            corrects: None,
            reason: None,
        };
        assert_eq!(conflict(track.with_informed(again, today())), "already-recorded");
    }

    #[test]
    fn a_day_recorded_too_early_is_corrected_with_a_reason() {
        let told = |on: Option<&str>, corrects: Option<&str>, reason: Option<&str>| InformedBody {
            council: "rozenburg".parse().unwrap(),
            on: on.map(day),
            role: TrackRole::Informed,
            corrects: corrects.map(day),
            reason: reason.map(str::to_owned),
        };
        let first = |track: &PolicyTrack| track.first_informed_on(today())[0].1;
        let early = track().with_informed(told(Some("2026-03-01"), None, None), today()).unwrap();
        let correct = |on, corrects, reason| early.clone().with_informed(told(on, corrects, reason), today());
        let silent = correct(Some("2026-04-01"), Some("2026-03-01"), Some(" "));
        assert_eq!(faults(silent), [("/reason".to_owned(), "required")]);
        let strange = correct(Some("2026-04-01"), Some("2026-03-02"), Some("verschreven"));
        assert_eq!(faults(strange), [("/corrects".to_owned(), "unknown")]);
        let same = correct(Some("2026-03-01"), Some("2026-03-01"), Some("verschreven"));
        assert_eq!(faults(same), [("/on".to_owned(), "duplicate")]);
        let mended = correct(Some("2026-04-01"), Some("2026-03-01"), Some("verschreven")).unwrap();
        assert_eq!((first(&mended), mended.informed.len()), (Some(day("2026-04-01")), 2));
        // Corrected twice, and to never: the council is concerned and was not told.
        let never =
            mended.with_informed(told(None, Some("2026-04-01"), Some("niet verteld")), today()).unwrap();
        assert_eq!(first(&never), None);
        // It may turn out to have been that day after all.
        let again = never.with_informed(told(Some("2026-03-01"), None, None), today()).unwrap();
        assert_eq!(first(&again), Some(day("2026-03-01")));
    }
}
