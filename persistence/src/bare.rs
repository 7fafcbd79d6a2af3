//! An advice as figures need it: out of the same snapshot (`snapshot.rs`), reading past its texts and what else no figure asks for. All
//! advice is read like this at a start.

use chrono::{DateTime, NaiveDate, Utc};
use domain::advice::{
    AdviceRecord, AdviceText, Considerations, Councils, FollowUp, Forwarding, Listed, Merge, Point,
    PointResponse, Publication, Received, Reference, Response, Withdrawal,
};
use domain::codes::{AdviceKind, Level, Origin, ResponseKind};
use domain::ids::{AdviceId, OfficeHolderId, PartId, ThemeCode};
use domain::term::{Extension, Suspension};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::StoreError;
use crate::snapshot::{from_text, known_version};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bare {
    schema_version: u16,
    id: AdviceId,
    origin: Origin,
    text: BareText,
    #[serde(default)]
    listed: Option<BareListed>,
    deleted: bool,
    submitted_on: Option<NaiveDate>,
    received: Option<Received>,
    suspensions: Vec<Suspension>,
    extensions: Vec<Extension>,
    responses: Vec<BareResponse>,
    withdrawal: Option<Withdrawal>,
    merge: Option<Merge>,
    forwardings: Vec<Forwarding>,
    follow_ups: Vec<FollowUp>,
    publication: Publication,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareText {
    kind: AdviceKind,
    level: Level,
    #[serde(default)]
    themes: Vec<ThemeCode>,
    councils: Councils,
    #[serde(default)]
    points: Vec<BarePoint>,
    #[serde(default)]
    letter_on: Option<NaiveDate>,
    #[serde(default)]
    listed_on: Option<NaiveDate>,
    #[serde(default)]
    references: Vec<BareReference>,
}

#[derive(Deserialize)]
struct BarePoint {
    number: u16,
}

#[derive(Deserialize)]
struct BareReference {
    #[serde(default)]
    url: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareListed {
    portfolio_holder: Option<OfficeHolderId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareResponse {
    id: PartId,
    kind: ResponseKind,
    sent_on: Option<NaiveDate>,
    points: Vec<PointResponse>,
    considerations: Option<BareConsiderations>,
    #[serde(default)]
    recorded_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareConsiderations {
    #[serde(default)]
    shared_on: Option<NaiveDate>,
}

/// Reads an advice without its texts: where one stands, it is an empty one.
pub(crate) fn read(text: &str) -> Result<AdviceRecord, StoreError> {
    let Bare {
        schema_version,
        id,
        origin,
        text,
        listed,
        deleted,
        submitted_on,
        received,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        publication,
    } = from_text("advice", text)?;
    known_version(schema_version)?;
    Ok(AdviceRecord {
        id,
        origin,
        text: text.into(),
        listed: listed.map(Into::into),
        shown_to_cosigner: false,
        deleted,
        adoption: None,
        submitted_on,
        received,
        treated_on: None,
        suspensions,
        extensions,
        responses: responses.into_iter().map(Into::into).collect(),
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings: Vec::new(),
        closure: None,
        corrections: Vec::new(),
        publication,
    })
}

impl From<BareText> for AdviceText {
    fn from(text: BareText) -> Self {
        let BareText { kind, level, themes, councils, points, letter_on, listed_on, references } = text;
        Self {
            kind,
            subject: String::new(),
            summary: None,
            level,
            themes,
            councils,
            points: points
                .into_iter()
                .map(|BarePoint { number }| Point { number, text: String::new() })
                .collect(),
            letter_on,
            listed_on,
            references: references
                .into_iter()
                .map(|BareReference { url }| Reference {
                    system: String::new(),
                    value: String::new(),
                    url: url.map(|_| String::new()),
                })
                .collect(),
            second_round_of: None,
            request: None,
        }
    }
}

impl From<BareListed> for Listed {
    fn from(BareListed { portfolio_holder }: BareListed) -> Self {
        Self {
            portfolio_holder,
            titles: Vec::new(),
            unnamed_cosigners: false,
            annex_to: None,
            reference_councils: Vec::new(),
        }
    }
}

impl From<BareResponse> for Response {
    fn from(response: BareResponse) -> Self {
        let BareResponse { id, kind, sent_on, points, considerations, recorded_at } = response;
        Self {
            id,
            kind,
            decided_on: None,
            sent_on,
            by: None,
            points,
            considerations: considerations.map(|BareConsiderations { shared_on }| Considerations {
                interests: Vec::new(),
                weighing: String::new(),
                shared_on,
            }),
            text: None,
            references: Vec::new(),
            recorded_at,
        }
    }
}
