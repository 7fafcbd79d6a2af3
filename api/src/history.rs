//! What was: the history of each item, and an item as it was known at a moment. Both read the journal, and both show an item as a
//! reader who sees all of it gets it. What is not in the journal is not here: the name of a person is the one that stands now.

use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use domain::access::Scope;
use domain::accord::Accord;
use domain::agreement::Agreement;
use domain::assignment::Assignment;
use domain::calendar::amsterdam_day;
use domain::collegetarget::Collegetarget;
use domain::commitment::Commitment;
use domain::dossier::Dossier;
use domain::ids::AdviceId;
use domain::participation_plan::ParticipationPlan;
use domain::policy_track::PolicyTrack;
use domain::talk::Talk;
use persistence::journal::{self, Asked, Entry};
use persistence::registry::Table;
use persistence::{AnyConnection, advice, advice_request, facts, response_draft};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::advice::{AdviceView, ResponseDraftView};
use crate::advice_request::AdviceRequestView;
use crate::app::App;
use crate::dossier::accord::AccordView;
use crate::dossier::agreement::AgreementView;
use crate::dossier::assignment::AssignmentView;
use crate::dossier::collegetarget::CollegetargetView;
use crate::dossier::commitment::CommitmentView;
use crate::dossier::participation_plan::ParticipationPlanView;
use crate::dossier::policy_track::PolicyTrackView;
use crate::dossier::talk::TalkView;
use crate::incoming::{Call, Incoming};
use crate::paging::{self, Cursor, DEFAULT_LIMIT, Page, to_value};
use crate::problem::ApiError;
use crate::registry::{
    AreaItem, ClusterItem, CouncilItem, NeighbourhoodItem, ObligationItem, OfficeHolderItem,
    TermOfOfficeItem, TermRuleItem, ThemeItem,
};

/// One entry of the journal about an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry<T> {
    /// Its number in the journal.
    pub sequence: i64,
    /// When it was written.
    pub moment: DateTime<Utc>,
    /// Who wrote it: the token's `sub`, or a command.
    pub actor: String,
    /// Why, where the caller said so.
    pub reason: Option<String>,
    /// What happened, such as `receipt`.
    pub event: String,
    /// The version after it.
    pub version: i64,
    /// The hash of the entry; it covers the hash of the one before.
    pub hash: String,
    /// The whole item as it then was, with what follows from the day as on the day of the entry.
    pub item: T,
}

/// A page of the history of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryList<T> {
    /// The entries, oldest first.
    pub items: Vec<HistoryEntry<T>>,
    /// The address of the next page; null on the last.
    pub next: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on a page. It has fewer where they are large.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Where the page begins; take it from `next`.
    #[param(required = false, min_length = 1, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// The moment of knowledge of a single item.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct KnownQuery {
    /// The item whole, as it was known at this moment (moment van kennis); takes the scope `audit:read`. Not after the last change of anything. The answer is not kept and carries no `ETag`.
    #[param(required = false)]
    pub known_at: Option<DateTime<Utc>>,
}

/// Characters of snapshots on a page, at most, but for a single larger one.
pub(crate) const MOST_CHARACTERS: i64 = 4_000_000;

/// An entry of the journal to be shown.
pub(crate) struct Then {
    /// The entry.
    pub entry: Entry,
    /// The day on which what follows from the day is shown.
    pub on: NaiveDate,
    /// The place in the journal up to which other items are known.
    pub place: i64,
}

/// Whether the caller asks what was known at an earlier moment. That takes a scope of its own, which is asked for before anything
/// else is looked at.
pub(crate) fn is_asked(call: &Call) -> Result<bool, ApiError> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(call.http.query_string());
    // A query that cannot be read is refused with all that is wrong with it.
    if !pairs.is_ok_and(|pairs| pairs.iter().any(|(name, _)| name == "knownAt")) {
        return Ok(false);
    }
    if call.caller.subject.is_none() {
        return Err(ApiError::Unauthenticated);
    }
    needs(call, &[Scope::AuditRead])?;
    Ok(true)
}

