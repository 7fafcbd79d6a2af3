//! Accords (wijkakkoorden) over HTTP.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use domain::accord::{Accord, AccordBody};
use domain::advice::{Publication, PublicationBody, UnpublicationBody};
use domain::agreement::Agreement;
use domain::ids::{AccordId, CouncilCode};
use persistence::dossier::{self as storage, Filter};
use persistence::{Stored, advice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Context, Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// An accord (wijkakkoord) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Accord)]
pub struct AccordView {
    /// Its id.
    pub id: AccordId,
    /// The accord itself.
    #[serde(flatten)]
    pub text: AccordBody,
    /// Whether the public may see it and its agreements.
    pub publication: Publication,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

page_schema!(
    /// A page of accords, in order of id.
    AccordList of AccordView
);
patch_schema!(
    /// A change of an accord.
    AccordPatch of AccordBody, "A merge patch (RFC 7396) of an accord: only what changes. A list is replaced whole. Once it was published, `reason` is mandatory.",
    optional reason
);

impl Show for Accord {
    type View = AccordView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("council", "/council"),
        Column("title", "/title"),
        Column("from", "/from"),
        Column("to", "/to"),
        Column("publication", "/publication/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, _: On) -> AccordView {
        let Stored { value: Accord { id, text, publication }, stamp } = stored;
        let (version, created_at, modified_at) = (stamp.version, stamp.created_at, stamp.modified_at);
        AccordView { id, text, publication, version, created_at, modified_at }
    }
}

/// What a list of accords can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AccordQuery {
    /// One of these councils.
    #[param(required = false, max_items = 39, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
}

/// Accords (wijkakkoorden) between councils and the city.
#[utoipa::path(get, path = "/accords", operation_id = "listAccords", tag = "agreements", params(ListQuery, AccordQuery),
    responses((status = 200, description = "A page of accords.", content(
        (AccordList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_accords(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listAccords").await?;
    let (page, query): (ListQuery, AccordQuery) = (call.query()?, call.query()?);
    let filter = Filter::default().with("council", query.council.unwrap_or_default());
    super::list::<Accord>(call, page.into(), filter).await
}

/// One accord.
#[utoipa::path(get, path = "/accords/{id}", operation_id = "getAccord", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the accord."), KnownQuery),
    responses((status = 200, description = "The accord.", body = AccordView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_accord(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<Accord>(incoming.call("getAccord").await?).await
}

/// Adds an accord. It is not public until somebody decides so.
#[utoipa::path(post, path = "/accords", operation_id = "addAccord", tag = "agreements", request_body = AccordBody,
    responses((status = 201, description = "The accord.", body = AccordView)),
    security(("bearer" = ["plans:write"])))]
pub async fn add_accord(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addAccord").await?;
    super::add(call, "/accords", |context, body: AccordBody| {
        Names::of(context.registry).council("/council", &body.council).done()?;
        let accord = Accord::new(AccordId(new_id()), body, context.today)?;
        stands_alone(context, &accord)?;
        Ok(accord)
    })
    .await
}

/// A council has one accord at a time.
fn stands_alone(context: &mut Context<'_, '_>, accord: &Accord) -> Result<(), ApiError> {
    // Two that are added at once would each find the period free.
    context.tx.lock()?;
    let of_council = Filter::default().with("council", [&accord.text.council]);
    let others = storage::all::<Accord>(context.tx.reading(), &of_council)?;
    let overlaps = |other: &Accord| {
        other.id != accord.id && other.text.from <= accord.text.to && accord.text.from <= other.text.to
    };
    if others.iter().any(|other| overlaps(&other.value)) {
        let detail = "The council has an accord for a part of that period already.";
        return Err(ApiError::Conflict("duplicate", detail.to_owned()));
    }
    Ok(())
}

/// Changes an accord (merge patch, RFC 7396): its vision, goals and year plans. Once it was published, with the reason.
#[utoipa::path(patch, path = "/accords/{id}", operation_id = "changeAccord", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the accord.")),
    request_body(content = AccordPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The accord.", body = AccordView)),
    security(("bearer" = ["plans:write"])))]
pub async fn change_accord(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeAccord").await?;
    let body = super::patch(&call);
    super::record(call, body, "change", super::scope_is_enough::<Accord>, |context, accord, patch| {
        let patch = super::because(context, patch);
        if accord.publication != Publication::NONE {
            super::needs_reason(context, "the public has read it")?;
        }
        let text = super::merged(context, "AccordBody", &accord.text, &patch)?;
        let changed = accord.changed(text, context.today)?;
        stands_alone(context, &changed)?;
        Ok(changed)
    })
    .await
}

/// Publishes an accord with its agreements; those that are added later are public from the start.
#[utoipa::path(post, path = "/accords/{id}/publication", operation_id = "publishAccord", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the accord.")), request_body = PublicationBody,
    responses((status = 200, description = "The accord.", body = AccordView)),
    security(("bearer" = ["publish"])))]
pub async fn publish_accord(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("publishAccord").await?;
    let body = call.body::<PublicationBody>();
    super::record(call, body, "publication", super::scope_is_enough::<Accord>, |context, mut accord, _| {
        accord.publication.publish(context.tx.moment()?)?;
        take_along(context, &accord, "publication")?;
        Ok(accord)
    })
    .await
}

/// Withdraws an accord and its agreements from publication, with a reason that the public reads.
#[utoipa::path(post, path = "/accords/{id}/unpublication", operation_id = "unpublishAccord", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the accord.")), request_body = UnpublicationBody,
    responses((status = 200, description = "The accord.", body = AccordView)),
    security(("bearer" = ["publish"])))]
pub async fn unpublish_accord(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("unpublishAccord").await?;
    let body = call.body::<UnpublicationBody>();
    super::record(
        call,
        body,
        "unpublication",
        super::scope_is_enough::<Accord>,
        |context, mut accord, body| {
            context.reason = Some(body.reason.clone());
            accord.publication.unpublish(body, context.tx.moment()?)?;
            take_along(context, &accord, "unpublication")?;
            Ok(accord)
        },
    )
    .await
}

/// The agreements of an accord are public when it is.
fn take_along(context: &mut Context<'_, '_>, accord: &Accord, event: &'static str) -> Result<(), ApiError> {
    let of_accord = Filter::default().with("accord", [accord.id]);
    let agreements = storage::all::<Agreement>(context.tx.reading(), &of_accord)?;
    let ids: Vec<_> = agreements.iter().map(|agreement| agreement.value.id).collect();
    let reason = context.reason.clone();
    super::save_each(context.tx, agreements, event, reason.as_deref(), |agreement| {
        Ok(Agreement { publication: accord.publication.clone(), ..agreement })
    })?;
    for id in &ids {
        super::tell_those_that_name::<Agreement>(context.tx, "carriedOverFrom", id)?;
    }
    for following in advice::following_up(context.tx, &ids.iter().map(|id| id.0).collect())? {
        if following.value.is_published() {
            advice::save_as_seen_anew(context.tx, &following)?;
        }
    }
    Ok(())
}
