//! Agreements (afspraken) over HTTP, with their two logs: progress by the organisation, judgement by the council.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::accord::Accord;
use domain::advice::Publication;
use domain::advice::Reference;
use domain::agreement::{
    AdvicePoint, Agreement, AgreementBody, EscalationBody, Judgement, JudgementBody, Owner, Progress,
    ProgressBody, WatchBody,
};
use domain::codes::{AgreementSize, AgreementState};
use domain::ids::{AccordId, AgreementId, ClusterCode, CouncilCode, PartId, PolicyTrackId, ThemeCode};
use domain::policy_track::PolicyTrack;
use persistence::dossier::{self as storage, Filter};
use persistence::{Stored, advice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Context, Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// An agreement (afspraak) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Agreement)]
pub struct AgreementView {
    /// Its id.
    pub id: AgreementId,
    /// The council of its accord.
    pub council: CouncilCode,
    /// The accord it belongs to; null where this reader may not see that one.
    pub accord: Option<AccordId>,
    /// Its number in the plan of its year (nummer).
    #[schema(example = "1.1.2")]
    pub number: String,
    /// What was agreed, in short (titel).
    pub title: String,
    /// What was agreed, in full (omschrijving).
    pub description: Option<String>,
    /// Large or small (groot of klein).
    pub size: AgreementSize,
    /// Who carries it out (eigenaar).
    pub owner: Owner,
    /// Who helps (partners).
    pub partners: Vec<String>,
    /// The year of the action plan (planjaar).
    #[schema(minimum = 1900, maximum = 2200, example = 2026)]
    pub plan_year: u16,
    /// The day it was agreed (afgesproken op); a figure of an earlier day does not know it.
    pub agreed_on: NaiveDate,
    /// The day by which it is to be done; null only of an ongoing one.
    pub due_on: Option<NaiveDate>,
    /// Why it goes on without a day by which it is done (doorlopend); mandatory without `dueOn`.
    pub ongoing_reason: Option<String>,
    /// The agreement of an earlier year that it carries on.
    pub carried_over_from: Option<AgreementId>,
    /// The policy track it hangs on (beleidstraject).
    pub policy_track: Option<PolicyTrackId>,
    /// The point of an advice that it carries out.
    pub advice_point: Option<AdvicePoint>,
    /// What it is about (thema's).
    pub themes: Vec<ThemeCode>,
    /// Numbers by which other systems know it (kenmerken).
    pub references: Vec<Reference>,
    /// Where it stands; derived from progress and judgement, never typed in.
    pub state: AgreementState,
    /// What the organisation says, in the order in which it was recorded.
    pub progress: Vec<Progress>,
    /// What the council says, in the order in which it was recorded.
    pub judgements: Vec<Judgement>,
    /// The years in which the council marked it, to be watched.
    pub watched: Vec<WatchBody>,
    /// To whom it was brought up.
    pub escalations: Vec<EscalationBody>,
    /// Whether the public may see it: as its accord.
    pub publication: Publication,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

page_schema!(
    /// A page of agreements, in order of id.
    AgreementList of AgreementView
);
page_schema!(
    /// A page of the log of progress, oldest first.
    ProgressList of Progress
);
page_schema!(
    /// A page of the log of judgements, oldest first.
    JudgementList of Judgement
);
patch_schema!(
    /// A change of an agreement.
    AgreementPatch of AgreementBody, "A merge patch (RFC 7396) of an agreement: only what changes. A list is replaced whole."
);

impl Show for Agreement {
    type View = AgreementView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("accord", "/accord"),
        Column("council", "/council"),
        Column("number", "/number"),
        Column("title", "/title"),
        Column("size", "/size"),
        Column("cluster", "/owner/cluster"),
        Column("party", "/owner/party"),
        Column("planYear", "/planYear"),
        Column("agreedOn", "/agreedOn"),
        Column("dueOn", "/dueOn"),
        Column("ongoingReason", "/ongoingReason"),
        Column("state", "/state"),
        Column("themes", "/themes"),
        Column("watched", "/watched/*/year"),
        Column("publication", "/publication/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, On { today, .. }: On) -> AgreementView {
        let Stored { value, stamp } = stored;
        let (state, accord) = (value.state_on(today), value.shown_accord());
        let Agreement {
            id,
            council,
            text,
            progress,
            judgements,
            watched,
            escalations,
            publication,
            accord_is_hidden: _,
        } = value;
        let AgreementBody {
            accord: _,
            number,
            title,
            description,
            size,
            owner,
            partners,
            plan_year,
            agreed_on,
            due_on,
            ongoing_reason,
            carried_over_from,
            policy_track,
            advice_point,
            themes,
            references,
        } = text;
        AgreementView {
            id,
            council,
            accord,
            number,
            title,
            description,
            size,
            owner,
            partners,
            plan_year,
            agreed_on,
            due_on,
            ongoing_reason,
            carried_over_from,
            policy_track,
            advice_point,
            themes,
            references,
            state,
            progress,
            judgements,
            watched,
            escalations,
            publication,
            version: stamp.version,
            created_at: stamp.created_at,
            modified_at: stamp.modified_at,
        }
    }
}

/// What a list of agreements can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AgreementQuery {
    /// Of this accord (wijkakkoord).
    #[param(required = false)]
    accord: Option<AccordId>,
    /// Of one of these councils.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
    /// Owned by one of these clusters.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    cluster: Option<Vec<ClusterCode>>,
    /// Of the plan of this year.
    #[param(required = false, minimum = 1900, maximum = 2200)]
    plan_year: Option<u16>,
    /// Large or small.
    #[param(required = false)]
    size: Option<AgreementSize>,
    /// In one of these states.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    state: Option<Vec<AgreementState>>,
    /// About one of these themes.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    theme: Option<Vec<ThemeCode>>,
    /// Watched by its council in this year.
    #[param(required = false, minimum = 1900, maximum = 2200)]
    watched_in: Option<u16>,
    /// Hanging on this policy track.
    #[param(required = false)]
    policy_track: Option<PolicyTrackId>,
}

impl From<AgreementQuery> for Filter {
    fn from(query: AgreementQuery) -> Self {
        let AgreementQuery {
            accord,
            council,
            cluster,
            plan_year,
            size,
            state,
            theme,
            watched_in,
            policy_track,
        } = query;
        Self::default()
            .with("accord", accord)
            .with("council", council.unwrap_or_default())
            .with("cluster", cluster.unwrap_or_default())
            .with("planYear", plan_year)
            .with("size", size)
            .with("state", state.unwrap_or_default())
            .with("theme", theme.unwrap_or_default())
            .with("watchedIn", watched_in)
            .with("policyTrack", policy_track)
    }
}

/// Agreements (afspraken) of the accords.
#[utoipa::path(get, path = "/agreements", operation_id = "listAgreements", tag = "agreements",
    params(ListQuery, AgreementQuery),
    responses((status = 200, description = "A page of agreements.", content(
        (AgreementList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_agreements(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listAgreements").await?;
    let (page, query): (ListQuery, AgreementQuery) = (call.query()?, call.query()?);
    super::list::<Agreement>(call, page.into(), query.into()).await
}

/// One agreement.
#[utoipa::path(get, path = "/agreements/{id}", operation_id = "getAgreement", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement."), KnownQuery),
    responses((status = 200, description = "The agreement.", body = AgreementView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<Agreement>(incoming.call("getAgreement").await?).await
}

/// Adds an agreement to an accord. It is public when its accord is.
#[utoipa::path(post, path = "/agreements", operation_id = "addAgreement", tag = "agreements", request_body = AgreementBody,
    responses((status = 201, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["plans:write"])))]
pub async fn add_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addAgreement").await?;
    super::add(call, "/agreements", |context, body: AgreementBody| {
        let id = AgreementId(new_id());
        check(context, id, &body, None)?;
        let accord = storage::load::<Accord>(context.tx.reading(), body.accord.0)?
            .ok_or_else(|| ApiError::invalid("body", "/accord", "unknown", "is not the id of an accord"))?;
        let Accord { text, publication, .. } = accord.value;
        Ok(Agreement::new(id, text.council, publication, body, context.today)?)
    })
    .await
}

/// Changes what was agreed (merge patch, RFC 7396), with the reason. What was said of it since stays.
#[utoipa::path(patch, path = "/agreements/{id}", operation_id = "changeAgreement", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement.")),
    request_body(content = AgreementPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["plans:write"])))]
