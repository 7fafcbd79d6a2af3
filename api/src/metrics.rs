//! The figures over HTTP: definitions, values as JSON or CSV, and the rows behind each value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Utc};
use domain::access::Caller;
use domain::codes::{Cohort, Dimension, RuleStatus};
use domain::metrics::{
    self, Computed, Decimal4, Definition, Facts, Figure, FigureKind, Item, Part, PartKind, Query, Row, Share,
    Times,
};
use persistence::dossier::RESOURCES;
use persistence::{AnyConnection, advice, dossier, facts};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::{App, Reading, Session, supported_day};
use crate::csv::{self, Column};
use crate::dossier::assignment::Warning;
use crate::etag;
use crate::incoming::{Call, Incoming};
use crate::latest::Desk;
use crate::paging::{self, CsvDialect, Cursor, DEFAULT_LIMIT, Format, Page, to_value};
use crate::problem::{ApiError, InputError};
use crate::registry::ListQuery;
use crate::telemetry::log;

/// A metric, and how it is calculated (definitie).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricDefinition {
    /// Stable code.
    #[schema(example = "answered-in-time")]
    pub code: String,
    /// Version of this definition (definitieversie); another result for the same facts is another version.
    pub version: u16,
    /// What it is called in Dutch.
    pub dutch: String,
    /// What it is called in English.
    pub english: String,
    /// How it is calculated.
    pub formula: String,
    /// What is counted.
    pub included: String,
    /// What is not counted, or counted as excluded.
    pub excluded: String,
    /// How rare cases are treated.
    pub edge_cases: String,
    /// `share`, `days` or `count`.
    pub unit: String,
    /// The day that decides in which period an item falls (anker).
    pub anchor: String,
    /// Where the rule comes from (bron).
    pub source: String,
    /// The cohorts that it offers, the default first.
    pub cohorts: Vec<Cohort>,
    /// By what it can be broken down.
    pub dimensions: Vec<Dimension>,
    /// What stands beside the figure in `parts`, in this order.
    pub parts: Vec<MetricPartDefinition>,
    /// What one row of the list behind it is.
    pub items: String,
}

/// What stands beside a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricPartDefinition {
    /// Stable code.
    pub code: String,
    /// What it is called in Dutch.
    pub dutch: String,
    /// What it is called in English.
    pub english: String,
    /// `share`, `number`, `days`, `value` or `times`: which of its fields a part fills.
    pub kind: String,
}

crate::dossier::page_schema!(
    /// A page of metrics, in order of code and version.
    MetricList of MetricDefinition
);

impl MetricDefinition {
    fn of(definition: &Definition) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            code: text(definition.code),
            version: definition.version,
            dutch: text(definition.dutch),
            english: text(definition.english),
            formula: text(definition.formula),
            included: text(definition.included),
            excluded: text(definition.excluded),
            edge_cases: text(definition.edge_cases),
            unit: text(definition.unit),
            anchor: text(definition.anchor),
            source: text(definition.source),
            cohorts: definition.cohorts.to_vec(),
            dimensions: definition.dimensions.to_vec(),
            parts: definition
                .parts
                .iter()
                .map(|part| MetricPartDefinition {
                    code: text(part.code),
                    dutch: text(part.dutch),
                    english: text(part.english),
                    kind: text(kind_of(part.kind)),
                })
                .collect(),
            items: text(definition.items),
        }
    }
}

const fn kind_of(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Share => "share",
        PartKind::Number => "number",
        PartKind::Days => "days",
        PartKind::Value => "value",
        PartKind::Times => "times",
    }
}

/// The value of a metric (cijfer).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// The code of the metric.
    #[schema(example = "answered-in-time")]
    pub code: String,
    /// The version of the definition that it was calculated by.
    pub definition_version: u16,
    /// The reference day (peildatum): facts dated after it do not exist for the figure.
    pub on: NaiveDate,
    /// The moment of knowledge (moment van kennis): what was recorded later does not exist for the figure. Null while nothing was
    /// ever recorded.
    pub known_at: Option<DateTime<Utc>>,
    /// First day of the period.
    pub from: NaiveDate,
    /// Last day of the period.
    pub to: NaiveDate,
    /// Over which items.
    pub cohort: Cohort,
    /// By what it is broken down.
    pub group_by: Vec<Dimension>,
    /// Whether the rows add up to the total. Not so where an item counts in several rows, such as a joint advice for each of its
    /// councils.
    pub additive: bool,
    /// What a reader must know before using it.
    pub warnings: Vec<Warning>,
    /// A row for each value of the breakdown; none without one.
    pub rows: Vec<MetricRow>,
    /// Everything, each item once.
    pub total: MetricRow,
}

