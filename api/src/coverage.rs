//! What is here and what is missing, over HTTP.

use actix_web::HttpResponse;
use chrono::DateTime;
use domain::coverage::{CoverageRow, coverage};
use domain::ids::CouncilCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::csv::Column;
use crate::incoming::Incoming;
use crate::paging::{self, CsvDialect, Format, SmallListQuery};
use crate::problem::ApiError;

/// What the coverage can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CoverageQuery {
    /// Of this year alone; every council then has a row.
    #[param(required = false, minimum = 1900, maximum = 2200)]
    year: Option<i32>,
    /// Of one of these councils (raden).
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
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

/// A page of the coverage (dekking).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageList {
    /// The rows, in order of year and council; what bears no day stands first.
    pub items: Vec<CoverageRow>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
    /// How many items the whole list has; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

const COLUMNS: [Column; 16] = [
    Column("council", "/council"),
    Column("year", "/year"),
    Column("adviceKnown", "/advice/known"),
    Column("adviceWithReceiptDay", "/advice/withReceiptDay"),
    Column("adviceAnswerExpected", "/advice/answerExpected"),
    Column("adviceWithAnswerDay", "/advice/withAnswerDay"),
    Column("adviceAnswered", "/advice/answered"),
    Column("adviceWithOutcome", "/advice/withOutcome"),
    Column("adviceWithSourceLink", "/advice/withSourceLink"),
    Column("adviceState", "/advice/state"),
    Column("adviceWhy", "/advice/why"),
    Column("agreementsKnown", "/agreements/known"),
    Column("agreementsJudged", "/agreements/judged"),
    Column("agreementsWithProgress", "/agreements/withProgress"),
    Column("agreementsState", "/agreements/state"),
    Column("agreementsWhy", "/agreements/why"),
];

/// What is here and what is missing, per council and year (dekking). Counts include what is not published; no draft counts.
///
/// Every council has a row in every year from 2022 to now, and in any other year of which anything is known. `complete` means that
/// nothing is missing of what is known; what nobody recorded at all is not known here.
#[utoipa::path(get, path = "/coverage", operation_id = "listCoverage", tag = "bi", params(CoverageQuery),
    responses((status = 200, description = "A page of the coverage.", content(
        (CoverageList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_coverage(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listCoverage").await?;
    let CoverageQuery { year, council, limit, cursor, count, format, csv } = call.query()?;
    let query = SmallListQuery { limit, cursor, count, modified_since: None, format, csv };
    let style = paging::wanted(&call, query.format, query.csv)?;
    let (app, today) = (call.app.clone(), call.today());
    let _turn = call.app.known_facts.turn(None).await;
    let rows = app
        .read(move |app, connection| {
            let registry = app.registry(connection)?;
            if council.iter().flatten().any(|code| registry.council(code).is_none()) {
                let detail = "is not the code of a council; see /v1/councils";
                return Err(ApiError::invalid("query", "council", "unknown", detail));
            }
            let (sequence, _) = persistence::facts::place(connection, None)?;
            let mut rows = coverage(&*app.facts(connection, sequence)?, today, year);
            rows.retain(|row| council.as_ref().is_none_or(|wanted| wanted.contains(&row.council)));
            Ok(rows)
        })
        .await?;
    let rows = rows.into_iter().map(|row| {
        // In order of this: what bears no day first.
        let place = format!("{:05} {}", row.year.unwrap_or_default(), row.council);
        (place, DateTime::UNIX_EPOCH, row)
    });
    let page = paging::page_of(&call, rows.collect(), &query)?;
    paging::answer(&call, &app.public_url, page, &COLUMNS, style)
}
