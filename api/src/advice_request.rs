//! Advice requests over HTTP.

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Caller, Scope};
use domain::advice::Reference;
use domain::advice_request::{AdviceRequest, AdviceRequestBody, CouncilReply, Given, NoAdviceBody};
use domain::ids::{AdviceRequestId, ClusterCode, CouncilCode};
use persistence::advice_request::{self, Filter};
use persistence::{AnyConnection, Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::clock::new_id;
use crate::csv::Column;
use crate::etag::{self, Version};
use crate::history::{self, KnownQuery, Then};
use crate::incoming::{Answer, Body, Incoming};
use crate::paging::{self, Cursor, DEFAULT_LIMIT, Page, SmallListQuery, to_value};
use crate::problem::{ApiError, InputError};
use crate::registry::ListQuery;

/// A request for advice (adviesaanvraag), with what each council did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdviceRequest)]
pub struct AdviceRequestView {
    /// Its id.
    pub id: AdviceRequestId,
    /// What advice is asked about (onderwerp).
    pub subject: String,
    /// The question to the councils (adviesvraag).
    pub question: Option<String>,
    /// The cluster that asks.
    pub cluster: ClusterCode,
    /// The policy track that it is about (beleidstraject), by its id; null where this reader may not see it.
    pub policy_track: Option<uuid::Uuid>,
    /// The councils that are asked.
    pub councils: Vec<CouncilCode>,
    /// The day it was asked.
    pub asked_on: NaiveDate,
    /// The day by which the advice is wanted.
    pub wanted_by: Option<NaiveDate>,
    /// What each council did (reactie op de aanvraag).
    pub replies: Vec<CouncilReply>,
    /// Numbers by which other systems know it (kenmerken).
    pub references: Vec<Reference>,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

/// A page of advice requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdviceRequestList {
    /// The items, in order of id.
    pub items: Vec<AdviceRequestView>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
    /// How many items the whole list has; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

/// Requests as they are shown, with what each council did.
pub(crate) fn show(
    connection: &mut AnyConnection,
    caller: &Caller,
    items: Vec<Stored<AdviceRequest>>,
) -> Result<Vec<AdviceRequestView>, ApiError> {
    let ids: Vec<AdviceRequestId> = items.iter().map(|item| item.value.id).collect();
    let given = advice_request::given(connection, caller, &ids)?;
    let of = |id: AdviceRequestId| {
        let own = given.iter().filter(move |(request, _)| *request == id);
        own.map(|(_, given)| given.clone()).collect::<Vec<_>>()
    };
    let tracks = items.iter().filter_map(|item| item.value.asked.policy_track).collect();
    let visible = persistence::dossier::visible_among(connection, caller, &tracks)?;
    let shown = items.into_iter().map(|mut item| {
        item.value.asked.policy_track = item.value.asked.policy_track.filter(|track| visible.contains(track));
        view(&of(item.value.id), item)
    });
    Ok(shown.collect())
}

fn view(given: &[Given], Stored { value, stamp }: Stored<AdviceRequest>) -> AdviceRequestView {
    let replies = value.replies(given);
    let AdviceRequestBody { subject, question, cluster, policy_track, councils, asked_on, wanted_by } =
        value.asked;
    AdviceRequestView {
        id: value.id,
        subject,
        question,
        cluster,
        policy_track,
        councils,
        asked_on,
        wanted_by,
        replies,
        references: Vec::new(),
        version: stamp.version,
        created_at: stamp.created_at,
        modified_at: stamp.modified_at,
    }
}

/// Shows a request as it was at entries of the journal, with the advice that was known then, to a reader who sees all of it.
pub(crate) fn then(
    _: &App,
    connection: &mut AnyConnection,
    thens: &[Then],
) -> Result<Vec<serde_json::Value>, ApiError> {
    let requests: Vec<Stored<AdviceRequest>> =
        thens.iter().map(|then| advice_request::read(&then.entry)).collect::<Result<_, _>>()?;
    // All of one request: the entries are those of one item.
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    let given = advice_request::given_then(connection, first.value.id)?;
    thens
        .iter()
        .zip(requests)
        .map(|(then, request)| to_value(&view(&given.at(then.place), request)))
        .collect()
}

/// Advice requests, for the councils that are asked and the cluster that asks.
#[utoipa::path(get, path = "/advice-requests", operation_id = "listAdviceRequests", tag = "advice-requests", params(ListQuery),
    responses((status = 200, description = "A page of requests.", content(
        (AdviceRequestList = "application/json"), (String = "text/csv")))),
    security(("bearer" = ["internal:read"]), ("bearer" = ["advice:write"]), ("bearer" = ["treatment:write"])))]