/// One row of a metric. Which fields it has follows from the metric: a share, a count, or times to an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricRow {
    /// The council; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub council: Option<Option<String>>,
    /// The area; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub area: Option<Option<String>>,
    /// The cluster; only when broken down by it. Null: not with a cluster yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub cluster: Option<Option<String>>,
    /// The theme; only when broken down by it. Null: without a theme.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub theme: Option<Option<String>>,
    /// The office holder, by id; only when broken down by it. Null: none was named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub portfolio_holder: Option<Option<String>>,
    /// The kind; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub kind: Option<Option<String>>,
    /// The level; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub level: Option<Option<String>>,
    /// The month of the anchor, such as `2025-03`; only when broken down by it. Null: the anchor lies outside the period.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub month: Option<Option<String>>,
    /// The quarter of the anchor, such as `2025-Q1`; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub quarter: Option<Option<String>>,
    /// The year of the anchor; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub year: Option<Option<String>>,
    /// The term of office in which the anchor lies; only when broken down by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub term: Option<Option<String>>,
    /// The figure and what goes with it.
    #[serde(flatten)]
    pub figure: MetricFigure,
    /// What stands beside the figure, in the order of the definition.
    pub parts: Vec<MetricPart>,
    /// Whether it rests on fewer than ten.
    pub small: bool,
    /// How many of the population are not in the figure, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// On what the term rules behind it rest: an assumption as soon as one of them is. Null where no rule is involved.
    pub rule_status: Option<RuleStatus>,
    /// Where the rows behind it are: as many as `denominator`, `n` or `count`.
    pub items: String,
}

/// The figure of a row: a share, a count, or times to an event; only the fields of that one are there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricFigure {
    /// Of a share: the part.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub numerator: Option<u64>,
    /// Of a share: the whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub denominator: Option<u64>,
    /// Of a share: the part divided by the whole, rounded half to even to four decimals; null when the whole is 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<f64>, required = false)]
    pub value: Option<Option<f64>>,
    /// Of a share: the low end of the 95 % interval of Wilson.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<f64>, required = false)]
    pub low: Option<Option<f64>>,
    /// Of a share: the high end of the 95 % interval of Wilson.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<f64>, required = false)]
    pub high: Option<Option<f64>>,
    /// Of a count: how many.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub count: Option<u64>,
    /// Of times to an event: how many were watched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub n: Option<u64>,
    /// Of times to an event: of how many it happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub events: Option<u64>,
    /// Of times to an event: days by which half had it (Kaplan–Meier); null: not reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub median: Option<Option<i64>>,
    /// Of times to an event: days by which 80 % had it; null: not reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub p80: Option<Option<i64>>,
    /// Of times to an event: days by which 90 % had it; null: not reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub p90: Option<Option<i64>>,
    /// Of times to an event: the longest time watched; what is not reached is longer. Null where all three are reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub lower_bound: Option<Option<i64>>,
    /// Of times to an event: the share without it after each day on which one happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub curve: Option<Vec<CurvePoint>>,
}

/// A point of a survival curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurvePoint {
    /// Days from the start.
    pub days: i64,
    /// The share without the event after that day.
    pub survival: f64,
}

/// What stands beside a figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricPart {
    /// Its code, as the definition has it.
    pub code: String,
    /// Of a number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub number: Option<Option<i64>>,
    /// Of days, such as a median lag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, required = false)]
    pub days: Option<Option<i64>>,
    /// Of a share, a value or times: as in a row.
    #[serde(flatten)]
    pub figure: MetricFigure,
}

fn decimal(value: Option<Decimal4>) -> Option<f64> {
    value.map(Decimal4::to_f64)
}

impl MetricFigure {
    fn of_share(share: Share) -> Self {
        Self {
            numerator: Some(share.numerator),
            denominator: Some(share.denominator),
            value: Some(decimal(share.value())),
            low: Some(decimal(share.low())),
            high: Some(decimal(share.high())),
            ..Self::default()
        }
    }

    fn of_times(times: &Times) -> Self {
        let Times { n, events, median, p80, p90, lower_bound, curve } = times;
        let curve = curve
            .iter()
            .map(|point| CurvePoint { days: point.days, survival: point.survival.to_f64() })
            .collect();
        Self {
            n: Some(*n),
            events: Some(*events),
            median: Some(*median),
            p80: Some(*p80),
            p90: Some(*p90),
            lower_bound: Some(*lower_bound),
            curve: Some(curve),
            ..Self::default()
        }
    }

    fn of(figure: &Figure) -> Self {
        match figure {
            Figure::Share(share) => Self::of_share(*share),
            Figure::Times(times) => Self::of_times(times),
            Figure::Count(count) => Self { count: Some(*count), ..Self::default() },
        }
    }
}

