//! The advice as text: what the row keeps and the journal hashes. A shape of its own, with a version, so that a change
//! of the domain's types decides here what becomes of what was written before.

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::View;
use domain::advice::{
    Adoption, Advice, AdviceRecord, AdviceText, Closure, Correction, FollowUp, Forwarding, Listed, Merge,
    Publication, Rating, Received, Response, Withdrawal,
};
use domain::codes::Origin;
use domain::ids::AdviceId;
use domain::term::{Extension, Suspension};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::moment;

/// The version of the shape that is written now.
const SCHEMA_VERSION: u16 = 1;

/// What storage knows of an item beside the item itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first written.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub modified_at: DateTime<Utc>,
    /// What a council sees of its own item: it counts nothing that it cannot see.
    pub own: Seen,
    /// What the public sees.
    pub public: Seen,
}

/// The changes that a narrower view can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Raised by one at each change that the view sees.
    pub version: i64,
    /// When the view last saw a change.
    pub modified_at: DateTime<Utc>,
}

impl Stamp {
    /// Of an item that looks the same to all who see it.
    pub fn plain(version: i64, created_at: DateTime<Utc>, modified_at: DateTime<Utc>) -> Self {
        let seen = Seen { version, modified_at };
        Self { version, created_at, modified_at, own: seen, public: seen }
    }

    /// Which writing of the item this is.
    pub fn mark(&self) -> Mark {
        Mark { version: self.version, moment: moment::of(self.modified_at) }
    }

    /// Version and moment as this view counts them.
    pub fn seen(&self, view: View) -> Seen {
        match view {
            View::Public => self.public,
            View::Own => self.own,
            View::Internal => Seen { version: self.version, modified_at: self.modified_at },
        }
    }
}

/// One writing of an item. The moment tells it from the one that had its number in a database that was put back since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub(crate) version: i64,
    pub(crate) moment: i64,
}

/// An item with its stamp.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// The item.
    pub value: T,
    /// Version and moments.
    pub stamp: Stamp,
}

/// An item that is kept whole, as text. A change of its shape decides by `schema_version` what becomes of what was written before.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot<T> {
    /// The version of the shape.
    pub schema_version: u16,
    /// When the item was first written.
    pub created_at: DateTime<Utc>,
    /// The item.
    pub item: T,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdviceSnapshot {
    schema_version: u16,
    stamp: Stamp,
    id: AdviceId,
    origin: Origin,
    text: AdviceText,
    #[serde(default)]
    listed: Option<Listed>,
    shown_to_cosigner: bool,
    deleted: bool,
    adoption: Option<Adoption>,
    submitted_on: Option<NaiveDate>,
    received: Option<Received>,
    treated_on: Option<NaiveDate>,
    suspensions: Vec<Suspension>,
    extensions: Vec<Extension>,
    responses: Vec<Response>,
    withdrawal: Option<Withdrawal>,
    merge: Option<Merge>,
    forwardings: Vec<Forwarding>,
    follow_ups: Vec<FollowUp>,
    ratings: Vec<Rating>,
    closure: Option<Closure>,
    corrections: Vec<Correction>,
    publication: Publication,
}

/// Writes an advice as text.
pub(crate) fn write(advice: &Advice, stamp: Stamp) -> Result<String, StoreError> {
    let AdviceRecord {
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    } = advice.clone().into_record();
    to_text(&AdviceSnapshot {
        schema_version: SCHEMA_VERSION,
        stamp,
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    })
}

/// Reads an advice back from text, be it of the row or of an entry of the journal.
pub fn read(text: &str) -> Result<Stored<Advice>, StoreError> {
    let snapshot: AdviceSnapshot = from_text("advice", text)?;
    let AdviceSnapshot {
        schema_version,
        stamp,
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    } = snapshot;
    known_version(schema_version)?;
    let record = AdviceRecord {
        id,
        origin,
        text,
        listed,
        shown_to_cosigner,
        deleted,
        adoption,
        submitted_on,
        received,
        treated_on,
        suspensions,
        extensions,
        responses,
        withdrawal,
        merge,
        forwardings,
        follow_ups,
        ratings,
        closure,
        corrections,
        publication,
    };
    Ok(Stored { value: Advice::restore(record), stamp })
}

/// Refuses the shape of an advice that this program does not know.
pub(crate) fn known_version(schema_version: u16) -> Result<(), StoreError> {
    match schema_version {
        SCHEMA_VERSION => Ok(()),
        _ => Err(StoreError::Malformed {
            what: "advice",
            cause: format!("schema version {schema_version} is not known to this program"),
        }),
    }
}

pub(crate) fn to_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Malformed { what: "an item", cause: error.to_string() })
}

pub(crate) fn from_text<T: for<'de> Deserialize<'de>>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Malformed { what, cause: error.to_string() })
}
