//! Who supports a council (toewijzing): its wijkwethouder, and the positions of the organisation, by function and never by name.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::AssignmentRole;
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError};
use crate::ids::{AssignmentId, CouncilCode, OfficeHolderId};

/// How many councils a coordinator has at most: an aim of the letter of 22 April 2025, no rule.
pub const AIM_COUNCILS_PER_COORDINATOR: usize = 2;

/// An assignment as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignmentBody {
    /// The council.
    pub council: CouncilCode,
    /// The role.
    pub role: AssignmentRole,
    /// The office holder; mandatory of a wijkwethouder, absent of any other role.
    #[serde(default)]
    pub office_holder: Option<OfficeHolderId>,
    /// The position in the organisation (functieplaats), such as `coordinator-07`: never a name. Mandatory of any role but
    /// wijkwethouder; not public.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 60,
        pattern = "^[a-z]+(-[a-z]+)*-[0-9]{1,4}$",
        example = "coordinator-07"
    )]
    pub position: Option<String>,
    /// First day.
    pub from: NaiveDate,
    /// Last day; null while it goes on.
    #[serde(default)]
    pub to: Option<NaiveDate>,
}

/// An assignment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The assignment as it is written.
    pub text: AssignmentBody,
}

impl Assignment {
    /// A new assignment.
    pub fn new(id: AssignmentId, text: AssignmentBody) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.known_day("/from", text.from);
        if let Some(to) = text.to {
            faults.known_day("/to", to);
            faults.not_before("/to", to, Some(text.from), "first day");
        }
        let is_alderman = text.role == AssignmentRole::Wijkwethouder;
        match (&text.office_holder, is_alderman) {
            (None, true) => faults.add("/officeHolder", "required", "a wijkwethouder is an office holder"),
            (Some(_), false) => {
                faults.add(
                    "/officeHolder",
                    "assignment.no_person",
                    "an official is a position here and no person",
                );
            }
            _ => {}
        }
        match (&text.position, is_alderman) {
            (Some(_), true) => {
                faults.add("/position", "assignment.no_position", "a wijkwethouder is an office holder")
            }
            (None, false) => faults.add("/position", "required", "name the position, such as coordinator-07"),
            _ => {}
        }
        faults.done()?;
        Ok(Self { id, text })
    }

    /// Ends it, or corrects what was recorded of it.
    pub fn changed(self, text: AssignmentBody) -> Result<Self, RuleError> {
        Self::new(self.id, text)
    }

    /// Whether this text does no more than end it.
    pub fn is_ended_by(&self, text: &AssignmentBody) -> bool {
        self.text.to.is_none() && AssignmentBody { to: None, ..text.clone() } == self.text
    }

    /// Whether it holds on a day.
    pub fn holds_on(&self, on: NaiveDate) -> bool {
        self.text.from <= on && self.text.to.is_none_or(|to| on <= to)
    }
}

/// The councils of each coordinator on a day, by position.
pub fn coordinators_on<'a>(
    assignments: impl IntoIterator<Item = &'a Assignment>,
    on: NaiveDate,
) -> std::collections::BTreeMap<String, std::collections::BTreeSet<CouncilCode>> {
    let mut coordinators: std::collections::BTreeMap<String, std::collections::BTreeSet<CouncilCode>> =
        Default::default();
    for assignment in assignments {
        if let (AssignmentRole::Coordinator, Some(position)) =
            (assignment.text.role, &assignment.text.position)
            && assignment.holds_on(on)
        {
            coordinators.entry(position.clone()).or_default().insert(assignment.text.council.clone());
        }
    }
    coordinators
}

impl Dossier for Assignment {
    const RESOURCE: &'static str = "assignment";

    fn id(&self) -> Uuid {
        self.id.0
    }

    /// Positions are not public; a council shows its wijkwethouder and the roles that are filled.
    fn reach(&self) -> Reach {
        Reach {
            is_registry: true,
            is_internal: true,
            councils: vec![self.text.council.clone()],
            ..Reach::default()
        }
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        let mut facets =
            vec![("council", self.text.council.to_string()), ("role", self.text.role.to_string())];
        facets.extend(self.text.position.iter().map(|position| ("position", position.clone())));
        facets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    fn coordinator(council: &str, position: &str, from: &str, to: Option<&str>) -> Assignment {
        let text = AssignmentBody {
            council: council.parse().unwrap(),
            role: AssignmentRole::Coordinator,
            office_holder: None,
            position: Some(position.to_owned()),
            from: day(from),
            to: to.map(day),
        };
        Assignment::new(AssignmentId(Uuid::from_u128(1)), text).unwrap()
    }

    #[test]
    fn a_wijkwethouder_is_a_person_and_an_official_a_position() {
        let person = Some(OfficeHolderId(Uuid::from_u128(2)));
        let position = Some("manager-01".to_owned());
        for role in AssignmentRole::ALL.iter().copied() {
            let is_alderman = role == AssignmentRole::Wijkwethouder;
            for (office_holder, position) in
                [(None, None), (person, None), (None, position.clone()), (person, position.clone())]
            {
                let fits = office_holder.is_some() == is_alderman && position.is_some() != is_alderman;
                let text = coordinator("rozenburg", "manager-01", "2026-01-01", None).text;
                let text = AssignmentBody { role, office_holder, position, ..text };
                assert_eq!(Assignment::new(AssignmentId(Uuid::from_u128(1)), text).is_ok(), fits, "{role}");
            }
        }
    }

    #[test]
    fn a_coordinator_has_the_councils_that_hold_on_the_day_each_once() {
        let all = [
            coordinator("rozenburg", "coordinator-07", "2026-01-01", Some("2026-06-30")),
            coordinator("rozenburg", "coordinator-07", "2026-03-01", None),
            coordinator("pernis", "coordinator-07", "2026-07-01", None),
            coordinator("hoogvliet", "coordinator-08", "2026-01-01", None),
        ];
        let count = |on: &str| {
            coordinators_on(&all, day(on)).get("coordinator-07").map_or(0, |councils| councils.len())
        };
        assert_eq!(["2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01"].map(count), [0, 1, 1, 2]);
    }

    #[test]
    fn an_assignment_ends_after_it_began() {
        let one = || coordinator("rozenburg", "coordinator-07", "2026-03-01", None);
        let until = |to: &str| AssignmentBody { to: Some(day(to)), ..one().text };
        assert!(one().changed(until("2026-02-28")).is_err());
        let ended = one().changed(until("2026-03-01")).unwrap();
        assert!(ended.holds_on(day("2026-03-01")) && !ended.holds_on(day("2026-03-02")));
    }

    #[test]
    fn another_end_or_another_council_is_more_than_an_end() {
        let open = coordinator("rozenburg", "coordinator-07", "2026-03-01", None);
        let ended = coordinator("rozenburg", "coordinator-07", "2026-03-01", Some("2026-06-01"));
        assert!(open.is_ended_by(&ended.text));
        assert!(!ended.is_ended_by(&open.text) && !ended.is_ended_by(&ended.text));
        let other = coordinator("pernis", "coordinator-07", "2026-03-01", Some("2026-06-01"));
        assert!(!open.is_ended_by(&other.text));
    }
}