impl MetricPart {
    fn of(code: &str, part: &Part) -> Self {
        let code = code.to_owned();
        let figure = |figure| Self { code: code.clone(), figure, ..Self::default() };
        match part {
            Part::Share(share) => figure(MetricFigure::of_share(*share)),
            Part::Times(times) => figure(MetricFigure::of_times(times)),
            Part::Value(value) => {
                figure(MetricFigure { value: Some(decimal(*value)), ..MetricFigure::default() })
            }
            Part::Number(number) => Self { code, number: Some(*number), ..Self::default() },
            Part::Days(days) => Self { code, days: Some(*days), ..Self::default() },
        }
    }
}

/// What is asked of a metric, with everything that was left out filled in.
struct Asked {
    definition: &'static Definition,
    query: Query,
    known_at: Option<DateTime<Utc>>,
    sequence: i64,
}

impl Asked {
    /// Where the rows behind a key are. Without the host, so that the answer is the same everywhere.
    fn items(&self, key: &[(Dimension, Option<String>)]) -> String {
        let Query { on, from, to, cohort, group_by: _ } = &self.query;
        let mut address = format!("/v1/metrics/{}/items?on={on}", self.definition.code);
        if let Some(known_at) = self.known_at {
            let known_at = known_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            address.push_str(&format!("&knownAt={known_at}"));
        }
        let version = self.definition.version;
        address.push_str(&format!("&from={from}&to={to}&cohort={cohort}&definitionVersion={version}"));
        for (dimension, value) in key {
            address.push_str(&format!("&{dimension}={}", value.as_deref().unwrap_or(NONE)));
        }
        address
    }

    fn row(&self, row: &Row) -> MetricRow {
        let Row { key, figure, parts, excluded, small, rule_status } = row;
        let mut shown = MetricRow {
            figure: MetricFigure::of(figure),
            parts: parts.iter().map(|(code, part)| MetricPart::of(code, part)).collect(),
            small: *small,
            excluded: excluded.iter().map(|(reason, count)| (reason.to_string(), *count)).collect(),
            rule_status: *rule_status,
            items: self.items(key),
            ..MetricRow::default()
        };
        for (dimension, value) in key {
            *shown.dimension(*dimension) = Some(value.clone());
        }
        shown
    }

    fn metric(&self, computed: &Computed) -> Metric {
        let Computed { additive, warnings, rows, total } = computed;
        let Query { on, from, to, cohort, group_by } = self.query.clone();
        Metric {
            code: self.definition.code.to_owned(),
            definition_version: self.definition.version,
            on,
            known_at: self.known_at,
            from,
            to,
            cohort,
            group_by,
            additive: *additive,
            warnings: warnings
                .iter()
                .map(|warning| Warning { code: warning.code.to_owned(), detail: warning.detail.clone() })
                .collect(),
            rows: rows.iter().map(|row| self.row(row)).collect(),
            total: self.row(total),
        }
    }
}

impl MetricRow {
    fn dimension(&mut self, dimension: Dimension) -> &mut Option<Option<String>> {
        match dimension {
            Dimension::Council => &mut self.council,
            Dimension::Area => &mut self.area,
            Dimension::Cluster => &mut self.cluster,
            Dimension::Theme => &mut self.theme,
            Dimension::PortfolioHolder => &mut self.portfolio_holder,
            Dimension::Kind => &mut self.kind,
            Dimension::Level => &mut self.level,
            Dimension::Month => &mut self.month,
            Dimension::Quarter => &mut self.quarter,
            Dimension::Year => &mut self.year,
            Dimension::Term => &mut self.term,
        }
    }
}

/// How a query asks for what has no value in a dimension.
const NONE: &str = "none";

/// What a metric can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct MetricQuery {
    /// The reference day (peildatum); today when left out. Not after today.
    #[param(required = false)]
    on: Option<NaiveDate>,
    /// The moment of knowledge (moment van kennis); that of the last change when left out. Not after it.
    #[param(required = false)]
    known_at: Option<DateTime<Utc>>,
    /// First day of the period; 1 January of the year of `on` when left out.
    #[param(required = false)]
    from: Option<NaiveDate>,
    /// Last day of the period; `on` when left out.
    #[param(required = false)]
    to: Option<NaiveDate>,
    /// Over which items; the first that the definition offers when left out.
    #[param(required = false)]
    cohort: Option<Cohort>,
    /// The version of the definition; the newest when left out.
    #[param(required = false, minimum = 1, maximum = 999)]
    definition_version: Option<u16>,
}

/// By what a metric is broken down, and in what form it is given.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct MetricShapeQuery {
    /// By what to break it down: one dimension, or two joined by a comma.
    #[param(required = false, min_items = 1, max_items = 2, style = Form, explode = false)]
    group_by: Option<Vec<Dimension>>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

