//! A collegetarget: a statement, a baseline (nulmeting), a value to reach per year (streefwaarde), and what was measured.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::advice::Reference;
use crate::codes::TargetStatus;
use crate::dossier::{Dossier, Reach};
use crate::error::{Faults, RuleError, room_for_one_more};
use crate::ids::{CollegetargetId, PartId};

/// A target as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollegetargetBody {
    /// The statement (formulering).
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    pub statement: String,
    /// The code of the metric that measures it.
    #[schema(
        min_length = 1,
        max_length = 60,
        pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
        example = "collegetarget"
    )]
    pub metric: String,
    /// The version of that metric's definition (definitieversie).
    #[schema(minimum = 1, maximum = 999)]
    pub definition_version: u16,
    /// First day of its period.
    pub from: NaiveDate,
    /// Last day of its period.
    pub to: NaiveDate,
    /// Where it started from (nulmeting); null where none is known.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// The value to reach in each year (streefwaarden).
    #[schema(max_items = 20)]
    pub path: Vec<TargetValue>,
    /// Whether the college has adopted it.
    pub status: TargetStatus,
    /// Where all this stands (bron).
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub source: String,
    /// Numbers by which other systems know it (kenmerken).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub references: Vec<Reference>,
}

/// Where a target started from (nulmeting).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// Per mille of the whole (promille).
    #[schema(minimum = 0, maximum = 1000, example = 500)]
    pub permille: u16,
    /// The day for which it holds.
    pub on: NaiveDate,
}

/// The value to reach in a year (streefwaarde).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetValue {
    /// The year.
    #[schema(minimum = 1900, maximum = 2200)]
    pub year: u16,
    /// Per mille of the whole (promille).
    #[schema(minimum = 0, maximum = 1000, example = 750)]
    pub permille: u16,
    /// What is not certain about it (onzekerheid).
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: Option<String>,
}

/// What was measured (meting). The three buckets are per mille of the whole, and add up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MeasurementBody {
    /// The day for which it holds (peildatum).
    pub reference_on: NaiveDate,
    /// Up to which moment what was recorded was taken along (moment van kennis); null where that is not known.
    #[serde(default)]
    pub known_at: Option<DateTime<Utc>>,
    /// The version of the definition it was measured by (definitieversie).
    #[schema(minimum = 1, maximum = 999)]
    pub definition_version: u16,
    /// Realised in the judgement of the councils (gerealiseerd), per mille.
    #[schema(minimum = 0, maximum = 1000, example = 620)]
    pub realised_permille: u16,
    /// Running (loopt), per mille.
    #[schema(minimum = 0, maximum = 1000, example = 350)]
    pub running_permille: u16,
    /// Not realised and will not be (niet en komt niet), per mille.
    #[schema(minimum = 0, maximum = 1000, example = 30)]
    pub not_realised_permille: u16,
    /// How many agreements were measured; null where that is not known.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000000)]
    pub agreements: Option<u32>,
    /// Where it stands (bron).
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub source: String,
}

/// A measurement as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// Its id.
    pub id: PartId,
    /// When it was recorded here.
    pub recorded_at: DateTime<Utc>,
    /// What was measured.
    #[serde(flatten)]
    pub measured: MeasurementBody,
}

/// A target as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collegetarget {
    /// Its id.
    pub id: CollegetargetId,
    /// The target as it is written.
    pub text: CollegetargetBody,
    /// What was measured, in the order in which it was recorded.
    pub measurements: Vec<Measurement>,
}

impl Collegetarget {
    /// A new target.
    pub fn new(id: CollegetargetId, text: CollegetargetBody) -> Result<Self, RuleError> {
        check(&text)?;
        Ok(Self { id, text, measurements: Vec::new() })
    }

    /// The target with another text.
    pub fn changed(self, text: CollegetargetBody) -> Result<Self, RuleError> {
        check(&text)?;
        if text.metric != self.text.metric && !self.measurements.is_empty() {
            return Err(RuleError::invalid("/metric", "immutable", "it was measured by this metric already"));
        }
        Ok(Self { text, ..self })
    }

    /// Records a measurement.
    pub fn with_measurement(
        mut self,
        id: PartId,
        measured: MeasurementBody,
        recorded_at: DateTime<Utc>,
        today: NaiveDate,
    ) -> Result<Self, RuleError> {
        let mut faults = Faults::default();
        faults.happened("/referenceOn", measured.reference_on, today);
        if measured.known_at.is_some_and(|known_at| known_at > recorded_at) {
            faults.add("/knownAt", "date.future", "lies after now");
        }
        let sum = u32::from(measured.realised_permille)
            + u32::from(measured.running_permille)
            + u32::from(measured.not_realised_permille);
        if sum != 1000 {
            faults.add(
                "/realisedPermille",
                "measurement.sum",
                format!("the three buckets are 1000 together, not {sum}"),
            );
        }
        if !crate::metrics::has_definition(&self.text.metric, measured.definition_version) {
            faults.add(
                "/definitionVersion",
                "unknown",
                "is no version of the metric's definition; see /v1/metrics",
            );
        }
        faults.done()?;
        let is_same = |known: &Measurement| {
            known.measured.reference_on == measured.reference_on
                && known.measured.definition_version == measured.definition_version
                && known.measured.source == measured.source
        };
        if self.measurements.iter().any(is_same) {
            return Err(RuleError::conflict(
                "duplicate",
                "That day was measured by this definition from this source already.",
            ));
        }
        room_for_one_more(self.measurements.len())?;
        self.measurements.push(Measurement { id, recorded_at, measured });
        Ok(self)
    }
}

