//! Participation plans (participatieplannen) over HTTP, with what councils find of their promises.

use actix_web::HttpResponse;
use chrono::{DateTime, NaiveDate, Utc};
use domain::advice::{Publication, PublicationBody, UnpublicationBody};
use domain::codes::Verdict;
use domain::dossier::Dossier;
use domain::ids::{ClusterCode, CouncilCode, PartId, ParticipationPlanId, PolicyTrackId};
use domain::participation_plan::{
    Finding, FindingBody, FindingReply, ParticipationPlan, ParticipationPlanBody, PlanAdoption,
};
use domain::policy_track::PolicyTrack;
use domain::term::{self, TermOn};
use persistence::Stored;
use persistence::dossier::{self as storage, Filter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Context, Names, On, STAMP, Show, page_schema, patch_schema};
use crate::clock::new_id;
use crate::csv::Column;
use crate::history::KnownQuery;
use crate::incoming::Incoming;
use crate::problem::ApiError;
use crate::registry::ListQuery;

/// A participation plan (participatieplan) as its reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ParticipationPlan)]
pub struct ParticipationPlanView {
    /// Its id.
    pub id: ParticipationPlanId,
    /// The plan itself.
    #[serde(flatten)]
    pub text: ParticipationPlanBody,
    /// The cluster that leads its policy track: the owner, who replies to findings.
    pub cluster: ClusterCode,
    /// The councils that its policy track concerns.
    pub councils: Vec<CouncilCode>,
    /// The day it was adopted; null while it is a draft.
    pub adopted_on: Option<NaiveDate>,
    /// What councils find, in the order in which it was recorded.
    pub findings: Vec<FindingView>,
    /// Whether the public may see it.
    pub publication: Publication,
    /// Raised by one at each change.
    pub version: i64,
    /// When it was first recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
}

/// What a council finds of a promise (bevinding), with the reply and its term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Finding)]
pub struct FindingView {
    /// Its id.
    pub id: PartId,
    /// The council.
    pub council: CouncilCode,
    /// The number of the promise.
    pub promise: u16,
    /// Kept, partly, not kept, or too early to say.
    pub verdict: Verdict,
    /// The day it was found and given.
    pub on: NaiveDate,
    /// In the council's own words.
    pub note: Option<String>,
    /// The owner's reply; null while there is none.
    pub reply: Option<FindingReply>,
    /// Where the term of the reply stands today.
    pub term: TermOn,
}

impl FindingView {
    fn of(finding: Finding, today: NaiveDate) -> Self {
        let term = finding.term_on(today);
        let Finding { id, found, reply, rule: _ } = finding;
        let FindingBody { council, promise, verdict, on, note } = found;
        Self { id, council, promise, verdict, on, note, reply, term }
    }
}

page_schema!(
    /// A page of participation plans, in order of id.
    ParticipationPlanList of ParticipationPlanView
);
page_schema!(
    /// A page of findings, oldest first.
    FindingList of FindingView
);
patch_schema!(
    /// A change of a participation plan.
    ParticipationPlanPatch of ParticipationPlanBody,
    "A merge patch (RFC 7396) of a participation plan: only what changes. A list is replaced whole.",
    optional reason
);

impl Show for ParticipationPlan {
    type View = ParticipationPlanView;
    const COLUMNS: &'static [Column] = &[
        Column("id", "/id"),
        Column("policyTrack", "/policyTrack"),
        Column("cluster", "/cluster"),
        Column("councils", "/councils"),
        Column("adoptedOn", "/adoptedOn"),
        Column("promises", "/promises/*/number"),
        Column("publication", "/publication/state"),
        STAMP[0],
        STAMP[1],
        STAMP[2],
    ];

    fn show(stored: Stored<Self>, On { today, .. }: On) -> ParticipationPlanView {
        let Stored { value, stamp } = stored;
        let ParticipationPlan { id, cluster, councils, text, adopted_on, findings, publication } = value;
        ParticipationPlanView {
            id,
            text,
            cluster,
            councils,
            adopted_on,
            findings: findings.into_iter().map(|finding| FindingView::of(finding, today)).collect(),
            publication,
            version: stamp.version,
            created_at: stamp.created_at,
            modified_at: stamp.modified_at,
        }
    }
}

/// What a list of participation plans can be asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ParticipationPlanQuery {
    /// Of this policy track.
    #[param(required = false)]
    policy_track: Option<PolicyTrackId>,
    /// Of a track led by one of these clusters.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    cluster: Option<Vec<ClusterCode>>,
    /// Of a track concerning one of these councils.
    #[param(required = false, min_items = 1, max_items = 50, style = Form, explode = false)]
    council: Option<Vec<CouncilCode>>,
}

