//! A participation plan (participatieplan): promises made beforehand, phase by phase; what councils find of each; and what
//! the owner replies, with a term of its own on the same clock as advice.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::{Publication, Reference};
use crate::codes::{Influence, Phase, Verdict};
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError};
use crate::ids::{ClusterCode, CouncilCode, PartId, ParticipationPlanId, PolicyTrackId};
use crate::term::{TermFacts, TermOn, TermRule, term_on};

/// A participation plan as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParticipationPlanBody {
    /// The policy track it is for (beleidstraject).
    pub policy_track: PolicyTrackId,
    /// The promises (participatieafspraken).
    #[schema(min_items = 1, max_items = 100)]
    pub promises: Vec<Promise>,
    /// Where a council gets something else than the rest, and why (maatwerk).
    #[serde(default)]
    #[schema(max_items = 100)]
    pub tailoring: Vec<Tailoring>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// A promise (participatieafspraak).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promise {
    /// Its number.
    #[schema(minimum = 1, maximum = 999)]
    pub number: u16,
    /// In which phase.
    pub phase: Phase,
    /// With whom (doelgroep).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "bewoners van de Schoolstraat")]
    pub target_group: String,
    /// How (werkvorm).
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S", example = "wijkgesprek in de wijkhub")]
    pub method: String,
    /// When, at the latest (moment); it may be planned.
    pub due_on: NaiveDate,
    /// How much influence is promised (niveau van invloed).
    pub influence: Influence,
}

/// Something else for one council (maatwerk).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tailoring {
    /// The council.
    pub council: CouncilCode,
    /// What is done otherwise.
    #[schema(min_length = 1, max_length = 5000, pattern = r"\S")]
    pub text: String,
    /// Why (reden).
    #[schema(min_length = 1, max_length = 5000, pattern = r"\S")]
    pub reason: String,
}

/// The adoption of a plan (vaststelling).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanAdoption {
    /// The day it was adopted. After the decision it counts as no plan made beforehand.
    pub adopted_on: NaiveDate,
}

/// What a council finds of a promise (bevinding).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingBody {
    /// The council; one of the token's.
    pub council: CouncilCode,
    /// The number of the promise.
    #[schema(minimum = 1, maximum = 999)]
    pub promise: u16,
    /// Kept, partly, not kept, or too early to say.
    pub verdict: Verdict,
    /// The day it was found and given.
    pub on: NaiveDate,
    /// In the council's own words (toelichting); mandatory unless kept.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub note: Option<String>,
}

/// The owner's reply to a finding (reactie op de bevinding).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingReply {
    /// The day it was sent.
    pub on: NaiveDate,
    /// What it says.
    #[schema(min_length = 1, max_length = 10000, pattern = r"\S")]
    pub text: String,
}

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its id.
    pub id: PartId,
    /// What the council finds.
    pub found: FindingBody,
    /// The reply.
    pub reply: Option<FindingReply>,
    /// The term rule frozen when it was given; none where no rule was valid.
    pub rule: Option<TermRule>,
}

impl Finding {
    /// Where the term of the reply stands on a day.
    pub fn term_on(&self, on: NaiveDate) -> TermOn {
        let facts = TermFacts {
            rule: self.rule.clone(),
            received_on: Some(self.found.on),
            answered_on: self.reply.as_ref().map(|reply| reply.on),
            ..TermFacts::default()
        };
        term_on(&facts, on)
    }
}

/// A participation plan as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParticipationPlan {
    /// Its id.
    pub id: ParticipationPlanId,
    /// The cluster that leads its policy track: the owner, who replies.
    pub cluster: ClusterCode,
    /// The councils that its policy track concerns.
    pub councils: Vec<CouncilCode>,
    /// The plan as it is written.
    pub text: ParticipationPlanBody,
    /// The day it was adopted; null while it is a draft.
    pub adopted_on: Option<NaiveDate>,
    /// What councils find, in the order in which it was recorded.
    pub findings: Vec<Finding>,
    /// Whether the public may see it.
    pub publication: Publication,
}

impl ParticipationPlan {
    /// A new plan for a track.
    pub fn new(
        id: ParticipationPlanId,
        cluster: ClusterCode,
        councils: Vec<CouncilCode>,
        text: ParticipationPlanBody,
    ) -> Result<Self, RuleError> {
        check(&text)?;
        Ok(Self {
            id,
            cluster,
            councils,
            text,
            adopted_on: None,
            findings: Vec::new(),
            publication: Publication::NONE,
        })
    }