pub async fn change_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeAgreement").await?;
    let body = super::patch(&call);
    super::record(call, body, "change", super::scope_is_enough::<Agreement>, |context, agreement, patch| {
        let patch = super::because(context, patch);
        let text: AgreementBody = super::merged(context, "AgreementBody", &agreement.text, &patch)?;
        check(context, agreement.id, &text, Some(&agreement.text))?;
        Ok(agreement.changed(text, context.today)?)
    })
    .await
}

fn linked(text: &AgreementBody) -> BTreeSet<Uuid> {
    let advice = text.advice_point.iter().map(|point| point.advice.0);
    let tracks = text.policy_track.iter().map(|track| track.0);
    advice.chain(tracks).chain(text.carried_over_from.iter().map(|earlier| earlier.0)).collect()
}

/// Codes and ids that it names are known, and no other agreement of the accord has its number in that year. What it named already
/// may have become invisible to the caller since.
fn check(
    context: &mut Context<'_, '_>,
    id: AgreementId,
    text: &AgreementBody,
    before: Option<&AgreementBody>,
) -> Result<(), ApiError> {
    let named_already = before.map(linked).unwrap_or_default();
    let (caller, connection) = (context.caller, context.tx.reading());
    let new = |id: Uuid| (!named_already.contains(&id)).then(|| id.to_string());
    let knows_advice =
        match text.advice_point.as_ref().filter(|point| !named_already.contains(&point.advice.0)) {
            Some(point) => !advice::find_all(connection, &[point.advice], caller)?.is_empty(),
            None => true,
        };
    let knows_track = match text.policy_track.and_then(|track| new(track.0)) {
        Some(track) => !storage::find_all::<PolicyTrack>(connection, caller, &[track])?.is_empty(),
        None => true,
    };
    let knows_earlier = match text.carried_over_from.and_then(|earlier| new(earlier.0)) {
        Some(earlier) => !storage::find_all::<Agreement>(connection, caller, &[earlier])?.is_empty(),
        None => true,
    };
    let mut names = Names::of(context.registry);
    names.cluster("/owner/cluster", text.owner.cluster.as_ref()).themes("/themes", &text.themes);
    if !knows_advice {
        names.unknown("/advicePoint/advice", "is not an advice that you know of");
    }
    if !knows_track {
        names.unknown("/policyTrack", "is not a policy track that you know of");
    }
    if !knows_earlier {
        names.unknown("/carriedOverFrom", "is not an agreement that you know of");
    }
    if text.carried_over_from == Some(id) {
        names.unknown("/carriedOverFrom", "is this agreement itself");
    }
    names.done()?;
    // Two that are added at once would each find the number free.
    context.tx.lock()?;
    let same_number = Filter::default()
        .with("accord", [text.accord])
        .with("number", [format!("{}/{}", text.plan_year, text.number)]);
    let others = storage::all::<Agreement>(context.tx.reading(), &same_number)?;
    if others.iter().any(|other| other.value.id != id) {
        let detail = "Another agreement of the accord has that number in that plan year.";
        return Err(ApiError::Conflict("duplicate", detail.to_owned()));
    }
    Ok(())
}

