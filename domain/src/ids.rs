//! Identifiers. Each is a type of its own, so that one cannot stand in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A text that is not a code: a code is 1 to 60 lower-case letters, digits and single hyphens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a code is 1 to 60 lower-case letters and digits, joined by single hyphens")]
pub struct NotACode;

fn parse_code(text: &str) -> Result<String, NotACode> {
    let well_formed = (1..=60).contains(&text.len())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
    well_formed.then(|| text.to_owned()).ok_or(NotACode)
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 1, max_length = 60, example = $example)]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotACode;
            fn from_str(text: &str) -> Result<Self, NotACode> {
                parse_code(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotACode;
            fn try_from(text: String) -> Result<Self, NotACode> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

code!(
    /// Code of a council (wijkraad or dorpsraad); it never changes when the name does.
    CouncilCode,
    "hoek-van-holland"
);
code!(
    /// Code of an area (gebied).
    AreaCode,
    "rotterdam-centrum"
);
code!(
    /// Code of a cluster of the municipal organisation.
    ClusterCode,
    "so"
);
code!(
    /// Code of a theme (thema).
    ThemeCode,
    "mobility"
);

id!(
    /// Identifies an advice (advies). UUIDv7.
    AdviceId
);
id!(
    /// Identifies a term rule (termijnregel). UUIDv7.
    TermRuleId
);
id!(
    /// Identifies an advice request (adviesaanvraag). UUIDv7.
    AdviceRequestId
);
id!(
    /// Identifies an office holder (bestuurder). UUIDv7.
    OfficeHolderId
);
id!(
    /// Identifies an accord (wijkakkoord). UUIDv7.
    AccordId
);
id!(
    /// Identifies an agreement (afspraak). UUIDv7.
    AgreementId
);
id!(
    /// Identifies a policy track (beleidstraject). UUIDv7.
    PolicyTrackId
);
id!(
    /// Identifies a participation plan (participatieplan). UUIDv7.
    ParticipationPlanId
);
id!(
    /// Identifies a commitment (motie of toezegging). UUIDv7.
    CommitmentId
);
id!(
    /// Identifies a collegetarget. UUIDv7.
    CollegetargetId
);
id!(
    /// Identifies a talk between wijkwethouder and council (gesprek). UUIDv7.
    TalkId
);
id!(
    /// Identifies an assignment of a person or position to a council (toewijzing). UUIDv7.
    AssignmentId
);
id!(
    /// Identifies a part of an item that has an address, such as a response, a suspension, a finding or a measurement. UUIDv7.
    PartId
);