/// Which row of a metric is opened: no key is the total.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct MetricKeyQuery {
    /// The council.
    #[param(required = false, max_length = 60)]
    council: Option<String>,
    /// The area.
    #[param(required = false, max_length = 60)]
    area: Option<String>,
    /// The cluster; `none` for what has none.
    #[param(required = false, max_length = 60)]
    cluster: Option<String>,
    /// The theme; `none` for what has none.
    #[param(required = false, max_length = 60)]
    theme: Option<String>,
    /// The office holder, by id; `none` for what has none.
    #[param(required = false, max_length = 60)]
    portfolio_holder: Option<String>,
    /// The kind.
    #[param(required = false, max_length = 60)]
    kind: Option<String>,
    /// The level.
    #[param(required = false, max_length = 60)]
    level: Option<String>,
    /// The month.
    #[param(required = false, max_length = 60)]
    month: Option<String>,
    /// The quarter.
    #[param(required = false, max_length = 60)]
    quarter: Option<String>,
    /// The year.
    #[param(required = false, max_length = 60)]
    year: Option<String>,
    /// The term of office.
    #[param(required = false, max_length = 60)]
    term: Option<String>,
}

impl MetricKeyQuery {
    fn key(self) -> Vec<(Dimension, Option<String>)> {
        let Self { council, area, cluster, theme, portfolio_holder, kind, level, month, quarter, year, term } =
            self;
        [
            (Dimension::Council, council),
            (Dimension::Area, area),
            (Dimension::Cluster, cluster),
            (Dimension::Theme, theme),
            (Dimension::PortfolioHolder, portfolio_holder),
            (Dimension::Kind, kind),
            (Dimension::Level, level),
            (Dimension::Month, month),
            (Dimension::Quarter, quarter),
            (Dimension::Year, year),
            (Dimension::Term, term),
        ]
        .into_iter()
        .filter_map(|(dimension, value)| Some((dimension, value?)))
        .map(|(dimension, value)| (dimension, (value != NONE).then_some(value)))
        .collect()
    }
}

/// What is asked, before it is known where in the journal.
struct Question {
    definition: &'static Definition,
    query: Query,
    known_at: Option<DateTime<Utc>>,
}

impl Question {
    /// Fills in what was left out, and refuses what makes no sense.
    fn new(
        code: &str,
        query: MetricQuery,
        group_by: Vec<Dimension>,
        today: NaiveDate,
    ) -> Result<Self, ApiError> {
        let MetricQuery { on, known_at, from, to, cohort, definition_version } = query;
        let newest = metrics::definition(code).ok_or(ApiError::NotFound)?;
        let definition = match definition_version {
            None => newest,
            Some(version) => metrics::definition_of(code, version).ok_or_else(|| {
                let detail = format!("is no version of this definition; the newest is {}", newest.version);
                ApiError::invalid("query", "definitionVersion", "unknown", detail)
            })?,
        };
        let on = supported_day(on, today)?;
        if on > today {
            let detail = format!("lies after today, {today}: a figure speaks of what happened");
            return Err(ApiError::invalid("query", "on", "date.future", detail));
        }
        let first_of_year = NaiveDate::from_ymd_opt(on.year(), 1, 1).unwrap_or(on);
        let cohort = cohort.or(definition.cohorts.first().copied()).unwrap_or(Cohort::Received);
        let query = Query { on, from: from.unwrap_or(first_of_year), to: to.unwrap_or(on), cohort, group_by };
        query.check(definition).map_err(in_query)?;
        Ok(Self { definition, query, known_at: known_at.map(|moment| moment.trunc_subsecs(6)) })
    }

    /// Asked at a place in the journal.
    fn at(self, sequence: i64, known_at: Option<DateTime<Utc>>) -> Asked {
        Asked { definition: self.definition, query: self.query, known_at, sequence }
    }

    /// Finds the place in the journal.
    fn placed(self, connection: &mut AnyConnection) -> Result<Asked, ApiError> {
        let (last, last_moment) = facts::place(connection, None)?;
        let Some(known_at) = self.known_at else { return Ok(self.at(last, last_moment)) };
        if last_moment.is_none_or(|last| known_at > last) {
            let detail = "lies after the last change; leave it out, or take the one that an answer gave";
            return Err(ApiError::invalid("query", "knownAt", "date.future", detail));
        }
        let (sequence, _) = facts::place(connection, Some(known_at))?;
        Ok(self.at(sequence, Some(known_at)))
    }

    /// What is known now, by a look that many share; the question, where more has to be read to answer it.
    async fn at_a_look(self, call: &Call) -> Result<(Asked, Arc<Facts>), Self> {
        let Some(desk) = call.http.app_data::<Data<Desk>>().filter(|_| self.known_at.is_none()) else {
            return Err(self);
        };
        match call.app.facts_now(desk).await {
            Some((sequence, moment, facts)) => Ok((self.at(sequence, moment), facts)),
            None => Err(self),
        }
    }
}