pub async fn list_advice_requests(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listAdviceRequests").await?;
    let query: SmallListQuery = call.query::<ListQuery>()?.into();
    let style = paging::wanted(&call, query.format, query.csv)?;
    let cursor = Cursor::read(&call, query.cursor.as_deref(), 0)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let filter = Filter { modified_since: query.modified_since };
    let caller = call.caller.clone();
    let app = call.app.clone();
    let (items, last, total) = app
        .read(move |_, connection| {
            let total = match query.count {
                Some(true) => Some(advice_request::count(connection, &caller, &filter)?),
                _ => None,
            };
            let after = cursor.as_ref().map(|cursor| cursor.id.as_str());
            let mut rows = advice_request::list(connection, &caller, &filter, after, limit + 1)?;
            let more = rows.len() as i64 > limit;
            rows.truncate(usize::try_from(limit).unwrap_or(0));
            let shown = show(connection, &caller, rows)?;
            let last = if more { shown.last().map(|item| item.id.to_string()) } else { None };
            let items = shown.iter().map(to_value).collect::<Result<Vec<_>, _>>()?;
            Ok((items, last, total))
        })
        .await?;
    let next = last.map(|id| Cursor::new(&call, call.today(), Vec::new(), id, false));
    let columns = [
        Column("id", "/id"),
        Column("subject", "/subject"),
        Column("cluster", "/cluster"),
        Column("councils", "/councils"),
        Column("askedOn", "/askedOn"),
        Column("wantedBy", "/wantedBy"),
        Column("replies", "/replies/*/reply"),
        Column("version", "/version"),
        Column("createdAt", "/createdAt"),
        Column("modifiedAt", "/modifiedAt"),
    ];
    paging::answer(&call, &app.public_url, Page { items, next, total }, &columns, style)
}

/// One advice request. The scope `audit:read` opens it as it was known at `knownAt` only.
#[utoipa::path(get, path = "/advice-requests/{id}", operation_id = "getAdviceRequest", tag = "advice-requests",
    params(("id" = Uuid, Path, description = "The id of the request."), KnownQuery),
    responses((status = 200, description = "The request.", body = AdviceRequestView)),
    security(("bearer" = ["internal:read"]), ("bearer" = ["advice:write"]), ("bearer" = ["treatment:write"]),
        ("bearer" = ["audit:read"])))]
pub async fn get_advice_request(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("getAdviceRequest").await?;
    let as_known = history::is_asked(&call)?;
    if !as_known {
        history::needs(&call, &[Scope::InternalRead, Scope::AdviceWrite, Scope::TreatmentWrite])?;
    }
    let id = AdviceRequestId(call.path_id("id")?);
    let query: KnownQuery = call.query()?;
    if let Some(known_at) = query.known_at.filter(|_| as_known) {
        return history::known(call, advice_request::RESOURCE, id.to_string(), known_at, None, then).await;
    }
    paging::accepted(&call, &["application/json"])?;
    let caller = call.caller.clone();
    let shown = call
        .app
        .read(move |_, connection| {
            let found = advice_request::find(connection, id, &caller)?.ok_or(ApiError::NotFound)?;
            show(connection, &caller, vec![found])?.pop().ok_or(ApiError::NotFound)
        })
        .await?;
    // Its replies come from the advice given, so the body decides the tag; a change is matched by its version.
    let body = serde_json::to_vec(&shown).map_err(|error| ApiError::Internal(error.to_string()))?;
    let etag = tag(&shown, &body);
    Ok(paging::readable(&call, etag, "application/json", body, None))
}