const PROGRESS: [Column; 5] = [
    Column("id", "/id"),
    Column("state", "/state"),
    Column("on", "/on"),
    Column("reason", "/reason"),
    Column("evidenceUrl", "/evidenceUrl"),
];

/// What the organisation said of an agreement (voortgang), oldest first. The log only grows.
#[utoipa::path(get, path = "/agreements/{id}/progress", operation_id = "listProgress", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement."), ListQuery),
    responses((status = 200, description = "A page of the log.", content(
        (ProgressList = "application/json"), (String = "text/csv"))),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn list_progress(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listProgress").await?;
    let page: ListQuery = call.query()?;
    super::log::<Agreement, _>(call, page.into(), &PROGRESS, |stored, _| stored.value.progress).await
}

/// The organisation says how far it is. Never the judgement: that is the council's.
#[utoipa::path(post, path = "/agreements/{id}/progress", operation_id = "reportProgress", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement.")), request_body = ProgressBody,
    responses((status = 200, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["progress:write"])))]
pub async fn report_progress(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("reportProgress").await?;
    let body = call.body::<ProgressBody>();
    let right = |caller: &domain::access::Caller, agreement: &Agreement| caller.may_report_on(agreement);
    super::record(call, body, "progress", right, |context, agreement: Agreement, body| {
        context.reason.clone_from(&body.reason);
        Ok(agreement.with_progress(PartId(new_id()), body, context.today)?)
    })
    .await
}