    /// The plan with another text; open until it is adopted.
    pub fn changed(self, text: ParticipationPlanBody) -> Result<Self, RuleError> {
        if self.adopted_on.is_some() {
            return Err(RuleError::conflict(
                "plan-adopted",
                "What was promised stands: an adopted plan does not change.",
            ));
        }
        check(&text)?;
        if text.policy_track != self.text.policy_track {
            return Err(RuleError::invalid(
                "/policyTrack",
                "immutable",
                "a plan stays with its policy track",
            ));
        }
        Ok(Self { text, ..self })
    }

    /// Adopts it.
    pub fn adopt(mut self, body: PlanAdoption, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/adoptedOn", body.adopted_on, today);
        faults.done()?;
        if self.adopted_on.is_some() {
            return Err(RuleError::conflict("already-recorded", "It is adopted already."));
        }
        self.adopted_on = Some(body.adopted_on);
        Ok(self)
    }

    /// A council finds something of a promise. `rule` is the term rule for the reply.
    pub fn with_finding(
        mut self,
        id: PartId,
        found: FindingBody,
        rule: Option<TermRule>,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/on", found.on, today);
        faults.not_before("/on", found.on, self.adopted_on, "adoption of the plan");
        if !self.text.promises.iter().any(|promise| promise.number == found.promise) {
            faults.add("/promise", "finding.no_such_promise", "the plan has no such promise");
        }
        if found.verdict != Verdict::Kept && found.note.as_deref().unwrap_or_default().trim().is_empty() {
            faults.add("/note", "finding.note_missing", format!("'{}' needs a note", found.verdict));
        }
        faults.done()?;
        if self.adopted_on.is_none() {
            return Err(RuleError::conflict(
                "plan-not-adopted",
                "Nothing was promised before the plan is adopted.",
            ));
        }
        if self.findings.len() >= 1000 {
            return Err(RuleError::conflict("too-many", "There is room for 1000 of these and no more."));
        }
        self.findings.push(Finding { id, found, reply: None, rule });
        Ok(self)
    }

    /// The owner replies to a finding.
    pub fn with_reply(
        mut self,
        id: PartId,
        reply: FindingReply,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let Some(finding) = self.findings.iter_mut().find(|finding| finding.id == id) else {
            return Err(RuleError::conflict("no-such-finding", "The plan has no such finding."));
        };
        let mut faults = Faults::default();
        faults.happened("/on", reply.on, today);
        faults.not_before("/on", reply.on, Some(finding.found.on), "finding");
        faults.done()?;
        if finding.reply.is_some() {
            return Err(RuleError::conflict("already-recorded", "It was replied to already."));
        }
        finding.reply = Some(reply);
        Ok(self)
    }
}

fn check(text: &ParticipationPlanBody) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    for (index, promise) in text.promises.iter().enumerate() {
        faults.known_day(&format!("/promises/{index}/dueOn"), promise.due_on);
        if text.promises[..index].iter().any(|earlier| earlier.number == promise.number) {
            faults.add(format!("/promises/{index}/number"), "duplicate", "stands in the list twice");
        }
    }
    for (index, tailoring) in text.tailoring.iter().enumerate() {
        if text.tailoring[..index].iter().any(|earlier| earlier.council == tailoring.council) {
            faults.add(format!("/tailoring/{index}/council"), "duplicate", "stands in the list twice");
        }
    }
    faults.done()
}

impl Dossier for ParticipationPlan {
    const RESOURCE: &'static str = "participation-plan";

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn reach(&self) -> Reach {
        Reach {
            is_public: self.publication.is_public(),
            councils: self.councils.clone(),
            clusters: vec![self.cluster.clone()],
            ..Reach::default()
        }
    }

