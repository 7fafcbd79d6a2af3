//! Flat tables for BI: facts and dimensions that come whole, as JSON or CSV, and the dictionary that describes every column.

mod dimensions;
mod facts;
mod stream;
mod table;

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::agreement::Agreement;
use domain::participation_plan::ParticipationPlan;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use self::dimensions::{
    BiAreaRow, BiAreaTable, BiClusterRow, BiClusterTable, BiCouncilRow, BiCouncilTable, BiDateRow,
    BiDateTable, BiOfficeHolderRow, BiOfficeHolderTable, BiThemeRow, BiThemeTable,
};
pub use self::facts::{
    BiAdviceCouncilRow, BiAdviceCouncilTable, BiAdviceRow, BiAdviceTable, BiAdviceThemeRow,
    BiAdviceThemeTable, BiAgreementRow, BiAgreementTable, BiFindingRow, BiFindingTable, BiJudgementRow,
    BiJudgementTable, BiPointRow, BiPointTable, BiProgressRow, BiProgressTable, BiResponseRow,
    BiResponseTable,
};
use self::stream::{Asked, stream};
use self::table::Row;
pub use self::table::{Column, ColumnType};
use crate::app::supported_day;
use crate::csv;
use crate::incoming::{Call, Incoming};
use crate::paging::{self, CsvDialect, Format, SmallListQuery};
use crate::problem::ApiError;

/// What every flat table can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct TableQuery {
    /// Only rows of what changed at or after this moment, as far as this caller sees. All rows of a changed item come again; an item that is gone for this caller, or that has no rows any more, comes as a row with `deleted` true, its id, and nothing else.
    #[param(required = false)]
    modified_since: Option<DateTime<Utc>>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

/// The day for which a table that depends on one is made.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct TableOnQuery {
    /// The reference day (peildatum) of terms, states and days over; today in Europe/Amsterdam when left out.
    #[param(required = false)]
    on: Option<NaiveDate>,
}

/// What the dictionary can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct DictionaryQuery {
    /// Items on a page.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 2000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// Whether to count the whole list into `total`.
    #[param(required = false)]
    count: Option<bool>,
    /// JSON or CSV; without it `Accept` decides.
    #[param(required = false)]
    format: Option<Format>,
    /// The dialect of CSV; it implies `format=csv`.
    #[param(required = false)]
    csv: Option<CsvDialect>,
}

/// A page of the dictionary (gegevenswoordenboek).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BiDictionary {
    /// The columns, table by table, in the order in which JSON and CSV have them.
    pub items: Vec<Column>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
    /// How many items the whole list has; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

/// Every column of every table.
fn dictionary() -> impl Iterator<Item = &'static Column> {
    [
        BiAdviceRow::COLUMNS,
        BiAdviceCouncilRow::COLUMNS,
        BiAdviceThemeRow::COLUMNS,
        BiPointRow::COLUMNS,
        BiResponseRow::COLUMNS,
        BiAgreementRow::COLUMNS,
        BiProgressRow::COLUMNS,
        BiJudgementRow::COLUMNS,
        BiFindingRow::COLUMNS,
        BiCouncilRow::COLUMNS,
        BiAreaRow::COLUMNS,
        BiClusterRow::COLUMNS,
        BiThemeRow::COLUMNS,
        BiOfficeHolderRow::COLUMNS,
        BiDateRow::COLUMNS,
    ]
    .into_iter()
    .flatten()
}