/// Participation plans (participatieplannen).
#[utoipa::path(get, path = "/participation-plans", operation_id = "listParticipationPlans", tag = "participation",
    params(ListQuery, ParticipationPlanQuery),
    responses((status = 200, description = "A page of participation plans.", content(
        (ParticipationPlanList = "application/json"), (String = "text/csv")))),
    security((), ("bearer" = [])))]
pub async fn list_participation_plans(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listParticipationPlans").await?;
    let (page, query): (ListQuery, ParticipationPlanQuery) = (call.query()?, call.query()?);
    let ParticipationPlanQuery { policy_track, cluster, council } = query;
    let filter = Filter::default()
        .with("policyTrack", policy_track)
        .with("cluster", cluster.unwrap_or_default())
        .with("council", council.unwrap_or_default());
    super::list::<ParticipationPlan>(call, page.into(), filter).await
}

/// One participation plan.
#[utoipa::path(get, path = "/participation-plans/{id}", operation_id = "getParticipationPlan", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan."), KnownQuery),
    responses((status = 200, description = "The plan.", body = ParticipationPlanView),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn get_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    super::item::<ParticipationPlan>(incoming.call("getParticipationPlan").await?).await
}

/// Adds a participation plan to a policy track. It is a draft until it is adopted.
#[utoipa::path(post, path = "/participation-plans", operation_id = "addParticipationPlan", tag = "participation",
    request_body = ParticipationPlanBody,
    responses((status = 201, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["plans:write"])))]
pub async fn add_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("addParticipationPlan").await?;
    super::add(call, "/participation-plans", |context, body: ParticipationPlanBody| {
        // Else a council could be told of the track meanwhile, and the plan would not know.
        context.tx.lock()?;
        let track = track_of(context, body.policy_track)?.value;
        tailored_for_known_councils(context, &body)?;
        let councils = track.reach().councils;
        Ok(ParticipationPlan::new(ParticipationPlanId(new_id()), track.text.cluster, councils, body)?)
    })
    .await
}

fn track_of(context: &mut Context<'_, '_>, id: PolicyTrackId) -> Result<Stored<PolicyTrack>, ApiError> {
    storage::load::<PolicyTrack>(context.tx.reading(), id.0)?.ok_or_else(|| {
        ApiError::invalid("body", "/policyTrack", "unknown", "is not the id of a policy track")
    })
}

fn tailored_for_known_councils(
    context: &Context<'_, '_>,
    body: &ParticipationPlanBody,
) -> Result<(), ApiError> {
    let mut names = Names::of(context.registry);
    for (index, tailoring) in body.tailoring.iter().enumerate() {
        names.council(format!("/tailoring/{index}/council"), &tailoring.council);
    }
    names.done()
}

/// Changes a draft of a plan (merge patch, RFC 7396). An adopted plan does not change: what was promised stands.
#[utoipa::path(patch, path = "/participation-plans/{id}", operation_id = "changeParticipationPlan", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan.")),
    request_body(content = ParticipationPlanPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["plans:write"])))]
pub async fn change_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("changeParticipationPlan").await?;
    let body = super::patch(&call);
    let right = super::scope_is_enough::<ParticipationPlan>;
    super::record(call, body, "change", right, |context, plan, patch| {
        let patch = super::because(context, patch);
        let text: ParticipationPlanBody =
            super::merged(context, "ParticipationPlanBody", &plan.text, &patch)?;
        tailored_for_known_councils(context, &text)?;
        Ok(plan.changed(text)?)
    })
    .await
}

/// Adopts a plan. One adopted on the day of the decision or later is no plan made beforehand.
#[utoipa::path(post, path = "/participation-plans/{id}/adoption", operation_id = "adoptParticipationPlan", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan.")), request_body = PlanAdoption,
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["plans:write"])))]
pub async fn adopt_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("adoptParticipationPlan").await?;
    let body = call.body::<PlanAdoption>();
    let right = super::scope_is_enough::<ParticipationPlan>;
    super::record(call, body, "adoption", right, |context, plan, body| {
        // The track is saved with it, so nobody may change that meanwhile.
        context.tx.lock()?;
        let adopted_on = body.adopted_on;
        let adopted = plan.adopt(body, context.today)?;
        let track = track_of(context, adopted.text.policy_track)?;
        super::save_each(context.tx, vec![track], "plan", None, |mut track| {
            track.plans_adopted.push(adopted_on);
            Ok(track)
        })?;
        Ok(adopted)
    })
    .await
}