    fn publication(&self) -> Option<&Publication> {
        Some(&self.publication)
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        let mut facets =
            vec![("policyTrack", self.text.policy_track.to_string()), ("cluster", self.cluster.to_string())];
        facets.extend(self.councils.iter().map(|council| ("council", council.to_string())));
        facets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::TermState;
    use crate::term::{built_in_rules, finding_rule};
    use crate::testing::{conflict, day, faults, today};

    fn text() -> ParticipationPlanBody {
        serde_json::from_value(serde_json::json!({
            "policyTrack": Uuid::from_u128(1),
            "promises": [{"number": 1, "phase": "design", "targetGroup": "bewoners", "method": "wijkgesprek",
                "dueOn": "2026-12-01", "influence": "consult"}]
        }))
        .unwrap()
    }

    fn draft() -> ParticipationPlan {
        let id = ParticipationPlanId(Uuid::from_u128(2));
        ParticipationPlan::new(id, "so".parse().unwrap(), vec!["rozenburg".parse().unwrap()], text()).unwrap()
    }

    fn adopted() -> ParticipationPlan {
        draft().adopt(PlanAdoption { adopted_on: day("2026-03-01") }, today()).unwrap()
    }

    fn part() -> PartId {
        PartId(Uuid::from_u128(3))
    }

    fn finding(verdict: Verdict, promise: u16, on: &str, note: Option<&str>) -> FindingBody {
        let note = note.map(str::to_owned);
        FindingBody { council: "rozenburg".parse().unwrap(), promise, verdict, on: day(on), note }
    }

    fn found(plan: ParticipationPlan, body: FindingBody) -> Result<ParticipationPlan, RuleError> {
        let rule = finding_rule(&built_in_rules(), body.on);
        plan.with_finding(part(), body, rule, today())
    }

    fn reply(on: &str) -> FindingReply {
        FindingReply { on: day(on), text: "Dank".to_owned() }
    }

    #[test]
    fn what_was_promised_stands() {
        assert!(draft().changed(text()).is_ok());
        assert_eq!(conflict(adopted().changed(text())), "plan-adopted");
        let again = adopted().adopt(PlanAdoption { adopted_on: day("2026-03-02") }, today());
        assert_eq!(conflict(again), "already-recorded");
        let other = ParticipationPlanBody { policy_track: PolicyTrackId(Uuid::from_u128(9)), ..text() };
        assert_eq!(faults(draft().changed(other)), [("/policyTrack".to_owned(), "immutable")]);
    }

    #[test]
    fn what_is_not_kept_needs_a_note() {
        for (verdict, needs) in [
            (Verdict::Kept, false),
            (Verdict::Partly, true),
            (Verdict::NotKept, true),
            (Verdict::TooEarly, true),
        ] {
            let result = found(adopted(), finding(verdict, 1, "2026-10-01", Some("  ")));
            assert_eq!(result.is_err(), needs, "{verdict}");
        }
    }

    #[test]
    fn a_finding_is_of_a_promise_that_was_made() {
        let kept = |promise, on| finding(Verdict::Kept, promise, on, None);
        assert_eq!(
            faults(found(adopted(), kept(2, "2026-10-01"))),
            [("/promise".to_owned(), "finding.no_such_promise")]
        );
        assert_eq!(faults(found(adopted(), kept(1, "2026-02-28"))), [("/on".to_owned(), "date.order")]);
        assert_eq!(conflict(found(draft(), kept(1, "2026-10-01"))), "plan-not-adopted");
    }

    #[test]
    fn a_reply_is_due_in_six_weeks_and_a_late_one_stays_late() {
        let plan =
            found(adopted(), finding(Verdict::NotKept, 1, "2026-09-01", Some("niets gehoord"))).unwrap();
        let term = |plan: &ParticipationPlan, on: &str| plan.findings[0].term_on(day(on));
        assert_eq!(term(&plan, "2026-09-02").due_on, Some(day("2026-10-13")));
        assert_ne!(term(&plan, "2026-10-13").state, TermState::Late);
        assert_eq!(term(&plan, "2026-10-14").state, TermState::Late);
        let in_time = plan.clone().with_reply(part(), reply("2026-10-13"), today()).unwrap();
        let late = plan.clone().with_reply(part(), reply("2026-10-14"), today()).unwrap();
        assert_eq!(term(&in_time, "2026-11-23").state, TermState::AnsweredInTime);
        assert_eq!(term(&late, "2026-11-23").state, TermState::AnsweredLate);
        assert_eq!(
            faults(plan.with_reply(part(), reply("2026-08-31"), today())),
            [("/on".to_owned(), "date.order")]
        );
        assert_eq!(conflict(late.with_reply(part(), reply("2026-11-01"), today())), "already-recorded");
    }

    #[test]
    fn a_number_and_a_council_stand_in_a_plan_once() {
        let mut twice = text();
        twice.promises.push(twice.promises[0].clone());
        let tailoring =
            Tailoring { council: "rozenburg".parse().unwrap(), text: "x".to_owned(), reason: "y".to_owned() };
        twice.tailoring = vec![tailoring.clone(), tailoring];
        assert_eq!(
            faults(draft().changed(twice)),
            [
                ("/promises/1/number".to_owned(), "duplicate"),
                ("/tailoring/1/council".to_owned(), "duplicate")
            ]
        );
    }
}