/// The dictionary of the flat tables: a row per column, with its type, its meaning and where it comes from.
///
/// A column never changes its type and never moves; names and order stay within a major version of the API, but for new columns.
#[utoipa::path(get, path = "/bi", operation_id = "listBiColumns", tag = "bi", params(DictionaryQuery),
    responses((status = 200, description = "A page of columns.", content(
        (BiDictionary = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_bi_columns(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listBiColumns").await?;
    let DictionaryQuery { limit, cursor, count, format, csv } = call.query()?;
    let query = SmallListQuery { limit, cursor, count, modified_since: None, format, csv };
    let columns = [
        csv::Column("table", "/table"),
        csv::Column("column", "/column"),
        csv::Column("type", "/type"),
        csv::Column("nullable", "/nullable"),
        csv::Column("key", "/key"),
        csv::Column("merge", "/merge"),
        csv::Column("dutch", "/dutch"),
        csv::Column("english", "/english"),
        csv::Column("unit", "/unit"),
        csv::Column("source", "/source"),
    ];
    let style = paging::wanted(&call, query.format, query.csv)?;
    let rows = dictionary()
        .enumerate()
        .map(|(place, column)| (format!("{place:04}"), DateTime::UNIX_EPOCH, column))
        .collect();
    let page = paging::page_of(&call, rows, &query)?;
    paging::answer(&call, &call.app.public_url, page, &columns, style)
}

fn asked(call: &Call, on: Option<NaiveDate>) -> Result<Asked, ApiError> {
    let TableQuery { modified_since, format, csv } = call.query()?;
    let style = paging::wanted(call, format, csv)?;
    Ok(Asked { style, on: supported_day(on, call.today())?, since: modified_since })
}

macro_rules! operation {
    (
        $function:ident $id:literal $path:literal $page:ident of $row:ident, $summary:literal,
        params($($query:ident),+), on $on:expr, $walk:expr
    ) => {
        #[doc = $summary]
        ///
        /// The table comes whole, on one snapshot, without pages and without an ETag. Each row is what this caller sees; `GET /bi`
        /// describes the columns. An answer that breaks off is no table: its JSON does not end, its transfer is not complete.
        #[utoipa::path(get, path = $path, operation_id = $id, tag = "bi", params($($query),+),
            responses((status = 200, description = "The table, streamed.", content(
                ($page = "application/json"), (String = "text/csv")))),
            security((), ("bearer" = [])))]
        pub async fn $function(incoming: Incoming) -> Result<HttpResponse, ApiError> {
            let call = incoming.call($id).await?;
            let on = $on(&call)?;
            let asked = asked(&call, on)?;
            stream::<$row>(call, asked, $walk).await
        }
    };
}

fn today(_: &Call) -> Result<Option<NaiveDate>, ApiError> {
    Ok(None)
}

fn given_day(call: &Call) -> Result<Option<NaiveDate>, ApiError> {
    Ok(call.query::<TableOnQuery>()?.on)
}

operation!(
    get_bi_advice "getBiAdvice" "/bi/advice" BiAdviceTable of BiAdviceRow,
    "Facts: a row per advice (advies).",
    params(TableQuery, TableOnQuery),
    on given_day,
    |reading, sink| stream::advice(reading, sink, facts::advice)
);
operation!(
    get_bi_advice_councils "getBiAdviceCouncils" "/bi/advice-councils" BiAdviceCouncilTable of BiAdviceCouncilRow,
    "Bridge: a row per council (raad) behind an advice, the lead and co-signers.",
    params(TableQuery),
    on today,
    |reading, sink| stream::advice(reading, sink, facts::advice_councils)
);
operation!(
    get_bi_advice_themes "getBiAdviceThemes" "/bi/advice-themes" BiAdviceThemeTable of BiAdviceThemeRow,
    "Bridge: a row per theme (thema) of an advice.",
    params(TableQuery),
    on today,
    |reading, sink| stream::advice(reading, sink, facts::advice_themes)
);
operation!(
    get_bi_points "getBiPoints" "/bi/points" BiPointTable of BiPointRow,
    "Facts: a row per point (adviespunt), with its outcome as it is now.",
    params(TableQuery),
    on today,
    |reading, sink| stream::advice(reading, sink, facts::points)
);
operation!(
    get_bi_responses "getBiResponses" "/bi/responses" BiResponseTable of BiResponseRow,
    "Facts: a row per response of the college (collegereactie).",
    params(TableQuery),
    on today,
    |reading, sink| stream::advice(reading, sink, facts::responses)
);
operation!(
    get_bi_agreements "getBiAgreements" "/bi/agreements" BiAgreementTable of BiAgreementRow,
    "Facts: a row per agreement (afspraak).",
    params(TableQuery, TableOnQuery),
    on given_day,
    |reading, sink| stream::dossiers::<Agreement, _>(reading, sink, facts::agreements)
);
operation!(
    get_bi_progress "getBiProgress" "/bi/progress" BiProgressTable of BiProgressRow,
    "Facts: a row per report of progress (voortgang), by the organisation.",
    params(TableQuery),
    on today,
    |reading, sink| stream::dossiers::<Agreement, _>(reading, sink, facts::progress)
);
operation!(
    get_bi_judgements "getBiJudgements" "/bi/judgements" BiJudgementTable of BiJudgementRow,
    "Facts: a row per judgement (oordeel), by the council.",
    params(TableQuery),
    on today,
    |reading, sink| stream::dossiers::<Agreement, _>(reading, sink, facts::judgements)
);
operation!(
    get_bi_findings "getBiFindings" "/bi/findings" BiFindingTable of BiFindingRow,
    "Facts: a row per finding (bevinding) on a promise of a participation plan.",
    params(TableQuery, TableOnQuery),
    on given_day,
    |reading, sink| stream::dossiers::<ParticipationPlan, _>(reading, sink, facts::findings)
);
operation!(
    get_bi_councils "getBiCouncils" "/bi/councils" BiCouncilTable of BiCouncilRow,
    "Dimension: a row per council (raad) and name that it has or had.",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |registry, _| dimensions::councils(registry), |row| row.modified_at)
);
operation!(
    get_bi_areas "getBiAreas" "/bi/areas" BiAreaTable of BiAreaRow,
    "Dimension: a row per area (gebied).",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |registry, _| dimensions::areas(registry), |row| row.modified_at)
);
operation!(
    get_bi_clusters "getBiClusters" "/bi/clusters" BiClusterTable of BiClusterRow,
    "Dimension: a row per cluster of the organisation.",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |registry, _| dimensions::clusters(registry), |row| row.modified_at)
);
operation!(
    get_bi_themes "getBiThemes" "/bi/themes" BiThemeTable of BiThemeRow,
    "Dimension: a row per theme (thema).",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |registry, _| dimensions::themes(registry), |row| row.modified_at)
);
operation!(
    get_bi_office_holders "getBiOfficeHolders" "/bi/office-holders" BiOfficeHolderTable of BiOfficeHolderRow,
    "Dimension: a row per office holder (bestuurder).",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |registry, _| dimensions::office_holders(registry), |row| row.modified_at)
);
operation!(
    get_bi_dates "getBiDates" "/bi/dates" BiDateTable of BiDateRow,
    "Dimension: a row per day (kalender), from 1 January 2018 to 31 December of next year.",
    params(TableQuery),
    on today,
    |reading, sink| stream::whole(reading, sink, |_, today| dimensions::dates(today), |row| row.modified_at)
);
