//! A commitment to the municipal council (motie of toezegging), and how it is settled (afdoening).

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::Reference;
use crate::codes::{CommitmentKind, CommitmentState, SettlementStep};
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError, room_for_one_more};
use crate::ids::{AdviceId, ClusterCode, CommitmentId, OfficeHolderId};

/// A commitment as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitmentBody {
    /// Motion or undertaking.
    pub kind: CommitmentKind,
    /// Its number (bb-nummer); no two commitments have the same.
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S(.*\S)?$", example = "24bb002121")]
    pub number: String,
    /// What it is called (titel).
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = r"\S",
        example = "Toegankelijkheid wijkraadadviezen"
    )]
    pub title: String,
    /// What it asks for or promises (strekking).
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub text: Option<String>,
    /// The day the motion was adopted or the undertaking was given.
    pub made_on: NaiveDate,
    /// The day by which settlement is expected; it may be in the future.
    #[serde(default)]
    pub expected_on: Option<NaiveDate>,
    /// The office holder who settles it.
    #[serde(default)]
    pub portfolio_holder: Option<OfficeHolderId>,
    /// The cluster that works on it.
    #[serde(default)]
    pub cluster: Option<ClusterCode>,
    /// Advice that it is about.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub advice: Vec<AdviceId>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// A step in the settlement (stap in de afdoening).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepBody {
    /// What was done. Proposed for settlement is not settled.
    pub step: SettlementStep,
    /// The day it was done.
    pub on: NaiveDate,
    /// What was said (toelichting).
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// The letter or decision (kenmerk).
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// A commitment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// Its id.
    pub id: CommitmentId,
    /// The commitment as it is written.
    pub text: CommitmentBody,
    /// The steps in its settlement, in the order in which they were recorded.
    pub steps: Vec<StepBody>,
}

impl Commitment {
    /// A new commitment.
    pub fn new(id: CommitmentId, text: CommitmentBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        Ok(Self { id, text, steps: Vec::new() })
    }

    /// The commitment with another text.
    pub fn changed(self, text: CommitmentBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        let mut faults = Faults::default();
        if let Some(first) = self.steps.first().filter(|first| first.on < text.made_on) {
            faults.add("/madeOn", "date.order", format!("lies after its first step, {}", first.on));
        }
        faults.done()?;
        Ok(Self { text, ..self })
    }

    /// Records a step: interim messages and proposals while it is open, settlement or sending back of a proposal.
    pub fn with_step(mut self, body: StepBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/on", body.on, today);
        faults.not_before("/on", body.on, Some(self.text.made_on), "day it was made");
        faults.not_before("/on", body.on, self.steps.last().map(|last| last.on), "step before");
        faults.done()?;
        let state = self.state_on(crate::calendar::LAST_DAY);
        let open = match body.step {
            SettlementStep::Interim | SettlementStep::Proposed => state == CommitmentState::Open,
            // The municipal council may settle what was not proposed to it.
            SettlementStep::Settled => state != CommitmentState::Settled,
            SettlementStep::SentBack => state == CommitmentState::Proposed,
        };
        if !open {
            return Err(RuleError::conflict(
                "transition-not-open",
                format!("'{}' is not open while the state is '{state}'.", body.step),
            ));
        }
        room_for_one_more(self.steps.len())?;
        self.steps.push(body);
        Ok(self)
    }

    /// Where it stands on a day.
    pub fn state_on(&self, on: NaiveDate) -> CommitmentState {
        let last = self.steps.iter().rev().find(|step| step.on <= on && step.step != SettlementStep::Interim);
        match last.map(|step| step.step) {
            Some(SettlementStep::Settled) => CommitmentState::Settled,
            Some(SettlementStep::Proposed) => CommitmentState::Proposed,
            Some(SettlementStep::SentBack | SettlementStep::Interim) | None => CommitmentState::Open,
        }
    }

    /// The day it was settled.
    pub fn settled_on(&self) -> Option<NaiveDate> {
        self.steps.iter().find(|step| step.step == SettlementStep::Settled).map(|step| step.on)
    }
}

