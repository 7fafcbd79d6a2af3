//! A talk between a wijkwethouder and a council (gesprek), and the lessons that they draw from it together.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::Publication;
use crate::codes::LessonState;
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError, room_for_one_more};
use crate::ids::{CouncilCode, OfficeHolderId, TalkId};

/// A talk as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TalkBody {
    /// The council.
    pub council: CouncilCode,
    /// The day of the talk.
    pub held_on: NaiveDate,
    /// The wijkwethouder.
    pub office_holder: OfficeHolderId,
}

/// A lesson drawn together (gezamenlijke les).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LessonBody {
    /// The lesson; it names no private person.
    #[schema(min_length = 1, max_length = 5000, pattern = r"\S", example = "Eerder bellen bij vertraging")]
    pub text: String,
    /// The function that takes it up (eigenaar), such as `wijkmanager`: in lower case, and no name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[a-zà-ÿ]+([ -][a-z0-9à-ÿ]+)*$",
        example = "wijkmanager"
    )]
    pub owner: String,
}

/// A lesson is taken up or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LessonClosure {
    /// The day.
    pub on: NaiveDate,
    /// What came of it (resultaat).
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
}

/// A lesson as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lesson {
    /// Its number within the talk.
    pub number: u16,
    /// The lesson.
    pub text: String,
    /// The function that takes it up (eigenaar).
    pub owner: String,
    /// Open or closed.
    pub state: LessonState,
    /// The day it was closed.
    pub closed_on: Option<NaiveDate>,
    /// What came of it.
    pub note: Option<String>,
}

/// A talk as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    /// Its id.
    pub id: TalkId,
    /// The talk as it is written.
    pub text: TalkBody,
    /// The lessons.
    pub lessons: Vec<Lesson>,
    /// Whether the public may see it.
    pub publication: Publication,
}

impl Talk {
    /// A talk that was held.
    pub fn new(id: TalkId, text: TalkBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/heldOn", text.held_on, today);
        faults.done()?;
        Ok(Self { id, text, lessons: Vec::new(), publication: Publication::NONE })
    }

    /// Corrects what was recorded of it. Lessons stay.
    pub fn corrected(self, text: TalkBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/heldOn", text.held_on, today);
        let first_closed = self.lessons.iter().filter_map(|lesson| lesson.closed_on).min();
        if let Some(closed) = first_closed.filter(|closed| *closed < text.held_on) {
            faults.add("/heldOn", "date.order", format!("lies after a lesson was closed, {closed}"));
        }
        faults.done()?;
        Ok(Self { text, ..self })
    }

    /// A lesson drawn from it.
    pub fn with_lesson(mut self, body: LessonBody) -> Result<Self, RuleError> {
        room_for_one_more(self.lessons.len())?;
        let LessonBody { text, owner } = body;
        let number = u16::try_from(self.lessons.len() + 1).unwrap_or(u16::MAX);
        self.lessons.push(Lesson {
            number,
            text,
            owner,
            state: LessonState::Open,
            closed_on: None,
            note: None,
        });
        Ok(self)
    }

    /// A lesson is closed.
    pub fn with_lesson_closed(
        mut self,
        number: u16,
        body: LessonClosure,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/on", body.on, today);
        faults.not_before("/on", body.on, Some(self.text.held_on), "talk");
        faults.done()?;
        let Some(lesson) = self.lessons.iter_mut().find(|lesson| lesson.number == number) else {
            return Err(RuleError::conflict("no-such-lesson", "The talk has no such lesson."));
        };
        if lesson.state == LessonState::Closed {
            return Err(RuleError::conflict("already-recorded", "It is closed already."));
        }
        lesson.state = LessonState::Closed;
        lesson.closed_on = Some(body.on);
        lesson.note = body.note;
        Ok(self)
    }
}

impl Dossier for Talk {
    const RESOURCE: &'static str = "talk";

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn reach(&self) -> Reach {
        Reach {
            is_public: self.publication.is_public(),
            is_registry: true,
            councils: vec![self.text.council.clone()],
            ..Reach::default()
        }
    }

    fn publication(&self) -> Option<&Publication> {
        Some(&self.publication)
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("council", self.text.council.to_string()),
            ("officeHolder", self.text.office_holder.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conflict, day, faults, today};

    fn talk() -> Talk {
        let text = TalkBody {
            council: "rozenburg".parse().unwrap(),
            held_on: day("2026-10-01"),
            office_holder: OfficeHolderId(Uuid::from_u128(1)),
        };
        let lesson = LessonBody { text: "Eerder bellen".to_owned(), owner: "wijkmanager".to_owned() };
        Talk::new(TalkId(Uuid::from_u128(2)), text, today()).unwrap().with_lesson(lesson).unwrap()
    }

    fn closed(talk: Talk, number: u16, on: &str) -> Result<Talk, RuleError> {
        talk.with_lesson_closed(number, LessonClosure { on: day(on), note: None }, today())
    }

    #[test]
    fn a_lesson_is_closed_once_and_not_before_the_talk() {
        assert_eq!(faults(closed(talk(), 1, "2026-09-30")), [("/on".to_owned(), "date.order")]);
        assert_eq!(faults(closed(talk(), 1, "2026-11-24")), [("/on".to_owned(), "date.future")]);
        let closed_once = closed(talk(), 1, "2026-10-01").unwrap();
        assert_eq!(closed_once.lessons[0].state, LessonState::Closed);
        assert_eq!(conflict(closed(closed_once, 1, "2026-10-02")), "already-recorded");
        assert_eq!(conflict(closed(talk(), 2, "2026-10-02")), "no-such-lesson");
    }

    #[test]
    fn a_talk_that_is_still_to_come_is_refused() {
        let text = TalkBody { held_on: day("2026-11-24"), ..talk().text };
        assert_eq!(faults(Talk::new(talk().id, text, today())), [("/heldOn".to_owned(), "date.future")]);
    }

    #[test]
    fn a_corrected_talk_was_not_held_after_a_lesson_was_closed() {
        let moved = |talk: Talk, on: &str| {
            let text = TalkBody { held_on: day(on), ..talk.text.clone() };
            talk.corrected(text, today())
        };
        assert_eq!(moved(talk(), "2026-10-05").unwrap().text.held_on, day("2026-10-05"));
        let closed = closed(talk(), 1, "2026-10-02").unwrap();
        assert_eq!(faults(moved(closed.clone(), "2026-10-03")), [("/heldOn".to_owned(), "date.order")]);
        assert_eq!(moved(closed, "2026-10-02").unwrap().lessons.len(), 1);
        assert_eq!(faults(moved(talk(), "2026-11-24")), [("/heldOn".to_owned(), "date.future")]);
    }
}