const JUDGEMENTS: [Column; 5] = [
    Column("id", "/id"),
    Column("colour", "/colour"),
    Column("realised", "/realised"),
    Column("on", "/on"),
    Column("note", "/note"),
];

/// What the council said of an agreement (oordeel), oldest first. The log only grows.
#[utoipa::path(get, path = "/agreements/{id}/judgements", operation_id = "listJudgements", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement."), ListQuery),
    responses((status = 200, description = "A page of the log.", content(
        (JudgementList = "application/json"), (String = "text/csv"))),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn list_judgements(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listJudgements").await?;
    let page: ListQuery = call.query()?;
    super::log::<Agreement, _>(call, page.into(), &JUDGEMENTS, |stored, _| stored.value.judgements).await
}

/// The council says what it thinks of it. Never the progress: that is the organisation's.
#[utoipa::path(post, path = "/agreements/{id}/judgements", operation_id = "judgeAgreement", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement.")), request_body = JudgementBody,
    responses((status = 200, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["judgements:write"])))]
pub async fn judge_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("judgeAgreement").await?;
    let body = call.body::<JudgementBody>();
    let right =
        |caller: &domain::access::Caller, agreement: &Agreement| caller.may_judge_for(&agreement.council);
    super::record(call, body, "judgement", right, |context, agreement: Agreement, body| {
        Ok(agreement.with_judgement(PartId(new_id()), body, context.today)?)
    })
    .await
}

/// The council marks an orange agreement, to be watched and carried over: at most three a year.
#[utoipa::path(post, path = "/agreements/{id}/watch", operation_id = "watchAgreement", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement.")), request_body = WatchBody,
    responses((status = 200, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["judgements:write"])))]
pub async fn watch_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("watchAgreement").await?;
    let body = call.body::<WatchBody>();
    let right =
        |caller: &domain::access::Caller, agreement: &Agreement| caller.may_judge_for(&agreement.council);
    super::record(call, body, "watch", right, |context, agreement: Agreement, body| {
        // Two that are marked at once would each find room.
        context.tx.lock()?;
        let marked = Filter::default().with("council", [&agreement.council]).with("watchedIn", [body.year]);
        let marked = storage::count_all::<Agreement>(context.tx.reading(), &marked)?;
        let marked = usize::try_from(marked).unwrap_or(usize::MAX);
        Ok(agreement.with_watch(body, marked, context.today)?)
    })
    .await
}

/// Records that an agreement was brought to somebody who can get it going (escalatie).
#[utoipa::path(post, path = "/agreements/{id}/escalations", operation_id = "escalateAgreement", tag = "agreements",
    params(("id" = Uuid, Path, description = "The id of the agreement.")), request_body = EscalationBody,
    responses((status = 200, description = "The agreement.", body = AgreementView)),
    security(("bearer" = ["plans:write"])))]
pub async fn escalate_agreement(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("escalateAgreement").await?;
    let body = call.body::<EscalationBody>();
    super::record(
        call,
        body,
        "escalation",
        super::scope_is_enough::<Agreement>,
        |context, agreement, body| Ok(agreement.with_escalation(body, context.today)?),
    )
    .await
}