fn check(text: &CommitmentBody, today: NaiveDate) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    faults.happened("/madeOn", text.made_on, today);
    if let Some(expected_on) = text.expected_on {
        faults.known_day("/expectedOn", expected_on);
        faults.not_before("/expectedOn", expected_on, Some(text.made_on), "day it was made");
    }
    faults.done()
}

impl Dossier for Commitment {
    const RESOURCE: &'static str = "commitment";

    fn id(&self) -> Uuid {
        self.id.0
    }

    /// Motions and undertakings are made in public.
    fn reach(&self) -> Reach {
        Reach { is_public: true, is_registry: true, ..Reach::default() }
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        let mut facets = vec![
            ("kind", self.text.kind.to_string()),
            ("number", self.text.number.trim().to_owned()),
            // Its days are never after today, so what holds on the last day of the calendar holds now.
            ("state", self.state_on(crate::calendar::LAST_DAY).to_string()),
        ];
        facets.extend(self.text.cluster.iter().map(|cluster| ("cluster", cluster.to_string())));
        facets.extend(self.text.advice.iter().map(|advice| ("advice", advice.to_string())));
        facets
    }

    fn links(&self) -> Vec<Uuid> {
        self.text.advice.iter().map(|advice| advice.0).collect()
    }

    fn without_links(mut self, hidden: &BTreeSet<Uuid>) -> Self {
        self.text.advice.retain(|advice| !hidden.contains(&advice.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conflict, day, faults, today};

    fn motion() -> Commitment {
        let text = serde_json::from_value(serde_json::json!({
            "kind": "motion", "number": "24bb002121", "title": "Overzicht", "madeOn": "2026-03-01"
        }));
        Commitment::new(CommitmentId(Uuid::from_u128(1)), text.unwrap(), today()).unwrap()
    }

    fn step(commitment: Commitment, step: SettlementStep, on: &str) -> Result<Commitment, RuleError> {
        commitment.with_step(StepBody { step, on: day(on), note: None, reference: None }, today())
    }

    #[test]
    fn proposed_for_settlement_is_not_settled() {
        let proposed = step(motion(), SettlementStep::Proposed, "2026-04-01").unwrap();
        assert_eq!(proposed.state_on(today()), CommitmentState::Proposed);
        assert_eq!(proposed.settled_on(), None);
        let back = step(proposed.clone(), SettlementStep::SentBack, "2026-05-01").unwrap();
        assert_eq!(back.state_on(today()), CommitmentState::Open);
        let settled = step(proposed, SettlementStep::Settled, "2026-05-01").unwrap();
        assert_eq!(
            (settled.state_on(today()), settled.settled_on()),
            (CommitmentState::Settled, Some(day("2026-05-01")))
        );
        assert_eq!(settled.state_on(day("2026-04-30")), CommitmentState::Proposed);
    }

    #[test]
    fn each_step_is_open_in_its_states_only() {
        let open = motion();
        let proposed = step(motion(), SettlementStep::Proposed, "2026-04-01").unwrap();
        let settled = step(motion(), SettlementStep::Settled, "2026-04-01").unwrap();
        for (one, in_open, in_proposed) in [
            (SettlementStep::Interim, true, false),
            (SettlementStep::Proposed, true, false),
            (SettlementStep::Settled, true, true),
            (SettlementStep::SentBack, false, true),
        ] {
            for (from, is_open) in [(&open, in_open), (&proposed, in_proposed), (&settled, false)] {
                let result = step(from.clone(), one, "2026-05-01");
                assert_eq!(result.is_ok(), is_open, "{one}");
                if !is_open {
                    assert_eq!(conflict(result), "transition-not-open");
                }
            }
        }
    }

    #[test]
    fn an_interim_message_settles_nothing() {
        let told = step(motion(), SettlementStep::Interim, "2026-04-01").unwrap();
        assert_eq!(told.state_on(today()), CommitmentState::Open);
        assert_eq!(
            faults(step(told.clone(), SettlementStep::Settled, "2026-03-31")),
            [("/on".to_owned(), "date.order")]
        );
        assert_eq!(
            faults(step(told, SettlementStep::Settled, "2026-11-24")),
            [("/on".to_owned(), "date.future")]
        );
    }
}