fn check(text: &CollegetargetBody) -> Result<(), RuleError> {
    let mut faults = Faults::default();
    faults.known_day("/from", text.from);
    faults.known_day("/to", text.to);
    faults.not_before("/to", text.to, Some(text.from), "first day");
    if let Some(baseline) = &text.baseline {
        faults.known_day("/baseline/on", baseline.on);
    }
    for (index, value) in text.path.iter().enumerate() {
        if text.path[..index].iter().any(|earlier| earlier.year == value.year) {
            faults.add(format!("/path/{index}/year"), "duplicate", "stands in the list twice");
        }
    }
    if !crate::metrics::has_definition(&text.metric, text.definition_version) {
        faults.add(
            "/definitionVersion",
            "unknown",
            "is no version of a metric's definition; see /v1/metrics",
        );
    }
    faults.done()
}

/// The target of the term 2022–2026, with what is known of it.
pub fn built_in(recorded_at: DateTime<Utc>) -> Collegetarget {
    let day =
        |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or(crate::calendar::FIRST_DAY);
    let uncertain = |year, permille| TargetValue {
        year,
        permille,
        note: Some("Which year of the path this value belongs to is not certain.".to_owned()),
    };
    Collegetarget {
        id: CollegetargetId(Uuid::from_u128(0x0143_4b29_bc00_7000_8000_0000_0000_0101)),
        text: CollegetargetBody {
            statement: "In het oordeel van de wijkraad is 75 % van de acties in de wijkplannen gerealiseerd."
                .to_owned(),
            metric: "collegetarget".to_owned(),
            definition_version: 1,
            from: day(2022, 3, 16),
            to: day(2026, 3, 17),
            baseline: None,
            path: vec![
                TargetValue { year: 2023, permille: 500, note: None },
                uncertain(2024, 650),
                uncertain(2025, 750),
                uncertain(2026, 750),
            ],
            status: TargetStatus::Adopted,
            source: "Collegetarget Wijk aan Zet 2022-2026 of the college of Rotterdam. Whether the coalition of 2026-2030 \
                     keeps it is not known."
                .to_owned(),
            references: Vec::new(),
        },
        measurements: vec![Measurement {
            id: PartId(Uuid::from_u128(0x0143_4b29_bc00_7000_8000_0000_0000_0102)),
            recorded_at,
            measured: MeasurementBody {
                reference_on: day(2023, 12, 31),
                known_at: None,
                definition_version: 1,
                realised_permille: 620,
                running_permille: 350,
                not_realised_permille: 30,
                agreements: None,
                source: "The 39 twelve-month reports over 2023.".to_owned(),
            },
        }],
    }
}

impl Dossier for Collegetarget {
    const RESOURCE: &'static str = "collegetarget";

    fn id(&self) -> Uuid {
        self.id.0
    }

    /// What the college promises, and what came of it, is public.
    fn reach(&self) -> Reach {
        Reach { is_public: true, is_registry: true, ..Reach::default() }
    }

    fn facets(&self) -> Vec<(&'static str, String)> {
        vec![("metric", self.text.metric.clone()), ("status", self.text.status.to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> DateTime<Utc> {
        "2026-11-23T11:00:00Z".parse().unwrap()
    }

    fn target() -> Collegetarget {
        built_in(moment())
    }

    fn measured(buckets: [u16; 3], definition_version: u16) -> Result<Collegetarget, RuleError> {
        let [realised_permille, running_permille, not_realised_permille] = buckets;
        let body = MeasurementBody {
            realised_permille,
            running_permille,
            not_realised_permille,
            definition_version,
            source: "made up".to_owned(),
            ..target().measurements[0].measured.clone()
        };
        target().with_measurement(PartId(Uuid::from_u128(1)), body, moment(), moment().date_naive())
    }

    fn codes<T: std::fmt::Debug>(result: Result<T, RuleError>) -> Vec<&'static str> {
        match result {
            Err(RuleError::Invalid(faults)) => faults.into_iter().map(|fault| fault.code).collect(),
            other => panic!("expected invalid input, got {other:?}"),
        }
    }

    #[test]
    fn the_three_buckets_are_the_whole() {
        assert!(measured([620, 350, 30], 1).is_ok());
        for buckets in [[620, 350, 29], [620, 350, 31], [u16::MAX, u16::MAX, u16::MAX], [0, 0, 0]] {
            assert_eq!(codes(measured(buckets, 1)), ["measurement.sum"]);
        }
    }

    #[test]
    fn a_measurement_names_a_definition_that_is_there() {
        assert_eq!(codes(measured([620, 350, 30], 2)), ["unknown"]);
        let text = CollegetargetBody { metric: "luck".to_owned(), ..target().text };
        assert_eq!(codes(target().changed(text)), ["unknown"]);
    }

    #[test]
    fn the_built_in_target_obeys_its_own_rules() {
        let Collegetarget { id, text, measurements } = target();
        assert!(Collegetarget::new(id, text).is_ok());
        assert_eq!(measurements.len(), 1);
        assert!(measured([620, 350, 30], 1).is_ok());
    }

    #[test]
    fn the_same_day_is_measured_once_from_a_source() {
        let again = target().measurements[0].measured.clone();
        let refused =
            target().with_measurement(PartId(Uuid::from_u128(1)), again, moment(), moment().date_naive());
        assert!(matches!(refused, Err(RuleError::Conflict { rule: "duplicate", .. })), "{refused:?}");
    }

    #[test]
    fn a_year_has_one_value_to_reach() {
        let mut text = target().text;
        text.path.push(text.path[0].clone());
        assert_eq!(codes(target().changed(text)), ["duplicate"]);
    }
}
