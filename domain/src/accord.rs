//! The accord of a council and the city (wijkakkoord): vision, goals, and an action plan for each year.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::{Publication, Reference};
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError};
use crate::ids::{AccordId, CouncilCode};

/// An accord as it is written. A dorpsraad calls its goals dorpsopgaven: a label, no rule depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccordBody {
    /// The council (wijkraad of dorpsraad).
    pub council: CouncilCode,
    /// First day of the period of the accord.
    pub from: NaiveDate,
    /// Last day of the period.
    pub to: NaiveDate,
    /// What it is called (titel).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Wijkakkoord Rozenburg 2026-2030")]
    pub title: String,
    /// The vision for the period (visie).
    #[serde(default)]
    #[schema(max_length = 20000)]
    pub vision: Option<String>,
    /// The goals (doelen, or dorpsopgaven).
    #[serde(default)]
    #[schema(max_items = 50)]
    pub goals: Vec<Goal>,
    /// The action plans, one for each year (jaaractieplannen).
    #[serde(default)]
    #[schema(max_items = 10)]
    pub year_plans: Vec<YearPlan>,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// A goal of an accord (doel, or dorpsopgave).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Goal {
    /// Its number; agreements under it are numbered `1.1`, `1.1.2`.
    #[schema(minimum = 1, maximum = 99)]
    pub number: u8,
    /// The goal.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S", example = "Veilig naar school")]
    pub text: String,
}

/// The action plan of one year (jaaractieplan).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct YearPlan {
    /// The year.
    #[schema(minimum = 1900, maximum = 2200)]
    pub year: u16,
    /// The day it was adopted; null while it is a draft.
    #[serde(default)]
    pub adopted_on: Option<NaiveDate>,
    /// What the year is about (toelichting).
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
}

/// An accord as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accord {
    /// Its id.
    pub id: AccordId,
    /// The accord as it is written.
    pub text: AccordBody,
    /// Whether the public may see it and its agreements.
    pub publication: Publication,
}

impl Accord {
    /// A new accord.
    pub fn new(id: AccordId, text: AccordBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        Ok(Self { id, text, publication: Publication::NONE })
    }

    /// The accord with another text. Its council stays.
    pub fn changed(self, text: AccordBody, today: NaiveDate) -> Result<Self, RuleError> {
        check(&text, today)?;
        if text.council != self.text.council {
            return Err(RuleError::invalid("/council", "immutable", "an accord stays with its council"));
        }
        Ok(Self { text, ..self })
    }
}

fn check(text: &AccordBody, today: NaiveDate) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    faults.known_day("/from", text.from);
    faults.known_day("/to", text.to);
    faults.not_before("/to", text.to, Some(text.from), "first day");
    for (index, goal) in text.goals.iter().enumerate() {
        if text.goals[..index].iter().any(|earlier| earlier.number == goal.number) {
            faults.add(format!("/goals/{index}/number"), "duplicate", "stands in the list twice");
        }
    }
    for (index, plan) in text.year_plans.iter().enumerate() {
        if text.year_plans[..index].iter().any(|earlier| earlier.year == plan.year) {
            faults.add(format!("/yearPlans/{index}/year"), "duplicate", "stands in the list twice");
        }
        if let Some(on) = plan.adopted_on {
            faults.happened(&format!("/yearPlans/{index}/adoptedOn"), on, today);
        }
    }
    faults.done()
}

impl Dossier for Accord {
    const RESOURCE: &'static str = "accord";

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn reach(&self) -> Reach {
        Reach {
            is_public: self.publication.is_public(),
            councils: vec![self.text.council.clone()],
            ..Reach::default()
        }
    }

    fn publication(&self) -> Option<&Publication> {
        Some(&self.publication)
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        vec![("council", self.text.council.to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    fn accord(text: serde_json::Value) -> Result<Accord, RuleError> {
        let text = serde_json::from_value(text).unwrap();
        Accord::new(AccordId(Uuid::from_u128(1)), text, day("2026-11-23"))
    }

    fn whole() -> serde_json::Value {
        serde_json::json!({
            "council": "rozenburg", "from": "2026-01-01", "to": "2030-12-31", "title": "Wijkakkoord",
            "goals": [{"number": 1, "text": "Veilig"}], "yearPlans": [{"year": 2026, "adoptedOn": "2026-01-20"}]
        })
    }

    #[test]
    fn goals_and_years_stand_in_an_accord_once_and_nothing_happened_tomorrow() {
        assert!(accord(whole()).is_ok());
        for (field, value, at) in [
            ("to", serde_json::json!("2025-12-31"), "/to"),
            (
                "goals",
                serde_json::json!([{"number": 1, "text": "a"}, {"number": 1, "text": "b"}]),
                "/goals/1/number",
            ),
            ("yearPlans", serde_json::json!([{"year": 2026}, {"year": 2026}]), "/yearPlans/1/year"),
            (
                "yearPlans",
                serde_json::json!([{"year": 2027, "adoptedOn": "2026-11-24"}]),
                "/yearPlans/0/adoptedOn",
            ),
        ] {
            let mut text = whole();
            text[field] = value;
            let Err(RuleError::Invalid(faults)) = accord(text) else { panic!("{at} is taken") };
            assert_eq!(faults.iter().map(|fault| fault.location.as_str()).collect::<Vec<_>>(), [at]);
        }
    }

    #[test]
    fn an_accord_stays_with_its_council() {
        let mut text = whole();
        text["council"] = serde_json::json!("pernis");
        let text = serde_json::from_value(text).unwrap();
        assert!(accord(whole()).unwrap().changed(text, day("2026-11-23")).is_err());
    }
}
