//! Collegetargets over HTTP, with what was measured.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use domain::codes::TargetStatus;
use domain::collegetarget::{Collegetarget, CollegetargetBody, Measurement, MeasurementBody};
use domain::ids::{CollegetargetId, PartId};
use persistence::Stored;
use persistence::dossier::Filter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// A collegetarget as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Collegetarget)]
pub struct CollegetargetView {
    /// Its id.
    pub id: CollegetargetId,
    /// The target itself.
    #[serde(flatten)]
    pub text: CollegetargetBody,
    /// What was measured, in the order in which it was recorded.
    pub measurements: Vec<Measurement>,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

page_schema!(
    /// A page of collegetargets, in order of id.
    CollegetargetList of CollegetargetView
);
page_schema!(
    /// A page of measurements, oldest first.
    MeasurementList of Measurement
);
patch_schema!(
    /// A change of a collegetarget.
    CollegetargetPatch of CollegetargetBody,
    "A merge patch (RFC 7396) of a collegetarget: only what changes. A list is replaced whole."
);

impl Show for Collegetarget {
    type View = CollegetargetView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("statement", "/statement"),
        Column("metric", "/metric"),
        Column("definitionVersion", "/definitionVersion"),
        Column("from", "/from"),
        Column("to", "/to"),
        Column("status", "/status"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, _: On) -> CollegetargetView {
        let Stored { value: Collegetarget { id, text, measurements }, stamp } = stored;
        let (version, created_at, modified_at) = (stamp.version, stamp.created_at, stamp.modified_at);
        CollegetargetView { id, text, measurements, version, created_at, modified_at }
    }
}

/// What a list of collegetargets can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct CollegetargetQuery {
    /// Proposed or adopted.
    #[param(required = false)]
    status: Option<TargetStatus>,
}

/// Collegetargets: what the college promises to reach.
#[utoipa::path(get, path = "/collegetargets", operation_id = "listCollegetargets", tag = "collegetargets",
    params(ListQuery, CollegetargetQuery),
    responses((status = 200, description = "A page of collegetargets.", content(
        (CollegetargetList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_collegetargets(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listCollegetargets").await?;
    let (page, query): (ListQuery, CollegetargetQuery) = (call.query()?, call.query()?);
    super::list::<Collegetarget>(call, page.into(), Filter::default().with("status", query.status)).await
}

/// One collegetarget.
#[utoipa::path(get, path = "/collegetargets/{id}", operation_id = "getCollegetarget", tag = "collegetargets",
    params(("id" = Uuid, Path, description = "The id of the target."), KnownQuery),
    responses((status = 200, description = "The target.", body = CollegetargetView)),
    security((), ("bearer" = [])))]
pub async fn get_collegetarget(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<Collegetarget>(incoming.call("getCollegetarget").await?).await
}

/// Adds a collegetarget.
#[utoipa::path(post, path = "/collegetargets", operation_id = "addCollegetarget", tag = "collegetargets",
    request_body = CollegetargetBody,
    responses((status = 201, description = "The target.", body = CollegetargetView)),
    security(("bearer" = ["registry:write"])))]
pub async fn add_collegetarget(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addCollegetarget").await?;
    super::add(call, "/collegetargets", |_, body: CollegetargetBody| {
        Ok(Collegetarget::new(CollegetargetId(new_id()), body)?)
    })
    .await
}

/// Changes a collegetarget (merge patch, RFC 7396), such as its status, with the reason. What was measured stays.
#[utoipa::path(patch, path = "/collegetargets/{id}", operation_id = "changeCollegetarget", tag = "collegetargets",
    params(("id" = Uuid, Path, description = "The id of the target.")),
    request_body(content = CollegetargetPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The target.", body = CollegetargetView)),
    security(("bearer" = ["registry:write"])))]
pub async fn change_collegetarget(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeCollegetarget").await?;
    let body = super::patch(&call);
    super::record(call, body, "change", super::scope_is_enough::<Collegetarget>, |context, target, patch| {
        let patch = super::because(context, patch);
        let text: CollegetargetBody = super::merged(context, "CollegetargetBody", &target.text, &patch)?;
        Ok(target.changed(text)?)
    })
    .await
}

const MEASUREMENTS: [Column; 10] = [
    Column("id", "/id"),
    Column("referenceOn", "/referenceOn"),
    Column("knownAt", "/knownAt"),
    Column("recordedAt", "/recordedAt"),
    Column("definitionVersion", "/definitionVersion"),
    Column("realisedPermille", "/realisedPermille"),
    Column("runningPermille", "/runningPermille"),
    Column("notRealisedPermille", "/notRealisedPermille"),
    Column("agreements", "/agreements"),
    Column("source", "/source"),
];

/// What was measured of a collegetarget (metingen), in the order in which it was recorded.
#[utoipa::path(get, path = "/collegetargets/{id}/measurements", operation_id = "listMeasurements", tag = "collegetargets",
    params(("id" = Uuid, Path, description = "The id of the target."), ListQuery),
    responses((status = 200, description = "A page of measurements.", content(
        (MeasurementList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_measurements(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listMeasurements").await?;
    let page: ListQuery = call.query()?;
    super::log::<Collegetarget, _>(call, page.into(), &MEASUREMENTS, |stored, _| stored.value.measurements)
        .await
}

/// Records a measurement with its day, its moment of knowledge and the version of the definition.
#[utoipa::path(post, path = "/collegetargets/{id}/measurements", operation_id = "recordMeasurement", tag = "collegetargets",
    params(("id" = Uuid, Path, description = "The id of the target.")), request_body = MeasurementBody,
    responses((status = 200, description = "The target.", body = CollegetargetView)),
    security(("bearer" = ["registry:write"])))]
pub async fn record_measurement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("recordMeasurement").await?;
    let body = call.body::<MeasurementBody>();
    let right = super::scope_is_enough::<Collegetarget>;
    super::record(call, body, "measurement", right, |context, target, body| {
        let moment = context.tx.moment()?;
        Ok(target.with_measurement(PartId(new_id()), body, moment, context.today)?)
    })
    .await
}