/// Refuses a caller who has none of these scopes.
pub(crate) fn needs(call: &Call, scopes: &[Scope]) -> Result<(), ApiError> {
    if scopes.iter().any(|scope| call.caller.has(*scope)) {
        return Ok(());
    }
    Err(ApiError::InsufficientScope(scopes.iter().map(|scope| scope.as_str().to_owned()).collect()))
}

/// An item as it was known at a moment: of its last entry up to then. It is no version that a change could name, so it has no `ETag`.
pub(crate) async fn known(
    call: Call,
    resource: &'static str,
    item: String,
    known_at: DateTime<Utc>,
    on: Option<NaiveDate>,
    show: impl FnOnce(&App, &mut AnyConnection, &[Then]) -> Result<Vec<Value>, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    paging::accepted(&call, &["application/json"])?;
    let item = named(item)?;
    let shown = call
        .app
        .read(move |app, connection| {
            let known_at = known_at.trunc_subsecs(6);
            let (_, last) = facts::place(connection, None)?;
            if last.is_none_or(|last| known_at > last) {
                let detail = "lies after the last change; leave it out to read the item as it now is";
                return Err(ApiError::invalid("query", "knownAt", "date.future", detail));
            }
            let (place, _) = facts::place(connection, Some(known_at))?;
            let entry = journal::last_of_item(connection, resource, &item, place)?;
            // What was deleted was known to be gone.
            let entry = entry.filter(|entry| entry.event != "deletion").ok_or(ApiError::NotFound)?;
            let then = Then { entry, on: on.unwrap_or_else(|| amsterdam_day(known_at)), place };
            show(app, connection, &[then])?.pop().ok_or(ApiError::NotFound)
        })
        .await?;
    let body = serde_json::to_vec(&shown).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept, Authorization"))
        .content_type("application/json")
        .body(body))
}

/// A code in a path is any text; one that no database takes names nothing.
fn named(item: String) -> Result<String, ApiError> {
    if item.chars().any(char::is_control) { Err(ApiError::NotFound) } else { Ok(item) }
}

/// The history of an item, in pages.
async fn list(
    call: Call,
    resource: &'static str,
    item: String,
    show: impl FnOnce(&App, &mut AnyConnection, &[Then]) -> Result<Vec<Value>, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let query: PageQuery = call.query()?;
    paging::accepted(&call, &["application/json"])?;
    let cursor = Cursor::read(&call, query.cursor.as_deref(), 1)?;
    let after = cursor.and_then(|cursor| cursor.values.first().copied()).unwrap_or(0);
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let item = named(item)?;
    let app = call.app.clone();
    let (items, end) = app
        .read(move |app, connection| {
            let asked =
                Asked { after, resource: Some(resource.to_owned()), item: Some(item), ..Asked::default() };
            let (entries, more) = journal::asked(connection, &asked, limit, MOST_CHARACTERS)?;
            if entries.is_empty() && after == 0 {
                return Err(ApiError::NotFound);
            }
            let end = if more { entries.last().map(|entry| entry.sequence) } else { None };
            let thens: Vec<Then> = entries
                .into_iter()
                .map(|entry| Then { on: amsterdam_day(entry.at()), place: entry.sequence, entry })
                .collect();
            let shown = show(app, connection, &thens)?;
            let items = thens.into_iter().zip(shown).map(|(then, item)| of_entry(then.entry, item));
            Ok((items.collect::<Result<Vec<_>, _>>()?, end))
        })
        .await?;
    let next = end.map(|sequence| Cursor::new(&call, call.today(), vec![sequence], String::new(), false));
    paging::answer(&call, &app.public_url, Page { items, next, total: None }, &[], None)
}

fn of_entry(entry: Entry, item: Value) -> Result<Value, ApiError> {
    let moment = entry.at();
    let Entry { sequence, actor, reason, event, version, hash, .. } = entry;
    to_value(&HistoryEntry { sequence, moment, actor, reason, event, version, hash, item })
}

async fn of_dossier<D: crate::dossier::Show>(call: Call) -> Result<HttpResponse, ApiError> {
    let id = call.path_id("id")?;
    list(call, D::RESOURCE, id.to_string(), crate::dossier::then::<D>).await
}