/// What a rule finds wrong with a query stands at the name of the parameter.
fn in_query(error: domain::RuleError) -> ApiError {
    match error {
        domain::RuleError::Invalid(faults) => ApiError::Invalid(
            faults
                .into_iter()
                .map(|fault| InputError::new("query", fault.location, fault.code, fault.detail))
                .collect(),
        ),
        conflict @ domain::RuleError::Conflict { .. } => conflict.into(),
    }
}

/// The metrics, and how each is calculated: every version of every definition.
#[utoipa::path(get, path = "/metrics", operation_id = "listMetrics", tag = "metrics", params(ListQuery),
    responses((status = 200, description = "A page of definitions.", content(
        (MetricList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_metrics(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listMetrics").await?;
    let query: paging::SmallListQuery = call.query::<ListQuery>()?.into();
    let style = paging::wanted(&call, query.format, query.csv)?;
    let rows = metrics::definitions()
        .iter()
        .map(|definition| {
            let place = format!("{} {:04}", definition.code, definition.version);
            (place, DateTime::UNIX_EPOCH, MetricDefinition::of(definition))
        })
        .collect();
    let page = paging::page_of(&call, rows, &query)?;
    let columns = [
        Column("code", "/code"),
        Column("version", "/version"),
        Column("dutch", "/dutch"),
        Column("english", "/english"),
        Column("formula", "/formula"),
        Column("included", "/included"),
        Column("excluded", "/excluded"),
        Column("edgeCases", "/edgeCases"),
        Column("unit", "/unit"),
        Column("anchor", "/anchor"),
        Column("source", "/source"),
        Column("cohorts", "/cohorts"),
        Column("dimensions", "/dimensions"),
        Column("parts", "/parts/*/code"),
        Column("items", "/items"),
    ];
    paging::answer(&call, &call.app.public_url, page, &columns, style)
}

/// The value of a metric, over all advice and agreements, published or not.
///
/// With `on` and `knownAt` both given the answer is the same for ever. `items` of each row leads to what it counts.
#[utoipa::path(get, path = "/metrics/{code}", operation_id = "getMetric", tag = "metrics",
    params(("code" = String, Path, description = "The code of the metric."), MetricQuery, MetricShapeQuery),
    responses((status = 200, description = "The value.", content((Metric = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn get_metric(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getMetric").await?;
    let code = call.path_text("code");
    let (query, shape): (MetricQuery, MetricShapeQuery) = (call.query()?, call.query()?);
    let style = paging::wanted(&call, shape.format, shape.csv)?;
    let question = Question::new(&code, query, shape.group_by.unwrap_or_default(), call.today())?;
    let _turn = call.app.known_facts.turn(question.known_at).await;
    let (asked, facts) = match question.at_a_look(&call).await {
        Ok(known) => known,
        Err(question) => {
            let read = |app: &Reading<'_>, connection: &mut AnyConnection| {
                let asked = question.placed(connection)?;
                let facts = app.facts(connection, asked.sequence)?;
                Ok((asked, facts))
            };
            call.app.read(read).await?
        }
    };
    // Figures need the facts and no database: whoever reads or writes has the connection meanwhile.
    let (content_type, body) = actix_web::web::block(log::within(move || -> Result<_, ApiError> {
        let metric = asked.metric(&metrics::compute(asked.definition, &facts, &asked.query));
        Ok(match style {
            None => {
                let body =
                    serde_json::to_vec(&metric).map_err(|error| ApiError::Internal(error.to_string()))?;
                ("application/json", body)
            }
            Some(style) => (paging::CSV_TYPE, as_csv(asked.definition, metric, style)?),
        })
    }))
    .await
    .map_err(|_| ApiError::Unavailable("the pool of threads is gone".to_owned(), 2))??;
    Ok(paging::readable(&call, etag::of_body(&body), content_type, body, None))
}

/// The rows and then the total, each with what was asked: a table that needs no other. Its columns follow from the metric and
/// the breakdown alone.
fn as_csv(definition: &Definition, metric: Metric, style: csv::Style) -> Result<Vec<u8>, ApiError> {
    let Metric { on, known_at, from, to, cohort, group_by, additive, warnings, rows, total, .. } = metric;
    let warnings: Vec<String> = warnings.into_iter().map(|warning| warning.code).collect();
    let figure = |kind: FigureKind| match kind {
        FigureKind::Share => ["numerator", "denominator", "value", "low", "high"].as_slice(),
        FigureKind::Times => ["n", "events", "median", "p80", "p90", "lowerBound"].as_slice(),
        FigureKind::Count => ["count"].as_slice(),
    };
    let of_part = |kind: PartKind| match kind {
        PartKind::Share => figure(FigureKind::Share),
        PartKind::Times => figure(FigureKind::Times),
        PartKind::Number => &["number"],
        PartKind::Days => &["days"],
        PartKind::Value => &["value"],
    };
    let mut names: Vec<String> = vec!["row".to_owned()];
    names.extend(group_by.iter().map(|dimension| dimension.to_string()));
    names.extend(figure(definition.kind).iter().map(|name| (*name).to_owned()));
    for part in definition.parts {
        names.extend(of_part(part.kind).iter().map(|name| format!("{}.{name}", part.code)));
    }
    let rest = [
        "small",
        "excluded",
        "ruleStatus",
        "items",
        "code",
        "definitionVersion",
        "on",
        "knownAt",
        "from",
        "to",
        "cohort",
        "additive",
        "warnings",
    ];
    names.extend(rest.map(str::to_owned));
    let mut table = Vec::with_capacity(rows.len() + 1);
    let rows = rows.iter().map(|row| ("row", row)).chain([("total", &total)]);
    for (kind, row) in rows {
        let mut value = to_value(row)?;
        for part in &row.parts {
            let flat = to_value(part)?;
            for (name, field) in flat.as_object().into_iter().flatten() {
                value[format!("{}.{name}", part.code)] = field.clone();
            }
        }
        let excluded: Vec<String> =
            row.excluded.iter().map(|(reason, count)| format!("{reason}={count}")).collect();
        value["excluded"] = excluded.into();
        value["row"] = kind.into();
        value["code"] = definition.code.into();
        value["definitionVersion"] = definition.version.into();
        value["on"] = to_value(&on)?;
        value["knownAt"] = to_value(&known_at)?;
        value["from"] = to_value(&from)?;
        value["to"] = to_value(&to)?;
        value["cohort"] = to_value(&cohort)?;
        value["additive"] = additive.into();
        value["warnings"] = to_value(&warnings)?;
        table.push(value);
    }
    let columns: Vec<Column> =
        names.into_iter().map(|name| Column(lasting(&name), lasting(&format!("/{name}")))).collect();
    csv::render(&columns, &table, style)
}

/// The same text for the life of the process. Names of columns come from the definitions alone, so there are only so many.
fn lasting(text: &str) -> &'static str {
    static TEXTS: std::sync::Mutex<BTreeSet<&'static str>> = std::sync::Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(known) = texts.get(text) {
        return known;
    }
    let lasting: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(lasting);
    lasting
}

/// One of the things behind a figure (rij achter een cijfer). One that the caller may not see says only that it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricItem {
    /// True of what the caller may not see; then nothing else is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub hidden: Option<bool>,
    /// What it is, such as `advice`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub resource: Option<String>,
    /// Its id or code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub id: Option<String>,
    /// Which part of it, such as `point 2`, or the council of a pair.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, required = false)]
    pub detail: Option<Option<String>>,
    /// Whether it is in the numerator, or had the event; of a count always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub numerator: Option<bool>,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(required = false)]
    pub href: Option<String>,
}

crate::dossier::page_schema!(
    /// A page of what stands behind a figure, in a fixed order.
    MetricItemList of MetricItem
);

/// What stands behind a figure: as many rows as its denominator, its `n` or its `count`, for every caller.
///
/// Take the address from `items` of a row. What the caller may not see is `{"hidden":true}`.
#[utoipa::path(get, path = "/metrics/{code}/items", operation_id = "listMetricItems", tag = "metrics",
    params(("code" = String, Path, description = "The code of the metric."), MetricQuery, MetricKeyQuery, ListQuery),
    responses((status = 200, description = "A page of items.", content(
        (MetricItemList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_metric_items(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listMetricItems").await?;
    let code = call.path_text("code");
    let (query, key, page): (MetricQuery, MetricKeyQuery, ListQuery) =
        (call.query()?, call.query()?, call.query()?);
    let page: paging::SmallListQuery = page.into();
    if page.modified_since.is_some() {
        let detail = "a figure is opened as it was known at `knownAt`";
        return Err(ApiError::invalid("query", "modifiedSince", "not_offered", detail));
    }
    let style = paging::wanted(&call, page.format, page.csv)?;
    let cursor = Cursor::read(&call, page.cursor.as_deref(), 2)?;
    let limit = usize::try_from(page.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1);
    let key = key.key();
    let (caller, today, app) = (call.caller.clone(), call.today(), call.app.clone());
    let _turn = app.known_facts.turn(query.known_at).await;
    let (items, next, total) = app
        .read(move |app, connection| {
            let group_by = key.iter().map(|(dimension, _)| *dimension).collect();
            // A walk stays on the day on which it began, and with what was known then.
            let query = match &cursor {
                Some(cursor) => MetricQuery { on: query.on.or(Some(cursor.on)), ..query },
                None => query,
            };
            let knows_when = query.known_at.is_some();
            let mut asked = Question::new(&code, query, group_by, today)?.placed(connection)?;
            let mut start = 0;
            if let Some([place, sequence]) = cursor.as_ref().map(|cursor| cursor.values.as_slice()) {
                let foreign = "is not a cursor of this list; take it from `next`";
                let foreign = || ApiError::invalid("query", "cursor", "cursor.foreign", foreign);
                start = usize::try_from(*place).map_err(|_| foreign())?;
                if !(0..=asked.sequence).contains(sequence) {
                    return Err(foreign());
                }
                if !knows_when {
                    asked.sequence = *sequence;
                }
            }
            let facts = app.facts(connection, asked.sequence)?;
            let all = metrics::items(asked.definition, &facts, &asked.query, &key);
            let start = start.min(all.len());
            let end = (start + limit).min(all.len());
            let shown = opened(connection, &caller, &all[start..end])?;
            let next = (end < all.len()).then_some((end, asked.sequence, asked.query.on));
            Ok((shown, next, all.len()))
        })
        .await?;
    let next = next.map(|(place, sequence, on)| {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        Cursor::new(&call, on, vec![place, sequence], String::new(), false)
    });
    let total = page.count.unwrap_or(false).then_some(i64::try_from(total).unwrap_or(i64::MAX));
    let columns = [
        Column("hidden", "/hidden"),
        Column("resource", "/resource"),
        Column("id", "/id"),
        Column("detail", "/detail"),
        Column("numerator", "/numerator"),
        Column("href", "/href"),
    ];
    paging::answer(&call, &app.public_url, Page { items, next, total }, &columns, style)
}

/// Items as far as the caller may see them.
fn opened(
    connection: &mut AnyConnection,
    caller: &Caller,
    items: &[Item],
) -> Result<Vec<serde_json::Value>, ApiError> {
    let has_audience = |item: &Item| item.resource == advice::RESOURCE || RESOURCES.contains(&item.resource);
    let ids: BTreeSet<Uuid> =
        items.iter().filter(|item| has_audience(item)).filter_map(|item| item.id.parse().ok()).collect();
    let visible = dossier::visible_among(connection, caller, &ids)?;
    items
        .iter()
        .map(|item| {
            let seen = match item.resource {
                "council" => true,
                _ => item.id.parse().is_ok_and(|id: Uuid| visible.contains(&id)),
            };
            if !seen {
                return to_value(&MetricItem { hidden: Some(true), ..MetricItem::default() });
            }
            to_value(&MetricItem {
                hidden: None,
                resource: Some(item.resource.to_owned()),
                id: Some(item.id.clone()),
                detail: Some(item.detail.clone()),
                numerator: Some(item.numerator),
                href: Some(format!("/v1/{}/{}", collection_of(item.resource), item.id)),
            })
        })
        .collect()
}

/// The path of the collection of a resource.
fn collection_of(resource: &str) -> String {
    match resource {
        "advice" => "advice".to_owned(),
        other => format!("{other}s"),
    }
}

/// The facts as known at a few places of the journal: the newest, kept in step with it, and a few of the past.
pub struct KnownFacts {
    newest: Mutex<Option<Known>>,
    /// Held by who brings the newest up to date, so that nobody does it twice.
    renewing: Mutex<()>,
    past: Mutex<Vec<Known>>,
    turns: Semaphore,
    /// Whether they are being loaded for whoever will ask first.
    loading: watch::Sender<bool>,
}

/// A place in the journal, and what was known there.
pub(crate) type Known = (i64, Arc<Facts>);

/// How many states of the past are kept. Those that the newest left behind share with it what did not change.
const KEPT: usize = 4;
/// From how far back a state is brought up to date rather than read anew.
const NEAR: i64 = 20_000;
/// How long to wait when the facts could not be loaded.
const BEFORE_ANOTHER_TRY: Duration = Duration::from_secs(1);
/// How many requests may read the past at once: each keeps a connection, and others need one too.
const READERS_OF_THE_PAST: usize = 2;

impl Default for KnownFacts {
    fn default() -> Self {
        let turns = Semaphore::new(READERS_OF_THE_PAST);
        Self {
            newest: Mutex::default(),
            renewing: Mutex::default(),
            past: Mutex::default(),
            turns,
            loading: watch::Sender::new(false),
        }
    }
}

impl KnownFacts {
    /// Waits, without a connection, until the facts can be asked for: for the first loading of them, and for a turn to read what
    /// was known at an earlier moment.
    pub async fn turn(&self, known_at: Option<DateTime<Utc>>) -> Option<SemaphorePermit<'_>> {
        // The sender lives in `self`, so it cannot be gone.
        _ = self.loading.subscribe().wait_for(|is_on| !is_on).await;
        match known_at {
            Some(_) => self.turns.acquire().await.ok(),
            None => None,
        }
    }

    /// Whether they are being loaded for whoever will ask first.
    pub fn is_loading(&self) -> bool {
        *self.loading.borrow()
    }

    /// The newest as it is, if any is known.
    pub(crate) fn newest(&self) -> Option<Known> {
        hold(&self.newest).clone()
    }

    fn renew(&self, known: Known) {
        let left_behind = hold(&self.newest).replace(known);
        self.keep(left_behind);
    }

    fn keep(&self, known: Option<Known>) {
        let Some(known) = known else { return };
        let mut past = hold(&self.past);
        if past.iter().any(|(at, _)| *at == known.0) {
            return;
        }
        past.push(known);
        let oldest = (past.len() > KEPT).then(|| past.remove(0));
        // Much may end with it, and not under the lock.
        drop(past);
        drop(oldest);
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Loads the facts before anybody asks for them, in steps that each take a turn to read and give it back. Whoever asks meanwhile waits
/// for this and not for a connection.
pub async fn load_ahead(app: Arc<App>) {
    while !app.stopping.is_leaving() && app.known_facts.newest().is_none() {
        load_once(&app).await;
        if app.known_facts.newest().is_none() {
            actix_web::rt::time::sleep(BEFORE_ANOTHER_TRY).await;
        }
    }
}

async fn load_once(app: &Arc<App>) {
    let known = &app.known_facts;
    if known.loading.send_replace(true) {
        return;
    }
    let _loading = Ending(&known.loading);
    let began = std::time::Instant::now();
    let session = Session::new(app.clone(), None);
    match load(&session).await {
        Ok(Some(loaded)) => {
            let sequence = loaded.0;
            let _one = hold(&known.renewing);
            if known.newest().is_none_or(|(at, _)| at < sequence) {
                known.renew(loaded);
            }
            tracing::info!(milliseconds = began.elapsed().as_millis(), "the facts for figures are loaded");
        }
        Ok(None) => tracing::debug!("it is told to stop: the facts for figures are left"),
        Err(error) => tracing::warn!(%error, "the facts for figures cannot be loaded now"),
    }
}

/// Says at the end, whatever it is, that nothing is loading any more.
struct Ending<'a>(&'a watch::Sender<bool>);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// The facts where the journal now ends; none when the server is told to stop.
async fn load(session: &Session) -> Result<Option<Known>, ApiError> {
    let (sequence, _) = session.read(|_, connection| Ok(facts::place(connection, None)?)).await?;
    let mut loading = facts::Loading::at(sequence);
    let mut has_more = true;
    while has_more {
        if session.stopping.is_leaving() {
            return Ok(None);
        }
        (loading, has_more) = session
            .read(move |_, connection| {
                let has_more = loading.step(connection)?;
                Ok((loading, has_more))
            })
            .await?;
    }
    Ok(Some((sequence, Arc::new(loading.facts()))))
}

impl App {
    /// The facts as known at a place in the journal.
    pub fn facts(&self, connection: &mut AnyConnection, sequence: i64) -> Result<Arc<Facts>, ApiError> {
        let known = &self.known_facts;
        if known.newest().is_none_or(|(at, _)| at < sequence) {
            // Whoever waits here wants the same state, or a later one that is made from it.
            let _one = hold(&known.renewing);
            let before = known.newest();
            if before.as_ref().is_none_or(|(at, _)| *at < sequence) {
                let facts = later(connection, before.as_ref(), sequence)?;
                known.renew((sequence, facts.clone()));
                return Ok(facts);
            }
        }
        let newest = known.newest().filter(|(at, _)| *at == sequence);
        let past = || hold(&known.past).iter().find(|(at, _)| *at == sequence).cloned();
        if let Some((_, facts)) = newest.or_else(past) {
            return Ok(facts);
        }
        let before =
            hold(&known.past).iter().filter(|(at, _)| *at < sequence).max_by_key(|(at, _)| *at).cloned();
        let facts = later(connection, before.as_ref(), sequence)?;
        known.keep(Some((sequence, facts.clone())));
        Ok(facts)
    }
}

/// What is known at a place: from a state not far before it, or read anew.
fn later(
    connection: &mut AnyConnection,
    before: Option<&Known>,
    sequence: i64,
) -> Result<Arc<Facts>, ApiError> {
    match before.filter(|(at, _)| sequence - at <= NEAR) {
        Some((at, facts)) => {
            let mut facts = Facts::clone(facts);
            facts::advance(&mut facts, connection, *at, sequence)?;
            Ok(Arc::new(facts))
        }
        None => Ok(Arc::new(facts::at(connection, sequence)?)),
    }
}