/// Publishes a plan; its policy track is public already.
#[utoipa::path(post, path = "/participation-plans/{id}/publication", operation_id = "publishParticipationPlan",
    tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan.")), request_body = PublicationBody,
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["publish"])))]
pub async fn publish_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("publishParticipationPlan").await?;
    let body = call.body::<PublicationBody>();
    let right = super::scope_is_enough::<ParticipationPlan>;
    super::record(call, body, "publication", right, |context, mut plan, _| {
        // Else the track could be withdrawn meanwhile, and the plan would stay without it.
        context.tx.lock()?;
        if plan.adopted_on.is_none() {
            let detail = "It is not adopted yet: nothing is promised.";
            return Err(ApiError::Conflict("plan-not-adopted", detail.to_owned()));
        }
        if !track_of(context, plan.text.policy_track)?.value.publication.is_public() {
            let detail = "Its policy track is not published; publish that first.";
            return Err(ApiError::Conflict("track-not-public", detail.to_owned()));
        }
        plan.publication.publish(context.tx.moment()?)?;
        Ok(plan)
    })
    .await
}

/// Withdraws a plan from publication, with a reason that the public reads.
#[utoipa::path(post, path = "/participation-plans/{id}/unpublication", operation_id = "unpublishParticipationPlan",
    tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan.")), request_body = UnpublicationBody,
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["publish"])))]
pub async fn unpublish_participation_plan(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("unpublishParticipationPlan").await?;
    let body = call.body::<UnpublicationBody>();
    let right = super::scope_is_enough::<ParticipationPlan>;
    super::record(call, body, "unpublication", right, |context, mut plan, body| {
        context.reason = Some(body.reason.clone());
        plan.publication.unpublish(body, context.tx.moment()?)?;
        Ok(plan)
    })
    .await
}

const FINDINGS: [Column; 9] = [
    Column("id", "/id"),
    Column("council", "/council"),
    Column("promise", "/promise"),
    Column("verdict", "/verdict"),
    Column("on", "/on"),
    Column("note", "/note"),
    Column("repliedOn", "/reply/on"),
    Column("replyDueOn", "/term/dueOn"),
    Column("replyState", "/term/state"),
];

/// What councils find of the promises of a plan (bevindingen), oldest first.
#[utoipa::path(get, path = "/participation-plans/{id}/findings", operation_id = "listFindings", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan."), ListQuery),
    responses((status = 200, description = "A page of findings.", content(
        (FindingList = "application/json"), (String = "text/csv"))),
        (status = 410, description = "It was public and was withdrawn from publication.")),
    security((), ("bearer" = [])))]
pub async fn list_findings(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("listFindings").await?;
    let page: ListQuery = call.query()?;
    super::log::<ParticipationPlan, _>(call, page.into(), &FINDINGS, |stored, today| {
        stored.value.findings.into_iter().map(|finding| FindingView::of(finding, today)).collect()
    })
    .await
}

/// A council records what it finds of a promise. The owner then has a term to reply.
#[utoipa::path(post, path = "/participation-plans/{id}/findings", operation_id = "recordFinding", tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan.")), request_body = FindingBody,
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["judgements:write"])))]
pub async fn record_finding(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("recordFinding").await?;
    let body = call.body::<FindingBody>();
    let right = super::scope_is_enough::<ParticipationPlan>;
    super::record(call, body, "finding", right, |context, plan: ParticipationPlan, body| {
        Names::of(context.registry).council("/council", &body.council).done()?;
        context.caller.may_judge_for(&body.council)?;
        if !plan.councils.contains(&body.council) {
            let detail = "is not a council that the policy track concerns";
            return Err(ApiError::invalid("body", "/council", "finding.not_concerned", detail));
        }
        let rule = term::finding_rule(&context.registry.rules(), body.on);
        Ok(plan.with_finding(PartId(new_id()), body, rule, context.today)?)
    })
    .await
}

/// The owner of a plan replies to a finding.
#[utoipa::path(post, path = "/participation-plans/{id}/findings/{findingId}/reply", operation_id = "replyToFinding",
    tag = "participation",
    params(("id" = Uuid, Path, description = "The id of the plan."),
        ("findingId" = Uuid, Path, description = "The id of the finding.")),
    request_body = FindingReply,
    responses((status = 200, description = "The plan.", body = ParticipationPlanView)),
    security(("bearer" = ["treatment:write"])))]
pub async fn reply_to_finding(incoming: Incoming) -> Result<HttpResponse, ApiError> {
    let call = incoming.call("replyToFinding").await?;
    let finding = PartId(call.path_id("findingId")?);
    let body = call.body::<FindingReply>();
    let right =
        |caller: &domain::access::Caller, plan: &ParticipationPlan| caller.may_reply_for(&plan.cluster);
    super::record(call, body, "reply", right, move |context, plan: ParticipationPlan, body| {
        if !plan.findings.iter().any(|known| known.id == finding) {
            return Err(ApiError::NotFound);
        }
        Ok(plan.with_reply(finding, body, context.today)?)
    })
    .await
}