macro_rules! history {
    ($name:ident, $id:literal, $path:literal, $key:literal, $tag:literal, $view:ident, $title:literal, $key_title:literal,
     $go:expr) => {
        #[doc = $title]
        #[doc = ""]
        #[doc = "From the journal: who changed what, when and why, and the whole item as it then was. What was deleted keeps its history."]
        #[utoipa::path(get, path = $path, operation_id = $id, tag = $tag,
            params(($key = String, Path, description = $key_title), PageQuery),
            responses((status = 200, description = "A page of entries, oldest first.", body = HistoryList<$view>)),
            security(("bearer" = ["audit:read"])))]
        pub async fn $name(incoming: Incoming) -> Result<HttpResponse, ApiError> {
            let go = $go;
            go(incoming.call($id).await?).await
        }
    };
}

history!(
    get_advice_history,
    "getAdviceHistory",
    "/advice/{id}/history",
    "id",
    "advice",
    AdviceView,
    "The history of an advice.",
    "The id of the advice.",
    async |call: Call| {
        let id = AdviceId(call.path_id("id")?);
        list(call, advice::RESOURCE, id.to_string(), crate::advice::then).await
    }
);
history!(
    get_response_draft_history,
    "getResponseDraftHistory",
    "/advice/{id}/response-draft/history",
    "id",
    "advice",
    ResponseDraftView,
    "The history of the response being written (conceptreactie) to an advice.",
    "The id of the advice.",
    async |call: Call| {
        let id = AdviceId(call.path_id("id")?);
        list(call, response_draft::RESOURCE, response_draft::item_of(id), move |_, connection, thens| {
            crate::advice::drafts_then(connection, id, thens)
        })
        .await
    }
);
history!(
    get_advice_request_history,
    "getAdviceRequestHistory",
    "/advice-requests/{id}/history",
    "id",
    "advice-requests",
    AdviceRequestView,
    "The history of an advice request (adviesaanvraag).",
    "The id of the request.",
    async |call: Call| {
        let id = call.path_id("id")?;
        list(call, advice_request::RESOURCE, id.to_string(), crate::advice_request::then).await
    }
);
history!(
    get_accord_history,
    "getAccordHistory",
    "/accords/{id}/history",
    "id",
    "agreements",
    AccordView,
    "The history of an accord (wijkakkoord).",
    "The id of the accord.",
    of_dossier::<Accord>
);
history!(
    get_agreement_history,
    "getAgreementHistory",
    "/agreements/{id}/history",
    "id",
    "agreements",
    AgreementView,
    "The history of an agreement (afspraak).",
    "The id of the agreement.",
    of_dossier::<Agreement>
);
history!(
    get_policy_track_history,
    "getPolicyTrackHistory",
    "/policy-tracks/{id}/history",
    "id",
    "participation",
    PolicyTrackView,
    "The history of a policy track (beleidstraject).",
    "The id of the policy track.",
    of_dossier::<PolicyTrack>
);
history!(
    get_participation_plan_history,
    "getParticipationPlanHistory",
    "/participation-plans/{id}/history",
    "id",
    "participation",
    ParticipationPlanView,
    "The history of a participation plan (participatieplan).",
    "The id of the plan.",
    of_dossier::<ParticipationPlan>
);
history!(
    get_commitment_history,
    "getCommitmentHistory",
    "/commitments/{id}/history",
    "id",
    "commitments",
    CommitmentView,
    "The history of a commitment (motie of toezegging).",
    "The id of the commitment.",
    of_dossier::<Commitment>
);
history!(
    get_collegetarget_history,
    "getCollegetargetHistory",
    "/collegetargets/{id}/history",
    "id",
    "collegetargets",
    CollegetargetView,
    "The history of a collegetarget.",
    "The id of the target.",
    of_dossier::<Collegetarget>
);
history!(
    get_talk_history,
    "getTalkHistory",
    "/talks/{id}/history",
    "id",
    "support",
    TalkView,
    "The history of a talk (gesprek).",
    "The id of the talk.",
    of_dossier::<Talk>
);
history!(
    get_assignment_history,
    "getAssignmentHistory",
    "/assignments/{id}/history",
    "id",
    "support",
    AssignmentView,
    "The history of an assignment (toewijzing).",
    "The id of the assignment.",
    of_dossier::<Assignment>
);