fn tag(shown: &AdviceRequestView, body: &[u8]) -> String {
    format!("\"{}.{}\"", shown.version, etag::of_body(body).trim_matches('"'))
}

fn answer(shown: &AdviceRequestView, status: u16) -> Result<Answer, ApiError> {
    let body = serde_json::to_vec(shown).map_err(|error| ApiError::Internal(error.to_string()))?;
    Answer::json(status, Some(tag(shown, &body)), shown)
}

/// Asks councils for advice.
#[utoipa::path(post, path = "/advice-requests", operation_id = "requestAdvice", tag = "advice-requests",
    request_body = AdviceRequestBody,
    responses((status = 201, description = "The request.", body = AdviceRequestView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn request_advice(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("requestAdvice").await?;
    call.no_query()?;
    let body: Body<AdviceRequestBody> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let id = AdviceRequestId(new_id());
    let answer = app
        .write(actor, now, move |app, tx| {
            writing.run(tx, None, |tx, body, caller, now| {
                caller.speaks_for(&body.cluster)?;
                let registry = app.registry(tx.reading())?;
                let mut errors = Vec::new();
                let mut unknown = |location: String, detail: &str| {
                    errors.push(InputError::new("body", location, "unknown", detail));
                };
                if !registry.has_cluster(&body.cluster) {
                    unknown("/cluster".to_owned(), "is not the code of a cluster; see /v1/clusters");
                }
                for (index, council) in body.councils.iter().enumerate() {
                    if registry.council(council).is_none() {
                        unknown(
                            format!("/councils/{index}"),
                            "is not the code of a council; see /v1/councils",
                        );
                    }
                }
                if !errors.is_empty() {
                    return Err(ApiError::Invalid(errors));
                }
                let request = AdviceRequest::ask(id, body, now.today)?;
                let stored = advice_request::add(tx, &request)?;
                let shown = show(tx.reading(), caller, vec![stored])?.pop().ok_or(ApiError::NotFound)?;
                Ok(answer(&shown, 201)?.at(format!("/v1/advice-requests/{id}")))
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}

/// A council says that it gives no advice on a request.
#[utoipa::path(post, path = "/advice-requests/{id}/refusals", operation_id = "refuseAdviceRequest", tag = "advice-requests",
    params(("id" = Uuid, Path, description = "The id of the request.")), request_body = NoAdviceBody,
    responses((status = 200, description = "The request.", body = AdviceRequestView)),
    security(("bearer" = ["advice:write"])))]
pub async fn refuse_advice_request(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("refuseAdviceRequest").await?;
    let id = AdviceRequestId(call.path_id("id")?);
    call.no_query()?;
    let body: Body<NoAdviceBody> = call.body();
    let app = call.app.clone();
    let (actor, now) = (call.actor(), call.now());
    let writing = call.writing(body)?;
    let answer = app
        .write(actor, now, move |_, tx| {
            let before =
                advice_request::find(tx.reading(), id, &writing.caller)?.ok_or(ApiError::NotFound)?;
            writing.caller.require(Scope::AdviceWrite)?;
            let version = Version { number: before.stamp.version, view: None };
            writing.run(tx, Some(version), |tx, body, caller, now| {
                caller.may_draft_for(&body.council)?;
                let refused = before.value.clone().refuse(body, now.today)?;
                let stored = advice_request::save(tx, &refused, &before, "refusal")?;
                let shown = show(tx.reading(), caller, vec![stored])?.pop().ok_or(ApiError::NotFound)?;
                answer(&shown, 200)
            })
        })
        .await?;
    Ok(answer.into_response(&app))
}
