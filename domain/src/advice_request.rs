//! A request for advice (adviesaanvraag): one request, many councils, each answers for itself or says "no advice".

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar;
use crate::codes::RequestReply;
use crate::error::{FieldError, RuleError};
use crate::ids::{AdviceId, AdviceRequestId, ClusterCode, CouncilCode};

/// A request for advice, as its cluster writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdviceRequestBody {
    /// What advice is asked about (onderwerp).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Nieuwe tramhalte")]
    pub subject: String,
    /// The question to the councils (adviesvraag).
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub question: Option<String>,
    /// The cluster that asks; one of the token's.
    pub cluster: ClusterCode,
    /// The policy track that it is about (beleidstraject), by its id.
    #[serde(default)]
    pub policy_track: Option<uuid::Uuid>,
    /// The councils that are asked.
    #[schema(min_items = 1, max_items = 39)]
    pub councils: Vec<CouncilCode>,
    /// The day it was asked.
    pub asked_on: NaiveDate,
    /// The day by which the advice is wanted; it may be in the future.
    #[serde(default)]
    pub wanted_by: Option<NaiveDate>,
}

/// A council says that it gives no advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoAdviceBody {
    /// The council; one of the token's.
    pub council: CouncilCode,
    /// The day it said so.
    pub on: NaiveDate,
    /// Why, if it said so.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

/// A request as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdviceRequest {
    /// Its id.
    pub id: AdviceRequestId,
    /// What was asked.
    pub asked: AdviceRequestBody,
    /// Councils that gave no advice.
    pub refusals: Vec<NoAdviceBody>,
}

/// What one council did with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouncilReply {
    /// The council.
    pub council: CouncilCode,
    /// What it did.
    pub reply: RequestReply,
    /// The day it did; null while it is open.
    pub on: Option<NaiveDate>,
    /// The advice it gave, if the caller may see it.
    pub advice: Option<AdviceId>,
}

/// An advice that was sent in on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The council that leads it.
    pub lead: CouncilCode,
    /// The day it was sent in.
    pub on: NaiveDate,
    /// The advice, if the reader may see it.
    pub advice: Option<AdviceId>,
}

impl AdviceRequest {
    /// A new request.
    pub fn ask(id: AdviceRequestId, asked: AdviceRequestBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = day_faults("/askedOn", asked.asked_on, today);
        if let Some(wanted_by) = asked.wanted_by {
            if wanted_by < asked.asked_on {
                faults.push(FieldError::new("/wantedBy", "date.order", "lies before the day it was asked"));
            }
            if !calendar::is_supported(wanted_by) {
                faults.push(FieldError::new("/wantedBy", "date.range", "lies outside the calendar"));
            }
        }
        for (index, council) in asked.councils.iter().enumerate() {
            if asked.councils[..index].contains(council) {
                faults.push(FieldError::new(
                    format!("/councils/{index}"),
                    "duplicate",
                    "stands in the list twice",
                ));
            }
        }
        if faults.is_empty() {
            Ok(Self { id, asked, refusals: Vec::new() })
        } else {
            Err(RuleError::Invalid(faults))
        }
    }

    /// A council says that it gives no advice.
    pub fn refuse(mut self, refusal: NoAdviceBody, today: NaiveDate) -> Result<Self, RuleError> {
        let mut faults = day_faults("/on", refusal.on, today);
        if refusal.on < self.asked.asked_on {
            faults.push(FieldError::new("/on", "date.order", "lies before the day it was asked"));
        }
        if !self.asked.councils.contains(&refusal.council) {
            faults.push(FieldError::new("/council", "council.not_asked", "was not asked"));
        }
        if !faults.is_empty() {
            return Err(RuleError::Invalid(faults));
        }
        if self.refusals.iter().any(|known| known.council == refusal.council) {
            return Err(RuleError::conflict("already-recorded", "This council said so already."));
        }
        self.refusals.push(refusal);
        Ok(self)
    }

    /// What each council did. An advice that was submitted counts before a refusal.
    pub fn replies(&self, given: &[Given]) -> Vec<CouncilReply> {
        self.asked
            .councils
            .iter()
            .map(|council| {
                let advice = given.iter().find(|given| given.lead == *council);
                let refusal = self.refusals.iter().find(|refusal| refusal.council == *council);
                match (advice, refusal) {
                    (Some(given), _) => CouncilReply {
                        council: council.clone(),
                        reply: RequestReply::Advised,
                        on: Some(given.on),
                        advice: given.advice,
                    },
                    (None, Some(refusal)) => CouncilReply {
                        council: council.clone(),
                        reply: RequestReply::NoAdvice,
                        on: Some(refusal.on),
                        advice: None,
                    },
                    (None, None) => CouncilReply {
                        council: council.clone(),
                        reply: RequestReply::Open,
                        on: None,
                        advice: None,
                    },
                }
            })
            .collect()
    }
}

fn day_faults(location: &str, on: NaiveDate, today: NaiveDate) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if on > today {
        faults.push(FieldError::new(location, "date.future", format!("lies after today, {today}")));
    }
    if !calendar::is_supported(on) {
        faults.push(FieldError::new(location, "date.range", "lies outside the calendar"));
    }
    faults
}
