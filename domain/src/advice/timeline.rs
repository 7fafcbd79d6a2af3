//! Everything that happened to an advice, in order. Made from a record that was projected for its reader before.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AdviceRecord, CorrectedValue};
use crate::calendar::amsterdam_day;
use crate::ids::PartId;
use crate::term;

/// One thing that happened (gebeurtenis).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// The day it happened; null where it is not known.
    pub on: Option<NaiveDate>,
    /// What happened, such as `submission`, `receipt`, `suspension`, `final-response`.
    #[schema(example = "receipt")]
    pub event: String,
    /// In a sentence.
    pub text: String,
    /// The part of the advice that it is about: a response, suspension or extension.
    pub part: Option<PartId>,
    /// Of a correction: the field.
    pub field: Option<String>,
    /// Of a correction: what stood there.
    #[schema(value_type = CorrectedValue, required = false)]
    pub was: Option<CorrectedValue>,
    /// Of a correction: what stands there now.
    #[schema(value_type = CorrectedValue, required = false)]
    pub is: Option<CorrectedValue>,
}

impl AdviceRecord {
    /// Everything that happened, in order of day and then of the process.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        let mut entries: Vec<TimelineEntry> = Vec::new();
        let mut add = |on: Option<NaiveDate>, event: &str, text: String, part: Option<PartId>| {
            entries.push(TimelineEntry {
                on,
                event: event.to_owned(),
                text,
                part,
                field: None,
                was: None,
                is: None,
            });
        };
        if let Some(on) = self.text.letter_on {
            add(Some(on), "letter", "Date on the letter.".to_owned(), None);
        }
        if let Some(adoption) = &self.adoption {
            let text = format!(
                "Adopted by {} with {} votes to {}{}.",
                self.text.councils.lead,
                adoption.votes_for,
                adoption.votes_against,
                if adoption.quorum { "" } else { ", without a quorum" },
            );
            add(Some(adoption.meeting_on), "adoption", text, None);
            if let Some(on) = adoption.ratified_on {
                add(Some(on), "ratification", "Ratified in a public meeting.".to_owned(), None);
            }
        }
        for cosigner in &self.text.councils.cosigners {
            if cosigner.signed_on.is_some() {
                add(
                    cosigner.signed_on,
                    "cosignature",
                    format!("Signed by {} as well.", cosigner.council),
                    None,
                );
            }
        }
        if let Some(on) = self.submitted_on {
            add(Some(on), "submission", "Sent in to the college.".to_owned(), None);
        }
        if let Some(on) = self.text.listed_on {
            add(Some(on), "listing", "Listed by a portal.".to_owned(), None);
        }
        if let Some(received) = &self.received {
            let text = format!(
                "Received; the term rule of that day was frozen: {}.",
                received.rule.ground.trim_end_matches('.')
            );
            add(Some(received.received_on), "receipt", text, None);
        }
        if let Some(on) = self.treated_on {
            add(Some(on), "treatment", "Treatment began.".to_owned(), None);
        }
        for forwarding in &self.forwardings {
            let to = forwarding.cluster.as_ref().map(ToString::to_string).or(forwarding.body.clone());
            add(Some(forwarding.on), "forwarding", format!("Forwarded to {}.", to.unwrap_or_default()), None);
        }
        let facts = self.term_facts();
        let (void_suspensions, void_extensions) =
            (term::void_suspensions(&facts), term::void_extensions(&facts));
        for suspension in &self.suspensions {
            let void = void_suspensions.contains(&suspension.id);
            let effect = if void { ", too late: void, without effect" } else { "" };
            let text = format!("The term is suspended{effect}.");
            add(Some(suspension.from), "suspension", text, Some(suspension.id));
            if suspension.to.is_some() {
                add(suspension.to, "suspension-end", "The term runs again.".to_owned(), Some(suspension.id));
            }
        }
        for extension in &self.extensions {
            let void = void_extensions.contains(&extension.id);
            let effect = if void { ", too late: void, without effect" } else { "" };
            let text = format!("The term is extended by {} calendar days{effect}.", extension.days);
            add(Some(extension.decided_on), "extension", text, Some(extension.id));
        }
        for response in &self.responses {
            let text = format!("Response of the college: {}.", response.kind);
            add(response.sent_on, &format!("{}-response", response.kind), text, Some(response.id));
            if let Some(on) =
                response.considerations.as_ref().and_then(|considerations| considerations.shared_on)
            {
                let text = "The city-level considerations were shared with the council.".to_owned();
                add(Some(on), "considerations", text, Some(response.id));
            }
        }
        for follow_up in &self.follow_ups {
            let text = format!("Point {} is {}.", follow_up.point, follow_up.state);
            add(Some(follow_up.on), "follow-up", text, None);
        }
        for rating in &self.ratings {
            let text = format!("{} rates the answer {} of 5.", rating.council, rating.score);
            add(Some(rating.on), "rating", text, None);
        }
        if let Some(withdrawal) = &self.withdrawal {
            add(withdrawal.on, "withdrawal", "Withdrawn by the council.".to_owned(), None);
        }
        if let Some(merge) = &self.merge {
            add(Some(merge.on), "merge", "Treated as part of another advice from now on.".to_owned(), None);
        }
        if let Some(closure) = &self.closure {
            add(Some(closure.on), "closure", "Closed.".to_owned(), None);
        }
        let publication = &self.publication;
        if let Some(moment) = publication.published_at {
            add(Some(amsterdam_day(moment)), "publication", "Published.".to_owned(), None);
        }
        if let Some(moment) = publication.withdrawn_at {
            let text = "Withdrawn from publication.".to_owned();
            add(Some(amsterdam_day(moment)), "unpublication", text, None);
        }
        for correction in &self.corrections {
            entries.push(TimelineEntry {
                on: Some(correction.on),
                event: "correction".to_owned(),
                text: format!(
                    "{} was corrected{}.",
                    correction.field,
                    if correction.rule_changed { "; the term rule of the new day was frozen" } else { "" }
                ),
                part: None,
                field: Some(correction.field.clone()),
                was: Some(correction.was.clone()),
                is: Some(correction.is.clone()),
            });
        }
        // The order in which they were added is the order of the process; a stable sort keeps it within a day.
        entries.sort_by_key(|entry| entry.on.unwrap_or(NaiveDate::MAX));
        entries
    }
}