/// The history of a row of a table of the registry.
async fn of_row(call: Call, table: Table, key: &'static str) -> Result<HttpResponse, ApiError> {
    let code = crate::registry::code_of(&call, table, key)?;
    list(call, table.as_str(), code, move |app, connection, thens| {
        crate::registry::then(app, connection, table, None, thens)
    })
    .await
}

history!(
    get_council_history,
    "getCouncilHistory",
    "/councils/{code}/history",
    "code",
    "reference",
    CouncilItem,
    "The history of a council (wijkraad, dorpsraad).",
    "Its code.",
    async |call: Call| of_row(call, Table::Council, "code").await
);
history!(
    get_area_history,
    "getAreaHistory",
    "/areas/{code}/history",
    "code",
    "reference",
    AreaItem,
    "The history of an area (gebied).",
    "Its code.",
    async |call: Call| of_row(call, Table::Area, "code").await
);
history!(
    get_neighbourhood_history,
    "getNeighbourhoodHistory",
    "/neighbourhoods/{code}/history",
    "code",
    "reference",
    NeighbourhoodItem,
    "The history of a neighbourhood (CBS-buurt).",
    "Its code.",
    async |call: Call| of_row(call, Table::Neighbourhood, "code").await
);
history!(
    get_cluster_history,
    "getClusterHistory",
    "/clusters/{code}/history",
    "code",
    "reference",
    ClusterItem,
    "The history of a cluster.",
    "Its code.",
    async |call: Call| of_row(call, Table::Cluster, "code").await
);
history!(
    get_theme_history,
    "getThemeHistory",
    "/themes/{code}/history",
    "code",
    "reference",
    ThemeItem,
    "The history of a theme (thema).",
    "Its code.",
    async |call: Call| of_row(call, Table::Theme, "code").await
);
history!(
    get_term_of_office_history,
    "getTermOfOfficeHistory",
    "/terms-of-office/{code}/history",
    "code",
    "reference",
    TermOfOfficeItem,
    "The history of a term of office (zittingsperiode).",
    "Its code.",
    async |call: Call| of_row(call, Table::TermOfOffice, "code").await
);
history!(
    get_obligation_history,
    "getObligationHistory",
    "/obligations/{code}/history",
    "code",
    "reference",
    ObligationItem,
    "The history of an obligation (verplichting).",
    "Its code.",
    async |call: Call| of_row(call, Table::Obligation, "code").await
);
history!(
    get_term_rule_history,
    "getTermRuleHistory",
    "/term-rules/{id}/history",
    "id",
    "reference",
    TermRuleItem,
    "The history of a term rule (termijnregel).",
    "The id of the term rule.",
    async |call: Call| of_row(call, Table::TermRule, "id").await
);
history!(
    get_office_holder_history,
    "getOfficeHolderHistory",
    "/office-holders/{id}/history",
    "id",
    "reference",
    OfficeHolderItem,
    "The history of an office holder (bestuurder). The name is not in the journal: it is the one that stands now, and null once it was erased.",
    "The id of the office holder.",
    async |call: Call| of_row(call, Table::OfficeHolder, "id").await
);

/// Reads an item as it now is, or as it was known at a moment where the caller asks so.
pub(crate) async fn dossier<D: crate::dossier::Show>(call: Call) -> Result<HttpResponse, ApiError> {
    let as_known = is_asked(&call)?;
    let id = call.path_id("id")?;
    let query: KnownQuery = call.query()?;
    match query.known_at.filter(|_| as_known) {
        Some(known_at) => {
            known(call, <D as Dossier>::RESOURCE, id.to_string(), known_at, None, crate::dossier::then::<D>)
                .await
        }
        None => crate::dossier::item_now::<D>(call, id).await,
    }
}
